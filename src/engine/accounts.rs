//! Accounts: registering, reading and changing one's own, and what administrators see.

use super::error::Fields;
use super::{Engine, Error};
use crate::auth::Caller;
use crate::auth::passwords::NewPassword;
use crate::auth::policy::{Action, Ownership, allow};
use crate::store::StoreError;
use crate::store::accounts::{Account, Role};
use crate::store::audit::{Deed, NewAudit};
use crate::store::jobs::{NewJob, Work};
use crate::store::keys::Created;
use domain::command::Key;
use domain::refusal::Refusal;
use domain::{Instant, JobId, UserId};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// What somebody says of themselves to register.
#[derive(Debug)]
pub struct Registration {
    pub email: String,
    pub password: String,
    pub first_name: String,
    pub last_name: String,
    pub role: Role,
}

/// What an account should say of its holder.
#[derive(Debug)]
pub struct Profile {
    pub first_name: String,
    pub last_name: String,
    pub role: Role,
}

/// The longest e-mail address, in bytes (RFC 5321, section 4.5.3.1.3).
pub(super) const MAX_EMAIL: usize = 254;
const MAX_NAME: usize = 100;

impl Engine {
    /// Makes an account for a guest or a host, never for an admin, and sends the mail that proves
    /// its address.
    pub async fn register(
        &self,
        registration: Registration,
        key: Option<Arc<str>>,
    ) -> Result<(Account, bool), Error> {
        allow(Action::Register, None, Ownership::Unowned)?;
        if registration.role == Role::Admin {
            let mut fields = Fields::default();
            fields.check(false, "/role", "must be guest or host");
            fields.done()?;
        }
        let made = self.insert_account(registration, key, Some(Work::VerifyMail)).await?;
        self.jobs.notify_one();
        Ok(made)
    }

    /// Makes an account of any role, without a mail: for the command line, which no policy asks.
    pub async fn create_account(&self, registration: Registration) -> Result<Account, Error> {
        Ok(self.insert_account(registration, None, None).await?.0)
    }

