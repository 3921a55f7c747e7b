//! A reversal, with which all of a payment goes back.
//!
//! Daraja has no keys that make a repetition harmless, but a receipt can be reversed once only:
//! every further request is answered as taken, and its callback says
//! [`was_done_before`](super::callback::ReversalResult::was_done_before). So asking again cannot
//! give money back twice, and is how one learns of a reversal whose callback was lost. That holds
//! because the whole payment is reversed each time; parts could be reversed until nothing is left.
//!
//! What a further request does while the first one is still at work is not written down anywhere.
//! It may be refused in its callback although the first one then succeeds. Hence the two minutes
//! before one is sent: a reversal takes seconds. And hence the rule that a failure counts from the
//! newest conversation only.

use super::line::Reply;
use super::{GIVES_UP, Mpesa, callback, phone};
use crate::payments::{ProviderError, RefundOrder};
use domain::Instant;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// What the receiver of a reversal is: a short code.
const SHORT_CODE: &str = "11";
const REMARKS: &str = "The booking was given up";

impl Mpesa {
    /// The body of a reversal.
    ///
    /// # Errors
    /// When a part is to go back, which M-Pesa cannot do, or the receipt has not come yet.
    pub(super) fn reversal_body(
        &self,
        refund: &RefundOrder,
        now: Instant,
    ) -> Result<Value, ProviderError> {
        let order = &refund.order;
        let whole = phone::shillings(order.amount).filter(|_| refund.amount == order.amount);
        let Some(shillings) = whole else {
            return Err(ProviderError::Refused(format!(
                "M-Pesa gives back whole payments only: send KES {} to the payment's number by hand",
                in_shillings(refund.amount),
            )));
        };
        let Some(receipt) = order.receipt.as_ref().filter(|receipt| !receipt.is_empty()) else {
            return Err(if now.since(refund.requested_at) > GIVES_UP {
                ProviderError::Refused(format!(
                    "the receipt is not known: send KES {} to the payment's number by hand",
                    in_shillings(refund.amount),
                ))
            } else {
                ProviderError::Early("the receipt is not known yet".to_owned())
            });
        };
        let settings = &self.settings;
        let (base, secret) = (&settings.callback_base, &settings.token_secret);
        let back = callback::address(base, secret, order.payment, Some(refund.refund));
        Ok(json!({
            "Initiator": settings.initiator,
            "SecurityCredential": settings.security_credential.expose_secret(),
            "CommandID": "TransactionReversal",
            "TransactionID": receipt,
            "Amount": shillings,
            "ReceiverParty": settings.short_code,
            // Daraja itself misspells this name.
            "RecieverIdentifierType": SHORT_CODE,
            "ResultURL": back,
            "QueueTimeOutURL": back,
            "Remarks": REMARKS,
            "Occasion": "",
        }))
    }
}

/// An amount in cents for people: `1200`, or `1200.50`.
fn in_shillings(cents: i64) -> String {
    match (cents / 100, cents % 100) {
        (whole, 0) => whole.to_string(),
        (whole, part) => format!("{whole}.{part:02}"),
    }
}

/// The name of a reversal that was taken.
pub(super) fn name_in(reply: &Reply) -> Result<String, ProviderError> {
    let name = reply.answer.conversation_id.as_ref().filter(|_| reply.is_taken());
    name.filter(|name| !name.is_empty()).cloned().ok_or_else(|| reply.refusal())
}
