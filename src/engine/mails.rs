//! What is proved by mail: an address, and the right to set a new password.
//!
//! A job makes the token, keeps its hash and sends it, so that the token itself is never stored;
//! a job that runs twice sends two that are both good until one is used. For now mail is written
//! to the log, by [`send`] and by nothing else.

use super::error::Fields;
use super::{Engine, Error};
use crate::auth::opaque;
use crate::auth::passwords::NewPassword;
use crate::auth::policy::{Action, Ownership, allow};
use crate::store::accounts::Account;
use crate::store::audit::Deed;
use crate::store::jobs::{NewJob, Work};
use crate::store::mail_tokens::Purpose;
use domain::UserId;
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::time::Duration;
use uuid::Uuid;

const VERIFY_WITHIN: Duration = Duration::from_secs(3 * 24 * 60 * 60);
const RESET_WITHIN: Duration = Duration::from_secs(60 * 60);

const BAD_TOKEN: &str = "is not good, or not any more: ask for a new mail";

impl Engine {
    /// Sends a mail with which the holder of this address can set a new password, if it has an
    /// account: a job finds out, so that the answer and its time are the same for any address.
    pub async fn forgot_password(&self, email: &str, address: Option<IpAddr>) -> Result<(), Error> {
        allow(Action::ResetPassword, None, Ownership::Unowned)?;
        let email = email.trim();
        let mut fields = Fields::default();
        fields.check(super::accounts::is_address(email), "/email", "must be an e-mail address");
        fields.done()?;
        let (throttle, now) = (&self.throttles.mails, self.clock.now());
        throttle.admit(email, address, now).map_err(Error::TooManyAttempts)?;
        throttle.charge(address, now);
        let job = self.mail_job(Work::ResetMail, Uuid::nil(), email.to_owned());
        self.store.enqueue(job).await?;
        self.jobs.notify_one();
        Ok(())
    }

    /// Notes that the token's account has the address that it says.
    pub async fn verify_address(&self, token: &str, address: Option<IpAddr>) -> Result<(), Error> {
        allow(Action::VerifyAddress, None, Ownership::Unowned)?;
        let audit = self.audit(Deed::AddressVerified, None, None, address);
        let is_good = opaque::is_token(token)
            && self.store.verify_address(opaque::hash(token), self.clock.now(), audit).await?;
        let mut fields = Fields::default();
        fields.check(is_good, "/token", BAD_TOKEN);
        fields.done()
    }

    /// Sets a new password for the token's account and ends all of its sessions.
    pub async fn reset_password(
        &self,
        token: &str,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<(), Error> {
        allow(Action::ResetPassword, None, Ownership::Unowned)?;
        let (hash, now) = (opaque::hash(token), self.clock.now());
        // Looked at first, so that only who has a token makes the server hash passwords.
        let is_good =
            opaque::is_token(token) && self.store.is_mail_token(hash, Purpose::Reset, now).await?;
        let mut fields = Fields::default();
        fields.check(is_good, "/token", BAD_TOKEN);
        let password = fields.parse(NewPassword::parse(password), "/password");
        fields.done()?;
        let password = password.ok_or(Error::Fault("a password was neither right nor wrong"))?;
        let password_hash = self.passwords.hash(password).await?;
        let audit = self.audit(Deed::PasswordReset, None, None, address);
        let reset = self.store.reset_password(hash, password_hash, now, audit).await?;
        let mut fields = Fields::default();
        fields.check(reset.is_some(), "/token", BAD_TOKEN);
        fields.done()?;
        if let Some(reset) = reset {
            self.end_now(&reset.ended);
        }
        Ok(())
    }

    /// Job `verify_mail`: asks a new account to prove its address.
    pub async fn verify_mail(&self, job: &NewJob) -> Result<(), Error> {
        let account = self.store.account(UserId(job.subject)).await?;
        if let Some(account) = account.filter(|account| account.verified_at.is_none()) {
            let token = self.mail_token(&account, Purpose::Verify, VERIFY_WITHIN).await?;
            let path = "/api/v1/auth/verify";
            send(&account, "Confirm your address", path, &token);
        }
        Ok(self.store.complete(job.id).await?)
    }

    /// Job `reset_mail`: lets the holder of an address set a new password, if it has an account.
    pub async fn reset_mail(&self, job: &NewJob) -> Result<(), Error> {
        if let Some(account) = self.store.account_by_email(&job.payload).await? {
            let token = self.mail_token(&account, Purpose::Reset, RESET_WITHIN).await?;
            let path = "/api/v1/auth/password/reset";
            send(&account, "Set a new password", path, &token);
        }
        Ok(self.store.complete(job.id).await?)
    }

    async fn mail_token(
        &self,
        account: &Account,
        purpose: Purpose,
        within: Duration,
    ) -> Result<SecretString, Error> {
        let token = opaque::fresh();
        let expires_at = self.clock.now().plus(within);
        let hash = opaque::hash(token.expose_secret());
        self.store.add_mail_token(hash, account.id, purpose, expires_at).await?;
        Ok(token)
    }
}

/// Sends a mail: writes it to the log, the one place where its token is ever to be read.
fn send(account: &Account, subject: &str, path: &str, token: &SecretString) {
    let (to, token) = (&account.email, token.expose_secret());
    tracing::info!("mail to {to}: {subject}: POST {path} with \"token\": \"{token}\"");
}
