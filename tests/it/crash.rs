//! Crashes: the process is killed with requests under way, again and again on one database. What
//! was acknowledged is there; what was not is there wholly or not at all, and its key tells which.

use crate::helpers::{Database, Load, Server, eventually, is_proof};
use std::time::Duration;

const CLIENTS: usize = 64;
const HOMES: usize = 20;
/// What has to be acknowledged before each kill, and under way at it.
const ACKNOWLEDGED: u64 = 500;
const IN_FLIGHT: usize = 32;
/// Holds end while the server is down, or soon after.
const HOLD_SECONDS: &str = "2";
/// Hold, a sweep each second, and the work of hundreds of ends.
const ENDED_WITHIN: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_every_kill_on_sqlite() {
    survives_kills(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_every_kill_on_postgres() {
    survives_kills(Database::Postgres).await;
}

async fn survives_kills(database: Database) {
    let kills = if is_proof() { 20 } else { 3 };
    let settings = [("CLOCK", "system"), ("HOLD_TTL_SECONDS", HOLD_SECONDS)];
    let mut server = Server::spawn_with(database, &settings).await;
    let load = Load::new(&server, CLIENTS, HOMES).await;
    let (mut open, mut found) = (0, 0);
    for _ in 0..kills {
        let kill = async {
            load.progress.reach(ACKNOWLEDGED, IN_FLIGHT).await;
            server.kill9();
        };
        load.run(&server, kill).await;
        open += load.open();
        server.restart().await;
        found += load.settle(&server).await;
        // Nobody asks the server: its own sweep has to find what is overdue.
        let pending = "select count(*) from booking where status = 'PENDING'";
        let ended = eventually(ENDED_WITHIN, async || {
            (server.storage().number(pending).await == 0).then_some(())
        });
        ended.await.expect("overdue holds end by themselves");
        server.verify().await;
    }
    assert_eq!(load.progress.failed(), 0, "no answer was a failure");
    println!("{kills} kills: {open} requests unanswered, {found} of them had taken effect");
}
