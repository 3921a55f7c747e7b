//! Finding a place to stay: every filter alone and with every other, the orders and their pages,
//! and that a search says what a booking would be told.

use crate::helpers::{Chance, Document, Person, Server, day, home, on_both};
use serde_json::{Value, json};
use std::collections::BTreeMap;

on_both!(
    every_filter_finds_what_passes_it_alone_and_with_every_other,
    homes_come_by_price_rating_and_distance,
    pages_have_no_gap_and_no_double_while_others_book,
    a_hold_hides_a_home_until_its_time_is_over,
    a_search_says_what_a_booking_is_told,
    odd_text_finds_nothing_and_does_no_harm,
    a_search_that_cannot_be_is_refused_by_its_parameter,
    a_cursor_of_another_search_is_refused,
);

/// Of one stay in all tests but one.
const NIGHTS: (i32, i32) = (60, 63);
const DAY: u64 = 24 * 60 * 60;

/// The dates of that stay as a query.
fn dates() -> String {
    dates_of(NIGHTS)
}

fn dates_of((from, to): (i32, i32)) -> String {
    format!("check_in={}&check_out={}", day(from), day(to))
}

/// Lists a home that is like every other but for these fields.
async fn list(server: &Server, host: &Person, fields: Value) -> String {
    let mut body = home();
    for (name, value) in fields.as_object().expect("an object") {
        body[name] = value.clone();
    }
    server.post("/api/v1/properties", body).by(host).await.expect(201).text("id")
}

async fn lay_down(server: &Server, host: &Person, home: &str, rules: Value) {
    server.put(&format!("/api/v1/properties/{home}/rules"), rules).by(host).await.expect(200);
}

async fn edit(server: &Server, host: &Person, home: &str, body: Value) {
    let path = format!("/api/v1/properties/{home}/calendar");
    server.ask(reqwest::Method::PATCH, &path).by(host).json(&body).await.expect(200);
}

/// Everything that a search finds, page by page.
async fn found(server: &Server, query: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/properties?{query}&limit=2{cursor}");
        let page = server.get(&path).await.expect(200);
        let here = page.list("data");
        rows.extend(here.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
        assert_eq!(here.len(), 2, "{path} is not full");
    }
}

async fn ids(server: &Server, query: &str) -> Vec<String> {
    found(server, query).await.iter().map(|row| row.text("id")).collect()
}

/// Gives these homes so many stars, each for a stay that is over then.
async fn rate(server: &Server, guest: &Person, stars: &[(&String, i64)]) {
    let mut reviews = Vec::new();
    for (home, stars) in stars {
        let booking = server.book(guest, home, &day(1), &day(2)).await.expect(201).text("id");
        server.pay(guest, &booking, "pm_card_visa").await.expect(201);
        reviews.push(json!({ "booking_id": booking, "rating": stars, "comment": "Quiet." }));
    }
    server.advance(3 * DAY).await;
    for review in reviews {
        server.post("/api/v1/reviews", review).by(guest).await.expect(201);
    }
}

/// Seven homes that differ in whatever searches ask for.
async fn seven_homes(server: &Server) -> Vec<String> {
    let (host, guest) = (server.host().await, server.guest().await);
    let mut homes = Vec::new();
    for fields in [
        json!({ "latitude": 38.71, "longitude": -9.14, "amenities": ["wifi", "desk"] }),
        json!({ "latitude": 38.75, "longitude": -9.20, "amenities": ["wifi"], "max_guests": 2 }),
        json!({ "latitude": 41.15, "longitude": -8.61, "city": "Porto", "price_per_night": 9_000 }),
        json!({ "latitude": -16.8, "longitude": 179.9, "city": "Savusavu", "country": "FJ",
                "instant_book": false }),
        json!({ "latitude": -16.8, "longitude": -179.9, "city": "Taveuni", "country": "FJ",
                "amenities": ["wifi", "desk"], "price_per_night": 5_000 }),
        json!({ "currency": "USD", "price_per_night": 8_000 }),
        json!({ "amenities": ["desk"], "instant_book": false, "max_guests": 3 }),
    ] {
        homes.push(list(server, &host, fields).await);
    }
    lay_down(server, &host, &homes[2], json!({ "cleaning_fee": 10_000 })).await;
    lay_down(server, &host, &homes[4], json!({ "default": {
        "min_nights": 4, "max_nights": null, "closed_to_arrival": null, "closed_to_departure": null,
    }}))
    .await;
    let blocked = json!({ "blocks": [{ "from": day(62), "to": day(64), "reason": "owner" }] });
    edit(server, &host, &homes[6], blocked).await;
    rate(server, &guest, &[(&homes[0], 5), (&homes[1], 4)]).await;
    server.book(&guest, &homes[1], &day(59), &day(61)).await.expect(201);
    homes
}

