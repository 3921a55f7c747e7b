//! The checker on histories written by hand: what is certain is an overlap, what is merely possible
//! is a cause, and the borders between them.

use jiff::civil::date;
use loadtest::history::{
    Accepted, Answer, Attempt, Deed, History, List, Listed, Outcome, Refusal, Status,
};
use loadtest::{Findings, Nights, Stay, Violation, check};
use uuid::Uuid;

const PROPERTY: Uuid = Uuid::from_u128(77);

/// An attempt of three nights from `day` of December on, sent and answered at the given instants.
fn attempt(day: i8, sent: u64, answered: u64, answer: Answer) -> Attempt {
    let stay = Stay::new(date(2026, 12, day), 3).expect("three nights");
    let (property, client, intended, first_sent, last_sent) = (0, 0, sent, sent, sent);
    Attempt { property, client, stay, intended, first_sent, last_sent, answered, answer }
}

fn accepted(id: u128, cancel: Option<Deed>) -> Answer {
    let (id, faithful, hold) = (Uuid::from_u128(id), true, Some(1_000_000));
    Answer::Accepted(Box::new(Accepted { id, faithful, hold, payment: None, cancel }))
}

fn deed(first_sent: u64, ended: u64, outcome: Outcome) -> Option<Deed> {
    Some(Deed { first_sent, ended, outcome })
}

fn canceled(first_sent: u64, ended: u64) -> Option<Deed> {
    deed(first_sent, ended, Outcome::Done)
}

/// A refusal that names the nights at these positions of its stay.
fn refused(positions: &[u16]) -> Answer {
    let mut named = Nights::default();
    positions.iter().for_each(|&position| named.insert(position));
    Answer::Refused(Refusal { named, ..Refusal::default() })
}

fn judge(attempts: &[Attempt]) -> Findings {
    let attempts = attempts.to_vec();
    check(&History { properties: vec![PROPERTY], attempts, lists: Vec::new() })
}

#[test]
fn two_bookings_whose_certain_lives_meet_are_one_overlap() {
    let findings = judge(&[
        attempt(1, 0, 10, accepted(1, None)),
        attempt(2, 20, 30, accepted(2, canceled(31, 40))),
        attempt(4, 20, 30, accepted(3, canceled(31, 40))),
    ]);
    assert_eq!(findings.count(Violation::Overlap), 2, "{findings}");
    assert!(findings.first()[0].contains("2026-12-02 was booked twice"), "{findings}");
}

#[test]
fn a_cancel_on_its_way_when_the_next_booking_is_answered_is_no_overlap() {
    let findings = judge(&[
        attempt(1, 0, 10, accepted(1, canceled(25, 50))),
        attempt(1, 20, 30, accepted(2, None)),
    ]);
    assert!(findings.is_empty(), "{findings}");
}

#[test]
fn a_booking_that_was_not_paid_is_certain_only_while_it_is_held() {
    let late = 1_000_000;
    let findings = judge(&[
        attempt(1, 0, 10, accepted(1, None)),
        attempt(1, late, late + 9, accepted(2, None)),
    ]);
    assert!(findings.is_empty(), "{findings}");
    let mut paid = attempt(1, 0, 10, accepted(1, None));
    if let Answer::Accepted(accepted) = &mut paid.answer {
        accepted.payment = deed(11, 12, Outcome::Done);
    }
    let findings = judge(&[paid, attempt(1, late, late + 9, accepted(2, None))]);
    assert_eq!(findings.count(Violation::Overlap), 1, "{findings}");
}

#[test]
fn a_refusal_needs_a_possible_booking_on_a_named_night_while_it_was_judged() {
    let booking = || attempt(1, 100, 110, accepted(1, canceled(200, 210)));
    for (sent, answered, positions, expected) in [
        (90, 99, &[0u16][..], Some(Violation::RefusalWithoutCause)),
        (90, 100, &[0], None),
        (210, 220, &[0], None),
        (211, 220, &[0], Some(Violation::RefusalWithoutCause)),
        (120, 130, &[], Some(Violation::RefusalWithoutCause)),
        (120, 130, &[0, 1, 2], None),
    ] {
        let findings = judge(&[booking(), attempt(1, sent, answered, refused(positions))]);
        let found = expected.map_or(0, |violation| findings.count(violation));
        assert_eq!(found, u64::from(expected.is_some()), "{sent}: {findings}");
        assert_eq!(findings.is_empty(), expected.is_none(), "{sent}: {findings}");
    }
    // The booking ends where this stay's second night begins.
    let findings = judge(&[booking(), attempt(3, 120, 130, refused(&[0, 1]))]);
    assert_eq!(findings.count(Violation::FreeNightNamed), 1, "{findings}");
}

#[test]
fn a_request_without_an_answer_is_a_cause_for_ever_and_never_an_overlap() {
    let findings = judge(&[
        attempt(1, 0, 10, Answer::Unknown(None)),
        attempt(1, 5_000, 5_010, refused(&[1])),
        attempt(1, 6_000, 6_010, accepted(2, None)),
    ]);
    assert!(findings.is_empty(), "{findings}");
}

#[test]
fn only_the_last_try_of_a_repeated_request_was_refused() {
    let mut repeated = attempt(1, 0, 120, refused(&[0]));
    repeated.last_sent = 100;
    let booking = attempt(1, 10, 20, accepted(1, canceled(30, 40)));
    let findings = judge(&[booking, repeated]);
    assert_eq!(findings.count(Violation::RefusalWithoutCause), 1, "{findings}");
}

