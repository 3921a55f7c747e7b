//! What goes wrong on request, and that it goes wrong as often as was asked for.

use crate::helpers::{PATIENCE, SECRET, Shop, id};
use crate::webhooks::signed_with;
use reqwest::Method;
use serde_json::{Value, json};

const INTENTS: &str = "/v1/payment_intents";
const NEW: &str = "amount=5000&currency=usd";
const CREATED: &str = "payment_intent.created";

/// So many new intents; their ids.
async fn create(shop: &Shop, number: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..number {
        ids.push(id(&shop.post(INTENTS, NEW).await.with(200)));
    }
    ids
}

/// The intents that the next events are about.
async fn about(shop: &Shop, number: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..number {
        ids.push(id(&shop.receiver.next().await.json()["data"]["object"]));
    }
    ids
}

#[tokio::test]
async fn a_duplicated_event_comes_twice_and_the_next_one_once() {
    let shop = Shop::open().await;
    shop.fault(json!({ "event": CREATED, "fault": "duplicate" })).await;
    create(&shop, 2).await;
    let told = shop.told(3).await;
    assert_eq!(told[0], told[1]);
    assert_ne!(told[1], told[2]);
}

#[tokio::test]
async fn a_reordered_event_comes_after_the_next_one_or_after_a_minute() {
    let shop = Shop::open().await;
    shop.fault(json!({ "event": CREATED, "fault": "reorder" })).await;
    let made = create(&shop, 2).await;
    assert_eq!(about(&shop, 2).await, [made[1].clone(), made[0].clone()]);
    shop.fault(json!({ "event": CREATED, "fault": "reorder" })).await;
    let alone = create(&shop, 1).await;
    shop.advance(60).await;
    assert_eq!(about(&shop, 1).await, alone);
}

#[tokio::test]
async fn a_reordered_event_is_not_let_go_by_an_earlier_one_that_is_tried_again() {
    let shop = Shop::open().await;
    shop.receiver.answer(&[500]);
    let first = create(&shop, 1).await;
    assert_eq!(about(&shop, 1).await, first);
    shop.delivery(0, 1).await;
    shop.fault(json!({ "event": CREATED, "fault": "reorder" })).await;
    let held = create(&shop, 1).await;
    shop.advance(1).await;
    assert_eq!(about(&shop, 1).await, first);
    shop.delivery(0, 2).await;
    let next = create(&shop, 1).await;
    assert_eq!(about(&shop, 2).await, [next[0].clone(), held[0].clone()]);
}

#[tokio::test]
async fn a_delayed_event_comes_when_the_clock_has_gone_on() {
    let shop = Shop::open().await;
    shop.fault(json!({ "event": CREATED, "fault": "delay", "seconds": 3_000 })).await;
    let made = create(&shop, 2).await;
    assert_eq!(about(&shop, 1).await, made[1..]);
    shop.advance(3_000).await;
    assert_eq!(about(&shop, 1).await, made[..1]);
}

#[tokio::test]
async fn a_dropped_event_does_not_come_and_can_still_be_asked_for() {
    let shop = Shop::open().await;
    shop.fault(json!({ "event": "*", "fault": "drop", "times": 2 })).await;
    let made = create(&shop, 3).await;
    assert_eq!(about(&shop, 1).await, made[2..]);
    let events = shop.get("/v1/events").await.with(200);
    assert_eq!(events["data"].as_array().map(Vec::len), Some(3));
    let told = shop.get("/control/deliveries").await.with(200);
    let fates = [0, 1].map(|at| told["deliveries"][at]["fate"].clone());
    assert_eq!(fates, ["dropped", "dropped"]);
}

#[tokio::test]
async fn a_forged_event_has_a_wrong_signature_and_comes_once() {
    let shop = Shop::open().await;
    shop.receiver.answer(&[400]);
    shop.fault(json!({ "event": CREATED, "fault": "forge" })).await;
    create(&shop, 1).await;
    assert!(!signed_with(&shop.receiver.next().await, SECRET).0);
    assert_eq!(shop.delivery(0, 1).await["fate"], "given_up");
    shop.advance(1_000).await;
    let next = create(&shop, 1).await;
    let letter = shop.receiver.next().await;
    assert!(signed_with(&letter, SECRET).0);
    assert_eq!(id(&letter.json()["data"]["object"]), next[0]);
}

/// A new intent whose client leaves before it is answered.
async fn unanswered(shop: &Shop, fault: &str) {
    shop.fault(json!({ "route": "POST /v1/payment_intents", "fault": fault })).await;
    let sent = tokio::spawn(shop.posting(INTENTS, NEW, "a").timeout(PATIENCE).send());
    shop.faults_are_over().await;
    assert!(!sent.is_finished());
    sent.abort();
}

#[tokio::test]
async fn after_a_timeout_before_the_commit_nothing_has_happened() {
    let shop = Shop::open().await;
    unanswered(&shop, "timeout_before_commit").await;
    assert_eq!(shop.get(INTENTS).await.with(200)["data"], json!([]));
    let again = shop.keyed(INTENTS, NEW, "a").await;
    assert!(!again.headers.contains_key("idempotent-replayed"));
    again.with(200);
}

