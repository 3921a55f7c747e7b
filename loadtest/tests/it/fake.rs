//! A stand-in for the server: the few routes that scenarios use over the most naive calendar there
//! is, honest or with one planted quirk. It knows nothing of the crate under test.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use jiff::civil::Date;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

/// What is wrong with a fake. Each happens at every fifth opportunity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quirk {
    /// Books nights that are taken.
    DoubleBooks,
    /// Acknowledges a booking and forgets it.
    Forgets,
    /// Refuses a stay whose nights are free.
    RefusesFree,
    /// Names the day of departure in a refusal.
    NamesDeparture,
    /// Names all nights of the stay in a refusal.
    NamesAll,
    /// Refuses with a reason that has nothing to do with nights.
    FindsRules,
    /// Acknowledges a cancel and keeps the booking.
    KeepsCanceled,
    /// Moves a booking by a day after having acknowledged it.
    Moves,
    /// Lists a booking that nobody made.
    Invents,
    /// Answers 500.
    Fails,
    /// Carries out a booking and closes the connection without an answer. Not a lie.
    HangsUp,
    /// Answers 503 with `Retry-After`. Not a lie.
    Overloaded,
    /// Forgets who is signed in. Not a lie.
    SignsOut,
    /// Takes payments with 202 and settles them later. Not a lie.
    PaysLate,
}

struct Booking {
    id: Uuid,
    user: usize,
    property: Uuid,
    check_in: Date,
    check_out: Date,
    status: &'static str,
}

impl Booking {
    fn holds_any_of(&self, check_in: Date, check_out: Date) -> bool {
        self.status != "CANCELED" && self.check_in < check_out && check_in < self.check_out
    }

    fn document(&self) -> Value {
        let pending = self.status == "PENDING";
        json!({
            "id": self.id, "user_id": Uuid::from_u128(self.user as u128),
            "property_id": self.property, "check_in": self.check_in.to_string(),
            "check_out": self.check_out.to_string(), "guests": 2, "status": self.status,
            "awaiting": pending.then_some("payment"),
            "expires_at": pending.then_some("2026-11-22T10:15:00Z"), "total_amount": 12000,
            "currency": "EUR", "payment_id": null, "version": 1,
            "created_at": "2026-11-22T10:00:00Z",
        })
    }
}

/// A request as far as the fake looks at it.
struct Asked {
    method: Method,
    /// The path below `/api/v1`, in pieces.
    path: Vec<String>,
    query: String,
    key: String,
    body: Value,
}

/// `None` closes the connection.
type Answer = Option<(u16, Value)>;

#[derive(Default)]
struct State {
    ids: u128,
    opportunities: u32,
    emails: Vec<String>,
    tokens: HashMap<String, usize>,
    properties: HashMap<Uuid, Vec<usize>>,
    bookings: Vec<Booking>,
    numbers: HashMap<Uuid, usize>,
    payments: HashMap<Uuid, bool>,
    keys: HashMap<(usize, String), usize>,
}

/// A running fake; it ends with the runtime.
pub(crate) struct Fake {
    address: SocketAddr,
    quirk: Option<Quirk>,
    state: Mutex<State>,
}

