//! Quotes: a price that is promised, to whom, for what and for how long.

use crate::helpers::{Document, Person, Server, day, on_both};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

on_both!(
    a_live_quote_honours_its_price_and_policy_whatever_they_become,
    a_quote_is_for_one_stay_one_person_and_fifteen_minutes,
    a_quote_holds_no_nights_and_is_judged_when_it_is_used,
    a_quote_under_one_key_is_made_once,
    quotes_that_nobody_signed_for_are_bounded,
);

const QUOTES: &str = "/api/v1/quotes";

fn stay(home: &str) -> Value {
    json!({"property_id": home, "check_in": day(40), "check_out": day(43), "guests": 2})
}

/// A booking of that stay with this quote.
fn used(home: &str, quote: &Value) -> Value {
    let mut body = stay(home);
    body["quote_id"] = quote["id"].clone();
    body
}

async fn setting(server: &Server) -> (Person, Person, String) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    (host, guest, home)
}

async fn a_live_quote_honours_its_price_and_policy_whatever_they_become(server: &mut Server) {
    let (host, guest, home) = setting(server).await;
    let quote = server.post(QUOTES, stay(&home)).by(&guest).await.expect(201);
    assert_eq!(quote.number("total_amount"), 36_000);
    let dearer = json!({"price_per_night": 50_000, "cancellation_policy": "non_refundable"});
    server.put(&format!("/api/v1/properties/{home}"), dearer).by(&host).await.expect(200);
    let path = format!("{QUOTES}/{}", quote.text("id"));
    assert_eq!(server.get(&path).by(&guest).await.expect(200), quote, "it never changes");
    let ask = server.post("/api/v1/bookings", used(&home, &quote)).by(&guest);
    let booking = ask.await.expect(201);
    assert_eq!((booking.number("total_amount"), &booking["lines"]), (36_000, &quote["lines"]));
    assert_eq!(booking["quote_id"], quote["id"]);
    let preview = format!("/api/v1/bookings/{}/cancellation", booking.text("id"));
    let preview = server.get(&preview).by(&guest).await.expect(200);
    assert_eq!(preview.text("cancellation_policy"), "flexible");
    let other = server.book(&guest, &home, &day(50), &day(51)).await.expect(201);
    assert_eq!(other.number("total_amount"), 50_000, "without a quote it is priced as it is now");
}

async fn a_quote_is_for_one_stay_one_person_and_fifteen_minutes(server: &mut Server) {
    let (_, guest, home) = setting(server).await;
    let stranger = server.guest().await;
    let quote = server.post(QUOTES, stay(&home)).by(&guest).await.expect(201);
    let path = format!("{QUOTES}/{}", quote.text("id"));
    server.get(&path).by(&stranger).await.is_problem(404, "not_found");
    server.get(&path).await.is_problem(404, "not_found");
    let book = |body: Value, person: &Person| server.post("/api/v1/bookings", body).by(person);
    let answer = book(used(&home, &quote), &stranger).await;
    answer.is_problem(422, "invalid_field");
    assert_eq!(answer.body["errors"][0]["pointer"], "/quote_id");
    let mut longer = used(&home, &quote);
    longer["check_out"] = json!(day(44));
    book(longer, &guest).await.is_problem(422, "invalid_field");
    server.advance(15 * 60).await;
    book(used(&home, &quote), &guest).await.is_problem(409, "quote_expired");
    book(stay(&home), &guest).await.expect(201);
}

async fn a_quote_holds_no_nights_and_is_judged_when_it_is_used(server: &mut Server) {
    let (_, guest, home) = setting(server).await;
    let other = server.guest().await;
    // Nobody in particular may ask, and whoever knows the id may use it.
    let quote = server.post(QUOTES, stay(&home)).await.expect(201);
    assert_eq!(quote["user_id"], Value::Null);
    assert_eq!(server.states(&home, &day(40), &day(43)).await, ["available"; 3]);
    server.book(&other, &home, &day(42), &day(44)).await.expect(201);
    let answer = server.post("/api/v1/bookings", used(&home, &quote)).by(&guest).await;
    answer.is_problem(409, "unavailable_held");
    let answer = server.post(QUOTES, stay(&home)).await;
    answer.is_problem(409, "unavailable_held");
    assert!(!answer.body.list("alternatives").is_empty(), "{}", answer.body);
}

async fn a_quote_under_one_key_is_made_once(server: &mut Server) {
    let (_, guest, home) = setting(server).await;
    let ask = || server.post(QUOTES, stay(&home)).by(&guest).key("once");
    let first = ask().await;
    let again = ask().await;
    assert_eq!((first.expect(201), again.is_replayed()), (again.expect(201), true));
    let mut other = stay(&home);
    other["guests"] = json!(3);
    let answer = server.post(QUOTES, other).by(&guest).key("once").await;
    answer.is_problem(422, "idempotency_key_reused");
}

async fn quotes_that_nobody_signed_for_are_bounded(server: &mut Server) {
    let (_, guest, home) = setting(server).await;
    let asks = (0..620).map(|_| server.post(QUOTES, stay(&home)).into_future());
    let answers: Vec<_> = stream::iter(asks).buffer_unordered(16).collect().await;
    let refused = answers.iter().filter(|answer| answer.status == 503).count();
    assert_eq!(refused, 20, "600 a minute");
    server.post(QUOTES, stay(&home)).by(&guest).await.expect(201);
    server.advance(60).await;
    server.post(QUOTES, stay(&home)).await.expect(201);
}
