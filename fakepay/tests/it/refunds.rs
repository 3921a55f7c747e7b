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

/// A refund of 50 dollars to this method, of which all was told; the intent and the refund.
async fn refunded(shop: &Shop, method: &str) -> (Value, Value) {
    let intent = shop.intent(method, "").await;
    let made = refund(shop, &intent, 5000).await.with(200);
    let told = shop.types(5).await;
    assert_eq!(told[3..], ["refund.created", "charge.refunded"]);
    (intent, made)
}

async fn look(shop: &Shop, refund: &Value) -> Value {
    shop.get(&format!("/v1/refunds/{}", id(refund))).await.with(200)
}

/// What of the intent's charge counts as refunded: there, and in the ledger.
async fn counted(shop: &Shop, intent: &Value) -> [Value; 2] {
    let path = format!("/v1/payment_intents/{}?expand[]=latest_charge", id(intent));
    let mut shown = shop.get(&path).await.with(200);
    let charge = shown["latest_charge"].take();
    assert_eq!(charge["refunded"], charge["amount_refunded"] == 5000);
    [charge["amount_refunded"].clone(), shop.ledger().await["payments"][0]["refunded"].take()]
}

#[tokio::test]
async fn a_pending_refund_succeeds_after_a_while_and_says_so_once() {
    let shop = Shop::open().await;
    let (intent, made) = refunded(&shop, "pm_card_pendingRefund").await;
    assert_eq!([&made["status"], &made["pending_reason"]], ["pending", "processing"]);
    shop.advance(50).await;
    assert_eq!(look(&shop, &made).await, made);
    assert_eq!(counted(&shop, &intent).await, [5000, 5000]);
    assert_eq!(refund(&shop, &intent, 1).await.error(400)["code"], "charge_already_refunded");
    shop.advance(10).await;
    let told = shop.receiver.next().await.json();
    assert_eq!(told["type"], "refund.updated");
    assert_eq!(told["data"]["object"], look(&shop, &made).await);
    assert_eq!(told["data"]["object"]["status"], "succeeded");
    assert_eq!(told["data"]["object"]["pending_reason"], Value::Null);
    let path = format!("refunds/{}/succeed", id(&made));
    assert_eq!(shop.control(&path, json!({})).await.status, 409);
    assert_eq!(counted(&shop, &intent).await, [5000, 5000]);
}

#[tokio::test]
async fn a_refund_that_fails_later_gives_its_money_back_to_the_merchant() {
    let shop = Shop::open().await;
    let (intent, made) = refunded(&shop, "pm_card_refundFail").await;
    assert_eq!(made["status"], "succeeded");
    assert_eq!(made["failure_reason"], Value::Null);
    assert_eq!(counted(&shop, &intent).await, [5000, 5000]);
    shop.advance(60).await;
    for kind in ["refund.failed", "charge.refund.updated"] {
        let told = shop.receiver.next().await.json();
        assert_eq!(told["type"], kind);
        let about = &told["data"]["object"];
        assert_eq!([&about["id"], &about["object"]], [&made["id"], &json!("refund")]);
        assert_eq!(
            [&about["status"], &about["failure_reason"]],
            ["failed", "expired_or_canceled_card"]
        );
    }
    assert_eq!(counted(&shop, &intent).await, [0, 0]);
    refund(&shop, &intent, 5001).await.error(400);
    assert_eq!(refund(&shop, &intent, 5000).await.with(200)["status"], "succeeded");
    assert_eq!(counted(&shop, &intent).await, [5000, 5000]);
}

#[tokio::test]
async fn the_control_route_ends_refunds_at_once_and_each_end_counts_once() {
    let shop = Shop::open().await;
    for (method, step, told, status, counts) in [
        ("pm_card_pendingRefund", "succeed", &["refund.updated"][..], "succeeded", 5000),
        ("pm_card_pendingRefund", "fail", &["refund.failed", "charge.refund.updated"], "failed", 0),
        ("pm_card_refundFail", "fail", &["refund.failed", "charge.refund.updated"], "failed", 0),
        ("pm_card_visa", "fail", &["refund.failed", "charge.refund.updated"], "failed", 0),
    ] {
        let (_, made) = refunded(&shop, method).await;
        let path = format!("refunds/{}/{step}", id(&made));
        assert_eq!(shop.control(&path, json!({})).await.status, 204, "{method} {step}");
        assert_eq!(shop.types(told.len()).await, told, "{method} {step}");
        assert_eq!(shop.control(&path, json!({})).await.status, 409, "{method} {step}");
        // What was planned for later does not happen any more.
        shop.advance(3_600).await;
        assert_eq!(look(&shop, &made).await["status"], status, "{method} {step}");
        let mut books = shop.ledger().await;
        let payment = books["payments"].as_array_mut().and_then(Vec::pop).expect("a payment");
        assert_eq!(payment["refunded"], counts, "{method} {step}");
    }
    let (_, made) = refunded(&shop, "pm_card_visa").await;
    let path = format!("refunds/{}/succeed", id(&made));
    assert_eq!(shop.control(&path, json!({})).await.status, 409);
    assert_eq!(shop.control("refunds/re_none/fail", json!({})).await.status, 409);
}
