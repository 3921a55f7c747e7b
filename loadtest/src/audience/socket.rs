//! One socket of the audience.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::tape::Tape;
use crate::clock::{Clock, Nanos, SECOND};
use crate::crew::share;
use crate::failure::Failure;
use crate::target::Target;

/// Sockets that are being opened at a time.
const HANDS: usize = 64;
/// Loopback addresses that sockets are opened from.
const ADDRESSES: u32 = 20;
/// A frame is a few hundred bytes.
const BUFFER: usize = 4096;
/// How often those who never read look whether they were sent away, and for how long at most.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LOOKS: usize = 120;

/// Where sockets are opened.
#[derive(Clone)]
pub(super) struct Seats {
    pub(super) target: Target,
    pub(super) path: &'static str,
    /// What a socket says first; nchan wants to hear nothing.
    pub(super) subscription: Option<String>,
    pub(super) clock: Clock,
}

/// An open connection that has subscribed.
pub(super) struct Socket {
    stream: WebSocketStream<TcpStream>,
    opened: Nanos,
}

/// What the audience looks at in a frame.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    prev_seq: Option<u64>,
    #[serde(default)]
    seq: Option<u64>,
}

impl Seats {
    /// Opens so many sockets.
    pub(super) async fn open(&self, count: u32) -> Result<Vec<Socket>, Failure> {
        let seats = self.clone();
        let work = move |number| {
            let seats = seats.clone();
            async move {
                let failed = |error: tungstenite::Error| Failure::Socket(error.to_string());
                seats.connect(number).await.map_err(failed)
            }
        };
        share((0..count).collect(), HANDS, work).await
    }

    async fn connect(&self, number: u32) -> Result<Socket, tungstenite::Error> {
        let address = tokio::net::lookup_host(self.target.socket()).await?.next();
        let address = address.ok_or_else(|| std::io::Error::other("the host has no address"))?;
        let stream = match address {
            SocketAddr::V4(v4) if v4.ip().is_loopback() => {
                let own = Ipv4Addr::LOCALHOST.to_bits() + 1 + number % ADDRESSES;
                let socket = TcpSocket::new_v4()?;
                socket.bind((IpAddr::V4(Ipv4Addr::from_bits(own)), 0).into())?;
                socket.connect(address).await?
            }
            _ => TcpStream::connect(address).await?,
        };
        stream.set_nodelay(true)?;
        let url = format!("ws://{}{}", self.target.host(), self.path);
        let config = WebSocketConfig::default().read_buffer_size(BUFFER);
        let request = url.into_client_request()?;
        let (mut stream, _) = client_async_with_config(request, stream, Some(config)).await?;
        if let Some(subscription) = &self.subscription {
            stream.send(Message::text(subscription)).await?;
        }
        Ok(Socket { stream, opened: self.clock.now() })
    }
}

impl Socket {
    /// Hears all that is told, from the number `at` on, until the task ends or the server does.
    pub(super) async fn listen(mut self, mut at: u64, tape: Arc<Tape>) {
        while let Some(Ok(message)) = self.stream.next().await {
            // Pings are answered by the library.
            let Message::Text(text) = message else { continue };
            let Ok(Frame { kind, prev_seq, seq: Some(seq) }) = serde_json::from_str(&text) else {
                tape.lose();
                continue;
            };
            // A snapshot stands for all that led to it.
            if matches!(&*kind, "delta" | "snapshot") {
                tape.hear(&mut at, prev_seq, seq);
            }
        }
        tape.lose();
    }

    /// Never reads, and says for how many seconds it was borne; nothing after a minute.
    pub(super) async fn freeze(self, clock: Clock) -> Option<f64> {
        let stream = self.stream.get_ref();
        for _ in 0..LOOKS {
            tokio::time::sleep(LOOK_EVERY).await;
            // The end of the connection is seen without reading what came before it.
            if stream.ready(Interest::READABLE).await.is_ok_and(|ready| ready.is_read_closed()) {
                return Some((clock.now() - self.opened) as f64 / SECOND as f64);
            }
        }
        None
    }
}
