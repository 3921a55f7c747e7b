//! The record of who did what to accounts, from where and when. A row is written in the
//! transaction of what it tells of, and stays.

use super::{Store, StoreError, write};
use domain::{Instant, UserId};
use std::net::IpAddr;
use uuid::Uuid;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    SignedIn,
    SignInFailed,
    /// A refresh token came back that had been used: its session was ended.
    RefreshReused,
    ProfileChanged,
    RoleChanged,
    AddressVerified,
    PasswordReset,
    AccountDeleted,
}

impl Deed {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::RefreshReused => "refresh_reused",
            Self::ProfileChanged => "profile_changed",
            Self::RoleChanged => "role_changed",
            Self::AddressVerified => "address_verified",
            Self::PasswordReset => "password_reset",
            Self::AccountDeleted => "account_deleted",
        }
    }
}

/// A line of the record.
#[derive(Clone, Debug)]
pub struct NewAudit {
    pub id: Uuid,
    pub at: Instant,
    pub deed: Deed,
    /// Who did it, where somebody was signed in.
    pub actor: Option<UserId>,
    /// Whose account it is about, where there is one.
    pub subject: Option<UserId>,
    /// From where, as far as the server sees.
    pub address: Option<IpAddr>,
    /// JSON of what changed, where it makes sense. Never a password or a token.
    pub before: Option<String>,
    pub after: Option<String>,
}

pub(super) const INSERT: &str = "insert into audit (audit_id, at, kind, actor_id, subject_id, \
     address, before_json, after_json) values ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Writes a line in the transaction of what it tells of.
macro_rules! insert_audit {
    ($on:expr, $audit:expr) => {
        sqlx::query($crate::store::audit::INSERT)
            .bind($audit.id)
            .bind($audit.at.as_micros())
            .bind($audit.deed.name())
            .bind($audit.actor.map(|actor| actor.0))
            .bind($audit.subject.map(|subject| subject.0))
            .bind($audit.address.map(|address| address.to_string()))
            .bind(&$audit.before)
            .bind(&$audit.after)
            .execute(&mut *$on)
            .await?
    };
}

pub(super) use insert_audit;

impl Store {
    /// Records something that changed nothing else.
    pub async fn record(&self, audit: NewAudit) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                insert_audit!(on, audit);
            })
        })
        .await
    }
}
