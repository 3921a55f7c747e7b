//! Changes that wait until what they cost more is paid: nights, money and ends.

use crate::given::{HOUR, TOTAL, booking_id, command, now, paid, payment, property, state, stay};
use domain::booking::{Attempt, Cause, Illegal, MAX_TAKINGS, Step, Taking};
use domain::calendar::Claim;
use domain::command::Intent;
use domain::decide::Verdict;
use domain::group::JobKind;
use domain::policy::Policy;
use domain::state::State;
use domain::{Booking, Instant, Night, NightState, Status, Stay};
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(15 * 60);
const RELEASE: Duration = Duration::from_secs(2 * 60);

/// Three nights from the 10th on, confirmed and paid by payment 1.
fn confirmed() -> Booking {
    paid(Status::Confirmed)
}

fn home() -> State {
    state(property(), vec![confirmed()])
}

/// Decides and says what was written, with the booking after it.
fn done(state: &mut State, intent: Intent, at: Instant) -> (domain::group::Group, Booking) {
    match state.decide(&command(9, intent), 1, at) {
        Verdict::Write(group) => {
            let after = group.booking().expect("a booking").clone();
            (*group, after)
        }
        other => panic!("{other:?}"),
    }
}

fn change(state: &State, to: Stay) -> Intent {
    let seen = state.booking(booking_id(1)).map_or(0, |booking| booking.version);
    Intent::Change { booking: booking_id(1), seen, stay: to, guests: 2 }
}

fn start(number: u128) -> Intent {
    let (provider, method) = (Arc::from("sandbox"), Arc::<str>::from(""));
    let (booking, payment, return_url) = (booking_id(1), payment(number), Arc::clone(&method));
    Intent::StartAttempt { booking, payment, provider, method, return_url }
}

fn step(step: Step) -> Intent {
    Intent::Step { booking: booking_id(1), step }
}

fn pay(number: u128, amount: i64) -> Intent {
    step(Step::Pay { payment: payment(number), amount, currency: property().currency })
}

fn clock(state: &mut State, at: Instant) -> (Cause, Booking) {
    let group = state.enforce_deadline(1, at).expect("something to do");
    let domain::event::Fact::Booking(cause, after) = group.events[0].event.fact.clone() else {
        panic!("a step")
    };
    (cause, after)
}

fn nights(from: i32, to: i32) -> Vec<Night> {
    stay(from, to).each_night().collect()
}

fn looks(state: &State, from: i32, to: i32) -> String {
    let letter = |(_, claim): (Night, Claim)| char::from(claim.state().letter());
    state.calendar.claims(stay(from, to)).map(letter).collect()
}

#[test]
fn what_costs_more_keeps_the_old_nights_and_holds_the_new_ones() {
    let mut home = home();
    let wish = change(&home, stay(9, 15));
    let (group, after) = done(&mut home, wish, now());
    let request = after.request.as_deref().expect("a request");
    assert_eq!((after.status, after.stay, after.total), (Status::Confirmed, stay(10, 13), TOTAL));
    assert_eq!((after.due(), request.expires_at), (30_000, now().plus(PATIENCE)));
    assert_eq!(group.next_deadline, Some(request.expires_at));
    assert_eq!(group.claimed, [nights(9, 10), nights(13, 15)].concat());
    assert_eq!((group.released.len(), group.jobs.len()), (0, 0));
    assert_eq!(looks(&home, 8, 16), "ahbbbhha");
    let until = request.expires_at;
    let told: Vec<_> = group.events[0].event.changes.iter().map(|c| (c.from, c.state)).collect();
    let held = NightState::Held { until };
    assert_eq!(told, [(nights(9, 10)[0], held), (nights(13, 14)[0], held)]);
}

