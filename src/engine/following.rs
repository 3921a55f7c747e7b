//! Following calendars and bookings as they change: who may, and what a follower missed.

use super::calendars::{CalendarView, decoded, ownership};
use super::{Engine, Error};
use crate::auth::Caller;
use crate::auth::policy::{Action, allow};
use crate::auth::tokens::{Claims, TokenError};
use crate::feed::{Channel, Delta, REMEMBERED, Side};
use crate::store::accounts::Role;
use domain::event::Seq;
use domain::{Property, PropertyId};
use std::sync::Arc;

/// A calendar for somebody who begins to follow it.
pub struct Followed {
    pub view: CalendarView,
    /// Nothing where it needs the calendar itself, because it stands nowhere, elsewhere, or too far
    /// back.
    pub missed: Option<Missed>,
}

/// What somebody missed who followed a calendar before.
pub struct Missed {
    /// The event that the deltas lead to. The calendar may be newer already than what its channel
    /// has told: what is between will be told.
    pub to: Seq,
    /// Every delta since the event where the follower stands.
    pub deltas: Vec<Arc<Delta>>,
}

impl Engine {
    /// Whose access token this is, as long as it is good and its session has not ended.
    pub fn claims(&self, token: &str) -> Result<Claims, TokenError> {
        let claims = self.tokens.verify(token, self.clock.now())?;
        if self.ended.contains(claims.session) { Err(TokenError::Ended) } else { Ok(claims) }
    }

    /// What somebody who has subscribed to a channel begins with. `after` is the event where they
    /// stand, with the name of the history that it belongs to.
    pub async fn follow(
        &self,
        caller: Option<&Caller>,
        (property, channel): (PropertyId, &Channel),
        after: Option<(&str, Seq)>,
    ) -> Result<Followed, Error> {
        let mut view = self.calendar(caller, property).await?;
        if !channel.reaches(view.snapshot.head.seq) {
            // The actor is about to show what it has told of another node's commits.
            let settled = self.registry.settled(property).await?;
            view = self.view(caller, settled.ok_or(Error::NotFound)?)?;
        }
        let head = view.snapshot.head.seq;
        let missed = match after {
            Some((epoch, seq)) if epoch == self.epoch && (1..=head).contains(&seq) => {
                self.missed(property, channel, seq, head).await?.map(|missed| (seq, missed))
            }
            _ => None,
        };
        let missed = missed.map(|(after, deltas)| {
            let to = deltas.last().map_or(after, |last| last.seq);
            Missed { to, deltas }
        });
        Ok(Followed { view, missed })
    }

    /// From what the channel remembers, which is filled up from the store where it does not reach
    /// back far enough: the next who comes back after a restart finds it there.
    async fn missed(
        &self,
        property: PropertyId,
        channel: &Channel,
        after: Seq,
        head: Seq,
    ) -> Result<Option<Vec<Arc<Delta>>>, Error> {
        let remembered = Seq::try_from(REMEMBERED).unwrap_or(Seq::MAX);
        if let Some(missed) = channel.after(after) {
            return Ok(Some(missed));
        }
        if head - after > remembered {
            return Ok(None);
        }
        let limit = u32::try_from(head - after).unwrap_or(u32::MAX);
        let stored = self.store.events(property, after, limit).await?;
        // A newer version of this server may have written what cannot be read here.
        let events = stored.iter().map(decoded).collect::<Result<Vec<_>, _>>();
        let Ok(events) = events.inspect_err(|error| tracing::error!(%property, %error, "unread"))
        else {
            return Ok(None);
        };
        channel.remember(&events);
        Ok(channel.after(after))
    }

    /// Whether somebody may go on following a property as it is now.
    pub fn may_follow(&self, caller: Option<&Caller>, property: &Property) -> bool {
        allow(Action::ReadCalendar, caller, ownership(caller, property)).is_ok()
    }

    /// Whether somebody has bookings to follow on this side.
    pub fn may_follow_bookings(&self, caller: &Caller, side: Side) -> bool {
        side == Side::Guest || caller.role != Role::Guest
    }
}
