//! The idempotency keys that were used on a property.

use crate::command::KeyUse;
use crate::{Instant, UserId};
use foldhash::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// The keys that were used on this property. They are forgotten after a day, as their rows are.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyRing {
    map: HashMap<(UserId, Arc<str>), KeyUse>,
    by_age: VecDeque<(Instant, UserId, Arc<str>)>,
}

/// How long a key is remembered.
pub const KEY_TTL: Duration = Duration::from_secs(24 * 60 * 60);

impl KeyRing {
    /// What a caller's key stands for.
    pub(crate) fn get(&self, caller: UserId, text: &Arc<str>) -> Option<&KeyUse> {
        self.map.get(&(caller, Arc::clone(text)))
    }

    pub(crate) fn put(&mut self, used: KeyUse) {
        while let Some((at, _, _)) = self.by_age.front()
            && used.at.since(*at) > KEY_TTL
        {
            if let Some((_, caller, text)) = self.by_age.pop_front() {
                self.map.remove(&(caller, text));
            }
        }
        let (caller, text) = (used.key.caller, Arc::clone(&used.key.text));
        self.by_age.push_back((used.at, caller, Arc::clone(&text)));
        self.map.insert((caller, text), used);
    }
}
