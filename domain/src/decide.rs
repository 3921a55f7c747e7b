//! The decision: a property's state, a command and the time give events or a refusal.
//!
//! It is one synchronous function of its arguments. Nothing is awaited and nothing is read between
//! looking at the state and changing it, which is why two bookings cannot overlap.

use crate::booking::{Attempt, Booking, Cause, Change, Illegal, Step, Stepped};
use crate::command::{Command, Intent};
use crate::edit::{Before, CalendarEdit, block_instead};
use crate::event::Seq;
use crate::group::{CalendarRows, Group, Incarnation};
use crate::keys::KEY_TTL;
use crate::property::{Edit, Listing};
use crate::quote::Quote;
use crate::refusal::{self, Ground, Hold, Refusal};
use crate::state::{Draft, State};
use crate::switches::Bug;
use crate::{Awaiting, BookingId, Instant, Price, Status, Stay, UserId};
use std::sync::Arc;
use std::time::Duration;

/// How long a host may think about a request.
const HOST_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// What was decided.
#[derive(Debug)]
pub enum Verdict {
    /// The state has changed; this must be written before anybody hears of it.
    Write(Box<Group>),
    /// It is so already: the booking as it stands.
    Unchanged(Arc<Booking>),
    /// The calendar is as the edit wants it already.
    NothingToEdit,
    /// The same key was used for the same request: the booking as of that event answers.
    Replay { booking: BookingId, seq: Seq },
    /// No, and why.
    Refused(Refusal),
}

impl State {
    /// Decides one command. Deadlines that have passed must have been enforced before.
    pub fn decide(&mut self, command: &Command, incarnation: Incarnation, now: Instant) -> Verdict {
        if let Some(answer) = self.known_key(command, now) {
            return answer;
        }
        let stepped = match &command.intent {
            Intent::Book { booking, guest, stay, guests, quote, no_room, offline } => {
                if let Some(made) = self.booking(*booking) {
                    return Verdict::Unchanged(Arc::new(made.clone()));
                }
                if !offline && let Some(refusal) = self.hoarding(*guest, no_room.as_deref(), now) {
                    return Verdict::Refused(refusal);
                }
                let whose = (*booking, *guest, *offline);
                match self.book(whose, *stay, *guests, quote.as_deref(), now) {
                    Ok(booking) if booking.status == Status::Confirmed => {
                        Stepped::To(Cause::Confirmed, booking)
                    }
                    Ok(booking) => Stepped::To(Cause::Held, booking),
                    Err(refusal) => return Verdict::Refused(refusal),
                }
            }
            Intent::StartAttempt { booking, payment, .. } => {
                match self.step(*booking, Step::StartAttempt { payment: *payment }, now) {
                    Ok(stepped) => stepped,
                    Err(refusal) => return Verdict::Refused(refusal),
                }
            }
            Intent::Change { booking, seen, stay, guests } => {
                match self.change((*booking, *seen), *stay, *guests, now) {
                    Ok(stepped) => stepped,
                    Err(refusal) => return Verdict::Refused(refusal),
                }
            }
            Intent::CancelAsHost { booking, reopen } => {
                let was = self.booking(*booking).map(|booking| booking.status);
                match self.step(*booking, Step::Cancel { by_guest: false }, now) {
                    Ok(Stepped::To(cause, after)) if was == Some(Status::Confirmed) && !reopen => {
                        let today = self.property.today(now);
                        let mut draft = Draft::of(command, cause, after, now);
                        draft.block = block_instead(&draft.after, today);
                        return Verdict::Write(Box::new(self.seal(draft, incarnation, now)));
                    }
                    Ok(stepped) => stepped,
                    Err(refusal) => return Verdict::Refused(refusal),
                }
            }
            Intent::Step { booking, step } => match self.step(*booking, *step, now) {
                Ok(stepped) => stepped,
                Err(refusal) => return Verdict::Refused(refusal),
            },
            Intent::Edit(edit) => {
                return match self.may_edit(edit) {
                    Ok(()) => {
                        Verdict::Write(Box::new(self.seal_edit(command, edit, incarnation, now)))
                    }
                    Err(refusal) => Verdict::Refused(refusal),
                };
            }
            Intent::EditCalendar(edit) => {
                return self.edit_calendar(command, edit, incarnation, now);
            }
        };
        match stepped {
            Stepped::Already(booking) => Verdict::Unchanged(Arc::new(booking)),
            Stepped::To(cause, after) => {
                let draft = Draft::of(command, cause, after, now);
                Verdict::Write(Box::new(self.seal(draft, incarnation, now)))
            }
        }
    }

