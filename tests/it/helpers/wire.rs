//! A bare connection: bytes are written and answers read when the test says so, and it can end
//! with a reset.

use super::{Answer, Person, Server, mint, now};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ANSWER_WITHIN: Duration = Duration::from_secs(60);
const HEAD_END: &[u8] = b"\r\n\r\n";

/// One HTTP/1.1 connection.
pub(crate) struct Wire {
    stream: TcpStream,
}

/// A whole request as bytes: JSON, signed, under a key if there is one.
pub(crate) fn request(
    server: &Server,
    person: &Person,
    path: &str,
    key: Option<&str>,
    body: &Value,
) -> Vec<u8> {
    let body = body.to_string();
    let token = mint(person, now().plus(server.moved()));
    let key = key.map_or(String::new(), |key| format!("idempotency-key: {key}\r\n"));
    let (host, length) = (server.address(), body.len());
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n{key}\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a TCP option");
        Self { stream }
    }

    /// Writes all of this; what comes back is read later.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("a server that reads");
    }

    /// The whole answer to a request that was written.
    pub(crate) async fn answer(&mut self) -> Answer {
        let reading = tokio::time::timeout(ANSWER_WITHIN, self.read_answer());
        reading.await.expect("an answer in time").expect("a whole answer")
    }

    /// Waits until the server closes the connection; what it still said until then.
    pub(crate) async fn closed(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let reading =
            async { while self.stream.read_buf(&mut bytes).await.is_ok_and(|n| n > 0) {} };
        tokio::time::timeout(ANSWER_WITHIN, reading).await.expect("a closed connection in time");
        bytes
    }

    /// Resets the connection: whatever is under way is lost to both sides. Says whether an answer
    /// had begun to come.
    pub(crate) fn reset(self) -> bool {
        let mut byte = [0; 1];
        let answered = self.stream.try_read(&mut byte).is_ok();
        self.stream.set_zero_linger().expect("a TCP option");
        answered
    }

    async fn read_answer(&mut self) -> std::io::Result<Answer> {
        let mut bytes = Vec::with_capacity(4_096);
        let head = loop {
            if let Some(at) = bytes.windows(HEAD_END.len()).position(|four| four == HEAD_END) {
                break at + HEAD_END.len();
            }
            if self.stream.read_buf(&mut bytes).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        };
        let (status, headers) = parse(std::str::from_utf8(&bytes[..head]).expect("ascii"));
        let length =
            headers.get("content-length").map_or("0", |value| value.to_str().unwrap_or(""));
        let length: usize = length.parse().expect("a length");
        while bytes.len() < head + length {
            if self.stream.read_buf(&mut bytes).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        let body = serde_json::from_slice(&bytes[head..]).unwrap_or(Value::Null);
        Ok(Answer { status, headers, body })
    }
}

/// Status and headers of a head.
fn parse(head: &str) -> (u16, HeaderMap) {
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.and_then(|status| status.parse().ok()).expect("a status");
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name: HeaderName = name.parse().expect("a header's name");
        headers.append(name, HeaderValue::from_str(value).expect("a header's value"));
    }
    (status, headers)
}
