//! A payment intent: the machine of its states. Each step says which events it is told by.
//! Source: <https://docs.stripe.com/payments/paymentintents/lifecycle>.

use super::method::{Manner, Method};
use crate::shelf::Record;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an authorisation that nobody captures lasts.
pub(super) const AUTHORIZATION_LIFE: Duration = Duration::from_secs(7 * 86_400);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Succeeded,
    Canceled { at: i64, reason: Option<String> },
}

impl Status {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled { .. } => "canceled",
        }
    }
}

/// A try to take money from a card: the newest is the intent's `latest_charge`. Amounts are in
/// minor units, and `captured` is the sum of what the merchant has and what was refunded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) amount: i64,
    pub(super) captured: i64,
    /// What was authorised and will not be captured: the rest of a partial capture, or all of it
    /// when the authorisation ended.
    pub(super) released: i64,
    pub(super) refunded: i64,
    /// The `decline_code`, when the bank said no.
    pub(super) declined: Option<String>,
}

/// What a merchant says about an intent and nothing is decided by.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Notes {
    pub(super) metadata: BTreeMap<String, String>,
    /// `description`, `customer` and the like: given back as they came.
    pub(super) texts: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) created: i64,
    pub(super) amount: i64,
    /// In lower case.
    pub(super) currency: String,
    /// `automatic`, `automatic_async` or `manual`.
    pub(super) capture_method: String,
    pub(super) confirmation_method: String,
    pub(super) status: Status,
    pub(super) method: Option<Method>,
    pub(super) return_url: Option<String>,
    pub(super) notes: Notes,
    pub(super) charge: Option<Charge>,
    /// `last_payment_error`, as it is shown.
    pub(super) error: Option<Map<String, Value>>,
}

impl Record for Intent {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

/// The types of the events that tell of a step, in their order.
pub(super) type Told = Vec<&'static str>;

/// Why a step is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    /// Not from this status.
    Status,
    /// There is no payment method to confirm with.
    Method,
    /// More than there is; this much is.
    Amount(i64),
}

impl Intent {
    /// Confirms with a payment method, or with the one that it has. `charge` is the id of the
    /// charge that is made of it.
    pub(super) fn confirm(
        &mut self,
        method: Option<Method>,
        now: i64,
        charge: String,
    ) -> Result<Told, Stuck> {
        match self.status {
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction => {}
            _ => return Err(Stuck::Status),
        }
        let method = method.or(self.method).ok_or(Stuck::Method)?;
        self.method = Some(method);
        self.error = None;
        Ok(match method.manner {
            Manner::Pays => self.pay(now, charge),
            Manner::Declines(code) => self.decline(now, charge, code),
            Manner::Authenticates => {
                self.status = Status::RequiresAction;
                vec!["payment_intent.requires_action"]
            }
            Manner::IsLate => {
                self.status = Status::Processing;
                vec!["payment_intent.processing"]
            }
            Manner::IsSilent => {
                self.status = Status::Processing;
                vec![]
            }
        })
    }

    /// What is processed, or waits for the customer, is paid.
    pub(super) fn settle(&mut self, now: i64, charge: String) -> Result<Told, Stuck> {
        match self.status {
            Status::RequiresAction | Status::Processing => Ok(self.pay(now, charge)),
            _ => Err(Stuck::Status),
        }
    }

    /// What is processed is declined; where the customer was to authenticate, that failed.
    pub(super) fn fail(&mut self, now: i64, charge: String) -> Result<Told, Stuck> {
        match self.status {
            Status::Processing => Ok(self.decline(now, charge, "generic_decline")),
            Status::RequiresAction => {
                let message = "The provided payment method has failed authentication. Provide a \
                               new payment method to attempt this payment again.";
                self.lose_method(json!({
                    "type": "invalid_request_error",
                    "code": "payment_intent_authentication_failure",
                    "message": message,
                }));
                Ok(vec!["payment_intent.payment_failed"])
            }
            _ => Err(Stuck::Status),
        }
    }

