//! The same key gets the same answer, and does nothing twice.

use crate::helpers::{PATIENCE, Shop, id};
use serde_json::json;
use std::time::Duration;

const NEW: &str = "amount=5000&currency=usd&metadata[booking]=7";

fn header(reply: &crate::helpers::Reply, name: &str) -> Option<String> {
    reply.headers.get(name).map(|value| value.to_str().expect("ASCII").to_owned())
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_marked_as_a_replay() {
    let shop = Shop::open().await;
    let first = shop.keyed("/v1/payment_intents", NEW, "a").await;
    assert_eq!(header(&first, "idempotent-replayed"), None);
    let again = shop.keyed("/v1/payment_intents", NEW, "a").await;
    assert_eq!(first.text, again.text);
    assert_eq!(header(&again, "idempotent-replayed").as_deref(), Some("true"));
    assert_eq!(header(&again, "original-request"), header(&first, "request-id"));
    // Another order of the same parameters is the same request.
    let other_order = "metadata%5Bbooking%5D=7&currency=usd&amount=5000";
    assert_eq!(first.text, shop.keyed("/v1/payment_intents", other_order, "a").await.text);
    let all = shop.get("/v1/payment_intents").await.with(200);
    assert_eq!(all["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_same_key_with_another_body_or_path_is_refused() {
    let shop = Shop::open().await;
    let intent = shop.keyed("/v1/payment_intents", NEW, "a").await.with(200);
    let confirm = format!("/v1/payment_intents/{}/confirm", id(&intent));
    for (path, form) in [("/v1/payment_intents", "amount=5001&currency=usd"), (&confirm, NEW)] {
        let error = shop.keyed(path, form, "a").await.error(400);
        assert_eq!(error["type"], "idempotency_error");
    }
}

#[tokio::test]
async fn a_key_in_flight_is_refused_until_its_request_is_answered() {
    let shop = Shop::open().await;
    let fault = json!({ "route": "POST /v1/payment_intents", "fault": "slow", "seconds": 600 });
    shop.fault(fault).await;
    let slow = tokio::spawn(shop.posting("/v1/payment_intents", NEW, "a").timeout(PATIENCE).send());
    shop.faults_are_over().await;
    let error = shop.keyed("/v1/payment_intents", NEW, "a").await.error(409);
    assert_eq!(error["code"], "idempotency_key_in_use");
    shop.advance(600).await;
    let first = slow.await.expect("it ends").expect("an answer").text().await.expect("a text");
    let again = shop.keyed("/v1/payment_intents", NEW, "a").await;
    assert_eq!(
        (header(&again, "idempotent-replayed").as_deref(), again.text),
        (Some("true"), first)
    );
}

#[tokio::test]
async fn a_decline_is_replayed_and_bad_parameters_are_not() {
    let shop = Shop::open().await;
    let declined = format!("{NEW}&confirm=true&payment_method=pm_card_chargeDeclined");
    let first = shop.keyed("/v1/payment_intents", &declined, "a").await;
    let again = shop.keyed("/v1/payment_intents", &declined, "a").await;
    assert_eq!((first.status, &first.text), (402, &again.text));
    shop.keyed("/v1/payment_intents", "amount=x&currency=usd", "b").await.error(400);
    shop.keyed("/v1/payment_intents", NEW, "b").await.with(200);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let shop = Shop::open().await;
    let first = shop.keyed("/v1/payment_intents", NEW, "a").await.with(200);
    shop.advance(Duration::from_secs(23 * 3_600).as_secs()).await;
    let again = shop.keyed("/v1/payment_intents", NEW, "a").await.with(200);
    assert_eq!(id(&first), id(&again));
    shop.advance(3_600).await;
    let later = shop.keyed("/v1/payment_intents", NEW, "a").await.with(200);
    assert_ne!(id(&first), id(&later));
}
