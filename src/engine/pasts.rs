//! Calendars as they were: a property's events taken in from the first one on, up to the one that
//! is meant.
//!
//! There are no stored states to begin at, so a past costs as much as it is long: one pass over the
//! events before it, a page of 200 in memory at a time. Decoding an event and taking it in costs 4
//! microseconds of a processor, besides reading it (docs/performance.md), so commands wait less than
//! a millisecond for a page. A node tells two pasts at once, and at most 64 callers are served or
//! wait: beyond that the answer is [`Busy::Full`].

use super::calendars::{decoded, ownership};
use super::{Engine, Error};
use crate::actors::Busy;
use crate::auth::Caller;
use crate::auth::policy::{Action, allow};
use domain::event::{Event, Seq};
use domain::past::{Gap, Past};
use domain::state::NO_SEQ;
use domain::{Instant, PropertyId};
use tokio::sync::Semaphore;

/// Which moment of a property's past is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After this event.
    Seq(Seq),
    /// At this time: before the first event that was decided later. Where the clocks of two nodes
    /// differ, events may stand in another order than their times.
    At(Instant),
}

impl Moment {
    fn is_before(self, event: &Event) -> bool {
        match self {
            Self::Seq(seq) => seq < event.seq,
            Self::At(at) => at < event.at,
        }
    }
}

/// A calendar as it was.
#[derive(Clone, Debug)]
pub struct PastView {
    pub epoch: String,
    pub past: Past,
    /// The moment that was meant: the time that was asked for, or that of the event.
    pub at: Instant,
    /// Whether the caller may know why nights were closed.
    pub with_reasons: bool,
}

/// How many pasts are told at once.
const AT_ONCE: usize = 2;
/// How many callers may be served or wait.
const MAX_WAITING: usize = 64;
/// The events that are read at once.
const PAGE: u32 = 200;

/// The turns of those who ask for pasts.
#[derive(Debug)]
pub struct Pasts {
    admitted: Semaphore,
    turns: Semaphore,
}

impl Default for Pasts {
    fn default() -> Self {
        Self { admitted: Semaphore::new(MAX_WAITING), turns: Semaphore::new(AT_ONCE) }
    }
}

impl Engine {
    /// A property's calendar at a moment that has come. Rights are judged by what the property is
    /// now.
    pub async fn calendar_as_of(
        &self,
        caller: Option<&Caller>,
        property: PropertyId,
        moment: Moment,
    ) -> Result<PastView, Error> {
        let row = self.store.property(property).await?.ok_or(Error::NotFound)?;
        let ownership = ownership(caller, &row.property);
        allow(Action::ReadCalendar, caller, ownership)?;
        let refused = |detail| Err(Error::field("/as_of", detail));
        match moment {
            Moment::At(at) if self.clock.now() < at => return refused("must not be in the future"),
            Moment::Seq(seq) if self.store.event(property, seq).await?.is_none() => {
                return refused("must be the number of an event that has happened here");
            }
            _ => {}
        }
        let _admitted = self.pasts.admitted.try_acquire().map_err(|_| Busy::Full)?;
        let _turn = self.pasts.turns.acquire().await.map_err(|_| Busy::Full)?;
        let Some(past) = self.past(property, moment).await? else {
            return refused("must not be before the property came to be");
        };
        let at = match moment {
            Moment::Seq(_) => past.at(),
            Moment::At(at) => at,
        };
        let with_reasons = allow(Action::ReadAudit, caller, ownership).is_ok();
        Ok(PastView { epoch: self.epoch.clone(), past, at, with_reasons })
    }

    /// What events had made of the property at that moment; nothing where there was none yet.
    async fn past(&self, property: PropertyId, moment: Moment) -> Result<Option<Past>, Error> {
        let mut past: Option<Past> = None;
        loop {
            let last = past.as_ref().map_or(NO_SEQ, Past::seq);
            let page = self.store.events(property, last, PAGE).await?;
            for stored in &page {
                let event = decoded(stored)?;
                if moment.is_before(&event) {
                    return Ok(past);
                }
                match &mut past {
                    None => past = Some(Past::begin(&event, stored.hash)?),
                    Some(past) => past.then(&event, stored.hash)?,
                }
            }
            if page.len() < PAGE as usize {
                return Ok(past);
            }
        }
    }
}

impl From<Gap> for Error {
    fn from(_: Gap) -> Self {
        Self::Fault("an event of a property is missing")
    }
}
