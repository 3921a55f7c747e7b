//! Reviews by both sides of a stay: what hosts say of guests, for the two of them; and blind ones,
//! of which nothing shows until both have spoken or the window has closed.

use crate::helpers::{Database, Document, Person, Server, home, on_both};
use crate::reviews::{DAY, REVIEWS, paid, path, put, rating, reply, review};
use domain::Instant;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    a_host_reviews_a_guest_and_the_two_and_admins_read_it,
    a_host_reviews_a_guest_once_when_the_stay_is_over_and_in_time,
    nothing_of_a_guests_blind_review_shows_until_the_host_has_spoken,
    nothing_of_a_hosts_blind_review_shows_until_the_guest_has_spoken,
    what_both_have_said_blindly_stays_said,
    a_blind_review_appears_when_its_window_closes,
    blindness_is_a_field_of_a_home_and_alters_nothing_that_is_written,
    a_list_of_a_booking_shows_what_the_caller_may_read,
);

/// A review may be written so long after check-out.
const WINDOW: u64 = 14 * DAY;

/// Everybody who can look at a stay that is over.
struct Stayed {
    host: Person,
    guest: Person,
    admin: Person,
    other_host: Person,
    other_guest: Person,
    home: String,
    booking: String,
}

impl Stayed {
    /// A completed stay at a home that wants its reviews blind, or not.
    async fn at(server: &Server, blind: bool) -> Self {
        let (host, guest) = (server.host().await, server.guest().await);
        let home = server.home(&host).await;
        blindly(server, &host, &home, blind).await;
        let booking = paid(server, &guest, &home, 2).await;
        server.advance(5 * DAY).await;
        Self {
            admin: server.admin().await,
            other_host: server.host().await,
            other_guest: server.guest().await,
            host,
            guest,
            home,
            booking,
        }
    }

    /// Everybody but the author of a review, and nobody in particular.
    fn others<'a>(&'a self, author: &Person) -> Vec<Option<&'a Person>> {
        let people = [&self.host, &self.guest, &self.other_host, &self.other_guest];
        let others = people.into_iter().filter(|person| person.id != author.id);
        others.map(Some).chain([None]).collect()
    }

    async fn says(&self, server: &Server, person: &Person, stars: i64) -> Value {
        review(server, person, &self.booking, stars).await.expect(201)
    }
}

async fn blindly(server: &Server, host: &Person, home: &str, blind: bool) -> Value {
    let body = json!({ "blind_reviews": blind });
    server.put(&property(home), body).by(host).await.expect(200)
}

fn property(home: &str) -> String {
    format!("/api/v1/properties/{home}")
}

/// The status of an answer with its tag and its body, but for what no two answers share.
async fn seen(server: &Server, person: Option<&Person>, path: &str) -> (u16, String, Value) {
    let ask = server.get(path);
    let answer = match person {
        Some(person) => ask.by(person).await,
        None => ask.await,
    };
    let mut body = answer.body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("request_id");
    }
    (answer.status, answer.header("etag").to_owned(), body)
}

/// All that somebody can see around a review of this id, whether it is there or not.
async fn view(server: &Server, stay: &Stayed, person: Option<&Person>, id: &str) -> Vec<Value> {
    let mut view = Vec::new();
    for path in [
        path(id),
        format!("{REVIEWS}?property={}", stay.home),
        format!("{REVIEWS}?property={}&direction=guest_to_host", stay.home),
        format!("{REVIEWS}?booking={}", stay.booking),
        property(&stay.home),
        "/api/v1/properties".to_owned(),
        format!("/api/v1/bookings/{}", stay.booking),
        "/api/v1/users/me/export".to_owned(),
    ] {
        let (status, tag, mut body) = seen(server, person, &path).await;
        // An export says when it was made.
        if let Some(fields) = body.as_object_mut() {
            fields.remove("exported_at");
        }
        view.push(json!([path, status, tag, body]));
    }
    view
}

fn ids(list: &Value) -> Vec<String> {
    list.list("data").iter().map(|review| review.text("id")).collect()
}

