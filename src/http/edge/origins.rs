//! Which pages of other origins may read answers (CORS, the Fetch standard).
//!
//! Listed origins may do everything and send credentials. Every other origin may read what is
//! public, without credentials: the widget lives on other people's pages. No answer ever has a
//! wildcard together with credentials.

use super::path::{self, Segments};
use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// The origins that the operator listed: scheme, host and port as browsers send them.
pub struct Origins(Vec<String>);

/// What the origin of a request may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// This listed origin may do everything.
    Listed(HeaderValue),
    /// Any origin may read this.
    Public,
}

/// The headers of answers that scripts may read, beside those that they always may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Location, Link, RateLimit, RateLimit-Policy, Idempotent-Replayed, X-Request-Id, \
     Retry-After",
);
/// How long browsers may keep what a preflight said, in seconds: Chromium's most.
const KEPT_SECONDS: HeaderValue = HeaderValue::from_static("7200");

impl Origins {
    pub fn new(listed: Vec<String>) -> Self {
        Self(listed)
    }

    /// What the request's origin may do; nothing where none was sent or none may.
    pub(super) fn grant(
        &self,
        method: &Method,
        segments: &Segments<'_>,
        headers: &HeaderMap,
    ) -> Option<Grant> {
        let origin = headers.get(header::ORIGIN)?;
        if self.lists(origin) {
            return Some(Grant::Listed(origin.clone()));
        }
        let asked = if method == Method::OPTIONS { asked(headers)? } else { method.clone() };
        path::is_public(&asked, segments).then_some(Grant::Public)
    }

    /// Whether a page acts for its own server or for an operator who listed it. What no browser
    /// sent has no page.
    pub(super) fn trust(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let own = || {
            let (_, place) = origin.to_str().ok()?.split_once("://")?;
            Some(headers.get(header::HOST)?.as_bytes().eq_ignore_ascii_case(place.as_bytes()))
        };
        self.lists(origin) || own() == Some(true)
    }

    fn lists(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|listed| listed.as_bytes() == origin.as_bytes())
    }
}

impl Grant {
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let origin = match self {
            Self::Listed(origin) => {
                let credentials = header::ACCESS_CONTROL_ALLOW_CREDENTIALS;
                headers.insert(credentials, HeaderValue::from_static("true"));
                origin.clone()
            }
            Self::Public => HeaderValue::from_static("*"),
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

/// The method that a preflight asks about.
fn asked(headers: &HeaderMap) -> Option<Method> {
    Method::from_bytes(headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?.as_bytes()).ok()
}

/// The answer to a preflight. A browser sends nothing further to an answer without grants.
pub(super) fn preflight(
    method: &Method,
    headers: &HeaderMap,
    grant: Option<&Grant>,
) -> Option<HttpResponse<BoxBody>> {
    if method != Method::OPTIONS || !headers.contains_key(header::ORIGIN) {
        return None;
    }
    asked(headers)?;
    let mut answer = HttpResponse::NoContent();
    answer.append_header((header::VARY, "Access-Control-Request-Method"));
    let (methods, names) = match grant {
        Some(Grant::Listed(_)) => (
            "GET, HEAD, POST, PUT, PATCH, DELETE",
            "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match",
        ),
        // Without Authorization: no page of a stranger acts as somebody.
        Some(Grant::Public) => ("GET, HEAD, POST", "Content-Type, Idempotency-Key, If-None-Match"),
        None => return Some(answer.finish()),
    };
    answer
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, methods))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, names))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, KEPT_SECONDS));
    Some(answer.finish())
}
