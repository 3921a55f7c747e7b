//! Sessions: signing in, going on with a refresh token, signing out.
//!
//! An access token is good for ten minutes, a refresh token for one use. Each has one successor,
//! and for ten seconds, until that is used, the token may be sent again: an answer may be lost,
//! and a client may ask from several places at a time. One that comes back otherwise ends its
//! session: it was copied.

use super::accounts::MAX_EMAIL;
use super::error::Fields;
use super::{Engine, Error};
use crate::auth::Caller;
use crate::auth::ended::EndedSessions;
use crate::auth::opaque;
use crate::auth::passwords::MAX_CHARS;
use crate::auth::policy::{Action, Ownership, allow};
use crate::auth::throttle::{Limit, Throttle};
use crate::auth::tokens::LIFETIME;
use crate::store::accounts::Role;
use crate::store::audit::Deed;
use crate::store::sessions::{Exchange, NewSession, Refreshed};
use domain::UserId;
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::time::Duration;
use uuid::Uuid;

/// What a signed-in caller is given.
#[derive(Debug)]
pub struct Session {
    pub access_token: String,
    pub refresh_token: SecretString,
    /// How long the access token is good.
    pub expires_in: Duration,
}

/// A session that nobody refreshes ends after this.
const SESSION: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long the use of a refresh token may be tried again.
const RETRY: Duration = Duration::from_secs(10);
/// How long sessions and tokens that are over stay in the database.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How often things may be tried, on this node.
pub struct Throttles {
    /// Wrong passwords.
    pub sign_ins: Throttle,
    /// Mails to people who say that they forgot theirs.
    pub mails: Throttle,
}

impl Default for Throttles {
    fn default() -> Self {
        let limit = |burst, seconds| Limit { burst, every: Duration::from_secs(seconds) };
        Self {
            sign_ins: Throttle::new(limit(10, 60), limit(100, 3)),
            mails: Throttle::new(limit(5, 5 * 60), limit(30, 60)),
        }
    }
}

impl Engine {
    /// Signs in. Unknown accounts take as long and answer as wrong passwords do.
    pub async fn login(
        &self,
        email: &str,
        password: SecretString,
        address: Option<IpAddr>,
    ) -> Result<Session, Error> {
        allow(Action::Login, None, Ownership::Unowned)?;
        let email = email.trim();
        let mut fields = Fields::default();
        fields.check(email.len() <= MAX_EMAIL, "/email", "must have at most 254 bytes");
        let chars = password.expose_secret().chars().count();
        fields.check(chars <= MAX_CHARS, "/password", "must have at most 128 characters");
        fields.done()?;
        let throttle = &self.throttles.sign_ins;
        throttle.admit(email, address, self.clock.now()).map_err(Error::TooManyAttempts)?;
        let account = self.store.account_by_email(email).await?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let right = self.passwords.verify(password, hash).await?;
        let subject = account.as_ref().map(|account| account.id);
        if let Some(account) = account.filter(|_| right)
            && let Some(session) =
                self.start_session(account.id, account.role, account.password_hash, address).await?
        {
            throttle.forgive(email);
            return Ok(session);
        }
        throttle.charge(address, self.clock.now());
        self.store.record(self.audit(Deed::SignInFailed, None, subject, address)).await?;
        Err(Error::BadCredentials)
    }

    /// A new session for the holder of this password; nothing if it was changed meanwhile.
    async fn start_session(
        &self,
        account: UserId,
        role: Role,
        password_hash: String,
        address: Option<IpAddr>,
    ) -> Result<Option<Session>, Error> {
        let (id, now) = (self.ids.fresh(), self.clock.now());
        let refresh_token = opaque::fresh();
        let session = NewSession {
            id,
            account,
            refresh: opaque::hash(refresh_token.expose_secret()),
            created_at: now,
            expires_at: now.plus(SESSION),
        };
        let audit = self.audit(Deed::SignedIn, Some(account), Some(account), address);
        let started = self.store.start_session(session, password_hash, audit).await?;
        Ok(started.then(|| self.session(account, role, id, refresh_token)))
    }

    fn session(&self, account: UserId, role: Role, id: Uuid, refresh: SecretString) -> Session {
        let access_token = self.tokens.issue(account, role, id, self.clock.now());
        Session { access_token, refresh_token: refresh, expires_in: LIFETIME }
    }

    /// Goes on with a session: the refresh token is used up, and the answer has the next one. The
    /// new access token says the role that the account has now.
    pub async fn refresh(
        &self,
        refresh_token: &str,
        address: Option<IpAddr>,
    ) -> Result<Session, Error> {
        allow(Action::RefreshSession, None, Ownership::Unowned)?;
        let mut fields = Fields::default();
        let is_token = opaque::is_token(refresh_token);
        fields.check(is_token, "/refresh_token", "must be the one that signing in answered");
        fields.done()?;
        let next = self.tokens.successor(refresh_token);
        let next = next.ok_or(Error::Fault("a refresh token could not be signed"))?;
        let now = self.clock.now();
        let exchange = Exchange {
            used: opaque::hash(refresh_token),
            next: opaque::hash(next.expose_secret()),
            now,
            retried_since: now.minus(RETRY),
            expires_at: now.plus(SESSION),
        };
        let reuse = self.audit(Deed::RefreshReused, None, None, address);
        match self.store.refresh_session(exchange, reuse).await? {
            Refreshed::Rotated { session, account, role } => {
                Ok(self.session(account, role, session, next))
            }
            Refreshed::Reused(session) => {
                tracing::warn!(%session, "a refresh token came back: its session has ended");
                self.ended.learn(&[(session, now)], now);
                Err(Error::SessionEnded)
            }
            Refreshed::Unknown => Err(Error::SessionEnded),
        }
    }

    /// Ends the caller's session: at once on this node, within seconds on others.
    pub async fn logout(&self, caller: &Caller) -> Result<(), Error> {
        allow(Action::EndSession, Some(caller), Ownership::Own)?;
        let now = self.clock.now();
        self.store.end_session(caller.session, now).await?;
        self.ended.learn(&[(caller.session, now)], now);
        Ok(())
    }

    /// Refuses the access tokens of sessions that have just been ended.
    pub(super) fn end_now(&self, sessions: &[Uuid]) {
        let now = self.clock.now();
        let ended: Vec<_> = sessions.iter().map(|session| (*session, now)).collect();
        self.ended.learn(&ended, now);
    }

    /// Hears of the sessions that were ended anywhere.
    pub async fn learn_ended_sessions(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let ended = self.store.ended_sessions(EndedSessions::since(now)).await?;
        self.ended.learn(&ended, now);
        Ok(())
    }

    /// Forgets sessions and mailed tokens that were over a day ago.
    pub async fn purge_sessions(&self) -> Result<(), Error> {
        let before = self.clock.now().minus(KEPT);
        self.store.purge_sessions(before).await?;
        self.store.purge_mail_tokens(before).await?;
        Ok(())
    }
}