async fn a_host_reviews_a_guest_and_the_two_and_admins_read_it(server: &mut Server) {
    let stay = Stayed::at(server, false).await;
    let shown = property(&stay.home);
    let (_, tag, before) = seen(server, None, &shown).await;
    let said = stay.says(server, &stay.host, 4).await;
    let export = server.get("/api/v1/users/me/export").by(&stay.host).await;
    assert_eq!(export.expect(200)["reviews"], json!([said]));
    let id = said.text("id");
    assert_eq!((&said["direction"], &said["reply"]), (&json!("host_to_guest"), &Value::Null));
    assert_eq!(said.text("user_id"), stay.host.id.to_string());
    assert_eq!(said.text("booking_id"), stay.booking);
    assert_eq!(said["published_at"], said["created_at"]);
    for person in [&stay.host, &stay.guest, &stay.admin] {
        assert_eq!(server.get(&path(&id)).by(person).await.expect(200), said);
    }
    server.get(&path(&id)).await.is_problem(404, "not_found");
    let worse = json!({ "rating": 1 });
    for person in [&stay.other_host, &stay.other_guest] {
        server.get(&path(&id)).by(person).await.is_problem(404, "not_found");
        put(server, person, &id, &worse).await.is_problem(404, "not_found");
        server.delete(&path(&id)).by(person).await.is_problem(404, "not_found");
        reply(server, person, &id, "Who?").await.is_problem(404, "not_found");
    }
    // The guest reads it and does no more; a reply is what hosts give to guests.
    put(server, &stay.guest, &id, &worse).await.is_problem(403, "forbidden");
    server.delete(&path(&id)).by(&stay.guest).await.is_problem(403, "forbidden");
    for person in [&stay.guest, &stay.host] {
        reply(server, person, &id, "Thanks").await.is_problem(403, "forbidden");
    }
    // It is about a person: the home shows nothing of it.
    assert_eq!(seen(server, None, &shown).await, (200, tag, before));
    for person in [None, Some(&stay.guest), Some(&stay.host), Some(&stay.admin)] {
        for direction in ["", "&direction=host_to_guest"] {
            let list = format!("{REVIEWS}?property={}{direction}", stay.home);
            assert_eq!(seen(server, person, &list).await.2["data"], json!([]));
        }
    }
    let changed = put(server, &stay.host, &id, &json!({ "rating": 2 })).await.expect(200);
    assert_eq!(changed.number("rating"), 2);
    put(server, &stay.admin, &id, &json!({ "comment": "[removed]" })).await.expect(200);
    // Both sides count for themselves.
    stay.says(server, &stay.guest, 5).await;
    assert_eq!(rating(server, &stay.home).await, (json!(5.0), 1));
    assert_eq!(server.delete(&path(&id)).by(&stay.host).await.status, 204);
    server.get(&path(&id)).by(&stay.guest).await.is_problem(404, "not_found");
    assert_eq!(rating(server, &stay.home).await, (json!(5.0), 1));
}

async fn a_host_reviews_a_guest_once_when_the_stay_is_over_and_in_time(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let (first, late) =
        (paid(server, &guest, &home, 2).await, paid(server, &guest, &home, 4).await);
    review(server, &host, &first, 4).await.is_problem(409, "stay_not_completed");
    server.advance(7 * DAY).await;
    for person in [server.host().await, server.guest().await, server.admin().await] {
        review(server, &person, &first, 4).await.is_problem(404, "not_found");
    }
    // The short form is the guest's.
    let short = json!({ "property_id": home, "rating": 4, "comment": "Tidy." });
    server.post(REVIEWS, short).by(&host).await.is_problem(404, "not_found");
    let once = async || review(server, &host, &first, 4).key("once").await;
    let (made, again) = (once().await, once().await);
    assert_eq!(made.expect(201), again.expect(201));
    assert_eq!((made.is_replayed(), again.is_replayed()), (false, true));
    review(server, &host, &first, 5).await.is_problem(409, "already_reviewed");
    server.advance(WINDOW).await;
    review(server, &host, &late, 4).await.is_problem(409, "review_window_closed");
    let id = made.body.text("id");
    let closed = put(server, &host, &id, &json!({ "rating": 5 })).await;
    closed.is_problem(409, "review_window_closed");
    server.delete(&path(&id)).by(&host).await.is_problem(409, "review_window_closed");
}

async fn nothing_of_a_guests_blind_review_shows_until_the_host_has_spoken(server: &mut Server) {
    let stay = Stayed::at(server, true).await;
    let [by_guest, _] = shows_nothing_at_first(server, &stay, (&stay.guest, &stay.host)).await;
    assert_eq!(rating(server, &stay.home).await, (json!(3.0), 1));
    let listed = server.get(&format!("{REVIEWS}?property={}", stay.home)).await.expect(200);
    assert_eq!(ids(&listed), [by_guest]);
}

async fn nothing_of_a_hosts_blind_review_shows_until_the_guest_has_spoken(server: &mut Server) {
    let stay = Stayed::at(server, true).await;
    let [_, by_guest] = shows_nothing_at_first(server, &stay, (&stay.host, &stay.guest)).await;
    assert_eq!(rating(server, &stay.home).await, (json!(5.0), 1));
    let listed = server.get(&format!("{REVIEWS}?property={}", stay.home)).await.expect(200);
    assert_eq!(ids(&listed), [by_guest]);
}

