//! What is done about a payment: every wish of a booking against everything that a provider says,
//! and what is recorded.

use crate::given::{HOLD, TOTAL, booking, booking_id, now, paid, payment};
use domain::booking::{Booking, Step, Stepped};
use domain::payment::{PaymentStatus, Refund, RefundState};
use domain::settlement::{Fact, Move, Record, Seen, Standing, Wish, next};
use domain::{Awaiting, Currency, RefundId, Status};
use uuid::Uuid;

fn usd() -> Currency {
    "USD".parse().expect("a currency")
}

fn record(status: PaymentStatus) -> Record {
    Record {
        payment: payment(1),
        booking: booking_id(1),
        amount: TOTAL,
        currency: usd(),
        status,
        asked: true,
        disowned: false,
        refunds: Vec::new(),
    }
}

fn said(standing: Standing) -> Seen {
    let fact = Fact { booking: Some(booking_id(1)), amount: TOTAL, currency: usd(), standing };
    Seen { fact: Some(fact), ..Seen::default() }
}

fn waits(awaiting: Awaiting) -> Status {
    Status::Pending { awaiting, expires_at: now().plus(HOLD) }
}

/// A booking for each wish that there is of payment 1.
fn wishes() -> [(Wish, Booking); 6] {
    let given_up = Booking { takings: vec![], ..paid(Status::Canceled) };
    let mut given_back = paid(Status::Canceled);
    given_back.takings[0].held = 0;
    [
        (Wish::Open, booking(waits(Awaiting::Payment), Some((1, true)))),
        (Wish::Leave, booking(waits(Awaiting::Release), Some((1, true)))),
        (Wish::Promise(TOTAL), paid(waits(Awaiting::Host))),
        (Wish::Keep(TOTAL), paid(Status::Confirmed)),
        (Wish::Nothing, given_up),
        (Wish::Nothing, given_back),
    ]
}

#[test]
fn a_booking_says_what_it_wants_of_a_payment() {
    for (wish, booking) in wishes() {
        assert_eq!(booking.wish(payment(1)), wish, "{booking:?}");
        assert_eq!(booking.wish(payment(2)), Wish::Nothing);
    }
    for (status, wish) in [
        (waits(Awaiting::Host), Wish::Open),
        (Status::Expired, Wish::Leave),
        (Status::Canceled, Wish::Leave),
        (Status::Confirmed, Wish::Leave),
    ] {
        assert_eq!(booking(status, Some((1, true))).wish(payment(1)), wish, "{status:?}");
        assert_eq!(booking(status, Some((1, false))).wish(payment(1)), Wish::Nothing);
    }
}

#[test]
fn a_booking_that_is_over_waits_for_no_payment() {
    let given_up = Step::Cancel { by_guest: true };
    for (awaiting, step) in [
        (Awaiting::Payment, given_up),
        (Awaiting::Release, given_up),
        (Awaiting::Host, given_up),
        (Awaiting::Host, Step::Decline),
    ] {
        let stepped = booking(waits(awaiting), Some((1, true))).step(step, now());
        let Ok(Stepped::To(_, after)) = stepped else { panic!("{stepped:?}") };
        // Nobody remembers it, so the end of the attempt could never be told.
        assert!(!after.has_live_attempt(), "{awaiting:?} {step:?}");
        assert_eq!(after.wish(payment(1)), Wish::Nothing, "{awaiting:?} {step:?}");
        let voided = record(PaymentStatus::Voided);
        assert_eq!(next(&after, &voided, &Seen::default()), Move::Rest);
    }
}

/// The payment ends so, and its booking hears of it before that is written down.
fn ends(booking: &Booking, record: &Record, seen: &Seen, status: PaymentStatus) {
    let payment = payment(1);
    let word = match booking.wish(payment) {
        Wish::Open | Wish::Leave => Some(Step::EndAttempt { payment }),
        Wish::Promise(_) | Wish::Keep(_) => Some(Step::LosePayment { payment }),
        Wish::Nothing => None,
    };
    let first = word.map_or(Move::Write(status), Move::Tell);
    assert_eq!(next(booking, record, seen), first, "{booking:?}");
    let told = Seen { told: true, ..seen.clone() };
    assert_eq!(next(booking, record, &told), Move::Write(status), "{booking:?}");
}

