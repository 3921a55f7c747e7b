//! Safaricom's Daraja: pushes to phones (M-Pesa), queries about them, and reversals, for one
//! merchant. Amounts are whole shillings.
//!
//! The last four digits of a phone number say what its customer does:
//!
//! | digits | result |
//! |---|---|
//! | `0001` | 1: there is not enough money |
//! | `1032` | 1032: canceled by the customer |
//! | `1037` | 1037: the phone cannot be reached |
//! | `2001` | 2001: a wrong PIN |
//! | `4040` | none, ever: it is processed for good, and no callback comes |
//! | `2020` | none until `/control/intents/{CheckoutRequestID}/settle` or `/fail` |
//! | others | 0: paid, after the merchant's `callback_delay` |
//!
//! The same amount to the same phone within two minutes is accepted and then fails with 17.

mod call;
mod fields;
mod phone;
pub(crate) mod push;
mod query;
mod refusal;
mod reversal;
mod token;

use crate::control::ledger::Entry;
use crate::routes::{self, Route};
use crate::shelf::Shelf;
use actix_web::web::ServiceConfig;
use call::Work;
use push::Push;
use serde::{Deserialize, Serialize};
use token::Token;

/// Pushes: beyond them, more are refused.
const MOST: usize = 50_000;

/// Everything that the Daraja side remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Desk {
    token: Option<Token>,
    pushes: Shelf<Push, MOST>,
}

impl Desk {
    /// The money of each push that was paid, in cents.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.pushes.iter().filter_map(Push::entry)
    }
}

/// All routes: method, path and what they do.
const ROUTES: [Route<Work>; 4] = [
    ("GET", "/oauth/v1/generate", token::generate),
    ("POST", "/mpesa/stkpush/v1/processrequest", push::process),
    ("POST", "/mpesa/stkpushquery/v1/query", query::query),
    ("POST", "/mpesa/reversal/v1/request", reversal::request),
];

pub(crate) fn routes(config: &mut ServiceConfig) {
    routes::serve(config, &ROUTES, call::answer);
}

/// The names of the routes.
pub(crate) fn names() -> Vec<String> {
    routes::names(&ROUTES)
}
