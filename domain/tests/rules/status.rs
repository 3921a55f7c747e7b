//! Every status with everything that can be asked of a booking, as one table (`status.txt`): what it
//! does not name there is what the status does not allow.

use crate::change::changed;
use crate::given::{HOLD, HOUR, TICK, TOTAL, booking, now, paid, payment, property, stay};
use domain::booking::{Attempt, Change, Illegal, MAX_GOODWILL, Request, Step, Stepped, Taking};
use domain::policy::Policy;
use domain::price::{Basis, Kind, Line};
use domain::status::StatusName;
use domain::{Awaiting, Booking, Instant, Night, Price, Status, Stay};
use proptest::prelude::*;
use std::time::Duration;

const RELEASE: Duration = Duration::from_secs(120);

/// A row of the table: a name and the booking it stands for. `live` and `dead` tell of the attempt
/// to pay, `paid` of a request that was paid before its host answered, `back` of money that was
/// paid and went back, and `free` of a stay that cost nothing.
fn rows() -> Vec<(&'static str, Booking)> {
    let expires_at = now().plus(HOLD);
    let pending = |awaiting| Status::Pending { awaiting, expires_at };
    let back = |status| {
        let takings = vec![Taking { payment: payment(1), held: 0 }];
        Booking { refunded: TOTAL, takings, ..paid(status) }
    };
    let free_of = Price::even(stay(10, 13), 0);
    let free = |status| Booking { total: 0, price: free_of.clone(), ..booking(status, None) };
    let free_from = crate::given::night("2026-12-11");
    vec![
        ("payment", booking(pending(Awaiting::Payment), None)),
        ("payment live", booking(pending(Awaiting::Payment), Some((1, true)))),
        ("payment dead", booking(pending(Awaiting::Payment), Some((1, false)))),
        ("host", booking(pending(Awaiting::Host), None)),
        ("host live", booking(pending(Awaiting::Host), Some((1, true)))),
        ("host dead", booking(pending(Awaiting::Host), Some((1, false)))),
        ("host paid", paid(pending(Awaiting::Host))),
        ("release live", booking(pending(Awaiting::Release), Some((1, true)))),
        ("confirmed", paid(Status::Confirmed)),
        ("confirmed asks", asks(false)),
        ("confirmed asks live", asks(true)),
        ("offline", Booking { offline: true, ..booking(Status::Confirmed, None) }),
        ("confirmed free", free(Status::Confirmed)),
        ("completed", paid(Status::Completed)),
        ("canceled", booking(Status::Canceled, Some((1, false)))),
        ("canceled live", booking(Status::Canceled, Some((1, true)))),
        ("canceled paid", paid(Status::Canceled)),
        ("canceled back", back(Status::Canceled)),
        ("declined", booking(Status::Declined, Some((1, false)))),
        ("declined live", booking(Status::Declined, Some((1, true)))),
        ("declined back", back(Status::Declined)),
        ("expired", booking(Status::Expired, None)),
        ("expired live", booking(Status::Expired, Some((1, true)))),
        ("expired dead", booking(Status::Expired, Some((1, false)))),
        ("expired back", back(Status::Expired)),
        ("no_show", paid(Status::NoShow { free_from })),
        ("no_show back", back(Status::NoShow { free_from })),
    ]
}

/// A confirmed booking that asks for as many nights again, until the common deadline.
fn asks(live: bool) -> Booking {
    let (stay, property) = (stay(10, 16), property());
    let price = Price::even(stay, 2 * TOTAL);
    let change = Change { stay, guests: 2, price, hours: property.hours(stay) };
    let request = Request { change, expires_at: now().plus(HOLD), releasing: false };
    let attempt = live.then_some(Attempt { payment: payment(2), live });
    let confirmed = paid(Status::Confirmed);
    let attempt = attempt.or(confirmed.attempt);
    Booking { request: Some(Box::new(request)), attempt, ..confirmed }
}

/// What is asked of a booking.
enum Wish {
    Step(Step),
    /// Other dates or guests.
    Change(Stay, u16),
}

impl Wish {
    fn of(&self, booking: Booking, at: Instant) -> Result<Stepped, Illegal> {
        match self {
            Self::Step(step) => booking.step(*step, at),
            Self::Change(stay, guests) => changed(booking, *stay, *guests, at),
        }
    }
}

