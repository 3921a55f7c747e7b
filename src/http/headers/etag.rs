//! Entity tags and the two conditions on them (RFC 9110, sections 8.8.3 and 13.1).

use crate::http::problem::{Code, Problem};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use std::fmt::Display;

/// A strong entity tag, kept as it is sent: in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// The tag of the state of something as of one event: `"{epoch}-{seq}"`. Both parts show as
    /// visible ASCII without quotes.
    pub fn of(epoch: impl Display, seq: impl Display) -> Self {
        Self(format!("\"{epoch}-{seq}\""))
    }

    /// The value of the `ETag` header.
    pub fn header(&self) -> Result<HeaderValue, Problem> {
        HeaderValue::from_str(&self.0).map_err(Problem::internal)
    }

    /// Whether `If-None-Match` names this tag, so that 304 is the answer. The comparison is weak:
    /// a cache on the way may have marked the tag so.
    pub fn is_known_to(&self, headers: &HeaderMap) -> bool {
        named(headers, header::IF_NONE_MATCH)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.0)
    }

    /// Enforces `If-Match`: where it is sent, it must name this tag, and strongly.
    pub fn require_match(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let absent = !headers.contains_key(header::IF_MATCH);
        if absent || named(headers, header::IF_MATCH).any(|tag| tag == "*" || tag == self.0) {
            Ok(())
        } else {
            Err(Problem::new(Code::PreconditionFailed))
        }
    }
}

/// The tags in all lines of a header, each with its quotes and its `W/`. What is not a tag is
/// passed over: it matches nothing.
fn named(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).filter_map(|line| line.to_str().ok()).flat_map(|line| {
        let mut rest = line;
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return None;
            }
            // A comma may stand inside the quotes of a tag.
            let quoted = rest.find('"').filter(|open| matches!(&rest[..*open], "" | "W/"));
            let close = quoted
                .and_then(|open| rest[open + 1..].find('"').map(|length| open + 1 + length + 1));
            let end = close.or_else(|| rest.find(',')).unwrap_or(rest.len());
            let (tag, tail) = rest.split_at(end);
            rest = tail;
            Some(tag.trim_end())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, lines: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for line in lines {
            map.append(name.clone(), HeaderValue::from_str(line).expect("a header"));
        }
        map
    }

    #[test]
    fn if_none_match_compares_weakly_over_all_lines() {
        let tag = ETag::of("1f", 42);
        for (lines, expected) in [
            (&["\"1f-42\""][..], true),
            (&["W/\"1f-42\""], true),
            (&["\"a,b\", \"1f-42\""], true),
            (&["\"x\"", "\"1f-42\""], true),
            (&["*"], true),
            (&["\"1f-4\""], false),
            (&["1f-42"], false),
            (&["\"1f-42"], false),
            (&["\"a,\"1f-42\""], false),
            (&[""], false),
            (&[], false),
        ] {
            assert_eq!(
                tag.is_known_to(&headers(header::IF_NONE_MATCH, lines)),
                expected,
                "{lines:?}"
            );
        }
    }

    #[test]
    fn if_match_is_enforced_where_it_is_sent_and_compares_strongly() {
        let tag = ETag::of("1f", 42);
        for (lines, expected) in [
            (&[][..], true),
            (&["\"1f-42\""], true),
            (&["\"1f-41\", \"1f-42\""], true),
            (&["*"], true),
            (&["W/\"1f-42\""], false),
            (&["\"1f-41\""], false),
            (&[""], false),
        ] {
            let verdict = tag.require_match(&headers(header::IF_MATCH, lines));
            assert_eq!(verdict.is_ok(), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_tag_is_sent_in_quotes() {
        assert_eq!(ETag::of("1f", 42).header().expect("a header"), "\"1f-42\"");
    }
}