#[test]
fn before_anything_is_known_the_provider_is_asked() {
    use PaymentStatus::{Created, Processing, Voided};
    for (wish, booking) in wishes() {
        for status in [Created, Processing] {
            assert_eq!(next(&booking, &record(status), &Seen::default()), Move::Look, "{wish:?}");
        }
        let unasked = Record { asked: false, ..record(Created) };
        if wish == Wish::Open {
            assert_eq!(next(&booking, &unasked, &Seen::default()), Move::Order);
        } else {
            ends(&booking, &unasked, &Seen::default(), Voided);
        }
    }
}

#[test]
fn an_order_without_money_is_waited_for_or_called_off() {
    use PaymentStatus::{Created, Failed, Processing, RequiresAction, Voided};
    for (wish, booking) in wishes() {
        let is_open = wish == Wish::Open;
        for (standing, if_open, otherwise) in [
            (Standing::Waiting, Move::Write(RequiresAction), Move::Cancel),
            (Standing::Processing, Move::Write(Processing), Move::Cancel),
            (Standing::Declined, Move::Cancel, Move::Cancel),
        ] {
            let found = next(&booking, &record(Created), &said(standing));
            assert_eq!(found, if is_open { if_open } else { otherwise }, "{wish:?} {standing:?}");
        }
        ends(&booking, &record(Created), &said(Standing::Ended(Failed)), Failed);
        if is_open {
            let found = next(&booking, &record(Created), &said(Standing::Unknown));
            assert_eq!(found, Move::Order);
        } else {
            ends(&booking, &record(Created), &said(Standing::Unknown), Voided);
        }
        // What cannot be called off is waited for.
        let stuck = Seen { not_canceled: true, ..said(Standing::Processing) };
        assert_eq!(next(&booking, &record(Processing), &stuck), Move::Rest, "{wish:?}");
    }
}

#[test]
fn a_booking_is_told_once_that_no_money_comes() {
    let (end, lose) = (
        Move::Tell(Step::EndAttempt { payment: payment(1) }),
        Move::Tell(Step::LosePayment { payment: payment(1) }),
    );
    for status in [PaymentStatus::Failed, PaymentStatus::Voided, PaymentStatus::Expired] {
        for (wish, booking) in wishes() {
            let expected = match wish {
                Wish::Open | Wish::Leave => end.clone(),
                Wish::Promise(_) | Wish::Keep(_) => lose.clone(),
                Wish::Nothing => Move::Rest,
            };
            assert_eq!(next(&booking, &record(status), &Seen::default()), expected, "{wish:?}");
            let told = Seen { told: true, ..Seen::default() };
            assert_eq!(next(&booking, &record(status), &told), Move::Rest, "{wish:?}");
        }
    }
}

#[test]
fn what_is_authorized_is_offered_and_then_collected_or_let_go() {
    let authorized = record(PaymentStatus::Authorized);
    let seen = said(Standing::Authorized);
    let [open, leave, promise, keep, never_taken, given_back] = wishes().map(|(_, b)| b);
    let pay = Step::Pay { payment: payment(1), amount: TOTAL, currency: usd() };
    for booking in [&open, &leave, &never_taken] {
        let written = Move::Write(PaymentStatus::Authorized);
        assert_eq!(next(booking, &record(PaymentStatus::Processing), &seen), written);
        assert_eq!(next(booking, &authorized, &seen), Move::Tell(pay));
        let not_taken = Seen { not_taken: true, ..seen.clone() };
        assert_eq!(next(booking, &authorized, &not_taken), Move::Disown);
        let disowned = Record { disowned: true, ..authorized.clone() };
        assert_eq!(next(booking, &disowned, &seen), Move::Cancel);
        let stuck = Seen { not_canceled: true, ..seen.clone() };
        assert_eq!(next(booking, &disowned, &stuck), Move::Rest);
    }
    assert_eq!(next(&promise, &authorized, &seen), Move::Rest, "its host has the word");
    assert_eq!(next(&keep, &authorized, &seen), Move::Capture);
    let stuck = Seen { not_captured: true, ..seen.clone() };
    assert_eq!(next(&keep, &authorized, &stuck), Move::Rest);
    assert_eq!(next(&given_back, &authorized, &seen), Move::Cancel);
}

