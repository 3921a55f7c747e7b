//! Limits that this process counts by itself, by the house's clock.
//!
//! Memory is bounded: each limit knows so many keys, quiet ones are forgotten, and while there is
//! no room newcomers share a fixed number of places, so that a flood of addresses can neither
//! fill the memory nor buy itself new chances.

use super::{Key, Left, Limit, RateLimiter, Refused};
use crate::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::{DashMapStateStore, ShrinkableKeyedStateStore};
use governor::state::{InMemoryState, NotKeyed, StateStore};
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The most keys that one limit knows: some 10 MB.
const MAX_KEYS: usize = 100_000;
/// The places that newcomers share while there is no room.
const SHARED_PLACES: usize = 1_024;
/// How often quiet keys are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(30);

type Governor = governor::RateLimiter<Key, Bounded, HouseTime, StateInformationMiddleware>;

/// All limits of this process.
pub struct InProcess {
    /// In the order of [`Limit::ALL`].
    governors: [Governor; Limit::ALL.len()],
    time: HouseTime,
}

impl InProcess {
    pub fn new(clock: Clock) -> Self {
        Self::bounded(clock, MAX_KEYS)
    }

    fn bounded(clock: Clock, most: usize) -> Self {
        let time = HouseTime(clock);
        let governors =
            Limit::ALL.map(|limit| Governor::new(quota(limit), Bounded::new(most), time.clone()));
        Self { governors, time }
    }

    /// Forgets quiet keys from time to time, for as long as the server runs.
    pub async fn forget_the_quiet(self: Arc<Self>) {
        loop {
            tokio::time::sleep(FORGET_EVERY).await;
            self.forget();
        }
    }

    /// Forgets the keys that may ask as much as if they had never come.
    fn forget(&self) {
        for governor in &self.governors {
            governor.retain_recent();
            governor.shrink_to_fit();
        }
    }
}

impl RateLimiter for InProcess {
    fn take(&self, limit: Limit, key: Key) -> Result<Left, Refused> {
        let taken = self.governors[limit as usize].check_key(&key);
        match taken {
            Ok(snapshot) => {
                let quota = snapshot.quota();
                let requests = snapshot.remaining_burst_capacity();
                let missing = quota.burst_size().get().saturating_sub(requests);
                Ok(Left { requests, full_in: quota.replenish_interval() * missing })
            }
            Err(until) => {
                let now = governor::clock::Clock::now(&self.time);
                Err(Refused { limit, wait: until.wait_time_from(now) })
            }
        }
    }
}

fn quota(limit: Limit) -> governor::Quota {
    let quota = limit.quota();
    let requests = NonZeroU32::new(quota.requests).unwrap_or(NonZeroU32::MIN);
    let window = Duration::from_secs(u64::from(quota.window_seconds));
    governor::Quota::with_period(window / requests.get())
        .unwrap_or(governor::Quota::per_second(requests))
        .allow_burst(requests)
}

/// The house's clock as the governor reads it.
#[derive(Clone, Debug)]
struct HouseTime(Clock);

impl governor::clock::Clock for HouseTime {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let micros = u64::try_from(self.0.now().as_micros()).unwrap_or(0);
        Nanos::from(micros.saturating_mul(1_000))
    }
}

/// The states of so many keys, and places that all others share.
struct Bounded {
    known: DashMapStateStore<Key>,
    /// At least as many as there are known keys; put right whenever quiet ones are forgotten.
    counted: AtomicUsize,
    most: usize,
    shared: Vec<InMemoryState>,
    hasher: RandomState,
}

