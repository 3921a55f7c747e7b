//! Following calendars and bookings through everything that can happen to a reader: missed events,
//! lies about where it stands, rights that end, and clients that only know how to read.

use crate::helpers::{
    Database, Document, EventStream, Folded, Heard, PASSWORD, Person, Server, Socket, Wire, day,
    eventually, is_described, on_both,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

on_both!(
    what_was_missed_is_told_in_the_same_bytes_also_after_a_restart,
    whoever_missed_too_much_gets_a_snapshot,
    lies_about_a_position_are_answered_with_the_truth,
    a_change_of_rules_or_price_asks_for_a_new_snapshot,
    a_restriction_that_is_gone_is_said_to_be_gone,
    a_calendar_that_is_taken_off_the_list_goes_on_for_its_host_alone,
    bookings_are_told_to_their_guest_and_host_and_to_nobody_else,
    private_topics_end_with_their_session_and_public_ones_go_on,
    private_topics_end_when_their_token_does,
    pages_of_strangers_follow_public_calendars_only,
    what_is_no_message_ends_the_socket_with_its_code,
    a_flood_of_messages_ends_the_socket,
    events_are_streamed_to_those_who_have_no_socket,
    a_stream_goes_on_where_its_client_was_cut_off,
    a_stream_ends_with_the_right_to_read_it,
);

const TOLD_WITHIN: Duration = Duration::from_secs(5);

async fn setting(server: &Server) -> (Person, Person, String) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    (host, guest, home)
}

fn of(home: &str, end: &str) -> String {
    format!("/api/v1/properties/{home}{end}")
}

/// Says that one night costs this.
async fn price(server: &Server, host: &Person, home: &str, price: i64) {
    let terms = json!([{ "from": day(40), "to": day(41), "price": price }]);
    edit(server, host, home, terms).await;
}

async fn edit(server: &Server, host: &Person, home: &str, terms: Value) {
    let body = json!({ "terms": terms });
    server.ask(Method::PATCH, &of(home, "/calendar")).by(host).json(&body).await.expect(200);
}

fn subscription(home: &str, after: &Value) -> Value {
    json!({ "type": "subscribe", "property": home, "from": day(30), "to": day(60), "after": after })
}

async fn position(server: &Server, home: &str) -> Value {
    let calendar = server.calendar(home, &day(1), &day(2)).await.expect(200);
    json!({ "epoch": calendar["epoch"], "seq": calendar["seq"] })
}

async fn frame(socket: &mut Socket) -> String {
    match socket.hear().await {
        Heard::Frame(text) => text,
        Heard::Closed(reason) => panic!("the socket was closed: {reason:?}"),
    }
}

async fn what_was_missed_is_told_in_the_same_bytes_also_after_a_restart(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let before = position(server, &home).await;
    let mut socket = Socket::open(server).await;
    socket.subscribe(&home, &day(30), &day(60)).await;
    socket.expect("snapshot").await;
    let booking = server.book(&guest, &home, &day(40), &day(43)).await.expect(201);
    server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    price(server, &host, &home, 9_000).await;
    server.put(&of(&home, ""), json!({ "max_guests": 5 })).by(&host).await.expect(200);
    let mut told = Vec::new();
    for _ in 0..5 {
        told.push(frame(&mut socket).await);
    }
    for _ in 0..2 {
        let mut late = Socket::open(server).await;
        late.say(&subscription(&home, &before)).await;
        assert_eq!(late.expect("resumed").await.number("seq"), 6);
        for told in &told {
            assert_eq!(&frame(&mut late).await, told);
        }
        // The next one is told the same, by a server that has not seen any of it happen.
        server.restart().await;
    }
}

async fn whoever_missed_too_much_gets_a_snapshot(server: &mut Server) {
    let (host, _, home) = setting(server).await;
    let before = position(server, &home).await;
    for number in 0..256 {
        price(server, &host, &home, 9_000 + number).await;
    }
    let mut socket = Socket::open(server).await;
    socket.say(&subscription(&home, &before)).await;
    assert_eq!(socket.expect("resumed").await.number("seq"), 257);
    for seq in 2..=257 {
        assert_eq!(socket.expect("delta").await.number("seq"), seq);
    }
    price(server, &host, &home, 9_000).await;
    socket.expect("delta").await;
    socket.say(&subscription(&home, &before)).await;
    assert_eq!(Folded::new(&socket.expect("snapshot").await).seq, 258);
}

