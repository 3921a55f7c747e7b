//! What can be asked of a property. Who may ask has been settled before; ids and texts are given.

use crate::booking::Step;
use crate::edit::CalendarEdit;
use crate::event::{By, Seq};
use crate::property::Edit;
use crate::quote::Quote;
use crate::refusal::Hold;
use crate::{BookingId, Instant, PaymentId, Stay, UserId};
use std::sync::Arc;
use uuid::Uuid;

/// One wish of one caller.
#[derive(Clone, Debug)]
pub struct Command {
    /// Made once for each request and kept when it is decided again.
    pub id: Uuid,
    pub by: By,
    pub key: Option<Key>,
    pub intent: Intent,
}

/// A caller's idempotency key with the hash of what was asked under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub caller: UserId,
    pub text: Arc<str>,
    /// SHA-256 of the parsed command.
    pub request: [u8; 32],
}

/// A key that was used: the booking it made or moved, and the event that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    pub key: Key,
    pub booking: BookingId,
    pub seq: Seq,
    pub at: Instant,
}

/// What the caller wants.
#[derive(Clone, Debug)]
pub enum Intent {
    /// A new booking under this id, at the price of the quote if there is one.
    Book {
        booking: BookingId,
        guest: UserId,
        stay: Stay,
        guests: u16,
        quote: Option<Arc<Quote>>,
        /// What the guest has pending at all properties, where that leaves no room for more.
        no_room: Option<Vec<Hold>>,
        /// By the host or an admin, who settles it outside: it stands at once.
        offline: bool,
    },
    /// A new attempt to pay, or the one that is open.
    StartAttempt {
        booking: BookingId,
        payment: PaymentId,
        provider: Arc<str>,
        /// What the client named as its means of payment; empty if nothing.
        method: Arc<str>,
        /// Where the provider's page leads back to; empty if nowhere.
        return_url: Arc<str>,
    },
    /// Other dates or guests of the booking that the caller saw in this version.
    Change { booking: BookingId, seen: u32, stay: Stay, guests: u16 },
    /// The host, or an admin, gives a booking up. The nights of one that was confirmed stay blocked
    /// from today on, unless they are to be open again.
    CancelAsHost { booking: BookingId, reopen: bool },
    /// Any other step of a booking.
    Step { booking: BookingId, step: Step },
    /// The property is to be so.
    Edit(Arc<Edit>),
    /// Prices, restrictions and blocks of single nights.
    EditCalendar(Arc<CalendarEdit>),
}

impl Intent {
    /// The booking that the command is about, if it is about one.
    pub const fn booking(&self) -> Option<BookingId> {
        match self {
            Self::Book { booking, .. }
            | Self::StartAttempt { booking, .. }
            | Self::Change { booking, .. }
            | Self::CancelAsHost { booking, .. }
            | Self::Step { booking, .. } => Some(*booking),
            Self::Edit(_) | Self::EditCalendar(_) => None,
        }
    }
}
