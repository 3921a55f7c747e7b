//! Contention: many clients on few homes, every other booking canceled again. Nothing overlaps, and
//! nobody is refused without a booking that stood in the way.

use crate::helpers::{Server, is_proof, on_both};
use loadtest::{Progress, Scenario, Storm};
use std::time::Duration;

on_both!(sixty_four_clients_on_twenty_homes_never_overlap_nor_are_refused_without_a_cause);

/// How many are to be accepted, and refused, in a minute.
const PER_MINUTE: u64 = 1_000;

async fn sixty_four_clients_on_twenty_homes_never_overlap_nor_are_refused_without_a_cause(
    server: &mut Server,
) {
    let seconds = if is_proof() { 60 } else { 10 };
    let storm = Storm { duration: Duration::from_secs(seconds), ..Storm::contention() };
    assert_eq!((storm.clients, storm.properties, storm.horizon_days), (64, 20, 90));
    assert_eq!((&storm.nights, storm.cancel_every), (&(1..=4), Some(2)));
    let target = server.base().parse().expect("an address");
    let scenario = Scenario::Storm(storm);
    let report = loadtest::run(&[target], &scenario, &Progress::hidden()).await.expect("a report");
    println!("{report}");
    assert!(report.passed(), "{report}");
    let least = PER_MINUTE * seconds / 60;
    assert!(report.figures.accepted >= least, "{report}");
    assert!(report.figures.refused >= least, "{report}");
    assert!(report.statuses.keys().all(|status| *status < 500), "{report}");
}
