//! Clients that go away: requests are reset a few milliseconds after they were sent, while the
//! database is slow. No connection is left in a transaction, and nothing acknowledged is missing.

use crate::helpers::{
    Chance, Database, Document, Load, Person, Proxy, Server, Storage, Wire, day, eventually,
    is_proof, request, story,
};
use futures_util::future::join_all;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use vacancy::store::accounts::Role;

const LATENCY: Duration = Duration::from_millis(30);
const HANDS: u32 = 50;
/// A job whose failure could not even be noted is tried again when its lease of a minute is over.
const WORKED_OFF_WITHIN: Duration = Duration::from_secs(150);
/// How much later than its request a reset may come, in milliseconds.
const LATEST_RESET: u32 = 6;

fn resets() -> u32 {
    if is_proof() { 5_000 } else { 500 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resets_leave_nothing_behind_on_sqlite() {
    story(Database::Sqlite, async |server: &mut Server| reset_and_judge(server).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resets_leave_no_transaction_open_on_a_slow_postgres() {
    let storage = Arc::new(Storage::new(Database::Postgres).await);
    let proxy = Proxy::to(storage.port(), LATENCY).await;
    let url = storage.url_through(proxy.port());
    let server = Server::spawn_on(Arc::clone(&storage), url, &[]).await;
    reset_and_judge(&server).await;
    // Whatever the provider still had to tell has been looked at.
    server.advance(0).await;
    // The server's own timeouts would end such a transaction, but not as soon as this.
    let idle = "select count(*) from pg_stat_activity where datname = current_database() \
        and state like 'idle in transaction%'";
    let none = eventually(Duration::from_secs(1), async || {
        (storage.number(idle).await == 0).then_some(())
    });
    none.await.expect("no connection is idle in transaction");
    server.verify().await;
}

/// Resets requests of every kind beside honest clients, who have to notice nothing.
async fn reset_and_judge(server: &Server) {
    let load = Load::new(server, 4, 4).await;
    let host = server.host().await;
    let home = server.home(&host).await;
    let guests = server.people(Role::Guest, HANDS as usize).await;
    let resetting = async {
        let share = resets() / HANDS;
        let hands = guests.iter().zip(1..);
        let home = home.as_str();
        join_all(hands.map(|(guest, seed)| async move {
            let first = i32::from(seed);
            let booked = server.book(guest, home, &day(first), &day(first + 1)).await;
            let booking = booked.expect(201).text("id");
            reset_many(server, guest, (home, &booking), share, seed).await;
        }))
        .await;
    };
    load.run(server, resetting).await;
    // Payments that nobody waits for are worked off all the same.
    let worked_off = eventually(WORKED_OFF_WITHIN, async || {
        (server.storage().number("select count(*) from job").await == 0).then_some(())
    });
    worked_off.await.expect("jobs that come to an end");
    assert_eq!((load.open(), load.progress.failed()), (0, 0), "honest clients were answered");
    load.settle(server).await;
    // What was reset is there or not, and its key tells; no answer is a failure.
    for guest in &guests {
        let first = server.book(guest, &home, &day(90), &day(91)).key("reset-0").await;
        assert!(matches!(first.status, 201 | 409 | 422), "{}: {}", first.status, first.body);
    }
    server.get("/readyz").await.expect(200);
}

async fn reset_many(
    server: &Server,
    guest: &Person,
    (home, booking): (&str, &str),
    count: u32,
    seed: u8,
) {
    let mut chance = Chance::new(seed.into());
    for number in 0..count {
        let check_in = 100 + chance.days(500);
        let (path, body) = match chance.below(16) {
            0 => (
                "/api/v1/payments".to_owned(),
                json!({ "booking_id": booking, "payment_method": "pm_card_visa" }),
            ),
            _ => (
                format!("/api/v1/properties/{home}/bookings"),
                json!({ "check_in": day(check_in), "check_out": day(check_in + 1), "guests": 2 }),
            ),
        };
        let key = format!("reset-{number}");
        let mut wire = Wire::connect(server.address()).await;
        wire.write(&request(server, guest, &path, Some(&key), &body)).await;
        // This wait is the subject: the client loses patience.
        let patience = Duration::from_millis(chance.below(LATEST_RESET).into());
        tokio::time::sleep(patience).await;
        wire.reset();
    }
}
