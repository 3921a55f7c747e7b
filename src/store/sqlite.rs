//! The embedded database: one connection that writes, a pool of others that only read.
//!
//! WAL with `synchronous=FULL`: with NORMAL a power cut loses acknowledged commits, although every
//! test that kills the process passes. A failed write or flush marks the storage as broken,
//! because what the file holds afterwards is not known.

use super::riders::Riders;
use super::{StoreError, StoreOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Row};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{Mutex, watch};

/// Other commands of the product may write beside the server, for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// 3.51.3 repairs a race in WAL that could lose a commit when two connections checkpoint.
const OLDEST_VERSION: [u32; 3] = [3, 51, 3];
/// 64 MiB: with the default of 2 MiB a batch over 200 properties spilled pages and took twice as
/// long.
const CACHE: &str = "-65536";
/// In pages of 4 KiB: how much the log may grow before it is copied into the file.
const CHECKPOINT: &str = "4096";
/// What `pragma synchronous` says for FULL.
const FULL: i64 = 2;

#[derive(Debug)]
pub(super) struct Sqlite {
    pub(super) writer: Mutex<SqliteConnection>,
    /// Sign-ins that wait for the writer's next commit.
    pub(super) riders: Riders,
    pub(super) readers: SqlitePool,
    pub(super) broken: Broken,
    /// Locked for the life of a process that wants the file for itself.
    _lock: Option<File>,
}

impl Sqlite {
    pub(super) async fn open(path: &str, options: &StoreOptions) -> Result<Self, StoreError> {
        let path = Path::new(path.split('?').next().unwrap_or(path));
        if path.as_os_str().is_empty() {
            return Err(StoreError::Unsuitable("sqlite:// needs a path to a file".to_owned()));
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| no_file(folder, &error))?;
        }
        let lock = if options.exclusive { Some(lock(path)?) } else { None };
        let base = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(BUSY_TIMEOUT)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("cache_size", CACHE)
            .pragma("temp_store", "memory")
            .pragma("wal_autocheckpoint", CHECKPOINT);
        let mut writer = base.clone().create_if_missing(true).connect().await?;
        check(&mut writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(base.read_only(true));
        Ok(Self {
            writer: Mutex::new(writer),
            riders: Riders::default(),
            readers,
            broken: Broken::default(),
            _lock: lock,
        })
    }
}

fn no_file(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unsuitable(format!("{} cannot be made: {error}", path.display()))
}

/// Takes the lock file beside the database. The operating system lets go of it when the process
/// ends, however it ends.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::create(&name).map_err(|error| no_file(&name, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(no_file(&name, &error)),
    }
}

/// Checks that the pragmas hold: a file on a system without shared memory silently stays without
/// WAL, for one.
async fn check(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let row = sqlx::query(
        "select sqlite_version(), (select journal_mode from pragma_journal_mode), \
                (select synchronous from pragma_synchronous)",
    )
    .fetch_one(connection)
    .await?;
    let (version, mode, synchronous): (String, String, i64) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = [0; 3].map(|zero| parts.next().unwrap_or(zero));
    if found < OLDEST_VERSION {
        let [a, b, c] = OLDEST_VERSION;
        let text = format!("SQLite is {version}, but {a}.{b}.{c} or newer is needed");
        return Err(StoreError::Unsuitable(text));
    }
    if mode != "wal" || synchronous != FULL {
        let text = format!(
            "SQLite must run with journal_mode=wal and synchronous=2, but has {mode} and \
             {synchronous}: is the file on a network drive?"
        );
        return Err(StoreError::Unsuitable(text));
    }
    Ok(())
}

/// Whether a write or a flush has failed.
#[derive(Debug)]
pub(super) struct Broken(watch::Sender<bool>);

impl Default for Broken {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Broken {
    /// Lets a result pass and remembers whether the disk failed.
    pub(super) fn watch<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Disk(error)) = &result {
            self.set(error);
        }
        result
    }

    /// Remembers that the disk failed.
    pub(super) fn set(&self, error: &sqlx::Error) {
        tracing::error!(%error, "the database's disk failed");
        self.0.send_replace(true);
    }

    /// Whether the disk has failed.
    pub(super) fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the disk fails.
    pub(super) async fn wait(&self) {
        // The sender lives in this very value, so the wait cannot end early.
        let _ = self.0.subscribe().wait_for(|broken| *broken).await;
    }
}
