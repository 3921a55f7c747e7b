//! The access token of each provider that lets nobody have two: all nodes share one row.
//!
//! With some providers every new token ends the one before, so nodes that fetched their own would
//! put each other out. Whoever needs a newer one first claims the fetching of it by a
//! compare-and-set on the token that did not serve; the others wait for the row to change. A claim
//! ends by itself, so a node that died with one holds nobody up for longer.
//!
//! Tokens are stored as they are. They have to be sent as they are, so that a digest would not do;
//! a key for them would lie beside the database's address and keep nothing from whoever has that;
//! and a token lives for an hour at most and moves no money alone: every request that does also
//! bears a secret which is not stored at all.

use super::{Store, StoreError, read, write};
use domain::Instant;
use secrecy::{ExposeSecret, SecretString};
use sqlx::FromRow;

/// A token, which no log shows.
#[derive(Clone, Debug)]
pub struct ProviderToken {
    pub token: SecretString,
    /// When the provider will no longer take it, unless it gave a newer one before.
    pub expires_at: Instant,
}

#[derive(FromRow)]
struct Columns {
    token: String,
    expires_at: i64,
}

const BY_PROVIDER: &str =
    "select token, expires_at from provider_token where provider = $1 and token is not null";

const CLAIM: &str = "insert into provider_token (provider, refreshing_until) values ($1, $4) \
     on conflict (provider) do update set refreshing_until = excluded.refreshing_until \
     where provider_token.token is not distinct from $2 \
     and provider_token.refreshing_until <= $3";

const SET: &str = "insert into provider_token (provider, token, expires_at) values ($1, $2, $3) \
     on conflict (provider) do update set token = excluded.token, \
     expires_at = excluded.expires_at, refreshing_until = 0";

impl Store {
    /// The newest token that any node had of this provider, however old.
    pub async fn provider_token(
        &self,
        provider: &'static str,
    ) -> Result<Option<ProviderToken>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let row: Option<Columns> = read!(store, |on| {
                sqlx::query_as(BY_PROVIDER).bind(provider).fetch_optional(on).await?
            });
            Ok(row.map(|row| ProviderToken {
                token: row.token.into(),
                expires_at: Instant::from_micros(row.expires_at),
            }))
        })
        .await
    }

    /// Claims the fetching of a token that follows the one that was `seen`. False, and nothing is
    /// claimed, where there is another by now, or somebody else's claim that has not ended `now`;
    /// this claim ends at `until`, or with [`Store::set_provider_token`].
    pub async fn begin_token_refresh(
        &self,
        provider: &'static str,
        seen: Option<&SecretString>,
        now: Instant,
        until: Instant,
    ) -> Result<bool, StoreError> {
        let (store, seen) = (self.clone(), seen.cloned());
        self.spawn(async move {
            let claimed = write!(store, |on| {
                sqlx::query(CLAIM)
                    .bind(provider)
                    .bind(seen.as_ref().map(ExposeSecret::expose_secret))
                    .bind(now.as_micros())
                    .bind(until.as_micros())
                    .execute(&mut *on)
                    .await?
                    .rows_affected()
            })?;
            Ok(claimed == 1)
        })
        .await
    }

    /// Writes down the newest token and ends the claim, whoever's it is: a node that comes after
    /// its own claim has ended may so replace a token that is newer at the provider. That one is
    /// then refused, and fetched anew.
    pub async fn set_provider_token(
        &self,
        provider: &'static str,
        token: SecretString,
        expires_at: Instant,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(SET)
                    .bind(provider)
                    .bind(token.expose_secret())
                    .bind(expires_at.as_micros())
                    .execute(&mut *on)
                    .await?;
            })
        })
        .await
    }
}
