//! What is told to the webhook: signed, in order, tried again, written down.

use crate::helpers::{Letter, SECRET, Shop, id, word};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const BLOCK: usize = 64;

/// HMAC-SHA256 by its definition (RFC 2104), for a key that is shorter than a block.
fn hmac(key: &str, message: &str) -> String {
    let pad = |byte: u8| {
        let mut padded = vec![byte; BLOCK];
        for (at, letter) in key.bytes().enumerate() {
            padded[at] ^= letter;
        }
        padded
    };
    let inner = Sha256::digest([&pad(0x36)[..], message.as_bytes()].concat());
    let outer = Sha256::digest([&pad(0x5c)[..], &inner].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a letter's signature is made with this secret; the time of the signature.
pub(crate) fn signed_with(letter: &Letter, secret: &str) -> (bool, i64) {
    let header = letter.header("stripe-signature").expect("a signature");
    let (time, signature) = header.split_once(',').expect("two parts");
    let time = time.strip_prefix("t=").expect("a time");
    let signature = signature.strip_prefix("v1=").expect("a signature");
    let is_good = signature == hmac(secret, &format!("{time}.{}", letter.body));
    (is_good, time.parse().expect("seconds"))
}

#[tokio::test]
async fn every_event_is_signed_anew_and_is_the_one_that_can_be_asked_for() {
    let shop = Shop::open().await;
    shop.receiver.answer(&[500]);
    let intent = shop.intent("pm_card_visa", "").await;
    let first = shop.receiver.next().await;
    let (is_good, time) = signed_with(&first, SECRET);
    assert!(is_good);
    assert!(!signed_with(&first, "whsec_other").0);
    let event = first.json();
    assert_eq!(event["type"], "payment_intent.created");
    assert_eq!(event["data"]["object"]["id"], intent["id"]);
    assert_eq!(shop.get(&format!("/v1/events/{}", id(&event))).await.with(200), event);
    shop.types(2).await;
    shop.advance(1_000).await;
    let again = shop.receiver.next().await;
    assert_eq!(again.body, first.body);
    let (is_good, later) = signed_with(&again, SECRET);
    assert!(is_good && later >= time + 1_000, "{time} {later}");
}

#[tokio::test]
async fn events_come_in_the_order_in_which_things_happened_and_as_they_were_then() {
    let shop = Shop::open().await;
    let intent = shop.intent("pm_card_visa", "capture_method=manual").await;
    shop.step(&intent, "capture", "").await.with(200);
    let mut told = Vec::new();
    for _ in 0..5 {
        let event = shop.receiver.next().await.json();
        told.push((word(&event["type"]), word(&event["data"]["object"]["status"])));
    }
    let told: Vec<_> = told.iter().map(|(kind, status)| (kind.as_str(), status.as_str())).collect();
    assert_eq!(
        told,
        [
            ("payment_intent.created", "requires_confirmation"),
            ("charge.succeeded", "succeeded"),
            ("payment_intent.amount_capturable_updated", "requires_capture"),
            ("charge.captured", "succeeded"),
            ("payment_intent.succeeded", "succeeded"),
        ]
    );
    let listed = shop.get("/v1/events?type=payment_intent.succeeded").await.with(200);
    assert_eq!(listed["data"][0]["data"]["object"]["amount_received"], 5000);
}

#[tokio::test]
async fn what_is_refused_is_tried_five_times_with_growing_waits_and_then_given_up() {
    let shop = Shop::open().await;
    shop.receiver.answer(&[500, 404, 302, 503, 400]);
    shop.post("/v1/payment_intents", "amount=5000&currency=usd").await.with(200);
    for (made, wait) in [1, 5, 25, 125].into_iter().enumerate() {
        shop.receiver.next().await;
        assert_eq!(shop.delivery(0, made + 1).await["fate"], "waiting");
        shop.advance(wait).await;
    }
    shop.receiver.next().await;
    let delivery = shop.delivery(0, 5).await;
    assert_eq!(delivery["fate"], "given_up");
    let statuses = delivery["attempts"].as_array().expect("attempts").iter();
    let statuses: Vec<_> = statuses.map(|attempt| attempt["status"].clone()).collect();
    assert_eq!(statuses, [500, 404, 302, 503, 400]);
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_written_down() {
    let shop = Shop::open().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", nobody.local_addr().expect("an address"));
    drop(nobody);
    let wish = json!({ "url": url, "secret": "whsec_2" });
    let request = shop.request(Method::PUT, "/control/webhook").json(&wish);
    assert_eq!(shop.send(request).await.status, 204);
    shop.post("/v1/payment_intents", "amount=5000&currency=usd").await.with(200);
    let attempt = &shop.delivery(0, 1).await["attempts"][0];
    assert_eq!(attempt["status"], Value::Null);
    assert!(attempt["error"].is_string(), "{attempt}");
}

#[tokio::test]
async fn a_webhook_without_a_secret_is_refused() {
    let shop = Shop::open().await;
    for (url, secret) in [
        ("http://127.0.0.1:1/", ""),
        ("http://127.0.0.1:1/", "whsec_"),
        ("http://127.0.0.1:1/", "secret"),
        ("ftp://127.0.0.1:1/", "whsec_1"),
    ] {
        let wish = json!({ "url": url, "secret": secret });
        let request = shop.request(Method::PUT, "/control/webhook").json(&wish);
        assert_eq!(shop.send(request).await.status, 400, "{url} {secret}");
    }
}
