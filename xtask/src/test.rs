//! `cargo xtask test`: format, lints and every test, on SQLite and on PostgreSQL.
//!
//! Contract: the suites run in order and stop at the first that fails, but the table of minutes
//! and the closing line `N passed, N failed` are always printed. The tests find their servers and
//! programs in the environment that `Machine` makes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::cargo::{self, COMMON, TestBinary};
use crate::elsewhere;
use crate::packages::{self, Need};
use crate::postgres::Postgres;
use crate::python;
use crate::suite::{self, Kind, Outcome};
use crate::tally::Tally;

/// What the tests need of the machine, found or installed.
pub(crate) struct Machine {
    postgres: PathBuf,
    chromium: PathBuf,
    chromedriver: PathBuf,
    node: PathBuf,
    schemathesis: PathBuf,
}

impl Machine {
    pub(crate) fn prepare() -> Result<Self> {
        let needs = [Need::Postgres, Need::Chromium, Need::Chromedriver, Need::Node, Need::Python];
        let [postgres, chromium, chromedriver, node, python] = packages::find_or_install(needs)?;
        let schemathesis = python::programs(&python)?.join("schemathesis");
        Ok(Self { postgres, chromium, chromedriver, node, schemathesis })
    }

    pub(crate) fn start_postgres(&self) -> Result<Postgres> {
        Postgres::start(&self.postgres)
    }

    /// A test binary with the tests' environment.
    pub(crate) fn command(&self, binary: &TestBinary, postgres: &Postgres) -> Command {
        let mut command = binary.command();
        command.env("TEST_DATABASE_URL", postgres.url("postgres"));
        command.env("CHROMIUM", &self.chromium).env("CHROMEDRIVER", &self.chromedriver);
        command.env("SCHEMATHESIS", &self.schemathesis);
        command
    }

    /// Node finds the tests below a folder by itself; naming the folder means different things to
    /// its versions.
    fn node_tests(&self, folder: &Path) -> Command {
        let mut command = cargo::at(folder, &self.node.to_string_lossy());
        command.args(["--test", "--test-reporter=tap"]);
        command
    }
}

/// What happened so far, one line a suite.
#[derive(Default)]
struct Report {
    lines: Vec<(&'static str, Option<Outcome>)>,
}

impl Report {
    fn is_good(&self) -> bool {
        self.lines.iter().all(|(_, outcome)| outcome.as_ref().is_some_and(|o| o.good))
    }

    /// Runs a suite, unless an earlier one failed. What cannot even start is a failure, too.
    fn suite(
        &mut self,
        name: &'static str,
        kind: Kind,
        commands: impl FnOnce() -> Result<Vec<Command>>,
    ) {
        if !self.is_good() {
            self.lines.push((name, None));
            return;
        }
        let outcome = commands().and_then(|commands| suite::run(name, kind, commands));
        let outcome = outcome.unwrap_or_else(|error| {
            println!("xtask: {name}: {error}");
            Outcome { good: false, tally: Tally::default(), elapsed: Duration::ZERO }
        });
        self.lines.push((name, Some(outcome)));
    }

    fn print(&self) {
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
        elsewhere::print();
        println!("\n{tally}");
    }
}

/// Runs everything; true when all of it is good.
pub(crate) fn run() -> Result<bool> {
    let machine = Machine::prepare()?;
    let mut report = Report::default();
    report.suite("format", Kind::Check, || Ok(vec![cargo::cargo(&["fmt", "--all", "--check"])]));
    report.suite("lints", Kind::Check, || {
        let words = [&["clippy"], &COMMON[..], &["--all-targets", "--", "-D", "warnings"]];
        Ok(vec![cargo::cargo(&words.concat())])
    });
    report.suite("widget", Kind::Tests, || {
        Ok(vec![machine.node_tests(&cargo::root().join("widget"))])
    });
    report
        .suite("build of the tests and the server", Kind::Check, || Ok(vec![cargo::build_tests()]));
    let ready = report.is_good().then(|| Ready::start(&machine));
    let of = |folders: &[&str]| match &ready {
        Some(Ok(ready)) => Ok(ready.commands(&machine, folders)),
        Some(Err(error)) => Err(error.to_string().into()),
        None => Ok(Vec::new()),
    };
    report.suite("domain and its simulator", Kind::Tests, || of(&["domain"]));
    report.suite("loadtest and xtask", Kind::Tests, || of(&["loadtest", "xtask"]));
    report.suite("vacancy, on both databases", Kind::Tests, || of(&[""]));
    report.suite("examples in documentation", Kind::Check, || {
        Ok(vec![cargo::cargo(&[&["test"], &COMMON[..], &["--doc"]].concat())])
    });
    report.print();
    Ok(report.is_good())
}

/// What the built tests run with.
struct Ready {
    binaries: Vec<TestBinary>,
    postgres: Postgres,
}

impl Ready {
    fn start(machine: &Machine) -> Result<Self> {
        Ok(Self { binaries: cargo::test_binaries()?, postgres: machine.start_postgres()? })
    }

    /// The test binaries of the packages in these folders.
    fn commands(&self, machine: &Machine, folders: &[&str]) -> Vec<Command> {
        let binaries = self.binaries.iter();
        let wanted = binaries.filter(|binary| folders.iter().any(|folder| binary.is_of(folder)));
        wanted.map(|binary| machine.command(binary, &self.postgres)).collect()
    }
}
