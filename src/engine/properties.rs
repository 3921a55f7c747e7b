//! Properties: created and edited by hosts, read by everybody.

use super::calendars::not_edited;
use super::error::Fields;
use super::{Engine, Error};
use crate::actors::Urgency;
use crate::auth::Caller;
use crate::auth::policy::{Action, Ownership, allow};
use crate::store::keys::Created;
use crate::store::properties::PropertyRow;
use domain::command::{Command, Intent, Key};
use domain::event::{By, Sealed};
use domain::money::Currency;
use domain::pipeline::property::Answer;
use domain::policy::Policy;
use domain::property::{
    CHECK_IN_FROM, CHECK_OUT_BY, Edit, Listing, MAX_GUESTS, MAX_PRICE, Page, Property,
};
use domain::review::Ratings;
use domain::zone::Zone;
use domain::{PropertyId, Rules, UserId};
use jiff::civil::Time;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What a host says of a property: of a new one, or of how one is to be.
#[derive(Debug)]
pub struct PropertyInput {
    pub title: String,
    pub description: String,
    pub address: String,
    pub city: String,
    pub country: String,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub timezone: String,
    pub price_per_night: i64,
    pub currency: String,
    pub max_guests: i64,
    pub amenities: Vec<String>,
    pub blind_reviews: bool,
    pub check_in_from: Option<String>,
    pub check_out_by: Option<String>,
    /// Listed where nothing is said.
    pub status: Option<String>,
    /// True where nothing is said.
    pub instant_book: Option<bool>,
    /// Flexible where nothing is said.
    pub cancellation_policy: Option<String>,
}

const MAX_TITLE: usize = 200;
const MAX_TEXT: usize = 10_000;

/// What a property may offer: the slugs that clients show in their own words.
pub const AMENITIES: [&str; 40] = [
    "air_conditioning",
    "baby_bed",
    "balcony",
    "barbecue",
    "bathtub",
    "beach_access",
    "bed_linen",
    "bicycles",
    "breakfast",
    "carbon_monoxide_alarm",
    "coffee_maker",
    "desk",
    "dishwasher",
    "dryer",
    "elevator",
    "ev_charger",
    "fire_extinguisher",
    "fireplace",
    "first_aid_kit",
    "garden",
    "gym",
    "hair_dryer",
    "heating",
    "high_chair",
    "hot_tub",
    "iron",
    "kitchen",
    "lake_access",
    "microwave",
    "parking",
    "pets_allowed",
    "pool",
    "sauna",
    "self_check_in",
    "smoke_alarm",
    "step_free_access",
    "tv",
    "washer",
    "waterfront",
    "wifi",
];

impl Engine {
    /// Creates a property of the caller's: listed and bookable at once, unless it says that it is
    /// a draft.
    pub async fn create_property(
        &self,
        caller: &Caller,
        new: PropertyInput,
        key: Option<Arc<str>>,
    ) -> Result<(PropertyRow, bool), Error> {
        allow(Action::CreateProperty, Some(caller), Ownership::Unowned)?;
        let request: [u8; 32] = Sha256::digest(format!("create_property {new:?}")).into();
        let who = (self.ids.property(), caller.id);
        let row = self.property_row(who, new, &Arc::default())?;
        if !matches!(row.property.listing, Listing::Draft | Listing::Listed) {
            let mut fields = Fields::default();
            fields.check(false, "/status", "must be draft or listed at first");
            fields.done()?;
        }
        let key = key.map(|text| Key { caller: caller.id, text, request });
        let first = Sealed::first(&row.property, self.ids.fresh(), row.created_at);
        match self.store.create_property(row.clone(), first, key).await? {
            Created::New => Ok((row, false)),
            Created::Known(id) => {
                let row = self.store.property(id).await?.ok_or(Error::NotFound)?;
                Ok((row, true))
            }
            Created::KeyReused => Err(domain::refusal::Refusal::KeyReused.into()),
        }
    }

    /// A property that the caller may see.
    pub async fn property(
        &self,
        caller: Option<&Caller>,
        id: PropertyId,
    ) -> Result<PropertyRow, Error> {
        let row = self.store.property(id).await?.ok_or(Error::NotFound)?;
        let listed = row.property.listing == Listing::Listed;
        let ownership = Ownership::of_property(caller, row.property.host, listed);
        allow(Action::ReadProperty, caller, ownership)?;
        Ok(row)
    }

    /// A property that the caller may change, as it is now.
    pub async fn property_to_edit(
        &self,
        caller: &Caller,
        id: PropertyId,
    ) -> Result<PropertyRow, Error> {
        let row = self.property(Some(caller), id).await?;
        let listed = row.property.listing == Listing::Listed;
        let ownership = Ownership::of_property(Some(caller), row.property.host, listed);
        allow(Action::EditProperty, Some(caller), ownership)?;
        Ok(row)
    }

    /// Makes a property so. `row` is what the caller saw; where it has changed since, the answer
    /// is the refusal `Stale`. What is so already stays as it is.
    pub async fn edit_property(
        &self,
        caller: &Caller,
        row: PropertyRow,
        input: PropertyInput,
    ) -> Result<PropertyRow, Error> {
        let PropertyRow { property: facts, page, .. } =
            self.property_row((row.property.id, row.property.host), input, &row.property.rules)?;
        self.make_so(caller, row, facts, page).await
    }

    /// Closes a property for good. Its bookings must have ended.
    pub async fn archive_property(&self, caller: &Caller, row: PropertyRow) -> Result<(), Error> {
        let facts = Property { listing: Listing::Archived, ..row.property.clone() };
        let page = row.page.clone();
        self.make_so(caller, row, facts, page).await.map(|_| ())
    }

