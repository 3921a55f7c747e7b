//! The configuration: one typed value, read from the environment (and `.env`, which the
//! environment wins over), validated as a whole at start. Every name stands in `.env.example`.

mod payments;
#[cfg(feature = "test_switches")]
mod switches;

pub use payments::{Payments, ProviderName, StripeAccount};

use crate::auth::tokens::secret_problem;
use ipnet::IpNet;
use secrecy::SecretString;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Everything that an operator may set.
#[derive(Debug)]
pub struct Config {
    pub bind: SocketAddr,
    pub database_url: String,
    pub secret_key: SecretString,
    /// The names that requests may come under, in lower case; `*` stands for all, an empty list
    /// for what the bind address suggests.
    pub allowed_hosts: Vec<String>,
    pub trusted_proxies: Vec<IpNet>,
    /// Origins as browsers send them: `https://app.example.com`.
    pub cors_allow_origins: Vec<String>,
    pub rate_limits: bool,
    /// How many pending bookings a guest may have at a time, one of each property; none for no
    /// limit.
    pub pending_per_guest: Option<usize>,
    pub debug: bool,
    pub demo: bool,
    /// PostgreSQL only: migrate at start instead of waiting for `vacancy migrate`.
    pub auto_migrate: bool,
    /// Whether `POST /test/clock` exists and moves time.
    pub test_clock: bool,
    pub hold_ttl: Duration,
    pub payments: Payments,
    pub actor_idle: Duration,
    /// The bug that a test plants, by `TEST_SWITCH`.
    #[cfg(feature = "test_switches")]
    pub switches: domain::switches::Switches,
    /// The step of settling payments at which a test has the process die; 0 for none.
    #[cfg(feature = "test_switches")]
    pub die_at_step: i64,
}

/// What is wrong with the configuration, one sentence for each name.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is not usable:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

/// The database that the demo uses, and no other.
pub const DEMO_DATABASE: &str = "sqlite://data/demo.db";
const DEFAULT_DATABASE: &str = "sqlite://data/vacancy.db";
const DEFAULT_BIND: &str = "127.0.0.1:8000";
const HOLD_TTL: Duration = Duration::from_secs(15 * 60);
const ACTOR_IDLE: Duration = Duration::from_secs(60);
const PENDING_PER_GUEST: usize = 5;
const MAX_PENDING_PER_GUEST: usize = 100;

impl Config {
    /// Reads and checks every name. `serving` says whether tokens will be signed: other commands
    /// need no secret. The demo makes a secret of its own.
    pub fn read(
        get: impl Fn(&str) -> Option<String>,
        demo: bool,
        serving: bool,
    ) -> Result<Self, ConfigError> {
        let mut reader = Reader { get, problems: Vec::new() };
        let debug = reader.flag("DEBUG");
        let bind = reader.address("BIND_ADDR", DEFAULT_BIND);
        let default_database = if demo { DEMO_DATABASE } else { DEFAULT_DATABASE };
        let database_url =
            reader.text("DATABASE_URL").unwrap_or_else(|| default_database.to_owned());
        if demo && database_url != DEMO_DATABASE {
            reader.problem(format!(
                "DATABASE_URL: the demo uses {DEMO_DATABASE} and touches no other database; unset it"
            ));
        }
        let secret_key = reader.secret(demo, serving);
        let test_clock = match reader.text("CLOCK").as_deref() {
            None | Some("system") => false,
            Some("test") => true,
            Some(_) => {
                reader.problem("CLOCK: must be system or test".to_owned());
                false
            }
        };
        if test_clock && !(bind.ip().is_loopback() && (demo || debug)) {
            reader.problem(
                "CLOCK=test: only on a loopback BIND_ADDR, with --demo or DEBUG=true".to_owned(),
            );
        }
        let is_private = bind.ip().is_loopback();
        let is_meant = reader.flag("ALLOW_UNLIMITED") || debug;
        let unlimited =
            Unlimited { by_default: demo && is_private, allowed: is_private || is_meant };
        let rate_limits = reader.is_limited("RATE_LIMITS", unlimited, "on or off");
        let pending_per_guest = reader.pending_per_guest(unlimited);
        let payments = reader.payments(demo || debug, serving, &secret_key);
        let config = Self {
            bind,
            database_url,
            secret_key,
            allowed_hosts: reader.hosts(),
            trusted_proxies: reader.networks(),
            cors_allow_origins: reader.origins(),
            rate_limits,
            pending_per_guest,
            debug,
            demo,
            auto_migrate: reader.flag("AUTO_MIGRATE"),
            test_clock,
            hold_ttl: reader.seconds("HOLD_TTL_SECONDS", HOLD_TTL),
            payments,
            actor_idle: reader.seconds("ACTOR_IDLE_SECONDS", ACTOR_IDLE),
            #[cfg(feature = "test_switches")]
            switches: reader.switches(),
            #[cfg(feature = "test_switches")]
            die_at_step: reader.die_at_step(),
        };
        if reader.problems.is_empty() { Ok(config) } else { Err(ConfigError(reader.problems)) }
    }
}

