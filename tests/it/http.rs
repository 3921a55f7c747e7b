//! The conventions of the REST surface, the same on every route.

use crate::helpers::{Document, Operation, Scene, Server, Wire, day, home, on_both};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    every_single_thing_has_a_tag_and_is_not_sent_again,
    an_unknown_field_is_refused_by_its_name_wherever_there_is_a_body,
    put_takes_what_get_gave_and_changes_nothing,
    what_a_client_has_already_is_not_sent_again,
    a_cancellation_that_names_a_version_is_made_on_that_version_only,
    lists_come_in_pages_that_neither_repeat_nor_forget,
    a_page_has_one_to_a_hundred_rows,
    a_trailing_slash_never_matters_and_both_bases_answer,
    what_was_created_says_where_it_is,
    every_error_is_a_problem_document_also_the_frameworks_own,
    what_get_answers_head_answers_without_the_body,
    every_answer_carries_an_id_and_security_headers,
    a_calendar_is_public_and_its_window_is_the_callers,
    pages_and_the_widget_are_served_and_kept_by_their_tags,
);

/// The operations of the document that are such, each with a scene of its own.
async fn scenes(server: &Server, are: fn(&Operation) -> bool) -> Vec<(Scene, Operation)> {
    let mut operations = server.operations().await;
    operations.retain(are);
    let scenes = server.scenes(&operations.iter().collect::<Vec<_>>()).await;
    scenes.into_iter().zip(operations).collect()
}

async fn what_a_client_has_already_is_not_sent_again(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    let calendar = format!("/api/v1/properties/{home}/calendar?from={}&to={}", day(30), day(60));
    let paths =
        [format!("/api/v1/bookings/{booking}"), format!("/api/v1/properties/{home}"), calendar];
    let mut before = Vec::new();
    for path in &paths {
        let first = server.get(path).by(&guest).await;
        first.expect(200);
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 4, "{path}: {tag}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let again = server.get(path).by(&guest).header("if-none-match", &known).await;
            assert_eq!((again.status, &again.body), (304, &Value::Null), "{path} {known}");
            assert_eq!(again.header("etag"), tag);
        }
        server.get(path).by(&guest).header("if-none-match", "\"x-1\"").await.expect(200);
        before.push(tag);
    }
    server.cancel(&guest, &booking).await.expect(200);
    for (path, tag, changes) in [
        (&paths[0], &before[0], true),
        (&paths[1], &before[1], false),
        (&paths[2], &before[2], true),
    ] {
        let now = server.get(path).by(&guest).header("if-none-match", tag).await;
        assert_eq!(now.status, if changes { 200 } else { 304 }, "{path}");
    }
}

async fn a_cancellation_that_names_a_version_is_made_on_that_version_only(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let made = server.book(&guest, &home, &day(40), &day(42)).await;
    let (booking, first) = (made.expect(201).text("id"), made.header("etag").to_owned());
    server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    let paid = server.booking(&guest, &booking).await.header("etag").to_owned();
    assert_ne!(paid, first);
    let weak = format!("W/{paid}");
    for stale in [first.as_str(), "\"nonsense\"", "nonsense", weak.as_str()] {
        let refused = server.cancel(&guest, &booking).header("if-match", stale).await;
        refused.is_problem(412, "precondition_failed");
    }
    assert_eq!(server.booking(&guest, &booking).await.expect(200)["status"], "CONFIRMED");
    let canceled = server.cancel(&guest, &booking).header("if-match", &paid).await;
    assert_eq!(canceled.expect(200)["status"], "CANCELED");
    assert_ne!(canceled.header("etag"), paid);
}

