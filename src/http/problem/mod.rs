//! Problem documents (RFC 9457): the one form of every answer that is not a success.
//!
//! A handler returns `Result<_, Problem>`; refusals of the domain, denials of the policy and
//! errors of tokens become problems by `?`. What a client may rely on is `code`, from the one
//! table in [`codes`]; `errors` names fields by JSON pointer (RFC 6901); refused bookings carry
//! `reasons` and `alternatives`, a guest who may hold no more what is `pending`, an account that
//! cannot end its `obligations`. What went wrong inside is logged and never told.

pub mod codes;
pub mod framework;
mod refusals;

pub use codes::{CODES, Code};
pub use framework::{configure, not_found};

use crate::http::headers;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use domain::Stay;
use domain::refusal::{Hold, Reason};
use serde::Serialize;
use serde::ser::Serializer;
use std::borrow::Cow;
use std::fmt::{self, Display};
use uuid::Uuid;

/// The media type of problem documents.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// When to try again where nothing better is known, in seconds.
const RETRY_AFTER_SECONDS: u32 = 1;

/// An answer that is not a success. It is one pointer wide, so that results stay small.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    reasons: Vec<Reason>,
    alternatives: Vec<Stay>,
    obligations: Vec<Obligation>,
    pending: Vec<Hold>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// A JSON pointer into the body; query parameters and headers are named in the same way
    /// (`/limit`, `/idempotency-key`).
    pub pointer: Cow<'static, str>,
    pub detail: Cow<'static, str>,
}

impl FieldError {
    /// The detail follows the field's name: "must be a date".
    pub fn new(
        pointer: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// One thing that has to end before an account can: what it is, and its id.
#[derive(Clone, Debug, Serialize)]
struct Obligation {
    code: String,
    id: Uuid,
}

impl Problem {
    /// A problem with the detail that stands in the table.
    pub fn new(code: Code) -> Self {
        let problem = Self(Box::new(Parts {
            code,
            detail: Cow::Borrowed(code.entry().meaning),
            errors: Vec::new(),
            reasons: Vec::new(),
            alternatives: Vec::new(),
            obligations: Vec::new(),
            pending: Vec::new(),
            headers: Vec::new(),
        }));
        match code.entry().status {
            // RFC 9110, section 15.5.2: such an answer must say how to sign in.
            StatusCode::UNAUTHORIZED => {
                problem.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            StatusCode::SERVICE_UNAVAILABLE => problem.retry_after(RETRY_AFTER_SECONDS),
            _ => problem,
        }
    }

    /// One field is not valid.
    pub fn field(
        pointer: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::fields(vec![FieldError::new(pointer, detail)])
    }

    /// Some fields are not valid; there is at least one.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(Code::InvalidField);
        if let Some(first) = errors.first() {
            let name = first.pointer.strip_prefix('/').unwrap_or(&first.pointer);
            let name = if name.is_empty() { "the body" } else { name };
            problem.0.detail = Cow::Owned(format!("{name} {}", first.detail));
        }
        problem.0.errors = errors;
        problem
    }

    /// Something failed inside. The cause is logged here with the request's id, and not told.
    pub fn internal(cause: impl Display) -> Self {
        let request_id = headers::request_id().map(tracing::field::display);
        tracing::error!(%cause, request_id, "a request failed");
        Self::new(Code::Internal)
    }

    /// The same problem in better words.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// The same problem with a header; one of the same name is replaced.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.retain(|(present, _)| *present != name);
        self.0.headers.push((name, value));
        self
    }

    /// The same problem with the things that have to end first.
    #[must_use]
    pub fn with_obligations(mut self, obligations: Vec<(String, Uuid)>) -> Self {
        let obligation = |(code, id)| Obligation { code, id };
        self.0.obligations = obligations.into_iter().map(obligation).collect();
        self
    }

    /// The same problem with the caller's bookings that are pending.
    #[must_use]
    fn with_pending(mut self, holds: Vec<Hold>) -> Self {
        self.0.pending = holds;
        self
    }

    /// Says when trying again makes sense, in seconds from now.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The document as JSON, with the id of the request that is being answered.
    pub fn document(&self) -> Vec<u8> {
        let entry = self.0.code.entry();
        let document = Document {
            kind: entry.kind,
            title: entry.title,
            status: entry.status.as_u16(),
            detail: &self.0.detail,
            code: entry.name,
            errors: &self.0.errors,
            reasons: Reasons(&self.0.reasons),
            obligations: &self.0.obligations,
            pending: Holds(&self.0.pending),
            alternatives: (!self.0.reasons.is_empty()).then_some(Stays(&self.0.alternatives)),
            request_id: headers::request_id(),
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.entry().name, self.0.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.code.entry().status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::with_body(self.status_code(), self.document());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in &self.0.headers {
            headers.insert(name.clone(), value.clone());
        }
        response.map_into_boxed_body()
    }
}

impl Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        self.error_response()
    }
}

/// The document as it is written.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "Reasons::is_empty")]
    reasons: Reasons<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    obligations: &'a [Obligation],
    #[serde(skip_serializing_if = "Holds::is_empty")]
    pending: Holds<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alternatives: Option<Stays<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Uuid>,
}

/// Writes what a type displays as a JSON string.
struct Shown<T>(T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Every failing reason with its nights.
struct Reasons<'a>(&'a [Reason]);

impl Reasons<'_> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Reasons<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire {
            code: &'static str,
            nights: Vec<Shown<domain::Night>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            held_until: Option<Shown<domain::Instant>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            limit: Option<u16>,
        }
        serializer.collect_seq(self.0.iter().map(|reason| Wire {
            code: reason.code.name(),
            nights: reason.nights.iter().copied().map(Shown).collect(),
            held_until: reason.held_until.map(Shown),
            limit: reason.limit,
        }))
    }
}

/// The caller's pending bookings, with the ends of their time.
struct Holds<'a>(&'a [Hold]);

impl Holds<'_> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Holds<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire {
            id: Uuid,
            expires_at: Shown<domain::Instant>,
        }
        let wire = |hold: &Hold| Wire { id: hold.booking.0, expires_at: Shown(hold.until) };
        serializer.collect_seq(self.0.iter().map(wire))
    }
}

/// Stays that could be booked instead; they stand beside reasons even if there are none.
struct Stays<'a>(&'a [Stay]);

impl Serialize for Stays<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire {
            check_in: Shown<domain::Night>,
            check_out: Shown<domain::Night>,
        }
        serializer.collect_seq(self.0.iter().map(|stay| Wire {
            check_in: Shown(stay.check_in()),
            check_out: Shown(stay.check_out()),
        }))
    }
}

#[cfg(test)]
mod tests;
