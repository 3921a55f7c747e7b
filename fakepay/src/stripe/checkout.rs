//! An intent as its customer meets it: what the hosted page shows of it and does to it.

use super::books::Cause;
use super::intent::{Intent, Status, Stuck, Told};
use super::intents::step;
use super::method::{DECLINED, PAYING};
use crate::ending::{Ending, NotPending};
use crate::world::State;

/// What a customer can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    PayOrDecline,
    AuthenticateOrFail,
    /// Nothing any more; whether it was paid.
    Nothing {
        is_paid: bool,
    },
}

/// What a customer sees.
#[derive(Debug)]
pub(crate) struct Checkout {
    /// In minor units.
    pub(crate) amount: i64,
    /// In lower case.
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) secret: String,
    pub(crate) choice: Choice,
}

pub(crate) fn look(state: &State, id: &str) -> Option<Checkout> {
    let intent = state.stripe.intents.get(id)?;
    Some(Checkout {
        amount: intent.amount,
        currency: intent.currency.clone(),
        description: intent.notes.texts.get("description").cloned(),
        return_url: intent.return_url.clone(),
        secret: intent.secret.clone(),
        choice: match intent.status {
            Status::RequiresAction => Choice::AuthenticateOrFail,
            Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::Processing => {
                Choice::PayOrDecline
            }
            Status::RequiresCapture | Status::Succeeded => Choice::Nothing { is_paid: true },
            Status::Canceled { .. } => Choice::Nothing { is_paid: false },
        },
    })
}

/// Ends an intent that is processed or waits for its customer.
pub(crate) fn end(state: &mut State, id: &str, ending: Ending) -> Result<(), NotPending> {
    take(state, id, |intent, now, charge| match ending {
        Ending::Paid => intent.settle(now, charge),
        Ending::Failed => intent.fail(now, charge),
    })
}

/// Does what the customer chose; an intent that was not confirmed is by this.
pub(crate) fn choose(state: &mut State, id: &str, ending: Ending) -> Result<(), NotPending> {
    let intent = state.stripe.intents.get(id).ok_or(NotPending)?;
    match intent.status {
        Status::RequiresPaymentMethod | Status::RequiresConfirmation => {
            let method = if ending == Ending::Paid { PAYING } else { DECLINED };
            take(state, id, |intent, now, charge| intent.confirm(Some(method), now, charge))
        }
        _ => end(state, id, ending),
    }
}

/// Takes a step that nobody asked for over the interface; that it ends in a refusal of the bank is
/// as good as any other end.
fn take(
    state: &mut State,
    id: &str,
    step_of: impl FnOnce(&mut Intent, i64, String) -> Result<Told, Stuck>,
) -> Result<(), NotPending> {
    let charge = state.ids.id("ch");
    match step(state, id, &Cause::default(), |intent, now| step_of(intent, now, charge)) {
        Err(refusal) if refusal.status != 402 => Err(NotPending),
        _ => Ok(()),
    }
}
