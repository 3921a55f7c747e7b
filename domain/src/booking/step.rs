//! The status machine of a booking. [`Booking::step`] is the whole table.
//!
//! `PENDING` (awaiting payment, host or release) -> `CONFIRMED` -> `COMPLETED`; the other ends are
//! `CANCELED`, `DECLINED`, `EXPIRED` and `NO_SHOW`. Ends never change, but for the late payment
//! that finds all nights of an expired booking free. Who may ask for a step is decided elsewhere.

use super::{Attempt, Booking, Cause, Illegal, Stepped, Taking};
use crate::price::Kind;
use crate::{Awaiting, Currency, Instant, Night, PaymentId, Status};
use std::time::Duration;

/// The most parts of a booking's money that go back beyond what the policy says. All that is left
/// may still go back then.
pub const MAX_GOODWILL: usize = 16;

const NO_SHOW_WINDOW: Duration = Duration::from_secs(48 * 60 * 60);

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
    /// The host, or an admin, gives so much of a payment back, in minor units.
    Refund { payment: PaymentId, amount: i64 },
    /// The provider will never pay out what it had promised.
    LosePayment { payment: PaymentId },
}

impl Booking {
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
            (_, Step::LosePayment { payment }) => Ok(self.lose_payment(payment, now)),
            (Status::Pending { .. }, _) => Err(Illegal::Status(status)),
            (_, Step::Refund { payment, amount }) => self.refund(payment, amount),
            _ => Err(Illegal::Status(status)),
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
    pub(super) const fn status_when_paid(&self) -> Status {
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

    /// Gives back more than the policy says. The price says so in a line of its own, so that what
    /// was paid stays what the price comes to.
    fn refund(mut self, payment: PaymentId, amount: i64) -> Result<Stepped, Illegal> {
        let given = self.price.lines().iter().filter(|line| line.kind == Kind::Goodwill).count();
        let taking = self.takings.iter_mut().find(|taking| taking.payment == payment);
        let taking = taking.filter(|taking| (1..=taking.held).contains(&amount));
        let taking = taking.ok_or(Illegal::RefundAboveCharge)?;
        if given >= MAX_GOODWILL && amount < taking.held {
            return Err(Illegal::TooManyRefunds);
        }
        taking.held -= amount;
        self.refunded += amount;
        self.price = self.price.with(Kind::Goodwill, amount);
        self.total = self.price.total();
        if let Some(request) = &mut self.request {
            // What is due for the change stays what it was.
            request.change.price = request.change.price.with(Kind::Goodwill, amount);
        }
        let status = self.status;
        Ok(self.to(Cause::Refunded, status))
    }

    /// Goes on without a payment that was promised and never came: before the stay the booking
    /// cannot stand without it, and a request waits as if nobody had paid.
    fn lose_payment(mut self, payment: PaymentId, now: Instant) -> Stepped {
        let lost = self.takings.iter_mut().find(|taking| taking.payment == payment);
        let Some(taking) = lost.filter(|taking| taking.held > 0) else {
            return Stepped::Already(self);
        };
        let held = std::mem::take(&mut taking.held);
        match self.status {
            Status::Pending { .. } => {
                (self.paid, self.refunded) = (0, 0);
                self.takings.clear();
            }
            _ => self.refunded += held,
        }
        match self.status {
            Status::Confirmed if now < self.check_in_at => {
                self.refunded_to(Cause::PaymentLost, Status::Canceled)
            }
            status => self.to(Cause::PaymentLost, status),
        }
    }

    /// Ends a booking for no fault of the guest's: everything paid goes back.
    fn refunded_to(mut self, cause: Cause, status: Status) -> Stepped {
        self.give_back(self.retained());
        self.to(cause, status)
    }

    pub(super) fn to(mut self, cause: Cause, status: Status) -> Stepped {
        if status != Status::Confirmed {
            self.request = None;
        }
        // Whoever is forgotten hears no word of an attempt: it must not stay open for ever. Only an
        // expired booking may still be paid.
        if !status.is_live() && status != Status::Expired {
            self.close_attempt();
        }
        self.status = status;
        self.version += 1;
        Stepped::To(cause, self)
    }
}
