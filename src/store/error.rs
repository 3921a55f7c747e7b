//! What can go wrong with the store. Refusals that belong to a noun are values of its functions.

use std::path::PathBuf;

/// SQLite's result codes, without their extension: another process writes, the disk failed, the
/// disk is full.
const SQLITE_BUSY: i32 = 5;
const SQLITE_IO: i32 = 10;
const SQLITE_FULL: i32 = 13;
/// The SQLSTATE of a full disk.
pub(super) const POSTGRES_FULL: &str = "53100";

/// A failure: nothing of what was asked is known to have happened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or is overloaded; it may be well in a moment.
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// There is no room on the disk; it was rolled back.
    #[error("the database's disk is full")]
    Full,
    /// The disk under SQLite failed to write or to flush.
    #[error("the database's disk failed: {0}")]
    Disk(#[source] sqlx::Error),
    /// The database refused a statement.
    #[error("the database refused: {0}")]
    Database(#[source] sqlx::Error),
    /// The migrations could not be applied, or are not those of this build.
    #[error("the migrations could not be applied: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A stored value is none that this build knows; the text names the column.
    #[error("the database holds a value that is none: {0}")]
    Corrupt(&'static str),
    /// The database, its version or its settings do not serve; the text says what to change.
    #[error("{0}")]
    Unsuitable(String),
    /// Another process serves this SQLite file.
    #[error(
        "another server is running on {}: stop it, or give this one its own file",
        .0.display()
    )]
    InUse(PathBuf),
    /// An account with this e-mail address exists.
    #[error("the e-mail address belongs to an account")]
    EmailTaken,
    /// The booking has a review; nothing was written.
    #[error("the booking has a review")]
    AlreadyReviewed,
    /// The review has a reply, or is gone; nothing was written.
    #[error("the review has a reply, or is gone")]
    AlreadyReplied,
    /// The work was broken off by the end of the runtime or by a panic.
    #[error("database work was broken off")]
    Interrupted,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error {
            let code = database.code().unwrap_or_default();
            if database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                return match code.parse::<i32>().unwrap_or_default() & 0xff {
                    SQLITE_FULL => Self::Full,
                    SQLITE_BUSY => Self::Unavailable(error),
                    SQLITE_IO => Self::Disk(error),
                    _ => Self::Database(error),
                };
            }
            return match &*code {
                POSTGRES_FULL => Self::Full,
                // A lock or a statement took too long, or transactions were in each other's way.
                "55P03" | "57014" | "40P01" | "40001" => Self::Unavailable(error),
                _ if is_lost(&error) => Self::Unavailable(error),
                _ => Self::Database(error),
            };
        }
        if is_lost(&error) { Self::Unavailable(error) } else { Self::Database(error) }
    }
}

/// Whether an error says that the connection is gone or could not be had, so that it is not known
/// what became of a statement that was on it.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    use sqlx::Error;
    use sqlx::postgres::{PgDatabaseError, PgSeverity};
    match error {
        Error::Io(_)
        | Error::Tls(_)
        | Error::Protocol(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed
        | Error::BeginFailed => true,
        Error::Database(database) => {
            database.try_downcast_ref::<PgDatabaseError>().is_some_and(|postgres| {
                // After a failover an old address may lead to a server that only reads.
                let moved = postgres.code() == "25006";
                let fatal = matches!(postgres.severity(), PgSeverity::Fatal | PgSeverity::Panic);
                let gone = postgres.code().starts_with("08") || postgres.code().starts_with("57P0");
                moved || fatal || gone
            })
        }
        _ => false,
    }
}
