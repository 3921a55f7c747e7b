//! The stand-in's own clock: the time on the wall when it started, the monotonic time since, and
//! whatever the control route added. It never goes back.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How far the clock may be moved in all: about ten years, so that no time overflows.
const MOST_AHEAD: Duration = Duration::from_secs(315_360_000);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Reading", from = "Reading")]
pub(crate) struct Clock {
    sampled: Timestamp,
    started: Instant,
    ahead: Duration,
}

/// A clock on disk: how far it had come, and how much of that it had been moved.
#[derive(Serialize, Deserialize)]
struct Reading {
    now: Timestamp,
    ahead: Duration,
}

impl From<Clock> for Reading {
    fn from(clock: Clock) -> Self {
        Self { now: clock.now(), ahead: clock.ahead }
    }
}

impl From<Reading> for Clock {
    /// Goes on from the wall by as much as it was ahead of it, and not before it had come to,
    /// should the wall have gone back.
    fn from(reading: Reading) -> Self {
        let mut clock = Self { ahead: reading.ahead.min(MOST_AHEAD), ..Self::new() };
        let missing = clock.now().duration_until(reading.now);
        if let Ok(missing) = Duration::try_from(missing) {
            clock.sampled = after(clock.sampled, missing);
        }
        clock
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_from_disk_goes_on_from_the_wall_and_never_goes_back() {
        let now = Clock::new().now();
        for (by_seconds, ahead_seconds, least_seconds) in [
            // It was read an hour ago, and not moved.
            (-3_600, 0, 0),
            // It was read an hour ago, and was a day ahead.
            (86_400 - 3_600, 86_400, 86_400),
            // The wall has gone back by an hour since.
            (3_600, 0, 3_600),
            (86_400 + 3_600, 86_400, 86_400 + 3_600),
        ] {
            let reading = Reading {
                now: now.checked_add(SignedDuration::from_secs(by_seconds)).expect("a time"),
                ahead: Duration::from_secs(ahead_seconds),
            };
            let gone_on = Clock::from(reading).now().duration_since(now).as_secs();
            // Another minute is for a machine that is busy with something else.
            let wanted = least_seconds..least_seconds + 60;
            assert!(wanted.contains(&gone_on), "{by_seconds} {ahead_seconds}: {gone_on}");
        }
    }
}
