//! Refunds: of what was captured, and never more.

use crate::helpers::{Shop, id};
use serde_json::{Value, json};

async fn refund(shop: &Shop, intent: &Value, amount: i64) -> crate::helpers::Reply {
    let form = format!("payment_intent={}&amount={amount}", id(intent));
    shop.post("/v1/refunds", &form).await
}

#[tokio::test]
async fn refunds_are_never_above_what_was_captured() {
    let shop = Shop::open().await;
    let intent = shop.intent("pm_card_visa", "capture_method=manual").await;
    assert_eq!(refund(&shop, &intent, 1).await.status, 400);
    shop.step(&intent, "capture", "amount_to_capture=3000").await.with(200);
    assert_eq!(refund(&shop, &intent, 3_001).await.error(400)["param"], "amount");
    refund(&shop, &intent, 2_000).await.with(200);
    assert_eq!(refund(&shop, &intent, 1_001).await.error(400)["param"], "amount");
    refund(&shop, &intent, 1_000).await.with(200);
    assert_eq!(refund(&shop, &intent, 1).await.error(400)["code"], "charge_already_refunded");
    for amount in [0, -1] {
        let other = shop.intent("pm_card_visa", "").await;
        assert_eq!(refund(&shop, &other, amount).await.error(400)["code"], "amount_too_small");
    }
    let books = shop.ledger().await;
    assert_eq!(books["payments"][0]["refunded"], 3_000);
    assert_eq!(books["payments"][0]["captured"], 3_000);
}

#[tokio::test]
async fn a_refund_names_its_charge_and_is_found_by_its_intent() {
    let shop = Shop::open().await;
    let (intent, other) =
        (shop.intent("pm_card_visa", "").await, shop.intent("pm_card_visa", "").await);
    shop.types(6).await;
    let form = format!(
        "charge={}&reason=requested_by_customer&metadata[refund]=r-1",
        intent["latest_charge"].as_str().expect("a charge")
    );
    let made = shop.post("/v1/refunds", &form).await.with(200);
    assert_eq!((&made["amount"], &made["currency"]), (&json!(5000), &json!("usd")));
    assert_eq!(
        [&made["payment_intent"], &made["charge"]],
        [&intent["id"], &intent["latest_charge"]]
    );
    assert_eq!(made["metadata"], json!({ "refund": "r-1" }));
    assert_eq!(shop.get(&format!("/v1/refunds/{}", id(&made))).await.with(200), made);
    assert_eq!(shop.types(2).await, ["refund.created", "charge.refunded"]);
    for (intent, wanted) in [(&intent, vec![made]), (&other, vec![])] {
        let list = shop.get(&format!("/v1/refunds?payment_intent={}", id(intent))).await.with(200);
        assert_eq!(list["data"], Value::Array(wanted));
    }
}

#[tokio::test]
async fn nothing_can_be_refunded_of_what_was_never_captured() {
    let shop = Shop::open().await;
    for (method, more) in [
        ("pm_late", ""),
        ("pm_card_visa", "capture_method=manual"),
        ("pm_card_threeDSecure2Required", ""),
    ] {
        let intent = shop.intent(method, more).await;
        assert_eq!(refund(&shop, &intent, 100).await.status, 400, "{method}");
    }
    assert_eq!(shop.post("/v1/refunds", "payment_intent=pi_none").await.status, 404);
    assert_eq!(shop.post("/v1/refunds", "").await.error(400)["code"], "parameter_missing");
    let totals = &shop.ledger().await["currencies"]["usd"];
    assert_eq!([&totals["refunded"], &totals["captured"]], [0, 0]);
}
