//! A small HTTP client: requests that read like what they are, answers that say what was wrong.

use super::{Person, Server, mint, now};
use domain::{Instant, PropertyId};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::future::{Future, IntoFuture};
use std::pin::Pin;

/// A request that is being put together; awaiting it sends it.
pub(crate) struct Ask {
    request: RequestBuilder,
    /// When tokens are issued: by the server's clock.
    at: Instant,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as JSON; null without one, and a string where it is no JSON.
    pub(crate) body: Value,
}

impl Server {
    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask {
        let request = self.http().request(method, format!("{}{path}", self.base()));
        Ask { request, at: now().plus(self.moved()) }
    }

    pub(crate) fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Ask {
        self.ask(Method::POST, path).json(&body)
    }

    pub(crate) fn put(&self, path: &str, body: Value) -> Ask {
        self.ask(Method::PUT, path).json(&body)
    }

    pub(crate) fn delete(&self, path: &str) -> Ask {
        self.ask(Method::DELETE, path)
    }

    /// Lists a home of this host: 12,000 minor units a night, six guests at most.
    pub(crate) async fn home(&self, host: &Person) -> String {
        let answer = self.post("/api/v1/properties", home()).by(host).await;
        answer.expect(201).text("id")
    }

    /// Asks for a stay of two guests.
    pub(crate) fn book(&self, guest: &Person, home: &str, check_in: &str, check_out: &str) -> Ask {
        let body = json!({ "check_in": check_in, "check_out": check_out, "guests": 2 });
        self.post(&format!("/api/v1/properties/{home}/bookings"), body).by(guest)
    }

    /// Pays for a booking with one of the sandbox's means of payment.
    pub(crate) fn pay(&self, guest: &Person, booking: &str, method: &str) -> Ask {
        let body = json!({ "booking_id": booking, "payment_method": method });
        self.post("/api/v1/payments", body).by(guest)
    }

    pub(crate) fn cancel(&self, person: &Person, booking: &str) -> Ask {
        self.delete(&format!("/api/v1/bookings/{booking}")).by(person)
    }

    pub(crate) fn booking(&self, person: &Person, booking: &str) -> Ask {
        self.get(&format!("/api/v1/bookings/{booking}")).by(person)
    }

    pub(crate) fn payment(&self, person: &Person, payment: &str) -> Ask {
        self.get(&format!("/api/v1/payments/{payment}")).by(person)
    }

    pub(crate) fn calendar(&self, home: &str, from: &str, to: &str) -> Ask {
        self.get(&format!("/api/v1/properties/{home}/calendar?from={from}&to={to}"))
    }

    /// The state of each night in `[from, to)`: `available`, `held` or `booked`.
    pub(crate) async fn states(&self, home: &str, from: &str, to: &str) -> Vec<String> {
        let calendar = self.calendar(home, from, to).await.expect(200);
        let mut states = Vec::new();
        for range in calendar.list("ranges") {
            let state = range.text("state");
            let nights = super::nights(&range.text("from"), &range.text("to"));
            states.extend(nights.iter().map(|_| state.clone()));
        }
        states
    }

    /// All bookings of a guest, page by page, newest first.
    pub(crate) async fn bookings(&self, guest: &Person) -> Vec<Value> {
        let mut bookings = Vec::new();
        let mut path = "/api/v1/bookings?limit=100".to_owned();
        loop {
            let page = self.get(&path).by(guest).await.expect(200);
            bookings.extend(page.list("data").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("/api/v1/bookings?limit=100&cursor={cursor}"),
                None => return bookings,
            }
        }
    }
}

/// The smallest body of a home, with a price and room for six.
pub(crate) fn home() -> Value {
    json!({
        "title": "A quiet room", "city": "Lisbon", "country": "PT", "timezone": "UTC",
        "price_per_night": 12_000, "currency": "EUR", "max_guests": 6,
    })
}

/// `base` with one field set to this value.
pub(crate) fn with(base: &Value, field: &str, value: Value) -> Value {
    let mut body = base.clone();
    body[field] = value;
    body
}

impl Ask {
    /// Signs the request.
    pub(crate) fn by(self, person: &Person) -> Self {
        let token = mint(person, self.at);
        self.token(&token)
    }

    /// Sends this text as the bearer's token.
    pub(crate) fn token(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// Sends an Idempotency-Key.
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Sends a header besides those that are there.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a header's name");
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header's value");
        Self { request: self.request.header(name, value), ..self }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    /// Sends these bytes as a body of this type.
    pub(crate) fn raw(self, kind: &str, body: impl Into<reqwest::Body>) -> Self {
        Self { request: self.request.header(CONTENT_TYPE, kind).body(body), ..self }
    }

    /// Sends the request; an error says that no whole answer came.
    pub(crate) async fn attempt(self) -> Result<Answer, reqwest::Error> {
        let mut response = self.request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // A stream of events has no end: what it begins with is its body here.
        let bytes = if headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream") {
            response.chunk().await?.unwrap_or_default()
        } else {
            response.bytes().await?
        };
        let body = match &bytes[..] {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes)
                .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(bytes))),
        };
        Ok(Answer { status, headers, body })
    }
}

impl IntoFuture for Ask {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.attempt().await.expect("an answer") })
    }
}

impl Answer {
    /// The body, if the answer has this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body.clone()
    }

    /// Asserts that this is a whole problem document with this code.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.body
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["request_id"], self.header("x-request-id"), "{}", self.body);
        for name in ["type", "title", "detail"] {
            assert!(self.body[name].is_string(), "{name} is missing: {}", self.body);
        }
    }

    /// The value of a header; empty where it was not sent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ascii"))
    }

    pub(crate) fn is_replayed(&self) -> bool {
        self.header("idempotent-replayed") == "true"
    }
}

/// Reading documents in tests.
pub(crate) trait Document {
    /// The text of a field.
    fn text(&self, name: &str) -> String;

    /// The elements of a field.
    fn list(&self, name: &str) -> &[Value];

    /// The whole number in a field.
    fn number(&self, name: &str) -> i64;
}

impl Document for Value {
    #[track_caller]
    fn text(&self, name: &str) -> String {
        self[name].as_str().unwrap_or_else(|| panic!("no text {name} in {self}")).to_owned()
    }

    #[track_caller]
    fn list(&self, name: &str) -> &[Value] {
        self[name].as_array().unwrap_or_else(|| panic!("no list {name} in {self}"))
    }

    #[track_caller]
    fn number(&self, name: &str) -> i64 {
        self[name].as_i64().unwrap_or_else(|| panic!("no number {name} in {self}"))
    }
}

/// The last segment of the path of a property, as the engine names it.
pub(crate) fn property_id(home: &str) -> PropertyId {
    PropertyId(home.parse().expect("an id"))
}
