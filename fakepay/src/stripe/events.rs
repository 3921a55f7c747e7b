//! The routes of events: what webhooks tell, to be asked for.

use super::books::Event;
use super::call::{Answer, Call};
use super::list;
use super::refusal::Refusal;
use super::view;
use crate::world::State;

pub(super) fn get(state: &mut State, call: &Call) -> Answer {
    call.form.only(&[])?;
    let event = state.stripe.events.get(&call.id);
    event.map(view::event).ok_or_else(|| Refusal::missing("event", &call.id, "id"))
}

pub(super) fn index(state: &mut State, call: &Call) -> Answer {
    call.form.only(&[&list::PARAMETERS[..], &["type", "types"]].concat())?;
    let (kind, kinds) = (call.form.text("type"), call.form.list("types"));
    let is_wanted = |event: &Event| {
        kind.is_none_or(|kind| event.kind == kind)
            && (kinds.is_empty() || kinds.contains(&event.kind))
    };
    list::page(&call.form, "/v1/events", &state.stripe.events, is_wanted, view::event)
}
