//! One booking: made, read, listed and given up.

use super::hoarding::Room;
use super::{Engine, Error};
use crate::actors::Urgency;
use crate::auth::Caller;
use crate::auth::policy::{Action, Ownership, allow};
use crate::feed::Side;
use crate::store::StoreError;
use crate::store::accounts::Role;
use crate::store::bookings::BookingFilter;
use domain::booking::{Booking, Illegal, Step};
use domain::command::{Command, Intent, Key};
use domain::event::{By, Fact, Seq};
use domain::pipeline::property::Answer;
use domain::property::Listing;
use domain::refusal::Refusal;
use domain::{BookingId, Instant, PropertyId, QuoteId, Status, Stay, codec};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

/// What a guest asks for.
#[derive(Clone, Copy, Debug)]
pub struct BookingRequest {
    pub property: PropertyId,
    pub stay: Stay,
    pub guests: u16,
    /// The quote whose price is to be honoured.
    pub quote: Option<QuoteId>,
    /// Whether it is settled outside, which is for hosts and admins.
    pub offline: bool,
}

/// What a host says of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Accept,
    Decline,
    /// Nobody came; what was paid stays with the host, unless that is waived.
    NoShow {
        waive: bool,
    },
}

/// A booking after a request.
#[derive(Clone, Debug)]
pub struct Made {
    pub property: PropertyId,
    pub booking: Booking,
    /// Whether the answer repeats that of an earlier request with the same key.
    pub replayed: bool,
}

impl Engine {
    /// Books a stay for the caller. One that is settled outside stands at once and counts among
    /// nobody's pending bookings.
    pub async fn book(
        &self,
        caller: &Caller,
        request: BookingRequest,
        key: Option<Arc<str>>,
    ) -> Result<Made, Error> {
        self.may_book(caller, request).await?;
        let BookingRequest { property, stay, guests, quote, offline } = request;
        let quote = match quote {
            None => None,
            Some(id) => {
                let row = self.quote(Some(caller), id).await.map_err(|error| match error {
                    Error::NotFound => Error::field("/quote_id", "is no quote of yours"),
                    error => error,
                })?;
                let fits = (row.property, row.quote.stay, row.quote.guests);
                if fits != (property, stay, guests) {
                    return Err(Error::field("/quote_id", "is for another stay"));
                }
                Some(Arc::new(row.quote))
            }
        };
        let booking = self.ids.booking(property);
        let of_quote = quote.as_ref().map(|quote| format!(" {}", quote.id)).unwrap_or_default();
        let settled = if offline { " offline" } else { "" };
        let words = format!("book {property} {stay} {guests}{of_quote}{settled}");
        let room = if offline {
            Room::Unlimited
        } else {
            self.room(caller.id, booking, key.as_ref()).await?
        };
        let (place, no_room) = match room {
            Room::Unlimited => (None, None),
            Room::Taken(place) => (Some(place), None),
            Room::Full(holds) => (None, Some(holds)),
        };
        let guest = caller.id;
        let intent = Intent::Book { booking, guest, stay, guests, quote, no_room, offline };
        let command = self.command(caller, intent, key, &words);
        let Some(place) = place else {
            return self.carry_out(property, command, Urgency::Ordinary).await;
        };
        // Who goes away before the answer has not given up the place.
        let registry = self.registry.clone();
        let submitted = tokio::spawn(async move {
            let answer = registry.submit(property, command, Urgency::Ordinary).await;
            drop(place);
            answer
        });
        let answer = submitted.await.map_err(|_| Error::Fault("a booking was not waited for"))?;
        self.made(property, answer?).await
    }

    async fn may_book(&self, caller: &Caller, request: BookingRequest) -> Result<(), Error> {
        if !request.offline {
            return Ok(allow(Action::Book, Some(caller), Ownership::Foreign)?);
        }
        let row = self.store.property(request.property).await?.ok_or(Error::NotFound)?.property;
        let listed = row.listing == Listing::Listed;
        let ownership = Ownership::of_property(Some(caller), row.host, listed);
        Ok(allow(Action::BookOffline, Some(caller), ownership)?)
    }

    /// A booking that the caller may see.
    pub async fn booking(&self, caller: &Caller, id: BookingId) -> Result<Made, Error> {
        let (property, booking) = self.store.booking(id).await?.ok_or(Error::NotFound)?;
        let ownership = self.booking_ownership(caller, property, &booking).await?;
        allow(Action::ReadBooking, Some(caller), ownership)?;
        Ok(Made { property, booking, replayed: false })
    }

