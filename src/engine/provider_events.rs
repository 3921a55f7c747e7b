//! What providers tell us without being asked. Whoever can reach the server can send such things, so
//! each is proved first: by its signature, or by a path that nobody can guess. What is proved is
//! kept as it came and answered at once; it is a hint, and the worker asks the provider what is true.

use super::{Engine, Error};
use crate::payments::stripe::webhook;
use crate::store::payments::Payment;
use domain::payment::PaymentStatus;
use secrecy::SecretString;

/// Whose webhooks are believed, and by which secret.
#[derive(Clone, Debug)]
pub struct StripeHook {
    /// The provider's name in payments.
    pub provider: &'static str,
    pub secret: SecretString,
}

impl Engine {
    /// Takes what Stripe sent, as it came. What is not about a payment of ours is forgotten.
    pub async fn hear_stripe(&self, signature: Option<&str>, body: &[u8]) -> Result<(), Error> {
        if self.stripe_hooks.is_empty() {
            return Err(Error::NotFound);
        }
        let now = self.clock.now();
        let is_signed =
            |hook: &&StripeHook| webhook::verify(&hook.secret, signature, body, now).is_ok();
        let hook = self.stripe_hooks.iter().find(is_signed).ok_or(Error::Forged)?;
        let envelope = webhook::envelope(body).map_err(|_| Error::Forged)?;
        if !webhook::is_about_money(&envelope.kind) {
            return Ok(());
        }
        let payment = match (envelope.payment, &envelope.intent) {
            (Some(payment), _) => self.store.payment(payment).await?,
            (None, Some(intent)) => self.store.payment_by_reference(hook.provider, intent).await?,
            (None, None) => None,
        };
        let ours = payment.filter(|payment| payment.provider == hook.provider);
        let Some(payment) = ours.filter(|payment| is_news(payment, &envelope.kind)) else {
            return Ok(());
        };
        // It was signed over these bytes, and they are JSON, so they are text.
        let body = String::from_utf8(body.to_vec()).map_err(|_| Error::Forged)?;
        self.take_event(&payment, envelope.event, body).await
    }
}

/// Whether an event may say what is not known yet. Most are the echo of what we did ourselves.
fn is_news(payment: &Payment, kind: &str) -> bool {
    let is_of_order = kind.starts_with("payment_intent.");
    let is_known = match kind {
        "payment_intent.amount_capturable_updated" => payment.status >= PaymentStatus::Authorized,
        "payment_intent.canceled" | "payment_intent.payment_failed" => payment.status.is_void(),
        _ => is_of_order && payment.status.is_captured(),
    };
    !is_known
}