async fn lies_about_a_position_are_answered_with_the_truth(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    server.book(&guest, &home, &day(40), &day(41)).await.expect(201);
    let truth = position(server, &home).await;
    let mut socket = Socket::open(server).await;
    for seq in [3, 1_000, 0, -1, i64::MAX, i64::MIN] {
        let lie = json!({ "epoch": truth["epoch"], "seq": seq });
        socket.say(&subscription(&home, &lie)).await;
        assert_eq!(Folded::new(&socket.expect("snapshot").await).seq, 2, "{seq}");
    }
    for seq in [json!(9_223_372_036_854_775_808_u64), json!(1.5), json!("2"), json!(null)] {
        let lie = json!({ "epoch": truth["epoch"], "seq": seq });
        socket.say(&subscription(&home, &lie)).await;
        assert_eq!(socket.expect("error").await["code"], "invalid_json", "{seq}");
    }
    for epoch in ["", "elsewhere", &"e".repeat(10_000)] {
        socket.say(&subscription(&home, &json!({ "epoch": epoch, "seq": 2 }))).await;
        Folded::new(&socket.expect("snapshot").await);
    }
    // The place in another home's history is one in this one's too: what follows is true.
    let other = server.home(&host).await;
    server.book(&guest, &other, &day(40), &day(41)).await.expect(201);
    socket.say(&subscription(&other, &truth)).await;
    assert_eq!(socket.expect("resumed").await.number("seq"), 2);
}

async fn a_change_of_rules_or_price_asks_for_a_new_snapshot(server: &mut Server) {
    let (host, _, home) = setting(server).await;
    let mut socket = Socket::open(server).await;
    socket.subscribe(&home, &day(30), &day(60)).await;
    let snapshot = socket.expect("snapshot").await;
    assert_eq!(snapshot["rules"]["instant_book"], true, "{snapshot}");
    server.put(&of(&home, ""), json!({ "price_per_night": 7_000 })).by(&host).await.expect(200);
    let delta = socket.expect("delta").await;
    assert_eq!((&delta["reset"], delta["rules"].number("price_per_night")), (&json!(true), 7_000));
    let rules = json!({
        "advance_notice": { "days": 2, "cut_off": "18:00" }, "booking_window_days": 300,
        "preparation_nights": 1, "default": { "min_nights": 3 },
    });
    server.put(&of(&home, "/rules"), rules).by(&host).await.expect(200);
    let delta = socket.expect("delta").await;
    assert_eq!(delta["reset"], true);
    let rules = &delta["rules"];
    assert_eq!(rules["advance_notice"], json!({ "days": 2, "cut_off": "18:00" }));
    let numbers = ["booking_window_days", "preparation_nights", "min_nights", "max_nights"];
    assert_eq!(numbers.map(|name| rules.number(name)), [300, 1, 3, 730]);
    assert_eq!(delta["changes"], json!([]));
    socket.subscribe(&home, &day(30), &day(60)).await;
    let snapshot = socket.expect("snapshot").await;
    assert_eq!(&snapshot["rules"], rules);
    let range = &snapshot["ranges"][0];
    assert_eq!((range.number("price"), range.number("min_nights")), (7_000, 3));
}

async fn a_restriction_that_is_gone_is_said_to_be_gone(server: &mut Server) {
    let (host, _, home) = setting(server).await;
    let mut socket = Socket::open(server).await;
    socket.subscribe(&home, &day(30), &day(60)).await;
    socket.expect("snapshot").await;
    let nights = json!({ "from": day(40), "to": day(42) });
    for (terms, expected) in [
        (
            json!({ "min_nights": 4, "max_nights": 9, "closed_to_arrival": true }),
            json!({ "price": 12_000, "min_nights": 4, "max_nights": 9,
                    "closed_to_arrival": true, "closed_to_departure": null }),
        ),
        (
            json!({ "min_nights": null, "max_nights": null, "closed_to_arrival": null }),
            json!({ "price": 12_000, "min_nights": 1, "max_nights": null,
                    "closed_to_arrival": null, "closed_to_departure": null }),
        ),
    ] {
        let with_nights = |mut terms: Value| {
            for (name, value) in nights.as_object().expect("nights") {
                terms[name] = value.clone();
            }
            terms
        };
        edit(server, &host, &home, json!([with_nights(terms)])).await;
        let delta = socket.expect("delta").await;
        assert_eq!(delta["changes"], json!([with_nights(expected)]));
    }
}