#[test]
fn the_payment_of_the_difference_takes_the_new_nights_and_leaves_the_old_in_one_turn() {
    let mut home = home();
    let wish = change(&home, stay(12, 17));
    done(&mut home, wish, now());
    let (group, _) = done(&mut home, start(2), now());
    assert_eq!(group.payment.map(|row| (row.payment, row.amount)), Some((payment(2), 20_000)));
    let (group, after) = done(&mut home, pay(2, 20_000), now());
    assert_eq!(group.events.len(), 1);
    assert_eq!((after.stay, after.total, after.paid), (stay(12, 17), 50_000, 50_000));
    assert_eq!((after.request, after.status), (None, Status::Confirmed));
    assert_eq!((after.check_in_at, after.check_out_at), property().hours(stay(12, 17)));
    assert_eq!((group.claimed, group.released), (Vec::new(), nights(10, 12)));
    assert_eq!(looks(&home, 9, 18), "aaabbbbba");
    let again = home.decide(&command(8, pay(2, 20_000)), 1, now());
    assert!(matches!(again, Verdict::Unchanged(_)), "a word that comes twice counts once");
}

#[test]
fn money_goes_back_to_the_payments_it_came_from_the_last_first() {
    let mut home = home();
    let wish = change(&home, stay(10, 15));
    done(&mut home, wish, now());
    done(&mut home, start(2), now());
    done(&mut home, pay(2, 20_000), now());
    let wish = change(&home, stay(10, 14));
    let (group, _) = done(&mut home, wish, now());
    let back = |group: &domain::group::Group| -> Vec<_> {
        group.jobs.iter().map(|job| (job.payment, job.kind)).collect()
    };
    assert_eq!(back(&group), [(payment(2), JobKind::Refund { amount: 10_000 })]);
    let (group, after) = done(&mut home, step(Step::Cancel { by_guest: false }), now());
    let rest = [
        (payment(2), JobKind::Refund { amount: 10_000 }),
        (payment(1), JobKind::Refund { amount: 30_000 }),
    ];
    assert_eq!(back(&group), rest);
    assert_ne!(group.jobs[0].id, group.jobs[1].id);
    assert_eq!((after.paid, after.refunded), (50_000, 50_000));
}

#[test]
fn its_deadline_drops_a_change_and_the_old_nights_stay() {
    let mut home = home();
    let wish = change(&home, stay(12, 17));
    done(&mut home, wish, now());
    let end = now().plus(PATIENCE);
    assert!(home.enforce_deadline(1, end.minus(Duration::from_micros(1))).is_none());
    let (cause, after) = clock(&mut home, end);
    assert_eq!((cause, after.request, after.stay), (Cause::ChangeDropped, None, stay(10, 13)));
    assert_eq!((after.status, after.total), (Status::Confirmed, TOTAL));
    assert_eq!(looks(&home, 9, 18), "abbbaaaaa");
    assert_eq!(home.next_deadline(), Some(after.check_out_at));
}

#[test]
fn an_open_attempt_keeps_the_nights_a_little_longer_and_no_more() {
    for word in [None, Some(true), Some(false)] {
        let mut home = home();
        let wish = change(&home, stay(12, 17));
        done(&mut home, wish, now());
        done(&mut home, start(2), now());
        let end = now().plus(PATIENCE);
        let (cause, releasing) = clock(&mut home, end);
        assert_eq!((cause, releasing.deadline()), (Cause::Releasing, Some(end.plus(RELEASE))));
        let refused = home.decide(&command(7, start(3)), 1, end);
        assert!(matches!(refused, Verdict::Unchanged(_)), "the attempt that is open");
        match word {
            // The provider says nothing, and what it says later finds no change to pay.
            None => {
                let (cause, _) = clock(&mut home, end.plus(RELEASE));
                assert_eq!(cause, Cause::ChangeDropped);
                let late = home.decide(&command(6, pay(2, 20_000)), 1, end.plus(RELEASE));
                let Verdict::Refused(refusal) = late else { panic!("{late:?}") };
                let illegal = Illegal::Status(Status::Confirmed);
                assert_eq!(refusal, domain::refusal::Refusal::Illegal(illegal));
            }
            Some(true) => {
                let (_, after) = done(&mut home, pay(2, 20_000), end);
                assert_eq!(after.stay, stay(12, 17));
            }
            Some(false) => {
                let ended = step(Step::EndAttempt { payment: payment(2) });
                let (_, after) = done(&mut home, ended, end);
                assert_eq!((after.request, after.stay), (None, stay(10, 13)));
            }
        }
    }
}