/// One side speaks, which nobody else notices, and says 3 stars in the end; then the other, with 5.
/// Gives both reviews.
async fn shows_nothing_at_first(
    server: &Server,
    stay: &Stayed,
    (first, second): (&Person, &Person),
) -> [String; 2] {
    let nobody = "01920000-7000-8000-0000-00000000002a";
    let others = stay.others(first);
    let mut before = Vec::new();
    for person in &others {
        before.push(view(server, stay, *person, nobody).await.split_off(1));
    }
    let tag = server.get(&property(&stay.home)).await.header("etag").to_owned();
    let said = stay.says(server, first, 2).await;
    let id = said.text("id");
    assert!(at(&said, "published_at") > at(&said, "created_at").plus(Duration::from_secs(DAY)));
    // Whoever looks sees what was there before, down to the tags.
    for (person, before) in others.iter().zip(&before) {
        let view = view(server, stay, *person, &id).await;
        assert_eq!(view[0][1], 404, "{}", view[0]);
        assert_eq!(&view[1..], before);
    }
    let if_changed = || server.get(&property(&stay.home)).header("if-none-match", &tag);
    assert_eq!(if_changed().await.status, 304);
    for person in others.iter().flatten() {
        put(server, person, &id, &json!({ "rating": 1 })).await.is_problem(404, "not_found");
        server.delete(&path(&id)).by(person).await.is_problem(404, "not_found");
        reply(server, person, &id, "I saw that").await.is_problem(404, "not_found");
    }
    // The author and admins do see it, and the author may think again.
    let of_booking = format!("{REVIEWS}?booking={}", stay.booking);
    for person in [first, &stay.admin] {
        assert_eq!(server.get(&path(&id)).by(person).await.expect(200), said);
        assert_eq!(ids(&server.get(&of_booking).by(person).await.expect(200)), [id.as_str()]);
    }
    let said = put(server, first, &id, &json!({ "rating": 3 })).await;
    said.expect(200);
    assert_eq!(if_changed().await.status, 304);
    // The other side speaks, and both appear at this instant.
    let answer = stay.says(server, second, 5).await;
    let now = server.get(&path(&id)).by(second).await;
    assert_eq!(now.expect(200)["published_at"], answer["published_at"]);
    assert_eq!(answer["published_at"], answer["created_at"]);
    assert_ne!(now.header("etag"), said.header("etag"));
    assert_eq!(if_changed().await.status, 200);
    for person in [&stay.guest, &stay.host] {
        let both = server.get(&of_booking).by(person).await.expect(200);
        assert_eq!(ids(&both), [answer.text("id"), id.clone()]);
    }
    [id, answer.text("id")]
}

fn at(review: &Value, field: &str) -> Instant {
    let text = review.text(field);
    text.parse::<jiff::Timestamp>().expect("an instant").into()
}

async fn what_both_have_said_blindly_stays_said(server: &mut Server) {
    let stay = Stayed::at(server, true).await;
    let hasty = stay.says(server, &stay.guest, 1).await.text("id");
    assert_eq!(server.delete(&path(&hasty)).by(&stay.guest).await.status, 204);
    let by_guest = stay.says(server, &stay.guest, 4).await.text("id");
    let by_host = stay.says(server, &stay.host, 3).await.text("id");
    for (person, id) in [(&stay.guest, &by_guest), (&stay.host, &by_host)] {
        let refused = put(server, person, id, &json!({ "rating": 1 })).await;
        refused.is_problem(409, "review_appeared");
        let refused = server.delete(&path(id)).by(person).await;
        refused.is_problem(409, "review_appeared");
        let changed = put(server, &stay.admin, id, &json!({ "rating": 2 })).await.expect(200);
        assert_eq!(changed.number("rating"), 2);
    }
    assert_eq!(rating(server, &stay.home).await, (json!(2.0), 1));
    let answer = reply(server, &stay.host, &by_guest, "Thank you.").await.expect(201);
    assert_eq!(answer["reply"]["comment"], "Thank you.");
    assert_eq!(server.delete(&path(&by_guest)).by(&stay.admin).await.status, 204);
    assert_eq!(rating(server, &stay.home).await, (Value::Null, 0));
    server.get(&path(&by_host)).by(&stay.guest).await.expect(200);
}

