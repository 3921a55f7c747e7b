//! What may be answered: every answer is explained by what was durable while the caller waited.

use crate::ledger::{Checked, Ledger, ensure, nights_of};
use crate::oracle::Told;
use crate::request::Request;
use crate::store::{KeyRow, Store};
use domain::booking::Step;
use domain::command::Intent;
use domain::event::Seq;
use domain::keys::KEY_TTL;
use domain::pipeline::property::Answer;
use domain::refusal::{Code, Reason, Refusal};
use domain::switches::Bug;
use domain::{Awaiting, Booking, Instant, Status, Stay};

/// An answer at the moment at which it is given.
pub(crate) struct Hearing<'a> {
    pub(crate) request: &'a Request,
    pub(crate) store: &'a Store,
    pub(crate) ledger: &'a Ledger,
    pub(crate) told: Told,
    pub(crate) now: Instant,
}

impl Hearing<'_> {
    /// Whether this may be answered.
    pub(crate) fn check(&self, answer: &Answer) -> Checked {
        let request = self.request;
        ensure!(request.answer.is_none(), "{request:?} is answered again: {answer:?}");
        ensure!(
            !self.is_done() || request.may_be_done(answer),
            "{request:?} was done and is told {answer:?}"
        );
        if let Some((seq, until)) = request.known
            && self.now < until
        {
            let replayed = match answer {
                Answer::Replay { seq: told, .. } => *told == seq,
                // No answer at all: the key is tried again.
                Answer::TooLate | Answer::Full => true,
                _ => false,
            };
            ensure!(replayed, "{request:?} had done {seq} and is told {answer:?}");
        }
        match answer {
            Answer::Done { booking, seq } => self.check_done(booking, *seq),
            Answer::Edited { seq } => self.check_edited(*seq),
            // What nothing was to be done about left no event.
            Answer::AsItIs => {
                let edit = matches!(request.command.intent, Intent::EditCalendar(_));
                ensure!(edit && !self.is_done(), "{request:?} is told that all is as it is");
                Ok(())
            }
            Answer::Replay { booking, seq } => {
                let row = self.key_row().ok_or(format!("{request:?} has no key"))?;
                let same = (row.used.booking, row.used.seq) == (*booking, *seq);
                ensure!(same && self.is_ours(row), "{answer:?} is told for {row:?}");
                Ok(())
            }
            Answer::Unchanged(booking) => {
                let mut versions = self.ledger.versions(booking.id, request.asked_at, self.now);
                let so = versions.any(|version| *version == **booking);
                ensure!(so, "{request:?} is told {booking:?}, which was not so");
                Ok(())
            }
            Answer::Refused(refusal) => self.check_refusal(refusal),
            Answer::Failed => {
                let poisoned = self.store.poisoned.contains(&request.command.id);
                ensure!(poisoned, "{request:?} failed and was not at fault");
                Ok(())
            }
            Answer::Full => {
                let was_full = self.store.was_full_at.is_some_and(|at| request.asked_at <= at);
                ensure!(was_full, "{request:?} is told that there was no room");
                Ok(())
            }
            Answer::TooLate => {
                ensure!(request.deadline <= self.now, "{request:?} was given up early");
                Ok(())
            }
            Answer::Missing => Err(format!("{request:?} was told that there is no property")),
        }
    }

    /// Whether the command's event is durable.
    pub(crate) fn is_done(&self) -> bool {
        self.ledger.commands.contains_key(&self.request.command.id)
    }

    fn check_edited(&self, seq: Seq) -> Checked {
        let id = self.request.command.id;
        let at = self.ledger.commands.get(&id);
        ensure!(at == Some(&seq), "{id} is told {seq}, it is durable as {at:?}");
        ensure!(seq <= self.told.published, "{seq} is told before it can be read");
        Ok(())
    }

    fn check_done(&self, booking: &Booking, seq: Seq) -> Checked {
        let id = self.request.command.id;
        let at = self.ledger.commands.get(&id);
        ensure!(at == Some(&seq), "{id} is told {seq}, it is durable as {at:?}");
        ensure!(seq <= self.told.published, "{seq} is told before it can be read");
        let so = self.ledger.bookings.get(&booking.id).into_iter().flatten();
        let so = so.map(|version| &version.booking).any(|version| version == booking);
        ensure!(so, "{booking:?} is told and was never so");
        // What is settled outside is never pending.
        let beside =
            self.ledger.pending_beside(booking, seq).filter(|_| self.store.one_pending_each);
        let is_new = matches!(self.request.command.intent, Intent::Book { offline: false, .. });
        ensure!(!is_new || beside.is_none(), "{booking:?} is pending beside {beside:?}");
        if self.request.command.key.is_some() {
            let row = self.key_row().ok_or(format!("{seq} was done without its key"))?;
            // A key that is a day old may stand for something else by now.
            let is_old = self.now.since(self.request.asked_at) >= KEY_TTL;
            let so = row.used.seq == seq && self.is_ours(row);
            ensure!(so || is_old, "{seq} was done under {row:?}");
        }
        Ok(())
    }

    fn check_refusal(&self, refusal: &Refusal) -> Checked {
        let request = self.request;
        let explained = match (refusal, &request.command.intent) {
            (Refusal::KeyReused, _) => self.key_row().is_some_and(|row| !self.is_ours(row)),
            (
                Refusal::Unavailable { reasons, .. },
                Intent::Book { stay, guests, .. } | Intent::Change { stay, guests, .. },
            ) => self.explains(reasons, *stay, *guests),
            (Refusal::Unavailable { .. }, _) => request.guarded,
            (Refusal::PendingHere(hold), Intent::Book { guest, .. }) => {
                let mut met = self.ledger.versions(hold.booking, request.asked_at, self.now);
                let is_theirs = |booking: &Booking| {
                    booking.guest == *guest && booking.status.expires_at() == Some(hold.until)
                };
                self.store.one_pending_each && request.asked_at < hold.until && met.any(is_theirs)
            }
            (Refusal::Stale, Intent::Edit(edit)) => {
                self.store.tables[request.property].property_seq != edit.seen
            }
            (Refusal::Stale, Intent::Change { booking, seen, .. }) => {
                let mut met = self.ledger.versions(*booking, request.asked_at, self.now);
                met.any(|version| version.version != *seen)
            }
            (Refusal::LiveBookings(bookings), Intent::EditCalendar(edit)) => {
                let nights = || edit.blocks.iter().flat_map(|(block, _)| block.nights.each_night());
                let is_in_the_way = |id: &domain::BookingId| {
                    let met = self.ledger.versions(*id, request.asked_at, self.now);
                    met.flat_map(nights_of).any(|(held, _)| nights().any(|night| night == held))
                };
                !edit.around && !bookings.is_empty() && bookings.iter().all(is_in_the_way)
            }
            (Refusal::UnknownBlock(id), Intent::EditCalendar(edit)) => edit.unblock.contains(id),
            (Refusal::KnownBlock(id), Intent::EditCalendar(_)) => {
                request.resent && self.ledger.had_block(*id)
            }
            (
                Refusal::OwnProperty
                | Refusal::QuoteExpired
                | Refusal::Stale
                | Refusal::Listing { .. }
                | Refusal::LiveBookings(_)
                | Refusal::UnknownBlock(_)
                | Refusal::KnownBlock(_)
                | Refusal::TooManyBlocks
                | Refusal::PendingHere(_)
                | Refusal::TooManyPending(_),
                _,
            ) => false,
            (Refusal::UnknownBooking | Refusal::Illegal(_), intent) => self.was_illegal(intent),
        };
        ensure!(explained, "{request:?} is refused without a cause: {refusal:?}");
        Ok(())
    }

    /// Every reason names nights of the stay, and each of them was held while the caller waited.
    /// The second guard knows only that one of the nights was; when it stands in for the actor's
    /// own check, it may even speak of a booking that was rolled back with the same turn.
    fn explains(&self, reasons: &[Reason], stay: Stay, guests: u16) -> bool {
        let property = &self.store.tables[self.request.property].property;
        let day = crate::plan::MICROS_A_DAY;
        let arrival = i64::from(stay.check_in().days()) * day;
        // Who asks the host may do so until 15:00 on the day of arrival, others until its end.
        let until = arrival + if property.instant_book { day } else { day * 15 / 24 };
        let holds = |reason: &Reason| {
            let inside =
                reason.nights.iter().all(|n| stay.check_in() <= *n && *n < stay.check_out());
            let mut nights = reason.nights.iter().map(|night| self.was_held(*night));
            let caused = match reason.code {
                // The properties here have no rules of these kinds.
                Code::PropertyUnlisted
                | Code::MinNights
                | Code::MaxNights
                | Code::AdvanceNotice
                | Code::BeyondWindow
                | Code::ClosedToArrival
                | Code::ClosedToDeparture
                | Code::Preparation => false,
                Code::InPast => until <= self.now.as_micros(),
                Code::TooManyGuests => guests > property.max_guests,
                Code::UnavailableBooked if self.request.guarded => {
                    nights.any(|held| held) || self.store.switches.has(Bug::NoOverlapCheck)
                }
                Code::UnavailableBooked | Code::UnavailableHeld => nights.all(|held| held),
                Code::UnavailableBlocked => reason.nights.iter().all(|n| self.was_blocked(*n)),
            };
            inside && caused && !reason.nights.is_empty()
        };
        !reasons.is_empty() && reasons.iter().all(holds)
    }

    fn was_blocked(&self, night: domain::Night) -> bool {
        self.ledger.was_blocked(night, self.request.asked_at, self.now)
    }

    fn was_held(&self, night: domain::Night) -> bool {
        let request = self.request;
        let Some(not) = request.command.intent.booking() else { return false };
        let by_hand = self.store.tables[request.property].occupied.get(&night);
        by_hand == Some(&crate::store::tamperer())
            || self.ledger.was_held(night, not, request.asked_at, self.now)
    }

    /// Whether a booking did not exist or did not allow this at a moment while the caller waited.
    fn was_illegal(&self, intent: &Intent) -> bool {
        let asked = self.request.asked_at;
        let Some(id) = intent.booking() else { return false };
        !self.ledger.was_known(id, asked)
            || self
                .ledger
                .versions(id, asked, self.now)
                .any(|booking| !self.allows(booking, intent))
    }

    fn allows(&self, booking: &Booking, intent: &Intent) -> bool {
        let status = booking.status;
        let pending = status.awaiting().is_some();
        match intent {
            Intent::Book { .. } | Intent::Edit(_) | Intent::EditCalendar(_) => true,
            Intent::CancelAsHost { .. } => status.is_live(),
            Intent::Change { stay, .. } => {
                let open = pending && status.awaiting() != Some(Awaiting::Release);
                let total = i64::from(stay.nights()) * self.price();
                let costs_more =
                    pending && booking.paid > 0 && total > booking.paid - booking.refunded;
                let has_begun = self.now >= booking.check_in_at;
                (open || status == Status::Confirmed)
                    && !(booking.has_live_attempt() || costs_more || has_begun)
            }
            Intent::StartAttempt { .. } => {
                let open = status.awaiting() != Some(Awaiting::Release) && booking.paid == 0;
                let asked = booking.request.as_ref().is_some_and(|request| !request.releasing);
                asked
                    || ((pending || booking.request.is_some()) && booking.has_live_attempt())
                    || (pending && open)
            }
            Intent::Step { step, .. } => match step {
                Step::Pay { amount, payment, .. } if booking.request.is_some() => {
                    let open = booking.attempt.filter(|attempt| attempt.live);
                    *amount == booking.due() && open.is_some_and(|open| open.payment == *payment)
                }
                Step::Pay { amount, .. } if *amount != booking.total || booking.paid > 0 => false,
                Step::Pay { .. } => pending || self.allows_late_pay(booking),
                Step::Cancel { .. } => status.is_live(),
                Step::Accept { .. } | Step::Decline => status.awaiting() == Some(Awaiting::Host),
                // What ended for good is nothing that a property remembers.
                Step::EndAttempt { .. } => match status {
                    Status::Canceled | Status::Declined => false,
                    Status::Expired => booking.attempt.is_some(),
                    _ => true,
                },
                _ => true,
            },
        }
    }

    fn price(&self) -> i64 {
        self.store.tables[self.request.property].property.price_per_night
    }

    fn allows_late_pay(&self, booking: &Booking) -> bool {
        booking.status == Status::Expired
            && booking.attempt.is_some()
            && self.now < booking.check_in_at
            && !booking.stay.each_night().any(|n| self.was_held(n) || self.was_blocked(n))
    }

    fn key_row(&self) -> Option<&KeyRow> {
        let key = self.request.command.key.as_ref()?;
        self.store.keys.get(&(key.caller, std::sync::Arc::clone(&key.text)))
    }

    /// Whether the key stands for this very request.
    fn is_ours(&self, row: &KeyRow) -> bool {
        let property = self.store.tables[self.request.property].property.id;
        let request = self.request.command.key.as_ref().map(|key| key.request);
        row.property == property && request == Some(row.used.key.request)
    }
}
