//! A refund: most are carried out at once, some are pending, and some fail after they had
//! succeeded. Source: <https://docs.stripe.com/testing#refunds>, <https://docs.stripe.com/refunds>.

use super::intent::{Stuck, Told};
use crate::shelf::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a refund that does not end at once takes, on the stand-in's clock. Stripe does not say
/// how long its own take.
pub(super) const TAKES: Duration = Duration::from_secs(60);
/// Why refunds fail that do; Stripe's test card says the same.
pub(super) const FAILURE_REASON: &str = "expired_or_canceled_card";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Standing {
    Pending,
    Succeeded,
    /// The money is the merchant's again.
    Failed,
}

impl Standing {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) intent: String,
    pub(super) charge: String,
    pub(super) reason: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) standing: Standing,
}

impl Record for Refund {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl Refund {
    /// The money has come to the customer.
    pub(super) fn succeed(&mut self) -> Result<Told, Stuck> {
        if self.standing != Standing::Pending {
            return Err(Stuck::Status);
        }
        self.standing = Standing::Succeeded;
        Ok(vec!["refund.updated"])
    }

    /// The bank has sent the money back, be it after it had been told that all went well.
    pub(super) fn fail(&mut self) -> Result<Told, Stuck> {
        if self.standing == Standing::Failed {
            return Err(Stuck::Status);
        }
        self.standing = Standing::Failed;
        Ok(vec!["refund.failed", "charge.refund.updated"])
    }
}
