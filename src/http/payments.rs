//! `/payments`.

use super::cursor::{self, Cursor};
use super::extract::{Body, IdempotencyKey, Page, PaymentPath, Signed};
use super::headers::ETag;
use super::openapi::PageParams;
use super::problem::Problem;
use super::{mark_replayed, tagged};
use crate::engine::{Engine, PaymentRequest, PaymentView};
use crate::store::refunds::Refund;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::BookingId;
use domain::payment::NextAction;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
#[schema(as = NewPayment)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    booking_id: Uuid,
    /// Where there are several.
    provider: Option<String>,
    /// A card's token, like `pm_card_visa`; without one the guest chooses at the provider.
    payment_method: Option<String>,
    /// The phone that M-Pesa asks.
    phone: Option<String>,
    /// Where the provider's page leads back to.
    return_url: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewRefund)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundInput {
    /// In minor units of the payment's currency; all that is left without it.
    #[schema(minimum = 1)]
    amount: Option<i64>,
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
    /// What the guest has to do next, for the guest alone.
    next_action: Option<ActionView<'a>>,
    /// What has gone back.
    refunded_amount: i64,
    refunds: Vec<RefundView<'a>>,
    created_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = NextAction)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ActionView<'a> {
    /// The provider's script goes on with this secret.
    UseClientSecret { client_secret: &'a str },
    /// Lead the guest to this address.
    Redirect { url: &'a str },
    /// The guest is asked on the phone.
    ConfirmOnPhone,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Refund)]
struct RefundView<'a> {
    id: Uuid,
    amount: i64,
    status: &'static str,
    /// Why it failed, in the provider's words.
    reason: Option<&'a str>,
    created_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Payments)]
struct List<'a> {
    data: Vec<View<'a>>,
    next_cursor: Option<String>,
}

impl<'a> View<'a> {
    pub(super) fn of(view: &'a PaymentView) -> Self {
        let PaymentView { payment, refunds, is_payer } = view;
        // What is over asks for nothing.
        let action = payment.action.as_ref().filter(|_| *is_payer && payment.status.is_open());
        Self {
            id: payment.id.0,
            booking_id: payment.booking.0,
            provider: &payment.provider,
            provider_ref: payment.provider_ref.as_deref(),
            amount: payment.amount,
            currency: payment.currency.code(),
            status: payment.status.name(),
            next_action: action.map(ActionView::of),
            refunded_amount: payment.refunded,
            refunds: refunds.iter().map(RefundView::of).collect(),
            created_at: payment.created_at.to_string(),
        }
    }
}

impl<'a> ActionView<'a> {
    fn of(action: &'a NextAction) -> Self {
        match action {
            NextAction::Client { secret } => Self::UseClientSecret { client_secret: secret },
            NextAction::Redirect { url } => Self::Redirect { url },
            NextAction::Phone => Self::ConfirmOnPhone,
        }
    }
}

impl<'a> RefundView<'a> {
    fn of(refund: &'a Refund) -> Self {
        Self {
            id: refund.id.0,
            amount: refund.amount,
            status: refund.state.name(),
            reason: refund.reason.as_deref(),
            created_at: refund.requested_at.to_string(),
        }
    }
}

/// The most characters of an address to come back to.
const LONGEST_URL: usize = 2_048;

impl Input {
    fn request(self) -> Result<PaymentRequest, Problem> {
        let method = match (self.payment_method, self.phone) {
            (Some(_), Some(_)) => {
                return Err(Problem::field(
                    "/phone",
                    "must be absent where payment_method is sent",
                ));
            }
            (method, phone) => method.or(phone).unwrap_or_default(),
        };
        let return_url = self.return_url.unwrap_or_default();
        let is_web = ["http://", "https://"].iter().any(|scheme| return_url.starts_with(scheme));
        let is_plain = return_url.bytes().all(|byte| byte.is_ascii_graphic());
        let is_address = is_web && is_plain && return_url.len() <= LONGEST_URL;
        if !(return_url.is_empty() || is_address) {
            let detail = "must be an address that begins with https:// or http://, of at most \
                          2,048 visible ASCII characters";
            return Err(Problem::field("/return_url", detail));
        }
        Ok(PaymentRequest {
            booking: BookingId(self.booking_id),
            provider: self.provider,
            method: Arc::from(method),
            return_url: Arc::from(return_url),
        })
    }
}

/// Begins to pay for a booking.
#[utoipa::path(
    post, path = "/payments", operation_id = "pay", tag = "payments",
    security(("bearer" = [])), request_body = Input, responses((status = 201, description = "The payment, which is settled.", body = View), (status = 202, description = "The payment, which goes on as next_action says, or whose provider has not answered yet.", body = View)),
)]
pub(super) async fn create(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    IdempotencyKey(key): IdempotencyKey,
    Body(input): Body<Input>,
) -> Result<HttpResponse, Problem> {
    let (view, replayed) = engine.pay(&caller, input.request()?, key).await?;
    // What is open can be read again at its own address.
    let is_open = view.payment.status.is_open();
    let status = if is_open { StatusCode::ACCEPTED } else { StatusCode::CREATED };
    Ok(created(status, &view, replayed))
}

fn created(status: StatusCode, view: &PaymentView, replayed: bool) -> HttpResponse {
    let mut response = HttpResponse::build(status)
        .insert_header((header::LOCATION, format!("/api/v1/payments/{}", view.payment.id)))
        .json(View::of(view));
    mark_replayed(&mut response, replayed);
    response
}

/// Gives money of a payment back, beyond what the policy says. For the host and admins.
#[utoipa::path(
    post, path = "/payments/{id}/refunds", operation_id = "refund", tag = "payments",
    security(("bearer" = [])), params(("id" = Uuid, Path)), request_body = RefundInput, responses((status = 201, description = "The payment with its refunds.", body = View)),
)]
pub(super) async fn refund(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    IdempotencyKey(key): IdempotencyKey,
    PaymentPath(id): PaymentPath,
    Body(input): Body<RefundInput>,
) -> Result<HttpResponse, Problem> {
    if input.amount.is_some_and(|amount| amount < 1) {
        return Err(Problem::field("/amount", "must be 1 or more, in minor units"));
    }
    let (view, replayed) = engine.refund(&caller, id, input.amount, key).await?;
    Ok(created(StatusCode::CREATED, &view, replayed))
}

/// A payment for a booking of the caller, or of the caller's property.
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
    let view = engine.payment(&caller, id).await?;
    let shown = View::of(&view);
    let version = version_of(&shown);
    tagged(&request, &ETag::of(id, version), &shown)
}

/// What tells the versions of a payment apart: where it stands, where its refunds stand, and whether
/// its next action is told to this reader.
fn version_of(view: &View<'_>) -> String {
    let refunds = view.refunds.iter().map(|refund| &refund.status[..2]).collect::<String>();
    let action = u8::from(view.next_action.is_some());
    format!("{}-{}-{action}{refunds}", view.status, view.refunded_amount)
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
    let place = |view: &PaymentView| (view.payment.created_at.as_micros(), view.payment.id.0);
    let (mut response, next_cursor) = cursor::page_of(&request, &mut rows, page.limit, place)?;
    let data = rows.iter().map(View::of).collect();
    Ok(response.json(List { data, next_cursor }))
}
