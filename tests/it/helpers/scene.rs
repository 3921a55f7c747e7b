//! Scenes: a host with a home, a guest with what became of stays there, and strangers. Every scene
//! has people and things of its own, so that what is done in one is not seen in another, and any
//! operation of the interface can be asked for in it with the document's own example as its body.

use super::interface::Operation;
use super::{Ask, Document, PASSWORD, Person, Server, day, now};
use futures_util::{StreamExt, stream};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::time::Duration;
use vacancy::auth::opaque;
use vacancy::store::accounts::Role;
use vacancy::store::mail_tokens::Purpose;

/// Scenes that are made at a time.
const AT_ONCE: usize = 8;
const DAY: u64 = 24 * 60 * 60;
/// How long a token is good that came by mail.
const MAILED_FOR: Duration = Duration::from_secs(60 * 60);

/// People and things; where the subject of a scene needs no such thing, its id is empty.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) guest: Person,
    pub(crate) host: Person,
    pub(crate) other_guest: Person,
    pub(crate) other_host: Person,
    pub(crate) admin: Person,
    pub(crate) home: String,
    /// A booking of the guest that waits to be paid.
    pub(crate) booking: String,
    /// A payment of the guest, for another booking.
    pub(crate) payment: String,
    /// A completed stay without a review.
    pub(crate) stay: String,
    /// The review of another completed stay.
    pub(crate) review: String,
    /// A block of the host's.
    pub(crate) block: String,
    /// A quote that was made for the guest.
    pub(crate) quote: String,
}

impl Server {
    /// A scene for each of these operations, in their order.
    pub(crate) async fn scenes(&self, operations: &[&Operation]) -> Vec<Scene> {
        let count = operations.len();
        let mut guests = self.people(Role::Guest, 2 * count).await.into_iter();
        let mut hosts = self.people(Role::Host, 2 * count).await.into_iter();
        let mut admins = self.people(Role::Admin, count).await.into_iter();
        let mut next = || -> Option<Scene> {
            Some(Scene {
                guest: guests.next()?,
                host: hosts.next()?,
                other_guest: guests.next()?,
                other_host: hosts.next()?,
                admin: admins.next()?,
                home: String::new(),
                booking: String::new(),
                payment: String::new(),
                stay: String::new(),
                review: String::new(),
                block: String::new(),
                quote: String::new(),
            })
        };
        let empty: Vec<(Scene, &str)> = operations
            .iter()
            .map(|operation| (next().expect("enough people"), operation.subject()))
            .collect();
        let begun: Vec<_> = stream::iter(empty)
            .map(|(scene, subject)| self.begin(scene, subject))
            .buffered(AT_ONCE)
            .collect()
            .await;
        // Whoever stays for two days from the second or the fourth one on has left.
        self.advance(7 * DAY).await;
        let scenes = stream::iter(begun).map(|scene| self.finish(scene)).buffered(AT_ONCE);
        let scenes = scenes.collect().await;
        // Nothing is on its way any more, also not between the server and the payment provider.
        self.advance(0).await;
        scenes
    }

    /// What happens before the stays are over; and what the scene is about.
    async fn begin<'a>(&self, mut scene: Scene, subject: &'a str) -> (Scene, &'a str) {
        if !matches!(subject, "auth" | "users") {
            scene.home = self.home(&scene.host).await;
        }
        if subject == "requests" {
            let path = format!("/api/v1/properties/{}", scene.home);
            self.put(&path, json!({ "instant_book": false })).by(&scene.host).await.expect(200);
        }
        if subject == "absences" {
            // After a week this stay has begun, and not two days ago.
            scene.booking = self.stay(&scene, (6, 9)).await.0;
        }
        if subject == "quotes" {
            let stay = json!({
                "property_id": scene.home, "check_in": day(70), "check_out": day(72), "guests": 2,
            });
            let quote = self.post("/api/v1/quotes", stay).by(&scene.guest).await;
            scene.quote = quote.expect(201).text("id");
        }
        if subject == "blocks" {
            let body = json!({ "from": day(90), "to": day(92), "reason": "owner" });
            let path = format!("/api/v1/properties/{}/blocks", scene.home);
            scene.block = self.post(&path, body).by(&scene.host).await.expect(201).text("id");
        }
        if subject == "reviews" {
            scene.stay = self.paid(&scene, 2).await.0;
            scene.review = self.paid(&scene, 4).await.0;
        }
        (scene, subject)
    }

    /// What happens afterwards.
    async fn finish(&self, (mut scene, subject): (Scene, &str)) -> Scene {
        if subject == "reviews" {
            let body = json!({ "booking_id": scene.review, "rating": 3, "comment": "Quiet." });
            let review = self.post("/api/v1/reviews", body).by(&scene.guest).await;
            scene.review = review.expect(201).text("id");
        }
        if matches!(subject, "bookings" | "payments") {
            scene.payment = self.paid(&scene, 30).await.1;
        }
        if matches!(subject, "bookings" | "payments" | "requests") {
            let booking = self.book(&scene.guest, &scene.home, &self.day(40), &self.day(42)).await;
            scene.booking = booking.expect(201).text("id");
        }
        scene
    }

    /// A booking of two nights from that day on that is paid for, and its payment.
    async fn paid(&self, scene: &Scene, from: i32) -> (String, String) {
        self.stay(scene, (from, from + 2)).await
    }

    /// A booking of these nights that is paid for, and its payment.
    async fn stay(&self, scene: &Scene, (from, to): (i32, i32)) -> (String, String) {
        let (check_in, check_out) = (self.day(from), self.day(to));
        let booking = self.book(&scene.guest, &scene.home, &check_in, &check_out).await;
        let booking = booking.expect(201).text("id");
        let payment = self.pay(&scene.guest, &booking, "pm_card_visa").await;
        (booking, payment.expect(201).text("id"))
    }

    /// The date so many days from the server's now.
    fn day(&self, from_now: i32) -> String {
        day(from_now + i32::try_from(self.moved().as_secs() / DAY).expect("few days"))
    }

    /// Asks for an operation in this scene, at an address that [`Scene::path`] gave, with the
    /// document's example as the body.
    pub(crate) async fn act(&self, scene: &Scene, operation: &Operation, path: &str) -> Ask {
        let ask = self.ask(operation.method.clone(), path);
        match scene.body(self, operation).await {
            Some(body) => ask.json(&body),
            None => ask,
        }
    }

    /// A token that was sent to the scene's guest by mail.
    async fn mailed(&self, scene: &Scene, purpose: Purpose) -> Value {
        let token = opaque::fresh();
        let hash = opaque::hash(token.expose_secret());
        let until = now().plus(self.moved()).plus(MAILED_FOR);
        let store = self.store().await;
        let kept = store.add_mail_token(hash, scene.guest.id, purpose, until).await;
        kept.expect("a token");
        Value::from(token.expose_secret())
    }
}

