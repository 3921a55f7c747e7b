//! Cargo, called so that nothing compiles twice.
//!
//! Contract: every build of a test run covers the whole workspace with one profile and one set of
//! features (`COMMON`), because cargo unifies the features of what is selected: asking for one
//! crate alone would compile half the tree again. Test binaries are built once and then run
//! directly, as `cargo test` would run them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Result;

/// The selection that every build of a test run shares.
pub(crate) const COMMON: [&str; 3] = ["--workspace", "--features", "test_switches"];

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository")
}

/// Cargo at the repository's root.
pub(crate) fn cargo(words: &[&str]) -> Command {
    let mut command = at(root(), &std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    command.args(words);
    command
}

/// A command in a folder, without what `cargo run` told this process about its own package: build
/// scripts that look at it would take it for a change.
pub(crate) fn at(folder: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let own = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if own {
            command.env_remove(name);
        }
    }
    command
}

/// Where everything that is built lies.
pub(crate) fn target_folder() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target)
}

/// Where cargo puts release binaries.
pub(crate) fn release_folder() -> PathBuf {
    target_folder().join("release")
}

/// A compiled file of tests.
pub(crate) struct TestBinary {
    /// The folder of its package; its name is the package's, but for the root.
    folder: PathBuf,
    /// The target: a library's or binary's name, or that of a file in `tests/`.
    pub(crate) target: String,
    path: PathBuf,
}

impl TestBinary {
    /// Whether it belongs to the package in this folder below the root; `""` is the root package.
    pub(crate) fn is_of(&self, folder: &str) -> bool {
        self.folder == root().join(folder)
    }

    /// The command that runs it, in its package's folder. It may open many connections at once,
    /// which the usual limit of 1,024 files would refuse.
    pub(crate) fn command(&self) -> Command {
        let mut command = at(&self.folder, "prlimit");
        command.arg("--nofile=16384:").arg(&self.path).env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

/// How what runs in tests is compiled.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// Soon built: whether something is right.
    Dev,
    /// Optimised, as it is released, but linked sooner: how fast something is.
    Prove,
}

/// The command that builds everything the tests need, the server's binary included.
pub(crate) fn build_tests(profile: Profile) -> Command {
    let words: &[&str] = match profile {
        Profile::Dev => &["--no-run"],
        Profile::Prove => &["--no-run", "--profile", "prove"],
    };
    cargo(&[&["test"], &COMMON[..], words].concat())
}

/// The test binaries of the workspace, which `build_tests` has built, in cargo's order.
pub(crate) fn test_binaries(profile: Profile) -> Result<Vec<TestBinary>> {
    let mut command = build_tests(profile);
    command.args(["--message-format", "json-render-diagnostics"]).stdin(Stdio::null());
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("the tests do not build, see above".into());
    }
    let text = String::from_utf8(output.stdout)?;
    let messages = text.lines().map(serde_json::from_str::<Value>);
    let binaries: Result<Vec<_>> = messages.map(|message| Ok(test_binary(&message?))).collect();
    Ok(binaries?.into_iter().flatten().collect())
}

fn test_binary(message: &Value) -> Option<TestBinary> {
    let is_test = message["profile"]["test"].as_bool()?;
    let path = message["executable"].as_str()?;
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?;
    let target = message["target"]["name"].as_str()?;
    is_test.then(|| TestBinary { folder: folder.into(), target: target.into(), path: path.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_about_test_executables_become_test_binaries() {
        let message = |test: bool, executable: &str| {
            let text = format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/r/domain/Cargo.toml",
                "target":{{"name":"simulator"}},"profile":{{"test":{test}}},
                "executable":{executable}}}"#
            );
            test_binary(&serde_json::from_str(&text).unwrap()).map(|binary| binary.target)
        };
        assert_eq!(message(true, r#""/r/target/x""#), Some("simulator".to_string()));
        assert_eq!(message(false, r#""/r/target/x""#), None);
        assert_eq!(message(true, "null"), None);
    }
}
