//! Scenarios that load a booking server over its REST surface alone, record what every client saw,
//! and judge it.
//!
//! ```no_run
//! use loadtest::{Progress, Scenario, Storm};
//!
//! let targets = ["http://localhost:8000".parse()?];
//! let scenario = Scenario::Storm(Storm::contention());
//! let report = loadtest::run_blocking(2, &targets, &scenario, &Progress::hidden())?;
//! print!("{report}");
//! assert!(report.passed());
//! # Ok::<(), loadtest::Failure>(())
//! ```
//!
//! In reading order: `replay` and `storm` (which is `spread` and `rush`) are the scenarios; they
//! set up a `stage`, let each `guest` act through a `client` on a `connection`, and write a
//! `history`. An `audience` follows one calendar and is no scenario of bookings.
//! The `checker` judges it with `lives` and `lists` and states its `findings` in the `report`.
//! The generator shares the machine with the server: what is not needed to send the next request is
//! computed after the run.

mod account;
mod answer;
mod audience;
mod call;
mod checker;
mod client;
mod clock;
mod connection;
mod crew;
pub mod demand;
mod dice;
mod documents;
mod failure;
mod findings;
mod guest;
pub mod history;
mod latency;
mod lists;
mod lives;
mod progress;
mod replay;
mod report;
mod stage;
mod stay;
mod storm;
mod tally;
mod target;
mod wishes;

pub use audience::{Audience, AudienceReport, Burst, Closed, Fan, Resident, listen};
pub use checker::check;
pub use clock::Nanos;
pub use failure::Failure;
pub use findings::{Findings, Violation};
pub use latency::Latency;
pub use progress::Progress;
pub use replay::Replay;
pub use report::{Report, Second};
pub use stay::{MAX_NIGHTS, Nights, Stay};
pub use storm::Storm;
pub use target::Target;

/// What to run.
#[derive(Debug, Clone)]
pub enum Scenario {
    /// The recorded demand.
    Replay(Replay),
    /// `spread` or `rush`.
    Storm(Storm),
}

/// Runs a scenario. With several targets (nodes over one database) the clients are dealt to them in
/// turn.
///
/// # Errors
///
/// When the scenario could not be prepared or its end not be read. What a server does wrong in
/// between stands in the report.
pub async fn run(
    targets: &[Target],
    scenario: &Scenario,
    progress: &Progress,
) -> Result<Report, Failure> {
    match scenario {
        Scenario::Replay(options) => replay::run(targets, options, progress).await,
        Scenario::Storm(storm) => storm::run(targets, storm, progress).await,
    }
}

/// Runs a scenario on a runtime of its own with so many threads.
///
/// # Errors
///
/// As [`run`], and when the threads cannot be had.
pub fn run_blocking(
    threads: usize,
    targets: &[Target],
    scenario: &Scenario,
    progress: &Progress,
) -> Result<Report, Failure> {
    runtime(threads)?.block_on(run(targets, scenario, progress))
}

/// The same for an audience.
///
/// # Errors
///
/// As [`listen`], and when the threads cannot be had.
pub fn listen_blocking(
    threads: usize,
    target: &Target,
    audience: &Audience,
    progress: &Progress,
) -> Result<AudienceReport, Failure> {
    runtime(threads)?.block_on(listen(target, audience, progress))
}

fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.max(1))
        .enable_all()
        .build()
        .map_err(Failure::Threads)
}
