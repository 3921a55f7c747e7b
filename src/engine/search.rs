//! Finding a place to stay. The database names properties in an order that an index gives; whether
//! a stay can be had there, and for how much, is decided on each by the rules that decide
//! bookings, so that a search and a booking never disagree.
//!
//! A page is filled from as many candidates as it takes: every page but the last is full. What is
//! sorted by something that no index knows (the price of a stay, a distance) is judged in full for
//! every page. Either way a search looks at [`MAX_CANDIDATES`] properties one by one and no more;
//! one that would need more has to be narrowed.

use super::{Engine, Error};
use crate::auth::Caller;
use crate::auth::policy::{Action, Ownership, allow};
use crate::store::properties::{Filters, Order, PropertyRow};
use domain::place::{Area, Position};
use domain::property::Listing;
use domain::state::{Settings, State};
use domain::{Instant, Night, PropertyId, Stay};

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Without order, areas and free nights of their own where the parts below say them.
    pub filters: Filters,
    pub wish: Option<Wish>,
    pub near: Option<Near>,
    pub sort: Sort,
}

/// A stay that somebody could book now.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub stay: Stay,
    pub guests: u16,
    /// Of the whole stay with fees and taxes, in minor units: only where a currency is said.
    pub min_total: Option<i64>,
    pub max_total: Option<i64>,
}

/// A circle on the globe.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    pub center: Position,
    /// The radius: 1 to [`MAX_RADIUS`] metres.
    pub metres: i64,
}

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Newest,
    /// The cheapest: by the price of the stay where there is one, else by that of a night.
    Price,
    /// The best rated.
    Rating,
    /// The nearest: only with [`Search::near`].
    Distance,
}

/// A property that was found.
#[derive(Clone, Debug)]
pub struct Found {
    pub row: PropertyRow,
    /// What the stay costs there now, with fees and taxes, in minor units.
    pub total: Option<i64>,
    /// How far away it is.
    pub metres: Option<i64>,
    /// Its place in the order, before its id.
    pub key: i64,
}

/// The largest radius in metres.
pub const MAX_RADIUS: i64 = 500_000;
/// How many properties a search looks at one by one.
pub const MAX_CANDIDATES: usize = 5_000;
/// How many of them are judged at a time, so that others have their turn on the thread.
const BATCH: usize = 200;

