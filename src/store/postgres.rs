//! PostgreSQL: the pool, the settings of every connection, and the checks at start.

use super::heads::HeadReader;
use super::turn::TurnSeats;
use super::{StoreError, StoreOptions};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};
use std::str::FromStr;
use std::time::Duration;
use tokio::runtime::Handle;

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
/// The oldest server that the statements were measured on.
const OLDEST_VERSION: u32 = 150_000;

#[derive(Debug)]
pub(super) struct Postgres {
    pub(super) pool: PgPool,
    /// How lanes, turns and the reader of heads connect; their timeouts are their own.
    pub(super) options: PgConnectOptions,
    pub(super) heads: HeadReader,
    pub(super) turns: TurnSeats,
}

impl Postgres {
    pub(super) async fn open(
        url: &str,
        options: &StoreOptions,
        runtime: &Handle,
    ) -> Result<Self, StoreError> {
        let base = PgConnectOptions::from_str(url)
            .map_err(|error| StoreError::Unsuitable(format!("the database's address: {error}")))?
            .application_name("vacancy");
        let pooled = base.clone().options([
            ("statement_timeout", "5s"),
            ("lock_timeout", "1s"),
            ("idle_in_transaction_session_timeout", "5s"),
        ]);
        let mut probe = base.connect().await?;
        check(&mut probe).await?;
        probe.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_release(|connection, _| {
                Box::pin(async move {
                    // Whatever a task left behind ends here and not in another request. A rollback
                    // alone would leave a warning in the server's log each time.
                    sqlx::raw_sql("begin; rollback").execute(&mut *connection).await?;
                    Ok(true)
                })
            })
            .connect_lazy_with(pooled.clone());
        let heads = HeadReader::start(pooled, runtime);
        Ok(Self { pool, options: base, heads, turns: TurnSeats::default() })
    }

    /// A connection of its own, outside the pool, with these settings.
    pub(super) async fn connect(
        &self,
        settings: &[(&str, &str)],
    ) -> Result<PgConnection, sqlx::Error> {
        self.options.clone().options(settings.iter().copied()).connect().await
    }
}

/// Checks that the server keeps what it acknowledges.
async fn check(connection: &mut PgConnection) -> Result<(), StoreError> {
    let version = connection.server_version_num().unwrap_or(0);
    if version < OLDEST_VERSION {
        let text = format!("PostgreSQL is {}, but 15 or newer is needed", version / 10_000);
        return Err(StoreError::Unsuitable(text));
    }
    for setting in ["fsync", "synchronous_commit"] {
        let value: String = sqlx::query_scalar("select current_setting($1)")
            .bind(setting)
            .fetch_one(&mut *connection)
            .await?;
        if value == "off" {
            let text = format!(
                "PostgreSQL runs with {setting}=off and would lose bookings that were \
                 acknowledged: set it to on"
            );
            return Err(StoreError::Unsuitable(text));
        }
    }
    Ok(())
}
