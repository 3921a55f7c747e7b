//! Other dates and guests of a booking, against the table of what may follow.

use crate::given::{
    HOLD, HOUR, TOTAL, booking, booking_id, command, now, paid, payment, property, state, stay,
};
use domain::booking::{Cause, Change, Illegal, Step, Stepped};
use domain::command::Intent;
use domain::decide::Verdict;
use domain::group::JobKind;
use domain::price::{Basis, Kind};
use domain::property::Property;
use domain::refusal::{Code, Refusal};
use domain::rules::{Overrides, Rules, Terms};
use domain::{Awaiting, Booking, Instant, Price, Status, Stay};
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(15 * 60);

fn held() -> Booking {
    let expires_at = now().plus(HOLD);
    booking(Status::Pending { awaiting: Awaiting::Payment, expires_at }, None)
}

/// What a booking becomes with these nights and guests, by itself.
pub(crate) fn changed(
    from: Booking,
    to: Stay,
    guests: u16,
    at: Instant,
) -> Result<Stepped, Illegal> {
    let property = property();
    let price = property.price(&Overrides::default(), to, guests, Some(&from.price));
    let hours = property.hours(to);
    from.change(Change { stay: to, guests, price, hours }, PATIENCE, at)
}

/// What a property with these bookings makes of the wish.
fn decided(property: Property, bookings: Vec<Booking>, to: Stay, guests: u16) -> Verdict {
    let intent = Intent::Change { booking: booking_id(1), seen: 1, stay: to, guests };
    state(property, bookings).decide(&command(1, intent), 1, now())
}