async fn every_filter_finds_what_passes_it_alone_and_with_every_other(server: &mut Server) {
    let homes = seven_homes(server).await;
    let dates = dates();
    let filters: [(&str, &[usize]); 18] = [
        ("city=LISBON", &[0, 1, 5, 6]),
        ("country=FJ", &[3, 4]),
        ("currency=EUR", &[0, 1, 2, 3, 4, 6]),
        ("guests=3", &[0, 2, 3, 4, 5, 6]),
        ("amenities=wifi", &[0, 1, 4]),
        ("amenities=desk,wifi", &[0, 4]),
        ("max_price=9000", &[2, 4, 5]),
        ("instant_book=true", &[0, 1, 2, 4, 5]),
        ("instant_book=false", &[3, 6]),
        ("min_rating=4", &[0, 1]),
        ("min_rating=4.01", &[0]),
        ("bbox=-10,38,-8,40", &[0, 1]),
        // Across the 180th meridian.
        ("bbox=179,-20,-179,0", &[3, 4]),
        ("bbox=-180,-90,180,90", &[0, 1, 2, 3, 4]),
        ("near=38.71,-9.14&radius_km=5", &[0]),
        ("near=38.71,-9.14&radius_km=300", &[0, 1, 2]),
        ("near=-16.8,180&radius_km=50", &[3, 4]),
        (&dates, &[0, 2, 3, 5]),
    ];
    let names = |query: &str| -> Vec<String> {
        query.split('&').map(|pair| pair.split('=').next().expect("a name").to_owned()).collect()
    };
    for (first, (query, passing)) in filters.iter().enumerate() {
        for (other, also) in &filters[first..] {
            let both =
                if query == other { (*query).to_owned() } else { format!("{query}&{other}") };
            let mut expected: Vec<_> = passing.iter().filter(|home| also.contains(home)).collect();
            expected.reverse();
            let expected: Vec<_> = expected.into_iter().map(|home| homes[*home].clone()).collect();
            let is_twice = query != other && names(query).iter().any(|n| names(other).contains(n));
            if !is_twice {
                assert_eq!(ids(server, &both).await, expected, "{both}");
            }
        }
    }
    // The price of a stay is that with its fees: 36,000, 37,000, 36,000.
    for (query, expected) in [
        ("max_total=36000", vec![3, 0]),
        ("min_total=36001", vec![2]),
        ("min_total=37000&max_total=37000&guests=2", vec![2]),
        ("max_total=35999", vec![]),
    ] {
        let query = format!("{dates}&currency=EUR&{query}");
        let expected: Vec<_> =
            expected.into_iter().map(|home: usize| homes[home].clone()).collect();
        assert_eq!(ids(server, &query).await, expected, "{query}");
    }
}

async fn homes_come_by_price_rating_and_distance(server: &mut Server) {
    let homes = seven_homes(server).await;
    let dates = dates();
    for (query, expected) in [
        ("sort=price&currency=EUR".to_owned(), vec![4, 2, 0, 1, 3, 6]),
        ("sort=price&currency=USD".to_owned(), vec![5]),
        // Those that cost the same stand in the order in which they were made.
        (format!("sort=price&currency=EUR&{dates}"), vec![0, 3, 2]),
        ("sort=rating".to_owned(), vec![0, 1, 6, 5, 4, 3, 2]),
        (format!("sort=rating&{dates}"), vec![0, 5, 3, 2]),
        ("sort=distance&near=38.75,-9.2&radius_km=500".to_owned(), vec![1, 0, 2]),
        ("sort=distance&near=-16.8,-179.95&radius_km=500".to_owned(), vec![4, 3]),
        (format!("sort=distance&near=41,-9&radius_km=500&{dates}"), vec![2, 0]),
        (format!("sort=newest&{dates}"), vec![5, 3, 2, 0]),
    ] {
        let expected: Vec<_> =
            expected.into_iter().map(|home: usize| homes[home].clone()).collect();
        assert_eq!(ids(server, &query).await, expected, "{query}");
    }
    let near = found(server, &format!("near=38.71,-9.14&radius_km=20&{dates}&guests=2")).await;
    let [row] = &near[..] else { panic!("{near:?}") };
    let stay = json!({ "nights": 3, "total_amount": 36_000, "currency": "EUR" });
    assert_eq!((&row["stay"], &row["distance_metres"]), (&stay, &json!(0)));
    let plain = found(server, "city=porto").await;
    assert!(plain[0].get("stay").is_none() && plain[0].get("distance_metres").is_none());
    let alone = server.get(&format!("/api/v1/properties/{}", homes[2])).await.expect(200);
    assert_eq!(plain[0], alone, "a list shows a home as its own address does");
}

