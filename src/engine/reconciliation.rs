//! Asking again: whatever was not said, or not heard, about a payment is found out in the end.

use super::{Engine, Error};
use crate::store::jobs::{NewJob, Work};
use domain::{Instant, JobId};
use std::sync::atomic::Ordering;
use std::time::Duration;

const RECONCILE_EVERY: Duration = Duration::from_secs(5 * 60);
/// Between two payments that are looked at: 50 a second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

impl Engine {
    /// Every five minutes, and when the server starts: has every payment looked at that may have
    /// something to be done about it. A job that waits already is not written again.
    pub async fn reconcile_when_due(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let last = Instant::from_micros(self.reconciled_at.load(Ordering::Relaxed));
        if now < last.plus(RECONCILE_EVERY) {
            return Ok(0);
        }
        self.reconciled_at.store(now.as_micros(), Ordering::Relaxed);
        let unfinished = self.store.unfinished_payments().await?;
        let looks = (0_u64..).zip(&unfinished).map(|(place, (payment, property))| {
            // One payment has one such job at a time, under the payment's own number. They come one
            // after the other, so that they do not stand before those who pay now.
            let id = JobId(payment.0);
            let job = self.payment_job(id, Work::Reconcile, *payment, *property, String::new());
            NewJob { run_at: now.plus(BETWEEN_LOOKS * u32::try_from(place).unwrap_or(0)), ..job }
        });
        self.store.enqueue_all(looks.collect()).await?;
        self.jobs.notify_one();
        Ok(unfinished.len())
    }
}
