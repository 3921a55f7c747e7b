//! The lists that are looked at: every filter, with values that many rows have, few, and none.

use super::fill::{BOOKINGS_PER_HOME, id};
use super::{Case, Place};
use crate::helpers::Person;
use domain::place::Area;
use domain::property::Listing;
use domain::{BookingId, Instant, Night, PaymentId, PropertyId, ReviewId, UserId};
use vacancy::store::accounts::{self, Role};
use vacancy::store::bookings::{self, BookingFilter};
use vacancy::store::list::Statement;
use vacancy::store::properties::{self, Filters, Order};
use vacancy::store::reviews::{self, ReviewsOf};
use vacancy::store::{Kind, payments};

/// Rows that the server asks for: a page, and one to know whether there is another.
const ASKED: u32 = 101;

/// What is allowed besides the rows that have to be read.
const SLACK: u64 = 500;

/// What a search says, the condition of a count beside it, and the same as filters.
type Search = (&'static str, &'static str, fn(&mut Filters));

/// Amenities with many homes, with a few, and with none.
const HAS: &str = "property_id in (select property_id from property_amenity where amenity = ";

const SEARCHES: &[Search] = &[
    ("", "true", |_| ()),
    ("city=CITY+1", "city = 'City 1'", |f| f.city = text("CITY 1")),
    ("city=City+200", "city = 'City 200'", |f| f.city = text("City 200")),
    ("city=Atlantis", "false", |f| f.city = text("Atlantis")),
    ("country=PT", "country = 'PT'", |f| f.country = text("PT")),
    ("country=IS", "country = 'IS'", |f| f.country = text("IS")),
    ("country=XX", "false", |f| f.country = text("XX")),
    ("currency=ISK", "currency = 'ISK'", |f| f.currency = "ISK".parse().ok()),
    ("currency=JPY", "false", |f| f.currency = "JPY".parse().ok()),
    ("guests=2", "max_guests >= 2", |f| f.guests = Some(2)),
    ("guests=17", "max_guests >= 17", |f| f.guests = Some(17)),
    ("guests=501", "false", |f| f.guests = Some(501)),
    ("max_price=9000", "price_per_night <= 9000", |f| f.max_price = Some(9_000)),
    ("max_price=1999", "false", |f| f.max_price = Some(1_999)),
    ("min_price=101000", "price_per_night >= 101000", |f| f.min_price = Some(101_000)),
    ("min_price=50000&max_price=50999", "price_per_night between 50000 and 50999", |f| {
        (f.min_price, f.max_price) = (Some(50_000), Some(50_999));
    }),
    ("currency=KES&min_price=90000", "currency = 'KES' and price_per_night >= 90000", |f| {
        (f.currency, f.min_price) = ("KES".parse().ok(), Some(90_000));
    }),
    ("city=City+1&max_price=5000", "city = 'City 1' and price_per_night <= 5000", |f| {
        (f.city, f.max_price) = (text("City 1"), Some(5_000));
    }),
    ("country=KE&guests=17", "country = 'KE' and max_guests >= 17", |f| {
        (f.country, f.guests) = (text("KE"), Some(17));
    }),
    ("guests=17&max_price=2100", "max_guests >= 17 and price_per_night <= 2100", |f| {
        (f.guests, f.max_price) = (Some(17), Some(2_100));
    }),
    ("amenities=air_conditioning", "{'air_conditioning')", |f| {
        f.amenities = slugs(&["air_conditioning"]);
    }),
    ("amenities=ev_charger", "{'ev_charger')", |f| f.amenities = slugs(&["ev_charger"])),
    ("amenities=wifi", "false", |f| f.amenities = slugs(&["wifi"])),
    ("amenities=air_conditioning,baby_bed", "{'air_conditioning') and {'baby_bed')", |f| {
        f.amenities = slugs(&["air_conditioning", "baby_bed"])
    }),
    (
        "amenities=ev_charger,air_conditioning,baby_bed",
        "{'ev_charger') and {'air_conditioning') and {'baby_bed')",
        |f| f.amenities = slugs(&["air_conditioning", "baby_bed", "ev_charger"]),
    ),
    ("amenities=air_conditioning,wifi", "false", |f| {
        f.amenities = slugs(&["air_conditioning", "wifi"]);
    }),
    ("amenities=air_conditioning&country=IS", "{'air_conditioning') and country = 'IS'", |f| {
        (f.amenities, f.country) = (slugs(&["air_conditioning"]), text("IS"));
    }),
    ("amenities=air_conditioning&guests=17", "{'air_conditioning') and max_guests >= 17", |f| {
        (f.amenities, f.guests) = (slugs(&["air_conditioning"]), Some(17));
    }),
    (
        "amenities=ev_charger&city=City+1&min_price=2500",
        "{'ev_charger') and city = 'City 1' and price_per_night >= 2500",
        |f| {
            (f.amenities, f.city) = (slugs(&["ev_charger"]), text("City 1"));
            f.min_price = Some(2_500);
        },
    ),
    ("instant_book=true", "instant_book", |f| f.instant_book = Some(true)),
    ("instant_book=false", "not instant_book", |f| f.instant_book = Some(false)),
    ("min_rating=2", "rating_hundredths >= 200", |f| f.min_rating = Some(200)),
    ("min_rating=4.98", "rating_hundredths >= 498", |f| f.min_rating = Some(498)),
    ("bbox=-10,-1,10,1", "latitude between -1 and 1 and longitude between -10 and 10", |f| {
        f.areas = area([-10.0, -1.0, 10.0, 1.0]);
    }),
    ("bbox=-180,89,180,90", "false", |f| f.areas = area([-180.0, 89.0, 180.0, 90.0])),
    ("sort=rating", "true", |f| f.order = Order::Rating),
    ("sort=rating&country=IS", "country = 'IS'", |f| {
        (f.country, f.order) = (text("IS"), Order::Rating);
    }),
    ("sort=price&currency=EUR", "currency = 'EUR'", |f| {
        (f.currency, f.order) = ("EUR".parse().ok(), Order::Price);
    }),
    ("sort=price&currency=EUR&amenities=baby_bed", "currency = 'EUR' and {'baby_bed')", |f| {
        (f.currency, f.order) = ("EUR".parse().ok(), Order::Price);
        f.amenities = slugs(&["baby_bed"]);
    }),
];

