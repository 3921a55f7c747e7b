//! What is to be done about one payment: what its booking wants of it, held against what is
//! recorded of it and what its provider says.
//!
//! [`next`] is one function of facts. It is asked again after every move, until there is nothing
//! more to do, by whoever has a reason: a step of the booking, something the provider said, or the
//! reconciliation. It looks at where things stand and never at how they came there, so that events
//! may come twice, late, in any order or not at all, and whoever carries its moves out may stop
//! between any two of them. Two never do so for one payment at the same time.
//!
//! What is written down comes first: an order is `asked` before the provider hears of it, a refund
//! has its row, and money that the booking did not take is disowned, before any of it moves back.

use crate::booking::{Booking, Step};
use crate::payment::{PaymentStatus, Refund, RefundState};
use crate::{Awaiting, BookingId, Currency, PaymentId, RefundId, Status};

/// What a booking wants of one of its payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The guest may pay it.
    Open,
    /// The guest had begun to pay, and it is not wanted any more.
    Leave,
    /// It is promised, and collected when the host accepts: this much, in minor units.
    Promise(i64),
    /// This much of it is the booking's, in minor units, above 0.
    Keep(i64),
    /// None of it is.
    Nothing,
}

impl Booking {
    /// What the booking wants of this payment.
    pub fn wish(&self, payment: PaymentId) -> Wish {
        if let Some(taking) = self.takings.iter().find(|taking| taking.payment == payment) {
            return match (self.status.awaiting(), taking.held) {
                (_, 0) => Wish::Nothing,
                (Some(Awaiting::Host), held) => Wish::Promise(held),
                (_, held) => Wish::Keep(held),
            };
        }
        let is_open = self.attempt.is_some_and(|open| open.payment == payment && open.live);
        let may_pay = match (self.status, &self.request) {
            (Status::Pending { awaiting, .. }, _) => awaiting != Awaiting::Release,
            (Status::Confirmed, Some(request)) => !request.releasing,
            _ => false,
        };
        match (is_open, may_pay) {
            (true, true) => Wish::Open,
            (true, false) => Wish::Leave,
            (false, _) => Wish::Nothing,
        }
    }

    fn has_taken(&self, payment: PaymentId) -> bool {
        self.takings.iter().any(|taking| taking.payment == payment)
    }
}

/// A payment as it is recorded, as far as moves depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub payment: PaymentId,
    pub booking: BookingId,
    /// In minor units of `currency`.
    pub amount: i64,
    pub currency: Currency,
    pub status: PaymentStatus,
    /// Whether the provider may have heard of it.
    pub asked: bool,
    /// Whether its booking did not take it: it is never offered again, and all of it goes back.
    pub disowned: bool,
    pub refunds: Vec<Refund>,
}

/// What the provider says of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What the order was made for, where the provider knows it.
    pub booking: Option<BookingId>,
    pub amount: i64,
    pub currency: Currency,
    pub standing: Standing,
}

/// Where an order stands at its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The provider has no such order.
    Unknown,
    /// It waits for the guest.
    Waiting,
    /// The guest's means of payment was declined, and another is not to be expected.
    Declined,
    /// The provider is at it.
    Processing,
    /// All of the amount is promised, and may be captured or let go.
    Authorized,
    /// All of the amount was taken.
    Captured,
    /// It will never be paid: failed, voided or expired.
    Ended(PaymentStatus),
}

/// What was learned in one go at a payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What the provider said last.
    pub fact: Option<Fact>,
    /// The provider was asked to collect, and did not.
    pub not_captured: bool,
    /// The provider was asked to give the order up, and did not.
    pub not_canceled: bool,
    /// The booking did not take the money.
    pub not_taken: bool,
    /// The booking was told how it ended.
    pub told: bool,
    /// The refunds that the provider was asked about.
    pub looked: Vec<RefundId>,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Ask the provider where the order stands.
    Look,
    /// Write down that the provider is asked, and ask it for the money.
    Order,
    /// Write down where the payment stands.
    Write(PaymentStatus),
    /// Write down that the money came, in the books as well.
    Book,
    /// Tell the booking.
    Tell(Step),
    /// Write down that the booking did not take the money.
    Disown,
    /// Have the provider collect what is promised.
    Capture,
    /// Have the provider give the order up.
    Cancel,
    /// Write a refund of this much down.
    Owe(i64),
    /// Have the provider give the money of this refund back.
    Send(RefundId),
    /// Ask the provider how a refund ended.
    LookAt(RefundId),
    /// There is nothing to do before something happens.
    Rest,
}

