//! What a step leaves to be done with the provider, and which bookings stay in memory for it.

use crate::given::{
    HOLD, TOTAL, booking, booking_id, command, now, paid, payment, property, state,
};
use domain::booking::Step;
use domain::command::Intent;
use domain::decide::Verdict;
use domain::group::JobKind;
use domain::state::matters;
use domain::{Awaiting, Booking, Status};

/// A booking whose attempt to pay is open while it waits for this.
fn attempted(awaiting: Awaiting) -> Booking {
    let expires_at = now().plus(HOLD);
    booking(Status::Pending { awaiting, expires_at }, Some((1, true)))
}

fn jobs(of: Booking, step: Step) -> Vec<JobKind> {
    let step = command(2, Intent::Step { booking: booking_id(1), step });
    let verdict = state(property(), vec![of]).decide(&step, 1, now());
    let Verdict::Write(group) = verdict else { panic!("a step that is taken: {verdict:?}") };
    group.jobs.iter().map(|job| job.kind).collect()
}

#[test]
fn a_provider_is_not_told_what_it_said_itself() {
    let ended = Step::EndAttempt { payment: payment(1) };
    assert_eq!(jobs(attempted(Awaiting::Payment), ended), []);
    let canceled = Step::Cancel { by_guest: true };
    assert_eq!(jobs(attempted(Awaiting::Payment), canceled), [JobKind::CancelIntent]);
}

#[test]
fn an_attempt_that_goes_on_is_not_ordered_again() {
    let accepted = Step::Accept { pay_by: now().plus(HOLD) };
    assert_eq!(jobs(attempted(Awaiting::Host), accepted), []);
    let asked = Step::StartAttempt { payment: payment(1) };
    let new = Booking { attempt: None, ..attempted(Awaiting::Payment) };
    assert_eq!(jobs(new, asked), [JobKind::CreateIntent]);
}

#[test]
fn a_booking_matters_while_it_has_nights_or_money_or_an_attempt_that_may_be_paid_late() {
    for (of, expected) in [
        (attempted(Awaiting::Payment), true),
        (booking(Status::Expired, Some((1, true))), true),
        (booking(Status::Expired, None), false),
        (paid(Status::Confirmed), true),
        (booking(Status::Canceled, None), false),
        (paid(Status::Canceled), true),
        (Booking { refunded: TOTAL, ..paid(Status::Canceled) }, false),
    ] {
        assert_eq!(matters(&of), expected, "{:?}", of.status);
    }
}