fn area(sides: [f64; 4]) -> Vec<Area> {
    Area::new(sides).into_iter().collect()
}

/// A place in a list that is sorted by age.
fn by_age<T>(place: Place, id: impl Fn(uuid::Uuid) -> T) -> Option<(Instant, T)> {
    place.map(|(at, last)| (Instant::from_micros(at), id(last)))
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn slugs(slugs: &[&str]) -> Vec<String> {
    slugs.iter().map(|slug| (*slug).to_owned()).collect()
}

fn uuid(number: i64) -> uuid::Uuid {
    id(number).parse().expect("an id")
}

fn person(number: i64, role: Role) -> Person {
    Person { id: UserId(uuid(number)), role, email: String::new() }
}

/// The searches that anybody may do. Whatever passes how rarely, a page costs a small multiple of
/// the square root of page times table: either the page fills soon, or few rows pass a filter.
pub(super) fn searches(homes: i64) -> Vec<Case> {
    let most = 4 * (u64::from(ASKED) * homes.unsigned_abs()).isqrt();
    let searches = SEARCHES.iter().map(|(query, condition, change)| {
        let mut filters = Filters { listing: Some(Listing::Listed), ..Filters::default() };
        change(&mut filters);
        let condition = condition.replace('{', HAS);
        let of = format!("property where listing = 'listed' and {condition}");
        let order = filters.order;
        let case = Case::new(&format!("properties?{query}"), None, &of, most, move |place| {
            properties::list(&filters, place.map(|(key, id)| (key, PropertyId(id))), ASKED)
        });
        Case { order, ..case }
    });
    searches.collect()
}

/// The lists of the host with the most homes: so many are theirs.
pub(super) fn lists_of_host(kind: Kind, own: u64) -> Vec<Case> {
    let host = person(1, Role::Host);
    let mut cases = Vec::new();
    for (query, condition, listing) in [
        ("", "true", None),
        ("&status=draft", "listing = 'draft'", Some(Listing::Draft)),
        ("&status=listed", "listing = 'listed'", Some(Listing::Listed)),
    ] {
        let filters = Filters { host: Some(host.id), listing, ..Filters::default() };
        let path = format!("properties?host={}{query}", host.id);
        let of = format!("property where host_id = {{1}} and {condition}");
        cases.push(Case::new(&path, Some(&host), &of, 2 * own + SLACK, move |place| {
            properties::list(&filters, place.map(|(key, id)| (key, PropertyId(id))), ASKED)
        }));
    }
    let most = 3 * own * BOOKINGS_PER_HOME.unsigned_abs() + SLACK;
    for (query, condition, filter) in booking_filters() {
        let of = format!(
            "booking join property using (property_id) where host_id = {{1}} and {condition}"
        );
        let most = if filter.property.is_some() { SLACK } else { most };
        let id = host.id;
        let path = format!("bookings?as=host{query}");
        cases.push(Case::new(&path, Some(&host), &of, most, move |place| {
            let after = by_age(place, BookingId);
            bookings::list_of_host(kind, id, filter, after, ASKED)
        }));
    }
    cases
}

/// The lists of the guest with the most bookings: so many are theirs.
pub(super) fn lists_of_guest(kind: Kind, number: i64, own: u64) -> Vec<Case> {
    let guest = person(number, Role::Guest);
    let (id, most) = (guest.id, 2 * own + SLACK);
    let mut cases = Vec::new();
    for (query, condition, filter) in booking_filters() {
        let of = format!("booking where guest_id = {{{number}}} and {condition}");
        let path = format!("bookings?as=guest{query}");
        cases.push(Case::new(&path, Some(&guest), &of, most, move |place| {
            let after = by_age(place, BookingId);
            bookings::list_of_guest(id, filter, after, ASKED)
        }));
    }
    let of = format!(
        "payment join booking using (property_id, booking_id) where guest_id = {{{number}}}"
    );
    cases.push(Case::new("payments?", Some(&guest), &of, 2 * most, move |place| {
        payments::list(kind, id, by_age(place, PaymentId), ASKED)
    }));
    cases
}

fn booking_filters() -> Vec<(String, String, BookingFilter)> {
    let all = BookingFilter::default();
    let status = |name: &str| Some(name.parse().expect("a status"));
    let night = |days| Night::from_days(days).expect("a night");
    let (from, to) = (night(20_990), night(21_001));
    let mut filters = vec![(String::new(), "true".to_owned(), all)];
    for name in ["COMPLETED", "NO_SHOW", "DECLINED"] {
        let filter = BookingFilter { status: status(name), ..all };
        filters.push((format!("&status={name}"), format!("status = '{name}'"), filter));
    }
    let dates = format!("&from={from}&to={to}");
    let filter = BookingFilter { from: Some(from), to: Some(to), ..all };
    filters.push((dates, "check_out > 20990 and check_in < 21001".to_owned(), filter));
    let property = Some(PropertyId(uuid(1)));
    let filter = BookingFilter { property, status: status("COMPLETED"), ..all };
    let path = format!("&property={}&status=COMPLETED", id(1));
    filters.push((path, "property_id = {1} and status = 'COMPLETED'".to_owned(), filter));
    filters
}

/// What somebody who reviews a home is asked about: the best of their stays there.
pub(super) fn stay_to_review(guest: i64, own: u64) -> (&'static str, Statement, u64) {
    let stay = reviews::stay(UserId(uuid(guest)), PropertyId(uuid(1)));
    ("the stay that a review is about", stay, own + SLACK)
}

/// The reviews of a home that has a great many and of one that has few, and all accounts.
pub(super) fn other_lists() -> Vec<Case> {
    let mut cases = Vec::new();
    for number in [1, 4_321] {
        let property = PropertyId(uuid(number));
        let path = format!("reviews?property={property}");
        let of = format!("review where property_id = {{{number}}}");
        cases.push(Case::new(&path, None, &of, SLACK, move |place: Place| {
            reviews::list(ReviewsOf::Property(property), by_age(place, ReviewId), ASKED)
        }));
    }
    let admin = person(1, Role::Admin);
    cases.push(Case::new("users?", Some(&admin), "account", SLACK, |place: Place| {
        accounts::list(by_age(place, UserId), ASKED)
    }));
    cases
}
