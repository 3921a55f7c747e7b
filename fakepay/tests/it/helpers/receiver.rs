//! Somebody who receives webhooks and callbacks.

use super::PATIENCE;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

/// One request that came in.
#[derive(Debug)]
pub(crate) struct Letter {
    head: String,
    pub(crate) body: String,
}

impl Letter {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The path that it came to.
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).expect("a path")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut named = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value)
    }
}

pub(crate) struct Receiver {
    url: String,
    letters: AsyncMutex<mpsc::Receiver<Letter>>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let (sender, letters) = mpsc::channel(1_000);
        let statuses = Arc::new(Mutex::new(VecDeque::new()));
        let answers = statuses.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, sender.clone(), answers.clone()));
            }
        });
        Self { url, letters: AsyncMutex::new(letters), statuses }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Answers the next letters with these, and those after them with 200.
    pub(crate) fn answer(&self, statuses: &[u16]) {
        self.statuses.lock().expect("nobody panics").extend(statuses);
    }

    /// The next letter, for which it waits.
    pub(crate) async fn next(&self) -> Letter {
        let mut letters = self.letters.lock().await;
        let letter = tokio::time::timeout(PATIENCE, letters.recv()).await;
        letter.expect("nobody wrote").expect("the receiver runs")
    }

    /// Whether a letter lies here that nobody asked for.
    pub(crate) async fn is_empty(&self) -> bool {
        self.letters.lock().await.try_recv().is_err()
    }
}

/// Takes the letters of one connection.
async fn serve(
    mut stream: TcpStream,
    sender: mpsc::Sender<Letter>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let head = loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                break head.to_owned();
            }
            read_more(&mut stream, &mut bytes).await?;
        };
        let letter = Letter { head, body: String::new() };
        let length: usize = letter.header("content-length")?.parse().ok()?;
        let from = letter.head.len() + 4;
        while bytes.len() < from + length {
            read_more(&mut stream, &mut bytes).await?;
        }
        let body = String::from_utf8(bytes[from..from + length].to_vec()).ok()?;
        bytes.drain(..from + length);
        let status = statuses.lock().expect("nobody panics").pop_front().unwrap_or(200);
        sender.send(Letter { body, ..letter }).await.ok()?;
        let answer = format!("HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

async fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(bytes).await.ok()?;
    (read > 0).then_some(())
}