async fn pages_have_no_gap_and_no_double_while_others_book(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let mut homes = Vec::new();
    for number in 0..16_i64 {
        let fields = json!({
            "price_per_night": 10_000 + number * 7_919 % 5 * 1_000,
            "latitude": 38.0 + (number * 31 % 16) as f64 / 100.0, "longitude": -9.0,
        });
        homes.push(list(server, &host, fields).await);
    }
    let near = "near=38,-9&radius_km=100";
    for (turn, sort) in
        ["sort=newest", "sort=price", "sort=rating", "sort=distance"].iter().enumerate()
    {
        // Every walk has nights of its own.
        let from = 60 + 10 * i32::try_from(turn).expect("few");
        let query = format!("{}&currency=EUR&{near}&{sort}", dates_of((from, from + 2)));
        let (mut shown, mut booked) = (Vec::new(), Vec::new());
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/properties?{query}&limit=3{cursor}");
            let page = server.get(&path).await.expect(200);
            let here: Vec<String> = page.list("data").iter().map(|row| row.text("id")).collect();
            shown.extend(here.iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else { break };
            assert_eq!(here.len(), 3, "{path} is not full");
            cursor = format!("&cursor={next}");
            // Somebody takes the last one that was shown, and one that was not.
            let hidden = homes.iter().find(|home| !shown.contains(home) && !booked.contains(*home));
            for home in [here.last(), hidden].into_iter().flatten() {
                server.book(&guest, home, &day(from), &day(from + 2)).await.expect(201);
                booked.push(home.clone());
            }
        }
        let mut once = shown.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), shown.len(), "{sort} shows a home twice: {shown:?}");
        let missing: Vec<_> =
            homes.iter().filter(|home| !shown.contains(home) && !booked.contains(home)).collect();
        assert!(missing.is_empty(), "{sort} leaves out {missing:?}");
    }
}

async fn a_hold_hides_a_home_until_its_time_is_over(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let one = server.home(&host).await;
    let found = std::slice::from_ref(&one);
    assert_eq!(ids(server, &dates()).await, found);
    let booking = server.book(&guest, &one, &day(60), &day(63)).await.expect(201).text("id");
    assert!(ids(server, &dates()).await.is_empty());
    // The nights beside it are free.
    for nights in [(58, 60), (63, 64)] {
        assert_eq!(ids(server, &dates_of(nights)).await, found);
    }
    server.advance(15 * 60 - 1).await;
    assert!(ids(server, &dates()).await.is_empty());
    server.advance(1).await;
    assert_eq!(ids(server, &dates()).await, found);
    assert_eq!(server.booking(&guest, &booking).await.expect(200)["status"], "EXPIRED");
    let again = server.book(&guest, &one, &day(60), &day(63)).await.expect(201).text("id");
    server.pay(&guest, &again, "pm_card_visa").await.expect(201);
    server.advance(DAY).await;
    assert!(ids(server, &dates()).await.is_empty());
    server.cancel(&guest, &again).await.expect(200);
    assert_eq!(ids(server, &dates()).await, found);
}

/// Rules as a host might lay them down.
fn some_rules(chance: &mut Chance) -> Value {
    let mut terms = |price: bool| {
        let mut maybe = |value: Value| if chance.below(4) == 0 { value } else { Value::Null };
        let mut terms = json!({
            "min_nights": maybe(json!(3)), "max_nights": maybe(json!(6)),
            "closed_to_arrival": maybe(json!(true)), "closed_to_departure": maybe(json!(true)),
        });
        if price {
            terms["price"] = maybe(json!(15_000));
        }
        terms
    };
    let (default, monday, friday, season) = (terms(false), terms(true), terms(true), terms(true));
    json!({
        "default": default,
        "weekdays": {
            "mon": monday, "tue": null, "wed": null, "thu": null, "fri": friday, "sat": null,
            "sun": null,
        },
        "seasons": [{ "name": "s", "from": day(40), "to": day(48), "terms": season }],
        "advance_notice": { "days": chance.below(32), "cut_off": null },
        "booking_window_days": 45 + chance.below(30), "preparation_nights": chance.below(4),
        "extra_guests": { "included": 2, "price_per_night": 1_000 },
        "cleaning_fee": 5_000, "weekly_discount_bp": 1_000,
        "taxes": [{ "name": "VAT", "basis_points": 700, "amount": null, "included": false }],
    })
}

