//! A booking and its status machine.
//!
//! `PENDING` (awaiting payment, host or release) -> `CONFIRMED` -> `COMPLETED`; the other ends are
//! `CANCELED`, `DECLINED`, `EXPIRED` and `NO_SHOW`. Ends never change, but for the late payment
//! that finds all nights of an expired booking free. [`Booking::step`] is the whole table; who may
//! ask for a step is decided elsewhere.

use crate::policy::{Charge, Policy};
use crate::price::{Kind, Price};
use crate::{
    Awaiting, BookingId, Currency, Instant, Night, PaymentId, QuoteId, Status, Stay, UserId,
};
use std::time::Duration;

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

/// Other dates or guests that a confirmed booking is to have once the difference is paid. Until then
/// it keeps its nights and holds those that would be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub change: Change,
    /// When it is dropped, unless it was paid.
    pub expires_at: Instant,
    /// Whether its time is over, and only an open attempt to pay keeps its nights.
    pub releasing: bool,
}

/// The most payments of one booking. Who wants more of them cancels and books again.
pub const MAX_TAKINGS: usize = 16;

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

/// What a guest may change in a booking, with what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub stay: Stay,
    pub guests: u16,
    pub price: Price,
    /// When the stay begins and ends, as instants.
    pub hours: (Instant, Instant),
}

impl Change {
    /// The stay and the number of guests.
    const fn wish(&self) -> (Stay, u16) {
        (self.stay, self.guests)
    }
}

/// A step in a booking's life, with the facts that the step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A payment attempt begins.
    StartAttempt { payment: PaymentId },
    /// The provider said that the attempt will never be paid.
    EndAttempt { payment: PaymentId },
    /// The provider said that this amount was paid (or is authorised).
    Pay { payment: PaymentId, amount: i64, currency: Currency },
    /// The host accepts; the guest has until `pay_by` to pay, or has paid already.
    Accept { pay_by: Instant },
    /// The host declines.
    Decline,
    /// Somebody who may gives the booking up.
    Cancel { by_guest: bool },
    /// The clock reached the booking's deadline; an open attempt is given `release` more time.
    Deadline { release: Duration },
    /// The host reports that nobody came, and may waive what the guest paid; `today` is the
    /// property's local date.
    NoShow { today: Night, waive: bool },
}

/// What a step did: the reason that stands in the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Held,
    AttemptStarted,
    AttemptEnded,
    Confirmed,
    /// A late payment found the nights of an expired booking free.
    Reclaimed,
    Accepted,
    Declined,
    Canceled,
    Releasing,
    Expired,
    Completed,
    NoShow,
    /// Other dates or guests.
    Changed,
    /// Other dates or guests, for which more is to be paid.
    ChangeRequested,
    /// Nobody paid for them in time.
    ChangeDropped,
}

impl Cause {
    /// All causes, in the order of their stored numbers.
    pub const ALL: [Self; 15] = [
        Self::Held,
        Self::AttemptStarted,
        Self::AttemptEnded,
        Self::Confirmed,
        Self::Reclaimed,
        Self::Accepted,
        Self::Declined,
        Self::Canceled,
        Self::Releasing,
        Self::Expired,
        Self::Completed,
        Self::NoShow,
        Self::Changed,
        Self::ChangeRequested,
        Self::ChangeDropped,
    ];

    /// The shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::AttemptStarted => "attempt_started",
            Self::AttemptEnded => "attempt_ended",
            Self::Confirmed => "confirmed",
            Self::Reclaimed => "reclaimed",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Canceled => "canceled",
            Self::Releasing => "releasing",
            Self::Expired => "expired",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
            Self::Changed => "changed",
            Self::ChangeRequested => "change_requested",
            Self::ChangeDropped => "change_dropped",
        }
    }
}

