//! Idempotency keys: the first answer to a key is the answer to it, for a day.
//! Source: <https://docs.stripe.com/api/idempotent_requests>.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{HashMap, VecDeque};

pub(super) const LONGEST: usize = 255;
const LIFE: SignedDuration = SignedDuration::from_hours(24);
/// Keys that are remembered; beyond them the oldest is forgotten early.
const MOST: usize = 20_000;

/// What was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) status: u16,
    pub(super) body: String,
    /// The id of the request that it answered.
    pub(super) request: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    said: String,
    /// None while the request is in flight.
    saved: Option<Saved>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Keys {
    #[serde(serialize_with = "answered")]
    entries: HashMap<String, Entry>,
    /// The answered ones with the time of their answer, the oldest first.
    ages: VecDeque<(Timestamp, String)>,
}

/// Writes the answered keys alone: a request that is in flight when the stand-in ends is answered
/// by nobody, so its key is free again.
fn answered<S: Serializer>(
    entries: &HashMap<String, Entry>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().filter(|(_, entry)| entry.saved.is_some()))
}

/// What a key that comes along means.
pub(super) enum Seen {
    /// It is new, and in flight from now on.
    First,
    Replay(Saved),
    InFlight,
    /// It came with another request.
    Other,
}

impl Keys {
    /// Takes a key with everything that its request says.
    pub(super) fn take(&mut self, now: Timestamp, key: &str, said: String) -> Seen {
        while self.ages.front().is_some_and(|(at, _)| now.duration_since(*at) >= LIFE) {
            self.forget_oldest();
        }
        match self.entries.get(key) {
            Some(entry) if entry.said != said => Seen::Other,
            Some(Entry { saved: None, .. }) => Seen::InFlight,
            Some(Entry { saved: Some(saved), .. }) => Seen::Replay(saved.clone()),
            None => {
                self.entries.insert(key.to_owned(), Entry { said, saved: None });
                Seen::First
            }
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.ages.pop_front() {
            self.entries.remove(&key);
        }
    }

    /// Keeps the answer to a key that is in flight.
    pub(super) fn save(&mut self, now: Timestamp, key: &str, saved: Saved) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.saved = Some(saved);
        self.ages.push_back((now, key.to_owned()));
        if self.ages.len() > MOST {
            self.forget_oldest();
        }
    }

    /// A request is over: if its answer was not kept, its key is free again.
    pub(super) fn land(&mut self, key: &str) {
        if self.entries.get(key).is_some_and(|entry| entry.saved.is_none()) {
            self.entries.remove(key);
        }
    }
}
