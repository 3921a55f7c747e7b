//! Throttles: how often the same account, or the same client address, may be tried.
//!
//! Each is a bucket that takes some attempts at once and gets one back after a while (the generic
//! cell rate algorithm: a bucket is the one instant at which it is full again). Nobody is locked
//! out for good: who waits as long as the answer says is let in. An account's bucket is charged
//! before the attempt, so that guesses that are made side by side all count, and is forgiven by
//! the right password; an address is charged for failures only, because a whole town may share it.
//! Buckets have no names, only hashes, so that they stay as small for accounts that do not exist
//! and for texts that are no addresses. Memory is bounded: beyond 65,536 buckets of a kind, the
//! half that is closest to full goes.

use domain::Instant;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How much a bucket takes.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Attempts at once.
    pub burst: u32,
    /// When one more is given back.
    pub every: Duration,
}

/// Buckets of one kind, by the hash of what they are about.
#[derive(Debug)]
struct Buckets {
    limit: Limit,
    full_again: HashMap<u64, Instant>,
}

const MAX_BUCKETS: usize = 65_536;
/// The longest that anybody has to wait for the next attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

impl Buckets {
    fn new(limit: Limit) -> Self {
        Self { limit, full_again: HashMap::new() }
    }

    /// How long until the bucket takes one more; nothing if it does so now.
    fn wait(&self, key: u64, now: Instant) -> Option<Duration> {
        let full_again = *self.full_again.get(&key)?;
        let room = now.plus(self.limit.every * self.limit.burst);
        let wait = full_again.plus(self.limit.every).since(room);
        (!wait.is_zero()).then_some(wait)
    }

    /// Puts one in.
    fn charge(&mut self, key: u64, now: Instant) {
        if self.full_again.len() >= MAX_BUCKETS && !self.full_again.contains_key(&key) {
            self.make_room(now);
        }
        let most = now.plus(self.limit.every * self.limit.burst).plus(LONGEST_WAIT);
        let full_again = self.full_again.entry(key).or_insert(now);
        *full_again = (*full_again).max(now).plus(self.limit.every).min(most);
    }

    fn make_room(&mut self, now: Instant) {
        self.full_again.retain(|_, full_again| *full_again > now);
        if self.full_again.len() >= MAX_BUCKETS {
            let mut instants: Vec<Instant> = self.full_again.values().copied().collect();
            let (_, median, _) = instants.select_nth_unstable(MAX_BUCKETS / 2);
            let median = *median;
            self.full_again.retain(|_, full_again| *full_again > median);
        }
    }
}

/// A throttle of one kind of attempt.
#[derive(Debug)]
pub struct Throttle {
    hasher: RandomState,
    accounts: Mutex<Buckets>,
    addresses: Mutex<Buckets>,
}

impl Throttle {
    /// Every attempt is about an account and comes from an address.
    pub fn new(account: Limit, address: Limit) -> Self {
        Self {
            hasher: RandomState::new(),
            accounts: Mutex::new(Buckets::new(account)),
            addresses: Mutex::new(Buckets::new(address)),
        }
    }

    /// Lets an attempt through and charges its account, whether there is one or not; otherwise
    /// says how long to wait.
    pub fn admit(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<(), Duration> {
        let from_there = locked(&self.addresses).wait(self.address(address), now);
        let mut accounts = locked(&self.accounts);
        let account = self.account(account);
        match from_there.max(accounts.wait(account, now)) {
            Some(wait) => Err(wait),
            None => {
                accounts.charge(account, now);
                Ok(())
            }
        }
    }

    /// The attempt failed, or is one of a kind that counts in any case: charges its address.
    pub fn charge(&self, address: Option<IpAddr>, now: Instant) {
        locked(&self.addresses).charge(self.address(address), now);
    }

    /// The attempt was its holder's: forgives the account.
    pub fn forgive(&self, account: &str) {
        locked(&self.accounts).full_again.remove(&self.account(account));
    }

    fn account(&self, account: &str) -> u64 {
        self.hash(account.to_lowercase())
    }

    /// A household has 2^64 addresses of IPv6: the first half of the bits names it.
    fn address(&self, address: Option<IpAddr>) -> u64 {
        let household = address.map(|address| match address.to_canonical() {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
        });
        self.hash(household)
    }

    fn hash(&self, value: impl Hash) -> u64 {
        self.hasher.hash_one(value)
    }
}

fn locked(buckets: &Mutex<Buckets>) -> MutexGuard<'_, Buckets> {
    buckets.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(1_800_000_000_000_000);
    const MINUTE: Duration = Duration::from_secs(60);
    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    fn throttle() -> Throttle {
        let account = Limit { burst: 3, every: MINUTE };
        Throttle::new(account, Limit { burst: 5, every: Duration::from_secs(1) })
    }

    #[test]
    fn an_account_takes_some_attempts_at_once_and_then_one_a_minute() {
        let throttle = throttle();
        for _ in 0..3 {
            assert_eq!(throttle.admit("Ada@example.com", HERE, NOW), Ok(()));
        }
        assert_eq!(throttle.admit("ada@example.com", HERE, NOW), Err(MINUTE));
        assert_eq!(throttle.admit("eve@example.com", HERE, NOW), Ok(()));
        let later = NOW.plus(Duration::from_secs(20));
        assert_eq!(throttle.admit("ada@example.com", HERE, later), Err(MINUTE - (MINUTE / 3)));
        // What was refused does not count: who waits is let in.
        assert_eq!(throttle.admit("ada@example.com", HERE, NOW.plus(MINUTE)), Ok(()));
        assert_eq!(throttle.admit("ada@example.com", HERE, NOW.plus(MINUTE)), Err(MINUTE));
        throttle.forgive("ADA@example.com");
        assert_eq!(throttle.admit("ada@example.com", HERE, NOW.plus(MINUTE)), Ok(()));
    }

    #[test]
    fn an_address_is_charged_for_failures_and_never_waits_for_long() {
        let throttle = throttle();
        for number in 0..2_000 {
            if number < 5 {
                assert_eq!(throttle.admit(&number.to_string(), HERE, NOW), Ok(()), "{number}");
            }
            throttle.charge(HERE, NOW);
        }
        let elsewhere = Some("10.0.0.1".parse().expect("an address"));
        assert_eq!(throttle.admit("x", elsewhere, NOW), Ok(()));
        let wait = throttle.admit("y", HERE, NOW).expect_err("a wait");
        assert!(wait <= LONGEST_WAIT + Duration::from_secs(1), "{wait:?}");
        assert_eq!(throttle.admit("y", HERE, NOW.plus(wait)), Ok(()));
    }

    #[test]
    fn a_household_is_one_address() {
        let throttle = throttle();
        let address = |text: &str| Some(text.parse().expect("an address"));
        for (one, other, same) in [
            ("2001:db8::1", "2001:db8::ffff:2", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
        ] {
            let hashes = [one, other].map(|text| throttle.address(address(text)));
            assert_eq!(hashes[0] == hashes[1], same, "{one} {other}");
        }
    }

    #[test]
    fn memory_is_bounded_and_the_most_charged_stay() {
        let mut buckets = Buckets::new(Limit { burst: 3, every: MINUTE });
        for _ in 0..3 {
            buckets.charge(7, NOW);
        }
        for key in 0..200_000 {
            buckets.charge(1_000 + key, NOW.plus(Duration::from_micros(key)));
            assert!(buckets.full_again.len() <= MAX_BUCKETS);
        }
        assert!(buckets.wait(7, NOW).is_some());
    }
}
