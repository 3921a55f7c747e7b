//! Which currencies Stripe takes, and which amounts of them.
//! Source: <https://docs.stripe.com/currencies>.

/// Without minor units: an amount of 500 is 500 yen.
const WHOLE: [&str; 15] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf",
    "xof", "xpf",
];
/// With three decimals, of which the last has to be 0.
const THREE: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];
/// Without minor units by now, but still written with two decimals, which have to be 00.
const WRITTEN_WITH_TWO: [&str; 2] = ["isk", "ugx"];
/// The usual ones.
const TWO: &[&str] = &[
    "usd", "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd",
    "bdt", "bgn", "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf",
    "cny", "cop", "crc", "cve", "czk", "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd", "fkp",
    "gbp", "gel", "gip", "gmd", "gtq", "gyd", "hkd", "hnl", "htg", "huf", "idr", "ils", "inr",
    "jmd", "kes", "kgs", "khr", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl",
    "mkd", "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio",
    "nok", "npr", "nzd", "pab", "pen", "pgk", "php", "pkr", "pln", "qar", "ron", "rsd", "rub",
    "sar", "sbd", "scr", "sek", "sgd", "shp", "sle", "sos", "srd", "std", "szl", "thb", "tjs",
    "top", "try", "ttd", "twd", "tzs", "uah", "uyu", "uzs", "wst", "xcd", "yer", "zar", "zmw",
];

/// The least that can be charged, where Stripe names one; otherwise 1.
const LEAST: [(&str, i64); 24] = [
    ("usd", 50),
    ("aed", 200),
    ("aud", 50),
    ("bgn", 100),
    ("brl", 50),
    ("cad", 50),
    ("chf", 50),
    ("czk", 1_500),
    ("dkk", 250),
    ("eur", 50),
    ("gbp", 30),
    ("hkd", 400),
    ("huf", 17_500),
    ("inr", 50),
    ("jpy", 50),
    ("mxn", 1_000),
    ("myr", 200),
    ("nok", 300),
    ("nzd", 50),
    ("pln", 200),
    ("ron", 200),
    ("sek", 300),
    ("sgd", 50),
    ("thb", 1_000),
];
/// The most that can be charged, where it is not eight digits.
const MOST: [(&str, i64); 5] = [
    ("cop", 9_999_999_999),
    ("huf", 9_999_999_999),
    ("idr", 999_999_999_999),
    ("inr", 999_999_999),
    ("jpy", 9_999_999_999),
];
const USUAL_MOST: i64 = 99_999_999;

/// Why an amount cannot be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Currency,
    TooSmall,
    TooLarge,
    /// It has to be divisible by this.
    Uneven(i64),
}

/// Whether a currency, in lower case, is taken.
pub(super) fn is_known(currency: &str) -> bool {
    let lists = [&WHOLE[..], &THREE, &WRITTEN_WITH_TWO, TWO];
    lists.iter().any(|list| list.contains(&currency))
}

/// How many digits of an amount stand behind the point.
pub(crate) fn decimals(currency: &str) -> usize {
    match currency {
        currency if WHOLE.contains(&currency) => 0,
        currency if THREE.contains(&currency) => 3,
        _ => 2,
    }
}

fn bound(bounds: &[(&str, i64)], currency: &str, usual: i64) -> i64 {
    bounds.iter().find(|(known, _)| *known == currency).map_or(usual, |(_, bound)| *bound)
}

/// Whether so much, in minor units, has a form that the currency allows.
pub(super) fn check_form(currency: &str, amount: i64) -> Result<(), Unfit> {
    let step = if THREE.contains(&currency) {
        10
    } else if WRITTEN_WITH_TWO.contains(&currency) {
        100
    } else {
        1
    };
    if amount % step == 0 { Ok(()) } else { Err(Unfit::Uneven(step)) }
}

/// Whether so much, in minor units, can be charged in this currency, in lower case.
pub(super) fn check(currency: &str, amount: i64) -> Result<(), Unfit> {
    if !is_known(currency) {
        return Err(Unfit::Currency);
    }
    if amount < bound(&LEAST, currency, 1) {
        return Err(Unfit::TooSmall);
    }
    if amount > bound(&MOST, currency, USUAL_MOST) {
        return Err(Unfit::TooLarge);
    }
    check_form(currency, amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_taken_as_their_currency_allows() {
        for (currency, amount, wanted) in [
            ("usd", 50, Ok(())),
            ("usd", 49, Err(Unfit::TooSmall)),
            ("usd", 99_999_999, Ok(())),
            ("usd", 100_000_000, Err(Unfit::TooLarge)),
            ("jpy", 500, Ok(())),
            ("jpy", 9_999_999_999, Ok(())),
            ("kwd", 5_120, Ok(())),
            ("kwd", 5_124, Err(Unfit::Uneven(10))),
            ("isk", 500, Ok(())),
            ("isk", 550, Err(Unfit::Uneven(100))),
            ("kes", 1, Ok(())),
            ("xxx", 500, Err(Unfit::Currency)),
        ] {
            assert_eq!(check(currency, amount), wanted, "{amount} {currency}");
        }
        assert_eq!(["jpy", "kwd", "ugx", "usd"].map(decimals), [0, 3, 2, 2]);
    }
}
