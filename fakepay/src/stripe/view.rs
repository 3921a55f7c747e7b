//! How things are shown: every field that the official libraries read, and all that async-stripe
//! cannot do without.

use super::books::Event;
use super::intent::{Charge, Intent, Status};
use super::method::Method;
use super::refund::{FAILURE_REASON, Refund, Standing};
use serde_json::{Value, json};

/// What the account is set to, and what events are written in.
pub(super) const VERSION: &str = "2025-09-30.clover";

fn brand(method: Method) -> (&'static str, &'static str) {
    match method.id {
        "pm_card_mastercard" => ("mastercard", "4444"),
        "pm_card_pendingRefund" => ("visa", "7726"),
        "pm_card_refundFail" => ("visa", "5126"),
        _ => ("visa", "4242"),
    }
}

fn card(method: Method) -> Value {
    let (brand, last4) = brand(method);
    json!({
        "brand": brand, "last4": last4, "country": "US", "exp_month": 12, "exp_year": 2034,
        "fingerprint": null, "funding": "credit",
    })
}

fn nobody() -> Value {
    json!({ "address": null, "email": null, "name": null, "phone": null, "tax_id": null })
}

pub(super) fn method(method: Method, created: i64) -> Value {
    json!({
        "id": method.id, "object": "payment_method", "billing_details": nobody(),
        "card": card(method), "created": created, "customer": null, "livemode": false,
        "metadata": {}, "type": "card",
    })
}

/// An intent, with its charge in full where `expand` asks for it. `url` is the stand-in's own.
pub(super) fn intent(intent: &Intent, url: &str, expands_charge: bool) -> Value {
    let note = |name| intent.notes.texts.get(name);
    let (canceled_at, reason) = match &intent.status {
        Status::Canceled { at, reason } => (Some(at), reason.as_deref()),
        _ => (None, None),
    };
    let latest = intent.charge.as_ref().map(|latest| match expands_charge {
        true => charge(intent, latest),
        false => json!(latest.id),
    });
    json!({
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_capturable": intent.capturable(),
        "amount_details": { "tip": {} },
        "amount_received": intent.charge.as_ref().map_or(0, |charge| charge.captured),
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": null,
        "canceled_at": canceled_at,
        "cancellation_reason": reason,
        "capture_method": intent.capture_method,
        "client_secret": intent.secret,
        "confirmation_method": intent.confirmation_method,
        "created": intent.created,
        "currency": intent.currency,
        "customer": note("customer"),
        "description": note("description"),
        "last_payment_error": intent.error,
        "latest_charge": latest,
        "livemode": false,
        "metadata": intent.notes.metadata,
        "next_action": next_action(intent, url),
        "on_behalf_of": null,
        "payment_method": intent.method.map(|method| method.id),
        "payment_method_configuration_details": null,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": null,
        "receipt_email": note("receipt_email"),
        "review": null,
        "setup_future_usage": null,
        "shipping": null,
        "source": null,
        "statement_descriptor": note("statement_descriptor"),
        "statement_descriptor_suffix": note("statement_descriptor_suffix"),
        "status": intent.status.name(),
        "transfer_data": null,
        "transfer_group": note("transfer_group"),
    })
}

/// Where the customer authenticates: an address to be led to, or, without one to come back to,
/// what Stripe's script would open.
fn next_action(intent: &Intent, url: &str) -> Value {
    if intent.status != Status::RequiresAction {
        return Value::Null;
    }
    let page = format!("{url}/pay/{}", intent.id);
    let Some(back) = &intent.return_url else {
        let sdk = json!({ "type": "three_d_secure_redirect", "stripe_js": page });
        return json!({ "type": "use_stripe_sdk", "use_stripe_sdk": sdk });
    };
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("return_url", back).finish();
    let redirect = json!({ "return_url": back, "url": format!("{page}?{query}") });
    json!({ "type": "redirect_to_url", "redirect_to_url": redirect })
}

/// The charge of an intent. What was released counts as refunded here, as it does at Stripe.
pub(super) fn charge(intent: &Intent, charge: &Charge) -> Value {
    let is_paid = charge.declined.is_none();
    let refunded = charge.refunded + charge.released;
    let details = intent.method.map(|method| json!({ "card": card(method), "type": "card" }));
    let outcome = json!({
        "network_status": if is_paid { "approved_by_network" } else { "declined_by_network" },
        "reason": charge.declined,
        "risk_level": "normal",
        "seller_message": if is_paid { "Payment complete." } else { "The bank declined it." },
        "type": if is_paid { "authorized" } else { "issuer_declined" },
    });
    json!({
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.captured,
        "amount_refunded": refunded,
        "balance_transaction": null,
        "billing_details": nobody(),
        "captured": charge.captured > 0,
        "created": charge.created,
        "currency": intent.currency,
        "customer": intent.notes.texts.get("customer"),
        "description": intent.notes.texts.get("description"),
        "disputed": false,
        "failure_code": (!is_paid).then_some("card_declined"),
        "failure_message": (!is_paid).then_some("Your card was declined."),
        "fraud_details": {},
        "livemode": false,
        "metadata": intent.notes.metadata,
        "outcome": outcome,
        "paid": is_paid,
        "payment_intent": intent.id,
        "payment_method": intent.method.map(|method| method.id),
        "payment_method_details": details,
        "receipt_email": intent.notes.texts.get("receipt_email"),
        "receipt_url": null,
        "refunded": is_paid && refunded == charge.amount,
        "status": if is_paid { "succeeded" } else { "failed" },
    })
}

/// A refund. Why it is pending or has failed is shown only where it is or has, as at Stripe.
pub(super) fn refund(refund: &Refund) -> Value {
    let mut shown = json!({
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": null,
        "charge": refund.charge,
        "created": refund.created,
        "currency": refund.currency,
        "destination_details": { "card": { "type": "refund" }, "type": "card" },
        "metadata": refund.metadata,
        "payment_intent": refund.intent,
        "reason": refund.reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": refund.standing.name(),
        "transfer_reversal": null,
    });
    match refund.standing {
        Standing::Pending => shown["pending_reason"] = json!("processing"),
        Standing::Failed => shown["failure_reason"] = json!(FAILURE_REASON),
        Standing::Succeeded => {}
    }
    shown
}

pub(super) fn event(event: &Event) -> Value {
    json!({
        "id": event.id,
        "object": "event",
        "api_version": VERSION,
        "created": event.created,
        "data": { "object": event.object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": event.request.id, "idempotency_key": event.request.key },
        "type": event.kind,
    })
}
