//! What Daraja tells by itself: how a push ended, and how a reversal did.
//!
//! Daraja signs nothing. A callback counts as a hint only if it comes to an address that nobody can
//! guess, one for each payment and one for each refund; whoever takes it compares its ids and its
//! amount with what is recorded, and asks Daraja before believing that money came.
//!
//! Bodies are bounded to [`LARGEST_BODY`]. Fields that are not needed are not looked at, because
//! Daraja adds some now and then.

use super::word::{Word, cents, plain};
use domain::{PaymentId, RefundId};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;
use std::fmt::Write;

/// The largest body of a callback, in bytes.
pub const LARGEST_BODY: usize = 16 * 1024;
/// The bytes of a digest that an address bears: 128 bits cannot be guessed.
const TOKEN_BYTES: usize = 16;
/// The longest name that Daraja gives to anything, with room to spare.
const LONGEST_ID: usize = 100;
const LONGEST_RECEIPT: usize = 32;
/// The code of a reversal whose payment went back before.
const REVERSED_BEFORE: &str = "R000001";

/// How a push ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushResult {
    /// The reference of the order.
    pub checkout_request_id: String,
    pub merchant_request_id: String,
    /// 0 where it was paid.
    pub code: i64,
    pub description: String,
    /// The receipt number of M-Pesa, by which the payment can be reversed; with code 0 only.
    pub receipt: Option<String>,
    /// What was paid, in cents; with code 0 only.
    pub amount_cents: Option<i64>,
}

/// How a reversal ended.
///
/// A reversal may have been asked for more than once, under one conversation each. That the money
/// is back counts whichever of them says so; that it is not counts from the newest one only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReversalResult {
    /// The reference of the refund.
    pub conversation_id: String,
    pub code: String,
    pub description: String,
    /// The money went back now.
    pub is_done: bool,
    /// The money went back before: an earlier reversal of this payment was done.
    pub was_done_before: bool,
}

