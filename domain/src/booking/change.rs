//! Other dates and guests of a booking: taken at once, or kept until what they cost more is paid.

use super::{Booking, Cause, Illegal, Stepped};
use crate::price::Price;
use crate::{Awaiting, Instant, Status, Stay};
use std::time::Duration;

/// The most payments of one booking. Who wants more of them cancels and books again.
pub const MAX_TAKINGS: usize = 16;

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

impl Booking {
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
        // What an offline booking costs is between guest and host.
        if !self.offline && (self.status == Status::Confirmed || self.paid > 0) {
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
    pub(super) fn take(self, change: Change) -> Self {
        let Change { stay, guests, price, hours: (check_in_at, check_out_at) } = change;
        let (total, request) = (price.total(), None);
        Self { stay, guests, total, price, check_in_at, check_out_at, request, ..self }
    }

    pub(super) fn on_request_deadline(
        mut self,
        release: Duration,
        now: Instant,
    ) -> Result<Stepped, Illegal> {
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

    /// Forgets the change that nobody paid for; what is paid for it later goes back.
    pub(super) fn drop_request(mut self) -> Stepped {
        self.request = None;
        self.close_attempt();
        self.to(Cause::ChangeDropped, Status::Confirmed)
    }
}
