//! What was sent when, and who has heard it.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::report::Fan;
use crate::clock::{Clock, Nanos, nanos};
use crate::latency::Latency;

/// How often a wait looks whether it is over.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The changes of a run, in their order, and how they were heard.
pub(super) struct Tape {
    pub(super) clock: Clock,
    /// The calendar's number before the first change; each change adds one.
    base: u64,
    moments: Vec<Moment>,
    parts: Vec<Part>,
    frames: AtomicU64,
    gaps: AtomicU64,
    lost: AtomicU64,
}

/// One change.
#[derive(Default)]
struct Moment {
    /// When it was due to be sent.
    due: AtomicU64,
    heard_by: AtomicU32,
    last_heard: AtomicU64,
}

/// Changes that are looked at together.
struct Part {
    changes: Range<usize>,
    /// Microseconds from due to heard, of every delivery.
    deliveries: Mutex<Histogram<u64>>,
}

impl Tape {
    /// A tape for parts of so many changes, on a calendar with this number.
    pub(super) fn new(clock: Clock, base: u64, parts: &[usize]) -> Self {
        let mut end = 0;
        let parts = parts.iter().map(|changes| {
            let start = end;
            end += changes;
            Part { changes: start..end, deliveries: Mutex::new(Latency::histogram()) }
        });
        let parts = parts.collect();
        let moments = std::iter::repeat_with(Moment::default).take(end).collect();
        let [frames, gaps, lost] = [0; 3].map(AtomicU64::new);
        Self { clock, base, moments, parts, frames, gaps, lost }
    }

    /// The changes of a part.
    pub(super) fn part(&self, part: usize) -> Range<usize> {
        self.parts[part].changes.clone()
    }

    /// The calendar's number after a change.
    pub(super) fn number(&self, change: usize) -> u64 {
        self.base + change as u64 + 1
    }

    /// A change is sent.
    pub(super) fn send(&self, change: usize, due: Nanos) {
        self.moments[change].due.store(due, Ordering::Relaxed);
    }

    /// Somebody who stood `at` a number was told to stand at `seq`, after `prev_seq` if that was
    /// said.
    pub(super) fn hear(&self, at: &mut u64, prev_seq: Option<u64>, seq: u64) {
        let now = self.clock.now();
        self.frames.fetch_add(1, Ordering::Relaxed);
        if prev_seq.is_some_and(|prev_seq| prev_seq != *at) || seq < *at {
            self.gaps.fetch_add(1, Ordering::Relaxed);
        }
        let changes = (*at).saturating_sub(self.base)..seq.saturating_sub(self.base);
        *at = seq;
        for change in changes {
            let change = change as usize;
            let Some(moment) = self.moments.get(change) else { return };
            let late = now.saturating_sub(moment.due.load(Ordering::Relaxed)) / 1_000;
            if let Some(part) = self.parts.iter().find(|part| part.changes.contains(&change)) {
                let mut deliveries = part.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
                deliveries.saturating_record(late);
            }
            moment.last_heard.fetch_max(now, Ordering::Relaxed);
            moment.heard_by.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A socket was closed to somebody who listened.
    pub(super) fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until so many have heard a change, and says when the last of them did.
    pub(super) async fn arrival(&self, change: usize, by: u32, limit: Duration) -> Option<Nanos> {
        let give_up_at = self.clock.now() + nanos(limit);
        let moment = &self.moments[change];
        while moment.heard_by.load(Ordering::Relaxed) < by {
            if self.clock.now() > give_up_at {
                return None;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Some(moment.last_heard.load(Ordering::Relaxed))
    }

    /// How the changes of a part reached so many sockets.
    pub(super) fn fan(&self, part: usize, sockets: u32) -> Fan {
        let Part { changes, deliveries } = &self.parts[part];
        let moments = &self.moments[changes.clone()];
        let heard: u64 =
            moments.iter().map(|moment| u64::from(moment.heard_by.load(Ordering::Relaxed))).sum();
        let spans = moments.iter().map(|moment| {
            (moment.due.load(Ordering::Relaxed), moment.last_heard.load(Ordering::Relaxed))
        });
        Fan {
            changes: changes.len() as u64,
            missing: changes.len() as u64 * u64::from(sockets) - heard,
            delivery: Latency::read(&deliveries.lock().unwrap_or_else(PoisonError::into_inner)),
            last: Latency::of(spans),
        }
    }

    /// Frames that were heard so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Frames that do not follow on what their reader had, and readers that were sent away.
    pub(super) fn faults(&self) -> (u64, u64) {
        (self.gaps.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::Tape;
    use crate::clock::Clock;

    #[test]
    fn what_is_told_at_once_counts_for_each_change_and_what_is_left_out_is_a_gap() {
        let tape = Tape::new(Clock::start(), 7, &[1, 3]);
        let mut at = 7;
        tape.hear(&mut at, Some(7), 8);
        tape.hear(&mut at, Some(8), 11);
        assert_eq!((at, tape.faults(), tape.frames()), (11, (0, 0), 2));
        assert_eq!([0, 1].map(|part| tape.fan(part, 1).missing), [0, 0]);
        assert_eq!([0, 1].map(|part| tape.fan(part, 2).missing), [1, 3]);
        let mut behind = 7;
        tape.hear(&mut behind, Some(8), 9);
        assert_eq!(tape.faults(), (1, 0));
    }
}
