//! Sessions: what begins with a sign-in and lives on refresh tokens, each good for one use.
//!
//! Tokens are stored as hashes. Used ones stay as long as their session, so that one that comes
//! back is recognised: where it is no retry, somebody has copied it, and the session ends. Statements take rows in the
//! order account, session, token, so that none waits for another in a circle.

use super::accounts::Role;
use super::audit::{NewAudit, insert_audit};
use super::{Database, Store, StoreError, read, write};
use domain::{Instant, UserId};
use sqlx::PgPool;
use uuid::Uuid;

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// A session that begins, with its first refresh token.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub id: Uuid,
    pub account: UserId,
    pub refresh: TokenHash,
    pub created_at: Instant,
    pub expires_at: Instant,
}

/// A session that begins, for whoever still has this password.
#[derive(Debug)]
pub(super) struct SignIn {
    pub(super) session: NewSession,
    pub(super) password_hash: String,
    pub(super) audit: NewAudit,
}

/// One refresh token for the next.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    pub used: TokenHash,
    /// The one successor of `used`.
    pub next: TokenHash,
    pub now: Instant,
    /// A token that was used later than this may be sent again.
    pub retried_since: Instant,
    /// When the session ends if nobody refreshes it again.
    pub expires_at: Instant,
}

/// What became of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// The next one is good now, be it by a retry. The role is the account's of this moment.
    Rotated { session: Uuid, account: UserId, role: Role },
    /// It had been used before, and this is no retry: its session has been ended.
    Reused(Uuid),
    /// Nobody's, or that of a session that is over.
    Unknown,
}

/// The sign-in whole, in one statement, so that the server answers once. It holds the account's row
/// to its end, though it changes nothing there: a password that is reset meanwhile leaves no session
/// behind that the old one began.
const SIGN_IN_POSTGRES: &str = "with held as ( \
         update account set version = version \
         where account_id = $1 and password_hash = $2 and deleted_at is null \
         returning account_id \
     ), begun as ( \
         insert into session (session_id, account_id, created_at, refreshed_at, expires_at, ended_at) \
         select $3::uuid, account_id, $4::bigint, $4::bigint, $5::bigint, null from held \
     ), tokens as ( \
         insert into refresh_token (token_hash, session_id, issued_at, used_at) \
         select $6::bytea, $3::uuid, $4::bigint, null from held \
     ), told as ( \
         insert into audit (audit_id, at, kind, actor_id, subject_id, address, before_json, after_json) \
         select $7::uuid, $8::bigint, $9::text, $10::uuid, $11::uuid, $12::text, $13::text, $14::text from held \
     ) \
     select count(*) from held";

pub(super) const INSERT: &str = "insert into session (session_id, account_id, created_at, refreshed_at, \
     expires_at, ended_at) values ($1, $2, $3, $3, $4, null)";

pub(super) const INSERT_TOKEN: &str = "insert into refresh_token (token_hash, session_id, issued_at, used_at) \
     values ($1, $2, $3, null)";

const FIND: &str = "select session.session_id, account.account_id, account.role \
     from refresh_token join session using (session_id) join account using (account_id) \
     where refresh_token.token_hash = $1 and account.deleted_at is null";

/// Also what makes two requests of one session take turns.
const PROLONG: &str = "update session set refreshed_at = $2, expires_at = $3 \
     where session_id = $1 and ended_at is null and expires_at > $2";

const USE: &str = "update refresh_token set used_at = $2 where token_hash = $1 and used_at is null";

/// Whether the use of a token is retried: it was used of late, and its successor never.
const RETRIED: &str = "select count(*) from refresh_token as used \
     join refresh_token as next using (session_id) where used.token_hash = $1 \
     and used.used_at > $2 and next.token_hash = $3 and next.used_at is null";

const END: &str = "update session set ended_at = $2 where session_id = $1 and ended_at is null";

pub(super) const END_ALL: &str = "update session set ended_at = $2 \
     where account_id = $1 and ended_at is null returning session_id";

const ENDED: &str = "select session_id, ended_at from session where ended_at > $1";

const PURGE: &str = "delete from session where ended_at < $1 or expires_at < $1";

