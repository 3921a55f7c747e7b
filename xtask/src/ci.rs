//! `cargo xtask ci`: everything that must hold before a change is taken.
//!
//! Contract: the tests, then the rules for dependencies in `deny.toml`, then the image where there
//! is an engine to build it, then the floors of coverage. One table at the end, as after the tests.

use std::process::Command;

use crate::Result;
use crate::cargo;
use crate::coverage;
use crate::elsewhere::Elsewhere;
use crate::report::Report;
use crate::suite::Kind;
use crate::test::{self, Machine};
use crate::tools;

/// Runs everything; true when all of it is good.
pub(crate) fn run() -> Result<bool> {
    let machine = Machine::prepare()?;
    let mut report = Report::new();
    test::suites(&mut report, &machine);
    report.suite("rules for dependencies", Kind::Check, || {
        Ok(vec![deny(&["bans", "licenses", "sources"])?])
    });
    report.suite_if_here(Elsewhere::Advisories, "advisories about dependencies", || {
        Ok(vec![deny(&["advisories"])?])
    });
    report.suite_if_here(Elsewhere::Image, "image and stack", || {
        Ok(vec![compose(&["config", "--quiet"]), compose(&["build"])])
    });
    report.step("coverage", || coverage::measure(&machine));
    report.print();
    Ok(report.is_good())
}

fn deny(checks: &[&str]) -> Result<Command> {
    let mut command = cargo::at(cargo::root(), &tools::DENY.find_or_install()?.to_string_lossy());
    command.args(["--workspace", "--locked", "check"]).args(checks);
    Ok(command)
}

fn compose(words: &[&str]) -> Command {
    let mut command = cargo::at(cargo::root(), "docker");
    command.arg("compose").args(words);
    command
}
