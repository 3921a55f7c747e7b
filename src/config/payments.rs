//! Which payment providers are on, and what is needed to reach them.

use super::Reader;
use crate::auth::tokens::secret_problem;
use crate::payments::mpesa;
use secrecy::{ExposeSecret, SecretString};

/// A payment provider that can be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderName {
    /// A stand-in for Stripe in this process, without money.
    Sandbox,
    Stripe,
    Mpesa,
}

impl ProviderName {
    const ALL: [(&'static str, Self); 3] =
        [("sandbox", Self::Sandbox), ("stripe", Self::Stripe), ("mpesa", Self::Mpesa)];
}

/// How Stripe is reached.
#[derive(Clone, Debug)]
pub struct StripeAccount {
    pub secret_key: SecretString,
    pub webhook_secret: SecretString,
    /// Where its interface is; nothing for Stripe's own address.
    pub api_base: Option<String>,
}

/// The providers that are on, each with its account.
#[derive(Clone, Debug, Default)]
pub struct Payments {
    /// In the operator's order.
    pub providers: Vec<ProviderName>,
    pub stripe: Option<StripeAccount>,
    pub mpesa: Option<mpesa::Settings>,
}

const DARAJA: &str = "https://api.safaricom.co.ke";
/// Words that Daraja does not take in the address of a callback.
const BANNED: [&str; 5] = ["mpesa", "m-pesa", "safaricom", "query", "sql"];

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// Commands that do not serve need no provider, and none of their secrets.
    pub(super) fn payments(
        &mut self,
        is_tried_out: bool,
        serving: bool,
        secret_key: &SecretString,
    ) -> Payments {
        if !serving {
            return Payments::default();
        }
        let mut providers = Vec::new();
        for text in self.list("PAYMENTS_PROVIDER") {
            match ProviderName::ALL.iter().find(|(name, _)| *name == text) {
                Some((_, name)) if !providers.contains(name) => providers.push(*name),
                Some(_) => {}
                None => self.problem(format!(
                    "PAYMENTS_PROVIDER: must be sandbox, stripe, mpesa or several of them with \
                     commas between, and {text} is none"
                )),
            }
        }
        if self.text("PAYMENTS_PROVIDER").is_none() && is_tried_out {
            providers.push(ProviderName::Sandbox);
        }
        if providers.contains(&ProviderName::Sandbox) && !is_tried_out {
            self.problem(
                "PAYMENTS_PROVIDER: sandbox moves no money: only with --demo or DEBUG=true"
                    .to_owned(),
            );
        }
        let stripe = providers.contains(&ProviderName::Stripe).then(|| self.stripe());
        let mpesa = providers.contains(&ProviderName::Mpesa).then(|| self.mpesa(secret_key));
        Payments { providers, stripe, mpesa }
    }

    fn stripe(&mut self) -> StripeAccount {
        let secret_key = self.needed_secret("STRIPE_SECRET_KEY");
        let key = secret_key.expose_secret();
        if !key.is_empty() && !["sk_", "rk_"].iter().any(|prefix| key.starts_with(prefix)) {
            self.problem("STRIPE_SECRET_KEY: must begin with sk_ or rk_".to_owned());
        }
        let webhook_secret = self.needed_secret("STRIPE_WEBHOOK_SECRET");
        let secret = webhook_secret.expose_secret();
        if !secret.is_empty() {
            // Who knows this secret can say that anything was paid.
            if !secret.starts_with("whsec_") {
                self.problem("STRIPE_WEBHOOK_SECRET: must begin with whsec_".to_owned());
            } else if let Some(problem) = secret_problem(secret) {
                self.problem(format!("STRIPE_WEBHOOK_SECRET: {problem}"));
            }
        }
        StripeAccount { secret_key, webhook_secret, api_base: self.base("STRIPE_API_BASE") }
    }

    fn mpesa(&mut self, secret_key: &SecretString) -> mpesa::Settings {
        let short_code = self.needed("MPESA_SHORT_CODE");
        let is_short = (5..=7).contains(&short_code.len());
        let is_code = is_short && short_code.bytes().all(|byte| byte.is_ascii_digit());
        if !(short_code.is_empty() || is_code) {
            self.problem("MPESA_SHORT_CODE: must be 5 to 7 digits".to_owned());
        }
        let callback_base = self.needed("MPESA_CALLBACK_BASE");
        let lower = callback_base.to_ascii_lowercase();
        if let Some(word) = BANNED.iter().find(|word| lower.contains(*word)) {
            self.problem(format!(
                "MPESA_CALLBACK_BASE: must not contain {word}: Daraja refuses such addresses"
            ));
        }
        let callback_base = self.base("MPESA_CALLBACK_BASE").unwrap_or_default();
        mpesa::Settings {
            api_base: self.base("MPESA_API_BASE").unwrap_or_else(|| DARAJA.to_owned()),
            consumer_key: self.needed_secret("MPESA_CONSUMER_KEY"),
            consumer_secret: self.needed_secret("MPESA_CONSUMER_SECRET"),
            short_code,
            passkey: self.needed_secret("MPESA_PASSKEY"),
            initiator: self.needed("MPESA_INITIATOR"),
            security_credential: self.needed_secret("MPESA_SECURITY_CREDENTIAL"),
            callback_base,
            // Nodes that share a database share the key, and so the addresses of callbacks.
            token_secret: secret_key.clone(),
        }
    }

    fn needed(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.problem(format!("{name}: must be set for the providers that are on"));
            String::new()
        })
    }

    fn needed_secret(&mut self, name: &str) -> SecretString {
        self.secret_text(name)
            .unwrap_or_else(|| {
                self.problem(format!("{name}: must be set for the providers that are on"));
                String::new()
            })
            .into()
    }

    /// An address with nothing behind its host and port.
    fn base(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let base = text.trim_end_matches('/');
        if super::is_origin(&base.to_ascii_lowercase()) {
            return Some(base.to_owned());
        }
        self.problem(format!("{name}: must be an address like https://api.example.com"));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SECRET, read};
    use super::*;

    const STRIPE: [(&str, &str); 3] = [
        ("PAYMENTS_PROVIDER", "stripe"),
        ("STRIPE_SECRET_KEY", "sk_test_51Hq3fJ2eZvKYlo2C"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_7f3a9c1e5b8d2f6a4c0e9b7d5f3a1c8e"),
    ];
    const MPESA: [(&str, &str); 8] = [
        ("PAYMENTS_PROVIDER", "mpesa"),
        ("MPESA_CONSUMER_KEY", "key"),
        ("MPESA_CONSUMER_SECRET", "secret"),
        ("MPESA_SHORT_CODE", "174379"),
        ("MPESA_PASSKEY", "passkey"),
        ("MPESA_INITIATOR", "initiator"),
        ("MPESA_SECURITY_CREDENTIAL", "credential"),
        ("MPESA_CALLBACK_BASE", "https://stay.example.com/"),
    ];

    /// These settings, with others in their places.
    fn with<'a>(
        settings: &[(&'a str, &'a str)],
        others: &[(&'a str, &'a str)],
    ) -> Vec<(&'a str, &'a str)> {
        let is_other = |name: &str| others.iter().any(|(other, _)| *other == name);
        let kept = settings.iter().filter(|(name, _)| !is_other(name)).copied();
        kept.chain(others.iter().copied()).chain([SECRET]).collect()
    }

    #[test]
    fn the_sandbox_is_for_trying_out_and_nobody_pays_by_default() {
        let providers = |values: &[(&str, &str)], demo| {
            read(values, demo).map(|config| config.payments.providers)
        };
        assert_eq!(providers(&[SECRET], false).expect("usable"), []);
        assert_eq!(providers(&[], true).expect("usable"), [ProviderName::Sandbox]);
        let debug = [SECRET, ("DEBUG", "true")];
        assert_eq!(providers(&debug, false).expect("usable"), [ProviderName::Sandbox]);
        let meant = [SECRET, ("PAYMENTS_PROVIDER", "sandbox")];
        assert!(providers(&meant, false).is_err(), "it moves no money");
    }

    #[test]
    fn several_providers_are_on_in_the_order_in_which_they_are_named() {
        let both =
            with(&[&STRIPE[..], &MPESA[..]].concat(), &[("PAYMENTS_PROVIDER", "mpesa, stripe")]);
        let payments = read(&both, false).expect("usable").payments;
        assert_eq!(payments.providers, [ProviderName::Mpesa, ProviderName::Stripe]);
        let mpesa = payments.mpesa.expect("an account");
        assert_eq!(mpesa.callback_base, "https://stay.example.com");
        assert_eq!(mpesa.api_base, DARAJA);
        assert_eq!(payments.stripe.expect("an account").api_base, None);
    }

    #[test]
    fn what_a_provider_needs_and_has_not_is_named() {
        for (settings, name, value) in [
            (&STRIPE[..], "PAYMENTS_PROVIDER", "paypal"),
            (&STRIPE, "STRIPE_SECRET_KEY", ""),
            (&STRIPE, "STRIPE_SECRET_KEY", "pk_test_51Hq3fJ2eZvKYlo2C"),
            (&STRIPE, "STRIPE_WEBHOOK_SECRET", ""),
            (&STRIPE, "STRIPE_WEBHOOK_SECRET", "whsec_"),
            (&STRIPE, "STRIPE_WEBHOOK_SECRET", "whsec_changemechangemechangemechangeme"),
            (&STRIPE, "STRIPE_WEBHOOK_SECRET", "whsec_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            (&STRIPE, "STRIPE_WEBHOOK_SECRET", "7f3a9c1e5b8d2f6a4c0e9b7d5f3a1c8e7f3a9c1e5b8d"),
            (&STRIPE, "STRIPE_API_BASE", "https://api.example.com/v1"),
            (&MPESA, "MPESA_SHORT_CODE", "17x379"),
            (&MPESA, "MPESA_PASSKEY", ""),
            (&MPESA, "MPESA_CALLBACK_BASE", "https://mpesa.example.com"),
            (&MPESA, "MPESA_CALLBACK_BASE", "stay.example.com"),
        ] {
            let error = read(&with(settings, &[(name, value)]), false).expect_err(value);
            assert!(error.0.len() == 1 && error.0[0].starts_with(name), "{name}={value}: {error}");
        }
    }
}
