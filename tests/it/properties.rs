//! A property's life: made, changed, listed, found and closed.

use crate::helpers::{Document, Person, Server, day, home, on_both};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    put_takes_what_get_returned_and_absent_fields_stay,
    what_cannot_change_is_refused_by_its_name,
    an_edit_that_names_a_version_is_made_on_that_version_only,
    many_edits_at_once_are_all_made,
    a_price_counts_from_the_edit_on_and_booked_prices_stay,
    a_draft_is_its_hosts_affair_until_it_is_listed,
    an_unlisted_home_honours_its_bookings_and_takes_no_more,
    a_home_is_closed_when_its_bookings_have_ended_and_for_good,
    only_the_host_and_an_admin_may_change_a_home,
    every_edit_is_an_event_and_the_feed_has_no_gap,
    filters_find_what_passes_all_of_them_and_nothing_else,
    a_host_finds_own_homes_in_every_state_and_others_only_the_listed,
    filters_that_cannot_be_are_refused_by_name,
    amenities_are_slugs_from_the_list,
);

fn path(home: &str) -> String {
    format!("/api/v1/properties/{home}")
}

fn with(fields: Value) -> Value {
    let mut body = home();
    let (Value::Object(whole), Value::Object(fields)) = (&mut body, fields) else {
        panic!("objects")
    };
    whole.extend(fields);
    body
}

async fn put_takes_what_get_returned_and_absent_fields_stay(server: &mut Server) {
    let host = server.host().await;
    let home = path(&server.home(&host).await);
    let was = server.get(&home).by(&host).await;
    let same = server.ask(Method::PUT, &home).by(&host).json(&was.expect(200)).await;
    assert_eq!((same.expect(200), same.header("etag")), (was.body.clone(), was.header("etag")));
    let body = json!({"title": "Boathouse", "latitude": -1.25, "longitude": 36.75});
    let now = server.ask(Method::PUT, &home).by(&host).json(&body).await;
    let mut expected = was.body.clone();
    expected["title"] = json!("Boathouse");
    expected["latitude"] = json!(-1.25);
    expected["longitude"] = json!(36.75);
    assert_eq!(now.expect(200), expected);
    assert_ne!(now.header("etag"), was.header("etag"));
    assert_eq!(server.get(&home).await.expect(200), expected, "it is so for everybody");
    let body = json!({"latitude": null, "longitude": null});
    let now = server.ask(Method::PUT, &home).by(&host).json(&body).await;
    assert_eq!(now.expect(200)["latitude"], Value::Null);
}

async fn what_cannot_change_is_refused_by_its_name(server: &mut Server) {
    let host = server.host().await;
    let home = path(&server.home(&host).await);
    let before = server.get(&home).await.expect(200);
    for (body, pointer) in [
        (json!({"id": "01920000-7000-8000-0000-00000000002a"}), "/id"),
        (json!({"host_id": before["id"]}), "/host_id"),
        (json!({"created_at": "2020-01-01T00:00:00Z"}), "/created_at"),
        (json!({"images": [1]}), "/images"),
        (json!({"colour": "red"}), "/colour"),
        (json!({"price_per_night": "100"}), "/price_per_night"),
        (json!({"price_per_night": -1}), "/price_per_night"),
        (json!({"max_guests": 0}), "/max_guests"),
        (json!({"timezone": "Mars/Base"}), "/timezone"),
        (json!({"status": "gone"}), "/status"),
        (json!({"title": "a\0b"}), "/title"),
        (json!({"latitude": 1.0}), "/latitude"),
    ] {
        let refused = server.ask(Method::PUT, &home).by(&host).json(&body).await;
        assert_eq!(refused.expect(422)["errors"][0]["pointer"], pointer, "{body}");
    }
    assert_eq!(server.get(&home).await.expect(200), before, "nothing has changed");
}

async fn an_edit_that_names_a_version_is_made_on_that_version_only(server: &mut Server) {
    let host = server.host().await;
    let home = path(&server.home(&host).await);
    let first = server.get(&home).await.header("etag").to_owned();
    let put = |title: &str, tag: &str| {
        let body = json!({"title": title});
        server.ask(Method::PUT, &home).by(&host).header("if-match", tag).json(&body)
    };
    let second = put("One", &first).await;
    second.expect(200);
    put("Two", &first).await.is_problem(412, "precondition_failed");
    let stale = server.delete(&home).by(&host).header("if-match", &first).await;
    stale.is_problem(412, "precondition_failed");
    put("Three", second.header("etag")).await.expect(200);
    assert_eq!(server.get(&home).await.expect(200)["title"], "Three");
}

