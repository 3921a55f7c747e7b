//! What a decision reads about a property besides its nights, and the page that people read. The
//! page stands beside the facts: no event tells it and no decision reads it, but it is written in
//! the same commit, so that nobody sees half of a change.

use crate::event::Seq;
use crate::policy::Policy;
use crate::price::{self, Kind};
use crate::rules::{Overrides, Rules};
use crate::zone::Zone;
use crate::{Currency, Instant, Night, Price, PropertyId, Stay, UserId};
use jiff::civil::Time;
use std::str::FromStr;
use std::sync::Arc;

/// Whether a property can be found and booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Its host is still at work on it: nobody else sees it.
    Draft,
    /// Found by everybody and bookable.
    Listed,
    /// Bookings are honoured, new ones refused.
    Unlisted,
    /// Closed for good: nothing about it changes any more.
    Archived,
}

impl Listing {
    const ALL: [Self; 4] = [Self::Draft, Self::Listed, Self::Unlisted, Self::Archived];

    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Listed => "listed",
            Self::Unlisted => "unlisted",
            Self::Archived => "archived",
        }
    }

    /// Whether a property may go from here to there: draft to listed, between listed and unlisted,
    /// and from any of them to archived. What is archived stays so.
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Archived, _) => false,
            (_, Self::Archived) | (Self::Draft, Self::Listed) => true,
            (Self::Listed | Self::Unlisted, Self::Listed | Self::Unlisted) => true,
            (from, to) => from == to,
        }
    }
}

/// The text names no state of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be draft, listed, unlisted or archived")]
pub struct UnknownListing;

impl FromStr for Listing {
    type Err = UnknownListing;

    fn from_str(text: &str) -> Result<Self, UnknownListing> {
        Self::ALL.into_iter().find(|listing| listing.name() == text).ok_or(UnknownListing)
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
    pub rules: Arc<Rules>,
}

/// What people read about a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub title: String,
    pub description: String,
    pub address: String,
    pub city: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Degrees, both or neither.
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    /// Slugs, sorted, each once.
    pub amenities: Vec<String>,
    /// Whether guest and host speak of each other before either reads what the other said.
    pub blind_reviews: bool,
}

/// How a property is to be from now on.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    pub facts: Property,
    pub page: Page,
    /// What the page says for the first time, and what it says no more.
    pub amenities_added: Vec<String>,
    pub amenities_removed: Vec<String>,
    /// The event that made the property as its host saw it: where it has changed since, this
    /// change says nothing about what it is now.
    pub seen: Seq,
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

    /// The price of a stay at this moment. Nights that `kept` has already keep theirs, and what was
    /// given back of it stays given back.
    pub fn price(
        &self,
        overrides: &Overrides,
        stay: Stay,
        guests: u16,
        kept: Option<&Price>,
    ) -> Price {
        let mut price = price::price(&self.rules.rates, stay, guests, |night| {
            let of_night = kept.and_then(|kept| kept.of_night(night));
            of_night.unwrap_or_else(|| {
                self.rules.terms(overrides, night).price.unwrap_or(self.price_per_night)
            })
        });
        let step = self.currency.smallest_payment();
        let rounding = (step - price.total() % step) % step;
        if rounding > 0 {
            price = price.with(Kind::Rounding, rounding);
        }
        let given = kept.map_or(0, |kept| -kept.of_kind(&Kind::Goodwill));
        if given > 0 { price.with(Kind::Goodwill, given) } else { price }
    }
}