async fn a_blind_review_appears_when_its_window_closes(server: &mut Server) {
    let stay = Stayed::at(server, true).await;
    let said = stay.says(server, &stay.guest, 4).await;
    let id = said.text("id");
    // What waits is a row, which a restart does not forget. A test clock goes on from the newest
    // event then, which is a little before.
    server.restart().await;
    let left = at(&said, "published_at").as_micros() - at(&said, "created_at").as_micros();
    let left = Duration::from_micros(left.unsigned_abs()).as_secs();
    server.advance(left - 60 * 60).await;
    server.get(&path(&id)).await.is_problem(404, "not_found");
    assert_eq!(rating(server, &stay.home).await, (Value::Null, 0));
    server.advance(60 * 60 + 60).await;
    assert_eq!(server.get(&path(&id)).await.expect(200), said, "as it was said, and when");
    assert_eq!(rating(server, &stay.home).await, (json!(4.0), 1));
    let late = review(server, &stay.host, &stay.booking, 1).await;
    late.is_problem(409, "review_window_closed");
    let late = put(server, &stay.guest, &id, &json!({ "rating": 1 })).await;
    late.is_problem(409, "review_window_closed");
    reply(server, &stay.host, &id, "Thank you.").await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_let_a_blind_review_appear_once() {
    let one = Server::spawn(Database::Postgres).await;
    let stay = Stayed::at(&one, true).await;
    let id = stay.says(&one, &stay.guest, 4).await.text("id");
    let two = one.sibling().await;
    tokio::join!(one.advance(WINDOW), two.advance(WINDOW));
    for server in [&one, &two] {
        server.get(&path(&id)).await.expect(200);
        assert_eq!(rating(server, &stay.home).await, (json!(4.0), 1));
    }
    one.verify().await;
}

async fn blindness_is_a_field_of_a_home_and_alters_nothing_that_is_written(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    // A home may want them blind from its first day.
    let mut body = home();
    body["blind_reviews"] = json!(true);
    let made = server.post("/api/v1/properties", body).by(&host).await.expect(201);
    assert_eq!(made["blind_reviews"], true);
    let home = server.home(&host).await;
    let shown = server.get(&property(&home)).await;
    assert_eq!(shown.expect(200)["blind_reviews"], false);
    for wrong in [json!("yes"), json!(1), Value::Null] {
        let body = json!({ "blind_reviews": wrong });
        let refused = server.put(&property(&home), body).by(&host).await;
        refused.is_problem(422, "invalid_field");
        assert_eq!(refused.body["errors"][0]["pointer"], "/blind_reviews");
    }
    let (one, two) = (paid(server, &guest, &home, 2).await, paid(server, &guest, &home, 4).await);
    server.advance(7 * DAY).await;
    let open = review(server, &guest, &one, 4).await.expect(201).text("id");
    let changed = blindly(server, &host, &home, true).await;
    assert_eq!(changed["blind_reviews"], true);
    assert_eq!(changed.number("review_count"), 1, "what was open stays open");
    let blind = review(server, &guest, &two, 1).await.expect(201).text("id");
    assert_eq!(blindly(server, &host, &home, false).await["blind_reviews"], false);
    server.get(&path(&blind)).await.is_problem(404, "not_found");
    assert_eq!(rating(server, &home).await, (json!(4.0), 1), "what was blind stays blind");
    // The host's are as open and as blind as those that they come after.
    blindly(server, &host, &home, true).await;
    let after_open = review(server, &host, &one, 5).await.expect(201).text("id");
    blindly(server, &host, &home, false).await;
    let after_blind = review(server, &host, &two, 5).await.expect(201).text("id");
    assert_eq!(rating(server, &home).await, (json!(2.5), 2));
    for (person, id, status) in [
        (&guest, &open, 200),
        (&host, &after_open, 200),
        (&guest, &blind, 409),
        (&host, &after_blind, 409),
    ] {
        let changed = put(server, person, id, &json!({ "rating": 3 })).await;
        assert_eq!(changed.status, status, "{}", changed.body);
    }
}

async fn a_list_of_a_booking_shows_what_the_caller_may_read(server: &mut Server) {
    let stay = Stayed::at(server, false).await;
    let by_host = stay.says(server, &stay.host, 3).await.text("id");
    let by_guest = stay.says(server, &stay.guest, 4).await.text("id");
    let list = format!("{REVIEWS}?booking={}", stay.booking);
    for person in [&stay.guest, &stay.host, &stay.admin] {
        for (filter, expected) in [
            ("", vec![&by_guest, &by_host]),
            ("&direction=guest_to_host", vec![&by_guest]),
            ("&direction=host_to_guest", vec![&by_host]),
            ("&limit=1", vec![&by_guest]),
        ] {
            let page = server.get(&format!("{list}{filter}")).by(person).await.expect(200);
            assert_eq!(ids(&page).iter().collect::<Vec<_>>(), expected, "{filter}");
        }
        let first = server.get(&format!("{list}&limit=1")).by(person).await.expect(200);
        let next = format!("{list}&limit=1&cursor={}", first.text("next_cursor"));
        let rest = server.get(&next).by(person).await.expect(200);
        assert_eq!((ids(&rest), &rest["next_cursor"]), (vec![by_host.clone()], &Value::Null));
    }
    server.get(&list).await.is_problem(401, "unauthenticated");
    for person in [&stay.other_guest, &stay.other_host] {
        server.get(&list).by(person).await.is_problem(404, "not_found");
    }
}
