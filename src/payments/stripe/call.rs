//! One call to Stripe: exchanges over HTTP that all end before the call's own time is over.
//!
//! An exchange ends in an answer, in a refusal, or in one of three kinds of trouble, which differ
//! in what may have happened and in what the same idempotency key is good for afterwards. What may
//! help is tried again under the same key, a few times, with pauses that grow and that differ from
//! payment to payment, so that what failed together does not come back together.
//!
//! The library tries nothing again by itself: its own retries make a new key each time.

use crate::payments::ProviderError;
use ::stripe::{ApiErrors, ApiErrorsType, Client, IdempotencyKey, RequestStrategy, StripeError};
use domain::PaymentId;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use tokio::time::Instant;

/// How often one request is sent under one key.
const MOST_TRIES: u32 = 4;
/// The longest text of Stripe's that is handed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// One call of ours, with all its exchanges and pauses.
    pub(super) call: Duration,
    /// One exchange: connecting, asking and reading the answer.
    pub(super) exchange: Duration,
    /// About the first pause; each next one is twice as long.
    pub(super) pause: Duration,
}

/// Why a request has no result.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Stripe said no, and nothing has happened.
    Refused { status: u16, error: Box<ApiErrors> },
    /// Stripe was too busy, and nothing has happened.
    Busy(String),
    /// There was no answer that can be read: the same key may still be told the true one.
    Lost(String),
    /// Stripe failed, and whoever asks again with the same key is told so again.
    Spent(String),
}

impl Trouble {
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Whether there is no such thing at Stripe.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Why, in a few words.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Refused { error, .. } => said(error),
            Self::Busy(why) | Self::Lost(why) | Self::Spent(why) => why.clone(),
        }
    }
}

impl From<Trouble> for ProviderError {
    fn from(trouble: Trouble) -> Self {
        let why = trouble.why();
        match trouble {
            Trouble::Refused { .. } => Self::Refused(why),
            Trouble::Busy(_) => Self::Busy(why),
            Trouble::Lost(_) | Trouble::Spent(_) => Self::Unclear(why),
        }
    }
}

/// What Stripe says of an error, in its own words and within bounds.
fn said(error: &ApiErrors) -> String {
    let message = error.message.as_deref().unwrap_or("it did not say why");
    message.chars().take(LONGEST_MESSAGE).collect()
}

/// One call, from its beginning to its end.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) client: &'a Client,
    payment: PaymentId,
    limits: Limits,
    until: Instant,
}

impl<'a> Call<'a> {
    /// A call about this payment that begins now.
    pub(super) fn new(client: &'a Client, limits: Limits, payment: PaymentId) -> Self {
        Self { client, payment, limits, until: Instant::now() + limits.call }
    }

    /// Sends what changes something, under this key of up to 255 characters.
    pub(super) async fn post<T, F>(
        &self,
        key: &str,
        send: impl Fn(RequestStrategy) -> F,
    ) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, StripeError>>,
    {
        let strategy = match IdempotencyKey::new(key) {
            Ok(key) => RequestStrategy::Idempotent(key),
            Err(error) => return Err(Trouble::Busy(error.to_string())),
        };
        self.send(|| send(strategy.clone())).await
    }

    /// Sends what changes nothing.
    pub(super) async fn get<T, F>(&self, send: impl Fn(RequestStrategy) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, StripeError>>,
    {
        self.send(|| send(RequestStrategy::Once)).await
    }

    async fn send<T, F>(&self, send: impl Fn() -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, StripeError>>,
    {
        // What an earlier try may have done is not undone by a later one that is turned away.
        let mut why = Trouble::Busy("there was no time to ask".into());
        for tried in 0..MOST_TRIES {
            match self.exchange(send()).await {
                Ok(answer) => return Ok(answer),
                Err(end @ (Trouble::Refused { .. } | Trouble::Spent(_))) => return Err(end),
                Err(Trouble::Busy(_)) if matches!(why, Trouble::Lost(_)) => {}
                Err(trouble) => why = trouble,
            }
            let pause = self.pause(tried);
            if tried + 1 == MOST_TRIES || pause >= self.left() {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        Err(why)
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// The pause after this many tries before: from half to one and a half times its length.
    fn pause(&self, tried: u32) -> Duration {
        let mut hasher = DefaultHasher::new();
        (self.payment, tried).hash(&mut hasher);
        let percent = u32::try_from(hasher.finish() % 101).unwrap_or_default() + 50;
        self.limits.pause.saturating_mul(2_u32.pow(tried)).saturating_mul(percent) / 100
    }

    async fn exchange<T>(
        &self,
        answer: impl Future<Output = Result<T, StripeError>>,
    ) -> Result<T, Trouble> {
        let within = self.limits.exchange.min(self.left());
        match tokio::time::timeout(within, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(read(error)),
            Err(_) => Err(Trouble::Lost("there was no answer in time".into())),
        }
    }
}

/// What an error of the library means.
fn read(error: StripeError) -> Trouble {
    let (error, status) = match error {
        StripeError::Stripe(error, status) => (error, status),
        StripeError::Timeout => return Trouble::Lost("there was no answer in time".into()),
        // A success that cannot be read, or a failure that did not come from Stripe itself.
        StripeError::JSONDeserialize(why)
        | StripeError::ClientError(why)
        | StripeError::ConfigError(why) => return Trouble::Lost(why),
    };
    match status {
        // The key is wrong or may not do this: that is ours to repair, and no guest's refusal.
        401 | 403 => Trouble::Busy("the secret key is not accepted".into()),
        // The same key is in flight, so what it asks for is just being done.
        409 => Trouble::Lost(said(&error)),
        429 => Trouble::Busy(said(&error)),
        // Something else was asked under this key, and may have happened.
        400 if matches!(error.type_, ApiErrorsType::IdempotencyError) => {
            Trouble::Lost(said(&error))
        }
        400..=499 => Trouble::Refused { status, error },
        _ => Trouble::Spent(said(&error)),
    }
}
