//! Properties: created by hosts, read and listed by everybody.

use super::error::Fields;
use super::{Engine, Error};
use crate::auth::Caller;
use crate::auth::policy::{Action, Ownership, allow};
use crate::store::keys::Created;
use crate::store::properties::PropertyRow;
use domain::command::Key;
use domain::event::Sealed;
use domain::money::Currency;
use domain::policy::Policy;
use domain::property::{CHECK_IN_FROM, CHECK_OUT_BY, Listing, MAX_GUESTS, MAX_PRICE, Property};
use domain::review::Ratings;
use domain::zone::Zone;
use domain::{Instant, PropertyId, UserId};
use jiff::civil::Time;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

/// What a host says of a new property.
#[derive(Debug)]
pub struct NewProperty {
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
    pub check_in_from: Option<String>,
    pub check_out_by: Option<String>,
}

const MAX_TITLE: usize = 200;
const MAX_TEXT: usize = 10_000;
const MAX_AMENITIES: usize = 100;
const MAX_SLUG: usize = 50;

impl Engine {
    /// Creates a property of the caller's: listed and bookable at once.
    pub async fn create_property(
        &self,
        caller: &Caller,
        new: NewProperty,
        key: Option<Arc<str>>,
    ) -> Result<(PropertyRow, bool), Error> {
        allow(Action::CreateProperty, Some(caller), Ownership::Unowned)?;
        let request: [u8; 32] = Sha256::digest(format!("create_property {new:?}")).into();
        let row = self.property_row(caller.id, new)?;
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

    /// The listed properties, newest first, after a place in the list.
    pub async fn properties(
        &self,
        after: Option<(Instant, Uuid)>,
        limit: usize,
    ) -> Result<Vec<PropertyRow>, Error> {
        let after = after.map(|(at, id)| (at, PropertyId(id)));
        Ok(self.store.properties(after, super::rows(limit)).await?)
    }

    fn property_row(&self, host: UserId, new: NewProperty) -> Result<PropertyRow, Error> {
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
        fields.check(
            new.amenities.len() <= MAX_AMENITIES && new.amenities.iter().all(|slug| is_slug(slug)),
            "/amenities",
            "must be at most 100 slugs of small letters, digits and _, like air_conditioning",
        );
        let zone = fields.parse(Zone::named(&new.timezone), "/timezone");
        let currency = fields.parse(new.currency.parse::<Currency>(), "/currency");
        let check_in_from = time_of_day(new.check_in_from.as_deref(), CHECK_IN_FROM);
        let check_in_from = fields.parse(check_in_from, "/check_in_from");
        let check_out_by = time_of_day(new.check_out_by.as_deref(), CHECK_OUT_BY);
        let check_out_by = fields.parse(check_out_by, "/check_out_by");
        fields.done()?;
        let (Some(zone), Some(currency), Some(check_in_from), Some(check_out_by)) =
            (zone, currency, check_in_from, check_out_by)
        else {
            return Err(Error::Fault("a field was neither right nor wrong"));
        };
        let property = Property {
            id: self.ids.property(),
            host,
            listing: Listing::Listed,
            zone,
            price_per_night: new.price_per_night,
            currency,
            max_guests,
            instant_book: true,
            check_in_from,
            check_out_by,
            policy: Policy::Flexible,
        };
        Ok(PropertyRow {
            property,
            title,
            description,
            address,
            city,
            country: new.country,
            latitude: new.latitude,
            longitude: new.longitude,
            amenities: new.amenities,
            ratings: Ratings::default(),
            created_at: self.clock.now(),
        })
    }
}

fn is_slug(text: &str) -> bool {
    (1..=MAX_SLUG).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// `HH:MM`, or the default where nothing is said.
fn time_of_day(text: Option<&str>, default: Time) -> Result<Time, &'static str> {
    const FORM: &str = "must be a time of day in the form HH:MM";
    let Some(text) = text else { return Ok(default) };
    let (hour, minute) = text.split_once(':').ok_or(FORM)?;
    if hour.len() != 2 || minute.len() != 2 {
        return Err(FORM);
    }
    let (hour, minute) = (hour.parse().map_err(|_| FORM)?, minute.parse().map_err(|_| FORM)?);
    Time::new(hour, minute, 0, 0).map_err(|_| FORM)
}