    /// The bookings that the caller made, or those of the caller's properties, so far as the filter
    /// lets them through, newest first, after a place in the list.
    pub async fn bookings(
        &self,
        caller: &Caller,
        side: Side,
        filter: BookingFilter,
        after: Option<(Instant, Uuid)>,
        limit: usize,
    ) -> Result<Vec<(PropertyId, Booking)>, Error> {
        allow(Action::ListBookings, Some(caller), Ownership::Unowned)?;
        let after = after.map(|(at, id)| (at, BookingId(id)));
        let limit = super::rows(limit);
        Ok(match side {
            Side::Guest => self.store.bookings_of_guest(caller.id, filter, after, limit).await?,
            Side::Host => self.store.bookings_of_host(caller.id, filter, after, limit).await?,
        })
    }

    /// A booking as a cancellation by the caller would leave it at this moment. Nothing happens.
    pub async fn preview_cancellation(
        &self,
        caller: &Caller,
        id: BookingId,
    ) -> Result<Booking, Error> {
        let (property, booking) = self.store.booking(id).await?.ok_or(Error::NotFound)?;
        let ownership = self.booking_ownership(caller, property, &booking).await?;
        allow(Action::PreviewRefund, Some(caller), ownership)?;
        let canceled = booking.if_canceled(is_guest(caller, &booking), self.clock.now());
        canceled.map_err(|illegal| Refusal::Illegal(illegal).into())
    }

    /// A booking whose dates or guests the caller may change, as it is now.
    pub async fn booking_to_change(&self, caller: &Caller, id: BookingId) -> Result<Made, Error> {
        let (property, booking) = self.store.booking(id).await?.ok_or(Error::NotFound)?;
        let ownership = self.booking_ownership(caller, property, &booking).await?;
        allow(Action::ChangeBooking, Some(caller), ownership)?;
        Ok(Made { property, booking, replayed: false })
    }

    /// Gives a booking other dates or guests. `seen` is what the caller saw of it; where it has
    /// changed since, the answer is the refusal `Stale`.
    pub async fn change_booking(
        &self,
        caller: &Caller,
        seen: Made,
        stay: Stay,
        guests: u16,
    ) -> Result<Made, Error> {
        let Made { property, booking, .. } = seen;
        let intent = Intent::Change { booking: booking.id, seen: booking.version, stay, guests };
        let command = self.command(caller, intent, None, "");
        match self.carry_out(property, command, Urgency::Ordinary).await {
            Err(Error::Refused(refusal)) => self.ended(booking.id, refusal, None).await,
            answer => answer,
        }
    }

