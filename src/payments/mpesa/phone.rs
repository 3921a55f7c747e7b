//! What M-Pesa can collect, and from whom.

use domain::Currency;

const CURRENCY: &str = "KES";
const CENTS: i64 = 100;
/// The most that one payment moves, in shillings; the least is one.
const MOST_SHILLINGS: i64 = 250_000;
/// The longest text that is looked at.
const LONGEST: usize = 24;
/// The digits of a number after the country's: a network's 7 or 1, and eight more.
const LOCAL_DIGITS: usize = 9;

/// A Kenyan mobile number as Daraja wants it, `254712345678`: from `+254712345678`,
/// `254712345678`, `0712345678` or the same with 1 for 7, with spaces and hyphens between digits
/// as people write them.
pub fn normal_phone(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let local = ["+254", "254", "0"].iter().find_map(|prefix| digits.strip_prefix(prefix))?;
    let is_mobile = local.starts_with(['7', '1']) && local.len() == LOCAL_DIGITS;
    let is_number = is_mobile && local.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| format!("254{local}"))
}

/// Whole shillings of an amount in cents; nothing where M-Pesa cannot move it.
pub(super) fn shillings(amount: i64) -> Option<i64> {
    let whole = amount / CENTS;
    (amount % CENTS == 0 && (1..=MOST_SHILLINGS).contains(&whole)).then_some(whole)
}

/// Whether M-Pesa can collect this from there; says why not, with the field that is wrong.
pub(super) fn accepts(
    amount: i64,
    currency: Currency,
    method: &str,
) -> Result<(), (&'static str, String)> {
    if currency.code() != CURRENCY {
        let why = format!("M-Pesa pays in {CURRENCY} only, and this booking is in {currency}");
        return Err(("/booking_id", why));
    }
    if shillings(amount).is_none() {
        let why = "M-Pesa pays whole shillings, from 1 to 250,000 at once: this booking's amount \
                   is none of these";
        return Err(("/booking_id", why.to_owned()));
    }
    match normal_phone(method) {
        Some(_) => Ok(()),
        None => Err(("/phone", "must be a Kenyan mobile number, like +254712345678".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kenyan_mobile_numbers_are_taken_as_people_write_them() {
        for text in [
            "+254712345678",
            "254712345678",
            "0712345678",
            "0712 345 678",
            "+254 712-345-678",
            " 0712345678 ",
        ] {
            assert_eq!(normal_phone(text).as_deref(), Some("254712345678"), "{text}");
        }
        for text in ["+254112345678", "254112345678", "0112345678"] {
            assert_eq!(normal_phone(text).as_deref(), Some("254112345678"), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_not() {
        for text in [
            "",
            "0",
            "712345678",
            "0812345678",
            "0212345678",
            "071234567",
            "07123456789",
            "+2540712345678",
            "+255712345678",
            "++254712345678",
            "0712345678x",
            "07١2345678",
            "pm_card_visa",
            "0712345678 0712345678 0712345678",
        ] {
            assert_eq!(normal_phone(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_whole_shillings_of_kenya_in_daraja_s_bounds() {
        let (kes, usd) = ("KES".parse().expect("KES"), "USD".parse().expect("USD"));
        let phone = "0712345678";
        for (amount, currency, method, wrong) in [
            (100, kes, phone, None),
            (25_000_000, kes, phone, None),
            (0, kes, phone, Some("/booking_id")),
            (-100, kes, phone, Some("/booking_id")),
            (99, kes, phone, Some("/booking_id")),
            (150, kes, phone, Some("/booking_id")),
            (25_000_100, kes, phone, Some("/booking_id")),
            (i64::MIN, kes, phone, Some("/booking_id")),
            (100, usd, phone, Some("/booking_id")),
            (100, kes, "", Some("/phone")),
            (100, kes, "pm_card_visa", Some("/phone")),
        ] {
            let field = accepts(amount, currency, method).err().map(|(field, _)| field);
            assert_eq!(field, wrong, "{amount} {currency} {method}");
        }
    }
}