impl Bounded {
    fn new(most: usize) -> Self {
        Self {
            known: DashMapStateStore::default(),
            counted: AtomicUsize::new(0),
            most,
            shared: (0..SHARED_PLACES).map(|_| InMemoryState::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Makes room for a new key, if there is any.
    fn admit(&self) -> bool {
        let is_room = self.counted.fetch_add(1, Ordering::Relaxed) < self.most;
        if !is_room {
            self.counted.fetch_sub(1, Ordering::Relaxed);
        }
        is_room
    }
}

impl StateStore for Bounded {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        if self.known.contains_key(key) || self.admit() {
            return self.known.measure_and_replace(key, f);
        }
        let place = self.hasher.hash_one(key) % (SHARED_PLACES as u64);
        self.shared[place as usize].measure_and_replace(&NotKeyed::NonKey, f)
    }
}

impl ShrinkableKeyedStateStore<Key> for Bounded {
    fn retain_recent(&self, drop_below: Nanos) {
        ShrinkableKeyedStateStore::retain_recent(&self.known, drop_below);
        self.counted.store(self.known.len(), Ordering::Relaxed);
    }

    fn shrink_to_fit(&self) {
        self.known.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.known.len()
    }

    fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Instant;
    use std::net::{IpAddr, Ipv4Addr};

    fn clock() -> Clock {
        Clock::new(Instant::from_micros(1_800_000_000_000_000), true)
    }

    fn address(number: u32) -> Key {
        Key::of(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn a_key_may_ask_as_often_as_its_limit_says_and_again_as_time_goes_on() {
        let clock = clock();
        let limits = InProcess::new(clock.clone());
        let quota = Limit::SignIn.quota();
        for asked in 1..=quota.requests {
            let left = limits.take(Limit::SignIn, address(1)).expect("within the limit");
            assert_eq!(left.requests, quota.requests - asked);
        }
        let refused = limits.take(Limit::SignIn, address(1)).expect_err("one too many");
        let interval = Duration::from_secs(3);
        assert!(refused.wait <= interval && refused.wait > interval / 2, "{refused:?}");
        clock.advance(refused.wait);
        limits.take(Limit::SignIn, address(1)).expect("one more after the wait");
        limits.take(Limit::SignIn, address(1)).expect_err("and no second one");
        clock.advance(Duration::from_secs(u64::from(quota.window_seconds)));
        let left = limits.take(Limit::SignIn, address(1)).expect("as if nothing had been");
        assert_eq!(left.requests, quota.requests - 1);
        assert!(left.full_in <= interval);
    }

    #[test]
    fn keys_and_limits_do_not_count_for_each_other() {
        let limits = InProcess::new(clock());
        for _ in 0..Limit::SignIn.quota().requests {
            limits.take(Limit::SignIn, address(1)).expect("within the limit");
        }
        limits.take(Limit::SignIn, address(1)).expect_err("one too many");
        limits.take(Limit::SignIn, address(2)).expect("another key");
        limits.take(Limit::Address, address(1)).expect("another limit");
    }

    #[test]
    fn quiet_keys_are_forgotten_and_busy_ones_kept() {
        let clock = clock();
        let limits = InProcess::new(clock.clone());
        for number in 0..1_000 {
            limits.take(Limit::Address, address(number)).expect("within the limit");
        }
        let known = || limits.governors[Limit::Address as usize].len();
        assert_eq!(known(), 1_000);
        clock.advance(Duration::from_secs(60));
        for _ in 0..5 {
            limits.take(Limit::Address, address(7)).expect("within the limit");
        }
        limits.forget();
        assert_eq!(known(), 1);
    }

    #[test]
    fn a_flood_of_keys_takes_no_more_memory_and_buys_no_new_chances() {
        let limits = InProcess::bounded(clock(), 10);
        let flood = (SHARED_PLACES as u32) * (Limit::SignIn.quota().requests + 1) + 10;
        let refused =
            (0..flood).filter(|n| limits.take(Limit::SignIn, address(*n)).is_err()).count();
        assert_eq!(limits.governors[Limit::SignIn as usize].len(), 10);
        assert!(refused >= SHARED_PLACES, "{refused} of {flood}");
        limits.take(Limit::SignIn, address(0)).expect("who was known before is not harmed");
    }
}