fn codes(verdict: Verdict) -> Vec<Code> {
    match verdict {
        Verdict::Refused(Refusal::Unavailable { reasons, .. }) => {
            reasons.iter().map(|reason| reason.code).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_nobody_paid_for_yet_has_another_total_and_keeps_its_end() {
    let Ok(Stepped::To(cause, after)) = changed(held(), stay(10, 15), 3, now()) else {
        panic!("a change")
    };
    assert_eq!((cause, after.stay, after.guests), (Cause::Changed, stay(10, 15), 3));
    assert_eq!((after.total, after.price.total(), after.version), (50_000, 50_000, 2));
    assert_eq!((after.status, after.refunded), (held().status, 0));
    assert_eq!((after.check_in_at, after.check_out_at), property().hours(stay(10, 15)));
}

#[test]
fn of_what_was_paid_the_difference_goes_back() {
    let confirmed = paid(Status::Confirmed);
    let Ok(Stepped::To(_, shorter)) = changed(confirmed.clone(), stay(11, 13), 2, now()) else {
        panic!("a change")
    };
    assert_eq!((shorter.total, shorter.paid, shorter.refunded), (20_000, TOTAL, 10_000));
    assert_eq!(shorter.status, Status::Confirmed);
    assert_eq!((shorter.check_in_at, shorter.check_out_at), property().hours(stay(11, 13)));
    let Ok(Stepped::To(_, canceled)) = shorter.step(Step::Cancel { by_guest: true }, now()) else {
        panic!("a cancellation")
    };
    assert_eq!(canceled.refunded, TOTAL, "the rest of it, and no more");
}

#[test]
fn a_request_that_was_authorised_and_became_cheaper_is_still_paid() {
    let expires_at = now().plus(HOLD);
    let requested = paid(Status::Pending { awaiting: Awaiting::Host, expires_at });
    let Ok(Stepped::To(_, shorter)) = changed(requested, stay(10, 12), 2, now()) else {
        panic!("a change")
    };
    let accept = Step::Accept { pay_by: now().plus(HOUR) };
    let Ok(Stepped::To(_, accepted)) = shorter.step(accept, now()) else { panic!("accepted") };
    assert_eq!((accepted.status, accepted.confirmed_at), (Status::Confirmed, Some(now())));
}

#[test]
fn what_a_status_allows_is_this() {
    let release = Status::Pending { awaiting: Awaiting::Release, expires_at: now().plus(HOLD) };
    for (from, expected) in [
        (held(), Ok(())),
        (paid(Status::Confirmed), Ok(())),
        (booking(held().status, Some((1, true))), Err(Illegal::Paying)),
        (booking(release, Some((1, true))), Err(Illegal::Status(release))),
        (paid(Status::Completed), Err(Illegal::Status(Status::Completed))),
        (booking(Status::Canceled, None), Err(Illegal::Status(Status::Canceled))),
        (booking(Status::Declined, None), Err(Illegal::Status(Status::Declined))),
        (booking(Status::Expired, None), Err(Illegal::Status(Status::Expired))),
    ] {
        let status = from.status;
        let found = changed(from, stay(10, 12), 2, now()).map(|_| ());
        assert_eq!(found, expected, "{status:?}");
    }
}

#[test]
fn the_same_dates_and_guests_are_no_change() {
    let same = changed(held(), held().stay, held().guests, now());
    assert_eq!(same, Ok(Stepped::Already(held())));
}

#[test]
fn a_stay_that_has_begun_keeps_its_first_night_and_ends_later_than_now() {
    let confirmed = paid(Status::Confirmed);
    let begun = confirmed.check_in_at.plus(20 * HOUR);
    assert_eq!(changed(confirmed.clone(), stay(11, 13), 2, begun), Err(Illegal::Time));
    let left = property().hours(stay(10, 11)).1;
    assert_eq!(changed(confirmed.clone(), stay(10, 11), 2, left), Err(Illegal::Time));
    assert!(changed(confirmed, stay(10, 12), 2, left).is_ok());
}

#[test]
fn a_request_cannot_wait_for_its_host_beyond_its_new_check_in() {
    let requested = booking(
        Status::Pending { awaiting: Awaiting::Host, expires_at: now().plus(48 * HOUR) },
        None,
    );
    let Ok(Stepped::To(_, sooner)) = changed(requested, stay(2, 3), 2, now()) else {
        panic!("a change")
    };
    assert_eq!(sooner.status.expires_at(), Some(property().hours(stay(2, 3)).0));
}

#[test]
fn nights_that_a_booking_has_keep_their_price() {
    let dearer = Property { price_per_night: 20_000, ..property() };
    let Verdict::Write(group) = decided(dearer, vec![held()], stay(11, 15), 2) else {
        panic!("a change")
    };
    let after = group.booking().expect("a booking");
    let units: Vec<Basis> = after.price.lines().iter().map(|line| line.basis).collect();
    let each = |quantity, unit| Basis::Each { quantity, unit };
    assert_eq!(units, [each(2, 10_000), each(2, 20_000)]);
    assert_eq!((&group.claimed, &group.released), (&nights(13, 15), &nights(10, 11)));
}

#[test]
fn what_was_given_back_of_a_booking_stays_given_back_when_it_changes() {
    let price = |kept: &Price| property().price(&Overrides::default(), stay(11, 15), 2, Some(kept));
    let kept = Price::even(stay(10, 13), TOTAL);
    assert_eq!((price(&kept).total(), price(&kept).lines().len()), (40_000, 1));
    let given = price(&kept.with(Kind::Goodwill, 5_000));
    assert_eq!((given.total(), given.of_kind(&Kind::Goodwill)), (35_000, -5_000));
}

fn nights(from: i32, to: i32) -> Vec<domain::Night> {
    stay(from, to).each_night().collect()
}

#[test]
fn a_booking_is_not_in_its_own_way_but_others_are() {
    let other = Booking { id: booking_id(2), stay: stay(14, 16), ..held() };
    let on = |to| decided(property(), vec![held(), other.clone()], to, 2);
    assert!(matches!(on(stay(11, 14)), Verdict::Write(_)));
    assert_eq!(codes(on(stay(11, 15))), [Code::UnavailableHeld]);
}

#[test]
fn rules_that_a_booking_keeps_to_are_not_judged_again() {
    let terms = Terms {
        min_nights: Some(4),
        closed_to_arrival: Some(true),
        closed_to_departure: Some(true),
        ..Terms::default()
    };
    let rules = Rules { default: terms, window_days: Some(5), ..Rules::default() };
    let strict = || Property { rules: Arc::new(rules.clone()), ..property() };
    let on = |to, guests| decided(strict(), vec![held()], to, guests);
    assert!(matches!(on(stay(10, 13), 3), Verdict::Write(_)), "only the guests change");
    assert_eq!(codes(on(stay(10, 13), 5)), [Code::TooManyGuests]);
    assert_eq!(codes(on(stay(10, 12), 2)), [Code::MinNights, Code::ClosedToDeparture]);
    assert_eq!(
        codes(on(stay(9, 13), 2)),
        [Code::ClosedToArrival, Code::BeyondWindow],
        "the ninth is a new night"
    );
}

#[test]
fn what_goes_back_is_a_job_and_a_booking_that_costs_nothing_stands() {
    let Verdict::Write(group) = decided(property(), vec![paid(Status::Confirmed)], stay(10, 12), 2)
    else {
        panic!("a change")
    };
    let jobs: Vec<_> = group.jobs.iter().map(|job| (job.payment, job.kind)).collect();
    assert_eq!(jobs, [(payment(1), JobKind::Refund { amount: 10_000 })]);
    let free = Rules { default: Terms { price: Some(0), ..Terms::default() }, ..Rules::default() };
    let free = Property { rules: Arc::new(free), ..property() };
    let Verdict::Write(group) = decided(free, vec![held()], stay(20, 21), 2) else {
        panic!("a change")
    };
    let after = group.booking().expect("a booking");
    assert_eq!((after.total, after.status), (0, Status::Confirmed));
    assert_eq!(after.confirmed_at, Some(now()));
}

#[test]
fn what_changed_meanwhile_is_not_changed_blindly() {
    let newer = Booking { version: 2, ..held() };
    let verdict = decided(property(), vec![newer], stay(10, 12), 2);
    assert!(matches!(verdict, Verdict::Refused(Refusal::Stale)), "{verdict:?}");
}

#[test]
fn a_booking_that_nobody_knows_cannot_be_changed() {
    let Verdict::Refused(refusal) = decided(property(), Vec::new(), stay(10, 12), 2) else {
        panic!("a refusal")
    };
    assert_eq!(refusal, Refusal::UnknownBooking);
}
