//! The stampede: a thousand guests on a thousand connections want the same nights, and every
//! request is written before the first answer is read.

use crate::helpers::{Document, Server, Wire, day, nights, on_both, request};
use futures_util::future::join_all;
use serde_json::json;
use vacancy::store::accounts::Role;

on_both!(
    one_of_a_thousand_guests_gets_the_nights_and_the_others_hear_why,
    a_crowd_at_a_home_that_nobody_asked_for_before_is_let_in,
    readers_and_guests_who_come_at_once_find_the_same_actor,
);

const GUESTS: usize = 1_000;

async fn one_of_a_thousand_guests_gets_the_nights_and_the_others_hear_why(server: &mut Server) {
    let host = server.host().await;
    let guests = server.people(Role::Guest, GUESTS).await;
    let home = server.home(&host).await;
    let (check_in, check_out) = (day(40), day(43));
    let path = format!("/api/v1/properties/{home}/bookings");
    let body = json!({ "check_in": check_in, "check_out": check_out, "guests": 2 });
    let address = server.address();
    let mut wires = join_all((0..GUESTS).map(|_| Wire::connect(address))).await;
    for (guest, wire) in guests.iter().zip(&mut wires) {
        wire.write(&request(server, guest, &path, None, &body)).await;
    }
    let answers = join_all(wires.iter_mut().map(Wire::answer)).await;

    let accepted: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(accepted.len(), 1);
    let wanted = nights(&check_in, &check_out);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        refused.is_problem(409, "unavailable_held");
        let reasons = refused.body.list("reasons");
        assert_eq!(reasons.len(), 1, "{}", refused.body);
        assert_eq!(reasons[0]["nights"], json!(wanted));
        assert_eq!(reasons[0]["held_until"], accepted[0].body["expires_at"]);
        assert!(!refused.body.list("alternatives").is_empty());
    }
    assert_eq!(server.states(&home, &check_in, &check_out).await, ["held"; 3]);
    let events = server.storage().number("select count(*) from calendar_event").await;
    assert_eq!(events, 2, "the home and one booking");
}

/// A home's actor is started by the first who ask for it, all at once: nobody may find it full.
async fn a_crowd_at_a_home_that_nobody_asked_for_before_is_let_in(server: &mut Server) {
    const HOMES: usize = 40;
    const CROWD: usize = 64;
    let (host, guest) = (server.host().await, server.guest().await);
    let homes = join_all((0..HOMES).map(|_| server.home(&host))).await;
    // A home is awake after its creation only if somebody asked for it: this makes sure.
    server.restart().await;
    let address = server.address();
    let mut wires = join_all((0..CROWD).map(|_| Wire::connect(address))).await;
    for home in &homes {
        let path = format!("/api/v1/properties/{home}/bookings");
        let body = json!({ "check_in": day(40), "check_out": day(43), "guests": 2 });
        let bytes = request(server, &guest, &path, None, &body);
        join_all(wires.iter_mut().map(|wire| wire.write(&bytes))).await;
        let answers = join_all(wires.iter_mut().map(Wire::answer)).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), CROWD - 1);
    }
}

/// Reading a sleeping home's calendar starts its actor too. Two actors of one home would fence each
/// other off, and on one server nobody else can.
async fn readers_and_guests_who_come_at_once_find_the_same_actor(server: &mut Server) {
    const HOMES: usize = 40;
    const EACH: i32 = 32;
    let (host, guest) = (server.host().await, server.guest().await);
    let homes = join_all((0..HOMES).map(|_| server.home(&host))).await;
    server.set("LOG", "warn,sqlx=error,vacancy::actors=debug");
    server.restart().await;
    let server = &*server;
    for home in &homes {
        let reading = (0..EACH).map(|_| server.calendar(home, &day(1), &day(60)).into_future());
        let booking = (0..EACH).map(|number| {
            server.book(&guest, home, &day(10 + number), &day(11 + number)).into_future()
        });
        let (read, booked) = tokio::join!(join_all(reading), join_all(booking));
        read.iter().for_each(|answer| drop(answer.expect(200)));
        booked.iter().for_each(|answer| drop(answer.expect(201)));
    }
    assert_eq!(server.logged("a commit was fenced off"), 0, "a home had two actors");
}
