//! The books: what became of all money, to be compared with somebody else's.

use crate::world::State;
use serde::Serialize;
use std::collections::BTreeMap;

/// The money of one payment, in minor units. An M-Pesa push is captured as soon as it is paid.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Entry {
    pub(crate) provider: &'static str,
    /// The payment intent, or the `CheckoutRequestID`.
    pub(crate) id: String,
    pub(crate) currency: String,
    /// Held on the card, and neither captured nor released.
    pub(crate) authorized: i64,
    pub(crate) captured: i64,
    /// Was held, and never will be captured.
    pub(crate) released: i64,
    pub(crate) refunded: i64,
    /// What the merchant wrote on it: metadata, or the account reference as `reference`.
    pub(crate) metadata: BTreeMap<String, String>,
}

#[derive(Debug, Default, Serialize)]
struct Total {
    authorized: i64,
    captured: i64,
    released: i64,
    refunded: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Ledger {
    payments: Vec<Entry>,
    currencies: BTreeMap<String, Total>,
}

/// All payments that had money at some time, the oldest first, and their sums.
pub(super) fn of(state: &State) -> Ledger {
    let payments: Vec<_> = state.stripe.entries().chain(state.daraja.entries()).collect();
    let mut currencies: BTreeMap<String, Total> = BTreeMap::new();
    for entry in &payments {
        let total = currencies.entry(entry.currency.clone()).or_default();
        total.authorized += entry.authorized;
        total.captured += entry.captured;
        total.released += entry.released;
        total.refunded += entry.refunded;
    }
    Ledger { payments, currencies }
}