/// A column: its name, the moment and what is asked.
fn columns() -> Vec<(&'static str, Instant, Wish)> {
    let currency = |code: &str| code.parse().expect("a currency");
    let (usd, kes) = (currency("USD"), currency("KES"));
    let pay = |number, amount, currency| Step::Pay { payment: payment(number), amount, currency };
    let start = Step::StartAttempt { payment: payment(2) };
    let refund = |number, amount| Step::Refund { payment: payment(number), amount };
    let lose = |number| Step::LosePayment { payment: payment(number) };
    let first = booking(Status::Confirmed, None);
    let (check_in, check_out) = (first.check_in_at, first.check_out_at);
    let no_show = Step::NoShow { today: crate::given::night("2026-12-10"), waive: false };
    let waived = Step::NoShow { today: crate::given::night("2026-12-10"), waive: true };
    let deadline = Step::Deadline { release: RELEASE };
    let steps = [
        ("start", now(), start),
        ("end", now(), Step::EndAttempt { payment: payment(1) }),
        ("end other", now(), Step::EndAttempt { payment: payment(2) }),
        ("pay", now(), pay(1, TOTAL, usd)),
        ("pay other", now(), pay(2, TOTAL, usd)),
        ("pay less", now(), pay(1, TOTAL - 1, usd)),
        ("pay in kes", now(), pay(1, TOTAL, kes)),
        ("pay at check-in", check_in, pay(1, TOTAL, usd)),
        ("accept", now(), Step::Accept { pay_by: now().plus(HOUR) }),
        ("accept at deadline", now().plus(HOLD), Step::Accept { pay_by: now().plus(HOUR) }),
        ("decline", now(), Step::Decline),
        ("cancel", now(), Step::Cancel { by_guest: true }),
        ("cancel by host", now(), Step::Cancel { by_guest: false }),
        ("just before deadline", now().plus(HOLD).minus(TICK), deadline),
        ("at deadline", now().plus(HOLD), deadline),
        ("at check-out", check_out, deadline),
        ("no_show early", check_in.minus(TICK), no_show),
        ("no_show", check_in, no_show),
        ("no_show waived", check_in, waived),
        ("no_show after two days", check_in.plus(48 * HOUR), no_show),
        ("refund a part", now(), refund(1, TOTAL - 1)),
        ("refund all", now(), refund(1, TOTAL)),
        ("refund more", now(), refund(1, TOTAL + 1)),
        ("refund nothing", now(), refund(1, 0)),
        ("refund of another", now(), refund(2, 1)),
        ("lose", now(), lose(1)),
        ("lose at check-in", check_in, lose(1)),
        ("lose another", now(), lose(2)),
    ];
    let steps = steps.map(|(name, at, step)| (name, at, Wish::Step(step)));
    let changes = [
        ("change nothing", now(), Wish::Change(first.stay, first.guests)),
        ("change guests", now(), Wish::Change(first.stay, first.guests + 1)),
        ("change to less", now(), Wish::Change(stay(10, 12), 2)),
        ("change to more", now(), Wish::Change(stay(10, 14), 2)),
        ("change at check-in", check_in, Wish::Change(stay(10, 12), 2)),
        ("change of arrival at check-in", check_in, Wish::Change(stay(11, 13), 2)),
    ];
    steps.into_iter().chain(changes).collect()
}

/// What a cell says: the cause and the booking afterwards, `same` for a step that had been taken,
/// or why not: `-` for a status that does not allow it, or a word of the reason.
fn cell(before: &Booking, wish: &Wish, at: Instant) -> String {
    match wish.of(before.clone(), at) {
        Ok(Stepped::To(cause, after)) => {
            assert_eq!(after.version, before.version + 1);
            format!("{} > {}", cause.name(), name(&after))
        }
        Ok(Stepped::Already(after)) => {
            assert_eq!(after, *before);
            "same".to_owned()
        }
        Err(Illegal::Status(status)) => {
            assert_eq!(status, before.status);
            "-".to_owned()
        }
        Err(Illegal::AmountMismatch) => "amount".to_owned(),
        Err(Illegal::Time) => "time".to_owned(),
        Err(Illegal::Offline) => "offline".to_owned(),
        Err(Illegal::Paying) => "paying".to_owned(),
        Err(Illegal::MoreToPay) => "more to pay".to_owned(),
        Err(Illegal::RefundAboveCharge) => "above the charge".to_owned(),
        Err(Illegal::TooManyRefunds) => "too many refunds".to_owned(),
    }
}

