//! The routes of payment intents.

use super::books::Cause;
use super::call::{Answer, Call};
use super::currency::{self, Unfit};
use super::form::Form;
use super::intent::{AUTHORIZATION_LIFE, Intent, Notes, Status, Stuck, Told};
use super::list;
use super::method::Method;
use super::refusal::Refusal;
use super::view;
use crate::world::{Due, State};
use serde_json::Value;

const TEXTS: [&str; 6] = [
    "customer",
    "description",
    "receipt_email",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
];
const REASONS: [&str; 4] = ["requested_by_customer", "abandoned", "duplicate", "fraudulent"];

pub(super) fn create(state: &mut State, call: &Call) -> Answer {
    let known = [
        &TEXTS[..],
        &["amount", "currency", "capture_method", "confirm", "confirmation_method", "expand"],
        &["metadata", "payment_method", "return_url"],
        // The stand-in takes cards alone, whichever way it is asked: by the name of the list up to
        // version 2026-08, by the one since 2026-07, or not at all.
        &["payment_method_types", "allowed_payment_method_types", "automatic_payment_methods"],
    ];
    call.form.only(&known.concat())?;
    state.stripe.intents.has_room().map_err(|_| Refusal::full())?;
    let confirms = call.form.flag(&["confirm"])?;
    let expands = expands_charge(&call.form, "latest_charge")?;
    let intent = read(state, &call.form)?;
    if confirms && intent.method.is_none() {
        return Err(Refusal::unfit("payment_intent_unexpected_state", "", NO_METHOD));
    }
    let id = intent.id.clone();
    state.stripe.intents.push(intent);
    state.tell(&id, &["payment_intent.created"], None, &call.cause);
    if confirms {
        let charge = state.ids.id("ch");
        step(state, &id, &call.cause, |intent, now| intent.confirm(None, now, charge))?;
    }
    shown(state, &id, expands)
}

const NO_METHOD: &str = "You cannot confirm this PaymentIntent because it's missing a payment \
                         method. Confirm it with a payment_method.";

/// The intent that a form describes.
fn read(state: &mut State, form: &Form) -> Result<Intent, Refusal> {
    let amount = form.needed("amount").and_then(|_| form.integer(&["amount"]))?.unwrap_or_default();
    let currency = form.needed("currency")?.to_lowercase();
    currency::check(&currency, amount)
        .map_err(|unfit| refuse_amount(unfit, &currency, "amount"))?;
    for name in ["payment_method_types", "allowed_payment_method_types"] {
        if let Some(other) = form.list(name).iter().find(|kind| *kind != "card") {
            let message = format!("The payment method type \"{other}\" is invalid.");
            return Err(Refusal::parameter("", name, &message));
        }
    }
    let method = method(form)?;
    let captures = ["automatic", "automatic_async", "manual"];
    let texts =
        TEXTS.iter().filter_map(|name| Some(((*name).to_owned(), form.text(name)?.to_owned())));
    let notes = Notes { metadata: form.metadata()?, texts: texts.collect() };
    let capture_method = form.one_of("capture_method", &captures)?;
    let confirmation_method = form.one_of("confirmation_method", &["automatic", "manual"])?;
    let id = state.ids.id("pi");
    Ok(Intent {
        secret: format!("{id}_{}", state.ids.id("secret")),
        id,
        created: state.clock.now().as_second(),
        amount,
        currency,
        capture_method: capture_method.to_owned(),
        confirmation_method: confirmation_method.to_owned(),
        status: match method {
            Some(_) => Status::RequiresConfirmation,
            None => Status::RequiresPaymentMethod,
        },
        method,
        return_url: return_url(form)?,
        notes,
        charge: None,
        error: None,
    })
}

pub(super) fn refuse_amount(unfit: Unfit, currency: &str, name: &str) -> Refusal {
    match unfit {
        Unfit::Currency => {
            let message = format!("Invalid currency: {currency}.");
            Refusal::parameter("", "currency", &message)
        }
        Unfit::TooSmall => {
            let message = "Amount must convert to at least what Stripe charges in this currency.";
            Refusal::parameter("amount_too_small", name, message)
        }
        Unfit::TooLarge => {
            let message = "Amount must be no more than what Stripe charges in this currency.";
            Refusal::parameter("amount_too_large", name, message)
        }
        Unfit::Uneven(step) => {
            let message = format!("Amounts in {currency} must be divisible by {step}.");
            Refusal::parameter("invalid_charge_amount", name, &message)
        }
    }
}

fn method(form: &Form) -> Result<Option<Method>, Refusal> {
    let Some(id) = form.text("payment_method") else { return Ok(None) };
    Method::find(id).map(Some).ok_or_else(|| {
        let message = format!("No such PaymentMethod: '{id}'");
        Refusal::parameter("resource_missing", "payment_method", &message)
    })
}

fn return_url(form: &Form) -> Result<Option<String>, Refusal> {
    match form.text("return_url") {
        Some(url) if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) => {
            Err(Refusal::parameter("url_invalid", "return_url", "Not a valid URL"))
        }
        url => Ok(url.map(str::to_owned)),
    }
}

