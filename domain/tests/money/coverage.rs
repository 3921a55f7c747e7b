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
    LateReclaimed: "a late payment claimed its nights again",
    LateNightsGone: "a late payment went back because its nights were gone",
    CanceledPaid: "a payment for a canceled booking went back",
    DeclinedThenPaid: "an attempt was declined, and another one paid",
    DeclinedEnded: "a declined attempt was given up before its hold was over",
    PaidByTheOther: "an attempt failed at one provider, and the other was paid",
    TwoPaid: "two attempts were both paid",
    LostBeforeCheckIn: "a capture was lost for good before check-in",
    LostAfterCheckIn: "a capture was lost for good when the stay had begun",
    PaidAgain: "an authorization was lost, and another attempt was paid",
    ExpiredWhileHostThought: "an authorization expired while a host thought",
    ReleasePaid: "a payment came in the two minutes that its nights were held for",
    ReleaseExpired: "an attempt ended in the two minutes, and its nights were free",
    CrashAfterCharge: "a worker died after the charge and before it was written",
    CrashAfterRefund: "a worker died after a refund and before it was written",
    CrashBeforeCommit: "a process died before its commit",
    OrderedAgain: "an order that never arrived was made again",
    OrderAnswerLost: "the answer to an order was lost",
    RefundAnswerLost: "the answer to a refund was lost, and it was sent again",
    RefundFailed: "a refund failed and is owed",
    RefundFailedLate: "a refund that was on its way failed",
    PartRefused: "a phone's provider refused to give a part back",
    DearerPaid: "a dearer change was paid",
    DearerDropped: "a dearer change was dropped",
    ForgedNothing: "a forged event changed nothing",
    CancelRefused: "a cancellation was refused because the provider was at it",
    AcceptMeetsCancel: "a host accepted while the guest canceled a request that was paid",
    ZeroRefund: "a cancellation gave nothing back and asked no provider",
    OddCent: "half of an odd cent",
    Goodwill: "a host gave back more than the policy says",
    ManyTakings: "a cancellation gave back from more than one payment",
    AuthorizationLetGo: "an authorization that nobody wanted was let go",
    NotCaptured: "a capture was refused and came later",
    CompletedPaid: "a stay was over, and what was paid for it stayed",
    NoShowWaived: "a host waived what a guest who never came had paid",
    HostCanceled: "a host canceled a paid booking",
    DeclinedByHost: "a host declined a request that was paid",
    StaleOrder: "an order was sent for a booking that had ended meanwhile",
    MixedUp: "money of another amount confirmed nothing",
    LateOrder: "an order arrived when its worker had given it up",
    LateRefund: "a refund arrived when its worker had given it up",
    LateCapture: "a capture arrived when its worker had given it up",
    LateCancel: "a cancellation arrived when its worker had given it up",
    Silence: "that a provider had no such order was not believed at once",
    Free: "a booking stood because nothing was due",
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
