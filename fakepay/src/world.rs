//! All state behind one mutex, and what falls due in it as its clock goes on.

use crate::clock::{Clock, after};
use crate::daraja::{Desk, push};
use crate::ending::Ending;
use crate::faults::Faults;
use crate::ids::Ids;
use crate::outbox::{Letter, Outbox};
use crate::settings::{Merchant, Settings};
use crate::stripe::books::Books;
use crate::stripe::{intents, refunds};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;

/// What is shared between requests and the sender of deliveries.
#[derive(Debug)]
pub(crate) struct World {
    state: Mutex<State>,
    /// Something is due earlier than it was.
    pub(crate) changed: Notify,
    /// The clock was moved.
    pub(crate) clock_moved: Notify,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    /// Where customers' browsers reach this stand-in.
    pub(crate) url: String,
    pub(crate) merchant: Merchant,
    pub(crate) stripe: Books,
    pub(crate) daraja: Desk,
    pub(crate) faults: Faults,
    pub(crate) outbox: Outbox,
    due: BTreeMap<(Timestamp, u64), Due>,
    planned: u64,
}

/// What happens by itself when its time comes.
#[derive(Debug)]
pub(crate) enum Due {
    /// The authorisation of this intent ends.
    Expiry(String),
    /// This refund ends.
    Refund(String, Ending),
    /// The customer has answered this push.
    Answered(String),
}

impl World {
    pub(crate) fn new(url: String, settings: Settings) -> Self {
        let state = State {
            clock: Clock::new(),
            ids: Ids::new(settings.seed),
            url,
            merchant: settings.merchant,
            stripe: Books::default(),
            daraja: Desk::default(),
            faults: Faults::default(),
            outbox: Outbox::new(settings.webhook),
            due: BTreeMap::new(),
            planned: 0,
        };
        Self { state: Mutex::new(state), changed: Notify::new(), clock_moved: Notify::new() }
    }

    /// The state as of now: what was due has happened.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().expect("nobody panics with the state");
        state.catch_up();
        state
    }

    /// Moves the clock; what falls due by that has happened when this returns, with the time that
    /// it is then. Nothing happens when that is further than the clock goes.
    pub(crate) fn advance(&self, by: Duration) -> Option<Timestamp> {
        if !self.lock().clock.advance(by) {
            return None;
        }
        let now = self.lock().clock.now();
        self.changed.notify_one();
        self.clock_moved.notify_waiters();
        Some(now)
    }
}

impl State {
    pub(crate) fn plan(&mut self, by: Duration, what: Due) {
        self.planned += 1;
        self.due.insert((after(self.clock.now(), by), self.planned), what);
    }

    fn catch_up(&mut self) {
        while let Some(entry) = self.due.first_entry() {
            if entry.key().0 > self.clock.now() {
                return;
            }
            match entry.remove() {
                Due::Expiry(intent) => intents::expire(self, &intent),
                Due::Refund(refund, ending) => {
                    // The control route may have ended it before.
                    let _ = refunds::end(self, &refund, ending);
                }
                Due::Answered(push) => push::answered(self, &push),
            }
        }
    }

    /// Sends a letter, with the fault that waits for its event.
    pub(crate) fn post(&mut self, letter: &Letter) {
        let fault = self.faults.take_event(&letter.event);
        self.outbox.post(self.clock.now(), letter, fault);
    }

    /// When something happens by itself for the next time.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let planned = self.due.first_key_value().map(|(at, _)| at.0);
        planned.into_iter().chain(self.outbox.next_due()).min()
    }
}