/// Whether the charge is to be shown in full, which is all that can be.
fn expands_charge(form: &Form, name: &str) -> Result<bool, Refusal> {
    let wanted = form.list("expand");
    match wanted.iter().find(|wanted| *wanted != name) {
        None => Ok(!wanted.is_empty()),
        Some(other) => {
            let message = format!("This property cannot be expanded ({other}).");
            Err(Refusal::parameter("", "expand", &message))
        }
    }
}

/// Takes a step of an intent, tells of it, and plans the end of an authorisation.
pub(super) fn step(
    state: &mut State,
    id: &str,
    cause: &Cause,
    take: impl FnOnce(&mut Intent, i64) -> Result<Told, Stuck>,
) -> Result<(), Refusal> {
    let now = state.clock.now().as_second();
    let intent = state.stripe.intents.get_mut(id);
    let intent = intent.ok_or_else(|| Refusal::missing("payment_intent", id, "intent"))?;
    let told = take(intent, now);
    let view = view::intent(intent, &state.url, false);
    let is_authorized = intent.status == Status::RequiresCapture;
    let declined = intent.error.clone().filter(|error| error["type"] == "card_error");
    let told = told.map_err(|stuck| refuse_step(stuck, view.clone()))?;
    if is_authorized {
        state.plan(AUTHORIZATION_LIFE, Due::Expiry(id.to_owned()));
    }
    state.tell(id, &told, None, cause);
    match declined {
        Some(error) if told.contains(&"charge.failed") => {
            Err(Refusal::declined(&error).about(view))
        }
        _ => Ok(()),
    }
}

fn refuse_step(stuck: Stuck, intent: Value) -> Refusal {
    let status = intent["status"].as_str().unwrap_or_default();
    let refusal = match stuck {
        Stuck::Status => {
            let message = format!("This PaymentIntent's status of {status} does not allow it.");
            Refusal::unfit("payment_intent_unexpected_state", "", &message)
        }
        Stuck::Method => Refusal::unfit("payment_intent_unexpected_state", "", NO_METHOD),
        Stuck::Amount(most) => {
            let message = format!("There are no more than {most} minor units to capture.");
            Refusal::unfit("amount_too_large", "amount_to_capture", &message)
        }
    };
    refusal.about(intent)
}

fn shown(state: &State, id: &str, expands: bool) -> Answer {
    let intent = state.stripe.intents.get(id);
    let intent = intent.ok_or_else(|| Refusal::missing("payment_intent", id, "intent"))?;
    Ok(view::intent(intent, &state.url, expands))
}

pub(super) fn get(state: &mut State, call: &Call) -> Answer {
    call.form.only(&["client_secret", "expand"])?;
    shown(state, &call.id, expands_charge(&call.form, "latest_charge")?)
}

pub(super) fn confirm(state: &mut State, call: &Call) -> Answer {
    call.form.only(&["expand", "payment_method", "return_url"])?;
    let (method, back) = (method(&call.form)?, return_url(&call.form)?);
    let expands = expands_charge(&call.form, "latest_charge")?;
    let charge = state.ids.id("ch");
    step(state, &call.id, &call.cause, |intent, now| {
        let told = intent.confirm(method, now, charge)?;
        intent.return_url = back.or(intent.return_url.take());
        Ok(told)
    })?;
    shown(state, &call.id, expands)
}

pub(super) fn capture(state: &mut State, call: &Call) -> Answer {
    call.form.only(&["amount_to_capture", "expand"])?;
    let expands = expands_charge(&call.form, "latest_charge")?;
    let amount = call.form.integer(&["amount_to_capture"])?;
    if let (Some(amount), Some(intent)) = (amount, state.stripe.intents.get(&call.id)) {
        let currency = &intent.currency;
        let checked = match amount {
            1.. => currency::check_form(currency, amount),
            _ => Err(Unfit::TooSmall),
        };
        checked.map_err(|unfit| refuse_amount(unfit, currency, "amount_to_capture"))?;
    }
    step(state, &call.id, &call.cause, |intent, _| intent.capture(amount))?;
    shown(state, &call.id, expands)
}

pub(super) fn cancel(state: &mut State, call: &Call) -> Answer {
    call.form.only(&["cancellation_reason", "expand"])?;
    let expands = expands_charge(&call.form, "latest_charge")?;
    let reason = match call.form.text("cancellation_reason") {
        Some(_) => Some(call.form.one_of("cancellation_reason", &REASONS)?),
        None => None,
    };
    step(state, &call.id, &call.cause, |intent, now| intent.cancel(now, reason))?;
    shown(state, &call.id, expands)
}

pub(super) fn index(state: &mut State, call: &Call) -> Answer {
    call.form.only(&[&list::PARAMETERS[..], &["customer"]].concat())?;
    let expands = expands_charge(&call.form, "data.latest_charge")?;
    let customer = call.form.text("customer");
    let is_wanted = |intent: &Intent| {
        customer.is_none_or(|id| intent.notes.texts.get("customer").is_some_and(|own| own == id))
    };
    let show = |intent: &Intent| view::intent(intent, &state.url, expands);
    list::page(&call.form, "/v1/payment_intents", &state.stripe.intents, is_wanted, show)
}

/// Ends the authorisation of an intent, if it is still one.
pub(crate) fn expire(state: &mut State, id: &str) {
    let now = state.clock.now().as_second();
    let told = state.stripe.intents.get_mut(id).map(|intent| intent.expire(now));
    state.tell(id, &told.unwrap_or_default(), None, &Cause::default());
}
