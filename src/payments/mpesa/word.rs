//! Daraja's words and amounts: codes that come as numbers or as texts, and money that comes as a
//! floating point number and is read without being one.

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt;

/// The most characters of Daraja's own words that go into an error or a record.
const LONGEST_WORDS: usize = 200;
/// The longest amount as a text, and the largest exponent in one.
const LONGEST_AMOUNT: usize = 40;
const LARGEST_EXPONENT: i32 = 15;

/// A text, or a whole number as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a whole number")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
                Ok(Word(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Word, E> {
                Ok(Word(number.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Word, E> {
                Ok(Word(number.to_string()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// Words of a stranger, fit for a log and a record: one line, and not too long.
pub(super) fn plain(words: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    words.chars().take(LONGEST_WORDS).map(printable).collect()
}

/// Shillings as JSON writes them (`1200`, `1200.0`, `1.2E3`, or one of these as a text) in cents,
/// exactly; nothing where the text is no amount, or one with less than a cent in it.
pub(super) fn cents(text: &str) -> Option<i64> {
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if text.len() > LONGEST_AMOUNT {
        return None;
    }
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (number, ""),
    };
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    if exponent.abs() > LARGEST_EXPONENT {
        return None;
    }
    // The digits are cents once they are moved to the left by this many places.
    let places = exponent + 2 - i32::try_from(fraction.len()).ok()?;
    let number: i128 = digits.parse().ok()?;
    let scale = 10_i128.checked_pow(places.unsigned_abs())?;
    let cents = match places {
        0.. => number.checked_mul(scale)?,
        _ if number % scale == 0 => number / scale,
        _ => return None,
    };
    i64::try_from(cents).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (text, wanted) in [
            ("1200.0", 120_000),
            ("1200", 120_000),
            ("1200.00", 120_000),
            ("\"1200.00\"", 120_000),
            ("1200.5", 120_050),
            ("0.01", 1),
            ("1.2E3", 120_000),
            ("2.5e+5", 25_000_000),
            ("12000e-1", 120_000),
            // As a floating point number this is 100000000000000.00 or .02.
            ("100000000000000.01", 10_000_000_000_000_001),
            ("1.10000000000000000000", 110),
            ("0", 0),
        ] {
            assert_eq!(cents(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_in_cents_is_none() {
        for text in [
            "",
            "\"\"",
            "\"",
            ".5",
            "5.",
            "-1.0",
            "+1.0",
            "1,200.0",
            "1200.001",
            "0.005",
            "1e-3",
            "1e99",
            "1e",
            "e5",
            "NaN",
            "null",
            "1.2.3",
            "1 200",
            "٣",
            "99999999999999999999",
            "0000000000000000000000000000000000000000000000001",
        ] {
            assert_eq!(cents(text), None, "{text}");
        }
    }

    #[test]
    fn codes_are_texts_or_whole_numbers() {
        let read = |json: &str| serde_json::from_str::<Word>(json).ok().map(|word| word.0);
        assert_eq!(read("1032").as_deref(), Some("1032"));
        assert_eq!(read("-1").as_deref(), Some("-1"));
        assert_eq!(read("\"R000001\"").as_deref(), Some("R000001"));
        for odd in ["1032.0", "true", "null", "[1]", "{}"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    #[test]
    fn words_of_strangers_are_short_and_of_one_line() {
        assert_eq!(plain("Wrong\ncredentials\u{7}"), "Wrong credentials ");
        assert_eq!(plain(&"ü".repeat(500)).chars().count(), LONGEST_WORDS);
    }
}
