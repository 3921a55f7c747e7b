//! Calendars as they were: whatever somebody saw once can be seen again, and the host is told why.

use crate::helpers::{Chance, Document, Person, Server, day, nights, on_both, with};
use domain::Instant;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

on_both!(
    a_host_is_told_why_a_night_was_closed_at_that_minute,
    every_calendar_that_was_seen_can_be_seen_again,
    two_hundred_random_commands_leave_as_many_calendars_behind,
    reasons_are_for_the_host_and_admins_alone,
    a_calendar_as_it_was_never_changes,
    a_moment_that_never_was_is_refused_by_name,
);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

fn of(home: &str, what: &str) -> String {
    format!("/api/v1/properties/{home}{what}")
}

/// The address of what calendars are compared by.
fn window(home: &str) -> String {
    format!("{}?from={}&to={}", of(home, "/calendar"), day(0), day(120))
}

/// An instant so much later, as it is written.
fn later(instant: &str, seconds: u64) -> String {
    let at: jiff::Timestamp = instant.parse().expect("an instant");
    Instant::from(at).plus(Duration::from_secs(seconds)).to_string()
}

/// The first night of the window that is not open at this moment: its state, with the one reason.
async fn closed(server: &Server, host: &Person, home: &str, as_of: &str) -> (String, Value) {
    let path = format!("{}&as_of={as_of}", window(home));
    let calendar = server.get(&path).by(host).await.expect(200);
    let closed = calendar.list("ranges").iter().find(|range| range["state"] != "available");
    let closed = closed.unwrap_or_else(|| panic!("all nights are open as of {as_of}"));
    let reasons = closed.list("reasons");
    assert_eq!(reasons.len(), 1, "{closed}");
    (closed.text("state"), reasons[0].clone())
}

async fn events(server: &Server, person: &Person, home: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let after = events.len();
        let page = server.get(&of(home, &format!("/events?after={after}"))).by(person).await;
        let page = page.expect(200);
        if page.list("data").is_empty() {
            return events;
        }
        events.extend(page.list("data").iter().cloned());
    }
}

/// What was seen, by the seq of it.
type Seen = BTreeMap<i64, Value>;

async fn look(server: &Server, home: &str, seen: &mut Seen) {
    let calendar = server.get(&window(home)).await.expect(200);
    let seq = calendar.number("seq");
    let before = seen.insert(seq, calendar.clone());
    assert!(before.is_none_or(|before| before == calendar), "{seq} was seen to be two things");
}

/// The calendar without what only a past has.
fn public(mut calendar: Value) -> Value {
    calendar.as_object_mut().expect("an object").remove("at");
    for range in calendar["ranges"].as_array_mut().expect("ranges") {
        range.as_object_mut().expect("an object").remove("reasons");
    }
    calendar
}

/// Asserts that every calendar that was seen is shown again: by its number, by the time of its
/// event where the next one was not decided at the same time, and to the host with reasons that
/// say what the events say.
async fn is_seen_again(server: &Server, host: &Person, home: &str, seen: &Seen) {
    let events = events(server, host, home).await;
    let path = window(home);
    for (seq, calendar) in seen {
        let here = usize::try_from(*seq).expect("a number");
        let event = &events[here - 1];
        let again = server.get(&format!("{path}&as_of={seq}")).await.expect(200);
        assert_eq!(again["at"], event["at"], "{seq}");
        assert_eq!(again, with(calendar, "at", event["at"].clone()), "{seq}");
        if events.get(here).is_none_or(|next| next["at"] != event["at"]) {
            let at = event.text("at");
            let then = server.get(&format!("{path}&as_of={at}")).await.expect(200);
            assert_eq!(then, again, "{seq}");
        }
        let told = server.get(&format!("{path}&as_of={seq}")).by(host).await.expect(200);
        explains(&told, &events);
        assert_eq!(public(told), *calendar, "{seq}");
    }
}

/// Asserts that each closed night has its reasons, and that each is an event that says so.
fn explains(calendar: &Value, events: &[Value]) {
    for range in calendar.list("ranges") {
        let reasons = range.get("reasons").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut explained: Vec<String> = Vec::new();
        for reason in &reasons {
            explained.extend(nights(&reason.text("from"), &reason.text("to")));
            let seq = usize::try_from(reason.number("seq")).expect("a number");
            assert!(reason.number("seq") <= calendar.number("seq"), "{reason}");
            let (event, audit) = (&events[seq - 1], &events[seq - 1]["audit"]);
            assert_eq!(reason["at"], event["at"]);
            for field in ["cause", "by", "user_id", "booking_id"] {
                assert_eq!(reason[field], audit[field], "{field} of {reason}");
            }
        }
        explained.sort();
        explained.dedup();
        let closed = match range["state"].as_str() {
            Some("available") => Vec::new(),
            _ => nights(&range.text("from"), &range.text("to")),
        };
        assert_eq!(explained, closed, "{range}");
    }
}

