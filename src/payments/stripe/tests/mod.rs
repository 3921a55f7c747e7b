//! Stripe against a stand-in over real HTTP: what is answered, and what the stand-in's books say
//! happened. Waits of the stand-in are on its own clock, which tests move.

mod faults;
mod gateway;
mod orders;
mod refunds;

use super::{Limits, Settings, Stripe};
use crate::payments::{Intent, Order, Provider, ProviderError, RefundOrder};
use domain::settlement::Standing;
use domain::{BookingId, Instant, PaymentId, RefundId};
use fakepay::Fakepay;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use uuid::Uuid;

const AMOUNT: i64 = 12_345;
const BACK: &str = "https://stay.example/back?a=1&b=2";
const VISA: &str = "pm_card_visa";

const CREATE: &str = "POST /v1/payment_intents";
const LIST: &str = "GET /v1/payment_intents";
const CAPTURE: &str = "POST /v1/payment_intents/{id}/capture";
const CANCEL: &str = "POST /v1/payment_intents/{id}/cancel";
const REFUND: &str = "POST /v1/refunds";

/// Enough for any exchange that is answered at all.
const PATIENT: Limits = Limits {
    call: Duration::from_secs(60),
    exchange: Duration::from_secs(20),
    pause: Duration::from_millis(1),
};
/// For exchanges that are not answered, of which some are waited for.
const HASTY: Limits = Limits { exchange: Duration::from_millis(400), ..PATIENT };

/// A stand-in, its client, and the time on its clock when it began.
struct Shop {
    fakepay: Fakepay,
    http: Client,
    stripe: Stripe,
    now: Instant,
    ids: AtomicU64,
}

/// A client of whoever is at this address.
fn client(url: &str, limits: Limits) -> Stripe {
    let settings = Settings {
        name: "sandbox",
        secret_key: "sk_test_1".into(),
        api_base: Some(url.to_owned()),
        hosted_page: None,
    };
    Stripe { limits, ..Stripe::new(settings).expect("good settings") }
}

impl Shop {
    async fn open(limits: Limits) -> Self {
        let address = "127.0.0.1:0".parse().expect("an address");
        let fakepay = Fakepay::start(address, fakepay::Settings::default()).expect("a free port");
        let stripe = client(fakepay.url(), limits);
        let http = Client::builder().no_proxy().build().expect("a client");
        let ids = AtomicU64::new(1);
        let mut shop = Self { fakepay, http, stripe, now: Instant::default(), ids };
        shop.now = shop.advance(0).await;
        shop
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self.http.request(method, format!("{}{path}", self.fakepay.url()));
        let answer = request.bearer_auth("sk_test_1").json(&body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.text().await.expect("a text")).unwrap_or_default()
    }

    /// Moves the stand-in's clock, and says what it shows.
    async fn advance(&self, seconds: u64) -> Instant {
        let wish = json!({ "advance_seconds": seconds });
        let told = self.ask(Method::POST, "/control/clock", wish).await;
        let now = told["now"].as_str().expect("a time");
        now.parse::<jiff::Timestamp>().expect("a time").into()
    }

    async fn fault(&self, route: &str, fault: &str, times: u32) {
        let wish = json!({ "route": route, "fault": fault, "times": times });
        self.ask(Method::POST, "/control/faults", wish).await;
    }

    /// Waits until no fault is left.
    async fn faults_are_over(&self) {
        while self.ask(Method::GET, "/control/faults", Value::Null).await != json!([]) {}
    }

    /// Ends a payment that is pending: `settle` or `fail`.
    async fn end(&self, intent: &Intent, how: &str) {
        let path = format!("/control/intents/{}/{how}", intent.reference);
        self.ask(Method::POST, &path, Value::Null).await;
    }

    /// What was authorized, captured, released and refunded, for each payment that had money.
    async fn books(&self) -> Vec<[i64; 4]> {
        let ledger = self.ask(Method::GET, "/control/ledger", Value::Null).await;
        let payments = ledger["payments"].as_array().expect("a list").iter();
        let words = ["authorized", "captured", "released", "refunded"];
        payments.map(|entry| words.map(|word| entry[word].as_i64().expect("a number"))).collect()
    }

    /// How many things there are in a list.
    async fn count(&self, path: &str) -> usize {
        let list = self.ask(Method::GET, path, Value::Null).await;
        list["data"].as_array().expect("a list").len()
    }

    fn id(&self) -> Uuid {
        Uuid::from_u128(self.ids.fetch_add(1, Ordering::Relaxed).into())
    }

    fn order(&self, method: &str) -> Order {
        Order {
            payment: PaymentId(self.id()),
            booking: BookingId(self.id()),
            amount: AMOUNT,
            currency: "USD".parse().expect("a currency"),
            method: method.to_owned(),
            return_url: BACK.to_owned(),
            reference: None,
            receipt: None,
            asked_at: self.now,
        }
    }

    /// An order that was made, and knows its name.
    async fn made(&self, method: &str) -> (Order, Intent) {
        let mut order = self.order(method);
        let intent = self.stripe.order(&order, self.now).await.expect("it is made");
        order.reference = Some(intent.reference.clone());
        (order, intent)
    }

    /// A refund of so much of an order that was captured.
    async fn refund(&self, amount: i64) -> RefundOrder {
        let (order, _) = self.made(VISA).await;
        let captured = self.stripe.capture(&order, self.now).await.expect("it is captured");
        assert_eq!(captured.fact.standing, Standing::Captured);
        self.refund_of(order, amount)
    }

    fn refund_of(&self, order: Order, amount: i64) -> RefundOrder {
        let (refund, requested_at) = (RefundId(self.id()), self.now);
        let state = domain::payment::RefundState::Requested;
        RefundOrder { refund, amount, order, reference: None, requested_at, state, asked_at: None }
    }

    async fn fetch(&self, order: &Order) -> Intent {
        let fetched = self.stripe.fetch(order, self.now).await.expect("it is fetched");
        fetched.expect("it is there")
    }
}

/// How something stands, or that it is not known, is not done, or comes too soon.
fn standing(answer: Result<Intent, ProviderError>) -> Result<Standing, &'static str> {
    answer.map(|intent| intent.fact.standing).map_err(|error| word(&error))
}

fn word(error: &ProviderError) -> &'static str {
    match error {
        ProviderError::Refused(_) => "refused",
        ProviderError::Busy(_) => "busy",
        ProviderError::Early(_) => "early",
        ProviderError::Unclear(_) => "unclear",
    }
}
