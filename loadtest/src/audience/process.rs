//! What the server's process has in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::AbortHandle;

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A process of this machine that is watched until this is dropped; or none, which has no memory.
pub(super) struct Process {
    id: Option<u32>,
    peak: Arc<AtomicU64>,
    watch: AbortHandle,
}

impl Process {
    pub(super) fn watch(id: Option<u32>) -> Self {
        let peak = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&peak);
        let watch = tokio::spawn(async move {
            while let Some(kib) = id.and_then(resident) {
                seen.fetch_max(kib, Ordering::Relaxed);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        Self { id, peak, watch: watch.abort_handle() }
    }

    /// KiB that are resident now.
    pub(super) fn resident(&self) -> Option<u64> {
        self.id.and_then(resident)
    }

    /// The most that was resident at a time since this was asked last.
    pub(super) fn peak(&self) -> Option<u64> {
        let now = self.resident()?;
        Some(self.peak.swap(0, Ordering::Relaxed).max(now))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// KiB of a process as Linux tells them; nothing elsewhere, and for a process that is not there.
fn resident(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
