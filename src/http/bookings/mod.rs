//! `/bookings` and `/properties/{id}/bookings`.

mod view;

pub(super) use view::View;

use self::view::Refund;
use super::cursor::{self, Cursor};
use super::extract::{Body, BookingPath, IdempotencyKey, Params, PropertyPath, Signed};
use super::headers::ETag;
use super::openapi::PageParams;
use super::problem::{FieldError, Problem};
use super::put::Sent;
use super::{mark_replayed, put, tagged};
use crate::auth::Caller;
use crate::engine::{BookingRequest, Engine, Made, Word};
use crate::feed::Side;
use crate::store::bookings::BookingFilter;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::stay::DateError;
use domain::{Booking, BookingId, PropertyId, QuoteId, Stay};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// A booking of the property in the path.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewBooking)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    check_in: String,
    check_out: String,
    guests: i64,
    /// A quote for this very stay, whose price is to be honoured.
    quote_id: Option<Uuid>,
    /// online, or offline where the host or an admin settles it outside.
    payment: Option<String>,
}

/// A booking that names its property.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewBookingAnywhere)]
#[serde(deny_unknown_fields)]
pub(super) struct InputAnywhere {
    property_id: Uuid,
    check_in: String,
    check_out: String,
    guests: i64,
    /// A quote for this very stay, whose price is to be honoured.
    quote_id: Option<Uuid>,
    /// online, or offline where the host or an admin settles it outside.
    payment: Option<String>,
}

/// What a cancellation would do now.
#[derive(Serialize, ToSchema)]
#[schema(as = CancellationPreview)]
struct Preview<'a> {
    booking_id: Uuid,
    cancellation_policy: &'static str,
    refund: Refund<'a>,
    retained: Refund<'a>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Bookings)]
struct List<'a> {
    data: Vec<View<'a>>,
    next_cursor: Option<String>,
}

/// Books a stay at this property: the guest pays for it then. A host, or an admin, may write down a
/// stay that is settled outside: it is confirmed at once, and nothing is ever paid or given back.
#[utoipa::path(
    post, path = "/properties/{id}/bookings", operation_id = "book", tag = "bookings",
    security(("bearer" = [])), params(("id" = Uuid, Path)), request_body = Input, responses((status = 201, description = "The booking, which holds its nights.", body = View)),
)]
pub(super) async fn create(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    PropertyPath(property): PropertyPath,
    IdempotencyKey(key): IdempotencyKey,
    Body(input): Body<Input>,
) -> Result<HttpResponse, Problem> {
    let (stay, guests) = stay(&input.check_in, &input.check_out, input.guests)?;
    let quote = input.quote_id.map(QuoteId);
    let offline = is_offline(input.payment.as_deref())?;
    let request = BookingRequest { property, stay, guests, quote, offline };
    book(&engine, &caller, request, key).await
}

/// Books a stay at the property that the body names.
#[utoipa::path(
    post, path = "/bookings", operation_id = "book_anywhere", tag = "bookings",
    security(("bearer" = [])), request_body = InputAnywhere, responses((status = 201, description = "The booking, which holds its nights.", body = View)),
)]
pub(super) async fn create_anywhere(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    IdempotencyKey(key): IdempotencyKey,
    Body(input): Body<InputAnywhere>,
) -> Result<HttpResponse, Problem> {
    let (stay, guests) = stay(&input.check_in, &input.check_out, input.guests)?;
    let property = PropertyId(input.property_id);
    let quote = input.quote_id.map(QuoteId);
    let offline = is_offline(input.payment.as_deref())?;
    let request = BookingRequest { property, stay, guests, quote, offline };
    book(&engine, &caller, request, key).await
}

/// A booking of the caller, or at a property of the caller.
#[utoipa::path(
    get, path = "/bookings/{id}", operation_id = "read_booking", tag = "bookings",
    security(("bearer" = [])), params(("id" = Uuid, Path)), responses((status = 200, description = "The booking.", body = View), (status = 304, description = "It is as If-None-Match says.")),
)]
pub(super) async fn read(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    BookingPath(id): BookingPath,
) -> Result<HttpResponse, Problem> {
    let Made { property, booking, .. } = engine.booking(&caller, id).await?;
    tagged(&request, &etag(&booking), &View::of(property, &booking))
}