async fn lists_come_in_pages_that_neither_repeat_nor_forget(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let mut made = Vec::new();
    for number in 0..7 {
        let (check_in, check_out) = (day(40 + number), day(41 + number));
        made.push(server.book(&guest, &home, &check_in, &check_out).await.expect(201).text("id"));
    }
    made.reverse();
    let mut seen: Vec<String> = Vec::new();
    let mut next = Some("/api/v1/bookings?limit=3".to_owned());
    while let Some(path) = next {
        let page = server.get(&path).by(&guest).await;
        seen.extend(page.expect(200).list("data").iter().map(|booking| booking.text("id")));
        let link = page.header("link");
        let target = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
        next = target.map(str::to_owned);
        assert_eq!(next.is_none(), page.body["next_cursor"].is_null(), "{link} {}", page.body);
        if let (Some(next), Some(cursor)) = (next.as_deref(), page.body["next_cursor"].as_str()) {
            assert!(next.contains("limit=3") && next.contains(cursor), "{link}");
        }
        if seen.len() == 3 {
            // What comes while a client turns pages stands before them.
            server.book(&guest, &home, &day(90), &day(91)).await.expect(201);
        }
    }
    assert_eq!(seen, made);
    let as_guest = server.get("/api/v1/bookings?as=guest&limit=100").by(&guest).await;
    assert_eq!(as_guest.expect(200).list("data").len(), 8);
    let listed = server.get("/api/v1/properties?limit=1").await;
    assert_eq!((listed.expect(200).list("data").len(), listed.header("link")), (1, ""));
}

async fn a_page_has_one_to_a_hundred_rows(server: &mut Server) {
    let guest = server.guest().await;
    for path in ["/api/v1/bookings", "/api/v1/payments", "/api/v1/properties"] {
        for limit in ["1", "100"] {
            server.get(&format!("{path}?limit={limit}")).by(&guest).await.expect(200);
        }
        for (query, pointer) in [
            ("limit=0", "/limit"),
            ("limit=101", "/limit"),
            ("limit=-1", "/limit"),
            ("limit=ten", "/limit"),
            ("limit=", "/limit"),
            ("limit=99999999999999999999", "/limit"),
            ("limit=5&limit=6", "/limit"),
            ("cursor=nonsense", "/cursor"),
            ("cursor=", "/cursor"),
            ("cursor=%00", "/cursor"),
            ("offset=5", "/offset"),
        ] {
            let refused = server.get(&format!("{path}?{query}")).by(&guest).await;
            refused.is_problem(422, "invalid_field");
            assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{query}: {}", refused.body);
        }
    }
}

async fn a_trailing_slash_never_matters_and_both_bases_answer(server: &mut Server) {
    for (scene, operation) in scenes(server, |operation| operation.method == "GET").await {
        let read = async |base: &str, end: &str| {
            let path = scene.path(&operation, base, end);
            let answer = server.get(&path).by(scene.rightful(&operation)).await;
            let mut body = answer.expect(200);
            // An export says when it was made.
            body.as_object_mut().and_then(|fields| fields.remove("exported_at"));
            body
        };
        let expected = read("/api/v1", "").await;
        for (base, end) in [("/api/v1", "/"), ("", ""), ("", "/")] {
            assert_eq!(read(base, end).await, expected, "{} {base} {end}", operation.name);
        }
    }
    assert_eq!(server.get("/livez/").await.status, 200);
}

async fn every_single_thing_has_a_tag_and_is_not_sent_again(server: &mut Server) {
    for (scene, operation) in scenes(server, |operation| operation.method == "GET").await {
        let name = &operation.name;
        let read = || {
            let asking = server.get(&scene.path(&operation, "/api/v1", ""));
            asking.by(scene.rightful(&operation))
        };
        let first = read().await;
        let is_list = first.expect(200)["data"].is_array();
        let tag = first.header("etag");
        if is_list || first.header("cache-control") == "no-store" {
            assert_eq!((tag, operation.is_tagged()), ("", false), "{name}");
            continue;
        }
        assert!(!tag.is_empty() && operation.is_tagged(), "{name}");
        let again = read().header("if-none-match", tag).await;
        assert_eq!((again.status, &again.body), (304, &Value::Null), "{name}");
        assert_eq!(again.header("etag"), tag, "{name}");
    }
}