async fn many_edits_at_once_are_all_made(server: &mut Server) {
    let host = server.host().await;
    let home = path(&server.home(&host).await);
    let edits = [
        json!({"title": "Cabin"}),
        json!({"city": "Kisumu"}),
        json!({"price_per_night": 5_500}),
        json!({"amenities": ["wifi", "pool"]}),
    ];
    let puts = edits.iter().map(|body| server.ask(Method::PUT, &home).by(&host).json(body));
    let answers = futures_util::future::join_all(puts.map(IntoFuture::into_future)).await;
    answers.iter().for_each(|answer| drop(answer.expect(200)));
    let now = server.get(&home).await.expect(200);
    for body in &edits {
        for (name, value) in body.as_object().expect("an object") {
            if name == "amenities" {
                assert_eq!(now[name], json!(["pool", "wifi"]));
            } else {
                assert_eq!(now[name], *value);
            }
        }
    }
    server.verify().await;
}

async fn a_price_counts_from_the_edit_on_and_booked_prices_stay(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let before = server.book(&guest, &home, &day(40), &day(42)).await.expect(201);
    let price = json!({"price_per_night": 77_700});
    server.ask(Method::PUT, &path(&home)).by(&host).json(&price).await.expect(200);
    let other = server.guest().await;
    let after = server.book(&other, &home, &day(50), &day(52)).await.expect(201);
    assert_eq!(after["total_amount"], 155_400);
    let kept = server.booking(&guest, &before.text("id")).await.expect(200);
    assert_eq!(kept["total_amount"], before["total_amount"]);
}

async fn a_draft_is_its_hosts_affair_until_it_is_listed(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let body = with(json!({"status": "draft"}));
    let made = server.post("/api/v1/properties", body).by(&host).await.expect(201);
    let home = path(&made.text("id"));
    assert_eq!(made["status"], "draft");
    server.get(&home).by(&host).await.expect(200);
    server.get(&home).by(&guest).await.is_problem(404, "not_found");
    server.get(&home).await.is_problem(404, "not_found");
    let shown = server.get("/api/v1/properties").await.expect(200);
    assert!(shown.list("data").iter().all(|row| row["id"] != made["id"]));
    let refused = server.book(&guest, &made.text("id"), &day(40), &day(41)).await;
    refused.is_problem(409, "property_unlisted");
    let listed = json!({"status": "listed"});
    server.ask(Method::PUT, &home).by(&host).json(&listed).await.expect(200);
    server.get(&home).await.expect(200);
    server.book(&guest, &made.text("id"), &day(40), &day(41)).await.expect(201);
    let draft = json!({"status": "draft"});
    let refused = server.ask(Method::PUT, &home).by(&host).json(&draft).await;
    refused.is_problem(409, "wrong_status");
    let archived = with(json!({"status": "archived"}));
    let refused = server.post("/api/v1/properties", archived).by(&host).await;
    assert_eq!(refused.expect(422)["errors"][0]["pointer"], "/status");
}

async fn an_unlisted_home_honours_its_bookings_and_takes_no_more(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    let unlisted = json!({"status": "unlisted"});
    server.ask(Method::PUT, &path(&home)).by(&host).json(&unlisted).await.expect(200);
    let other = server.guest().await;
    let refused = server.book(&other, &home, &day(50), &day(52)).await;
    refused.is_problem(409, "property_unlisted");
    server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    assert_eq!(server.booking(&guest, &booking).await.expect(200)["status"], "CONFIRMED");
}

async fn a_home_is_closed_when_its_bookings_have_ended_and_for_good(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    let refused = server.delete(&path(&home)).by(&host).await;
    refused.is_problem(409, "live_bookings");
    assert!(refused.body.text("detail").contains(&booking), "{}", refused.body);
    server.cancel(&guest, &booking).await.expect(200);
    assert_eq!(server.delete(&path(&home)).by(&host).await.status, 204);
    assert_eq!(server.delete(&path(&home)).by(&host).await.status, 204, "it is so already");
    assert_eq!(server.get(&path(&home)).by(&host).await.expect(200)["status"], "archived");
    server.get(&path(&home)).await.is_problem(404, "not_found");
    for body in [json!({"status": "listed"}), json!({"title": "Again"})] {
        let refused = server.ask(Method::PUT, &path(&home)).by(&host).json(&body).await;
        refused.is_problem(409, "wrong_status");
    }
    server.booking(&guest, &booking).await.expect(200);
    server.verify().await;
}