impl SignIn {
    /// Says whether the password is still its account's, and was therefore signed in with.
    async fn write(&self, pool: &PgPool) -> Result<bool, StoreError> {
        let Self { session, password_hash, audit } = self;
        let held: i64 = sqlx::query_scalar(SIGN_IN_POSTGRES)
            .bind(session.account.0)
            .bind(password_hash)
            .bind(session.id)
            .bind(session.created_at.as_micros())
            .bind(session.expires_at.as_micros())
            .bind(&session.refresh[..])
            .bind(audit.id)
            .bind(audit.at.as_micros())
            .bind(audit.deed.name())
            .bind(audit.actor.map(|actor| actor.0))
            .bind(audit.subject.map(|subject| subject.0))
            .bind(audit.address.map(|address| address.to_string()))
            .bind(&audit.before)
            .bind(&audit.after)
            .fetch_one(pool)
            .await?;
        Ok(held == 1)
    }
}

impl Store {
    /// Begins a session for the holder of this password; says whether it is still theirs.
    pub async fn start_session(
        &self,
        session: NewSession,
        password_hash: String,
        audit: NewAudit,
    ) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let wanted = SignIn { session, password_hash, audit };
            match &store.database {
                Database::Sqlite(sqlite) => sqlite.ride(wanted).await,
                Database::Postgres(postgres) => wanted.write(&postgres.pool).await,
            }
        })
        .await
    }

    /// Exchanges a refresh token for the next; a retry changes nothing. One that was used before
    /// otherwise ends its session, with `reuse` in the record under the account's name.
    pub async fn refresh_session(
        &self,
        exchange: Exchange,
        reuse: NewAudit,
    ) -> Result<Refreshed, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let Exchange { used, next, now, retried_since, expires_at } = exchange;
            let now = now.as_micros();
            write!(store, |on| {
                let found: Option<(Uuid, Uuid, String)> =
                    sqlx::query_as(FIND).bind(&used[..]).fetch_optional(&mut *on).await?;
                let Some((session, account, role)) = found else {
                    return Ok(Refreshed::Unknown);
                };
                let account = UserId(account);
                let role: Role = role.parse().map_err(|_| StoreError::Corrupt("account.role"))?;
                let prolonged = sqlx::query(PROLONG)
                    .bind(session)
                    .bind(now)
                    .bind(expires_at.as_micros())
                    .execute(&mut *on)
                    .await?;
                if prolonged.rows_affected() == 0 {
                    return Ok(Refreshed::Unknown);
                }
                let first_use =
                    sqlx::query(USE).bind(&used[..]).bind(now).execute(&mut *on).await?;
                if first_use.rows_affected() == 1 {
                    sqlx::query(INSERT_TOKEN)
                        .bind(&next[..])
                        .bind(session)
                        .bind(now)
                        .execute(&mut *on)
                        .await?;
                    return Ok(Refreshed::Rotated { session, account, role });
                }
                let retried: i64 = sqlx::query_scalar(RETRIED)
                    .bind(&used[..])
                    .bind(retried_since.as_micros())
                    .bind(&next[..])
                    .fetch_one(&mut *on)
                    .await?;
                if retried == 1 {
                    Refreshed::Rotated { session, account, role }
                } else {
                    sqlx::query(END).bind(session).bind(now).execute(&mut *on).await?;
                    let audit = NewAudit { subject: Some(account), ..reuse.clone() };
                    insert_audit!(on, audit);
                    Refreshed::Reused(session)
                }
            })
        })
        .await
    }

    /// Ends a session; one that is over stays as it is.
    pub async fn end_session(&self, id: Uuid, now: Instant) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(END).bind(id).bind(now.as_micros()).execute(on).await?;
            })
        })
        .await
    }

    /// The sessions that were ended after `since`, and when.
    pub async fn ended_sessions(&self, since: Instant) -> Result<Vec<(Uuid, Instant)>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let rows: Vec<(Uuid, i64)> = read!(store, |on| {
                sqlx::query_as(ENDED).bind(since.as_micros()).fetch_all(on).await?
            });
            Ok(rows.into_iter().map(|(id, at)| (id, Instant::from_micros(at))).collect())
        })
        .await
    }

    /// Forgets the sessions that were over before this, with their tokens; says how many.
    pub async fn purge_sessions(&self, before: Instant) -> Result<u64, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(PURGE).bind(before.as_micros()).execute(on).await?.rows_affected()
            })
        })
        .await
    }
}
