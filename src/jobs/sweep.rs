//! The sweep: wakes the properties whose nearest deadline has passed, on any node and after any
//! restart, and those that another process has written to. It triggers only; what is to be done is
//! judged by the property itself. It also lets blind reviews appear whose window has closed, has
//! unfinished payments looked at, hears which sessions other nodes have ended, and clears away what
//! is over.

use crate::engine::{Engine, Error};
use crate::store::Kind;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(1);
/// Properties that are woken, and reviews that appear, at once.
const AT_ONCE: u32 = 256;
/// Sweeps between two looks at the database server's clock: a minute.
const SWEEPS_A_CLOCK: u64 = 60;
/// Sweeps between two looks for what other processes wrote, where there may be others: with the
/// sweeps themselves, a calendar is at most five seconds behind.
const SWEEPS_A_COMPARISON: u64 = 4;
/// Sweeps between two clearings of old idempotency keys and sessions: an hour.
const SWEEPS_A_PURGE: u64 = 3_600;

/// Sweeps once a second until the server stops.
pub async fn run(engine: Arc<Engine>) {
    let mut stop = engine.stopping.clone();
    let mut sweeps: u64 = 0;
    loop {
        if let Err(error) = once(&engine).await {
            tracing::warn!(%error, "what is due could not be found");
        }
        if let Err(error) = engine.learn_ended_sessions().await {
            tracing::warn!(%error, "ended sessions could not be read");
        }
        if sweeps.is_multiple_of(SWEEPS_A_CLOCK)
            && let Ok(Some(now)) = engine.store.server_now().await
        {
            engine.clock.follow(now);
        }
        if engine.store.kind() == Kind::Postgres
            && sweeps.is_multiple_of(SWEEPS_A_COMPARISON)
            && let Err(error) = engine.registry.compare().await
        {
            tracing::warn!(%error, "calendars could not be compared with the store");
        }
        if sweeps.is_multiple_of(SWEEPS_A_PURGE)
            && let Err(error) = engine.store.purge_keys(engine.clock.now()).await
        {
            tracing::warn!(%error, "old idempotency keys could not be removed");
        }
        if sweeps.is_multiple_of(SWEEPS_A_PURGE)
            && let Err(error) = engine.store.purge_inbox(engine.clock.now()).await
        {
            tracing::warn!(%error, "what providers sent long ago could not be removed");
        }
        if sweeps.is_multiple_of(SWEEPS_A_PURGE)
            && let Err(error) = engine.purge_sessions().await
        {
            tracing::warn!(%error, "old sessions could not be removed");
        }
        if sweeps.is_multiple_of(SWEEPS_A_PURGE)
            && let Err(error) = engine.purge_quotes().await
        {
            tracing::warn!(%error, "old quotes could not be removed");
        }
        sweeps += 1;
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => return,
        }
    }
}

/// Wakes the properties that are due now, waits until that has been handled, and lets the reviews
/// appear that are due; says how many properties and reviews that were.
pub async fn once(engine: &Engine) -> Result<usize, Error> {
    let due = engine.store.due(engine.clock.now(), AT_ONCE).await?;
    let woken = due.iter().map(|property| engine.registry.settled(*property));
    for (property, woken) in due.iter().zip(join_all(woken).await) {
        if let Err(error) = woken {
            // It is due still, so the next sweep comes back to it.
            tracing::warn!(%property, %error, "a due property could not be handled");
        }
    }
    let looked_at = engine.reconcile_when_due().await?;
    Ok(due.len() + looked_at + engine.publish_due_reviews(AT_ONCE).await?)
}
