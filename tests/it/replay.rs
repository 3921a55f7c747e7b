//! The recorded demand of two real hotels, sent through the front door: the same three figures
//! every time, and a booking behind each refusal.

use crate::helpers::{Server, on_both};
use loadtest::{Progress, Replay, Scenario};

on_both!(the_recorded_demand_gives_the_same_figures_every_time);

async fn the_recorded_demand_gives_the_same_figures_every_time(server: &mut Server) {
    let target = server.base().parse().expect("an address");
    let scenario = Scenario::Replay(Replay::default());
    let report = loadtest::run(&[target], &scenario, &Progress::hidden()).await.expect("a report");
    println!("{report}");
    assert!(report.passed(), "{report}");
    let figures = (report.figures.accepted, report.figures.refused, report.figures.canceled);
    assert_eq!(figures, (8_034, 6_802, 4_657));
    assert_eq!((report.paid, report.unanswered), (8_034, 0));
}
