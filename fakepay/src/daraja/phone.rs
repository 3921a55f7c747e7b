//! What customers do with a push, and the results that there are.

/// How a push ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) code: u32,
    pub(super) text: &'static str,
}

pub(super) const PAID: Outcome =
    Outcome { code: 0, text: "The service request is processed successfully." };
pub(super) const CANCELED: Outcome = Outcome { code: 1032, text: "Request cancelled by user" };
pub(super) const TOO_SOON: Outcome = Outcome { code: 17, text: "Rule limited." };

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
    let outcome = |code, text| Manner::Answers(Outcome { code, text });
    match phone.get(phone.len().saturating_sub(4)..).unwrap_or_default() {
        "0001" => outcome(1, "The balance is insufficient for the transaction."),
        "1032" => Manner::Answers(CANCELED),
        "1037" => outcome(1037, "DS timeout user cannot be reached"),
        "2001" => outcome(2001, "The initiator information is invalid."),
        "2020" => Manner::IsLate,
        "4040" => Manner::IsSilent,
        _ => Manner::Answers(PAID),
    }
}
