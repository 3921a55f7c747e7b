//! The configuration: one typed value, read from the environment (and `.env`, which the
//! environment wins over), validated as a whole at start. Every name stands in `.env.example`.

use crate::auth::tokens::secret_problem;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::time::Duration;

/// Everything that an operator may set.
#[derive(Debug)]
pub struct Config {
    pub bind: SocketAddr,
    pub database_url: String,
    pub secret_key: SecretString,
    pub debug: bool,
    pub demo: bool,
    /// PostgreSQL only: migrate at start instead of waiting for `vacancy migrate`.
    pub auto_migrate: bool,
    /// Whether `POST /test/clock` exists and moves time.
    pub test_clock: bool,
    pub hold_ttl: Duration,
    pub actor_idle: Duration,
    /// The bug that a test plants, by `TEST_SWITCH`.
    #[cfg(feature = "test_switches")]
    pub switches: domain::switches::Switches,
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
        let config = Self {
            bind,
            database_url,
            secret_key,
            debug,
            demo,
            auto_migrate: reader.flag("AUTO_MIGRATE"),
            test_clock,
            hold_ttl: reader.seconds("HOLD_TTL_SECONDS", HOLD_TTL),
            actor_idle: reader.seconds("ACTOR_IDLE_SECONDS", ACTOR_IDLE),
            #[cfg(feature = "test_switches")]
            switches: reader.switches(),
        };
        if reader.problems.is_empty() { Ok(config) } else { Err(ConfigError(reader.problems)) }
    }
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

    #[cfg(feature = "test_switches")]
    fn switches(&mut self) -> domain::switches::Switches {
        use domain::switches::{Bug, Switches};
        match self.text("TEST_SWITCH").as_deref() {
            None => Switches::default(),
            Some("no_overlap_check") => Switches::planted(Bug::NoOverlapCheck),
            Some(_) => {
                self.problem("TEST_SWITCH: must be no_overlap_check".to_owned());
                Switches::default()
            }
        }
    }

    /// A secret from `SECRET_KEY` or the file that `SECRET_KEY_FILE` names.
    fn secret(&mut self, demo: bool, serving: bool) -> SecretString {
        let from_file = self.text("SECRET_KEY_FILE").map(|path| {
            std::fs::read_to_string(&path).map(|text| text.trim().to_owned()).map_err(|_| path)
        });
        let value = match from_file {
            Some(Err(path)) => {
                self.problem(format!("SECRET_KEY_FILE: {path} cannot be read"));
                return SecretString::default();
            }
            Some(Ok(text)) => Some(text),
            None => self.text("SECRET_KEY"),
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)], demo: bool) -> Result<Config, ConfigError> {
        let get = |name: &str| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Config::read(get, demo, true)
    }

    const SECRET: (&str, &str) = ("SECRET_KEY", "f3c9b1d27a6e48509c1b7de2a4f8036e5d9c7b1a2f4e6d8c");

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
}