fn name(booking: &Booking) -> String {
    let status = booking.status.awaiting().map_or(booking.status.name(), Awaiting::name);
    let attempt = booking.attempt.map_or("", |attempt| if attempt.live { " live" } else { "" });
    let paid = if booking.paid > 0 { " paid" } else { "" };
    let back = if booking.refunded > 0 { " back" } else { "" };
    let asks = booking
        .request
        .as_ref()
        .map_or("", |asks| if asks.releasing { " asks for the last time" } else { " asks" });
    format!("{}{attempt}{paid}{back}{asks}", status.to_lowercase())
}

#[test]
fn every_status_answers_every_wish_as_the_table_says() {
    let mut table = String::new();
    for (row, before) in rows() {
        table.push_str(&format!("{row}\n"));
        for (column, at, wish) in columns() {
            let cell = cell(&before, &wish, at);
            if cell != "-" {
                table.push_str(&format!("    {column}: {cell}\n"));
            }
        }
    }
    assert_eq!(table, include_str!("status.txt"));
}

#[test]
fn what_a_guest_gets_back_depends_on_when_and_who_cancels() {
    let confirmed = paid(Status::Confirmed);
    let free_until = confirmed.check_in_at.minus(24 * HOUR);
    for (by_guest, at, back) in [
        (true, free_until.minus(TICK), TOTAL),
        (true, free_until, 0),
        (true, confirmed.check_in_at, 0),
        (false, free_until, TOTAL),
        (false, confirmed.check_out_at.minus(TICK), TOTAL),
    ] {
        let canceled = confirmed.clone().step(Step::Cancel { by_guest }, at);
        let Ok(Stepped::To(_, after)) = canceled else { panic!("{canceled:?}") };
        assert_eq!((after.paid, after.refunded), (TOTAL, back), "{by_guest} {at}");
    }
}

#[test]
fn what_was_paid_for_cleaning_and_service_goes_back_as_the_policy_says() {
    let once = |kind, unit| Line { kind, basis: Basis::Each { quantity: 1, unit } };
    let mut lines = Price::even(stay(10, 13), TOTAL).lines().to_vec();
    lines.extend([once(Kind::CleaningFee, 3_000), once(Kind::ServiceFee, 2_000)]);
    let price = Price::of(lines);
    let total = price.total();
    let (flexible, moderate, strict) = (Policy::Flexible, Policy::Moderate, Policy::Strict);
    for (policy, days_before, back) in [
        (flexible, 2, total),
        (flexible, 1, 3_000),
        (moderate, 5, TOTAL / 2 + 5_000),
        (strict, 8, TOTAL / 2 + 3_000),
        (strict, 7, 3_000),
        (Policy::NonRefundable, 9, 0),
    ] {
        let paid = Booking { paid: total, ..booking(Status::Confirmed, Some((1, false))) };
        let paid = Booking { price: price.clone(), total, policy, ..paid };
        let at = paid.check_in_at.minus(days_before * 24 * HOUR);
        let canceled = paid.step(Step::Cancel { by_guest: true }, at);
        let Ok(Stepped::To(_, after)) = canceled else { panic!("{canceled:?}") };
        assert_eq!((after.paid, after.refunded), (total, back), "{policy:?} {days_before}");
    }
}

#[test]
fn a_preview_of_a_cancellation_is_the_cancellation_itself() {
    for (row, before) in rows() {
        for by_guest in [true, false] {
            let canceled = match before.clone().step(Step::Cancel { by_guest }, now()) {
                Ok(Stepped::To(_, after) | Stepped::Already(after)) => Ok(after),
                Err(illegal) => Err(illegal),
            };
            assert_eq!(before.if_canceled(by_guest, now()), canceled, "{row}");
        }
    }
    // The clock comes first: what is over cannot be canceled, though nobody has noted it yet.
    let over = booking(Status::Confirmed, None);
    let expected = Err(Illegal::Status(Status::Completed));
    assert_eq!(over.if_canceled(true, over.check_out_at), expected);
}

