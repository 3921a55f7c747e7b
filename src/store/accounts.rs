//! Accounts: who a caller is. An e-mail address, in lower case, belongs to one account. Whoever
//! left has none any more: their row stays, for the bookings that name it, and nobody finds it.

use super::audit::{NewAudit, insert_audit};
use super::jobs::{NewJob, insert_job};
use super::keys::{Created, claim_key};
use super::list::{Statement, Value, rows};
use super::{Store, StoreError, read, write};
use domain::command::Key;
use domain::{Instant, UserId};
use sqlx::FromRow;
use std::str::FromStr;
use uuid::Uuid;

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Guest,
    Host,
    Admin,
}

impl Role {
    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Host => "host",
            Self::Admin => "admin",
        }
    }
}

/// The text names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be guest, host or admin")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let roles = [Self::Guest, Self::Host, Self::Admin];
        roles.into_iter().find(|role| role.name() == text).ok_or(UnknownRole)
    }
}

/// A person who can sign in.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: UserId,
    /// In lower case.
    pub email: String,
    pub password_hash: String,
    pub first_name: String,
    pub last_name: String,
    pub role: Role,
    /// When somebody proved to read the address's mail.
    pub verified_at: Option<Instant>,
    /// Counts the changes of what the account shows, from 1.
    pub version: i64,
    pub created_at: Instant,
}

/// A place in the list of accounts, the newest first.
pub type AccountCursor = (Instant, UserId);

#[derive(FromRow)]
struct AccountRow {
    account_id: Uuid,
    email: String,
    password_hash: String,
    first_name: String,
    last_name: String,
    role: String,
    verified_at: Option<i64>,
    version: i64,
    created_at: i64,
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: UserId(row.account_id),
            email: row.email,
            password_hash: row.password_hash,
            first_name: row.first_name,
            last_name: row.last_name,
            role: row.role.parse().map_err(|_| StoreError::Corrupt("account.role"))?,
            verified_at: row.verified_at.map(Instant::from_micros),
            version: row.version,
            created_at: Instant::from_micros(row.created_at),
        })
    }
}

const INSERT: &str = "insert into account (account_id, email, password_hash, first_name, \
     last_name, role, verified_at, version, created_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const BY_EMAIL: &str = "select * from account where email = $1 and deleted_at is null";

const BY_ID: &str = "select * from account where account_id = $1 and deleted_at is null";

const CHANGE: &str = "update account set first_name = $3, last_name = $4, role = $5, \
     version = version + 1 where account_id = $1 and version = $2 and deleted_at is null";

/// Up to `limit` accounts, the newest first, from behind `after` on.
pub fn list(after: Option<AccountCursor>, limit: u32) -> Statement {
    let after = after.map(|(at, id)| (at, id.0));
    Statement::new("select * from account where deleted_at is null").page(
        ["account", "account_id"],
        after,
        limit,
    )
}

impl Store {
    /// Inserts an account, with the caller's key and the job of its first mail in the same
    /// transaction. The address is stored in lower case; one that is taken is
    /// [`StoreError::EmailTaken`], and then the key is free.
    pub async fn insert_account(
        &self,
        account: Account,
        key: Option<Key>,
        mail: Option<NewJob>,
    ) -> Result<Created<UserId>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let made = account.id.0;
            let known = write!(store, |on| {
                let known =
                    claim_key!(on, key, None::<Uuid>, made, None::<i64>, account.created_at);
                if known.is_none() {
                    sqlx::query(INSERT)
                        .bind(made)
                        .bind(account.email.to_lowercase())
                        .bind(&account.password_hash)
                        .bind(&account.first_name)
                        .bind(&account.last_name)
                        .bind(account.role.name())
                        .bind(account.verified_at.map(Instant::as_micros))
                        .bind(account.version)
                        .bind(account.created_at.as_micros())
                        .execute(&mut *on)
                        .await
                        .map_err(email_taken)?;
                    if let Some(mail) = &mail {
                        insert_job!(on, mail);
                    }
                }
                known
            })?;
            Ok(Created::of(known, UserId))
        })
        .await
    }

    /// The account of this address, in any case.
    pub async fn account_by_email(&self, email: &str) -> Result<Option<Account>, StoreError> {
        let (store, email) = (self.clone(), email.to_lowercase());
        self.spawn(async move {
            let row: Option<AccountRow> = read!(store, |on| {
                sqlx::query_as(BY_EMAIL).bind(&email).fetch_optional(on).await?
            });
            row.map(Account::try_from).transpose()
        })
        .await
    }

    /// The account of this id.
    pub async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let row: Option<AccountRow> =
                read!(store, |on| sqlx::query_as(BY_ID).bind(id.0).fetch_optional(on).await?);
            row.map(Account::try_from).transpose()
        })
        .await
    }

    /// The accounts of [`list`].
    pub async fn accounts(
        &self,
        after: Option<AccountCursor>,
        limit: u32,
    ) -> Result<Vec<Account>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let statement = list(after, limit);
            let rows: Vec<AccountRow> = rows!(store, statement);
            rows.into_iter().map(Account::try_from).collect()
        })
        .await
    }

    /// Writes the names and the role of an account that was read in this version, and the record
    /// of it; says whether it was still in that version.
    pub async fn change_account(
        &self,
        account: Account,
        audit: Vec<NewAudit>,
    ) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                let changed = sqlx::query(CHANGE)
                    .bind(account.id.0)
                    .bind(account.version)
                    .bind(&account.first_name)
                    .bind(&account.last_name)
                    .bind(account.role.name())
                    .execute(&mut *on)
                    .await?;
                let current = changed.rows_affected() == 1;
                if current {
                    for audit in &audit {
                        insert_audit!(on, audit);
                    }
                }
                current
            })
        })
        .await
    }
}

fn email_taken(error: sqlx::Error) -> StoreError {
    let taken = error.as_database_error().is_some_and(|database| {
        database.is_unique_violation()
            && (database.constraint() == Some("account_email_key")
                || database.message().contains("account.email"))
    });
    if taken { StoreError::EmailTaken } else { error.into() }
}
