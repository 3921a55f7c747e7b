//! `/properties`.

use super::extract::{Body, IdempotencyKey, MaybeSigned, PropertyPath, Signed};
use super::headers::ETag;
use super::problem::Problem;
use super::{mark_replayed, put, tagged};
use crate::engine::{AMENITIES, Engine, PropertyInput};
use crate::store::properties::PropertyRow;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Time;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
#[schema(as = NewProperty)]
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
    #[serde(default)]
    blind_reviews: bool,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    check_in_from: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    check_out_by: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    status: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool, required = false)]
    instant_book: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    cancellation_policy: Option<String>,
}

/// A value that may be absent, but not null: nobody lists a draft by saying that its status is
/// nothing.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    reader: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

/// What a host cannot change by `PUT`.
const READ_ONLY: [&str; 6] =
    ["id", "host_id", "images", "avg_rating", "review_count", "created_at"];

#[derive(Serialize, ToSchema)]
#[schema(as = Property)]
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
    #[schema(value_type = Vec<Object>)]
    images: [(); 0],
    status: &'static str,
    instant_book: bool,
    check_in_from: String,
    check_out_by: String,
    cancellation_policy: &'static str,
    blind_reviews: bool,
    /// A number with two decimals, written from whole numbers.
    #[schema(value_type = Option<f64>)]
    avg_rating: Option<Box<RawValue>>,
    review_count: i64,
    created_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Amenities)]
struct Slugs {
    data: &'static [&'static str],
}

impl From<Input> for PropertyInput {
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
            blind_reviews: input.blind_reviews,
            check_in_from: input.check_in_from,
            check_out_by: input.check_out_by,
            status: input.status,
            instant_book: input.instant_book,
            cancellation_policy: input.cancellation_policy,
        }
    }
}

impl<'a> View<'a> {
    pub(super) fn of(row: &'a PropertyRow) -> Self {
        let (property, page) = (&row.property, &row.page);
        Self {
            id: property.id.0,
            host_id: property.host.0,
            title: &page.title,
            description: &page.description,
            address: &page.address,
            city: &page.city,
            country: &page.country,
            latitude: page.latitude,
            longitude: page.longitude,
            timezone: property.zone.name(),
            price_per_night: property.price_per_night,
            currency: property.currency.code(),
            max_guests: property.max_guests,
            amenities: &page.amenities,
            images: [],
            status: property.listing.name(),
            instant_book: property.instant_book,
            check_in_from: hours_and_minutes(property.check_in_from),
            check_out_by: hours_and_minutes(property.check_out_by),
            cancellation_policy: property.policy.name(),
            blind_reviews: page.blind_reviews,
            avg_rating: row
                .ratings
                .average()
                .and_then(|average| RawValue::from_string(average.to_string()).ok()),
            review_count: row.ratings.count,
            created_at: row.created_at.to_string(),
        }
    }
}

/// Creates a property of the caller's, who is a host: listed and bookable at once, unless it is a
/// draft.
#[utoipa::path(
    post, path = "/properties", operation_id = "create_property", tag = "properties",
    security(("bearer" = [])), request_body = Input,
    responses((status = 201, description = "The property.", body = View)),
)]
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

/// A property that is listed, or the caller's.
#[utoipa::path(
    get, path = "/properties/{id}", operation_id = "read_property", tag = "properties",
    security((), ("bearer" = [])), params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The property.", body = View),
        (status = 304, description = "It is as If-None-Match says."),
    ),
)]
pub(super) async fn read(
    request: HttpRequest,
    engine: web::Data<Engine>,
    MaybeSigned(caller): MaybeSigned,
    PropertyPath(id): PropertyPath,
) -> Result<HttpResponse, Problem> {
    let row = engine.property(caller.as_ref(), id).await?;
    tagged(&request, &etag(&row), &View::of(&row))
}

/// Changes a property. Absent fields stay as they are; fields that cannot change may be there if
/// they are as they are.
#[utoipa::path(
    put, path = "/properties/{id}", operation_id = "update_property", tag = "properties",
    security(("bearer" = [])), params(("id" = Uuid, Path)), request_body = View,
    responses((status = 200, description = "The property as it is now.", body = View)),
)]
pub(super) async fn update(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    PropertyPath(id): PropertyPath,
    Body(body): Body<put::Sent>,
) -> Result<HttpResponse, Problem> {
    let row = put::on_newest(async || {
        let row = engine.property_to_edit(&caller, id).await?;
        etag(&row).require_match(request.headers())?;
        let input: Input = put::merged(&View::of(&row), &body, &READ_ONLY)?;
        Ok(engine.edit_property(&caller, row, input.into()).await)
    });
    let row = row.await?;
    let tag = (header::ETAG, etag(&row).header()?);
    Ok(HttpResponse::Ok().insert_header(tag).json(View::of(&row)))
}

/// Closes a property for good. Its bookings must have ended.
#[utoipa::path(
    delete, path = "/properties/{id}", operation_id = "archive_property", tag = "properties",
    security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is archived.")),
)]
pub(super) async fn archive(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    PropertyPath(id): PropertyPath,
) -> Result<HttpResponse, Problem> {
    let archived = put::on_newest(async || {
        let row = engine.property_to_edit(&caller, id).await?;
        etag(&row).require_match(request.headers())?;
        Ok(engine.archive_property(&caller, row).await)
    });
    archived.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The amenities that a property may have.
#[utoipa::path(
    get, path = "/amenities", operation_id = "list_amenities", tag = "properties",
    responses((status = 200, description = "Slugs.", body = Slugs)),
)]
pub(super) async fn amenities() -> HttpResponse {
    HttpResponse::Ok().json(Slugs { data: &AMENITIES })
}

/// An edit is an event; reviews change nothing but the ratings.
pub(super) fn etag(row: &PropertyRow) -> ETag {
    let (sum, count) = (row.ratings.sum, row.ratings.count);
    ETag::of(row.property.id, format_args!("{}-{sum}-{count}", row.seq))
}

pub(super) fn hours_and_minutes(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}
