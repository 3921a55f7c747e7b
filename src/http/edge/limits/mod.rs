//! How often somebody may ask: the limits, and how clients are told of them
//! (draft-ietf-httpapi-ratelimit-headers).
//!
//! Each limit fills up steadily: who has been quiet for its whole window may ask that often at
//! once, and everybody that often in each window on average. Nobody is ever locked out for good.

mod in_process;

pub use in_process::InProcess;

use crate::http::problem::{Code, Problem};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use uuid::Uuid;

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Counts requests. It decides at once and from memory: a form that several nodes share exchanges
/// its counts behind the scenes, because no request waits for a limit.
pub trait RateLimiter: Send + Sync {
    /// Takes one request out of what this key may still ask.
    fn take(&self, limit: Limit, key: Key) -> Result<Left, Refused>;
}

/// The limits, each with keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Everything that somebody signed in asks.
    Caller,
    /// Everything that comes anonymously from one address.
    Address,
    /// Signing in, registering and resetting passwords, from one address.
    SignIn,
    /// New bookings of one caller.
    Booking,
}

/// How much a limit lets through.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// The name that clients see.
    pub name: &'static str,
    pub requests: u32,
    pub window_seconds: u32,
}

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    Caller(Uuid),
    Address(IpAddr),
}

/// What a key may still ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    pub requests: u32,
    /// How long until it may ask as much as ever.
    pub full_in: Duration,
}

/// A request too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    pub limit: Limit,
    /// How long until the key may ask again.
    pub wait: Duration,
}

impl Limit {
    pub const ALL: [Self; 4] = [Self::Caller, Self::Address, Self::SignIn, Self::Booking];

    pub const fn quota(self) -> Quota {
        let (name, requests, window_seconds) = match self {
            Self::Caller => ("caller", 600, 60),
            Self::Address => ("address", 300, 60),
            Self::SignIn => ("sign-in", 20, 60),
            Self::Booking => ("booking", 30, 60),
        };
        Quota { name, requests, window_seconds }
    }
}

impl Key {
    /// The key of an address.
    pub fn of(address: IpAddr) -> Self {
        Self::Address(network(address))
    }
}

/// The addresses that are one client's. Whoever has an IPv6 address has the 2^64 beside it, too.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

impl Refused {
    /// Whole seconds after which trying again is of use.
    fn seconds(&self) -> u32 {
        whole_seconds(self.wait).max(1)
    }

    /// The answer to a request too many.
    pub fn told(self) -> Problem {
        let Quota { name, requests, window_seconds } = self.limit.quota();
        let detail = format!(
            "The limit \"{name}\" is {requests} requests in {window_seconds} seconds: \
             try again after Retry-After."
        );
        Problem::new(Code::RateLimited).with_detail(detail).retry_after(self.seconds())
    }
}

/// What a request's answer says about the limits that it was counted against.
#[derive(Debug, Default)]
pub struct Standings {
    policies: String,
    left: String,
}

impl Standings {
    /// Adds what came of counting a request.
    pub fn push(&mut self, limit: Limit, taken: &Result<Left, Refused>) {
        let Quota { name, requests, window_seconds } = limit.quota();
        let comma = if self.policies.is_empty() { "" } else { ", " };
        let (remaining, seconds) = match taken {
            Ok(left) => (left.requests, whole_seconds(left.full_in)),
            Err(refused) => (0, refused.seconds()),
        };
        self.policies += &format!("{comma}\"{name}\";q={requests};w={window_seconds}");
        self.left += &format!("{comma}\"{name}\";r={remaining};t={seconds}");
    }

    pub(super) fn write(&self, headers: &mut HeaderMap) {
        for (name, text) in [(RATELIMIT_POLICY, &self.policies), (RATELIMIT, &self.left)] {
            if let Ok(value) = HeaderValue::from_str(text)
                && !text.is_empty()
            {
                headers.append(name, value);
            }
        }
    }
}

/// A time in whole seconds, rounded up.
fn whole_seconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_one_key() {
        let key = |text: &str| Key::of(text.parse().expect("an address"));
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }

    #[test]
    fn answers_say_each_limit_and_what_is_left_of_it() {
        let mut standings = Standings::default();
        let left = Left { requests: 599, full_in: Duration::from_millis(100) };
        standings.push(Limit::Caller, &Ok(left));
        let wait = Duration::from_millis(1_500);
        standings.push(Limit::Booking, &Err(Refused { limit: Limit::Booking, wait }));
        let mut headers = HeaderMap::new();
        standings.write(&mut headers);
        let shown = |name| headers.get(name).expect("a header").to_str().expect("ascii");
        assert_eq!(shown("ratelimit-policy"), r#""caller";q=600;w=60, "booking";q=30;w=60"#);
        assert_eq!(shown("ratelimit"), r#""caller";r=599;t=1, "booking";r=0;t=2"#);
    }

    #[test]
    fn answers_of_routes_without_limits_say_nothing() {
        let mut headers = HeaderMap::new();
        Standings::default().write(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn a_request_too_many_is_told_when_to_come_back() {
        let refused = Refused { limit: Limit::SignIn, wait: Duration::from_micros(1) };
        let problem = refused.told();
        assert_eq!(problem.code(), Code::RateLimited);
        assert_eq!(refused.seconds(), 1, "never zero");
    }
}
