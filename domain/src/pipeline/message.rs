//! What the property machine is told and what it wants: the whole of its conversation.

use super::Rejection;
use crate::command::Command;
use crate::event::{Head, Seq};
use crate::group::{Group, GroupId, Incarnation, Subject};
use crate::refusal::Refusal;
use crate::snapshot::Snapshot;
use crate::state::Stored;
use crate::{Booking, BookingId, Instant};
use std::sync::Arc;

/// The name of one waiting caller, unique within the machine's life and growing.
pub type Ticket = u64;

/// What the machine is told.
#[derive(Debug)]
pub enum Input {
    /// Somebody wants something before the deadline.
    Submit { ticket: Ticket, command: Command, deadline: Instant },
    /// Time has passed: deadlines may be due, the bookings' and those of the callers who wait.
    Tick,
    /// The load that was asked for last: what is stored, and whether the head is locked for us.
    Loaded { incarnation: Incarnation, stored: Box<Stored>, turn: bool },
    /// There is no such property: all callers hear so from now on.
    Missing,
    /// What became of a group.
    Outcome { group: GroupId, result: Result<(), Rejection> },
    /// The property's head, read after it was asked for.
    HeadRead { head: Head },
    /// The property's head as somebody came across it: a sweep, another node's message.
    HeadSeen { head: Head },
}

/// What the machine wants done, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Read the property; with `turn`, lock its head first and keep the lock until
    /// [`Effect::Turn`].
    Load { incarnation: Incarnation, turn: bool },
    /// Commit this group with the next batch.
    Offer(Arc<Group>),
    /// Commit these groups under the lock that the load took, in order; none: let it go.
    Turn(Vec<Arc<Group>>),
    /// Read the property's head.
    ReadHead,
    /// This is durable: everybody may read it.
    Publish(Arc<Snapshot>),
    /// Answer a caller.
    Reply(Ticket, Answer),
    /// The events of this group are durable: subscribers and job workers may know.
    Committed(Arc<Group>),
}

/// What a caller hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is done and durable: the booking afterwards and the event that did it.
    Done { booking: Arc<Booking>, seq: Seq },
    /// The property or its calendar is so, and durably: by this event.
    Edited { seq: Seq },
    /// It was so already.
    Unchanged(Arc<Booking>),
    /// The calendar was so already.
    AsItIs,
    /// The key was used before: answer with the booking as of that event.
    Replay { booking: BookingId, seq: Seq },
    /// No, and why. Nothing changed.
    Refused(Refusal),
    /// There is no such property.
    Missing,
    /// The database refuses this command alone.
    Failed,
    /// The database has no room for it.
    Full,
    /// The deadline passed before it could be decided.
    TooLate,
}

impl Answer {
    /// What the caller of a group hears when it is durable.
    pub(super) fn done(group: &Group) -> Self {
        // What a step brings with it follows in events of its own.
        let seq = group.base.seq + 1;
        match &group.subject {
            Subject::Booking(booking) => Self::Done { booking: Arc::clone(booking), seq },
            Subject::Property(_) | Subject::Calendar => Self::Edited { seq },
        }
    }
}
