//! A live calendar as a client has it: frames in, frames out, and the calendar they add up to.

use super::{Document, Person, Server, is_described, mint, nights, now};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const HEARD_WITHIN: Duration = Duration::from_secs(10);

/// One WebSocket connection.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What came over a socket.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    /// One frame, as text.
    Frame(String),
    /// The server closed, with its reason if it gave one.
    Closed(Option<CloseFrame>),
}

impl Socket {
    pub(crate) async fn open(server: &Server) -> Self {
        let address = format!("ws://{}/ws", server.address());
        let (stream, _) = connect_async(address).await.expect("a WebSocket");
        Self { stream }
    }

    /// The same, if the server is there.
    pub(crate) async fn try_open(server: &Server) -> Option<Self> {
        let address = format!("ws://{}/ws", server.address());
        let (stream, _) = connect_async(address).await.ok()?;
        Some(Self { stream })
    }

    /// The same from a page of this origin.
    pub(crate) async fn open_from(server: &Server, origin: &'static str) -> Self {
        let address = format!("ws://{}/ws", server.address());
        let mut request = address.into_client_request().expect("a request");
        request.headers_mut().insert("origin", HeaderValue::from_static(origin));
        let (stream, _) = connect_async(request).await.expect("a WebSocket");
        Self { stream }
    }

    /// Sends one message.
    pub(crate) async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    /// Sends a frame that may be anything.
    pub(crate) async fn send(&mut self, frame: Message) {
        self.stream.send(frame).await.expect("an open socket");
    }

    /// Sends a frame that the server may refuse to read to its end.
    pub(crate) async fn try_send(&mut self, frame: Message) {
        let _ = self.stream.send(frame).await;
    }

    /// What says who somebody is.
    pub(crate) fn authentication(server: &Server, person: &Person) -> Value {
        let token = mint(person, now().plus(server.moved()));
        json!({ "type": "authenticate", "token": token })
    }

    /// Says who is there, and hears that it is believed.
    pub(crate) async fn authenticate(&mut self, server: &Server, person: &Person) {
        self.say(&Self::authentication(server, person)).await;
        let answer = self.expect("authenticated").await;
        assert_eq!(answer["user"], json!(person.id.to_string()));
    }

    /// Asserts that nothing has been said here but the answer to a question of our own.
    pub(crate) async fn is_quiet(&mut self) {
        self.say(&json!({ "type": "ping" })).await;
        self.expect("pong").await;
    }

    /// Asks for the calendar of a home.
    pub(crate) async fn subscribe(&mut self, home: &str, from: &str, to: &str) {
        let message = json!({ "type": "subscribe", "property": home, "from": from, "to": to });
        self.say(&message).await;
    }

    /// Waits for the next message or the end.
    pub(crate) async fn hear(&mut self) -> Heard {
        let next = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => return Heard::Frame(text.to_string()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(reason))) => return Heard::Closed(reason),
                    Some(Ok(other)) => panic!("not a text frame: {other:?}"),
                    Some(Err(_)) | None => return Heard::Closed(None),
                }
            }
        };
        tokio::time::timeout(HEARD_WITHIN, next).await.expect("a frame in time")
    }

    /// The next message, which must be one, and as the document describes it.
    pub(crate) async fn message(&mut self) -> Value {
        match self.hear().await {
            Heard::Frame(text) => {
                let message = serde_json::from_str(&text).expect("one JSON message per frame");
                is_described(&message);
                message
            }
            Heard::Closed(reason) => panic!("the socket was closed: {reason:?}"),
        }
    }

    /// The next message, which must be of this type.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        let message = self.message().await;
        assert_eq!(message["type"], kind, "{message}");
        message
    }

    /// The code with which the server closes, after whatever it still says.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        loop {
            if let Heard::Closed(reason) = self.hear().await {
                return reason.map(|reason| reason.code.into());
            }
        }
    }
}

/// The calendar of one home, folded from what a client heard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Folded {
    pub(crate) seq: i64,
    states: BTreeMap<String, String>,
}

impl Folded {
    /// Begins with a snapshot, whose ranges must cover its window without a gap.
    pub(crate) fn new(snapshot: &Value) -> Self {
        let mut states = BTreeMap::new();
        let mut reached = snapshot.text("from");
        for range in snapshot.list("ranges") {
            assert_eq!(range.text("from"), reached, "a gap in {snapshot}");
            reached = range.text("to");
            for night in nights(&range.text("from"), &reached) {
                states.insert(night, range.text("state"));
            }
        }
        assert_eq!(reached, snapshot.text("to"), "an end too early in {snapshot}");
        let folded = Self { seq: snapshot.number("seq"), states };
        folded.check(snapshot);
        folded
    }

    /// Takes the next delta, which may be several in one, and whose digests must be those of the
    /// calendar after it.
    pub(crate) fn apply(&mut self, delta: &Value) {
        assert_eq!(delta.number("prev_seq"), self.seq, "a gap before {delta}");
        assert!(delta.number("seq") > self.seq, "{delta}");
        for change in delta.list("changes") {
            for night in nights(&change.text("from"), &change.text("to")) {
                // Nights outside of the window are none of this client's business, and a change
                // of prices says nothing about states.
                if let (Some(state), Some(now)) =
                    (self.states.get_mut(&night), change["state"].as_str())
                {
                    now.clone_into(state);
                }
            }
        }
        self.seq = delta.number("seq");
        self.check(delta);
    }

    /// The state of one night.
    pub(crate) fn state(&self, night: &str) -> &str {
        self.states.get(night).map_or("", String::as_str)
    }

    /// The states of all nights in `[from, to)`.
    pub(crate) fn states(&self, from: &str, to: &str) -> Vec<String> {
        nights(from, to).iter().map(|night| self.state(night).to_owned()).collect()
    }

    /// Compares each digest with the letters of its month.
    fn check(&self, message: &Value) {
        let digests = message["digests"].as_object().expect("digests");
        for (month, digest) in digests {
            let nights = self.states.iter().filter(|(night, _)| night.starts_with(month.as_str()));
            let letters: Vec<u8> = nights.map(|(_, state)| letter(state)).collect();
            if letters.is_empty() {
                // The whole month lies outside of the window.
                continue;
            }
            let expected = format!("{:08x}", crc32(&letters));
            assert_eq!(digest.as_str(), Some(expected.as_str()), "{month} in {message}");
        }
    }
}

fn letter(state: &str) -> u8 {
    match state {
        "available" => b'a',
        "held" => b'h',
        "booked" => b'b',
        "blocked" => b'k',
        "closed" => b'c',
        other => panic!("{other} is not a state of a night"),
    }
}

/// CRC-32 as ISO-HDLC defines it, bit by bit: nobody else's code judges the server's digests.
fn crc32(bytes: &[u8]) -> u32 {
    let mut rest = u32::MAX;
    for byte in bytes {
        rest ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = rest & 1;
            rest = (rest >> 1) ^ (0xedb8_8320 * carry);
        }
    }
    !rest
}

#[test]
fn the_checksum_is_the_one_of_the_catalogue() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}
