//! Payment intents: every step from every state, amounts, authorisations, lists.

use crate::helpers::{Shop, id, word};
use serde_json::{Value, json};

const WEEK: u64 = 7 * 86_400;

/// An intent in each state, by its name.
async fn in_state(shop: &Shop, state: &str) -> Value {
    match state {
        "requires_payment_method" => {
            shop.post("/v1/payment_intents", "amount=5000&currency=usd").await.with(200)
        }
        "requires_confirmation" => {
            let form = "amount=5000&currency=usd&payment_method=pm_card_visa";
            shop.post("/v1/payment_intents", form).await.with(200)
        }
        "requires_action" => shop.intent("pm_card_threeDSecure2Required", "").await,
        "processing" => shop.intent("pm_late", "").await,
        "processing in silence" => shop.intent("pm_silent", "").await,
        "requires_capture" => shop.intent("pm_card_visa", "capture_method=manual").await,
        "succeeded" => shop.intent("pm_card_visa", "").await,
        "canceled" => {
            let intent = shop.intent("pm_card_visa", "capture_method=manual").await;
            shop.step(&intent, "cancel", "").await.with(200)
        }
        other => panic!("no such state: {other}"),
    }
}

#[tokio::test]
async fn each_step_leads_from_each_state_to_where_stripe_leads_or_is_refused() {
    let shop = Shop::open().await;
    // State, then what confirming with a good card, capturing and canceling lead to.
    for (state, confirmed, captured, canceled) in [
        ("requires_payment_method", "succeeded", "", "canceled"),
        ("requires_confirmation", "succeeded", "", "canceled"),
        ("requires_action", "succeeded", "", "canceled"),
        ("processing", "", "", ""),
        ("processing in silence", "", "", "canceled"),
        ("requires_capture", "", "succeeded", "canceled"),
        ("succeeded", "", "", ""),
        ("canceled", "", "", ""),
    ] {
        let steps = [
            ("confirm", "payment_method=pm_card_visa", confirmed),
            ("capture", "", captured),
            ("cancel", "", canceled),
        ];
        for (step, form, wanted) in steps {
            let intent = in_state(&shop, state).await;
            assert!(state.starts_with(&word(&intent["status"])), "{state}");
            let reply = shop.step(&intent, step, form).await;
            if wanted.is_empty() {
                let error = reply.error(400);
                assert_eq!(error["code"], "payment_intent_unexpected_state", "{state} {step}");
                assert_eq!(error["payment_intent"]["id"], intent["id"]);
                assert_eq!(shop.look(&intent).await, intent, "{state} {step} changed something");
            } else {
                assert_eq!(reply.with(200)["status"], wanted, "{state} {step}");
            }
        }
    }
}

#[tokio::test]
async fn each_method_does_what_its_name_says_and_tells_of_it() {
    let shop = Shop::open().await;
    let created = "payment_intent.created";
    let captured = "payment_intent.amount_capturable_updated";
    let failed = ["charge.failed", "payment_intent.payment_failed"];
    for (method, capture, status, told) in [
        (
            "pm_card_visa",
            "automatic",
            "succeeded",
            &["charge.succeeded", "payment_intent.succeeded"][..],
        ),
        ("pm_card_visa", "manual", "requires_capture", &["charge.succeeded", captured]),
        ("pm_card_chargeDeclined", "automatic", "requires_payment_method", &failed),
        ("pm_card_chargeDeclinedInsufficientFunds", "manual", "requires_payment_method", &failed),
        (
            "pm_card_authenticationRequired",
            "manual",
            "requires_action",
            &["payment_intent.requires_action"],
        ),
        ("pm_late", "automatic", "processing", &["payment_intent.processing"]),
        ("pm_silent", "automatic", "processing", &[]),
    ] {
        let form = format!(
            "amount=5000&currency=usd&confirm=true&payment_method={method}&capture_method={capture}"
        );
        let reply = shop.post("/v1/payment_intents", &form).await;
        let intent = match reply.status {
            402 => reply.error(402)["payment_intent"].take(),
            _ => reply.with(200),
        };
        assert_eq!(intent["status"], status, "{method} {capture}");
        assert_eq!(shop.types(1).await, [created], "{method}");
        assert_eq!(shop.types(told.len()).await, told, "{method} {capture}");
    }
    assert!(shop.receiver.is_empty().await);
}

