//! Minor units as Stripe counts them. For a few currencies it departs from ISO 4217: it has no
//! minor units of the ariary, and writes two decimals, always 00, for the krona and the shilling
//! of Uganda. Of currencies with three decimals it takes whole hundredths only.
//! Source: <https://docs.stripe.com/currencies#special-cases>.

use domain::Currency;

/// How many of Stripe's units are so many of ours: either is 1.
fn ratio(currency: Currency) -> (i64, i64) {
    match currency.code() {
        "ISK" | "UGX" => (100, 1),
        "MGA" => (1, 100),
        _ => (1, 1),
    }
}

/// An amount in our minor units as Stripe is told it; nothing where it cannot be said.
pub(super) fn told(amount: i64, currency: Currency) -> Option<i64> {
    let (theirs, ours) = ratio(currency);
    let is_even = currency.exponent() != 3 || amount % 10 == 0;
    (is_even && amount % ours == 0).then_some(())?;
    (amount / ours).checked_mul(theirs)
}

/// An amount that Stripe says, in our minor units; nothing where it has none.
pub(super) fn heard(amount: i64, currency: Currency) -> Option<i64> {
    let (theirs, ours) = ratio(currency);
    (amount % theirs == 0).then_some(())?;
    (amount / theirs).checked_mul(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_as_stripe_counts_them_and_heard_as_we_do() {
        for (code, ours, theirs) in [
            ("USD", 12_345, Some(12_345)),
            ("JPY", 500, Some(500)),
            ("ISK", 7, Some(700)),
            ("UGX", 40_000, Some(4_000_000)),
            ("MGA", 1_200, Some(12)),
            ("MGA", 1_250, None),
            ("KWD", 5_120, Some(5_120)),
            ("KWD", 5_123, None),
            ("ISK", i64::MAX, None),
        ] {
            let currency = code.parse().expect("a currency");
            assert_eq!(told(ours, currency), theirs, "{code} {ours}");
            if let Some(theirs) = theirs {
                assert_eq!(heard(theirs, currency), Some(ours), "{code} {theirs}");
            }
        }
        assert_eq!(heard(701, "ISK".parse().expect("a currency")), None);
    }
}
