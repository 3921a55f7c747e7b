//! Unknown outcome: what became of a transaction whose connection was lost.
//!
//! The server may still be at work on it, so its old backend is ended first, recognised by its
//! start time because numbers of processes come again; a read-back alone was seen to be too early
//! by three seconds. Then the events are looked for by their hashes: a group is there wholly or
//! not at all. All of this is repeated with bounded pauses until the database has answered.

use super::StoreError;
use super::booking_row::hash;
use super::postgres::Postgres;
use domain::event::EventHash;
use domain::group::{Group, GroupId};
use domain::{PropertyId, event::Seq};
use sqlx::Row;
use sqlx::postgres::PgConnection;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// The server's process behind a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backend {
    pid: i32,
    started_at: i64,
}

/// Longer than any timeout of the server's: what takes longer is a network that is gone.
const SILENCE: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

const BACKEND: &str = "select pid, (extract(epoch from backend_start) * 1000000)::bigint \
     from pg_stat_activity where pid = pg_backend_pid()";

const END_BACKEND: &str = "select pg_terminate_backend(pid, 5000) from pg_stat_activity \
     where pid = $1 and (extract(epoch from backend_start) * 1000000)::bigint = $2";

const READ_BACK: &str = "select property_id, seq, event_hash from calendar_event \
     join unnest($1::uuid[], $2::bigint[]) as wanted (property_id, seq) using (property_id, seq)";

/// Waits for the server; one that is silent for too long counts as lost. The connection must not
/// be used after that.
pub(super) async fn in_time<T>(
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(SILENCE, work).await.unwrap_or_else(|_| {
        Err(sqlx::Error::Io(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            "the database server is silent",
        )))
    })
}

/// Connects and learns which backend is at the other end.
pub(super) async fn try_connect(
    postgres: &Postgres,
    settings: &[(&str, &str)],
) -> Result<(PgConnection, Backend), sqlx::Error> {
    in_time(async {
        let mut connection = postgres.connect(settings).await?;
        let row = sqlx::query(BACKEND).fetch_one(&mut connection).await?;
        let backend = Backend { pid: row.try_get(0)?, started_at: row.try_get(1)? };
        Ok((connection, backend))
    })
    .await
}

/// Connects, however long it takes.
pub(super) async fn connect(
    postgres: &Postgres,
    settings: &[(&str, &str)],
) -> (PgConnection, Backend) {
    let mut pause = FIRST_PAUSE;
    loop {
        match try_connect(postgres, settings).await {
            Ok(live) => return live,
            Err(error) => tracing::warn!(%error, "no connection to the database yet"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Ends the old backend and finds out which of the groups are in the database, however long it
/// takes; gives the new connection too.
pub(super) async fn find_applied(
    postgres: &Postgres,
    settings: &[(&str, &str)],
    old: Backend,
    groups: &[Arc<Group>],
) -> (HashSet<GroupId>, (PgConnection, Backend)) {
    loop {
        let (mut connection, backend) = connect(postgres, settings).await;
        let found = in_time(async {
            end_backend(&mut connection, old).await?;
            read_back(&mut connection, groups).await
        })
        .await;
        match found {
            Ok(applied) => return (applied, (connection, backend)),
            Err(error) => tracing::warn!(%error, "the outcome of a commit is still unknown"),
        }
        tokio::time::sleep(LONGEST_PAUSE).await;
    }
}

async fn end_backend(connection: &mut PgConnection, old: Backend) -> Result<(), sqlx::Error> {
    let ended: Option<bool> = sqlx::query_scalar(END_BACKEND)
        .bind(old.pid)
        .bind(old.started_at)
        .fetch_optional(connection)
        .await?;
    if ended == Some(false) {
        let text = "the backend of a lost connection does not end";
        return Err(sqlx::Error::Io(std::io::Error::other(text)));
    }
    Ok(())
}

async fn read_back(
    connection: &mut PgConnection,
    groups: &[Arc<Group>],
) -> Result<HashSet<GroupId>, sqlx::Error> {
    let properties: Vec<uuid::Uuid> = groups.iter().map(|group| group.property.0).collect();
    let seqs: Vec<Seq> = groups.iter().map(|group| group.head.seq).collect();
    let rows = sqlx::query(READ_BACK).bind(properties).bind(seqs).fetch_all(connection).await?;
    let mut hashes: HashMap<(PropertyId, Seq), EventHash> = HashMap::with_capacity(rows.len());
    for row in rows {
        let bytes: &[u8] = row.try_get(2)?;
        let bytes = hash(bytes).map_err(|error: StoreError| sqlx::Error::Decode(error.into()))?;
        hashes.insert((PropertyId(row.try_get(0)?), row.try_get(1)?), EventHash(bytes));
    }
    let is_there = |group: &&Arc<Group>| {
        hashes.get(&(group.property, group.head.seq)) == Some(&group.head.hash)
    };
    Ok(groups.iter().filter(is_there).map(|group| group.id).collect())
}
