//! What the live feed promises to many, measured by the project's own load tester on release
//! builds: how soon everybody knows, what those cost who never read, and what a socket costs.
//!
//! Contract: figures of one run are compared with each other or with nchan's, which the same
//! audience hears in turn with ours. Each promise is one line that says PASS or FAIL. A run in
//! which somebody was not told everything in its order is an error here and not a figure.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::nchan::Nchan;
use super::server::Server;
use crate::Result;
use crate::cargo;
use crate::packages::{self, Need};

/// Each needs an open file of the server and one of the audience.
const OPEN_FILES: &str = "--nofile=16384:";
/// Fan-outs are measured in turn, so many times each.
const ROUNDS: usize = 5;

/// What was promised and what was seen.
struct Line {
    good: bool,
    sentence: String,
}

/// 9,000 sockets that read, 1,000 that never do, and more changes than anybody reads.
pub(crate) fn crowd() -> Result<bool> {
    super::build()?;
    let server = Server::on_sqlite()?;
    let process = server.process()?;
    let told = listen(
        &server.url(),
        &[
            &["--sockets", "9000", "--frozen", "1000", "--rate", "5", "--seconds", "120"][..],
            &["--burst-rate", "100", "--burst", "20", "--process", &process],
        ]
        .concat(),
    )?;
    let number = |path: &str| {
        told.pointer(path).and_then(Value::as_f64).ok_or_else(|| format!("no {path} in the report"))
    };
    let times =
        number("/beside_frozen/delivery/p99_micros")? / number("/calm/delivery/p99_micros")?;
    let back = number("/resident/after_frozen_kib")? / number("/resident/calm_kib")?;
    let peak = number("/resident/burst_peak_kib")? / number("/resident/after_frozen_kib")?;
    let [open, last] = [number("/frozen_closed/open")?, number("/frozen_closed/last_seconds")?];
    let converged = number("/burst/converged_millis")?;
    Ok(said(&[
        Line {
            good: times <= 1.2,
            sentence: format!("p99 beside 1,000 frozen sockets {times:.2} times (at most 1.20)"),
        },
        Line {
            good: open == 0.0 && last <= 30.0,
            sentence: format!("{open} frozen left open, the last closed after {last:.1} s (30)"),
        },
        Line {
            good: back <= 1.05,
            sentence: format!("memory when they are gone {back:.3} times (at most 1.05)"),
        },
        Line {
            good: converged <= 1000.0,
            sentence: format!("everybody current {converged} ms after the burst (at most 1000)"),
        },
        Line {
            good: peak <= 1.05,
            sentence: format!("memory in the burst {peak:.3} times (at most 1.05)"),
        },
    ]))
}

/// One change to 10,000 sockets, through us and through nchan, and what an idle socket costs.
pub(crate) fn fan_out() -> Result<bool> {
    let [nginx, module] = packages::find_or_install([Need::Nginx, Need::Nchan])?;
    super::build()?;
    let listen_to = |url: &str, more: &[&str]| {
        let words = ["--sockets", "10000", "--rate", "1", "--seconds", "20"];
        listen(url, &[&words[..], more].concat())
    };
    let (mut ours, mut theirs, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let nchan = Nchan::start(&nginx, &module)?;
        theirs.push(listen_to(&nchan.url(), &["--nchan"])?);
        drop(nchan);
        let server = Server::on_sqlite()?;
        let told = listen_to(&server.url(), &["--process", &server.process()?])?;
        let kib = |name: &str| told["resident"][name].as_f64().ok_or("the memory is not known");
        costs.push((kib("idle_kib")? - kib("empty_kib")?) / 10_000.0);
        ours.push(told);
    }
    let mut lines = Vec::new();
    for name in ["p50_micros", "p99_micros"] {
        let [ours, theirs] =
            [&ours, &theirs].map(|told| median(told.iter().map(|told| last_heard(told, name))));
        lines.push(Line {
            good: ours <= theirs,
            sentence: format!(
                "the last of 10,000 has a change after {:.1} ms, through nchan {:.1} ms ({})",
                ours / 1000.0,
                theirs / 1000.0,
                &name[..3]
            ),
        });
    }
    let cost = median(costs.into_iter());
    lines.push(Line {
        good: cost <= 24.0,
        sentence: format!("an idle socket takes {cost:.1} KiB (at most 24)"),
    });
    Ok(said(&lines))
}

fn listen(url: &str, words: &[&str]) -> Result<Value> {
    let report = cargo::release_folder().join("loadtest-audience.json");
    let mut loadtest = Command::new("prlimit");
    loadtest.arg(OPEN_FILES).arg(cargo::release_folder().join("loadtest"));
    loadtest.args(["audience", url]).args(words).arg("--json").arg(&report);
    if !loadtest.stdin(Stdio::null()).status()?.success() {
        return Err("the audience was not told everything, see above".into());
    }
    Ok(serde_json::from_slice(&std::fs::read(report)?)?)
}

fn last_heard(told: &Value, name: &str) -> f64 {
    told["calm"]["last"][name].as_f64().unwrap_or(f64::INFINITY)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn said(lines: &[Line]) -> bool {
    for Line { good, sentence } in lines {
        println!("{} {sentence}", if *good { "PASS" } else { "FAIL" });
    }
    lines.iter().all(|line| line.good)
}
