//! Idempotency keys: one effect however often a request is sent, and the same answer each time.

use crate::helpers::{Ask, Document, PASSWORD, Person, Server, day, home, now, on_both};
use futures_util::future::join_all;
use serde_json::json;

on_both!(
    a_repeated_request_is_answered_as_it_was_and_marked,
    a_key_that_stands_for_another_request_is_refused,
    a_refusal_leaves_the_key_free,
    requests_that_come_at_once_under_one_key_have_one_effect,
    a_key_belongs_to_its_caller,
    every_request_that_creates_or_moves_something_can_be_repeated,
    a_key_survives_a_restart,
    a_key_is_free_again_after_a_day,
);

async fn people(server: &Server) -> (String, Person, Person) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    (server.home(&host).await, guest, other)
}

async fn a_repeated_request_is_answered_as_it_was_and_marked(server: &mut Server) {
    let (home, guest, _) = people(server).await;
    let (check_in, check_out) = (day(40), day(42));
    let first = server.book(&guest, &home, &check_in, &check_out).key("once").await;
    let booking = first.expect(201);
    assert!(!first.is_replayed());
    server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    // The booking has moved on; the answer is the one of then. Quoted or bare, it is one key.
    for key in ["once", "\"once\""] {
        let again = server.book(&guest, &home, &check_in, &check_out).key(key).await;
        assert_eq!(again.expect(201), booking);
        assert!(again.is_replayed());
        assert_eq!(again.header("location"), first.header("location"));
    }
    assert_eq!(server.bookings(&guest).await.len(), 1);
}

async fn a_key_that_stands_for_another_request_is_refused(server: &mut Server) {
    let (home, guest, _) = people(server).await;
    let other_home = server.home(&server.host().await).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).key("once").await.expect(201);
    let id = booking.text("id");
    for request in [
        server.book(&guest, &home, &day(40), &day(43)),
        server.book(&guest, &home, &day(50), &day(52)),
        server.book(&guest, &other_home, &day(40), &day(42)),
        server.pay(&guest, &id, "pm_card_visa"),
        server.cancel(&guest, &id),
    ] {
        request.key("once").await.is_problem(422, "idempotency_key_reused");
    }
    assert_eq!(server.booking(&guest, &id).await.expect(200), booking);
    assert_eq!(server.bookings(&guest).await.len(), 1);
}

async fn a_refusal_leaves_the_key_free(server: &mut Server) {
    let (home, guest, other) = people(server).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201);
    for _ in 0..2 {
        let refusal = server.book(&other, &home, &day(40), &day(42)).key("mine").await;
        refusal.is_problem(409, "unavailable_held");
    }
    server.cancel(&guest, &booking.text("id")).await.expect(200);
    let accepted = server.book(&other, &home, &day(40), &day(42)).key("mine").await;
    accepted.expect(201);
    assert!(!accepted.is_replayed());
}

async fn requests_that_come_at_once_under_one_key_have_one_effect(server: &mut Server) {
    let (home, guest, _) = people(server).await;
    let (check_in, check_out) = (day(40), day(42));
    let asking = (0..16).map(|_| server.book(&guest, &home, &check_in, &check_out).key("once"));
    let answers = join_all(asking.map(IntoFuture::into_future)).await;
    let booking = answers[0].expect(201);
    for answer in &answers {
        assert_eq!(answer.expect(201), booking);
    }
    let fresh = answers.iter().filter(|answer| !answer.is_replayed()).count();
    assert_eq!(fresh, 1, "one of them did it");
    assert_eq!(server.bookings(&guest).await.len(), 1);
}

async fn a_key_belongs_to_its_caller(server: &mut Server) {
    let (home, guest, other) = people(server).await;
    let mine = server.book(&guest, &home, &day(40), &day(42)).key("once").await.expect(201);
    let theirs = server.book(&other, &home, &day(42), &day(44)).key("once").await;
    assert_ne!(theirs.expect(201)["id"], mine["id"]);
    assert!(!theirs.is_replayed());
}

async fn every_request_that_creates_or_moves_something_can_be_repeated(server: &mut Server) {
    let (_, guest, _) = people(server).await;
    let host = server.host().await;
    let account = json!({
        "email": "ada@example.com", "password": PASSWORD, "first_name": "Ada",
        "last_name": "Lovelace", "role": "guest",
    });
    let twice = async |ask: &dyn Fn() -> Ask, status| {
        let (first, again) = (ask().await, ask().await);
        assert_eq!(first.expect(status), again.expect(status));
        assert_eq!((first.is_replayed(), again.is_replayed()), (false, true), "{}", again.body);
        first.body
    };
    twice(&|| server.post("/api/v1/users", account.clone()).key("user"), 201).await;
    let list = || server.post("/api/v1/properties", home()).by(&host).key("property");
    let home = twice(&list, 201).await.text("id");
    let book = || server.book(&guest, &home, &day(40), &day(42)).key("booking");
    let booking = twice(&book, 201).await.text("id");
    twice(&|| server.pay(&guest, &booking, "pm_card_visa").key("payment"), 201).await;
    twice(&|| server.cancel(&guest, &booking).key("cancel"), 200).await;
    let listed = server.get("/api/v1/properties").await.expect(200);
    assert_eq!(listed.list("data").len(), 2);
}

async fn a_key_survives_a_restart(server: &mut Server) {
    let (home, guest, _) = people(server).await;
    let (check_in, check_out) = (day(40), day(42));
    let booking = server.book(&guest, &home, &check_in, &check_out).key("once").await.expect(201);
    server.restart().await;
    let again = server.book(&guest, &home, &check_in, &check_out).key("once").await;
    assert_eq!(again.expect(201), booking);
    assert!(again.is_replayed());
    let reused = server.book(&guest, &home, &check_in, &day(43)).key("once").await;
    reused.is_problem(422, "idempotency_key_reused");
}

async fn a_key_is_free_again_after_a_day(server: &mut Server) {
    let (home, guest, _) = people(server).await;
    let started = now();
    server.book(&guest, &home, &day(40), &day(42)).key("once").await.expect(201);
    server.advance(24 * 60 * 60 + 60).await;
    // Another effect on the same home, and a restart: the memory of keys is made anew.
    server.book(&guest, &home, &day(50), &day(52)).key("another").await.expect(201);
    let again = server.book(&guest, &home, &day(40), &day(42)).key("once").await;
    assert!(!again.is_replayed(), "{}", again.body);
    again.expect(201);
    assert!(now().since(started).as_secs() < 3_600, "the hourly purge plays no part");
}
