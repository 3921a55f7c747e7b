//! One suite: a named list of commands, run in order, watched and counted.
//!
//! Contract: output streams through while it is read for the tests' closing lines; a suite passes
//! when every command exits with 0 in time and, if it is one of tests, at least one ran and none
//! was ignored. Whatever a command leaves running is ended with it.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::cargo;
use crate::keeper::Keeper;
use crate::tally::Tally;

/// A hung command must not take a whole CI run with it; the longest suite needs a third of this.
const LIMIT: Duration = Duration::from_secs(45 * 60);

/// What a suite is judged by, besides exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Check,
    Tests,
}

/// How a suite went.
pub(crate) struct Outcome {
    pub(crate) good: bool,
    pub(crate) tally: Tally,
    pub(crate) elapsed: Duration,
}

/// Runs the commands until one fails.
pub(crate) fn run(name: &str, kind: Kind, commands: Vec<Command>) -> Result<Outcome> {
    println!("\n== {name}");
    run_to(std::io::stdout, name, kind, commands)
}

/// The same with the commands' output sent elsewhere: a test of this file would otherwise print
/// closing lines that an outer run counts.
fn run_to<W: Write + 'static>(
    sink: fn() -> W,
    name: &str,
    kind: Kind,
    commands: Vec<Command>,
) -> Result<Outcome> {
    let start = Instant::now();
    let mut tally = Tally::default();
    let mut good = true;
    for mut command in commands {
        good = run_one(sink, &mut command, &mut tally)?;
        if !good {
            break;
        }
    }
    if good && kind == Kind::Tests && tally.passed == 0 {
        println!("xtask: {name} ran no test, so it failed");
        good = false;
    }
    if tally.ignored > 0 {
        println!("xtask: {name} ignored {} tests; say why in elsewhere.rs instead", tally.ignored);
        good = false;
    }
    Ok(Outcome { good, tally, elapsed: start.elapsed() })
}

fn run_one<W: Write + 'static>(
    sink: fn() -> W,
    command: &mut Command,
    tally: &mut Tally,
) -> Result<bool> {
    println!("   {}", shown(command));
    let (mut child, group) = Keeper::spawn_group(command.stdout(Stdio::piped()))?;
    let output = child.stdout.take().ok_or("a piped output is missing")?;
    let reader = std::thread::spawn(move || pass_through(output, sink()));
    let status = wait(&mut child);
    // Ends what the command left behind, which could hold the pipe open for ever.
    drop(group);
    child.wait()?;
    *tally += reader.join().map_err(|_| "the reader of a command's output panicked")?;
    Ok(match status? {
        Some(status) => status.success(),
        None => {
            println!("xtask: stopped after {} minutes", LIMIT.as_secs() / 60);
            false
        }
    })
}

/// The exit status, or nothing when the limit has passed; the group's keeper ends it then.
fn wait(child: &mut Child) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(None)
}

/// Copies bytes as they come, so that a line shows before it is complete.
fn pass_through(mut output: impl Read, mut sink: impl Write) -> Tally {
    let mut tally = Tally::default();
    let mut line = Vec::new();
    let mut buffer = [0; 8192];
    while let Ok(count) = output.read(&mut buffer)
        && count > 0
    {
        // A reader of ours that went away is no reason to stop counting.
        let _ = sink.write_all(&buffer[..count]).and_then(|()| sink.flush());
        for &byte in &buffer[..count] {
            if byte == b'\n' {
                tally += Tally::of_line(&String::from_utf8_lossy(&line));
                line.clear();
            } else {
                line.push(byte);
            }
        }
    }
    tally
}

/// The command line as one would type it at the root.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| {
        let path = Path::new(word);
        let below_root = path.strip_prefix(cargo::root()).ok();
        let name = path.file_name().filter(|_| path.is_absolute()).map(Path::new);
        below_root.or(name).unwrap_or(path).to_string_lossy()
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Vec<Command> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        vec![command]
    }

    #[test]
    fn a_suite_of_tests_is_good_only_when_tests_ran_and_none_was_ignored() {
        for (script, good) in [
            ("echo 'test result: ok. 3 passed; 0 failed; 0 ignored'", true),
            ("echo 'test result: ok. 3 passed; 0 failed; 1 ignored'", false),
            ("echo 'test result: ok. 3 passed; 0 failed; 0 ignored'; exit 1", false),
            ("echo running", false),
        ] {
            let outcome = run_to(std::io::sink, "sample", Kind::Tests, sh(script)).unwrap();
            assert_eq!(outcome.good, good, "{script}");
        }
    }

    #[test]
    fn a_process_left_behind_is_ended_and_does_not_hold_the_suite() {
        let start = Instant::now();
        let outcome =
            run_to(std::io::sink, "leaver", Kind::Check, sh("sleep 600 & exit 0")).unwrap();
        assert!(outcome.good);
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}
