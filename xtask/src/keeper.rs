//! A small shell that outlives us by a moment and cleans up what we started.
//!
//! Contract: what is kept is stopped, and its folder removed, as soon as the keeper is dropped or
//! this process ends in any other way: a panic, Ctrl-C, even kill -9. The shell waits on a pipe
//! whose only writer is this process, so the kernel tells it. That needs no signal handler, hence
//! neither `unsafe` nor a dependency. The shell leads a process group of its own, so that Ctrl-C
//! in a terminal does not reach it, nor the server it keeps, before its turn.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Result;

/// How long a server may take to stop before it is killed, in tenths of a second.
const PATIENCE_TENTHS: &str = "150";

/// The file in a server's folder that holds the number of its process.
pub(crate) const PROCESS: &str = "process";

/// Arguments: signal, patience, folder, then the command. The signals are ignored only once the
/// child is there, or it would inherit that.
const KEEP_SERVER: &str = r#"
signal=$1 patience=$2 folder=$3
shift 3
"$@" </dev/null &
child=$!
echo "$child" >"$folder/process"
trap '' INT TERM HUP
read -r _
kill -s "$signal" "$child" 2>/dev/null
while [ "$patience" -gt 0 ] && kill -0 "$child" 2>/dev/null; do
    sleep 0.1
    patience=$((patience - 1))
done
kill -s KILL "$child" 2>/dev/null
wait
rm -rf "$folder"
"#;

/// Argument: the process group. One that is already empty costs nothing.
const KEEP_GROUP: &str = r#"
trap '' INT TERM HUP
read -r _
kill -s TERM -- "-$1" 2>/dev/null || exit 0
sleep 1
kill -s KILL -- "-$1" 2>/dev/null
"#;

/// The guard of one server or process group.
pub(crate) struct Keeper {
    shell: Child,
}

impl Keeper {
    /// Starts `server` with its output in `log`. Dropping the keeper sends it `signal` (a name
    /// without SIG), waits for its end, and then removes `folder`.
    pub(crate) fn server(
        server: &Command,
        signal: &str,
        log: &Path,
        folder: &Path,
    ) -> Result<Self> {
        let output = File::create(log)?;
        let mut shell = shell(KEEP_SERVER);
        shell.args([signal, PATIENCE_TENTHS]).arg(folder);
        shell.arg(server.get_program()).args(server.get_args());
        for (name, value) in server.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        if let Some(directory) = server.get_current_dir() {
            shell.current_dir(directory);
        }
        Self::start(shell.stdout(output.try_clone()?).stderr(output))
    }

    /// Dropping the keeper ends every process of this group. Wait for the group's leader before,
    /// or it counts as running.
    pub(crate) fn group(leader: u32) -> Result<Self> {
        Self::start(shell(KEEP_GROUP).arg(leader.to_string()))
    }

    /// Starts a command in a new process group, and the keeper of that group.
    pub(crate) fn spawn_group(command: &mut Command) -> Result<(Child, Self)> {
        let child = command.process_group(0).stdin(Stdio::null()).spawn().map_err(|error| {
            format!("{} does not start: {error}", command.get_program().display())
        })?;
        let keeper = Self::group(child.id())?;
        Ok((child, keeper))
    }

    fn start(shell: &mut Command) -> Result<Self> {
        let shell = shell.stdin(Stdio::piped()).process_group(0).spawn()?;
        Ok(Self { shell })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        if let Err(error) = self.shell.wait() {
            eprintln!("xtask: a keeper could not be waited for: {error}");
        }
    }
}

/// Makes a new folder under the system's temporary one. It goes with the server that is started in
/// it; until then, for a moment, a Ctrl-C would leave it behind.
pub(crate) fn new_folder(noun: &str) -> Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("vacancy-{noun}-{}-{number}", std::process::id()));
    std::fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

fn shell(script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "keeper"]);
    shell
}

/// The last lines of a server's log, for the message that says why it did not start.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_keeper_stops_its_server_and_removes_the_folder() {
        let folder = new_folder("keeper-test").unwrap();
        let mut server = Command::new("sh");
        server.args(["-c", r#"echo "$GREETING $$" >"$0"; exec sleep 600"#]);
        server.arg(folder.join("said")).env("GREETING", "hello");
        let keeper = Keeper::server(&server, "TERM", &folder.join("log"), &folder).unwrap();
        let said = loop {
            let said = std::fs::read_to_string(folder.join("said")).unwrap_or_default();
            if said.ends_with('\n') {
                break said;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        let pid = said.trim().strip_prefix("hello ").unwrap();
        let process = Path::new("/proc").join(pid);
        assert!(process.exists());
        drop(keeper);
        assert!(!process.exists());
        assert!(!folder.exists());
    }
}
