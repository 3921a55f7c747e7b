//! Why a request was not done. Refusals are answers; failures are errors. What each becomes on a
//! surface is that surface's affair.

use crate::actors::{Busy, Unsettled};
use crate::auth::Denied;
use crate::auth::passwords::Unhashed;
use crate::payments::{ProviderError, Unchosen};
use crate::store::StoreError;
use crate::store::departures::Obligation;
use domain::refusal::Refusal;
use domain::review;
use std::time::Duration;

/// What stands in the way of a request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not, or must not know.
    #[error("not allowed")]
    Denied(Denied),
    /// There is no such thing, or the caller must not know of it.
    #[error("not found")]
    NotFound,
    /// The domain says no, and why.
    #[error("refused")]
    Refused(Refusal),
    /// The stay cannot be reviewed, or the review not be changed or answered, and why.
    #[error(transparent)]
    Unreviewable(#[from] review::Refusal),
    /// Fields that cannot be.
    #[error("a field is not valid")]
    Fields(Vec<FieldError>),
    /// More properties would have to be looked at one by one than a search does.
    #[error("the search is too wide")]
    TooWide,
    /// Somebody has registered with this e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// No such account, or another password.
    #[error("wrong e-mail address or password")]
    BadCredentials,
    /// The session is over, or its refresh token was used before.
    #[error("the session has ended")]
    SessionEnded,
    /// Too many attempts: the next one may be made after this time.
    #[error("too many attempts")]
    TooManyAttempts(Duration),
    /// The account cannot end while these stand.
    #[error("the account has obligations")]
    Obliged(Vec<Obligation>),
    /// No payment provider is set up.
    #[error("no payment provider is set up")]
    NoProvider,
    /// A payment provider did not do what it was asked for.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Somebody else is at the payment.
    #[error("another worker settles this payment")]
    PaymentTaken,
    /// What claims to come from a provider does not.
    #[error("it does not come from the provider")]
    Forged,
    /// There is no room, or no time.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of ours.
    #[error("{0}")]
    Fault(&'static str),
}

/// A field with what is wrong with it; the pointer is a JSON pointer into the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub pointer: &'static str,
    pub detail: String,
}

impl FieldError {
    /// A problem with one field.
    pub fn new(pointer: &'static str, detail: impl ToString) -> Self {
        Self { pointer, detail: detail.to_string() }
    }
}

impl Error {
    /// A problem with one field.
    pub(super) fn field(pointer: &'static str, detail: &str) -> Self {
        Self::Fields(vec![FieldError::new(pointer, detail)])
    }
}

impl From<Unhashed> for Error {
    fn from(error: Unhashed) -> Self {
        match error {
            Unhashed::Overloaded => Self::Busy(Busy::Full),
            Unhashed::Failed(_) => Self::Fault("a password could not be hashed"),
        }
    }
}

impl From<Unsettled> for Error {
    fn from(error: Unsettled) -> Self {
        match error {
            Unsettled::Busy(busy) => busy.into(),
            Unsettled::Store(error) => error.into(),
        }
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Unchosen> for Error {
    fn from(unchosen: Unchosen) -> Self {
        match unchosen {
            Unchosen::NoneIsOn => Self::NoProvider,
            Unchosen::OneOf(names) => {
                Self::field("/provider", &format!("must be one of {}", names.join(", ")))
            }
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Gathers what is wrong with several fields, so that the caller hears of all at once.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<FieldError>);

impl Fields {
    pub(super) fn check(&mut self, holds: bool, pointer: &'static str, detail: &str) {
        if !holds {
            self.0.push(FieldError::new(pointer, detail));
        }
    }

    pub(super) fn parse<T, E: std::fmt::Display>(
        &mut self,
        parsed: Result<T, E>,
        pointer: &'static str,
    ) -> Option<T> {
        parsed.map_err(|error| self.0.push(FieldError::new(pointer, error))).ok()
    }

    /// A text without control characters, trimmed, of `min` to `max` characters.
    pub(super) fn text(
        &mut self,
        text: &str,
        pointer: &'static str,
        min: usize,
        max: usize,
    ) -> String {
        let text = text.trim();
        let length = text.chars().count();
        if text.chars().any(|c| c.is_control() && c != '\n') {
            self.0.push(FieldError::new(pointer, "must not contain control characters"));
        } else if !(min..=max).contains(&length) {
            self.0.push(FieldError::new(pointer, format!("must have {min} to {max} characters")));
        }
        text.to_owned()
    }

    pub(super) fn done(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Fields(self.0)) }
    }
}
