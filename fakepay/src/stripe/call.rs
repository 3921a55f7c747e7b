//! One request to the Stripe side, from its key to its answer: the way that all routes share.

use super::books::Cause;
use super::form::Form;
use super::keys::{self, Saved, Seen};
use super::refusal::Refusal;
use super::view;
use crate::faults::{self, RouteFault};
use crate::world::{State, World};
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

/// What a route is asked.
pub(super) struct Call {
    /// The id in the path; empty where there is none.
    pub(super) id: String,
    pub(super) form: Form,
    pub(super) cause: Cause,
}

pub(super) type Answer = Result<Value, Refusal>;

/// What a route does, under the lock and without waiting.
pub(super) type Work = fn(&mut State, &Call) -> Answer;

/// Frees a key whose request ended without an answer to keep.
struct Flight {
    world: Data<World>,
    key: String,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.world.lock().stripe.keys.land(&self.key);
    }
}

/// Answers a request.
pub(super) async fn answer(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
    work: Work,
) -> HttpResponse {
    let id = world.lock().ids.id("req");
    match carry_out(&world, &request, &body, &id, work).await {
        Ok(response) => response,
        Err(refusal) => respond(refusal.status, &id, refusal.body().to_string()),
    }
}

async fn carry_out(
    world: &Data<World>,
    request: &HttpRequest,
    body: &[u8],
    id: &str,
    work: Work,
) -> Result<HttpResponse, Refusal> {
    let (fault, wait) = faults::of(world, request);
    if fault == Some(RouteFault::TooManyRequests) {
        return Err(Refusal::too_many());
    }
    if fault == Some(RouteFault::TimeoutBeforeCommit) {
        return Ok(faults::hold(world, wait).await);
    }
    authenticate(request)?;
    let is_get = request.method().as_str() == "GET";
    let form = Form::parse(if is_get { request.query_string().as_bytes() } else { body })?;
    let key = if is_get { None } else { idempotency_key(request)? };
    let mut flight = None;
    if let Some(key) = &key {
        let said = format!("{}\n{}", request.path(), form.canonical());
        let seen = {
            let mut state = world.lock();
            let now = state.clock.now();
            state.stripe.keys.take(now, key, said)
        };
        match seen {
            Seen::First => flight = Some(Flight { world: world.clone(), key: key.clone() }),
            Seen::Replay(saved) => return Ok(replay(id, saved)),
            Seen::InFlight => return Err(Refusal::in_flight(key)),
            Seen::Other => return Err(Refusal::other_request(key)),
        }
    }
    let cause = Cause { id: Some(id.to_owned()), key };
    let path_id = request.match_info().get("id").unwrap_or_default().to_owned();
    let call = Call { id: path_id, form, cause };
    if fault == Some(RouteFault::Slow) {
        faults::wait(world, wait).await;
    }
    let is_broken = fault == Some(RouteFault::ErrorAfterCommit);
    let (status, body) = decide(world, &call, work, is_broken);
    drop(flight);
    if fault == Some(RouteFault::TimeoutAfterCommit) {
        return Ok(faults::hold(world, wait).await);
    }
    Ok(respond(status, id, body))
}

/// Does what is asked and keeps the answer, in one step under the lock. Where something is broken,
/// that is the answer, whatever was done.
fn decide(world: &Data<World>, call: &Call, work: Work, is_broken: bool) -> (u16, String) {
    let mut state = world.lock();
    let answer = work(&mut state, call);
    let answer = if is_broken { Err(Refusal::broken()) } else { answer };
    let (status, is_kept, body) = match answer {
        Ok(body) => (200, true, body),
        Err(refusal) => (refusal.status, refusal.is_kept, refusal.body()),
    };
    let body = body.to_string();
    if let (Some(key), Some(request), true) = (&call.cause.key, &call.cause.id, is_kept) {
        let now = state.clock.now();
        let saved = Saved { status, body: body.clone(), request: request.clone() };
        state.stripe.keys.save(now, key, saved);
    }
    world.changed.notify_one();
    (status, body)
}

/// A key for tests, as bearer or as user.
fn authenticate(request: &HttpRequest) -> Result<(), Refusal> {
    let header = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let key = match header.and_then(|header| header.split_once(' ')) {
        Some(("Bearer", key)) => Some(key.trim().to_owned()),
        Some(("Basic", text)) => {
            let text = BASE64_STANDARD.decode(text.trim()).ok();
            let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
            text.and_then(|text| Some(text.split_once(':')?.0.to_owned()))
        }
        _ => None,
    };
    let is_good = key.is_some_and(|key| {
        ["sk_test_", "rk_test_"].iter().any(|prefix| key.strip_prefix(prefix).is_some())
    });
    if is_good { Ok(()) } else { Err(Refusal::no_key()) }
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Refusal> {
    let Some(header) = request.headers().get("Idempotency-Key") else { return Ok(None) };
    let key = header.to_str().ok().filter(|key| key.len() <= keys::LONGEST);
    let key = key.ok_or_else(|| {
        Refusal::parameter("", "", "Idempotency keys have up to 255 characters of ASCII")
    })?;
    Ok(Some(key.to_owned()).filter(|key| !key.is_empty()))
}

fn respond(status: u16, request: &str, body: String) -> HttpResponse {
    let status = StatusCode::from_u16(status).expect("a status of ours");
    let mut response = HttpResponse::build(status);
    response
        .insert_header(("Request-Id", request))
        .insert_header(("Stripe-Version", view::VERSION));
    if status.as_u16() == 500 {
        // The same key would only be told the same again.
        response.insert_header(("Stripe-Should-Retry", "false"));
    }
    response.content_type("application/json").body(body)
}

fn replay(request: &str, saved: Saved) -> HttpResponse {
    let mut response = respond(saved.status, request, saved.body);
    let headers = response.headers_mut();
    let original = saved.request.parse().expect("an id is fit for a header");
    headers
        .insert("idempotent-replayed".parse().expect("a name"), "true".parse().expect("a value"));
    headers.insert("original-request".parse().expect("a name"), original);
    response
}
