//! Idempotency keys: a caller's word for one request, stored in the transaction of its effect.
//!
//! Keys of bookings are written by the commit and read by loading; here are the keys of what is
//! made outside a calendar, and the end of all keys after a day.

use super::{Store, StoreError, booking_row, read, write};
use domain::Instant;
use domain::command::{Key, KeyUse};
use domain::keys::KEY_TTL;
use sqlx::FromRow;
use std::sync::Arc;
use uuid::Uuid;

/// What became of a wish to make something under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created<T> {
    /// It was made.
    New,
    /// The same request had made this before; nothing was written.
    Known(T),
    /// The key stands for another request; nothing was written.
    KeyReused,
}

impl<T> Created<T> {
    pub(super) fn of(known: Option<Option<Uuid>>, id: fn(Uuid) -> T) -> Self {
        match known {
            None => Self::New,
            Some(Some(resource)) => Self::Known(id(resource)),
            Some(None) => Self::KeyReused,
        }
    }
}

pub(super) const CLAIM: &str = "insert into idempotency_key (caller_id, key, request_hash, \
     property_id, resource_id, seq, created_at) values ($1, $2, $3, $4, $5, $6, $7) \
     on conflict (caller_id, key) do nothing";

pub(super) const FIND: &str =
    "select request_hash, resource_id from idempotency_key where caller_id = $1 and key = $2";

const PURGE: &str = "delete from idempotency_key where created_at < $1";

#[derive(FromRow)]
pub(super) struct Claimed {
    request_hash: Vec<u8>,
    resource_id: Option<Uuid>,
}

impl Claimed {
    /// What the key made before, if it was used for this very request.
    pub(super) fn resource(&self, request: [u8; 32]) -> Result<Option<Uuid>, StoreError> {
        let same = booking_row::hash(&self.request_hash)? == request;
        Ok(self.resource_id.filter(|_| same))
    }
}

/// Writes the key of something that is made in this transaction. Gives `None` when it was free (or
/// there is none), else what the same request made before, if it is the same request.
macro_rules! claim_key {
    ($on:expr, $key:expr, $property:expr, $resource:expr, $seq:expr, $at:expr) => {
        match &$key {
            None => None,
            Some(key) => {
                let inserted = sqlx::query($crate::store::keys::CLAIM)
                    .bind(key.caller.0)
                    .bind(&*key.text)
                    .bind(&key.request[..])
                    .bind($property)
                    .bind($resource)
                    .bind($seq)
                    .bind($at.as_micros())
                    .execute(&mut *$on)
                    .await?;
                if inserted.rows_affected() == 1 {
                    None
                } else {
                    let claimed: $crate::store::keys::Claimed =
                        sqlx::query_as($crate::store::keys::FIND)
                            .bind(key.caller.0)
                            .bind(&*key.text)
                            .fetch_one(&mut *$on)
                            .await?;
                    Some(claimed.resource(key.request)?)
                }
            }
        }
    };
}

pub(super) use claim_key;

const FORGET: &str =
    "delete from idempotency_key where caller_id = $1 and key = $2 and created_at < $3";

impl Store {
    /// What a key stands for: [`Created::New`] where it is free.
    pub async fn made_under(&self, key: &Key) -> Result<Created<Uuid>, StoreError> {
        let (store, key) = (self.clone(), key.clone());
        self.spawn(async move {
            let claimed: Option<Claimed> = read!(store, |on| {
                sqlx::query_as(FIND).bind(key.caller.0).bind(&*key.text).fetch_optional(on).await?
            });
            let known = claimed.map(|claimed| claimed.resource(key.request)).transpose()?;
            Ok(Created::of(known, |id| id))
        })
        .await
    }

    /// Forgets a key that was used more than a day before it is used now; says whether it was.
    pub async fn forget_old_key(&self, used: &KeyUse) -> Result<bool, StoreError> {
        let store = self.clone();
        let (caller, text) = (used.key.caller.0, Arc::clone(&used.key.text));
        let before = used.at.minus(KEY_TTL).as_micros();
        self.spawn(async move {
            write!(store, |on| {
                let forgotten =
                    sqlx::query(FORGET).bind(caller).bind(&*text).bind(before).execute(on).await?;
                forgotten.rows_affected() == 1
            })
        })
        .await
    }

    /// Forgets the keys that are older than a day; says how many.
    pub async fn purge_keys(&self, now: Instant) -> Result<u64, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let before = now.minus(KEY_TTL).as_micros();
            write!(store, |on| {
                sqlx::query(PURGE).bind(before).execute(on).await?.rows_affected()
            })
        })
        .await
    }
}
