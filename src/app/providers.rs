//! The payment providers that the operator wants, put together. The sandbox is Stripe's client
//! talking to a stand-in on a loopback port of this process, so what is tried out is what is run.

use super::AppError;
use crate::config::{Config, ProviderName};
use crate::engine::StripeHook;
use crate::ids::Ids;
use crate::payments::breaker::Breaker;
use crate::payments::mpesa::Mpesa;
use crate::payments::stripe::{self, Stripe};
use crate::payments::{Provider, Providers};
use crate::store::Store;
use fakepay::{Fakepay, Settings, Webhook};
use secrecy::SecretString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

/// Where the demo's payments are kept, so that a second start can give them back.
pub(super) const DEMO_BOOKS: &str = "data/demo-payments.json";
const SANDBOX: &str = "sandbox";
const STRIPE: &str = "stripe";

/// What the engine pays through, and the stand-in that has to run as long.
#[derive(Default)]
pub(super) struct Paying {
    pub(super) providers: Providers,
    pub(super) stripe_hooks: Vec<StripeHook>,
    pub(super) callback_secret: Option<SecretString>,
    pub(super) sandbox: Option<Arc<Fakepay>>,
}

impl Paying {
    /// The providers of `config`, for a server that listens on this port.
    pub(super) fn set_up(
        config: &Config,
        port: u16,
        ids: &Ids,
        store: &Store,
    ) -> Result<Self, AppError> {
        let mut paying = Self::default();
        let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
        for name in &config.payments.providers {
            let provider: Arc<dyn Provider> = match name {
                ProviderName::Sandbox => Arc::new(paying.sandbox(config, port, ids)?),
                ProviderName::Stripe => Arc::new(paying.stripe(config)?),
                ProviderName::Mpesa => Arc::new(paying.mpesa(config, store)?),
            };
            providers.push(Arc::new(Breaker::new(provider)));
        }
        paying.providers = Providers::new(providers);
        Ok(paying)
    }

    fn sandbox(&mut self, config: &Config, port: u16, ids: &Ids) -> Result<Stripe, AppError> {
        let secret = format!("whsec_{}{}", ids.fresh().simple(), ids.fresh().simple());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let webhook = Webhook::new(&format!("http://{address}/webhooks/stripe"), &secret)
            .map_err(|error| AppError::Told(error.to_string()))?;
        let books = config.demo.then(|| PathBuf::from(DEMO_BOOKS));
        let settings = Settings { webhook: Some(webhook), books, ..Settings::default() };
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sandbox = Fakepay::start(anywhere, settings).map_err(|error| AppError::Io {
            what: "the sandbox cannot be started".to_owned(),
            error,
        })?;
        let settings = stripe::Settings {
            name: SANDBOX,
            secret_key: SecretString::from("sk_test_sandbox"),
            api_base: Some(sandbox.url().to_owned()),
            hosted_page: Some(format!(
                "{}/pay/{{intent}}?return_url={{return_url}}",
                sandbox.url()
            )),
        };
        println!("Sandbox payments at {}", sandbox.url());
        self.sandbox = Some(Arc::new(sandbox));
        self.stripe_hooks.push(StripeHook { provider: SANDBOX, secret: secret.into() });
        reachable(settings)
    }

    fn stripe(&mut self, config: &Config) -> Result<Stripe, AppError> {
        let account = config.payments.stripe.as_ref();
        let account = account.ok_or_else(|| AppError::Told("Stripe has no account".to_owned()))?;
        let secret = account.webhook_secret.clone();
        self.stripe_hooks.push(StripeHook { provider: STRIPE, secret });
        reachable(stripe::Settings {
            name: STRIPE,
            secret_key: account.secret_key.clone(),
            api_base: account.api_base.clone(),
            hosted_page: None,
        })
    }

    fn mpesa(&mut self, config: &Config, store: &Store) -> Result<Mpesa, AppError> {
        let settings = config.payments.mpesa.clone();
        let settings =
            settings.ok_or_else(|| AppError::Told("M-Pesa has no account".to_owned()))?;
        self.callback_secret = Some(settings.token_secret.clone());
        Mpesa::new(settings, store.clone()).map_err(|error| AppError::Told(error.to_string()))
    }
}

fn reachable(settings: stripe::Settings) -> Result<Stripe, AppError> {
    Stripe::new(settings).map_err(|error| AppError::Told(error.to_string()))
}