impl Engine {
    /// The properties that pass and that the caller may see, from behind a place in their order
    /// on. Those that are not listed are shown in the list of one host, and never for a stay.
    ///
    /// # Errors
    /// [`Error::TooWide`] where too many properties would have to be looked at one by one.
    pub async fn search(
        &self,
        caller: Option<&Caller>,
        mut search: Search,
        after: Option<(i64, PropertyId)>,
        limit: usize,
    ) -> Result<Vec<Found>, Error> {
        if !narrow_to_seen(caller, &mut search.filters, search.wish.is_some()) {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        if search.wish.is_some_and(|wish| wish.stay.check_in() < first_today(now)) {
            return Ok(Vec::new());
        }
        search.filters.free = search.wish.map(|wish| (wish.stay, now));
        search.filters.areas.extend(search.near.map(|near| Area::around(near.center, near.metres)));
        let is_ranked = match search.sort {
            Sort::Price => search.wish.is_some(),
            Sort::Distance => true,
            Sort::Newest | Sort::Rating => false,
        };
        search.filters.order = match search.sort {
            Sort::Price if !is_ranked => Order::Price,
            Sort::Rating => Order::Rating,
            _ => Order::Newest,
        };
        if is_ranked {
            self.ranked(&search, after, limit, now).await
        } else {
            self.in_order(&search, after, limit, now).await
        }
    }

    /// Fills a page in the database's own order.
    async fn in_order(
        &self,
        search: &Search,
        mut after: Option<(i64, PropertyId)>,
        limit: usize,
        now: Instant,
    ) -> Result<Vec<Found>, Error> {
        let (mut found, mut seen, mut batch) = (Vec::new(), 0, limit);
        loop {
            let rows = self.candidates(search, after, batch).await?;
            let is_last = rows.len() < batch;
            seen += rows.len();
            after = rows.last().map(|row| (search.filters.order.key(row), row.property.id));
            found.extend(self.judge(search, rows, now).await?);
            if is_last || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
            if seen >= MAX_CANDIDATES {
                return Err(Error::TooWide);
            }
            batch = BATCH.min(2 * batch);
        }
    }

    /// Judges all candidates and keeps the first ones behind a place.
    async fn ranked(
        &self,
        search: &Search,
        after: Option<(i64, PropertyId)>,
        limit: usize,
        now: Instant,
    ) -> Result<Vec<Found>, Error> {
        let place = |found: &Found| (found.key, found.row.property.id);
        let (mut best, mut seen, mut from) = (Vec::new(), 0, None);
        loop {
            let rows = self.candidates(search, from, BATCH).await?;
            let is_last = rows.len() < BATCH;
            seen += rows.len();
            from = rows.last().map(|row| (search.filters.order.key(row), row.property.id));
            let found = self.judge(search, rows, now).await?;
            best.extend(found.into_iter().filter(|f| after.is_none_or(|after| place(f) > after)));
            best.sort_unstable_by_key(place);
            best.truncate(limit);
            if is_last {
                return Ok(best);
            }
            if seen >= MAX_CANDIDATES {
                return Err(Error::TooWide);
            }
        }
    }

    async fn candidates(
        &self,
        search: &Search,
        after: Option<(i64, PropertyId)>,
        limit: usize,
    ) -> Result<Vec<PropertyRow>, Error> {
        Ok(self.store.properties(search.filters.clone(), after, super::rows(limit)).await?)
    }

    /// Those candidates that pass what no database can tell, in the same order.
    async fn judge(
        &self,
        search: &Search,
        rows: Vec<PropertyRow>,
        now: Instant,
    ) -> Result<Vec<Found>, Error> {
        let near = rows.into_iter().filter_map(|row| {
            let metres = match search.near {
                Some(near) => Some(distance(&row, near)?),
                None => None,
            };
            let key = search.filters.order.key(&row);
            Some(Found { row, total: None, metres, key })
        });
        let mut found: Vec<Found> = near.collect();
        if let Some(wish) = search.wish {
            found = self.offered(found, wish, now).await?;
        }
        for found in &mut found {
            found.key = match (search.sort, found.total, found.metres) {
                (Sort::Price, Some(total), _) => total,
                (Sort::Distance, _, Some(metres)) => metres,
                _ => found.key,
            };
        }
        Ok(found)
    }

    /// Those where the stay could be booked at this moment, with its price.
    async fn offered(
        &self,
        found: Vec<Found>,
        wish: Wish,
        now: Instant,
    ) -> Result<Vec<Found>, Error> {
        let stored = self.store.near_stay(found.iter().map(|found| &found.row), wish.stay).await?;
        let offered = found.into_iter().zip(stored).filter_map(|(found, stored)| {
            let mut state = State::load(stored, Settings::default());
            let total = state.offer(wish.stay, wish.guests, now)?.total();
            let is_dear_enough = wish.min_total.is_none_or(|min| total >= min);
            let is_cheap_enough = wish.max_total.is_none_or(|max| total <= max);
            (is_dear_enough && is_cheap_enough).then_some(Found { total: Some(total), ..found })
        });
        Ok(offered.collect())
    }
}

/// Narrows filters to what the caller may see; `false` where that is nothing.
fn narrow_to_seen(caller: Option<&Caller>, filters: &mut Filters, for_stay: bool) -> bool {
    let sees_all = !for_stay
        && filters.host.is_some_and(|host| {
            let ownership = Ownership::of_property(caller, host, false);
            allow(Action::ReadProperty, caller, ownership).is_ok()
        });
    match filters.listing {
        None if !sees_all => filters.listing = Some(Listing::Listed),
        Some(other) if !sees_all && other != Listing::Listed => return false,
        _ => {}
    }
    true
}

/// The earliest date that is today somewhere: no home has to be asked about stays before it.
fn first_today(now: Instant) -> Night {
    const MICROS_A_DAY: i64 = 86_400_000_000;
    // No place is more than half a day behind UTC.
    let days = (now.as_micros() - MICROS_A_DAY / 2).div_euclid(MICROS_A_DAY);
    i32::try_from(days).ok().and_then(Night::from_days).unwrap_or(Night::MIN)
}

/// How far away a property is, where it is known and not too far.
fn distance(row: &PropertyRow, near: Near) -> Option<i64> {
    let place = Position::new(row.page.latitude?, row.page.longitude?)?;
    Some(near.center.metres_to(place)).filter(|metres| *metres <= near.metres)
}
