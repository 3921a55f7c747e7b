//! Stays that hosts and admins settle outside: confirmed at once, and no money of ours.

use crate::helpers::{Ask, Document, Person, Server, day, on_both, with};
use serde_json::{Value, json};

on_both!(
    a_host_writes_down_a_stay_and_it_stands_at_once,
    only_the_host_and_admins_book_offline,
    nothing_is_paid_for_it_and_nothing_goes_back,
    it_is_judged_and_priced_like_any_other,
    a_change_of_it_moves_no_money,
    nobody_reviews_their_own_home_by_it,
    it_counts_among_nobodys_pending_bookings,
    a_key_stands_for_one_way_of_paying,
);

const DAY: u64 = 24 * 60 * 60;

fn stay(home: &str, from: i32, to: i32) -> Value {
    json!({
        "property_id": home, "check_in": day(from), "check_out": day(to), "guests": 2,
        "payment": "offline",
    })
}

fn book<'a>(server: &'a Server, person: &'a Person, body: Value) -> Ask {
    server.post("/api/v1/bookings", body).by(person)
}

fn path(booking: &Value) -> String {
    format!("/api/v1/bookings/{}", booking.text("id"))
}

async fn a_host_writes_down_a_stay_and_it_stands_at_once(server: &mut Server) {
    let host = server.host().await;
    let home = server.home(&host).await;
    let by_request = json!({ "instant_book": false });
    server.put(&format!("/api/v1/properties/{home}"), by_request).by(&host).await.expect(200);
    let booking = book(server, &host, stay(&home, 40, 43)).await.expect(201);
    assert_eq!(
        (booking.text("status"), booking.text("payment")),
        ("CONFIRMED".into(), "offline".into())
    );
    assert_eq!(
        (booking.text("user_id"), booking.number("total_amount")),
        (host.id.to_string(), 36_000)
    );
    assert_eq!((&booking["expires_at"], &booking["payment_id"]), (&Value::Null, &Value::Null));
    assert_eq!(server.states(&home, &day(40), &day(43)).await, ["booked"; 3]);
    assert_eq!(server.booking(&host, &booking.text("id")).await.expect(200), booking);
    let canonical = json!({
        "check_in": day(43), "check_out": day(44), "guests": 1, "payment": "offline",
    });
    let address = format!("/api/v1/properties/{home}/bookings");
    server.post(&address, canonical.clone()).by(&server.admin().await).await.expect(201);
    // It is what the database and the events say, also for another process.
    server.restart().await;
    assert_eq!(server.booking(&host, &booking.text("id")).await.expect(200), booking);
    let guest = server.guest().await;
    let refused = server.book(&guest, &home, &day(42), &day(45)).await;
    refused.is_problem(409, "unavailable_booked");
    let online = with(&with(&canonical, "payment", json!("online")), "check_in", json!(day(50)));
    let online = with(&online, "check_out", json!(day(51)));
    let online = server.post(&address, online).by(&guest).await.expect(201);
    assert_eq!(
        (online.text("payment"), online.text("status")),
        ("online".into(), "PENDING".into())
    );
}

async fn only_the_host_and_admins_book_offline(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.host().await);
    let home = server.home(&host).await;
    for person in [&guest, &other] {
        book(server, person, stay(&home, 40, 42)).await.is_problem(403, "forbidden");
    }
    server.post("/api/v1/bookings", stay(&home, 40, 42)).await.is_problem(401, "unauthenticated");
    let unlisted = json!({ "status": "unlisted" });
    server.put(&format!("/api/v1/properties/{home}"), unlisted).by(&host).await.expect(200);
    for person in [&guest, &other] {
        book(server, person, stay(&home, 40, 42)).await.is_problem(404, "not_found");
    }
    let nowhere = "01890000-0000-7000-8000-000000000001";
    book(server, &host, stay(nowhere, 40, 42)).await.is_problem(404, "not_found");
    let wrong = with(&stay(&home, 40, 42), "payment", json!("cash"));
    let answer = book(server, &host, wrong).await;
    answer.is_problem(422, "invalid_field");
    assert_eq!(answer.body["errors"][0]["pointer"], "/payment");
    // A host is no guest of their own home in any other way.
    let online = with(&stay(&home, 40, 42), "payment", json!("online"));
    book(server, &host, online).await.is_problem(409, "own_property");
    let events = server.storage().number("select count(*) from calendar_event").await;
    assert_eq!(events, 2, "the home and its edit");
}

