//! Giving the money of a push back: all of it, once. A callback tells how that ended.

use super::call::{Answer, Call};
use super::fields;
use super::push::Push;
use crate::outbox::Letter;
use crate::world::State;
use serde_json::{Value, json};

const MOST_SHILLINGS: u32 = 250_000;
const LONGEST_REMARKS: usize = 100;
/// What the receiver of a reversal is: a short code.
const SHORT_CODE: &str = "11";

pub(super) fn request(state: &mut State, call: &Call) -> Answer {
    let fields = &call.fields;
    fields.exactly("CommandID", "TransactionReversal")?;
    fields.text("Initiator")?;
    fields.text("SecurityCredential")?;
    fields.exactly("ReceiverParty", &state.merchant.short_code)?;
    // Daraja itself misspells this name.
    fields.exactly("RecieverIdentifierType", SHORT_CODE)?;
    fields.short("Remarks", LONGEST_REMARKS)?;
    let shillings = fields.shillings("Amount", 1, MOST_SHILLINGS)?;
    let transaction = fields.text("TransactionID")?;
    let result_url = fields.address("ResultURL")?;
    let timeout_url = fields.address("QueueTimeOutURL")?;
    let originator = format!("{}-{}-1", state.ids.number() % 100_000, state.ids.number() % 100_000);
    let conversation =
        format!("AG_{}_{}", fields::stamp(state.clock.now()), state.ids.capitals(20));
    let (code, text) = reverse(state, &transaction, shillings);
    let mut result = json!({
        "ResultType": 0,
        "ResultCode": code,
        "ResultDesc": text,
        "OriginatorConversationID": originator,
        "ConversationID": conversation,
        "TransactionID": state.ids.capitals(10),
        "ReferenceData": {
            "ReferenceItem": { "Key": "QueueTimeoutURL", "Value": timeout_url },
        },
    });
    if code == json!(0) {
        result["ResultParameters"] = json!({ "ResultParameter": [
            { "Key": "Amount", "Value": f64::from(shillings) },
            { "Key": "TransCompletedTime", "Value": fields::stamp(state.clock.now()) },
            { "Key": "OriginalTransactionID", "Value": transaction },
            { "Key": "Charge", "Value": 0.0 },
        ] });
    }
    let letter = Letter {
        event: "mpesa.reversal".into(),
        about: transaction,
        to: Some(result_url),
        body: json!({ "Result": result }).to_string(),
    };
    state.post(&letter);
    Ok(json!({
        "OriginatorConversationID": originator,
        "ConversationID": conversation,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }))
}

/// Reverses the payment with this receipt, if it is one of so much and was not reversed; the code
/// and text of the result. Codes of refusals are texts, as they really are.
fn reverse(state: &mut State, receipt: &str, shillings: u32) -> (Value, &'static str) {
    let is_of = |push: &&mut Push| push.receipt.as_ref().is_some_and(|own| own.number == receipt);
    let Some(push) = state.daraja.pushes.iter_mut().find(is_of) else {
        return (json!("R000002"), "The OriginalTransactionID is invalid.");
    };
    if push.shillings != shillings {
        return (json!("R000002"), "The amount is not that of the original transaction.");
    }
    match push.receipt.as_mut().filter(|receipt| !receipt.is_reversed) {
        Some(receipt) => {
            receipt.is_reversed = true;
            (json!(0), "The service request is processed successfully.")
        }
        None => (json!("R000001"), "The transaction has already been reversed."),
    }
}
