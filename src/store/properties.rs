//! Properties: the facts that decisions read, and what people read. Creating one is its calendar's
//! event 1 and happens with it in one transaction.

use super::booking_row::{FactsRow, minute_of_day};
use super::keys::{Created, claim_key};
use super::{Store, StoreError, read, write};
use domain::command::Key;
use domain::event::Sealed;
use domain::property::Listing;
use domain::{Instant, Property, PropertyId, UserId};
use sqlx::FromRow;
use uuid::Uuid;

/// A property with its texts.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyRow {
    pub property: Property,
    pub title: String,
    pub description: String,
    pub address: String,
    pub city: String,
    pub country: String,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub amenities: Vec<String>,
    pub created_at: Instant,
}

#[derive(FromRow)]
struct Columns {
    #[sqlx(flatten)]
    facts: FactsRow,
    title: String,
    description: String,
    address: String,
    city: String,
    country: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    amenities: String,
    created_at: i64,
}

impl TryFrom<Columns> for PropertyRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        Ok(Self {
            property: row.facts.try_into()?,
            title: row.title,
            description: row.description,
            address: row.address,
            city: row.city,
            country: row.country,
            latitude: row.latitude,
            longitude: row.longitude,
            amenities: serde_json::from_str(&row.amenities)
                .map_err(|_| StoreError::Corrupt("property.amenities"))?,
            created_at: Instant::from_micros(row.created_at),
        })
    }
}

const INSERT: &str = "insert into property (property_id, host_id, listing, zone, price_per_night, \
     currency, max_guests, instant_book, check_in_from_minute, check_out_by_minute, policy, title, \
     description, address, city, country, latitude, longitude, amenities, created_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
     $20)";

const INSERT_HEAD: &str = "insert into calendar_head (property_id, seq, event_hash, next_deadline, \
     changed_at) values ($1, $2, $3, null, $4)";

const INSERT_EVENT: &str =
    "insert into calendar_event (property_id, seq, event_hash, bytes) values ($1, $2, $3, $4)";

const BY_ID: &str = "select * from property where property_id = $1";

const NEWEST: &str = "select * from property where listing = $1 \
     and (created_at < $2 or (created_at = $2 and property_id < $3)) \
     order by created_at desc, property_id desc limit $4";

const OF_HOST: &str = "select * from property where host_id = $1 \
     and (created_at < $2 or (created_at = $2 and property_id < $3)) \
     order by created_at desc, property_id desc limit $4";

impl Store {
    /// Creates a property with its event 1, the head of its calendar and the caller's key.
    pub async fn create_property(
        &self,
        row: PropertyRow,
        first: Sealed,
        key: Option<Key>,
    ) -> Result<Created<PropertyId>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let amenities = serde_json::to_string(&row.amenities)
                .map_err(|_| StoreError::Corrupt("property.amenities"))?;
            let (property, seq) = (&row.property, first.event.seq);
            let id = property.id.0;
            let known = write!(store, |on| {
                let known = claim_key!(on, key, Some(id), id, Some(seq), row.created_at);
                if known.is_none() {
                    sqlx::query(INSERT)
                        .bind(id)
                        .bind(property.host.0)
                        .bind(property.listing.name())
                        .bind(property.zone.name())
                        .bind(property.price_per_night)
                        .bind(property.currency.code())
                        .bind(i32::from(property.max_guests))
                        .bind(property.instant_book)
                        .bind(minute_of_day(property.check_in_from))
                        .bind(minute_of_day(property.check_out_by))
                        .bind(property.policy.name())
                        .bind(&row.title)
                        .bind(&row.description)
                        .bind(&row.address)
                        .bind(&row.city)
                        .bind(&row.country)
                        .bind(row.latitude)
                        .bind(row.longitude)
                        .bind(&amenities)
                        .bind(row.created_at.as_micros())
                        .execute(&mut *on)
                        .await?;
                    sqlx::query(INSERT_HEAD)
                        .bind(id)
                        .bind(seq)
                        .bind(&first.hash.0[..])
                        .bind(first.event.at.as_micros())
                        .execute(&mut *on)
                        .await?;
                    sqlx::query(INSERT_EVENT)
                        .bind(id)
                        .bind(seq)
                        .bind(&first.hash.0[..])
                        .bind(&first.bytes)
                        .execute(&mut *on)
                        .await?;
                }
                known
            })?;
            Ok(Created::of(known, PropertyId))
        })
        .await
    }

    /// The property of this id, listed or not.
    pub async fn property(&self, id: PropertyId) -> Result<Option<PropertyRow>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let row: Option<Columns> =
                read!(store, |on| sqlx::query_as(BY_ID).bind(id.0).fetch_optional(on).await?);
            row.map(PropertyRow::try_from).transpose()
        })
        .await
    }

    /// Up to `limit` listed properties, the newest first, from behind `after` on.
    pub async fn properties(
        &self,
        after: Option<(Instant, PropertyId)>,
        limit: u32,
    ) -> Result<Vec<PropertyRow>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let (at, id) = after.map_or((i64::MAX, Uuid::max()), |(at, id)| (at.as_micros(), id.0));
            let rows: Vec<Columns> = read!(store, |on| {
                sqlx::query_as(NEWEST)
                    .bind(Listing::Listed.name())
                    .bind(at)
                    .bind(id)
                    .bind(i64::from(limit))
                    .fetch_all(on)
                    .await?
            });
            rows.into_iter().map(PropertyRow::try_from).collect()
        })
        .await
    }

    /// Up to `limit` properties of this host, listed or not, the newest first, from behind `after`
    /// on.
    pub async fn properties_of_host(
        &self,
        host: UserId,
        after: Option<(Instant, PropertyId)>,
        limit: u32,
    ) -> Result<Vec<PropertyRow>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let (at, id) = after.map_or((i64::MAX, Uuid::max()), |(at, id)| (at.as_micros(), id.0));
            let rows: Vec<Columns> = read!(store, |on| {
                sqlx::query_as(OF_HOST)
                    .bind(host.0)
                    .bind(at)
                    .bind(id)
                    .bind(i64::from(limit))
                    .fetch_all(on)
                    .await?
            });
            rows.into_iter().map(PropertyRow::try_from).collect()
        })
        .await
    }
}
