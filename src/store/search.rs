//! What a search reads about many properties at once: as much of each as decides about one stay.

use super::booking_row::BookingRow;
use super::list::{Statement, Value, rows};
use super::night_rows::{self, TermsRow};
use super::properties::PropertyRow;
use super::{Store, StoreError, read};
use domain::block::Blocks;
use domain::event::Head;
use domain::state::Stored;
use domain::{Booking, Stay};
use sqlx::FromRow;
use std::collections::HashMap;
use uuid::Uuid;

/// Terms of a date with the property that they are of.
#[derive(FromRow)]
struct TermsOf {
    property_id: Uuid,
    #[sqlx(flatten)]
    terms: TermsRow,
}

/// What the dates of a stay say, that of departure with them.
pub fn terms_near(properties: &[Uuid], stay: Stay) -> Statement {
    Statement::new("select * from night_terms where true")
        .and_one_of("property_id", properties.iter().copied())
        .and(" and night >= ?", i64::from(stay.check_in().days()))
        .and(" and night <= ?", i64::from(stay.check_out().days()))
}

/// Which bookings have nights of a stay, or nights so near to it.
pub fn bookings_near(properties: &[Uuid], stay: Stay, preparation_nights: u16) -> Statement {
    let near = stay.widened(preparation_nights);
    Statement::new("select distinct booking_id from occupied_night where true")
        .and_one_of("property_id", properties.iter().copied())
        .and(" and night >= ?", i64::from(near.check_in().days()))
        .and(" and night < ?", i64::from(near.check_out().days()))
}

impl Store {
    /// What decides whether this stay can be had in each of these properties, and at what price, in
    /// their order: their facts as given, with the bookings and terms around the stay's nights. It
    /// has no blocks: a list with [`super::properties::Filters::free`] leaves out whatever has one
    /// in the way. Nothing but that stay can be decided on it.
    pub async fn near_stay(
        &self,
        properties: impl Iterator<Item = &PropertyRow>,
        stay: Stay,
    ) -> Result<Vec<Stored>, StoreError> {
        let facts: Vec<_> = properties.map(|row| (row.property.clone(), row.seq)).collect();
        let ids: Vec<Uuid> = facts.iter().map(|(property, _)| property.id.0).collect();
        let nights = facts.iter().map(|(property, _)| property.rules.preparation_nights);
        let Some(preparation) = nights.max() else { return Ok(Vec::new()) };
        let store = self.clone();
        self.spawn(async move {
            let statement = terms_near(&ids, stay);
            let terms: Vec<TermsOf> = rows!(store, statement);
            let statement = bookings_near(&ids, stay, preparation);
            let near: Vec<(Uuid,)> = rows!(store, statement);
            let bookings: Vec<BookingRow> = if near.is_empty() {
                Vec::new()
            } else {
                let statement = Statement::new("select * from booking where true")
                    .and_one_of("booking_id", near.into_iter().map(|(id,)| id));
                rows!(store, statement)
            };
            let mut terms = by_property(terms, |row| row.property_id);
            let mut bookings = by_property(bookings, |row| row.property_id);
            let stored = |(property, property_seq): (domain::Property, _)| {
                let id = property.id.0;
                let terms = terms.remove(&id).unwrap_or_default().into_iter();
                let bookings = bookings.remove(&id).unwrap_or_default().into_iter();
                Ok(Stored {
                    property,
                    property_seq,
                    head: Head::default(),
                    overrides: night_rows::overrides(terms.map(|of| of.terms).collect())?,
                    blocks: Blocks::new(),
                    bookings: bookings.map(Booking::try_from).collect::<Result<_, _>>()?,
                    keys: Vec::new(),
                })
            };
            facts.into_iter().map(stored).collect()
        })
        .await
    }
}

/// Rows sorted into those of each property.
fn by_property<T>(rows: Vec<T>, property: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<T>> {
    let mut sorted: HashMap<Uuid, Vec<T>> = HashMap::new();
    for row in rows {
        sorted.entry(property(&row)).or_default().push(row);
    }
    sorted
}