async fn a_host_is_told_why_a_night_was_closed_at_that_minute(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    let (check_in, check_out) = (day(40), day(42));
    // First somebody held the night and did not pay.
    let held = server.book(&guest, &home, &check_in, &check_out).await.expect(201);
    server.advance(20 * MINUTE).await;
    server.advance(HOUR).await;
    // Then its host painted the walls, and somebody stayed after all.
    let block =
        json!({"from": check_in, "to": check_out, "reason": "maintenance", "note": "Walls"});
    let block = server.post(&of(&home, "/blocks"), block).by(&host).await.expect(201);
    server.advance(HOUR).await;
    let path = of(&home, &format!("/blocks/{}", block.text("id")));
    server.delete(&path).by(&host).await.expect(204);
    server.advance(HOUR).await;
    let booked = server.book(&other, &home, &check_in, &check_out).await.expect(201);
    server.pay(&other, &booked.text("id"), "pm_card_visa").await.expect(201);
    server.advance(HOUR).await;

    let events = events(server, &host, &home).await;
    let at = |index: usize| events[index].text("at");
    let reason = |seq: i64, cause: &str, by: &Person| {
        json!({
            "from": check_in, "to": check_out, "seq": seq, "at": at(usize::try_from(seq - 1).unwrap()),
            "cause": cause, "by": "user", "user_id": by.id.to_string(), "booking_id": null,
            "status": null, "block_id": null, "reason": null,
        })
    };
    // Why was the night closed three minutes after the first event? A guest was about to pay.
    let why = closed(server, &host, &home, &later(&at(1), 3 * MINUTE)).await;
    let by_guest = with(&reason(2, "held", &guest), "booking_id", held["id"].clone());
    assert_eq!(why, ("held".to_owned(), with(&by_guest, "status", json!("PENDING"))));
    // Two minutes after its time the hold still stood: until its end is an event, whoever looks at a
    // calendar judges by `until`.
    let why = closed(server, &host, &home, &later(&at(1), 17 * MINUTE)).await;
    assert_eq!((why.0.as_str(), why.1.number("seq")), ("held", 2));
    // Then it was open again.
    let path = format!("{}&as_of={}", window(&home), later(&at(2), MINUTE));
    let open = server.get(&path).by(&host).await.expect(200);
    assert_eq!((open.number("seq"), open.list("ranges").len()), (3, 1), "{open}");
    // And an hour after that? The host was at work, and nobody is told the note.
    let why = closed(server, &host, &home, &later(&at(3), 3 * MINUTE)).await;
    let by_host = with(&reason(4, "calendar_edited", &host), "block_id", block["id"].clone());
    assert_eq!(why, ("blocked".to_owned(), with(&by_host, "reason", json!("maintenance"))));
    // In the end somebody paid: the night was closed when that guest came to it, not by the money.
    let why = closed(server, &host, &home, &later(&at(events.len() - 1), MINUTE)).await;
    let by_other = with(&reason(6, "held", &other), "booking_id", booked["id"].clone());
    assert_eq!(why, ("booked".to_owned(), with(&by_other, "status", json!("CONFIRMED"))));
}

/// Everything that can happen to a home, one step after another.
async fn every_calendar_that_was_seen_can_be_seen_again(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    let mut seen = Seen::new();
    look(server, &home, &mut seen).await;
    let edit =
        |body: Value| server.ask(Method::PATCH, &of(&home, "/calendar")).by(&host).json(&body);

    let booking = server.book(&guest, &home, &day(40), &day(43)).await.expect(201).text("id");
    look(server, &home, &mut seen).await;
    server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    look(server, &home, &mut seen).await;
    // The neighbour's nights are next to them, and come free again by themselves.
    server.book(&other, &home, &day(43), &day(45)).await.expect(201);
    look(server, &home, &mut seen).await;
    server.advance(HOUR).await;
    look(server, &home, &mut seen).await;
    let blocks = json!({
        "blocks": [{"from": day(44), "to": day(50), "reason": "maintenance"},
                   {"from": day(48), "to": day(52), "reason": "owner"}],
    });
    let blocks = edit(blocks).await.expect(200);
    look(server, &home, &mut seen).await;
    let terms = json!({"terms": [
        {"from": day(30), "to": day(60), "price": 20_000, "min_nights": 2},
        {"from": day(41), "to": day(42), "closed_to_arrival": true, "max_nights": 9},
    ]});
    edit(terms).await.expect(200);
    look(server, &home, &mut seen).await;
    let path = format!("/api/v1/bookings/{booking}");
    server.put(&path, json!({"check_out": day(42)})).by(&guest).await.expect(200);
    look(server, &home, &mut seen).await;
    server.put(&of(&home, ""), json!({"price_per_night": 9_000})).by(&host).await.expect(200);
    look(server, &home, &mut seen).await;
    let summer = json!({"weekdays": {
        "mon": null, "tue": null, "wed": null, "thu": null, "fri": null, "sun": null,
        "sat": {"price": 15_000, "min_nights": null, "max_nights": null,
                "closed_to_arrival": null, "closed_to_departure": true},
    }});
    server.put(&of(&home, "/rules"), summer).by(&host).await.expect(200);
    look(server, &home, &mut seen).await;
    let first = blocks.list("blocked")[0].text("id");
    edit(json!({"unblock": [first]})).await.expect(200);
    look(server, &home, &mut seen).await;
    // A host who gives up a booking keeps its nights.
    server.cancel(&host, &booking).await.expect(200);
    look(server, &home, &mut seen).await;

    assert_eq!(seen.len(), 12, "a step was not seen: {:?}", seen.keys());
    is_seen_again(server, &host, &home, &seen).await;
    server.restart().await;
    is_seen_again(server, &host, &home, &seen).await;
}