#[tokio::test]
async fn after_a_timeout_after_the_commit_the_same_key_gets_the_true_answer() {
    let shop = Shop::open().await;
    unanswered(&shop, "timeout_after_commit").await;
    let made = about(&shop, 1).await;
    let again = shop.keyed(INTENTS, NEW, "a").await;
    assert!(again.headers.contains_key("idempotent-replayed"));
    assert_eq!(id(&again.with(200)), made[0]);
    assert_eq!(shop.get(INTENTS).await.with(200)["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_error_after_the_commit_is_kept_under_its_key_and_the_effect_can_be_looked_up() {
    let shop = Shop::open().await;
    shop.fault(json!({ "route": "*", "fault": "error_after_commit" })).await;
    for replayed in [false, true] {
        let reply = shop.keyed(INTENTS, NEW, "a").await;
        assert_eq!(reply.headers.contains_key("idempotent-replayed"), replayed);
        assert_eq!(reply.headers["stripe-should-retry"], "false");
        assert_eq!(reply.error(500)["type"], "api_error");
    }
    let made = about(&shop, 1).await;
    assert_eq!(id(&shop.get(INTENTS).await.with(200)["data"][0]), made[0]);
}

#[tokio::test]
async fn too_many_requests_are_refused_as_often_as_was_asked_and_do_nothing() {
    let shop = Shop::open().await;
    let fault =
        json!({ "route": "POST /v1/payment_intents", "fault": "too_many_requests", "times": 2 });
    shop.fault(fault).await;
    for _ in 0..2 {
        assert_eq!(shop.keyed(INTENTS, NEW, "a").await.error(429)["code"], "rate_limit");
    }
    assert_eq!(shop.get(INTENTS).await.with(200)["data"], json!([]));
    shop.keyed(INTENTS, NEW, "a").await.with(200);
}

#[tokio::test]
async fn faults_are_listed_cleared_and_refused_where_they_cannot_happen() {
    let shop = Shop::open().await;
    let wish = json!({ "event": "*", "fault": "drop", "times": 3 });
    shop.fault(wish).await;
    create(&shop, 1).await;
    let left = shop.get("/control/faults").await.with(200);
    assert_eq!(left, json!([{ "event": "*", "fault": "drop", "times": 2, "seconds": 60 }]));
    let clear = shop.request(Method::DELETE, "/control/faults");
    assert_eq!(shop.send(clear).await.status, 204);
    assert_eq!(shop.get("/control/faults").await.with(200), json!([]));
    for wish in [
        json!({ "route": "POST /v1/nothing", "fault": "too_many_requests" }),
        json!({ "route": "*", "fault": "drop" }),
        json!({ "event": "*", "fault": "too_many_requests" }),
        json!({ "event": "*", "route": "*", "fault": "drop" }),
        json!({ "fault": "drop" }),
        json!({ "event": "*", "fault": "surprise" }),
        json!({ "event": "*", "fault": "drop", "times": 0 }),
        json!({ "event": "*", "fault": "drop", "seconds": 86_401 }),
    ] {
        assert_eq!(shop.control("faults", wish.clone()).await.status, 400, "{wish}");
    }
}

#[tokio::test]
async fn the_clock_goes_forward_only_and_not_for_ever() {
    let shop = Shop::open().await;
    for wish in [json!({ "advance_seconds": -1 }), json!({ "advance_seconds": 400_000_000 })] {
        assert_eq!(shop.control("clock", wish).await.status, 400);
    }
    shop.advance(300_000_000).await;
    assert_eq!(shop.control("clock", json!({ "advance_seconds": 100_000_000 })).await.status, 400);
}

#[tokio::test]
async fn the_ledger_sums_what_became_of_all_money_by_currency() {
    let shop = Shop::open().await;
    let held = shop.intent("pm_card_visa", "capture_method=manual&metadata[booking]=b-1").await;
    let paid = shop.intent("pm_card_visa", "").await;
    shop.post("/v1/refunds", &format!("payment_intent={}&amount=1200", id(&paid))).await.with(200);
    let form = "amount=700&currency=jpy&confirm=true&payment_method=pm_card_visa";
    shop.post(INTENTS, form).await.with(200);
    shop.post(INTENTS, &form.replace("visa", "chargeDeclined")).await.error(402);
    let books = shop.ledger().await;
    assert_eq!(
        books["currencies"],
        json!({
            "jpy": { "authorized": 0, "captured": 700, "released": 0, "refunded": 0 },
            "usd": { "authorized": 5000, "captured": 5000, "released": 0, "refunded": 1200 },
        })
    );
    assert_eq!(books["payments"].as_array().map(Vec::len), Some(3));
    assert_eq!(books["payments"][0]["id"], held["id"]);
    assert_eq!(books["payments"][0]["metadata"], json!({ "booking": "b-1" }));
    assert_eq!(books["payments"][1]["refunded"], Value::from(1200));
}

#[tokio::test]
async fn a_dropped_stand_in_is_gone_at_once_also_while_it_holds_answers_back() {
    let shop = Shop::open().await;
    shop.fault(json!({ "route": "*", "fault": "timeout_after_commit", "seconds": 600 })).await;
    let held = tokio::spawn(shop.posting(INTENTS, NEW, "").timeout(PATIENCE).send());
    about(&shop, 1).await;
    let address = shop.url().trim_start_matches("http://").to_owned();
    drop(shop);
    assert!(std::net::TcpListener::bind(&address).is_ok());
    assert!(held.await.expect("it ends").is_err());
}
