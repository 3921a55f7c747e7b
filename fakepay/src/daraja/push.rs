//! A push: a phone is asked to pay, and a callback tells how that ended.

use super::call::{Answer, Call};
use super::fields::{self, Fields};
use super::phone::{self, CANCELED, Manner, Outcome, PAID, TOO_SOON};
use super::refusal::Refusal;
use crate::control::ledger::Entry;
use crate::ending::{Ending, NotPending};
use crate::outbox::Letter;
use crate::shelf::Record;
use crate::world::{Due, State};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MOST_SHILLINGS: u32 = 250_000;
const LONGEST_REFERENCE: usize = 12;
const LONGEST_DESCRIPTION: usize = 13;
/// The same amount may not be asked of the same phone again for so long.
const SAME_AGAIN: SignedDuration = SignedDuration::from_secs(120);

/// What a paid push was.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Receipt {
    pub(super) number: String,
    at: Timestamp,
    pub(super) is_reversed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Push {
    /// The `CheckoutRequestID`.
    id: String,
    merchant_request: String,
    asked_at: Timestamp,
    pub(super) shillings: u32,
    phone: String,
    callback: String,
    reference: String,
    /// What the customer will answer, if by itself.
    intends: Option<Outcome>,
    outcome: Option<Outcome>,
    pub(super) receipt: Option<Receipt>,
}

impl Record for Push {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.asked_at.as_second()
    }
}

impl Push {
    pub(super) fn entry(&self) -> Option<Entry> {
        let receipt = self.receipt.as_ref()?;
        let cents = i64::from(self.shillings) * 100;
        Some(Entry {
            provider: "mpesa",
            id: self.id.clone(),
            currency: "kes".into(),
            captured: cents,
            refunded: if receipt.is_reversed { cents } else { 0 },
            metadata: BTreeMap::from([("reference".into(), self.reference.clone())]),
            ..Entry::default()
        })
    }

    /// How it ended, as a query tells it.
    pub(super) fn told(&self) -> Option<Value> {
        let outcome = self.outcome?;
        Some(json!({
            "ResponseCode": "0",
            "ResponseDescription": "The service request has been accepted successsfully",
            "MerchantRequestID": self.merchant_request,
            "CheckoutRequestID": self.id,
            "ResultCode": outcome.code.to_string(),
            "ResultDesc": outcome.text,
        }))
    }

    /// The body of the callback. Amounts are floating point numbers there, as they really are.
    fn callback(&self, outcome: Outcome, codes_as_text: bool) -> Value {
        let code = match codes_as_text {
            true => json!(outcome.code.to_string()),
            false => json!(outcome.code),
        };
        let mut told = json!({
            "MerchantRequestID": self.merchant_request,
            "CheckoutRequestID": self.id,
            "ResultCode": code,
            "ResultDesc": outcome.text,
        });
        if let Some(receipt) = &self.receipt {
            let phone: u64 = self.phone.parse().unwrap_or_default();
            told["CallbackMetadata"] = json!({ "Item": [
                { "Name": "Amount", "Value": f64::from(self.shillings) },
                { "Name": "MpesaReceiptNumber", "Value": receipt.number },
                { "Name": "TransactionDate", "Value": fields::stamp(receipt.at) },
                { "Name": "PhoneNumber", "Value": phone },
            ] });
        }
        json!({ "Body": { "stkCallback": told } })
    }
}

pub(super) fn process(state: &mut State, call: &Call) -> Answer {
    let now = state.clock.now();
    call.fields.check_password(&state.merchant, now)?;
    let push = read(state, &call.fields, now)?;
    if state.daraja.pushes.has_room().is_err() {
        return Err(Refusal::too_many());
    }
    let answer = json!({
        "MerchantRequestID": push.merchant_request,
        "CheckoutRequestID": push.id,
        "ResponseCode": "0",
        "ResponseDescription": "Success. Request accepted for processing",
        "CustomerMessage": "Success. Request accepted for processing",
    });
    if push.intends.is_some() {
        state.plan(state.merchant.callback_delay, Due::Answered(push.id.clone()));
    }
    state.daraja.pushes.push(push);
    Ok(answer)
}

fn read(state: &mut State, fields: &Fields, now: Timestamp) -> Result<Push, Refusal> {
    let kind = fields.text("TransactionType")?;
    if !["CustomerPayBillOnline", "CustomerBuyGoodsOnline"].contains(&kind.as_str()) {
        return Err(Refusal::field("TransactionType"));
    }
    let shillings = fields.shillings("Amount", 1, MOST_SHILLINGS)?;
    let phone = fields.phone("PhoneNumber")?;
    fields.phone("PartyA")?;
    fields.exactly("PartyB", &state.merchant.short_code)?;
    let callback = fields.address("CallBackURL")?;
    let reference = fields.short("AccountReference", LONGEST_REFERENCE)?;
    fields.short("TransactionDesc", LONGEST_DESCRIPTION)?;
    let is_recent = |push: &&Push| now.duration_since(push.asked_at) < SAME_AGAIN;
    let mut recent = state.daraja.pushes.iter().rev().take_while(is_recent);
    let intends = match phone::manner(&phone) {
        _ if recent.any(|push| push.phone == phone && push.shillings == shillings) => {
            Some(TOO_SOON)
        }
        Manner::Answers(outcome) => Some(outcome),
        Manner::IsLate | Manner::IsSilent => None,
    };
    Ok(Push {
        id: format!("ws_CO_{}{}", fields::stamp(now), state.ids.number() % 1_000_000_000),
        merchant_request: format!(
            "{}-{}-1",
            state.ids.number() % 100_000,
            state.ids.number() % 100_000_000
        ),
        asked_at: now,
        shillings,
        phone,
        callback,
        reference,
        intends,
        outcome: None,
        receipt: None,
    })
}

/// The customer's answer has come.
pub(crate) fn answered(state: &mut State, id: &str) {
    let intends = state.daraja.pushes.get(id).and_then(|push| push.intends);
    if let Some(outcome) = intends {
        conclude(state, id, outcome);
    }
}

/// Ends a push that is pending as the control route says; one of a silent customer has no end.
pub(crate) fn end(state: &mut State, id: &str, ending: Ending) -> Result<(), NotPending> {
    let push = state.daraja.pushes.get(id).filter(|push| push.outcome.is_none());
    let push = push.ok_or(NotPending)?;
    if phone::manner(&push.phone) == Manner::IsSilent {
        return Err(NotPending);
    }
    let outcome = if ending == Ending::Paid { PAID } else { CANCELED };
    conclude(state, id, outcome);
    Ok(())
}

/// Writes the outcome of a push down, unless it has one, and calls back.
fn conclude(state: &mut State, id: &str, outcome: Outcome) {
    let (number, at) = (state.ids.capitals(10), state.clock.now());
    let Some(push) = state.daraja.pushes.get_mut(id).filter(|push| push.outcome.is_none()) else {
        return;
    };
    push.outcome = Some(outcome);
    if outcome == PAID {
        push.receipt = Some(Receipt { number, at, is_reversed: false });
    }
    let letter = Letter {
        event: "mpesa.push".into(),
        about: push.id.clone(),
        to: Some(push.callback.clone()),
        body: push.callback(outcome, state.merchant.result_codes_as_text).to_string(),
    };
    state.post(&letter);
}
