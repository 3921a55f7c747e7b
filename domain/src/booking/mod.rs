//! A booking: its facts, its money, the steps that it can take ([`step`]) and its changes
//! ([`change`]).

mod cause;
mod change;
mod step;

pub use cause::Cause;
pub use change::{Change, MAX_TAKINGS, Request};
pub use step::MAX_GOODWILL;
pub use step::Step;

use crate::policy::{Charge, Policy};
use crate::price::{Kind, Price};
use crate::{BookingId, Currency, Instant, PaymentId, QuoteId, Status, Stay, UserId};

/// An attempt to pay for a booking; a booking has at most one live attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub payment: PaymentId,
    /// Whether the provider may still say that it was paid.
    pub live: bool,
}

/// A payment that was taken for a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taking {
    pub payment: PaymentId,
    /// What of it has not gone back, in minor units.
    pub held: i64,
}

/// A booking as of one event. Prices and instants are resolved when it is made and stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    pub id: BookingId,
    pub guest: UserId,
    pub stay: Stay,
    pub guests: u16,
    pub status: Status,
    pub price: Price,
    /// The sum of the price in minor units of `currency`.
    pub total: i64,
    pub currency: Currency,
    pub quote: Option<QuoteId>,
    pub attempt: Option<Attempt>,
    /// The payments that were taken, in their order.
    pub takings: Vec<Taking>,
    /// Whether it is settled outside: nobody pays for it here, so nothing ever goes back.
    pub offline: bool,
    /// What was paid and what went back, in minor units.
    pub paid: i64,
    pub refunded: i64,
    pub policy: Policy,
    /// Boxed, because most bookings never have one.
    pub request: Option<Box<Request>>,
    /// Counts the booking's own transitions, from 1.
    pub version: u32,
    pub created_at: Instant,
    /// When it first stood without an end of its own; nothing before.
    pub confirmed_at: Option<Instant>,
    pub check_in_at: Instant,
    pub check_out_at: Instant,
}

/// Why a step cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// The status does not allow it.
    #[error("a booking that is {} does not allow this", .0.name())]
    Status(Status),
    /// The amount or the currency is not what is due.
    #[error("the amount paid is not what is due")]
    AmountMismatch,
    /// The time for this step is not now.
    #[error("it is too early or too late for this")]
    Time,
    /// Somebody is about to pay what was due before.
    #[error("a payment for this booking is on its way")]
    Paying,
    /// The booking would cost more than was paid for it, and cannot wait for the difference.
    #[error("the booking would cost more than was paid for it")]
    MoreToPay,
    /// Nothing is paid here for a booking that is settled outside.
    #[error("nothing is paid here for a booking that was made offline")]
    Offline,
    /// So much of the payment is not the booking's any more.
    #[error("that is more than the booking still has of the payment")]
    RefundAboveCharge,
    /// So many parts have gone back that only all that is left can.
    #[error("at most {MAX_GOODWILL} parts of a booking's money can go back")]
    TooManyRefunds,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// The booking as it is afterwards.
    To(Cause, Booking),
    /// The step had been taken before: nothing changes.
    Already(Booking),
}

impl Stepped {
    /// What is confirmed for the first time is confirmed now.
    fn at(mut self, now: Instant) -> Self {
        if let Self::To(_, booking) = &mut self
            && booking.status == Status::Confirmed
        {
            booking.confirmed_at.get_or_insert(now);
        }
        self
    }
}

impl Booking {
    /// When the clock has something to do with this booking.
    pub fn deadline(&self) -> Option<Instant> {
        match (self.status, &self.request) {
            (Status::Pending { expires_at, .. }, _) => Some(expires_at),
            (Status::Confirmed, Some(request)) => Some(request.expires_at.min(self.check_out_at)),
            (Status::Confirmed, None) => Some(self.check_out_at),
            _ => None,
        }
    }

    /// Whether an attempt to pay is open.
    pub fn has_live_attempt(&self) -> bool {
        self.attempt.is_some_and(|attempt| attempt.live)
    }

    /// Nobody waits for the attempt any more: what comes of it goes back.
    fn close_attempt(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.live = false;
        }
    }

    /// What is to be paid next, in minor units: for the change that waits for it, else in all.
    pub fn due(&self) -> i64 {
        match &self.request {
            Some(request) => request.change.price.total() - self.retained(),
            None => self.total,
        }
    }

    /// Gives money back, from the payment that was taken last on.
    fn give_back(&mut self, amount: i64) {
        self.refunded += amount;
        let mut left = amount;
        for taking in self.takings.iter_mut().rev() {
            let part = left.min(taking.held);
            taking.held -= part;
            left -= part;
        }
    }

    /// The payments taken, where the attempt is the only one that there was.
    pub(crate) fn only_taking(&self) -> Vec<Taking> {
        let attempt = self.attempt.filter(|_| self.paid > 0);
        let held = self.retained();
        attempt.map(|Attempt { payment, .. }| Taking { payment, held }).into_iter().collect()
    }

    /// The payment that says most of the booking: the one under way, else the one taken last.
    pub fn payment(&self) -> Option<PaymentId> {
        let taken = self.takings.last().filter(|_| !self.has_live_attempt());
        taken.map(|taking| taking.payment).or(self.attempt.map(|attempt| attempt.payment))
    }

    /// What was paid and has not gone back, in minor units.
    pub const fn retained(&self) -> i64 {
        self.paid - self.refunded
    }

    /// What was paid for the booking, as its policy looks at it.
    fn charge(&self) -> Charge {
        Charge {
            held: self.retained(),
            cleaning: self.price.of_kind(&Kind::CleaningFee),
            service: self.price.of_kind(&Kind::ServiceFee),
            check_in_at: self.check_in_at,
            confirmed_at: self.confirmed_at,
        }
    }
}
