//! `/reviews`.

use super::cursor::{self, Cursor};
use super::extract::{Body, IdempotencyKey, MaybeSigned, Params, ReviewPath, Signed};
use super::headers::ETag;
use super::openapi::PageParams;
use super::problem::Problem;
use super::{mark_replayed, put, tagged};
use crate::engine::{Engine, NewReview, ReviewChange, Subject};
use crate::store::reviews::Review;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::review::Direction;
use domain::{BookingId, PropertyId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A review of one booking, or of the caller's latest stay at a property.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewReview)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    booking_id: Option<Uuid>,
    property_id: Option<Uuid>,
    rating: i64,
    comment: String,
}

/// What may be changed of a review.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    rating: i64,
    comment: String,
}

/// What nobody can change by `PUT`.
const READ_ONLY: [&str; 8] = [
    "id",
    "property_id",
    "user_id",
    "booking_id",
    "direction",
    "reply",
    "published_at",
    "created_at",
];

#[derive(Deserialize, ToSchema)]
#[schema(as = NewReply)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplyInput {
    comment: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Review)]
pub(super) struct View<'a> {
    id: Uuid,
    property_id: Uuid,
    user_id: Uuid,
    booking_id: Uuid,
    /// `guest_to_host` or `host_to_guest`.
    direction: &'static str,
    rating: u8,
    comment: &'a str,
    reply: Option<ReplyView<'a>>,
    /// From when on others than its author can read it; it may lie ahead.
    published_at: String,
    created_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Reply)]
struct ReplyView<'a> {
    comment: &'a str,
    created_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Reviews)]
struct List<'a> {
    data: Vec<View<'a>>,
    next_cursor: Option<String>,
}

impl Input {
    fn read(self) -> Result<NewReview, Problem> {
        let subject = match (self.booking_id, self.property_id) {
            (Some(id), None) => Subject::Booking(BookingId(id)),
            (None, Some(id)) => Subject::Property(PropertyId(id)),
            (None, None) => {
                return Err(Problem::field("/booking_id", "is required, or property_id is"));
            }
            (Some(_), Some(_)) => {
                return Err(Problem::field("/property_id", "must not stand beside booking_id"));
            }
        };
        Ok(NewReview { subject, rating: self.rating, comment: self.comment })
    }
}

impl<'a> View<'a> {
    pub(super) fn of(review: &'a Review) -> Self {
        Self {
            id: review.id.0,
            property_id: review.property.0,
            user_id: review.author.0,
            booking_id: review.booking.0,
            direction: review.direction.name(),
            rating: review.rating.stars(),
            comment: &review.comment,
            reply: review.reply.as_ref().map(|reply| ReplyView {
                comment: &reply.comment,
                created_at: reply.created_at.to_string(),
            }),
            published_at: review.publication.at.to_string(),
            created_at: review.created_at.to_string(),
        }
    }
}

/// Reviews a completed stay: the property as its guest, the guest as the property's host. Where the
/// property wants blind reviews, the other side reads it when it has spoken too, or after 14 days.
#[utoipa::path(
    post, path = "/reviews", operation_id = "create_review", tag = "reviews",
    security(("bearer" = [])), request_body = Input, responses((status = 201, description = "The review.", body = View)),
)]
pub(super) async fn create(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    IdempotencyKey(key): IdempotencyKey,
    Body(input): Body<Input>,
) -> Result<HttpResponse, Problem> {
    let (review, replayed) = engine.write_review(&caller, input.read()?, key).await?;
    created(&review, replayed)
}

/// A review that everybody reads, or the caller may.
#[utoipa::path(
    get, path = "/reviews/{id}", operation_id = "read_review", tag = "reviews",
    security((), ("bearer" = [])), params(("id" = Uuid, Path)), responses((status = 200, description = "The review.", body = View), (status = 304, description = "It is as If-None-Match says.")),
)]
pub(super) async fn read(
    request: HttpRequest,
    engine: web::Data<Engine>,
    MaybeSigned(caller): MaybeSigned,
    ReviewPath(id): ReviewPath,
) -> Result<HttpResponse, Problem> {
    let review = engine.review(caller.as_ref(), id).await?;
    tagged(&request, &etag(&review), &View::of(&review))
}

