//! How a test is told: once for each database, with bounded waits, and a clean database at its end.

use super::{Database, Server};
use std::time::{Duration, Instant};

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Makes a test of an `async fn(&mut Server)` for each database: `name::sqlite` and
/// `name::postgres`. Both end with a verification.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            use $crate::helpers::{Database, story};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                story(Database::Sqlite, super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                story(Database::Postgres, super::$name).await;
            }
        }
    )*};
}

pub(crate) use on_both;

/// Tells a story on a server with an empty database, and verifies what it left.
pub(crate) async fn story(database: Database, test: impl AsyncFnOnce(&mut Server)) {
    let mut server = Server::spawn(database).await;
    test(&mut server).await;
    server.verify().await;
}

/// Waits until `look` finds something, and gives it; nothing when the time is over.
pub(crate) async fn eventually<T>(
    within: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> Option<T> {
    let until = Instant::now() + within;
    let mut pace = tokio::time::interval(LOOK_EVERY);
    loop {
        pace.tick().await;
        let found = look().await;
        if found.is_some() || Instant::now() >= until {
            return found;
        }
    }
}
