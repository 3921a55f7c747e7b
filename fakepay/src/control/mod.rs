//! What tests and the demo ask of the stand-in itself, and no provider has: faults, the clock,
//! late payments and refunds, the books, and what became of deliveries.

pub(crate) mod ledger;

use crate::ending::{Ending, NotPending};
use crate::faults::Wish;
use crate::settings::Webhook;
use crate::stripe::{checkout, refunds};
use crate::world::World;
use crate::{daraja, stripe};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/control/webhook", web::put().to(webhook))
        .route("/control/clock", web::post().to(clock))
        .route("/control/faults", web::get().to(faults))
        .route("/control/faults", web::post().to(add_fault))
        .route("/control/faults", web::delete().to(clear_faults))
        .route("/control/intents/{id}/settle", web::post().to(settle))
        .route("/control/intents/{id}/fail", web::post().to(fail))
        .route("/control/refunds/{id}/succeed", web::post().to(succeed_refund))
        .route("/control/refunds/{id}/fail", web::post().to(fail_refund))
        .route("/control/ledger", web::get().to(ledger))
        .route("/control/deliveries", web::get().to(deliveries));
}

fn refuse(status: StatusCode, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "error": message }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookWish {
    url: String,
    secret: String,
}

/// Sends events there from now on: both sides may listen at ports that are known late.
async fn webhook(world: Data<World>, wish: Json<WebhookWish>) -> HttpResponse {
    match Webhook::new(&wish.url, &wish.secret) {
        Ok(webhook) => {
            world.lock().outbox.set_webhook(webhook);
            HttpResponse::NoContent().finish()
        }
        Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockWish {
    advance_seconds: u64,
}

/// Moves the clock; what falls due by that has happened when this is answered.
async fn clock(world: Data<World>, wish: Json<ClockWish>) -> HttpResponse {
    match world.advance(Duration::from_secs(wish.advance_seconds)) {
        Some(now) => HttpResponse::Ok().json(json!({ "now": now.to_string() })),
        None => refuse(StatusCode::BAD_REQUEST, "the clock goes at most ten years ahead"),
    }
}

async fn faults(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(world.lock().faults.list())
}

async fn add_fault(world: Data<World>, wish: Json<Wish>) -> HttpResponse {
    let routes = [stripe::names(), daraja::names()].concat();
    match world.lock().faults.add(wish.into_inner(), &routes) {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(message) => refuse(StatusCode::BAD_REQUEST, message),
    }
}

/// From now on all goes well, but for what is on its way.
async fn clear_faults(world: Data<World>) -> HttpResponse {
    world.lock().faults.clear();
    HttpResponse::NoContent().finish()
}

async fn settle(world: Data<World>, id: Path<String>) -> HttpResponse {
    end(&world, &id, Ending::Paid)
}

async fn fail(world: Data<World>, id: Path<String>) -> HttpResponse {
    end(&world, &id, Ending::Failed)
}

/// Ends what is pending: an intent, or a push to a phone by its `CheckoutRequestID`.
fn end(world: &World, id: &str, ending: Ending) -> HttpResponse {
    let mut state = world.lock();
    let ended = match id.starts_with("pi_") {
        true => checkout::end(&mut state, id, ending),
        false => daraja::push::end(&mut state, id, ending),
    };
    world.changed.notify_one();
    ended_or(ended, "there is no such payment, or it is not pending")
}

fn ended_or(ended: Result<(), NotPending>, message: &str) -> HttpResponse {
    match ended {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(NotPending) => refuse(StatusCode::CONFLICT, message),
    }
}

/// The money of a pending refund comes to the customer.
async fn succeed_refund(world: Data<World>, id: Path<String>) -> HttpResponse {
    let ended = refunds::end(&mut world.lock(), &id, Ending::Paid);
    world.changed.notify_one();
    ended_or(ended, "there is no such refund, or it is not pending")
}

/// The money of a refund comes back, also of one that had succeeded.
async fn fail_refund(world: Data<World>, id: Path<String>) -> HttpResponse {
    let ended = refunds::end(&mut world.lock(), &id, Ending::Failed);
    world.changed.notify_one();
    ended_or(ended, "there is no such refund, or it has failed")
}

async fn ledger(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(ledger::of(&world.lock()))
}

async fn deliveries(world: Data<World>) -> HttpResponse {
    let state = world.lock();
    HttpResponse::Ok().json(json!({ "deliveries": state.outbox.list() }))
}
