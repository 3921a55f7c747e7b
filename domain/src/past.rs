//! A property as it was: its events taken in one after the other, and which of them closed each
//! night that nobody can book.

use crate::block::{Block, Blocks};
use crate::booking::Cause;
use crate::event::{By, Event, EventHash, Fact, Head, Seq};
use crate::rules::Overrides;
use crate::snapshot::Snapshot;
use crate::state::{Settings, State, Stored, claim_difference};
use crate::{BlockId, Booking, Instant, Night, Stay};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A property after one of its events. It takes as much memory as the property's actor would, and
/// an entry for each night that was ever booked.
#[derive(Clone, Debug)]
pub struct Past {
    state: State,
    at: Instant,
    /// What booked each night last; nights that are open again keep their entry.
    nights: BTreeMap<Night, (Cause, Closing)>,
    blocks: BTreeMap<BlockId, Closing>,
}

/// The event that closed nights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    pub seq: Seq,
    pub at: Instant,
    pub by: By,
}

/// What a night was closed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    /// A booking as it stood then, with the step by which it came to the night.
    Booking(Cause, &'a Booking),
    Block(&'a Block),
}

/// Why nobody could book the nights `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    pub from: Night,
    pub to: Night,
    pub holder: Holder<'a>,
    pub closing: Closing,
}

/// The events do not follow each other from the one that made the property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is missing")]
pub struct Gap;

impl Past {
    /// The property after event 1, which made it.
    pub fn begin(first: &Event, hash: EventHash) -> Result<Self, Gap> {
        let Fact::PropertyCreated(property) = &first.fact else { return Err(Gap) };
        let stored = Stored {
            property: property.clone(),
            property_seq: first.seq,
            head: Head { seq: first.seq, hash },
            overrides: Overrides::new(),
            blocks: Blocks::new(),
            bookings: Vec::new(),
            keys: Vec::new(),
        };
        let state = State::load(stored, Settings::default());
        let (nights, blocks) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { state, at: first.at, nights, blocks })
    }

    /// Takes in the next event.
    pub fn then(&mut self, event: &Event, hash: EventHash) -> Result<(), Gap> {
        if event.seq != self.seq() + 1 {
            return Err(Gap);
        }
        let closing = Closing { seq: event.seq, at: event.at, by: event.by };
        match &event.fact {
            Fact::PropertyCreated(_) | Fact::PropertyChanged(_) => {}
            Fact::Booking(cause, after) => {
                let (claimed, _) = claim_difference(self.state.booking(after.id), after);
                self.nights.extend(claimed.into_iter().map(|night| (night, (*cause, closing))));
            }
            Fact::CalendarEdited(edited) => {
                self.blocks.retain(|id, _| !edited.unblocked.contains(id));
                self.blocks.extend(edited.blocked.iter().map(|block| (block.id, closing)));
            }
        }
        self.state.replay(event, hash);
        self.at = event.at;
        Ok(())
    }

    /// The newest event that was taken in.
    pub const fn seq(&self) -> Seq {
        self.state.head.seq
    }

    /// When that event was decided.
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// The calendar as everybody saw it after that event.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.state.snapshot()
    }

    /// Why nights of the stay were closed, in the order of the nights; blocks may overlap.
    pub fn reasons(&self, stay: Stay) -> Vec<Reason<'_>> {
        let mut reasons: Vec<Reason<'_>> = Vec::new();
        for (night, claim) in self.state.calendar.claims(stay) {
            let booking = claim.booking().and_then(|id| self.state.booking(id));
            let Some((booking, (cause, closing))) = booking.zip(self.nights.get(&night)) else {
                continue;
            };
            match reasons.last_mut() {
                // An event is about one booking.
                Some(last) if last.to == night && last.closing.seq == closing.seq => {
                    last.to = night.plus(1);
                }
                _ => reasons.push(Reason {
                    from: night,
                    to: night.plus(1),
                    holder: Holder::Booking(*cause, booking),
                    closing: *closing,
                }),
            }
        }
        let blocks = self.state.blocks.values().filter(|block| block.nights.conflicts(stay));
        reasons.extend(blocks.filter_map(|block| {
            Some(Reason {
                from: block.nights.check_in().max(stay.check_in()),
                to: block.nights.check_out().min(stay.check_out()),
                holder: Holder::Block(block),
                closing: *self.blocks.get(&block.id)?,
            })
        }));
        reasons.sort_by_key(|reason| reason.from);
        reasons
    }
}
