//! How a property changes, and what holds it back.

use crate::given::{HOLD, book, booking, booking_id, command, now, property, state, stay, stored};
use domain::command::{Command, Intent};
use domain::decide::Verdict;
use domain::event::Fact;
use domain::group::{Group, Subject};
use domain::property::{Edit, Listing, Page};
use domain::refusal::{Code, Refusal};
use domain::state::State;
use domain::zone::Zone;
use domain::{Awaiting, Booking, Property, Status};
use std::sync::Arc;

pub(crate) fn page() -> Page {
    Page {
        title: "Cottage".into(),
        description: String::new(),
        address: String::new(),
        city: "Nairobi".into(),
        country: "KE".into(),
        latitude: None,
        longitude: None,
        amenities: Vec::new(),
        blind_reviews: false,
    }
}

pub(crate) fn edit(facts: Property, seen: i64) -> Command {
    let (amenities_added, amenities_removed) = (Vec::new(), Vec::new());
    let edit = Edit { facts, page: page(), amenities_added, amenities_removed, seen };
    command(900, Intent::Edit(Arc::new(edit)))
}

fn decided(state: &mut State, command: &Command) -> Result<Group, Refusal> {
    match state.decide(command, 1, now()) {
        Verdict::Write(group) => Ok(*group),
        Verdict::Refused(refusal) => Err(refusal),
        other => panic!("neither written nor refused: {other:?}"),
    }
}

fn listed_as(listing: Listing) -> Property {
    Property { listing, ..property() }
}

fn live() -> Booking {
    booking(Status::Pending { awaiting: Awaiting::Payment, expires_at: now().plus(HOLD) }, None)
}

#[test]
fn an_edit_takes_a_number_and_is_what_the_next_decision_reads() {
    let mut state = state(property(), Vec::new());
    let dearer = Property { price_per_night: 20_000, ..property() };
    let group = decided(&mut state, &edit(dearer.clone(), 1)).expect("an edit");
    assert_eq!((group.base.seq, group.head.seq), (0, 1));
    assert_eq!(group.events[0].event.fact, Fact::PropertyChanged(dearer));
    assert!(matches!(group.subject, Subject::Property(_)));
    let made = decided(&mut state, &book(1, stay(10, 13))).expect("a booking");
    assert_eq!(made.booking().map(|booking| booking.total), Some(60_000));
}

#[test]
fn an_edit_of_what_has_changed_since_is_stale() {
    let mut state = State::load(stored(property(), Vec::new()), crate::given::settings());
    assert_eq!(decided(&mut state, &edit(property(), 7)).err(), Some(Refusal::Stale));
    decided(&mut state, &edit(property(), 1)).expect("an edit");
    assert_eq!(decided(&mut state, &edit(property(), 0)).err(), Some(Refusal::Stale));
}

#[test]
fn a_listing_goes_only_where_the_table_says() {
    use Listing::{Archived, Draft, Listed, Unlisted};
    let allowed = [
        (Draft, Draft),
        (Draft, Listed),
        (Draft, Archived),
        (Listed, Listed),
        (Listed, Unlisted),
        (Listed, Archived),
        (Unlisted, Listed),
        (Unlisted, Unlisted),
        (Unlisted, Archived),
    ];
    for from in [Draft, Listed, Unlisted, Archived] {
        for to in [Draft, Listed, Unlisted, Archived] {
            let mut state = state(listed_as(from), Vec::new());
            let refusal = decided(&mut state, &edit(listed_as(to), 1)).err();
            let expected =
                (!allowed.contains(&(from, to))).then_some(Refusal::Listing { from, to });
            assert_eq!(refusal, expected, "{from:?} -> {to:?}");
        }
    }
}

#[test]
fn only_what_is_listed_is_booked_and_unlisting_honours_bookings() {
    for listing in [Listing::Draft, Listing::Unlisted, Listing::Archived] {
        let mut state = state(listed_as(listing), Vec::new());
        let refusal = decided(&mut state, &book(2, stay(10, 13))).expect_err("a refusal");
        let Refusal::Unavailable { reasons, .. } = refusal else { panic!("{refusal:?}") };
        assert_eq!(reasons[0].code, Code::PropertyUnlisted, "{listing:?}");
    }
    let mut state = state(property(), vec![live()]);
    decided(&mut state, &edit(listed_as(Listing::Unlisted), 1)).expect("an edit");
    assert!(state.booking(booking_id(1)).is_some(), "the booking stands");
}

#[test]
fn live_bookings_hold_the_property_its_zone_and_its_currency() {
    let zone = Zone::named("Africa/Nairobi").expect("a zone");
    let currency = "KES".parse().expect("a currency");
    for facts in [
        listed_as(Listing::Archived),
        Property { zone, ..property() },
        Property { currency, ..property() },
    ] {
        let mut held = state(property(), vec![live()]);
        let refusal = decided(&mut held, &edit(facts.clone(), 1)).err();
        assert_eq!(refusal, Some(Refusal::LiveBookings(vec![booking_id(1)])), "{facts:?}");
        let mut free = state(property(), vec![booking(Status::Completed, None)]);
        assert!(decided(&mut free, &edit(facts, 1)).is_ok(), "what is over holds nothing");
    }
}
