//! How much a client may say: 256 messages at once, and 32 a second after that.

use std::time::Instant;

const AT_ONCE: u32 = 256;
const A_SECOND: u32 = 32;

/// The messages that a client may still send.
pub(super) struct Budget {
    left: u32,
    since: Instant,
}

impl Budget {
    pub(super) fn full() -> Self {
        Self { left: AT_ONCE, since: Instant::now() }
    }

    /// Counts one message; `false` when it is one too many.
    pub(super) fn take(&mut self) -> bool {
        let seconds = u32::try_from(self.since.elapsed().as_secs()).unwrap_or(u32::MAX);
        if seconds > 0 {
            let more = seconds.saturating_mul(A_SECOND);
            self.left = self.left.saturating_add(more).min(AT_ONCE);
            self.since = Instant::now();
        }
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        true
    }
}
