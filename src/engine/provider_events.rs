//! What providers tell us without being asked. Whoever can reach the server can send such things, so
//! each is proved first: by its signature, or by a path that nobody can guess. What is proved is
//! kept as it came and answered at once; it is a hint, and the worker asks the provider what is true.

use super::{Engine, Error};
use crate::payments::mpesa::{self, callback};
use crate::payments::stripe::webhook;
use crate::store::StoreError;
use crate::store::inbox::InboxEvent;
use crate::store::jobs::Work;
use crate::store::payments::Payment;
use crate::store::refunds::RefundWord;
use domain::payment::{PaymentStatus, RefundState};
use domain::{JobId, PaymentId, RefundId};
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
        if envelope.kind.starts_with("payment_intent.") && self.goes.hear(payment.id) {
            return Ok(());
        }
        if let (None, Some(intent)) = (&payment.provider_ref, envelope.intent) {
            // The answer to the order was lost: its name is found nowhere as surely as here.
            self.store.note_name(payment.id, intent, None).await?;
        }
        // It was signed over these bytes, and they are JSON, so they are text.
        let body = String::from_utf8(body.to_vec()).map_err(|_| Error::Forged)?;
        self.take_event(&payment, envelope.event, body).await
    }
}

impl Engine {
    /// Takes what Daraja says of a push, at an address that only Daraja was told. Another order,
    /// another amount or the proof of another payment changes nothing.
    pub async fn hear_push(&self, id: PaymentId, token: &str, body: &[u8]) -> Result<(), Error> {
        let payment = self.called_back(id, None, token).await?;
        let told = callback::push_result(body).map_err(|_| Error::Forged)?;
        let order = told.checkout_request_id;
        if payment.provider_ref.as_ref().is_some_and(|known| *known != order) {
            return Err(self.doubt(id, "another order"));
        }
        if told.code == 0 {
            let receipt = told.receipt.ok_or_else(|| self.doubt(id, "no receipt"))?;
            if told.amount_cents != Some(payment.amount) {
                return Err(self.doubt(id, "another amount"));
            }
            // Kept now: no later question is answered with it.
            let kept = self.store.note_name(id, order.clone(), Some(receipt)).await;
            kept.map_err(|error| match error {
                StoreError::Unavailable(_) | StoreError::Interrupted => Error::Store(error),
                _ => self.doubt(id, "the receipt of another payment"),
            })?;
        }
        let body = String::from_utf8(body.to_vec()).map_err(|_| Error::Forged)?;
        self.take_event(&payment, format!("{order}:{}", told.code), body).await
    }

    /// Takes what Daraja says of a reversal, in the same way. That it is done counts whichever
    /// request it answers; that it failed, only of the newest.
    pub async fn hear_reversal(
        &self,
        (id, refund): (PaymentId, RefundId),
        token: &str,
        body: &[u8],
    ) -> Result<(), Error> {
        let payment = self.called_back(id, Some(refund), token).await?;
        let told = callback::reversal_result(body).map_err(|_| Error::Forged)?;
        let refunds = self.store.refunds(id).await?;
        let row = refunds.iter().find(|row| row.id == refund).ok_or(Error::NotFound)?;
        let is_newest = row.provider_ref.as_deref() == Some(&*told.conversation_id);
        let state = match (told.is_done || told.was_done_before, is_newest) {
            (true, _) => RefundState::Succeeded,
            // Where it was asked for twice, this may be the answer to the one that came second.
            (false, true) if row.asks > 1 => return Ok(()),
            // No later word takes back what was done.
            (false, true) if row.state == RefundState::Succeeded => return Ok(()),
            (false, true) => RefundState::Failed,
            (false, false) => return Err(self.doubt(id, "another reversal")),
        };
        let reason = (state == RefundState::Failed).then_some(told.description);
        let word = RefundWord { state, provider_ref: None, reason };
        if !self.store.set_refund(refund, word, self.clock.now()).await? {
            return Ok(());
        }
        let body = String::from_utf8(body.to_vec()).map_err(|_| Error::Forged)?;
        self.take_event(&payment, format!("{}:{}", told.conversation_id, told.code), body).await
    }

    /// Takes an event of a provider's into the inbox, once, with the job that looks at it.
    async fn take_event(
        &self,
        payment: &Payment,
        event_id: String,
        body: String,
    ) -> Result<(), Error> {
        let id = JobId(payment.property.bind(self.ids.fresh()));
        let work = Work::ProviderEvent;
        let job = self.payment_job(id, work, payment.id, payment.property, event_id.clone());
        let event = InboxEvent {
            provider: payment.provider.clone(),
            event_id,
            payment: payment.id,
            body,
            received_at: self.clock.now(),
            processed_at: None,
        };
        self.store.inbox_insert(event, job).await?;
        self.jobs.notify_one();
        Ok(())
    }

    /// The payment whose address this is.
    async fn called_back(
        &self,
        id: PaymentId,
        refund: Option<RefundId>,
        token: &str,
    ) -> Result<Payment, Error> {
        let secret = self.callback_secret.as_ref().ok_or(Error::NotFound)?;
        if !callback::token_is_right(secret, id, refund, token) {
            return Err(Error::NotFound);
        }
        let payment = self.store.payment(id).await?;
        payment.filter(|payment| payment.provider == mpesa::NAME).ok_or(Error::NotFound)
    }

    /// What came to a right address and cannot be right is for people to look at.
    fn doubt(&self, id: PaymentId, what: &str) -> Error {
        tracing::error!(payment = %id, what, "a callback is not about the payment of its address");
        Error::Forged
    }
}

/// Whether an event may say what is not known yet. Most are the echo of what we did ourselves.
fn is_news(payment: &Payment, kind: &str) -> bool {
    let is_of_order = kind.starts_with("payment_intent.");
    let is_known = match kind {
        "payment_intent.amount_capturable_updated" => {
            payment.status == PaymentStatus::Authorized || payment.status.is_captured()
        }
        "payment_intent.canceled" | "payment_intent.payment_failed" => payment.status.is_void(),
        _ => is_of_order && payment.status.is_captured(),
    };
    !is_known
}
