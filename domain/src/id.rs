//! Identifiers: UUIDs with a type each, so that a booking's id cannot be passed for a guest's.
//!
//! The last four hex digits of every id that belongs to a property equal those of the property's
//! id, so that a load balancer can send all requests about one property to one node by looking at
//! any of them. Ids are made outside (UUIDv7) and bound to the property here.

use std::fmt;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

ids! {
    /// A place that can be booked.
    PropertyId;
    /// A stay that somebody claimed, whatever became of it.
    BookingId;
    /// Nights that a host keeps.
    BlockId;
    /// A price that was promised for some minutes.
    QuoteId;
    /// One attempt to pay for a booking.
    PaymentId;
    /// Money of one payment that goes back.
    RefundId;
    /// What somebody said of a stay.
    ReviewId;
    /// Work that follows from an event.
    JobId;
    /// A guest, a host or an admin.
    UserId;
}

/// The bytes of an id that tell the pieces of one block from each other.
const PIECE: std::ops::Range<usize> = 10..12;

impl BlockId {
    /// The id of a part of the block, which is the block itself for 0.
    #[must_use]
    pub fn piece(self, number: u16) -> Self {
        let mut bytes = *self.0.as_bytes();
        for (byte, part) in bytes[PIECE].iter_mut().zip(number.to_be_bytes()) {
            *byte ^= part;
        }
        Self(Uuid::from_bytes(bytes))
    }
}

/// The number of trailing bytes (four hex digits) that an id shares with its property's.
const SHARED_BYTES: usize = 2;

impl PropertyId {
    /// The same id with its last four hex digits replaced by this property's.
    pub fn bind(self, id: Uuid) -> Uuid {
        let mut bytes = *id.as_bytes();
        let from = bytes.len() - SHARED_BYTES;
        bytes[from..].copy_from_slice(&self.0.as_bytes()[from..]);
        Uuid::from_bytes(bytes)
    }

    /// The last four hex digits as a number: what balancers and lanes divide the work by.
    pub fn shard(self) -> u16 {
        let bytes = self.0.as_bytes();
        u16::from_be_bytes([bytes[14], bytes[15]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_bound_to_a_property_ends_in_the_same_four_digits() {
        let property = PropertyId(Uuid::from_u128(0xabcd_ef12));
        let bound = property.bind(Uuid::from_u128(0x0192_0000_7000_8000_0000_0000_0000_0000));
        assert!(bound.to_string().ends_with("ef12"));
        assert_eq!(property.shard(), 0xef12);
    }
}
