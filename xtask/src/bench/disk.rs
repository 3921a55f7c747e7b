//! The disk's fdatasync: how long it takes, and how to make it take longer.
//!
//! Contract: latency is the median of appends of one page, each followed by fdatasync, in the
//! folder that the database will use. It is measured by a process of its own, so that the slowed
//! one is measured through the same preloaded library that the database gets.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;

const SAMPLES: usize = 500;

/// A page of PostgreSQL's log.
const PAGE: [u8; 8192] = [7; 8192];

/// The median latency in `folder`, through `library` if one is given.
pub(super) fn latency(folder: &Path, library: Option<&Path>) -> Result<Duration> {
    let mut probe = Command::new(std::env::current_exe()?);
    probe.arg(super::PROBE).arg(folder);
    if let Some(library) = library {
        probe.env("LD_PRELOAD", library);
    }
    let output = probe.output()?;
    if !output.status.success() {
        return Err("the disk could not be measured".into());
    }
    Ok(Duration::from_micros(String::from_utf8(output.stdout)?.trim().parse()?))
}

/// The median of this process's own calls.
pub(super) fn measure(folder: &Path) -> Result<Duration> {
    let path = folder.join("fdatasync-probe");
    let mut file = File::create(&path)?;
    let mut samples = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        file.write_all(&PAGE)?;
        let start = Instant::now();
        file.sync_data()?;
        samples.push(start.elapsed());
    }
    std::fs::remove_file(&path)?;
    samples.sort_unstable();
    Ok(samples[SAMPLES / 2])
}

/// Compiles the library that makes fdatasync take a millisecond.
pub(super) fn slow_library(folder: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("slow_fdatasync.c");
    let library = folder.join("slow_fdatasync.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"]).arg(&library).arg(source);
    if !compiler.status()?.success() {
        return Err("slow_fdatasync.c does not compile, see above".into());
    }
    Ok(library)
}
