//! Bad input: a problem that names the field or the rule, 4xx, and nothing changed.

use crate::helpers::{
    Answer, Ask, Document, PASSWORD, SECRET, Server, day, home, mint, now, on_both, with,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::time::Duration;
use vacancy::auth::tokens::Tokens;

on_both!(
    a_bad_booking_is_refused_by_its_field_and_changes_nothing,
    a_bad_sign_up_is_refused_by_its_field_and_changes_nothing,
    a_bad_home_is_refused_by_its_field_and_changes_nothing,
    a_bad_payment_is_refused_by_its_field_and_changes_nothing,
    a_body_that_is_no_json_is_refused_and_changes_nothing,
    a_bad_token_is_refused_and_changes_nothing,
    a_bad_idempotency_key_is_refused_and_changes_nothing,
    a_bad_query_is_refused_by_its_parameter,
    ids_of_nobodys_things_are_not_found_and_change_nothing,
);

/// Asserts that an answer is the refusal of one field.
#[track_caller]
fn is_refused_by(answer: &Answer, pointer: &str, case: &str) {
    let pointers: Vec<&str> =
        answer.body["errors"].as_array().into_iter().flatten().filter_map(pointer_of).collect();
    assert_eq!(answer.body["code"], "invalid_field", "{case}: {}", answer.body);
    assert_eq!(pointers, [pointer], "{case}: {}", answer.body);
    answer.is_problem(422, "invalid_field");
}

fn pointer_of(error: &Value) -> Option<&str> {
    error["pointer"].as_str()
}

/// `base` without one of its fields.
fn without(base: &Value, field: &str) -> Value {
    let mut body = base.clone();
    body.as_object_mut().expect("an object").remove(field);
    body
}

/// Sends what `ask` makes of each body, and asserts that all are refused by their fields and that
/// no row was written.
async fn all_refused(server: &Server, cases: &[(Value, &str)], ask: impl Fn(&Value) -> Ask) {
    let before = server.storage().counts().await;
    for (body, pointer) in cases {
        is_refused_by(&ask(body).await, pointer, &body.to_string());
    }
    assert_eq!(server.storage().counts().await, before);
}

async fn a_bad_booking_is_refused_by_its_field_and_changes_nothing(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let path = format!("/api/v1/properties/{home}/bookings");
    let good = json!({ "check_in": day(40), "check_out": day(42), "guests": 2 });
    let cases = [
        (with(&good, "check_out", json!(day(40))), "/check_out"),
        (with(&good, "check_out", json!(day(39))), "/check_out"),
        (with(&good, "check_out", json!(day(40 + 731))), "/check_out"),
        (with(&good, "check_in", json!("0001-01-01")), "/check_in"),
        (with(&good, "check_out", json!("9999-12-31")), "/check_out"),
        (with(&good, "check_in", json!("2027-02-30")), "/check_in"),
        (with(&good, "check_in", json!("2027-12-01T00:00:00Z")), "/check_in"),
        (with(&good, "check_in", json!("tomorrow")), "/check_in"),
        (with(&good, "check_in", json!("")), "/check_in"),
        (with(&good, "check_in", json!("2027-12-0\u{0}")), "/check_in"),
        (with(&good, "check_in", json!(20_271_201)), "/check_in"),
        (with(&good, "check_in", Value::Null), "/check_in"),
        (without(&good, "check_in"), "/check_in"),
        (without(&good, "check_out"), "/check_out"),
        (without(&good, "guests"), "/guests"),
        (with(&good, "guests", json!(0)), "/guests"),
        (with(&good, "guests", json!(-1)), "/guests"),
        (with(&good, "guests", json!(1.5)), "/guests"),
        (with(&good, "guests", json!("2")), "/guests"),
        (with(&good, "guests", json!(70_000)), "/guests"),
        (with(&good, "guests", json!(9_223_372_036_854_775_807_i64)), "/guests"),
        (with(&good, "guests", json!(18_446_744_073_709_551_615_u64)), "/guests"),
        (with(&good, "guests", json!(1e300)), "/guests"),
        (with(&good, "total_amount", json!(1)), "/total_amount"),
        (with(&good, "status", json!("CONFIRMED")), "/status"),
        (with(&good, "user_id", json!(host.id.0)), "/user_id"),
        (with(&good, "property_id", json!(home)), "/property_id"),
        (with(&good, "expires_at", json!("2099-01-01T00:00:00Z")), "/expires_at"),
        (with(&good, "a/b~c", json!(1)), "/a~1b~0c"),
    ];
    all_refused(server, &cases, |body| server.post(&path, body.clone()).by(&guest)).await;
    let anywhere = with(&good, "property_id", json!(home));
    let cases = [
        (with(&anywhere, "property_id", json!("42")), "/property_id"),
        (with(&anywhere, "property_id", json!(42)), "/property_id"),
        (without(&anywhere, "property_id"), "/property_id"),
        (with(&anywhere, "total_amount", json!(1)), "/total_amount"),
        (with(&anywhere, "user_id", json!(host.id.0)), "/user_id"),
    ];
    let ask = |body: &Value| server.post("/api/v1/bookings", body.clone()).by(&guest);
    all_refused(server, &cases, ask).await;

    let before = server.storage().counts().await;
    for (body, code) in [
        (with(&good, "check_in", json!(day(-1))), "in_past"),
        (with(&good, "check_in", json!("1970-01-01")), "check_out"),
        (with(&good, "guests", json!(7)), "too_many_guests"),
    ] {
        let refused = server.post(&path, body).by(&guest).await;
        if code == "check_out" {
            is_refused_by(&refused, "/check_out", "a stay of half a century");
        } else {
            refused.is_problem(409, code);
            assert!(!refused.body["reasons"][0].list("nights").is_empty(), "{}", refused.body);
        }
    }
    // Two things wrong are told at once.
    let twice = json!({ "check_in": "never", "check_out": "never", "guests": 0 });
    let refused = server.post(&path, twice).by(&guest).await;
    refused.is_problem(422, "invalid_field");
    assert_eq!(refused.body.list("errors").len(), 3);
    assert_eq!(server.storage().counts().await, before);
    assert_eq!(server.states(&home, &day(40), &day(42)).await, ["available"; 2]);
}

async fn a_bad_sign_up_is_refused_by_its_field_and_changes_nothing(server: &mut Server) {
    let good = json!({
        "email": "ada@example.com", "password": PASSWORD, "first_name": "Ada",
        "last_name": "Lovelace", "role": "guest",
    });
    let long = "a".repeat(250);
    let cases = [
        (with(&good, "role", json!("admin")), "/role"),
        (with(&good, "role", json!("ADMIN")), "/role"),
        (with(&good, "role", json!("king")), "/role"),
        (with(&good, "role", json!(["guest"])), "/role"),
        (without(&good, "role"), "/role"),
        (with(&good, "email", json!("ada")), "/email"),
        (with(&good, "email", json!("")), "/email"),
        (with(&good, "email", json!("ada@example.com, eve@example.com")), "/email"),
        (with(&good, "email", json!("ada\u{0}@example.com")), "/email"),
        (with(&good, "email", json!(format!("{long}@example.com"))), "/email"),
        (with(&good, "password", json!("short")), "/password"),
        (with(&good, "password", json!("x".repeat(129))), "/password"),
        (with(&good, "password", json!("password1234")), "/password"),
        (with(&good, "password", json!("eleven\u{0}grey herons")), "/password"),
        (with(&good, "password", json!(123_456_789_012_i64)), "/password"),
        (with(&good, "first_name", json!("")), "/first_name"),
        (with(&good, "first_name", json!("A\u{0}da")), "/first_name"),
        (with(&good, "first_name", json!("Ada\r\nBcc: eve@example.com")), "/first_name"),
        (with(&good, "last_name", json!("x".repeat(101))), "/last_name"),
        (with(&good, "id", json!("01920000-7000-8000-0000-00000000002a")), "/id"),
        (with(&good, "is_admin", json!(true)), "/is_admin"),
        (with(&good, "created_at", json!("2020-01-01T00:00:00Z")), "/created_at"),
    ];
    all_refused(server, &cases, |body| server.post("/api/v1/users", body.clone())).await;
    server.post("/api/v1/users", good.clone()).await.expect(201);
    // The mail that proves the address is sent before anything is counted.
    server.advance(1).await;
    let before = server.storage().counts().await;
    let taken = with(&good, "email", json!("ADA@Example.com"));
    server.post("/api/v1/users", taken).await.is_problem(409, "email_taken");
    let wrong = |email: &str, password: &str| {
        server.post("/api/v1/auth/login", json!({ "email": email, "password": password }))
    };
    let known = wrong("ada@example.com", "another password").await;
    let unknown = wrong("eve@example.com", "another password").await;
    for refused in [&known, &unknown] {
        refused.is_problem(401, "invalid_credentials");
    }
    assert_eq!(known.body["detail"], unknown.body["detail"], "nobody learns who has an account");
    assert_eq!(server.storage().counts().await, before);
}

async fn a_bad_home_is_refused_by_its_field_and_changes_nothing(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let good = home();
    let cases = [
        (with(&good, "title", json!("")), "/title"),
        (with(&good, "title", json!("x".repeat(201))), "/title"),
        (with(&good, "title", json!("A\u{0}room")), "/title"),
        (with(&good, "description", json!("a\u{7}bell")), "/description"),
        (with(&good, "city", json!("  ")), "/city"),
        (with(&good, "country", json!("Portugal")), "/country"),
        (with(&good, "country", json!("pt")), "/country"),
        (with(&good, "timezone", json!("Lisbon")), "/timezone"),
        (with(&good, "timezone", json!("../../etc/passwd")), "/timezone"),
        (with(&good, "timezone", json!("")), "/timezone"),
        (with(&good, "timezone", json!("+01:00")), "/timezone"),
        (with(&good, "currency", json!("EURO")), "/currency"),
        (with(&good, "currency", json!("eur")), "/currency"),
        (with(&good, "currency", json!("XXX")), "/currency"),
        (with(&good, "price_per_night", json!(-1)), "/price_per_night"),
        (with(&good, "price_per_night", json!(120.5)), "/price_per_night"),
        (with(&good, "price_per_night", json!("12000")), "/price_per_night"),
        (with(&good, "price_per_night", json!(1_000_000_000_001_i64)), "/price_per_night"),
        (with(&good, "price_per_night", json!(1e30)), "/price_per_night"),
        (with(&good, "max_guests", json!(0)), "/max_guests"),
        (with(&good, "max_guests", json!(1_001)), "/max_guests"),
        (with(&good, "max_guests", json!(65_537)), "/max_guests"),
        (with(&good, "latitude", json!(38.7)), "/latitude"),
        (with(&with(&good, "latitude", json!(91)), "longitude", json!(0)), "/latitude"),
        (with(&with(&good, "latitude", json!(0)), "longitude", json!(181)), "/longitude"),
        (with(&good, "amenities", json!(["Wi-Fi"])), "/amenities"),
        (with(&good, "amenities", json!(vec!["wifi"; 101])), "/amenities"),
        (with(&good, "amenities", json!("wifi")), "/amenities"),
        (with(&good, "amenities", json!(["wifi", 5])), "/amenities/1"),
        (with(&good, "check_in_from", json!("25:00")), "/check_in_from"),
        (with(&good, "check_in_from", json!("3 pm")), "/check_in_from"),
        (with(&good, "check_out_by", json!("11:00:00")), "/check_out_by"),
        (with(&good, "host_id", json!(guest.id.0)), "/host_id"),
        (with(&good, "id", json!(guest.id.0)), "/id"),
        (with(&good, "avg_rating", json!(5)), "/avg_rating"),
        (without(&good, "timezone"), "/timezone"),
        (without(&good, "currency"), "/currency"),
    ];
    let ask = |body: &Value| server.post("/api/v1/properties", body.clone()).by(&host);
    all_refused(server, &cases, ask).await;
    let before = server.storage().counts().await;
    let amount = with(&good, "price_per_night", json!("120.00"));
    let refused = ask(&amount).await;
    let detail = refused.body["errors"][0].text("detail");
    assert!(detail.contains("minor units") && detail.contains("12000"), "{detail}");
    server.post("/api/v1/properties", good.clone()).by(&guest).await.is_problem(403, "forbidden");
    server.post("/api/v1/properties", good).await.is_problem(401, "unauthenticated");
    assert_eq!(server.storage().counts().await, before);
}

async fn a_bad_payment_is_refused_by_its_field_and_changes_nothing(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    let good = json!({ "booking_id": booking, "payment_method": "pm_card_visa" });
    let cases = [
        (with(&good, "payment_method", json!("gold")), "/payment_method"),
        (with(&good, "payment_method", json!(4_242)), "/payment_method"),
        (with(&good, "payment_method", json!("pm_card_visa\u{0}")), "/payment_method"),
        (with(&good, "booking_id", json!("42")), "/booking_id"),
        (without(&good, "booking_id"), "/booking_id"),
        (with(&good, "amount", json!(1)), "/amount"),
        (with(&good, "currency", json!("JPY")), "/currency"),
        (with(&good, "status", json!("captured")), "/status"),
    ];
    let ask = |body: &Value| server.post("/api/v1/payments", body.clone()).by(&guest);
    all_refused(server, &cases, ask).await;
    let before = server.storage().counts().await;
    for body in [json!({ "advance_seconds": -1 }), json!({ "advance_seconds": 1e12 }), json!({})] {
        let refused = server.post("/test/clock", body).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
    }
    assert_eq!(server.storage().counts().await, before);
    assert_eq!(server.booking(&guest, &booking).await.expect(200)["status"], "PENDING");
}

async fn a_body_that_is_no_json_is_refused_and_changes_nothing(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let path = format!("/api/v1/properties/{home}/bookings");
    let good = json!({ "check_in": day(40), "check_out": day(42), "guests": 2 }).to_string();
    let before = server.storage().counts().await;
    let nul = format!("{}\0{}", &good[..5], &good[5..]).into_bytes();
    let mut not_utf8 = good.clone().into_bytes();
    not_utf8[3] = 0xff;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes();
    for (name, body) in [
        ("nothing", Vec::new()),
        ("a part", good.as_bytes()[..good.len() - 1].to_vec()),
        ("more", format!("{good}}}").into_bytes()),
        ("a comma", good.replace('}', ",}").into_bytes()),
        ("single quotes", good.replace('"', "'").into_bytes()),
        ("a NUL byte", nul),
        ("no UTF-8", not_utf8),
        ("a lone surrogate", good.replace(&day(40), "\\ud800").into_bytes()),
        ("a number that is none", good.replace('2', "NaN").into_bytes()),
        ("ten thousand brackets", deep),
    ] {
        let refused = server.ask(Method::POST, &path).by(&guest).raw("application/json", body);
        let refused = refused.await;
        assert!(matches!(refused.status, 400 | 422), "{name}: {}", refused.body);
        let code = if refused.status == 400 { "invalid_json" } else { "invalid_field" };
        refused.is_problem(refused.status, code);
    }
    for body in ["null", "[]", "\"text\"", "5", "true"] {
        let refused = server.ask(Method::POST, &path).by(&guest).raw("application/json", body);
        refused.await.is_problem(422, "invalid_field");
    }
    let twice = format!("{},\"guests\":3}}", &good[..good.len() - 1]);
    let refused = server.ask(Method::POST, &path).by(&guest).raw("application/json", twice).await;
    is_refused_by(&refused, "/guests", "a field that comes twice");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"] {
        let refused = server.ask(Method::POST, &path).by(&guest).raw(kind, good.clone()).await;
        refused.is_problem(415, "unsupported_media_type");
    }
    let huge = format!("{good}{}", " ".repeat(70 * 1_024));
    let refused = server.ask(Method::POST, &path).by(&guest).raw("application/json", huge).await;
    refused.is_problem(413, "payload_too_large");
    assert_eq!(server.storage().counts().await, before);
    // The same bytes are a booking when nothing is wrong with them.
    let kind = "application/json; charset=utf-8";
    server.ask(Method::POST, &path).by(&guest).raw(kind, good).await.expect(201);
}

