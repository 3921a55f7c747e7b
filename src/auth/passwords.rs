//! Passwords: what may become one, and how one is kept and checked.
//!
//! A new password has 12 to 128 characters, none of them a control character, and is not on the
//! list of common ones beside this file (NIST SP 800-63B, section 5.1.1.2: length and a list, no
//! rules of composition). It is kept as Argon2id with 19 MiB, two passes and one lane (the OWASP
//! password storage cheat sheet), under a salt from the operating system.
//!
//! Hashing takes some 10 ms of a core, so it runs on a thread of its own, which makes room for others
//! ([`super::standing_back`]): who books does not wait for who signs in. There is one at a
//! time, and at most 512 callers wait for a turn: beyond that the answer is
//! [`Unhashed::Overloaded`]. A login for an unknown account takes the same time as one with a wrong
//! password.

use super::standing_back::{Metronome, stand_back};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, LazyLock};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The fewest and the most characters of a password.
pub const MIN_CHARS: usize = 12;
pub const MAX_CHARS: usize = 128;

/// How many hashes are computed at once. Two would slow those who book twice as much, and nobody
/// would sign in any faster: each needs most of the memory's bandwidth.
const AT_ONCE: usize = 1;
/// How many callers may be served or wait: about ten seconds of work.
const MAX_WAITING: usize = 512;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash of nobody's password under the same parameters, for logins to unknown accounts.
const NOBODYS_HASH: &str = concat!(
    "$argon2id$v=19$m=19456,t=2,p=1$",
    "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
);

/// One password a line, in lower case, each of at least 12 characters; sorted.
static COMMON: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Why a text cannot become a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    #[error("must have at least 12 characters")]
    TooShort,
    #[error("must have at most 128 characters")]
    TooLong,
    #[error("must not contain control characters")]
    ControlCharacter,
    #[error("is one of the most common passwords, which are tried first: choose another")]
    Common,
}

/// A text that may become a password.
#[derive(Clone, Debug)]
pub struct NewPassword(SecretString);

impl NewPassword {
    /// Judges a text; nothing is trimmed or folded.
    pub fn parse(text: &str) -> Result<Self, PasswordProblem> {
        let chars = text.chars().count();
        if chars < MIN_CHARS {
            return Err(PasswordProblem::TooShort);
        }
        if chars > MAX_CHARS {
            return Err(PasswordProblem::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(PasswordProblem::ControlCharacter);
        }
        if is_common(text) {
            return Err(PasswordProblem::Common);
        }
        Ok(Self(SecretString::from(text)))
    }
}

/// Whether the text is on the list, whatever its case, or repeats at most four characters.
fn is_common(text: &str) -> bool {
    let lower = text.to_lowercase();
    let chars: Vec<char> = lower.chars().collect();
    // A text has the period p if it equals itself moved by p.
    let repeats = (1..=4).any(|period| chars[period..] == chars[..chars.len() - period]);
    repeats || COMMON.binary_search(&lower.as_str()).is_ok()
}

/// Why there is no hash and no verdict.
#[derive(Debug, thiserror::Error)]
pub enum Unhashed {
    /// Too many wait already: try again in some seconds.
    #[error("too many passwords are being checked")]
    Overloaded,
    /// The stored hash cannot be read, or the machine has no memory or randomness left.
    #[error("a password could not be hashed: {0}")]
    Failed(String),
}

/// The threads for [`Passwords`].
pub fn runtime() -> std::io::Result<Runtime> {
    let mut builder = Builder::new_current_thread();
    builder.thread_name("passwords").on_thread_start(stand_back).build()
}

/// Hashes and verifies passwords, a few at a time.
pub struct Passwords {
    blocking: Handle,
    admitted: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    metronome: Arc<Metronome>,
}

impl Passwords {
    /// The work is done on the blocking threads of this runtime: see [`runtime`].
    pub fn new(blocking: Handle) -> Self {
        Self {
            blocking,
            admitted: Arc::new(Semaphore::new(MAX_WAITING)),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            metronome: Arc::new(Metronome::start()),
        }
    }

    /// The hash to keep, as a PHC string.
    pub async fn hash(&self, password: NewPassword) -> Result<String, Unhashed> {
        self.in_turn(move || {
            let hashed: Result<PasswordHash, _> =
                hasher()?.hash_password(password.0.expose_secret().as_bytes());
            hashed.map(|hash| hash.to_string()).map_err(|error| Unhashed::Failed(error.to_string()))
        })
        .await
    }

    /// Whether this is the password that was kept as `stored`. `None` stands for an unknown
    /// account: the answer is no, after the same work.
    pub async fn verify(
        &self,
        attempt: SecretString,
        stored: Option<String>,
    ) -> Result<bool, Unhashed> {
        self.in_turn(move || {
            let known = stored.is_some();
            let matches = matches(&attempt, stored.as_deref().unwrap_or(NOBODYS_HASH))?;
            Ok(known && matches)
        })
        .await
    }

