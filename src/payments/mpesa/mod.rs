//! M-Pesa, by Safaricom's Daraja: a push asks a phone to pay, a query tells what became of it, a
//! reversal gives all of it back. Kenyan shillings only.
//!
//! | file | what |
//! |---|---|
//! | `phone.rs` | what can be collected, and from whom |
//! | `push.rs`, `reversal.rs` | the requests, and what their answers mean |
//! | `callback.rs` | what Daraja tells by itself, and where |
//! | `tokens.rs` | the access token that all nodes share |
//! | `line.rs`, `call.rs` | one exchange over HTTP; one call's time |
//!
//! *One push for one payment.* There is no key that makes a second push harmless: it asks the guest
//! again. A push is therefore sent only by a call that comes within 15 seconds of the moment that
//! the caller wrote down as the one of asking, and by no later one. If its answer is lost, the
//! order stands as [`Standing::Processing`], under no name, for two minutes; if no callback has
//! named it by then, this attempt has failed, and whoever still wants the money begins another. What
//! is told of it later still has an address of its own.
//!
//! Orders whose name is not known have an empty reference. M-Pesa has no promises of money: a push
//! that is paid is captured, and one that is sent cannot be called back.

mod call;
pub mod callback;
mod line;
mod phone;
mod push;
mod reversal;
mod tokens;
mod word;

pub use phone::normal_phone;

use super::{
    CALL_WITHIN, Intent, NextAction, Order, Provider, ProviderError, RefundAnswer, RefundOrder,
};
use crate::store::Store;
use call::Call;
use domain::payment::{PaymentStatus, RefundState};
use domain::settlement::{Fact, Standing};
use domain::{Currency, Instant};
use futures_util::future::BoxFuture;
use line::{Line, Reply};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;
use tokens::Tokens;

/// The provider's name in payments.
pub const NAME: &str = "mpesa";

/// How long after the moment of asking a push may still be sent.
const ASKED_NOW: Duration = CALL_WITHIN;
/// After how long a push or a reversal has ended, one way or the other: a phone asks its owner for
/// about a minute, and Daraja refuses the same push for two.
const SETTLES: Duration = Duration::from_secs(120);
/// After how long a refund of which nothing is heard is left to people.
const GIVES_UP: Duration = Duration::from_secs(24 * 3_600);
/// The least characters of the secret behind the addresses of callbacks.
const SHORTEST_SECRET: usize = 32;

const PUSH: &str = "/mpesa/stkpush/v1/processrequest";
const QUERY: &str = "/mpesa/stkpushquery/v1/query";
const REVERSAL: &str = "/mpesa/reversal/v1/request";

/// What M-Pesa needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where Daraja is, such as `https://api.safaricom.co.ke`.
    pub api_base: String,
    pub consumer_key: SecretString,
    pub consumer_secret: SecretString,
    /// The pay bill number that is paid to.
    pub short_code: String,
    pub passkey: SecretString,
    /// Who asks for reversals, and the password of that one, encrypted for Daraja.
    pub initiator: String,
    pub security_credential: SecretString,
    /// The public address of this server, such as `https://stay.example.com`.
    pub callback_base: String,
    /// What makes the addresses of callbacks impossible to guess; the same on all nodes, and at
    /// least 32 characters.
    pub token_secret: SecretString,
}

/// Why M-Pesa cannot be asked with these settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error(
        "the addresses of Daraja and of this server have to be http:// or https:// with a host"
    )]
    Address,
    #[error("the secret behind the addresses of callbacks must have at least 32 characters")]
    TokenSecret,
    #[error("there can be no HTTP client: {0}")]
    Client(String),
}

/// M-Pesa as a provider.
#[derive(Debug)]
pub struct Mpesa {
    settings: Settings,
    line: Line,
    tokens: Tokens,
    call_within: Duration,
}

/// An address without slashes at its end.
fn base(address: &str) -> Result<String, SettingsError> {
    let base = address.trim_end_matches('/');
    let host = ["https://", "http://"].iter().find_map(|scheme| base.strip_prefix(scheme));
    let is_fit = host.is_some_and(|host| !host.is_empty() && !host.contains(['?', '#', ' ']));
    if is_fit { Ok(base.to_owned()) } else { Err(SettingsError::Address) }
}

/// The provider's own name for an order, if it has said one.
fn name_of(order: &Order) -> Option<&str> {
    order.reference.as_deref().filter(|name| !name.is_empty())
}

/// An order where it stands. What was pushed is what is paid: Daraja asks for this amount or for
/// none, and tells no other.
fn intent(order: &Order, name: &str, standing: Standing) -> Intent {
    let Order { amount, currency, .. } = *order;
    let waits = standing == Standing::Processing;
    Intent {
        reference: name.to_owned(),
        fact: Fact { booking: None, amount, currency, standing },
        next_action: waits.then_some(NextAction::Phone),
    }
}

impl Mpesa {
    /// M-Pesa with these settings; its tokens are kept in the store. Connects to nothing yet.
    ///
    /// # Errors
    /// When Daraja could not be asked with these settings.
    pub fn new(settings: Settings, store: Store) -> Result<Self, SettingsError> {
        // An empty secret is a valid key, and everybody could guess what it makes.
        if settings.token_secret.expose_secret().len() < SHORTEST_SECRET {
            return Err(SettingsError::TokenSecret);
        }
        let callback_base = base(&settings.callback_base)?;
        let line = Line::new(base(&settings.api_base)?).map_err(SettingsError::Client)?;
        let (key, secret) = (settings.consumer_key.clone(), settings.consumer_secret.clone());
        let tokens = Tokens::new(store, key, secret);
        let settings = Settings { callback_base, ..settings };
        Ok(Self { settings, line, tokens, call_within: CALL_WITHIN })
    }

