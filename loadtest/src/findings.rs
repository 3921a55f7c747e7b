//! What the checker found, counted by kind and told in plain words for the first few.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// How many violations are told in words; the rest is only counted.
const TOLD: usize = 20;

/// A way in which a server can break its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Violation {
    /// Two bookings held one night at the same time.
    Overlap,
    /// A refusal, and nothing that held any of the nights it names.
    RefusalWithoutCause,
    /// A refusal has a cause, but names one more night that nothing held.
    FreeNightNamed,
    /// A refusal names a night that was not asked for.
    StrayNightNamed,
    /// A refusal for something that no scenario asks for.
    ForeignReason,
    /// A 201 that cannot be read or speaks of another property or other dates.
    WrongBooking,
    /// A status that no scenario should see.
    UnexpectedStatus,
    /// An accepted booking could not be paid.
    PaymentFailed,
    /// An accepted booking could not be canceled.
    CancelFailed,
    /// An accepted booking is not in its guest's list.
    BookingLost,
    /// A listed booking differs from what was answered.
    BookingChanged,
    /// A listed booking that nobody asked for, or one listed twice.
    PhantomBooking,
}

/// All violations of one run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Findings {
    counts: BTreeMap<Violation, u64>,
    first: Vec<String>,
}

impl Findings {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// How often `violation` was found.
    pub fn count(&self, violation: Violation) -> u64 {
        self.counts.get(&violation).copied().unwrap_or(0)
    }

    /// The first violations in plain words.
    pub fn first(&self) -> &[String] {
        &self.first
    }

    /// Counts one violation; `words` is called only for the first few.
    pub(crate) fn add(&mut self, violation: Violation, words: impl FnOnce() -> String) {
        *self.counts.entry(violation).or_default() += 1;
        if self.first.len() < TOLD {
            self.first.push(words());
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.counts.values().sum();
        for words in &self.first {
            writeln!(f, "  {words}")?;
        }
        match total.saturating_sub(self.first.len() as u64) {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more"),
        }
    }
}