    /// Runs the work on a blocking thread when its turn comes. The permits travel with the work:
    /// it goes on, and counts, when its caller is gone.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Unhashed> + Send + 'static,
    ) -> Result<T, Unhashed> {
        let admitted =
            Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| Unhashed::Overloaded)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(failed)?;
        let permits: [OwnedSemaphorePermit; 2] = [admitted, turn];
        let metronome = Arc::clone(&self.metronome);
        let done = self.blocking.spawn_blocking(move || {
            let result = metronome.beside(work);
            drop(permits);
            result
        });
        done.await.map_err(failed)?
    }
}

fn failed(error: impl ToString) -> Unhashed {
    Unhashed::Failed(error.to_string())
}

fn hasher() -> Result<Argon2<'static>, Unhashed> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Verifies under the parameters that stand in the hash.
fn matches(attempt: &SecretString, stored: &str) -> Result<bool, Unhashed> {
    let hash = PasswordHash::new(stored).map_err(failed)?;
    match hasher()?.verify_password(attempt.expose_secret().as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_12_to_128_characters_of_any_script() {
        for (text, expected) in [
            ("", Err(PasswordProblem::TooShort)),
            ("elevenchars", Err(PasswordProblem::TooShort)),
            ("ünïcödé-pässwörd", Ok(())),
            ("двенадцатьбк", Ok(())),
            ("correct horse battery staple", Err(PasswordProblem::Common)),
            ("four words of mine", Ok(())),
            ("nul\0in-the-middle", Err(PasswordProblem::ControlCharacter)),
            ("tab\tin-the-middle", Err(PasswordProblem::ControlCharacter)),
            ("password1234", Err(PasswordProblem::Common)),
            ("PassWord1234", Err(PasswordProblem::Common)),
            ("ababababababab", Err(PasswordProblem::Common)),
            ("111111111111111", Err(PasswordProblem::Common)),
        ] {
            assert_eq!(NewPassword::parse(text).map(|_| ()), expected, "{text:?}");
        }
        let long: String = ('а'..='я').cycle().take(128).collect();
        assert!(NewPassword::parse(&long).is_ok());
        let longer = format!("{long}x");
        assert_eq!(NewPassword::parse(&longer).map(|_| ()), Err(PasswordProblem::TooLong));
    }

    #[test]
    fn the_list_is_sorted_in_lower_case_and_long_enough_to_matter() {
        assert!(COMMON.len() >= 300, "{}", COMMON.len());
        for pair in COMMON.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
        for line in COMMON.iter() {
            assert_eq!(*line, line.to_lowercase());
            assert!(line.chars().count() >= MIN_CHARS, "{line}");
        }
    }

    #[test]
    fn a_password_in_a_log_shows_nothing() {
        let password = NewPassword::parse("four words of mine").expect("a password");
        assert!(!format!("{password:?}").contains("four"));
    }

    #[tokio::test]
    async fn a_hash_accepts_its_password_and_no_other() {
        let passwords = Passwords::new(Handle::current());
        let chosen = NewPassword::parse("four words of mine").expect("a password");
        let stored = passwords.hash(chosen.clone()).await.expect("a hash");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, passwords.hash(chosen).await.expect("another salt"));
        for (attempt, expected) in [("four words of mine", true), ("four words of Mine", false)] {
            let verdict = passwords.verify(attempt.into(), Some(stored.clone())).await;
            assert_eq!(verdict.expect("a verdict"), expected, "{attempt}");
        }
        let broken = passwords.verify("four words of mine".into(), Some("$argon2id$".into())).await;
        assert!(matches!(broken, Err(Unhashed::Failed(_))));
    }

    #[tokio::test]
    async fn an_unknown_account_is_refused_after_the_same_work() {
        let passwords = Passwords::new(Handle::current());
        let verdict = passwords.verify("four words of mine".into(), None).await;
        assert!(!verdict.expect("a verdict"));
        let nobody = PasswordHash::new(NOBODYS_HASH).expect("a readable hash");
        let params = Params::try_from(&nobody).expect("its parameters");
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost(), params.output_len()),
            (MEMORY_KIB, PASSES, LANES, Some(Params::DEFAULT_OUTPUT_LEN))
        );
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_told_at_once() {
        let passwords = Passwords::new(Handle::current());
        let all = u32::try_from(MAX_WAITING).expect("a small number");
        let _taken = passwords.admitted.acquire_many(all).await.expect("every place");
        let verdict = passwords.verify("four words of mine".into(), None).await;
        assert!(matches!(verdict, Err(Unhashed::Overloaded)));
    }
}
