//! What stands between us and Stripe, and what it does to requests on their way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of one request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// It comes through, and so does the answer.
    Passes,
    /// It does not come through, and this is the answer; none where it is empty.
    Stopped(&'static str),
    /// It comes through, and this is the answer; none where it is empty.
    Falsified(&'static str),
}

/// Stripe's own failure.
pub(super) const FAILURE: &str = "500 Internal Server Error\r\n\
    {\"error\":{\"type\":\"api_error\",\"message\":\"An unexpected error occurred.\"}}";
/// The failure of somebody before Stripe.
pub(super) const BAD_GATEWAY: &str = "502 Bad Gateway\r\n<h1>Bad gateway</h1>";
/// A success, and nothing that can be read.
pub(super) const ODD: &str = "200 OK\r\n{\"id\":\"pi_1\"}";

/// Listens on its way to a stand-in; the fates come in turn, and then all passes.
pub(super) async fn before(url: &str, fates: &[Fate]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let fates = Arc::new(Mutex::new(VecDeque::from(fates.to_vec())));
    let stand_in = url.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let fate = fates.lock().expect("a lock").pop_front().unwrap_or(Fate::Passes);
            tokio::spawn(meet(stream, stand_in.clone(), fate));
        }
    });
    format!("http://{address}")
}

async fn meet(mut stream: TcpStream, stand_in: String, fate: Fate) -> std::io::Result<()> {
    let request = read(&mut stream).await?;
    let written = |text: &str| {
        let (status, body) = text.split_once("\r\n")?;
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close");
        Some(format!("{head}\r\n\r\n{body}").into_bytes())
    };
    let answer = match fate {
        Fate::Stopped(text) => written(text),
        Fate::Passes => Some(forward(&request, &stand_in).await?),
        Fate::Falsified(text) => {
            forward(&request, &stand_in).await?;
            written(text)
        }
    };
    stream.write_all(&answer.unwrap_or_default()).await?;
    stream.shutdown().await
}

/// One request as it came.
async fn read(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().expect("a length")) {
                return Ok(request);
            }
        }
        if stream.read_buf(&mut request).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn forward(request: &[u8], to: &str) -> std::io::Result<Vec<u8>> {
    let request = String::from_utf8_lossy(request).replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}
