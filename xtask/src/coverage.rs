//! `cargo xtask coverage`: which lines the tests run, and the floors below which that fails.
//!
//! Contract: cargo-tarpaulin builds everything once more, in a folder of its own, runs the same
//! tests on both databases and writes a report in the format of lcov, which is read here. A line
//! counts when it belongs to the product: not to a test, and not to this automation. The server
//! that the tests start is measured like the tests themselves, unless they kill it: a process that
//! is killed leaves no figures, so what only such a server did counts as not run.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::cargo::{self, COMMON};
use crate::suite::{self, Kind, Outcome};
use crate::tally::Tally;
use crate::test::Machine;
use crate::tools;

/// A part of the product, and how many lines of a hundred must be run.
struct Floor {
    name: &'static str,
    folders: &'static [&'static str],
    percent: u64,
}

const FLOORS: [Floor; 3] = [
    Floor { name: "domain", folders: &["domain/src"], percent: 95 },
    Floor { name: "engine", folders: &["src/engine"], percent: 95 },
    Floor {
        name: "everything",
        folders: &["domain/src", "src", "fakepay/src", "loadtest/src"],
        percent: 90,
    },
];

/// Seconds that one test binary may take; without it, tarpaulin ends each after a minute.
const LIMIT: &str = "2400";

/// Measures by itself; true when every floor holds.
pub(crate) fn run() -> Result<bool> {
    Ok(measure(&Machine::prepare()?)?.good)
}

/// Runs the tests, prints the figures, and judges them. The tally stays empty: these tests are
/// counted where they are run for their own sake.
pub(crate) fn measure(machine: &Machine) -> Result<Outcome> {
    let tarpaulin = tools::TARPAULIN.find_or_install()?;
    let folder = cargo::target_folder().join("coverage");
    std::fs::create_dir_all(&folder)?;
    let postgres = machine.start_postgres()?;
    let command = machine.with_environment(command(&tarpaulin, &folder), &postgres);
    let outcome = suite::run("coverage", Kind::Tests, vec![command])?;
    let good = outcome.good && holds(&std::fs::read_to_string(folder.join("lcov.info"))?);
    Ok(Outcome { good, tally: Tally::default(), ..outcome })
}

/// The tests open many connections at once, as they do when they are run by themselves.
fn command(tarpaulin: &Path, folder: &Path) -> Command {
    let mut command = cargo::at(cargo::root(), "prlimit");
    command.arg("--nofile=16384:").arg(tarpaulin).arg("tarpaulin").args(COMMON);
    command.args(["--exclude", "xtask", "--locked", "--skip-clean"]);
    command.args(["--engine", "llvm", "--implicit-test-threads"]);
    command.args(["--timeout", LIMIT, "--out", "lcov"]);
    command.arg("--output-dir").arg(folder).arg("--target-dir").arg(folder.join("target"));
    command
}

/// Prints each part's figure; whether all are at their floors or above.
fn holds(report: &str) -> bool {
    let files = files(report);
    println!("\n{:<14}{:>9}{:>9}{:>9}{:>9}", "coverage", "lines", "run", "percent", "floor");
    let mut all_good = true;
    for Floor { name, folders, percent } in &FLOORS {
        let mut sum = Count::default();
        for (_, count) in files.iter().filter(|(path, _)| is_of(path, folders)) {
            sum.lines += count.lines;
            sum.run += count.run;
        }
        let Count { lines, run } = sum;
        // Nothing measured is nothing shown, however good 0 of 0 may look.
        let good = lines > 0 && run * 100 >= lines * percent;
        let tenths = run * 1000 / lines.max(1);
        let mark = if good { "" } else { "  FAILED" };
        let (whole, tenth) = (tenths / 10, tenths % 10);
        println!("{name:<14}{lines:>9}{run:>9}{whole:>7}.{tenth}{percent:>9}{mark}");
        all_good &= good;
    }
    all_good
}

/// Whether a file, by its path from the root, is product code of these folders.
fn is_of(path: &str, folders: &[&str]) -> bool {
    let is_below = |folder: &&str| Path::new(path).starts_with(folder);
    let is_test = path.split('/').any(|part| part == "tests.rs" || part.ends_with("_tests"));
    folders.iter().any(is_below) && !is_test
}

/// The lines of a file that could run, and those that did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    lines: u64,
    run: u64,
}

/// Reads a report: `SF:` names a file, and `DA:` a line with the number of times that it ran. A
/// file may stand there more than once; a line that ran in any of its places ran.
fn files(report: &str) -> BTreeMap<String, Count> {
    let mut lines: BTreeMap<(String, &str), bool> = BTreeMap::new();
    let mut file = String::new();
    for line in report.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            let path = Path::new(path);
            file = path.strip_prefix(cargo::root()).unwrap_or(path).display().to_string();
        } else if let Some((number, times)) =
            line.strip_prefix("DA:").and_then(|rest| rest.split_once(','))
        {
            *lines.entry((file.clone(), number)).or_default() |= times != "0";
        }
    }
    let mut files: BTreeMap<String, Count> = BTreeMap::new();
    for ((file, _), ran) in lines {
        let count = files.entry(file).or_default();
        count.lines += 1;
        count.run += u64::from(ran);
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_by_file_and_a_line_that_ran_anywhere_ran() {
        let root = cargo::root().display();
        let report = format!(
            "TN:\nSF:{root}/src/a.rs\nDA:1,5\nDA:2,0\nLF:2\nLH:1\nend_of_record\n\
             SF:{root}/src/a.rs\nDA:2,1\nDA:3,0\nend_of_record\nSF:/elsewhere.rs\nDA:1,0\n"
        );
        let files = files(&report);
        assert_eq!(files["src/a.rs"], Count { lines: 3, run: 2 });
        assert_eq!(files["/elsewhere.rs"], Count { lines: 1, run: 0 });
    }

    #[test]
    fn tests_are_no_product_and_folders_are_whole_names() {
        for (path, expected) in [
            ("src/engine/bookings.rs", true),
            ("src/engine_room.rs", false),
            ("src/engine/tests.rs", false),
            ("src/engine/contract_tests/mod.rs", false),
            ("domain/src/engine/x.rs", false),
        ] {
            assert_eq!(is_of(path, &["src/engine"]), expected, "{path}");
        }
    }

    #[test]
    fn a_floor_is_held_exactly_or_not_at_all() {
        let root = cargo::root().display();
        let report = |engine: u64| {
            let mut text = String::new();
            for (folder, run) in [("domain/src", 100), ("src/engine", engine)] {
                text += &format!("SF:{root}/{folder}/x.rs\n");
                for line in 1..=100 {
                    text += &format!("DA:{line},{}\n", u64::from(line <= run));
                }
            }
            text
        };
        assert!(holds(&report(95)));
        assert!(!holds(&report(94)));
        assert!(!holds(""), "a report of nothing");
    }
}