/// Why a step cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// The status does not allow it.
    #[error("a booking that is {} does not allow this", .0.name())]
    Status(Status),
    /// The amount or the currency is not the booking's.
    #[error("the amount paid is not the booking's total")]
    AmountMismatch,
    /// The time for this step is not now.
    #[error("it is too early or too late for this")]
    Time,
    /// Somebody is about to pay what was due before.
    #[error("a payment for this booking is on its way")]
    Paying,
    /// The booking would cost more than was paid for it.
    #[error("the booking would cost more than was paid for it")]
    MoreToPay,
    /// Nothing is paid here for a booking that is settled outside.
    #[error("nothing is paid here for a booking that was made offline")]
    Offline,
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

const NO_SHOW_WINDOW: Duration = Duration::from_secs(48 * 60 * 60);

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

    /// Takes one step. A late payment on an expired booking (`Pay`) is legal here; whether its
    /// nights are still free is for the calendar to say.
    pub fn step(self, step: Step, now: Instant) -> Result<Stepped, Illegal> {
        self.taken(step, now).map(|stepped| stepped.at(now))
    }

    fn taken(self, step: Step, now: Instant) -> Result<Stepped, Illegal> {
        let status = self.status;
        match (status, step) {
            (_, Step::StartAttempt { .. } | Step::Pay { .. }) if self.offline => {
                Err(Illegal::Offline)
            }
            (Status::Pending { .. }, Step::StartAttempt { payment }) => self.start_attempt(payment),
            (Status::Confirmed, Step::StartAttempt { payment }) if self.request.is_some() => {
                self.start_attempt(payment)
            }
            (_, Step::EndAttempt { payment }) => Ok(self.end_attempt(payment)),
            (_, Step::Pay { payment, amount, currency }) => {
                self.pay(payment, (amount, currency), now)
            }
            (Status::Pending { awaiting: Awaiting::Host, expires_at }, Step::Accept { pay_by }) => {
                if now >= expires_at {
                    return Err(Illegal::Time);
                }
                let status = if self.retained() == self.total {
                    Status::Confirmed
                } else {
                    Status::Pending { awaiting: Awaiting::Payment, expires_at: pay_by }
                };
                Ok(self.to(Cause::Accepted, status))
            }
            (Status::Pending { awaiting: Awaiting::Host, .. }, Step::Decline) => {
                Ok(self.refunded_to(Cause::Declined, Status::Declined))
            }
            (Status::Canceled, Step::Cancel { .. }) => Ok(Stepped::Already(self)),
            (Status::Pending { .. }, Step::Cancel { .. }) => {
                Ok(self.refunded_to(Cause::Canceled, Status::Canceled))
            }
            (Status::Confirmed, Step::Cancel { by_guest }) => Ok(self.cancel(by_guest, now)),
            (_, Step::Deadline { release }) => self.on_deadline(release, now),
            (Status::Confirmed, Step::NoShow { today, waive }) => {
                let from = self.check_in_at;
                if now < from || now >= self.check_out_at.min(from.plus(NO_SHOW_WINDOW)) {
                    return Err(Illegal::Time);
                }
                let status = Status::NoShow { free_from: today.plus(1) };
                Ok(if waive {
                    self.refunded_to(Cause::NoShow, status)
                } else {
                    self.to(Cause::NoShow, status)
                })
            }
            _ => Err(Illegal::Status(status)),
        }
    }

    /// Takes other dates or guests. A booking that nobody paid for yet has another total, and of one
    /// that was paid what it costs less goes back; where it costs more, a confirmed booking stays as
    /// it is and has the request until the difference is paid, for `patience` at most. That the
    /// nights are free is for the calendar to say. A stay that has begun keeps its first night and
    /// cannot end before now.
    pub fn change(
        mut self,
        change: Change,
        patience: Duration,
        now: Instant,
    ) -> Result<Stepped, Illegal> {
        let requested = self.request.as_ref().map(|request| request.change.wish());
        let wish = change.wish();
        if wish == (self.stay, self.guests) || Some(wish) == requested {
            return Ok(Stepped::Already(self));
        }
        let (check_in_at, check_out_at) = change.hours;
        let mut status = self.status;
        match &mut status {
            Status::Confirmed => {}
            Status::Pending { awaiting: Awaiting::Payment, .. } => {}
            Status::Pending { awaiting: Awaiting::Host, expires_at } => {
                *expires_at = check_in_at.min(*expires_at);
            }
            _ => return Err(Illegal::Status(status)),
        }
        if self.has_live_attempt() {
            return Err(Illegal::Paying);
        }
        let has_begun = now >= self.check_in_at;
        if has_begun && (change.stay.check_in() != self.stay.check_in() || now >= check_out_at) {
            return Err(Illegal::Time);
        }
        let total = change.price.total();
        if self.offline {
            // What it costs now is between guest and host.
        } else if self.status == Status::Confirmed || self.paid > 0 {
            let less = self.retained() - total;
            if less < 0 {
                return self.request(change, patience, now);
            }
            self.give_back(less);
        } else if total == 0 {
            // Nothing is due any more, so there is nothing to wait for.
            status = self.status_when_paid();
        }
        Ok(self.take(change).to(Cause::Changed, status).at(now))
    }

    /// Keeps the wish until the difference is paid. One wish after another buys no time.
    fn request(
        mut self,
        change: Change,
        patience: Duration,
        now: Instant,
    ) -> Result<Stepped, Illegal> {
        if self.status != Status::Confirmed || self.takings.len() == MAX_TAKINGS {
            return Err(Illegal::MoreToPay);
        }
        let standing = self.request.map(|request| request.expires_at);
        let begins = self.check_in_at.min(change.hours.0);
        let end = if now < begins { begins } else { self.check_out_at };
        let expires_at = standing.unwrap_or_else(|| now.plus(patience)).min(end);
        self.request = Some(Box::new(Request { change, expires_at, releasing: false }));
        Ok(self.to(Cause::ChangeRequested, Status::Confirmed))
    }

    /// The booking with other dates or guests.
    fn take(self, change: Change) -> Self {
        let Change { stay, guests, price, hours: (check_in_at, check_out_at) } = change;
        let (total, request) = (price.total(), None);
        Self { stay, guests, total, price, check_in_at, check_out_at, request, ..self }
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

    /// What a cancellation at this moment would make of the booking: the step itself, taken on a
    /// copy after whatever the clock has to do before.
    pub fn if_canceled(&self, by_guest: bool, now: Instant) -> Result<Self, Illegal> {
        let taken = |stepped| match stepped {
            Stepped::To(_, booking) | Stepped::Already(booking) => booking,
        };
        let mut booking = self.clone();
        while booking.deadline().is_some_and(|deadline| now >= deadline) {
            booking = taken(booking.step(Step::Deadline { release: Duration::ZERO }, now)?);
        }
        booking.step(Step::Cancel { by_guest }, now).map(taken)
    }

    fn start_attempt(mut self, payment: PaymentId) -> Result<Stepped, Illegal> {
        if self.has_live_attempt() {
            // There is one live attempt at most: asking again finds it.
            return Ok(Stepped::Already(self));
        }
        let is_paid = self.paid > 0 && self.request.is_none();
        if self.status.awaiting() == Some(Awaiting::Release) || is_paid {
            return Err(Illegal::Status(self.status));
        }
        if self.due() == 0 {
            // Nothing is due, so nobody is asked: it stands at once, or waits for its host.
            let status = self.status_when_paid();
            return Ok(if status == self.status {
                Stepped::Already(self)
            } else {
                self.to(Cause::Confirmed, status)
            });
        }
        self.attempt = Some(Attempt { payment, live: true });
        let status = self.status;
        Ok(self.to(Cause::AttemptStarted, status))
    }

    fn end_attempt(mut self, payment: PaymentId) -> Stepped {
        let open = Attempt { payment, live: true };
        if self.attempt != Some(open) {
            return Stepped::Already(self);
        }
        self.attempt = Some(Attempt { payment, live: false });
        match self.status {
            // Only the attempt kept the nights: they are free now.
            Status::Pending { awaiting: Awaiting::Release, .. } => {
                self.to(Cause::Expired, Status::Expired)
            }
            _ if self.request.as_ref().is_some_and(|request| request.releasing) => {
                self.drop_request()
            }
            status => self.to(Cause::AttemptEnded, status),
        }
    }

    /// Forgets the change that nobody paid for; what is paid for it later goes back.
    fn drop_request(mut self) -> Stepped {
        self.request = None;
        if let Some(attempt) = &mut self.attempt {
            attempt.live = false;
        }
        self.to(Cause::ChangeDropped, Status::Confirmed)
    }

    fn pay(
        mut self,
        payment: PaymentId,
        due: (i64, Currency),
        now: Instant,
    ) -> Result<Stepped, Illegal> {
        let open = self.attempt.is_some_and(|open| open.payment == payment && open.live);
        match self.status {
            _ if self.takings.iter().any(|taking| taking.payment == payment) => {
                return Ok(Stepped::Already(self));
            }
            Status::Confirmed if self.request.is_some() && open => {}
            // It is paid, or was and went back: a second payment has no place here.
            status if self.paid > 0 => return Err(Illegal::Status(status)),
            Status::Pending { .. } => {}
            Status::Expired if now < self.check_in_at => {}
            status => return Err(Illegal::Status(status)),
        }
        let (amount, currency) = due;
        if (amount, currency) != (self.due(), self.currency) {
            return Err(Illegal::AmountMismatch);
        }
        self.paid += amount;
        self.takings.push(Taking { payment, held: amount });
        self.attempt = Some(Attempt { payment, live: false });
        if let Some(request) = self.request.take() {
            return Ok(self.take(request.change).to(Cause::Changed, Status::Confirmed));
        }
        let late = self.status == Status::Expired;
        let status = self.status_when_paid();
        Ok(self.to(if late { Cause::Reclaimed } else { Cause::Confirmed }, status))
    }

    /// A request that was paid still waits for its host; everything else is confirmed.
    const fn status_when_paid(&self) -> Status {
        match self.status {
            Status::Pending { awaiting: Awaiting::Host, .. } => self.status,
            _ => Status::Confirmed,
        }
    }

    fn cancel(mut self, by_guest: bool, now: Instant) -> Stepped {
        let charge = self.charge();
        self.give_back(if by_guest { self.policy.refund(charge, now) } else { self.retained() });
        self.to(Cause::Canceled, Status::Canceled)
    }

    fn on_deadline(mut self, release: Duration, now: Instant) -> Result<Stepped, Illegal> {
        match self.status {
            Status::Pending { expires_at, .. } if now < expires_at => Err(Illegal::Time),
            Status::Pending { awaiting: Awaiting::Payment, .. } if self.has_live_attempt() => {
                let expires_at = now.plus(release);
                let status = Status::Pending { awaiting: Awaiting::Release, expires_at };
                Ok(self.to(Cause::Releasing, status))
            }
            Status::Pending { awaiting, .. } => {
                if awaiting == Awaiting::Host && self.paid == 0 {
                    // The host never agreed, so a late payment must not confirm it.
                    self.attempt = None;
                }
                Ok(self.refunded_to(Cause::Expired, Status::Expired))
            }
            Status::Confirmed if self.request.is_some() && now < self.check_out_at => {
                self.on_request_deadline(release, now)
            }
            Status::Confirmed if now >= self.check_out_at => {
                Ok(self.to(Cause::Completed, Status::Completed))
            }
            Status::Confirmed => Err(Illegal::Time),
            status => Err(Illegal::Status(status)),
        }
    }

    fn on_request_deadline(mut self, release: Duration, now: Instant) -> Result<Stepped, Illegal> {
        let is_paying = self.has_live_attempt();
        match &mut self.request {
            Some(request) if now < request.expires_at => Err(Illegal::Time),
            Some(request) if is_paying && !request.releasing => {
                request.releasing = true;
                request.expires_at = now.plus(release);
                Ok(self.to(Cause::Releasing, Status::Confirmed))
            }
            _ => Ok(self.drop_request()),
        }
    }

    /// Ends a booking for no fault of the guest's: everything paid goes back.
    fn refunded_to(mut self, cause: Cause, status: Status) -> Stepped {
        self.give_back(self.retained());
        self.to(cause, status)
    }

    fn to(mut self, cause: Cause, status: Status) -> Stepped {
        if status != Status::Confirmed {
            self.request = None;
        }
        self.status = status;
        self.version += 1;
        Stepped::To(cause, self)
    }
}
