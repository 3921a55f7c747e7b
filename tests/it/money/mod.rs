//! Money through the front door: payments, refunds and what providers tell, at Stripe's stand-in over
//! real HTTP. What provider and bookings say is compared to the minor unit.

mod deaths;
mod hooks;
mod phones;
mod refunds;
mod ways;

use crate::helpers::{Person, Server, day, eventually};
use serde_json::Value;
use std::time::Duration;

/// What a job and its provider may take on a busy machine.
const WITHIN: Duration = Duration::from_secs(20);

/// A home's host, a guest, and a booking of two nights that is not paid.
async fn held(server: &Server) -> (Person, Person, Value) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201);
    (host, guest, booking)
}

/// Waits until a payment has this status.
async fn settles(server: &Server, guest: &Person, payment: &str, wanted: &str) -> Value {
    let mut last = Value::Null;
    let settled = eventually(WITHIN, async || {
        last = server.payment(guest, payment).await.expect(200);
        (last["status"] == wanted).then_some(())
    });
    settled.await.unwrap_or_else(|| panic!("the payment is not {wanted}: {last}"));
    last
}

/// Waits until a booking has this status.
async fn becomes(server: &Server, guest: &Person, booking: &str, wanted: &str) -> Value {
    let mut last = Value::Null;
    let reached = eventually(WITHIN, async || {
        last = server.booking(guest, booking).await.expect(200);
        (last["status"] == wanted).then_some(())
    });
    reached.await.unwrap_or_else(|| panic!("the booking is not {wanted}: {last}"));
    last
}

/// What the provider has taken and given back, in minor units, over all payments.
async fn moved(server: &Server) -> (i64, i64) {
    let ledger = server.pay_through().ledger().await;
    let sum = |name: &str| -> i64 {
        let payments = ledger["payments"].as_array().expect("payments");
        payments.iter().map(|payment| payment[name].as_i64().expect("an amount")).sum()
    };
    (sum("captured"), sum("refunded"))
}
