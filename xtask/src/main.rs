//! `cargo xtask …`: everything that is done to the repository rather than by the product.
//!
//! Contract: one word, one job, and an exit code that tells how it went (0 all good, 1 something
//! failed, 2 the command line was wrong). Every command works on a machine that has only a Rust
//! toolchain and a C compiler, starts its own servers on loopback, and leaves nothing running.
//! It compiles first in every cold run, so it depends on as little as it can.

mod bench;
mod cargo;
mod ci;
mod coverage;
mod elsewhere;
mod keeper;
mod npm;
mod packages;
mod postgres;
mod prove;
mod python;
mod report;
mod suite;
mod tally;
mod test;
mod tools;

use std::process::ExitCode;

/// A failure of the automation itself, as the sentence that is shown.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
cargo xtask test          format, lints and every test, on SQLite and PostgreSQL
cargo xtask ci            the same, the rules for dependencies, and the floors of coverage
cargo xtask coverage      which lines the tests run: 95 % of the rules and the engine, 90 % of all
cargo xtask prove [NAME]  the full figures, one PASS or FAIL a line; NAME runs one of them
cargo xtask bench         speed as ratios from one run, on release builds";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let good = match words.as_slice() {
        ["test"] => test::run(),
        ["ci"] => ci::run(),
        ["coverage"] => coverage::run(),
        ["prove"] => prove::run(None),
        ["prove", name] => prove::run(Some(name)),
        ["bench"] => bench::run(),
        [bench::PROBE, folder] => bench::probe(folder.as_ref()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match good {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
