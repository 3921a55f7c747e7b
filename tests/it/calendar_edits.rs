//! What hosts lay down and change: rules, prices of dates, blocks, and their word on bookings.

use crate::helpers::{Document, Person, Server, Socket, day, on_both};
use domain::Night;
use serde_json::{Value, json};

on_both!(
    rules_are_judged_all_at_once_and_priced_line_by_line,
    rules_that_cannot_be_are_refused_by_their_field,
    an_edit_of_many_dates_is_one_event_that_everybody_hears,
    an_edit_is_all_or_nothing_and_can_be_tried_dry,
    blocks_overlap_and_open_when_the_last_is_gone,
    a_block_over_bookings_is_refused_or_goes_around,
    a_note_is_for_the_host_alone,
    a_bad_edit_is_refused_by_its_field_and_changes_nothing,
    an_edit_is_made_on_the_event_that_if_match_names,
    a_request_is_accepted_or_declined_by_its_host,
    a_host_who_gives_up_a_booking_keeps_its_nights_blocked,
    a_guest_who_never_came_frees_the_nights_that_are_left,
    a_policy_is_copied_when_the_booking_is_made,
    everything_is_there_after_a_restart,
);

const DAY: u64 = 24 * 60 * 60;

async fn setting(server: &Server) -> (Person, Person, String) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    (host, guest, home)
}

fn of(home: &str, what: &str) -> String {
    format!("/api/v1/properties/{home}{what}")
}

async fn edit(server: &Server, host: &Person, home: &str, body: Value) -> Value {
    let ask = server.ask(reqwest::Method::PATCH, &of(home, "/calendar")).by(host).json(&body);
    ask.await.expect(200)
}

async fn codes(server: &Server, guest: &Person, home: &str, nights: (i32, i32)) -> Vec<String> {
    let answer = server.book(guest, home, &day(nights.0), &day(nights.1)).await;
    answer.expect(409).list("reasons").iter().map(|reason| reason.text("code")).collect()
}

async fn rules_are_judged_all_at_once_and_priced_line_by_line(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let rules = json!({
        "default": {"min_nights": 3, "max_nights": null, "closed_to_arrival": null,
                    "closed_to_departure": null},
        "advance_notice": {"days": 20, "cut_off": null}, "booking_window_days": 40,
        "extra_guests": {"included": 1, "price_per_night": 1_000}, "cleaning_fee": 5_000,
        "weekly_discount_bp": 1_000, "preparation_nights": 1,
        "taxes": [{"name": "VAT", "basis_points": 1_000, "amount": null, "included": false}],
    });
    let laid = server.put(&of(&home, "/rules"), rules.clone()).by(&host).await.expect(200);
    for (field, value) in rules.as_object().expect("an object") {
        assert_eq!(laid[field], *value, "{field}");
    }
    assert_eq!(server.get(&of(&home, "/rules")).await.expect(200), laid, "and everybody may look");
    let failing = codes(server, &guest, &home, (10, 12)).await;
    assert_eq!(failing, ["advance_notice", "min_nights"]);
    assert_eq!(codes(server, &guest, &home, (39, 42)).await, ["beyond_window"]);
    let booking = server.book(&guest, &home, &day(25), &day(32)).await.expect(201);
    let lines = booking.list("lines").iter();
    let lines: Vec<_> = lines.map(|line| (line.text("kind"), line.number("amount"))).collect();
    let expected = [
        ("nights", 84_000),
        ("extra_guests", 7_000),
        ("weekly_discount", -9_100),
        ("cleaning_fee", 5_000),
        ("tax", 8_690),
    ];
    assert_eq!(lines, expected.map(|(kind, amount)| (kind.to_owned(), amount)));
    assert_eq!(booking.number("total_amount"), 95_590);
    assert_eq!(codes(server, &guest, &home, (32, 35)).await, ["preparation"]);
    let paid = server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    assert_eq!(paid.number("amount"), 95_590);
    let preview = format!("/api/v1/bookings/{}/cancellation", booking.text("id"));
    let preview = server.get(&preview).by(&guest).await.expect(200);
    assert_eq!(preview["refund"].number("amount"), 95_590);
}

