//! `/webhooks` and `/callbacks`: what payment providers send. Bodies are kept as they came, because
//! signatures are over bytes. The addresses of callbacks say nothing of who calls, because Daraja
//! refuses those that do.

use super::extract::read_body;
use super::problem::{Code, Problem};
use crate::engine::Engine;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::{PaymentId, RefundId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What Stripe signs with, beside its events.
const SIGNATURE: &str = "stripe-signature";

/// What is read of an event; the rest of it is kept and not looked at.
#[derive(ToSchema)]
#[schema(as = StripeEvent)]
#[expect(dead_code, reason = "it stands for bytes that are read elsewhere")]
pub(super) struct Event {
    id: String,
    r#type: String,
    data: serde_json::Map<String, serde_json::Value>,
}

/// An event of Stripe's, signed with the secret of this server's webhook.
#[utoipa::path(
    post, path = "/webhooks/stripe", operation_id = "hear_stripe", tag = "webhooks",
    params(("Stripe-Signature" = Option<String>, Header, description = "When it was signed, and the signature.")),
    request_body(content = Event, content_type = "application/json"),
    responses((status = 204, description = "It was taken, or is of no interest.")),
)]
pub(super) async fn stripe(
    request: HttpRequest,
    engine: web::Data<Engine>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let body = read_body(&mut payload.into_inner(), 0).await?;
    let signature = request.headers().get(SIGNATURE).and_then(|value| value.to_str().ok());
    engine.hear_stripe(signature, &body).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What is read of a callback; the rest of it is kept and not looked at.
#[derive(ToSchema)]
#[schema(as = PushResult)]
#[expect(dead_code, reason = "it stands for bytes that are read elsewhere")]
pub(super) struct PushResult {
    #[schema(rename = "Body")]
    body: serde_json::Map<String, serde_json::Value>,
}

#[derive(ToSchema)]
#[schema(as = ReversalResult)]
#[expect(dead_code, reason = "it stands for bytes that are read elsewhere")]
pub(super) struct ReversalResult {
    #[schema(rename = "Result")]
    result: serde_json::Map<String, serde_json::Value>,
}

/// What Daraja wants to hear.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct Taken {
    result_code: u8,
    result_desc: &'static str,
}

const TAKEN: Taken = Taken { result_code: 0, result_desc: "Accepted" };

/// What became of a push to a phone, at the address that its order named.
#[utoipa::path(
    post, path = "/callbacks/{id}/{token}", operation_id = "hear_push", tag = "webhooks",
    params(("id" = Uuid, Path), ("token" = String, Path)),
    request_body(content = PushResult, content_type = "application/json"),
    responses((status = 200, description = "It was taken.", body = Taken)),
)]
pub(super) async fn push(
    engine: web::Data<Engine>,
    path: web::Path<(String, String)>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (payment, token) = path.into_inner();
    let payment = PaymentId(id(&payment)?);
    let body = read_body(&mut payload.into_inner(), 0).await?;
    engine.hear_push(payment, &token, &body).await?;
    Ok(HttpResponse::Ok().json(TAKEN))
}

/// What became of money that goes back to a phone, at the address that its order named.
#[utoipa::path(
    post, path = "/callbacks/{id}/{refund}/{token}", operation_id = "hear_reversal", tag = "webhooks",
    params(("id" = Uuid, Path), ("refund" = Uuid, Path), ("token" = String, Path)),
    request_body(content = ReversalResult, content_type = "application/json"),
    responses((status = 200, description = "It was taken.", body = Taken)),
)]
pub(super) async fn reversal(
    engine: web::Data<Engine>,
    path: web::Path<(String, String, String)>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (payment, refund, token) = path.into_inner();
    let which = (PaymentId(id(&payment)?), RefundId(id(&refund)?));
    let body = read_body(&mut payload.into_inner(), 0).await?;
    engine.hear_reversal(which, &token, &body).await?;
    Ok(HttpResponse::Ok().json(TAKEN))
}

/// Whose address is none of ours is told no more than whose token is wrong.
fn id(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| Problem::new(Code::NotFound))
}
