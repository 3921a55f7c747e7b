//! What happened to a property, in order and without gaps.
//!
//! One event is three things: the audit of the calendar, the log that subscribers resume from (it
//! stores the public changes and digests as they were decided) and the feed of webhooks. Events are
//! chained: the hash of each covers the hash before it and its own canonical bytes, which are stored
//! verbatim. They name people by id only.

use crate::booking::{Booking, Cause};
use crate::calendar::{Change, Digest};
use crate::codec;
use crate::edit::{Edited, Offer};
use crate::{Instant, Month, Property, UserId};
use sha2::{Digest as _, Sha256};
use std::fmt;
use uuid::Uuid;

/// The number of an event in its property's list, from 1; 0 stands before the first.
pub type Seq = i64;

/// SHA-256 over the hash before and the event's canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct EventHash(pub [u8; 32]);

impl EventHash {
    /// The hash of an event with these bytes that follows an event with this hash.
    #[must_use]
    pub fn chain(self, bytes: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(bytes);
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Where a property's list of events ends: what a commit is fenced on. The number alone would not
/// do: another writer may have written as many events as we did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Head {
    pub seq: Seq,
    pub hash: EventHash,
}

/// Who caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A signed-in person.
    User(UserId),
    /// A deadline.
    Clock,
    /// What a payment provider said.
    Provider,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The property came into being: event 1.
    PropertyCreated(Property),
    /// Its host changed it; it is given as it stands afterwards.
    PropertyChanged(Property),
    /// A booking took a step; it is given as it stands afterwards, so that an answer can be
    /// repeated as of this event.
    Booking(Cause, Booking),
    /// Its host changed prices, restrictions or blocks of single nights.
    CalendarEdited(Edited),
}

/// One thing that happened to one property.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub seq: Seq,
    pub at: Instant,
    pub by: By,
    /// The command that caused it; nil for the clock.
    pub command: Uuid,
    pub fact: Fact,
    /// The public difference.
    pub changes: Vec<Change>,
    /// What nights cost and demand now, where that is different.
    pub offers: Vec<Offer>,
    /// The digest of each month in the difference, after it.
    pub digests: Vec<(Month, Digest)>,
}

/// An event with its canonical bytes and its link in the chain: what is stored.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub event: Event,
    pub bytes: Vec<u8>,
    pub hash: EventHash,
}

impl Sealed {
    /// The event after one with the hash `before`.
    pub fn after(before: EventHash, event: Event) -> Self {
        let bytes = codec::encode(&event);
        let hash = before.chain(&bytes);
        Self { event, bytes, hash }
    }

    /// Event 1 of a property: its host creates it.
    pub fn first(property: &Property, command: Uuid, at: Instant) -> Self {
        let event = Event {
            seq: 1,
            at,
            by: By::User(property.host),
            command,
            fact: Fact::PropertyCreated(property.clone()),
            changes: Vec::new(),
            offers: Vec::new(),
            digests: Vec::new(),
        };
        Self::after(EventHash::default(), event)
    }
}
