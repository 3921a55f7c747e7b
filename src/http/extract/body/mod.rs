//! Bodies: JSON of at most 64 KiB, read into the type that the handler names. A body has as long to
//! arrive as a head: who sends it drop by drop holds a connection no longer than that.
//!
//! Types of bodies refuse unknown fields. A body is read in one quick pass; only one that fails
//! is read again, to find out where. NUL is refused in every string, because PostgreSQL cannot
//! store it.

use super::wording;
use crate::http::problem::{Code, Problem};
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// The largest body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The largest body for which room is made before any of it has come, in bytes.
const TRUSTED_BYTES: usize = 4 * 1024;

/// How long a body may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// The parsed body of a request.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let announced = announced(request.headers());
        let mut payload = payload.take();
        Box::pin(async move {
            let bytes = read(&mut payload, announced?).await?;
            parse(&bytes).map(Self)
        })
    }
}

/// Judges the headers; the length that they announce, in bytes.
fn announced(headers: &HeaderMap) -> Result<usize, Problem> {
    if !is_json(headers) {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    if length > MAX_BODY_BYTES { Err(Problem::new(Code::PayloadTooLarge)) } else { Ok(length) }
}

/// Whether the body is declared as plain JSON in UTF-8.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let mut parts = kind.unwrap_or_default().split(';').map(str::trim);
    let named = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
        !name.eq_ignore_ascii_case("charset")
            || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    let plain = headers
        .get(header::CONTENT_ENCODING)
        .is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    named && utf8 && plain
}

/// Reads the body, and no more of it than it may have.
pub(in crate::http) async fn read(
    payload: &mut Payload,
    announced: usize,
) -> Result<web::BytesMut, Problem> {
    let reading = read_all(payload, announced);
    let read = tokio::time::timeout(ARRIVES_WITHIN, reading).await;
    read.unwrap_or_else(|_| Err(Problem::new(Code::RequestTimeout)))
}

async fn read_all(payload: &mut Payload, announced: usize) -> Result<web::BytesMut, Problem> {
    let mut bytes = web::BytesMut::with_capacity(announced.min(TRUSTED_BYTES));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            Problem::new(Code::MalformedRequest)
                .with_detail(format!("The body did not arrive whole: {error}."))
        })?;
        if bytes.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(Problem::new(Code::PayloadTooLarge));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Parses the body, or finds out where it is wrong.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // A NUL inside of a string can only be written so; the letters may also stand there for
    // something else, which the second look decides.
    if bytes.windows(6).any(|part| part == b"\\u0000") {
        refuse_nul(bytes)?;
    }
    serde_json::from_slice(bytes).map_err(|_| explained::<T>(bytes))
}

/// The problem of a body that failed to parse.
fn explained<T: DeserializeOwned>(bytes: &[u8]) -> Problem {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Problem::new(Code::InvalidJson).with_detail("The body is empty: send JSON.");
    }
    // Broken JSON is told as such, even if a field before the break is wrong as well.
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
        return Problem::new(Code::InvalidJson)
            .with_detail(format!("The body cannot be read as JSON: {error}."));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => Problem::new(Code::InvalidJson),
        Err(error) => Problem::fields(vec![wording::field_error(error.path(), error.inner())]),
    }
}

/// Refuses NUL in strings and names, with a pointer to it. What is not JSON is left for later.
fn refuse_nul(bytes: &[u8]) -> Result<(), Problem> {
    fn find(value: &Value, pointer: &mut String) -> bool {
        let length = pointer.len();
        let found = match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(values) => values.iter().enumerate().any(|(index, value)| {
                pointer.truncate(length);
                wording::push_segment(pointer, &index.to_string());
                find(value, pointer)
            }),
            Value::Object(fields) => fields.iter().any(|(name, value)| {
                pointer.truncate(length);
                wording::push_segment(pointer, name);
                name.contains('\0') || find(value, pointer)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        };
        if !found {
            pointer.truncate(length);
        }
        found
    }
    let mut pointer = String::new();
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    if find(&value, &mut pointer) {
        return Err(Problem::field(pointer, "must not contain NUL"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
