//! Keyset cursors: where the next page of a list begins.
//!
//! Lists are ordered by a number (the time of creation, where nobody asks for something else) and
//! then by id, both in the same direction, so that rows that are added while a client turns pages
//! neither repeat nor vanish. A cursor names the last row of a page. It is opaque to clients:
//! base64url of 8 bytes of the number, 16 bytes of id and 8 bytes that tell the list's parameters
//! apart, because a place in one list says nothing in another. It holds nothing that the row does
//! not show, so it is not signed.

use crate::http::extract::Params;
use crate::http::problem::Problem;
use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Instant;
use std::fmt::{self, Display};
use std::str::FromStr;
use uuid::Uuid;

/// The last row of the page before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What the list is sorted by: in lists by age, microseconds since 1970.
    pub key: i64,
    pub id: Uuid,
    /// Which list it is a place in.
    pub list: ListId,
}

/// What tells a list from the same one with other parameters: the beginning of a SHA-256.
pub type ListId = [u8; ID_BYTES];

const KEY_BYTES: usize = 8;
const ROW_BYTES: usize = 16;
const ID_BYTES: usize = 8;

impl Cursor {
    /// The place as lists by age take it.
    pub const fn by_age(self) -> (Instant, Uuid) {
        (Instant::from_micros(self.key), self.id)
    }
}

/// The text is not a cursor that a list gave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the next_cursor of an earlier page, unchanged")]
pub struct BadCursor;

impl From<BadCursor> for Problem {
    fn from(bad: BadCursor) -> Self {
        Self::field("/cursor", bad.to_string())
    }
}

impl Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key.to_be_bytes()[..], self.id.as_bytes(), &self.list].concat();
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadCursor)?;
        let (key, rest) = bytes.split_first_chunk::<KEY_BYTES>().ok_or(BadCursor)?;
        let (id, list) = rest.split_first_chunk::<ROW_BYTES>().ok_or(BadCursor)?;
        Ok(Self {
            key: i64::from_be_bytes(*key),
            id: Uuid::from_bytes(*id),
            list: list.try_into().map_err(|_| BadCursor)?,
        })
    }
}

/// Cuts rows, of which one more than `limit` was asked for, to a page of the list that the request
/// asks for: the answer with its `Link`, and what its body says of the next page. `place` names
/// what the list is sorted by and the id.
pub fn page_of<T>(
    request: &HttpRequest,
    rows: &mut Vec<T>,
    limit: usize,
    place: impl Fn(&T) -> (i64, Uuid),
) -> Result<(HttpResponseBuilder, Option<String>), Problem> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let mut response = HttpResponse::Ok();
    let Some((key, id)) = rows.last().filter(|_| more).map(place) else {
        return Ok((response, None));
    };
    let list = Params::parse(request.query_string())?.list();
    let next = Cursor { key, id, list };
    response.insert_header((header::LINK, next_link(request.uri(), next)?));
    Ok((response, Some(next.to_string())))
}

/// The `Link` header (RFC 8288) to the page after this one: the same address with the new cursor
/// and every other parameter as it was.
pub fn next_link(address: &Uri, cursor: Cursor) -> Result<HeaderValue, Problem> {
    let mut next = format!("{}?", address.path());
    let kept = address
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && *pair != "cursor" && !pair.starts_with("cursor="));
    for pair in kept {
        next.push_str(pair);
        next.push('&');
    }
    // A client may send these unescaped, and they would end the address early.
    let next = next.replace('<', "%3C").replace('>', "%3E");
    HeaderValue::from_str(&format!("<{next}cursor={cursor}>; rel=\"next\""))
        .map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        Cursor {
            key: 1_800_000_000_000_001,
            id: Uuid::from_u128(0x0192_0000_7000_8000_0000_0000_0000_002a),
            list: [1, 2, 3, 4, 5, 6, 7, 8],
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_was_given_out() {
        let early = Cursor { key: -1, id: Uuid::max(), list: [0xff; 8] };
        for cursor in [cursor(), early] {
            let text = cursor.to_string();
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            assert_eq!(text.parse(), Ok(cursor));
        }
    }

    #[test]
    fn whatever_is_not_a_cursor_is_refused_by_name() {
        let good = cursor().to_string();
        let padded = format!("{good}=");
        let longer = format!("{good}AAAA");
        for text in ["", "AAAA", "not a cursor", &good[1..], &padded, &longer, "ä", "\0"] {
            assert_eq!(text.parse::<Cursor>(), Err(BadCursor), "{text}");
        }
        let document = Problem::from(BadCursor).document();
        assert!(String::from_utf8_lossy(&document).contains("\"pointer\":\"/cursor\""));
    }

    #[test]
    fn the_link_keeps_the_other_parameters() {
        let cursor = cursor();
        for (address, expected) in [
            ("/api/v1/bookings", "/api/v1/bookings?"),
            ("/bookings?limit=5", "/bookings?limit=5&"),
            ("/bookings?cursor=old&as=host", "/bookings?as=host&"),
            ("/bookings?as=host&cursor=a&cursor=b", "/bookings?as=host&"),
            ("/bookings?mycursor=1", "/bookings?mycursor=1&"),
        ] {
            let address: Uri = address.parse().expect("an address");
            let link = next_link(&address, cursor).expect("a header");
            assert_eq!(link, format!("<{expected}cursor={cursor}>; rel=\"next\"").as_str());
        }
    }
}
