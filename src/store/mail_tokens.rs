//! Tokens that were sent by mail: who brings one back reads that mail. Each is stored as its hash,
//! is good until it expires, and is gone when it was used, together with its like.

use super::audit::{NewAudit, insert_audit};
use super::sessions::{END_ALL, TokenHash};
use super::{Store, StoreError, read, write};
use domain::{Instant, UserId};
use uuid::Uuid;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To prove that the account's address is its holder's.
    Verify,
    /// To set a new password.
    Reset,
}

impl Purpose {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
        }
    }
}

/// A password that was reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordReset {
    pub account: UserId,
    /// The sessions that ended with the old password.
    pub ended: Vec<Uuid>,
}

const INSERT: &str = "insert into mail_token (token_hash, account_id, purpose, expires_at) \
     values ($1, $2, $3, $4)";

const IS_GOOD: &str = "select count(*) from mail_token \
     where token_hash = $1 and purpose = $2 and expires_at > $3";

const USE: &str = "delete from mail_token \
     where token_hash = $1 and purpose = $2 and expires_at > $3 returning account_id";

const DROP_LIKE: &str = "delete from mail_token where account_id = $1 and purpose = $2";

pub(super) const DROP_ALL: &str = "delete from mail_token where account_id = $1";

const PURGE: &str = "delete from mail_token where expires_at < $1";

const VERIFY: &str = "update account set verified_at = coalesce(verified_at, $2) \
     where account_id = $1 and deleted_at is null";

/// Who reads the account's mail has proved the address, too.
const SET_PASSWORD: &str = "update account set password_hash = $2, \
     verified_at = coalesce(verified_at, $3) where account_id = $1 and deleted_at is null";

impl Store {
    /// Keeps the hash of a token that is about to be sent.
    pub async fn add_mail_token(
        &self,
        token: TokenHash,
        account: UserId,
        purpose: Purpose,
        expires_at: Instant,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(INSERT)
                    .bind(&token[..])
                    .bind(account.0)
                    .bind(purpose.name())
                    .bind(expires_at.as_micros())
                    .execute(on)
                    .await?;
            })
        })
        .await
    }

    /// Whether a token could be used now.
    pub async fn is_mail_token(
        &self,
        token: TokenHash,
        purpose: Purpose,
        now: Instant,
    ) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let found: i64 = read!(store, |on| {
                sqlx::query_scalar(IS_GOOD)
                    .bind(&token[..])
                    .bind(purpose.name())
                    .bind(now.as_micros())
                    .fetch_one(on)
                    .await?
            });
            Ok(found > 0)
        })
        .await
    }

    /// Uses a token to verify its account's address; says whether it was good.
    pub async fn verify_address(
        &self,
        token: TokenHash,
        now: Instant,
        audit: NewAudit,
    ) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let purpose = Purpose::Verify.name();
            write!(store, |on| {
                let used: Option<Uuid> = sqlx::query_scalar(USE)
                    .bind(&token[..])
                    .bind(purpose)
                    .bind(now.as_micros())
                    .fetch_optional(&mut *on)
                    .await?;
                let Some(account) = used else { return Ok(false) };
                sqlx::query(DROP_LIKE).bind(account).bind(purpose).execute(&mut *on).await?;
                let verified = sqlx::query(VERIFY)
                    .bind(account)
                    .bind(now.as_micros())
                    .execute(&mut *on)
                    .await?;
                let audit = NewAudit { subject: Some(UserId(account)), ..audit.clone() };
                insert_audit!(on, audit);
                verified.rows_affected() == 1
            })
        })
        .await
    }

    /// Uses a token to set a new password and ends all sessions of its account; nothing if it was
    /// not good.
    pub async fn reset_password(
        &self,
        token: TokenHash,
        password_hash: String,
        now: Instant,
        audit: NewAudit,
    ) -> Result<Option<PasswordReset>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let (purpose, at) = (Purpose::Reset.name(), now.as_micros());
            write!(store, |on| {
                let used: Option<Uuid> = sqlx::query_scalar(USE)
                    .bind(&token[..])
                    .bind(purpose)
                    .bind(at)
                    .fetch_optional(&mut *on)
                    .await?;
                let Some(account) = used else { return Ok(None) };
                let set = sqlx::query(SET_PASSWORD)
                    .bind(account)
                    .bind(&password_hash)
                    .bind(at)
                    .execute(&mut *on)
                    .await?;
                if set.rows_affected() == 0 {
                    return Ok(None);
                }
                sqlx::query(DROP_LIKE).bind(account).bind(purpose).execute(&mut *on).await?;
                let ended: Vec<Uuid> =
                    sqlx::query_scalar(END_ALL).bind(account).bind(at).fetch_all(&mut *on).await?;
                let account = UserId(account);
                let audit = NewAudit { subject: Some(account), ..audit.clone() };
                insert_audit!(on, audit);
                Some(PasswordReset { account, ended })
            })
        })
        .await
    }

    /// Forgets the tokens that expired before this; says how many.
    pub async fn purge_mail_tokens(&self, before: Instant) -> Result<u64, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(PURGE).bind(before.as_micros()).execute(on).await?.rows_affected()
            })
        })
        .await
    }
}