const SEED: u64 = 20_270_812;
const COMMANDS: usize = 200;

async fn two_hundred_random_commands_leave_as_many_calendars_behind(server: &mut Server) {
    let host = server.host().await;
    let guests = [server.guest().await, server.guest().await, server.guest().await];
    let home = server.home(&host).await;
    let mut chance = Chance::new(SEED);
    let mut random = Random { host: &host, guests: &guests, home: &home, made: Vec::new() };
    let mut seen = Seen::new();
    for _ in 0..COMMANDS {
        random.command(server, &mut chance).await;
        look(server, &home, &mut seen).await;
    }
    println!("seed {SEED}: {} calendars", seen.len());
    for state in ["available", "held", "booked", "blocked"] {
        let has = |calendar: &Value| calendar.list("ranges").iter().any(|r| r["state"] == state);
        assert!(seen.values().filter(|calendar| has(calendar)).count() > 20, "hardly any {state}");
    }
    assert!(seen.len() > COMMANDS / 2, "only {} calendars are different", seen.len());
    server.restart().await;
    is_seen_again(server, &host, &home, &seen).await;
}

/// Who gives random commands, and the bookings that they made.
struct Random<'a> {
    host: &'a Person,
    guests: &'a [Person; 3],
    home: &'a str,
    made: Vec<(usize, String)>,
}

impl Random<'_> {
    /// One command or another; it may be refused, which changes nothing.
    async fn command(&mut self, server: &Server, chance: &mut Chance) {
        let from = 10 + chance.days(60);
        let (first, last) = (day(from), day(from + 1 + chance.days(6)));
        let who = usize::try_from(chance.below(3)).expect("few");
        let pick = usize::try_from(chance.below(1_000)).expect("few");
        let made = self.made.get(pick % self.made.len().max(1));
        match (chance.below(12), made) {
            (0..=2, _) | (_, None) => {
                let answer = server.book(&self.guests[who], self.home, &first, &last).await;
                if answer.status == 201 {
                    self.made.push((who, answer.body.text("id")));
                }
            }
            (3 | 4, Some(_)) => {
                let (who, newest) = self.made.last().expect("a booking");
                server.pay(&self.guests[*who], newest, "pm_card_visa").await;
            }
            (5, Some((who, booking))) => {
                server.cancel(&self.guests[*who], booking).await;
            }
            (6, Some((_, booking))) => {
                server.cancel(self.host, booking).await;
            }
            (7, Some((who, booking))) => {
                let body = json!({"check_in": first, "check_out": last});
                let path = format!("/api/v1/bookings/{booking}");
                server.put(&path, body).by(&self.guests[*who]).await;
            }
            (8, _) => {
                let block = json!({"from": first, "to": last, "reason": "owner"});
                self.edit(server, json!({"blocks": [block], "mode": "around"})).await;
            }
            (9, _) => {
                let blocks = server.get(&of(self.home, "/blocks")).by(self.host).await.expect(200);
                let blocks = blocks.list("data");
                let ids = blocks.get(pick % blocks.len().max(1)).map(|block| block.text("id"));
                self.edit(server, json!({"unblock": Vec::from_iter(ids)})).await;
            }
            (10, _) => {
                let price = 10_000 + pick;
                let terms = json!({"from": first, "to": last, "price": price, "min_nights": 1});
                self.edit(server, json!({"terms": [terms]})).await;
            }
            _ => server.advance([5 * MINUTE, 20 * MINUTE, DAY][who]).await,
        }
    }

    async fn edit(&self, server: &Server, body: Value) {
        let ask = server.ask(Method::PATCH, &of(self.home, "/calendar")).by(self.host).json(&body);
        ask.await.expect(200);
    }
}

