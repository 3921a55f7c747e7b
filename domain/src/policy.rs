//! Cancellation policies: what a guest gets back, computed from what is retained.

use crate::Instant;
use crate::money;
use std::str::FromStr;
use std::time::Duration;

/// The policy that is copied into a booking when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Everything back until 24 hours before check-in, nothing after.
    Flexible,
}

const FLEXIBLE_UNTIL: Duration = Duration::from_secs(24 * 60 * 60);
const WHOLE_BP: u32 = 10_000;

impl Policy {
    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flexible => "flexible",
        }
    }

    /// What of `paid` (minor units) goes back to a guest who cancels at `now`. The retained part
    /// is rounded and the rest returned, so that both always add up to what was paid.
    pub fn refund(self, paid: i64, check_in_at: Instant, now: Instant) -> i64 {
        let refund_bp = match self {
            Self::Flexible if now < check_in_at.minus(FLEXIBLE_UNTIL) => WHOLE_BP,
            Self::Flexible => 0,
        };
        paid - money::share(paid, WHOLE_BP - refund_bp)
    }
}

/// The text names no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of a cancellation policy, like flexible")]
pub struct UnknownPolicy;

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        if text == Self::Flexible.name() { Ok(Self::Flexible) } else { Err(UnknownPolicy) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flexible_returns_everything_until_a_day_before_check_in() {
        let check_in_at = Instant::from_micros(1_000_000_000_000);
        let edge = check_in_at.minus(FLEXIBLE_UNTIL);
        for (now, refund) in
            [(edge.minus(Duration::from_micros(1)), 12_345), (edge, 0), (check_in_at, 0)]
        {
            assert_eq!(Policy::Flexible.refund(12_345, check_in_at, now), refund);
        }
    }
}
