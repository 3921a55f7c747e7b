//! The document that the product grew from: each of its endpoints and fields, and its story, on
//! both bases, with a slash at the end and without.

use crate::helpers::{Document, Operation, PASSWORD, Scene, Server, day, home, on_both};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

on_both!(every_endpoint_answers_with_every_field, a_guest_signs_up_books_pays_stays_and_reviews,);

const BASES: [&str; 2] = ["/api/v1", ""];
/// Requests on their way at a time.
const AT_ONCE: usize = 8;
const DAY: u64 = 24 * 60 * 60;

/// The endpoints in the words of the seed, what each answers to whom it concerns, and the entity
/// that is shown, or listed, or gone.
const ENDPOINTS: [(&str, u16, &str); 21] = [
    ("GET /users/", 200, "user"),
    ("POST /users/", 201, "user"),
    ("GET /users/{user_id}/", 200, "user"),
    ("PUT /users/{user_id}/", 200, "user"),
    ("DELETE /users/{user_id}/", 204, ""),
    ("GET /properties/", 200, "property"),
    ("POST /properties/", 201, "property"),
    ("GET /properties/{property_id}/", 200, "property"),
    ("PUT /properties/{property_id}/", 200, "property"),
    ("DELETE /properties/{property_id}/", 204, ""),
    ("GET /bookings/", 200, "booking"),
    ("POST /bookings/", 201, "booking"),
    ("GET /bookings/{booking_id}/", 200, "booking"),
    ("PUT /bookings/{booking_id}/", 200, "booking"),
    ("DELETE /bookings/{booking_id}/", 200, "canceled booking"),
    ("POST /payments/", 201, "payment"),
    ("GET /reviews/", 200, "review"),
    ("POST /reviews/", 201, "review"),
    ("GET /reviews/{review_id}/", 200, "review"),
    ("PUT /reviews/{review_id}/", 200, "review"),
    ("DELETE /reviews/{review_id}/", 204, ""),
];

/// All fields of an entity with their kinds: the seed's first, and ours after the bar. What may be
/// null has a question mark. A password's hash is in no list, so it is shown nowhere.
const FIELDS: [(&str, &str); 5] = [
    ("user", "id:text email:text first_name:text last_name:text role:text created_at:text"),
    (
        "property",
        "id:text host_id:text title:text description:text address:text city:text country:text \
         latitude:number? longitude:number? price_per_night:whole currency:text max_guests:whole \
         images:list amenities:list avg_rating:number? review_count:whole created_at:text \
         | timezone:text status:text instant_book:flag check_in_from:text check_out_by:text \
         cancellation_policy:text blind_reviews:flag",
    ),
    (
        "booking",
        "id:text user_id:text property_id:text check_in:text check_out:text guests:whole \
         status:text total_amount:whole currency:text payment_id:text? created_at:text \
         | lines:list change_request:object? payment:text awaiting:text? expires_at:text? \
         quote_id:text? version:whole",
    ),
    (
        "payment",
        "id:text booking_id:text provider:text provider_ref:text? amount:whole currency:text \
         status:text next_action:object? created_at:text | refunded_amount:whole refunds:list",
    ),
    (
        "review",
        "id:text property_id:text user_id:text rating:whole comment:text created_at:text \
         | booking_id:text direction:text reply:object? published_at:text",
    ),
];

/// What an answer shows, field by field, as it is written above but for the order.
fn kinds(entity: &str) -> Vec<(&str, &str)> {
    let (of, more) = match entity.strip_prefix("canceled ") {
        Some(of) => (of, Some(("refund", "object"))),
        None => (entity, None),
    };
    let (_, fields) = FIELDS.iter().find(|(name, _)| *name == of).expect("a known entity");
    let fields = fields.split_whitespace().filter(|word| *word != "|");
    let mut kinds: Vec<_> =
        fields.map(|word| word.split_once(':').expect("a kind")).chain(more).collect();
    kinds.sort_unstable();
    kinds
}

fn is_of_kind(value: &Value, kind: &str) -> bool {
    match (kind.strip_suffix('?'), kind) {
        (Some(kind), _) => value.is_null() || is_of_kind(value, kind),
        (None, "text") => value.is_string(),
        (None, "whole") => value.is_i64(),
        (None, "number") => value.is_number(),
        (None, "flag") => value.is_boolean(),
        (None, "list") => value.is_array(),
        (None, "object") => value.is_object(),
        (None, _) => panic!("{kind} is no kind"),
    }
}

#[track_caller]
fn shows(thing: &Value, entity: &str, endpoint: &str) {
    let kinds = kinds(entity);
    let mut names: Vec<&str> =
        thing.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected, "{endpoint}");
    for (name, kind) in kinds {
        assert!(is_of_kind(&thing[name], kind), "{endpoint}: {name} is no {kind} in {thing}");
    }
}

