//! Where a booking stands: the statuses and their names.

use crate::{Instant, Night};
use std::str::FromStr;

/// What a pending booking waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaiting {
    Payment,
    Host,
    /// Its time is over, but a payment attempt is still open at the provider.
    Release,
}

/// Where a booking stands, with the facts that belong to that state only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Pending {
        awaiting: Awaiting,
        expires_at: Instant,
    },
    Confirmed,
    Completed,
    Canceled,
    Declined,
    Expired,
    /// The guest never came: the nights from `free_from` on are free again.
    NoShow {
        free_from: Night,
    },
}

impl Status {
    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending { .. } => "PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::Completed => "COMPLETED",
            Self::Canceled => "CANCELED",
            Self::Declined => "DECLINED",
            Self::Expired => "EXPIRED",
            Self::NoShow { .. } => "NO_SHOW",
        }
    }

    /// Whether the booking can still change by its guest, its host or the clock.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Pending { .. } | Self::Confirmed)
    }

    /// What a pending booking waits for.
    pub const fn awaiting(self) -> Option<Awaiting> {
        match self {
            Self::Pending { awaiting, .. } => Some(awaiting),
            _ => None,
        }
    }

    /// When a pending booking ends by itself.
    pub const fn expires_at(self) -> Option<Instant> {
        match self {
            Self::Pending { expires_at, .. } => Some(expires_at),
            _ => None,
        }
    }
}

/// The name of a status without its facts: what lists are filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusName(&'static str);

impl StatusName {
    const ALL: [&'static str; 7] =
        ["PENDING", "CONFIRMED", "COMPLETED", "CANCELED", "DECLINED", "EXPIRED", "NO_SHOW"];

    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// The text names no status of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of PENDING, CONFIRMED, COMPLETED, CANCELED, DECLINED, EXPIRED and NO_SHOW")]
pub struct UnknownStatus;

impl FromStr for StatusName {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|name| *name == text).map(Self).ok_or(UnknownStatus)
    }
}

impl Awaiting {
    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Host => "host",
            Self::Release => "release",
        }
    }
}