#[test]
fn a_failed_attempt_leaves_the_change_to_be_paid_by_another() {
    let mut home = home();
    let wish = change(&home, stay(10, 14));
    done(&mut home, wish, now());
    done(&mut home, start(2), now());
    let (_, after) = done(&mut home, step(Step::EndAttempt { payment: payment(2) }), now());
    assert!(after.request.is_some());
    let late = home.decide(&command(7, pay(2, 10_000)), 1, now());
    assert!(matches!(late, Verdict::Refused(_)), "{late:?}");
    done(&mut home, start(3), now());
    let wrong = home.decide(&command(6, pay(3, 10_001)), 1, now());
    assert!(matches!(wrong, Verdict::Refused(_)), "{wrong:?}");
    let (_, after) = done(&mut home, pay(3, 10_000), now());
    assert_eq!((after.stay, after.paid), (stay(10, 14), 40_000));
}

#[test]
fn one_wish_takes_the_place_of_another_and_buys_no_time() {
    let mut home = home();
    let wish = change(&home, stay(10, 16));
    done(&mut home, wish, now());
    let later = now().plus(Duration::from_secs(60));
    let wish = change(&home, stay(10, 14));
    let (_, after) = done(&mut home, wish.clone(), later);
    assert_eq!((after.due(), after.deadline()), (10_000, Some(now().plus(PATIENCE))));
    assert_eq!(looks(&home, 9, 18), "abbbhaaaa");
    let same = change(&home, stay(10, 14));
    assert!(matches!(home.decide(&command(7, same), 1, later), Verdict::Unchanged(_)));
    // What costs less needs nobody's payment and ends the wish.
    let wish = change(&home, stay(10, 12));
    let (_, after) = done(&mut home, wish, later);
    assert_eq!((after.request, after.refunded), (None, 10_000));
    assert_eq!(looks(&home, 9, 18), "abbaaaaaa");
}

#[test]
fn nobody_changes_what_is_being_paid() {
    let mut home = home();
    let wish = change(&home, stay(10, 16));
    done(&mut home, wish, now());
    done(&mut home, start(2), now());
    let other = change(&home, stay(10, 12));
    let Verdict::Refused(refusal) = home.decide(&command(7, other), 1, now()) else {
        panic!("a refusal")
    };
    assert_eq!(refusal, domain::refusal::Refusal::Illegal(Illegal::Paying));
}

#[test]
fn a_cancellation_ends_the_wish_and_gives_back_what_the_old_nights_cost() {
    let mut home = home();
    let wish = change(&home, stay(10, 16));
    done(&mut home, wish, now());
    done(&mut home, start(2), now());
    let (group, after) = done(&mut home, step(Step::Cancel { by_guest: true }), now());
    assert_eq!((after.request, after.refunded), (None, TOTAL));
    assert_eq!(group.released, nights(10, 16));
    let jobs: Vec<_> = group.jobs.iter().map(|job| (job.payment, job.kind)).collect();
    let refund = JobKind::Refund { amount: TOTAL };
    assert_eq!(jobs, [(payment(2), JobKind::CancelIntent), (payment(1), refund)]);
}

