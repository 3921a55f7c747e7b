//! The programs and libraries from PyPI that the tests run, in a virtual environment of their own.
//!
//! Contract: the environment lies in the target folder and is made once; a changed list of
//! requirements makes it anew. Nothing is installed outside of it.

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::{cargo, packages};

/// The folder of the environment's programs, with everything that `xtask/requirements.txt` names.
pub(crate) fn programs(python: &std::path::Path) -> Result<PathBuf> {
    let wanted = cargo::root().join("xtask/requirements.txt");
    let folder = cargo::root().join("target/python");
    let (bin, had) = (folder.join("bin"), folder.join("requirements.txt"));
    let text = std::fs::read(&wanted)?;
    if std::fs::read(&had).is_ok_and(|had| had == text) {
        return Ok(bin);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    println!("installing what xtask/requirements.txt names into target/python");
    packages::carry_out(Command::new(python).args(["-m", "venv"]).arg(&folder))?;
    let mut pip = Command::new(bin.join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    packages::carry_out(pip.arg(&wanted))?;
    // Written last: an environment that was only begun has none.
    std::fs::write(had, text)?;
    Ok(bin)
}