async fn a_calendar_that_is_taken_off_the_list_goes_on_for_its_host_alone(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let mut stranger = Socket::open(server).await;
    let mut owner = Socket::open(server).await;
    owner.authenticate(server, &host).await;
    for socket in [&mut stranger, &mut owner] {
        socket.subscribe(&home, &day(30), &day(60)).await;
        socket.expect("snapshot").await;
    }
    server.put(&of(&home, ""), json!({ "status": "unlisted" })).by(&host).await.expect(200);
    for socket in [&mut stranger, &mut owner] {
        assert_eq!(socket.expect("delta").await["reset"], true);
    }
    let error = stranger.expect("error").await;
    assert_eq!((&error["code"], &error["ref"]), (&json!("not_found"), &json!(home)));
    price(server, &host, &home, 9_000).await;
    owner.expect("delta").await;
    stranger.is_quiet().await;
    for (socket, answer) in [(&mut stranger, "error"), (&mut owner, "snapshot")] {
        socket.subscribe(&home, &day(30), &day(60)).await;
        socket.expect(answer).await;
    }
    // Whoever signs in instead of the host does not inherit what the host followed.
    owner.authenticate(server, &guest).await;
    assert_eq!(owner.expect("error").await["code"], "not_found");
    price(server, &host, &home, 9_500).await;
    owner.is_quiet().await;
    // Somebody else who signs in is a stranger still.
    let mut other = Socket::open(server).await;
    other.authenticate(server, &guest).await;
    other.subscribe(&home, &day(30), &day(60)).await;
    assert_eq!(other.expect("error").await["code"], "not_found");
}

async fn bookings_are_told_to_their_guest_and_host_and_to_nobody_else(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let (other_host, other_guest) = (server.host().await, server.guest().await);
    let mut readers = Vec::new();
    for (person, side) in
        [(&guest, "guest"), (&host, "host"), (&other_guest, "guest"), (&other_host, "host")]
    {
        let mut socket = Socket::open(server).await;
        socket.authenticate(server, person).await;
        socket.say(&json!({ "type": "subscribe_bookings", "as": side })).await;
        assert_eq!(socket.expect("bookings").await["as"], side);
        readers.push((socket, side));
    }
    let booking = server.book(&guest, &home, &day(40), &day(43)).await.expect(201);
    server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    server.cancel(&guest, &booking.text("id")).await.expect(200);
    let mut is_refunded = false;
    for (socket, side) in &mut readers[..2] {
        for (seq, cause, status) in [
            (2, "held", "PENDING"),
            (3, "attempt_started", "PENDING"),
            (4, "confirmed", "CONFIRMED"),
            (5, "canceled", "CANCELED"),
        ] {
            let told = loop {
                let told = socket.message().await;
                // Payments are told to the guest among them.
                if *side == "host" || told["type"] != "payment" {
                    break told;
                }
                is_refunded |= told["status"] == "refunded";
            };
            assert_eq!(told["type"], "booking");
            assert_eq!((&told["id"], &told["property"]), (&booking["id"], &json!(home)));
            assert_eq!((told.number("seq"), told.text("cause").as_str()), (seq, cause), "{side}");
            assert_eq!((&told["as"], &told["status"]), (&json!(side), &json!(status)));
            assert_eq!((told.text("check_in"), told.number("guests")), (day(40), 2));
            assert_eq!(told.get("expires_at").is_some(), status == "PENDING");
        }
    }
    let [(of_guest, _), (of_host, _), others @ ..] = &mut readers[..] else {
        panic!("four readers")
    };
    // Nothing is on its way any more when the money is back.
    while !is_refunded {
        is_refunded = of_guest.expect("payment").await["status"] == "refunded";
    }
    of_guest.say(&json!({ "type": "unsubscribe_bookings", "as": "guest" })).await;
    of_guest.is_quiet().await;
    server.book(&guest, &home, &day(50), &day(51)).await.expect(201);
    assert_eq!(of_host.expect("booking").await.number("seq"), 6);
    of_guest.is_quiet().await;
    for (socket, _) in others {
        socket.is_quiet().await;
    }
    // Nobody follows bookings without saying who they are, nor a host's without being one.
    let mut socket = Socket::open(server).await;
    let subscribe = json!({ "type": "subscribe_bookings", "as": "host" });
    socket.say(&subscribe).await;
    assert_eq!(socket.expect("error").await["code"], "unauthenticated");
    for token in ["", "x", &"x".repeat(60_000)] {
        socket.say(&json!({ "type": "authenticate", "token": token })).await;
        assert_eq!(socket.expect("error").await["code"], "unauthenticated");
    }
    socket.authenticate(server, &guest).await;
    socket.say(&subscribe).await;
    assert_eq!(socket.expect("error").await["code"], "forbidden");
}