#[test]
fn money_of_another_order_confirms_nothing() {
    let [open, ..] = wishes().map(|(_, booking)| booking);
    let right = said(Standing::Captured).fact.expect("a fact");
    for (fact, is_right) in [
        (right, true),
        (Fact { booking: None, ..right }, true),
        (Fact { booking: Some(booking_id(2)), ..right }, false),
        (Fact { amount: TOTAL - 1, ..right }, false),
        (Fact { amount: TOTAL + 1, ..right }, false),
        (Fact { currency: "EUR".parse().expect("a currency"), ..right }, false),
    ] {
        for standing in [Standing::Authorized, Standing::Captured] {
            let fact = Some(Fact { standing, ..fact });
            let seen = Seen { fact, ..Seen::default() };
            let heard = record(PaymentStatus::Processing);
            if is_right {
                let found = next(&open, &heard, &seen);
                assert!(!matches!(found, Move::Tell(Step::EndAttempt { .. })), "{found:?}");
            } else {
                ends(&open, &heard, &seen, PaymentStatus::Conflicted);
            }
        }
    }
    let conflicted = record(PaymentStatus::Conflicted);
    let end = Move::Tell(Step::EndAttempt { payment: payment(1) });
    assert_eq!(next(&open, &conflicted, &Seen::default()), end);
}

fn refund(number: u128, amount: i64, state: RefundState) -> Refund {
    Refund { id: RefundId(Uuid::from_u128(number)), amount, state }
}

#[test]
fn what_was_captured_and_is_not_kept_goes_back_once() {
    use RefundState::{Failed, Requested, Submitted, Succeeded};
    let nothing = Seen::default();
    let [.., keep, _, given_back] = wishes().map(|(_, booking)| booking);
    let mut half = keep.clone();
    half.takings[0].held = TOTAL / 2;
    let id = |number| RefundId(Uuid::from_u128(number));
    for (booking, refunds, expected) in [
        (&keep, vec![], Move::Rest),
        (&half, vec![], Move::Owe(TOTAL / 2)),
        (&given_back, vec![], Move::Owe(TOTAL)),
        (&given_back, vec![refund(1, TOTAL, Requested)], Move::Send(id(1))),
        (&given_back, vec![refund(1, TOTAL, Submitted)], Move::LookAt(id(1))),
        (&given_back, vec![refund(1, TOTAL, Succeeded)], Move::Rest),
        // People see to what the provider refused: it is not asked for again.
        (&given_back, vec![refund(1, TOTAL, Failed)], Move::Rest),
        (&given_back, vec![refund(1, 100, Succeeded)], Move::Owe(TOTAL - 100)),
        (&half, vec![refund(1, 100, Succeeded)], Move::Owe(TOTAL / 2 - 100)),
        // Also while another is on its way: whoever stops there is not needed again.
        (&given_back, vec![refund(1, 100, Submitted)], Move::Owe(TOTAL - 100)),
        // One refund after the other, each under its own id.
        (
            &half,
            vec![refund(1, 100, Succeeded), refund(2, TOTAL / 2 - 100, Requested)],
            Move::Send(id(2)),
        ),
        (&keep, vec![refund(1, 100, Succeeded)], Move::Rest),
    ] {
        let captured = Record { refunds, ..record(PaymentStatus::Captured) };
        assert_eq!(next(booking, &captured, &nothing), expected, "{captured:?}");
    }
    let waits = vec![refund(1, TOTAL, Submitted)];
    let captured = Record { refunds: waits, ..record(PaymentStatus::Captured) };
    let looked = Seen { looked: vec![id(1)], ..Seen::default() };
    assert_eq!(next(&given_back, &captured, &looked), Move::Rest);
    // What takes its time stands in nobody's way, and each is asked about once.
    let refunds = vec![refund(1, 100, Submitted), refund(2, TOTAL - 100, Requested)];
    let both = Record { refunds, ..record(PaymentStatus::Captured) };
    assert_eq!(next(&given_back, &both, &nothing), Move::Send(id(2)));
    let refunds = vec![refund(1, 100, Submitted), refund(2, TOTAL - 100, Submitted)];
    let both = Record { refunds, ..record(PaymentStatus::Captured) };
    assert_eq!(next(&given_back, &both, &looked), Move::LookAt(id(2)));
    let looked = Seen { looked: vec![id(2), id(1)], ..looked };
    assert_eq!(next(&given_back, &both, &looked), Move::Rest);
}

