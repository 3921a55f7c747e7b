//! Reviews of homes: written by the guest of a completed stay, answered once by the host, read by
//! everybody.

use crate::helpers::{Answer, Ask, Document, Person, Server, day, on_both};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    a_review_of_a_home_is_about_the_latest_stay_that_has_none,
    a_stay_is_reviewed_once_when_it_is_over_and_in_time,
    a_review_is_the_affair_of_its_author_and_admins,
    an_author_changes_a_review_by_sending_what_was_shown,
    a_change_that_names_a_version_is_made_on_that_version_only,
    a_review_that_is_taken_back_leaves_no_trace_in_the_rating,
    a_host_answers_once_and_in_public,
    requests_under_one_key_have_one_effect,
    lists_of_reviews_come_in_pages_that_neither_repeat_nor_forget,
    a_bad_review_is_refused_by_its_field_and_changes_nothing,
    reviews_of_nobodys_things_are_not_found,
);

pub(crate) const DAY: u64 = 24 * 60 * 60;
pub(crate) const REVIEWS: &str = "/api/v1/reviews";

/// Books and pays for a stay of two nights that begins so many days from now.
pub(crate) async fn paid(server: &Server, guest: &Person, home: &str, from_now: i32) -> String {
    let made = server.book(guest, home, &day(from_now), &day(from_now + 2)).await;
    let booking = made.expect(201).text("id");
    server.pay(guest, &booking, "pm_card_visa").await.expect(201);
    booking
}

/// A host with a home, a guest, and the guest's completed stay there.
async fn stayed(server: &Server) -> (Person, Person, String, String) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = paid(server, &guest, &home, 2).await;
    server.advance(5 * DAY).await;
    (host, guest, home, booking)
}

/// Says something about a booking.
pub(crate) fn review(server: &Server, guest: &Person, booking: &str, rating: i64) -> Ask {
    let body = json!({ "booking_id": booking, "rating": rating, "comment": "Quiet nights." });
    server.post(REVIEWS, body).by(guest)
}

pub(crate) fn put(server: &Server, person: &Person, id: &str, body: &Value) -> Ask {
    server.ask(Method::PUT, &path(id)).json(body).by(person)
}

pub(crate) fn reply(server: &Server, person: &Person, id: &str, comment: &str) -> Ask {
    let body = json!({ "comment": comment });
    server.post(&format!("{}/reply", path(id)), body).by(person)
}

pub(crate) fn path(id: &str) -> String {
    format!("{REVIEWS}/{id}")
}

/// The average as it is written, and the number of reviews.
pub(crate) async fn rating(server: &Server, home: &str) -> (Value, i64) {
    let shown = server.get(&format!("/api/v1/properties/{home}")).await.expect(200);
    (shown["avg_rating"].clone(), shown.number("review_count"))
}

#[track_caller]
fn is_refused_by(answer: &Answer, pointer: &str, case: &str) {
    answer.is_problem(422, "invalid_field");
    assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{case}: {}", answer.body);
}

async fn a_review_of_a_home_is_about_the_latest_stay_that_has_none(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let first = paid(server, &guest, &home, 2).await;
    let second = paid(server, &guest, &home, 5).await;
    paid(server, &guest, &home, 30).await;
    let say = |stars: i64| {
        let body = json!({ "property_id": home, "rating": stars, "comment": "Again." });
        server.post(REVIEWS, body).by(&guest)
    };
    say(4).await.is_problem(409, "stay_not_completed");
    server.advance(8 * DAY).await;
    assert_eq!(say(4).await.expect(201)["booking_id"], second);
    assert_eq!(say(3).await.expect(201)["booking_id"], first);
    say(5).await.is_problem(409, "already_reviewed");
    assert_eq!(rating(server, &home).await, (json!(3.5), 2));
    let stranger = server.guest().await;
    let body = json!({ "property_id": home, "rating": 1, "comment": "Never there." });
    server.post(REVIEWS, body).by(&stranger).await.is_problem(404, "not_found");
}

