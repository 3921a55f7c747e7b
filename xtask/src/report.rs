//! What a run of suites has done so far, and the table that it ends in.
//!
//! Contract: suites run in the order in which they are added, and none after one that failed; what
//! was not run is said, whether an earlier suite failed or this machine lacks what it needs.

use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::elsewhere::{self, Elsewhere};
use crate::suite::{self, Kind, Outcome};
use crate::tally::Tally;

/// What happened so far, one line a suite.
pub(crate) struct Report {
    lines: Vec<(&'static str, Option<Outcome>)>,
    /// What this machine cannot run.
    lacking: Vec<Elsewhere>,
}

impl Report {
    /// An empty one. It looks at once for what this machine lacks.
    pub(crate) fn new() -> Self {
        Self { lines: Vec::new(), lacking: elsewhere::lacking() }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.lines.iter().all(|(_, outcome)| outcome.as_ref().is_some_and(|o| o.good))
    }

    /// Runs a suite, unless an earlier one failed. What cannot even start is a failure, too.
    pub(crate) fn suite(
        &mut self,
        name: &'static str,
        kind: Kind,
        commands: impl FnOnce() -> Result<Vec<Command>>,
    ) {
        self.step(name, || suite::run(name, kind, commands()?));
    }

    /// The same for a suite that not every kind of machine can run.
    pub(crate) fn suite_if_here(
        &mut self,
        needs: Elsewhere,
        name: &'static str,
        commands: impl FnOnce() -> Result<Vec<Command>>,
    ) {
        if !self.lacking.contains(&needs) {
            self.suite(name, Kind::Check, commands);
        }
    }

    /// Does something that is more than its commands.
    pub(crate) fn step(&mut self, name: &'static str, run: impl FnOnce() -> Result<Outcome>) {
        let outcome = self.is_good().then(|| {
            run().unwrap_or_else(|error| {
                println!("xtask: {name}: {error}");
                Outcome { good: false, tally: Tally::default(), elapsed: Duration::ZERO }
            })
        });
        self.lines.push((name, outcome));
    }

    pub(crate) fn print(&self) {
        println!("\n{:<34}{:>9}{:>9}{:>9}", "suite", "minutes", "passed", "failed");
        let (mut tally, mut minutes) = (Tally::default(), 0.0);
        for (name, outcome) in &self.lines {
            let Some(outcome) = outcome else {
                println!("{name:<34}{:>9}", "not run");
                continue;
            };
            let Tally { passed, failed, .. } = outcome.tally;
            let spent = outcome.elapsed.as_secs_f64() / 60.0;
            let mark = if outcome.good { "" } else { "  FAILED" };
            println!("{name:<34}{spent:>9.1}{passed:>9}{failed:>9}{mark}");
            tally += outcome.tally;
            minutes += spent;
        }
        println!("{:<34}{minutes:>9.1}", "all");
        elsewhere::print(&self.lacking);
        println!("\n{tally}");
    }
}