#[test]
fn money_that_came_unasked_is_offered_and_goes_back_by_a_way_that_is_written_down() {
    let [open, .., never_taken, _] = wishes().map(|(_, booking)| booking);
    let seen = said(Standing::Captured);
    let pay = Step::Pay { payment: payment(1), amount: TOTAL, currency: usd() };
    // Also where it had been given up for lost.
    for status in [PaymentStatus::Processing, PaymentStatus::Voided, PaymentStatus::Failed] {
        let heard = record(status);
        assert_eq!(next(&never_taken, &heard, &seen), Move::Tell(pay));
        let not_taken = Seen { not_taken: true, ..seen.clone() };
        assert_eq!(next(&never_taken, &heard, &not_taken), Move::Disown);
        let disowned = Record { disowned: true, ..heard };
        assert_eq!(next(&never_taken, &disowned, &seen), Move::Owe(TOTAL));
        let refunds = vec![refund(1, TOTAL, RefundState::Requested)];
        let owed = Record { refunds, ..disowned };
        assert_eq!(next(&never_taken, &owed, &seen), Move::Book, "when its way back is clear");
        let booked = Record { status: PaymentStatus::Captured, ..owed };
        assert_eq!(next(&never_taken, &booked, &seen), Move::Send(RefundId(Uuid::from_u128(1))));
    }
    let disowned = Record { disowned: true, ..record(PaymentStatus::Processing) };
    let end = Move::Tell(Step::EndAttempt { payment: payment(1) });
    assert_eq!(next(&open, &disowned, &seen), end, "the attempt is over as well");
    let told = Seen { told: true, ..seen };
    assert_eq!(next(&open, &disowned, &told), Move::Owe(TOTAL));
}

#[test]
fn what_is_promised_after_all_is_let_go_where_the_payment_had_ended() {
    let [.., never_taken, _] = wishes().map(|(_, booking)| booking);
    let seen = said(Standing::Authorized);
    for status in [PaymentStatus::Failed, PaymentStatus::Voided, PaymentStatus::Expired] {
        assert_eq!(next(&never_taken, &record(status), &seen), Move::Cancel, "{status:?}");
        let kept = Seen { not_canceled: true, ..seen.clone() };
        assert_eq!(next(&never_taken, &record(status), &kept), Move::Rest, "once: {status:?}");
    }
}

#[test]
fn a_payment_goes_forward_and_what_ended_without_money_only_to_money() {
    let rows = [
        (
            "created",
            "requires_action processing authorized captured partially_refunded refunded failed voided expired conflicted",
        ),
        (
            "requires_action",
            "processing authorized captured partially_refunded refunded failed voided expired conflicted",
        ),
        (
            "processing",
            "authorized captured partially_refunded refunded failed voided expired conflicted",
        ),
        ("authorized", "captured partially_refunded refunded failed voided expired conflicted"),
        ("captured", "partially_refunded refunded conflicted"),
        ("partially_refunded", "refunded conflicted"),
        ("refunded", ""),
        ("failed", "captured conflicted"),
        ("voided", "captured conflicted"),
        ("expired", "captured conflicted"),
        ("conflicted", ""),
    ];
    let status = |name: &str| name.parse::<PaymentStatus>().expect("a status");
    for (name, wanted) in rows {
        let from = status(name);
        assert_eq!(from.name(), name);
        assert_eq!(from.is_open(), ["created", "requires_action", "processing"].contains(&name));
        let next =
            rows.map(|(next, _)| next).into_iter().filter(|next| from.may_become(status(next)));
        assert_eq!(next.collect::<Vec<_>>().join(" "), wanted, "from {name}");
    }
    assert!("paid".parse::<PaymentStatus>().is_err());
}

#[test]
fn a_refund_that_failed_stays_so_and_one_that_went_well_may_still_fail() {
    let rows = [
        ("requested", "requested submitted succeeded failed"),
        ("submitted", "submitted succeeded failed"),
        ("succeeded", "failed"),
        ("failed", ""),
    ];
    let state = |name: &str| name.parse::<RefundState>().expect("a state");
    for (name, wanted) in rows {
        let from = state(name);
        assert_eq!(from.name(), name);
        let next =
            rows.map(|(next, _)| next).into_iter().filter(|next| from.may_become(state(next)));
        assert_eq!(next.collect::<Vec<_>>().join(" "), wanted, "from {name}");
    }
    assert!("paid".parse::<RefundState>().is_err());
}