    fn pay(&mut self, now: i64, id: String) -> Told {
        let is_manual = self.capture_method == "manual";
        let (amount, captured) = (self.amount, if is_manual { 0 } else { self.amount });
        let charge =
            Charge { id, created: now, amount, captured, released: 0, refunded: 0, declined: None };
        self.charge = Some(charge);
        if is_manual {
            self.status = Status::RequiresCapture;
            return vec!["charge.succeeded", "payment_intent.amount_capturable_updated"];
        }
        self.status = Status::Succeeded;
        vec!["charge.succeeded", "payment_intent.succeeded"]
    }

    fn decline(&mut self, now: i64, id: String, code: &'static str) -> Told {
        let message = match code {
            "insufficient_funds" => "Your card has insufficient funds.",
            _ => "Your card was declined.",
        };
        self.lose_method(json!({
            "type": "card_error",
            "code": "card_declined",
            "decline_code": code,
            "message": message,
            "charge": id,
            "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        }));
        let (amount, declined) = (self.amount, Some(code.to_owned()));
        let charge =
            Charge { id, created: now, amount, captured: 0, released: 0, refunded: 0, declined };
        self.charge = Some(charge);
        vec!["charge.failed", "payment_intent.payment_failed"]
    }

    /// The intent may be confirmed again, with another method; the error shows the lost one.
    fn lose_method(&mut self, error: Value) {
        let Value::Object(mut error) = error else { return };
        let lost = self.method.take().map(|method| super::view::method(method, self.created));
        error.insert("payment_method".into(), json!(lost));
        self.error = Some(error);
        self.status = Status::RequiresPaymentMethod;
    }

    /// What can be captured, in minor units.
    pub(super) fn capturable(&self) -> i64 {
        if self.status == Status::RequiresCapture { self.amount } else { 0 }
    }

    /// Captures so much, or all; the rest is released.
    pub(super) fn capture(&mut self, amount: Option<i64>) -> Result<Told, Stuck> {
        if self.status != Status::RequiresCapture {
            return Err(Stuck::Status);
        }
        let amount = amount.unwrap_or(self.amount);
        let Some(charge) = self.charge.as_mut().filter(|charge| amount <= charge.amount) else {
            return Err(Stuck::Amount(self.amount));
        };
        charge.captured = amount;
        charge.released = charge.amount - amount;
        self.status = Status::Succeeded;
        Ok(vec!["charge.captured", "payment_intent.succeeded"])
    }

    /// Gives it up; what was authorised is released, which Stripe tells as a refund.
    pub(super) fn cancel(&mut self, at: i64, reason: Option<&'static str>) -> Result<Told, Stuck> {
        let is_silent = self.method.is_some_and(|method| method.manner == Manner::IsSilent);
        match self.status {
            Status::Succeeded | Status::Canceled { .. } => return Err(Stuck::Status),
            Status::Processing if !is_silent => return Err(Stuck::Status),
            _ => {}
        }
        Ok(self.end(at, reason, "charge.refunded"))
    }

    /// The authorisation ends because nobody captured it; nothing, if it is none any more.
    pub(super) fn expire(&mut self, at: i64) -> Told {
        match self.status {
            Status::RequiresCapture => self.end(at, Some("automatic"), "charge.expired"),
            _ => vec![],
        }
    }

    fn end(&mut self, at: i64, reason: Option<&'static str>, released: &'static str) -> Told {
        let is_authorized = self.status == Status::RequiresCapture;
        self.status = Status::Canceled { at, reason: reason.map(str::to_owned) };
        match self.charge.as_mut().filter(|_| is_authorized) {
            Some(charge) => {
                charge.released = charge.amount;
                vec![released, "payment_intent.canceled"]
            }
            None => vec!["payment_intent.canceled"],
        }
    }

    /// What of the captured money was not given back, in minor units.
    pub(super) fn refundable(&self) -> i64 {
        self.charge.as_ref().map_or(0, |charge| charge.captured - charge.refunded)
    }

    /// Gives so much back.
    pub(super) fn refund(&mut self, amount: i64) -> Result<Told, Stuck> {
        let left = self.refundable();
        match self.charge.as_mut().filter(|_| amount <= left) {
            Some(charge) => {
                charge.refunded += amount;
                Ok(vec!["refund.created", "charge.refunded"])
            }
            None => Err(Stuck::Amount(left)),
        }
    }

    /// So much was to be given back, and was not.
    pub(super) fn keep(&mut self, amount: i64) {
        if let Some(charge) = &mut self.charge {
            charge.refunded -= amount;
        }
    }
}
