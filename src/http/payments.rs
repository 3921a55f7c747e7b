//! `/payments`.

use super::cursor::{self, Cursor};
use super::extract::{Body, IdempotencyKey, Page, PaymentPath, Signed};
use super::headers::ETag;
use super::openapi::PageParams;
use super::problem::Problem;
use super::{mark_replayed, tagged};
use crate::engine::{Engine, PaymentRequest};
use crate::payments::sandbox;
use crate::store::payments::Payment;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::BookingId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
#[schema(as = NewPayment)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    booking_id: Uuid,
    payment_method: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
pub(super) struct View<'a> {
    id: Uuid,
    booking_id: Uuid,
    provider: &'a str,
    provider_ref: Option<&'a str>,
    amount: i64,
    currency: &'a str,
    status: &'static str,
    refunded_amount: i64,
    created_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Payments)]
struct List<'a> {
    data: Vec<View<'a>>,
    next_cursor: Option<String>,
}

impl<'a> View<'a> {
    pub(super) fn of(payment: &'a Payment) -> Self {
        Self {
            id: payment.id.0,
            booking_id: payment.booking.0,
            provider: &payment.provider,
            provider_ref: payment.provider_ref.as_deref(),
            amount: payment.amount,
            currency: payment.currency.code(),
            status: payment.status.name(),
            refunded_amount: payment.refunded,
            created_at: payment.created_at.to_string(),
        }
    }
}

/// Begins to pay for a booking.
#[utoipa::path(
    post, path = "/payments", operation_id = "pay", tag = "payments",
    security(("bearer" = [])), request_body = Input, responses((status = 201, description = "The payment, which is settled.", body = View), (status = 202, description = "The payment; its provider has not answered yet.", body = View)),
)]
pub(super) async fn create(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    IdempotencyKey(key): IdempotencyKey,
    Body(input): Body<Input>,
) -> Result<HttpResponse, Problem> {
    let method = input.payment_method;
    if method.as_ref().is_some_and(|method| !sandbox::METHODS.contains(&method.as_str())) {
        let detail = format!("must be one of {}", sandbox::METHODS.join(", "));
        return Err(Problem::field("/payment_method", detail));
    }
    let method = Arc::from(method.unwrap_or_default());
    let request = PaymentRequest { booking: BookingId(input.booking_id), method };
    let (payment, replayed) = engine.pay(&caller, request, key).await?;
    // The provider has not answered yet: the payment can be read again at its own address.
    let status = if payment.status.is_open() { StatusCode::ACCEPTED } else { StatusCode::CREATED };
    let mut response = HttpResponse::build(status)
        .insert_header((header::LOCATION, format!("/api/v1/payments/{}", payment.id)))
        .json(View::of(&payment));
    mark_replayed(&mut response, replayed);
    Ok(response)
}

/// A payment of the caller.
#[utoipa::path(
    get, path = "/payments/{id}", operation_id = "read_payment", tag = "payments",
    security(("bearer" = [])), params(("id" = Uuid, Path)), responses((status = 200, description = "The payment.", body = View), (status = 304, description = "It is as If-None-Match says.")),
)]
pub(super) async fn read(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    PaymentPath(id): PaymentPath,
) -> Result<HttpResponse, Problem> {
    let payment = engine.payment(&caller, id).await?;
    // A payment moves forward only, so its status and what went back tell its versions apart.
    let version = format_args!("{}-{}", payment.status.name(), payment.refunded);
    tagged(&request, &ETag::of(payment.id, version), &View::of(&payment))
}

/// The payments of the caller, newest first.
#[utoipa::path(
    get, path = "/payments", operation_id = "list_payments", tag = "payments",
    security(("bearer" = [])), params(PageParams), responses((status = 200, description = "A page of payments.", body = List)),
)]
pub(super) async fn list(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    page: Page,
) -> Result<HttpResponse, Problem> {
    let after = page.cursor.map(Cursor::by_age);
    let mut rows = engine.payments(&caller, after, page.limit + 1).await?;
    let place = |payment: &Payment| (payment.created_at.as_micros(), payment.id.0);
    let (mut response, next_cursor) = cursor::page_of(&request, &mut rows, page.limit, place)?;
    let data = rows.iter().map(View::of).collect();
    Ok(response.json(List { data, next_cursor }))
}
