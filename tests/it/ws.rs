//! Live calendars over WebSocket: a snapshot, then every event once and in order, and digests that
//! a client can compute itself.

use crate::helpers::{
    Chance, Document, Folded, Heard, Person, Server, Socket, day, eventually, on_both,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

on_both!(
    a_snapshot_covers_whole_months_and_says_the_rules,
    two_years_from_the_middle_of_a_month_are_told_whole,
    every_event_is_one_delta_on_the_one_before_it,
    deltas_add_up_to_the_calendar_of_the_same_number,
    a_client_that_has_everything_is_told_so,
    a_client_that_missed_something_catches_up,
    an_epoch_of_another_history_gets_a_snapshot,
    a_position_is_good_after_a_restart,
    nothing_is_heard_after_unsubscribing,
    joins_in_the_middle_of_a_storm_miss_nothing,
    all_who_listen_hear_the_same_bytes,
    bad_messages_are_answered_and_the_socket_stays,
    a_frame_that_is_too_large_ends_the_socket_alone,
    a_socket_has_at_most_a_hundred_subscriptions,
);

async fn a_home(server: &Server) -> (String, Person, Person) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    (server.home(&host).await, guest, other)
}

/// A socket with a subscription, and the calendar so far.
async fn joined(server: &Server, home: &str, from: &str, to: &str) -> (Socket, Folded) {
    let mut socket = Socket::open(server).await;
    socket.subscribe(home, from, to).await;
    let folded = Folded::new(&socket.expect("snapshot").await);
    (socket, folded)
}

async fn a_snapshot_covers_whole_months_and_says_the_rules(server: &mut Server) {
    let (home, guest, _) = a_home(server).await;
    server.book(&guest, &home, "2030-01-10", "2030-01-12").await.expect(201);
    let mut socket = Socket::open(server).await;
    socket.subscribe(&home, "2030-01-11", "2030-02-10").await;
    let snapshot = socket.expect("snapshot").await;
    Folded::new(&snapshot);
    assert_eq!((&snapshot["from"], &snapshot["to"]), (&json!("2030-01-01"), &json!("2030-03-01")));
    let range = &snapshot["ranges"][1];
    assert_eq!((&range["from"], &range["to"]), (&json!("2030-01-10"), &json!("2030-01-12")));
    assert_eq!((&range["state"], range.number("price")), (&json!("held"), 12_000));
    assert_eq!(range.number("min_nights"), 1);
    assert!(range.text("until").ends_with('Z'));
    let months: Vec<&String> = snapshot["digests"].as_object().expect("digests").keys().collect();
    assert_eq!(months, ["2030-01", "2030-02"]);
    let rules = &snapshot["rules"];
    assert_eq!((&rules["timezone"], &rules["currency"]), (&json!("UTC"), &json!("EUR")));
    assert_eq!((rules.number("max_guests"), rules.number("max_nights")), (6, 730));
    assert!(!snapshot.to_string().contains(&guest.id.to_string()), "no guest data in public");
}

async fn two_years_from_the_middle_of_a_month_are_told_whole(server: &mut Server) {
    let (home, ..) = a_home(server).await;
    let mut socket = Socket::open(server).await;
    socket.subscribe(&home, "2030-12-15", "2032-12-14").await;
    let snapshot = socket.expect("snapshot").await;
    let ends = (&snapshot["from"], &snapshot["to"]);
    assert_eq!(ends, (&json!("2030-12-01"), &json!("2033-01-01")));
    // Its digests are those of whole months, so they agree with what it tells.
    Folded::new(&snapshot);
}