    /// Gives a booking up. One that is canceled already stays as it is. The nights of a confirmed
    /// booking that its host gives up stay blocked, unless they are to be open again; so do those of
    /// one that was made offline, whoever made it.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: BookingId,
        reopen: bool,
        key: Option<Arc<str>>,
    ) -> Result<Made, Error> {
        let (property, booking) = self.store.booking(id).await?.ok_or(Error::NotFound)?;
        let ownership = self.booking_ownership(caller, property, &booking).await?;
        allow(Action::CancelBooking, Some(caller), ownership)?;
        let by_guest = is_guest(caller, &booking);
        let intent = if by_guest {
            Intent::Step { booking: id, step: Step::Cancel { by_guest } }
        } else {
            Intent::CancelAsHost { booking: id, reopen }
        };
        let command = self.command(caller, intent, key, &format!("cancel {id} {reopen}"));
        match self.carry_out(property, command, Urgency::Urgent).await {
            Err(Error::Refused(refusal)) => self.ended(id, refusal, Some(Status::Canceled)).await,
            answer => answer,
        }
    }

    /// The host's word on a booking. A word that was given before changes nothing.
    pub async fn answer_booking(
        &self,
        caller: &Caller,
        id: BookingId,
        word: Word,
        key: Option<Arc<str>>,
    ) -> Result<Made, Error> {
        let (property, booking) = self.store.booking(id).await?.ok_or(Error::NotFound)?;
        let ownership = self.booking_ownership(caller, property, &booking).await?;
        allow(Action::AnswerBooking, Some(caller), ownership)?;
        let now = self.clock.now();
        let (step, wished) = match word {
            Word::Accept => {
                let pay_by = now.plus(self.registry.hold_ttl());
                (Step::Accept { pay_by }, Status::Confirmed)
            }
            Word::Decline => (Step::Decline, Status::Declined),
            Word::NoShow { waive } => {
                let row = self.store.property(property).await?.ok_or(Error::NotFound)?;
                let today = row.property.today(now);
                (Step::NoShow { today, waive }, Status::NoShow { free_from: today.plus(1) })
            }
        };
        let intent = Intent::Step { booking: id, step };
        let command = self.command(caller, intent, key, &format!("{word:?} {id}"));
        match self.carry_out(property, command, Urgency::Ordinary).await {
            Err(Error::Refused(refusal)) => self.ended(id, refusal, Some(wished)).await,
            answer => answer,
        }
    }

    /// A booking that ended is no business of its actor any more: the row says how it ended. One
    /// that ended as the caller wishes is the answer.
    pub(super) async fn ended(
        &self,
        id: BookingId,
        refusal: Refusal,
        wished: Option<Status>,
    ) -> Result<Made, Error> {
        if refusal != Refusal::UnknownBooking {
            return Err(Error::Refused(refusal));
        }
        let (property, booking) = self.store.booking(id).await?.ok_or(Error::NotFound)?;
        if wished.is_some_and(|wished| booking.status.name() == wished.name()) {
            return Ok(Made { property, booking, replayed: false });
        }
        Err(Error::Refused(Refusal::Illegal(Illegal::Status(booking.status))))
    }

    /// A command of this caller; `words` is what was asked, for the key to remember.
    pub(super) fn command(
        &self,
        caller: &Caller,
        intent: Intent,
        key: Option<Arc<str>>,
        words: &str,
    ) -> Command {
        let key = key.map(|text| Key {
            caller: caller.id,
            text,
            request: Sha256::digest(words.as_bytes()).into(),
        });
        Command { id: self.ids.fresh(), by: By::User(caller.id), key, intent }
    }

    /// Sends a command to its property and turns the answer into a booking.
    pub(super) async fn carry_out(
        &self,
        property: PropertyId,
        command: Command,
        urgency: Urgency,
    ) -> Result<Made, Error> {
        let answer = self.registry.submit(property, command, urgency).await?;
        self.made(property, answer).await
    }

    /// Turns an answer into a booking.
    async fn made(&self, property: PropertyId, answer: Answer) -> Result<Made, Error> {
        let made = |booking, replayed| Made { property, booking, replayed };
        match answer {
            Answer::Done { booking, .. } | Answer::Unchanged(booking) => {
                Ok(made(Arc::unwrap_or_clone(booking), false))
            }
            Answer::Replay { seq, .. } => Ok(made(self.booking_as_of(property, seq).await?, true)),
            Answer::Refused(refusal) => Err(Error::Refused(refusal)),
            Answer::Missing => Err(Error::NotFound),
            Answer::Full => Err(Error::Store(StoreError::Full)),
            Answer::Failed => Err(Error::Fault("the database refuses this command")),
            Answer::TooLate => Err(Error::Busy(crate::actors::Busy::TooLate)),
            Answer::Edited { .. } | Answer::AsItIs => {
                Err(Error::Fault("a booking was answered with an edit"))
            }
        }
    }

    /// The booking that an event tells of, as it was then.
    async fn booking_as_of(&self, property: PropertyId, seq: Seq) -> Result<Booking, Error> {
        const MISSING: Error = Error::Fault("a key names an event that is not there");
        let stored = self.store.event(property, seq).await?.ok_or(MISSING)?;
        match codec::decode(&stored.bytes).map(|event| event.fact) {
            Ok(Fact::Booking(_, booking)) => Ok(booking),
            _ => Err(MISSING),
        }
    }

    /// What the caller is to a booking; the host is asked for only where the caller could be it.
    pub(super) async fn booking_ownership(
        &self,
        caller: &Caller,
        property: PropertyId,
        booking: &Booking,
    ) -> Result<Ownership, Error> {
        if booking.guest == caller.id {
            return Ok(Ownership::Guest);
        }
        if caller.role == Role::Guest {
            return Ok(Ownership::Foreign);
        }
        let row = self.store.property(property).await?.ok_or(Error::NotFound)?;
        Ok(Ownership::of_booking(Some(caller), booking.guest, row.property.host))
    }
}

/// Whether the caller gives a booking up as its guest. Hosts and admins are no guests of what they
/// made offline.
fn is_guest(caller: &Caller, booking: &Booking) -> bool {
    booking.guest == caller.id && !booking.offline
}
