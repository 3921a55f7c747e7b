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
mod refund;
pub(crate) mod refunds;
mod refusal;
mod view;

use crate::routes::{self, Route};
use actix_web::web::ServiceConfig;
use call::Work;

/// All routes: method, path and what they do.
const ROUTES: [Route<Work>; 11] = [
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
    routes::serve(config, &ROUTES, call::answer);
}

/// The names of the routes.
pub(crate) fn names() -> Vec<String> {
    routes::names(&ROUTES)
}
