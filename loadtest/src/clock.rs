//! The one place that reads time. All instants of a history are nanoseconds on one monotonic clock
//! that starts with the run, so that two of them can be compared whichever client saw them.

use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Nanoseconds since the run began.
pub type Nanos = u64;

/// One second.
pub(crate) const SECOND: Nanos = 1_000_000_000;

/// A span as nanoseconds; the ones used here are far below the 584 years that fit.
pub(crate) fn nanos(span: Duration) -> Nanos {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// The monotonic clock of one run. Copies tell the same time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that stands at zero now.
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Nanoseconds since the start.
    pub(crate) fn now(&self) -> Nanos {
        nanos(self.start.elapsed())
    }

    /// Waits until the clock shows `at`; returns at once when it does already.
    pub(crate) async fn wait_until(&self, at: Nanos) {
        if self.now() < at {
            let due = self.start + Duration::from_nanos(at);
            tokio::time::sleep_until(due.into()).await;
        }
    }
}

/// Today's date in UTC, which is the time zone of every property that a scenario creates.
#[expect(clippy::disallowed_methods, reason = "a load generator runs on the wall's clock")]
pub(crate) fn today() -> Date {
    jiff::Timestamp::now().to_zoned(TimeZone::UTC).date()
}
