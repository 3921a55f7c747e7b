//! Quotes: what a stay costs now, promised for some minutes.

use super::{BookingRequest, Engine, Error};
use crate::actors::Busy;
use crate::auth::Caller;
use crate::auth::policy::{Action, Ownership, allow};
use crate::store::keys::Created;
use crate::store::quotes::QuoteRow;
use domain::command::Key;
use domain::property::Listing;
use domain::quote::{QUOTE_TTL, Quote};
use domain::refusal::Refusal;
use domain::{Instant, QuoteId};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Quotes that nobody signed for, counted, so that they cannot fill the disk: with their time to
/// live this bounds how many there are.
#[derive(Debug, Default)]
pub struct AnonymousQuotes(Mutex<(Instant, u32)>);

/// The most that a node gives in a minute.
const ANONYMOUS_A_MINUTE: u32 = 600;
const MINUTE: Duration = Duration::from_secs(60);
/// How long a quote can still be read when its time is over.
const KEPT: Duration = Duration::from_secs(60 * 60);

impl AnonymousQuotes {
    /// Counts one more, if there is room.
    fn take(&self, now: Instant) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(counted.0) >= MINUTE {
            *counted = (now, 0);
        }
        counted.1 += 1;
        counted.1 <= ANONYMOUS_A_MINUTE
    }
}

impl Engine {
    /// Promises the price of a stay that can be had now. The flag says whether a key's earlier
    /// answer is repeated.
    pub async fn make_quote(
        &self,
        caller: Option<&Caller>,
        request: BookingRequest,
        key: Option<Arc<str>>,
    ) -> Result<(QuoteRow, bool), Error> {
        let BookingRequest { property, stay, guests, .. } = request;
        let snapshot = self.calendar(caller, property).await?.snapshot;
        let facts = &*snapshot.property;
        let is_listed = facts.listing == Listing::Listed;
        allow(Action::Quote, caller, Ownership::of_property(caller, facts.host, is_listed))?;
        let now = self.clock.now();
        let ground = snapshot.ground(now);
        let reasons = ground.reasons(stay, guests);
        if !reasons.is_empty() {
            let alternatives = ground.alternatives(stay, guests);
            return Err(Refusal::Unavailable { reasons, alternatives }.into());
        }
        if caller.is_none() && !self.anonymous_quotes.take(now) {
            return Err(Error::Busy(Busy::Full));
        }
        let quote = Quote {
            id: QuoteId(property.bind(self.ids.fresh())),
            stay,
            guests,
            price: facts.price(&snapshot.overrides, stay, guests, None),
            currency: facts.currency,
            policy: facts.policy,
            expires_at: now.plus(QUOTE_TTL),
        };
        let account = caller.map(|caller| caller.id);
        let row = QuoteRow { quote, property, account, created_at: now };
        let words = format!("quote {property} {stay} {guests}");
        let key = caller.zip(key).map(|(caller, text)| Key {
            caller: caller.id,
            text,
            request: Sha256::digest(words.as_bytes()).into(),
        });
        match self.store.create_quote(row.clone(), key).await? {
            Created::New => Ok((row, false)),
            Created::Known(id) => Ok((self.quote(caller, id).await?, true)),
            Created::KeyReused => Err(Refusal::KeyReused.into()),
        }
    }

    /// A quote: one's own, or one that nobody signed for.
    pub async fn quote(&self, caller: Option<&Caller>, id: QuoteId) -> Result<QuoteRow, Error> {
        let row = self.store.quote(id).await?.ok_or(Error::NotFound)?;
        match row.account {
            Some(account) if caller.is_none_or(|caller| caller.id != account) => {
                Err(Error::NotFound)
            }
            _ => Ok(row),
        }
    }

    /// Forgets quotes whose time is long over.
    pub async fn purge_quotes(&self) -> Result<(), Error> {
        self.store.purge_quotes(self.clock.now().minus(KEPT)).await?;
        Ok(())
    }
}