async fn reasons_are_for_the_host_and_admins_alone(server: &mut Server) {
    let (host, guest, admin) = (server.host().await, server.guest().await, server.admin().await);
    let (other_host, other_guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    // The night after belongs to somebody else, which is nobody's business.
    let next = server.book(&other_guest, &home, &day(42), &day(43)).await.expect(201).text("id");
    server.pay(&other_guest, &next, "pm_card_visa").await.expect(201);
    let block = json!({"from": day(50), "to": day(52), "reason": "owner", "note": "My birthday"});
    let block = server.post(&of(&home, "/blocks"), block).by(&host).await.expect(201).text("id");
    let live = server.get(&window(&home)).await.expect(200);
    let path = format!("{}&as_of={}", window(&home), live.number("seq"));

    for person in [None, Some(&guest), Some(&other_guest), Some(&other_host)] {
        let ask = server.get(&path);
        let told = match person {
            Some(person) => ask.by(person).await,
            None => ask.await,
        };
        let text = told.expect(200).to_string();
        let people = [&host, &guest, &other_guest].map(|person| person.id.to_string());
        for secret in people.iter().chain([&booking, &next, &block]) {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
        assert!(!text.contains("reason") && !text.contains("birthday"), "{text}");
        assert_eq!(public(told.body), live);
    }
    for person in [&host, &admin] {
        let told = server.get(&path).by(person).await.expect(200);
        let reasons: Vec<Value> = told
            .list("ranges")
            .iter()
            .flat_map(|range| {
                range.get("reasons").and_then(Value::as_array).cloned().unwrap_or_default()
            })
            .collect();
        let ids: Vec<_> = reasons.iter().map(|r| (&r["booking_id"], &r["block_id"])).collect();
        let nothing = &Value::Null;
        let expected =
            [(&json!(booking), nothing), (&json!(next), nothing), (nothing, &json!(block))];
        assert_eq!(ids, expected);
        assert!(!told.to_string().contains("birthday"), "notes are in no event");
        assert_eq!(public(told), live, "and the ranges are those that everybody sees");
    }
    // What is off the list is nobody else's business in the past either.
    server.put(&of(&home, ""), json!({"status": "unlisted"})).by(&host).await.expect(200);
    for person in [&guest, &other_host] {
        server.get(&path).by(person).await.is_problem(404, "not_found");
    }
    server.get(&path).await.is_problem(404, "not_found");
    server.get(&path).by(&host).await.expect(200);
}

async fn a_calendar_as_it_was_never_changes(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    // Without dates the window begins on the day that it was.
    let path = format!("{}?as_of=1", of(&home, "/calendar"));
    let first = server.get(&path).await;
    let at = first.expect(200).text("at");
    let date_of = |instant: &str| json!(instant[..10]);
    assert_eq!(first.body["from"], date_of(&at));
    let tag = first.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}-1\"", first.body.text("epoch")));
    server.advance(3 * DAY).await;
    server.book(&guest, &home, &day(40), &day(42)).await.expect(201);
    let again = server.get(&path).await;
    assert_eq!((again.expect(200), again.header("etag")), (first.body.clone(), tag.as_str()));
    let known = server.get(&path).header("if-none-match", &tag).await;
    assert_eq!((known.status, known.header("etag")), (304, tag.as_str()));
    // Who is told more has another tag, so that no answer stands in for the other.
    let told = server.get(&path).by(&host).header("if-none-match", &tag).await;
    told.expect(200);
    assert_ne!(told.header("etag"), tag);
    // A day later it was the same calendar, seen from another day.
    let next_day = later(&at, DAY);
    let next = format!("{}?as_of={next_day}", of(&home, "/calendar"));
    let next = server.get(&next).await.expect(200);
    assert_eq!((&next["seq"], &next["at"]), (&json!(1), &json!(at)));
    assert_eq!(next["from"], date_of(&next_day));
}

async fn a_moment_that_never_was_is_refused_by_name(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let made = server.get(&format!("{}&as_of=1", window(&home))).await.expect(200).text("at");
    let before: jiff::Timestamp = made.parse().expect("an instant");
    let before = (before - Duration::from_micros(1)).to_string();
    let future = later(&made, 5 * MINUTE);
    for as_of in ["0", "2", "9223372036854775807", &before, &future, "9999-12-31T23:59:59Z"] {
        let refused = server.get(&format!("{}&as_of={as_of}", window(&home))).await;
        refused.is_problem(422, "invalid_field");
        assert_eq!(refused.body["errors"][0]["pointer"], "/as_of", "{as_of}");
    }
    // What has come meanwhile can be asked for.
    server.book(&guest, &home, &day(40), &day(42)).await.expect(201);
    server.advance(5 * MINUTE).await;
    for as_of in ["2", &made, &future] {
        server.get(&format!("{}&as_of={as_of}", window(&home))).await.expect(200);
    }
}