/// A home with random rules, terms of dates, blocks and bookings of every kind.
async fn some_home(server: &Server, people: (&Person, &Person), chance: &mut Chance) -> String {
    let (host, guest) = people;
    let zones = ["Pacific/Apia", "America/Los_Angeles", "Asia/Kolkata", "UTC"];
    let fields = json!({
        "timezone": zones[chance.below(4) as usize], "max_guests": 2 + chance.below(3),
        "instant_book": chance.below(3) > 0, "price_per_night": 10_000 + chance.below(5_000),
    });
    let home = list(server, host, fields).await;
    for _ in 0..chance.below(4) {
        let (from, length) = (30 + chance.days(30), 1 + chance.days(4));
        let booking = server.book(guest, &home, &day(from), &day(from + length)).await;
        match (booking.status, chance.below(3)) {
            (201, 0) => {
                server.cancel(guest, &booking.body.text("id")).await.expect(200);
            }
            (201, 1) => {
                // A request is paid for when its host has said yes.
                server.pay(guest, &booking.body.text("id"), "pm_card_visa").await;
            }
            _ => {}
        }
    }
    if chance.below(3) > 0 {
        lay_down(server, host, &home, some_rules(chance)).await;
    }
    let from = 30 + chance.days(30);
    let terms = json!({
        "from": day(from), "to": day(from + 3), "price": 20_000, "min_nights": 2,
        "closed_to_arrival": chance.below(2) == 0, "closed_to_departure": chance.below(2) == 0,
    });
    let at = 30 + chance.days(30);
    let block = json!({ "from": day(at), "to": day(at + 2), "reason": "owner" });
    let body = json!({ "terms": [terms], "blocks": [block], "mode": "around" });
    edit(server, host, &home, body).await;
    home
}

async fn a_search_says_what_a_booking_is_told(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let mut chance = Chance::new(20_261_123);
    let mut homes = Vec::new();
    for _ in 0..12 {
        homes.push(some_home(server, (&host, &guest), &mut chance).await);
    }
    let (mut had, mut refused) = (0, 0);
    for round in 0..24 {
        let (from, length) = (29 + chance.days(32), 1 + chance.days(9));
        let guests = 1 + chance.below(4);
        let (check_in, check_out) = (day(from), day(from + length));
        let query = format!("check_in={check_in}&check_out={check_out}&guests={guests}");
        let offers: BTreeMap<String, i64> = found(server, &query)
            .await
            .iter()
            .map(|row| (row.text("id"), row["stay"].number("total_amount")))
            .collect();
        for home in &homes {
            let body = json!({ "check_in": check_in, "check_out": check_out, "guests": guests });
            let path = format!("/api/v1/properties/{home}/bookings");
            let answer = server.post(&path, body).by(&guest).await;
            let booked = (answer.status == 201).then(|| answer.body.number("total_amount"));
            let found = offers.get(home).copied();
            assert_eq!(found, booked, "{query} in {home}: {}", answer.body);
            if booked.is_some() && round % 3 > 0 {
                server.cancel(&guest, &answer.body.text("id")).await.expect(200);
            }
            if booked.is_some() { had += 1 } else { refused += 1 }
        }
        if round % 6 == 5 {
            // Holds end, and what can be booked moves on.
            server.advance(DAY).await;
        }
    }
    println!("{had} stays were found, {refused} were not");
    assert!(had > 40 && refused > 100, "{had} stays were found, {refused} were not");
}

async fn odd_text_finds_nothing_and_does_no_harm(server: &mut Server) {
    let one = server.home(&server.host().await).await;
    for text in [
        "%25",
        "_",
        "'",
        "%22",
        "Lisbon%27--",
        "%27+or+1=1+--",
        "%27%3Bdrop+table+property%3B--",
        "%5C",
        "%5C%27",
        "$1",
        "?",
        "%3F",
        "%F0%9F%8F%A0",
        "%E2%80%AE",
        "Lisbon%0A",
        "%01",
        "*",
    ] {
        for name in ["city", "country"] {
            let query = format!("{name}={text}");
            assert!(ids(server, &query).await.is_empty(), "{query}");
        }
    }
    for text in ["%00", "%ff", "Lisbon%00"] {
        for name in ["city", "country", "amenities", "bbox", "near", "sort", "check_in"] {
            let refused = server.get(&format!("/api/v1/properties?{name}={text}")).await;
            refused.is_problem(422, "invalid_field");
            assert_eq!(refused.body["errors"][0]["pointer"], format!("/{name}"));
        }
    }
    let long = "a".repeat(4_000);
    assert!(ids(server, &format!("city={long}")).await.is_empty());
    assert_eq!(ids(server, "city=lisbon").await, [one]);
}

