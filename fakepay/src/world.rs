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
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
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
    /// Something that is kept may have changed.
    pub(crate) touched: Notify,
}

/// The state while it is held. Whoever gets at it to change it wakes the keeper of the books, who
/// then waits until it is free again.
pub(crate) struct Held<'a> {
    state: MutexGuard<'a, State>,
    touched: &'a Notify,
}

impl Deref for Held<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.touched.notify_one();
        &mut self.state
    }
}

/// Everything that there is; what the settings say and what goes wrong on request is not kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    /// Kept books go on with fresh ones: a seed would give those that are in the books, and their
    /// own next ones may have been given by somebody who was killed before they were written.
    #[serde(skip)]
    pub(crate) ids: Ids,
    /// Where customers' browsers reach this stand-in.
    #[serde(skip)]
    pub(crate) url: String,
    #[serde(skip)]
    pub(crate) merchant: Merchant,
    pub(crate) stripe: Books,
    pub(crate) daraja: Desk,
    #[serde(skip)]
    pub(crate) faults: Faults,
    pub(crate) outbox: Outbox,
    #[serde(serialize_with = "write_due", deserialize_with = "read_due")]
    due: BTreeMap<(Timestamp, u64), Due>,
    planned: u64,
}

/// What happens by itself when its time comes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Due {
    /// The authorisation of this intent ends.
    Expiry(String),
    /// This refund ends.
    Refund(String, Ending),
    /// The customer has answered this push.
    Answered(String),
}

/// JSON has no pairs as keys, so what is planned is written as a list.
fn write_due<S: Serializer>(
    due: &BTreeMap<(Timestamp, u64), Due>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(due)
}

fn read_due<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<(Timestamp, u64), Due>, D::Error> {
    Ok(Vec::deserialize(deserializer)?.into_iter().collect())
}

impl World {
    /// Goes on from the books that were kept, or begins with empty ones.
    pub(crate) fn new(url: String, settings: Settings, kept: Option<State>) -> Self {
        let state = match kept {
            Some(kept) => kept.resume(url, settings),
            None => State::new(url, settings),
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
            clock_moved: Notify::new(),
            touched: Notify::new(),
        }
    }

    /// The state as of now: what was due has happened.
    pub(crate) fn lock(&self) -> Held<'_> {
        let state = self.state.lock().expect("nobody panics with the state");
        let mut held = Held { state, touched: &self.touched };
        if held.is_behind() {
            held.catch_up();
        }
        held
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
    fn new(url: String, settings: Settings) -> Self {
        Self {
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
        }
    }

    /// Kept books, under the settings of now.
    fn resume(mut self, url: String, settings: Settings) -> Self {
        self.url = url;
        self.merchant = settings.merchant;
        self.outbox.resume(settings.webhook);
        self
    }

    pub(crate) fn plan(&mut self, by: Duration, what: Due) {
        self.planned += 1;
        self.due.insert((after(self.clock.now(), by), self.planned), what);
    }

    /// Whether something is due that has not happened.
    fn is_behind(&self) -> bool {
        self.due.first_key_value().is_some_and(|(at, _)| at.0 <= self.clock.now())
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
