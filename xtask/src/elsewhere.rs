//! What this kind of machine cannot run, and the command that runs it elsewhere.
//!
//! Contract: the one list of things that `cargo xtask ci` leaves out where a machine lacks what they
//! need. Whatever is not on it and could not run is a failure, so a line here is the only way to
//! skip something, and it is never silent: `cargo xtask test` ends with it as well.

use std::process::Command;

use crate::packages::succeeds;

/// Something that needs more than a Rust toolchain and Debian packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// Published advisories about dependencies; their database is a git repository.
    Advisories,
    /// The Docker image and the stack.
    Image,
}

const LIST: [Elsewhere; 2] = [Elsewhere::Advisories, Elsewhere::Image];

/// The default of cargo-deny.
const ADVISORIES: &str = "https://github.com/RustSec/advisory-db";

/// How long an answer may take, in seconds.
const PATIENCE: &str = "15";

impl Elsewhere {
    /// What is left out, why, and how to run it where it can.
    fn words(self) -> [&'static str; 3] {
        match self {
            Self::Advisories => [
                "advisories about dependencies",
                "their database cannot be reached",
                "cargo xtask ci",
            ],
            Self::Image => [
                "the image and the stack of infra/",
                "there is no Docker engine",
                "docker compose up --build",
            ],
        }
    }

    fn is_here(self) -> bool {
        let mut command = Command::new("timeout");
        command.arg(PATIENCE);
        match self {
            Self::Advisories => {
                command.args(["git", "ls-remote", "--exit-code", ADVISORIES, "HEAD"]);
                command.env("GIT_TERMINAL_PROMPT", "0");
            }
            Self::Image => {
                command.args(["sh", "-c", "docker info && docker compose version"]);
            }
        }
        succeeds(&mut command)
    }
}

/// What of the list this machine cannot run.
pub(crate) fn lacking() -> Vec<Elsewhere> {
    LIST.into_iter().filter(|elsewhere| !elsewhere.is_here()).collect()
}

/// Prints what is lacking, loudly; prints nothing when that is nothing.
pub(crate) fn print(lacking: &[Elsewhere]) {
    if lacking.is_empty() {
        return;
    }
    println!("\n!!! NOT RUN ON THIS MACHINE !!!");
    for elsewhere in lacking {
        let [what, why, command] = elsewhere.words();
        println!("!!! {what}: {why}; run it elsewhere with `{command}`");
    }
}
