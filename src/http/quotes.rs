//! `/quotes`: what a stay costs, promised for some minutes. Nobody has to be signed in.

use super::bookings::stay;
use super::extract::{Body, IdempotencyKey, MaybeSigned, QuotePath};
use super::headers::ETag;
use super::mark_replayed;
use super::price::LineView;
use super::problem::Problem;
use super::tagged;
use crate::engine::{BookingRequest, Engine};
use crate::store::quotes::QuoteRow;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::PropertyId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A stay whose price is asked for.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewQuote)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    property_id: Uuid,
    check_in: String,
    check_out: String,
    guests: i64,
}

/// A price that a booking with this `quote_id` has until `expires_at`, whatever prices are by then.
#[derive(Serialize, ToSchema)]
#[schema(as = Quote)]
struct View<'a> {
    id: Uuid,
    property_id: Uuid,
    user_id: Option<Uuid>,
    #[schema(format = Date)]
    check_in: String,
    #[schema(format = Date)]
    check_out: String,
    guests: u16,
    total_amount: i64,
    currency: &'a str,
    lines: Vec<LineView<'a>>,
    cancellation_policy: &'static str,
    expires_at: String,
    created_at: String,
}

impl<'a> View<'a> {
    fn of(row: &'a QuoteRow) -> Self {
        let quote = &row.quote;
        Self {
            id: quote.id.0,
            property_id: row.property.0,
            user_id: row.account.map(|account| account.0),
            check_in: quote.stay.check_in().to_string(),
            check_out: quote.stay.check_out().to_string(),
            guests: quote.guests,
            total_amount: quote.price.total(),
            currency: quote.currency.code(),
            lines: LineView::all(&quote.price),
            cancellation_policy: quote.policy.name(),
            expires_at: quote.expires_at.to_string(),
            created_at: row.created_at.to_string(),
        }
    }
}

/// Promises the price of a stay that can be had now, for 15 minutes. It holds no nights.
#[utoipa::path(
    post, path = "/quotes", operation_id = "create_quote", tag = "quotes",
    security((), ("bearer" = [])), request_body = Input,
    responses((status = 201, description = "The quote.", body = View)),
)]
pub(super) async fn create(
    engine: web::Data<Engine>,
    MaybeSigned(caller): MaybeSigned,
    IdempotencyKey(key): IdempotencyKey,
    Body(input): Body<Input>,
) -> Result<HttpResponse, Problem> {
    let (stay, guests) = stay(&input.check_in, &input.check_out, input.guests)?;
    let property = PropertyId(input.property_id);
    let request = BookingRequest { property, stay, guests, quote: None, offline: false };
    let (row, replayed) = engine.make_quote(caller.as_ref(), request, key).await?;
    let mut response = HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/quotes/{}", row.quote.id)))
        .insert_header((header::ETAG, ETag::of(row.quote.id, 1).header()?))
        .json(View::of(&row));
    mark_replayed(&mut response, replayed);
    Ok(response)
}

/// A quote of one's own, or one that nobody signed for. It never changes.
#[utoipa::path(
    get, path = "/quotes/{id}", operation_id = "read_quote", tag = "quotes",
    security((), ("bearer" = [])), params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The quote.", body = View),
        (status = 304, description = "It is as If-None-Match says."),
    ),
)]
pub(super) async fn read(
    request: HttpRequest,
    engine: web::Data<Engine>,
    MaybeSigned(caller): MaybeSigned,
    QuotePath(id): QuotePath,
) -> Result<HttpResponse, Problem> {
    let row = engine.quote(caller.as_ref(), id).await?;
    tagged(&request, &ETag::of(id, 1), &View::of(&row))
}
