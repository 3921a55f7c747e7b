//! M-Pesa: tokens, pushes, callbacks, queries and reversals.

use crate::books::kept_in;
use crate::helpers::{Reply, Shop};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fakepay::{Merchant, Settings};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const PUSH: &str = "/mpesa/stkpush/v1/processrequest";
const QUERY: &str = "/mpesa/stkpushquery/v1/query";
const REVERSAL: &str = "/mpesa/reversal/v1/request";
const LATE: &str = "254700002020";
const SILENT: &str = "254700004040";

async fn token(shop: &Shop) -> String {
    let path = "/oauth/v1/generate?grant_type=client_credentials";
    let request = shop.request(Method::GET, path);
    let request = request.basic_auth("fake_consumer_key", Some("fake_consumer_secret"));
    let told = shop.send(request).await.with(200);
    assert_eq!(told["expires_in"], "3599");
    told["access_token"].as_str().expect("a token").to_owned()
}

async fn ask(shop: &Shop, token: &str, path: &str, body: &Value) -> Reply {
    shop.send(shop.request(Method::POST, path).bearer_auth(token).json(body)).await
}

/// Who asks, signed at this time; hours are those of Nairobi.
fn credentials(now: &str) -> Value {
    let now: Timestamp = now.parse().expect("a time");
    let stamp = now + jiff::SignedDuration::from_hours(3);
    let stamp = stamp.strftime("%Y%m%d%H%M%S").to_string();
    let password = BASE64_STANDARD.encode(format!("174379fake_passkey{stamp}"));
    json!({ "BusinessShortCode": "174379", "Password": password, "Timestamp": stamp })
}

/// The stand-in's time.
async fn now(shop: &Shop) -> String {
    let told = shop.control("clock", json!({ "advance_seconds": 0 })).await.with(200);
    told["now"].as_str().expect("a time").to_owned()
}

async fn push(shop: &Shop, phone: &str, amount: u32) -> Value {
    let mut body = credentials(&now(shop).await);
    let more = json!({
        "TransactionType": "CustomerPayBillOnline",
        "Amount": amount,
        "PartyA": phone,
        "PartyB": "174379",
        "PhoneNumber": phone,
        "CallBackURL": format!("{}pay/secret", shop.receiver.url()),
        "AccountReference": "booking-0001",
        "TransactionDesc": "Three nights!",
    });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    body
}

/// The `CheckoutRequestID` of a push that is accepted.
async fn pushed(shop: &Shop, token: &str, phone: &str, amount: u32) -> String {
    let told = ask(shop, token, PUSH, &push(shop, phone, amount).await).await.with(200);
    assert_eq!(told["ResponseCode"], "0");
    told["CheckoutRequestID"].as_str().expect("an id").to_owned()
}

async fn query(shop: &Shop, token: &str, id: &str) -> Reply {
    let mut body = credentials(&now(shop).await);
    body["CheckoutRequestID"] = id.into();
    ask(shop, token, QUERY, &body).await
}

fn reversal(shop: &Shop, receipt: &Value, amount: u32) -> Value {
    json!({
        "Initiator": "shop",
        "SecurityCredential": "secret",
        "CommandID": "TransactionReversal",
        "TransactionID": receipt,
        "Amount": amount,
        "ReceiverParty": "174379",
        "RecieverIdentifierType": "11",
        "ResultURL": format!("{}back", shop.receiver.url()),
        "QueueTimeOutURL": format!("{}late", shop.receiver.url()),
        "Remarks": "Canceled",
        "Occasion": "",
    })
}

/// The next callback of a push.
async fn called_back(shop: &Shop) -> Value {
    let letter = shop.receiver.next().await;
    assert_eq!(letter.path(), "/pay/secret");
    assert_eq!(letter.header("stripe-signature"), None);
    letter.json()["Body"]["stkCallback"].take()
}