async fn only_the_host_and_an_admin_may_change_a_home(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.host().await);
    let admin = server.admin().await;
    let home = path(&server.home(&host).await);
    let body = json!({"title": "Mine"});
    server.ask(Method::PUT, &home).json(&body).await.is_problem(401, "unauthenticated");
    for stranger in [&guest, &other] {
        let refused = server.ask(Method::PUT, &home).by(stranger).json(&body).await;
        refused.is_problem(403, "forbidden");
        server.delete(&home).by(stranger).await.is_problem(403, "forbidden");
    }
    server.ask(Method::PUT, &home).by(&admin).json(&body).await.expect(200);
    let nowhere = path("01920000-7000-8000-0000-00000000002a");
    server.ask(Method::PUT, &nowhere).by(&host).json(&body).await.is_problem(404, "not_found");
}

async fn every_edit_is_an_event_and_the_feed_has_no_gap(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    for title in ["One", "Two"] {
        let body = json!({"title": title});
        server.ask(Method::PUT, &path(&home)).by(&host).json(&body).await.expect(200);
    }
    server.book(&guest, &home, &day(40), &day(41)).await.expect(201);
    let events = server.get(&format!("{}/events", path(&home))).by(&host).await.expect(200);
    let events = events.list("data");
    let seqs: Vec<i64> = events.iter().filter_map(|event| event["seq"].as_i64()).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
    let causes: Vec<&str> =
        events.iter().filter_map(|event| event["audit"]["cause"].as_str()).collect();
    assert_eq!(causes[..3], ["property_created", "property_changed", "property_changed"]);
    server.restart().await;
    assert_eq!(server.get(&path(&home)).await.expect(200)["title"], "Two");
    server.verify().await;
}

async fn filters_find_what_passes_all_of_them_and_nothing_else(server: &mut Server) {
    let host = server.host().await;
    let mut made = Vec::new();
    for (city, country, price, guests, amenities) in [
        ("Mombasa", "KE", 5_000, 2, json!(["wifi"])),
        ("Mombasa", "KE", 9_000, 4, json!(["wifi", "pool"])),
        ("Nakuru", "KE", 9_000, 4, json!(["pool"])),
        ("Arusha", "TZ", 7_000, 6, json!([])),
        ("Zürich", "CH", 30_000, 2, json!(["sauna", "wifi"])),
    ] {
        let currency = if country == "CH" { "CHF" } else { "KES" };
        let body = with(json!({
            "city": city, "country": country, "price_per_night": price, "max_guests": guests,
            "amenities": amenities, "currency": currency,
        }));
        made.push(server.post("/api/v1/properties", body).by(&host).await.expect(201).text("id"));
    }
    for (query, expected) in [
        ("", &[4, 3, 2, 1, 0][..]),
        ("city=mombasa", &[1, 0]),
        ("city=Z%C3%9CRICH", &[4]),
        ("country=KE", &[2, 1, 0]),
        ("country=KE&city=Arusha", &[]),
        ("min_price=7000&max_price=9000", &[3, 2, 1]),
        // Without a currency a price means minor units of whichever a home has.
        ("min_price=9000", &[4, 2, 1]),
        ("min_price=9000&currency=KES", &[2, 1]),
        ("currency=CHF", &[4]),
        ("currency=JPY", &[]),
        ("guests=4", &[3, 2, 1]),
        ("amenities=wifi", &[4, 1, 0]),
        ("amenities=wifi,pool", &[1]),
        ("amenities=pool,wifi,pool&city=Mombasa&guests=3&max_price=9000", &[1]),
        ("city=%25", &[]),
        ("city=Momb_sa", &[]),
    ] {
        let mut found = Vec::new();
        let mut next = Some(format!("/api/v1/properties?limit=2&{query}"));
        while let Some(path) = next {
            let page = server.get(&path).await;
            found.extend(page.expect(200).list("data").iter().map(|row| row.text("id")));
            let link = page.header("link").strip_prefix('<');
            next = link.and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).map(str::to_owned);
        }
        found.retain(|id| made.contains(id));
        let expected: Vec<&String> = expected.iter().map(|number| &made[*number]).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    // An edit moves a home from one search to another.
    let moved = json!({"city": "Lamu", "amenities": ["sauna"]});
    server.ask(Method::PUT, &path(&made[0])).by(&host).json(&moved).await.expect(200);
    for (query, found) in [
        ("city=lamu", true),
        ("city=mombasa", false),
        ("amenities=sauna", true),
        ("amenities=wifi", false),
    ] {
        let rows = server.get(&format!("/api/v1/properties?{query}")).await.expect(200);
        let is_there = rows.list("data").iter().any(|row| row["id"] == made[0].as_str());
        assert_eq!(is_there, found, "{query}");
    }
}

