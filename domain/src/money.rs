//! Money in integer minor units with its ISO 4217 currency. No floating point anywhere.

use std::fmt;
use std::str::FromStr;

/// A currency of ISO 4217, by its code; the exponent says how many minor digits it has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// The active currencies of ISO 4217 by the number of their minor digits (list one, 2024).
const NO_DIGITS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE_DIGITS: &str = "BHD IQD JOD KWD LYD OMR TND";
const TWO_DIGITS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN \
     BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL \
     GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR \
     LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB \
     PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP \
     SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW";

impl Currency {
    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// The smallest amount that its means of payment move, in minor units: M-Pesa knows whole
    /// shillings only.
    pub fn smallest_payment(&self) -> i64 {
        if self.0 == *b"KES" { 100 } else { 1 }
    }

    /// The number of minor digits: JPY 0, USD 2, BHD 3.
    pub fn exponent(&self) -> u8 {
        let listed = |list: &str| list.split_ascii_whitespace().any(|code| code == self.code());
        if listed(NO_DIGITS) {
            0
        } else if listed(THREE_DIGITS) {
            3
        } else {
            2
        }
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| UnknownCurrency)?;
        [TWO_DIGITS, NO_DIGITS, THREE_DIGITS]
            .iter()
            .any(|list| list.split_ascii_whitespace().any(|known| known == text))
            .then_some(Self(code))
            .ok_or(UnknownCurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The text is not the code of an active currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 4217 currency code in capitals, like USD")]
pub struct UnknownCurrency;

/// An amount in minor units of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units: cents of USD, yen of JPY.
    pub amount: i64,
    pub currency: Currency,
}

/// Ten thousand basis points are the whole.
const WHOLE_BP: i128 = 10_000;

/// `basis_points` of an amount, rounded half up (towards positive infinity), which is how every
/// shown line is rounded. Bounds: the result is clamped to what an `i64` holds.
pub fn share(amount: i64, basis_points: u32) -> i64 {
    let scaled = i128::from(amount) * i128::from(basis_points) + WHOLE_BP / 2;
    let edge = if amount < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(scaled.div_euclid(WHOLE_BP)).unwrap_or(edge)
}

/// What an amount contains of a share that was added to it: of 11,900 at 1,900 basis points, 1,900.
/// Rounded half up like [`share`]; never more than the amount itself.
pub fn part_within(amount: i64, basis_points: u32) -> i64 {
    let rate = i128::from(basis_points);
    let whole = WHOLE_BP + rate;
    let scaled = (i128::from(amount) * rate * 2 + whole).div_euclid(2 * whole);
    i64::try_from(scaled).unwrap_or(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in [("JPY", 0), ("USD", 2), ("KES", 2), ("BHD", 3)] {
            let currency: Currency = code.parse().expect("a listed currency");
            assert_eq!((currency.exponent(), currency.code()), (exponent, code));
        }
    }

    #[test]
    fn unknown_codes_are_refused() {
        for text in ["usd", "XXX", "US", "DOLLAR", "", "ÄÖ"] {
            assert_eq!(text.parse::<Currency>(), Err(UnknownCurrency), "{text}");
        }
    }

    #[test]
    fn shares_round_half_up() {
        for (amount, bp, expected) in
            [(101, 5_000, 51), (100, 5_000, 50), (1, 4_999, 0), (1, 5_000, 1), (-101, 5_000, -50)]
        {
            assert_eq!(share(amount, bp), expected, "{amount} {bp}");
        }
        assert_eq!(share(i64::MAX, 10_000), i64::MAX);
    }

    #[test]
    fn what_is_contained_is_what_was_added() {
        for (amount, bp, expected) in
            [(11_900, 1_900, 1_900), (107, 700, 7), (1, 10_000, 1), (3, 10_000, 2), (100, 0, 0)]
        {
            assert_eq!(part_within(amount, bp), expected, "{amount} {bp}");
        }
        assert_eq!(part_within(i64::MAX, 10_000), i64::MAX / 2 + 1);
    }
}
