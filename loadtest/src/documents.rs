//! The parts of the server's JSON documents that a scenario looks at. Everything else in them is
//! skipped unread, so that a server may say more than this.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

/// The answer to `POST /auth/login`.
#[derive(Deserialize)]
pub(crate) struct Token<'a> {
    #[serde(borrow)]
    pub(crate) access_token: Cow<'a, str>,
    /// Seconds.
    pub(crate) expires_in: u64,
}

/// Anything that was created, when only its id is of interest.
#[derive(Deserialize)]
pub(crate) struct Created {
    pub(crate) id: Uuid,
}

/// A booking, as answered to its guest and in lists.
#[derive(Deserialize)]
pub(crate) struct Booking<'a> {
    pub(crate) id: Uuid,
    pub(crate) property_id: Uuid,
    pub(crate) check_in: Date,
    pub(crate) check_out: Date,
    #[serde(borrow)]
    pub(crate) status: Cow<'a, str>,
    #[serde(default)]
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

/// A page of the caller's bookings.
#[derive(Deserialize)]
pub(crate) struct Page<'a> {
    #[serde(borrow)]
    pub(crate) data: Vec<Booking<'a>>,
    #[serde(borrow)]
    pub(crate) next_cursor: Option<Cow<'a, str>>,
}

/// A payment.
#[derive(Deserialize)]
pub(crate) struct Payment<'a> {
    pub(crate) id: Uuid,
    #[serde(borrow)]
    pub(crate) status: Cow<'a, str>,
}

impl Payment<'_> {
    /// Whether the money is there or promised: the booking is confirmed.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(&*self.status, "captured" | "authorized")
    }
}

/// A problem document (RFC 9457) of a refused booking.
#[derive(Deserialize)]
pub(crate) struct Problem<'a> {
    #[serde(borrow, default)]
    pub(crate) code: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) reasons: Vec<Reason<'a>>,
}

/// One reason of a refusal.
#[derive(Deserialize)]
pub(crate) struct Reason<'a> {
    #[serde(borrow)]
    pub(crate) code: Cow<'a, str>,
    #[serde(default)]
    pub(crate) nights: Vec<Date>,
}