#[test]
fn deeds_that_the_server_did_not_do_are_found() {
    let mut unpaid = attempt(1, 0, 10, accepted(1, deed(20, 30, Outcome::Rejected(409))));
    if let Answer::Accepted(accepted) = &mut unpaid.answer {
        accepted.payment = deed(11, 12, Outcome::Rejected(402));
        accepted.faithful = false;
    }
    let failed = accepted(2, deed(20, 30, Outcome::Unknown(Some(500))));
    let unanswered = accepted(3, deed(20, 30, Outcome::Unknown(None)));
    let findings = judge(&[
        unpaid,
        attempt(5, 0, 10, failed),
        attempt(9, 0, 10, unanswered),
        attempt(13, 0, 10, Answer::Unknown(Some(201))),
    ]);
    assert_eq!(findings.count(Violation::PaymentFailed), 1, "{findings}");
    assert_eq!(findings.count(Violation::CancelFailed), 2, "{findings}");
    assert_eq!(findings.count(Violation::WrongBooking), 2, "{findings}");
}

/// What a list that was read long after everything says about one attempt.
fn judge_list(attempt: Attempt, listed: &[(u128, i8, Status)]) -> Findings {
    let bookings = listed.iter().map(|(id, day, status)| {
        let check_in = date(2026, 12, *day);
        let check_out = date(2026, 12, *day + 3);
        let (id, status) = (Uuid::from_u128(*id), status.clone());
        Listed { id, property: PROPERTY, check_in, check_out, status }
    });
    let list = List { client: 0, read_to: 500_000, bookings: bookings.collect() };
    let (properties, attempts, lists) = (vec![PROPERTY], vec![attempt], vec![list]);
    check(&History { properties, attempts, lists })
}

#[test]
fn a_list_has_every_booking_with_a_status_that_follows_from_what_was_done() {
    let done = Outcome::Done;
    let unknown = Outcome::Unknown(None);
    for (payment, cancel, status, good) in [
        (None, None, Status::Pending, true),
        (None, None, Status::Confirmed, false),
        (None, None, Status::Expired, false),
        (Some(done), None, Status::Confirmed, true),
        (Some(done), None, Status::Pending, false),
        (Some(unknown), None, Status::Pending, true),
        (Some(unknown), None, Status::Confirmed, true),
        (Some(done), Some(done), Status::Canceled, true),
        (Some(done), Some(done), Status::Confirmed, false),
        (Some(done), Some(unknown), Status::Confirmed, true),
        (Some(done), Some(unknown), Status::Canceled, true),
        (None, None, Status::Other("DECLINED".into()), false),
    ] {
        let mut attempt = attempt(1, 0, 10, accepted(1, None));
        if let Answer::Accepted(accepted) = &mut attempt.answer {
            accepted.payment = payment.and_then(|outcome| deed(11, 12, outcome));
            accepted.cancel = cancel.and_then(|outcome| deed(13, 14, outcome));
        }
        let findings = judge_list(attempt, &[(1, 1, status.clone())]);
        assert_eq!(findings.is_empty(), good, "{payment:?} {cancel:?} {status:?}: {findings}");
    }
}

#[test]
fn a_hold_may_have_expired_once_its_time_was_over() {
    let mut attempt = attempt(1, 0, 10, accepted(1, None));
    if let Answer::Accepted(accepted) = &mut attempt.answer {
        accepted.hold = Some(500_000);
    }
    assert!(judge_list(attempt, &[(1, 1, Status::Expired)]).is_empty());
}

#[test]
fn a_listed_booking_is_an_acknowledged_or_an_unanswered_one() {
    let answered = || attempt(1, 0, 10, accepted(1, None));
    let unanswered = || attempt(1, 0, 10, Answer::Unknown(None));
    let pending = Status::Pending;
    for (attempt, listed, expected) in [
        (answered(), vec![], Some(Violation::BookingLost)),
        (answered(), vec![(1, 2, pending.clone())], Some(Violation::BookingChanged)),
        (
            answered(),
            vec![(1, 1, pending.clone()), (2, 9, pending.clone())],
            Some(Violation::PhantomBooking),
        ),
        (unanswered(), vec![], None),
        (unanswered(), vec![(5, 1, pending.clone())], None),
        (unanswered(), vec![(5, 4, pending.clone())], Some(Violation::PhantomBooking)),
    ] {
        let findings = judge_list(attempt, &listed);
        let found = expected.map_or(0, |violation| findings.count(violation));
        assert_eq!(found, u64::from(expected.is_some()), "{listed:?}: {findings}");
        assert_eq!(findings.is_empty(), expected.is_none(), "{listed:?}: {findings}");
    }
}

#[test]
fn two_listed_bookings_on_one_night_are_an_overlap_whatever_was_answered() {
    let unanswered = attempt(1, 0, 10, Answer::Unknown(None));
    let listed = [(5, 1, Status::Pending), (6, 3, Status::Confirmed)];
    let findings = judge_list(unanswered, &listed);
    assert_eq!(findings.count(Violation::Overlap), 1, "{findings}");
    assert!(findings.first().iter().any(|words| words.contains("2026-12-03")), "{findings}");
}
