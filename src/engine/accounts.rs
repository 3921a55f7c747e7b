//! Accounts: registering, signing in, one's own profile.

use super::error::Fields;
use super::{Engine, Error};
use crate::auth::Caller;
use crate::auth::passwords::NewPassword;
use crate::auth::policy::{Action, Ownership, allow};
use crate::auth::tokens::LIFETIME;
use crate::store::StoreError;
use crate::store::accounts::{Account, Role};
use crate::store::keys::Created;
use domain::UserId;
use domain::command::Key;
use domain::refusal::Refusal;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
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

/// A signed-in caller's token.
#[derive(Debug)]
pub struct Session {
    pub access_token: String,
    pub expires_in: Duration,
}

const MAX_EMAIL: usize = 254;
const MAX_NAME: usize = 100;

impl Engine {
    /// Makes an account for a guest or a host; never for an admin.
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
        self.create_account(registration, key).await
    }

    /// Makes an account of any role: for the command line, which no policy asks. The flag says
    /// whether a key's earlier answer is repeated.
    pub async fn create_account(
        &self,
        registration: Registration,
        key: Option<Arc<str>>,
    ) -> Result<(Account, bool), Error> {
        let mut fields = Fields::default();
        let email = registration.email.trim().to_owned();
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
            created_at: self.clock.now(),
        };
        match self.store.insert_account(account.clone(), key).await {
            Ok(Created::New) => Ok((account, false)),
            Ok(Created::Known(id)) => {
                Ok((self.store.account(id).await?.ok_or(Error::NotFound)?, true))
            }
            Ok(Created::KeyReused) => Err(Refusal::KeyReused.into()),
            Err(StoreError::EmailTaken) => Err(Error::EmailTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// Signs in. Unknown accounts take as long and answer as wrong passwords do.
    pub async fn login(&self, email: &str, password: SecretString) -> Result<Session, Error> {
        allow(Action::Login, None, Ownership::Unowned)?;
        let account = self.store.account_by_email(email.trim()).await?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let right = self.passwords.verify(password, hash).await?;
        let account = account.filter(|_| right).ok_or(Error::BadCredentials)?;
        let session = self.ids.fresh();
        let now = self.clock.now();
        let access_token = self.tokens.issue(account.id, account.role, session, now);
        Ok(Session { access_token, expires_in: LIFETIME })
    }

    /// The caller's own account.
    pub async fn profile(&self, caller: &Caller) -> Result<Account, Error> {
        allow(Action::ReadProfile, Some(caller), Ownership::Own)?;
        self.store.account(caller.id).await?.ok_or(Error::NotFound)
    }
}

/// Whether the text looks like one address: the rest is for the mail to prove.
fn is_address(text: &str) -> bool {
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
