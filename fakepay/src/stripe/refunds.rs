//! The routes of refunds, and what becomes of those that do not end at once.

use super::books::Cause;
use super::call::{Answer, Call};
use super::currency::{self, Unfit};
use super::form::Form;
use super::intents::refuse_amount;
use super::list;
use super::method::Refunding;
use super::refund::{self, Refund, Standing};
use super::refusal::Refusal;
use super::view;
use crate::ending::{Ending, NotPending};
use crate::shelf::Record;
use crate::world::{Due, State};

const REASONS: [&str; 3] = ["requested_by_customer", "duplicate", "fraudulent"];

pub(super) fn create(state: &mut State, call: &Call) -> Answer {
    let form = &call.form;
    form.only(&["amount", "charge", "metadata", "payment_intent", "reason"])?;
    state.stripe.refunds.has_room().map_err(|_| Refusal::full())?;
    let id = intent_of(state, form)?;
    let amount = form.integer(&["amount"])?;
    let metadata = form.metadata()?;
    let reason = match form.text("reason") {
        Some(_) => Some(form.one_of("reason", &REASONS)?.to_owned()),
        None => None,
    };
    let Some(intent) = state.stripe.intents.get_mut(&id) else {
        return Err(Refusal::missing("payment_intent", &id, "payment_intent"));
    };
    let Some(charge) = intent.charge.as_ref().filter(|charge| charge.captured > 0) else {
        let message = format!("This PaymentIntent ({id}) does not have a captured charge.");
        return Err(Refusal::unfit("payment_intent_unexpected_state", "", &message));
    };
    let (charge, currency) = (charge.id.clone(), intent.currency.clone());
    let amount = amount.unwrap_or(intent.refundable());
    if intent.refundable() == 0 {
        let message = format!("Charge {charge} has already been refunded.");
        return Err(Refusal::unfit("charge_already_refunded", "", &message));
    }
    let checked = match amount {
        1.. => currency::check_form(&currency, amount),
        _ => Err(Unfit::TooSmall),
    };
    checked.map_err(|unfit| refuse_amount(unfit, &currency, "amount"))?;
    let left = intent.refundable();
    let told = intent.refund(amount).map_err(|_| {
        let message = format!(
            "Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        );
        Refusal::unfit("", "amount", &message)
    })?;
    let refunding = intent.method.map_or(Refunding::AtOnce, |method| method.refunding);
    let created = state.clock.now().as_second();
    let refund = Refund {
        id: state.ids.id("re"),
        created,
        amount,
        currency,
        intent: id.clone(),
        charge,
        reason,
        metadata,
        standing: match refunding {
            Refunding::Pends => Standing::Pending,
            Refunding::AtOnce | Refunding::Fails => Standing::Succeeded,
        },
    };
    let (refund_id, shown) = (refund.id.clone(), view::refund(&refund));
    state.stripe.refunds.push(refund);
    match refunding {
        Refunding::AtOnce => {}
        Refunding::Pends => state.plan(refund::TAKES, Due::Refund(refund_id.clone(), Ending::Paid)),
        Refunding::Fails => {
            state.plan(refund::TAKES, Due::Refund(refund_id.clone(), Ending::Failed));
        }
    }
    state.tell(&id, &told, Some(&refund_id), &call.cause);
    Ok(shown)
}

/// The intent that is named by itself or by its charge.
fn intent_of(state: &State, form: &Form) -> Result<String, Refusal> {
    let charge = form.text("charge");
    match (form.text("payment_intent"), charge) {
        (Some(id), None) => Ok(id.to_owned()),
        (None, Some(wanted)) => {
            let mut intents = state.stripe.intents.iter().rev();
            let found = intents
                .find(|intent| intent.charge.as_ref().is_some_and(|charge| charge.id == wanted));
            let found = found.map(|intent| intent.id().to_owned());
            found.ok_or_else(|| Refusal::missing("charge", wanted, "charge"))
        }
        _ => {
            let message =
                "One of the following params should be provided: payment_intent or charge.";
            Err(Refusal::parameter("parameter_missing", "payment_intent", message))
        }
    }
}

/// Ends a refund: a pending one succeeds, and any one fails that has not. What has failed is the
/// merchant's, and may be refunded again.
pub(crate) fn end(state: &mut State, id: &str, ending: Ending) -> Result<(), NotPending> {
    let refund = state.stripe.refunds.get_mut(id).ok_or(NotPending)?;
    let told = match ending {
        Ending::Paid => refund.succeed(),
        Ending::Failed => refund.fail(),
    };
    let told = told.map_err(|_| NotPending)?;
    let (intent, amount) = (refund.intent.clone(), refund.amount);
    if let (Ending::Failed, Some(intent)) = (ending, state.stripe.intents.get_mut(&intent)) {
        intent.keep(amount);
    }
    state.tell(&intent, &told, Some(id), &Cause::default());
    Ok(())
}

pub(super) fn get(state: &mut State, call: &Call) -> Answer {
    call.form.only(&[])?;
    let refund = state.stripe.refunds.get(&call.id);
    refund.map(view::refund).ok_or_else(|| Refusal::missing("refund", &call.id, "refund"))
}

pub(super) fn index(state: &mut State, call: &Call) -> Answer {
    call.form.only(&[&list::PARAMETERS[..], &["charge", "payment_intent"]].concat())?;
    let (intent, charge) = (call.form.text("payment_intent"), call.form.text("charge"));
    let is_wanted = |refund: &Refund| {
        intent.is_none_or(|id| refund.intent == id) && charge.is_none_or(|id| refund.charge == id)
    };
    list::page(&call.form, "/v1/refunds", &state.stripe.refunds, is_wanted, view::refund)
}
