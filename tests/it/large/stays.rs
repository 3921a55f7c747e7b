//! Searches for a stay that nearly every home is taken for.

use super::fill::{NIGHTS, TAKEN_AT, arrival, id};
use super::{Case, look};
use crate::helpers::{Document, Server, day, is_proof, now};
use domain::place::{Area, Position};
use domain::property::Listing;
use domain::{Night, PropertyId, Stay};
use std::time::{Duration, Instant};
use uuid::Uuid;
use vacancy::store::properties::{self, Filters, Order};
use vacancy::store::search;

/// Rows that the server asks for: a page, and one to know whether there is another.
const ASKED: u32 = 101;

/// Of twenty homes one is free: so many are looked at for a page, with the drafts among them, and
/// for each its night, the booking there, and a block at another time.
const MOST: u64 = 10 * 20 * ASKED as u64;

/// Candidates that are judged at a time. The short form has so few homes that to read all of them would
/// be less work than to look for so many.
fn batch() -> i64 {
    if is_proof() { 200 } else { 20 }
}

/// How often each page is asked for.
const TIMES: usize = 100;

/// Rows of a page that is timed, so that the short form has twenty of them.
const FEW: usize = 10;

fn stay() -> Stay {
    let night = |days| Night::from_days(days).expect("a night");
    Stay::new(night(arrival()), night(arrival() + NIGHTS)).expect("a stay")
}

fn dates() -> String {
    format!("check_in={}&check_out={}", stay().check_in(), stay().check_out())
}

/// What a search says, the condition of a count beside it, and the same as filters.
type Search = (&'static str, &'static str, fn(&mut Filters));

/// Of how many free homes one passes a filter that no index leads by: so many more are looked at.
const PASSES: [(&str, u64); 2] = [("guests=10", 2), ("bbox=-90,-45,90,45", 4)];

const SEARCHES: &[Search] = &[
    ("", "true", |_| ()),
    ("&country=PT", "country = 'PT'", |f| f.country = Some("PT".to_owned())),
    ("&guests=10", "max_guests >= 10", |f| f.guests = Some(10)),
    (
        "&amenities=baby_bed",
        "property_id in (select property_id from property_amenity \
      where amenity = 'baby_bed')",
        |f| f.amenities = vec!["baby_bed".to_owned()],
    ),
    ("&instant_book=false", "not instant_book", |f| f.instant_book = Some(false)),
    ("&sort=rating", "true", |f| f.order = Order::Rating),
    ("&bbox=-90,-45,90,45", "latitude between -45 and 45 and longitude between -90 and 90", |f| {
        f.areas = Area::new([-90.0, -45.0, 90.0, 45.0]).into_iter().collect();
    }),
    ("&currency=EUR&sort=price", "currency = 'EUR'", |f| f.currency = "EUR".parse().ok()),
    ("&currency=EUR&max_total=90000", "currency = 'EUR' and price_per_night <= 30000", |f| {
        f.currency = "EUR".parse().ok();
    }),
];

pub(super) fn searches() -> Vec<Case> {
    let searches = SEARCHES.iter().map(|(query, condition, change)| {
        let mut filters = Filters {
            listing: Some(Listing::Listed),
            free: Some((stay(), now())),
            ..Filters::default()
        };
        change(&mut filters);
        let of = format!(
            "property where listing = 'listed' and {condition} and property_id not in \
             (select property_id from booking where created_at = {TAKEN_AT} \
             and status = 'CONFIRMED')"
        );
        let order = if query.ends_with("price") { Order::Price } else { filters.order };
        let path = format!("properties?{}{query}", dates());
        let passes = PASSES.iter().find(|(filter, _)| query.ends_with(filter));
        let most = MOST * passes.map_or(1, |(_, one_of)| *one_of);
        let case = Case::new(&path, None, &of, most, move |place| {
            properties::list(&filters, place.map(|(key, id)| (key, PropertyId(id))), ASKED)
        });
        Case { order, ..case }
    });
    searches.collect()
}

/// What is read about a batch of candidates, and those that are near a place.
pub(super) async fn look_around(server: &Server) {
    let batch = batch();
    let ids: Vec<Uuid> = (1..=batch).map(|number| id(number).parse().expect("an id")).collect();
    let most = 2 * batch.unsigned_abs() * NIGHTS.unsigned_abs() as u64;
    look(server, "what dates say", &search::terms_near(&ids, stay()), most).await;
    look(server, "who is there", &search::bookings_near(&ids, stay(), 30), most).await;
    let center = Position::new(-43.0, -109.0).expect("a place");
    let filters = Filters {
        listing: Some(Listing::Listed),
        areas: vec![Area::around(center, 30_000)],
        free: Some((stay(), now())),
        ..Filters::default()
    };
    // Every home there is looked at, and a fourteenth of all lies at this place.
    look(server, "near a place", &properties::list(&filters, None, ASKED), 3 * MOST).await;
}

/// What would have to be priced one by one, and is too much, is refused.
pub(super) async fn are_bounded(server: &Server) {
    let free = format!("check_in={}&check_out={}&currency=EUR", day(90), day(92));
    for query in ["sort=price", "max_total=1"] {
        let path = format!("/api/v1/properties?{free}&{query}");
        server.get(&path).await.is_problem(422, "search_too_wide");
        // Narrower, it is answered.
        server.get(&format!("{path}&country=IS")).await.expect(200);
    }
    // In the order of an index as many rows are read as fill the page.
    server.get(&format!("/api/v1/properties?{free}")).await.expect(200);
}

/// The 20th page comes as soon as the first, or half as soon at worst.
pub(super) async fn later_pages_take_no_longer(server: &Server) {
    for query in ["", "&sort=rating", "&currency=EUR&sort=price"] {
        let first = format!("/api/v1/properties?{}{query}&limit={FEW}", dates());
        let mut last = first.clone();
        for _ in 1..20 {
            let page = server.get(&last).await.expect(200);
            last = format!("{first}&cursor={}", page.text("next_cursor"));
        }
        let (mut early, mut late) = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            early.push(timed(server, &first).await);
            late.push(timed(server, &last).await);
        }
        let (early, late) = (p99(early), p99(late));
        println!("p99 of the first page {early:?}, of the 20th {late:?}: {first}");
        // The short form shares its machine with other tests.
        assert!(!is_proof() || late <= 2 * early, "{first}: {early:?}, then {late:?}");
    }
}

async fn timed(server: &Server, path: &str) -> Duration {
    let begun = Instant::now();
    let page = server.get(path).await.expect(200);
    let took = begun.elapsed();
    assert_eq!(page.list("data").len(), FEW, "{path}");
    took
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100 - 1]
}