/// The bookings that the caller made, or those of the caller as a host, newest first.
#[utoipa::path(
    get, path = "/bookings", operation_id = "list_bookings", tag = "bookings",
    security(("bearer" = [])), params(
        ("as" = Option<String>, Query, description = "guest or host."),
        ("property" = Option<Uuid>, Query),
        ("status" = Option<String>, Query),
        ("from" = Option<String>, Query, format = Date),
        ("to" = Option<String>, Query, format = Date),
        PageParams,
    ), responses((status = 200, description = "A page of bookings.", body = List)),
)]
pub(super) async fn list(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    mut params: Params,
) -> Result<HttpResponse, Problem> {
    let side = match params.text("as").as_deref() {
        None | Some("guest") => Side::Guest,
        Some("host") => Side::Host,
        Some(_) => return Err(Problem::field("/as", "must be guest or host")),
    };
    let filter = filter(&mut params)?;
    let page = params.page()?;
    params.end()?;
    let after = page.cursor.map(Cursor::by_age);
    let mut rows = engine.bookings(&caller, side, filter, after, page.limit + 1).await?;
    let place =
        |(_, booking): &(PropertyId, Booking)| (booking.created_at.as_micros(), booking.id.0);
    let (mut response, next_cursor) = cursor::page_of(&request, &mut rows, page.limit, place)?;
    let data = rows.iter().map(|(property, booking)| View::of(*property, booking)).collect();
    Ok(response.json(List { data, next_cursor }))
}

/// Changes the dates or the number of guests, while nothing more is to be paid for it. Nights that
/// it has keep their price; what it costs less goes back. Absent fields stay as they are; fields
/// that cannot change may be there if they are as they are.
#[utoipa::path(
    put, path = "/bookings/{id}", operation_id = "update_booking", tag = "bookings",
    security(("bearer" = [])), params(("id" = Uuid, Path)), request_body = View, responses((status = 200, description = "The booking as it is now.", body = View)),
)]
pub(super) async fn update(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    BookingPath(id): BookingPath,
    Body(sent): Body<Sent>,
) -> Result<HttpResponse, Problem> {
    let made = put::on_newest(async || {
        let seen = engine.booking_to_change(&caller, id).await?;
        etag(&seen.booking).require_match(request.headers())?;
        let view = View::of(seen.property, &seen.booking);
        let input: Input = put::merged(&view, &sent, &READ_ONLY)?;
        let (stay, guests) = stay(&input.check_in, &input.check_out, input.guests)?;
        Ok(engine.change_booking(&caller, seen, stay, guests).await)
    });
    let Made { property, booking, .. } = made.await?;
    let tag = (header::ETAG, etag(&booking).header()?);
    Ok(HttpResponse::Ok().insert_header(tag).json(View::of(property, &booking)))
}

/// What nobody changes by `PUT`.
const READ_ONLY: [&str; 15] = [
    "id",
    "user_id",
    "property_id",
    "status",
    "awaiting",
    "expires_at",
    "total_amount",
    "currency",
    "lines",
    "change_request",
    "payment",
    "payment_id",
    "quote_id",
    "version",
    "created_at",
];

/// Gives a booking up; the answer says what goes back. Where the host of a confirmed booking does
/// so, everything goes back and the nights stay blocked.
#[utoipa::path(
    delete, path = "/bookings/{id}", operation_id = "cancel_booking", tag = "bookings",
    security(("bearer" = [])), params(
        ("id" = Uuid, Path),
        ("reopen" = Option<bool>, Query, description = "Open the nights again instead."),
    ), responses((status = 200, description = "The canceled booking.", body = View)),
)]
pub(super) async fn cancel(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    BookingPath(id): BookingPath,
    IdempotencyKey(key): IdempotencyKey,
    mut params: Params,
) -> Result<HttpResponse, Problem> {
    let reopen = params.take("reopen")?.unwrap_or(false);
    params.end()?;
    if request.headers().contains_key(header::IF_MATCH) {
        let now = engine.booking(&caller, id).await?;
        etag(&now.booking).require_match(request.headers())?;
    }
    let Made { property, booking, replayed } = engine.cancel(&caller, id, reopen, key).await?;
    let view = View::of(property, &booking).with_refund(&booking);
    let mut response =
        HttpResponse::Ok().insert_header((header::ETAG, etag(&booking).header()?)).json(view);
    mark_replayed(&mut response, replayed);
    Ok(response)
}

/// Accepts a request: it is confirmed if it was paid for, else the guest has some minutes to pay.
#[utoipa::path(
    post, path = "/bookings/{id}/accept", operation_id = "accept_booking", tag = "bookings",
    security(("bearer" = [])), params(("id" = Uuid, Path)), responses((status = 200, description = "The booking as it is now.", body = View)),
)]
pub(super) async fn accept(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    BookingPath(id): BookingPath,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    answer(&engine, &caller, id, Word::Accept, key).await
}

/// Declines a request: its nights are free again, and what was paid goes back.
#[utoipa::path(
    post, path = "/bookings/{id}/decline", operation_id = "decline_booking", tag = "bookings",
    security(("bearer" = [])), params(("id" = Uuid, Path)), responses((status = 200, description = "The booking as it is now.", body = View)),
)]
pub(super) async fn decline(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    BookingPath(id): BookingPath,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    answer(&engine, &caller, id, Word::Decline, key).await
}