/// What guests say of a property, or what the caller may read of both sides of a booking; newest
/// first.
#[utoipa::path(
    get, path = "/reviews", operation_id = "list_reviews", tag = "reviews",
    security((), ("bearer" = [])), 
    params(
        ("property" = Option<Uuid>, Query, description = "Either this or booking."),
        ("booking" = Option<Uuid>, Query, description = "One that the caller may read."),
        ("direction" = Option<String>, Query, description = "guest_to_host or host_to_guest."),
        PageParams,
    ),
    responses((status = 200, description = "A page of reviews.", body = List)),
)]
pub(super) async fn list(
    request: HttpRequest,
    engine: web::Data<Engine>,
    MaybeSigned(caller): MaybeSigned,
    mut params: Params,
) -> Result<HttpResponse, Problem> {
    let (property, booking) = (params.id("property")?, params.id("booking")?);
    let direction: Option<Direction> = params.take("direction")?;
    let page = params.page()?;
    params.end()?;
    let subject = match (property, booking) {
        (Some(id), None) => Subject::Property(PropertyId(id)),
        (None, Some(id)) => Subject::Booking(BookingId(id)),
        (None, None) => return Err(Problem::field("/property", "is required, or booking is")),
        (Some(_), Some(_)) => {
            return Err(Problem::field("/booking", "must not stand beside property"));
        }
    };
    let after = page.cursor.map(Cursor::by_age);
    let mut rows =
        engine.reviews(caller.as_ref(), subject, direction, after, page.limit + 1).await?;
    let place = |review: &Review| (review.created_at.as_micros(), review.id.0);
    let (mut response, next_cursor) = cursor::page_of(&request, &mut rows, page.limit, place)?;
    let data = rows.iter().map(View::of).collect();
    Ok(response.json(List { data, next_cursor }))
}

/// Changes a review, by its author within 14 days of check-out, or by an admin. The author of a
/// blind one may do so until it appears.
#[utoipa::path(
    put, path = "/reviews/{id}", operation_id = "update_review", tag = "reviews",
    security(("bearer" = [])), params(("id" = Uuid, Path)), request_body = View, responses((status = 200, description = "The review as it is now.", body = View)),
)]
pub(super) async fn change(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    ReviewPath(id): ReviewPath,
    Body(body): Body<put::Sent>,
) -> Result<HttpResponse, Problem> {
    let change = |review: &Review| {
        etag(review).require_match(request.headers())?;
        let Change { rating, comment } = put::merged(&View::of(review), &body, &READ_ONLY)?;
        Ok::<_, Problem>(ReviewChange { rating, comment })
    };
    let review = engine.change_review(&caller, id, change).await?;
    let tag = (header::ETAG, etag(&review).header()?);
    Ok(HttpResponse::Ok().insert_header(tag).json(View::of(&review)))
}

/// Takes a review back, by its author within 14 days of check-out, or by an admin. The author of a
/// blind one may do so until it appears.
#[utoipa::path(
    delete, path = "/reviews/{id}", operation_id = "delete_review", tag = "reviews",
    security(("bearer" = [])), params(("id" = Uuid, Path)), responses((status = 204, description = "It is gone.")),
)]
pub(super) async fn delete(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    ReviewPath(id): ReviewPath,
) -> Result<HttpResponse, Problem> {
    let accepts = |review: &Review| etag(review).require_match(request.headers());
    engine.delete_review(&caller, id, accepts).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Replies to a review, once, by the property's host.
#[utoipa::path(
    post, path = "/reviews/{id}/reply", operation_id = "reply_to_review", tag = "reviews",
    security(("bearer" = [])), params(("id" = Uuid, Path)), request_body = ReplyInput, responses((status = 201, description = "The review with its reply.", body = View)),
)]
pub(super) async fn reply(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    ReviewPath(id): ReviewPath,
    IdempotencyKey(key): IdempotencyKey,
    Body(input): Body<ReplyInput>,
) -> Result<HttpResponse, Problem> {
    let (review, replayed) = engine.reply_to_review(&caller, id, &input.comment, key).await?;
    created(&review, replayed)
}

/// The answer to what made a review or its reply.
fn created(review: &Review, replayed: bool) -> Result<HttpResponse, Problem> {
    let mut response = HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/reviews/{}", review.id)))
        .insert_header((header::ETAG, etag(review).header()?))
        .json(View::of(review));
    mark_replayed(&mut response, replayed);
    Ok(response)
}

fn etag(review: &Review) -> ETag {
    ETag::of(review.id, review.version)
}