/// The token with one part of its three changed by `change`.
fn tampered(token: &str, part: usize, change: impl Fn(&str) -> String) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts[part] = change(&parts[part]);
    parts.join(".")
}

async fn a_bad_token_is_refused_and_changes_nothing(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let path = format!("/api/v1/properties/{home}/bookings");
    let body = json!({ "check_in": day(40), "check_out": day(42), "guests": 2 });
    let good = mint(&guest, now());
    let before = server.storage().counts().await;
    let promoted = tampered(&good, 1, |claims| {
        let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
        let claims = String::from_utf8(claims).expect("text").replace("guest", "admin");
        URL_SAFE_NO_PAD.encode(claims)
    });
    let unsigned =
        tampered(&good, 0, |_| URL_SAFE_NO_PAD.encode(r#"{"typ":"at+jwt","alg":"none"}"#));
    let other = Tokens::new(&SecretString::from(SECRET.to_lowercase()));
    let forged = other.issue(guest.id, guest.role, guest.id.0, now());
    for token in [
        promoted,
        format!("{}.", unsigned.rsplit_once('.').expect("two dots").0),
        unsigned,
        forged,
        tampered(&good, 2, |signature| signature.chars().rev().collect()),
        tampered(&good, 2, |_| String::new()),
        good[..good.len() - 1].to_owned(),
        "nonsense".to_owned(),
        String::new(),
    ] {
        let refused = server.post(&path, body.clone()).token(&token).await;
        refused.is_problem(401, "unauthenticated");
        assert!(refused.header("www-authenticate").starts_with("Bearer"), "{token}");
    }
    let old = mint(&guest, now().minus(Duration::from_secs(601)));
    server.post(&path, body.clone()).token(&old).await.is_problem(401, "token_expired");
    let basic = server.post(&path, body.clone()).header("authorization", "Basic YTpi").await;
    basic.is_problem(401, "unauthenticated");
    let in_address = server.post(&format!("{path}?access_token={good}"), body.clone()).await;
    assert_eq!(in_address.status, 401, "a token in the address is none: {}", in_address.body);
    // Also where no token is needed a bad one is told.
    let calendar = server.calendar(&home, &day(1), &day(2)).token(&old).await;
    calendar.is_problem(401, "token_expired");
    assert_eq!(server.storage().counts().await, before);
    // A token lives for ten minutes by the server's clock.
    server.get("/api/v1/bookings").token(&good).await.expect(200);
    server.advance(601).await;
    server.get("/api/v1/bookings").token(&good).await.is_problem(401, "token_expired");
    server.get("/api/v1/bookings").by(&guest).await.expect(200);
}

async fn a_bad_idempotency_key_is_refused_and_changes_nothing(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let before = server.storage().counts().await;
    let book = || server.book(&guest, &home, &day(40), &day(42));
    for key in ["", "\"\"", "two words", "\"open", "a\"b", &"k".repeat(256), "schl\u{fc}ssel"] {
        is_refused_by(&book().key(key).await, "/idempotency-key", key);
    }
    is_refused_by(&book().key("one").key("two").await, "/idempotency-key", "two keys");
    assert_eq!(server.storage().counts().await, before);
    book().key(&"k".repeat(255)).await.expect(201);
}

async fn a_bad_query_is_refused_by_its_parameter(server: &mut Server) {
    let host = server.host().await;
    let home = server.home(&host).await;
    for (query, pointer) in [
        ("calendar?from=2027-13-01", "/from"),
        ("calendar?from=0001-01-01", "/from"),
        ("calendar?to=9999-12-31", "/to"),
        ("calendar?from=2027-12-02&to=2027-12-02", "/to"),
        ("calendar?from=2027-12-02&to=2027-12-01", "/to"),
        ("calendar?from=2027-01-01&to=2029-12-31", "/to"),
        ("calendar?from=%00", "/from"),
        ("calendar?since=2027-01-01", "/since"),
        ("calendar?as_of=", "/as_of"),
        ("calendar?as_of=-1", "/as_of"),
        ("calendar?as_of=yesterday", "/as_of"),
        ("calendar?as_of=9223372036854775808", "/as_of"),
        ("calendar?as_of=2026-08-12", "/as_of"),
        ("calendar?as_of=2026-08-12T14:03:00", "/as_of"),
        ("calendar?as_of=1&as_of=1", "/as_of"),
        ("calendar?as_of=1&from=2027-01-01&to=2029-12-31", "/to"),
        ("events?after=-1", "/after"),
        ("events?after=soon", "/after"),
        ("events?after=9223372036854775808", "/after"),
        ("events?before=5", "/before"),
    ] {
        let refused = server.get(&format!("/api/v1/properties/{home}/{query}")).await;
        is_refused_by(&refused, pointer, query);
    }
}

async fn ids_of_nobodys_things_are_not_found_and_change_nothing(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    server.home(&host).await;
    let before = server.storage().counts().await;
    let nobody = "01920000-7000-8000-0000-00000000002a";
    for id in [nobody, "42", "00000000-0000-0000-0000-000000000000", "%00", "' or 1=1 --"] {
        for ask in [
            server.get(&format!("/api/v1/properties/{id}")),
            server.get(&format!("/api/v1/properties/{id}/calendar")),
            server.get(&format!("/api/v1/properties/{id}/events")),
            server.get(&format!("/api/v1/bookings/{id}")),
            server.delete(&format!("/api/v1/bookings/{id}")),
            server.get(&format!("/api/v1/payments/{id}")),
        ] {
            ask.by(&guest).await.is_problem(404, "not_found");
        }
        server.book(&guest, id, &day(40), &day(42)).await.is_problem(404, "not_found");
    }
    let payment = server.post("/api/v1/payments", json!({ "booking_id": nobody })).by(&guest).await;
    payment.is_problem(404, "not_found");
    let body = json!({
        "property_id": nobody, "check_in": day(40), "check_out": day(42), "guests": 2,
    });
    server.post("/api/v1/bookings", body).by(&guest).await.is_problem(404, "not_found");
    assert_eq!(server.storage().counts().await, before);
}
