//! Bodies whose length nobody announced. The framework reads the rest of one that a route left
//! unread, for as long as it goes on; so it is read here, whole and within the bounds of every
//! body, before any route sees the request.

use crate::http::extract;
use crate::http::problem::Problem;
use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use std::time::Duration;

/// How long an unread body is kept, so that the connection is closed with the answer.
const HELD: Duration = Duration::from_secs(2);

/// Reads a chunked body in advance; other requests are left as they are.
pub async fn gather(request: &mut ServiceRequest) -> Result<(), Problem> {
    if !is_chunked(request) {
        return Ok(());
    }
    let mut payload = request.take_payload();
    match extract::read_body(&mut payload, 0).await {
        Ok(bytes) => {
            request.set_payload(Payload::from(bytes.freeze()));
            Ok(())
        }
        Err(problem) => {
            keep(payload);
            Err(problem)
        }
    }
}

/// Has the connection closed after an answer that was given without reading a chunked body.
pub fn hold(request: &mut ServiceRequest) {
    if is_chunked(request) {
        keep(request.take_payload());
    }
}

fn is_chunked(request: &ServiceRequest) -> bool {
    // What cannot be read as a list of codings is no harmless body either.
    request.chunked().unwrap_or(true)
}

/// While somebody holds an unread body the framework closes the connection after the answer; of
/// one that was dropped it reads on.
fn keep(payload: Payload) {
    actix_web::rt::spawn(async move {
        tokio::time::sleep(HELD).await;
        drop(payload);
    });
}
