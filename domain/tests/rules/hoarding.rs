//! What a guest may hold at a time: one pending booking here, and what there is room for elsewhere.

use crate::given::{
    HOLD, book, booking, booking_id, command, now, property, settings, state, stay, stored,
    under_key, user,
};
use domain::booking::Step;
use domain::command::{Command, Intent};
use domain::decide::Verdict;
use domain::refusal::{Hold, Refusal};
use domain::state::{Settings, State};
use domain::{Awaiting, Booking, Instant, Property, Status};

/// The state of a property where guests are limited.
fn limited(property: Property, bookings: Vec<Booking>) -> State {
    State::load(stored(property, bookings), Settings { one_pending_each: true, ..settings() })
}

fn pending(awaiting: Awaiting, expires_at: Instant) -> Status {
    Status::Pending { awaiting, expires_at }
}

/// A wish of a guest who has no room for it beside these.
fn crowded(number: u128, holds: Vec<Hold>) -> Command {
    let mut command = book(number, stay(20, 22));
    if let Intent::Book { no_room, .. } = &mut command.intent {
        *no_room = Some(holds);
    }
    command
}

fn refusal(verdict: Verdict) -> Option<Refusal> {
    match verdict {
        Verdict::Refused(refusal) => Some(refusal),
        _ => None,
    }
}

#[test]
fn a_guest_has_one_pending_booking_of_a_property_until_it_is_settled_or_over() {
    let until = now().plus(HOLD);
    let here = Some(Refusal::PendingHere(Hold { booking: booking_id(1), until }));
    let free_from = crate::given::night("2026-12-11");
    for (status, at, expected) in [
        (pending(Awaiting::Payment, until), now(), here.clone()),
        (pending(Awaiting::Host, until), now(), here.clone()),
        (pending(Awaiting::Release, until), now(), here),
        (pending(Awaiting::Payment, until), until, None),
        (pending(Awaiting::Host, until), until, None),
        (Status::Confirmed, now(), None),
        (Status::Completed, now(), None),
        (Status::Canceled, now(), None),
        (Status::Declined, now(), None),
        (Status::Expired, now(), None),
        (Status::NoShow { free_from }, now(), None),
    ] {
        let mut state = limited(property(), vec![booking(status, Some((1, false)))]);
        let answer = refusal(state.decide(&book(2, stay(20, 22)), 1, at));
        assert_eq!(answer, expected, "{status:?} at {at}");
    }
}

#[test]
fn a_request_to_a_host_counts_and_another_guest_is_none_of_it() {
    let mut state = limited(Property { instant_book: false, ..property() }, Vec::new());
    assert_eq!(refusal(state.decide(&book(1, stay(10, 13)), 1, now())), None);
    let answer = refusal(state.decide(&book(2, stay(20, 22)), 1, now()));
    assert!(matches!(answer, Some(Refusal::PendingHere(_))), "{answer:?}");
    let mut other = book(3, stay(20, 22));
    if let Intent::Book { guest, .. } = &mut other.intent {
        *guest = user(2);
    }
    assert_eq!(refusal(state.decide(&other, 1, now())), None);
}

#[test]
fn where_nobody_is_limited_a_guest_holds_all_they_want() {
    let held = booking(pending(Awaiting::Payment, now().plus(HOLD)), None);
    let mut state = state(property(), vec![held]);
    assert_eq!(refusal(state.decide(&book(2, stay(20, 22)), 1, now())), None);
}

#[test]
fn a_change_of_a_hold_is_no_other_hold_and_giving_it_up_makes_room() {
    let held = booking(pending(Awaiting::Payment, now().plus(HOLD)), None);
    let mut state = limited(property(), vec![held]);
    let intent = Intent::Change { booking: booking_id(1), seen: 1, stay: stay(11, 14), guests: 2 };
    assert_eq!(refusal(state.decide(&command(1, intent), 1, now())), None);
    let step = Step::Cancel { by_guest: true };
    let cancel = command(2, Intent::Step { booking: booking_id(1), step });
    assert_eq!(refusal(state.decide(&cancel, 1, now())), None);
    assert_eq!(refusal(state.decide(&book(2, stay(20, 22)), 1, now())), None);
}

#[test]
fn a_guest_without_room_hears_what_is_pending_but_a_key_is_answered_as_before() {
    let elsewhere = vec![Hold { booking: booking_id(9), until: now().plus(HOLD) }];
    let mut state = limited(property(), Vec::new());
    let answer = refusal(state.decide(&crowded(1, elsewhere.clone()), 1, now()));
    assert_eq!(answer, Some(Refusal::TooManyPending(elsewhere.clone())));
    // All on their way is no room either.
    let answer = refusal(state.decide(&crowded(2, Vec::new()), 1, now()));
    assert_eq!(answer, Some(Refusal::TooManyPending(Vec::new())));

    let first = state.decide(&under_key(book(3, stay(10, 13)), "once", 1), 1, now());
    assert!(matches!(first, Verdict::Write(_)), "{first:?}");
    let again = state.decide(&under_key(crowded(4, elsewhere), "once", 1), 1, now());
    assert!(matches!(again, Verdict::Replay { seq: 1, .. }), "{again:?}");
}
