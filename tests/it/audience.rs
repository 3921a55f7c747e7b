//! An audience: many who follow one calendar hear each of its changes, in their order, and are
//! current right after changes that came faster than anybody read them.

use crate::helpers::{Server, on_both};
use loadtest::{Audience, Progress};
use std::time::Duration;

on_both!(everybody_in_an_audience_hears_every_change_in_its_order);

async fn everybody_in_an_audience_hears_every_change_in_its_order(server: &mut Server) {
    let audience = Audience {
        sockets: 200,
        rate: 20,
        duration: Duration::from_secs(2),
        burst_rate: 200,
        burst: Duration::from_secs(2),
        ..Audience::default()
    };
    let target = server.base().parse().expect("an address");
    let report = loadtest::listen(&target, &audience, &Progress::hidden()).await.expect("a report");
    println!("{report}");
    assert!(report.passed(), "{report}");
    assert_eq!((report.calm.changes, report.calm.delivery.count), (40, 40 * 200));
    assert_eq!(report.burst.map(|burst| burst.changes), Some(400));
}
