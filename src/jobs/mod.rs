//! Background jobs: rows that a commit wrote, worked off by leases.
//!
//! Workers claim rows that are due, a few at a time; a claim is a lease that is committed at once,
//! and no lock is held while the work is done. Workers are woken in process and look once a second
//! besides. A job that fails is tried again, later each time, and set aside after ten tries, where
//! metrics and people see it. Every job may run twice.

pub mod sweep;

use crate::engine::{Engine, Error};
use crate::payments::ProviderError;
use crate::store::jobs::{ClaimedJob, Work};
use futures_util::{FutureExt, StreamExt, stream};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// How long a worker may take before another takes over.
const LEASE: Duration = Duration::from_secs(120);
/// Jobs that are claimed at once, well inside the lease of the last.
const AT_ONCE: u32 = 32;
/// Jobs that are worked on side by side. Most of their time they wait for others; a moment with the
/// store takes half of its pooled connections at most, so that requests find one too.
const SIDE_BY_SIDE: usize = 8;
/// How often workers look without being woken.
const LOOK: Duration = Duration::from_secs(1);
const AFTER_A_PANIC: Duration = Duration::from_secs(1);
const MAX_TRIES: u32 = 10;
/// When a job is tried again whose payment somebody else is at.
const UNTIL_FREE: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Runs a task of the whole server to its end, and again where it panics: one bad row must not end
/// what looks after all the others.
pub async fn lasting<F>(name: &'static str, engine: Arc<Engine>, task: impl Fn(Arc<Engine>) -> F)
where
    F: Future<Output = ()>,
{
    while AssertUnwindSafe(task(Arc::clone(&engine))).catch_unwind().await.is_err() {
        tracing::error!("{name} panicked, and begins again");
        tokio::time::sleep(AFTER_A_PANIC).await;
    }
}

/// Works until the server stops.
pub async fn run(engine: Arc<Engine>) {
    let mut stop = engine.stopping.clone();
    loop {
        let worked = match work(&engine).await {
            Ok(worked) => worked,
            Err(error) => {
                tracing::warn!(%error, "jobs could not be claimed");
                0
            }
        };
        if *stop.borrow() {
            return;
        }
        if worked == 0 {
            tokio::select! {
                () = engine.jobs.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => return,
            }
        }
    }
}

/// Works off what is due now; says how many jobs that were. What was claimed before is done then.
pub async fn work(engine: &Engine) -> Result<usize, Error> {
    let _turn = engine.working.lock().await;
    let mut jobs = engine.store.claim(engine.clock.now(), LEASE, AT_ONCE).await?;
    // What is about one thing is done one after the other: only other nodes stand in each other's
    // way.
    jobs.sort_by_key(|job| job.job.subject);
    let subjects = jobs.chunk_by(|one, next| one.job.subject == next.job.subject);
    let attempt_all = async |jobs: &[ClaimedJob]| {
        for job in jobs {
            attempt(engine, job).await;
        }
    };
    stream::iter(subjects).for_each_concurrent(SIDE_BY_SIDE, attempt_all).await;
    Ok(jobs.len())
}

async fn attempt(engine: &Engine, job: &ClaimedJob) {
    let done = match job.job.work {
        // Whatever asked for it: where the payment stands says what is to be done.
        Work::CreateIntent
        | Work::CancelIntent
        | Work::Capture
        | Work::Refund
        | Work::ProviderEvent
        | Work::Reconcile => engine.settle(&job.job).await,
        Work::VerifyMail => engine.verify_mail(&job.job).await,
        Work::ResetMail => engine.reset_mail(&job.job).await,
    };
    let Err(error) = done else { return };
    let (id, work, tries) = (job.job.id, job.job.work.name(), job.attempts);
    let recorded = if matches!(error, Error::PaymentTaken) {
        // Not a failure: its turn comes.
        let again = engine.clock.now().plus(UNTIL_FREE);
        engine.store.retry(id, again, error.to_string()).await
    } else if job.job.work == Work::Reconcile && !was_turned_away(&error, tries) {
        // The next reconciliation looks again: one that is given up would stand in its way.
        tracing::warn!(job = %id, work, %error, "a payment could not be looked at");
        engine.store.complete(id).await
    } else if tries >= MAX_TRIES {
        tracing::error!(job = %id, work, %error, "a job is given up");
        engine.store.bury(id, engine.clock.now(), error.to_string()).await
    } else {
        tracing::warn!(job = %id, work, tries, %error, "a job failed");
        let again = engine.clock.now().plus(pause(job));
        engine.store.retry(id, again, error.to_string()).await
    };
    if let Err(error) = recorded {
        // The lease ends by itself, and the job is tried again then.
        tracing::warn!(job = %id, %error, "a job's failure could not be recorded");
    }
}

/// Whether a payment was not even looked at, because its provider had not answered about others: that
/// says nothing of this one, which would be turned away in each reconciliation behind the same others.
const fn was_turned_away(error: &Error, tries: u32) -> bool {
    matches!(error, Error::Provider(ProviderError::Busy(_))) && tries < MAX_TRIES
}

/// Doubles with each try; the job's own id spreads it by up to a quarter, so that jobs that failed
/// together do not come back together.
fn pause(job: &ClaimedJob) -> Duration {
    let doubled = FIRST_PAUSE * 2u32.saturating_pow(job.attempts.saturating_sub(1).min(16));
    let base = doubled.min(LONGEST_PAUSE);
    let spread = u32::from(job.job.id.0.as_bytes()[7]);
    base + base * spread / (4 * 256)
}
