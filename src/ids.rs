//! The one maker of ids: UUIDv7 (RFC 9562), so that they sort by the time of the product's clock.

use crate::clock::Clock;
use domain::{BookingId, PaymentId, PropertyId, ReviewId, UserId};
use uuid::{NoContext, Timestamp, Uuid};

/// Makes ids; clones share the clock.
#[derive(Clone, Debug)]
pub struct Ids {
    clock: Clock,
}

impl Ids {
    /// A maker whose ids carry this clock's time.
    pub const fn new(clock: Clock) -> Self {
        Self { clock }
    }

    /// A new id for anything that belongs to no property.
    pub fn fresh(&self) -> Uuid {
        let micros = self.clock.now().as_micros().unsigned_abs();
        let nanos = u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000;
        Uuid::new_v7(Timestamp::from_unix(NoContext, micros / 1_000_000, nanos))
    }

    pub fn user(&self) -> UserId {
        UserId(self.fresh())
    }

    pub fn property(&self) -> PropertyId {
        PropertyId(self.fresh())
    }

    pub fn booking(&self, property: PropertyId) -> BookingId {
        BookingId(property.bind(self.fresh()))
    }

    pub fn payment(&self, property: PropertyId) -> PaymentId {
        PaymentId(property.bind(self.fresh()))
    }

    pub fn review(&self, property: PropertyId) -> ReviewId {
        ReviewId(property.bind(self.fresh()))
    }
}
