//! A push, with which a phone is asked to pay, and the query about what became of it.

use super::line::Reply;
use super::{Mpesa, callback, phone};
use crate::payments::{Order, ProviderError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::payment::PaymentStatus;
use domain::settlement::Standing;
use domain::{BookingId, Instant};
use jiff::tz::Offset;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// East Africa has no summer time.
const NAIROBI: Offset = Offset::constant(3);
/// The most characters of the reference that the guest's statement shows.
const REFERENCE: usize = 12;
/// What the payment is for, in at most 13 characters.
const DESCRIPTION: &str = "Your stay";

const PAID: &str = "0";
/// The result of a push that is still under way, where it is told as a result.
const UNDER_WAY: &str = "4999";
/// The error of a push that is still under way, which is that of bad credentials, too; the words
/// make the difference.
const PENDING: &str = "500.001.1001";
const PENDING_WORDS: &str = "being processed";

impl Mpesa {
    /// The body of a push.
    ///
    /// # Errors
    /// When M-Pesa cannot collect this.
    pub(super) fn push_body(&self, order: &Order, now: Instant) -> Result<Value, ProviderError> {
        let refused = |(_, why)| ProviderError::Refused(why);
        phone::accepts(order.amount, order.currency, &order.method).map_err(refused)?;
        let number = phone::normal_phone(&order.method);
        let settings = &self.settings;
        let secret = &settings.token_secret;
        let mut body = self.signed(now);
        body["TransactionType"] = "CustomerPayBillOnline".into();
        body["Amount"] = phone::shillings(order.amount).into();
        body["PartyA"] = number.clone().into();
        body["PartyB"] = settings.short_code.clone().into();
        body["PhoneNumber"] = number.into();
        body["CallBackURL"] =
            callback::address(&settings.callback_base, secret, order.payment, None).into();
        body["AccountReference"] = reference(order.booking).into();
        body["TransactionDesc"] = DESCRIPTION.into();
        Ok(body)
    }

    /// The body of a query about the push of this name.
    pub(super) fn query_body(&self, name: &str, now: Instant) -> Value {
        let mut body = self.signed(now);
        body["CheckoutRequestID"] = name.into();
        body
    }

    /// Who asks, and when; the passkey is what makes it a signature.
    fn signed(&self, now: Instant) -> Value {
        let (short_code, stamp) = (&self.settings.short_code, stamp(now));
        let passkey = self.settings.passkey.expose_secret();
        let password = BASE64_STANDARD.encode(format!("{short_code}{passkey}{stamp}"));
        json!({ "BusinessShortCode": short_code, "Password": password, "Timestamp": stamp })
    }
}

/// A time as Daraja writes it, in Nairobi: `20270501143000`.
fn stamp(now: Instant) -> String {
    NAIROBI.to_datetime(now.timestamp()).strftime("%Y%m%d%H%M%S").to_string()
}

/// What the guest's statement calls the booking: the end of its id, because ids that were made at
/// the same time begin alike.
fn reference(booking: BookingId) -> String {
    let id = booking.0.simple().to_string();
    id.get(id.len() - REFERENCE..).unwrap_or_default().to_owned()
}

/// The name of a push that was taken.
pub(super) fn name_in(reply: &Reply) -> Result<String, ProviderError> {
    let name = reply.answer.checkout_request_id.as_ref().filter(|_| reply.is_taken());
    name.filter(|name| !name.is_empty()).cloned().ok_or_else(|| reply.refusal())
}

/// Where the push of this name stands by the answer to a query.
///
/// # Errors
/// [`ProviderError::Unclear`] for whatever else is said: that a query is refused says nothing about
/// the push, so it never ends a payment.
pub(super) fn standing_in(reply: &Reply, name: &str) -> Result<Standing, ProviderError> {
    let is_of = reply.answer.checkout_request_id.as_deref().is_none_or(|told| told == name);
    let result = reply.answer.result_code.as_ref().filter(|_| is_of && reply.is_taken());
    if let Some(code) = result {
        return Ok(match code.0.as_str() {
            PAID => Standing::Captured,
            UNDER_WAY => Standing::Processing,
            _ => Standing::Ended(PaymentStatus::Failed),
        });
    }
    let words = reply.answer.error_message.as_deref().unwrap_or_default();
    let is_pending =
        reply.error_code() == Some(PENDING) && words.to_ascii_lowercase().contains(PENDING_WORDS);
    if is_pending { Ok(Standing::Processing) } else { Err(reply.unclear()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::mpesa::line::Answer;
    use uuid::Uuid;

    fn reply(status: u16, body: Value) -> Reply {
        let answer: Answer = serde_json::from_value(body).expect("an answer");
        Reply { status, answer }
    }

    #[test]
    fn times_are_those_of_nairobi() {
        for (time, wanted) in [
            ("2027-05-01T11:30:00Z", "20270501143000"),
            ("2027-12-31T21:00:00Z", "20280101000000"),
            ("2027-12-31T20:59:59.999999Z", "20271231235959"),
            ("2028-02-28T22:05:09Z", "20280229010509"),
        ] {
            let time: jiff::Timestamp = time.parse().expect("a time");
            assert_eq!(stamp(time.into()), wanted);
        }
    }

    #[test]
    fn a_booking_is_called_by_the_end_of_its_id() {
        let id = Uuid::from_u128(0x0192_0000_0000_7000_8123_4567_89ab_cdef);
        assert_eq!(reference(BookingId(id)), "456789abcdef");
        assert!(DESCRIPTION.len() <= 13);
    }

    fn told(code: Value) -> Value {
        json!({ "ResponseCode": "0", "CheckoutRequestID": "ws_CO_1", "ResultCode": code })
    }

    #[test]
    fn a_query_tells_how_a_push_stands_and_a_refused_one_tells_nothing() {
        let failed = Standing::Ended(PaymentStatus::Failed);
        for (code, wanted) in [
            (json!("0"), Standing::Captured),
            (json!(0), Standing::Captured),
            (json!("4999"), Standing::Processing),
            (json!("1"), failed),
            (json!(17), failed),
            (json!("1032"), failed),
            (json!(1037), failed),
            (json!("2001"), failed),
            (json!("00"), failed),
        ] {
            let standing = standing_in(&reply(200, told(code.clone())), "ws_CO_1");
            assert_eq!(standing, Ok(wanted), "{code}");
        }
        let error = |code: &str, words: &str| json!({ "errorCode": code, "errorMessage": words });
        let pending = error("500.001.1001", "The transaction is being processed");
        let standing = standing_in(&reply(500, pending), "ws_CO_1");
        assert_eq!(standing, Ok(Standing::Processing));
        for (status, body) in [
            (500, error("500.001.1001", "Wrong credentials")),
            (500, error("500.003.1001", "It is being processed")),
            (400, error("400.002.02", "Bad Request - Invalid CheckoutRequestID")),
            (500, told(json!(0))),
            (200, json!({ "ResultCode": 0 })),
            (200, json!({})),
            (502, json!({})),
        ] {
            let standing = standing_in(&reply(status, body.clone()), "ws_CO_1");
            assert!(matches!(standing, Err(ProviderError::Unclear(_))), "{body}: {standing:?}");
        }
        let other = standing_in(&reply(200, told(json!(0))), "ws_CO_2");
        assert!(matches!(other, Err(ProviderError::Unclear(_))), "{other:?}");
    }

    #[test]
    fn a_push_is_refused_only_where_daraja_says_so() {
        let error = json!({ "errorCode": "400.002.02", "errorMessage": "Bad Request" });
        for (status, body, is_refused) in [
            (400, error.clone(), true),
            (200, json!({ "ResponseCode": "1", "ResponseDescription": "No" }), true),
            (200, json!({ "ResponseCode": 1 }), true),
            (400, json!({}), false),
            (403, json!({}), false),
            (302, json!({}), false),
            (500, error, false),
            (200, json!({}), false),
            (200, json!({ "ResponseCode": "0" }), false),
            (200, json!({ "ResponseCode": "0", "CheckoutRequestID": "" }), false),
        ] {
            let named = name_in(&reply(status, body.clone()));
            let refused = matches!(named, Err(ProviderError::Refused(_)));
            assert_eq!(refused, is_refused, "{status} {body}");
            assert!(named.is_err());
        }
        let taken = json!({ "ResponseCode": 0, "CheckoutRequestID": "ws_CO_1" });
        assert_eq!(name_in(&reply(200, taken)).as_deref(), Ok("ws_CO_1"));
    }
}