#[tokio::test]
async fn a_decline_says_why_and_another_card_may_pay() {
    let shop = Shop::open().await;
    let form = "amount=5000&currency=usd&confirm=true&payment_method=pm_card_chargeDeclined";
    let error = shop.post("/v1/payment_intents", form).await.error(402);
    let told = [&error["type"], &error["code"], &error["decline_code"]];
    assert_eq!(told, ["card_error", "card_declined", "generic_decline"]);
    let intent = &error["payment_intent"];
    assert_eq!(intent["payment_method"], Value::Null);
    assert_eq!(intent["last_payment_error"]["payment_method"]["id"], "pm_card_chargeDeclined");
    assert_eq!(
        shop.step(intent, "confirm", "").await.error(400)["payment_intent"]["id"],
        id(intent)
    );
    let paid = shop.step(intent, "confirm", "payment_method=pm_card_visa").await.with(200);
    assert_eq!((&paid["status"], &paid["last_payment_error"]), (&json!("succeeded"), &Value::Null));
}

#[tokio::test]
async fn late_payments_end_as_the_control_route_says_and_only_once() {
    let shop = Shop::open().await;
    for (method, ending, wanted) in [
        ("pm_late", "settle", "succeeded"),
        ("pm_late", "fail", "requires_payment_method"),
        ("pm_card_authenticationRequired", "settle", "succeeded"),
        ("pm_card_authenticationRequired", "fail", "requires_payment_method"),
    ] {
        let intent = shop.intent(method, "").await;
        let path = format!("intents/{}/{ending}", id(&intent));
        assert_eq!(shop.control(&path, json!(null)).await.status, 204);
        assert_eq!(shop.look(&intent).await["status"], wanted, "{method} {ending}");
        assert_eq!(shop.control(&path, json!(null)).await.status, 409);
    }
}

#[tokio::test]
async fn a_capture_takes_at_most_what_is_authorized_and_releases_the_rest() {
    let shop = Shop::open().await;
    let intent = in_state(&shop, "requires_capture").await;
    for (amount, code) in [
        ("5001", "amount_too_large"),
        ("0", "amount_too_small"),
        ("x", "parameter_invalid_integer"),
    ] {
        let reply = shop.step(&intent, "capture", &format!("amount_to_capture={amount}")).await;
        assert_eq!(reply.error(400)["code"], code);
    }
    let form = "amount_to_capture=3000&expand[]=latest_charge";
    let captured = shop.step(&intent, "capture", form).await.with(200);
    let amounts = ["amount", "amount_received", "amount_capturable"].map(|name| &captured[name]);
    assert_eq!(amounts, [5000, 3000, 0]);
    let charge = &captured["latest_charge"];
    assert_eq!([&charge["amount_captured"], &charge["amount_refunded"]], [3000, 2000]);
    assert_eq!(
        shop.ledger().await["currencies"]["usd"],
        json!({ "authorized": 0, "captured": 3000, "released": 2000, "refunded": 0 })
    );
}

#[tokio::test]
async fn an_authorization_that_nobody_captures_ends_after_seven_days() {
    let shop = Shop::open().await;
    let (left, taken) =
        (in_state(&shop, "requires_capture").await, in_state(&shop, "requires_capture").await);
    shop.step(&taken, "capture", "").await.with(200);
    shop.types(8).await;
    shop.advance(WEEK - 60).await;
    assert_eq!(shop.look(&left).await["status"], "requires_capture");
    shop.advance(60).await;
    assert_eq!(shop.types(2).await, ["charge.expired", "payment_intent.canceled"]);
    let ended = shop.look(&left).await;
    assert_eq!([&ended["status"], &ended["cancellation_reason"]], ["canceled", "automatic"]);
    assert_eq!(shop.look(&taken).await["status"], "succeeded");
    assert_eq!(shop.step(&left, "capture", "").await.status, 400);
}

