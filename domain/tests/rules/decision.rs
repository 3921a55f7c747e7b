//! What one command decides on a property's state.

use crate::given::{
    HOLD, HOUR, TICK, TOTAL, book, booking, booking_id, command, host, now, paid, payment,
    property, state, stay, stored, under_key, user,
};
use domain::booking::{Cause, Illegal, Step};
use domain::calendar::Change;
use domain::command::{Command, Intent};
use domain::decide::Verdict;
use domain::event::By;
use domain::group::{Group, JobKind};
use domain::keys::KEY_TTL;
use domain::policy::Policy;
use domain::quote::{QUOTE_TTL, Quote};
use domain::refusal::{Code, Refusal};
use domain::state::State;
use domain::{Awaiting, Booking, Fact, Instant, NightState, Price, Property, QuoteId, Status};
use std::sync::Arc;
use uuid::Uuid;

fn decide(state: &mut State, command: &Command, at: Instant) -> Verdict {
    state.decide(command, 1, at)
}

fn written(verdict: Verdict) -> Group {
    match verdict {
        Verdict::Write(group) => *group,
        other => panic!("nothing to write: {other:?}"),
    }
}

fn refused(verdict: Verdict) -> Refusal {
    match verdict {
        Verdict::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn step(number: u128, step: Step) -> Command {
    command(100 + number, Intent::Step { booking: booking_id(number), step })
}

/// The booking as the group leaves it.
fn after(group: &Group) -> &Booking {
    group.booking().expect("a booking's group")
}

fn cause(group: &Group) -> Cause {
    match group.events[0].event.fact {
        Fact::Booking(cause, _) => cause,
        _ => panic!("a booking's event"),
    }
}

fn held(until: Instant) -> Status {
    Status::Pending { awaiting: Awaiting::Payment, expires_at: until }
}

#[test]
fn a_booking_claims_its_nights_and_carries_its_price_and_deadline() {
    let mut state = state(property(), Vec::new());
    let group = written(decide(&mut state, &book(1, stay(10, 13)), now()));
    assert_eq!(after(&group).status, held(now().plus(HOLD)));
    assert_eq!((after(&group).total, after(&group).version), (TOTAL, 1));
    assert_eq!(group.claimed, stay(10, 13).each_night().collect::<Vec<_>>());
    let (from, to) = (stay(10, 13).check_in(), stay(10, 13).check_out());
    let told = &group.events[0].event;
    let held = NightState::Held { until: now().plus(HOLD) };
    assert_eq!(told.changes, [Change { from, to, state: held }]);
    let month = from.in_month().0;
    assert_eq!(told.digests, [(month, state.calendar.digest(month))]);
    assert!(group.released.is_empty() && group.jobs.is_empty() && group.key.is_none());
    assert_eq!(group.next_deadline, Some(now().plus(HOLD)));
    assert_eq!(group.head.seq, group.base.seq + 1);
    assert_eq!(group.rows(), 2 + 1 + 3);
}

#[test]
fn a_stay_that_costs_nothing_is_confirmed_at_once() {
    let mut state = state(Property { price_per_night: 0, ..property() }, Vec::new());
    let group = written(decide(&mut state, &book(1, stay(10, 13)), now()));
    assert_eq!((cause(&group), after(&group).status), (Cause::Confirmed, Status::Confirmed));
    assert_eq!((after(&group).total, group.jobs.len()), (0, 0));
}

#[test]
fn an_offer_is_the_price_of_what_could_be_booked_at_this_moment() {
    let mut state = state(property(), Vec::new());
    let price = state.offer(stay(10, 13), 2, now()).expect("an offer");
    assert_eq!(price.total(), TOTAL);
    written(decide(&mut state, &book(1, stay(10, 13)), now()));
    assert_eq!(state.offer(stay(12, 14), 2, now()), None);
    assert!(state.offer(stay(13, 14), 4, now()).is_some());
    assert_eq!(state.offer(stay(13, 14), 5, now()), None);
    // A hold whose time is over keeps nobody from it.
    assert!(state.offer(stay(12, 14), 2, now().plus(HOLD)).is_some());
}

#[test]
fn nobody_is_asked_for_money_where_none_is_due() {
    let free = Booking { total: 0, ..booking(held(now().plus(HOLD)), None) };
    let mut state = state(property(), vec![free]);
    let (provider, method) = (Arc::from("sandbox"), Arc::from("card"));
    let (booking, payment) = (booking_id(1), payment(7));
    let return_url = Arc::clone(&method);
    let start = Intent::StartAttempt { booking, payment, provider, method, return_url };
    let group = written(decide(&mut state, &command(2, start), now()));
    assert_eq!((cause(&group), after(&group).status), (Cause::Confirmed, Status::Confirmed));
    assert_eq!(group.payment, None);
}

#[test]
fn each_group_is_chained_to_the_one_before_it() {
    let mut state = state(property(), Vec::new());
    let first = written(decide(&mut state, &book(1, stay(10, 13)), now()));
    let second = written(decide(&mut state, &book(2, stay(13, 15)), now()));
    assert_eq!(second.base, first.head);
    assert_eq!(second.head.hash, first.head.hash.chain(&second.events[0].bytes));
}

#[test]
fn nights_that_are_taken_are_refused_and_a_check_out_day_is_not() {
    let taken = booking(held(now().plus(HOLD)), None);
    for (wanted, free) in
        [(stay(12, 14), false), (stay(9, 11), false), (stay(8, 10), true), (stay(13, 14), true)]
    {
        let mut state = state(property(), vec![taken.clone()]);
        let verdict = decide(&mut state, &book(2, wanted), now());
        assert_eq!(matches!(verdict, Verdict::Write(_)), free, "{wanted}");
    }
}

#[test]
fn an_overdue_hold_ends_in_a_group_of_its_own_before_its_nights_are_booked_again() {
    let overdue = booking(held(now()), None);
    let mut state = state(property(), vec![overdue]);
    assert_eq!(state.overdue(now().minus(TICK)), None);
    let end = state.enforce_deadline(1, now()).expect("the hold is over");
    assert_eq!((cause(&end), end.events[0].event.by), (Cause::Expired, By::Clock));
    assert_eq!(end.released, stay(10, 13).each_night().collect::<Vec<_>>());
    assert!(state.enforce_deadline(1, now()).is_none());
    let again = written(decide(&mut state, &book(2, stay(10, 13)), now()));
    assert_eq!(again.base, end.head);
}

#[test]
fn a_late_payment_confirms_only_what_is_still_free() {
    let expired = booking(Status::Expired, Some((1, true)));
    let late = step(1, pay(1));
    let mut free = state(property(), vec![expired.clone()]);
    let group = written(decide(&mut free, &late, now()));
    assert_eq!((cause(&group), after(&group).status), (Cause::Reclaimed, Status::Confirmed));
    assert_eq!(group.claimed.len(), 3);

    let other = Booking { id: booking_id(2), ..booking(held(now().plus(HOLD)), None) };
    let mut taken = state(property(), vec![expired, other]);
    let refusal = refused(decide(&mut taken, &late, now()));
    assert_eq!(refusal, Refusal::Illegal(Illegal::Status(Status::Expired)));
    // A hold that is over is in nobody's way.
    assert!(matches!(decide(&mut taken, &late, now().plus(HOLD)), Verdict::Write(_)));
}

fn pay(number: u128) -> Step {
    let currency = "USD".parse().expect("a currency");
    Step::Pay { payment: payment(number), amount: TOTAL, currency }
}

#[test]
fn a_late_payment_does_not_confirm_what_its_host_never_accepted() {
    let asked = Status::Pending { awaiting: Awaiting::Host, expires_at: now() };
    let mut state = state(property(), vec![booking(asked, Some((1, true)))]);
    let end = state.enforce_deadline(1, now()).expect("the host did not answer");
    let jobs: Vec<_> = end.jobs.iter().map(|job| (job.kind, job.payment)).collect();
    assert_eq!(jobs, [(JobKind::CancelIntent, payment(1))]);
    let refusal = refused(decide(&mut state, &step(1, pay(1)), now()));
    assert_eq!(refusal, Refusal::UnknownBooking);
}

#[test]
fn nobody_pays_twice_for_one_booking() {
    let asked = Status::Pending { awaiting: Awaiting::Host, expires_at: now().plus(HOUR) };
    let paid = paid(asked);
    let mut state = state(property(), vec![paid]);
    let refusal = refused(decide(&mut state, &step(1, pay(2)), now()));
    assert_eq!(refusal, Refusal::Illegal(Illegal::Status(asked)));
    assert!(matches!(decide(&mut state, &step(1, pay(1)), now()), Verdict::Unchanged(_)));
}

#[test]
fn each_step_causes_the_work_that_follows_from_it() {
    let later = now().plus(HOLD);
    let asked = Status::Pending { awaiting: Awaiting::Host, expires_at: later };
    let refund = JobKind::Refund { amount: TOTAL };
    let cancel = Step::Cancel { by_guest: true };
    for (before, step, kinds) in [
        (booking(held(later), None), cancel, vec![]),
        (booking(held(later), Some((1, true))), cancel, vec![JobKind::CancelIntent]),
        (booking(held(later), Some((1, false))), cancel, vec![]),
        (paid(Status::Confirmed), cancel, vec![refund]),
        (paid(asked), Step::Decline, vec![refund]),
        (paid(asked), cancel, vec![refund]),
        (booking(asked, Some((1, true))), Step::Decline, vec![JobKind::CancelIntent]),
        (booking(held(later), Some((1, true))), pay(1), vec![JobKind::Capture]),
        // An attempt that is open while another one is paid is not wanted any more.
        (
            booking(held(later), Some((2, true))),
            pay(1),
            vec![JobKind::Capture, JobKind::CancelIntent],
        ),
    ] {
        let mut state = state(property(), vec![before.clone()]);
        let group = written(decide(&mut state, &self::step(1, step), now()));
        let found: Vec<_> = group.jobs.iter().map(|job| job.kind).collect();
        assert_eq!(found, kinds, "{step:?} on {before:?}");
    }
}

#[test]
fn an_attempt_is_written_with_the_work_of_asking_for_the_money() {
    let mut state = state(property(), vec![booking(held(now().plus(HOLD)), None)]);
    let (provider, method) = (Arc::from("sandbox"), Arc::from("card"));
    let start = Intent::StartAttempt {
        booking: booking_id(1),
        payment: payment(7),
        provider: Arc::clone(&provider),
        method: Arc::clone(&method),
        return_url: Arc::from("https://here.example/"),
    };
    let group = written(decide(&mut state, &command(2, start), now()));
    let row = group.payment.expect("a row for the payment");
    assert_eq!((row.payment, row.amount, row.provider), (payment(7), TOTAL, provider));
    assert_eq!((row.method, row.booking, row.created_at), (method, booking_id(1), now()));
    assert_eq!(&*row.return_url, "https://here.example/");
    assert_eq!(group.jobs[0].kind, JobKind::CreateIntent);
    assert!(group.claimed.is_empty() && group.released.is_empty());
}

#[test]
fn a_key_answers_the_same_request_again_and_no_other() {
    let mut state = state(property(), Vec::new());
    let first = under_key(book(1, stay(10, 13)), "key", 1);
    let group = written(decide(&mut state, &first, now()));
    assert_eq!(group.key.as_ref().map(|used| used.seq), Some(group.head.seq));

    let again = under_key(book(2, stay(10, 13)), "key", 1);
    let Verdict::Replay { booking, seq } = decide(&mut state, &again, now()) else {
        panic!("the key is known")
    };
    assert_eq!((booking, seq), (booking_id(1), group.head.seq));
    let other = under_key(book(3, stay(20, 21)), "key", 2);
    assert_eq!(refused(decide(&mut state, &other, now())), Refusal::KeyReused);
    let stranger =
        Command { key: other.key.map(|k| domain::command::Key { caller: user(9), ..k }), ..other };
    assert!(matches!(decide(&mut state, &stranger, now()), Verdict::Write(_)));
}

#[test]
fn a_key_is_remembered_for_a_day_wherever_it_was_loaded() {
    let mut first = state(property(), Vec::new());
    let command = under_key(book(1, stay(10, 13)), "key", 1);
    let used = written(decide(&mut first, &command, now())).key.expect("a key");
    let mut stored = stored(property(), Vec::new());
    stored.keys.push(used);
    for (at, known) in
        [(now(), true), (now().plus(KEY_TTL), true), (now().plus(KEY_TTL).plus(TICK), false)]
    {
        let mut state = State::load(stored.clone(), crate::given::settings());
        let replayed = matches!(decide(&mut state, &command, at), Verdict::Replay { .. });
        assert_eq!(replayed, known, "{at}");
    }
}

#[test]
fn a_booking_that_is_there_already_is_not_made_again() {
    let mut state = state(property(), Vec::new());
    let made = written(decide(&mut state, &book(1, stay(10, 13)), now()));
    let Verdict::Unchanged(found) = decide(&mut state, &book(1, stay(10, 13)), now()) else {
        panic!("it is there")
    };
    assert_eq!(Some(&*found), made.booking());
}

#[test]
fn a_host_cannot_be_their_own_guest() {
    let mut state = state(property(), Vec::new());
    let intent = Intent::Book {
        booking: booking_id(1),
        guest: host(),
        stay: stay(10, 13),
        guests: 1,
        quote: None,
        no_room: None,
        offline: false,
    };
    assert_eq!(refused(decide(&mut state, &command(1, intent), now())), Refusal::OwnProperty);
}

#[test]
fn what_is_settled_outside_stands_at_once_and_no_money_of_ours_moves() {
    let by_request = Property { instant_book: false, ..property() };
    for property in [property(), by_request] {
        let mut state = state(property, Vec::new());
        let mut wish = book(1, stay(10, 13));
        if let Intent::Book { guest, offline, .. } = &mut wish.intent {
            (*guest, *offline) = (host(), true);
        }
        let group = written(decide(&mut state, &wish, now()));
        let made = after(&group).clone();
        assert_eq!((cause(&group), made.status), (Cause::Confirmed, Status::Confirmed));
        assert_eq!((made.offline, made.total, made.paid), (true, TOTAL, 0));
        assert_eq!((made.guest, made.confirmed_at), (host(), Some(now())));
        let (provider, method) = (Arc::from("sandbox"), Arc::from(""));
        let (booking, payment) = (made.id, payment(1));
        let return_url = Arc::clone(&method);
        let pay = Intent::StartAttempt { booking, payment, provider, method, return_url };
        let answer = refused(decide(&mut state, &command(2, pay), now()));
        assert_eq!(answer, Refusal::Illegal(Illegal::Offline));
        for (seen, to, total) in [(1, 15, 50_000), (2, 11, 10_000)] {
            let intent = Intent::Change { booking, seen, stay: stay(10, to), guests: 2 };
            let group = written(decide(&mut state, &command(3, intent), now()));
            let changed = after(&group);
            assert_eq!((changed.status, changed.total), (Status::Confirmed, total));
            assert_eq!((changed.paid, changed.refunded, group.jobs.len()), (0, 0, 0));
        }
        let give_up = Intent::CancelAsHost { booking, reopen: true };
        let group = written(decide(&mut state, &command(4, give_up), now()));
        assert_eq!((after(&group).refunded, group.jobs.len()), (0, 0));
        assert_eq!(group.released, stay(10, 11).each_night().collect::<Vec<_>>());
    }
}

#[test]
fn what_a_property_never_had_or_has_forgotten_is_unknown() {
    let canceled = booking(Status::Canceled, Some((1, false)));
    let mut state = state(property(), vec![canceled]);
    for number in [1, 2] {
        let cancel = step(number, Step::Cancel { by_guest: true });
        assert_eq!(refused(decide(&mut state, &cancel, now())), Refusal::UnknownBooking);
    }
}

#[test]
fn a_request_waits_for_its_host_a_day_or_until_check_in() {
    let by_request = Property { instant_book: false, ..property() };
    for (wanted, until) in
        [(stay(10, 13), now().plus(24 * HOUR)), (stay(1, 2), by_request.hours(stay(1, 2)).0)]
    {
        let mut state = state(by_request.clone(), Vec::new());
        let group = written(decide(&mut state, &book(1, wanted), now()));
        let expected = Status::Pending { awaiting: Awaiting::Host, expires_at: until };
        assert_eq!(after(&group).status, expected);
    }
}

#[test]
fn a_refusal_names_its_reasons_and_what_would_work() {
    let mut state = state(property(), vec![booking(held(now().plus(HOLD)), None)]);
    let refusal = refused(decide(&mut state, &book(2, stay(12, 14)), now()));
    let Refusal::Unavailable { reasons, alternatives } = refusal else { panic!("{refusal:?}") };
    assert_eq!(reasons[0].code, Code::UnavailableHeld);
    assert_eq!(reasons[0].nights, [stay(12, 13).check_in()]);
    assert_eq!(alternatives, [stay(13, 15), stay(14, 16), stay(15, 17)]);
}

#[test]
fn a_quote_is_honoured_while_it_lives_and_for_its_own_stay() {
    assert_eq!(QUOTE_TTL, HOLD, "a quarter of an hour, as a hold");
    let quote = Quote {
        id: QuoteId(Uuid::from_u128(0x9)),
        stay: stay(10, 13),
        guests: 2,
        price: Price::even(stay(10, 13), 12_345),
        currency: "EUR".parse().expect("a currency"),
        policy: Policy::Strict,
        expires_at: now().plus(HOLD),
    };
    let on = |stay, guests, at| {
        let (booking, guest) = (booking_id(1), user(1));
        let quote = Some(Arc::new(quote.clone()));
        let intent =
            Intent::Book { booking, guest, stay, guests, quote, no_room: None, offline: false };
        state(property(), Vec::new()).decide(&command(1, intent), 1, at)
    };
    let just_before = now().plus(HOLD).minus(TICK);
    let Verdict::Write(group) = on(stay(10, 13), 2, just_before) else { panic!("a booking") };
    let made = after(&group);
    assert_eq!((made.total, made.quote, made.policy), (12_345, Some(quote.id), Policy::Strict));
    assert_eq!((made.currency, &made.price), (quote.currency, &quote.price));
    for (stay, guests, at) in
        [(stay(10, 13), 2, now().plus(HOLD)), (stay(10, 14), 2, now()), (stay(10, 13), 3, now())]
    {
        let verdict = on(stay, guests, at);
        assert!(matches!(verdict, Verdict::Refused(Refusal::QuoteExpired)), "{verdict:?}");
    }
}

#[test]
fn every_step_causes_the_work_that_the_table_says() {
    use domain::booking::Attempt;
    let expires_at = now().plus(HOLD);
    let waits = |awaiting| Status::Pending { awaiting, expires_at };
    let attempt = |live| Some(Attempt { payment: payment(1), live });
    let pays = |status, live| Booking { attempt: attempt(live), ..booking(status, None) };
    let step = |step| Intent::Step { booking: booking_id(1), step };
    let cancel = |by_guest| step(Step::Cancel { by_guest });
    let (call_off, give_back) = (JobKind::CancelIntent, JobKind::Refund { amount: TOTAL });
    let (payment_, host_, release) = (Awaiting::Payment, Awaiting::Host, Awaiting::Release);
    for (before, intent, expected) in [
        (booking(waits(payment_), None), cancel(true), vec![]),
        (pays(waits(payment_), true), cancel(true), vec![call_off]),
        (pays(waits(payment_), false), cancel(true), vec![]),
        (pays(waits(host_), true), step(Step::Decline), vec![call_off]),
        (paid(waits(host_)), step(Step::Decline), vec![give_back]),
        (paid(Status::Confirmed), cancel(true), vec![give_back]),
        // It was called off when its time was over.
        (pays(waits(release), true), cancel(true), vec![]),
    ] {
        let mut state = state(property(), vec![before]);
        let group = written(decide(&mut state, &command(1, intent), now()));
        let jobs: Vec<JobKind> = group.jobs.iter().map(|job| job.kind).collect();
        assert_eq!(jobs, expected, "{:?}", after(&group));
        assert!(group.jobs.iter().all(|job| job.payment == payment(1) && job.run_at == now()));
    }
    for (before, expected) in [
        (booking(waits(payment_), None), vec![]),
        (pays(waits(payment_), true), vec![call_off]),
        (pays(waits(payment_), false), vec![]),
        // A late payment may still bring this one back, so its attempt stays open.
        (pays(waits(release), true), vec![]),
        // This one never: its host did not agree.
        (pays(waits(host_), true), vec![call_off]),
        (paid(waits(host_)), vec![give_back]),
        (paid(Status::Confirmed), vec![]),
    ] {
        let at = if before.status == Status::Confirmed { before.check_out_at } else { expires_at };
        let mut state = state(property(), vec![before]);
        let group = state.enforce_deadline(1, at).expect("a deadline");
        let jobs: Vec<JobKind> = group.jobs.iter().map(|job| job.kind).collect();
        assert_eq!(jobs, expected, "{:?}", after(&group));
    }
}

#[test]
fn keys_are_forgotten_when_a_day_is_over_and_others_come() {
    assert_eq!(KEY_TTL, std::time::Duration::from_secs(86_400));
    let mut state = state(property(), Vec::new());
    let at = |hours: u32| now().plus(hours * HOUR);
    let keyed = |number: u128, day: i32| {
        under_key(book(number, stay(day, day + 1)), &format!("k{number}"), 1)
    };
    let known = |state: &State, number: u128| {
        state.key(user(1), &Arc::from(format!("k{number}").as_str())).is_some()
    };
    written(decide(&mut state, &keyed(1, 10), at(0)));
    written(decide(&mut state, &keyed(2, 12), at(24)));
    assert!(known(&state, 1), "exactly a day is not more than a day");
    written(decide(&mut state, &keyed(3, 14), at(25)));
    assert!(!known(&state, 1) && known(&state, 2));
}