impl Operation {
    /// What must be there to ask for it: an export shows what one booked, besides the account.
    fn subject(&self) -> &str {
        match self.name.as_str() {
            "export_own_user" => "bookings",
            "accept_booking" | "decline_booking" => "requests",
            "report_no_show" => "absences",
            "delete_block" | "list_blocks" => "blocks",
            _ => self.described["tags"][0].as_str().expect("a tag"),
        }
    }
}

impl Scene {
    /// The address of an operation about this scene's things, on this base, with this at the end of
    /// its path.
    pub(crate) fn path(&self, operation: &Operation, base: &str, end: &str) -> String {
        let path = &operation.path;
        let id = match path.split('/').nth(1).expect("a first segment") {
            "bookings" => &self.booking,
            "payments" => &self.payment,
            "properties" => &self.home,
            "quotes" => &self.quote,
            "reviews" => &self.review,
            "users" => &self.guest.id.to_string(),
            _ => "",
        };
        let path = path.replace("{id}", id).replace("{block}", &self.block);
        let path = format!("{base}{path}{end}");
        match operation.name.as_str() {
            "list_reviews" => format!("{path}?property={}", self.home),
            // A window that begins today moves on at midnight.
            "read_calendar" => format!("{path}?from={}&to={}", day(30), day(60)),
            _ => path,
        }
    }

    /// Who may ask for it: the guest, if nobody else has to.
    pub(crate) fn rightful(&self, operation: &Operation) -> &Person {
        match operation.name.as_str() {
            "accept_booking" | "archive_property" | "create_block" | "create_property"
            | "decline_booking" | "delete_block" | "edit_calendar" | "list_blocks"
            | "reply_to_review" | "report_no_show" | "update_property" | "update_rules" => {
                &self.host
            }
            "list_users" => &self.admin,
            _ => &self.guest,
        }
    }

    /// The document's example with this scene's things, people and days.
    pub(crate) async fn body(&self, server: &Server, operation: &Operation) -> Option<Value> {
        let mut body = operation.body()?["example"].clone();
        let name = operation.name.as_str();
        for (field, value) in body.as_object_mut()? {
            let real = match (field.as_str(), name) {
                ("booking_id", "create_review") => json!(self.stay),
                ("booking_id", _) => json!(self.booking),
                ("property_id", _) => json!(self.home),
                ("check_in", _) => json!(server.day(60)),
                ("check_out", _) => json!(server.day(63)),
                ("email", "register") => json!(format!("new.{}", self.guest.email)),
                ("email", _) => json!(self.guest.email),
                ("password", "login") => json!(PASSWORD),
                ("refresh_token", _) => {
                    let credentials = json!({ "email": self.guest.email, "password": PASSWORD });
                    let session = server.post("/api/v1/auth/login", credentials).await;
                    session.expect(200)["refresh_token"].clone()
                }
                ("token", "verify_address") => server.mailed(self, Purpose::Verify).await,
                ("token", "reset_password") => server.mailed(self, Purpose::Reset).await,
                _ => continue,
            };
            *value = real;
        }
        Some(body)
    }

    /// Every thing of the scene, as an admin sees it.
    pub(crate) async fn shown(&self, server: &Server) -> Vec<Value> {
        let mut shown = Vec::new();
        for (path, id) in [
            ("users", &self.guest.id.to_string()),
            ("users", &self.host.id.to_string()),
            ("properties", &self.home),
            ("bookings", &self.booking),
            ("payments", &self.payment),
            ("reviews", &self.review),
        ] {
            if !id.is_empty() {
                let answer = server.get(&format!("/api/v1/{path}/{id}")).by(&self.admin).await;
                shown.push(answer.expect(200));
            }
        }
        shown
    }
}
