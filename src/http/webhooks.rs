//! `/webhooks`: what payment providers send. Bodies are kept as they came, because signatures are
//! over bytes.

use super::extract::read_body;
use super::problem::Problem;
use crate::engine::Engine;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::ToSchema;

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
