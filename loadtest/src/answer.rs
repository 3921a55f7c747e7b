//! An HTTP/1.1 answer in the bytes that have arrived so far (RFC 9112). Only what a scenario needs
//! is taken from the head; the body may come with a length, in chunks, or up to the connection's
//! end.

use std::ops::Range;
use std::time::Duration;

/// More headers than any server here sends.
const MAX_HEADERS: usize = 64;

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What the server asks to wait before a repeat.
    pub(crate) retry_after: Option<Duration>,
    /// Where the body lies in the bytes; chunks are joined there.
    pub(crate) body: Range<usize>,
    /// Whether the connection can carry another request.
    pub(crate) keep_alive: bool,
}

/// The bytes are no HTTP/1.1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken;

enum Framing {
    Length(usize),
    Chunked,
    ToTheEnd,
}

impl Answer {
    /// Reads the answer that `bytes` begin with; `None` while some of it is missing. `ended` says
    /// that nothing more will come.
    pub(crate) fn read(bytes: &mut Vec<u8>, ended: bool) -> Result<Option<Self>, Broken> {
        let Some((mut answer, framing)) = read_head(bytes)? else { return Ok(None) };
        if (100..200).contains(&answer.status) {
            // An interim answer announces the real one.
            bytes.drain(..answer.body.start);
            return Self::read(bytes, ended);
        }
        let start = answer.body.start;
        let whole = match framing {
            Framing::Length(length) => {
                answer.body.end = start.checked_add(length).ok_or(Broken)?;
                bytes.len() >= answer.body.end
            }
            Framing::ToTheEnd => {
                answer.body.end = bytes.len();
                answer.keep_alive = false;
                ended
            }
            Framing::Chunked => match join_chunks(&bytes[start..])? {
                Some(body) => {
                    bytes.splice(start.., body);
                    answer.body.end = bytes.len();
                    true
                }
                None => false,
            },
        };
        Ok(whole.then_some(answer))
    }
}

/// The head; the body's range has only its start.
fn read_head(bytes: &[u8]) -> Result<Option<(Answer, Framing)>, Broken> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let start = match head.parse(bytes).map_err(|_| Broken)? {
        httparse::Status::Complete(start) => start,
        httparse::Status::Partial => return Ok(None),
    };
    let status = head.code.ok_or(Broken)?;
    let (mut retry_after, mut keep_alive) = (None, head.version == Some(1));
    let mut framing = match status {
        204 | 304 => Framing::Length(0),
        _ => Framing::ToTheEnd,
    };
    for header in head.headers.iter() {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        let value = || std::str::from_utf8(header.value).map(str::trim).map_err(|_| Broken);
        if is("content-length") {
            // A length beside chunks does not count, whichever stands first.
            if matches!(framing, Framing::ToTheEnd) {
                framing = Framing::Length(value()?.parse().map_err(|_| Broken)?);
            }
        } else if is("transfer-encoding") {
            framing = Framing::Chunked;
        } else if is("connection") {
            keep_alive &= !value()?.eq_ignore_ascii_case("close");
        } else if is("retry-after") {
            retry_after = value()?.parse().ok().map(Duration::from_secs);
        }
    }
    let answer = Answer { status, retry_after, body: start..start, keep_alive };
    Ok(Some((answer, framing)))
}

/// The content of a chunked body; `None` while its last chunk or trailer is missing.
fn join_chunks(mut bytes: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
    let mut body = Vec::new();
    loop {
        let (line, size) = match httparse::parse_chunk_size(bytes).map_err(|_| Broken)? {
            httparse::Status::Complete((line, size)) => (line, size),
            httparse::Status::Partial => return Ok(None),
        };
        bytes = &bytes[line..];
        if size == 0 {
            let ended = bytes.starts_with(b"\r\n") || bytes.windows(4).any(|w| w == b"\r\n\r\n");
            return Ok(ended.then_some(body));
        }
        let size = usize::try_from(size).map_err(|_| Broken)?;
        let next = size.checked_add(2).ok_or(Broken)?;
        if bytes.len() < next {
            return Ok(None);
        }
        body.extend_from_slice(&bytes[..size]);
        bytes = &bytes[next..];
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Answer, Broken};

    /// Feeds an answer byte by byte: it is whole with its last byte and never before.
    fn read(text: &str) -> (Answer, String) {
        let mut bytes = Vec::new();
        for (number, byte) in text.bytes().enumerate() {
            bytes.push(byte);
            if let Some(answer) = Answer::read(&mut bytes, false).expect("good HTTP") {
                assert_eq!(number + 1, text.len(), "whole too early");
                let body = String::from_utf8_lossy(&bytes[answer.body.clone()]).into_owned();
                return (answer, body);
            }
        }
        panic!("not whole: {text}");
    }

    #[test]
    fn a_body_has_the_length_that_the_head_says() {
        let (answer, body) = read("HTTP/1.1 409 Conflict\r\nContent-Length: 5\r\n\r\nhello");
        assert_eq!((answer.status, body.as_str()), (409, "hello"));
        assert!(answer.keep_alive && answer.retry_after.is_none());
        let (answer, body) = read("HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!((answer.status, body.as_str()), (204, ""));
    }

    #[test]
    fn chunks_are_joined() {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let (answer, body) = read(&format!("{head}5\r\nhello\r\nA;x=y\r\n, the end.\r\n0\r\n\r\n"));
        assert_eq!((answer.status, body.as_str()), (200, "hello, the end."));
    }

    #[test]
    fn a_body_without_a_length_ends_with_the_connection() {
        let mut bytes = b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec();
        assert_eq!(Answer::read(&mut bytes, false), Ok(None));
        let answer = Answer::read(&mut bytes, true).expect("good HTTP").expect("whole");
        assert_eq!(&bytes[answer.body], b"hello");
        assert!(!answer.keep_alive);
    }

    #[test]
    fn an_interim_answer_is_skipped_and_the_wait_and_the_close_are_read() {
        let (answer, body) = read(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 2\r\n\
             connection: close\r\ncontent-length: 1\r\n\r\nx",
        );
        assert_eq!((answer.status, body.as_str()), (503, "x"));
        assert_eq!(answer.retry_after, Some(Duration::from_secs(2)));
        assert!(!answer.keep_alive);
    }

    #[test]
    fn what_is_no_http_is_broken_and_never_a_panic() {
        for text in [
            "FTP ready\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        ] {
            assert_eq!(Answer::read(&mut text.as_bytes().to_vec(), false), Err(Broken), "{text}");
        }
    }
}
