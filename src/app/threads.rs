//! The threads beside those that serve: one set for the store and the jobs, one for passwords.

use super::{AppError, LAST_COMMITS};
use crate::auth::passwords;
use tokio::runtime::Runtime;

pub(super) fn runtime() -> Result<Runtime, AppError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("store")
        .enable_all()
        .build()
        .map_err(no_threads)
}

/// What runs beside the threads that serve.
pub(super) struct Threads {
    pub(super) store: Runtime,
    pub(super) passwords: Runtime,
}

impl Threads {
    pub(super) fn start() -> Result<Self, AppError> {
        Ok(Self { store: runtime()?, passwords: passwords::runtime().map_err(no_threads)? })
    }

    /// Lets commits end that are on their way.
    pub(super) fn stop(self) {
        self.passwords.shutdown_background();
        self.store.shutdown_timeout(LAST_COMMITS);
    }
}

fn no_threads(error: std::io::Error) -> AppError {
    AppError::Io { what: "no threads can be started".to_owned(), error }
}
