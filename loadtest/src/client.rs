//! One user of the server on one connection: signs in, keeps the token fresh, and repeats what was
//! not answered under the same idempotency key until its patience ends.

use std::sync::Arc;
use std::time::Duration;

use crate::account::{Account, RunId};
use crate::call::Call;
use crate::clock::{Clock, Nanos, nanos};
use crate::connection::{Connection, Head, Lost};
use crate::dice::Dice;
use crate::documents::Token;
use crate::failure::Failure;
use crate::tally::Tally;
use crate::target::Target;

/// Waits between repeats of an unanswered request grow from the first to the second of these.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// How often a refused token is renewed for one request.
const RENEWALS: u32 = 4;

/// When a request was on its way and what came back; the body lies in the client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    /// When it was sent for the first time.
    pub(crate) first_sent: Nanos,
    /// When it was sent for the last time: an answer was judged after this instant.
    pub(crate) last_sent: Nanos,
    /// When the answer was there, or when the client gave up.
    pub(crate) ended: Nanos,
    /// The last answer's status; `None` when it is unknown whether the request had an effect.
    pub(crate) status: Option<u16>,
}

/// A token and when to get the next one.
#[derive(Clone)]
struct Session {
    token: String,
    renew_at: Nanos,
}

/// One user on one connection.
pub(crate) struct Client {
    clock: Clock,
    connection: Connection,
    account: Account,
    registered: bool,
    session: Option<Session>,
    key_prefix: String,
    keys: u64,
    dice: Dice,
    patience: Duration,
    tally: Tally,
}

impl Client {
    pub(crate) fn new(
        clock: Clock,
        target: Arc<Target>,
        account: Account,
        patience: Duration,
    ) -> Self {
        let key_prefix = account.key_prefix();
        let dice = Dice::new(RunId::new().seed(), 0);
        Self {
            clock,
            connection: Connection::new(target),
            account,
            registered: false,
            session: None,
            key_prefix,
            keys: 0,
            dice,
            patience,
            tally: Tally::default(),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    pub(crate) fn target(&self) -> &Target {
        self.connection.target()
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        self.connection.body()
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Starts the counts anew, so that they hold the scenario and not its preparation.
    pub(crate) fn reset_tally(&mut self) {
        self.tally = Tally::default();
    }

    /// The same user on a connection of its own; `number` keeps their idempotency keys apart.
    pub(crate) fn twin(&self, number: u32) -> Self {
        let target = Arc::clone(self.connection.target());
        let mut twin = Self::new(self.clock, target, self.account.clone(), self.patience);
        twin.key_prefix = format!("{}{number}-", self.key_prefix);
        twin.registered = self.registered;
        twin.session = self.session.clone();
        twin
    }

    /// The call under a key that no other call has.
    pub(crate) fn keyed(&mut self, call: Call) -> Call {
        self.keys += 1;
        call.with_key(format!("{}{}", self.key_prefix, self.keys))
    }

    /// Creates the account on the server and signs in.
    pub(crate) async fn register(&mut self) -> Result<(), Failure> {
        let path = self.target().path("/users");
        let call = self.keyed(Call::post(path, self.account.registration()));
        // The address belongs to this run alone: a conflict is the trace of a try whose answer was
        // lost.
        self.expect("POST /users", &call, &[201, 409]).await?;
        // Signing in now keeps it out of the scenario's time.
        let (asked, login) = (self.clock.now(), self.login());
        self.expect("POST /auth/login", &login, &[200]).await?;
        self.session = self.read_session(asked);
        self.registered = true;
        Ok(())
    }

    /// Sends a call of the preparation, which has to get one of the statuses in `wanted`.
    pub(crate) async fn expect(
        &mut self,
        step: &'static str,
        call: &Call,
        wanted: &[u16],
    ) -> Result<u16, Failure> {
        match self.send(call).await.status {
            Some(status) if wanted.contains(&status) => Ok(status),
            Some(status) => {
                let body = String::from_utf8_lossy(self.body()).into_owned();
                Err(Failure::Refused { step, status, body })
            }
            None => Err(self.silent(step)),
        }
    }

    fn silent(&self, step: &'static str) -> Failure {
        let address = self.target().address().to_owned();
        Failure::Silent { step, address, seconds: self.patience.as_secs() }
    }

    /// Sends a call until it is answered. An overloaded server (429, 503) is asked again when it
    /// says, a lost connection is opened again, a refused token renewed; all this under the call's
    /// one key and within the client's patience.
    pub(crate) async fn send(&mut self, call: &Call) -> Exchange {
        let first_sent = self.clock.now();
        let give_up_at = first_sent.saturating_add(nanos(self.patience));
        let mut backoff = FIRST_WAIT;
        let mut renewals = 0;
        let mut last_sent = first_sent;
        loop {
            let answer = self.attempt(call, last_sent).await;
            let ended = self.clock.now();
            let wait = match answer {
                Ok(Head { status: 401, .. }) if self.registered && renewals < RENEWALS => {
                    renewals += 1;
                    self.session = None;
                    Duration::ZERO
                }
                Ok(Head { status: 429 | 503, retry_after }) => {
                    retry_after.map_or(backoff, |wait| wait.max(backoff))
                }
                Ok(Head { status, .. }) => {
                    return Exchange { first_sent, last_sent, ended, status: Some(status) };
                }
                Err(Lost) => {
                    self.tally.lost += 1;
                    backoff
                }
            };
            // Clients that were turned away together should not come back together.
            let wait = wait + wait * self.dice.below(256) / 1024;
            if ended.saturating_add(nanos(wait)) > give_up_at {
                return Exchange { first_sent, last_sent, ended, status: None };
            }
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
                backoff = LONGEST_WAIT.min(backoff * 2);
            }
            last_sent = self.clock.now();
        }
    }

    /// One try, with a token that is still good for a while if the account exists already.
    async fn attempt(&mut self, call: &Call, now: Nanos) -> Result<Head, Lost> {
        let fresh = |session: &Session| session.renew_at > now;
        if self.registered && !self.session.as_ref().is_some_and(fresh) {
            self.session = None;
            let login = self.login();
            let head = self.connection.exchange(&login, None).await?;
            // Any answer but a token counts as none: the caller tries again.
            self.session = self.read_session(now).filter(|_| head.status == 200);
            if self.session.is_none() {
                return Err(Lost);
            }
        }
        let token = self.session.as_ref().map(|session| session.token.as_str());
        let head = self.connection.exchange(call, token).await?;
        self.tally.answer(head.status);
        Ok(head)
    }

    fn login(&self) -> Call {
        Call::post(self.target().path("/auth/login"), self.account.credentials())
    }

    /// The session in the answer to a login that was asked for at `asked`.
    fn read_session(&self, asked: Nanos) -> Option<Session> {
        let token: Token = serde_json::from_slice(self.body()).ok()?;
        // A fifth of its life is left for requests that are on their way.
        let good_for = nanos(Duration::from_secs(token.expires_in)) / 5 * 4;
        let renew_at = asked.saturating_add(good_for);
        Some(Session { token: token.access_token.into_owned(), renew_at })
    }
}
