//! The yardstick of the live feed: nginx with Debian's nchan module, at its best.
//!
//! Contract: one channel that is published to at `/pub` and listened to over WebSocket at `/sub`,
//! a worker for each core, nothing logged. Ready when `start` returns.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;
use crate::keeper::{self, Keeper};
use crate::postgres::free_port;

const START_LIMIT: Duration = Duration::from_secs(10);

/// A running nginx.
pub(super) struct Nchan {
    address: SocketAddr,
    _keeper: Keeper,
}

impl Nchan {
    pub(super) fn start(nginx: &Path, module: &Path) -> Result<Self> {
        let folder = keeper::new_folder("nchan")?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let configuration = folder.join("nginx.conf");
        std::fs::write(&configuration, text(&folder, module, address))?;
        let mut server = Command::new(nginx);
        server.arg("-c").arg(&configuration).arg("-p").arg(&folder);
        let log = folder.join("log");
        let keeper = Keeper::server(&server, "QUIT", &log, &folder)?;
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > START_LIMIT {
                return Err(format!("nginx did not start:\n{}", keeper::tail(&log)).into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { address, _keeper: keeper })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn text(folder: &Path, module: &Path, address: SocketAddr) -> String {
    let (folder, module) = (folder.display(), module.display());
    // Temporary files go where the user who runs this may write.
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name};"))
        .join(" ");
    format!(
        "load_module {module};
daemon off;
worker_processes auto;
worker_rlimit_nofile 16384;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    {paths}
    keepalive_requests 1000000;
    server {{
        listen {address} backlog=4096;
        location = /pub {{ nchan_publisher http; nchan_channel_id calendar; }}
        location = /sub {{
            nchan_subscriber websocket;
            nchan_channel_id calendar;
            nchan_subscriber_first_message newest;
        }}
    }}
}}
"
    )
}