async fn an_unknown_field_is_refused_by_its_name_wherever_there_is_a_body(server: &mut Server) {
    // Providers may send more than is read.
    let has_body = |operation: &Operation| {
        operation.body().is_some() && operation.described["tags"][0] != "webhooks"
    };
    for (scene, operation) in scenes(server, has_body).await {
        let mut body = scene.body(server, &operation).await.expect("a body");
        body["colour"] = json!("red");
        let path = scene.path(&operation, "/api/v1", "");
        let asking = server.ask(operation.method.clone(), &path).json(&body);
        let refused = asking.by(scene.rightful(&operation)).await;
        refused.is_problem(422, "invalid_field");
        assert_eq!(refused.body["errors"][0]["pointer"], "/colour", "{}", operation.name);
        assert_eq!(refused.body.list("errors").len(), 1, "{}", refused.body);
    }
}

async fn put_takes_what_get_gave_and_changes_nothing(server: &mut Server) {
    for (scene, operation) in scenes(server, |operation| operation.method == "PUT").await {
        let path = scene.path(&operation, "/api/v1", "");
        let person = scene.rightful(&operation);
        let shown = server.get(&path).by(person).await;
        let same = server.put(&path, shown.expect(200)).by(person).await;
        assert_eq!(same.expect(200), shown.body, "{}", operation.name);
        assert_eq!(same.header("etag"), shown.header("etag"), "{}", operation.name);
    }
}

async fn what_was_created_says_where_it_is(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let property = server.post("/api/v1/properties", home()).by(&host).await;
    let booking = server.book(&guest, &property.expect(201).text("id"), &day(40), &day(42)).await;
    let payment = server.pay(&guest, &booking.expect(201).text("id"), "pm_card_visa").await;
    for created in [&property, &booking, &payment] {
        let found = server.get(created.header("location")).by(&guest).await.expect(200);
        assert_eq!(found["id"], created.expect(201)["id"]);
    }
    let account = json!({
        "email": "ada@example.com", "password": "eleven grey herons", "first_name": "Ada",
        "last_name": "Lovelace", "role": "guest",
    });
    let created = server.post("/users", account).await;
    created.expect(201);
    assert!(created.header("location").starts_with("/api/v1/users/"));
}

async fn every_error_is_a_problem_document_also_the_frameworks_own(server: &mut Server) {
    let guest = server.guest().await;
    server.get("/nowhere").await.is_problem(404, "not_found");
    server.get("/api/v1/nowhere").await.is_problem(404, "not_found");
    server.get("/api/v1/properties/42").await.is_problem(404, "not_found");
    let wrong_method = server.ask(Method::PATCH, "/api/v1/bookings").by(&guest).await;
    wrong_method.is_problem(405, "method_not_allowed");
    let mut allowed: Vec<&str> = wrong_method.header("allow").split(", ").collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    let path = "/api/v1/auth/login";
    let too_large = server.ask(Method::POST, path).raw("application/json", vec![b' '; 65 * 1_024]);
    too_large.await.is_problem(413, "payload_too_large");
    let text = server.ask(Method::POST, path).raw("text/plain", "hello");
    text.await.is_problem(415, "unsupported_media_type");
    let broken = server.ask(Method::POST, path).raw("application/json", "{\"email\":");
    broken.await.is_problem(400, "invalid_json");
    let anonymous = server.get("/api/v1/bookings").await;
    anonymous.is_problem(401, "unauthenticated");
    assert_eq!(anonymous.header("www-authenticate"), "Bearer");
    let long = format!("/api/v1/properties?cursor={}", "a".repeat(60_000));
    let long = server.get(&long).await;
    assert!((400..500).contains(&long.status), "{}", long.status);
}

