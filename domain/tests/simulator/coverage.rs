//! The interesting states that a run must reach, counted, so that no green run is an easy one.

macro_rules! states {
    ($($name:ident: $text:literal,)*) => {
        /// A state that is hard to reach and easy to get wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Reached { $($name,)* }

        const ALL: &[(Reached, &str)] = &[$((Reached::$name, $text),)*];
    };
}

states! {
    FencedFewer: "fenced with a later group in the lane, fewer foreign events than ours",
    FencedAsMany: "fenced with a later group in the lane, exactly as many foreign events",
    FencedMore: "fenced with a later group in the lane, more foreign events than ours",
    StragglerRefused: "a group that its lane had dropped came to the store and was fenced off",
    UnknownApplied: "unknown outcome, applied",
    UnknownNotApplied: "unknown outcome, not applied",
    UnknownMixed: "unknown outcome, applied for one property and fenced for another",
    ConflictInBatch: "two conflicting commands offered for one batch",
    ExpiryThenRebook: "overdue hold and rebooking: two groups, two batches",
    TickThenPay: "expiry and payment in the same tick, expiry first",
    PayThenTick: "expiry and payment in the same tick, payment first",
    PaidInLastMicrosecond: "paid one microsecond before the deadline",
    DuplicateKeyInFlight: "duplicate key in flight",
    Replayed: "a repeated key was answered as before",
    KeyReused: "a key with another body was refused",
    KeyOnTwoProperties: "one key on two properties, caught by its row",
    Panicked: "an actor died with commands waiting",
    RevivedAfterPanic: "an actor that died lived again and answered",
    ResentAndDone: "a command was sent again to an actor's successor and had been done",
    TwoLives: "groups of a dead actor and of its successor in one lane",
    FullBatch: "full batch",
    LateReclaimed: "late payment found its nights free",
    LateRefused: "late payment refused",
    TurnTaken: "turn taken, with something to write",
    TurnEmpty: "turn taken, with nothing to write",
    TurnQueued: "a turn waited for a turn",
    TurnLost: "a turn was lost before its groups were written",
    Contended: "head locked for too long",
    Blamed: "a poisoned group failed alone",
    GuardFired: "the second guard fired",
    GuardRefused: "the second guard fired twice for one command",
    StaleRefusal: "a refusal was taken back because another node had written",
    TooLate: "a command's deadline passed",
    GivenUp: "a caller was given up while nothing came from the store",
    CrashApplied: "node died in a transaction that was applied",
    CrashNotApplied: "node died in a transaction that was not applied",
    CrashInTurn: "node died in a turn",
    DiskFull: "there was no room for a command",
    StoreAway: "the store was away for a while",
    Changed: "a booking took other nights",
    Requested: "a dearer change waited for its payment",
    RequestPaid: "a dearer change was paid",
    Blocked: "a host blocked nights among the bookings",
    Edited: "a host edited a property among its bookings",
    EditStale: "an edit of what somebody else had edited meanwhile",
    Offline: "a host booked offline",
    Hoarded: "a guest with a pending booking asked for another",
    Slept: "an idle actor went to sleep",
}

/// How often each state was reached.
#[derive(Clone, Debug)]
pub(crate) struct Coverage([u64; ALL.len()]);

impl Default for Coverage {
    fn default() -> Self {
        Self([0; ALL.len()])
    }
}

impl Coverage {
    pub(crate) fn reach(&mut self, state: Reached) {
        self.0[state as usize] += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// The states that were never reached.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        self.lines().filter(|(_, count)| *count == 0).map(|(text, _)| text).collect()
    }

    /// Every state with its count.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ALL.iter().map(|(state, text)| (*text, self.0[*state as usize]))
    }
}
