//! What Stripe tells: whether it was Stripe, and what it is about.
//!
//! A signature is HMAC-SHA-256 over the time, a full stop and the body as it came; a body that was
//! read and written again is another one. Events are hints: only their names and what they are
//! about is read, and a worker asks Stripe for the rest.
//! Source: <https://docs.stripe.com/webhooks#verify-manually>.

use domain::{Instant, PaymentId};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use uuid::Uuid;

/// How far the time of a signature may be from ours, either way, in seconds.
const TOLERANCE_SECONDS: u64 = 300;
/// The longest header, in bytes: there is one signature for each secret that is being replaced.
const LONGEST_HEADER: usize = 2_048;
/// The longest name of an event, of its kind and of an intent, in bytes.
const LONGEST_NAME: usize = 255;
const SIGNATURE_BYTES: usize = 32;

/// The kinds of events after which we may know more about money.
const ABOUT_MONEY: [&str; 13] = [
    "charge.captured",
    "charge.expired",
    "charge.refund.updated",
    "charge.refunded",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "refund.created",
    "refund.failed",
    "refund.updated",
];

/// Why something was not told by Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    #[error("there is no secret to check signatures with")]
    NoSecret,
    #[error("there is no signature, or none that can be read")]
    Unreadable,
    #[error("the signature was made too long ago, or is yet to be made")]
    Untimely,
    #[error("the signature is not that of this body")]
    Wrong,
}

/// Checks the header `Stripe-Signature` for this body. One good signature of scheme `v1` is enough,
/// and others do not count. The comparison takes the same time wherever it fails.
///
/// # Errors
/// When the body is not, or not now, from who has the secret.
pub fn verify(
    secret: &SecretString,
    header: Option<&str>,
    body: &[u8],
    now: Instant,
) -> Result<(), BadSignature> {
    let secret = secret.expose_secret().as_bytes();
    if secret.is_empty() {
        return Err(BadSignature::NoSecret);
    }
    let header = header.filter(|header| header.len() <= LONGEST_HEADER);
    let header = header.ok_or(BadSignature::Unreadable)?;
    let pairs = header.split(',').filter_map(|pair| pair.trim().split_once('='));
    let mut times = pairs.clone().filter(|(scheme, _)| *scheme == "t");
    let (Some((_, time)), None) = (times.next(), times.next()) else {
        return Err(BadSignature::Unreadable);
    };
    let seconds: i64 = time.parse().map_err(|_| BadSignature::Unreadable)?;
    if seconds.abs_diff(now.as_micros().div_euclid(1_000_000)) > TOLERANCE_SECONDS {
        return Err(BadSignature::Untimely);
    }
    let mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| BadSignature::NoSecret)?;
    let mac = mac.chain_update(time).chain_update(".").chain_update(body);
    let signatures = pairs.filter(|(scheme, _)| *scheme == "v1").filter_map(|(_, hex)| bytes(hex));
    for signature in signatures {
        if mac.clone().verify_slice(&signature).is_ok() {
            return Ok(());
        }
    }
    Err(BadSignature::Wrong)
}

/// The bytes of a signature in hexadecimal digits.
fn bytes(hex: &str) -> Option<[u8; SIGNATURE_BYTES]> {
    let mut bytes = [0; SIGNATURE_BYTES];
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    (rest.is_empty() && pairs.len() == SIGNATURE_BYTES).then_some(())?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// What an event is, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Stripe's name for it: 1 to 255 visible characters of ASCII.
    pub event: String,
    /// Such as `payment_intent.succeeded`, within the same bounds.
    pub kind: String,
    /// The payment that we wrote on what it is about.
    pub payment: Option<PaymentId>,
    /// Stripe's name of the payment intent that it is about.
    pub intent: Option<String>,
}

/// The body is no event of Stripe's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an event of Stripe's")]
pub struct Unreadable;

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

/// An intent, a charge or a refund. Events of other kinds are about things of other shapes, and
/// are no less readable for it, so nothing is said here of what these words hold.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    object: Value,
    id: Value,
    payment_intent: Value,
    metadata: Value,
}

