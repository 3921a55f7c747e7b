//! REST: routes, and one file per resource. It reads requests into domain values, asks the engine,
//! and renders answers; it holds no rule. Every error becomes a problem document (RFC 9457).

mod accounts;
mod as_of;
mod bookings;
mod calendar_edits;
mod calendars;
pub mod cursor;
pub mod edge;
mod examples;
mod export;
pub mod extract;
mod failures;
pub mod headers;
mod live;
mod openapi;
mod operations;
mod pages;
mod payments;
mod price;
pub mod problem;
mod properties;
mod put;
mod quotes;
mod reviews;
mod routes;
mod rules;
mod search;
mod sessions;
mod webhooks;

pub use openapi::text as openapi_document;
pub use operations::CatchUp;
pub use routes::{Surface, serve, serve_unready};

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use headers::ETag;
use problem::Problem;
use serde::Serialize;

/// One resource with its tag; 304 where the client has it already.
fn tagged(
    request: &HttpRequest,
    etag: &ETag,
    view: &impl Serialize,
) -> Result<HttpResponse, Problem> {
    let tag = (header::ETAG, etag.header()?);
    if etag.is_known_to(request.headers()) {
        return Ok(HttpResponse::NotModified().insert_header(tag).finish());
    }
    Ok(HttpResponse::Ok().insert_header(tag).json(view))
}

/// Adds the header that marks a repeated answer.
fn mark_replayed(response: &mut HttpResponse, replayed: bool) {
    if replayed {
        let name = header::HeaderName::from_static("idempotent-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
}
