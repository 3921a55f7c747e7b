//! The payment provider of a test: Stripe's stand-in in this process, which outlives servers that
//! are killed and is shared by those that work side by side.

use fakepay::{Fakepay, Settings, Webhook};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

const TOLD_WITHIN: Duration = Duration::from_secs(10);

pub(crate) const SIGNING_SECRET: &str = "whsec_7f3a9c1e5b8d2f6a4c0e9b7d5f3a1c8e";

/// A provider with everybody's payments.
pub(crate) struct Pay {
    fakepay: Fakepay,
    http: reqwest::Client,
}

impl Pay {
    pub(crate) fn start() -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let fakepay = Fakepay::start(anywhere, Settings::default()).expect("a free port");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { fakepay, http }
    }

    /// The settings of a server that pays through it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 4] {
        [
            ("PAYMENTS_PROVIDER", "stripe".to_owned()),
            ("STRIPE_SECRET_KEY", "sk_test_51Hq3fJ2eZvKYlo2C".to_owned()),
            ("STRIPE_WEBHOOK_SECRET", SIGNING_SECRET.to_owned()),
            ("STRIPE_API_BASE", self.fakepay.url().to_owned()),
        ]
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        self.fakepay.url()
    }

    /// Tells a server what happens from now on.
    pub(crate) fn tell(&self, server: SocketAddr) {
        let url = format!("http://{server}/webhooks/stripe");
        self.fakepay.set_webhook(Webhook::new(&url, SIGNING_SECRET).expect("a webhook"));
    }

    /// Moves its clock, so that what it signs stays as new as the server's clock is.
    pub(crate) fn advance(&self, by: Duration) {
        // Beyond ten years it stays where it is; whoever goes so far looks at no signature.
        let _ = self.fakepay.advance(by);
    }

    /// What was processed, or waits for the customer, is paid.
    pub(crate) async fn settle(&self, reference: &str) {
        self.control("POST", &format!("intents/{reference}/settle"), Value::Null).await;
    }

    /// The same is declined.
    pub(crate) async fn fail(&self, reference: &str) {
        self.control("POST", &format!("intents/{reference}/fail"), Value::Null).await;
    }

    /// Something goes wrong the next time.
    pub(crate) async fn plant(&self, fault: Value) {
        self.control("POST", "faults", fault).await;
    }

    /// From now on everything goes well.
    pub(crate) async fn heal(&self) {
        self.control("DELETE", "faults", Value::Null).await;
    }

    /// What became of all money, by payment and by currency.
    pub(crate) async fn ledger(&self) -> Value {
        self.control("GET", "ledger", Value::Null).await
    }

    /// How much it has told, or is about to.
    pub(crate) fn letters(&self) -> u64 {
        self.fakepay.deliveries()
    }

    /// Waits until everything that it had to tell has been sent once.
    pub(crate) async fn told(&self) {
        let mut look = tokio::time::interval(Duration::from_millis(2));
        let telling = async {
            while self.fakepay.is_telling() {
                look.tick().await;
            }
        };
        let told = tokio::time::timeout(TOLD_WITHIN, telling).await;
        told.expect("a provider that tells what it has to tell");
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/control/{path}", self.fakepay.url());
        let method = method.parse().expect("a method");
        let request = self.http.request(method, &url);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a text");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}
