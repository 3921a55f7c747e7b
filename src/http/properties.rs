//! `/properties`.

use super::cursor::{self, Cursor};
use super::extract::{Body, IdempotencyKey, MaybeSigned, Page, PropertyPath, Signed};
use super::headers::ETag;
use super::problem::Problem;
use super::{mark_replayed, tagged};
use crate::engine::{Engine, NewProperty};
use crate::store::properties::PropertyRow;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    address: String,
    city: String,
    country: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    timezone: String,
    price_per_night: i64,
    currency: String,
    max_guests: i64,
    #[serde(default)]
    amenities: Vec<String>,
    check_in_from: Option<String>,
    check_out_by: Option<String>,
}

#[derive(Serialize)]
pub(super) struct View<'a> {
    id: Uuid,
    host_id: Uuid,
    title: &'a str,
    description: &'a str,
    address: &'a str,
    city: &'a str,
    country: &'a str,
    latitude: Option<f64>,
    longitude: Option<f64>,
    timezone: &'a str,
    price_per_night: i64,
    currency: &'a str,
    max_guests: u16,
    amenities: &'a [String],
    status: &'static str,
    instant_book: bool,
    check_in_from: String,
    check_out_by: String,
    cancellation_policy: &'static str,
    created_at: String,
}

#[derive(Serialize)]
struct List<'a> {
    data: Vec<View<'a>>,
    next_cursor: Option<String>,
}

impl From<Input> for NewProperty {
    fn from(input: Input) -> Self {
        Self {
            title: input.title,
            description: input.description,
            address: input.address,
            city: input.city,
            country: input.country,
            latitude: input.latitude,
            longitude: input.longitude,
            timezone: input.timezone,
            price_per_night: input.price_per_night,
            currency: input.currency,
            max_guests: input.max_guests,
            amenities: input.amenities,
            check_in_from: input.check_in_from,
            check_out_by: input.check_out_by,
        }
    }
}

impl<'a> View<'a> {
    pub(super) fn of(row: &'a PropertyRow) -> Self {
        let property = &row.property;
        Self {
            id: property.id.0,
            host_id: property.host.0,
            title: &row.title,
            description: &row.description,
            address: &row.address,
            city: &row.city,
            country: &row.country,
            latitude: row.latitude,
            longitude: row.longitude,
            timezone: property.zone.name(),
            price_per_night: property.price_per_night,
            currency: property.currency.code(),
            max_guests: property.max_guests,
            amenities: &row.amenities,
            status: property.listing.name(),
            instant_book: property.instant_book,
            check_in_from: hours_and_minutes(property.check_in_from),
            check_out_by: hours_and_minutes(property.check_out_by),
            cancellation_policy: property.policy.name(),
            created_at: row.created_at.to_string(),
        }
    }
}

pub(super) async fn create(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    IdempotencyKey(key): IdempotencyKey,
    Body(input): Body<Input>,
) -> Result<HttpResponse, Problem> {
    let (row, replayed) = engine.create_property(&caller, input.into(), key).await?;
    let location = format!("/api/v1/properties/{}", row.property.id);
    let mut response = HttpResponse::Created()
        .insert_header((header::LOCATION, location))
        .insert_header((header::ETAG, etag(&row).header()?))
        .json(View::of(&row));
    mark_replayed(&mut response, replayed);
    Ok(response)
}

pub(super) async fn read(
    request: HttpRequest,
    engine: web::Data<Engine>,
    MaybeSigned(caller): MaybeSigned,
    PropertyPath(id): PropertyPath,
) -> Result<HttpResponse, Problem> {
    let row = engine.property(caller.as_ref(), id).await?;
    tagged(&request, &etag(&row), &View::of(&row))
}

pub(super) async fn list(
    request: HttpRequest,
    engine: web::Data<Engine>,
    page: Page,
) -> Result<HttpResponse, Problem> {
    let after = page.cursor.map(|cursor| (cursor.created_at, cursor.id));
    let mut rows = engine.properties(after, page.limit + 1).await?;
    let place = |row: &PropertyRow| Cursor { created_at: row.created_at, id: row.property.id.0 };
    let next = cursor::next(&mut rows, page.limit, place);
    let mut response = HttpResponse::Ok();
    if let Some(next) = &next {
        response.insert_header((header::LINK, cursor::next_link(request.uri(), *next)?));
    }
    let data = rows.iter().map(View::of).collect();
    Ok(response.json(List { data, next_cursor: next.map(|next| next.to_string()) }))
}

/// A property does not change yet, so its first version is its only one.
fn etag(row: &PropertyRow) -> ETag {
    ETag::of(row.property.id, 1)
}

fn hours_and_minutes(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}