#[tokio::test]
async fn bad_requests_are_refused_with_the_parameter_that_is_bad() {
    let shop = Shop::open().await;
    for (form, param, code) in [
        ("currency=usd", "amount", "parameter_missing"),
        ("amount=5000", "currency", "parameter_missing"),
        ("amount=50.00&currency=usd", "amount", "parameter_invalid_integer"),
        ("amount=49&currency=usd", "amount", "amount_too_small"),
        ("amount=-5000&currency=usd", "amount", "amount_too_small"),
        ("amount=100000000&currency=usd", "amount", "amount_too_large"),
        ("amount=5124&currency=kwd", "amount", "invalid_charge_amount"),
        ("amount=5000&currency=xxx", "currency", ""),
        ("amount=5000&currency=usd&color=red", "color", "parameter_unknown"),
        ("amount=5000&currency=usd&confirm=yes", "confirm", ""),
        ("amount=5000&currency=usd&payment_method=pm_none", "payment_method", "resource_missing"),
        ("amount=5000&currency=usd&return_url=javascript:1", "return_url", "url_invalid"),
        ("amount=5000&currency=usd&payment_method_types[]=sepa", "payment_method_types", ""),
        ("amount=5000&currency=usd&expand[]=customer", "expand", ""),
    ] {
        let error = shop.post("/v1/payment_intents", form).await.error(400);
        assert_eq!(error["type"], "invalid_request_error", "{form}");
        let told = [&error["param"], &error["code"]].map(|word| word.as_str().unwrap_or_default());
        assert_eq!(told, [param, code], "{form}");
    }
    let all = shop.get("/v1/payment_intents").await.with(200);
    assert_eq!(all["data"], json!([]));
}

#[tokio::test]
async fn who_has_no_key_for_tests_gets_a_401_and_what_is_not_there_a_404() {
    let shop = Shop::open().await;
    for key in ["", "pk_test_1", "sk_live_1"] {
        let request = shop.request(reqwest::Method::GET, "/v1/payment_intents");
        let request = if key.is_empty() { request } else { request.bearer_auth(key) };
        shop.send(request).await.error(401);
    }
    let basic = shop.request(reqwest::Method::GET, "/v1/payment_intents");
    shop.send(basic.basic_auth("sk_test_1", Some(""))).await.with(200);
    for path in ["/v1/payment_intents/pi_none", "/v1/refunds/re_none", "/v1/events/evt_none"] {
        assert_eq!(shop.get(path).await.error(404)["code"], "resource_missing");
    }
    assert_eq!(shop.post("/v1/payment_intents/pi_none/capture", "").await.status, 404);
}

#[tokio::test]
async fn lists_are_paged_from_the_newest_and_bounded_by_time() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, id(&in_state(&shop, "requires_payment_method").await));
    }
    let page = async |query: &str| {
        let list = shop.get(&format!("/v1/payment_intents?{query}")).await.with(200);
        let data = list["data"].as_array().expect("a list").iter().map(id).collect::<Vec<_>>();
        (data, list["has_more"] == true)
    };
    assert_eq!(page("").await, (ids.clone(), false));
    assert_eq!(page("limit=2").await, (ids[..2].to_vec(), true));
    let after = format!("limit=2&starting_after={}", ids[1]);
    assert_eq!(page(&after).await, (ids[2..4].to_vec(), true));
    let before = format!("limit=2&ending_before={}", ids[3]);
    assert_eq!(page(&before).await, (ids[1..3].to_vec(), true));
    shop.advance(1_000).await;
    let late = in_state(&shop, "requires_payment_method").await;
    assert_eq!(page(&format!("created[gte]={}", late["created"])).await, (vec![id(&late)], false));
    assert_eq!(page(&format!("created[lt]={}", late["created"])).await, (ids.clone(), false));
    shop.get("/v1/payment_intents?limit=101").await.error(400);
    shop.get("/v1/payment_intents?starting_after=pi_none").await.error(400);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_ids() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let shop = Shop::open().await;
        ids.push(id(&in_state(&shop, "succeeded").await));
    }
    assert_eq!(ids[0], ids[1]);
}
