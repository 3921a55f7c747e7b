//! What a guest may hold at a time: one pending booking of a home, and five of all homes.

use crate::helpers::{Answer, Document, Person, Server, Wire, day, on_both, request};
use futures_util::future::join_all;
use serde_json::{Value, json};

on_both!(
    a_second_hold_of_a_home_is_refused_with_the_first_one,
    a_sixth_hold_is_refused_with_the_five,
    of_twenty_wishes_at_once_exactly_five_are_granted,
    a_hold_that_is_paid_expired_or_given_up_makes_room,
    a_key_is_answered_as_before_however_much_is_pending,
    a_limit_may_be_another_number_or_none,
    who_goes_away_before_the_answer_has_not_given_up_the_place,
);

const HOLD: u64 = 15 * 60;

async fn limit(server: &mut Server, limits: &str) {
    server.set("PENDING_LIMITS", limits);
    server.restart().await;
}

/// A guest, and so many homes of one host.
async fn setting(server: &Server, homes: usize) -> (Person, Vec<String>) {
    let (host, guest) = (server.host().await, server.guest().await);
    (guest, join_all((0..homes).map(|_| server.home(&host))).await)
}

async fn hold(server: &Server, guest: &Person, home: &str) -> Answer {
    server.book(guest, home, &day(40), &day(42)).await
}

/// What a problem says of a booking that is pending.
fn told(booking: &Value) -> Value {
    json!({ "id": booking["id"], "expires_at": booking["expires_at"] })
}

async fn a_second_hold_of_a_home_is_refused_with_the_first_one(server: &mut Server) {
    limit(server, "on").await;
    let (guest, homes) = setting(server, 1).await;
    let first = hold(server, &guest, &homes[0]).await.expect(201);
    let second = server.book(&guest, &homes[0], &day(50), &day(52)).await;
    second.is_problem(409, "pending_booking");
    assert_eq!(second.body["pending"], json!([told(&first)]));
    let other = server.guest().await;
    server.book(&other, &homes[0], &day(50), &day(52)).await.expect(201);
    // Its own nights are moved as before, and what is paid is not pending.
    let path = format!("/api/v1/bookings/{}", first.text("id"));
    let moved = json!({ "check_in": day(44), "check_out": day(46) });
    server.put(&path, moved).by(&guest).await.expect(200);
    server.pay(&guest, &first.text("id"), "pm_card_visa").await.expect(201);
    server.book(&guest, &homes[0], &day(60), &day(62)).await.expect(201);
}

async fn a_sixth_hold_is_refused_with_the_five(server: &mut Server) {
    limit(server, "on").await;
    let (guest, homes) = setting(server, 6).await;
    let by_request = json!({ "instant_book": false });
    let host = server.admin().await;
    let path = format!("/api/v1/properties/{}", homes[0]);
    server.put(&path, by_request).by(&host).await.expect(200);
    let mut pending = Vec::new();
    for home in &homes[..5] {
        pending.push(told(&hold(server, &guest, home).await.expect(201)));
    }
    // A request to a host waits for a day, the others for minutes: they end first.
    pending.rotate_left(1);
    let sixth = hold(server, &guest, &homes[5]).await;
    sixth.is_problem(409, "too_many_pending");
    let mut shown = sixth.body.list("pending").to_vec();
    assert_eq!(shown.last(), pending.last(), "in the order in which they end");
    let by_id = |one: &Value| one.text("id");
    shown.sort_by_key(by_id);
    pending.sort_by_key(by_id);
    assert_eq!(shown, pending);
    hold(server, &server.guest().await, &homes[5]).await.expect(201);
}

async fn of_twenty_wishes_at_once_exactly_five_are_granted(server: &mut Server) {
    limit(server, "on").await;
    let (guest, homes) = setting(server, 20).await;
    let answers = join_all(homes.iter().map(|home| hold(server, &guest, home))).await;
    let granted = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(granted, 5);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        refused.is_problem(409, "too_many_pending");
    }
    let stored = "select count(*) from booking where status = 'PENDING'";
    assert_eq!(server.storage().number(stored).await, 5);
    // What was refused takes no room: the next five are granted when these are over.
    server.advance(HOLD).await;
    let answers = join_all(homes.iter().map(|home| hold(server, &guest, home))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 5);
}

async fn a_hold_that_is_paid_expired_or_given_up_makes_room(server: &mut Server) {
    limit(server, "2").await;
    let (guest, homes) = setting(server, 4).await;
    let first = hold(server, &guest, &homes[0]).await.expect(201);
    let second = hold(server, &guest, &homes[1]).await.expect(201);
    hold(server, &guest, &homes[2]).await.is_problem(409, "too_many_pending");
    server.cancel(&guest, &second.text("id")).await.expect(200);
    let third = hold(server, &guest, &homes[2]).await.expect(201);
    hold(server, &guest, &homes[3]).await.is_problem(409, "too_many_pending");
    server.pay(&guest, &first.text("id"), "pm_card_visa").await.expect(201);
    hold(server, &guest, &homes[3]).await.expect(201);
    hold(server, &guest, &homes[1]).await.is_problem(409, "too_many_pending");
    server.advance(HOLD).await;
    assert_eq!(server.booking(&guest, &third.text("id")).await.expect(200)["status"], "EXPIRED");
    hold(server, &guest, &homes[1]).await.expect(201);
}

async fn a_key_is_answered_as_before_however_much_is_pending(server: &mut Server) {
    limit(server, "1").await;
    let (guest, homes) = setting(server, 2).await;
    let ask = || server.book(&guest, &homes[0], &day(40), &day(42)).key("once");
    let twins = join_all((0..8).map(|_| ask().into_future())).await;
    let made = twins[0].expect(201);
    assert!(twins.iter().all(|twin| twin.expect(201) == made), "one booking, told eight times");
    assert_eq!(twins.iter().filter(|twin| twin.is_replayed()).count(), 7);
    hold(server, &guest, &homes[1]).await.is_problem(409, "too_many_pending");
    assert_eq!(ask().await.expect(201), made);
}

async fn a_limit_may_be_another_number_or_none(server: &mut Server) {
    let (guest, homes) = setting(server, 8).await;
    for home in &homes[..6] {
        hold(server, &guest, home).await.expect(201);
        server.book(&guest, home, &day(50), &day(51)).await.expect(201);
    }
    limit(server, "13").await;
    hold(server, &guest, &homes[6]).await.expect(201);
    let full = hold(server, &guest, &homes[7]).await;
    full.is_problem(409, "too_many_pending");
    assert_eq!(full.body.list("pending").len(), 13);
}

async fn who_goes_away_before_the_answer_has_not_given_up_the_place(server: &mut Server) {
    limit(server, "1").await;
    let (guest, homes) = setting(server, 12).await;
    for home in &homes {
        let body = json!({ "check_in": day(40), "check_out": day(42), "guests": 2 });
        let path = format!("/api/v1/properties/{home}/bookings");
        let bytes = request(server, &guest, &path, None, &body);
        let mut wire = Wire::connect(server.address()).await;
        wire.write(&bytes).await;
        drop(wire);
    }
    // Whichever of them arrived: nobody else came in beside one whose answer nobody waits for.
    let last = hold(server, &guest, &homes[0]).await;
    assert!(matches!(last.status, 201 | 409), "{}", last.body);
    server.restart().await;
    let stored = "select count(*) from booking where status = 'PENDING'";
    assert!(server.storage().number(stored).await <= 1);
}