async fn rules_that_cannot_be_are_refused_by_their_field(server: &mut Server) {
    let (host, _, home) = setting(server).await;
    let before = server.get(&of(&home, "/rules")).await.expect(200);
    let season = |from: &str, to: &str| {
        let terms = json!({"price": 1, "min_nights": null, "max_nights": null,
            "closed_to_arrival": null, "closed_to_departure": null});
        json!({"name": "s", "from": from, "to": to, "terms": terms})
    };
    for (body, pointer) in [
        (json!({"preparation_nights": 31}), "/preparation_nights"),
        (json!({"booking_window_days": 0}), "/booking_window_days"),
        (json!({"advance_notice": {"days": 0, "cut_off": "25:00"}}), "/advance_notice/cut_off"),
        (json!({"cleaning_fee": -1}), "/cleaning_fee"),
        (json!({"service_fee_bp": 5_001}), "/service_fee_bp"),
        (json!({"seasons": [season("2027-02-30", "2027-03-01")]}), "/seasons/0/from"),
        (
            json!({"seasons": [season("2027-01-01", "2027-03-01"),
                               season("2027-02-01", "2027-04-01")]}),
            "/seasons",
        ),
        (json!({"taxes": [{"name": "t", "included": true}]}), "/taxes/0"),
        (json!({"weekdays": {"caturday": null}}), "/weekdays/caturday"),
        (json!({"colour": 1}), "/colour"),
    ] {
        let answer = server.put(&of(&home, "/rules"), body.clone()).by(&host).await;
        answer.is_problem(422, "invalid_field");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{body}");
    }
    assert_eq!(server.get(&of(&home, "/rules")).await.expect(200), before);
}

async fn an_edit_of_many_dates_is_one_event_that_everybody_hears(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let mut socket = Socket::open(server).await;
    socket.subscribe(&home, &day(30), &day(60)).await;
    socket.expect("snapshot").await;
    let body = json!({
        "terms": [
            {"from": day(30), "to": day(40), "price": 20_000, "min_nights": 2},
            {"from": day(32), "to": day(33), "price": 30_000},
        ],
        "blocks": [{"from": day(50), "to": day(53), "reason": "maintenance"}],
    });
    let done = edit(server, &host, &home, body).await;
    assert_eq!((done.number("seq"), &done["dry_run"]), (2, &json!(false)));
    let delta = socket.expect("delta").await;
    assert_eq!((delta.number("prev_seq"), delta.number("seq")), (1, 2));
    assert_eq!(delta["changes"], done["changes"], "the same for everybody");
    assert_eq!(delta["digests"], done["digests"]);
    let path = format!("{}?from={}&to={}", of(&home, "/calendar"), day(29), day(41));
    let calendar = server.get(&path).await.expect(200);
    let prices: Vec<_> = calendar.list("ranges").iter().map(|run| run.number("price")).collect();
    assert_eq!(prices, [12_000, 20_000, 30_000, 20_000, 12_000]);
    assert_eq!(codes(server, &guest, &home, (35, 36)).await, ["min_nights"]);
    assert_eq!(codes(server, &guest, &home, (51, 52)).await, ["unavailable_blocked"]);
    let booking = server.book(&guest, &home, &day(31), &day(34)).await.expect(201);
    assert_eq!(booking.number("total_amount"), 70_000);
    let cleared = json!({"terms": [{"from": day(32), "to": day(33), "price": null}]});
    edit(server, &host, &home, cleared.clone()).await;
    let again = edit(server, &host, &home, cleared).await;
    assert_eq!(again["changes"], json!([]), "it is so already");
    let shown = server.booking(&guest, &booking.text("id")).await.expect(200);
    assert_eq!(shown.number("total_amount"), 70_000, "booked prices stay");
}

