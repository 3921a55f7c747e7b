//! The one table of public codes: what a client may see in `code`, with its status and meaning.
//!
//! A code is a promise: clients branch on it, so it keeps its name and status for good. The
//! table is sorted by name and printed as the page that `type` points to.

use actix_web::http::StatusCode;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The stable name.
    pub name: &'static str,
    /// The URI reference in `type`.
    pub kind: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    /// What it means and what to do; also the detail where no better one is known.
    pub meaning: &'static str,
}

macro_rules! codes {
    ($($variant:ident $name:literal $status:ident $title:literal $meaning:literal;)*) => {
        /// The codes, in the order of their names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        /// The table, in the order of the names.
        pub const CODES: &[Entry] = &[$(Entry {
            name: $name,
            kind: concat!("/docs/errors#", $name),
            status: StatusCode::$status,
            title: $title,
            meaning: $meaning,
        },)*];
    };
}

codes! {
    AccountHasObligations "account_has_obligations" CONFLICT "The account has obligations"
        "The account cannot end while there are live bookings, unsettled payments or properties \
         that are not archived: obligations lists them.";
    AdvanceNotice "advance_notice" CONFLICT "Too short notice"
        "The property is to be booked longer before arrival: limit says how many days.";
    AlreadyReplied "already_replied" CONFLICT "The review has its reply"
        "A review has one reply, and this one has it.";
    AlreadyReviewed "already_reviewed" CONFLICT "The stay has its review"
        "A booking has one review by each side, and this one has yours: change that instead.";
    AmountMismatch "amount_mismatch" CONFLICT "Another amount is due"
        "The amount or the currency is not the one that the booking says.";
    BeyondWindow "beyond_window" CONFLICT "Too far ahead"
        "Some of the nights are too far ahead: limit says how many days from today can be booked.";
    BookingEnded "booking_ended" CONFLICT "The booking has ended"
        "The booking was canceled, declined or completed, or its time ran out: it cannot change.";
    ClosedToArrival "closed_to_arrival" CONFLICT "No arrival on that date"
        "No stay at this property begins on that date.";
    ClosedToDeparture "closed_to_departure" CONFLICT "No departure on that date"
        "No stay at this property ends on that date.";
    EmailTaken "email_taken" CONFLICT "The email address is taken"
        "There is an account with this email address: sign in instead.";
    Forbidden "forbidden" FORBIDDEN "Not allowed"
        "The role of the caller does not allow this.";
    HeadersTooLarge "headers_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE "The headers are too large"
        "The headers of the request are larger than the server reads.";
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "The key was used"
        "The Idempotency-Key stands for another request of the last 24 hours: send a new key.";
    InPast "in_past" CONFLICT "The nights are past"
        "The stay begins before today, by the property's local date.";
    Internal "internal" INTERNAL_SERVER_ERROR "The server failed"
        "The server failed to answer. The request_id finds the cause in its log.";
    InvalidCredentials "invalid_credentials" UNAUTHORIZED "Wrong email address or password"
        "There is no account with this email address and password.";
    InvalidField "invalid_field" UNPROCESSABLE_ENTITY "A field is not valid"
        "A field is missing, unknown or not valid: errors names each with what it must be.";
    InvalidHost "invalid_host" BAD_REQUEST "Unknown host"
        "The Host header does not name this server.";
    InvalidJson "invalid_json" BAD_REQUEST "The body is not JSON"
        "The body cannot be read as JSON.";
    LiveBookings "live_bookings" CONFLICT "There are live bookings"
        "Bookings that have not ended stand in the way: detail names them.";
    MalformedRequest "malformed_request" BAD_REQUEST "The request cannot be read"
        "The request is not what HTTP or this operation expects.";
    MaxNights "max_nights" CONFLICT "Too many nights"
        "A stay that arrives on that date has fewer nights: limit says how many.";
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "Method not allowed"
        "The address exists, but does not take this method: Allow lists those that it takes.";
    MinNights "min_nights" CONFLICT "Too few nights"
        "A stay that arrives on that date has more nights: limit says how many.";
    MoreToPay "more_to_pay" CONFLICT "More would be due"
        "The booking would cost more than was paid for it: book the added nights by themselves.";
    NotAcceptable "not_acceptable" NOT_ACCEPTABLE "Not acceptable"
        "The answer exists in none of the forms that Accept lists.";
    NotFound "not_found" NOT_FOUND "Not found"
        "There is no such thing, or it is not yours.";
    OfflineBooking "offline_booking" CONFLICT "The booking was made offline"
        "Host and guest settle the booking outside: it is neither paid for nor reviewed here.";
    Overloaded "overloaded" SERVICE_UNAVAILABLE "Too busy"
        "The server has as much to do as it can finish in time: try again after Retry-After.";
    OwnProperty "own_property" CONFLICT "Your own property"
        "A host cannot be the guest of their own property.";
    PayloadTooLarge "payload_too_large" PAYLOAD_TOO_LARGE "The body is too large"
        "The body is larger than 64 KiB.";
    PaymentUnderWay "payment_under_way" CONFLICT "A payment is on its way"
        "Somebody is paying for the booking as it is: change it when that has ended.";
    PaymentsOff "payments_off" SERVICE_UNAVAILABLE "Nothing can be paid here"
        "No payment provider is set up on this server.";
    PendingBooking "pending_booking" CONFLICT "You have a pending booking here"
        "A guest has one pending booking of a property at a time, and pending shows yours: pay for \
         it, change it or cancel it.";
    PreconditionFailed "precondition_failed" PRECONDITION_FAILED "It has changed meanwhile"
        "The thing is not in the version that If-Match names: read it again.";
    Preparation "preparation" CONFLICT "Too near to another stay"
        "The host needs free nights between two stays: limit says how many.";
    PropertyUnlisted "property_unlisted" CONFLICT "The property is not listed"
        "The property takes no new bookings.";
    QuoteExpired "quote_expired" CONFLICT "The quote has expired"
        "The time of the quote is over: ask for a new one.";
    RateLimited "rate_limited" TOO_MANY_REQUESTS "Too many requests"
        "More was asked than RateLimit-Policy allows: try again after Retry-After.";
    RefundAboveCharge "refund_above_charge" CONFLICT "More than there is"
        "The booking does not have so much of this payment any more.";
    RequestTimeout "request_timeout" REQUEST_TIMEOUT "The request took too long"
        "The request did not arrive in time.";
    ReviewAppeared "review_appeared" CONFLICT "The review has appeared"
        "A blind review cannot be changed or taken back once both sides can read it.";
    ReviewWindowClosed "review_window_closed" CONFLICT "The time for reviews is over"
        "A review can be written, changed and taken back until 14 days after check-out.";
    SearchTooWide "search_too_wide" UNPROCESSABLE_ENTITY "The search is too wide"
        "More than 5000 properties would have to be priced or measured one by one: narrow the \
         search by city, country, bbox, a smaller radius_km, guests, amenities or prices.";
    SessionEnded "session_ended" UNAUTHORIZED "The session has ended"
        "The session was ended, or its refresh token was used before: sign in again.";
    StayNotCompleted "stay_not_completed" CONFLICT "The stay is not completed"
        "A stay can be reviewed when it is completed, which it is after check-out.";
    StorageFull "storage_full" INSUFFICIENT_STORAGE "The storage is full"
        "The server cannot store anything until it is given more room. Nothing was changed.";
    Timeout "timeout" GATEWAY_TIMEOUT "No answer in time"
        "What the answer depends on did not answer in time. Ask again under the same key.";
    TokenExpired "token_expired" UNAUTHORIZED "The access token has expired"
        "The access token has expired: refresh it or sign in again.";
    TooManyAttempts "too_many_attempts" TOO_MANY_REQUESTS "Too many attempts"
        "There were too many attempts for this account or from this address: try again after \
         Retry-After.";
    TooManyBlocks "too_many_blocks" CONFLICT "Too many blocks"
        "A property has at most 1000 blocks: take away old ones.";
    TooManyGuests "too_many_guests" CONFLICT "Too many guests"
        "The property does not take so many guests.";
    TooManyPending "too_many_pending" CONFLICT "Too many pending bookings"
        "A guest has only so many bookings at a time that wait for payment or for a host, and \
         pending lists yours: pay for one or cancel one. Those on their way count too.";
    TooManyRefunds "too_many_refunds" CONFLICT "Too many refunds"
        "Parts of a booking's money can go back 16 times: give back all that is left.";
    Unauthenticated "unauthenticated" UNAUTHORIZED "Not signed in"
        "This needs a valid access token: Authorization: Bearer followed by the token.";
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Not available now"
        "Something that this needs is not available now: try again after Retry-After.";
    UnavailableBlocked "unavailable_blocked" CONFLICT "The nights are blocked"
        "The host keeps some of the nights.";
    UnavailableBooked "unavailable_booked" CONFLICT "The nights are booked"
        "Some of the nights are booked.";
    UnavailableHeld "unavailable_held" CONFLICT "The nights are held"
        "Some of the nights are held for somebody who has not paid yet; held_until says how long.";
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "Wrong type of body"
        "The body must be sent with Content-Type: application/json.";
    UriTooLong "uri_too_long" URI_TOO_LONG "The address is too long"
        "The address of the request is longer than the server reads.";
    WrongMoment "wrong_moment" CONFLICT "Not now"
        "It is too early or too late for this.";
    WrongStatus "wrong_status" CONFLICT "Not in this status"
        "The status of the booking or the property does not allow this.";
}

