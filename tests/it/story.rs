//! Stories: what a guest and a host live through with one booking, from sign-up to the end.

use crate::helpers::{Document, PASSWORD, Server, Socket, day, eventually, home, on_both};
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    a_guest_signs_up_books_pays_and_cancels_with_a_refund,
    an_unpaid_hold_ends_frees_its_nights_and_tells_everybody,
    a_hold_keeps_its_nights_until_its_time_is_over,
    a_check_out_day_is_free_for_the_next_guest,
    a_stay_is_completed_when_it_is_over,
    a_late_cancellation_returns_nothing,
    a_booking_is_the_affair_of_its_guest_its_host_and_admins,
    a_host_cannot_be_their_own_guest,
    the_history_of_a_home_is_told_without_names_and_to_its_host_with_them,
);

/// Signs somebody up and in, and gives their token with their profile.
async fn join(server: &Server, email: &str, role: &str) -> (String, Value) {
    let account = json!({
        "email": email, "password": PASSWORD, "first_name": "Ada", "last_name": "Lovelace",
        "role": role,
    });
    let registered = server.post("/api/v1/users", account).await.expect(201);
    assert!(registered.get("password").is_none() && registered.get("password_hash").is_none());
    let credentials = json!({ "email": email, "password": PASSWORD });
    let login = server.post("/api/v1/auth/login", credentials).await;
    assert_eq!(login.header("cache-control"), "no-store");
    let session = login.expect(200);
    assert_eq!(session["token_type"], "Bearer");
    assert_eq!(session["expires_in"], 600);
    let token = session.text("access_token");
    let profile = server.get("/api/v1/users/me").token(&token).await.expect(200);
    assert_eq!(profile, registered);
    (token, profile)
}

async fn a_guest_signs_up_books_pays_and_cancels_with_a_refund(server: &mut Server) {
    let (host, host_profile) = join(server, "host@example.com", "host").await;
    let (guest, guest_profile) = join(server, "guest@example.com", "guest").await;
    let made = server.post("/api/v1/properties", home()).token(&host).await.expect(201);
    let property = made.text("id");
    assert_eq!((&made["host_id"], &made["status"]), (&host_profile["id"], &json!("listed")));
    let listed = server.get("/api/v1/properties").await.expect(200);
    assert_eq!(listed.list("data"), std::slice::from_ref(&made));

    let (check_in, check_out) = (day(40), day(43));
    let body = json!({
        "property_id": property, "check_in": check_in, "check_out": check_out, "guests": 2,
    });
    let answer = server.post("/api/v1/bookings", body).token(&guest).await;
    let booking = answer.expect(201);
    let id = booking.text("id");
    assert_eq!(answer.header("location"), format!("/api/v1/bookings/{id}"));
    assert_eq!(booking["user_id"], guest_profile["id"]);
    assert_eq!((&booking["status"], &booking["awaiting"]), (&json!("PENDING"), &json!("payment")));
    assert_eq!((booking.number("total_amount"), booking.number("version")), (36_000, 1));
    assert_eq!(id[id.len() - 4..], property[property.len() - 4..], "ids of a home end alike");
    assert_eq!(server.states(&property, &check_in, &check_out).await, ["held"; 3]);

    let body = json!({ "booking_id": id, "payment_method": "pm_card_visa" });
    let payment = server.post("/api/v1/payments", body).token(&guest).await.expect(201);
    assert_eq!((&payment["status"], payment.number("amount")), (&json!("captured"), 36_000));
    let path = format!("/api/v1/bookings/{id}");
    let paid = server.get(&path).token(&guest).await.expect(200);
    assert_eq!((&paid["status"], &paid["awaiting"]), (&json!("CONFIRMED"), &Value::Null));
    assert_eq!((&paid["payment_id"], &paid["expires_at"]), (&payment["id"], &Value::Null));
    assert_eq!(server.states(&property, &check_in, &check_out).await, ["booked"; 3]);

    let canceled = server.delete(&path).token(&guest).await.expect(200);
    assert_eq!(canceled["status"], "CANCELED");
    assert_eq!(canceled["refund"], json!({ "amount": 36_000, "currency": "EUR" }));
    assert_eq!(server.states(&property, &check_in, &check_out).await, ["available"; 3]);
    // The money goes back by a job, a moment later.
    let path = format!("/api/v1/payments/{}", payment.text("id"));
    let refunded = eventually(Duration::from_secs(5), async || {
        let record = server.get(&path).token(&guest).await.expect(200);
        (record["status"] == "refunded").then_some(record)
    });
    assert_eq!(refunded.await.expect("a refund").number("refunded_amount"), 36_000);
}

