//! Whole runs against the fake: an honest one passes, every quirk that is a lie is found, and every
//! quirk that is none is borne.

use std::time::Duration;

use loadtest::{Failure, Progress, Replay, Report, Scenario, Storm, Target, Violation};

use crate::fake::{Fake, Quirk};

async fn run(quirk: Option<Quirk>, scenario: Scenario) -> Result<Report, Failure> {
    let fake = Fake::start(quirk).await;
    loadtest::run(&[fake.url().parse()?], &scenario, &Progress::hidden()).await
}

fn replay() -> Scenario {
    Scenario::Replay(Replay::default())
}

/// Small enough that everything a calendar can do happens within a moment.
fn contention() -> Storm {
    Storm {
        clients: 8,
        properties: 3,
        horizon_days: 40,
        duration: Duration::from_millis(300),
        ..Storm::contention()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_replay_gives_the_three_figures_and_no_violation() {
    let report = run(None, replay()).await.expect("a report");
    assert!(report.passed(), "{report}");
    assert_eq!((report.figures.accepted, report.paid), (8_034, 8_034));
    assert_eq!((report.figures.refused, report.figures.canceled), (6_802, 4_657));
    assert_eq!(report.history.attempts.len(), 14_836);
}

#[tokio::test]
async fn contention_cancels_every_other_booking_and_passes() {
    let report = run(None, Scenario::Storm(contention())).await.expect("a report");
    assert!(report.passed(), "{report}");
    let figures = report.figures;
    assert!(figures.accepted > 0 && figures.refused > 0, "{report}");
    let half = figures.accepted / 2;
    assert!((half - 8..=half).contains(&figures.canceled), "{report}");
    assert_eq!(report.statuses[&201], figures.accepted);
    assert_eq!(report.statuses[&409], figures.refused);
}

#[tokio::test]
async fn fresh_stays_are_all_accepted_until_they_are_used_up() {
    let storm = Storm {
        clients: 8,
        properties: 4,
        horizon_days: 100,
        warm_up: Duration::ZERO,
        duration: Duration::from_secs(60),
        ..Storm::throughput()
    };
    let report = run(None, Scenario::Storm(storm)).await.expect("a report");
    assert!(report.passed() && report.ended_early, "{report}");
    assert_eq!(report.figures.refused, 0);
    assert!(report.figures.accepted >= 100, "{report}");
    assert!(report.measured_seconds < 30.0, "{report}");
}

#[tokio::test]
async fn a_rush_is_nearly_all_refusals_and_reports_its_latency() {
    let storm = Storm { clients: 16, duration: Duration::from_millis(300), ..Storm::rush() };
    let storm = Storm { warm_up: Duration::ZERO, ..storm };
    let report = run(None, Scenario::Storm(storm)).await.expect("a report");
    assert!(report.passed(), "{report}");
    assert!(report.figures.accepted <= 30 && report.figures.refused > 100, "{report}");
    assert!(report.booking_latency.count > 100 && report.booking_latency.p50_micros > 0);
}

#[tokio::test]
async fn at_a_given_rate_no_more_is_sent_than_was_asked_for() {
    let storm = Storm { rate: Some(200), ..contention() };
    let report = run(None, Scenario::Storm(storm)).await.expect("a report");
    assert!(report.passed(), "{report}");
    assert_eq!(report.history.attempts.len(), 60, "300 ms at 200 a second");
}

#[tokio::test]
async fn clients_are_dealt_to_several_servers_and_counted_by_server() {
    let fake = Fake::start(None).await;
    let one: Target = fake.url().parse().expect("an address");
    let targets = [one.clone(), one];
    let report = loadtest::run(&targets, &Scenario::Storm(contention()), &Progress::hidden()).await;
    let report = report.expect("a report");
    assert!(report.passed(), "{report}");
    assert!(report.accepted_by_target.iter().all(|&accepted| accepted > 0), "{report}");
    assert_eq!(report.accepted_by_target.iter().sum::<u64>(), report.figures.accepted);
}

#[tokio::test]
async fn every_lie_is_found_and_told_in_words() {
    for (quirk, violation) in [
        (Quirk::DoubleBooks, Violation::Overlap),
        (Quirk::Forgets, Violation::BookingLost),
        (Quirk::RefusesFree, Violation::RefusalWithoutCause),
        (Quirk::NamesDeparture, Violation::StrayNightNamed),
        (Quirk::NamesAll, Violation::FreeNightNamed),
        (Quirk::FindsRules, Violation::ForeignReason),
        (Quirk::KeepsCanceled, Violation::BookingChanged),
        (Quirk::Moves, Violation::BookingChanged),
        (Quirk::Invents, Violation::PhantomBooking),
        (Quirk::Fails, Violation::UnexpectedStatus),
    ] {
        let report = run(Some(quirk), Scenario::Storm(contention())).await.expect("a report");
        assert!(!report.passed(), "{quirk:?} passed");
        assert!(report.findings.count(violation) > 0, "{quirk:?} is not {violation:?}:\n{report}");
        assert!(!report.findings.first().is_empty());
    }
}

#[tokio::test]
async fn what_is_no_lie_is_borne_and_repeated_under_the_same_key() {
    let quirks = [Quirk::HangsUp, Quirk::Overloaded, Quirk::SignsOut, Quirk::PaysLate];
    for quirk in quirks {
        let storm = Storm { pay: true, ..contention() };
        let report = run(Some(quirk), Scenario::Storm(storm)).await.expect("a report");
        assert!(report.passed(), "{quirk:?}:\n{report}");
        assert_eq!((report.paid, report.unanswered), (report.figures.accepted, 0), "{quirk:?}");
        let borne = match quirk {
            Quirk::HangsUp => report.lost_connections,
            Quirk::Overloaded => report.statuses[&503],
            Quirk::SignsOut => report.statuses[&401],
            _ => report.statuses[&202],
        };
        assert!(borne > 0, "{quirk:?} never happened:\n{report}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure_in_plain_words() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let storm = Storm { patience: Duration::ZERO, ..contention() };
    let targets = [format!("http://{address}").parse().expect("an address")];
    let failure = loadtest::run(&targets, &Scenario::Storm(storm), &Progress::hidden()).await;
    let words = failure.expect_err("nobody answers").to_string();
    assert!(words.contains("no answer to POST /users"), "{words}");
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    for storm in [
        Storm { nights: 0..=4, ..contention() },
        Storm { nights: 1..=65, ..contention() },
        Storm { horizon_days: 3, ..contention() },
        Storm { clients: 0, ..contention() },
        Storm { rate: Some(0), ..contention() },
    ] {
        let failure = run(None, Scenario::Storm(storm)).await.expect_err("no sense");
        assert!(matches!(failure, Failure::Options(_)), "{failure}");
    }
    let nowhere = loadtest::run(&[], &replay(), &Progress::hidden()).await;
    assert!(matches!(nowhere, Err(Failure::Options(_))));
}
