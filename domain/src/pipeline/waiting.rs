//! Those who wait in a property's machine, and the groups that they wait for.

use super::message::{Answer, Ticket};
use crate::command::Command;
use crate::event::Seq;
use crate::group::Group;
use crate::snapshot::Snapshot;
use crate::{Booking, BookingId, Instant, Stay};
use std::collections::VecDeque;
use std::sync::Arc;

/// A caller with what they want.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    pub(super) command: Command,
    pub(super) deadline: Instant,
    /// How often the database's second guard refused it.
    pub(super) guarded: u32,
    /// The newest head that was read on their behalf since they came.
    pub(super) read: Option<Seq>,
}

/// An answer without an event, which a look at the head must confirm.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) waiting: Waiting,
    pub(super) answer: Answer,
    /// Where the durable events ended when it was decided.
    pub(super) decided_on: Seq,
}

#[derive(Debug)]
pub(super) struct Pending {
    pub(super) group: Arc<Group>,
    pub(super) after: Arc<Snapshot>,
    /// Nobody, when the clock decided.
    pub(super) waiting: Option<Waiting>,
}

/// The newest event on its way that is about this booking.
pub(super) fn on_booking(pending: &VecDeque<Pending>, id: BookingId) -> Option<Seq> {
    let on_it = |pending: &&Pending| pending.group.booking().is_some_and(|b| b.id == id);
    pending.iter().rev().find(on_it).map(|pending| pending.group.head.seq)
}

/// The newest event on its way that may play a part in the refusal of these nights: any edit of
/// the property, and bookings that have one of them or would have it after a change.
pub(super) fn on_stay(pending: &VecDeque<Pending>, stay: Stay) -> Option<Seq> {
    let meets = |booking: &Booking| {
        let asked = booking.request.as_ref().map(|request| request.change.stay);
        booking.stay.conflicts(stay) || asked.is_some_and(|asked| asked.conflicts(stay))
    };
    let on_it = |pending: &&Pending| pending.group.booking().is_none_or(meets);
    pending.iter().rev().find(on_it).map(|pending| pending.group.head.seq)
}
