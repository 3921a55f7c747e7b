//! What customers do with a push, and the results that there are.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// How a push ends; on disk it is its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "u32")]
pub(super) struct Outcome {
    pub(super) code: u32,
    pub(super) text: &'static str,
}

pub(super) const PAID: Outcome =
    Outcome { code: 0, text: "The service request is processed successfully." };
pub(super) const CANCELED: Outcome = Outcome { code: 1032, text: "Request cancelled by user" };
pub(super) const TOO_SOON: Outcome = Outcome { code: 17, text: "Rule limited." };
const INSUFFICIENT: Outcome =
    Outcome { code: 1, text: "The balance is insufficient for the transaction." };
const NOT_REACHED: Outcome = Outcome { code: 1037, text: "DS timeout user cannot be reached" };
const WRONG_PIN: Outcome = Outcome { code: 2001, text: "The initiator information is invalid." };
const OUTCOMES: [Outcome; 6] = [PAID, INSUFFICIENT, TOO_SOON, CANCELED, NOT_REACHED, WRONG_PIN];

impl From<Outcome> for u32 {
    fn from(outcome: Outcome) -> Self {
        outcome.code
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = u32::deserialize(deserializer)?;
        let known = OUTCOMES.into_iter().find(|known| known.code == code);
        known.ok_or_else(|| D::Error::custom(format!("no result {code}")))
    }
}

/// What a customer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Answers after the merchant's delay.
    Answers(Outcome),
    /// Answers when the control route says so.
    IsLate,
    /// Never answers.
    IsSilent,
}

/// What the customer of this number does; `daraja/mod.rs` has the table.
pub(super) fn manner(phone: &str) -> Manner {
    match phone.get(phone.len().saturating_sub(4)..).unwrap_or_default() {
        "0001" => Manner::Answers(INSUFFICIENT),
        "1032" => Manner::Answers(CANCELED),
        "1037" => Manner::Answers(NOT_REACHED),
        "2001" => Manner::Answers(WRONG_PIN),
        "2020" => Manner::IsLate,
        "4040" => Manner::IsSilent,
        _ => Manner::Answers(PAID),
    }
}