#[test]
fn every_status_is_named_for_filters_as_it_is_shown() {
    for (row, booking) in rows() {
        let name = booking.status.name();
        let read: Result<StatusName, _> = name.parse();
        assert_eq!(read.map(StatusName::name), Ok(name), "{row}");
    }
    for text in ["", "pending", "PAID", "PENDING "] {
        assert!(text.parse::<StatusName>().is_err(), "{text}");
    }
}

#[test]
fn a_booking_that_costs_nothing_stands_without_a_payment() {
    let free = |status| Booking { total: 0, ..booking(status, None) };
    let pending = |awaiting| Status::Pending { awaiting, expires_at: now().plus(HOLD) };
    let start = Step::StartAttempt { payment: payment(1) };
    let stands = free(pending(Awaiting::Payment)).step(start, now());
    let Ok(Stepped::To(_, after)) = stands else { panic!("{stands:?}") };
    assert_eq!((after.status, after.attempt), (Status::Confirmed, None));
    let asked = free(pending(Awaiting::Host));
    assert_eq!(asked.clone().step(start, now()), Ok(Stepped::Already(asked)), "its host decides");
}

fn any_step() -> impl Strategy<Value = (Step, u64)> {
    let pays = (1..3_u128, prop::bool::weighted(0.8)).prop_map(|(number, right)| Step::Pay {
        payment: payment(number),
        amount: if right { TOTAL } else { 1 },
        currency: "USD".parse().expect("a currency"),
    });
    let step = prop_oneof![
        (1..3_u128).prop_map(|number| Step::StartAttempt { payment: payment(number) }),
        (1..3_u128).prop_map(|number| Step::EndAttempt { payment: payment(number) }),
        pays,
        Just(Step::Accept { pay_by: now().plus(HOUR) }),
        Just(Step::Decline),
        any::<bool>().prop_map(|by_guest| Step::Cancel { by_guest }),
        Just(Step::Deadline { release: RELEASE }),
        Just(Step::NoShow { today: Night::MIN, waive: false }),
    ];
    (step, 0..400_000_u64)
}

proptest! {
    #[test]
    fn whatever_happens_money_is_counted_and_ends_are_ends(
        steps in prop::collection::vec(any_step(), 1..20),
        by_request in any::<bool>(),
    ) {
        let awaiting = if by_request { Awaiting::Host } else { Awaiting::Payment };
        let mut at = now();
        let expires_at = at.plus(HOLD);
        let mut booking = booking(Status::Pending { awaiting, expires_at }, None);
        for (step, seconds) in steps {
            at = at.plus(Duration::from_secs(seconds));
            let before = booking.clone();
            let Ok(Stepped::To(_, after)) = booking.clone().step(step, at) else { continue };
            prop_assert!(after.paid == 0 || after.paid == after.total);
            prop_assert!((0..=after.paid).contains(&after.refunded));
            prop_assert!(after.paid >= before.paid && after.refunded >= before.refunded);
            prop_assert!(
                after.status != Status::Confirmed || (after.paid, after.refunded) == (TOTAL, 0)
            );
            let late = before.status == Status::Expired && matches!(step, Step::Pay { .. });
            let ended = !before.status.is_live();
            prop_assert!(!ended || late || after.status == before.status);
            prop_assert_eq!(
                (after.id, after.stay, after.total, after.created_at),
                (before.id, before.stay, before.total, before.created_at)
            );
            booking = after;
        }
    }
}

#[test]
fn parts_go_back_so_many_times_and_then_all_that_is_left() {
    let refund = |amount| Step::Refund { payment: payment(1), amount };
    let mut booking = paid(Status::Confirmed);
    for _ in 0..MAX_GOODWILL {
        let Ok(Stepped::To(_, after)) = booking.step(refund(1), now()) else { panic!("a refund") };
        booking = after;
    }
    let left = booking.takings[0].held;
    assert_eq!(left, TOTAL - i64::try_from(MAX_GOODWILL).expect("a few"));
    assert_eq!(booking.clone().step(refund(1), now()), Err(Illegal::TooManyRefunds));
    assert_eq!(booking.clone().step(refund(left - 1), now()), Err(Illegal::TooManyRefunds));
    assert_eq!(booking.clone().step(refund(left + 1), now()), Err(Illegal::RefundAboveCharge));
    assert!(
        matches!(booking.step(refund(left), now()), Ok(Stepped::To(_, all)) if all.retained() == 0)
    );
}