/// When a server goes without limits.
#[derive(Clone, Copy)]
struct Unlimited {
    by_default: bool,
    allowed: bool,
}

struct Reader<F> {
    get: F,
    problems: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// A value; an empty one counts as unset.
    fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.trim().is_empty())
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.text(name).as_deref() {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(_) => {
                self.problem(format!("{name}: must be true or false"));
                false
            }
        }
    }

    fn address(&mut self, name: &str, default: &str) -> SocketAddr {
        let text = self.text(name).unwrap_or_else(|| default.to_owned());
        text.parse().unwrap_or_else(|_| {
            self.problem(format!("{name}: must be an address like {DEFAULT_BIND}"));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    fn seconds(&mut self, name: &str, default: Duration) -> Duration {
        let Some(text) = self.text(name) else { return default };
        match text.parse::<u64>() {
            Ok(seconds @ 1..=86_400) => Duration::from_secs(seconds),
            _ => {
                self.problem(format!("{name}: must be a whole number of seconds, 1 to 86400"));
                default
            }
        }
    }

    /// The values between the commas.
    fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        let values = text.split(',').map(str::trim).filter(|value| !value.is_empty());
        values.map(str::to_owned).collect()
    }

    fn hosts(&mut self) -> Vec<String> {
        let mut hosts = self.list("ALLOWED_HOSTS");
        for host in &mut hosts {
            host.make_ascii_lowercase();
            if host != "*" && !is_host(host) {
                let problem = "must be * or names like stay.example.com, without scheme and port";
                self.problem(format!("ALLOWED_HOSTS: {problem}, and {host} is none"));
            }
        }
        hosts
    }

    fn networks(&mut self) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for text in self.list("TRUSTED_PROXIES") {
            let one = text.parse::<IpAddr>().map(IpNet::from);
            match one.or_else(|_| text.parse::<IpNet>()) {
                Ok(network) => networks.push(network),
                Err(_) => self.problem(format!(
                    "TRUSTED_PROXIES: must be addresses or networks like 10.0.0.0/8, and {text} is \
                     none"
                )),
            }
        }
        networks
    }

    fn origins(&mut self) -> Vec<String> {
        let mut origins = self.list("CORS_ALLOW_ORIGINS");
        for origin in &mut origins {
            origin.make_ascii_lowercase();
            if !is_origin(origin) {
                self.problem(format!(
                    "CORS_ALLOW_ORIGINS: must be origins like https://app.example.com without path, \
                     and {origin} is none"
                ));
            }
        }
        origins
    }

    /// Whether a limit holds, and what its name may be set to. A server that others can reach has
    /// limits, unless somebody says twice that it shall not.
    fn is_limited(&mut self, name: &str, unlimited: Unlimited, forms: &str) -> bool {
        match self.text(name).as_deref() {
            None => !unlimited.by_default,
            Some("on") => true,
            Some("off") => {
                if !unlimited.allowed {
                    self.problem(format!(
                        "{name}=off: only on a loopback BIND_ADDR, with DEBUG=true or with \
                         ALLOW_UNLIMITED=true"
                    ));
                }
                false
            }
            Some(_) => {
                self.problem(format!("{name}: must be {forms}"));
                true
            }
        }
    }

    fn pending_per_guest(&mut self, unlimited: Unlimited) -> Option<usize> {
        const NAME: &str = "PENDING_LIMITS";
        match self.text(NAME).as_deref().map(str::parse) {
            Some(Ok(most @ 1..=MAX_PENDING_PER_GUEST)) => Some(most),
            _ => self
                .is_limited(NAME, unlimited, "on, off or a whole number from 1 to 100")
                .then_some(PENDING_PER_GUEST),
        }
    }

    /// A secret by its name, or from the file that stands under that name with `_FILE` behind it.
    fn secret_text(&mut self, name: &str) -> Option<String> {
        let Some(path) = self.text(&format!("{name}_FILE")) else { return self.text(name) };
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(text.trim().to_owned()),
            Err(_) => {
                self.problem(format!("{name}_FILE: {path} cannot be read"));
                None
            }
        }
    }

    /// What signs tokens.
    fn secret(&mut self, demo: bool, serving: bool) -> SecretString {
        let before = self.problems.len();
        let value = self.secret_text("SECRET_KEY");
        if self.problems.len() > before {
            return SecretString::default();
        }
        match value {
            None if demo || !serving => SecretString::default(),
            value => {
                let value = value.unwrap_or_default();
                if serving && let Some(problem) = secret_problem(&value) {
                    self.problem(format!(
                        "SECRET_KEY: {problem}. Make one with: openssl rand -hex 32"
                    ));
                }
                value.into()
            }
        }
    }
}

