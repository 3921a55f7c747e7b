//! The oracle: looks on after every step and says what must not be. It believes what is stored and
//! what the providers really did.

use crate::coverage::Reached;
use crate::provider::Kind;
use crate::store::{Row, back};
use crate::world::World;
use domain::booking::Cause;
use domain::calendar::claims_of;
use domain::event::By;
use domain::group::{Group, JobKind};
use domain::payment::{PaymentStatus, RefundState};
use domain::settlement::{Record, Standing, Wish};
use domain::{Awaiting, Booking, BookingId, Fact, Night, PaymentId, Status};
use std::collections::{BTreeMap, BTreeSet};

/// A rule that broke, in words.
pub(crate) type Checked<T = ()> = Result<T, String>;

macro_rules! ensure {
    ($holds:expr, $($told:tt)+) => {
        if !$holds {
            return Err(format!($($told)+));
        }
    };
}
pub(crate) use ensure;

/// What the oracle remembers.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    /// Bookings that go on without a payment that was lost when the stay had begun.
    lost: BTreeSet<BookingId>,
    /// Bookings that wait as if nobody had paid, because what was promised was lost.
    pub(crate) unpaid: BTreeSet<BookingId>,
    /// Bookings that the host accepted.
    accepted: BTreeSet<BookingId>,
    /// Payments that the provider did not collect when it was first asked to.
    pub(crate) refused_captures: BTreeSet<PaymentId>,
}

impl World {
    /// What was just committed.
    pub(crate) fn check_commit(&mut self, before: Option<&Booking>, group: &Group) -> Checked {
        let Some(event) = group.events.first().map(|sealed| &sealed.event) else {
            return Err("a group without an event".to_owned());
        };
        let Fact::Booking(cause, after) = &event.fact else { return Ok(()) };
        self.note(|_| {
            let Booking { id, status, paid, refunded, .. } = after;
            format!("  {cause:?} {id} {status:?} paid {paid} back {refunded} {:?}", group.jobs)
        });
        match cause {
            Cause::PaymentLost if event.at >= after.check_in_at => {
                self.oracle.lost.insert(after.id);
            }
            Cause::PaymentLost if after.status.awaiting().is_some() => {
                self.oracle.unpaid.insert(after.id);
            }
            Cause::Accepted => {
                self.oracle.accepted.insert(after.id);
            }
            _ => {}
        }
        self.check_nights()?;
        self.check_confirmed(after)?;
        if let Some(before) = before {
            check_attempt(*cause, event.by, before)?;
            self.see(*cause, event.by, before, after);
            self.see_refunds(*cause, before, after, group);
        } else if after.status == Status::Confirmed {
            self.reach(Reached::Free);
        }
        Ok(())
    }

    /// No night twice.
    fn check_nights(&self) -> Checked {
        let mut taken: BTreeMap<Night, BookingId> = BTreeMap::new();
        for booking in self.store.bookings.values() {
            for night in claims_of(booking).flat_map(|(stay, _)| stay.each_night()) {
                let other = taken.insert(night, booking.id);
                ensure!(other.is_none(), "{night} is {}'s and {other:?}'s", booking.id);
            }
        }
        Ok(())
    }

    /// What is confirmed is paid, or was promised, with exactly what it costs; what is taken came
    /// from an order that the provider had a promise for.
    fn check_confirmed(&self, booking: &Booking) -> Checked {
        let held: i64 = booking.takings.iter().map(|taking| taking.held).sum();
        ensure!(held == booking.retained(), "the payments of {booking:?} hold {held}");
        ensure!(booking.price.total() == booking.total, "{booking:?} does not add up");
        if booking.status == Status::Confirmed && !self.oracle.lost.contains(&booking.id) {
            ensure!(held == booking.total, "{booking:?} is confirmed with {held}");
        }
        let is_agreed =
            self.plan.property.instant_book || self.oracle.accepted.contains(&booking.id);
        let is_confirmed = booking.status == Status::Confirmed;
        ensure!(is_agreed || !is_confirmed, "{booking:?} is confirmed, its host never agreed");
        for taking in &booking.takings {
            let order = self.provider.newest(taking.payment);
            let is_promised = order.is_some_and(|order| order.was_promised);
            ensure!(is_promised, "{} took {taking:?}, which nobody promised", booking.id);
            let row = self.store.rows.get(&taking.payment).ok_or("a taking without a row")?;
            let is_exact = order.is_some_and(|order| order.amount == row.record.amount);
            ensure!(is_exact, "{} took {taking:?}, promised was {order:?}", booking.id);
            ensure!(!row.record.disowned, "{} took {row:?} after all", booking.id);
        }
        Ok(())
    }

