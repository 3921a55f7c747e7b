//! `cargo xtask test`: format, lints and every test, on SQLite and on PostgreSQL.
//!
//! Contract: the suites run in order and stop at the first that fails, but the table of minutes
//! and the closing line `N passed, N failed` are always printed. The tests find their servers and
//! programs in the environment that `Machine` makes.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::cargo::{self, COMMON, Profile, TestBinary};
use crate::npm;
use crate::packages::{self, Need};
use crate::postgres::Postgres;
use crate::python;
use crate::report::Report;
use crate::suite::Kind;

/// What the tests need of the machine, found or installed.
pub(crate) struct Machine {
    postgres: PathBuf,
    chromium: PathBuf,
    chromedriver: PathBuf,
    node: PathBuf,
    schemathesis: PathBuf,
    stripe_python: PathBuf,
    axe: PathBuf,
}

impl Machine {
    pub(crate) fn prepare() -> Result<Self> {
        let needs = [
            Need::Postgres,
            Need::Chromium,
            Need::Chromedriver,
            Need::Node,
            Need::Npm,
            Need::Python,
        ];
        let [postgres, chromium, chromedriver, node, npm, python] =
            packages::find_or_install(needs)?;
        let programs = python::programs(&python)?;
        let (schemathesis, stripe_python) =
            (programs.join("schemathesis"), programs.join("python"));
        let axe = npm::modules(&npm)?.join("axe-core/axe.min.js");
        Ok(Self { postgres, chromium, chromedriver, node, schemathesis, stripe_python, axe })
    }

    pub(crate) fn start_postgres(&self) -> Result<Postgres> {
        Postgres::start(&self.postgres)
    }

    /// A test binary with the tests' environment.
    pub(crate) fn command(&self, binary: &TestBinary, postgres: &Postgres) -> Command {
        self.with_environment(binary.command(), postgres)
    }

    /// A command that runs tests, with what they look for in the environment.
    pub(crate) fn with_environment(&self, mut command: Command, postgres: &Postgres) -> Command {
        command.env("TEST_DATABASE_URL", postgres.url("postgres"));
        command.env("CHROMIUM", &self.chromium).env("CHROMEDRIVER", &self.chromedriver);
        command.env("SCHEMATHESIS", &self.schemathesis).env("AXE", &self.axe);
        command.env("STRIPE_PYTHON", &self.stripe_python);
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

/// Runs everything; true when all of it is good.
pub(crate) fn run() -> Result<bool> {
    let machine = Machine::prepare()?;
    let mut report = Report::new();
    suites(&mut report, &machine);
    report.print();
    Ok(report.is_good())
}

/// Runs the suites of the tests.
pub(crate) fn suites(report: &mut Report, machine: &Machine) {
    report.suite("format", Kind::Check, || Ok(vec![cargo::cargo(&["fmt", "--all", "--check"])]));
    report.suite("lints", Kind::Check, || {
        let words = [&["clippy"], &COMMON[..], &["--all-targets", "--", "-D", "warnings"]];
        Ok(vec![cargo::cargo(&words.concat())])
    });
    report.suite("widget", Kind::Tests, || {
        Ok(vec![machine.node_tests(&cargo::root().join("widget"))])
    });
    report.suite("build of the tests and the server", Kind::Check, || {
        Ok(vec![cargo::build_tests(Profile::Dev)])
    });
    let ready = report.is_good().then(|| Ready::start(machine));
    let of = |folders: &[&str]| match &ready {
        Some(Ok(ready)) => Ok(ready.commands(machine, folders)),
        Some(Err(error)) => Err(error.to_string().into()),
        None => Ok(Vec::new()),
    };
    report.suite("domain and its simulator", Kind::Tests, || of(&["domain"]));
    report.suite("fakepay", Kind::Tests, || of(&["fakepay"]));
    report.suite("loadtest and xtask", Kind::Tests, || of(&["loadtest", "xtask"]));
    report.suite("vacancy, on both databases", Kind::Tests, || of(&[""]));
    report.suite("examples in documentation", Kind::Check, || {
        Ok(vec![cargo::cargo(&[&["test"], &COMMON[..], &["--doc"]].concat())])
    });
}

/// What the built tests run with.
struct Ready {
    binaries: Vec<TestBinary>,
    postgres: Postgres,
}

impl Ready {
    fn start(machine: &Machine) -> Result<Self> {
        Ok(Self {
            binaries: cargo::test_binaries(Profile::Dev)?,
            postgres: machine.start_postgres()?,
        })
    }

    /// The test binaries of the packages in these folders.
    fn commands(&self, machine: &Machine, folders: &[&str]) -> Vec<Command> {
        let binaries = self.binaries.iter();
        let wanted = binaries.filter(|binary| folders.iter().any(|folder| binary.is_of(folder)));
        wanted.map(|binary| machine.command(binary, &self.postgres)).collect()
    }
}
