//! The project's own load tester, run against a server of ours.
//!
//! Contract: 128 clients for ten seconds. The load tester checks its own history, so a run that
//! saw an overlap, lost an acknowledged booking or got an unexplained refusal is an error here and
//! not a figure.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::server::Server;
use super::table::Rate;
use crate::Result;
use crate::cargo;

const CLIENTS: &str = "128";
const SECONDS: &str = "10";

/// What is asked of the server.
#[derive(Clone, Copy)]
pub(super) enum Scenario {
    /// Bookings over many properties; accepted ones count.
    Spread,
    /// Everybody wants the same property; answers count.
    Rush,
}

/// Runs a scenario and gives its rate.
pub(super) fn run(scenario: Scenario, server: &Server, database: &str) -> Result<Rate> {
    let (word, noun) = match scenario {
        Scenario::Spread => ("spread", "accepted"),
        Scenario::Rush => ("rush", "answers"),
    };
    let title = format!("{word} on {database}, {CLIENTS} clients, {noun}");
    let report = cargo::release_folder().join(format!("loadtest-{word}.json"));
    let mut loadtest = Command::new(cargo::release_folder().join("loadtest"));
    loadtest.arg(word).arg(server.url()).args(["--clients", CLIENTS, "--seconds", SECONDS]);
    if let Scenario::Spread = scenario {
        // Stays that nobody else asks for: what is measured is commits, not refusals.
        loadtest.arg("--fresh");
    }
    loadtest.arg("--json").arg(&report).stdin(Stdio::null());
    if !loadtest.status()?.success() {
        return Err(format!("{title}: the load test failed, see above").into());
    }
    let report: Value = serde_json::from_slice(&std::fs::read(&report)?)?;
    let field = format!("{noun}_per_second");
    let per_second = report[&field].as_f64().ok_or_else(|| format!("no {field} in the report"))?;
    println!("{title}: {per_second:.0}/s");
    Ok(Rate { title, per_second })
}
