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
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Somebody who follows a property. `wake` says that there is something to fetch, and must not
/// wait; `false` ends the subscription.
pub trait Subscriber: Send + Sync {
    fn wake(&self) -> bool;
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
        let channel = Arc::new(Channel {
            property,
            people,
            subscribers: Mutex::default(),
            stream: Mutex::default(),
            newest: AtomicI64::new(Seq::MIN),
        });
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
    /// Held while they are woken, so that each event wakes them in its turn. Whoever holds it may
    /// take `stream`, never the other way round.
    subscribers: Mutex<Vec<Arc<dyn Subscriber>>>,
    /// Those who are woken come for this at once, and do not wait until the last is woken.
    stream: Mutex<Stream>,
    /// The last event once more: most who look have it already, and need not wait to be told so.
    newest: AtomicI64,
}

#[derive(Default)]
struct Stream {
    /// The last event that was published; none before the property was loaded.
    last: Option<Seq>,
    /// The newest deltas without a gap, up to the last event; none while nobody follows.
    recent: VecDeque<Arc<Delta>>,
    /// The joined deltas that were asked for since the last event, by the seq that they follow on:
    /// many who are slow are slow together.
    joined: Vec<(Seq, Arc<Delta>)>,
}

/// A reader is so far behind that only a snapshot helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFarBehind;

impl Channel {
    /// The last event that was published here.
    pub fn last(&self) -> Option<Seq> {
        locked(&self.stream).last
    }

    /// Whether there is more after this event.
    fn is_past(&self, seq: Seq) -> bool {
        self.newest.load(Ordering::Acquire) > seq
    }

    /// Whether anybody follows.
    pub fn is_followed(&self) -> bool {
        !locked(&self.subscribers).is_empty()
    }

    /// Adds a subscriber, who is woken by every event from now on.
    pub fn subscribe(&self, subscriber: Arc<dyn Subscriber>) {
        locked(&self.subscribers).push(subscriber);
    }

    /// Takes a subscriber off; it may be woken once more.
    pub fn unsubscribe(&self, subscriber: &Arc<dyn Subscriber>) {
        locked(&self.subscribers).retain(|known| !Arc::ptr_eq(known, subscriber));
    }

    /// The stream goes on after this event. Whoever stands before it, because what lies between
    /// could not be read, is woken to take a snapshot.
    pub fn go_on_after(&self, seq: Seq) {
        let mut subscribers = locked(&self.subscribers);
        let mut stream = locked(&self.stream);
        if stream.last.is_some_and(|last| last >= seq) {
            return;
        }
        stream.recent.clear();
        self.move_to(stream, seq);
        subscribers.retain(|subscriber| subscriber.wake());
    }

    /// Tells everybody of the next event, and its people where it is a booking's. One that is not
    /// the next is ignored: an older one has been told, and a newer one is preceded by those that
    /// its actor reads from the store.
    pub fn publish(&self, host: UserId, event: &Event) {
        let mut subscribers = locked(&self.subscribers);
        let mut stream = locked(&self.stream);
        if stream.last.is_some_and(|last| event.seq != last + 1) {
            return;
        }
        if subscribers.is_empty() {
            stream.recent.clear();
        } else {
            if stream.recent.len() == REMEMBERED {
                stream.recent.pop_front();
            }
            stream.recent.push_back(Arc::new(Delta::of(self.property, event)));
        }
        self.move_to(stream, event.seq);
        subscribers.retain(|subscriber| subscriber.wake());
        drop(subscribers);
        self.people.publish(self.property, host, event);
    }

    fn move_to(&self, mut stream: MutexGuard<'_, Stream>, seq: Seq) {
        stream.last = Some(seq);
        stream.joined.clear();
        self.newest.store(seq, Ordering::Release);
    }

    /// What is next for a reader who stands at this event: nothing where it stands at the last one.
    pub fn next(&self, seq: Seq) -> Result<Option<Arc<Delta>>, TooFarBehind> {
        if !self.is_past(seq) {
            return Ok(None);
        }
        let mut stream = locked(&self.stream);
        let behind = stream.last.map_or(0, |last| last - seq);
        let missed = usize::try_from(behind).unwrap_or(usize::MAX);
        let Some(first) = stream.recent.len().checked_sub(missed) else { return Err(TooFarBehind) };
        if behind <= EXACT {
            return Ok(stream.recent.get(first).cloned());
        }
        if let Some((_, known)) = stream.joined.iter().find(|(from, _)| *from == seq) {
            return Ok(Some(Arc::clone(known)));
        }
        let joined = Delta::joined(stream.recent.range(first..)).map(Arc::new);
        stream.joined.extend(joined.clone().map(|joined| (seq, joined)));
        Ok(joined)
    }

    /// Whether somebody who stands at this event can be told what has happened since.
    pub fn reaches(&self, seq: Seq) -> bool {
        let stream = locked(&self.stream);
        let behind = stream.last.map_or(0, |last| last - seq);
        usize::try_from(behind).unwrap_or(0) <= stream.recent.len()
    }

    /// Every delta after this event, as far back as is remembered.
    pub fn after(&self, seq: Seq) -> Option<Vec<Arc<Delta>>> {
        let stream = locked(&self.stream);
        let missed = usize::try_from(stream.last? - seq).unwrap_or(0);
        let first = stream.recent.len().checked_sub(missed)?;
        Some(stream.recent.range(first..).cloned().collect())
    }

    /// Puts events that were read from the store, in order, before what is remembered, where they
    /// lead up to it.
    pub fn remember(&self, events: &[Event]) {
        if !self.is_followed() {
            return;
        }
        let mut stream = locked(&self.stream);
        let Some(last) = stream.last else { return };
        for event in events.iter().rev() {
            let wanted = stream.recent.front().map_or(last, |oldest| oldest.prev_seq);
            if stream.recent.len() < REMEMBERED && event.seq == wanted {
                stream.recent.push_front(Arc::new(Delta::of(self.property, event)));
            }
        }
    }
}

/// A panic of one subscriber while it was told must not silence the others.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