    fn call(&self, now: Instant) -> Call {
        Call::new(now, self.call_within)
    }

    async fn post(&self, path: &str, body: &Value, call: &Call) -> Result<Reply, ProviderError> {
        self.tokens.post(&self.line, path, body, call).await
    }

    /// Sends the one push of this payment, if this is the time for it.
    async fn push(&self, order: &Order, now: Instant) -> Result<Intent, ProviderError> {
        let since = now.since(order.asked_at);
        if since >= SETTLES {
            return Err(ProviderError::Refused(
                "nothing was heard of the push to the phone, and a second one might be paid twice"
                    .to_owned(),
            ));
        }
        if since >= ASKED_NOW {
            return Ok(intent(order, "", Standing::Processing));
        }
        let body = self.push_body(order, now)?;
        let reply = self.post(PUSH, &body, &self.call(now)).await?;
        Ok(intent(order, &push::name_in(&reply)?, Standing::Processing))
    }

    /// Asks what became of the push of this name.
    async fn query(
        &self,
        order: &Order,
        name: &str,
        now: Instant,
    ) -> Result<Intent, ProviderError> {
        let body = self.query_body(name, now);
        let reply = self.post(QUERY, &body, &self.call(now)).await?;
        Ok(intent(order, name, push::standing_in(&reply, name)?))
    }

    /// Where an order stands; that there is none is a standing, too.
    async fn look(&self, order: &Order, now: Instant) -> Result<Intent, ProviderError> {
        match name_of(order) {
            Some(name) => self.query(order, name, now).await,
            None if now.since(order.asked_at) < SETTLES => {
                Ok(intent(order, "", Standing::Processing))
            }
            // A second push might be paid twice: this attempt is over, and a late answer to it has an
            // address of its own.
            None => Ok(intent(order, "", Standing::Ended(PaymentStatus::Failed))),
        }
    }

    async fn reverse(
        &self,
        refund: &RefundOrder,
        now: Instant,
    ) -> Result<RefundAnswer, ProviderError> {
        let body = self.reversal_body(refund, now)?;
        let reply = self.post(REVERSAL, &body, &self.call(now)).await?;
        Ok(submitted(Some(reversal::name_in(&reply)?)))
    }

    /// Asks again for a reversal of which nothing was heard, so that its callback tells.
    async fn reverse_again(
        &self,
        refund: &RefundOrder,
        now: Instant,
    ) -> Result<RefundAnswer, ProviderError> {
        // That asking again is refused says nothing about the first time.
        self.reverse(refund, now).await.map_err(|error| match error {
            ProviderError::Refused(why) => ProviderError::Unclear(why),
            other => other,
        })
    }
}

fn submitted(reference: Option<String>) -> RefundAnswer {
    RefundAnswer { reference, state: RefundState::Submitted, reason: None }
}

impl Provider for Mpesa {
    fn name(&self) -> &'static str {
        NAME
    }

    fn refunds_parts(&self) -> bool {
        false
    }

    fn accepts(
        &self,
        amount: i64,
        currency: Currency,
        method: &str,
    ) -> Result<(), (&'static str, String)> {
        phone::accepts(amount, currency, method)
    }

    fn order<'a>(
        &'a self,
        order: &'a Order,
        now: Instant,
    ) -> BoxFuture<'a, Result<Intent, ProviderError>> {
        Box::pin(async move {
            match name_of(order) {
                Some(name) => self.query(order, name, now).await,
                None => self.push(order, now).await,
            }
        })
    }

    fn fetch<'a>(
        &'a self,
        order: &'a Order,
        now: Instant,
    ) -> BoxFuture<'a, Result<Option<Intent>, ProviderError>> {
        Box::pin(async move { Ok(Some(self.look(order, now).await?)) })
    }

    fn capture<'a>(
        &'a self,
        order: &'a Order,
        now: Instant,
    ) -> BoxFuture<'a, Result<Intent, ProviderError>> {
        Box::pin(self.look(order, now))
    }

    fn cancel<'a>(
        &'a self,
        order: &'a Order,
        now: Instant,
    ) -> BoxFuture<'a, Result<Intent, ProviderError>> {
        Box::pin(self.look(order, now))
    }

    fn refund<'a>(
        &'a self,
        refund: &'a RefundOrder,
        now: Instant,
    ) -> BoxFuture<'a, Result<RefundAnswer, ProviderError>> {
        Box::pin(async move {
            match refund.asked_at {
                // It may be at work: a second one would be refused, and look like a failure.
                Some(at) if now.since(at) < SETTLES => Ok(submitted(refund.reference.clone())),
                Some(_) => self.reverse_again(refund, now).await,
                None => match self.reverse(refund, now).await {
                    // Its callback tells, or the next one's.
                    Err(ProviderError::Unclear(_)) => Ok(submitted(None)),
                    answer => answer,
                },
            }
        })
    }

    fn fetch_refund<'a>(
        &'a self,
        refund: &'a RefundOrder,
        now: Instant,
    ) -> BoxFuture<'a, Result<RefundAnswer, ProviderError>> {
        Box::pin(async move {
            if refund.state == RefundState::Succeeded {
                let (reference, state) = (refund.reference.clone(), refund.state);
                return Ok(RefundAnswer { reference, state, reason: None });
            }
            if refund.asked_at.is_some_and(|at| now.since(at) < SETTLES) {
                return Ok(submitted(refund.reference.clone()));
            }
            if now.since(refund.requested_at) > GIVES_UP {
                let reason = Some("nothing was heard of the reversal for a day".to_owned());
                let reference = refund.reference.clone();
                return Ok(RefundAnswer { reference, state: RefundState::Failed, reason });
            }
            self.reverse_again(refund, now).await
        })
    }
}

#[cfg(test)]
mod tests;
