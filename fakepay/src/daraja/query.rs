//! Asking what became of a push.

use super::call::{Answer, Call};
use super::refusal::Refusal;
use crate::world::State;

pub(super) fn query(state: &mut State, call: &Call) -> Answer {
    call.fields.check_password(&state.merchant, state.clock.now())?;
    let id = call.fields.text("CheckoutRequestID")?;
    let push = state.daraja.pushes.get(&id).ok_or_else(|| Refusal::field("CheckoutRequestID"))?;
    push.told().ok_or_else(Refusal::pending)
}