async fn a_stay_is_reviewed_once_when_it_is_over_and_in_time(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = paid(server, &guest, &home, 2).await;
    let late = paid(server, &other, &home, 4).await;
    let canceled = paid(server, &guest, &home, 40).await;
    server.cancel(&guest, &canceled).await.expect(200);
    for not_completed in [&booking, &canceled] {
        review(server, &guest, not_completed, 5).await.is_problem(409, "stay_not_completed");
    }
    server.advance(7 * DAY).await;
    review(server, &guest, &booking, 5).await.expect(201);
    review(server, &guest, &booking, 1).await.is_problem(409, "already_reviewed");
    server.advance(14 * DAY).await;
    review(server, &other, &late, 5).await.is_problem(409, "review_window_closed");
    assert_eq!(rating(server, &home).await, (json!(5.0), 1));
}

async fn a_review_is_the_affair_of_its_author_and_admins(server: &mut Server) {
    let (host, guest, home, booking) = stayed(server).await;
    let (stranger, admin) = (server.guest().await, server.admin().await);
    // Somebody else's booking is nobody's business.
    for person in [&stranger, &admin] {
        review(server, person, &booking, 1).await.is_problem(404, "not_found");
    }
    let body = json!({ "booking_id": booking, "rating": 5, "comment": "Nobody's." });
    server.post(REVIEWS, body).await.is_problem(401, "unauthenticated");
    let id = review(server, &guest, &booking, 2).await.expect(201).text("id");
    let better = json!({ "rating": 5 });
    for person in [&stranger, &host] {
        put(server, person, &id, &better).await.is_problem(403, "forbidden");
        server.delete(&path(&id)).by(person).await.is_problem(403, "forbidden");
    }
    let anonymous = server.ask(Method::PUT, &path(&id)).json(&better).await;
    anonymous.is_problem(401, "unauthenticated");
    server.delete(&path(&id)).await.is_problem(401, "unauthenticated");
    assert_eq!(rating(server, &home).await, (json!(2.0), 1));
    put(server, &admin, &id, &json!({ "comment": "[removed]" })).await.expect(200);
    // The window is the author's; an admin may always.
    server.advance(14 * DAY).await;
    put(server, &guest, &id, &better).await.is_problem(409, "review_window_closed");
    let closed = server.delete(&path(&id)).by(&guest).await;
    closed.is_problem(409, "review_window_closed");
    put(server, &admin, &id, &json!({ "rating": 1 })).await.expect(200);
    assert_eq!(rating(server, &home).await, (json!(1.0), 1));
    assert_eq!(server.delete(&path(&id)).by(&admin).await.status, 204);
    server.get(&path(&id)).await.is_problem(404, "not_found");
}

async fn an_author_changes_a_review_by_sending_what_was_shown(server: &mut Server) {
    let (_, guest, home, booking) = stayed(server).await;
    let made = review(server, &guest, &booking, 4).await.expect(201);
    let id = made.text("id");
    // What was shown, as it was shown, changes nothing.
    let first = server.get(&path(&id)).await;
    let same = put(server, &guest, &id, &made).await;
    assert_eq!((same.expect(200), same.header("etag")), (made.clone(), first.header("etag")));
    assert_eq!(put(server, &guest, &id, &json!({})).await.expect(200), made);
    let mut wanted = made.clone();
    wanted["rating"] = json!(2);
    wanted["comment"] = json!("Loud, after all.");
    let changed = put(server, &guest, &id, &wanted).await;
    assert_eq!(changed.expect(200), wanted);
    assert_ne!(changed.header("etag"), first.header("etag"));
    assert_eq!(server.get(&path(&id)).await.expect(200), wanted);
    assert_eq!(rating(server, &home).await, (json!(2.0), 1));
    // Absent fields keep their value.
    let third = put(server, &guest, &id, &json!({ "rating": 3 })).await.expect(200);
    assert_eq!((third.number("rating"), third.text("comment")), (3, wanted.text("comment")));
    let other = "01920000-7000-8000-0000-00000000002a";
    for (field, value) in [
        ("id", json!(other)),
        ("property_id", json!(other)),
        ("user_id", json!(other)),
        ("booking_id", json!(other)),
        ("booking_id", Value::Null),
        ("direction", json!("host_to_guest")),
        ("reply", json!("Thank you")),
        ("published_at", Value::Null),
        ("created_at", json!("2020-01-01T00:00:00Z")),
        ("rating", json!(0)),
        ("rating", Value::Null),
        ("rating", json!("5")),
        ("comment", json!("")),
        ("comment", Value::Null),
        ("comment", json!("a\u{0}b")),
        ("status", json!("hidden")),
    ] {
        let mut body = third.clone();
        body[field] = value;
        let refused = put(server, &guest, &id, &body).await;
        is_refused_by(&refused, &format!("/{field}"), &body.to_string());
    }
    assert_eq!(server.get(&path(&id)).await.expect(200), third);
}