async fn what_get_answers_head_answers_without_the_body(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    for path in [
        "/".to_owned(),
        "/livez".to_owned(),
        "/readyz".to_owned(),
        "/docs/errors".to_owned(),
        "/api/docs".to_owned(),
        "/api/openapi.json".to_owned(),
        "/widget/vacancy-calendar.js".to_owned(),
        "/api/v1/amenities".to_owned(),
        "/api/v1/properties?limit=1".to_owned(),
        "/properties?limit=0".to_owned(),
        format!("/api/v1/properties/{home}/"),
        format!("/properties/{home}/calendar"),
        format!("/api/v1/bookings/{booking}"),
        format!("/api/v1/bookings/{home}"),
        "/api/v1/users/me".to_owned(),
        "/nowhere".to_owned(),
        "/ws".to_owned(),
    ] {
        let get = server.get(&path).by(&guest).await;
        let head = server.ask(Method::HEAD, &path).by(&guest).await;
        assert_eq!((head.status, &head.body), (get.status, &Value::Null), "{path}");
        assert!(!get.header("content-length").is_empty(), "{path}");
        for name in ["content-length", "content-type", "etag", "link", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
        let tag = get.header("etag");
        let known =
            |method: Method| server.ask(method, &path).by(&guest).header("if-none-match", tag);
        assert_eq!(known(Method::HEAD).await.status, known(Method::GET).await.status, "{path}");
    }
    // The last bytes on the connection are the end of the head.
    let mut wire = Wire::connect(server.address()).await;
    let request = "HEAD /api/v1/amenities HTTP/1.1\r\nconnection: close\r\nhost: ";
    wire.write(format!("{request}{}\r\n\r\n", server.address()).as_bytes()).await;
    let bytes = wire.closed().await;
    assert!(bytes.starts_with(b"HTTP/1.1 200") && bytes.ends_with(b"\r\n\r\n"), "{bytes:?}");
    let head = server.ask(Method::HEAD, "/api/v1/auth/login").await;
    assert_eq!((head.status, head.header("allow")), (405, "POST"));
    let socket = server.ask(Method::HEAD, "/ws").header("upgrade", "websocket").await;
    assert!((400..500).contains(&socket.status), "{}", socket.status);
}

async fn every_answer_carries_an_id_and_security_headers(server: &mut Server) {
    let mut ids = Vec::new();
    for path in ["/livez", "/readyz", "/", "/api/v1/properties", "/nowhere"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(answer.header("content-security-policy").contains("default-src"), "{path}");
        ids.push(answer.header("x-request-id").to_owned());
    }
    assert!(ids.iter().all(|id| id.len() == 36));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5, "each request has its own");
}

async fn a_calendar_is_public_and_its_window_is_the_callers(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    server.book(&guest, &home, &day(40), &day(42)).await.expect(201);
    let calendar = server.calendar(&home, &day(39), &day(43)).await.expect(200);
    let shapes: Vec<(String, String, String)> = calendar
        .list("ranges")
        .iter()
        .map(|range| (range.text("from"), range.text("to"), range.text("state")))
        .collect();
    let expected = [(39, 40, "available"), (40, 42, "held"), (42, 43, "available")];
    assert_eq!(shapes, expected.map(|(from, to, state)| (day(from), day(to), state.to_owned())));
    assert!(calendar.list("ranges").iter().all(|range| range.number("price") == 12_000));
    assert_eq!((calendar["seq"].as_i64(), &calendar["currency"]), (Some(2), &json!("EUR")));
    let year = server.get(&format!("/api/v1/properties/{home}/calendar")).await.expect(200);
    assert_eq!(crate::helpers::nights(&year.text("from"), &year.text("to")).len(), 365);
    let missing = "01920000-7000-8000-0000-00000000002a";
    server.calendar(missing, &day(1), &day(2)).await.is_problem(404, "not_found");
}

async fn pages_and_the_widget_are_served_and_kept_by_their_tags(server: &mut Server) {
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/stay/any", "text/html; charset=utf-8"),
        ("/trips", "text/html; charset=utf-8"),
        ("/host", "text/html; charset=utf-8"),
        ("/widget/vacancy-calendar.js", "text/javascript; charset=utf-8"),
        ("/widget/demo/css/base.css", "text/css; charset=utf-8"),
    ] {
        let file = server.get(path).await;
        assert_eq!((file.status, file.header("content-type")), (200, kind), "{path}");
        let again = server.get(path).header("if-none-match", file.header("etag")).await;
        assert_eq!(again.status, 304, "{path}");
    }
    let widget = server.get("/widget/vacancy-calendar.js").await;
    assert_eq!(widget.header("access-control-allow-origin"), "*");
    for path in ["/widget/nothing.js", "/widget/test/feed.test.js", "/widget/package.json"] {
        server.get(path).await.is_problem(404, "not_found");
    }
    // The demo's accounts are known in the demo only.
    server.get("/demo/accounts").await.is_problem(404, "not_found");
}