/// Whether a text is a name or an address as it stands in a Host header, without a port.
fn is_host(text: &str) -> bool {
    let v6 = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match v6 {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
            !text.is_empty() && text.bytes().all(is_plain)
        }
    }
}

/// Whether a text is an origin as browsers send it: a scheme, a host, and perhaps a port.
fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0)
        }
        _ => is_host(rest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn read(values: &[(&str, &str)], demo: bool) -> Result<Config, ConfigError> {
        let get = |name: &str| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Config::read(get, demo, true)
    }

    pub(super) const SECRET: (&str, &str) =
        ("SECRET_KEY", "f3c9b1d27a6e48509c1b7de2a4f8036e5d9c7b1a2f4e6d8c");

    #[test]
    fn defaults_run_everything_on_sqlite_on_loopback() {
        let config = read(&[SECRET], false).expect("usable");
        assert_eq!(config.database_url, DEFAULT_DATABASE);
        assert_eq!(config.bind.to_string(), DEFAULT_BIND);
        assert_eq!(config.hold_ttl, HOLD_TTL);
    }

    #[test]
    fn a_missing_short_or_sample_secret_is_refused_outside_the_demo() {
        for secret in ["", "short", "changeme", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            let error = read(&[("SECRET_KEY", secret)], false).expect_err(secret);
            assert!(error.0[0].starts_with("SECRET_KEY"), "{error}");
        }
        assert!(read(&[], true).is_ok(), "the demo makes its own");
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let error = read(
            &[SECRET, ("BIND_ADDR", "nowhere"), ("HOLD_TTL_SECONDS", "0"), ("DEBUG", "maybe")],
            false,
        )
        .expect_err("three problems");
        for name in ["BIND_ADDR", "HOLD_TTL_SECONDS", "DEBUG"] {
            assert!(error.0.iter().any(|problem| problem.starts_with(name)), "{name}: {error}");
        }
    }

    #[test]
    fn the_demo_touches_no_other_database_and_time_moves_on_loopback_only() {
        assert!(read(&[("DATABASE_URL", "sqlite://data/vacancy.db")], true).is_err());
        assert!(read(&[SECRET, ("CLOCK", "test")], false).is_err());
        assert!(read(&[SECRET, ("CLOCK", "test"), ("DEBUG", "true")], false).is_ok());
        let public = [SECRET, ("CLOCK", "test"), ("DEBUG", "true"), ("BIND_ADDR", "0.0.0.0:80")];
        assert!(read(&public, false).is_err());
    }

    #[test]
    fn lists_of_hosts_proxies_and_origins_are_read_with_their_spaces() {
        let config = read(
            &[
                SECRET,
                ("ALLOWED_HOSTS", " Stay.example.com , [::1],127.0.0.1,"),
                ("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7 , fd00::/8"),
                ("CORS_ALLOW_ORIGINS", "https://App.example.com, http://localhost:5173"),
            ],
            false,
        )
        .expect("usable");
        assert_eq!(config.allowed_hosts, ["stay.example.com", "[::1]", "127.0.0.1"]);
        let networks: Vec<String> = config.trusted_proxies.iter().map(IpNet::to_string).collect();
        assert_eq!(networks, ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"]);
        let origins = ["https://app.example.com", "http://localhost:5173"];
        assert_eq!(config.cors_allow_origins, origins);
        assert!(config.rate_limits);
    }

    #[test]
    fn what_is_no_host_proxy_or_origin_is_named() {
        for (name, value) in [
            ("ALLOWED_HOSTS", "https://stay.example.com"),
            ("ALLOWED_HOSTS", "stay.example.com:8000"),
            ("ALLOWED_HOSTS", "[stay]"),
            ("TRUSTED_PROXIES", "proxy.example.com"),
            ("TRUSTED_PROXIES", "10.0.0.0/33"),
            ("CORS_ALLOW_ORIGINS", "*"),
            ("CORS_ALLOW_ORIGINS", "null"),
            ("CORS_ALLOW_ORIGINS", "app.example.com"),
            ("CORS_ALLOW_ORIGINS", "https://app.example.com/"),
            ("CORS_ALLOW_ORIGINS", "https://app.example.com:0"),
            ("RATE_LIMITS", "no"),
            ("RATE_LIMITS", "5"),
            ("PENDING_LIMITS", "no"),
            ("PENDING_LIMITS", "0"),
            ("PENDING_LIMITS", "101"),
        ] {
            let error = read(&[SECRET, (name, value)], false).expect_err(value);
            assert!(error.0.len() == 1 && error.0[0].starts_with(name), "{error}");
        }
    }

    #[test]
    fn limits_are_off_in_the_demo_and_where_somebody_means_it() {
        let public = ("BIND_ADDR", "0.0.0.0:80");
        let off = ("RATE_LIMITS", "off");
        for (values, demo, expected) in [
            (&[SECRET][..], false, Some(true)),
            (&[], true, Some(false)),
            (&[("RATE_LIMITS", "on")], true, Some(true)),
            (&[public], true, Some(true)),
            (&[SECRET, off], false, Some(false)),
            (&[SECRET, off, public], false, None),
            (&[SECRET, off, public, ("DEBUG", "true")], false, Some(false)),
            (&[SECRET, off, public, ("ALLOW_UNLIMITED", "true")], false, Some(false)),
        ] {
            let limited = read(values, demo).ok().map(|config| config.rate_limits);
            assert_eq!(limited, expected, "{values:?} {demo}");
            let rename = |(name, value): &(&'static str, &'static str)| match *name {
                "RATE_LIMITS" => ("PENDING_LIMITS", *value),
                _ => (*name, *value),
            };
            let values: Vec<_> = values.iter().map(rename).collect();
            let limited = read(&values, demo).ok().map(|config| config.pending_per_guest);
            let expected = expected.map(|limited| limited.then_some(PENDING_PER_GUEST));
            assert_eq!(limited, expected, "{values:?} {demo}");
        }
        let eight = read(&[SECRET, ("PENDING_LIMITS", "8")], false).expect("usable");
        assert_eq!(eight.pending_per_guest, Some(8));
    }
}
