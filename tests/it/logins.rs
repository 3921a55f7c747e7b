//! Signing in takes a core for a while. Guests who book meanwhile hardly notice: the threads that
//! look at passwords stand back. How much is noticed is measured in the proof.

use crate::helpers::{Database, PASSWORD, Person, Server, day, eventually, is_proof};
use futures_util::future::join_all;
use serde_json::json;
use std::future::IntoFuture;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use vacancy::store::accounts::Role;

/// People who sign in, again and again.
const PEOPLE: usize = 50;
const HOMES: usize = 100;
/// `SCHED_OTHER` and `SCHED_IDLE` of sched(7).
const ORDINARY: u64 = 0;
const IDLE: u64 = 5;
/// Between two bookings: a rate that leaves the machine some room.
const PACE: Duration = Duration::from_millis(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_parallel_logins_hardly_slow_bookings_on_sqlite() {
    fifty_parallel_logins_hardly_slow_bookings(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_parallel_logins_hardly_slow_bookings_on_postgres() {
    fifty_parallel_logins_hardly_slow_bookings(Database::Postgres).await;
}

async fn fifty_parallel_logins_hardly_slow_bookings(database: Database) {
    let (rounds, bookings) = if is_proof() { (7, 1_000) } else { (1, 200) };
    let server = Server::spawn(database).await;
    let people = server.people(Role::Guest, PEOPLE).await;
    let host = server.host().await;
    let homes = join_all((0..HOMES).map(|_| server.home(&host))).await;
    let guests = Guests { guest: server.guest().await, homes, made: AtomicI32::new(0) };
    guests.book(&server, bookings).await;
    let (mut quiet, mut busy, mut signed_in) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        let alone = guests.book(&server, bookings).await;
        let logins = Logins::default();
        let booking = async {
            logins.reach(PEOPLE as u64).await;
            let beside = guests.book(&server, bookings).await;
            logins.over.store(true, Ordering::Relaxed);
            beside
        };
        let (beside, ()) = tokio::join!(booking, logins.run(&server, &people));
        let answered = logins.answered.load(Ordering::Relaxed);
        println!("p99 {alone:?}, with logins {beside:?}; {answered} signed in");
        quiet.push(alone);
        busy.push(beside);
        signed_in += answered;
    }
    let ordinary = of_threads(&server, "store", policy);
    let standing_back = of_threads(&server, "passwords", policy);
    assert!(!ordinary.is_empty() && !standing_back.is_empty(), "threads have names");
    assert!(ordinary.iter().all(|policy| *policy == ORDINARY), "{ordinary:?}");
    assert!(standing_back.iter().all(|policy| *policy == IDLE), "{standing_back:?}");
    let beats = of_threads(&server, "metronome", sleeps);
    assert!(beats.len() == 1 && beats[0] > signed_in, "{beats:?} beats for {signed_in} hashes");
    let (quiet, busy) = (median(quiet), median(busy));
    let ratio = busy.as_secs_f64() / quiet.as_secs_f64();
    println!("p99 of a booking: {quiet:?}, with logins {busy:?}: {ratio:.2} times as long");
    // On a machine that does other things at the same time the figures say nothing.
    if is_proof() {
        assert!(ratio <= 1.5, "{ratio}");
    }
}

/// What proc(5) says of each of the server's threads of this name.
fn of_threads<T>(server: &Server, name: &str, read: fn(&Path) -> Option<T>) -> Vec<T> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", server.pid()));
    let found = threads.expect("a running server").filter_map(|thread| {
        let thread = thread.ok()?.path();
        let called = std::fs::read_to_string(thread.join("comm")).ok()?;
        (called.trim_end() == name).then(|| read(&thread))?
    });
    found.collect()
}

/// How it is scheduled: field 41 of its `stat`, the 39th behind its name.
fn policy(thread: &Path) -> Option<u64> {
    let stat = std::fs::read_to_string(thread.join("stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(38)?.parse().ok()
}

/// How often it has gone to sleep by itself.
fn sleeps(thread: &Path) -> Option<u64> {
    let status = std::fs::read_to_string(thread.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}

fn median(mut figures: Vec<Duration>) -> Duration {
    figures.sort_unstable();
    figures[figures.len() / 2]
}

struct Guests {
    guest: Person,
    homes: Vec<String>,
    made: AtomicI32,
}

impl Guests {
    /// Books so many stays at an even pace; the 99th percentile of what each took from the moment
    /// on at which it was due.
    async fn book(&self, server: &Server, stays: u32) -> Duration {
        let begin = Instant::now();
        let booking = (0..stays).map(|turn| async move {
            let due = begin + PACE * turn;
            tokio::time::sleep_until(due).await;
            self.book_next(server).await;
            due.elapsed()
        });
        let mut spans = join_all(booking).await;
        spans.sort_unstable();
        spans[spans.len() * 99 / 100]
    }

    /// Every stay is one that nobody else has asked for.
    async fn book_next(&self, server: &Server) {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let night = 10 + number / HOMES as i32;
        let home = &self.homes[number as usize % HOMES];
        let asked = server.book(&self.guest, home, &day(night), &day(night + 1));
        asked.into_future().await.expect(201);
    }
}

#[derive(Default)]
struct Logins {
    answered: AtomicU64,
    over: AtomicBool,
}

impl Logins {
    /// Waits until so many have signed in: what comes at once at first is over then.
    async fn reach(&self, answered: u64) {
        let reached = eventually(Duration::from_secs(60), async || {
            (self.answered.load(Ordering::Relaxed) >= answered).then_some(())
        });
        reached.await.expect("logins that are answered");
    }

    /// Everybody signs in as often as they are answered, until it is over.
    async fn run(&self, server: &Server, people: &[Person]) {
        join_all(people.iter().map(|person| async {
            while !self.over.load(Ordering::Relaxed) {
                let body = json!({ "email": person.email, "password": PASSWORD });
                server.post("/api/v1/auth/login", body).await.expect(200);
                self.answered.fetch_add(1, Ordering::Relaxed);
            }
        }))
        .await;
    }
}
