//! The outermost layer around every answer: an id, security headers, one line in the log, and a
//! problem document where a handler panicked or the framework answered by itself. It asks the
//! [`Edge`] whether a request comes in at all.
//!
//! It is on the road of every request and leaves bodies alone, except those of the framework's
//! own errors. It must be the last `wrap` of the app, so that nothing is outside of it.

use crate::http::edge::{self, Edge, Extras, Judged};
use crate::http::problem::{Problem, framework};
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError, web};
use futures_util::FutureExt;
use std::any::Any;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use uuid::Uuid;

/// The header that names a request.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Pages load from their own server only, and open sockets and requests to it; nobody frames them.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
/// Documents of the API load nothing and are shown nowhere.
const API_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

tokio::task_local! {
    static REQUEST_ID: Uuid;
}

/// The id of the request that this task is answering; none outside of a request.
pub fn request_id() -> Option<Uuid> {
    REQUEST_ID.try_with(|id| *id).ok()
}

/// The middleware: `App::new().wrap(from_fn(envelope))`.
pub async fn envelope<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let started = Instant::now();
    let id = new_id();
    // The request itself cannot be kept: routing needs the only reference to it.
    let (method, uri) = (request.method().clone(), request.uri().clone());
    read_as_get(&mut request);
    let Judged { extras, answer: refusal } = come_in(&mut request, id).await;
    if let Some(refusal) = refusal {
        edge::hold(&mut request);
        let mut answer = request.into_response::<BoxBody, _>(refusal).map_into_right_body();
        let status = answer.status();
        decorate(answer.headers_mut(), status, id, &extras);
        log(&method, uri.path(), status, started, id);
        return Ok(answer);
    }
    let answering = AssertUnwindSafe(async move { next.call(request).await }).catch_unwind();
    let answered = REQUEST_ID.scope(id, answering).await;
    let mut response = match answered {
        Ok(Ok(answer)) => {
            let mut answer = REQUEST_ID.sync_scope(id, || framework::rewritten(answer));
            let status = answer.status();
            decorate(answer.headers_mut(), status, id, &extras);
            log(&method, uri.path(), status, started, id);
            return Ok(answer);
        }
        Ok(Err(error)) => REQUEST_ID.sync_scope(id, || framework::of_error(&error)),
        Err(panic) => REQUEST_ID.sync_scope(id, || panicked(panic.as_ref())),
    };
    let status = response.status();
    decorate(response.headers_mut(), status, id, &extras);
    log(&method, uri.path(), status, started, id);
    // Without the request there is no answer to return: the server sends what the error holds.
    Err(InternalError::from_response("answered", response).into())
}

/// `HEAD` is judged, routed and answered as `GET` (RFC 9110, section 9.3.2): the connection, which
/// remembers what was asked, says the length of the body and leaves it out. No socket is opened so.
fn read_as_get(request: &mut ServiceRequest) {
    if request.method() == Method::HEAD && !request.headers().contains_key(header::UPGRADE) {
        request.head_mut().method = Method::GET;
    }
}

/// Judges a request; one that comes in has its body at hand, or one of a known length.
async fn come_in(request: &mut ServiceRequest, id: Uuid) -> Judged {
    let mut judged = match request.app_data::<web::Data<Edge>>() {
        Some(edge) => REQUEST_ID.sync_scope(id, || edge.judge(request)),
        None => Judged::default(),
    };
    if judged.answer.is_none()
        && let Err(problem) = edge::gather(request).await
    {
        judged.answer = Some(REQUEST_ID.sync_scope(id, || problem.error_response()));
    }
    judged
}

/// The low bits of a UUID that hold nothing but randomness (RFC 9562, section 5.7).
const RANDOM_BITS: u128 = (1 << 62) - 1;

thread_local! {
    static LAST_ID: Cell<u128> = Cell::new(random_id());
}

/// A worker's ids count up from a random start: they must be unique, not secret, and randomness
/// for each request would cost a system call.
fn new_id() -> Uuid {
    let last = LAST_ID.get();
    let next = (last & !RANDOM_BITS) | (last.wrapping_add(1) & RANDOM_BITS);
    LAST_ID.set(next);
    Uuid::from_u128(next)
}

#[expect(clippy::disallowed_methods, reason = "a request id is no fact of the product")]
fn random_id() -> u128 {
    Uuid::now_v7().as_u128()
}

/// The answer to a panic. Its message went to the log by the panic hook; it is repeated here with
/// the request's id.
fn panicked(panic: &(dyn Any + Send)) -> HttpResponse<BoxBody> {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Problem::internal(format_args!("panic: {}", text.unwrap_or("without a message")))
        .error_response()
}

fn decorate(headers: &mut HeaderMap, status: StatusCode, id: Uuid, extras: &Extras) {
    let mut text = Uuid::encode_buffer();
    if let Ok(value) = HeaderValue::from_str(id.hyphenated().encode_lower(&mut text)) {
        headers.insert(X_REQUEST_ID, value);
    }
    extras.write(headers);
    // A 304 would overwrite the policy of the page that the browser keeps (RFC 9111, 3.2).
    if matches!(status, StatusCode::SWITCHING_PROTOCOLS | StatusCode::NOT_MODIFIED) {
        return;
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let is_page = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let policy = if is_page { PAGE_POLICY } else { API_POLICY };
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// One line for each request, loud where the server failed and otherwise for those who ask for
/// it (`LOG=vacancy=debug`): at 50,000 answers a second a line each costs more than the answer.
/// The query is left out: it may hold what is nobody's business, and so may the end of an address that
/// only a provider was told.
fn log(method: &Method, path: &str, status: StatusCode, started: Instant, id: Uuid) {
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let code = status.as_u16();
    let path = match path.find("/callbacks/").and_then(|_| path.rfind('/')) {
        Some(end) => &path[..end],
        None => path,
    };
    if status.is_server_error() {
        tracing::warn!(%method, path, status = code, micros, request_id = %id, "answered");
    } else {
        tracing::debug!(%method, path, status = code, micros, request_id = %id, "answered");
    }
}