    /// After every step: what providers did they did once, and where nothing is on its way what a
    /// booking keeps is what the records hold.
    pub(crate) fn check_rest(&self) -> Checked {
        ensure!(self.provider.asked_above == 0, "more was to go back than there was");
        for row in self.store.rows.values() {
            let payment = row.record.payment;
            let orders = self.provider.orders.iter().filter(|order| order.payment == payment);
            let charges = orders.filter(|order| order.was_promised).count();
            ensure!(charges <= 1, "{payment} was charged {charges} times");
            let given: i64 = row.record.refunds.iter().map(|refund| refund.amount).sum();
            ensure!(given <= row.record.amount, "{given} goes back of {row:?}");
            self.check_captured(row)?;
            let is_waited_for = self.store.work.iter().any(|work| work.payment == payment);
            if row.rests && !is_waited_for {
                self.check_kept(row)?;
                self.check_wanted(row)?;
            }
        }
        Ok(())
    }

    /// Nothing is collected that the booking had not taken.
    fn check_captured(&self, row: &Row) -> Checked {
        let Record { payment, booking, .. } = row.record;
        let is_captured = self.provider.newest(payment).is_some_and(|order| order.captured > 0);
        if row.kind == Kind::Card && is_captured {
            let booking = self.store.bookings.get(&booking).ok_or("no booking")?;
            let is_taken = booking.takings.iter().any(|taking| taking.payment == payment);
            ensure!(is_taken, "{payment} was collected, and {booking:?} had not taken it");
            let is_early = matches!(booking.wish(payment), Wish::Promise(_));
            ensure!(!is_early, "{payment} was collected before its host agreed to {booking:?}");
        }
        Ok(())
    }

    /// No step of a booking waits for the reconciliation: what it keeps is collected, unless the
    /// provider did not, and what it does not want can no more be paid.
    fn check_wanted(&self, row: &Row) -> Checked {
        let Record { payment, status, booking, .. } = row.record;
        let booking = self.store.bookings.get(&booking).ok_or("no booking")?;
        let standing = self.provider.newest(payment).map(|order| order.standing);
        let is_refused = self.oracle.refused_captures.contains(&payment);
        match booking.wish(payment) {
            Wish::Keep(_) if status == PaymentStatus::Authorized => {
                ensure!(is_refused, "nobody collects {row:?} for {booking:?}");
            }
            Wish::Leave | Wish::Nothing => {
                let may_pay = standing == Some(Standing::Waiting);
                ensure!(!may_pay, "{row:?} can be paid, and {booking:?} does not want it");
            }
            Wish::Open => ensure!(row.record.asked, "nobody asks for {row:?} of {booking:?}"),
            Wish::Keep(_) | Wish::Promise(_) => {}
        }
        Ok(())
    }

    /// What a booking keeps of a payment is what its record holds.
    pub(crate) fn check_kept(&self, row: &Row) -> Checked {
        let record = &row.record;
        let is_open = record.refunds.iter().any(|refund| refund.state.is_open());
        let booking = self.store.bookings.get(&record.booking).ok_or("no booking")?;
        let kept = kept(booking, record.payment);
        if record.status.is_captured() && !is_open {
            let given: i64 = record.refunds.iter().map(|refund| refund.amount).sum();
            ensure!(record.amount - given == kept, "{booking:?} keeps {kept} of {record:?}");
        }
        // Whoever waited for it has heard how it ended.
        if record.status.is_void() || record.status.is_captured() {
            let wish = booking.wish(record.payment);
            ensure!(!matches!(wish, Wish::Open | Wish::Leave), "{booking:?} waits for {record:?}");
        }
        if record.status.is_void() || record.status == PaymentStatus::Conflicted {
            ensure!(kept == 0, "{booking:?} keeps {kept} of {record:?}");
        }
        Ok(())
    }

