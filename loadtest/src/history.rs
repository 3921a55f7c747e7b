//! What happened in a run, as its clients saw it: every booking attempt with its instants and its
//! answer, and what the server listed for each client afterwards. The checker judges it.

use jiff::civil::Date;
use uuid::Uuid;

use crate::clock::Nanos;
use crate::stay::{Nights, Stay};

/// The whole record of one run.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The properties by the number that attempts name them with.
    pub properties: Vec<Uuid>,
    /// All attempts; within one client in the order in which it made them.
    pub attempts: Vec<Attempt>,
    /// What the server listed at the end; empty when the lists were not read.
    pub lists: Vec<List>,
}

/// One attempt to book a stay.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// A position in [`History::properties`].
    pub property: u32,
    /// The number of the client, whose own bookings are one list.
    pub client: u32,
    pub stay: Stay,
    /// When the request should have been sent: latency counts from here.
    pub intended: Nanos,
    /// When it was sent for the first time.
    pub first_sent: Nanos,
    /// When the try that was answered was sent.
    pub last_sent: Nanos,
    /// When the answer was there, or when the client gave up waiting for one.
    pub answered: Nanos,
    pub answer: Answer,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 201.
    Accepted(Box<Accepted>),
    /// 409.
    Refused(Refusal),
    /// Any other answer that says that nothing was booked (4xx).
    Rejected(u16),
    /// No answer, or one that leaves open whether the stay is booked (`Some` status, 5xx).
    Unknown(Option<u16>),
}

/// A booking, from its 201 on.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub id: Uuid,
    /// Whether the answer spoke of the property and the dates that were asked for.
    pub faithful: bool,
    /// How long the server holds the nights without payment, from the request on at the least;
    /// `None` when the booking needs no payment.
    pub hold: Option<Nanos>,
    pub payment: Option<Deed>,
    pub cancel: Option<Deed>,
}

/// Something done to a booking.
#[derive(Debug, Clone, Copy)]
pub struct Deed {
    pub first_sent: Nanos,
    pub ended: Nanos,
    pub outcome: Outcome,
}

/// What became of a deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The server answered that it did not do it.
    Rejected(u16),
    /// It may have been done or not: no answer, or one that leaves it open (`Some` status).
    Unknown(Option<u16>),
}

/// Why nothing was booked, in the server's words.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    /// Nights of the stay that were named as taken.
    pub named: Nights,
    /// A night that was named and is none of the stay's.
    pub stray: Option<Date>,
    /// The code of a reason that has nothing to do with taken nights.
    pub foreign: Option<Box<str>>,
}

/// The bookings that the server listed for one client.
#[derive(Debug, Clone)]
pub struct List {
    pub client: u32,
    /// When the reading ended: a hold that was due before may be gone.
    pub read_to: Nanos,
    pub bookings: Vec<Listed>,
}

/// One listed booking.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: Uuid,
    pub property: Uuid,
    pub check_in: Date,
    pub check_out: Date,
    pub status: Status,
}

/// A status, as far as a scenario brings it about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Pending,
    Confirmed,
    Canceled,
    Expired,
    Other(Box<str>),
}

impl From<&str> for Status {
    fn from(name: &str) -> Self {
        match name {
            "PENDING" => Self::Pending,
            "CONFIRMED" => Self::Confirmed,
            "CANCELED" => Self::Canceled,
            "EXPIRED" => Self::Expired,
            other => Self::Other(other.into()),
        }
    }
}

impl Attempt {
    /// From when to when the booking was there for certain; `None` when it may never have been.
    pub fn certain_life(&self) -> Option<(Nanos, Nanos)> {
        let Answer::Accepted(accepted) = &self.answer else { return None };
        let canceled = accepted.cancel.map_or(Nanos::MAX, |cancel| cancel.first_sent);
        let lapsed = match (accepted.hold, accepted.payment) {
            (None, _) | (_, Some(Deed { outcome: Outcome::Done, .. })) => Nanos::MAX,
            (Some(hold), _) => self.first_sent.saturating_add(hold),
        };
        let end = canceled.min(lapsed);
        (self.answered < end).then_some((self.answered, end))
    }

    /// From when to when the booking can have been there; `None` when it cannot.
    pub fn possible_life(&self) -> Option<(Nanos, Nanos)> {
        let end = match &self.answer {
            Answer::Accepted(accepted) => match accepted.cancel {
                Some(Deed { outcome: Outcome::Done, ended, .. }) => ended,
                // An unpaid hold ends at some time: leaving it open accuses nobody falsely.
                _ => Nanos::MAX,
            },
            Answer::Unknown(_) => Nanos::MAX,
            Answer::Refused(_) | Answer::Rejected(_) => return None,
        };
        Some((self.first_sent, end))
    }
}