async fn a_change_that_names_a_version_is_made_on_that_version_only(server: &mut Server) {
    let (host, guest, home, booking) = stayed(server).await;
    let shown = async || server.get(&format!("/api/v1/properties/{home}")).await;
    let without = shown().await.header("etag").to_owned();
    let made = review(server, &guest, &booking, 4).await;
    let (id, first) = (made.expect(201).text("id"), made.header("etag").to_owned());
    assert_ne!(shown().await.header("etag"), without, "a home's rating is part of it");
    let again = server.get(&path(&id)).header("if-none-match", &first).await;
    assert_eq!((again.status, &again.body), (304, &Value::Null));
    reply(server, &host, &id, "Thank you.").await.expect(201);
    let second = server.get(&path(&id)).header("if-none-match", &first).await;
    second.expect(200);
    let body = json!({ "rating": 5 });
    for stale in [first.as_str(), "\"nonsense\"", "nonsense"] {
        let refused = put(server, &guest, &id, &body).header("if-match", stale).await;
        refused.is_problem(412, "precondition_failed");
        let refused = server.delete(&path(&id)).by(&guest).header("if-match", stale).await;
        refused.is_problem(412, "precondition_failed");
    }
    let second = second.header("etag");
    let changed = put(server, &guest, &id, &body).header("if-match", second).await;
    assert_eq!(changed.expect(200).number("rating"), 5);
    let deleting = server.delete(&path(&id)).by(&guest);
    assert_eq!(deleting.header("if-match", changed.header("etag")).await.status, 204);
}

async fn a_review_that_is_taken_back_leaves_no_trace_in_the_rating(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    let one = paid(server, &guest, &home, 2).await;
    let two = paid(server, &other, &home, 4).await;
    let three = paid(server, &guest, &home, 6).await;
    server.advance(9 * DAY).await;
    let first = review(server, &guest, &one, 5).await.expect(201).text("id");
    review(server, &other, &two, 4).await.expect(201);
    review(server, &guest, &three, 5).await.expect(201);
    assert_eq!(rating(server, &home).await, (json!(4.67), 3));
    let gone = server.delete(&path(&first)).by(&guest).await;
    assert_eq!((gone.status, &gone.body), (204, &Value::Null));
    assert_eq!(rating(server, &home).await, (json!(4.5), 2));
    server.delete(&path(&first)).by(&guest).await.is_problem(404, "not_found");
    let listed = server.get("/api/v1/properties").await.expect(200);
    assert_eq!(listed["data"][0].number("review_count"), 2);
    // The booking may be reviewed again, as long as the window is open.
    review(server, &guest, &one, 1).await.expect(201);
    assert_eq!(rating(server, &home).await, (json!(3.33), 3));
}

async fn a_host_answers_once_and_in_public(server: &mut Server) {
    let (host, guest, _, booking) = stayed(server).await;
    let (other_host, admin) = (server.host().await, server.admin().await);
    let id = review(server, &guest, &booking, 4).await.expect(201).text("id");
    for person in [&guest, &other_host, &admin] {
        reply(server, person, &id, "Me too!").await.is_problem(403, "forbidden");
    }
    let body = json!({ "comment": "Hello" });
    let anonymous = server.post(&format!("{}/reply", path(&id)), body).await;
    anonymous.is_problem(401, "unauthenticated");
    for (body, pointer) in [
        (json!({ "comment": "" }), "/comment"),
        (json!({ "comment": "a\u{0}b" }), "/comment"),
        (json!({ "comment": "x".repeat(5_001) }), "/comment"),
        (json!({ "comment": 5 }), "/comment"),
        (json!({}), "/comment"),
        (json!({ "comment": "Hello", "rating": 5 }), "/rating"),
    ] {
        let refused = server.post(&format!("{}/reply", path(&id)), body.clone()).by(&host).await;
        is_refused_by(&refused, pointer, &body.to_string());
    }
    let answer = reply(server, &host, &id, "Thank you.").await;
    assert_eq!(answer.header("location"), path(&id));
    assert_eq!(answer.expect(201)["reply"]["comment"], "Thank you.");
    let shown = server.get(&path(&id)).await.expect(200);
    assert_eq!(shown["reply"], answer.body["reply"]);
    assert!(shown["reply"]["created_at"].is_string());
    reply(server, &host, &id, "And more.").await.is_problem(409, "already_replied");
    // A reply does not take the author's rights away.
    let changed = put(server, &guest, &id, &shown).await.expect(200);
    assert_eq!(changed, shown);
}