/// The operation that an endpoint of the seed has become.
fn operation<'a>(operations: &'a [Operation], endpoint: &str) -> &'a Operation {
    let (method, path) = endpoint.split_once(' ').expect("a method and a path");
    let path = match path.split_once('{') {
        Some((before, _)) => format!("{before}{{id}}"),
        None => path.trim_end_matches('/').to_owned(),
    };
    let found = operations.iter().find(|known| known.method == method && known.path == path);
    found.unwrap_or_else(|| panic!("{endpoint} is not there"))
}

/// Asks as whom it concerns, and looks at what comes.
async fn is_answered(
    server: &Server,
    (endpoint, status, entity): (&str, u16, &str),
    (scene, operation): (&Scene, &Operation),
    address: &str,
) {
    let asking = server.act(scene, operation, address).await;
    let answer = asking.by(scene.rightful(operation)).await;
    assert_eq!(answer.status, status, "{endpoint} at {address}: {}", answer.body);
    match answer.body.get("data").and_then(Value::as_array) {
        Some(rows) => {
            assert!(!rows.is_empty() && answer.body.get("next_cursor").is_some(), "{endpoint}");
            rows.iter().for_each(|row| shows(row, entity, endpoint));
        }
        None if entity.is_empty() => assert_eq!(answer.body, Value::Null, "{endpoint}"),
        None => shows(&answer.body, entity, endpoint),
    }
}

async fn every_endpoint_answers_with_every_field(server: &mut Server) {
    let server: &Server = server;
    let all = server.operations().await;
    let operations: Vec<_> = ENDPOINTS.iter().map(|(name, ..)| operation(&all, name)).collect();
    for base in BASES {
        for slash in ["/", ""] {
            let scenes = server.scenes(&operations).await;
            let rows = ENDPOINTS.into_iter().zip(scenes.iter().zip(operations.iter().copied()));
            let asking = rows.map(|(row, (scene, operation))| async move {
                let address = scene.path(operation, base, slash);
                is_answered(server, row, (scene, operation), &address).await;
            });
            stream::iter(asking).buffer_unordered(AT_ONCE).collect::<()>().await;
        }
    }
}

async fn a_guest_signs_up_books_pays_stays_and_reviews(server: &mut Server) {
    for (base, from_now) in BASES.into_iter().zip([2, 12]) {
        tell(server, base, from_now).await;
    }
}

/// The seed's story on one base, by nothing but HTTP; the stay begins on that day.
async fn tell(server: &Server, base: &str, from_now: i32) {
    let at = |path: &str| format!("{base}{path}");
    let mut people = Vec::new();
    for role in ["host", "guest"] {
        let email = format!("{role}{from_now}@example.com");
        let account = json!({
            "email": email, "password": PASSWORD, "first_name": "Ada", "last_name": "Lovelace",
            "role": role,
        });
        let profile = server.post(&at("/users"), account).await.expect(201);
        people.push((email, profile.text("id")));
    }
    let sign_in = async |(email, _): &(String, String)| {
        let credentials = json!({ "email": email, "password": PASSWORD });
        server.post(&at("/auth/login"), credentials).await.expect(200).text("access_token")
    };
    let host = sign_in(&people[0]).await;
    let made = server.post(&at("/properties"), home()).token(&host).await.expect(201);
    assert_eq!((&made["avg_rating"], made.number("review_count")), (&Value::Null, 0));
    let home = made.text("id");
    let guest = sign_in(&people[1]).await;
    let body = json!({
        "property_id": home, "check_in": day(from_now), "check_out": day(from_now + 2),
        "guests": 2,
    });
    let booking = server.post(&at("/bookings"), body).token(&guest).await.expect(201).text("id");
    let body = json!({ "booking_id": booking, "payment_method": "pm_card_visa" });
    server.post(&at("/payments"), body).token(&guest).await.expect(201);
    server.advance(10 * DAY).await;

    let guest = sign_in(&people[1]).await;
    let body = json!({ "property_id": home, "rating": 5, "comment": "  Quiet nights.\nLovely. " });
    let answer = server.post(&at("/reviews"), body).token(&guest).await;
    let review = answer.expect(201);
    let id = review.text("id");
    assert_eq!(answer.header("location"), format!("/api/v1/reviews/{id}"));
    assert_eq!(id[id.len() - 4..], home[home.len() - 4..], "ids of a home end alike");
    assert_eq!((&review["property_id"], &review["booking_id"]), (&json!(home), &json!(booking)));
    assert_eq!(review["user_id"], people[1].1);
    assert_eq!((&review["direction"], review.number("rating")), (&json!("guest_to_host"), 5));
    assert_eq!(review["comment"], "Quiet nights.\nLovely.");
    assert_eq!((&review["reply"], &review["published_at"]), (&Value::Null, &review["created_at"]));
    // Everybody reads it at once, and sees what it did to the rating.
    assert_eq!(server.get(answer.header("location")).await.expect(200), review);
    let listed = server.get(&at(&format!("/reviews?property={home}"))).await.expect(200);
    assert_eq!(listed.list("data"), std::slice::from_ref(&review));
    let shown = server.get(&at(&format!("/properties/{home}"))).await.expect(200);
    assert_eq!((&shown["avg_rating"], shown.number("review_count")), (&json!(5.0), 1));
}
