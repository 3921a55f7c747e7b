//! The time of one call of the trait: what the product's clock shows in it, and how much is left.

use super::ProviderError;
use domain::Instant;
use std::future::Future;
use std::time::Duration;

/// One call, which ends in time whatever the other side does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// The product's time when it began.
    started_at: Instant,
    began: std::time::Instant,
    within: Duration,
}

impl Call {
    /// A call that begins now and takes so long at most.
    pub(super) fn new(now: Instant, within: Duration) -> Self {
        Self { started_at: now, began: std::time::Instant::now(), within }
    }

    /// The product's time, which goes on while the call waits.
    pub(super) fn now(&self) -> Instant {
        self.started_at.plus(self.began.elapsed())
    }

    /// How much time is left, up to `most`.
    pub(super) fn left(&self, most: Duration) -> Duration {
        self.within.saturating_sub(self.began.elapsed()).min(most)
    }

    /// Waits for what must not happen too late, such as a lock or the database; whoever is dropped
    /// has asked Daraja for nothing.
    ///
    /// # Errors
    /// [`ProviderError::Busy`] when the time is over.
    pub(super) async fn bounded<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, ProviderError> {
        let left = self.left(self.within);
        let over = |_| ProviderError::Busy("there was no time left to ask".to_owned());
        tokio::time::timeout(left, work).await.map_err(over)
    }
}
