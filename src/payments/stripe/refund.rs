//! Refunds: money of a captured order that goes back.
//! Source: <https://docs.stripe.com/refunds>.

use super::call::{Call, Trouble};
use super::find::{self, PAYMENT, REFUND};
use super::wish::{Wish, fulfil};
use super::{money, order};
use crate::payments::{ProviderError, RefundAnswer, RefundOrder};
use ::stripe::StripeRequest;
use domain::payment::RefundState;
use std::collections::HashMap;
use stripe_core::Refund;
use stripe_core::refund::CreateRefund;

/// A refund that is made at Stripe.
struct Giving<'a> {
    refund: &'a RefundOrder,
    intent: &'a str,
    request: CreateRefund,
}

impl Wish for Giving<'_> {
    type Made = Refund;

    fn key(&self) -> String {
        format!("ref:{}", self.refund.refund)
    }

    async fn ask(&self, call: &Call<'_>, key: &str) -> Result<Refund, Trouble> {
        call.post(key, |how| self.request.customize().request_strategy(how).send(call.client)).await
    }

    async fn look(&self, call: &Call<'_>) -> Result<Option<Refund>, Trouble> {
        find::refund_by_metadata(call, self.refund, self.intent).await
    }
}

/// Gives money back, once.
pub(super) async fn give(
    call: &Call<'_>,
    refund: &RefundOrder,
) -> Result<RefundAnswer, ProviderError> {
    let intent = intent_of(call, refund).await?;
    // Keys are forgotten after a day, and it may have been the second one that did it.
    if let Some(known) = find::refund(call, refund, &intent).await? {
        return Ok(read(&known));
    }
    let amount = money::told(refund.amount, refund.order.currency);
    let amount = amount.ok_or_else(order::no_such_amount)?;
    // The payment is named as well: what Stripe tells later names only what is written here.
    let metadata = HashMap::from([
        (PAYMENT.to_owned(), refund.order.payment.to_string()),
        (REFUND.to_owned(), refund.refund.to_string()),
    ]);
    let request =
        CreateRefund::new().payment_intent(intent.as_str()).amount(amount).metadata(metadata);
    let giving = Giving { refund, intent: &intent, request };
    match fulfil(&giving, call).await {
        // There may be nothing left because it is this one that went back.
        Err(refusal) if refusal.is_refusal() => match giving.look(call).await? {
            Some(known) => Ok(read(&known)),
            None => Err(refusal.into()),
        },
        given => Ok(read(&given?)),
    }
}

/// What became of a refund.
pub(super) async fn look(
    call: &Call<'_>,
    refund: &RefundOrder,
) -> Result<RefundAnswer, ProviderError> {
    let intent = match &refund.reference {
        // It is found by its own name.
        Some(_) => String::new(),
        None => intent_of(call, refund).await?,
    };
    let known = find::refund(call, refund, &intent).await?;
    let known = known.ok_or_else(|| ProviderError::Refused("there is no such refund".into()))?;
    Ok(read(&known))
}

/// The name of the intent that the money came by.
async fn intent_of(call: &Call<'_>, refund: &RefundOrder) -> Result<String, ProviderError> {
    match &refund.order.reference {
        Some(name) => Ok(name.clone()),
        None => Ok(order::known(call, &refund.order).await?.id.as_str().to_owned()),
    }
}

fn read(refund: &Refund) -> RefundAnswer {
    let status = refund.status.as_deref();
    let state = match status {
        Some("succeeded") => RefundState::Succeeded,
        Some("failed" | "canceled") => RefundState::Failed,
        // `pending`, `requires_action`, or a word that comes later: how it ends is still to come.
        _ => RefundState::Submitted,
    };
    let reason = (state == RefundState::Failed)
        .then(|| refund.failure_reason.clone().or(status.map(str::to_owned)))
        .flatten();
    RefundAnswer { reference: Some(refund.id.as_str().to_owned()), state, reason }
}
