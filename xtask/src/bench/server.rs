//! The release server on a loopback port, as an operator starts it, without limits.
//!
//! Contract: ready when `start` returns, stopped by SIGTERM when dropped.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;
use crate::cargo;
use crate::keeper::{self, Keeper};
use crate::postgres::{Postgres, free_port};

const START_LIMIT: Duration = Duration::from_secs(30);

/// A running `vacancy serve`.
pub(super) struct Server {
    address: SocketAddr,
    folder: PathBuf,
    _keeper: Keeper,
}

impl Server {
    pub(super) fn on_postgres(postgres: &Postgres) -> Result<Self> {
        postgres.execute("postgres", &["create database vacancy"])?;
        Self::start(keeper::new_folder("server")?, &postgres.url("vacancy"))
    }

    pub(super) fn on_sqlite() -> Result<Self> {
        let folder = keeper::new_folder("server")?;
        let url = format!("sqlite://{}", folder.join("vacancy.db").display());
        Self::start(folder, &url)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The number of its process.
    pub(super) fn process(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.join(keeper::PROCESS))?.trim().to_string())
    }

    fn start(folder: PathBuf, database: &str) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        // It may have many connections at once, which the usual limit of 1,024 files would refuse.
        let mut server = Command::new("prlimit");
        server.arg("--nofile=16384:").arg(cargo::release_folder().join("vacancy"));
        server.arg("serve").current_dir(&folder);
        server.env("DATABASE_URL", database).env("BIND_ADDR", address.to_string());
        server.env("SECRET_KEY", secret()?).env("AUTO_MIGRATE", "true").env("ALLOWED_HOSTS", "*");
        server.env("RATE_LIMITS", "off").env("PENDING_LIMITS", "off");
        let log = folder.join("log");
        let keeper = Keeper::server(&server, "TERM", &log, &folder)?;
        let server = Self { address, folder, _keeper: keeper };
        server.wait(&log)?;
        Ok(server)
    }

    fn wait(&self, log: &Path) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < START_LIMIT {
            if is_ready(self.address).unwrap_or(false) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("the server did not become ready:\n{}", keeper::tail(log)).into())
    }
}

/// Whether `GET /readyz` answers 200.
fn is_ready(address: SocketAddr) -> std::io::Result<bool> {
    let limit = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(&status == b"HTTP/1.1 200")
}

/// 64 random hexadecimal digits.
fn secret() -> Result<String> {
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
