//! What a step of a booking did: the reason that stands in its event.

/// Why a booking's event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Held,
    AttemptStarted,
    AttemptEnded,
    Confirmed,
    /// A late payment found the nights of an expired booking free.
    Reclaimed,
    Accepted,
    Declined,
    Canceled,
    Releasing,
    Expired,
    Completed,
    NoShow,
    /// Other dates or guests.
    Changed,
    /// Other dates or guests, for which more is to be paid.
    ChangeRequested,
    /// Nobody paid for them in time.
    ChangeDropped,
    /// Its host gave money back.
    Refunded,
    /// What the provider had promised never came.
    PaymentLost,
}

impl Cause {
    /// All causes, in the order of their stored numbers.
    pub const ALL: [Self; 17] = [
        Self::Held,
        Self::AttemptStarted,
        Self::AttemptEnded,
        Self::Confirmed,
        Self::Reclaimed,
        Self::Accepted,
        Self::Declined,
        Self::Canceled,
        Self::Releasing,
        Self::Expired,
        Self::Completed,
        Self::NoShow,
        Self::Changed,
        Self::ChangeRequested,
        Self::ChangeDropped,
        Self::Refunded,
        Self::PaymentLost,
    ];

    /// The shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::AttemptStarted => "attempt_started",
            Self::AttemptEnded => "attempt_ended",
            Self::Confirmed => "confirmed",
            Self::Reclaimed => "reclaimed",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Canceled => "canceled",
            Self::Releasing => "releasing",
            Self::Expired => "expired",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
            Self::Changed => "changed",
            Self::ChangeRequested => "change_requested",
            Self::ChangeDropped => "change_dropped",
            Self::Refunded => "refunded",
            Self::PaymentLost => "payment_lost",
        }
    }
}
