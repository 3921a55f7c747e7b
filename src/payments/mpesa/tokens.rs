//! The access token: one for all nodes, because each new one ends the last.
//!
//! The newest stands in the store. Whoever finds it old, or was told that it is not good, looks
//! whether another stands there by now, and fetches the next if not: one call of a node at a time,
//! and by a claim in the store one node at a time. The others wait until the row changes. A fetch
//! that failed leaves its claim to end by itself, which also spares a Daraja that is in trouble.
//!
//! Nothing that goes wrong here has moved money: it is [`ProviderError::Busy`], always.

use super::ProviderError;
use super::call::Call;
use super::line::{Line, Reply};
use crate::payments::CALL_WITHIN;
use crate::store::provider_tokens::ProviderToken;
use crate::store::{Store, StoreError};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::Mutex;

/// The name of the tokens in the store.
const PROVIDER: &str = super::NAME;
/// How long before its end a token is replaced, so that none ends on its way.
const BEFORE_END: Duration = Duration::from_secs(60);
/// How long a claim lasts that nobody ends: no fetch takes longer.
const CLAIM: Duration = CALL_WITHIN;
/// How often a node looks whether another one's fetch is done.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often one request is sent, each time with another token.
const MOST_TRIES: u32 = 3;
/// How many tokens one call fetches at most.
const MOST_FETCHED: u32 = 2;
/// The longest life of a token that is believed, in seconds.
const LONGEST_LIFE_SECONDS: u64 = 24 * 3_600;
const LONGEST_TOKEN: usize = 4_096;

/// A token, and whether this call fetched it.
struct Had {
    token: SecretString,
    is_new: bool,
}

/// Whoever has tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    store: Store,
    consumer_key: SecretString,
    consumer_secret: SecretString,
    /// Held by the one call of this node that looks for a new token.
    flight: Mutex<()>,
}

impl Tokens {
    pub(super) fn new(
        store: Store,
        consumer_key: SecretString,
        consumer_secret: SecretString,
    ) -> Self {
        Self { store, consumer_key, consumer_secret, flight: Mutex::new(()) }
    }

    /// Sends a request with a token that Daraja takes. One that it does not take was not looked
    /// at, so sending it again with another token is no repetition.
    pub(super) async fn post(
        &self,
        line: &Line,
        path: &str,
        body: &Value,
        call: &Call,
    ) -> Result<Reply, ProviderError> {
        let (mut refused, mut fetched) = (None, 0);
        for _ in 0..MOST_TRIES {
            let Had { token, is_new } = self.good(line, refused.as_ref(), call).await?;
            let reply = line.post(path, body, &token, call).await?;
            if !reply.refuses_token() {
                return Ok(reply);
            }
            fetched += u32::from(is_new);
            if fetched == MOST_FETCHED {
                break;
            }
            refused = Some(token);
        }
        Err(ProviderError::Busy("Daraja takes none of its own tokens".to_owned()))
    }

    /// A token that should be good, and is not the one that was refused.
    async fn good(
        &self,
        line: &Line,
        refused: Option<&SecretString>,
        call: &Call,
    ) -> Result<Had, ProviderError> {
        let is_good = |stored: &ProviderToken| {
            let is_refused = refused.is_some_and(|token| is_same(token, &stored.token));
            !is_refused && call.now().plus(BEFORE_END) < stored.expires_at
        };
        if let Some(stored) = self.stored(call).await?.filter(is_good) {
            return Ok(Had { token: stored.token, is_new: false });
        }
        let _flight = call.bounded(self.flight.lock()).await?;
        loop {
            let stored = self.stored(call).await?;
            if let Some(stored) = stored.as_ref().filter(|stored| is_good(stored)) {
                return Ok(Had { token: stored.token.clone(), is_new: false });
            }
            let (seen, now) = (stored.as_ref().map(|stored| &stored.token), call.now());
            let claiming = self.store.begin_token_refresh(PROVIDER, seen, now, now.plus(CLAIM));
            if call.bounded(claiming).await?.map_err(unkept)? {
                let token = self.fetch(line, call).await?;
                return Ok(Had { token, is_new: true });
            }
            call.bounded(tokio::time::sleep(LOOK_EVERY)).await?;
        }
    }

    async fn stored(&self, call: &Call) -> Result<Option<ProviderToken>, ProviderError> {
        call.bounded(self.store.provider_token(PROVIDER)).await?.map_err(unkept)
    }

    async fn fetch(&self, line: &Line, call: &Call) -> Result<SecretString, ProviderError> {
        let asked_at = call.now();
        let had = line.token(&self.consumer_key, &self.consumer_secret, call).await;
        let reply = had.map_err(|error| match error {
            // Whatever became of it, nothing was asked with that token.
            ProviderError::Unclear(why) => ProviderError::Busy(format!("no token: {why}")),
            other => other,
        })?;
        let none = || ProviderError::Busy(format!("no token: {}", reply.words()));
        let (token, life) = read(&reply).ok_or_else(none)?;
        let expires_at = asked_at.plus(life);
        let keeping = self.store.set_provider_token(PROVIDER, token.clone(), expires_at);
        call.bounded(keeping).await?.map_err(unkept)?;
        Ok(token)
    }
}

/// The token of an answer, and how long it lives.
fn read(reply: &Reply) -> Option<(SecretString, Duration)> {
    let text = reply.answer.access_token.as_deref().filter(|_| reply.status == 200)?;
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let seconds: u64 = reply.answer.expires_in.as_ref()?.0.parse().ok()?;
    let life = Duration::from_secs(seconds.min(LONGEST_LIFE_SECONDS));
    (is_plain && text.len() <= LONGEST_TOKEN).then(|| (text.into(), life))
}

/// Two tokens of our own are compared; nobody measures how long that takes.
fn is_same(a: &SecretString, b: &SecretString) -> bool {
    a.expose_secret() == b.expose_secret()
}

fn unkept(error: StoreError) -> ProviderError {
    ProviderError::Busy(format!("tokens are kept in the database: {error}"))
}