impl Fake {
    /// Serves on a free port of this machine.
    pub(crate) async fn start(quirk: Option<Quirk>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let fake = Arc::new(Self { address, quirk, state: Mutex::default() });
        tokio::spawn(Arc::clone(&fake).serve(listener));
        fake
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let fake = Arc::clone(&self);
            let service = service_fn(move |request| {
                let fake = Arc::clone(&fake);
                async move { fake.respond(request).await }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    }

    async fn respond(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, HungUp> {
        let header = |name: &str| {
            let value = request.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (key, token) = (header("idempotency-key"), header(AUTHORIZATION.as_str()));
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let body = request.into_body().collect().await.map_err(|_| HungUp)?.to_bytes();
        let path = uri.path().strip_prefix("/api/v1/").unwrap_or_default();
        let asked = Asked {
            method,
            path: path.split('/').map(str::to_owned).collect(),
            query: uri.query().unwrap_or_default().to_owned(),
            key,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        let (status, body) = self.answer(&asked, &token).ok_or(HungUp)?;
        let kind = if status < 400 { "application/json" } else { "application/problem+json" };
        let mut response = Response::builder().status(status).header(CONTENT_TYPE, kind);
        if status == 503 {
            response = response.header(RETRY_AFTER, "0");
        }
        Ok(response.body(Full::from(body.to_string())).expect("a response"))
    }

    fn answer(&self, asked: &Asked, token: &str) -> Answer {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        match (&asked.method, path.as_slice()) {
            (&Method::POST, ["users"]) => {
                let email = asked.body["email"].to_string();
                state.emails.push(email);
                return Some((201, json!({"id": state.next_id()})));
            }
            (&Method::POST, ["auth", "login"]) => {
                let email = asked.body["email"].to_string();
                let user = state.emails.iter().position(|known| *known == email)?;
                let token = format!("token-{}", state.next_id());
                state.tokens.insert(format!("Bearer {token}"), user);
                let session =
                    json!({"access_token": token, "token_type": "Bearer", "expires_in": 600});
                return Some((200, session));
            }
            _ => {}
        }
        if self.quirk == Some(Quirk::SignsOut) && state.opportunity() {
            state.tokens.remove(token);
        }
        let Some(&user) = state.tokens.get(token) else {
            return Some((401, json!({"code": "unauthenticated"})));
        };
        match (&asked.method, path.as_slice()) {
            (&Method::GET, ["users", "me"]) => Some((200, json!({}))),
            (&Method::POST, ["properties"]) => {
                let id = state.next_id();
                state.properties.insert(id, Vec::new());
                Some((201, json!({"id": id})))
            }
            (&Method::POST, ["properties", id, "bookings"]) => {
                self.book(&mut state, asked, user, id.parse().ok()?)
            }
            (&Method::DELETE, ["bookings", id]) => {
                let number = *state.numbers.get(&id.parse().ok()?)?;
                if self.quirk != Some(Quirk::KeepsCanceled) || !state.opportunity() {
                    state.bookings[number].status = "CANCELED";
                }
                Some((200, state.bookings[number].document()))
            }
            (&Method::GET, ["bookings"]) => Some((200, self.list(&mut state, user, &asked.query))),
            (&Method::POST, ["payments"]) => self.pay(&mut state, &asked.body),
            (&Method::GET, ["payments", id]) => {
                state.payments.get(&id.parse().ok()?)?;
                Some((200, json!({"id": id, "status": "captured"})))
            }
            _ => Some((404, json!({"code": "not_found"}))),
        }
    }

    fn book(&self, state: &mut State, asked: &Asked, user: usize, property: Uuid) -> Answer {
        let key = (user, asked.key.clone());
        if let Some(&number) = state.keys.get(&key) {
            return Some((201, state.bookings[number].document()));
        }
        let date = |field: &str| asked.body[field].as_str()?.parse::<Date>().ok();
        let (check_in, check_out) = (date("check_in")?, date("check_out")?);
        let taken: Vec<Date> = check_in
            .series(jiff::Span::new().days(1))
            .take_while(|&night| night < check_out)
            .filter(|night| state.is_taken(property, *night))
            .collect();
        let happens = |quirk| self.quirk == Some(quirk);
        let named = match taken.is_empty() {
            true if happens(Quirk::RefusesFree) && state.opportunity() => vec![check_in],
            true => return self.accept(state, key, property, (check_in, check_out)),
            false if happens(Quirk::DoubleBooks) && state.opportunity() => {
                return self.accept(state, key, property, (check_in, check_out));
            }
            false if happens(Quirk::NamesDeparture) && state.opportunity() => {
                [taken, vec![check_out]].concat()
            }
            false if happens(Quirk::NamesAll) && state.opportunity() => {
                let all = check_in.series(jiff::Span::new().days(1));
                all.take_while(|&night| night < check_out).collect()
            }
            false => taken,
        };
        let code = match happens(Quirk::FindsRules) && state.opportunity() {
            true => "min_nights",
            false => "unavailable_held",
        };
        let nights: Vec<String> = named.iter().map(Date::to_string).collect();
        Some((
            409,
            json!({"type": "about:blank", "title": "Not available", "status": 409,
                "detail": "Some nights are taken.", "code": "unavailable", "request_id": "1",
                "reasons": [{"code": code, "nights": nights, "held_until": "2026-11-22T10:15:00Z"}],
                "alternatives": [{"check_in": "2027-01-01", "check_out": "2027-01-02"}]}),
        ))
    }

    fn accept(
        &self,
        state: &mut State,
        key: (usize, String),
        property: Uuid,
        (check_in, check_out): (Date, Date),
    ) -> Answer {
        let happens = |quirk| self.quirk == Some(quirk);
        if happens(Quirk::Overloaded) && state.opportunity() {
            return Some((503, json!({"code": "overloaded"})));
        }
        if happens(Quirk::Fails) && state.opportunity() {
            return Some((500, json!({"code": "internal"})));
        }
        let (id, number, user) = (state.next_id(), state.bookings.len(), key.0);
        let status = "PENDING";
        let booking = Booking { id, user, property, check_in, check_out, status };
        let document = booking.document();
        state.bookings.push(booking);
        state.numbers.insert(id, number);
        state.keys.insert(key, number);
        state.properties.entry(property).or_default().push(number);
        if happens(Quirk::HangsUp) && state.opportunity() {
            return None;
        }
        if happens(Quirk::Forgets) && state.opportunity() {
            // Nobody's booking is in nobody's list.
            state.bookings[number].user = usize::MAX;
        }
        if happens(Quirk::Moves) && state.opportunity() {
            state.bookings[number].check_out = check_out.tomorrow().ok()?;
        }
        Some((201, document))
    }

    fn pay(&self, state: &mut State, body: &Value) -> Answer {
        let number = *state.numbers.get(&body["booking_id"].as_str()?.parse().ok()?)?;
        state.bookings[number].status = "CONFIRMED";
        let id = state.next_id();
        let late = self.quirk == Some(Quirk::PaysLate) && state.opportunity();
        state.payments.insert(id, late);
        let (code, status) = if late { (202, "pending") } else { (201, "captured") };
        Some((code, json!({"id": id, "booking_id": body["booking_id"], "status": status})))
    }

    fn list(&self, state: &mut State, user: usize, query: &str) -> Value {
        let from = query.split_once("cursor=").and_then(|(_, from)| from.parse().ok());
        let from: usize = from.unwrap_or(0);
        let own = state.bookings.iter().enumerate().skip(from).filter(|(_, b)| b.user == user);
        let page: Vec<_> = own.take(101).map(|(number, b)| (number, b.document())).collect();
        let next = page.get(100).map(|(number, _)| number.to_string());
        let mut data: Vec<Value> = page.into_iter().take(100).map(|(_, b)| b).collect();
        if self.quirk == Some(Quirk::Invents) && state.opportunity() && !data.is_empty() {
            let mut invented = data[0].clone();
            invented["id"] = json!(state.next_id());
            data.push(invented);
        }
        json!({"data": data, "next_cursor": next})
    }
}

impl State {
    fn next_id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn opportunity(&mut self) -> bool {
        self.opportunities += 1;
        self.opportunities.is_multiple_of(5)
    }

    fn is_taken(&self, property: Uuid, night: Date) -> bool {
        let own = self.properties.get(&property).into_iter().flatten();
        let next = night.tomorrow().unwrap_or(night);
        own.map(|&number| &self.bookings[number]).any(|b| b.holds_any_of(night, next))
    }
}

/// Ends a connection without an answer.
#[derive(Debug)]
struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hung up")
    }
}

impl std::error::Error for HungUp {}
