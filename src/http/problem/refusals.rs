//! How refusals, denials and failed checks of other modules are told to clients.

use super::{Code, Problem};
use crate::auth::{Denied, PasswordProblem, TokenError, Unhashed};
use actix_web::http::header::{self, HeaderValue};
use domain::booking::Illegal;
use domain::refusal::{Code as ReasonCode, Refusal};
use domain::review;

impl From<ReasonCode> for Code {
    fn from(reason: ReasonCode) -> Self {
        match reason {
            ReasonCode::PropertyUnlisted => Self::PropertyUnlisted,
            ReasonCode::InPast => Self::InPast,
            ReasonCode::TooManyGuests => Self::TooManyGuests,
            ReasonCode::MinNights => Self::MinNights,
            ReasonCode::MaxNights => Self::MaxNights,
            ReasonCode::AdvanceNotice => Self::AdvanceNotice,
            ReasonCode::BeyondWindow => Self::BeyondWindow,
            ReasonCode::ClosedToArrival => Self::ClosedToArrival,
            ReasonCode::ClosedToDeparture => Self::ClosedToDeparture,
            ReasonCode::Preparation => Self::Preparation,
            ReasonCode::UnavailableBooked => Self::UnavailableBooked,
            ReasonCode::UnavailableHeld => Self::UnavailableHeld,
            ReasonCode::UnavailableBlocked => Self::UnavailableBlocked,
        }
    }
}

impl From<Refusal> for Problem {
    /// The code is that of the first reason; all of them stand in `reasons`.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unavailable { reasons, alternatives } => {
                let first = reasons.first().map(|reason| Code::from(reason.code));
                let mut problem = Self::new(first.unwrap_or(Code::UnavailableBooked));
                problem.0.reasons = reasons;
                problem.0.alternatives = alternatives;
                problem
            }
            Refusal::OwnProperty => Self::new(Code::OwnProperty),
            Refusal::QuoteExpired => Self::new(Code::QuoteExpired),
            Refusal::KeyReused => Self::new(Code::IdempotencyKeyReused),
            // The caller was shown the booking before: it is there, but ended long ago.
            Refusal::UnknownBooking => Self::new(Code::BookingEnded),
            Refusal::Illegal(illegal) => illegal.into(),
            Refusal::Stale => Self::new(Code::PreconditionFailed),
            Refusal::Listing { from, to } => Self::new(Code::WrongStatus).with_detail(format!(
                "A property that is {} cannot become {}.",
                from.name(),
                to.name()
            )),
            Refusal::UnknownBlock(id) => {
                Self::field("/unblock", format!("{id} is no block of this property"))
            }
            // Its id is made from the key under which it was asked for.
            Refusal::KnownBlock(_) => Self::new(Code::IdempotencyKeyReused),
            Refusal::TooManyBlocks => Self::new(Code::TooManyBlocks),
            Refusal::PendingHere(hold) => Self::new(Code::PendingBooking).with_pending(vec![hold]),
            Refusal::TooManyPending(holds) => Self::new(Code::TooManyPending).with_pending(holds),
            Refusal::LiveBookings(bookings) => {
                let ids: Vec<String> =
                    bookings.iter().take(SHOWN_BOOKINGS).map(ToString::to_string).collect();
                let more = bookings.len().saturating_sub(SHOWN_BOOKINGS);
                let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
                Self::new(Code::LiveBookings)
                    .with_detail(format!("These must end first: {}{rest}.", ids.join(", ")))
            }
        }
    }
}

/// How many bookings a problem names.
const SHOWN_BOOKINGS: usize = 20;

impl From<Illegal> for Problem {
    fn from(illegal: Illegal) -> Self {
        let code = match illegal {
            Illegal::Status(status) if status.is_live() => Code::WrongStatus,
            Illegal::Status(_) => Code::BookingEnded,
            Illegal::AmountMismatch => Code::AmountMismatch,
            Illegal::Time => Code::WrongMoment,
            Illegal::Paying => Code::PaymentUnderWay,
            Illegal::MoreToPay => Code::MoreToPay,
            Illegal::Offline => Code::OfflineBooking,
            Illegal::RefundAboveCharge => Code::RefundAboveCharge,
            Illegal::TooManyRefunds => Code::TooManyRefunds,
        };
        Self::new(code).with_detail(illegal.to_string())
    }
}

impl From<review::Refusal> for Problem {
    fn from(refusal: review::Refusal) -> Self {
        Self::new(match refusal {
            review::Refusal::NotCompleted => Code::StayNotCompleted,
            review::Refusal::WindowClosed => Code::ReviewWindowClosed,
            review::Refusal::Appeared => Code::ReviewAppeared,
            review::Refusal::AlreadyReviewed => Code::AlreadyReviewed,
            review::Refusal::AlreadyReplied => Code::AlreadyReplied,
            review::Refusal::Offline => Code::OfflineBooking,
        })
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::new(match denied {
            Denied::Unauthenticated => Code::Unauthenticated,
            Denied::Forbidden => Code::Forbidden,
            Denied::NotFound => Code::NotFound,
        })
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let code = match error {
            TokenError::Invalid => Code::Unauthenticated,
            TokenError::Expired => Code::TokenExpired,
            TokenError::Ended => Code::SessionEnded,
        };
        // RFC 6750, section 3.1: a token was sent, and it is no good.
        let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        Self::new(code)
            .with_detail(error.to_string())
            .with_header(header::WWW_AUTHENTICATE, challenge)
    }
}

impl From<PasswordProblem> for Problem {
    fn from(problem: PasswordProblem) -> Self {
        Self::field("/password", problem.to_string())
    }
}

impl From<Unhashed> for Problem {
    fn from(unhashed: Unhashed) -> Self {
        match unhashed {
            Unhashed::Overloaded => Self::new(Code::Overloaded),
            Unhashed::Failed(_) => Self::internal(unhashed),
        }
    }
}
