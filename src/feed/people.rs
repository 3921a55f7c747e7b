//! What happens to somebody's bookings and payments, for those who are signed in as them.
//!
//! Guests hear of their own bookings and payments, hosts of bookings at their properties. Nothing is kept: whoever
//! joins reads the list first, and whoever is too slow is told to read it again. Where nobody
//! listens a commit pays one load of a counter; else the lock of one of 64 shards.

use super::locked;
use domain::booking::Cause;
use domain::event::{Event, Fact, Seq};
use domain::payment::PaymentStatus;
use domain::{Booking, BookingId, Currency, Instant, PaymentId, PropertyId, UserId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// As whom somebody reads bookings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Guest,
    Host,
}

/// Something that happened.
#[derive(Debug)]
pub enum Notice {
    Booking(BookingNotice),
    Payment(PaymentNotice),
}

/// A step that a booking took.
#[derive(Debug)]
pub struct BookingNotice {
    pub property: PropertyId,
    pub seq: Seq,
    pub at: Instant,
    pub cause: Cause,
    /// As it stands afterwards.
    pub booking: Booking,
}

/// A payment as it stands now.
#[derive(Debug)]
pub struct PaymentNotice {
    pub guest: UserId,
    pub property: PropertyId,
    pub payment: PaymentId,
    pub booking: BookingId,
    pub status: PaymentStatus,
    /// In minor units of `currency`, as is `refunded`.
    pub amount: i64,
    pub currency: Currency,
    pub refunded: i64,
    pub at: Instant,
}

/// Somebody who reads bookings. `tell` takes the notice without waiting; `false` ends it.
pub trait Reader: Send + Sync {
    fn tell(&self, side: Side, notice: &Arc<Notice>) -> bool;
}

const SHARDS: usize = 64;

type Readers = HashMap<(UserId, Side), Vec<Arc<dyn Reader>>>;

/// Who reads whose bookings on this node.
pub struct People {
    readers: AtomicUsize,
    shards: [Mutex<Readers>; SHARDS],
}

impl Default for People {
    fn default() -> Self {
        Self { readers: AtomicUsize::new(0), shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl People {
    /// Adds a reader, who hears every step from now on.
    pub fn join(&self, user: UserId, side: Side, reader: Arc<dyn Reader>) {
        // Counted first, so that no commit after this passes the reader by.
        self.readers.fetch_add(1, Ordering::SeqCst);
        locked(self.shard(user)).entry((user, side)).or_default().push(reader);
    }

    /// Takes a reader off; it may hear one more notice that is on its way.
    pub fn leave(&self, user: UserId, side: Side, reader: &Arc<dyn Reader>) {
        self.retain(user, side, |known| !Arc::ptr_eq(known, reader));
    }

    /// Tells the guest and the host of what an event did to a booking.
    pub(super) fn publish(&self, property: PropertyId, host: UserId, event: &Event) {
        if self.readers.load(Ordering::SeqCst) == 0 {
            return;
        }
        let Fact::Booking(cause, booking) = &event.fact else { return };
        let notice = Arc::new(Notice::Booking(BookingNotice {
            property,
            seq: event.seq,
            at: event.at,
            cause: *cause,
            booking: booking.clone(),
        }));
        for (user, side) in [(booking.guest, Side::Guest), (host, Side::Host)] {
            self.retain(user, side, |reader| reader.tell(side, &notice));
        }
    }

    /// Tells a guest where a payment has come.
    pub fn tell_payment(&self, payment: PaymentNotice) {
        if self.readers.load(Ordering::SeqCst) == 0 {
            return;
        }
        let guest = payment.guest;
        let notice = Arc::new(Notice::Payment(payment));
        self.retain(guest, Side::Guest, |reader| reader.tell(Side::Guest, &notice));
    }

    fn retain(&self, user: UserId, side: Side, keep: impl FnMut(&Arc<dyn Reader>) -> bool) {
        let mut shard = locked(self.shard(user));
        let Some(readers) = shard.get_mut(&(user, side)) else { return };
        let before = readers.len();
        readers.retain(keep);
        self.readers.fetch_sub(before - readers.len(), Ordering::SeqCst);
        if readers.is_empty() {
            shard.remove(&(user, side));
        }
    }

    fn shard(&self, user: UserId) -> &Mutex<Readers> {
        let [.., last] = user.0.into_bytes();
        &self.shards[usize::from(last) % SHARDS]
    }
}