    pub(super) async fn make_so(
        &self,
        caller: &Caller,
        row: PropertyRow,
        facts: Property,
        page: Page,
    ) -> Result<PropertyRow, Error> {
        if facts == row.property && page == row.page {
            return Ok(row);
        }
        let (was, is) = (&row.page.amenities, &page.amenities);
        let amenities_added = is.iter().filter(|slug| !was.contains(slug)).cloned().collect();
        let amenities_removed = was.iter().filter(|slug| !is.contains(slug)).cloned().collect();
        let id = facts.id;
        let edit = Edit { facts, page, amenities_added, amenities_removed, seen: row.seq };
        let command = Command {
            id: self.ids.fresh(),
            by: By::User(caller.id),
            key: None,
            intent: Intent::Edit(Arc::new(edit)),
        };
        match self.registry.submit(id, command, Urgency::Ordinary).await? {
            Answer::Edited { .. } => self.store.property(id).await?.ok_or(Error::NotFound),
            other => Err(not_edited(other)),
        }
    }

    fn property_row(
        &self,
        (id, host): (PropertyId, UserId),
        new: PropertyInput,
        rules: &Arc<Rules>,
    ) -> Result<PropertyRow, Error> {
        let mut fields = Fields::default();
        let title = fields.text(&new.title, "/title", 1, MAX_TITLE);
        let description = fields.text(&new.description, "/description", 0, MAX_TEXT);
        let address = fields.text(&new.address, "/address", 0, MAX_TITLE);
        let city = fields.text(&new.city, "/city", 1, MAX_TITLE);
        let two_capitals =
            new.country.len() == 2 && new.country.bytes().all(|b| b.is_ascii_uppercase());
        fields.check(two_capitals, "/country", "must be an ISO 3166 code in capitals, like KE");
        fields.check(
            new.latitude.is_none_or(|degrees| (-90.0..=90.0).contains(&degrees)),
            "/latitude",
            "must lie between -90 and 90",
        );
        fields.check(
            new.longitude.is_none_or(|degrees| (-180.0..=180.0).contains(&degrees)),
            "/longitude",
            "must lie between -180 and 180",
        );
        fields.check(
            new.latitude.is_some() == new.longitude.is_some(),
            "/latitude",
            "latitude and longitude come together",
        );
        fields.check(
            (0..=MAX_PRICE).contains(&new.price_per_night),
            "/price_per_night",
            "must lie between 0 and 1000000000000 minor units",
        );
        let max_guests = u16::try_from(new.max_guests).unwrap_or(0);
        fields.check(
            (1..=MAX_GUESTS).contains(&max_guests),
            "/max_guests",
            "must lie between 1 and 1000",
        );
        let unknown = new.amenities.iter().find(|slug| !AMENITIES.contains(&slug.as_str()));
        fields.check(
            new.amenities.len() <= AMENITIES.len() && unknown.is_none(),
            "/amenities",
            "must be slugs that GET /amenities lists, each once",
        );
        let listing = new.status.as_deref().map_or(Ok(Listing::Listed), str::parse);
        let listing = fields.parse(listing, "/status");
        let policy = new.cancellation_policy.as_deref();
        let policy = policy.map_or(Ok(Policy::Flexible), str::parse);
        let policy = fields.parse(policy, "/cancellation_policy");
        let zone = fields.parse(Zone::named(&new.timezone), "/timezone");
        let currency = fields.parse(new.currency.parse::<Currency>(), "/currency");
        let hour = |text: Option<&str>, default| text.map_or(Ok(default), time_of_day);
        let check_in_from = hour(new.check_in_from.as_deref(), CHECK_IN_FROM);
        let check_in_from = fields.parse(check_in_from, "/check_in_from");
        let check_out_by = hour(new.check_out_by.as_deref(), CHECK_OUT_BY);
        let check_out_by = fields.parse(check_out_by, "/check_out_by");
        fields.done()?;
        let terms = listing.zip(policy);
        let (Some(zone), Some(currency), Some(check_in_from), Some(check_out_by), Some(terms)) =
            (zone, currency, check_in_from, check_out_by, terms)
        else {
            return Err(Error::Fault("a field was neither right nor wrong"));
        };
        let (listing, policy) = terms;
        let property = Property {
            id,
            host,
            listing,
            zone,
            price_per_night: new.price_per_night,
            currency,
            max_guests,
            instant_book: new.instant_book.unwrap_or(true),
            check_in_from,
            check_out_by,
            policy,
            rules: Arc::clone(rules),
        };
        let mut amenities = new.amenities;
        amenities.sort_unstable();
        amenities.dedup();
        let page = Page {
            title,
            description,
            address,
            city,
            country: new.country,
            latitude: new.latitude.map(unsigned),
            longitude: new.longitude.map(unsigned),
            amenities,
            blind_reviews: new.blind_reviews,
        };
        let (ratings, created_at) = (Ratings::default(), self.clock.now());
        Ok(PropertyRow { property, page, seq: 1, ratings, created_at })
    }
}

/// Degrees with one zero: SQLite does not keep the sign of the other.
fn unsigned(degrees: f64) -> f64 {
    if degrees == 0.0 { 0.0 } else { degrees }
}

/// Reads `HH:MM` and nothing else; the error says so.
pub fn time_of_day(text: &str) -> Result<Time, &'static str> {
    const FORM: &str = "must be a time of day in the form HH:MM";
    let (hour, minute) = text.split_once(':').ok_or(FORM)?;
    // A sign would be read as a part of the number.
    let is_plain = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain(hour) || !is_plain(minute) {
        return Err(FORM);
    }
    let (hour, minute) = (hour.parse().map_err(|_| FORM)?, minute.parse().map_err(|_| FORM)?);
    Time::new(hour, minute, 0, 0).map_err(|_| FORM)
}
