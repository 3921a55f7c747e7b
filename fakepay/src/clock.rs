//! The stand-in's own clock: the time on the wall when it started, the monotonic time since, and
//! whatever the control route added. It never goes back.

use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};

/// How far the clock may be moved in all, in seconds: about ten years, so that no time overflows.
pub(crate) const MOST_AHEAD_SECONDS: u64 = 315_360_000;

#[derive(Debug)]
pub(crate) struct Clock {
    sampled: Timestamp,
    started: Instant,
    ahead_seconds: u64,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "it is the clock that others ask")]
    pub(crate) fn new() -> Self {
        Self { sampled: Timestamp::now(), started: Instant::now(), ahead_seconds: 0 }
    }

    pub(crate) fn now(&self) -> Timestamp {
        after(self.sampled, self.started.elapsed() + Duration::from_secs(self.ahead_seconds))
    }

    /// Moves the clock forward; false, and nothing happens, when that is further than it goes.
    pub(crate) fn advance(&mut self, seconds: u64) -> bool {
        let ahead = self.ahead_seconds.saturating_add(seconds);
        if ahead > MOST_AHEAD_SECONDS {
            return false;
        }
        self.ahead_seconds = ahead;
        true
    }
}

/// A time that is later by this much.
pub(crate) fn after(time: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
