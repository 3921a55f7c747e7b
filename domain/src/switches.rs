//! Switches that plant a bug or turn a check off, so that tests can show that they would notice.
//! Without the cargo feature `test_switches` a [`Switches`] has no size and every one is off.

/// The bugs that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A caller hears of a booking before it is durable.
    ReplyBeforeCommit,
    /// The calendar shows an event before it is durable.
    PublishBeforeCommit,
    /// `<=` for `<` in the overlap of stays: a check-out day counts as taken.
    OverlapClosed,
    /// `<=` for `<` in deadlines: a hold lives on at the very instant it ends.
    DeadlineClosed,
    /// Pending bookings are forgotten when a property is loaded.
    ForgetPending,
    /// Later groups of a property are committed although an earlier one was not.
    NoLaneRule,
    /// The fence compares the number of events only, not their hash.
    SeqWithoutHash,
    /// The idempotency key is written apart from its effect.
    KeyOutsideTransaction,
    /// An expired hold frees its nights without taking a number.
    NoSeqOnExpiry,
    /// The actor does not look at the calendar before it accepts a booking.
    NoOverlapCheck,
}

/// Which bug is planted, if any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    #[cfg(feature = "test_switches")]
    planted: Option<Bug>,
}

impl Switches {
    /// Everything as it should be, but for one bug.
    #[cfg(feature = "test_switches")]
    pub const fn planted(bug: Bug) -> Self {
        Self { planted: Some(bug) }
    }

    /// Whether this bug is planted.
    #[cfg(feature = "test_switches")]
    pub fn has(self, bug: Bug) -> bool {
        self.planted == Some(bug)
    }

    /// Whether this bug is planted: never, in this build.
    #[cfg(not(feature = "test_switches"))]
    pub const fn has(self, _: Bug) -> bool {
        false
    }
}
