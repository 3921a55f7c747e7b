//! Counts that a client keeps beside its history: every answer, also of tries that were repeated.

use std::collections::BTreeMap;
use std::ops::AddAssign;

/// Answers by status, and tries that got none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Connections that were refused, broke, or stayed silent.
    pub(crate) lost: u64,
}

impl Tally {
    /// Counts one answer.
    pub(crate) fn answer(&mut self, status: u16) {
        *self.statuses.entry(status).or_default() += 1;
    }
}

impl AddAssign<&Tally> for Tally {
    fn add_assign(&mut self, other: &Tally) {
        for (&status, count) in &other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.lost += other.lost;
    }
}