async fn private_topics_end_with_their_session_and_public_ones_go_on(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let login = json!({ "email": guest.email, "password": PASSWORD });
    let session = server.post("/api/v1/auth/login", login).await.expect(200);
    let token = session.text("access_token");
    let mut socket = Socket::open(server).await;
    socket.say(&json!({ "type": "authenticate", "token": token })).await;
    assert_eq!(socket.expect("authenticated").await["user"], json!(guest.id.to_string()));
    socket.say(&json!({ "type": "subscribe_bookings", "as": "guest" })).await;
    socket.expect("bookings").await;
    socket.subscribe(&home, &day(30), &day(60)).await;
    socket.expect("snapshot").await;
    server.ask(Method::POST, "/api/v1/auth/logout").token(&token).await.expect(204);
    let ended = tokio::time::timeout(TOLD_WITHIN, socket.expect("error")).await.expect("in time");
    assert_eq!(ended["code"], "session_ended");
    server.book(&guest, &home, &day(40), &day(43)).await.expect(201);
    socket.expect("delta").await;
    socket.is_quiet().await;
    socket.say(&json!({ "type": "authenticate", "token": token })).await;
    assert_eq!(socket.expect("error").await["code"], "unauthenticated");
    socket.authenticate(server, &host).await;
}

async fn private_topics_end_when_their_token_does(server: &mut Server) {
    let (_, guest, _) = setting(server).await;
    let mut socket = Socket::open(server).await;
    socket.authenticate(server, &guest).await;
    server.advance(9 * 60).await;
    // Whoever signs in again in time goes on.
    socket.authenticate(server, &guest).await;
    socket.say(&json!({ "type": "subscribe_bookings", "as": "guest" })).await;
    socket.expect("bookings").await;
    server.advance(9 * 60).await;
    socket.is_quiet().await;
    server.advance(2 * 60).await;
    let ended = tokio::time::timeout(TOLD_WITHIN, socket.expect("error")).await.expect("in time");
    assert_eq!(ended["code"], "session_ended");
}

async fn pages_of_strangers_follow_public_calendars_only(server: &mut Server) {
    let (host, _, home) = setting(server).await;
    let mut socket = Socket::open_from(server, "https://blog.example.com").await;
    socket.subscribe(&home, &day(30), &day(60)).await;
    socket.expect("snapshot").await;
    socket.say(&Socket::authentication(server, &host)).await;
    assert_eq!(socket.expect("error").await["code"], "origin_not_allowed");
    let own: &'static str = server.base().leak();
    let mut socket = Socket::open_from(server, own).await;
    socket.authenticate(server, &host).await;
}

async fn what_is_no_message_ends_the_socket_with_its_code(server: &mut Server) {
    let raw = |opcode, is_final, payload: &[u8]| {
        let header =
            FrameHeader { is_final, opcode: OpCode::Data(opcode), ..FrameHeader::default() };
        Message::Frame(Frame::from_payload(header, payload.to_vec().into()))
    };
    for (frame, code) in [
        (raw(Data::Text, false, b"{\"type\":"), 1003),
        (raw(Data::Text, true, &[b'"', 0xff, b'"']), 1007),
        (raw(Data::Binary, true, b"{}"), 1003),
        (raw(Data::Text, true, &[b' '; 64 * 1_024 + 1]), 1009),
    ] {
        let mut socket = Socket::open(server).await;
        socket.try_send(frame).await;
        assert_eq!(socket.close_code().await, Some(code));
    }
    let mut socket = Socket::open(server).await;
    socket.send(Message::text(" ".repeat(64 * 1_024))).await;
    assert_eq!(socket.expect("error").await["code"], "invalid_json");
}

async fn a_flood_of_messages_ends_the_socket(server: &mut Server) {
    const POLICY: u16 = 1008;
    let (_, _, home) = setting(server).await;
    let mut socket = Socket::open(server).await;
    let message = subscription(&home, &json!({ "epoch": "", "seq": 1 })).to_string();
    for _ in 0..1_000 {
        socket.try_send(Message::text(message.clone())).await;
    }
    assert_eq!(socket.close_code().await, Some(POLICY));
}

