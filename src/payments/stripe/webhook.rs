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
