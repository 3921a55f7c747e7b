//! The scripts from npm that the tests run in pages, in a folder of their own.
//!
//! Contract: the folder lies in the target folder and is filled once; a changed lock file fills it
//! anew. Nothing is installed outside of it, and no script of a package is run.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::{cargo, packages};

const FILES: [&str; 3] = ["package.json", ".npmrc", "package-lock.json"];

/// The folder of the packages that `tests/npm/package.json` names.
pub(crate) fn modules(npm: &Path) -> Result<PathBuf> {
    let wanted = cargo::root().join("tests/npm");
    let folder = cargo::root().join("target/npm");
    let (modules, had) = (folder.join("node_modules"), folder.join("installed"));
    let text = std::fs::read(wanted.join("package-lock.json"))?;
    if std::fs::read(&had).is_ok_and(|had| had == text) {
        return Ok(modules);
    }
    println!("installing what tests/npm/package.json names into target/npm");
    std::fs::create_dir_all(&folder)?;
    for file in FILES {
        std::fs::copy(wanted.join(file), folder.join(file))?;
    }
    let mut install = Command::new(npm);
    install.current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    packages::carry_out(&mut install)?;
    // Written last: a folder that was only begun has none.
    std::fs::write(had, text)?;
    Ok(modules)
}
