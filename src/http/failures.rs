//! What each failure of the engine is called on the wire.

use super::problem::{Code, FieldError, Problem};
use crate::actors::Busy;
use crate::engine::Error;
use crate::store::StoreError;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denied) => denied.into(),
            Error::NotFound => Self::new(Code::NotFound),
            Error::Refused(refusal) => refusal.into(),
            Error::Unreviewable(refusal) => refusal.into(),
            Error::Fields(fields) => {
                let named =
                    |field: crate::engine::FieldError| FieldError::new(field.pointer, field.detail);
                Self::fields(fields.into_iter().map(named).collect())
            }
            Error::TooWide => Self::new(Code::SearchTooWide),
            Error::EmailTaken => Self::new(Code::EmailTaken),
            Error::BadCredentials => Self::new(Code::InvalidCredentials),
            Error::SessionEnded => Self::new(Code::SessionEnded),
            Error::TooManyAttempts(wait) => {
                let seconds = wait.as_micros().div_ceil(1_000_000);
                let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
                Self::new(Code::TooManyAttempts).retry_after(seconds)
            }
            Error::Obliged(obligations) => Self::new(Code::AccountHasObligations)
                .with_obligations(obligations.into_iter().map(|o| (o.kind, o.id)).collect()),
            Error::NoProvider => Self::new(Code::PaymentsOff),
            Error::Provider(cause) => {
                tracing::warn!(%cause, "a payment provider does not answer");
                Self::new(Code::Unavailable)
            }
            Error::PaymentTaken => Self::new(Code::Overloaded),
            Error::Forged => Self::new(Code::MalformedRequest)
                .with_detail("This does not come from the payment provider."),
            Error::Busy(Busy::Full) => Self::new(Code::Overloaded),
            Error::Busy(Busy::TooLate) => Self::new(Code::Unavailable).with_detail(
                "The answer took too long. The request may still take effect: repeat it with the \
                 same Idempotency-Key.",
            ),
            Error::Store(StoreError::Full) => Self::new(Code::StorageFull),
            Error::Store(StoreError::Unavailable(cause)) => {
                tracing::warn!(%cause, "the database does not answer");
                Self::new(Code::Unavailable)
            }
            Error::Store(cause) => Self::internal(cause),
            Error::Fault(cause) => Self::internal(cause),
        }
    }
}