async fn a_host_finds_own_homes_in_every_state_and_others_only_the_listed(server: &mut Server) {
    let (host, other) = (server.host().await, server.host().await);
    let (guest, admin) = (server.guest().await, server.admin().await);
    let (listed, others) = (server.home(&host).await, server.home(&other).await);
    let draft = with(json!({"status": "draft"}));
    let draft = server.post("/api/v1/properties", draft).by(&host).await.expect(201).text("id");
    let unlisted = server.home(&host).await;
    let body = json!({"status": "unlisted"});
    server.ask(Method::PUT, &path(&unlisted)).by(&host).json(&body).await.expect(200);
    let archived = server.home(&host).await;
    assert_eq!(server.delete(&path(&archived)).by(&host).await.status, 204);
    let found = async |who: Option<&Person>, query: &str, expected: &[&String]| {
        let asked = server.get(&format!("/api/v1/properties?{query}"));
        let page = match who {
            Some(person) => asked.by(person).await.expect(200),
            None => asked.await.expect(200),
        };
        let ids: Vec<String> = page.list("data").iter().map(|row| row.text("id")).collect();
        assert_eq!(ids.iter().collect::<Vec<_>>(), expected, "{who:?} asked for {query}");
    };
    let of_host = format!("host={}", host.id);
    let each =
        [("draft", &draft), ("listed", &listed), ("unlisted", &unlisted), ("archived", &archived)];
    for who in [Some(&host), Some(&admin)] {
        found(who, &of_host, &[&archived, &unlisted, &draft, &listed]).await;
        for (status, id) in each {
            found(who, &format!("{of_host}&status={status}"), &[id]).await;
        }
        // Without a host the list is that of listed homes for everybody.
        found(who, "", &[&others, &listed]).await;
        found(who, "status=draft", &[]).await;
    }
    for who in [None, Some(&guest), Some(&other)] {
        found(who, &of_host, &[&listed]).await;
        for (status, id) in each {
            let seen = if status == "listed" { vec![id] } else { vec![] };
            found(who, &format!("{of_host}&status={status}"), &seen).await;
        }
    }
    found(Some(&host), &format!("{of_host}&city=lisbon&status=draft"), &[&draft]).await;
    let first = server.get(&format!("/properties?{of_host}&limit=3")).by(&host).await.expect(200);
    let cursor = first.text("next_cursor");
    found(Some(&host), &format!("{of_host}&limit=3&cursor={cursor}"), &[&listed]).await;
}

async fn filters_that_cannot_be_are_refused_by_name(server: &mut Server) {
    for (query, pointer) in [
        ("min_price=ten", "/min_price"),
        ("max_price=1.5", "/max_price"),
        ("guests=-1", "/guests"),
        ("currency=kes", "/currency"),
        ("currency=XXX", "/currency"),
        ("status=open", "/status"),
        ("host=42", "/host"),
        ("amenities=moat", "/amenities"),
        ("colour=red", "/colour"),
        ("city=%00", "/city"),
        ("city=a&city=b", "/city"),
    ] {
        let refused = server.get(&format!("/api/v1/properties?{query}")).await;
        assert_eq!(refused.expect(422)["errors"][0]["pointer"], pointer, "{query}");
    }
}

async fn amenities_are_slugs_from_the_list(server: &mut Server) {
    let host = server.host().await;
    let listed = server.get("/api/v1/amenities").await.expect(200);
    let slugs = listed.list("data");
    assert!(slugs.contains(&json!("wifi")) && slugs.len() > 20, "{listed}");
    let all = with(json!({"amenities": slugs}));
    let made = server.post("/api/v1/properties", all).by(&host).await.expect(201);
    assert_eq!(made.list("amenities"), slugs);
    let unknown = with(json!({"amenities": ["moat"]}));
    let refused = server.post("/api/v1/properties", unknown).by(&host).await;
    assert_eq!(refused.expect(422)["errors"][0]["pointer"], "/amenities");
}