#[tokio::test]
async fn each_new_token_ends_the_last_and_none_lives_longer_than_an_hour() {
    let shop = Shop::open().await;
    let first = token(&shop).await;
    pushed(&shop, &first, LATE, 100).await;
    let second = token(&shop).await;
    let body = push(&shop, LATE, 200).await;
    assert_eq!(ask(&shop, &first, PUSH, &body).await.with(404)["errorCode"], "404.001.03");
    pushed(&shop, &second, LATE, 200).await;
    shop.advance(3_600).await;
    let body = push(&shop, LATE, 300).await;
    assert_eq!(ask(&shop, &second, PUSH, &body).await.status, 404);
    let wrong = shop.request(Method::GET, "/oauth/v1/generate?grant_type=client_credentials");
    let wrong = shop.send(wrong.basic_auth("fake_consumer_key", Some("wrong"))).await.with(400);
    assert_eq!(wrong["errorCode"], "400.008.01");
}

#[tokio::test]
async fn the_phone_number_decides_how_a_push_ends() {
    let shop = Shop::open().await;
    let token = token(&shop).await;
    for (digits, code) in [("0001", 1), ("1032", 1032), ("1037", 1037), ("2001", 2001)] {
        let id = pushed(&shop, &token, &format!("25470000{digits}"), 100).await;
        let told = called_back(&shop).await;
        assert_eq!((&told["ResultCode"], &told["CheckoutRequestID"]), (&json!(code), &json!(id)));
        assert_eq!(told["CallbackMetadata"], Value::Null);
        let asked = query(&shop, &token, &id).await.with(200);
        assert_eq!(asked["ResultCode"], code.to_string());
    }
    assert_eq!(shop.ledger().await["payments"], json!([]));
}

#[tokio::test]
async fn a_paid_push_calls_back_with_a_float_a_receipt_and_the_time_in_nairobi() {
    let shop = Shop::open().await;
    let token = token(&shop).await;
    let id = pushed(&shop, &token, "254712345678", 2_500).await;
    let letter = shop.receiver.next().await;
    assert!(letter.body.contains("\"Value\":2500.0"), "{}", letter.body);
    let told = &letter.json()["Body"]["stkCallback"];
    assert_eq!(told["ResultCode"], 0);
    let items = told["CallbackMetadata"]["Item"].as_array().expect("items").iter();
    let names: Vec<_> = items.clone().map(|item| item["Name"].clone()).collect();
    assert_eq!(names, ["Amount", "MpesaReceiptNumber", "TransactionDate", "PhoneNumber"]);
    let values: Vec<_> = items.map(|item| item["Value"].clone()).collect();
    assert_eq!(values[3], 254_712_345_678_u64);
    let wanted = credentials(&now(&shop).await)["Timestamp"].clone();
    assert_eq!(values[2].to_string()[..8], wanted.as_str().expect("a text")[..8]);
    assert_eq!(query(&shop, &token, &id).await.with(200)["ResultCode"], "0");
    let books = shop.ledger().await;
    assert_eq!(books["currencies"]["kes"]["captured"], 250_000);
    assert_eq!(books["payments"][0]["metadata"], json!({ "reference": "booking-0001" }));
}

#[tokio::test]
async fn result_codes_are_texts_where_the_settings_say_so() {
    let merchant = Merchant { result_codes_as_text: true, ..Merchant::default() };
    let shop = Shop::with(merchant).await;
    let token = token(&shop).await;
    pushed(&shop, &token, "254712345678", 100).await;
    assert_eq!(called_back(&shop).await["ResultCode"], "0");
}

#[tokio::test]
async fn a_query_while_the_customer_thinks_is_a_500_with_the_code_of_bad_credentials() {
    let shop = Shop::open().await;
    let token = token(&shop).await;
    let id = pushed(&shop, &token, LATE, 100).await;
    let pending = query(&shop, &token, &id).await.with(500);
    assert_eq!(pending["errorCode"], "500.001.1001");
    assert!(pending["errorMessage"].as_str().is_some_and(|text| text.contains("being processed")));
    let mut body = credentials(&now(&shop).await);
    body["CheckoutRequestID"] = id.clone().into();
    body["Password"] = "wrong".into();
    let wrong = ask(&shop, &token, QUERY, &body).await.with(500);
    assert_eq!(wrong["errorCode"], "500.001.1001");
    assert_eq!(shop.control(&format!("intents/{id}/settle"), json!(null)).await.status, 204);
    assert_eq!(called_back(&shop).await["ResultCode"], 0);
    assert_eq!(query(&shop, &token, &id).await.with(200)["ResultCode"], "0");
    assert_eq!(shop.control(&format!("intents/{id}/fail"), json!(null)).await.status, 409);
}