/// Reads what an event is about.
///
/// # Errors
/// When it is no event.
pub fn envelope(body: &[u8]) -> Result<Envelope, Unreadable> {
    let Event { id, kind, data: Data { object } } =
        serde_json::from_slice(body).map_err(|_| Unreadable)?;
    if !is_name(&id) || !is_name(&kind) {
        return Err(Unreadable);
    }
    let payment = object.metadata["payment"].as_str().and_then(|id| Uuid::try_parse(id).ok());
    let intent = match object.object.as_str() {
        Some("payment_intent") => &object.id,
        // In events it is named, and shown in full where somebody asked for that.
        _ if object.payment_intent.is_object() => &object.payment_intent["id"],
        _ => &object.payment_intent,
    };
    let intent = intent.as_str().filter(|name| is_name(name)).map(str::to_owned);
    Ok(Envelope { event: id, kind, payment: payment.map(PaymentId), intent })
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether events of this kind can change what we know of money; others need no second look.
pub fn is_about_money(kind: &str) -> bool {
    ABOUT_MONEY.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1", "type":"charge.refunded"}"#;
    const SIGNED_AT: i64 = 1_700_000_000;
    /// What Python's `hmac` computes of `1700000000.` and the body with `whsec_mine`, with
    /// `whsec_old`, of the body without its space, and with no secret at all.
    const MINE: &str = "919886f8ccb7ef92b074c02f6167d0f9e17a78690bf63e82bc2ce44b3cea0a23";
    const OLD: &str = "fcd81e0a467f5e8153441f4f1152dce40e9c8138c697c4749119418c922b6567";
    const WRITTEN_AGAIN: &str = "aaca9b57809134e42b28394ece92ca056ef7ecbffb8061efc9cc5ee7302a5316";
    const WITHOUT_SECRET: &str = "2320bbf4d7af19df0b92a9066cfc3623d1556c17f523c91ee614044391c4d75c";

    fn checked(secret: &str, header: &str, seconds: i64) -> Result<(), BadSignature> {
        let now = Instant::from_micros(seconds * 1_000_000);
        verify(&SecretString::from(secret), Some(header), BODY, now)
    }

    fn judged(header: &str) -> Result<(), BadSignature> {
        checked("whsec_mine", header, SIGNED_AT)
    }

    #[test]
    fn a_body_is_taken_with_one_good_signature_among_others() {
        for header in [
            format!("t=1700000000,v1={MINE}"),
            format!("t=1700000000,v1={OLD},v1={MINE},v0={OLD}"),
            format!("v1={MINE}, t=1700000000"),
            format!("t=1700000000,v1=junk,v1,,v1={MINE}"),
            format!("t=1700000000,v1={}", MINE.to_uppercase()),
        ] {
            assert_eq!(judged(&header), Ok(()), "{header}");
        }
        let header = format!("t=1700000000,v1={OLD}");
        assert_eq!(checked("whsec_old", &header, SIGNED_AT), Ok(()));
    }

    #[test]
    fn signatures_of_others_of_other_bodies_and_of_other_schemes_are_refused() {
        for header in [
            format!("t=1700000000,v1={OLD}"),
            format!("t=1700000000,v1={WRITTEN_AGAIN}"),
            format!("t=1700000001,v1={MINE}"),
            format!("t=1700000000,v0={MINE}"),
            format!("t=1700000000,v1={}", &MINE[2..]),
            format!("t=1700000000,v1={MINE}00"),
            "t=1700000000,v1=".into(),
            "t=1700000000".into(),
        ] {
            assert_eq!(judged(&header), Err(BadSignature::Wrong), "{header}");
        }
    }

    #[test]
    fn a_header_that_is_missing_junk_or_too_long_cannot_be_read() {
        let now = Instant::from_micros(SIGNED_AT * 1_000_000);
        let missing = verify(&SecretString::from("whsec_mine"), None, BODY, now);
        assert_eq!(missing, Err(BadSignature::Unreadable));
        let good = format!("t=1700000000,v1={MINE}");
        for header in [
            String::new(),
            "junk".into(),
            format!("v1={MINE}"),
            format!("t=,v1={MINE}"),
            format!("t=soon,v1={MINE}"),
            format!("t=99999999999999999999,v1={MINE}"),
            format!("t=1700000000,{good}"),
            format!("{good},v0={}", "0".repeat(LONGEST_HEADER)),
        ] {
            assert_eq!(judged(&header), Err(BadSignature::Unreadable), "{header}");
        }
    }

    #[test]
    fn a_signature_holds_for_five_minutes_either_way() {
        let header = format!("t=1700000000,v1={MINE}");
        for (seconds, verdict) in [
            (300, Ok(())),
            (301, Err(BadSignature::Untimely)),
            (-300, Ok(())),
            (-301, Err(BadSignature::Untimely)),
        ] {
            assert_eq!(checked("whsec_mine", &header, SIGNED_AT + seconds), verdict, "{seconds}");
        }
        let eternity = format!("t={},v1={MINE}", i64::MIN);
        assert_eq!(judged(&eternity), Err(BadSignature::Untimely));
    }

    #[test]
    fn without_a_secret_nothing_is_taken() {
        let header = format!("t=1700000000,v1={WITHOUT_SECRET}");
        assert_eq!(checked("", &header, SIGNED_AT), Err(BadSignature::NoSecret));
    }

    const PAYMENT: &str = "01920000-0000-7000-8000-00000000abcd";

    fn told(kind: &str, object: &str) -> Result<Envelope, Unreadable> {
        let data = format!(r#"{{"object":{object}}}"#);
        envelope(format!(r#"{{"id":"evt_1","type":"{kind}","data":{data}}}"#).as_bytes())
    }

    #[test]
    fn an_event_says_which_payment_and_which_intent_it_is_about() {
        let payment = Some(PaymentId(Uuid::try_parse(PAYMENT).expect("an id")));
        let metadata = format!(r#""metadata":{{"payment":"{PAYMENT}"}}"#);
        for (object, payment, intent) in [
            (format!(r#"{{"object":"payment_intent","id":"pi_1",{metadata}}}"#), payment, "pi_1"),
            (
                format!(r#"{{"object":"charge","id":"ch_1","payment_intent":"pi_2",{metadata}}}"#),
                payment,
                "pi_2",
            ),
            (
                r#"{"object":"refund","id":"re_1","payment_intent":"pi_3","metadata":{}}"#.into(),
                None,
                "pi_3",
            ),
            (r#"{"object":"refund","payment_intent":{"id":"pi_4"}}"#.into(), None, "pi_4"),
            (r#"{"object":"charge","payment_intent":null,"metadata":null}"#.into(), None, ""),
            (r#"{"object":"dispute","metadata":[1],"payment_intent":7}"#.into(), None, ""),
            (r#"{"object":"payment_intent","id":"","metadata":{"payment":"7"}}"#.into(), None, ""),
            ("{}".into(), None, ""),
        ] {
            let envelope = told("charge.refunded", &object).expect("an event");
            let intent = Some(intent.to_owned()).filter(|name| !name.is_empty());
            assert_eq!((envelope.payment, envelope.intent), (payment, intent), "{object}");
            assert_eq!((&*envelope.event, &*envelope.kind), ("evt_1", "charge.refunded"));
        }
    }

    #[test]
    fn what_is_no_event_cannot_be_read() {
        assert!(told(&"k".repeat(LONGEST_NAME), "{}").is_ok());
        for (kind, object) in [("", "{}"), ("a b", "{}"), ("a", "7"), ("a", "null")] {
            assert_eq!(told(kind, object), Err(Unreadable), "{kind} {object}");
        }
        assert_eq!(told(&"k".repeat(LONGEST_NAME + 1), "{}"), Err(Unreadable));
        for body in [
            "",
            "[]",
            r#"{"id":"evt_1","type":"a"}"#,
            r#"{"id":"","type":"a","data":{"object":{}}}"#,
            r#"{"id":"evt_\u0000","type":"a","data":{"object":{}}}"#,
            r#"{"id":7,"type":"a","data":{"object":{}}}"#,
        ] {
            assert_eq!(envelope(body.as_bytes()), Err(Unreadable), "{body}");
        }
    }

    #[test]
    fn only_what_can_change_what_we_know_of_money_is_about_it() {
        assert!(ABOUT_MONEY.into_iter().all(is_about_money));
        for kind in ["payment_intent.created", "customer.created", "charge.refunde", ""] {
            assert!(!is_about_money(kind), "{kind}");
        }
    }
}