async fn a_search_that_cannot_be_is_refused_by_its_parameter(server: &mut Server) {
    let dates = dates();
    let backwards = format!("check_in={}&check_out={}", day(5), day(5));
    let long = format!("check_in={}&check_out={}", day(5), day(736));
    let (total, cheap) = (format!("{dates}&min_total=1"), "currency=EUR&max_total=1".to_owned());
    let by_price = format!("{dates}&sort=price");
    let half = format!("check_in={}", day(5));
    let other_half = format!("check_out={}", day(5));
    for (query, pointer) in [
        (half.as_str(), "/check_out"),
        (other_half.as_str(), "/check_in"),
        (&backwards, "/check_out"),
        (&long, "/check_out"),
        ("check_in=2027-02-30&check_out=2027-03-02", "/check_in"),
        ("check_in=9999-12-30&check_out=9999-12-31", "/check_in"),
        ("check_in=0001-01-01&check_out=0001-01-02", "/check_in"),
        (&total, "/min_total"),
        (&cheap, "/max_total"),
        (&by_price, "/sort"),
        ("sort=price", "/sort"),
        ("sort=distance", "/sort"),
        ("sort=Newest", "/sort"),
        ("sort=", "/sort"),
        ("guests=0", "/guests"),
        ("guests=65536", "/guests"),
        ("bbox=1,2,3", "/bbox"),
        ("bbox=1,2,3,4,5", "/bbox"),
        ("bbox=-181,0,0,1", "/bbox"),
        ("bbox=0,1,1,0", "/bbox"),
        ("bbox=nan,0,1,1", "/bbox"),
        ("bbox=", "/bbox"),
        ("near=38.7&radius_km=1", "/near"),
        ("near=91,0&radius_km=1", "/near"),
        ("near=inf,0&radius_km=1", "/near"),
        ("near=38.7,-9.1", "/radius_km"),
        ("radius_km=1", "/near"),
        ("near=38.7,-9.1&radius_km=0", "/radius_km"),
        ("near=38.7,-9.1&radius_km=500.1", "/radius_km"),
        ("near=38.7,-9.1&radius_km=-1", "/radius_km"),
        ("near=38.7,-9.1&radius_km=nan", "/radius_km"),
        ("instant_book=yes", "/instant_book"),
        ("min_rating=0.99", "/min_rating"),
        ("min_rating=5.01", "/min_rating"),
        ("min_rating=4.555", "/min_rating"),
        ("min_rating=-4", "/min_rating"),
        ("min_rating=4.", "/min_rating"),
        ("min_rating=4e0", "/min_rating"),
        ("max_total=1.5", "/max_total"),
        ("max_total=99999999999999999999", "/max_total"),
    ] {
        let refused = server.get(&format!("/api/v1/properties?{query}")).await;
        refused.is_problem(422, "invalid_field");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{query}: {}", refused.body);
    }
    // What is past cannot be had, and is no mistake.
    assert!(ids(server, &dates_of((-9, -5))).await.is_empty());
    let longest = format!("check_in={}&check_out={}", day(5), day(735));
    for query in [longest.as_str(), "near=90,180&radius_km=500", "min_rating=5.00"] {
        server.get(&format!("/api/v1/properties?{query}")).await.expect(200);
    }
}

async fn a_cursor_of_another_search_is_refused(server: &mut Server) {
    let host = server.host().await;
    for _ in 0..3 {
        server.home(&host).await;
    }
    let first = format!("{}&currency=EUR&guests=2", dates());
    let page = server.get(&format!("/api/v1/properties?{first}&limit=1")).await.expect(200);
    let cursor = page.text("next_cursor");
    let turned = "guests=2&currency=EUR";
    let same = format!("/properties?{turned}&cursor={cursor}&limit=2&{}", dates());
    assert_eq!(server.get(&same).await.expect(200).list("data").len(), 2);
    for query in [
        String::new(),
        dates(),
        format!("{first}&sort=price"),
        format!("{first}&sort=rating"),
        first.replace("guests=2", "guests=3"),
        format!("{}&currency=EUR&guests=2", dates_of((60, 64))),
    ] {
        let refused = server.get(&format!("/api/v1/properties?{query}&cursor={cursor}")).await;
        refused.is_problem(422, "invalid_field");
        assert_eq!(refused.body["errors"][0]["pointer"], "/cursor", "{query}");
    }
}
