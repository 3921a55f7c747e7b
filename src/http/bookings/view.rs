//! A booking as clients see it.

use super::{OFFLINE, ONLINE};
use crate::http::price::LineView;
use domain::booking::{Change, Request};
use domain::{Booking, PropertyId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Serialize, ToSchema)]
#[schema(as = Booking)]
pub(in crate::http) struct View<'a> {
    id: Uuid,
    user_id: Uuid,
    property_id: Uuid,
    check_in: String,
    check_out: String,
    guests: u16,
    status: &'static str,
    awaiting: Option<&'static str>,
    expires_at: Option<String>,
    total_amount: i64,
    currency: &'a str,
    lines: Vec<LineView<'a>>,
    /// Other dates or guests, which the booking takes when `due_amount` is paid before `expires_at`.
    change_request: Option<RequestView<'a>>,
    /// online, or offline: nothing is paid for it here.
    payment: &'static str,
    payment_id: Option<Uuid>,
    quote_id: Option<Uuid>,
    version: u32,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<Refund<'a>>,
}

/// A change of a confirmed booking that waits for its payment. The booking keeps its nights
/// meanwhile, and those that would be added are held for it.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangeRequest)]
struct RequestView<'a> {
    check_in: String,
    check_out: String,
    guests: u16,
    total_amount: i64,
    due_amount: i64,
    lines: Vec<LineView<'a>>,
    expires_at: String,
}

/// What goes back to the guest of a canceled booking, or stays with the host.
#[derive(Serialize, ToSchema)]
#[schema(as = Amount)]
pub(super) struct Refund<'a> {
    pub(super) amount: i64,
    pub(super) currency: &'a str,
}

impl<'a> RequestView<'a> {
    fn of(request: &'a Request, booking: &Booking) -> Self {
        let Change { stay, guests, price, .. } = &request.change;
        Self {
            check_in: stay.check_in().to_string(),
            check_out: stay.check_out().to_string(),
            guests: *guests,
            total_amount: price.total(),
            due_amount: booking.due(),
            lines: LineView::all(price),
            expires_at: request.expires_at.to_string(),
        }
    }
}

impl<'a> View<'a> {
    pub(in crate::http) fn of(property: PropertyId, booking: &'a Booking) -> Self {
        Self {
            id: booking.id.0,
            user_id: booking.guest.0,
            property_id: property.0,
            check_in: booking.stay.check_in().to_string(),
            check_out: booking.stay.check_out().to_string(),
            guests: booking.guests,
            status: booking.status.name(),
            awaiting: booking.status.awaiting().map(domain::Awaiting::name),
            expires_at: booking.status.expires_at().map(|at| at.to_string()),
            total_amount: booking.total,
            currency: booking.currency.code(),
            lines: LineView::all(&booking.price),
            change_request: booking
                .request
                .as_deref()
                .map(|request| RequestView::of(request, booking)),
            payment: if booking.offline { OFFLINE } else { ONLINE },
            payment_id: booking.payment().map(|payment| payment.0),
            quote_id: booking.quote.map(|quote| quote.0),
            version: booking.version,
            created_at: booking.created_at.to_string(),
            refund: None,
        }
    }

    pub(super) fn with_refund(mut self, booking: &'a Booking) -> Self {
        let currency = booking.currency.code();
        self.refund = Some(Refund { amount: booking.refunded, currency });
        self
    }
}
