//! The payment methods that it knows, and what each does when an intent is confirmed with it.

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

/// The first ones have the names that Stripe's own have in test mode, the last two are ours.
const METHODS: [(&str, Manner); 8] = [
    ("pm_card_visa", Manner::Pays),
    ("pm_card_mastercard", Manner::Pays),
    ("pm_card_chargeDeclined", Manner::Declines("generic_decline")),
    ("pm_card_chargeDeclinedInsufficientFunds", Manner::Declines("insufficient_funds")),
    ("pm_card_authenticationRequired", Manner::Authenticates),
    ("pm_card_threeDSecure2Required", Manner::Authenticates),
    ("pm_late", Manner::IsLate),
    ("pm_silent", Manner::IsSilent),
];

/// A payment method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    pub(super) id: &'static str,
    pub(super) manner: Manner,
}

/// What the hosted page uses: one that pays, and one that is declined.
pub(super) const PAYING: Method = Method { id: METHODS[0].0, manner: METHODS[0].1 };
pub(super) const DECLINED: Method = Method { id: METHODS[2].0, manner: METHODS[2].1 };

impl Method {
    pub(super) fn find(id: &str) -> Option<Self> {
        let known = METHODS.iter().find(|(known, _)| *known == id)?;
        Some(Self { id: known.0, manner: known.1 })
    }
}