    /// The flag says whether a key's earlier answer is repeated.
    async fn insert_account(
        &self,
        registration: Registration,
        key: Option<Arc<str>>,
        mail: Option<Work>,
    ) -> Result<(Account, bool), Error> {
        let mut fields = Fields::default();
        // As it is stored, so that the first answer says what all others will.
        let email = registration.email.trim().to_lowercase();
        fields.check(is_address(&email), "/email", "must be an e-mail address");
        let first_name = fields.text(&registration.first_name, "/first_name", 1, MAX_NAME);
        let last_name = fields.text(&registration.last_name, "/last_name", 1, MAX_NAME);
        let password = fields.parse(NewPassword::parse(&registration.password), "/password");
        fields.done()?;
        let password = password.ok_or(Error::Fault("a password was neither right nor wrong"))?;
        // The password is no part of what the key remembers: a fast hash must not guard it.
        let role = registration.role;
        let words = format!("register {email} {first_name} {last_name} {}", role.name());
        let request = Sha256::digest(words.as_bytes()).into();
        let key = key.map(|text| Key { caller: UserId(Uuid::nil()), text, request });
        let password_hash = self.passwords.hash(password).await?;
        let account = Account {
            id: self.ids.user(),
            email,
            password_hash,
            first_name,
            last_name,
            role,
            verified_at: None,
            version: 1,
            created_at: self.clock.now(),
        };
        let mail = mail.map(|work| self.mail_job(work, account.id.0, String::new()));
        match self.store.insert_account(account.clone(), key, mail).await {
            Ok(Created::New) => Ok((account, false)),
            Ok(Created::Known(id)) => {
                Ok((self.store.account(id).await?.ok_or(Error::NotFound)?, true))
            }
            Ok(Created::KeyReused) => Err(Refusal::KeyReused.into()),
            Err(StoreError::EmailTaken) => Err(Error::EmailTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// A job that sends a mail.
    pub(super) fn mail_job(&self, work: Work, subject: Uuid, payload: String) -> NewJob {
        NewJob {
            id: JobId(self.ids.fresh()),
            work,
            subject,
            property: None,
            amount: 0,
            payload,
            run_at: self.clock.now(),
        }
    }

    /// An account that the caller may see.
    pub async fn user(&self, caller: &Caller, id: UserId) -> Result<Account, Error> {
        allow(Action::ReadProfile, Some(caller), Ownership::of_account(Some(caller), id))?;
        self.store.account(id).await?.ok_or(Error::NotFound)
    }

    /// All accounts for administrators, newest first, after a place in the list.
    pub async fn users(
        &self,
        caller: &Caller,
        after: Option<(Instant, Uuid)>,
        limit: usize,
    ) -> Result<Vec<Account>, Error> {
        allow(Action::ListUsers, Some(caller), Ownership::Unowned)?;
        let after = after.map(|(at, id)| (at, UserId(id)));
        Ok(self.store.accounts(after, super::rows(limit)).await?)
    }

    /// Changes names, and makes a guest a host where the account is the caller's own; nobody else
    /// changes a role. Access tokens that are out say the old role until they are refreshed.
    /// `change` makes the wished profile of the account as it is, or refuses it; it is asked again
    /// when somebody else was faster.
    pub async fn change_user<E: From<Error>>(
        &self,
        caller: &Caller,
        id: UserId,
        change: impl Fn(&Account) -> Result<Profile, E>,
        address: Option<IpAddr>,
    ) -> Result<Account, E> {
        let ownership = Ownership::of_account(Some(caller), id);
        allow(Action::ChangeProfile, Some(caller), ownership).map_err(Error::from)?;
        loop {
            let before = self.store.account(id).await.map_err(Error::from)?;
            let before = before.ok_or(Error::NotFound)?;
            let after = changed(&before, change(&before)?, ownership == Ownership::Own)?;
            if after.role != before.role {
                allow(Action::BecomeHost, Some(caller), ownership).map_err(Error::from)?;
            }
            let audit = self.changes(caller, address, &before, &after);
            if audit.is_empty() {
                return Ok(before);
            }
            if self.store.change_account(after.clone(), audit).await.map_err(Error::from)? {
                return Ok(Account { version: after.version + 1, ..after });
            }
        }
    }

    /// The record of a change: one line for names, one for a role.
    fn changes(
        &self,
        caller: &Caller,
        address: Option<IpAddr>,
        before: &Account,
        after: &Account,
    ) -> Vec<NewAudit> {
        let subject = Some(before.id);
        let line = |deed, before: serde_json::Value, after: serde_json::Value| NewAudit {
            before: Some(before.to_string()),
            after: Some(after.to_string()),
            ..self.audit(deed, Some(caller.id), subject, address)
        };
        let mut lines = Vec::new();
        let names = |account: &Account| json!({ "first_name": account.first_name, "last_name": account.last_name });
        if names(before) != names(after) {
            lines.push(line(Deed::ProfileChanged, names(before), names(after)));
        }
        if before.role != after.role {
            let role = |account: &Account| json!({ "role": account.role.name() });
            lines.push(line(Deed::RoleChanged, role(before), role(after)));
        }
        lines
    }

    /// A line of the record, without what changed.
    pub(super) fn audit(
        &self,
        deed: Deed,
        actor: Option<UserId>,
        subject: Option<UserId>,
        address: Option<IpAddr>,
    ) -> NewAudit {
        let (id, at) = (self.ids.fresh(), self.clock.now());
        NewAudit { id, at, deed, actor, subject, address, before: None, after: None }
    }
}

/// The account with the profile; refused by its fields where it cannot be so.
fn changed(before: &Account, profile: Profile, is_own: bool) -> Result<Account, Error> {
    let mut fields = Fields::default();
    let first_name = fields.text(&profile.first_name, "/first_name", 1, MAX_NAME);
    let last_name = fields.text(&profile.last_name, "/last_name", 1, MAX_NAME);
    let role = profile.role;
    let becomes_host = is_own && (before.role, role) == (Role::Guest, Role::Host);
    fields.check(
        role == before.role || becomes_host,
        "/role",
        "cannot be changed but from guest to host, by the guest",
    );
    fields.done()?;
    Ok(Account { first_name, last_name, role, ..before.clone() })
}

/// Whether the text looks like one address: the rest is for the mail to prove.
pub(super) fn is_address(text: &str) -> bool {
    let plain = text.len() <= MAX_EMAIL
        && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != ',' && c != ';');
    match text.rsplit_once('@') {
        Some((local, domain)) => {
            plain
                && !local.is_empty()
                && !local.contains('@')
                && domain.split('.').all(|label| !label.is_empty())
                && domain.contains('.')
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for (text, expected) in [
            ("ada@example.com", true),
            ("ada+tag@mail.example.com", true),
            ("ada", false),
            ("@example.com", false),
            ("ada@example", false),
            ("ada@.com", false),
            ("a b@example.com", false),
            ("a@b@example.com", false),
            ("ada@example.com,eve@example.com", false),
            ("ada\u{0}@example.com", false),
        ] {
            assert_eq!(is_address(text), expected, "{text}");
        }
    }
}
