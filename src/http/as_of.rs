//! Calendars as they were: which moment is meant, and why nights were closed then.

use super::calendars::{Calendar, who, window};
use super::extract::Dates;
use super::headers::ETag;
use super::problem::Problem;
use super::tagged;
use crate::engine::{Moment, PastView};
use actix_web::{HttpRequest, HttpResponse};
use domain::Stay;
use domain::calendar::Change;
use domain::event::Seq;
use domain::past::{self, Holder};
use serde::Serialize;
use std::str::FromStr;
use utoipa::ToSchema;
use uuid::Uuid;

/// `as_of`: the number of an event, or an instant.
pub(super) struct AsOf(pub(super) Moment);

impl FromStr for AsOf {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let seq = || text.parse().ok().map(Moment::Seq);
        let instant = || Some(Moment::At(text.parse::<jiff::Timestamp>().ok()?.into()));
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let moment = if is_number { seq() } else { instant() };
        moment
            .map(Self)
            .ok_or("must be the seq of an event or an instant like 2027-08-12T14:03:00Z")
    }
}

/// Why nobody could book the nights `[from, to)`: for the host and admins only.
#[derive(Serialize, ToSchema)]
#[schema(as = NightReason)]
pub(super) struct Reason {
    from: String,
    to: String,
    /// The event that closed the nights.
    seq: Seq,
    at: String,
    cause: &'static str,
    by: &'static str,
    user_id: Option<Uuid>,
    booking_id: Option<Uuid>,
    /// Of the booking, then.
    status: Option<&'static str>,
    block_id: Option<Uuid>,
    /// Of the block.
    reason: Option<&'static str>,
}

impl Reason {
    fn of(told: &past::Reason<'_>) -> Self {
        let (by, user_id) = who(told.closing.by);
        let reason = Self {
            from: told.from.to_string(),
            to: told.to.to_string(),
            seq: told.closing.seq,
            at: told.closing.at.to_string(),
            cause: "calendar_edited",
            by,
            user_id,
            booking_id: None,
            status: None,
            block_id: None,
            reason: None,
        };
        match told.holder {
            Holder::Booking(cause, booking) => Self {
                cause: cause.name(),
                booking_id: Some(booking.id.0),
                status: Some(booking.status.name()),
                ..reason
            },
            Holder::Block(block) => {
                Self { block_id: Some(block.id.0), reason: Some(block.reason.name()), ..reason }
            }
        }
    }
}

/// Answers with a calendar as it was. Where nobody says which nights, they begin on the day that it
/// was, so the answer never changes; the tag tells apart who may know the reasons.
pub(super) fn answer(
    request: &HttpRequest,
    view: &PastView,
    dates: Dates,
) -> Result<HttpResponse, Problem> {
    let PastView { epoch, past, at, with_reasons } = view;
    let (seq, snapshot) = (past.seq(), past.snapshot());
    let window = window(dates, snapshot.property.today(*at))?;
    let reasons = |run: &Change| match Stay::new(run.from, run.to) {
        Ok(nights) if *with_reasons => past.reasons(nights).iter().map(Reason::of).collect(),
        _ => Vec::new(),
    };
    let mut calendar = Calendar::of(epoch, &snapshot, window, reasons);
    calendar.at = Some(past.at().to_string());
    let etag = if *with_reasons {
        ETag::of(epoch, format_args!("{seq}-reasons"))
    } else {
        ETag::of(epoch, seq)
    };
    tagged(request, &etag, &calendar)
}