    /// Lays an edit over the calendar, or says why it cannot be.
    fn edit_calendar(
        &mut self,
        command: &Command,
        edit: &CalendarEdit,
        incarnation: Incarnation,
        now: Instant,
    ) -> Verdict {
        let archived = Listing::Archived;
        if self.property.listing == archived {
            return Verdict::Refused(Refusal::Listing { from: archived, to: archived });
        }
        if edit.seen.is_some_and(|seen| seen != self.head.seq) {
            return Verdict::Refused(Refusal::Stale);
        }
        let before = Before {
            overrides: &self.overrides,
            blocks: &self.blocks,
            calendar: &self.calendar,
            now,
        };
        let edited = match edit.lay_over(&before) {
            Ok(edited) => edited,
            Err(refusal) => return Verdict::Refused(refusal),
        };
        if edited.is_empty() {
            return Verdict::NothingToEdit;
        }
        let notes = edit.notes(&edited);
        let rows = CalendarRows { edited, notes };
        Verdict::Write(Box::new(self.seal_calendar(command, rows, incarnation, now)))
    }

    /// Ends or moves on the booking whose deadline passed first; `None` when none has. Each is a
    /// group of its own, in front of whatever is decided next.
    pub fn enforce_deadline(&mut self, incarnation: Incarnation, now: Instant) -> Option<Group> {
        loop {
            let booking = self.booking(self.overdue(now)?)?.clone();
            let release = self.settings.release_ttl;
            if self.settings.switches.has(Bug::NoSeqOnExpiry)
                && matches!(booking.status, Status::Pending { .. })
            {
                self.drop_silently(booking);
                continue;
            }
            let Ok(Stepped::To(cause, after)) = booking.step(Step::Deadline { release }, now)
            else {
                return None;
            };
            return Some(self.seal(Draft::by_clock(cause, after), incarnation, now));
        }
    }

    /// The price of a stay that could be booked at this moment; nothing where it could not. It is
    /// judged as a booking is, with the deadlines enforced that have passed.
    pub fn offer(&mut self, stay: Stay, guests: u16, now: Instant) -> Option<Price> {
        while self.enforce_deadline(Incarnation::default(), now).is_some() {}
        let possible = self.ground(now).is_possible(stay, guests);
        possible.then(|| self.property.price(&self.overrides, stay, guests, None))
    }

    /// What a key stands for, unless it is so old that other processes have forgotten it.
    fn known_key(&self, command: &Command, now: Instant) -> Option<Verdict> {
        let key = command.key.as_ref()?;
        let used = self.key(key.caller, &key.text)?;
        if now.since(used.at) > KEY_TTL {
            return None;
        }
        Some(if used.key.request == key.request {
            Verdict::Replay { booking: used.booking, seq: used.seq }
        } else {
            Verdict::Refused(Refusal::KeyReused)
        })
    }

    /// Why a guest may not hold anything more, whatever it is.
    fn hoarding(&self, guest: UserId, no_room: Option<&[Hold]>, now: Instant) -> Option<Refusal> {
        let here = self.settings.one_pending_each.then(|| self.hold_of(guest, now)).flatten();
        let everywhere = || no_room.map(|holds| Refusal::TooManyPending(holds.to_vec()));
        here.map(Refusal::PendingHere).or_else(everywhere)
    }

