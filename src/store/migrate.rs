//! Migrations: embedded, forward only, the same numbers on both databases; and what the newest of
//! them says about the database as a whole.

use super::{Database, Store, StoreError, read};
use domain::Instant;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::{ConnectOptions, Connection};

static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

/// Without figures of what stands in them SQLite takes every filter for one that many rows pass,
/// and walks through all properties for the few that do. PostgreSQL gathers them by itself.
const MEASURE: &str = "analyze property; analyze property_amenity";

impl Store {
    /// Applies what is missing. Two processes that do so at once take turns. On SQLite what
    /// searches are planned by is measured anew, too.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            match &store.database {
                Database::Postgres(postgres) => {
                    // Outside the pool, whose statements may not take as long as a migration.
                    let mut connection = postgres.options.connect().await?;
                    POSTGRES.run_direct(None, &mut connection, false).await?;
                    connection.close().await?;
                }
                Database::Sqlite(sqlite) => {
                    let mut writer = sqlite.writer.lock().await;
                    SQLITE.run_direct(None, &mut *writer, false).await?;
                    sqlx::raw_sql(MEASURE).execute(&mut *writer).await?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Whether every migration of this build has been applied, and no other.
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let migrator = match &store.database {
                Database::Postgres(_) => &POSTGRES,
                Database::Sqlite(_) => &SQLITE,
            };
            let tables: i64 = match &store.database {
                Database::Postgres(postgres) => {
                    sqlx::query_scalar(
                        "select count(*) from pg_tables where tablename = $1 \
                         and schemaname = any(current_schemas(false))",
                    )
                    .bind(&*migrator.table_name)
                    .fetch_one(&postgres.pool)
                    .await?
                }
                Database::Sqlite(sqlite) => {
                    sqlx::query_scalar("select count(*) from sqlite_schema where name = $1")
                        .bind(&*migrator.table_name)
                        .fetch_one(&sqlite.readers)
                        .await?
                }
            };
            if tables == 0 {
                return Ok(false);
            }
            let table = &migrator.table_name;
            let applied = read!(store, |on| on.list_applied_migrations(table).await?);
            let wanted = migrator.iter().map(|m| (m.version, &m.checksum));
            Ok(wanted.eq(applied.iter().map(|m| (m.version, &m.checksum))))
        })
        .await
    }

    /// The name of this database's history. On PostgreSQL the server's timeline is part of it: a
    /// standby that was promoted may lack the newest events, so its numbers start a new epoch.
    pub async fn epoch(&self) -> Result<String, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            Ok(match &store.database {
                Database::Postgres(postgres) => {
                    // The timeline is the first eight digits of the name of the log's segment.
                    sqlx::query_scalar(
                        "select epoch || '-' || ltrim(left(pg_walfile_name(pg_current_wal_lsn()), \
                         8), '0') from meta",
                    )
                    .fetch_one(&postgres.pool)
                    .await?
                }
                Database::Sqlite(sqlite) => {
                    sqlx::query_scalar("select epoch from meta").fetch_one(&sqlite.readers).await?
                }
            })
        })
        .await
    }

    /// When the newest event of all properties happened: the clock starts no earlier.
    pub async fn newest_event_at(&self) -> Result<Option<Instant>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let newest: Option<i64> = read!(store, |on| {
                sqlx::query_scalar("select max(changed_at) from calendar_head")
                    .fetch_one(on)
                    .await?
            });
            Ok(newest.map(Instant::from_micros))
        })
        .await
    }
}
