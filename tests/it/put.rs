//! `PUT` takes what `GET` gave, in the same way everywhere.

use crate::helpers::{Ask, Document, Person, Server, day, on_both};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    what_get_gave_can_be_sent_back_whole_or_in_part,
    what_cannot_be_said_in_a_put_is_refused_by_its_field,
);

/// Something that has a `PUT`, with whom it listens to and the fields that may change.
struct Thing {
    path: String,
    holder: Person,
    changeable: &'static [&'static str],
}

impl Thing {
    async fn shown(&self, server: &Server) -> Value {
        server.get(&self.path).by(&self.holder).await.expect(200)
    }

    fn put(&self, server: &Server, body: &Value) -> Ask {
        server.put(&self.path, body.clone()).by(&self.holder)
    }
}

/// One of each kind.
async fn things(server: &Server) -> Vec<Thing> {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(1), &day(2)).await.expect(201).text("id");
    server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    // What the payment left to do is done before anything is counted.
    server.advance(0).await;
    server.advance(3 * 24 * 60 * 60).await;
    let body = json!({ "booking_id": booking, "rating": 5, "comment": "Quiet." });
    let review = server.post("/api/v1/reviews", body).by(&guest).await.expect(201).text("id");
    let thing = |path: String, holder: &Person, changeable| {
        let holder = holder.clone();
        Thing { path, holder, changeable }
    };
    vec![
        thing("/api/v1/users/me".to_owned(), &guest, &["first_name", "last_name", "role"]),
        thing(format!("/api/v1/users/{}", guest.id), &guest, &["first_name", "last_name", "role"]),
        thing(format!("/api/v1/reviews/{review}"), &guest, &["rating", "comment"]),
        thing(
            format!("/api/v1/properties/{home}"),
            &host,
            &[
                "title",
                "description",
                "address",
                "city",
                "country",
                "latitude",
                "longitude",
                "timezone",
                "price_per_night",
                "currency",
                "max_guests",
                "amenities",
                "status",
                "check_in_from",
                "check_out_by",
            ],
        ),
    ]
}

async fn what_get_gave_can_be_sent_back_whole_or_in_part(server: &mut Server) {
    for thing in things(server).await {
        let shown = thing.shown(server).await;
        let fields = shown.as_object().expect("an object");
        let mut bodies = vec![json!({}), shown.clone()];
        bodies.extend(fields.iter().map(|(name, value)| json!({ name: value })));
        for body in &bodies {
            assert_eq!(thing.put(server, body).await.expect(200), shown, "{} {body}", thing.path);
        }
        // Clients with one type of numbers send 5.00 as 5.
        if let Some(average) = shown["avg_rating"].as_f64() {
            assert_eq!(average.to_string(), "5");
            thing.put(server, &json!({ "avg_rating": 5 })).await.expect(200);
        }
    }
}

async fn what_cannot_be_said_in_a_put_is_refused_by_its_field(server: &mut Server) {
    for thing in things(server).await {
        let shown = thing.shown(server).await;
        let before = server.storage().counts().await;
        let refused_by = async |ask: Ask, pointer: String| {
            let answer = ask.await;
            assert_eq!(answer.body["errors"][0]["pointer"], json!(pointer), "{}", answer.body);
            assert_eq!(answer.body.list("errors").len(), 1, "{}", answer.body);
            answer.is_problem(422, "invalid_field");
        };
        for (name, value) in shown.as_object().expect("an object") {
            if !thing.changeable.contains(&name.as_str()) {
                for other in [json!("other"), json!(7), json!([0]), Value::Null] {
                    if other != *value {
                        let body = json!({ name: other });
                        refused_by(thing.put(server, &body), format!("/{name}")).await;
                    }
                }
            }
            let twice = format!("{{\"{name}\":{value},\"{name}\":{value}}}");
            let twice = server.ask(Method::PUT, &thing.path).raw("application/json", twice);
            refused_by(twice.by(&thing.holder), format!("/{name}")).await;
        }
        for name in ["password_hash", "version", "a/b"] {
            let pointer = format!("/{}", name.replace('/', "~1"));
            refused_by(thing.put(server, &json!({ name: 1 })), pointer).await;
        }
        assert_eq!(server.storage().counts().await, before);
        assert_eq!(thing.shown(server).await, shown);
    }
}
