//! The tools that are cargo packages: found below the target folder, or built into it.
//!
//! Contract: each is pinned to a version and built with the lock file that it was published with.
//! Its folder is named after both, so an older build is never taken for a newer pin, and nothing of
//! the user's own tools is used or replaced.

use std::path::PathBuf;
use std::process::Stdio;

use crate::Result;
use crate::cargo;

/// A cargo package whose program has its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    package: &'static str,
    version: &'static str,
}

pub(crate) const DENY: Tool = Tool { package: "cargo-deny", version: "0.20.2" };
pub(crate) const TARPAULIN: Tool = Tool { package: "cargo-tarpaulin", version: "0.37.5" };

impl Tool {
    /// The program; it is built first when it is not there, which takes minutes.
    pub(crate) fn find_or_install(self) -> Result<PathBuf> {
        let Self { package, version } = self;
        let folder = cargo::target_folder().join("tools").join(format!("{package}-{version}"));
        let program = folder.join("bin").join(package);
        if program.is_file() {
            return Ok(program);
        }
        println!("building what is missing: {package} {version}");
        let mut install = cargo::cargo(&["install", "--locked", "--version", version, package]);
        install.arg("--root").arg(&folder).stdin(Stdio::null());
        if !install.status()?.success() || !program.is_file() {
            return Err(format!("{package} {version} cannot be built, see above").into());
        }
        Ok(program)
    }
}
