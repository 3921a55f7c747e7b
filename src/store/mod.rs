//! The store: what is durable, on SQLite or PostgreSQL, behind one type.
//!
//! One file per noun, the SQL text beside the function that runs it. Both databases hold the same
//! integers: instants are microseconds, nights are days, money is in minor units. Statements are
//! the same text wherever both databases read it; where they differ, both stand side by side.
//!
//! *Tasks that nobody drops.* A query future that is dropped half-way poisons a PostgreSQL pool and
//! later writes vanish. Every public function therefore runs its SQL in a task of the store's own
//! runtime: dropping a request drops the wait for the answer and never the work.
//!
//! *Who writes.* Booking, event, night and key rows are written by [`commit`] (and [`turn`], which
//! runs the same statements under the head's lock) and by nothing else. On SQLite one connection
//! writes everything; all others are read-only. Every wait is bounded: a pool is waited for one
//! second, a statement and a lock by PostgreSQL's own timeouts. Only a lane waits as long as it
//! takes, because somebody waits for its answer.
//!
//! It knows no HTTP, no actor and no clock: instants and ids are arguments.

mod booking_row;
mod error;
mod ledger;
mod migrate;
mod outcome_unknown;
mod postgres;
mod riders;
mod sqlite;

pub mod accounts;
pub mod audit;
pub mod bookings;
pub mod calendar;
pub mod cases;
pub mod commit;
mod commit_postgres;
mod commit_sqlite;
pub mod departures;
mod edits;
pub mod heads;
pub mod inbox;
pub mod jobs;
pub mod keys;
pub mod list;
pub mod mail_tokens;
pub mod night_rows;
pub mod payments;
pub mod properties;
pub mod provider_tokens;
pub mod quotes;
pub mod refunds;
pub mod reviews;
pub mod search;
pub mod sessions;
pub mod turn;
pub mod verify;

#[cfg(test)]
mod contract_tests;

pub use error::StoreError;

use domain::Instant;
use postgres::Postgres;
use sqlite::Sqlite;
use std::future::Future;
use std::sync::Arc;
use tokio::runtime::Handle;

/// What the store is asked to be.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Whether this process wants the SQLite file for itself: a second one that asks is refused.
    pub exclusive: bool,
    /// The most pooled connections: those beside lanes, turns and the reader of heads.
    pub connections: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { exclusive: false, connections: 8 }
    }
}

/// Which database is behind the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// The durable side of the product. A clone is the same store.
#[derive(Clone, Debug)]
pub struct Store {
    runtime: Handle,
    database: Database,
}

#[derive(Clone, Debug)]
enum Database {
    Postgres(Arc<Postgres>),
    Sqlite(Arc<Sqlite>),
}

impl Store {
    /// Opens `sqlite://path` (the file and its folder are made if they are missing) or
    /// `postgres://…`, and checks that the database keeps what it acknowledges. All work runs on
    /// `runtime`, which has to outlive the store.
    pub async fn connect(
        url: &str,
        runtime: Handle,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let url = url.to_owned();
        let handle = runtime.clone();
        let opening = async move {
            if let Some(path) = url.strip_prefix("sqlite://") {
                let sqlite = Sqlite::open(path, &options).await?;
                Ok(Database::Sqlite(Arc::new(sqlite)))
            } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
                let postgres = Postgres::open(&url, &options, &handle).await?;
                Ok(Database::Postgres(Arc::new(postgres)))
            } else {
                Err(StoreError::Unsuitable(
                    "the database's address must begin with sqlite:// or postgres://".to_owned(),
                ))
            }
        };
        let database = finished(runtime.spawn(opening)).await?;
        Ok(Self { runtime, database })
    }

    /// Which database this is.
    pub fn kind(&self) -> Kind {
        match self.database {
            Database::Postgres(_) => Kind::Postgres,
            Database::Sqlite(_) => Kind::Sqlite,
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let _: i32 = read!(store, |on| sqlx::query_scalar("select 1").fetch_one(on).await?);
            Ok(())
        })
        .await
    }

    /// The database server's time; SQLite has no server.
    pub async fn server_now(&self) -> Result<Option<Instant>, StoreError> {
        let Database::Postgres(postgres) = self.database.clone() else { return Ok(None) };
        self.spawn(async move {
            let now: i64 = sqlx::query_scalar(
                "select (extract(epoch from clock_timestamp()) * 1000000)::bigint",
            )
            .fetch_one(&postgres.pool)
            .await?;
            Ok(Some(Instant::from_micros(now)))
        })
        .await
    }

    /// Waits until the storage under the database is found to be broken (a failed write or flush
    /// on SQLite): nothing may be acknowledged any more and the process has to end.
    pub async fn broken(&self) {
        match &self.database {
            Database::Postgres(_) => std::future::pending().await,
            Database::Sqlite(sqlite) => sqlite.broken.wait().await,
        }
    }

    /// Runs database work in a task that nobody drops.
    fn spawn<T, F>(&self, work: F) -> impl Future<Output = Result<T, StoreError>> + use<T, F>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        finished(self.runtime.spawn(work))
    }
}

/// What a task answered. One that ended without an answer did so with its runtime or by a panic.
async fn finished<T>(
    task: tokio::task::JoinHandle<Result<T, StoreError>>,
) -> Result<T, StoreError> {
    task.await.unwrap_or(Err(StoreError::Interrupted))
}

/// Runs statements that only read: the same text on either database, on a pooled connection.
macro_rules! read {
    ($store:expr, |$on:ident| $body:expr) => {
        match &$store.database {
            $crate::store::Database::Postgres(postgres) => {
                let mut pooled = postgres.pool.acquire().await?;
                let $on = &mut *pooled;
                $body
            }
            $crate::store::Database::Sqlite(sqlite) => {
                let mut pooled = sqlite.readers.acquire().await?;
                let $on = &mut *pooled;
                $body
            }
        }
    };
}

/// Runs statements in one transaction on either database; an error rolls back at once.
macro_rules! write {
    ($store:expr, |$on:ident| $body:expr) => {
        match &$store.database {
            $crate::store::Database::Postgres(postgres) => {
                let mut transaction = postgres.pool.begin().await?;
                let result = {
                    let $on = &mut *transaction;
                    async { Ok::<_, $crate::store::StoreError>($body) }.await
                };
                $crate::store::end(transaction, result).await
            }
            $crate::store::Database::Sqlite(sqlite) => {
                let mut writer = sqlite.writer.lock().await;
                let begun = sqlx::Connection::begin_with(&mut *writer, "begin immediate").await;
                let mut transaction = begun?;
                let result = {
                    let $on = &mut *transaction;
                    async { Ok::<_, $crate::store::StoreError>($body) }.await
                };
                sqlite.broken.watch($crate::store::end(transaction, result).await)
            }
        }
    };
}

use {read, write};

/// Commits what went well and rolls back what did not.
async fn end<DB: sqlx::Database, T>(
    transaction: sqlx::Transaction<'_, DB>,
    result: Result<T, StoreError>,
) -> Result<T, StoreError> {
    match result {
        Ok(value) => {
            transaction.commit().await?;
            Ok(value)
        }
        Err(error) => {
            // The first error says what went wrong; a connection that cannot roll back is closed
            // by its pool.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}
