//! What claims to come from Stripe: only what is signed with the secret counts, and even that is a
//! hint.

use super::{held, moved};
use crate::helpers::{Database, Document, SIGNING_SECRET, Server, Storage, now, on_both, run};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

on_both!(
    what_is_not_signed_as_it_should_be_changes_nothing,
    a_signed_event_that_is_not_true_changes_nothing,
);

const BLOCK: usize = 64;

/// HMAC with SHA-256 (RFC 2104), in hex.
fn signature(secret: &str, message: &[u8]) -> String {
    let mut key = [0; BLOCK];
    key[..secret.len().min(BLOCK)].copy_from_slice(&secret.as_bytes()[..secret.len().min(BLOCK)]);
    let pad = |byte: u8| key.map(|own| own ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn signed(secret: &str, at: i64, body: &str) -> String {
    format!("t={at},v1={}", signature(secret, format!("{at}.{body}").as_bytes()))
}

fn event(payment: &Value) -> Value {
    json!({
        "id": "evt_forged", "object": "event", "type": "payment_intent.succeeded",
        "data": { "object": {
            "id": payment["provider_ref"], "object": "payment_intent", "amount": 24_000,
            "amount_received": 24_000, "currency": "eur", "status": "succeeded",
            "metadata": { "payment": payment["id"], "booking": payment["booking_id"] },
        } },
    })
}

/// The server's time, in seconds.
fn seconds(server: &Server) -> i64 {
    let moved = i64::try_from(server.moved().as_secs()).expect("seconds");
    now().as_micros() / 1_000_000 + moved
}

async fn what_is_not_signed_as_it_should_be_changes_nothing(server: &mut Server) {
    let (_, guest, booking) = held(server).await;
    let ask = json!({ "booking_id": booking["id"] });
    let payment = server.post("/payments", ask).by(&guest).await.expect(202);
    let body = event(&payment).to_string();
    let spaced = body.replace("\":", "\": ");
    let at = seconds(server);
    let good = signed(SIGNING_SECRET, at, &body);
    let cases = [
        ("no signature", None, &body),
        ("junk", Some("t=now,v1=zz".to_owned()), &body),
        ("another secret", Some(signed("whsec_other", at, &body)), &body),
        ("an empty secret", Some(signed("", at, &body)), &body),
        ("too old", Some(signed(SIGNING_SECRET, at - 301, &body)), &body),
        ("too new", Some(signed(SIGNING_SECRET, at + 400, &body)), &body),
        ("written anew", Some(good.clone()), &spaced),
        ("an older scheme", Some(good.replace("v1=", "v0=")), &body),
    ];
    for base in ["/webhooks/stripe", "/api/v1/webhooks/stripe"] {
        for (what, header, body) in &cases {
            let asked = server.post(base, Value::Null).raw("application/json", (*body).clone());
            let asked = header.iter().fold(asked, |asked, it| asked.header("stripe-signature", it));
            assert_eq!(asked.await.status, 400, "{what}");
        }
    }
    let not_json = "{\"id\":";
    let asked = server.post("/webhooks/stripe", Value::Null).raw("application/json", not_json);
    let asked = asked.header("stripe-signature", &signed(SIGNING_SECRET, at, not_json));
    assert_eq!(asked.await.status, 400);
    server.advance(600).await;
    assert_eq!(server.booking(&guest, &booking.text("id")).await.expect(200)["status"], "PENDING");
    assert_eq!(moved(server).await, (0, 0));
}

async fn a_signed_event_that_is_not_true_changes_nothing(server: &mut Server) {
    let (_, guest, booking) = held(server).await;
    let ask = json!({ "booking_id": booking["id"] });
    let payment = server.post("/payments", ask).by(&guest).await.expect(202);
    let mut stranger = event(&payment);
    stranger["data"]["object"]["metadata"] = json!({});
    stranger["data"]["object"]["id"] = json!("pi_of_somebody_else");
    let mut idle = event(&payment);
    idle["type"] = json!("customer.created");
    for event in [event(&payment), event(&payment), stranger, idle] {
        let body = event.to_string();
        let header = signed(SIGNING_SECRET, seconds(server), &body);
        let asked = server.post("/webhooks/stripe", Value::Null).raw("application/json", body);
        assert_eq!(asked.header("stripe-signature", &header).await.status, 204, "{event}");
    }
    // Everything that it made has been done by then.
    server.advance(1).await;
    let shown = server.payment(&guest, &payment.text("id")).await.expect(200);
    assert_eq!(shown["status"], "requires_action");
    assert_eq!(server.booking(&guest, &booking.text("id")).await.expect(200)["status"], "PENDING");
    server.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_secret_for_webhooks_the_server_does_not_start() {
    let storage = Storage::new(Database::Sqlite).await;
    for secret in
        ["", "whsec_", "whsec_changemechangemechangemechangeme", "7f3a9c1e5b8d2f6a4c0e9b7d"]
    {
        let settings = [
            ("SECRET_KEY", crate::helpers::SECRET),
            ("PAYMENTS_PROVIDER", "stripe"),
            ("STRIPE_SECRET_KEY", "sk_test_51Hq3fJ2eZvKYlo2C"),
            ("STRIPE_WEBHOOK_SECRET", secret),
        ];
        let ended = run(&storage, &["serve"], &settings).await;
        assert_eq!(ended.status.code(), Some(1), "{secret:?}: {ended:?}");
        assert!(ended.log.contains("STRIPE_WEBHOOK_SECRET"), "{secret:?}: {}", ended.log);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_provider_nothing_is_paid_and_nothing_is_believed() {
    let settings = [("PAYMENTS_PROVIDER", ""), ("DEBUG", "false"), ("CLOCK", "system")];
    let server = Server::spawn_with(Database::Sqlite, &settings).await;
    let (_, guest, booking) = held(&server).await;
    let asked = server.pay(&guest, &booking.text("id"), "pm_card_visa").await;
    asked.is_problem(503, "payments_off");
    let asked = server.post("/webhooks/stripe", json!({}));
    asked.await.is_problem(404, "not_found");
}
