//! A small TCP proxy in front of PostgreSQL: it can be slow, and it can be gone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Pieces that may be under way in one direction of one connection.
const UNDER_WAY: usize = 1_024;
const PIECE: usize = 16 * 1_024;

/// A listener of its own, which passes everything on while it is open.
pub(crate) struct Proxy {
    address: SocketAddr,
    target: u16,
    latency: Duration,
    open: Option<Open>,
}

/// While this lives, connections are taken and kept.
struct Open {
    accepting: JoinHandle<()>,
    /// Dropped to end all connections.
    _gone: Arc<watch::Sender<()>>,
}

impl Proxy {
    /// Passes on to this port, each piece as much later in either direction as half the latency.
    pub(crate) async fn to(target: u16, latency: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let mut proxy = Self { address, target, latency, open: None };
        proxy.serve(listener);
        proxy
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends every connection and refuses new ones, as a database server does that has died.
    pub(crate) async fn close(&mut self) {
        let Open { accepting, _gone } = self.open.take().expect("an open proxy");
        accepting.abort();
        // The listener goes with its task.
        let _ = accepting.await;
    }

    /// Takes connections again, on the same port.
    pub(crate) async fn reopen(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the port as before");
        self.serve(listener);
    }

    fn serve(&mut self, listener: TcpListener) {
        let (target, delay) = (self.target, self.latency / 2);
        let gone = Arc::new(watch::Sender::new(()));
        let sender = Arc::downgrade(&gone);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Some(ends) = sender.upgrade().map(|sender| sender.subscribe()) else { return };
                tokio::spawn(connect(client, target, delay, ends));
            }
        });
        self.open = Some(Open { accepting, _gone: gone });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            open.accepting.abort();
        }
    }
}

/// Passes on between a client and the target until one of them ends, or the proxy is gone.
async fn connect(client: TcpStream, target: u16, delay: Duration, mut ends: watch::Receiver<()>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("a TCP option");
    }
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    tokio::select! {
        () = pass(from_client, to_server, delay) => {}
        () = pass(from_server, to_client, delay) => {}
        // The sender never sends: this ends when it is dropped.
        _ = ends.changed() => {}
    }
}

/// Copies in one direction, each piece `delay` after it came.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut pieces) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let reading = async move {
        let mut buffer = vec![0; PIECE];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let piece = (Instant::now() + delay, buffer[..count].to_vec());
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((due, piece)) = pieces.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    };
    // The writer ends after the reader, when it has passed on what was under way.
    tokio::join!(reading, writing);
}