async fn an_edit_is_all_or_nothing_and_can_be_tried_dry(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    server.book(&guest, &home, &day(50), &day(52)).await.expect(201);
    let body = json!({
        "terms": [{"from": day(30), "to": day(40), "price": 20_000}],
        "blocks": [{"from": day(49), "to": day(53), "reason": "owner"}],
    });
    let path = of(&home, "/calendar");
    let ask = |path: String| server.ask(reqwest::Method::PATCH, &path).by(&host).json(&body);
    ask(path.clone()).await.is_problem(409, "live_bookings");
    let seen = format!("{path}?from={}&to={}", day(29), day(60));
    let before = server.get(&seen).await.expect(200);
    assert_eq!(before.list("ranges")[0].number("price"), 12_000);
    let mut around = body.clone();
    around["mode"] = json!("around");
    let dry = format!("{path}?dry_run=true");
    let would = server.ask(reqwest::Method::PATCH, &dry).by(&host).json(&around);
    let would = would.await.expect(200);
    assert_eq!((would.list("blocked").len(), &would["dry_run"]), (2, &json!(true)));
    assert_eq!(server.get(&seen).await.expect(200), before, "nothing happened");
    let done = edit(server, &host, &home, around).await;
    assert_eq!((&done["changes"], &done["digests"]), (&would["changes"], &would["digests"]));
}

async fn blocks_overlap_and_open_when_the_last_is_gone(server: &mut Server) {
    let (host, _, home) = setting(server).await;
    let path = of(&home, "/blocks");
    let ask = |from, to| {
        let body = json!({"from": day(from), "to": day(to), "reason": "owner"});
        server.post(&path, body).by(&host)
    };
    let first = ask(40, 44).key("once").await;
    let again = ask(40, 44).key("once").await;
    assert_eq!((first.expect(201), true), (again.expect(201), again.is_replayed()));
    ask(41, 44).key("once").await.is_problem(422, "idempotency_key_reused");
    let second = ask(42, 46).await.expect(201);
    let nights = async || server.states(&home, &day(40), &day(46)).await;
    assert_eq!(nights().await, ["blocked"; 6]);
    let remove = |block: &Value| server.delete(&format!("{path}/{}", block.text("id"))).by(&host);
    remove(&first.body).await.expect(204);
    remove(&first.body).await.is_problem(404, "not_found");
    let open = ["available", "available", "blocked", "blocked", "blocked", "blocked"];
    assert_eq!(nights().await, open);
    let listed = server.get(&path).by(&host).await.expect(200);
    assert_eq!(listed["data"], json!([second]));
    remove(&second).await.expect(204);
    assert_eq!(nights().await, ["available"; 6]);
}

async fn a_block_over_bookings_is_refused_or_goes_around(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let booking = server.book(&guest, &home, &day(42), &day(44)).await.expect(201);
    let block = json!({"from": day(40), "to": day(46), "reason": "owner"});
    let answer = server.post(&of(&home, "/blocks"), block.clone()).by(&host).await;
    answer.is_problem(409, "live_bookings");
    assert!(answer.body.text("detail").contains(&booking.text("id")), "{}", answer.body);
    let done = edit(server, &host, &home, json!({"blocks": [block], "mode": "around"})).await;
    let pieces = done.list("blocked").iter().map(|block| (block.text("from"), block.text("to")));
    let pieces: Vec<_> = pieces.collect();
    assert_eq!(pieces, [(day(40), day(42)), (day(44), day(46))]);
    let states = ["blocked", "blocked", "held", "held", "blocked", "blocked"];
    assert_eq!(server.states(&home, &day(40), &day(46)).await, states);
}

async fn a_note_is_for_the_host_alone(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let note = "Grandmother's ruby wedding";
    let block = json!({"from": day(40), "to": day(42), "reason": "owner", "note": note});
    server.post(&of(&home, "/blocks"), block).by(&host).await.expect(201);
    let listed = server.get(&of(&home, "/blocks")).by(&host).await.expect(200);
    assert_eq!(listed.list("data")[0].text("note"), note);
    server.get(&of(&home, "/blocks")).by(&guest).await.is_problem(403, "forbidden");
    for path in [of(&home, "/events"), format!("{}?from={}", of(&home, "/calendar"), day(1))] {
        let seen = server.get(&path).by(&guest).await.expect(200).to_string();
        assert!(!seen.contains("ruby"), "{seen}");
    }
}

