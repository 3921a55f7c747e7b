//! Other dates and guests of a booking through the front door: nights, money and who may.

use crate::helpers::{Document, Person, Server, day, eventually, on_both};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    a_hold_takes_other_nights_and_another_total,
    a_cheaper_stay_gives_the_difference_back,
    a_dearer_stay_waits_for_its_payment_and_then_takes_all_in_one_turn,
    a_dearer_stay_that_nobody_pays_for_is_dropped_in_time,
    a_change_at_the_same_price_costs_nothing,
    a_change_into_nights_that_others_hold_is_refused_with_alternatives,
    put_takes_what_get_gave_and_refuses_what_nobody_changes,
    a_change_is_for_the_guest_and_admins,
    a_change_is_made_on_the_version_that_if_match_names,
    many_changes_at_once_leave_one_truth,
);

const WAIT: Duration = Duration::from_secs(10);

async fn booked(server: &Server, guest: &Person, home: &str, nights: (i32, i32)) -> Value {
    server.book(guest, home, &day(nights.0), &day(nights.1)).await.expect(201)
}

fn path(booking: &Value) -> String {
    format!("/api/v1/bookings/{}", booking.text("id"))
}

fn dates(nights: (i32, i32)) -> Value {
    json!({"check_in": day(nights.0), "check_out": day(nights.1)})
}

async fn a_hold_takes_other_nights_and_another_total(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = booked(server, &guest, &home, (40, 43)).await;
    let price = booking.number("total_amount") / 3;
    let changed = server.put(&path(&booking), dates((42, 47))).by(&guest).await.expect(200);
    assert_eq!(changed.number("total_amount"), 5 * price);
    assert_eq!((changed.text("status"), changed.number("version")), ("PENDING".into(), 2));
    assert_eq!(changed["expires_at"], booking["expires_at"], "a change buys no time");
    let lines = changed.list("lines");
    assert_eq!(lines.iter().map(|line| line.number("amount")).sum::<i64>(), 5 * price);
    assert_eq!(lines[0].text("from"), day(42));
    let states = server.states(&home, &day(40), &day(48)).await;
    let expected = ["available", "available", "held", "held", "held", "held", "held", "available"];
    assert_eq!(states, expected);
    let more = json!({"guests": 2});
    let changed = server.put(&path(&booking), more).by(&guest).await.expect(200);
    assert_eq!((changed.number("guests"), changed.text("check_in")), (2, day(42)));
    let payment = server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    assert_eq!(payment.number("amount"), 5 * price, "what is due now");
}

async fn a_cheaper_stay_gives_the_difference_back(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = booked(server, &guest, &home, (40, 44)).await;
    let payment = server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    let changed = server.put(&path(&booking), dates((41, 43))).by(&guest).await.expect(200);
    assert_eq!(changed.text("status"), "CONFIRMED");
    assert_eq!(changed.number("total_amount"), booking.number("total_amount") / 2);
    let states = server.states(&home, &day(40), &day(44)).await;
    assert_eq!(states, ["available", "booked", "booked", "available"]);
    let refunded = async || {
        let now = server.payment(&guest, &payment.text("id")).await.expect(200);
        (now.text("status") == "partially_refunded").then_some(())
    };
    eventually(WAIT, refunded).await.expect("the difference went back");
    let canceled = server.cancel(&guest, &booking.text("id")).await.expect(200);
    let back = canceled["refund"].number("amount");
    assert_eq!(back, booking.number("total_amount"), "all of it, and no more");
}