    fn see(&mut self, cause: Cause, by: By, before: &Booking, after: &Booking) {
        let was = before.status.awaiting();
        let is_paid = before.retained() > 0;
        match (cause, after.status) {
            (Cause::Reclaimed, _) => self.reach(Reached::LateReclaimed),
            (Cause::PaymentLost, Status::Canceled) if before.status == Status::Confirmed => {
                self.reach(Reached::LostBeforeCheckIn);
            }
            (Cause::PaymentLost, Status::Pending { awaiting: Awaiting::Host, .. }) => {
                self.reach(Reached::ExpiredWhileHostThought);
            }
            (Cause::PaymentLost, Status::Confirmed) => self.reach(Reached::LostAfterCheckIn),
            (Cause::Confirmed, _) if was == Some(Awaiting::Release) => {
                self.reach(Reached::ReleasePaid);
            }
            (Cause::Confirmed, _) if after.paid == 0 => self.reach(Reached::Free),
            (Cause::AttemptEnded, _) if was == Some(Awaiting::Payment) => {
                self.see_ended_attempt(before);
            }
            (Cause::Expired, _) if by == By::Provider => self.reach(Reached::ReleaseExpired),
            (Cause::Changed, _) if by == By::Provider => self.reach(Reached::DearerPaid),
            (Cause::ChangeDropped, _) => self.reach(Reached::DearerDropped),
            (Cause::Refunded, _) => self.reach(Reached::Goodwill),
            (Cause::Declined, _) if is_paid => self.reach(Reached::DeclinedByHost),
            (Cause::Completed, _) if is_paid => self.reach(Reached::CompletedPaid),
            (Cause::NoShow, _) if is_paid && after.retained() == 0 => {
                self.reach(Reached::NoShowWaived);
            }
            (Cause::Canceled, _) if is_paid && by == By::User(crate::plan::host()) => {
                self.reach(Reached::HostCanceled);
            }
            _ => {}
        }
    }

    /// An attempt that ended while its booking still waits: where it was given up, not expired, its
    /// card was declined.
    fn see_ended_attempt(&mut self, before: &Booking) {
        let order = before.attempt.and_then(|attempt| self.provider.newest(attempt.payment));
        let voided = Standing::Ended(PaymentStatus::Voided);
        if order.is_some_and(|order| order.was_declined && order.standing == voided) {
            self.reach(Reached::DeclinedEnded);
        }
    }

    /// What a cancellation gives back.
    fn see_refunds(&mut self, cause: Cause, before: &Booking, after: &Booking, group: &Group) {
        let back = after.refunded - before.refunded;
        if cause != Cause::Canceled || before.retained() == 0 {
            return;
        }
        let is_refund = |kind: &JobKind| matches!(kind, JobKind::Refund { .. });
        let jobs = group.jobs.iter().filter(|job| is_refund(&job.kind)).count();
        if back == 0 && jobs == 0 {
            self.reach(Reached::ZeroRefund);
        }
        // The odd cent stays: what is retained is rounded, and the rest goes back.
        if back > 0 && after.retained() - back == 1 {
            self.reach(Reached::OddCent);
        }
        if jobs > 1 {
            self.reach(Reached::ManyTakings);
        }
    }
}

/// One attempt is open at a time, nothing about what it pays for changes meanwhile, and the clock
/// gives it more time once.
fn check_attempt(cause: Cause, by: By, before: &Booking) -> Checked {
    let is_open = before.has_live_attempt();
    let awaiting = before.status.awaiting();
    let was_released = before.request.as_ref().is_some_and(|request| request.releasing);
    let is_wrong = match cause {
        Cause::AttemptStarted => is_open,
        Cause::Changed | Cause::ChangeRequested => is_open && by != By::Provider,
        Cause::Releasing => !is_open || was_released || awaiting == Some(Awaiting::Release),
        Cause::Expired => is_open && awaiting == Some(Awaiting::Payment),
        Cause::ChangeDropped => is_open && !was_released,
        _ => false,
    };
    ensure!(!is_wrong, "{cause:?} by {by:?} of {before:?}");
    Ok(())
}

/// What a booking keeps of a payment, in minor units.
pub(crate) fn kept(booking: &Booking, payment: PaymentId) -> i64 {
    match booking.wish(payment) {
        Wish::Keep(held) | Wish::Promise(held) => held,
        Wish::Open | Wish::Leave | Wish::Nothing => 0,
    }
}

/// What of a payment the provider would not give back, in minor units.
pub(crate) fn owed(row: &Row) -> i64 {
    back(&row.record, RefundState::Failed)
}
