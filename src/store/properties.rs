//! Properties: the facts that decisions read, and what people read. Creating one is its calendar's
//! event 1 and happens with it in one transaction.

use super::booking_row::{FactsRow, minute_of_day, rules_bytes};
use super::keys::{Created, claim_key};
use super::list::{Direction, Statement, Value, rows};
use super::{Store, StoreError, read, write};
use domain::command::Key;
use domain::event::{Sealed, Seq};
use domain::place::Area;
use domain::property::{Listing, Page};
use domain::review::{Average, Ratings};
use domain::{Currency, Instant, Property, PropertyId, Stay, UserId};
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

/// A place in a list of properties: what [`Order::key`] says of the property there, and its id.
pub type PropertyCursor = (i64, PropertyId);

/// What a list of properties is sorted by; then by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    #[default]
    Newest,
    /// The lowest price of a night first, in minor units of whatever currency.
    Price,
    /// The best rated first, those without ratings last.
    Rating,
}

impl Order {
    /// The number that a property has its place by.
    pub fn key(self, row: &PropertyRow) -> i64 {
        match self {
            Self::Newest => row.created_at.as_micros(),
            Self::Price => row.property.price_per_night,
            Self::Rating => row.ratings.average().map_or(0, Average::hundredths),
        }
    }
}

/// What a list of properties is narrowed to, nothing where nothing is said; and its order.
#[derive(Clone, Debug, Default, PartialEq)]
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
    pub instant_book: Option<bool>,
    /// In hundredths of a star: 100 to 500.
    pub min_rating: Option<i64>,
    /// In all of them.
    pub areas: Vec<Area>,
    /// No night of the stay is blocked, or held by a booking that is live at this instant.
    pub free: Option<(Stay, Instant)>,
    pub order: Order,
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

/// The beginning of a look for a booking on a property's nights. It is made for each property that
/// passes by itself, and ends at the first that is found: neither database goes through all
/// bookings to leave out some. Written as a truth, of which PostgreSQL expects that every second home
/// passes; of a value that is null it expects so few that it would rather look at all of them.
const OCCUPIED: &str = " and not coalesce((select true from occupied_night as night \
     join booking on booking.property_id = night.property_id \
     and booking.booking_id = night.booking_id where night.property_id = property.property_id \
     and night.night >= ";

/// The same for a block.
const BLOCKED: &str = " and not coalesce((select true from block \
     where block.property_id = property.property_id and block.to_night > ";

/// Up to `limit` properties that pass all filters, in their order, from behind `after` on. A
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
    let city = filters.city.as_deref().map(city_key);
    let currency = filters.currency.as_ref().map(Currency::code);
    all = all
        .and_if(" and property.listing = ?", filters.listing.map(Listing::name))
        .and_if(" and property.host_id = ?", filters.host.map(|host| host.0))
        .and_if(" and property.city_key = ?", city.as_deref())
        .and_if(" and property.country = ?", filters.country.as_deref())
        .and_if(" and property.currency = ?", currency)
        .and_if(" and property.price_per_night >= ?", filters.min_price)
        .and_if(" and property.price_per_night <= ?", filters.max_price)
        .and_if(" and property.max_guests >= ?", filters.guests.map(i64::from))
        .and_if(" and property.rating_hundredths >= ?", filters.min_rating);
    all = match filters.instant_book {
        Some(true) => all.and_text(" and property.instant_book = true"),
        Some(false) => all.and_text(" and property.instant_book = false"),
        None => all,
    };
    for area in &filters.areas {
        all = within(all, area);
    }
    if let Some((stay, now)) = filters.free {
        all = free(all, stay, now);
    }
    // Lists lead through the amenity's own index where there is one.
    let table = if filters.amenities.is_empty() { "property" } else { "has_0" };
    let (column, direction) = match filters.order {
        Order::Newest => (format!("{table}.created_at"), Direction::Down),
        Order::Price => ("property.price_per_night".to_owned(), Direction::Up),
        Order::Rating => ("property.rating_hundredths".to_owned(), Direction::Down),
    };
    let table = if filters.order == Order::Newest { table } else { "property" };
    // A database that does not know how places are spread walks the list's own order, and finds one
    // home in thousands. What lies between near lines is few enough to be found by them and sorted:
    // a sign in front keeps it from the index of the order.
    let column = if filters.areas.iter().any(is_narrow) { format!("+{column}") } else { column };
    let columns = [column, format!("{table}.property_id")];
    all.sorted(columns, direction, after.map(|(key, id)| (key, id.0)), limit)
}

/// Whether its parallels or its meridians lie so near to each other, a ninth of the earth at most,
/// that it is found by them.
fn is_narrow(area: &Area) -> bool {
    let Area { south, north, west, east } = *area;
    north - south <= 20.0 || (0.0..=40.0).contains(&(east - west))
}

/// Adds that a property lies there.
fn within(all: Statement, area: &Area) -> Statement {
    let all = all
        .and(" and property.latitude >= ?", area.south)
        .and(" and property.latitude <= ?", area.north);
    let (from, to) = (" and (property.longitude >= ?", " property.longitude <= ?)");
    let across = if area.west <= area.east { " and" } else { " or" };
    all.and(from, area.west).and(&format!("{across}{to}"), area.east)
}

/// Adds that nothing holds a night of the stay at this instant. A hold whose time is over holds
/// nothing, though its row may still be there.
fn free(all: Statement, stay: Stay, now: Instant) -> Statement {
    let (from, to) = (i64::from(stay.check_in().days()), i64::from(stay.check_out().days()));
    all.and(&format!("{OCCUPIED}?"), from)
        .and(" and night.night < ?", to)
        .and(
            " and (booking.status <> 'PENDING' or booking.expires_at > ?) limit 1), false)",
            now.as_micros(),
        )
        .and(&format!("{BLOCKED}?"), from)
        .and(" and block.from_night < ? limit 1), false)", to)
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
