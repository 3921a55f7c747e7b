//! Properties: the facts that decisions read, and what people read. Creating one is its calendar's
//! event 1 and happens with it in one transaction.

use super::booking_row::{FactsRow, minute_of_day, rules_bytes};
use super::keys::{Created, claim_key};
use super::{Store, StoreError, read, write};
use domain::command::Key;
use domain::event::{Sealed, Seq};
use domain::property::{Listing, Page};
use domain::review::Ratings;
use domain::{Instant, Property, PropertyId, UserId};
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

/// A property with its page.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyRow {
    pub property: Property,
    pub page: Page,
    /// The event that made it as it is.
    pub seq: Seq,
    /// They change with reviews.
    pub ratings: Ratings,
    pub created_at: Instant,
}

/// What a list of listed properties is narrowed to; nothing where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// In any letters.
    pub city: Option<String>,
    pub country: Option<String>,
    /// Of a night, in minor units of the property's own currency.
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
    /// How many people must find room.
    pub guests: Option<u16>,
    /// All of them must be there.
    pub amenities: Vec<String>,
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
    blind_reviews: bool,
    rating_sum: i64,
    review_count: i64,
    created_at: i64,
}

impl TryFrom<Columns> for PropertyRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.facts.changed_seq,
            property: row.facts.try_into()?,
            page: Page {
                title: row.title,
                description: row.description,
                address: row.address,
                city: row.city,
                country: row.country,
                latitude: row.latitude,
                longitude: row.longitude,
                amenities: serde_json::from_str(&row.amenities)
                    .map_err(|_| StoreError::Corrupt("property.amenities"))?,
                blind_reviews: row.blind_reviews,
            },
            ratings: Ratings { sum: row.rating_sum, count: row.review_count },
            created_at: Instant::from_micros(row.created_at),
        })
    }
}

/// The column `amenities`: a JSON array.
pub(super) fn amenities_json(page: &Page) -> Result<String, serde_json::Error> {
    serde_json::to_string(&page.amenities)
}

/// A city as searches compare it.
pub(super) fn city_key(city: &str) -> String {
    city.to_lowercase()
}

const INSERT: &str = "insert into property (property_id, host_id, listing, zone, price_per_night, \
     currency, max_guests, instant_book, check_in_from_minute, check_out_by_minute, policy, title, \
     description, address, city, country, latitude, longitude, amenities, created_at, city_key, \
     rules, blind_reviews) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
     $20, $21, $22, $23)";

const INSERT_AMENITY: &str =
    "insert into property_amenity (amenity, created_at, property_id) values ($1, $2, $3)";

const INSERT_HEAD: &str = "insert into calendar_head (property_id, seq, event_hash, next_deadline, \
     changed_at) values ($1, $2, $3, null, $4)";

const INSERT_EVENT: &str =
    "insert into calendar_event (property_id, seq, event_hash, bytes) values ($1, $2, $3, $4)";

const BY_ID: &str = "select * from property where property_id = $1";

impl Filters {
    /// The statement of a list, newest first from behind `after` on, and its values in order. What
    /// narrows it most leads the index: an amenity, else the city, else time alone.
    fn statement(&self, after: Option<(Instant, PropertyId)>, limit: u32) -> (String, Vec<Value>) {
        let (at, id) = after.map_or((i64::MAX, Uuid::max()), |(at, id)| (at.as_micros(), id.0));
        let mut values = vec![
            Value::Text(Listing::Listed.name().to_owned()),
            Value::Number(at),
            Value::Id(id),
            Value::Number(i64::from(limit)),
        ];
        let lead = if self.amenities.is_empty() { "property" } else { "said" };
        let mut sql = "select property.* from property".to_owned();
        if !self.amenities.is_empty() {
            sql += " join property_amenity as said on said.property_id = property.property_id";
        }
        sql += &format!(
            " where property.listing = $1 and ({lead}.created_at, {lead}.property_id) < ($2, $3)"
        );
        let mut and = |condition: &str, value: Value| {
            values.push(value);
            sql += &condition.replace('?', &format!("${}", values.len()));
        };
        for (number, slug) in self.amenities.iter().enumerate() {
            and(if number == 0 { SAID_FIRST } else { SAID_TOO }, Value::Text(slug.clone()));
        }
        if let Some(city) = &self.city {
            and(" and property.city_key = ?", Value::Text(city_key(city)));
        }
        if let Some(country) = &self.country {
            and(" and property.country = ?", Value::Text(country.clone()));
        }
        if let Some(price) = self.min_price {
            and(" and property.price_per_night >= ?", Value::Number(price));
        }
        if let Some(price) = self.max_price {
            and(" and property.price_per_night <= ?", Value::Number(price));
        }
        if let Some(guests) = self.guests {
            and(" and property.max_guests >= ?", Value::Number(guests.into()));
        }
        sql += &format!(" order by {lead}.created_at desc, {lead}.property_id desc limit $4");
        (sql, values)
    }
}

const SAID_FIRST: &str = " and said.amenity = ?";
const SAID_TOO: &str = " and exists (select 1 from property_amenity as too where too.amenity = ? \
     and too.created_at = property.created_at and too.property_id = property.property_id)";

/// A value of a statement that is put together.
enum Value {
    Text(String),
    Number(i64),
    Id(Uuid),
}

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
            let amenities =
                amenities_json(&row.page).map_err(|_| StoreError::Corrupt("property.amenities"))?;
            let (property, page, seq) = (&row.property, &row.page, first.event.seq);
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
                        .bind(&page.title)
                        .bind(&page.description)
                        .bind(&page.address)
                        .bind(&page.city)
                        .bind(&page.country)
                        .bind(page.latitude)
                        .bind(page.longitude)
                        .bind(&amenities)
                        .bind(row.created_at.as_micros())
                        .bind(city_key(&page.city))
                        .bind(rules_bytes(&property.rules))
                        .bind(page.blind_reviews)
                        .execute(&mut *on)
                        .await?;
                    for slug in &page.amenities {
                        sqlx::query(INSERT_AMENITY)
                            .bind(slug)
                            .bind(row.created_at.as_micros())
                            .bind(id)
                            .execute(&mut *on)
                            .await?;
                    }
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
        filters: Filters,
        after: Option<(Instant, PropertyId)>,
        limit: u32,
    ) -> Result<Vec<PropertyRow>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let (sql, values) = filters.statement(after, limit);
            let rows: Vec<Columns> = read!(store, |on| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for value in values {
                    query = match value {
                        Value::Text(text) => query.bind(text),
                        Value::Number(number) => query.bind(number),
                        Value::Id(id) => query.bind(id),
                    };
                }
                query.fetch_all(on).await?
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
