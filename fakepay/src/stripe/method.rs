//! The payment methods that it knows, and what each does when an intent is confirmed with it.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// What a payment method does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// The money is there at once.
    Pays,
    /// The bank says no, with this `decline_code`.
    Declines(&'static str),
    /// The customer has to authenticate first, on the hosted page.
    Authenticates,
    /// It is processed until the control route or the hosted page says how it ends, and cannot be
    /// canceled meanwhile.
    IsLate,
    /// It is processed for ever, and nothing is told of it, until it is canceled.
    IsSilent,
}

/// How refunds to a payment method go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refunding {
    /// They succeed at once.
    AtOnce,
    /// They are pending for a while, and then succeed.
    Pends,
    /// They seem to succeed, and fail after a while.
    Fails,
}

/// A payment method; on disk it is its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "&'static str")]
pub(crate) struct Method {
    pub(super) id: &'static str,
    pub(super) manner: Manner,
    pub(super) refunding: Refunding,
}

/// The first ones have the names that Stripe's own have in test mode, the last two are ours.
const METHODS: [Method; 10] = [
    Method::new("pm_card_visa", Manner::Pays),
    Method::new("pm_card_mastercard", Manner::Pays),
    Method::new("pm_card_chargeDeclined", Manner::Declines("generic_decline")),
    Method::new("pm_card_chargeDeclinedInsufficientFunds", Manner::Declines("insufficient_funds")),
    Method::new("pm_card_authenticationRequired", Manner::Authenticates),
    Method::new("pm_card_threeDSecure2Required", Manner::Authenticates),
    Method::refunded("pm_card_pendingRefund", Refunding::Pends),
    Method::refunded("pm_card_refundFail", Refunding::Fails),
    Method::new("pm_late", Manner::IsLate),
    Method::new("pm_silent", Manner::IsSilent),
];

/// What the hosted page uses: one that pays, and one that is declined.
pub(super) const PAYING: Method = METHODS[0];
pub(super) const DECLINED: Method = METHODS[2];

impl From<Method> for &'static str {
    fn from(method: Method) -> Self {
        method.id
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::find(&id).ok_or_else(|| D::Error::custom(format!("no payment method {id}")))
    }
}

impl Method {
    const fn new(id: &'static str, manner: Manner) -> Self {
        Self { id, manner, refunding: Refunding::AtOnce }
    }

    /// One that pays, and whose refunds go like this.
    const fn refunded(id: &'static str, refunding: Refunding) -> Self {
        Self { id, manner: Manner::Pays, refunding }
    }

    pub(super) fn find(id: &str) -> Option<Self> {
        METHODS.into_iter().find(|known| known.id == id)
    }
}
