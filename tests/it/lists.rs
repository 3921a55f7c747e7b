//! Lists of one's own: bookings with their filters, payments; and what a cancellation would return.

use crate::helpers::{Document, Person, Server, day, on_both};
use serde_json::{Value, json};

on_both!(
    bookings_are_filtered_by_side_home_status_and_dates,
    a_filter_that_cannot_be_is_refused_by_its_parameter,
    filtered_bookings_come_in_pages_that_keep_the_filter,
    payments_are_listed_for_who_pays_newest_first_and_in_pages,
    a_preview_says_what_the_cancellation_then_returns,
    a_preview_is_for_the_guest_the_host_and_admins,
    what_cannot_be_canceled_has_no_preview,
);

const DAY: u64 = 24 * 60 * 60;

/// Books two nights that begin so many days from now.
async fn booked(server: &Server, guest: &Person, home: &str, from_now: i32) -> String {
    let made = server.book(guest, home, &day(from_now), &day(from_now + 2)).await;
    made.expect(201).text("id")
}

async fn ids(server: &Server, person: &Person, path: &str) -> Vec<String> {
    let page = server.get(path).by(person).await.expect(200);
    page.list("data").iter().map(|row| row.text("id")).collect()
}

async fn bookings_are_filtered_by_side_home_status_and_dates(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let (one, two) = (server.home(&host).await, server.home(&host).await);
    let theirs = server.home(&server.host().await).await;
    let first = booked(server, &guest, &one, 40).await;
    let second = booked(server, &guest, &one, 42).await;
    let third = booked(server, &guest, &two, 50).await;
    let fourth = booked(server, &guest, &theirs, 60).await;
    server.pay(&guest, &second, "pm_card_visa").await.expect(201);
    server.cancel(&guest, &third).await.expect(200);
    for (query, expected) in [
        (String::new(), vec![&fourth, &third, &second, &first]),
        (format!("property={one}"), vec![&second, &first]),
        ("status=PENDING".to_owned(), vec![&fourth, &first]),
        ("status=CONFIRMED".to_owned(), vec![&second]),
        ("status=CANCELED".to_owned(), vec![&third]),
        ("status=NO_SHOW".to_owned(), vec![]),
        (format!("property={one}&status=CANCELED"), vec![]),
        // A stay counts with its nights: the day of departure is not one of them.
        (format!("from={}", day(42)), vec![&fourth, &third, &second]),
        (format!("to={}", day(42)), vec![&first]),
        (format!("from={}&to={}", day(43), day(51)), vec![&third, &second]),
        (format!("from={}&to={}&status=CONFIRMED", day(41), day(61)), vec![&second]),
    ] {
        let found = ids(server, &guest, &format!("/api/v1/bookings?{query}")).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
        let expected: Vec<_> = expected.into_iter().filter(|id| **id != fourth).collect();
        let found = ids(server, &host, &format!("/api/v1/bookings?as=host&{query}")).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "as=host&{query}");
    }
    // Somebody else's home shows nothing of itself.
    let path = format!("/api/v1/bookings?as=host&property={theirs}");
    assert_eq!(ids(server, &host, &path).await, Vec::<String>::new());
}

async fn a_filter_that_cannot_be_is_refused_by_its_parameter(server: &mut Server) {
    let guest = server.guest().await;
    for (query, pointer) in [
        ("as=king", "/as"),
        ("property=42", "/property"),
        ("property=", "/property"),
        ("property=%00", "/property"),
        ("property=01920000700080000000000000000002a", "/property"),
        ("status=pending", "/status"),
        ("status=PAID", "/status"),
        ("status=", "/status"),
        ("status=PENDING&status=CONFIRMED", "/status"),
        ("from=2027-02-30", "/from"),
        ("to=9999-12-31", "/to"),
        ("from=2027-12-02&to=2027-12-02", "/to"),
        ("guest=42", "/guest"),
    ] {
        let refused = server.get(&format!("/api/v1/bookings?{query}")).by(&guest).await;
        refused.is_problem(422, "invalid_field");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{query}: {}", refused.body);
    }
}

/// Follows the links of a list from its first page on.
async fn walk(server: &Server, person: &Person, first: String) -> Vec<String> {
    let (mut seen, mut next) = (Vec::new(), Some(first));
    while let Some(path) = next {
        let page = server.get(&path).by(person).await;
        seen.extend(page.expect(200).list("data").iter().map(|row| row.text("id")));
        let link = page.header("link");
        let target = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
        next = target.map(str::to_owned);
        assert_eq!(next.is_none(), page.body["next_cursor"].is_null(), "{link} {}", page.body);
    }
    seen
}

async fn filtered_bookings_come_in_pages_that_keep_the_filter(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let (one, two) = (server.home(&host).await, server.home(&host).await);
    let mut wanted = Vec::new();
    for number in 0..5 {
        wanted.push(booked(server, &guest, &one, 40 + 2 * number).await);
        booked(server, &guest, &two, 40 + 2 * number).await;
    }
    wanted.reverse();
    for (person, side) in [(&guest, "guest"), (&host, "host")] {
        let first = format!("/api/v1/bookings?as={side}&property={one}&status=PENDING&limit=2");
        assert_eq!(walk(server, person, first).await, wanted, "{side}");
    }
}

