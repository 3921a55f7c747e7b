//! Payments that do not go well: declined, silent, late, or for nights that are gone.

use crate::helpers::{Document, Person, Server, day, eventually, on_both};
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    a_declined_card_leaves_the_nights_held_and_another_can_be_tried,
    a_silent_provider_is_given_two_minutes_more_and_then_the_nights_are_free,
    a_late_payment_takes_the_nights_back_if_they_are_free,
    a_late_payment_goes_back_if_somebody_else_has_the_nights,
    a_payment_for_a_canceled_booking_goes_back,
    a_second_payment_finds_the_first_one,
    moving_the_clock_answers_when_all_that_is_due_has_been_done,
);

const HOLD: u64 = 15 * 60;
const RELEASE: u64 = 2 * 60;
const WITHIN: Duration = Duration::from_secs(5);

/// A home, its booked nights' guest, and the booking.
async fn booked(server: &Server) -> (String, Person, String) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    (home, guest, booking)
}

/// Begins to pay without waiting for the answer, and gives the payment when the provider has the
/// order.
async fn begin(server: &Server, guest: &Person, booking: &str, method: &str) -> String {
    let asking = server.pay(guest, booking, method);
    tokio::spawn(async move { asking.attempt().await });
    let ordered = eventually(WITHIN, async || {
        let booking = server.booking(guest, booking).await.expect(200);
        let payment = booking["payment_id"].as_str()?.to_owned();
        let record = server.payment(guest, &payment).await.expect(200);
        record["provider_ref"].is_string().then_some(payment)
    });
    ordered.await.expect("an order at the provider")
}

async fn status(server: &Server, guest: &Person, booking: &str) -> (String, Value) {
    let booking = server.booking(guest, booking).await.expect(200);
    (booking.text("status"), booking["awaiting"].clone())
}

/// Waits until a booking has this status, which a job brings about.
async fn becomes(server: &Server, guest: &Person, booking: &str, wanted: &str) {
    let reached = eventually(WITHIN, async || {
        (status(server, guest, booking).await.0 == wanted).then_some(())
    });
    reached.await.unwrap_or_else(|| panic!("the booking is not {wanted} within {WITHIN:?}"));
}

/// The provider is paid for an order that it has been at for long.
async fn pays_late(server: &Server, guest: &Person, payment: &str) {
    let record = server.payment(guest, payment).await.expect(200);
    server.pay_through().settle(&record.text("provider_ref")).await;
}

/// Waits until a payment has this status, and gives what went back.
async fn settles(server: &Server, guest: &Person, payment: &str, wanted: &str) -> i64 {
    let settled = eventually(WITHIN, async || {
        let record = server.payment(guest, payment).await.expect(200);
        (record["status"] == wanted).then(|| record.number("refunded_amount"))
    });
    settled.await.unwrap_or_else(|| panic!("the payment is not {wanted} within {WITHIN:?}"))
}

async fn a_declined_card_leaves_the_nights_held_and_another_can_be_tried(server: &mut Server) {
    let (home, guest, booking) = booked(server).await;
    let declined = server.pay(&guest, &booking, "pm_card_chargeDeclined").await.expect(201);
    assert_eq!(declined["status"], "failed");
    let pending = ("PENDING".to_owned(), json!("payment"));
    assert_eq!(status(server, &guest, &booking).await, pending);
    assert_eq!(server.states(&home, &day(40), &day(42)).await, ["held"; 2]);
    let paid = server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    assert_eq!(paid["status"], "captured");
    assert_ne!(paid["id"], declined["id"]);
    let confirmed = ("CONFIRMED".to_owned(), Value::Null);
    assert_eq!(status(server, &guest, &booking).await, confirmed);
}

async fn a_silent_provider_is_given_two_minutes_more_and_then_the_nights_are_free(
    server: &mut Server,
) {
    let (home, guest, booking) = booked(server).await;
    let payment = begin(server, &guest, &booking, "pm_silent").await;
    server.advance(HOLD - 60).await;
    assert_eq!(status(server, &guest, &booking).await.0, "PENDING");
    // The sandbox gives a silent order up when it is asked to: the nights are free at once.
    server.advance(60).await;
    becomes(server, &guest, &booking, "EXPIRED").await;
    settles(server, &guest, &payment, "voided").await;
    assert_eq!(server.states(&home, &day(40), &day(42)).await, ["available"; 2]);
}

async fn a_late_payment_takes_the_nights_back_if_they_are_free(server: &mut Server) {
    let (home, guest, booking) = booked(server).await;
    let payment = begin(server, &guest, &booking, "pm_late").await;
    server.advance(HOLD).await;
    let releasing = ("PENDING".to_owned(), json!("release"));
    assert_eq!(status(server, &guest, &booking).await, releasing);
    assert_eq!(server.states(&home, &day(40), &day(42)).await, ["held"; 2]);
    server.advance(RELEASE).await;
    assert_eq!(status(server, &guest, &booking).await.0, "EXPIRED");
    assert_eq!(server.states(&home, &day(40), &day(42)).await, ["available"; 2]);
    pays_late(server, &guest, &payment).await;
    becomes(server, &guest, &booking, "CONFIRMED").await;
    assert_eq!(server.states(&home, &day(40), &day(42)).await, ["booked"; 2]);
    settles(server, &guest, &payment, "captured").await;
}

async fn a_late_payment_goes_back_if_somebody_else_has_the_nights(server: &mut Server) {
    let (home, guest, booking) = booked(server).await;
    let other = server.guest().await;
    let payment = begin(server, &guest, &booking, "pm_late").await;
    server.advance(HOLD).await;
    server.advance(RELEASE).await;
    let theirs = server.book(&other, &home, &day(41), &day(43)).await.expect(201).text("id");
    pays_late(server, &guest, &payment).await;
    assert_eq!(settles(server, &guest, &payment, "voided").await, 0, "nothing was collected");
    assert_eq!(status(server, &guest, &booking).await.0, "EXPIRED");
    assert_eq!(status(server, &other, &theirs).await.0, "PENDING");
}

async fn a_payment_for_a_canceled_booking_goes_back(server: &mut Server) {
    let (home, guest, booking) = booked(server).await;
    let payment = begin(server, &guest, &booking, "pm_late").await;
    assert_eq!(server.cancel(&guest, &booking).await.expect(200)["status"], "CANCELED");
    assert_eq!(server.states(&home, &day(40), &day(42)).await, ["available"; 2]);
    pays_late(server, &guest, &payment).await;
    assert_eq!(settles(server, &guest, &payment, "voided").await, 0, "nothing was collected");
    assert_eq!(status(server, &guest, &booking).await.0, "CANCELED");
}

async fn a_second_payment_finds_the_first_one(server: &mut Server) {
    let (_, guest, booking) = booked(server).await;
    let paid = server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    let again = server.pay(&guest, &booking, "pm_card_visa").await;
    again.is_problem(409, "wrong_status");
    let record = server.payment(&guest, &paid.text("id")).await.expect(200);
    assert_eq!(record, paid);
}

/// A worker may have taken a job up a moment before: that one is waited for as well.
async fn moving_the_clock_answers_when_all_that_is_due_has_been_done(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    for round in 0..60 {
        let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
        let payment = server.pay(&guest, &booking, "pm_card_visa").await.expect(201).text("id");
        server.cancel(&guest, &booking).await.expect(200);
        server.advance(1).await;
        let record = server.payment(&guest, &payment).await.expect(200);
        assert_eq!(record["status"], "refunded", "round {round}: {record}");
    }
}