async fn a_bad_edit_is_refused_by_its_field_and_changes_nothing(server: &mut Server) {
    let (host, _, home) = setting(server).await;
    let counts = server.storage().counts().await;
    let terms = |field: &str, value: Value| json!({"terms": [{"from": day(1), "to": day(2), field: value}]});
    let block = |field: &str, value: Value| {
        let mut block = json!({"from": day(1), "to": day(2), "reason": "owner"});
        block[field] = value;
        json!({"blocks": [block]})
    };
    for (body, pointer) in [
        (terms("price", json!(-1)), "/terms"),
        (terms("price", json!("12")), "/terms/0/price"),
        (terms("min_nights", json!(0)), "/terms"),
        (terms("weekdays", json!(["caturday"])), "/terms/0/weekdays/0"),
        (terms("colour", json!(1)), "/terms/0/colour"),
        (terms("to", json!(day(1))), "/terms/0/to"),
        (terms("from", json!("2026-02-30")), "/terms/0/from"),
        (block("reason", json!("because")), "/blocks/0/reason"),
        (block("to", json!("soon")), "/blocks/0/to"),
        (block("note", json!("x".repeat(1_001))), "/blocks"),
        (json!({"mode": "through"}), "/mode"),
        (json!({"unblock": [home]}), "/unblock"),
        (json!({"unblock": ["x"]}), "/unblock/0"),
        (
            json!({"terms": [{"from": day(1), "to": day(2)}, {"from": day(800), "to": day(801)}]}),
            "/terms",
        ),
    ] {
        let ask = server.ask(reqwest::Method::PATCH, &of(&home, "/calendar")).by(&host);
        let answer = ask.json(&body).await;
        answer.is_problem(422, "invalid_field");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{body}");
    }
    assert_eq!(server.storage().counts().await, counts);
}

async fn an_edit_is_made_on_the_event_that_if_match_names(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let path = format!("{}?from={}", of(&home, "/calendar"), day(1));
    let seen = server.get(&path).await;
    let ask = |price: i64, tag: &str| {
        let body = json!({"terms": [{"from": day(1), "to": day(9), "price": price}]});
        let ask = server.ask(reqwest::Method::PATCH, &of(&home, "/calendar"));
        ask.by(&host).header("If-Match", tag).json(&body)
    };
    let done = ask(1, seen.header("etag")).await;
    done.expect(200);
    ask(2, seen.header("etag")).await.is_problem(412, "precondition_failed");
    ask(2, done.header("etag")).await.expect(200);
    server.book(&guest, &home, &day(1), &day(2)).await.expect(201);
    ask(3, done.header("etag")).await.is_problem(412, "precondition_failed");
}

async fn a_request_is_accepted_or_declined_by_its_host(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let by_request = json!({"instant_book": false});
    server.put(&of(&home, ""), by_request).by(&host).await.expect(200);
    let booked = async |nights: (i32, i32)| {
        let booking = server.book(&guest, &home, &day(nights.0), &day(nights.1)).await.expect(201);
        assert_eq!(booking.text("awaiting"), "host");
        booking.text("id")
    };
    let word = |booking: &str, word: &str| {
        let path = format!("/api/v1/bookings/{booking}/{word}");
        server.ask(reqwest::Method::POST, &path).by(&host)
    };
    let wanted = booked((40, 42)).await;
    let accepted = word(&wanted, "accept").await.expect(200);
    assert_eq!(
        (accepted.text("status"), accepted.text("awaiting")),
        ("PENDING".into(), "payment".into())
    );
    word(&wanted, "accept").await.is_problem(409, "wrong_status");
    let paid = server.pay(&guest, &wanted, "pm_card_visa").await;
    paid.expect(201);
    let confirmed = server.booking(&guest, &wanted).await.expect(200);
    assert_eq!(confirmed.text("status"), "CONFIRMED");
    let authorised = booked((43, 45)).await;
    server.pay(&guest, &authorised, "pm_card_visa").await.expect(201);
    let accepted = word(&authorised, "accept").key("yes").await.expect(200);
    assert_eq!(accepted.text("status"), "CONFIRMED", "it was paid before");
    assert!(word(&authorised, "accept").key("yes").await.is_replayed());
    let unwanted = booked((46, 48)).await;
    server.pay(&guest, &unwanted, "pm_card_visa").await.expect(201);
    let declined = word(&unwanted, "decline").await.expect(200);
    assert_eq!(declined.text("status"), "DECLINED");
    assert_eq!(word(&unwanted, "decline").await.expect(200), declined, "said before");
    assert_eq!(server.states(&home, &day(46), &day(48)).await, ["available"; 2]);
    let late = booked((46, 48)).await;
    server.advance(DAY).await;
    word(&late, "accept").await.is_problem(409, "booking_ended");
}