    fn book(
        &self,
        (id, guest, offline): (BookingId, UserId, bool),
        stay: Stay,
        guests: u16,
        quote: Option<&Quote>,
        now: Instant,
    ) -> Result<Booking, Refusal> {
        let property = &*self.property;
        if guest == property.host && !offline {
            return Err(Refusal::OwnProperty);
        }
        if let Some(refusal) = self.unavailable(&self.ground(now), stay, guests) {
            return Err(refusal);
        }
        let (check_in_at, check_out_at) = property.hours(stay);
        if quote.is_some_and(|quote| !quote.holds(stay, guests, now)) {
            return Err(Refusal::QuoteExpired);
        }
        let priced = || property.price(&self.overrides, stay, guests, None);
        let price = quote.map_or_else(priced, |quote| quote.price.clone());
        let total = price.total();
        let status = if offline {
            Status::Confirmed
        } else if !property.instant_book {
            let expires_at = now.plus(HOST_TTL).min(check_in_at);
            Status::Pending { awaiting: Awaiting::Host, expires_at }
        } else if total == 0 {
            // Nothing is due, so there is nothing to wait for.
            Status::Confirmed
        } else {
            let expires_at = now.plus(self.settings.hold_ttl);
            Status::Pending { awaiting: Awaiting::Payment, expires_at }
        };
        Ok(Booking {
            id,
            guest,
            stay,
            guests,
            status,
            price,
            total,
            currency: quote.map_or(property.currency, |quote| quote.currency),
            quote: quote.map(|quote| quote.id),
            attempt: None::<Attempt>,
            takings: Vec::new(),
            offline,
            paid: 0,
            refunded: 0,
            policy: quote.map_or(property.policy, |quote| quote.policy),
            request: None,
            version: 1,
            created_at: now,
            confirmed_at: (status == Status::Confirmed).then_some(now),
            check_in_at,
            check_out_at,
        })
    }

    /// Other dates or guests of a booking. Nights that it has keep their price, and rules that it
    /// was made under are not judged again where it keeps to them.
    fn change(
        &self,
        (id, seen): (BookingId, u32),
        stay: Stay,
        guests: u16,
        now: Instant,
    ) -> Result<Stepped, Refusal> {
        let booking = self.booking(id).ok_or(Refusal::UnknownBooking)?;
        if booking.version != seen {
            return Err(Refusal::Stale);
        }
        let property = &*self.property;
        let price = property.price(&self.overrides, stay, guests, Some(&booking.price));
        let change = Change { stay, guests, price, hours: property.hours(stay) };
        let stepped = booking
            .clone()
            .change(change, self.settings.hold_ttl, now)
            .map_err(Refusal::Illegal)?;
        let ground = self.ground(now).keeping(id, booking.stay);
        match (&stepped, self.unavailable(&ground, stay, guests)) {
            (Stepped::To(..), Some(refusal)) => Err(refusal),
            _ => Ok(stepped),
        }
    }

    fn ground(&self, now: Instant) -> Ground<'_> {
        Ground::new(&self.property, &self.overrides, &self.calendar, now)
    }

    /// Why this stay cannot be had, if it cannot.
    fn unavailable(&self, ground: &Ground<'_>, stay: Stay, guests: u16) -> Option<Refusal> {
        let probe = if self.settings.switches.has(Bug::OverlapClosed) {
            Stay::new(stay.check_in(), stay.check_out().plus(1)).unwrap_or(stay)
        } else {
            stay
        };
        let mut reasons = ground.reasons(probe, guests);
        if self.settings.switches.has(Bug::NoOverlapCheck) {
            reasons.retain(|reason| {
                !matches!(
                    reason.code,
                    refusal::Code::UnavailableBooked | refusal::Code::UnavailableHeld
                )
            });
        }
        if reasons.is_empty() {
            return None;
        }
        let alternatives = ground.alternatives(stay, guests);
        Some(Refusal::Unavailable { reasons, alternatives })
    }

    /// Whether the property may be so from now on. What bookings were made under (zone and
    /// currency) stays while any of them is live, and so does the property itself.
    fn may_edit(&self, edit: &Edit) -> Result<(), Refusal> {
        let (was, is) = (&*self.property, &edit.facts);
        if edit.seen != self.property_seq {
            return Err(Refusal::Stale);
        }
        if !was.listing.may_become(is.listing) {
            return Err(Refusal::Listing { from: was.listing, to: is.listing });
        }
        let holds =
            is.listing == Listing::Archived || is.zone != was.zone || is.currency != was.currency;
        let live = if holds { self.live_bookings() } else { Vec::new() };
        if live.is_empty() { Ok(()) } else { Err(Refusal::LiveBookings(live)) }
    }

    fn step(&self, id: BookingId, step: Step, now: Instant) -> Result<Stepped, Refusal> {
        let booking = self.booking(id).ok_or(Refusal::UnknownBooking)?;
        let reclaims = booking.status == Status::Expired && matches!(step, Step::Pay { .. });
        let stepped = booking.clone().step(step, now).map_err(Refusal::Illegal)?;
        if reclaims
            && matches!(stepped, Stepped::To(..))
            && !self.calendar.is_free(booking.stay, now)
        {
            return Err(Refusal::Illegal(Illegal::Status(booking.status)));
        }
        Ok(stepped)
    }
}