async fn payments_are_listed_for_who_pays_newest_first_and_in_pages(server: &mut Server) {
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    let mut made = Vec::new();
    for number in 0..5 {
        let booking = booked(server, &guest, &home, 40 + 2 * number).await;
        let method = if number == 2 { "pm_card_chargeDeclined" } else { "pm_card_visa" };
        made.push(server.pay(&guest, &booking, method).await.expect(201));
    }
    let theirs = booked(server, &other, &home, 60).await;
    let theirs = server.pay(&other, &theirs, "pm_card_visa").await.expect(201);
    made.reverse();
    let listed = server.get("/api/v1/payments").by(&guest).await.expect(200);
    assert_eq!(listed.list("data"), made);
    assert_eq!(listed["next_cursor"], Value::Null);
    let wanted: Vec<String> = made.iter().map(|payment| payment.text("id")).collect();
    assert_eq!(walk(server, &guest, "/payments?limit=2".to_owned()).await, wanted);
    assert_eq!(ids(server, &other, "/payments").await, [theirs.text("id")]);
    // What a guest pays with is not the host's affair.
    assert_eq!(ids(server, &host, "/payments").await, Vec::<String>::new());
    server.get("/api/v1/payments").await.is_problem(401, "unauthenticated");
    for (query, pointer) in [("limit=0", "/limit"), ("cursor=x", "/cursor"), ("as=host", "/as")] {
        let refused = server.get(&format!("/api/v1/payments?{query}")).by(&guest).await;
        refused.is_problem(422, "invalid_field");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{query}: {}", refused.body);
    }
}

async fn a_preview_says_what_the_cancellation_then_returns(server: &mut Server) {
    let (host, guest, admin) = (server.host().await, server.guest().await, server.admin().await);
    let home = server.home(&host).await;
    let pending = booked(server, &guest, &home, 40).await;
    let (early, late) =
        (booked(server, &guest, &home, 50).await, booked(server, &guest, &home, 5).await);
    let forgiven = booked(server, &guest, &home, 8).await;
    for booking in [&early, &late, &forgiven] {
        server.pay(&guest, booking, "pm_card_visa").await.expect(201);
    }
    let preview = async |person: &Person, booking: &str| {
        let path = format!("/api/v1/bookings/{booking}/cancellation");
        let answer = server.get(&path).by(person).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.expect(200)
    };
    let euros = |amount: i64| json!({ "amount": amount, "currency": "EUR" });
    let shown = preview(&guest, &early).await;
    let expected = json!({
        "booking_id": early, "cancellation_policy": "flexible", "refund": euros(24_000),
        "retained": euros(0),
    });
    assert_eq!(shown, expected);
    let none = preview(&guest, &pending).await;
    assert_eq!((&none["refund"], &none["retained"]), (&euros(0), &euros(0)));
    // Looking changes nothing.
    assert_eq!(server.booking(&guest, &early).await.expect(200)["status"], "CONFIRMED");
    for booking in [&early, &pending] {
        let said = preview(&guest, booking).await;
        let canceled = server.cancel(&guest, booking).await.expect(200);
        assert_eq!(canceled["refund"], said["refund"]);
        // Asking again is answered as canceling again is.
        assert_eq!(preview(&guest, booking).await["refund"], canceled["refund"]);
    }
    // Within a day of check-in a guest gets nothing back, and whoever is canceled on everything.
    server.advance(5 * DAY).await;
    let shown = preview(&guest, &late).await;
    assert_eq!((&shown["refund"], &shown["retained"]), (&euros(0), &euros(24_000)));
    server.advance(3 * DAY).await;
    for person in [&host, &admin] {
        let shown = preview(person, &forgiven).await;
        assert_eq!((&shown["refund"], &shown["retained"]), (&euros(24_000), &euros(0)));
    }
    assert_eq!(preview(&guest, &forgiven).await["refund"], euros(0));
    let canceled = server.cancel(&admin, &forgiven).await.expect(200);
    assert_eq!(canceled["refund"], euros(24_000));
}

async fn a_preview_is_for_the_guest_the_host_and_admins(server: &mut Server) {
    let (host, guest, admin) = (server.host().await, server.guest().await, server.admin().await);
    let (stranger, other_host) = (server.guest().await, server.host().await);
    let home = server.home(&host).await;
    let booking = booked(server, &guest, &home, 40).await;
    let path = format!("/api/v1/bookings/{booking}/cancellation");
    for (person, status) in
        [(&guest, 200), (&host, 200), (&admin, 200), (&stranger, 404), (&other_host, 404)]
    {
        server.get(&path).by(person).await.expect(status);
    }
    server.get(&path).await.is_problem(401, "unauthenticated");
    let nobody = "01920000-7000-8000-0000-00000000002a";
    for id in [nobody, "42", "%00"] {
        let path = format!("/api/v1/bookings/{id}/cancellation");
        server.get(&path).by(&guest).await.is_problem(404, "not_found");
    }
}

async fn what_cannot_be_canceled_has_no_preview(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let (expired, completed) =
        (booked(server, &guest, &home, 40).await, booked(server, &guest, &home, 2).await);
    server.pay(&guest, &completed, "pm_card_visa").await.expect(201);
    server.advance(5 * DAY).await;
    for booking in [&expired, &completed] {
        let path = format!("/api/v1/bookings/{booking}/cancellation");
        let preview = server.get(&path).by(&guest).await;
        preview.is_problem(409, "booking_ended");
        server.cancel(&guest, booking).await.is_problem(409, preview.body.text("code").as_str());
    }
}
