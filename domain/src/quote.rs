//! Quotes: prices that were promised for some minutes. A quote occupies no nights, and rules are
//! judged when it is used; what it honours is the price and the policy, whatever they are by then.

use crate::policy::Policy;
use crate::{Currency, Instant, Price, QuoteId, Stay};
use std::time::Duration;

/// How long a quote is honoured.
pub const QUOTE_TTL: Duration = Duration::from_secs(15 * 60);

/// What was promised. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    pub id: QuoteId,
    pub stay: Stay,
    pub guests: u16,
    pub price: Price,
    pub currency: Currency,
    pub policy: Policy,
    pub expires_at: Instant,
}

impl Quote {
    /// Whether the promise holds for a booking of these nights and guests at this moment.
    pub fn holds(&self, stay: Stay, guests: u16, now: Instant) -> bool {
        now < self.expires_at && (self.stay, self.guests) == (stay, guests)
    }
}
