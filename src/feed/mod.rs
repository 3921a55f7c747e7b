//! Numbered change streams, one per property: every durable event once, in order.
//!
//! A channel moves by consecutive events only; its actor hands it what was missed before anything
//! newer. Subscribers are told under the channel's own lock, so that each hears every delta after
//! it joined, in order; they must take a delta without waiting. The rule of the join: subscribe
//! first, then read a snapshot, then ignore deltas that the snapshot contains. It knows no
//! WebSocket and no database.

use domain::event::{Event, Seq};
use domain::{Instant, Month, PropertyId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// One event as the public sees it. The encoded form is made once and shared by all who send it.
#[derive(Debug)]
pub struct Delta {
    pub property: PropertyId,
    pub seq: Seq,
    pub at: Instant,
    pub changes: Vec<domain::calendar::Change>,
    pub offers: Vec<domain::edit::Offer>,
    pub digests: Vec<(Month, domain::calendar::Digest)>,
    encoded: OnceLock<bytestring::ByteString>,
}

impl Delta {
    /// The public part of an event.
    pub fn of(property: PropertyId, event: &Event) -> Self {
        Self {
            property,
            seq: event.seq,
            at: event.at,
            changes: event.changes.clone(),
            offers: event.offers.clone(),
            digests: event.digests.clone(),
            encoded: OnceLock::new(),
        }
    }

    /// The delta on the wire: made by the first who asks, the same bytes for everybody after.
    pub fn encoded(
        &self,
        encode: impl FnOnce(&Self) -> bytestring::ByteString,
    ) -> bytestring::ByteString {
        self.encoded.get_or_init(|| encode(self)).clone()
    }
}

/// Somebody who follows a property. `deliver` takes the delta without waiting; `false` ends the
/// subscription.
pub trait Subscriber: Send + Sync {
    fn deliver(&self, delta: &Arc<Delta>) -> bool;
}

/// All channels of this node. Clones share them.
#[derive(Clone, Default)]
pub struct Feed {
    channels: Arc<Mutex<HashMap<PropertyId, Weak<Channel>>>>,
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
        let channel = Arc::new(Channel { property, inner: Mutex::default() });
        channels.insert(property, Arc::downgrade(&channel));
        channel
    }
}

/// One property's stream.
pub struct Channel {
    property: PropertyId,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The last event that subscribers heard of; none before the property was loaded.
    last: Option<Seq>,
    subscribers: Vec<Arc<dyn Subscriber>>,
}

impl Channel {
    /// The last event that was published here.
    pub fn last(&self) -> Option<Seq> {
        locked(&self.inner).last
    }

    /// Whether anybody follows.
    pub fn is_followed(&self) -> bool {
        !locked(&self.inner).subscribers.is_empty()
    }

    /// Adds a subscriber, who hears every delta from now on.
    pub fn subscribe(&self, subscriber: Arc<dyn Subscriber>) {
        locked(&self.inner).subscribers.push(subscriber);
    }

    /// Takes a subscriber off; it may hear one more delta that is on its way.
    pub fn unsubscribe(&self, subscriber: &Arc<dyn Subscriber>) {
        locked(&self.inner).subscribers.retain(|known| !Arc::ptr_eq(known, subscriber));
    }

    /// The stream begins after this event, unless it has begun.
    pub fn begin_after(&self, seq: Seq) {
        locked(&self.inner).last.get_or_insert(seq);
    }

    /// Tells everybody of the next event. One that is not the next is ignored: an older one has
    /// been told, and a newer one is preceded by those that its actor reads from the store.
    pub fn publish(&self, event: &Event) {
        let mut inner = locked(&self.inner);
        if inner.last.is_some_and(|last| event.seq != last + 1) {
            return;
        }
        inner.last = Some(event.seq);
        if inner.subscribers.is_empty() {
            return;
        }
        let delta = Arc::new(Delta::of(self.property, event));
        inner.subscribers.retain(|subscriber| subscriber.deliver(&delta));
    }
}

/// A panic of one subscriber while it was told must not silence the others.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
