//! A stand-in with somebody who calls it and somebody whom it tells.

mod receiver;

pub(crate) use receiver::{Letter, Receiver};

use fakepay::{Fakepay, Merchant, Settings, Webhook};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const SECRET: &str = "whsec_test";
/// The longest that anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// What was answered, which has to have this status.
    pub(crate) fn with(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The error, which has to have this status.
    pub(crate) fn error(self, status: u16) -> Value {
        self.with(status)["error"].take()
    }
}

pub(crate) struct Shop {
    pub(crate) fakepay: Fakepay,
    client: Client,
    pub(crate) receiver: Receiver,
}

impl Shop {
    /// A stand-in that sends its events to a receiver which answers 200.
    pub(crate) async fn open() -> Self {
        Self::with(Merchant::default()).await
    }

    pub(crate) async fn with(merchant: Merchant) -> Self {
        Self::set_up(Settings { seed: Some(7), merchant, ..Settings::default() }).await
    }

    /// Its receiver is the webhook, whatever the settings say.
    pub(crate) async fn set_up(settings: Settings) -> Self {
        let receiver = Receiver::start().await;
        let fakepay = start(settings, &receiver);
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self { fakepay, client: client.build().expect("a client"), receiver }
    }

    /// Another stand-in, once this one has ended; the receiver is the same.
    pub(crate) fn again(self, settings: Settings) -> Self {
        let Self { fakepay, client, receiver } = self;
        drop(fakepay);
        Self { fakepay: start(settings, &receiver), client, receiver }
    }

    pub(crate) fn url(&self) -> &str {
        self.fakepay.url()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url()))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Reply {
        let response = request.timeout(PATIENCE).send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, text: response.text().await.expect("a text") }
    }

    /// A request to the Stripe side with a form, and a key if it is not empty.
    pub(crate) fn posting(&self, path: &str, form: &str, key: &str) -> RequestBuilder {
        let mut request = self.request(Method::POST, path).bearer_auth("sk_test_1");
        request = request.header("Content-Type", "application/x-www-form-urlencoded");
        if !key.is_empty() {
            request = request.header("Idempotency-Key", key);
        }
        request.body(form.to_owned())
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> Reply {
        self.send(self.posting(path, form, "")).await
    }

    pub(crate) async fn keyed(&self, path: &str, form: &str, key: &str) -> Reply {
        self.send(self.posting(path, form, key)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path).bearer_auth("sk_test_1")).await
    }

    /// An intent over 50 dollars that was confirmed with this method.
    pub(crate) async fn intent(&self, method: &str, more: &str) -> Value {
        let form = format!("amount=5000&currency=usd&confirm=true&payment_method={method}&{more}");
        self.post("/v1/payment_intents", form.trim_end_matches('&')).await.with(200)
    }

    /// The intent as it is now.
    pub(crate) async fn look(&self, intent: &Value) -> Value {
        self.get(&format!("/v1/payment_intents/{}", id(intent))).await.with(200)
    }

    /// A step of an intent: `confirm`, `capture` or `cancel`.
    pub(crate) async fn step(&self, intent: &Value, step: &str, form: &str) -> Reply {
        self.post(&format!("/v1/payment_intents/{}/{step}", id(intent)), form).await
    }

    /// Asks the stand-in itself for something.
    pub(crate) async fn control(&self, path: &str, wish: Value) -> Reply {
        self.send(self.request(Method::POST, &format!("/control/{path}")).json(&wish)).await
    }

    pub(crate) async fn advance(&self, seconds: u64) {
        self.control("clock", json!({ "advance_seconds": seconds })).await.with(200);
    }

    pub(crate) async fn fault(&self, wish: Value) {
        let reply = self.control("faults", wish).await;
        assert_eq!(reply.status, 204, "{}", reply.text);
    }

    /// Waits until no fault waits for its occasion any more.
    pub(crate) async fn faults_are_over(&self) {
        let over = async { while self.get("/control/faults").await.with(200) != json!([]) {} };
        tokio::time::timeout(PATIENCE, over).await.expect("the faults happen");
    }

    /// The delivery in this place, once it was attempted so often.
    pub(crate) async fn delivery(&self, place: usize, attempts: usize) -> Value {
        let tried = async {
            loop {
                let mut told = self.get("/control/deliveries").await.with(200);
                let delivery = told["deliveries"][place].take();
                if delivery["attempts"].as_array().is_some_and(|made| made.len() >= attempts) {
                    return delivery;
                }
            }
        };
        tokio::time::timeout(PATIENCE, tried).await.expect("it is attempted")
    }

    /// The books of the stand-in.
    pub(crate) async fn ledger(&self) -> Value {
        self.get("/control/ledger").await.with(200)
    }

    /// The next events that it tells of, each as type and id.
    pub(crate) async fn told(&self, number: usize) -> Vec<(String, String)> {
        let mut told = Vec::new();
        for _ in 0..number {
            let event = self.receiver.next().await.json();
            told.push((word(&event["type"]), word(&event["id"])));
        }
        told
    }

    /// The types of the next events.
    pub(crate) async fn types(&self, number: usize) -> Vec<String> {
        self.told(number).await.into_iter().map(|(kind, _)| kind).collect()
    }
}

fn start(settings: Settings, receiver: &Receiver) -> Fakepay {
    let webhook = Some(Webhook::new(receiver.url(), SECRET).expect("a good webhook"));
    let address = "127.0.0.1:0".parse().expect("an address");
    Fakepay::start(address, Settings { webhook, ..settings }).expect("a free port")
}

/// A text in JSON.
pub(crate) fn word(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

pub(crate) fn id(value: &Value) -> String {
    word(&value["id"])
}
