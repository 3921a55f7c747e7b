//! Sessions that were ended while their access tokens may still be good: each request asks here.
//!
//! A set in memory, read without a lock, and empty for most of the time. It is told of what ends
//! on this node at once and of what ended elsewhere once a second; it forgets a session when no
//! token of it can be good any more. An hour of constant sign-outs makes it no larger than eleven
//! minutes of them.

use super::tokens::LIFETIME;
use arc_swap::ArcSwap;
use domain::Instant;
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// How far the clocks of two nodes may be apart.
const LEEWAY: Duration = Duration::from_secs(60);

/// The ended sessions, and when each was ended.
#[derive(Debug, Default)]
pub struct EndedSessions(ArcSwap<HashMap<Uuid, Instant>>);

impl EndedSessions {
    /// Whether this session was ended.
    pub fn contains(&self, session: Uuid) -> bool {
        let ended = self.0.load();
        !ended.is_empty() && ended.contains_key(&session)
    }

    /// Sessions that were ended before this are no business of anybody's.
    pub fn since(now: Instant) -> Instant {
        now.minus(LIFETIME + LEEWAY)
    }

    /// Adds sessions and forgets those whose tokens have expired. What others added meanwhile
    /// stays.
    pub fn learn(&self, sessions: &[(Uuid, Instant)], now: Instant) {
        let since = Self::since(now);
        let known = self.0.load();
        let is_news = sessions.iter().any(|(session, _)| !known.contains_key(session))
            || known.values().any(|at| *at <= since);
        drop(known);
        if is_news {
            self.0.rcu(|known| {
                let mut next = HashMap::clone(known);
                next.extend(sessions.iter().copied());
                next.retain(|_, at| *at > since);
                next
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(1_800_000_000_000_000);

    #[test]
    fn an_ended_session_is_known_as_long_as_its_tokens_could_be_good() {
        let ended = EndedSessions::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(!ended.contains(one));
        ended.learn(&[(one, NOW)], NOW);
        ended.learn(&[(other, NOW.plus(LIFETIME))], NOW.plus(LIFETIME));
        assert!(ended.contains(one) && ended.contains(other));
        ended.learn(&[], NOW.plus(LIFETIME + LEEWAY));
        assert!(!ended.contains(one) && ended.contains(other));
    }
}
