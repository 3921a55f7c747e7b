//! How a stand-in is set up.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Where Stripe's events are sent, and what they are signed with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Webhook {
    pub(crate) url: String,
    pub(crate) secret: String,
}

/// A webhook as it is read.
#[derive(Deserialize)]
struct Unchecked {
    url: String,
    secret: String,
}

impl TryFrom<Unchecked> for Webhook {
    type Error = WebhookError;

    fn try_from(read: Unchecked) -> Result<Self, WebhookError> {
        Self::new(&read.url, &read.secret)
    }
}

/// Why there can be no such webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    #[error("the address of the webhook has to begin with http://")]
    Address,
    #[error("the secret of the webhook has to begin with whsec_ and to go on")]
    Secret,
}

impl Webhook {
    /// An `http://` address and a secret `whsec_…`. Whoever signs with an empty secret signs
    /// nothing, so there has to be one.
    pub fn new(url: &str, secret: &str) -> Result<Self, WebhookError> {
        if !url.starts_with("http://") {
            return Err(WebhookError::Address);
        }
        if secret.strip_prefix("whsec_").is_none_or(str::is_empty) {
            return Err(WebhookError::Secret);
        }
        Ok(Self { url: url.to_owned(), secret: secret.to_owned() })
    }
}

/// What the M-Pesa side knows of its one merchant.
#[derive(Clone, Debug)]
pub struct Merchant {
    pub consumer_key: String,
    pub consumer_secret: String,
    pub short_code: String,
    pub passkey: String,
    /// How long customers take to answer a push, on the stand-in's clock.
    pub callback_delay: Duration,
    /// Callbacks say their `ResultCode` as a text; the real ones do both.
    pub result_codes_as_text: bool,
}

impl Default for Merchant {
    fn default() -> Self {
        Self {
            consumer_key: "fake_consumer_key".into(),
            consumer_secret: "fake_consumer_secret".into(),
            short_code: "174379".into(),
            passkey: "fake_passkey".into(),
            callback_delay: Duration::ZERO,
            result_codes_as_text: false,
        }
    }
}

/// How a stand-in is set up; as it is by default, nobody hears of events until
/// `PUT /control/webhook` says who should.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub webhook: Option<Webhook>,
    /// The same seed gives the same ids in the same order, unless there are books to go on from.
    pub seed: Option<u64>,
    pub merchant: Merchant,
    /// The address under which customers' browsers reach the hosted page, such as
    /// `https://pay.example`, where that is not the one at which it listens.
    pub public_url: Option<String>,
    /// The file in which the books are kept, so that another stand-in can go on from them; without
    /// one they end with this one. Only one stand-in may have it at a time.
    pub books: Option<PathBuf>,
}
