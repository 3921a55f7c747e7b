//! Two servers on one PostgreSQL and one home: the fence decides, both get their share, and the
//! database keeps two bookings from one night even when the servers do not look.

use crate::helpers::{Database, Folded, Server, Socket, day, is_proof};
use loadtest::{Progress, Report, Scenario, Storm, Target, Violation};
use std::time::{Duration, Instant};

/// What a server's log says each time a commit was lost to another writer.
const FENCED: &str = "a commit was fenced off";
/// What it says when the database's own key kept two bookings from one night.
const GUARDED: &str = "the database's own guard fired";
const LEAST_FENCES: usize = 100;
const LOG: (&str, &str) = ("LOG", "warn,sqlx=error,vacancy::actors=debug");

fn target(server: &Server) -> Target {
    server.base().parse().expect("an address")
}

async fn storm(targets: &[Target], storm: Storm) -> Report {
    let report = loadtest::run(targets, &Scenario::Storm(storm), &Progress::hidden()).await;
    let report = report.expect("a report");
    println!("{report}");
    assert!(report.statuses.keys().all(|status| *status < 500), "{report}");
    report
}

/// 64 clients on one home; all that is accepted is canceled again, so that nights stay free.
fn on_one_home(seconds: u64, horizon_days: u32) -> Storm {
    Storm {
        name: "one home",
        properties: 1,
        horizon_days,
        nights: 1..=2,
        cancel_every: Some(1),
        duration: Duration::from_secs(seconds),
        ..Storm::contention()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_home_lose_fences_and_nothing_else() {
    let one = Server::spawn_with(Database::Postgres, &[LOG]).await;
    let two = one.sibling().await;
    let targets = [target(&one), target(&two)];
    let (seconds, most_rounds) = if is_proof() { (60, 4) } else { (8, 8) };
    let (mut lost, mut accepted) = (0, [0, 0]);
    // How often the servers meet is chance; a run counts when they met often enough.
    for _ in 0..most_rounds {
        let report = storm(&targets, on_one_home(seconds, 365)).await;
        assert!(report.passed(), "{report}");
        for (sum, more) in accepted.iter_mut().zip(&report.accepted_by_target) {
            *sum += more;
        }
        lost = one.logged(FENCED) + two.logged(FENCED);
        if lost >= LEAST_FENCES {
            break;
        }
    }
    println!("{lost} lost fences, {accepted:?} accepted");
    assert!(lost >= LEAST_FENCES, "only {lost} lost fences: the run does not count");
    for share in accepted.map(|part| part as f64 / accepted.iter().sum::<u64>() as f64) {
        assert!(share >= 0.25, "the servers share {accepted:?}");
    }
    one.verify().await;
}

/// Every refusal is the database's. It cannot say which night was taken, so all of the stay are
/// named; that is the one finding that is no fault.
fn assert_guarded(report: &Report, servers: &[&Server]) {
    let named = report.findings.count(Violation::FreeNightNamed);
    let told = report.findings.to_string();
    for violation in [
        Violation::Overlap,
        Violation::RefusalWithoutCause,
        Violation::StrayNightNamed,
        Violation::ForeignReason,
        Violation::WrongBooking,
        Violation::UnexpectedStatus,
        Violation::CancelFailed,
        Violation::BookingLost,
        Violation::BookingChanged,
        Violation::PhantomBooking,
    ] {
        assert_eq!(report.findings.count(violation), 0, "{named} free nights named;\n{told}");
    }
    let guarded: usize = servers.iter().map(|server| server.logged(GUARDED)).sum();
    println!("the guard fired {guarded} times");
    assert!(guarded > 0 && report.figures.refused > 0, "nothing was refused: {report}");
    assert!(report.figures.accepted > 0, "nothing was accepted: {report}");
}

const NO_CHECK: (&str, &str) = ("TEST_SWITCH", "no_overlap_check");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_refuses_what_the_actors_of_two_servers_do_not() {
    let one = Server::spawn_with(Database::Postgres, &[NO_CHECK]).await;
    let two = one.sibling().await;
    let report = storm(&[target(&one), target(&two)], on_one_home(5, 60)).await;
    assert_guarded(&report, &[&one, &two]);
    one.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_refuses_what_the_actor_of_one_server_does_not() {
    for database in [Database::Sqlite, Database::Postgres] {
        let server = Server::spawn_with(database, &[NO_CHECK]).await;
        let report = storm(&[target(&server)], on_one_home(3, 60)).await;
        assert_guarded(&report, &[&server]);
        server.verify().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_books_is_heard_at_the_other_within_five_seconds() {
    let one = Server::spawn(Database::Postgres).await;
    let two = one.sibling().await;
    let (host, guest) = (one.host().await, one.guest().await);
    let home = one.home(&host).await;
    let mut socket = Socket::open(&two).await;
    socket.subscribe(&home, &day(30), &day(60)).await;
    let mut calendar = Folded::new(&socket.expect("snapshot").await);
    one.book(&guest, &home, &day(40), &day(42)).await.expect(201);
    let booked = Instant::now();
    calendar.apply(&socket.expect("delta").await);
    assert!(booked.elapsed() <= Duration::from_secs(6), "it took {:?}", booked.elapsed());
    assert_eq!(calendar.states(&day(40), &day(42)), ["held"; 2]);
    assert_eq!(two.states(&home, &day(40), &day(42)).await, ["held"; 2]);
}
