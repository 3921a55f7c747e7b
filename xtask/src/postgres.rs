//! A private PostgreSQL server on a free loopback port, in a temporary folder.
//!
//! Contract: durable as in production (`fsync` and `synchronous_commit` stay on), reachable from
//! this machine only, and gone with its folder when the value is dropped or this process ends.
//! PostgreSQL refuses to run as root, so root starts it as `postgres` or `nobody`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;
use crate::keeper::{self, Keeper};
use crate::packages::{succeeds, user_id};

/// A cold disk takes seconds for the first cluster; more than this is a fault.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Arguments: the bin folder, the data folder, then the settings. One shell for both steps, so that
/// the keeper covers the first as well.
const CREATE_AND_SERVE: &str = r#"
bin=$1 data=$2
shift 2
"$bin/initdb" --pgdata "$data" --username postgres --auth trust --encoding UTF8 --no-locale &&
exec "$bin/postgres" -D "$data" "$@"
"#;

/// A running server.
pub(crate) struct Postgres {
    bin: PathBuf,
    port: u16,
    _keeper: Keeper,
}

impl Postgres {
    /// Starts a server with the programs in `bin` and waits until it answers.
    pub(crate) fn start(bin: &Path) -> Result<Self> {
        let folder = keeper::new_folder("postgres")?;
        Self::start_in(bin, folder, &[])
    }

    /// The same in a folder that is already there, with more environment. The folder is handed to
    /// the user that the server runs as, and goes with the server.
    pub(crate) fn start_in(
        bin: &Path,
        folder: PathBuf,
        environment: &[(&str, &Path)],
    ) -> Result<Self> {
        let port = free_port()?;
        let log = folder.join("log");
        let mut server = as_server_user(&folder)?;
        server.args(["sh", "-c", CREATE_AND_SERVE, "postgres"]);
        server.arg(bin).arg(folder.join("data"));
        for setting in settings(port) {
            server.arg("-c").arg(setting);
        }
        // The caller's folder may be closed to the user that the server runs as.
        server.envs(environment.iter().copied()).current_dir(&folder);
        // QUIT is the immediate shutdown: nobody needs this data again.
        let keeper = Keeper::server(&server, "QUIT", &log, &folder)?;
        let postgres = Self { bin: bin.to_path_buf(), port, _keeper: keeper };
        postgres.wait(&log)?;
        Ok(postgres)
    }

    /// The address of one of its databases; `postgres` is always there.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// One of PostgreSQL's client programs, to be run with `url`.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.bin.join(name))
    }

    /// Runs one SQL command per argument.
    pub(crate) fn execute(&self, database: &str, commands: &[&str]) -> Result<()> {
        let mut psql = self.program("psql");
        psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]).arg(self.url(database));
        for command in commands {
            psql.args(["--command", command]);
        }
        let status = psql.status()?;
        if status.success() { Ok(()) } else { Err("psql refused a command, see above".into()) }
    }

    fn wait(&self, log: &Path) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < START_LIMIT {
            if succeeds(self.program("pg_isready").args(["--dbname", &self.url("postgres")])) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(format!("PostgreSQL did not start:\n{}", keeper::tail(log)).into())
    }
}

/// Durable, and a little roomier than the defaults; 300 connections for several servers and tests
/// at once.
fn settings(port: u16) -> Vec<String> {
    let fixed = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=300",
        "shared_buffers=256MB",
        "max_wal_size=4GB",
        "fsync=on",
        "synchronous_commit=on",
        "wal_sync_method=fdatasync",
    ];
    fixed.map(String::from).into_iter().chain([format!("port={port}")]).collect()
}

/// A command that runs what follows as a user PostgreSQL accepts, who owns `folder` from now on.
fn as_server_user(folder: &Path) -> Result<Command> {
    if user_id()? != 0 {
        return Ok(Command::new("env"));
    }
    let known = |user: &&str| succeeds(Command::new("id").arg(user));
    let user = ["postgres", "nobody"].into_iter().find(known).ok_or(
        "PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody",
    )?;
    let group = Command::new("id").args(["-g", user]).output()?;
    let group = String::from_utf8(group.stdout)?.trim().to_string();
    if !Command::new("chown").arg(format!("{user}:{group}")).arg(folder).status()?.success() {
        return Err(format!("{} cannot be given to {user}", folder.display()).into());
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", &group, "--clear-groups"]);
    Ok(command)
}

/// A port that nobody listens on at this moment.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