/// A body is not what Daraja sends; says what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the callback cannot be read: {0}")]
pub struct Unreadable(&'static str);

fn digest(secret: &SecretString, payment: PaymentId, refund: Option<RefundId>) -> Hmac<Sha256> {
    let key = secret.expose_secret().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    // One id or two, of sixteen bytes each, so that no payment's digest is that of a refund.
    mac.update(payment.0.as_bytes());
    if let Some(refund) = refund {
        mac.update(refund.0.as_bytes());
    }
    mac
}

/// What makes the address of a payment's callbacks, or of one refund's, impossible to guess: 32
/// hex digits, which cannot spell a word that Daraja refuses in addresses.
pub fn path_token(secret: &SecretString, payment: PaymentId, refund: Option<RefundId>) -> String {
    let bytes = digest(secret, payment, refund).finalize().into_bytes();
    let mut token = String::with_capacity(2 * TOKEN_BYTES);
    for byte in bytes.iter().take(TOKEN_BYTES) {
        write!(token, "{byte:02x}").expect("a string takes all");
    }
    token
}

/// Whether a token is that of this payment, or of this refund, in a time that does not tell how
/// much of it is right.
pub fn token_is_right(
    secret: &SecretString,
    payment: PaymentId,
    refund: Option<RefundId>,
    token: &str,
) -> bool {
    let Some(bytes) = bytes_of(token) else { return false };
    digest(secret, payment, refund).verify_truncated_left(&bytes).is_ok()
}

/// The bytes of a token as [`path_token`] writes them: another spelling is another token.
fn bytes_of(token: &str) -> Option<[u8; TOKEN_BYTES]> {
    let is_lower_hex = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if token.len() != 2 * TOKEN_BYTES || !token.bytes().all(is_lower_hex) {
        return None;
    }
    let mut bytes = [0; TOKEN_BYTES];
    for (number, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(token.get(2 * number..2 * number + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Where Daraja tells how a payment, or a refund of one, ended. The part before `/callbacks` has
/// no slash at its end.
pub(super) fn address(
    base: &str,
    secret: &SecretString,
    payment: PaymentId,
    refund: Option<RefundId>,
) -> String {
    let token = path_token(secret, payment, refund);
    match refund {
        None => format!("{base}/callbacks/{payment}/{token}"),
        Some(refund) => format!("{base}/callbacks/{payment}/{refund}/{token}"),
    }
}

#[derive(Deserialize)]
struct PushLetter {
    #[serde(rename = "Body")]
    body: PushBody,
}

#[derive(Deserialize)]
struct PushBody {
    #[serde(rename = "stkCallback")]
    told: PushTold,
}

#[derive(Deserialize)]
struct PushTold {
    #[serde(rename = "MerchantRequestID")]
    merchant_request_id: String,
    #[serde(rename = "CheckoutRequestID")]
    checkout_request_id: String,
    #[serde(rename = "ResultCode")]
    code: Word,
    #[serde(rename = "ResultDesc", default)]
    description: String,
    #[serde(rename = "CallbackMetadata", default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "Item", default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "Name")]
    name: String,
    /// Of any kind, as it is written; some items have none.
    #[serde(rename = "Value", default)]
    value: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct ReversalLetter {
    #[serde(rename = "Result")]
    told: ReversalTold,
}

#[derive(Deserialize)]
struct ReversalTold {
    #[serde(rename = "ConversationID")]
    conversation_id: String,
    #[serde(rename = "ResultCode")]
    code: Word,
    #[serde(rename = "ResultDesc", default)]
    description: String,
}

/// Reads how a push ended.
///
/// # Errors
/// When the body is too long, is no JSON of that shape, or bears an id, an amount or a receipt that
/// cannot be one.
pub fn push_result(body: &[u8]) -> Result<PushResult, Unreadable> {
    let PushLetter { body: PushBody { told } } = read(body)?;
    let code = told.code.0.parse().map_err(|_| Unreadable("its ResultCode is no number"))?;
    let (mut receipt, mut amount_cents) = (None, None);
    for Item { name, value } in told.metadata.into_iter().flat_map(|metadata| metadata.items) {
        let Some(value) = value else { continue };
        match name.as_str() {
            "Amount" => {
                let read = cents(value.get()).ok_or(Unreadable("its Amount is none in cents"))?;
                amount_cents = Some(read);
            }
            "MpesaReceiptNumber" => receipt = Some(receipt_in(&value)?),
            _ => {}
        }
    }
    Ok(PushResult {
        checkout_request_id: id(told.checkout_request_id)?,
        merchant_request_id: id(told.merchant_request_id)?,
        code,
        description: plain(&told.description),
        receipt: receipt.filter(|_| code == 0),
        amount_cents: amount_cents.filter(|_| code == 0),
    })
}

/// Reads how a reversal ended.
///
/// # Errors
/// When the body is too long, or is no JSON of that shape. What is told of a queue that was too
/// long has another shape, and says nothing of how the reversal ended.
pub fn reversal_result(body: &[u8]) -> Result<ReversalResult, Unreadable> {
    let ReversalLetter { told } = read(body)?;
    let code = plain(&told.code.0);
    Ok(ReversalResult {
        conversation_id: id(told.conversation_id)?,
        is_done: code == "0",
        was_done_before: code == REVERSED_BEFORE,
        code,
        description: plain(&told.description),
    })
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unreadable> {
    if body.len() > LARGEST_BODY {
        return Err(Unreadable("it is too long"));
    }
    serde_json::from_slice(body).map_err(|_| Unreadable("it is no JSON of the shape that is known"))
}

/// A name that Daraja gave; it goes into records and back into requests.
fn id(text: String) -> Result<String, Unreadable> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && text.len() <= LONGEST_ID {
        return Ok(text);
    }
    Err(Unreadable("one of its ids cannot be one"))
}

fn receipt_in(value: &RawValue) -> Result<String, Unreadable> {
    const ODD: Unreadable = Unreadable("its receipt cannot be one");
    let text: String = serde_json::from_str(value.get()).map_err(|_| ODD)?;
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_plain && text.len() <= LONGEST_RECEIPT { Ok(text) } else { Err(ODD) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const PAYMENT: PaymentId =
        PaymentId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001));
    const REFUND: RefundId = RefundId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0002));

    fn secret() -> SecretString {
        "a secret of more than thirty-two characters".into()
    }

    fn push(code: &str, items: &str) -> String {
        format!(
            r#"{{"Body":{{"stkCallback":{{"MerchantRequestID":"29115-1",
            "CheckoutRequestID":"ws_CO_1","ResultCode":{code},"ResultDesc":"Said.",
            "CallbackMetadata":{{"Item":[{items}]}}}}}}}}"#
        )
    }

    #[test]
    fn an_address_names_its_payment_and_cannot_be_guessed() {
        let token = path_token(&secret(), PAYMENT, None);
        // printf '01920000000070008000000000000001' | xxd -r -p | openssl dgst -sha256 -hmac '…'
        assert_eq!(token, "d018282d8a2387b95096a815abf160df");
        let refund = path_token(&secret(), PAYMENT, Some(REFUND));
        assert_ne!(token, refund);
        assert_ne!(token, path_token(&"another".into(), PAYMENT, None));
        let base = "https://stay.example.com";
        assert_eq!(
            address(base, &secret(), PAYMENT, None),
            format!("https://stay.example.com/callbacks/{PAYMENT}/{token}")
        );
        assert_eq!(
            address(base, &secret(), PAYMENT, Some(REFUND)),
            format!("https://stay.example.com/callbacks/{PAYMENT}/{REFUND}/{refund}")
        );
    }

    #[test]
    fn a_token_is_right_for_its_own_payment_or_refund_only() {
        let token = path_token(&secret(), PAYMENT, None);
        let is_right = |refund, token: &str| token_is_right(&secret(), PAYMENT, refund, token);
        assert!(is_right(None, &token));
        assert!(is_right(Some(REFUND), &path_token(&secret(), PAYMENT, Some(REFUND))));
        assert!(!is_right(Some(REFUND), &token));
        assert!(!token_is_right(&secret(), PaymentId(REFUND.0), None, &token));
        let mut other = token.clone();
        other.replace_range(31.., if token.ends_with('0') { "1" } else { "0" });
        let (upper, long, short) = (token.to_uppercase(), format!("{token}0"), &token[..31]);
        for wrong in [other.as_str(), &upper, &long, short, "", &"é".repeat(16), &"+f".repeat(16)]
        {
            assert!(!is_right(None, wrong), "{wrong}");
        }
    }

    #[test]
    fn a_paid_push_tells_its_amount_and_receipt() {
        let items = r#"{"Name":"Amount","Value":1200.0},{"Name":"MpesaReceiptNumber",
            "Value":"NLJ7RT61SV"},{"Name":"Balance"},{"Name":"TransactionDate",
            "Value":20191219102115},{"Name":"PhoneNumber","Value":254708374149}"#;
        for code in ["0", "\"0\""] {
            let wanted = PushResult {
                checkout_request_id: "ws_CO_1".to_owned(),
                merchant_request_id: "29115-1".to_owned(),
                code: 0,
                description: "Said.".to_owned(),
                receipt: Some("NLJ7RT61SV".to_owned()),
                amount_cents: Some(120_000),
            };
            assert_eq!(push_result(push(code, items).as_bytes()), Ok(wanted), "{code}");
        }
        // Who did not pay has no receipt, whatever else stands there.
        let unpaid = push_result(push("1032", items).as_bytes()).expect("it is read");
        assert_eq!((unpaid.code, unpaid.receipt, unpaid.amount_cents), (1032, None, None));
    }

    #[test]
    fn a_push_that_was_not_paid_needs_no_metadata() {
        for code in ["1", "17", "1032", "1037", "2001", "\"2001\"", "-1"] {
            let body = format!(
                r#"{{"Body":{{"stkCallback":{{"MerchantRequestID":"m","CheckoutRequestID":"c",
                "ResultCode":{code},"New":{{"x":[1]}}}}}}}}"#
            );
            let told = push_result(body.as_bytes()).expect("it is read");
            assert_eq!(told.code.to_string(), code.trim_matches('"'));
            assert_eq!((told.receipt, told.amount_cents), (None, None));
        }
    }

    #[test]
    fn odd_callbacks_are_not_read() {
        let receipt = |text: &str| format!(r#"{{"Name":"MpesaReceiptNumber","Value":{text}}}"#);
        let amount = |text: &str| format!(r#"{{"Name":"Amount","Value":{text}}}"#);
        let good = push("0", &amount("1.0"));
        assert!(push_result(good.as_bytes()).is_ok());
        let with_id = |id: &str| good.replace("ws_CO_1", id);
        for body in [
            String::new(),
            "{".to_owned(),
            "[]".to_owned(),
            "null".to_owned(),
            r#"{"Body":{}}"#.to_owned(),
            good.replace("stkCallback", "stkcallback"),
            format!("{good}x"),
            push("1032.0", ""),
            push("null", ""),
            push("\"R000001\"", ""),
            push("99999999999999999999", ""),
            push("0", &amount("1.001")),
            push("0", &amount("\"a lot\"")),
            push("0", &amount("-1.0")),
            push("0", &amount("{}")),
            push("0", &receipt("12345")),
            push("0", &receipt("\"\"")),
            push("0", &receipt("\"NLJ7/../x\"")),
            push("0", &receipt(&format!("\"{}\"", "A".repeat(33)))),
            with_id(""),
            with_id("ws CO 1"),
            with_id(&"1".repeat(101)),
            format!("{good}{}", " ".repeat(LARGEST_BODY)),
            "[".repeat(10_000),
        ] {
            assert!(push_result(body.as_bytes()).is_err(), "{body}");
        }
        assert!(push_result(b"\xff\xfe").is_err());
    }

    #[test]
    fn a_reversal_is_done_was_done_or_is_refused() {
        for (code, is_done, was_done_before) in [
            ("0", true, false),
            ("\"0\"", true, false),
            ("\"R000001\"", false, true),
            ("\"R000002\"", false, false),
            ("2001", false, false),
        ] {
            let body = format!(
                r#"{{"Result":{{"ResultType":0,"ResultCode":{code},"ResultDesc":"Said.",
                "OriginatorConversationID":"o-1","ConversationID":"AG_1","TransactionID":"T",
                "ReferenceData":{{"ReferenceItem":{{"Key":"k","Value":"v"}}}}}}}}"#
            );
            let wanted = ReversalResult {
                conversation_id: "AG_1".to_owned(),
                code: code.trim_matches('"').to_owned(),
                description: "Said.".to_owned(),
                is_done,
                was_done_before,
            };
            assert_eq!(reversal_result(body.as_bytes()), Ok(wanted), "{code}");
        }
        for body in ["", "{}", r#"{"Result":{"ResultCode":0}}"#, &push("0", "")] {
            assert!(reversal_result(body.as_bytes()).is_err(), "{body}");
        }
    }
}
