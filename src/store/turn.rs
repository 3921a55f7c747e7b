//! The turn: a property's head is locked before its actor decides.
//!
//! After a first fencing two busy nodes would go on fencing each other, and one of them would get
//! nothing. PostgreSQL queues for a row lock fairly, so whoever was fenced takes the head's lock,
//! reads what it missed, decides, writes and commits. It is the one transaction that waits for an
//! actor, so it is short by force: a second of idleness ends it. Bounds: four turns at a time, on
//! connections outside the pool; a fifth waits a second for a seat.
//!
//! On SQLite there is one writer and nobody to take turns with: a turn there is a load and a
//! commit.

use super::calendar::load;
use super::commit_postgres::{settings, verdict, write_groups};
use super::commit_sqlite::commit_in_turn;
use super::outcome_unknown::{Backend, find_applied, in_time, try_connect};
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{Database, Store, StoreError};
use domain::PropertyId;
use domain::group::{Group, GroupId};
use domain::pipeline::Rejection;
use domain::state::Stored;
use sqlx::postgres::PgConnection;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const SEATS: usize = 4;
const SEAT_TIMEOUT: Duration = Duration::from_secs(1);

/// A turn waits its time for the lock, since the queue is fair.
const SETTINGS: [(&str, &str); 9] = settings("4s", "1s");

const LOCK: &str = "select 1 from calendar_head where property_id = $1 for update";

/// The connections that turns are taken on.
#[derive(Debug)]
pub(super) struct TurnSeats {
    seats: Arc<Semaphore>,
    idle: Mutex<Vec<(PgConnection, Backend)>>,
}

impl Default for TurnSeats {
    fn default() -> Self {
        Self { seats: Arc::new(Semaphore::new(SEATS)), idle: Mutex::default() }
    }
}

impl TurnSeats {
    fn take(&self) -> Option<(PgConnection, Backend)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, live: (PgConnection, Backend)) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(live);
    }
}

/// What became of the groups of a turn.
#[derive(Debug, PartialEq, Eq)]
pub enum TurnOutcome {
    /// All of them are committed.
    Committed,
    /// This one failed, and all of them were rolled back.
    Failed { group: GroupId, rejection: Rejection },
    /// The connection was lost; afterwards exactly these were found in the database.
    Lost { applied: HashSet<GroupId> },
}

/// A property whose head is locked for the holder. Dropping it lets the lock go.
#[derive(Debug)]
pub struct Turn {
    runtime: Handle,
    side: Side,
}

#[derive(Debug)]
enum Side {
    Postgres(Box<Seat>),
    Sqlite(Arc<Sqlite>),
}

/// A connection in a transaction that holds a head's lock. Dropped, it is closed, and the server
/// rolls back.
#[derive(Debug)]
struct Seat {
    postgres: Arc<Postgres>,
    connection: PgConnection,
    backend: Backend,
    _permit: OwnedSemaphorePermit,
}

impl Store {
    /// Locks a property's head and reads everything that decisions on it need; `None` if there is
    /// no such property.
    pub async fn turn(&self, property: PropertyId) -> Result<Option<(Turn, Stored)>, StoreError> {
        let runtime = self.runtime.clone();
        match &self.database {
            Database::Postgres(postgres) => {
                let postgres = Arc::clone(postgres);
                self.spawn(async move {
                    let mut seat = Seat::take(postgres).await?;
                    let stored = seat.lock_and_load(property).await?;
                    let Some(stored) = stored else {
                        seat.leave().await;
                        return Ok(None);
                    };
                    Ok(Some((Turn { runtime, side: Side::Postgres(Box::new(seat)) }, stored)))
                })
                .await
            }
            Database::Sqlite(sqlite) => {
                let side = Side::Sqlite(Arc::clone(sqlite));
                let stored = self.load(property).await?;
                Ok(stored.map(|stored| (Turn { runtime, side }, stored)))
            }
        }
    }
}

impl Turn {
    /// Writes these groups of the property, in their order and all or none, and lets the lock go;
    /// none at all just let it go.
    pub async fn commit(self, groups: Vec<Arc<Group>>) -> TurnOutcome {
        let Self { runtime, side } = self;
        let task = match side {
            Side::Postgres(seat) => runtime.spawn(async move { seat.commit(&groups).await }),
            Side::Sqlite(sqlite) => {
                runtime.spawn(async move { commit_in_turn(&sqlite, &groups).await })
            }
        };
        match task.await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::error!(%error, "a turn was broken off");
                std::future::pending().await
            }
        }
    }
}

impl Seat {
    async fn take(postgres: Arc<Postgres>) -> Result<Self, StoreError> {
        let seats = Arc::clone(&postgres.turns.seats).acquire_owned();
        let permit = tokio::time::timeout(SEAT_TIMEOUT, seats)
            .await
            .map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))?
            .map_err(|_| StoreError::Interrupted)?;
        // An idle connection may have died meanwhile; those are passed over.
        while let Some((mut connection, backend)) = postgres.turns.take() {
            if in_time(sqlx::raw_sql("begin").execute(&mut connection)).await.is_ok() {
                return Ok(Self { postgres, connection, backend, _permit: permit });
            }
        }
        let (mut connection, backend) = try_connect(&postgres, &SETTINGS).await?;
        sqlx::raw_sql("begin").execute(&mut connection).await?;
        Ok(Self { postgres, connection, backend, _permit: permit })
    }

    async fn lock_and_load(&mut self, property: PropertyId) -> Result<Option<Stored>, StoreError> {
        let connection = &mut self.connection;
        // Every statement after the lock sees all that was written before it, and nobody writes.
        sqlx::query(LOCK).bind(property.0).execute(&mut *connection).await?;
        Ok(load!(connection, property))
    }

    /// Ends a transaction that has written nothing.
    async fn leave(mut self) {
        if in_time(sqlx::raw_sql("rollback").execute(&mut self.connection)).await.is_ok() {
            self.postgres.turns.give_back((self.connection, self.backend));
        }
    }

    async fn commit(mut self, groups: &[Arc<Group>]) -> TurnOutcome {
        if groups.is_empty() {
            self.leave().await;
            return TurnOutcome::Committed;
        }
        for group in groups {
            let one = std::slice::from_ref(group);
            let rejection = match in_time(write_groups(&mut self.connection, one)).await {
                Ok(advanced) if advanced.contains(&group.property) => continue,
                Ok(_) => Some(Rejection::Fenced),
                Err(error) => verdict(&error),
            };
            let Some(rejection) = rejection else { return self.lost(groups).await };
            self.leave().await;
            return TurnOutcome::Failed { group: group.id, rejection };
        }
        match in_time(sqlx::raw_sql("commit").execute(&mut self.connection)).await {
            Ok(_) => {
                self.postgres.turns.give_back((self.connection, self.backend));
                TurnOutcome::Committed
            }
            Err(_) => self.lost(groups).await,
        }
    }

    async fn lost(self, groups: &[Arc<Group>]) -> TurnOutcome {
        tracing::warn!("the connection was lost in a turn");
        let Self { postgres, connection, backend, _permit } = self;
        drop(connection);
        let (applied, live) = find_applied(&postgres, &SETTINGS, backend, groups).await;
        postgres.turns.give_back(live);
        TurnOutcome::Lost { applied }
    }
}