async fn requests_under_one_key_have_one_effect(server: &mut Server) {
    let (host, guest, home, booking) = stayed(server).await;
    let say = |stars: i64| {
        let body = json!({ "property_id": home, "rating": stars, "comment": "Once." });
        server.post(REVIEWS, body).by(&guest).key("once")
    };
    let (first, again) = (say(5).await, say(5).await);
    assert_eq!(first.expect(201), again.expect(201));
    assert_eq!((first.is_replayed(), again.is_replayed()), (false, true));
    assert_eq!(again.header("location"), first.header("location"));
    say(4).await.is_problem(422, "idempotency_key_reused");
    let id = first.body.text("id");
    let answer = || reply(server, &host, &id, "Thank you.").key("answer");
    let (first, again) = (answer().await, answer().await);
    assert_eq!(first.expect(201), again.expect(201));
    assert_eq!((first.is_replayed(), again.is_replayed()), (false, true));
    let reused = reply(server, &host, &id, "Thanks.").key("answer").await;
    reused.is_problem(422, "idempotency_key_reused");
    // A refusal leaves the key free.
    let refused = review(server, &guest, &booking, 3).key("free").await;
    refused.is_problem(409, "already_reviewed");
    assert_eq!(server.delete(&path(&id)).by(&guest).await.status, 204);
    let accepted = review(server, &guest, &booking, 3).key("free").await;
    accepted.expect(201);
    assert!(!accepted.is_replayed());
    assert_eq!(rating(server, &home).await, (json!(3.0), 1));
}

async fn lists_of_reviews_come_in_pages_that_neither_repeat_nor_forget(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let (home, other) = (server.home(&host).await, server.home(&host).await);
    let mut bookings = Vec::new();
    for number in 0..5 {
        bookings.push(paid(server, &guest, &home, 2 + 2 * number).await);
    }
    let elsewhere = paid(server, &guest, &other, 2).await;
    server.advance(14 * DAY).await;
    review(server, &guest, &elsewhere, 1).await.expect(201);
    let mut made = Vec::new();
    for booking in &bookings {
        made.push(review(server, &guest, booking, 5).await.expect(201).text("id"));
    }
    made.reverse();
    let mut seen: Vec<String> = Vec::new();
    let mut next = Some(format!("{REVIEWS}?property={home}&limit=2"));
    while let Some(path) = next {
        let page = server.get(&path).await;
        seen.extend(page.expect(200).list("data").iter().map(|review| review.text("id")));
        let link = page.header("link");
        let target = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
        next = target.map(str::to_owned);
        assert_eq!(next.is_none(), page.body["next_cursor"].is_null(), "{link} {}", page.body);
    }
    assert_eq!(seen, made);
    for (query, pointer) in [
        ("", "/property"),
        ("property=42", "/property"),
        ("property=", "/property"),
        ("property=%00", "/property"),
        ("property=01920000700080000000000000000002a", "/property"),
        ("booking=42", "/booking"),
        ("direction=host_to_guest", "/property"),
        ("property=01920000-7000-8000-0000-00000000002a&direction=up", "/direction"),
        (
            "property=01920000-7000-8000-0000-00000000002a\
             &booking=01920000-7000-8000-0000-00000000002b",
            "/booking",
        ),
        ("property=01920000-7000-8000-0000-00000000002a&rating=5", "/rating"),
        ("property=01920000-7000-8000-0000-00000000002a&limit=101", "/limit"),
        ("property=01920000-7000-8000-0000-00000000002a&cursor=x", "/cursor"),
    ] {
        let refused = server.get(&format!("{REVIEWS}?{query}")).await;
        is_refused_by(&refused, pointer, query);
    }
}

