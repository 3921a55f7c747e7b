//! Everything that the Stripe side remembers.

use super::intent::Intent;
use super::keys::Keys;
use super::refund::Refund;
use super::view;
use crate::control::ledger::Entry;
use crate::outbox::Letter;
use crate::shelf::{Record, Shelf};
use crate::world::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Intents, and as many refunds: beyond them, more are refused.
const MOST: usize = 50_000;
/// Events: beyond them, the oldest is forgotten.
const MOST_EVENTS: usize = 10_000;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Books {
    pub(super) intents: Shelf<Intent, MOST>,
    pub(super) refunds: Shelf<Refund, MOST>,
    pub(super) events: Shelf<Event, MOST_EVENTS>,
    pub(super) keys: Keys,
}

impl Books {
    /// The money of each intent that had any.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.intents.iter().filter_map(|intent| {
            let charge = intent.charge.as_ref().filter(|charge| charge.declined.is_none())?;
            Some(Entry {
                provider: "stripe",
                id: intent.id.clone(),
                currency: intent.currency.clone(),
                authorized: intent.capturable(),
                captured: charge.captured,
                released: charge.released,
                refunded: charge.refunded,
                metadata: intent.notes.metadata.clone(),
            })
        })
    }
}

/// The request that caused an event; nothing, where nobody asked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Cause {
    pub(super) id: Option<String>,
    pub(super) key: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) kind: String,
    /// What it is about, as it was then.
    pub(super) object: Value,
    pub(super) request: Cause,
}

impl Record for Event {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl State {
    /// Tells of a step of an intent: of the intent itself, of its charge, or of a refund.
    pub(super) fn tell(
        &mut self,
        intent: &str,
        kinds: &[&'static str],
        refund: Option<&str>,
        cause: &Cause,
    ) {
        let (now, url) = (self.clock.now().as_second(), self.url.clone());
        for kind in kinds {
            let Some(intent) = self.stripe.intents.get(intent) else { return };
            // `charge.refund.updated` is about a refund, and `charge.refunded` about a charge.
            let object = if kind.contains("refund.") {
                refund.and_then(|id| self.stripe.refunds.get(id)).map(view::refund)
            } else if kind.starts_with("charge.") {
                intent.charge.as_ref().map(|charge| view::charge(intent, charge))
            } else {
                Some(view::intent(intent, &url, false))
            };
            let event = Event {
                id: self.ids.id("evt"),
                created: now,
                kind: (*kind).to_owned(),
                object: object.unwrap_or_default(),
                request: cause.clone(),
            };
            let letter = Letter {
                event: (*kind).to_owned(),
                about: event.id.clone(),
                to: None,
                body: view::event(&event).to_string(),
            };
            self.stripe.events.push(event);
            self.post(&letter);
        }
    }
}
