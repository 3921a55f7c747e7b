//! One command's events and rows: what is committed together or not at all.

use crate::command::KeyUse;
use crate::edit::Edited;
use crate::event::{Head, Sealed};
use crate::property::Edit;
use crate::{BlockId, Booking, BookingId, Currency, Instant, JobId, Night, PaymentId, PropertyId};
use std::sync::Arc;
use uuid::Uuid;

/// Counts the lives of a property's actor: each activation and each reload is a new one. What an
/// earlier life decided is never mixed with what a later one decides.
pub type Incarnation = u64;

/// A group's name within this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId {
    pub property: PropertyId,
    pub incarnation: Incarnation,
    pub number: u64,
}

/// What one command decided. It is written where the property's head still is `base`, and the head
/// becomes `head`.
#[derive(Clone, Debug)]
pub struct Group {
    pub id: GroupId,
    pub property: PropertyId,
    pub base: Head,
    pub head: Head,
    /// The events from `base` (exclusive) to `head` (inclusive).
    pub events: Vec<Sealed>,
    pub subject: Subject,
    /// The nights whose terms or blocks change, if any do.
    pub calendar: Option<Arc<CalendarRows>>,
    pub claimed: Vec<Night>,
    pub released: Vec<Night>,
    pub key: Option<KeyUse>,
    pub payment: Option<PaymentRow>,
    pub jobs: Vec<Job>,
    /// The property's nearest deadline afterwards.
    pub next_deadline: Option<Instant>,
}

/// What a group changes, as it stands afterwards.
#[derive(Clone, Debug)]
pub enum Subject {
    Booking(Arc<Booking>),
    Property(Arc<Edit>),
    /// Single nights only, as `calendar` says.
    Calendar,
}

/// What a group changes of single nights: what is told of it, and the notes of new blocks.
#[derive(Clone, Debug, Default)]
pub struct CalendarRows {
    pub edited: Edited,
    pub notes: Vec<(BlockId, String)>,
}

impl Group {
    /// The booking that the group changes, if it does.
    pub fn booking(&self) -> Option<&Booking> {
        match &self.subject {
            Subject::Booking(booking) => Some(booking),
            Subject::Property(_) | Subject::Calendar => None,
        }
    }

    /// How many rows the group writes, its head included.
    pub fn rows(&self) -> usize {
        let amenities = match &self.subject {
            Subject::Booking(_) | Subject::Calendar => 0,
            Subject::Property(edit) => edit.amenities_added.len() + edit.amenities_removed.len(),
        };
        let nights = self.calendar.as_ref().map_or(0, |rows| {
            let edited = &rows.edited;
            edited.terms.len() + edited.blocked.len() + edited.unblocked.len()
        });
        2 + amenities
            + nights
            + self.events.len()
            + self.claimed.len()
            + self.released.len()
            + usize::from(self.key.is_some())
            + usize::from(self.payment.is_some())
            + self.jobs.len()
    }
}

/// A payment attempt as it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    pub payment: PaymentId,
    pub booking: BookingId,
    pub provider: Arc<str>,
    /// What the client named as its means of payment; empty if nothing.
    pub method: Arc<str>,
    /// Where the provider's page leads back to; empty if nowhere.
    pub return_url: Arc<str>,
    pub amount: i64,
    pub currency: Currency,
    pub created_at: Instant,
}

/// Work that follows from the event, written in its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    /// What the work is about: a payment.
    pub payment: PaymentId,
    pub run_at: Instant,
}

/// The kinds of work that a calendar's events cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Ask the provider for the money.
    CreateIntent,
    /// Tell the provider that the money is not wanted any more.
    CancelIntent,
    /// Collect the money that is promised.
    Capture,
    /// Give this much of the money back, in minor units.
    Refund { amount: i64 },
}

impl Job {
    /// The job's id follows from the hash of its event, so that deciding again under the same
    /// history names the same work.
    pub fn id_of(head: Head, number: u8) -> JobId {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&head.hash.0[..16]);
        bytes[15] ^= number;
        JobId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// The id that stands for "no command": the clock's.
pub const NO_COMMAND: Uuid = Uuid::nil();
