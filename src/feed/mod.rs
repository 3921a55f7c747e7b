//! Numbered change streams, one per property: every durable event once, in order.
//!
//! A channel moves by consecutive events only; its actor hands it what was missed before anything
//! newer. Followers are woken, never handed anything: they fetch what is next for them when they
//! can send it, so a reader that is slow, or does not read at all, costs no memory. Readers that are
//! near the end get each delta as it was decided; those far behind get all that they missed as one,
//! and those whom the last 256 deltas do not reach take a new snapshot. The rule of the join:
//! subscribe first, then read a snapshot, then fetch what follows it. It knows no WebSocket and no
//! database.

mod delta;
mod people;
#[cfg(test)]
mod tests;

pub use delta::Delta;
pub use people::{BookingNotice, Notice, PaymentNotice, People, Reader, Side};

use domain::event::{Event, Seq};
use domain::{PropertyId, UserId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Somebody who follows a property. `wake` says that there is something to fetch, and must not
/// wait; `false` ends the subscription.
pub trait Subscriber: Send + Sync {
    fn wake(&self, property: PropertyId) -> bool;
}

/// The deltas that a channel remembers while somebody follows it.
pub const REMEMBERED: usize = 256;
/// How far behind a reader may be and still get each delta by itself.
const EXACT: Seq = 8;

/// All channels of this node. Clones share them.
#[derive(Clone, Default)]
pub struct Feed {
    channels: Arc<Mutex<HashMap<PropertyId, Weak<Channel>>>>,
    people: Arc<People>,
}

impl Feed {
    /// The channel of a property; it lives as long as its actor or a subscriber holds it.
    pub fn channel(&self, property: PropertyId) -> Arc<Channel> {
        let mut channels = locked(&self.channels);
        if let Some(channel) = channels.get(&property).and_then(Weak::upgrade) {
            return channel;
        }
        // Forget the dead now and then, at a cost that is shared by those who come.
        if channels.len() == channels.capacity() {
            channels.retain(|_, channel| channel.strong_count() > 0);
        }
        let people = Arc::clone(&self.people);
        let channel = Arc::new(Channel { property, people, inner: Mutex::default() });
        channels.insert(property, Arc::downgrade(&channel));
        channel
    }

    /// Who reads whose bookings.
    pub fn people(&self) -> &People {
        &self.people
    }
}

/// One property's stream.
pub struct Channel {
    property: PropertyId,
    people: Arc<People>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The last event that was published; none before the property was loaded.
    last: Option<Seq>,
    /// The newest deltas without a gap, up to the last event; none while nobody follows.
    recent: VecDeque<Arc<Delta>>,
    /// The joined deltas that were asked for since the last event, by the seq that they follow on:
    /// many who are slow are slow together.
    joined: Vec<(Seq, Arc<Delta>)>,
    subscribers: Vec<Arc<dyn Subscriber>>,
}

/// A reader is so far behind that only a snapshot helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFarBehind;

impl Channel {
    /// The last event that was published here.
    pub fn last(&self) -> Option<Seq> {
        locked(&self.inner).last
    }

    /// Whether anybody follows.
    pub fn is_followed(&self) -> bool {
        !locked(&self.inner).subscribers.is_empty()
    }

    /// Adds a subscriber, who is woken by every event from now on.
    pub fn subscribe(&self, subscriber: Arc<dyn Subscriber>) {
        locked(&self.inner).subscribers.push(subscriber);
    }

    /// Takes a subscriber off; it may be woken once more.
    pub fn unsubscribe(&self, subscriber: &Arc<dyn Subscriber>) {
        locked(&self.inner).subscribers.retain(|known| !Arc::ptr_eq(known, subscriber));
    }

    /// The stream goes on after this event. Whoever stands before it, because what lies between
    /// could not be read, is woken to take a snapshot.
    pub fn go_on_after(&self, seq: Seq) {
        let mut inner = locked(&self.inner);
        if inner.last.is_some_and(|last| last >= seq) {
            return;
        }
        inner.last = Some(seq);
        inner.recent.clear();
        inner.joined.clear();
        inner.subscribers.retain(|subscriber| subscriber.wake(self.property));
    }

    /// Tells everybody of the next event, and its people where it is a booking's. One that is not
    /// the next is ignored: an older one has been told, and a newer one is preceded by those that
    /// its actor reads from the store.
    pub fn publish(&self, host: UserId, event: &Event) {
        let mut inner = locked(&self.inner);
        if inner.last.is_some_and(|last| event.seq != last + 1) {
            return;
        }
        inner.last = Some(event.seq);
        inner.joined.clear();
        if inner.subscribers.is_empty() {
            inner.recent.clear();
        } else {
            if inner.recent.len() == REMEMBERED {
                inner.recent.pop_front();
            }
            inner.recent.push_back(Arc::new(Delta::of(self.property, event)));
            inner.subscribers.retain(|subscriber| subscriber.wake(self.property));
        }
        drop(inner);
        self.people.publish(self.property, host, event);
    }

    /// What is next for a reader who stands at this event: nothing where it stands at the last one.
    pub fn next(&self, seq: Seq) -> Result<Option<Arc<Delta>>, TooFarBehind> {
        let mut inner = locked(&self.inner);
        let behind = inner.last.map_or(0, |last| last - seq);
        if behind <= 0 {
            return Ok(None);
        }
        let missed = usize::try_from(behind).unwrap_or(usize::MAX);
        let Some(first) = inner.recent.len().checked_sub(missed) else { return Err(TooFarBehind) };
        if behind <= EXACT {
            return Ok(inner.recent.get(first).cloned());
        }
        if let Some((_, known)) = inner.joined.iter().find(|(from, _)| *from == seq) {
            return Ok(Some(Arc::clone(known)));
        }
        let joined = Delta::joined(inner.recent.range(first..)).map(Arc::new);
        inner.joined.extend(joined.clone().map(|joined| (seq, joined)));
        Ok(joined)
    }

    /// Whether somebody who stands at this event can be told what has happened since.
    pub fn reaches(&self, seq: Seq) -> bool {
        let inner = locked(&self.inner);
        let behind = inner.last.map_or(0, |last| last - seq);
        usize::try_from(behind).unwrap_or(0) <= inner.recent.len()
    }

    /// Every delta after this event, as far back as is remembered.
    pub fn after(&self, seq: Seq) -> Option<Vec<Arc<Delta>>> {
        let inner = locked(&self.inner);
        let missed = usize::try_from(inner.last? - seq).unwrap_or(0);
        let first = inner.recent.len().checked_sub(missed)?;
        Some(inner.recent.range(first..).cloned().collect())
    }

    /// Puts events that were read from the store, in order, before what is remembered, where they
    /// lead up to it.
    pub fn remember(&self, events: &[Event]) {
        let mut inner = locked(&self.inner);
        let Some(last) = inner.last.filter(|_| !inner.subscribers.is_empty()) else { return };
        for event in events.iter().rev() {
            let wanted = inner.recent.front().map_or(last, |oldest| oldest.prev_seq);
            if inner.recent.len() < REMEMBERED && event.seq == wanted {
                inner.recent.push_front(Arc::new(Delta::of(self.property, event)));
            }
        }
    }
}

/// A panic of one subscriber while it was told must not silence the others.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