async fn a_dearer_stay_waits_for_its_payment_and_then_takes_all_in_one_turn(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = booked(server, &guest, &home, (40, 42)).await;
    let id = booking.text("id");
    let first = server.pay(&guest, &id, "pm_card_visa").await.expect(201);
    let price = booking.number("total_amount") / 2;
    let asked = server.put(&path(&booking), dates((41, 45))).by(&guest).await.expect(200);
    assert_eq!((asked.text("status"), asked.text("check_in")), ("CONFIRMED".into(), day(40)));
    assert_eq!(asked.number("total_amount"), 2 * price);
    let request = &asked["change_request"];
    assert_eq!((request.text("check_in"), request.text("check_out")), (day(41), day(45)));
    let amounts = (request.number("total_amount"), request.number("due_amount"));
    assert_eq!(amounts, (4 * price, 2 * price));
    let states = server.states(&home, &day(39), &day(46)).await;
    let waits = ["available", "booked", "booked", "held", "held", "held", "available"];
    assert_eq!(states, waits, "it keeps its nights and holds the new ones");
    let answer = server.book(&other, &home, &day(43), &day(44)).await;
    answer.is_problem(409, "unavailable_held");
    // What GET gave is no other wish.
    let shown = server.booking(&guest, &id).await.expect(200);
    let same = server.put(&path(&booking), shown.clone()).by(&guest).await.expect(200);
    assert_eq!(same, shown);
    let second = server.pay(&guest, &id, "pm_card_visa").await.expect(201);
    assert_eq!((second.number("amount"), second.text("status")), (2 * price, "captured".into()));
    let changed = server.booking(&guest, &id).await.expect(200);
    assert_eq!((changed.text("check_in"), changed.number("total_amount")), (day(41), 4 * price));
    assert!(changed["change_request"].is_null());
    let states = server.states(&home, &day(39), &day(46)).await;
    assert_eq!(
        states,
        ["available", "available", "booked", "booked", "booked", "booked", "available"]
    );
    // Everything goes back to where it came from.
    let canceled = server.cancel(&guest, &id).await.expect(200);
    assert_eq!(canceled["refund"].number("amount"), 4 * price);
    for payment in [&first, &second] {
        let refunded = async || {
            let now = server.payment(&guest, &payment.text("id")).await.expect(200);
            (now.text("status") == "refunded").then_some(())
        };
        eventually(WAIT, refunded).await.expect("all of it went back");
    }
    server.put(&path(&booking), dates((50, 51))).by(&guest).await.is_problem(409, "booking_ended");
    server.verify().await;
}

async fn a_dearer_stay_that_nobody_pays_for_is_dropped_in_time(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = booked(server, &guest, &home, (40, 42)).await;
    let id = booking.text("id");
    server.pay(&guest, &id, "pm_card_visa").await.expect(201);
    server.put(&path(&booking), dates((40, 45))).by(&guest).await.expect(200);
    let declined = server.pay(&guest, &id, "pm_card_chargeDeclined").await.expect(201);
    assert_eq!(declined.text("status"), "failed");
    let shown = server.booking(&guest, &id).await.expect(200);
    assert!(shown["change_request"].is_object(), "another card may do");
    assert_ne!(shown["payment_id"], declined["id"], "what was taken for it is the payment");
    // The end of its time survives the server.
    server.restart().await;
    server.advance(15 * 60).await;
    let dropped = async || {
        let shown = server.booking(&guest, &id).await.expect(200);
        shown["change_request"].is_null().then_some(shown)
    };
    let shown = eventually(WAIT, dropped).await.expect("the end of its time");
    assert_eq!((shown.text("status"), shown.text("check_out")), ("CONFIRMED".into(), day(42)));
    let states = server.states(&home, &day(39), &day(46)).await;
    let free = ["available", "booked", "booked", "available", "available", "available"];
    assert_eq!(states[..6], free);
    let again = server.pay(&guest, &id, "pm_card_visa").await;
    again.is_problem(409, "wrong_status");
    server.verify().await;
}

async fn a_change_at_the_same_price_costs_nothing(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = booked(server, &guest, &home, (40, 42)).await;
    server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    let moved = server.put(&path(&booking), dates((50, 52))).by(&guest).await.expect(200);
    assert_eq!((moved.text("check_in"), &moved["change_request"]), (day(50), &Value::Null));
}