async fn events_are_streamed_to_those_who_have_no_socket(server: &mut Server) {
    let (_, guest, home) = setting(server).await;
    let mut stream = EventStream::open(server, &home, None).await;
    let (id, snapshot) = stream.expect("snapshot").await;
    let mut calendar = Folded::new(&snapshot);
    assert_eq!(id, format!("{}-1", snapshot.text("epoch")));
    server.book(&guest, &home, &day(40), &day(43)).await.expect(201);
    let (id, delta) = stream.expect("delta").await;
    calendar.apply(&delta);
    assert_eq!(calendar.states(&day(40), &day(43)), ["held"; 3]);
    assert_eq!(id, format!("{}-2", snapshot.text("epoch")));
    let nobody = "01920000-7000-8000-0000-00000000002a";
    server.get(&of(nobody, "/calendar/stream")).await.is_problem(404, "not_found");
    let backwards = format!("/calendar/stream?from={}&to={}", day(3), day(2));
    server.get(&of(&home, &backwards)).await.is_problem(422, "invalid_field");
}

async fn a_stream_goes_on_where_its_client_was_cut_off(server: &mut Server) {
    let (_, guest, home) = setting(server).await;
    let mut stream = EventStream::open(server, &home, None).await;
    let (id, snapshot) = stream.expect("snapshot").await;
    let mut calendar = Folded::new(&snapshot);
    server.book(&guest, &home, &day(40), &day(41)).await.expect(201);
    server.restart().await;
    stream.is_over().await;
    server.book(&guest, &server.home(&server.host().await).await, &day(40), &day(41)).await;
    let mut stream = EventStream::open(server, &home, Some(&id)).await;
    let (_, resumed) = stream.expect("resumed").await;
    assert_eq!(resumed.number("seq"), 2);
    calendar.apply(&stream.expect("delta").await.1);
    for lie in ["", "x", "-", "elsewhere-1", &format!("{id}0000"), &id.replace("-1", "-x")] {
        let mut stream = EventStream::open(server, &home, Some(lie)).await;
        assert_eq!(Folded::new(&stream.expect("snapshot").await.1).seq, 2, "{lie}");
    }
}

async fn a_stream_ends_with_the_right_to_read_it(server: &mut Server) {
    let (host, _, home) = setting(server).await;
    let mut stream = EventStream::open(server, &home, None).await;
    stream.expect("snapshot").await;
    server.put(&of(&home, ""), json!({ "status": "unlisted" })).by(&host).await.expect(200);
    assert_eq!(stream.expect("delta").await.1["reset"], true);
    stream.is_over().await;
    server.get(&of(&home, "/calendar/stream")).await.is_problem(404, "not_found");
    // Its host may read it, as long as the session lasts.
    let login = json!({ "email": host.email, "password": PASSWORD });
    let token = server.post("/api/v1/auth/login", login).await.expect(200).text("access_token");
    let mut stream = EventStream::open_as(server, &home, None, Some(&token)).await;
    stream.expect("snapshot").await;
    server.ask(Method::POST, "/api/v1/auth/logout").token(&token).await.expect(204);
    tokio::time::timeout(TOLD_WITHIN, stream.is_over()).await.expect("an end in time");
}

#[tokio::test]
async fn the_description_of_the_messages_is_served_and_its_examples_are_good() {
    let server = Server::spawn(Database::Sqlite).await;
    let served = server.get("/asyncapi.json").await.expect(200);
    let mut socket = Socket::open(&server).await;
    let asked = served["operations"]["ask"].list("messages");
    assert_eq!(asked.len(), 6);
    for (name, message) in served["components"]["messages"].as_object().expect("messages") {
        let example = &message["examples"][0]["payload"];
        is_described(example);
        if asked.iter().any(|asked| asked.text("$ref").ends_with(&format!("/{name}"))) {
            socket.say(example).await;
            socket.say(&json!({ "type": "ping" })).await;
            let answered = eventually(TOLD_WITHIN, async || {
                let message = socket.message().await;
                assert_ne!(message["code"], "invalid_json", "{example}");
                (message["type"] == "pong").then_some(())
            });
            answered.await.expect("an answer");
        }
    }
}

/// With one second for the machine.
const SENT_AWAY_WITHIN: Duration = Duration::from_secs(31);

#[tokio::test]
async fn whoever_answers_no_ping_is_pinged_twice_and_sent_away_within_half_a_minute() {
    let server = Server::spawn(Database::Sqlite).await;
    let mut wire = Wire::connect(server.address()).await;
    let head = format!(
        "GET /ws HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.address()
    );
    let began = Instant::now();
    wire.write(head.as_bytes()).await;
    let said = wire.closed().await;
    assert!(began.elapsed() <= SENT_AWAY_WITHIN, "{:?}", began.elapsed());
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let reason = b"two pings were not answered";
    let length = u8::try_from(reason.len()).expect("short") + 2;
    let mut frames = vec![0x89, 0, 0x89, 0, 0x88, length, 0x03, 0xf0];
    frames.extend(reason);
    assert_eq!(said[end..], frames);
}
