//! One request to the Daraja side, from its fault to its answer.

use super::refusal::Refusal;
use super::{fields::Fields, token};
use crate::faults::{self, RouteFault};
use crate::world::{State, World};
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

/// What a route is asked.
pub(super) struct Call {
    /// The header `Authorization`.
    pub(super) authorization: String,
    pub(super) query: String,
    pub(super) fields: Fields,
}

pub(super) type Answer = Result<Value, Refusal>;

/// What a route does, under the lock and without waiting.
pub(super) type Work = fn(&mut State, &Call) -> Answer;

/// Answers a request.
pub(super) async fn answer(
    world: Data<World>,
    request: HttpRequest,
    body: Bytes,
    work: Work,
) -> HttpResponse {
    let (fault, wait) = faults::of(&world, &request);
    let answer = match fault {
        Some(RouteFault::TooManyRequests) => Err(Refusal::too_many()),
        Some(RouteFault::TimeoutBeforeCommit) => return faults::hold(&world, wait).await,
        Some(RouteFault::Slow) => {
            faults::wait(&world, wait).await;
            decide(&world, &request, &body, work)
        }
        _ => decide(&world, &request, &body, work),
    };
    match fault {
        Some(RouteFault::TimeoutAfterCommit) => faults::hold(&world, wait).await,
        Some(RouteFault::ErrorAfterCommit) => respond(&world, Err(Refusal::broken())),
        _ => respond(&world, answer),
    }
}

fn decide(world: &World, request: &HttpRequest, body: &[u8], work: Work) -> Answer {
    let header = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let is_get = request.method().as_str() == "GET";
    let fields = if is_get { Ok(Fields::default()) } else { Fields::parse(body) };
    let call = Call {
        authorization: header.unwrap_or_default().to_owned(),
        query: request.query_string().to_owned(),
        fields: fields?,
    };
    let mut state = world.lock();
    // The one GET is how a token is had.
    if !is_get {
        token::check(&state, &call)?;
    }
    let answer = work(&mut state, &call);
    world.changed.notify_one();
    answer
}

fn respond(world: &World, answer: Answer) -> HttpResponse {
    let (status, body) = match answer {
        Ok(body) => (200, body),
        Err(refusal) => (refusal.status, refusal.body(&world.lock().ids.id("fp"))),
    };
    HttpResponse::build(StatusCode::from_u16(status).expect("a status of ours")).json(body)
}
