//! The one clock. Everything that reads time or judges a deadline is handed this.
//!
//! It is a time that was sampled once plus the monotonic time since, so that a jump of the wall
//! clock frees no night early. On PostgreSQL it follows the server's time in small steps, so that
//! the nodes of a fleet agree. A test clock can be moved forward; nothing can move one back.

use domain::Instant;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A shared clock; clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: std::time::Instant,
    /// What is added to the monotonic time, in microseconds since the Unix epoch.
    base: AtomicI64,
    is_test: bool,
}

/// The largest step in which the clock follows the database server's.
const MAX_STEP_MICROS: i64 = 1_000_000;

impl Clock {
    /// A clock that shows `sampled` now.
    pub fn new(sampled: Instant, is_test: bool) -> Self {
        let base = AtomicI64::new(sampled.as_micros());
        Self(Arc::new(Inner { started: std::time::Instant::now(), base, is_test }))
    }

    /// The time on the wall of this machine, to sample once.
    #[expect(clippy::disallowed_methods, reason = "the clock itself has to read it somewhere")]
    pub fn wall() -> Instant {
        jiff::Timestamp::now().into()
    }

    /// The time now.
    pub fn now(&self) -> Instant {
        Instant::from_micros(self.0.base.load(Ordering::Relaxed)).plus(self.0.started.elapsed())
    }

    /// Whether [`Clock::advance`] may be called.
    pub fn is_test(&self) -> bool {
        self.0.is_test
    }

    /// Moves a test clock forward and returns the new time; an ordinary clock stays as it is.
    pub fn advance(&self, by: Duration) -> Instant {
        if self.0.is_test {
            let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            self.0.base.fetch_add(micros, Ordering::Relaxed);
        }
        self.now()
    }

    /// Goes on no earlier than `floor`: after a restart time does not go back before the newest
    /// event, whatever the wall says.
    pub fn raise_to(&self, floor: Instant) {
        let behind = floor.as_micros() - self.now().as_micros();
        if behind > 0 {
            self.0.base.fetch_add(behind, Ordering::Relaxed);
        }
    }

    /// Follows the database server's time, by at most a second at once.
    pub fn follow(&self, server: Instant) {
        if !self.0.is_test {
            let off = server.as_micros() - self.now().as_micros();
            let step = off.clamp(-MAX_STEP_MICROS, MAX_STEP_MICROS);
            self.0.base.fetch_add(step, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_clock_moves_forward_on_request_and_others_do_not() {
        let start = Instant::from_micros(1_000_000);
        let hour = Duration::from_secs(3_600);
        assert!(Clock::new(start, true).advance(hour) >= start.plus(hour));
        assert!(Clock::new(start, false).advance(hour) < start.plus(hour));
    }

    #[test]
    fn a_jump_of_the_servers_clock_is_followed_in_small_steps() {
        let start = Instant::from_micros(1_000_000);
        let clock = Clock::new(start, false);
        clock.follow(start.plus(Duration::from_secs(86_400)));
        assert!(clock.now() < start.plus(Duration::from_secs(30)));
    }

    #[test]
    fn time_starts_no_earlier_than_the_newest_event() {
        let clock = Clock::new(Instant::from_micros(5), false);
        clock.raise_to(Instant::from_micros(9_000_000));
        assert!(clock.now() >= Instant::from_micros(9_000_000));
    }
}