async fn a_bad_review_is_refused_by_its_field_and_changes_nothing(server: &mut Server) {
    let (_, guest, home, booking) = stayed(server).await;
    let good = json!({ "booking_id": booking, "rating": 5, "comment": "Quiet." });
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    let before = server.storage().counts().await;
    for (body, pointer) in [
        (with("rating", json!(0)), "/rating"),
        (with("rating", json!(6)), "/rating"),
        (with("rating", json!(-5)), "/rating"),
        (with("rating", json!(261)), "/rating"),
        (with("rating", json!("5")), "/rating"),
        (with("rating", json!(5.5)), "/rating"),
        (with("rating", json!(1e300)), "/rating"),
        (with("rating", Value::Null), "/rating"),
        (with("comment", json!("")), "/comment"),
        (with("comment", json!(" \n ")), "/comment"),
        (with("comment", json!("a\u{0}b")), "/comment"),
        (with("comment", json!("a\u{7}b")), "/comment"),
        (with("comment", json!("x".repeat(5_001))), "/comment"),
        (with("comment", json!(["Quiet."])), "/comment"),
        (with("comment", Value::Null), "/comment"),
        (with("booking_id", json!("42")), "/booking_id"),
        (with("booking_id", json!(42)), "/booking_id"),
        (with("property_id", json!(home)), "/property_id"),
        (with("user_id", json!(guest.id.0)), "/user_id"),
        (with("direction", json!("host_to_guest")), "/direction"),
        (with("published_at", json!("2020-01-01T00:00:00Z")), "/published_at"),
        (with("a/b~c", json!(1)), "/a~1b~0c"),
        (json!({ "rating": 5, "comment": "Quiet." }), "/booking_id"),
        (json!({ "booking_id": booking, "comment": "Quiet." }), "/rating"),
        (json!({ "booking_id": booking, "rating": 5 }), "/comment"),
    ] {
        let refused = server.post(REVIEWS, body.clone()).by(&guest).await;
        is_refused_by(&refused, pointer, &body.to_string());
    }
    let huge = server.post(REVIEWS, with("comment", json!("x".repeat(1_024 * 1_024)))).by(&guest);
    huge.await.is_problem(413, "payload_too_large");
    // Two things wrong are told at once.
    let twice = json!({ "booking_id": booking, "rating": 0, "comment": "" });
    let refused = server.post(REVIEWS, twice).by(&guest).await;
    assert_eq!(refused.body.list("errors").len(), 2, "{}", refused.body);
    assert_eq!(server.storage().counts().await, before);
    assert_eq!(rating(server, &home).await, (Value::Null, 0));
    let longest = with("comment", json!("ü".repeat(5_000)));
    server.post(REVIEWS, longest).by(&guest).await.expect(201);
}

async fn reviews_of_nobodys_things_are_not_found(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    server.home(&host).await;
    let before = server.storage().counts().await;
    let nobody = "01920000-7000-8000-0000-00000000002a";
    for id in [nobody, "42", "00000000-0000-0000-0000-000000000000", "%00", "' or 1=1 --"] {
        server.get(&path(id)).await.is_problem(404, "not_found");
        put(server, &guest, id, &json!({ "rating": 5 })).await.is_problem(404, "not_found");
        server.delete(&path(id)).by(&guest).await.is_problem(404, "not_found");
        reply(server, &host, id, "Hello").await.is_problem(404, "not_found");
    }
    for field in ["booking_id", "property_id"] {
        let mut body = json!({ "rating": 5, "comment": "Quiet." });
        body[field] = json!(nobody);
        server.post(REVIEWS, body).by(&guest).await.is_problem(404, "not_found");
    }
    let listed = server.get(&format!("{REVIEWS}?property={nobody}")).await;
    listed.is_problem(404, "not_found");
    let listed = server.get(&format!("{REVIEWS}?booking={nobody}")).by(&guest).await;
    listed.is_problem(404, "not_found");
    assert_eq!(server.storage().counts().await, before);
}
