//! Refusals against a model that asks every night by itself.

use crate::given::{HOLD, booking, booking_id, now, property, stay};
use domain::property::Listing;
use domain::refusal::{Code, Ground, Reason};
use domain::rules::Overrides;
use domain::{Awaiting, Booking, Calendar, Instant, Night, Property, Status, Stay};
use proptest::prelude::*;

/// Bookings that do not meet, some of them held, between 2026-12-01 and 2027-01-10.
fn bookings() -> impl Strategy<Value = Vec<Booking>> {
    let one = (0..4_i32, 1..6_i32, 0..4_u32);
    prop::collection::vec(one, 0..10).prop_map(|pieces| {
        let mut from = 1;
        let mut bookings = Vec::new();
        for (gap, nights, holds) in pieces {
            from += gap;
            let status = match holds {
                0 => Status::Confirmed,
                holds => Status::Pending {
                    awaiting: Awaiting::Payment,
                    expires_at: now().plus(holds * HOLD),
                },
            };
            let id = booking_id(bookings.len() as u128);
            bookings.push(Booking { id, stay: stay(from, from + nights), ..booking(status, None) });
            from += nights;
        }
        bookings
    })
}

fn calendar(bookings: &[Booking]) -> Calendar {
    let mut calendar = Calendar::default();
    for booking in bookings {
        calendar.replace(None, booking);
    }
    calendar
}

/// Who holds a night at this moment: nobody, somebody until then, or somebody for good.
fn holder(bookings: &[Booking], night: Night, at: Instant) -> Option<Option<Instant>> {
    let mut on_it = bookings.iter().filter(|booking| booking.stay.each_night().any(|n| n == night));
    on_it.find_map(|booking| match booking.status {
        Status::Pending { expires_at, .. } => (at < expires_at).then_some(Some(expires_at)),
        _ => Some(None),
    })
}

fn can_be_booked(bookings: &[Booking], stay: Stay, at: Instant) -> bool {
    let past = stay.check_in() < property().today(at);
    !past && stay.each_night().all(|night| holder(bookings, night, at).is_none())
}

proptest! {
    #[test]
    fn every_night_that_is_held_is_named_with_its_reason(
        bookings in bookings(), from in 1..40_i32, nights in 1..10_i32, holds in 0..4_u32,
    ) {
        let (at, wanted) = (now().plus(holds * HOLD), stay(from, from + nights));
        let (property, calendar) = (property(), calendar(&bookings));
        let overrides = Overrides::default();
        let found = Ground::new(&property, &overrides, &calendar, at).reasons(wanted, 2);
        for night in wanted.each_night() {
            let named: Vec<&Reason> = found.iter().filter(|r| r.nights.contains(&night)).collect();
            match holder(&bookings, night, at) {
                None => prop_assert!(named.is_empty()),
                Some(until) => {
                    prop_assert_eq!(named.len(), 1);
                    let held = named[0].code == Code::UnavailableHeld;
                    prop_assert_eq!((held, named[0].held_until), (until.is_some(), until));
                }
            }
        }
        prop_assert!(found.iter().all(|reason| !reason.nights.is_empty()));
        let inside = |night: &Night| wanted.each_night().any(|wanted| wanted == *night);
        prop_assert!(found.iter().flat_map(|reason| &reason.nights).all(inside));
    }

    #[test]
    fn alternatives_are_the_nearest_stays_that_can_be_had(
        bookings in bookings(), from in 1..40_i32, nights in 1..10_i32, holds in 0..4_u32,
    ) {
        let (at, wanted) = (now().plus(holds * HOLD), stay(from, from + nights));
        let (property, calendar) = (property(), calendar(&bookings));
        let overrides = Overrides::default();
        let found = Ground::new(&property, &overrides, &calendar, at).alternatives(wanted, 2);
        let mut expected = Vec::new();
        for days in 1..=14 {
            expected.push(stay(from + days, from + days + nights));
            expected.push(stay(from - days, from - days + nights));
        }
        for shorter in (1..nights).rev() {
            expected.push(stay(from, from + shorter));
        }
        expected.retain(|other| can_be_booked(&bookings, *other, at));
        expected.truncate(3);
        prop_assert_eq!(found, expected);
    }
}

/// The codes of all reasons against this stay, with the number of nights each of them names.
fn codes(property: &Property, wanted: Stay, guests: u16, at: Instant) -> Vec<(Code, usize)> {
    let (overrides, calendar) = (Overrides::default(), Calendar::default());
    let found = Ground::new(property, &overrides, &calendar, at).reasons(wanted, guests);
    found.into_iter().map(|reason| (reason.code, reason.nights.len())).collect()
}

#[test]
fn where_no_other_dates_are_free_shorter_stays_are_proposed() {
    let taken = |number, stay| {
        let id = booking_id(number);
        Booking { id, stay, ..booking(Status::Confirmed, None) }
    };
    let calendar = calendar(&[taken(1, stay(1, 10)), taken(2, stay(13, 40))]);
    let (property, overrides) = (property(), Overrides::default());
    let ground = Ground::new(&property, &overrides, &calendar, now());
    let found = ground.alternatives(stay(10, 14), 2);
    assert_eq!(found, [stay(10, 13), stay(10, 12), stay(10, 11)]);
}

#[test]
fn all_rules_that_fail_are_told_at_once() {
    let unlisted = Property { listing: Listing::Unlisted, ..property() };
    let last_week = stay(-5, 2);
    assert_eq!(
        codes(&unlisted, last_week, 5, now()),
        [(Code::PropertyUnlisted, 7), (Code::InPast, 6), (Code::TooManyGuests, 7)]
    );
    assert_eq!(codes(&property(), stay(1, 3), 4, now()), [], "today can still be booked");
    assert_eq!(codes(&property(), stay(0, 3), 4, now()), [(Code::InPast, 1)]);
}

#[test]
fn a_request_can_be_made_until_its_own_check_in() {
    let by_request = Property { instant_book: false, ..property() };
    let check_in = by_request.hours(stay(1, 2)).0;
    let just_before = check_in.minus(crate::given::TICK);
    assert_eq!(codes(&by_request, stay(1, 2), 1, just_before), []);
    assert_eq!(codes(&by_request, stay(1, 2), 1, check_in), [(Code::InPast, 1)]);
    assert_eq!(codes(&property(), stay(1, 2), 1, check_in), []);
}