async fn every_event_is_one_delta_on_the_one_before_it(server: &mut Server) {
    let (home, guest, other) = a_home(server).await;
    let (mut socket, mut calendar) = joined(server, &home, &day(30), &day(70)).await;
    let mine = server.book(&guest, &home, &day(40), &day(43)).await.expect(201).text("id");
    calendar.apply(&socket.expect("delta").await);
    assert_eq!(
        calendar.states(&day(39), &day(44)),
        ["available", "held", "held", "held", "available"]
    );

    server.pay(&guest, &mine, "pm_card_visa").await.expect(201);
    let attempt = socket.expect("delta").await;
    assert_eq!(attempt["changes"], json!([]), "an attempt changes no night");
    calendar.apply(&attempt);
    calendar.apply(&socket.expect("delta").await);
    assert_eq!(calendar.states(&day(40), &day(43)), ["booked"; 3]);

    server.book(&other, &home, &day(60), &day(61)).await.expect(201);
    calendar.apply(&socket.expect("delta").await);
    server.cancel(&guest, &mine).await.expect(200);
    calendar.apply(&socket.expect("delta").await);
    server.advance(15 * 60).await;
    calendar.apply(&socket.expect("delta").await);
    assert_eq!(calendar.state(&day(60)), "available");
    // A refusal is no event.
    server.book(&guest, &home, &day(60), &day(61)).await.expect(201);
    server.book(&other, &home, &day(60), &day(61)).await.expect(409);
    calendar.apply(&socket.expect("delta").await);
    socket.say(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
}

async fn deltas_add_up_to_the_calendar_of_the_same_number(server: &mut Server) {
    let (home, guest, _) = a_home(server).await;
    let (from, to) = (day(30), day(60));
    let (mut socket, mut calendar) = joined(server, &home, &from, &to).await;
    let mut chance = Chance::new(7);
    let mut mine: Vec<String> = Vec::new();
    for _ in 0..30 {
        if mine.len() > 3 {
            let index = chance.below(4) as usize;
            server.cancel(&guest, &mine.swap_remove(index)).await.expect(200);
        } else {
            let check_in = 30 + chance.days(25);
            let check_out = check_in + 1 + chance.days(4);
            let answer = server.book(&guest, &home, &day(check_in), &day(check_out)).await;
            if answer.status == 409 {
                continue;
            }
            mine.push(answer.expect(201).text("id"));
        }
        // What was acknowledged is to be read at once, and the delta follows.
        let read = server.calendar(&home, &from, &to).await.expect(200);
        calendar.apply(&socket.expect("delta").await);
        assert_eq!(read.number("seq"), calendar.seq);
        assert_eq!(server.states(&home, &from, &to).await, calendar.states(&from, &to));
    }
}

async fn a_client_that_has_everything_is_told_so(server: &mut Server) {
    let (home, guest, _) = a_home(server).await;
    server.book(&guest, &home, &day(40), &day(41)).await.expect(201);
    let (mut socket, _) = joined(server, &home, &day(30), &day(60)).await;
    let position = position(server, &home).await;
    socket.say(&resume(&home, &position)).await;
    let resumed = socket.expect("resumed").await;
    assert_eq!((&resumed["seq"], &resumed["property"]), (&json!(2), &json!(home)));
    server.book(&guest, &home, &day(42), &day(43)).await.expect(201);
    assert_eq!(socket.expect("delta").await["prev_seq"], 2);
}

async fn a_client_that_missed_something_catches_up(server: &mut Server) {
    let (home, guest, _) = a_home(server).await;
    let (_, mut calendar) = joined(server, &home, &day(30), &day(60)).await;
    let position = position(server, &home).await;
    for number in 0..5 {
        let (check_in, check_out) = (day(40 + number), day(41 + number));
        server.book(&guest, &home, &check_in, &check_out).await.expect(201);
    }
    let mut socket = Socket::open(server).await;
    socket.say(&resume(&home, &position)).await;
    let first = socket.message().await;
    match first["type"].as_str() {
        Some("resumed") => {
            while calendar.seq < 6 {
                calendar.apply(&socket.expect("delta").await);
            }
        }
        Some("snapshot") => calendar = Folded::new(&first),
        _ => panic!("neither resumed nor a snapshot: {first}"),
    }
    assert_eq!(calendar.seq, 6);
    assert_eq!(calendar.states(&day(40), &day(45)), ["held"; 5]);
}

async fn an_epoch_of_another_history_gets_a_snapshot(server: &mut Server) {
    let (home, _, _) = a_home(server).await;
    let mut socket = Socket::open(server).await;
    for position in [json!({ "epoch": "elsewhere", "seq": 1 }), json!({ "epoch": "", "seq": 99 })] {
        socket.say(&resume(&home, &position)).await;
        Folded::new(&socket.expect("snapshot").await);
    }
    // A number that this history has not reached is none of its own.
    let mut ahead = position(server, &home).await;
    ahead["seq"] = json!(1_000);
    socket.say(&resume(&home, &ahead)).await;
    assert_eq!(Folded::new(&socket.expect("snapshot").await).seq, 1);
}

async fn a_position_is_good_after_a_restart(server: &mut Server) {
    let (home, guest, _) = a_home(server).await;
    server.book(&guest, &home, &day(40), &day(41)).await.expect(201);
    let before = position(server, &home).await;
    server.restart().await;
    assert_eq!(position(server, &home).await, before, "the epoch is the database's");
    let mut socket = Socket::open(server).await;
    socket.say(&resume(&home, &before)).await;
    socket.expect("resumed").await;
    server.book(&guest, &home, &day(42), &day(43)).await.expect(201);
    assert_eq!(socket.expect("delta").await["prev_seq"], before["seq"]);
}

/// The position that the calendar's own answer names.
async fn position(server: &Server, home: &str) -> Value {
    let calendar = server.calendar(home, &day(1), &day(2)).await.expect(200);
    json!({ "epoch": calendar["epoch"], "seq": calendar["seq"] })
}

fn resume(home: &str, position: &Value) -> Value {
    json!({
        "type": "subscribe", "property": home, "from": day(30), "to": day(60), "after": position,
    })
}

async fn nothing_is_heard_after_unsubscribing(server: &mut Server) {
    let (home, guest, _) = a_home(server).await;
    let (mut socket, _) = joined(server, &home, &day(30), &day(60)).await;
    let (mut witness, _) = joined(server, &home, &day(30), &day(60)).await;
    socket.say(&json!({ "type": "unsubscribe", "property": home })).await;
    socket.say(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
    server.book(&guest, &home, &day(40), &day(41)).await.expect(201);
    witness.expect("delta").await;
    socket.say(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
    // Coming back is a new subscription.
    socket.subscribe(&home, &day(30), &day(60)).await;
    assert_eq!(Folded::new(&socket.expect("snapshot").await).seq, 2);
}

async fn joins_in_the_middle_of_a_storm_miss_nothing(server: &mut Server) {
    const EVENTS: i64 = 120;
    let (home, guest, _) = a_home(server).await;
    let server = &*server;
    let booking = async {
        for number in 0..40 {
            let (check_in, check_out) = (day(10 + number), day(11 + number));
            let booked = server.book(&guest, &home, &check_in, &check_out).await.expect(201);
            server.pay(&guest, &booked.text("id"), "pm_card_visa").await.expect(201);
        }
    };
    let home = home.as_str();
    let listening = join_all((0..24_i64).map(|number| async move {
        // Each joins when the calendar has come to another number.
        let wanted = number * EVENTS / 24 + 1;
        let reached = eventually(Duration::from_secs(60), async || {
            let calendar = server.calendar(home, &day(1), &day(2)).await.expect(200);
            (calendar.number("seq") >= wanted).then_some(())
        });
        reached.await.expect("a calendar that moves on");
        let (mut socket, mut calendar) = joined(server, home, &day(1), &day(60)).await;
        while calendar.seq < EVENTS + 1 {
            calendar.apply(&socket.expect("delta").await);
        }
        calendar
    }));
    let ((), calendars) = tokio::join!(booking, listening);
    for calendar in &calendars {
        assert_eq!(calendar.states(&day(10), &day(50)), vec!["booked"; 40]);
    }
}

async fn all_who_listen_hear_the_same_bytes(server: &mut Server) {
    let (home, guest, _) = a_home(server).await;
    let (mut one, _) = joined(server, &home, &day(30), &day(60)).await;
    let (mut two, _) = joined(server, &home, &day(200), &day(300)).await;
    server.book(&guest, &home, &day(40), &day(41)).await.expect(201);
    let (Heard::Frame(first), Heard::Frame(second)) = (one.hear().await, two.hear().await) else {
        panic!("two deltas were expected");
    };
    assert_eq!(first, second, "a delta is of the home, never of a window");
}

async fn bad_messages_are_answered_and_the_socket_stays(server: &mut Server) {
    let (home, _, _) = a_home(server).await;
    let nobody = "01920000-7000-8000-0000-00000000002a";
    let mut socket = Socket::open(server).await;
    for (message, code) in [
        (json!("hello"), "invalid_json"),
        (json!({ "type": "dance" }), "invalid_json"),
        (json!({ "type": "subscribe" }), "invalid_json"),
        (json!({ "type": "subscribe", "property": "42", "from": "a", "to": "b" }), "invalid_json"),
        (json!({ "type": "ping", "extra": 1 }), "invalid_json"),
    ] {
        socket.say(&message).await;
        assert_eq!(socket.expect("error").await["code"], code, "{message}");
    }
    socket.send(Message::text("{\"type\":")).await;
    assert_eq!(socket.expect("error").await["code"], "invalid_json");
    for (property, from, to, code) in [
        (home.as_str(), "2027-02-30", "2027-03-01", "invalid_field"),
        (home.as_str(), "2027-03-01", "2027-03-01", "invalid_field"),
        (home.as_str(), "2027-03-02", "2027-03-01", "invalid_field"),
        (home.as_str(), "2027-01-01", "2037-01-01", "invalid_field"),
        (home.as_str(), "0001-01-01", "0001-02-01", "invalid_field"),
        (nobody, "2027-01-01", "2027-02-01", "not_found"),
    ] {
        socket.subscribe(property, from, to).await;
        let error = socket.expect("error").await;
        assert_eq!(
            (&error["code"], &error["ref"]),
            (&json!(code), &json!(property)),
            "{from} {to}"
        );
    }
    socket.subscribe(&home, &day(30), &day(60)).await;
    socket.expect("snapshot").await;
}

async fn a_frame_that_is_too_large_ends_the_socket_alone(server: &mut Server) {
    const TOO_LARGE: u16 = 1009;
    const UNSUPPORTED: u16 = 1003;
    let (home, guest, _) = a_home(server).await;
    let (mut witness, _) = joined(server, &home, &day(30), &day(60)).await;
    let mut large = Socket::open(server).await;
    large.try_send(Message::text(" ".repeat(65 * 1_024))).await;
    assert_eq!(large.close_code().await, Some(TOO_LARGE));
    let mut binary = Socket::open(server).await;
    binary.send(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(binary.close_code().await, Some(UNSUPPORTED));
    server.book(&guest, &home, &day(40), &day(41)).await.expect(201);
    witness.expect("delta").await;
}

async fn a_socket_has_at_most_a_hundred_subscriptions(server: &mut Server) {
    let host = server.host().await;
    let mut homes = Vec::new();
    for _ in 0..101 {
        homes.push(server.home(&host).await);
    }
    let mut socket = Socket::open(server).await;
    for home in &homes[..100] {
        socket.subscribe(home, &day(30), &day(31)).await;
        socket.expect("snapshot").await;
    }
    // Asking for one of them again takes no more room.
    socket.subscribe(&homes[0], &day(30), &day(31)).await;
    socket.expect("snapshot").await;
    socket.subscribe(&homes[100], &day(30), &day(31)).await;
    assert_eq!(socket.expect("error").await["code"], "too_many_subscriptions");
    socket.say(&json!({ "type": "unsubscribe", "property": homes[0] })).await;
    socket.subscribe(&homes[100], &day(30), &day(31)).await;
    socket.expect("snapshot").await;
}