/// Reports that nobody came, from check-in on and for 48 hours at most: the nights after today are
/// free again, and what was paid stays with the host unless that is waived.
#[utoipa::path(
    post, path = "/bookings/{id}/no_show", operation_id = "report_no_show", tag = "bookings",
    security(("bearer" = [])), params(
        ("id" = Uuid, Path),
        ("waive" = Option<bool>, Query, description = "Give everything back."),
    ), responses((status = 200, description = "The booking as it is now.", body = View)),
)]
pub(super) async fn no_show(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    BookingPath(id): BookingPath,
    IdempotencyKey(key): IdempotencyKey,
    mut params: Params,
) -> Result<HttpResponse, Problem> {
    let waive = params.take("waive")?.unwrap_or(false);
    params.end()?;
    answer(&engine, &caller, id, Word::NoShow { waive }, key).await
}

async fn answer(
    engine: &Engine,
    caller: &Caller,
    id: BookingId,
    word: Word,
    key: Option<Arc<str>>,
) -> Result<HttpResponse, Problem> {
    let Made { property, booking, replayed } = engine.answer_booking(caller, id, word, key).await?;
    let mut response = HttpResponse::Ok()
        .insert_header((header::ETAG, etag(&booking).header()?))
        .json(View::of(property, &booking));
    mark_replayed(&mut response, replayed);
    Ok(response)
}

/// What a cancellation now would give back.
#[utoipa::path(
    get, path = "/bookings/{id}/cancellation", operation_id = "preview_cancellation", tag = "bookings",
    security(("bearer" = [])), params(("id" = Uuid, Path)), responses((status = 200, description = "The preview.", body = Preview)),
)]
pub(super) async fn cancellation(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    BookingPath(id): BookingPath,
) -> Result<HttpResponse, Problem> {
    let canceled = engine.preview_cancellation(&caller, id).await?;
    let sum = |amount| Refund { amount, currency: canceled.currency.code() };
    // The numbers change with time and by no event, so nobody may keep them.
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(Preview {
        booking_id: canceled.id.0,
        cancellation_policy: canceled.policy.name(),
        refund: sum(canceled.refunded),
        retained: sum(canceled.paid - canceled.refunded),
    }))
}

async fn book(
    engine: &Engine,
    caller: &Caller,
    request: BookingRequest,
    key: Option<Arc<str>>,
) -> Result<HttpResponse, Problem> {
    let Made { property, booking, replayed } = engine.book(caller, request, key).await?;
    let mut response = HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/bookings/{}", booking.id)))
        .insert_header((header::ETAG, etag(&booking).header()?))
        .json(View::of(property, &booking));
    mark_replayed(&mut response, replayed);
    Ok(response)
}

const ONLINE: &str = "online";
const OFFLINE: &str = "offline";

/// Whether a booking is to be settled outside.
fn is_offline(payment: Option<&str>) -> Result<bool, Problem> {
    match payment {
        None | Some(ONLINE) => Ok(false),
        Some(OFFLINE) => Ok(true),
        Some(_) => Err(Problem::field("/payment", "must be online or offline")),
    }
}

/// Takes the filters of a list of bookings.
fn filter(params: &mut Params) -> Result<BookingFilter, Problem> {
    let dates = params.dates()?;
    Ok(BookingFilter {
        property: params.id("property")?.map(PropertyId),
        status: params.take("status")?,
        from: dates.from,
        to: dates.to,
    })
}

/// Reads dates and guests; names every field that is wrong.
pub(super) fn stay(check_in: &str, check_out: &str, guests: i64) -> Result<(Stay, u16), Problem> {
    let mut errors = Vec::new();
    let mut date = |pointer, text: &str| {
        let read = text.parse();
        read.map_err(|error: DateError| errors.push(FieldError::new(pointer, error.to_string())))
            .ok()
    };
    let (check_in, check_out) = (date("/check_in", check_in), date("/check_out", check_out));
    let people = u16::try_from(guests).ok().filter(|guests| *guests > 0);
    if people.is_none() {
        errors.push(FieldError::new("/guests", "must be a whole number from 1 to 65535"));
    }
    let stay = check_in.zip(check_out).and_then(|(check_in, check_out)| {
        let stay = Stay::new(check_in, check_out);
        stay.map_err(|error| errors.push(FieldError::new("/check_out", error.to_string()))).ok()
    });
    stay.zip(people).ok_or_else(|| Problem::fields(errors))
}

fn etag(booking: &Booking) -> ETag {
    ETag::of(booking.id, booking.version)
}
