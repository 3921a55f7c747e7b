//! What a decision reads about a property besides its nights. Texts and pictures are not here:
//! they change without the calendar's knowledge.

use crate::policy::Policy;
use crate::zone::Zone;
use crate::{Currency, Instant, Night, PropertyId, Stay, UserId};
use jiff::civil::Time;
use std::str::FromStr;

/// Whether a property can be found and booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Found by everybody and bookable.
    Listed,
    /// Bookings are honoured, new ones refused.
    Unlisted,
}

impl Listing {
    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Unlisted => "unlisted",
        }
    }
}

/// The text names no state of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be listed or unlisted")]
pub struct UnknownListing;

impl FromStr for Listing {
    type Err = UnknownListing;

    fn from_str(text: &str) -> Result<Self, UnknownListing> {
        [Self::Listed, Self::Unlisted].into_iter().find(|l| l.name() == text).ok_or(UnknownListing)
    }
}

/// The facts that decisions read. They change only by an event of the property.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    pub id: PropertyId,
    pub host: UserId,
    pub listing: Listing,
    pub zone: Zone,
    /// The base price of a night in minor units of `currency`: 0 to [`MAX_PRICE`].
    pub price_per_night: i64,
    pub currency: Currency,
    /// 1 to [`MAX_GUESTS`].
    pub max_guests: u16,
    /// Whether a booking waits for payment only, or for the host first.
    pub instant_book: bool,
    pub check_in_from: Time,
    pub check_out_by: Time,
    pub policy: Policy,
}

/// The most guests that a property may take.
pub const MAX_GUESTS: u16 = 1_000;
/// The highest price of a night: 730 of them stay far inside an `i64`.
pub const MAX_PRICE: i64 = 1_000_000_000_000;
/// When guests may arrive, unless the host says otherwise.
pub const CHECK_IN_FROM: Time = Time::constant(15, 0, 0, 0);
/// When guests must have left, unless the host says otherwise.
pub const CHECK_OUT_BY: Time = Time::constant(11, 0, 0, 0);

impl Property {
    /// The local civil date at this instant.
    pub fn today(&self, now: Instant) -> Night {
        self.zone.today(now)
    }

    /// When a stay begins and ends, resolved once in the property's zone.
    pub fn hours(&self, stay: Stay) -> (Instant, Instant) {
        (
            self.zone.at(stay.check_in(), self.check_in_from),
            self.zone.at(stay.check_out(), self.check_out_by),
        )
    }

    /// The price of a stay at this moment, in minor units.
    pub fn price(&self, stay: Stay) -> i64 {
        self.price_per_night.saturating_mul(i64::from(stay.nights()))
    }
}
