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
    /// Everything back until 5 days before check-in, then half.
    Moderate,
    /// Half back until 7 days before check-in; everything within 48 hours of the confirmation,
    /// while check-in is at least 14 days ahead.
    Strict,
    /// Nothing back.
    NonRefundable,
}

/// The terms of a policy. Cleaning that has not been done is paid back until check-in.
struct Terms {
    /// So much is paid back until so long before check-in: in their order, the first that still
    /// holds.
    tiers: &'static [(Duration, u32)],
    cleaning_returned: bool,
    service_returned: bool,
    /// Everything goes back so shortly after the confirmation, so long before check-in.
    grace: Option<(Duration, Duration)>,
}

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 60 * 60)
}

const WHOLE_BP: u32 = 10_000;
const HALF_BP: u32 = 5_000;

const FLEXIBLE: Terms = Terms {
    tiers: &[(days(1), WHOLE_BP)],
    cleaning_returned: true,
    service_returned: true,
    grace: None,
};
const MODERATE: Terms =
    Terms { tiers: &[(days(5), WHOLE_BP), (Duration::ZERO, HALF_BP)], ..FLEXIBLE };
const STRICT: Terms = Terms {
    tiers: &[(days(7), HALF_BP)],
    cleaning_returned: true,
    service_returned: false,
    grace: Some((days(2), days(14))),
};
const NON_REFUNDABLE: Terms =
    Terms { tiers: &[], cleaning_returned: false, service_returned: false, grace: None };

/// What was paid for a booking, and what of it is not for nights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Paid and not gone back, in minor units, as are the parts of it.
    pub held: i64,
    pub cleaning: i64,
    pub service: i64,
    pub check_in_at: Instant,
    pub confirmed_at: Option<Instant>,
}

impl Policy {
    const ALL: [Self; 4] = [Self::Flexible, Self::Moderate, Self::Strict, Self::NonRefundable];

    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flexible => "flexible",
            Self::Moderate => "moderate",
            Self::Strict => "strict",
            Self::NonRefundable => "non_refundable",
        }
    }

    const fn terms(self) -> Terms {
        match self {
            Self::Flexible => FLEXIBLE,
            Self::Moderate => MODERATE,
            Self::Strict => STRICT,
            Self::NonRefundable => NON_REFUNDABLE,
        }
    }

    /// What of a charge goes back to a guest who cancels at `now`, from 0 to all that is held. What
    /// is retained is rounded and the rest returned, so that both always add up.
    pub fn refund(self, charge: Charge, now: Instant) -> i64 {
        let Charge { held, cleaning, service, check_in_at, confirmed_at } = charge;
        let terms = self.terms();
        if now >= check_in_at {
            return 0;
        }
        let is_grace = terms.grace.zip(confirmed_at).is_some_and(|((within, ahead), confirmed)| {
            now < confirmed.plus(within) && now <= check_in_at.minus(ahead)
        });
        if is_grace {
            return held;
        }
        let holds = |(until, _): &&(Duration, u32)| now < check_in_at.minus(*until);
        let refund_bp = terms.tiers.iter().find(holds).map_or(0, |(_, bp)| *bp);
        let kept = |fee: i64, returned: bool| if returned { 0 } else { fee };
        let retained = money::share(held - cleaning - service, WHOLE_BP - refund_bp)
            + kept(cleaning, terms.cleaning_returned)
            + kept(service, terms.service_returned && refund_bp > 0);
        (held - retained).clamp(0, held)
    }
}

/// The text names no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be flexible, moderate, strict or non_refundable")]
pub struct UnknownPolicy;

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        Self::ALL.into_iter().find(|policy| policy.name() == text).ok_or(UnknownPolicy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_micros(1);
    /// 100 nights' worth of 1.23, cleaning and service.
    const CHARGE: Charge = Charge {
        held: 12_345 + 2_000 + 1_001,
        cleaning: 2_000,
        service: 1_001,
        check_in_at: Instant::from_micros(10_000_000_000_000),
        confirmed_at: None,
    };

    /// What goes back so long before check-in.
    fn back(policy: Policy, before: Duration) -> i64 {
        policy.refund(CHARGE, CHARGE.check_in_at.minus(before))
    }

    #[test]
    fn each_policy_gives_back_what_its_tier_says() {
        let all = CHARGE.held;
        for (policy, before, expected) in [
            (Policy::Flexible, days(30), all),
            (Policy::Flexible, days(1) + TICK, all),
            (Policy::Flexible, days(1), 2_000),
            (Policy::Flexible, TICK, 2_000),
            (Policy::Flexible, Duration::ZERO, 0),
            (Policy::Moderate, days(5) + TICK, all),
            // Half of 12,345 is retained and rounded up; both fees go back.
            (Policy::Moderate, days(5), 6_172 + 3_001),
            (Policy::Moderate, TICK, 6_172 + 3_001),
            (Policy::Moderate, Duration::ZERO, 0),
            (Policy::Strict, days(7) + TICK, 6_172 + 2_000),
            (Policy::Strict, days(7), 2_000),
            (Policy::Strict, Duration::ZERO, 0),
            (Policy::NonRefundable, days(300), 0),
        ] {
            assert_eq!(back(policy, before), expected, "{} {before:?}", policy.name());
        }
    }

    #[test]
    fn strict_gives_everything_back_shortly_after_the_confirmation() {
        let at = |before: Duration| CHARGE.check_in_at.minus(before);
        let strict = |confirmed: Duration, now: Duration| {
            let charge = Charge { confirmed_at: Some(at(confirmed)), ..CHARGE };
            Policy::Strict.refund(charge, at(now))
        };
        let (all, half) = (CHARGE.held, 6_172 + 2_000);
        assert_eq!(strict(days(20), days(18) + TICK), all);
        assert_eq!(strict(days(20), days(18)), half, "48 hours are over");
        assert_eq!(strict(days(15), days(14)), all);
        assert_eq!(strict(days(15), days(14) - TICK), half, "too near to check-in");
    }

    #[test]
    fn a_refund_is_never_more_than_what_is_held() {
        let part = Charge { held: 500, ..CHARGE };
        for policy in Policy::ALL {
            for before in [days(30), days(3), TICK] {
                let back = policy.refund(part, CHARGE.check_in_at.minus(before));
                assert!((0..=500).contains(&back), "{} {before:?} {back}", policy.name());
            }
        }
    }

    #[test]
    fn policies_are_known_by_their_names() {
        for policy in Policy::ALL {
            assert_eq!(policy.name().parse(), Ok(policy));
        }
        assert_eq!("lenient".parse::<Policy>(), Err(UnknownPolicy));
    }
}
