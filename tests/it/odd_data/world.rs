//! A server with one of each thing, and every operation that takes a body.

use crate::helpers::{Answer, Database, Document, PASSWORD, Person, Server, day, home, with};
use reqwest::Method;
use serde_json::{Value, json};

/// A server with one of each thing.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) host: Person,
    pub(super) guest: Person,
    pub(super) admin: Person,
    /// Where the guest has stayed twice.
    pub(super) home: String,
    /// Where nobody has.
    place: String,
    reviewed: String,
    unreviewed: String,
    unpaid: String,
    review: String,
}

impl World {
    pub(super) async fn new(database: Database) -> Self {
        let server = Server::spawn(database).await;
        let (host, guest, admin) =
            (server.host().await, server.guest().await, server.admin().await);
        let (home, place) = (server.home(&host).await, server.home(&host).await);
        let mut stays = Vec::new();
        for (check_in, check_out) in [(1, 2), (3, 4)] {
            let stay = server.book(&guest, &home, &day(check_in), &day(check_out)).await;
            stays.push(stay.expect(201).text("id"));
            server.pay(&guest, &stays[stays.len() - 1], "pm_card_visa").await.expect(201);
        }
        server.advance(6 * 24 * 60 * 60).await;
        let unpaid = server.book(&guest, &home, &day(50), &day(51)).await.expect(201).text("id");
        let [reviewed, unreviewed] = stays.try_into().expect("two stays");
        let mut world = Self {
            server,
            host,
            guest,
            admin,
            home,
            place,
            reviewed,
            unreviewed,
            unpaid,
            review: String::new(),
        };
        world.write_review().await;
        world
    }

    async fn write_review(&mut self) {
        let body = json!({ "booking_id": self.reviewed, "rating": 5, "comment": "Quiet." });
        let review = self.server.post("/api/v1/reviews", body).by(&self.guest).await;
        self.review = review.expect(201).text("id");
    }

    /// Every operation that takes a body, with one that is good.
    pub(super) fn operations(&self) -> Vec<Operation> {
        let operation = |method: Method, path: &str, by: Option<&Person>, body: Value| Operation {
            method,
            path: path.to_owned(),
            by: by.cloned(),
            body,
        };
        let (host, guest) = (Some(&self.host), Some(&self.guest));
        let person = json!({ "first_name": "Ada", "last_name": "Lovelace", "role": "guest" });
        let stay = json!({ "check_in": day(70), "check_out": day(72), "guests": 2 });
        let anywhere = with(&stay, "property_id", json!(self.home));
        let mut full = home();
        for (name, value) in [
            ("description", json!("Under the roof.")),
            ("address", json!("Rua Nova 1")),
            ("latitude", json!(38.7)),
            ("longitude", json!(-9.1)),
            ("amenities", json!(["wifi"])),
            ("check_in_from", json!("15:00")),
            ("check_out_by", json!("11:00")),
            ("status", json!("listed")),
        ] {
            full[name] = value;
        }
        let review = json!({ "rating": 4, "comment": "Quiet." });
        let token = "a".repeat(43);
        let email = &self.guest.email;
        let signing_up = with(&person, "email", json!("ada@example.com"));
        let (put, post) = (Method::PUT, Method::POST);
        vec![
            operation(post.clone(), "/users", None, with(&signing_up, "password", json!(PASSWORD))),
            operation(put.clone(), "/users/me", guest, person),
            operation(post.clone(), "/properties", host, full.clone()),
            operation(put.clone(), &format!("/properties/{}", self.place), host, full),
            operation(post.clone(), &format!("/properties/{}/bookings", self.home), guest, stay),
            operation(post.clone(), "/bookings", guest, anywhere),
            operation(
                post.clone(),
                "/payments",
                guest,
                json!({ "booking_id": self.unpaid, "payment_method": "pm_card_visa" }),
            ),
            operation(
                post.clone(),
                "/reviews",
                guest,
                with(&review, "booking_id", json!(self.unreviewed)),
            ),
            operation(put, &format!("/reviews/{}", self.review), guest, review),
            operation(
                post.clone(),
                &format!("/reviews/{}/reply", self.review),
                host,
                json!({ "comment": "Thank you." }),
            ),
            operation(
                post.clone(),
                "/auth/login",
                None,
                json!({ "email": email, "password": PASSWORD }),
            ),
            operation(post.clone(), "/auth/refresh", None, json!({ "refresh_token": token })),
            operation(post.clone(), "/auth/verify", None, json!({ "token": token })),
            operation(post.clone(), "/auth/password/forgot", None, json!({ "email": email })),
            operation(
                post,
                "/auth/password/reset",
                None,
                json!({ "token": token, "password": PASSWORD }),
            ),
        ]
    }

    pub(super) async fn send(&self, operation: &Operation, body: &[u8]) -> Answer {
        if operation.path.starts_with("/auth/") {
            // Who guesses is slowed down, which is not what is looked at here.
            self.server.advance(300).await;
        }
        let ask = self.server.ask(operation.method.clone(), &operation.path);
        let ask = ask.raw("application/json", body.to_vec());
        match &operation.by {
            Some(person) => ask.by(person).await,
            None => ask.await,
        }
    }

    /// What the answer itself says of it.
    pub(super) fn told_at_once<'a>(&self, operation: &Operation, answer: &'a Answer) -> &'a Value {
        if operation.path.ends_with("/reply") { &answer.body["reply"] } else { &answer.body }
    }

    /// What is shown of the thing that was made or changed.
    pub(super) async fn shown(&self, operation: &Operation, answer: &Answer) -> Value {
        let path = match answer.header("location") {
            "" if operation.method == Method::PUT => &operation.path,
            "" => return Value::Null,
            path => path,
        };
        let by = if operation.path == "/users" { Some(&self.admin) } else { operation.by.as_ref() };
        let mut shown = self.server.get(path).by(by.expect("somebody")).await.expect(200);
        if operation.path.ends_with("/reply") { shown["reply"].take() } else { shown }
    }

    /// Makes room for the next of what can be there once only.
    pub(super) async fn renew(&mut self, operation: &Operation, answer: &Answer) {
        if operation.path.ends_with("/reply") {
            let path = format!("/reviews/{}", self.review);
            self.server.delete(&path).by(&self.admin).await.expect(204);
            self.write_review().await;
        } else if ["/users", "/reviews"].contains(&operation.path.as_str()) {
            self.server.delete(answer.header("location")).by(&self.admin).await.expect(204);
        }
    }
}

/// A request with a body.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) by: Option<Person>,
    pub(super) body: Value,
}

impl Operation {
    pub(super) fn fields(&self) -> Vec<String> {
        self.body.as_object().expect("an object").keys().cloned().collect()
    }

    /// The body with these bytes as the value of one field, which may be a new one.
    pub(super) fn with_raw(&self, field: &str, value: &[u8]) -> Vec<u8> {
        let mut body = b"{".to_vec();
        for (name, good) in self.body.as_object().expect("an object") {
            if name != field {
                body.extend_from_slice(format!("\"{name}\":{good},").as_bytes());
            }
        }
        body.extend_from_slice(format!("\"{field}\":").as_bytes());
        body.extend_from_slice(value);
        body.push(b'}');
        body
    }

    /// The name without what differs from run to run.
    pub(super) fn name(&self) -> String {
        let path = self.path.split('/').map(|part| if part.len() == 36 { "{id}" } else { part });
        format!("{} {}", self.method, path.collect::<Vec<_>>().join("/"))
    }
}