/// The next move for a payment.
pub fn next(booking: &Booking, record: &Record, seen: &Seen) -> Move {
    let wish = booking.wish(record.payment);
    let status = record.status;
    let standing = seen.fact.map(|fact| fact.standing);
    // Money that comes although nobody expected it any more is money all the same.
    let has_come = standing == Some(Standing::Captured);
    match (status, standing) {
        // What is promised after all to somebody who has given up is let go.
        (_, Some(Standing::Authorized)) if status.is_void() && !seen.not_canceled => {
            return Move::Cancel;
        }
        (PaymentStatus::Conflicted, _) => return end(booking, record, seen, status),
        _ if status.is_void() && !has_come => return end(booking, record, seen, status),
        _ => {}
    }
    if status.is_captured() {
        return captured(booking, record, seen);
    }
    let Some(fact) = &seen.fact else {
        return match (record.asked, wish) {
            (true, _) => Move::Look,
            (false, Wish::Open) => Move::Order,
            (false, _) => end(booking, record, seen, PaymentStatus::Voided),
        };
    };
    match fact.standing {
        Standing::Authorized | Standing::Captured if !fact.is_of(record) => {
            end(booking, record, seen, PaymentStatus::Conflicted)
        }
        Standing::Captured => taken(booking, record, seen),
        Standing::Authorized => authorized(booking, record, seen),
        Standing::Ended(status) => end(booking, record, seen, status),
        Standing::Unknown if wish == Wish::Open => Move::Order,
        Standing::Unknown => end(booking, record, seen, PaymentStatus::Voided),
        Standing::Waiting if wish == Wish::Open => stands(record, PaymentStatus::RequiresAction),
        Standing::Processing if wish == Wish::Open => stands(record, PaymentStatus::Processing),
        Standing::Processing | Standing::Waiting | Standing::Declined if seen.not_canceled => {
            stands(record, PaymentStatus::Processing)
        }
        Standing::Processing | Standing::Waiting | Standing::Declined => Move::Cancel,
    }
}

impl Fact {
    /// Whether the money is that of the order.
    fn is_of(&self, record: &Record) -> bool {
        self.booking.is_none_or(|booking| booking == record.booking)
            && (self.amount, self.currency) == (record.amount, record.currency)
    }
}

/// Nothing more happens, and this is how it stands until then.
fn stands(record: &Record, status: PaymentStatus) -> Move {
    if record.status.may_become(status) { Move::Write(status) } else { Move::Rest }
}

/// No money comes. The booking hears of it first: what has ended is not looked at again.
fn end(booking: &Booking, record: &Record, seen: &Seen, status: PaymentStatus) -> Move {
    let payment = record.payment;
    match booking.wish(payment) {
        Wish::Promise(_) | Wish::Keep(_) if !seen.told => Move::Tell(Step::LosePayment { payment }),
        Wish::Open | Wish::Leave if !seen.told => Move::Tell(Step::EndAttempt { payment }),
        _ if status == record.status => Move::Rest,
        _ => Move::Write(status),
    }
}

/// The money is offered to the booking, once.
fn offer(record: &Record, seen: &Seen) -> Move {
    let Record { payment, amount, currency, .. } = *record;
    if seen.not_taken { Move::Disown } else { Move::Tell(Step::Pay { payment, amount, currency }) }
}

/// The money is with us and not in the books yet. Once it is, nobody looks at the payment again who
/// has no reason to, so what it is for, or that it goes back, is written down before.
fn taken(booking: &Booking, record: &Record, seen: &Seen) -> Move {
    if booking.has_taken(record.payment) {
        return Move::Book;
    }
    match (booking.wish(record.payment), record.disowned, record.refunds.is_empty()) {
        (_, false, _) => offer(record, seen),
        (Wish::Open | Wish::Leave, true, true) if !seen.told => {
            Move::Tell(Step::EndAttempt { payment: record.payment })
        }
        (_, true, true) => Move::Owe(record.amount),
        (_, true, false) => Move::Book,
    }
}

fn authorized(booking: &Booking, record: &Record, seen: &Seen) -> Move {
    if record.status != PaymentStatus::Authorized {
        return Move::Write(PaymentStatus::Authorized);
    }
    if !booking.has_taken(record.payment) && !record.disowned {
        return offer(record, seen);
    }
    match booking.wish(record.payment) {
        Wish::Promise(_) => Move::Rest,
        Wish::Keep(_) if seen.not_captured => Move::Rest,
        Wish::Keep(_) => Move::Capture,
        _ if seen.not_canceled => Move::Rest,
        _ => Move::Cancel,
    }
}

fn captured(booking: &Booking, record: &Record, seen: &Seen) -> Move {
    let kept = match booking.wish(record.payment) {
        Wish::Keep(held) | Wish::Promise(held) => held,
        Wish::Open | Wish::Leave | Wish::Nothing => 0,
    };
    // What the provider refused to give back is owed, and not asked for again.
    let back: i64 = record.refunds.iter().map(|refund| refund.amount).sum();
    let owed = record.amount - back - kept;
    // It is written down before anything is waited for: nobody comes back to a payment at rest.
    if owed > 0 {
        return Move::Owe(owed);
    }
    // What is sent already may take days to end: nothing waits behind it.
    let unsent = record.refunds.iter().find(|refund| refund.state == RefundState::Requested);
    let is_unseen = |refund: &&Refund| refund.state.is_open() && !seen.looked.contains(&refund.id);
    match (unsent, record.refunds.iter().find(is_unseen)) {
        (Some(unsent), _) => Move::Send(unsent.id),
        (None, Some(open)) => Move::LookAt(open.id),
        (None, None) => Move::Rest,
    }
}
