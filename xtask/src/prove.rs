//! `cargo xtask prove [NAME]`: the figures that the product promises, in full.
//!
//! Contract: each promise is one proof with a name and a sentence, and ends in one line that says
//! PASS or FAIL. The proofs are the same tests that `cargo xtask test` runs in a short form; the
//! variable `PROVE=1` makes them take their full figures. A proof that matches no test fails, and
//! every proof is run even when an earlier one failed. What is promised is promised of the product as
//! it is released, so all of it is optimised.

use std::process::Command;

use crate::Result;
use crate::bench;
use crate::cargo::{self, Profile, TestBinary};
use crate::postgres::Postgres;
use crate::suite::{self, Kind};
use crate::test::Machine;

struct Proof {
    name: &'static str,
    sentence: &'static str,
    means: Means,
}

/// How a proof is done.
#[derive(Clone, Copy)]
enum Means {
    /// Tests in this test binary: all of them if it has the proof's name, else that module of it.
    Tests(&'static str),
    /// A measurement, which says whether its promises were held.
    Measured(fn() -> Result<bool>),
}

const PROOFS: &[Proof] = &[
    Proof {
        name: "simulator",
        sentence: "10,000 seeds within 2 minutes, every listed state reached, every bug caught",
        means: Means::Tests("simulator"),
    },
    Proof {
        name: "money",
        sentence: "20,000 seeds of lost, late and forged answers: the books balance to the cent",
        means: Means::Tests("money"),
    },
    Proof {
        name: "deaths",
        sentence: "killed at each step of a payment: money and calendar agree, nothing twice",
        means: Means::Tests("it"),
    },
    Proof {
        name: "replay",
        sentence: "recorded demand: 8,034 accepted, 6,802 refused, 4,657 canceled, all explained",
        means: Means::Tests("it"),
    },
    Proof {
        name: "stampede",
        sentence: "1,000 guests for the same nights: one 201, 999 times 409, no 5xx",
        means: Means::Tests("it"),
    },
    Proof {
        name: "contention",
        sentence: "64 clients on 20 properties for a minute: no overlap, every refusal has a cause",
        means: Means::Tests("it"),
    },
    Proof {
        name: "crash",
        sentence: "20 times kill -9 under load: every 201 is there, the rest all or nothing",
        means: Means::Tests("it"),
    },
    Proof {
        name: "two_servers",
        sentence: "two servers, one property, 100 lost fences or more: no overlap, no gap, no 5xx",
        means: Means::Tests("it"),
    },
    Proof {
        name: "bystanders",
        sentence: "one poisoned command among 256 harms nobody else; one key, one effect",
        means: Means::Tests("it"),
    },
    Proof {
        name: "resets",
        sentence: "5,000 requests reset by their clients: no connection stuck, nothing lost",
        means: Means::Tests("it"),
    },
    Proof {
        name: "page",
        sentence: "a booking in one window shows in the other within a second, its release too",
        means: Means::Tests("it"),
    },
    Proof {
        name: "converge",
        sentence: "1,000,000 deltas to readers that come and go, 2,000 sockets after a kill: all true",
        means: Means::Tests("it"),
    },
    Proof {
        name: "large",
        sentence: "100,000 homes, 1,000,000 bookings: no list reads a table, every page is full",
        means: Means::Tests("it"),
    },
    Proof {
        name: "logins",
        sentence: "50 parallel logins leave the p99 of bookings at most 1.5 times as long",
        means: Means::Tests("it"),
    },
    Proof {
        name: "races",
        sentence: "six races, 2,000 rounds each: one comes first, and the money agrees",
        means: Means::Tests("it"),
    },
    Proof {
        name: "trace",
        sentence: "5,000 recorded commands: the same answers on SQLite and on PostgreSQL",
        means: Means::Tests("it"),
    },
    Proof {
        name: "described",
        sentence: "20,000 generated requests: no 5xx and no answer that is not described",
        means: Means::Tests("it"),
    },
    Proof {
        name: "speed",
        sentence: "one actor per property and group commit beat row locks and constraints",
        means: Means::Measured(bench::run),
    },
    Proof {
        name: "crowd",
        sentence: "9,000 sockets beside 1,000 that never read, then 100 changes a second: all know",
        means: Means::Measured(bench::crowd),
    },
    Proof {
        name: "fan_out",
        sentence: "one change reaches 10,000 sockets as soon as through nchan, at 24 KiB a socket",
        means: Means::Measured(bench::fan_out),
    },
];

/// Runs all proofs, or the named one; true when every one passed.
pub(crate) fn run(name: Option<&str>) -> Result<bool> {
    let wanted = |proof: &&Proof| name.is_none_or(|name| name == proof.name);
    let proofs: Vec<&Proof> = PROOFS.iter().filter(wanted).collect();
    if proofs.is_empty() {
        let names: Vec<&str> = PROOFS.iter().map(|proof| proof.name).collect();
        return Err(format!("there is no such proof; there are {}", names.join(", ")).into());
    }
    let lines = prove_all(&proofs)?;
    println!();
    for (proof, good) in &lines {
        println!("{} {}: {}", if *good { "PASS" } else { "FAIL" }, proof.name, proof.sentence);
    }
    Ok(lines.iter().all(|(_, good)| *good))
}

fn prove_all<'a>(proofs: &[&'a Proof]) -> Result<Vec<(&'a Proof, bool)>> {
    let mut lines = Vec::new();
    let tests: Vec<(&Proof, &str)> = proofs
        .iter()
        .filter_map(|proof| match proof.means {
            Means::Tests(target) => Some((*proof, target)),
            Means::Measured(_) => None,
        })
        .collect();
    if !tests.is_empty() {
        let machine = Machine::prepare()?;
        let binaries = cargo::test_binaries(Profile::Prove)?;
        let postgres = machine.start_postgres()?;
        for (proof, target) in tests {
            let commands = commands((proof.name, target), &machine, &binaries, &postgres);
            let outcome = suite::run(proof.name, Kind::Tests, commands);
            lines.push((proof, said(outcome.map(|outcome| outcome.good))));
        }
    }
    // By itself, with the tests' server stopped.
    for proof in proofs {
        if let Means::Measured(measure) = proof.means {
            lines.push((proof, said(measure())));
        }
    }
    Ok(lines)
}

/// One test at a time, so that nothing but the proof has the machine.
fn commands(
    (name, target): (&str, &str),
    machine: &Machine,
    binaries: &[TestBinary],
    postgres: &Postgres,
) -> Vec<Command> {
    let binaries = binaries.iter().filter(|binary| binary.target == target);
    let commands = binaries.map(|binary| {
        let mut command = machine.command(binary, postgres);
        command.env("PROVE", "1").args(["--nocapture", "--test-threads=1"]);
        if target != name {
            command.arg(format!("{name}::"));
        }
        command
    });
    commands.collect()
}

/// A proof that could not be carried out is one that failed.
fn said(result: Result<bool>) -> bool {
    result.unwrap_or_else(|error| {
        println!("xtask: {error}");
        false
    })
}