async fn a_host_who_gives_up_a_booking_keeps_its_nights_blocked(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    for (query, state) in [("", "blocked"), ("?reopen=true", "available")] {
        let booking = server.book(&guest, &home, &day(50), &day(53)).await.expect(201);
        server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
        let path = format!("/api/v1/bookings/{}{query}", booking.text("id"));
        let canceled = server.delete(&path).by(&host).await.expect(200);
        assert_eq!(canceled["refund"].number("amount"), booking.number("total_amount"));
        assert_eq!(server.states(&home, &day(50), &day(53)).await, [state; 3], "{query}");
        let blocks = server.get(&of(&home, "/blocks")).by(&host).await.expect(200);
        for block in blocks.list("data") {
            let path = format!("{}/{}", of(&home, "/blocks"), block.text("id"));
            server.delete(&path).by(&host).await.expect(204);
        }
    }
}

async fn a_guest_who_never_came_frees_the_nights_that_are_left(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    // Counted from the server's today: how many nights have passed after three days depends on it.
    let today: Night =
        server.get(&of(&home, "/calendar")).await.expect(200).text("from").parse().expect("a date");
    let day = |from_now: i32| today.plus(from_now).to_string();
    let booking = server.book(&guest, &home, &day(2), &day(6)).await.expect(201).text("id");
    server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    let path = format!("/api/v1/bookings/{booking}/no_show?waive=true");
    let ask = || server.ask(reqwest::Method::POST, &path).by(&host);
    ask().await.is_problem(409, "wrong_moment");
    server.advance(3 * DAY).await;
    let absent = ask().await.expect(200);
    assert_eq!(absent.text("status"), "NO_SHOW");
    let states = server.states(&home, &day(2), &day(6)).await;
    assert_eq!(states, ["booked", "booked", "available", "available"]);
    let other = server.guest().await;
    server.book(&other, &home, &day(4), &day(6)).await.expect(201);
}

async fn a_policy_is_copied_when_the_booking_is_made(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let policy =
        |name: &str| server.put(&of(&home, ""), json!({"cancellation_policy": name})).by(&host);
    let preview = async |booking: &str| {
        let path = format!("/api/v1/bookings/{booking}/cancellation");
        let preview = server.get(&path).by(&guest).await.expect(200);
        (preview.text("cancellation_policy"), preview["refund"].number("amount"))
    };
    policy("lenient").await.is_problem(422, "invalid_field");
    policy("moderate").await.expect(200);
    let booking = server.book(&guest, &home, &day(3), &day(5)).await.expect(201).text("id");
    server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    policy("non_refundable").await.expect(200);
    assert_eq!(preview(&booking).await, ("moderate".to_owned(), 12_000));
    let later = server.book(&guest, &home, &day(60), &day(62)).await.expect(201).text("id");
    server.pay(&guest, &later, "pm_card_visa").await.expect(201);
    assert_eq!(preview(&later).await, ("non_refundable".to_owned(), 0));
    let canceled = server.cancel(&guest, &booking).await.expect(200);
    assert_eq!(canceled["refund"].number("amount"), 12_000);
}

async fn everything_is_there_after_a_restart(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let rules = json!({"preparation_nights": 1});
    server.put(&of(&home, "/rules"), rules).by(&host).await.expect(200);
    let body = json!({
        "terms": [{"from": day(30), "to": day(33), "price": 1_000, "closed_to_arrival": true}],
        "blocks": [{"from": day(40), "to": day(42), "reason": "owner"}],
    });
    edit(server, &host, &home, body).await;
    server.book(&guest, &home, &day(29), &day(32)).await.expect(201);
    let path = format!("{}?from={}", of(&home, "/calendar"), day(1));
    let before = server.get(&path).await.expect(200);
    server.restart().await;
    assert_eq!(server.get(&path).await.expect(200), before);
    assert_eq!(codes(server, &guest, &home, (32, 34)).await, ["closed_to_arrival", "preparation"]);
    assert_eq!(codes(server, &guest, &home, (41, 43)).await, ["unavailable_blocked"]);
}
