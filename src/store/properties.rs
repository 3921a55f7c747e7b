//! Properties: the facts that decisions read, and what people read. Creating one is its calendar's
//! event 1 and happens with it in one transaction.

use super::booking_row::{FactsRow, minute_of_day, rules_bytes};
use super::keys::{Created, claim_key};
use super::list::{Statement, Value, rows};
use super::{Store, StoreError, read, write};
use domain::command::Key;
use domain::event::{Sealed, Seq};
use domain::property::{Listing, Page};
use domain::review::Ratings;
use domain::{Currency, Instant, Property, PropertyId, UserId};
use sqlx::FromRow;

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

/// A place in a list of properties, the newest first.
pub type PropertyCursor = (Instant, PropertyId);

/// What a list of properties is narrowed to; nothing where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    pub host: Option<UserId>,
    pub listing: Option<Listing>,
    /// In any letters.
    pub city: Option<String>,
    pub country: Option<String>,
    pub currency: Option<Currency>,
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

/// Up to `limit` properties that pass all filters, the newest first, from behind `after` on. A
/// property is joined with each of its amenities that matters, so that the database may begin with
/// the rarest one of them, or with none.
pub fn list(filters: &Filters, after: Option<PropertyCursor>, limit: u32) -> Statement {
    let joins: String = (0..filters.amenities.len())
        .map(|number| {
            format!(
                " join property_amenity as has_{number} \
                 on has_{number}.property_id = property.property_id"
            )
        })
        .collect();
    let mut all = Statement::new(&format!("select property.* from property{joins} where true"));
    for (number, slug) in filters.amenities.iter().enumerate() {
        all = all.and(&format!(" and has_{number}.amenity = ?"), slug.as_str());
    }
    // Lists lead through the amenity's own index where there is one.
    let table = if filters.amenities.is_empty() { "property" } else { "has_0" };
    let city = filters.city.as_deref().map(city_key);
    let currency = filters.currency.as_ref().map(Currency::code);
    all.and_if(" and property.listing = ?", filters.listing.map(Listing::name))
        .and_if(" and property.host_id = ?", filters.host.map(|host| host.0))
        .and_if(" and property.city_key = ?", city.as_deref())
        .and_if(" and property.country = ?", filters.country.as_deref())
        .and_if(" and property.currency = ?", currency)
        .and_if(" and property.price_per_night >= ?", filters.min_price)
        .and_if(" and property.price_per_night <= ?", filters.max_price)
        .and_if(" and property.max_guests >= ?", filters.guests.map(i64::from))
        .page([table, "property_id"], after.map(|(at, id)| (at, id.0)), limit)
}

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

    /// The properties of [`list`].
    pub async fn properties(
        &self,
        filters: Filters,
        after: Option<PropertyCursor>,
        limit: u32,
    ) -> Result<Vec<PropertyRow>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let statement = list(&filters, after, limit);
            let rows: Vec<Columns> = rows!(store, statement);
            rows.into_iter().map(PropertyRow::try_from).collect()
        })
        .await
    }
}
