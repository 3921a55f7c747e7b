//! The fields of Daraja's requests: a flat JSON object whose numbers may also be texts.

use super::refusal::Refusal;
use crate::clock::after;
use crate::settings::Merchant;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::{Map, Value};
use std::time::Duration;

/// Words that Daraja does not take in the path of a callback.
const BANNED: [&str; 5] = ["mpesa", "m-pesa", "safaricom", "query", "sql"];
/// East Africa has no summer time.
const NAIROBI: Offset = Offset::constant(3);
/// How far a request's timestamp may be off: enough for odd clocks, and less than the three hours
/// of somebody who wrote UTC.
const MOST_OFF: Duration = Duration::from_secs(2 * 3_600);

#[derive(Debug, Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(Refusal::field("Payload")),
        }
    }

    /// A text, or a number as it is written; never an empty one.
    pub(super) fn text(&self, name: &str) -> Result<String, Refusal> {
        let text = match self.0.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        if text.is_empty() { Err(Refusal::field(name)) } else { Ok(text) }
    }

    /// A text of up to so many characters.
    pub(super) fn short(&self, name: &str, longest: usize) -> Result<String, Refusal> {
        let text = self.text(name)?;
        if text.chars().count() <= longest { Ok(text) } else { Err(Refusal::field(name)) }
    }

    /// A text that has to be this one.
    pub(super) fn exactly(&self, name: &str, wanted: &str) -> Result<(), Refusal> {
        if self.text(name)? == wanted { Ok(()) } else { Err(Refusal::field(name)) }
    }

    /// Whole shillings in these bounds.
    pub(super) fn shillings(&self, name: &str, least: u32, most: u32) -> Result<u32, Refusal> {
        let amount: Option<u32> = self.text(name)?.parse().ok();
        let amount = amount.filter(|amount| (least..=most).contains(amount));
        amount.ok_or_else(|| Refusal::field(name))
    }

    /// A Kenyan mobile number: 254, then 7 or 1, twelve digits in all.
    pub(super) fn phone(&self, name: &str) -> Result<String, Refusal> {
        let phone = self.text(name)?;
        let is_mobile = ["2547", "2541"].iter().any(|prefix| phone.starts_with(prefix));
        let is_whole = phone.len() == 12 && phone.bytes().all(|digit| digit.is_ascii_digit());
        if is_mobile && is_whole { Ok(phone) } else { Err(Refusal::field(name)) }
    }

    /// An address for callbacks.
    pub(super) fn address(&self, name: &str) -> Result<String, Refusal> {
        let url = self.text(name)?;
        let rest = ["http://", "https://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        let lower = url.to_lowercase();
        let is_clean = !BANNED.iter().any(|word| lower.contains(word));
        if rest.is_some_and(|rest| !rest.is_empty()) && is_clean {
            return Ok(url);
        }
        Err(Refusal::field(name))
    }

    /// Checks who asks: the short code, the timestamp in Nairobi's time, and the password, which
    /// is made of both and the passkey.
    pub(super) fn check_password(
        &self,
        merchant: &Merchant,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let short_code = self.text("BusinessShortCode")?;
        let (stamp, password) = (self.text("Timestamp")?, self.text("Password")?);
        let time = DateTime::strptime("%Y%m%d%H%M%S", &stamp).ok().filter(|_| stamp.len() == 14);
        let time = time.and_then(|time| NAIROBI.to_timestamp(time).ok());
        let is_near =
            time.is_some_and(|time| time <= after(now, MOST_OFF) && now <= after(time, MOST_OFF));
        if !is_near {
            return Err(Refusal::field("Timestamp"));
        }
        let wanted = format!("{}{}{stamp}", merchant.short_code, merchant.passkey);
        if short_code != merchant.short_code || password != BASE64_STANDARD.encode(wanted) {
            return Err(Refusal::credentials());
        }
        Ok(())
    }
}

/// A time as Daraja writes it: `20270501143000`, in Nairobi.
pub(super) fn stamp(time: Timestamp) -> i64 {
    let text = NAIROBI.to_datetime(time).strftime("%Y%m%d%H%M%S").to_string();
    text.parse().expect("fourteen digits")
}