async fn an_unpaid_hold_ends_frees_its_nights_and_tells_everybody(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    let (check_in, check_out) = (day(40), day(42));
    let mut socket = Socket::open(server).await;
    socket.subscribe(&home, &check_in, &check_out).await;
    socket.expect("snapshot").await;

    let booking = server.book(&guest, &home, &check_in, &check_out).await.expect(201);
    let held = socket.expect("delta").await;
    let expected = json!([{
        "from": check_in, "to": check_out, "state": "held", "until": booking["expires_at"],
    }]);
    assert_eq!(held["changes"], expected);
    server.advance(15 * 60).await;
    let freed = socket.expect("delta").await;
    let expected = json!([{ "from": check_in, "to": check_out, "state": "available" }]);
    assert_eq!(freed["changes"], expected);
    assert_eq!(freed["prev_seq"], held["seq"]);
    let ended = server.booking(&guest, &booking.text("id")).await.expect(200);
    assert_eq!((&ended["status"], ended.number("version")), (&json!("EXPIRED"), 2));
    server.book(&other, &home, &check_in, &check_out).await.expect(201);
    let payment = server.pay(&guest, &booking.text("id"), "pm_card_visa").await;
    payment.is_problem(409, "booking_ended");
}

async fn a_hold_keeps_its_nights_until_its_time_is_over(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(43)).await.expect(201);
    server.advance(14 * 60).await;
    let refusal = server.book(&other, &home, &day(42), &day(45)).await;
    refusal.is_problem(409, "unavailable_held");
    let expected = json!([{
        "code": "unavailable_held", "nights": [day(42)], "held_until": booking["expires_at"],
    }]);
    assert_eq!(refusal.body["reasons"], expected);
    let alternatives = refusal.body.list("alternatives");
    let nearest = json!({ "check_in": day(43), "check_out": day(46) });
    assert_eq!(alternatives.first(), Some(&nearest));
    assert!(alternatives.len() <= 3);
    server.advance(60).await;
    server.book(&other, &home, &day(42), &day(45)).await.expect(201);
}

async fn a_check_out_day_is_free_for_the_next_guest(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    server.book(&guest, &home, &day(40), &day(43)).await.expect(201);
    server.book(&other, &home, &day(43), &day(44)).await.expect(201);
    server.book(&other, &home, &day(39), &day(40)).await.expect(201);
    let refusal = server.book(&other, &home, &day(39), &day(44)).await;
    refusal.is_problem(409, "unavailable_held");
    let nights: usize = refusal.body.list("reasons").iter().map(|r| r.list("nights").len()).sum();
    assert_eq!(nights, 5, "every night is named: {}", refusal.body);
}

async fn a_stay_is_completed_when_it_is_over(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(2), &day(4)).await.expect(201).text("id");
    server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    server.advance(3 * 24 * 60 * 60).await;
    assert_eq!(server.booking(&guest, &booking).await.expect(200)["status"], "CONFIRMED");
    server.advance(2 * 24 * 60 * 60).await;
    assert_eq!(server.booking(&guest, &booking).await.expect(200)["status"], "COMPLETED");
    server.cancel(&guest, &booking).await.is_problem(409, "booking_ended");
    // The nights stay the guest's.
    assert_eq!(server.states(&home, &day(2), &day(4)).await, ["booked"; 2]);
}