#[test]
fn a_wish_never_lives_beyond_the_moment_that_it_is_about() {
    let begins = |booking: &Booking| booking.check_in_at;
    // Before the stay: until the sooner of the two arrivals.
    let booking = confirmed();
    let mut home = state(property(), vec![booking.clone()]);
    let soon = begins(&booking).minus(Duration::from_secs(60));
    let wish = change(&home, stay(10, 16));
    let (_, after) = done(&mut home, wish, soon);
    assert_eq!(after.deadline(), Some(begins(&booking)));
    // From its first moment on it is a stay.
    let mut home = state(property(), vec![booking.clone()]);
    let wish = change(&home, stay(10, 16));
    let (_, after) = done(&mut home, wish, begins(&booking));
    assert_eq!(after.deadline(), Some(begins(&booking).plus(PATIENCE)));
    // During the stay: until it ends.
    let mut home = state(property(), vec![booking.clone()]);
    let last = booking.check_out_at.minus(Duration::from_secs(60));
    let wish = change(&home, stay(10, 16));
    let (_, after) = done(&mut home, wish, last);
    assert_eq!(after.deadline(), Some(booking.check_out_at));
    let (cause, after) = clock(&mut home, booking.check_out_at);
    assert_eq!((cause, after.status), (Cause::Completed, Status::Completed));
    assert_eq!((after.request, looks(&home, 9, 17)), (None, "abbbaaaa".to_owned()));
}

#[test]
fn a_preview_of_a_cancellation_does_what_the_clock_has_to_do_before() {
    let mut home = home();
    let wish = change(&home, stay(10, 16));
    let (_, after) = done(&mut home, wish, now());
    let canceled = after.if_canceled(true, now().plus(HOUR)).expect("a cancellation");
    assert_eq!((canceled.status, canceled.refunded), (Status::Canceled, TOTAL));
    let over = after.if_canceled(true, after.check_out_at);
    assert_eq!(over, Err(Illegal::Status(Status::Completed)));
}

#[test]
fn a_booking_has_so_many_payments_and_no_more() {
    let one = Taking { payment: payment(1), held: 0 };
    let takings = vec![one; MAX_TAKINGS];
    let many = Booking { takings, policy: Policy::Flexible, ..confirmed() };
    let home = |booking| state(property(), vec![booking]);
    let mut full = home(many.clone());
    let wish = change(&full, stay(10, 16));
    let Verdict::Refused(refusal) = full.decide(&command(7, wish), 1, now()) else {
        panic!("a refusal")
    };
    assert_eq!(refusal, domain::refusal::Refusal::Illegal(Illegal::MoreToPay));
    let mut room = home(Booking { takings: vec![one; MAX_TAKINGS - 1], ..many });
    let wish = change(&room, stay(10, 16));
    done(&mut room, wish, now());
}

#[test]
fn a_late_word_on_the_first_payment_changes_nothing_while_a_wish_waits() {
    let mut home = home();
    let wish = change(&home, stay(10, 16));
    let (_, after) = done(&mut home, wish, now());
    let word = home.decide(&command(7, pay(1, TOTAL)), 1, now());
    assert!(matches!(word, Verdict::Unchanged(_)), "{word:?}");
    let stranger = home.decide(&command(6, pay(5, 30_000)), 1, now());
    assert!(matches!(stranger, Verdict::Refused(_)), "nobody began this one");
    let attempt = Some(Attempt { payment: payment(1), live: false });
    assert_eq!(
        (after.attempt, after.step(Step::Decline, now())),
        (attempt, Err(Illegal::Status(Status::Confirmed)),)
    );
}

#[test]
fn the_payment_that_is_shown_is_the_one_under_way_else_the_last_that_was_taken() {
    let unpaid = Booking { takings: Vec::new(), paid: 0, ..confirmed() };
    assert_eq!(unpaid.payment(), Some(payment(1)), "the only attempt");
    assert_eq!(Booking { attempt: None, ..unpaid }.payment(), None);
    let second = |live| Some(Attempt { payment: payment(2), live });
    let trying = Booking { attempt: second(true), ..confirmed() };
    assert_eq!(trying.payment(), Some(payment(2)));
    let failed = Booking { attempt: second(false), ..confirmed() };
    assert_eq!(failed.payment(), Some(payment(1)));
}
