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
async fn a_key_in_flight_is_refused_and_is_free_again_when_its_client_left() {
    let shop = Shop::open().await;
    shop.fault(json!({
        "route": "POST /v1/payment_intents", "fault": "timeout_before_commit", "seconds": 600,
    }))
    .await;
    let held = shop.posting("/v1/payment_intents", NEW, "a").timeout(PATIENCE);
    let held = tokio::spawn(held.send());
    let meanwhile = async {
        // What comes before the held request has another key, so that it is not held itself.
        while !shop.get("/control/faults").await.with(200).as_array().expect("a list").is_empty() {}
        shop.keyed("/v1/payment_intents", NEW, "a").await.error(409)
    };
    let error = tokio::time::timeout(PATIENCE, meanwhile).await.expect("it is held");
    assert_eq!(error["code"], "idempotency_key_in_use");
    held.abort();
    let freed = async {
        loop {
            let reply = shop.keyed("/v1/payment_intents", NEW, "a").await;
            if reply.status != 409 {
                return reply;
            }
        }
    };
    let reply = tokio::time::timeout(PATIENCE, freed).await.expect("the key is free again");
    assert_eq!(header(&reply, "idempotent-replayed"), None);
    reply.with(200);
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