#[tokio::test]
async fn customers_answer_after_the_delay_of_the_settings_and_silent_ones_never() {
    let callback_delay = Duration::from_secs(1_000);
    let shop = Shop::with(Merchant { callback_delay, ..Merchant::default() }).await;
    let token = token(&shop).await;
    let silent = pushed(&shop, &token, SILENT, 100).await;
    let id = pushed(&shop, &token, "254712345678", 100).await;
    assert_eq!(query(&shop, &token, &id).await.status, 500);
    shop.advance(1_000).await;
    assert_eq!(called_back(&shop).await["CheckoutRequestID"], id);
    assert_eq!(query(&shop, &token, &id).await.status, 200);
    assert_eq!(query(&shop, &token, &silent).await.status, 500);
    assert_eq!(shop.control(&format!("intents/{silent}/settle"), json!(null)).await.status, 409);
}

#[tokio::test]
async fn the_same_amount_from_the_same_phone_within_two_minutes_is_result_17() {
    let shop = Shop::open().await;
    let token = token(&shop).await;
    let phone = "254712345678";
    pushed(&shop, &token, phone, 100).await;
    assert_eq!(called_back(&shop).await["ResultCode"], 0);
    for (phone, amount, seconds, code) in [
        (phone, 100, 0, 17),
        (phone, 101, 0, 0),
        ("254112345678", 100, 0, 0),
        (phone, 100, 119, 17),
        (phone, 100, 120, 0),
    ] {
        shop.advance(seconds).await;
        pushed(&shop, &token, phone, amount).await;
        assert_eq!(called_back(&shop).await["ResultCode"], code, "{phone} {amount} {seconds}");
    }
    assert_eq!(shop.ledger().await["currencies"]["kes"]["captured"], 40_100);
}

#[tokio::test]
async fn bad_pushes_are_refused_with_the_field_that_is_bad() {
    let shop = Shop::open().await;
    let token = token(&shop).await;
    for (field, value) in [
        ("Amount", json!(0)),
        ("Amount", json!(250_001)),
        ("Amount", json!(10.5)),
        ("Amount", json!("10.00")),
        ("PhoneNumber", json!("0712345678")),
        ("PhoneNumber", json!("+254712345678")),
        ("PartyA", json!("254812345678")),
        ("PartyB", json!("1")),
        ("TransactionType", json!("Gift")),
        ("AccountReference", json!("booking-00001")),
        ("AccountReference", json!("")),
        ("TransactionDesc", json!("Fourteen chars")),
        ("CallBackURL", json!("http://127.0.0.1:1/mpesa/1")),
        ("CallBackURL", json!("http://127.0.0.1:1/safaricom")),
        ("CallBackURL", json!("http://127.0.0.1:1/Query")),
        ("CallBackURL", json!("127.0.0.1:1/")),
        ("Timestamp", json!("2027050114300")),
        ("Timestamp", json!("20271301143000")),
    ] {
        let mut body = push(&shop, LATE, 100).await;
        body[field] = value.clone();
        let error = ask(&shop, &token, PUSH, &body).await.with(400);
        let told = [&error["errorCode"], &error["errorMessage"]];
        let wanted = format!("Bad Request - Invalid {field}");
        assert_eq!(told, [&json!("400.002.02"), &json!(wanted)], "{value}");
    }
    let mut utc = push(&shop, LATE, 100).await;
    let three_hours_ago = now(&shop).await.parse::<Timestamp>().expect("a time")
        - jiff::SignedDuration::from_hours(3);
    utc["Timestamp"] = credentials(&three_hours_ago.to_string())["Timestamp"].clone();
    ask(&shop, &token, PUSH, &utc).await.with(400);
    let mut wrong = push(&shop, LATE, 100).await;
    wrong["Password"] = "wrong".into();
    assert_eq!(ask(&shop, &token, PUSH, &wrong).await.with(500)["errorCode"], "500.001.1001");
    for amount in [json!(1), json!("250000")] {
        let mut good = push(&shop, LATE, 100).await;
        good["Amount"] = amount;
        ask(&shop, &token, PUSH, &good).await.with(200);
    }
}

