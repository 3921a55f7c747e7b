//! Where a process dies in tests, to see that nothing is lost. In builds without `test_switches` it
//! does nothing.

use std::sync::atomic::{AtomicI64, Ordering};

/// Counts the steps of settling payments, and ends the process at one of them.
#[derive(Debug, Default)]
pub struct Failpoint {
    left: AtomicI64,
}

impl Failpoint {
    /// Dies at this step, from 1 on; never for 0.
    pub const fn at(step: i64) -> Self {
        Self { left: AtomicI64::new(step) }
    }

    /// Takes a step.
    pub(super) fn pass(&self) {
        if cfg!(feature = "test_switches") && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            // As a power cut would: nothing is told to anybody, and nothing is cleaned up.
            std::process::abort();
        }
    }
}
