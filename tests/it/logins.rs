//! Signing in costs a core for a while. Guests who book meanwhile hardly notice.

use crate::helpers::{Database, PASSWORD, Person, Server, is_proof};
use futures_util::future::join_all;
use loadtest::{Progress, Scenario, Storm};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use vacancy::store::accounts::Role;

/// People who sign in, again and again.
const PEOPLE: usize = 50;
/// Bookings a second: what leaves the machine some room.
const RATE: u32 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_parallel_logins_hardly_slow_bookings_on_sqlite() {
    fifty_parallel_logins_hardly_slow_bookings(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_parallel_logins_hardly_slow_bookings_on_postgres() {
    fifty_parallel_logins_hardly_slow_bookings(Database::Postgres).await;
}

async fn fifty_parallel_logins_hardly_slow_bookings(database: Database) {
    let (rounds, seconds) = if is_proof() { (5, 10) } else { (3, 3) };
    let server = Server::spawn(database).await;
    let people = server.people(Role::Guest, PEOPLE).await;
    let (mut quiet, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        quiet.push(book(&server, seconds).await);
        let logins = Logins::default();
        let booking = async {
            let p99 = book(&server, seconds).await;
            logins.over.store(true, Ordering::Relaxed);
            p99
        };
        let (p99, _) = tokio::join!(booking, logins.run(&server, &people));
        busy.push(p99);
        let answered = logins.answered.load(Ordering::Relaxed);
        println!("p99 {:?} and {p99} microseconds, {answered} logins", quiet.last());
        assert!(answered > PEOPLE as u64, "{answered} logins");
    }
    let (quiet, busy) = (median(quiet), median(busy));
    println!("p99 of bookings: {quiet} microseconds, with logins {busy}");
}

fn median(mut figures: Vec<u64>) -> u64 {
    figures.sort_unstable();
    figures[figures.len() / 2]
}

/// The 99th percentile of the time that a booking takes, in microseconds.
async fn book(server: &Server, seconds: u64) -> u64 {
    let storm = Storm {
        clients: 32,
        rate: Some(RATE),
        duration: Duration::from_secs(seconds),
        ..Storm::spread()
    };
    let target = server.base().parse().expect("an address");
    let scenario = Scenario::Storm(storm);
    let report = loadtest::run(&[target], &scenario, &Progress::hidden()).await.expect("a report");
    assert!(report.passed(), "{report}");
    report.booking_latency.p99_micros
}

#[derive(Default)]
struct Logins {
    answered: AtomicU64,
    over: AtomicBool,
}

impl Logins {
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
