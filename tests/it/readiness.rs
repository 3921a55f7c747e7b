//! The database goes away and comes back: the server stays alive, says that it is not ready, tells
//! nobody that something was done, and books again at once when it can.

use crate::helpers::{Database, Load, Proxy, Server, Storage, day, eventually, free_address, run};
use std::sync::Arc;
use std::time::{Duration, Instant};

const UNREADY_WITHIN: Duration = Duration::from_secs(2);
const BOOKS_WITHIN: Duration = Duration::from_secs(3);
/// Wide enough that commits are under way when the database goes.
const LATENCY: Duration = Duration::from_millis(20);
/// Longer than a command may wait for its answer.
const DOWN: Duration = Duration::from_secs(6);

async fn behind_a_proxy(settings: &[(&str, &str)]) -> (Server, Proxy) {
    let storage = Arc::new(Storage::new(Database::Postgres).await);
    let proxy = Proxy::to(storage.port(), LATENCY).await;
    let url = storage.url_through(proxy.port());
    (Server::spawn_on(storage, url, settings).await, proxy)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_a_server_is_alive_and_unready_and_acknowledges_nothing() {
    let (server, mut proxy) = behind_a_proxy(&[]).await;
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    server.book(&guest, &home, &day(40), &day(41)).await.expect(201);
    server.get("/readyz").await.expect(200);

    proxy.close().await;
    let asked = Instant::now();
    server.get("/readyz").await.is_problem(503, "unavailable");
    assert!(asked.elapsed() <= UNREADY_WITHIN, "it took {:?}", asked.elapsed());
    server.get("/livez").await.expect(200);
    let refused = server.book(&guest, &home, &day(42), &day(43)).key("while-down").await;
    refused.is_problem(503, "unavailable");
    assert!(!refused.header("retry-after").is_empty());
    server.bookings_fail(&guest).await;
    // Calendars are read from memory, which shows what is durable and nothing else.
    assert_eq!(server.states(&home, &day(40), &day(44)).await[2..], ["available"; 2]);

    proxy.reopen().await;
    let returned = Instant::now();
    let booked = eventually(BOOKS_WITHIN, async || {
        let asking = server.book(&guest, &home, &day(50), &day(51)).key("after").attempt();
        let answer = tokio::time::timeout(Duration::from_millis(500), asking).await;
        answer.ok()?.ok().filter(|answer| answer.status == 201)
    });
    booked.await.expect("bookings again soon after its return");
    assert!(returned.elapsed() <= BOOKS_WITHIN, "it took {:?}", returned.elapsed());
    server.get("/readyz").await.expect(200);
    // The request of the time between is judged anew, or answered if it was done after all.
    server.book(&guest, &home, &day(42), &day(43)).key("while-down").await.expect(201);
    assert_eq!(server.bookings(&guest).await.len(), 3);
    server.verify().await;
}

impl Server {
    /// Reads of what only the database knows are failures too, not empty lists.
    async fn bookings_fail(&self, guest: &crate::helpers::Person) {
        let list = self.get("/api/v1/bookings").by(guest).await;
        list.is_problem(503, "unavailable");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_were_under_way_when_the_database_went_have_one_outcome() {
    let (server, mut proxy) = behind_a_proxy(&[]).await;
    let load = Load::new(&server, 32, 8).await;
    for _ in 0..2 {
        let cutting = async {
            load.progress.reach(100, 16).await;
            proxy.close().await;
            // The subject is an outage, not an event: it lasts.
            tokio::time::sleep(DOWN).await;
            proxy.reopen().await;
            load.progress.reach(100, 1).await;
        };
        load.run(&server, cutting).await;
    }
    println!("{} answers were 503, {} requests are open", load.progress.failed(), load.open());
    load.settle(&server).await;
    server.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_server_waits_for_its_tables() {
    let storage = Arc::new(Storage::new(Database::Postgres).await);
    let address = free_address().to_string();
    let url = storage.url();
    let settings = [("AUTO_MIGRATE", "false"), ("BIND_ADDR", address.as_str())];
    let starting = Server::spawn_on(Arc::clone(&storage), url, &settings);
    let migrating = async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let status = async |path: &str| {
            let response = client.get(format!("http://{address}{path}")).send().await.ok()?;
            Some(response.status().as_u16())
        };
        let alive = eventually(Duration::from_secs(30), async || status("/livez").await);
        assert_eq!(alive.await, Some(200));
        assert_eq!(status("/readyz").await, Some(503));
        assert_eq!(status("/api/v1/properties").await, Some(503));
        let migrated = run(&storage, &["migrate"], &[]).await;
        assert!(migrated.is_success(), "{migrated:?}");
    };
    let (server, ()) = tokio::join!(starting, migrating);
    server.get("/readyz").await.expect(200);
    server.home(&server.host().await).await;
    server.verify().await;
}