impl Code {
    /// The code's row.
    pub const fn entry(self) -> &'static Entry {
        &CODES[self as usize]
    }

    /// The code that says best what a bare status says: the framework answers with these.
    pub fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            406 => Self::NotAcceptable,
            408 => Self::RequestTimeout,
            412 => Self::PreconditionFailed,
            413 => Self::PayloadTooLarge,
            414 => Self::UriTooLong,
            415 => Self::UnsupportedMediaType,
            429 => Self::RateLimited,
            431 => Self::HeadersTooLarge,
            503 => Self::Unavailable,
            504 => Self::Timeout,
            507 => Self::StorageFull,
            400..=499 => Self::MalformedRequest,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_therefore_unique() {
        for pair in CODES.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} {}", pair[0].name, pair[1].name);
        }
    }

    #[test]
    fn every_row_is_an_error_with_a_title_and_a_sentence() {
        for entry in CODES {
            assert!(entry.status.is_client_error() || entry.status.is_server_error());
            assert!(entry.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!(!entry.title.ends_with('.') && entry.meaning.ends_with('.'), "{}", entry.name);
            assert_eq!(entry.kind, format!("/docs/errors#{}", entry.name));
        }
    }

    #[test]
    fn the_reasons_of_the_domain_stand_in_the_table() {
        use domain::refusal::Code as Reason;
        for reason in [
            Reason::PropertyUnlisted,
            Reason::InPast,
            Reason::TooManyGuests,
            Reason::MinNights,
            Reason::MaxNights,
            Reason::AdvanceNotice,
            Reason::BeyondWindow,
            Reason::ClosedToArrival,
            Reason::ClosedToDeparture,
            Reason::Preparation,
            Reason::UnavailableBooked,
            Reason::UnavailableHeld,
            Reason::UnavailableBlocked,
        ] {
            assert!(CODES.iter().any(|entry| entry.name == reason.name()), "{reason:?}");
        }
    }

    #[test]
    fn a_bare_status_keeps_its_status_where_a_code_has_it() {
        for entry in CODES {
            let code = Code::of_status(entry.status);
            let unique = CODES.iter().filter(|other| other.status == entry.status).count() == 1;
            assert!(!unique || code.entry().name == entry.name, "{}", entry.name);
        }
        assert_eq!(Code::of_status(StatusCode::IM_A_TEAPOT), Code::MalformedRequest);
        assert_eq!(Code::of_status(StatusCode::BAD_GATEWAY), Code::Internal);
    }
}