#[tokio::test]
async fn all_of_a_payment_is_reversed_once_and_its_callback_says_so() {
    let shop = Shop::open().await;
    let token = token(&shop).await;
    pushed(&shop, &token, "254712345678", 2_500).await;
    let paid = called_back(&shop).await;
    let receipt = &paid["CallbackMetadata"]["Item"][1]["Value"];
    for (receipt, amount, code) in [
        (receipt, 2_400, json!("R000002")),
        (&json!("NOTHING123"), 2_500, json!("R000002")),
        (receipt, 2_500, json!(0)),
        (receipt, 2_500, json!("R000001")),
    ] {
        let told = ask(&shop, &token, REVERSAL, &reversal(&shop, receipt, amount)).await.with(200);
        assert_eq!(told["ResponseCode"], "0");
        let letter = shop.receiver.next().await;
        assert_eq!(letter.path(), "/back");
        let result = &letter.json()["Result"];
        assert_eq!(result["ResultCode"], code);
        assert_eq!(result["ConversationID"], told["ConversationID"]);
    }
    let kes = &shop.ledger().await["currencies"]["kes"];
    assert_eq!([&kes["captured"], &kes["refunded"]], [250_000, 250_000]);
}

#[tokio::test]
async fn faults_happen_to_pushes_and_callbacks_too() {
    let shop = Shop::open().await;
    let token = token(&shop).await;
    shop.fault(json!({ "event": "mpesa.push", "fault": "drop" })).await;
    let lost = pushed(&shop, &token, "254712345678", 100).await;
    assert_eq!(query(&shop, &token, &lost).await.with(200)["ResultCode"], "0");
    shop.fault(json!({ "route": format!("POST {PUSH}"), "fault": "error_after_commit" })).await;
    let body = push(&shop, "254712345678", 200).await;
    ask(&shop, &token, PUSH, &body).await.with(500);
    let told = called_back(&shop).await;
    assert_eq!(told["CallbackMetadata"]["Item"][0]["Value"], 200.0);
    assert_eq!(shop.ledger().await["currencies"]["kes"]["captured"], 30_000);
}

#[tokio::test]
async fn another_stand_in_goes_on_with_the_pushes_and_the_token_in_its_books() {
    let folder = tempfile::tempdir().expect("a folder");
    let merchant = Merchant { callback_delay: Duration::from_secs(60), ..Merchant::default() };
    let settings = || Settings { merchant: merchant.clone(), ..kept_in(&folder) };
    let shop = Shop::set_up(settings()).await;
    let token = token(&shop).await;
    let paid = pushed(&shop, &token, "254700001234", 500).await;
    shop.advance(60).await;
    let receipt = called_back(&shop).await["CallbackMetadata"]["Item"][1]["Value"].take();
    let asked = query(&shop, &token, &paid).await.with(200);
    let (late, thinking) =
        (pushed(&shop, &token, LATE, 100).await, pushed(&shop, &token, "254700000001", 100).await);

    let shop = shop.again(settings());
    assert_eq!(query(&shop, &token, &paid).await.with(200), asked);
    assert_eq!(query(&shop, &token, &thinking).await.status, 500);
    shop.advance(60).await;
    let told = called_back(&shop).await;
    assert_eq!([&told["CheckoutRequestID"], &told["ResultCode"]], [&json!(thinking), &json!(1)]);
    assert_eq!(shop.control(&format!("intents/{late}/settle"), json!({})).await.status, 204);
    assert_eq!(called_back(&shop).await["CheckoutRequestID"], late);
    ask(&shop, &token, REVERSAL, &reversal(&shop, &receipt, 500)).await.with(200);
    assert_eq!(shop.ledger().await["payments"][0]["refunded"], 50_000);
}
