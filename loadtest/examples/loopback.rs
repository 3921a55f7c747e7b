//! A server that refuses every booking without looking at a calendar, to see how many answers the
//! load generator can take: `cargo run --release --example loopback`, then `loadtest rush` against
//! the address it prints. The refusals have no cause, and the checker says so.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ID: &str = "00000000-0000-7000-8000-000000000001";

/// Status and body for a request, from its first bytes and its arrival date alone.
fn answer(head: &str, body: &str) -> (u16, String) {
    if head.starts_with("POST /api/v1/properties/") {
        let check_in = body.split('"').nth(3).unwrap_or_default();
        let body = format!(
            r#"{{"type":"about:blank","title":"Not available","status":409,
            "detail":"Some nights are taken.","code":"unavailable","request_id":"{ID}",
            "reasons":[{{"code":"unavailable_booked","nights":["{check_in}"]}}],
            "alternatives":[{{"check_in":"{check_in}","check_out":"{check_in}"}},
            {{"check_in":"{check_in}","check_out":"{check_in}"}}]}}"#
        );
        (409, body)
    } else if head.starts_with("POST /api/v1/auth/login") {
        (200, r#"{"access_token":"t","token_type":"Bearer","expires_in":600}"#.to_owned())
    } else if head.starts_with("GET /api/v1/bookings") {
        (200, r#"{"data":[],"next_cursor":null}"#.to_owned())
    } else if head.starts_with("GET") {
        (200, "{}".to_owned())
    } else {
        (201, format!(r#"{{"id":"{ID}"}}"#))
    }
}

/// The whole request at the start of `bytes`: the length of its head and of its body.
fn request(bytes: &[u8]) -> Option<(usize, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    (bytes.len() >= end + length).then_some((end, length))
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::with_capacity(4096);
    loop {
        while let Some((head, body)) = request(&bytes) {
            let text = String::from_utf8_lossy(&bytes[..head + body]);
            let (status, answer) = answer(&text[..head], &text[head..]);
            let length = answer.len();
            let head_line = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n");
            let answer = format!("{head_line}content-length: {length}\r\n\r\n{answer}");
            stream.write_all(answer.as_bytes()).await?;
            bytes.drain(..head + body);
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream));
    }
}