async fn a_change_into_nights_that_others_hold_is_refused_with_alternatives(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = booked(server, &guest, &home, (40, 42)).await;
    booked(server, &other, &home, (43, 45)).await;
    let before = server.states(&home, &day(38), &day(48)).await;
    let answer = server.put(&path(&booking), dates((41, 44))).by(&guest).await;
    answer.is_problem(409, "unavailable_held");
    assert_eq!(answer.body["reasons"][0]["nights"], json!([day(43)]));
    let nearest = dates((40, 43));
    assert_eq!(answer.body["alternatives"][0], nearest, "its own nights are free for it");
    assert_eq!(server.states(&home, &day(38), &day(48)).await, before);
    server.put(&path(&booking), nearest).by(&guest).await.expect(200);
}

async fn put_takes_what_get_gave_and_refuses_what_nobody_changes(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = booked(server, &guest, &home, (40, 42)).await;
    let shown = server.booking(&guest, &booking.text("id")).await.expect(200);
    let same = server.put(&path(&booking), shown.clone()).by(&guest).await.expect(200);
    assert_eq!(same, shown, "nothing happened");
    for (field, value) in [
        ("total_amount", json!(1)),
        ("status", json!("CONFIRMED")),
        ("user_id", json!(host.id.to_string())),
        ("lines", json!([])),
        ("colour", json!("red")),
        ("guests", json!(0)),
        ("check_out", json!(day(40))),
    ] {
        let answer = server.put(&path(&booking), json!({field: value})).by(&guest).await;
        answer.is_problem(422, "invalid_field");
        assert_eq!(answer.body["errors"][0]["pointer"], format!("/{field}"));
    }
    assert_eq!(server.booking(&guest, &booking.text("id")).await.expect(200), shown);
}

async fn a_change_is_for_the_guest_and_admins(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = booked(server, &guest, &home, (40, 43)).await;
    let (stranger, admin) = (server.guest().await, server.admin().await);
    let ask = |person| server.put(&path(&booking), dates((40, 42))).by(person);
    ask(&stranger).await.is_problem(404, "not_found");
    ask(&host).await.is_problem(403, "forbidden");
    server.put(&path(&booking), dates((40, 42))).await.is_problem(401, "unauthenticated");
    ask(&admin).await.expect(200);
}

async fn a_change_is_made_on_the_version_that_if_match_names(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = booked(server, &guest, &home, (40, 43)).await;
    let seen = server.booking(&guest, &booking.text("id")).await;
    let ask =
        |tag: &str| server.put(&path(&booking), dates((40, 42))).by(&guest).header("If-Match", tag);
    ask("\"other\"").await.is_problem(412, "precondition_failed");
    let changed = ask(seen.header("etag")).await;
    changed.expect(200);
    assert_ne!(changed.header("etag"), seen.header("etag"));
    ask(seen.header("etag")).await.is_problem(412, "precondition_failed");
}

async fn many_changes_at_once_leave_one_truth(server: &mut Server) {
    let host = server.host().await;
    let home = server.home(&host).await;
    let mut bookings = Vec::new();
    for number in 0..6 {
        let guest = server.guest().await;
        let from = 40 + 2 * number;
        let booking = booked(server, &guest, &home, (from, from + 1)).await;
        bookings.push((guest, booking));
    }
    // Everybody wants everybody's neighbouring night, all at once.
    let mut asks = Vec::new();
    for (guest, booking) in &bookings {
        for from in 39..52 {
            let ask = server.put(&path(booking), dates((from, from + 2))).by(guest);
            asks.push(ask.into_future());
        }
    }
    let answers = join_all(asks).await;
    for answer in &answers {
        assert!([200, 409].contains(&answer.status), "{} {}", answer.status, answer.body);
    }
    assert!(answers.iter().any(|answer| answer.status == 200));
}