async fn a_late_cancellation_returns_nothing(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    // The policy returns everything until a day before check-in, which is at 15:00.
    let booking = server.book(&guest, &home, &day(5), &day(6)).await.expect(201).text("id");
    let payment = server.pay(&guest, &booking, "pm_card_visa").await.expect(201).text("id");
    server.advance(5 * 24 * 60 * 60).await;
    let canceled = server.cancel(&guest, &booking).await.expect(200);
    assert_eq!(canceled["refund"], json!({ "amount": 0, "currency": "EUR" }));
    server.advance(1).await;
    let payment = server.payment(&guest, &payment).await.expect(200);
    assert_eq!((&payment["status"], payment.number("refunded_amount")), (&json!("captured"), 0));
    // Asking again changes nothing and is no error.
    assert_eq!(server.cancel(&guest, &booking).await.expect(200)["status"], "CANCELED");
}

async fn a_booking_is_the_affair_of_its_guest_its_host_and_admins(server: &mut Server) {
    let (host, guest, admin) = (server.host().await, server.guest().await, server.admin().await);
    let (stranger, other_host) = (server.guest().await, server.host().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    for (person, status) in
        [(&guest, 200), (&host, 200), (&admin, 200), (&stranger, 404), (&other_host, 404)]
    {
        server.booking(person, &booking).await.expect(status);
    }
    let payment = server.pay(&guest, &booking, "pm_card_visa").await.expect(201).text("id");
    for (person, status) in [(&guest, 200), (&admin, 200), (&stranger, 404), (&other_host, 404)] {
        server.payment(person, &payment).await.expect(status);
    }
    server.pay(&stranger, &booking, "pm_card_visa").await.is_problem(404, "not_found");
    for person in [&stranger, &other_host] {
        server.cancel(person, &booking).await.is_problem(404, "not_found");
    }
    assert_eq!(server.bookings(&guest).await.len(), 1);
    assert_eq!(server.bookings(&stranger).await.len(), 0);
    let path = format!("/api/v1/bookings/{booking}");
    server.get(&path).await.is_problem(401, "unauthenticated");
    assert_eq!(server.cancel(&admin, &booking).await.expect(200)["status"], "CANCELED");
}

async fn a_host_cannot_be_their_own_guest(server: &mut Server) {
    let (host, other_host) = (server.host().await, server.host().await);
    let home = server.home(&host).await;
    server.book(&host, &home, &day(40), &day(42)).await.is_problem(409, "own_property");
    server.book(&other_host, &home, &day(40), &day(42)).await.expect(201);
}

async fn the_history_of_a_home_is_told_without_names_and_to_its_host_with_them(
    server: &mut Server,
) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    server.cancel(&guest, &booking).await.expect(200);
    let path = format!("/api/v1/properties/{home}/events?after=0");
    let public = server.get(&path).await.expect(200);
    let seqs: Vec<i64> = public.list("data").iter().map(|event| event.number("seq")).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    for private in [&booking, &guest.id.to_string(), "audit"] {
        assert!(!public.to_string().contains(private), "{private} in {public}");
    }
    let told = server.get(&path).by(&host).await.expect(200);
    let causes: Vec<&Value> = told.list("data").iter().map(|e| &e["audit"]["cause"]).collect();
    assert_eq!(causes, ["property_created", "held", "attempt_started", "confirmed", "canceled"]);
    assert_eq!(told["data"][1]["audit"]["user_id"], json!(guest.id.0));
    assert_eq!(told["data"][3]["audit"]["by"], "provider");
    let later = server.get(&format!("/api/v1/properties/{home}/events?after=3")).await.expect(200);
    assert_eq!(later.list("data"), &public.list("data")[3..]);
}
