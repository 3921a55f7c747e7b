//! Stripe: cards, authorized first and captured once the booking has taken the money.
//!
//! `order.rs` is payment intents, `refund.rs` what goes back, `find.rs` looks for what there is,
//! `money.rs` counts minor units as Stripe does, `webhook.rs` reads what Stripe tells. `call.rs` is
//! the way of every exchange, and `wish.rs` the one rule by which a thing happens once although
//! answers get lost: the same key again where the answer may still be had, and where Stripe itself
//! failed a look first and a second key then.
//!
//! It keeps no state. Every call ends within [`CALL_WITHIN`]; types of the library stay in here.

mod call;
mod find;
mod money;
mod order;
mod refund;
pub mod webhook;
mod wish;

#[cfg(test)]
mod tests;

use super::{CALL_WITHIN, Intent, Order, Provider, ProviderError, RefundAnswer, RefundOrder};
use ::stripe::{Client, ClientBuilder};
use call::{Call, Limits};
use domain::{Currency, Instant};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How long one exchange may take. Banks answer within a few seconds; after this there is still
/// time to ask once more under the same key and to look.
const EXCHANGE_WITHIN: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Who asks for an order later than this after it was first asked for may be asking again, and
/// looks first: a key is forgotten after a day, and it may have been the second one that did it.
/// Source: <https://docs.stripe.com/api/idempotent_requests>.
const LOOKS_AFTER: Duration = Duration::from_secs(5);
const LONGEST_METHOD: usize = 255;

/// How Stripe is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The provider's name in payments.
    pub name: &'static str,
    pub secret_key: SecretString,
    /// Where the interface is, without a path; nothing where it is Stripe's own.
    pub api_base: Option<String>,
    /// Where guests pay an intent that has no means of payment yet: an address with `{intent}` and
    /// `{return_url}` in it. Without one, Stripe's script asks for the card.
    pub hosted_page: Option<String>,
}

/// Why Stripe cannot be asked with these settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("the secret key of Stripe is empty, or has something in it that no key has")]
    Key,
    #[error("the address of Stripe has to be http:// or https:// with a host, and no path")]
    Address,
    #[error("the address of the hosted page has to have {{intent}} in it")]
    HostedPage,
}

/// Stripe, or whoever speaks as it does.
#[derive(Debug)]
pub struct Stripe {
    name: &'static str,
    client: Client,
    hosted_page: Option<String>,
    limits: Limits,
}

impl Stripe {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// When Stripe could not be asked with these settings.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let Settings { name, secret_key, api_base, hosted_page } = settings;
        let key = secret_key.expose_secret();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SettingsError::Key);
        }
        let mut builder = ClientBuilder::new(key);
        if let Some(base) = api_base {
            let base = base.trim_end_matches('/');
            let host = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
            let is_host = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#', '@']);
            host.filter(|host| is_host(host)).ok_or(SettingsError::Address)?;
            builder = builder.url(base);
        }
        if hosted_page.as_ref().is_some_and(|page| !page.contains("{intent}")) {
            return Err(SettingsError::HostedPage);
        }
        // The key was looked at above, so what is left to be wrong is the address.
        let client = builder.build().map_err(|_| SettingsError::Address)?;
        let limits = Limits { call: CALL_WITHIN, exchange: EXCHANGE_WITHIN, pause: FIRST_PAUSE };
        Ok(Self { name, client, hosted_page, limits })
    }

    fn call(&self, order: &Order) -> Call<'_> {
        Call::new(&self.client, self.limits, order.payment)
    }

    fn read(
        &self,
        intent: &stripe_core::PaymentIntent,
        order: &Order,
    ) -> Result<Intent, ProviderError> {
        order::read(intent, order, self.hosted_page.as_deref())
    }
}

type Answer<'a, T> = BoxFuture<'a, Result<T, ProviderError>>;

impl Provider for Stripe {
    fn name(&self) -> &'static str {
        self.name
    }

    fn refunds_parts(&self) -> bool {
        true
    }

    fn accepts(
        &self,
        amount: i64,
        currency: Currency,
        method: &str,
    ) -> Result<(), (&'static str, String)> {
        let refuse = |why: &str| Err(("/payment_method", why.to_owned()));
        let is_token = method.starts_with("pm_")
            && method.len() <= LONGEST_METHOD
            && method.bytes().all(|byte| byte.is_ascii_graphic());
        if !method.is_empty() && !is_token {
            return refuse("must be the token of a card, which begins with pm_, or be left out");
        }
        if amount <= 0 {
            return refuse("cannot be used where there is nothing to pay");
        }
        if money::told(amount, currency).is_none() {
            return refuse("cannot be used for this amount in this currency");
        }
        Ok(())
    }

    fn order<'a>(&'a self, order: &'a Order, now: Instant) -> Answer<'a, Intent> {
        Box::pin(async move {
            let call = self.call(order);
            let is_repeat = order.reference.is_some() || now.since(order.asked_at) >= LOOKS_AFTER;
            if is_repeat && let Some(known) = find::intent(&call, order).await? {
                return self.read(&known, order);
            }
            let made = wish::fulfil(&order::Creation::of(order)?, &call).await?;
            self.read(&made, order)
        })
    }

    fn fetch<'a>(&'a self, order: &'a Order, _now: Instant) -> Answer<'a, Option<Intent>> {
        Box::pin(async move {
            let known = find::intent(&self.call(order), order).await?;
            known.map(|intent| self.read(&intent, order)).transpose()
        })
    }

    fn capture<'a>(&'a self, order: &'a Order, _now: Instant) -> Answer<'a, Intent> {
        Box::pin(async move {
            let captured = order::capture(&self.call(order), order).await?;
            self.read(&captured, order)
        })
    }

    fn cancel<'a>(&'a self, order: &'a Order, _now: Instant) -> Answer<'a, Intent> {
        Box::pin(async move {
            let canceled = order::cancel(&self.call(order), order).await?;
            self.read(&canceled, order)
        })
    }

    fn refund<'a>(&'a self, refund: &'a RefundOrder, _now: Instant) -> Answer<'a, RefundAnswer> {
        Box::pin(async move { refund::give(&self.call(&refund.order), refund).await })
    }

    fn fetch_refund<'a>(
        &'a self,
        refund: &'a RefundOrder,
        _now: Instant,
    ) -> Answer<'a, RefundAnswer> {
        Box::pin(async move { refund::look(&self.call(&refund.order), refund).await })
    }
}
