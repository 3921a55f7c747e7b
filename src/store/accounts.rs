//! Accounts: who a caller is. An e-mail address, in lower case, belongs to one account.

use super::keys::{Created, claim_key};
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
    pub created_at: Instant,
}

#[derive(FromRow)]
struct AccountRow {
    account_id: Uuid,
    email: String,
    password_hash: String,
    first_name: String,
    last_name: String,
    role: String,
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
            created_at: Instant::from_micros(row.created_at),
        })
    }
}

const INSERT: &str = "insert into account (account_id, email, password_hash, first_name, \
     last_name, role, created_at) values ($1, $2, $3, $4, $5, $6, $7)";

const BY_EMAIL: &str = "select account_id, email, password_hash, first_name, last_name, role, \
     created_at from account where email = $1";

const BY_ID: &str = "select account_id, email, password_hash, first_name, last_name, role, \
     created_at from account where account_id = $1";

impl Store {
    /// Inserts an account, with the caller's key in the same transaction. The address is stored
    /// in lower case; one that is taken is [`StoreError::EmailTaken`], and then the key is free.
    pub async fn insert_account(
        &self,
        account: Account,
        key: Option<Key>,
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
                        .bind(account.created_at.as_micros())
                        .execute(&mut *on)
                        .await
                        .map_err(email_taken)?;
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
}

fn email_taken(error: sqlx::Error) -> StoreError {
    let taken = error.as_database_error().is_some_and(|database| {
        database.is_unique_violation()
            && (database.constraint() == Some("account_email_key")
                || database.message().contains("account.email"))
    });
    if taken { StoreError::EmailTaken } else { error.into() }
}