async fn nothing_is_paid_for_it_and_nothing_goes_back(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = book(server, &host, stay(&home, 40, 42)).await.expect(201);
    let answer = server.pay(&host, &booking.text("id"), "pm_card_visa").await;
    answer.is_problem(409, "offline_booking");
    let preview = server.get(&format!("{}/cancellation", path(&booking))).by(&host).await;
    let preview = preview.expect(200);
    let amounts = (preview["refund"].number("amount"), preview["retained"].number("amount"));
    assert_eq!(amounts, (0, 0));
    let canceled = server.cancel(&host, &booking.text("id")).await.expect(200);
    assert_eq!(
        (canceled.text("status"), canceled["refund"].number("amount")),
        ("CANCELED".into(), 0)
    );
    assert_eq!(server.states(&home, &day(40), &day(42)).await, ["blocked"; 2], "as hosts cancel");
    let second = book(server, &host, stay(&home, 50, 52)).await.expect(201);
    let reopened = format!("{}?reopen=true", path(&second));
    server.delete(&reopened).by(&host).await.expect(200);
    assert_eq!(server.states(&home, &day(50), &day(52)).await, ["available"; 2]);
    let third = book(server, &server.admin().await, stay(&home, 60, 61)).await.expect(201);
    server.booking(&guest, &third.text("id")).await.is_problem(404, "not_found");
    server.cancel(&host, &third.text("id")).await.expect(200);
    for table in ["payment", "job"] {
        let rows = server.storage().number(&format!("select count(*) from {table}")).await;
        assert_eq!(rows, 0, "{table}");
    }
}

async fn it_is_judged_and_priced_like_any_other(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let rules = format!("/api/v1/properties/{home}/rules");
    server.put(&rules, json!({ "default": { "min_nights": 3 } })).by(&host).await.expect(200);
    book(server, &host, stay(&home, 40, 42)).await.is_problem(409, "min_nights");
    let taken = server.book(&guest, &home, &day(40), &day(43)).await.expect(201);
    let answer = book(server, &host, stay(&home, 42, 45)).await;
    answer.is_problem(409, "unavailable_held");
    let offline = book(server, &host, stay(&home, 43, 46)).await.expect(201);
    assert_eq!(offline["total_amount"], taken["total_amount"]);
    assert_eq!(offline.list("lines").len(), taken.list("lines").len());
}

async fn a_change_of_it_moves_no_money(server: &mut Server) {
    let host = server.host().await;
    let home = server.home(&host).await;
    let booking = book(server, &host, stay(&home, 40, 42)).await.expect(201);
    for (to, total) in [(45, 60_000), (41, 12_000)] {
        let dates = json!({ "check_in": day(40), "check_out": day(to) });
        let changed = server.put(&path(&booking), dates).by(&host).await.expect(200);
        assert_eq!(changed.number("total_amount"), total);
        assert_eq!(
            (changed.text("status"), changed.text("payment")),
            ("CONFIRMED".into(), "offline".into())
        );
    }
    let paid = json!({ "payment": "online" });
    server.put(&path(&booking), paid).by(&host).await.is_problem(422, "invalid_field");
    let told = server.booking(&host, &booking.text("id")).await.expect(200);
    server.put(&path(&booking), told).by(&host).await.expect(200);
    assert_eq!(server.states(&home, &day(40), &day(42)).await, ["booked", "available"]);
}

async fn nobody_reviews_their_own_home_by_it(server: &mut Server) {
    let (host, admin) = (server.host().await, server.admin().await);
    let home = server.home(&host).await;
    let mut stays = Vec::new();
    for (person, from) in [(&host, 2), (&admin, 4)] {
        stays.push((person, book(server, person, stay(&home, from, from + 1)).await.expect(201)));
    }
    server.advance(7 * DAY).await;
    for (person, booking) in &stays {
        let told = server.booking(person, &booking.text("id")).await.expect(200);
        assert_eq!(told["status"], "COMPLETED");
        for (field, id) in [("booking_id", booking.text("id")), ("property_id", home.clone())] {
            let body = json!({ field: id, "rating": 5, "comment": "Best home ever." });
            let answer = server.post("/api/v1/reviews", body).by(person).await;
            answer.is_problem(409, "offline_booking");
        }
    }
    let home = server.get(&format!("/api/v1/properties/{home}")).await.expect(200);
    assert_eq!((home.number("review_count"), &home["avg_rating"]), (0, &Value::Null));
}

async fn it_counts_among_nobodys_pending_bookings(server: &mut Server) {
    server.set("PENDING_LIMITS", "1");
    server.restart().await;
    let (host, other) = (server.host().await, server.host().await);
    let (home, elsewhere) = (server.home(&host).await, server.home(&other).await);
    book(server, &host, stay(&home, 40, 41)).await.expect(201);
    server.book(&host, &elsewhere, &day(40), &day(41)).await.expect(201);
    book(server, &host, stay(&home, 41, 42)).await.expect(201);
    server.book(&host, &elsewhere, &day(50), &day(51)).await.is_problem(409, "pending_booking");
}

async fn a_key_stands_for_one_way_of_paying(server: &mut Server) {
    let host = server.host().await;
    let home = server.home(&host).await;
    let ask = |body: Value| book(server, &host, body).key("once");
    let first = ask(stay(&home, 40, 41)).await.expect(201);
    let again = ask(stay(&home, 40, 41)).await;
    assert_eq!((again.is_replayed(), again.expect(201)), (true, first));
    let online = with(&stay(&home, 40, 41), "payment", json!("online"));
    ask(online).await.is_problem(422, "idempotency_key_reused");
}
