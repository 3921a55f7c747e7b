//! The programs that the tests need beside a Rust toolchain: found, or installed.
//!
//! Contract: every program is looked for first; only when one is missing are Debian's packages
//! asked, as root or through `sudo -n`, without a question. Where that cannot be done, the error
//! names what is missing and the packages to install, and nothing is left out silently.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// A program, or a family of programs, that something here runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The folder with `initdb`, `postgres` and `pgbench`.
    Postgres,
    Chromium,
    Chromedriver,
    Node,
    Npm,
    Nginx,
    /// The file of nginx's nchan module.
    Nchan,
    /// Python with the module that makes virtual environments.
    Python,
}

impl Need {
    fn package(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Chromium => "chromium",
            Self::Chromedriver => "chromium-driver",
            Self::Node => "nodejs",
            Self::Npm => "npm",
            Self::Nginx => "nginx",
            Self::Nchan => "libnginx-mod-nchan",
            Self::Python => "python3-venv",
        }
    }

    fn find(self) -> Option<PathBuf> {
        match self {
            Self::Postgres => newest_postgres(Path::new("/usr/lib/postgresql"))
                .or_else(|| Some(on_path(&["initdb"])?.parent()?.to_path_buf())),
            Self::Chromium => on_path(&["chromium", "chromium-browser", "google-chrome"]),
            Self::Chromedriver => on_path(&["chromedriver"]),
            Self::Node => on_path(&["node", "nodejs"]),
            Self::Npm => on_path(&["npm"]),
            Self::Nginx => on_path(&["nginx"]),
            Self::Nchan => Some(PathBuf::from("/usr/lib/nginx/modules/ngx_nchan_module.so"))
                .filter(|module| module.is_file()),
            Self::Python => on_path(&["python3"]).filter(|python| {
                succeeds(Command::new(python).args(["-c", "import ensurepip, venv"]))
            }),
        }
    }
}

/// Finds all of `needs`, in their order, and installs what is missing.
pub(crate) fn find_or_install<const N: usize>(needs: [Need; N]) -> Result<[PathBuf; N]> {
    let missing = |needs: [Need; N]| -> Vec<&str> {
        needs.into_iter().filter(|need| need.find().is_none()).map(Need::package).collect()
    };
    let packages = missing(needs);
    if !packages.is_empty() {
        install(&packages)?;
    }
    let packages = missing(needs);
    if !packages.is_empty() {
        return Err(by_hand(&packages, "they are still missing after apt-get").into());
    }
    Ok(needs.map(|need| need.find().expect("found a moment ago")))
}

fn install(packages: &[&str]) -> Result<()> {
    if on_path(&["apt-get"]).is_none() {
        return Err(by_hand(packages, "there is no apt-get").into());
    }
    let prefix: &[&str] = match (user_id()?, on_path(&["sudo"])) {
        (0, _) => &[],
        (_, Some(_)) if succeeds(Command::new("sudo").args(["-n", "true"])) => &["sudo", "-n"],
        _ => return Err(by_hand(packages, "only root may install them").into()),
    };
    println!("installing what is missing: {}", packages.join(" "));
    let steps: [&[&str]; 2] = [&["update"], &["install", "-y", "--no-install-recommends"]];
    for (step, packages) in steps.into_iter().zip([&[], packages]) {
        // In runlevel 1 packages start no service: Debian's own PostgreSQL server is not wanted,
        // only its programs.
        let words = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]].concat();
        let (first, rest) = words.split_first().expect("env is always there");
        let mut command = Command::new(first);
        command.args(rest).arg("apt-get").args(step).args(packages).stdin(Stdio::null());
        if !command.status()?.success() {
            return Err(by_hand(packages, "apt-get failed, see above").into());
        }
    }
    Ok(())
}

fn by_hand(packages: &[&str], why: &str) -> String {
    format!(
        "the tests need programs that are not on this machine, and {why}. \
         Install Debian's packages {} (or your system's equivalents) and start again.",
        packages.join(", ")
    )
}

/// The bin folder of the highest version that has a server.
fn newest_postgres(versions: &Path) -> Option<PathBuf> {
    let numbered = |path: PathBuf| {
        let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
        let bin = path.join("bin");
        bin.join("initdb").is_file().then_some((version, bin))
    };
    let entries = std::fs::read_dir(versions).ok()?;
    let found = entries.filter_map(|entry| numbered(entry.ok()?.path()));
    found.max_by_key(|(version, _)| *version).map(|(_, bin)| bin)
}

/// The first of these programs on the search path.
fn on_path(names: &[&str]) -> Option<PathBuf> {
    let mut folders = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps some programs out of the path of users who are not root.
    folders.push(OsString::from(":/usr/sbin:/sbin"));
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let candidates = names.iter().flat_map(|name| folders.iter().map(move |f| f.join(name)));
    candidates.into_iter().find(|path| path.is_file())
}

/// The effective user's number.
pub(crate) fn user_id() -> Result<u32> {
    let output = Command::new("id").arg("-u").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Runs a command to its good end, while it shows what it does.
pub(crate) fn carry_out(command: &mut Command) -> Result<()> {
    if command.status()?.success() {
        Ok(())
    } else {
        Err(format!("{} failed, see above", command.get_program().display()).into())
    }
}

/// Whether a quiet command exits with 0.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_postgres_is_chosen_by_number_and_must_have_a_server() {
        let versions = std::env::temp_dir().join(format!("xtask-versions-{}", std::process::id()));
        for (version, program) in [("9", "initdb"), ("15", "initdb"), ("17", "psql")] {
            let bin = versions.join(version).join("bin");
            std::fs::create_dir_all(&bin).unwrap();
            std::fs::write(bin.join(program), "").unwrap();
        }
        let found = newest_postgres(&versions);
        std::fs::remove_dir_all(&versions).unwrap();
        assert_eq!(found, Some(versions.join("15/bin")));
    }

    #[test]
    fn a_program_is_found_on_the_path_under_any_of_its_names() {
        assert!(on_path(&["no-such-program-anywhere", "sh"]).is_some_and(|sh| sh.is_absolute()));
        assert_eq!(on_path(&["no-such-program-anywhere"]), None);
    }
}
