//! What a host lays down for a property: terms for its nights, rates, and how guests may book.
//!
//! Terms stand in four layers: a date's own override, the season, the weekday, the default. Each
//! term is taken from the first layer that says something about it.

use crate::Night;
use jiff::civil::{Time, Weekday};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one layer says about a night; where it says nothing, the next layer is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The price of the night in minor units.
    pub price: Option<i64>,
    /// The fewest and the most nights of a stay that arrives then.
    pub min_nights: Option<u16>,
    pub max_nights: Option<u16>,
    /// Whether no stay may begin, or end, on that date.
    pub closed_to_arrival: Option<bool>,
    pub closed_to_departure: Option<bool>,
}

impl Terms {
    /// These terms where they say something, and `below` where they do not.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            price: self.price.or(below.price),
            min_nights: self.min_nights.or(below.min_nights),
            max_nights: self.max_nights.or(below.max_nights),
            closed_to_arrival: self.closed_to_arrival.or(below.closed_to_arrival),
            closed_to_departure: self.closed_to_departure.or(below.closed_to_departure),
        }
    }

    /// Whether they say nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Terms for the nights of a time of the year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Season {
    /// For the host to know it by.
    pub name: String,
    /// The nights `[from, to)`.
    pub from: Night,
    pub to: Night,
    pub terms: Terms,
}

/// How long before a stay it must be booked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Days between the local date of the booking and the arrival.
    pub days: u16,
    /// From this local time on, a booking counts as one of the next day.
    pub cut_off: Option<Time>,
}

/// A price for each guest above a number, for each night.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Toll {
    pub included: u16,
    /// Minor units.
    pub per_night: i64,
}

/// What is charged once for a stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fees {
    /// Minor units.
    pub cleaning: i64,
    /// Of nights, extra guests, discount and cleaning, in basis points.
    pub service_bp: u32,
}

/// A tax that a place takes on stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tax {
    pub name: Arc<str>,
    pub rate: TaxRate,
    /// Whether the prices contain it already.
    pub included: bool,
}

/// How a tax is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxRate {
    /// Of everything that is not a tax.
    Share { basis_points: u32 },
    /// So many minor units for each night of each guest.
    PerGuestNight { amount: i64 },
}

/// What makes a price out of the prices of nights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    pub extra_guests: Option<Toll>,
    /// Off the nights and extra guests of a stay of 7 nights or more, and of 28 or more.
    pub weekly_discount_bp: u32,
    pub monthly_discount_bp: u32,
    pub fees: Fees,
    pub taxes: Vec<Tax>,
}

/// Everything that a host lays down, but for single dates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub default: Terms,
    /// From Monday to Sunday.
    pub weekdays: [Terms; 7],
    /// In the order of their first nights; none shares a night with another.
    pub seasons: Vec<Season>,
    pub notice: Notice,
    /// How many days from today on can be booked.
    pub window_days: Option<u16>,
    /// How many nights at least stay free between two stays.
    pub preparation_nights: u16,
    pub rates: Rates,
}

/// The fewest nights of a stay where nobody says more.
pub const MIN_NIGHTS: u16 = 1;
/// The most seasons that a property may have.
pub const MAX_SEASONS: usize = 50;
/// The most taxes that a property may have.
pub const MAX_TAXES: usize = 5;
/// The largest fee for service, tax or discount, in basis points.
pub const MAX_FEE_BP: u32 = 5_000;
/// The most that an extra guest or a tax may cost for a night. With the other bounds, the dearest
/// stay stays far inside an `i64`.
pub const MAX_TOLL: i64 = 1_000_000_000;
/// The most nights between two stays.
pub const MAX_PREPARATION: u16 = 30;
/// The most days of notice or of the booking window.
pub const MAX_AHEAD_DAYS: u16 = 1_095;

/// What single dates say, before any rule.
pub type Overrides = BTreeMap<Night, Terms>;

impl Rules {
    /// The terms of a night, all layers laid over each other.
    pub fn terms(&self, overrides: &Overrides, night: Night) -> Terms {
        let of_date = overrides.get(&night).copied().unwrap_or_default();
        let of_season = self.season(night).map_or_else(Terms::default, |season| season.terms);
        let of_weekday = self.weekdays[weekday(night)];
        of_date.over(of_season).over(of_weekday).over(self.default)
    }

    /// The season that a night lies in.
    fn season(&self, night: Night) -> Option<&Season> {
        let after = self.seasons.partition_point(|season| season.from <= night);
        self.seasons[..after].last().filter(|season| night < season.to)
    }

    /// Whether two seasons share a night, or one has none.
    pub fn seasons_clash(&self) -> bool {
        self.seasons.iter().any(|season| season.to <= season.from)
            || self.seasons.windows(2).any(|pair| pair[1].from < pair[0].to)
    }
}

/// The place of a night's weekday, Monday first.
pub fn weekday(night: Night) -> usize {
    let days = night.date().weekday().since(Weekday::Monday);
    usize::from(days.unsigned_abs())
}
