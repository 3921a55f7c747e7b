//! The stand-in's own clock: the time on the wall when it started, the monotonic time since, and
//! whatever the control route added. It never goes back.

use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};

/// How far the clock may be moved in all: about ten years, so that no time overflows.
const MOST_AHEAD: Duration = Duration::from_secs(315_360_000);

#[derive(Debug)]
pub(crate) struct Clock {
    sampled: Timestamp,
    started: Instant,
    ahead: Duration,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "it is the clock that others ask")]
    pub(crate) fn new() -> Self {
        Self { sampled: Timestamp::now(), started: Instant::now(), ahead: Duration::ZERO }
    }

    pub(crate) fn now(&self) -> Timestamp {
        after(self.sampled, self.started.elapsed() + self.ahead)
    }

    /// Moves the clock forward; false, and nothing happens, when that is further than it goes.
    pub(crate) fn advance(&mut self, by: Duration) -> bool {
        let ahead = self.ahead.saturating_add(by);
        if ahead > MOST_AHEAD {
            return false;
        }
        self.ahead = ahead;
        true
    }
}

/// A time that is later by this much.
pub(crate) fn after(time: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
