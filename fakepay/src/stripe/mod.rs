//! Stripe's side: payment intents, refunds and events, for one account in test mode.
//!
//! `call.rs` is the way of every request: who asks, what, whether it was answered before. The
//! routes decide under the lock. Amounts are integers in a currency's minor units.

pub(crate) mod books;
mod call;
pub(crate) mod checkout;
pub(crate) mod currency;
mod events;
mod form;
mod intent;
pub(crate) mod intents;
mod keys;
mod list;
mod method;
mod refunds;
mod refusal;
mod view;

use crate::world::World;
use actix_web::HttpRequest;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use call::Work;

/// All routes: method, path and what they do.
const ROUTES: [(&str, &str, Work); 11] = [
    ("GET", "/v1/payment_intents", intents::index),
    ("POST", "/v1/payment_intents", intents::create),
    ("GET", "/v1/payment_intents/{id}", intents::get),
    ("POST", "/v1/payment_intents/{id}/confirm", intents::confirm),
    ("POST", "/v1/payment_intents/{id}/capture", intents::capture),
    ("POST", "/v1/payment_intents/{id}/cancel", intents::cancel),
    ("GET", "/v1/refunds", refunds::index),
    ("POST", "/v1/refunds", refunds::create),
    ("GET", "/v1/refunds/{id}", refunds::get),
    ("GET", "/v1/events", events::index),
    ("GET", "/v1/events/{id}", events::get),
];

pub(crate) fn routes(config: &mut ServiceConfig) {
    for (method, path, work) in ROUTES {
        let route = if method == "GET" { web::get() } else { web::post() };
        let answer = move |world: Data<World>, request: HttpRequest, body: Bytes| {
            call::answer(world, request, body, work)
        };
        config.route(path, route.to(answer));
    }
}

/// The names of the routes, such as `GET /v1/events`.
pub(crate) fn names() -> Vec<String> {
    ROUTES.iter().map(|(method, path, _)| format!("{method} {path}")).collect()
}
