//! The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header): under one key a
//! caller gets one effect, however often the request is sent.

use crate::http::problem::Problem;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};
use std::sync::Arc;

const NAME: &str = "idempotency-key";
const MAX_CHARS: usize = 255;

/// The caller's key, if one was sent: 1 to 255 visible ASCII characters. Quoted and bare forms of
/// the same text are the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<Arc<str>>);

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut lines = request.headers().get_all(NAME);
        ready(match (lines.next(), lines.next()) {
            (None, _) => Ok(Self(None)),
            (Some(line), None) => {
                let key = line.to_str().ok().and_then(key);
                key.map(|key| Self(Some(key.into()))).ok_or_else(|| {
                    refused("must be 1 to 255 visible ASCII characters, bare or in double quotes")
                })
            }
            (Some(_), Some(_)) => Err(refused("must be sent once")),
        })
    }
}

fn refused(detail: &'static str) -> Problem {
    Problem::field(format!("/{NAME}"), detail)
}

/// The text of a bare or quoted key.
fn key(line: &str) -> Option<String> {
    let line = line.trim();
    let text = match line.strip_prefix('"') {
        Some(rest) => unescaped(rest.strip_suffix('"')?)?,
        None if line.contains('"') => return None,
        None => line.to_owned(),
    };
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    (visible && (1..=MAX_CHARS).contains(&text.len())).then_some(text)
}

/// The content of a quoted string (RFC 9651, section 3.3.3): a backslash stands before a quote
/// or another backslash and nowhere else.
fn unescaped(quoted: &str) -> Option<String> {
    let mut text = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(char) = chars.next() {
        text.push(match char {
            '"' => return None,
            '\\' => chars.next().filter(|next| matches!(next, '"' | '\\'))?,
            other => other,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    async fn sent(lines: &[&str]) -> Result<Option<String>, String> {
        let mut request = TestRequest::default();
        for line in lines {
            request = request.append_header((NAME, *line));
        }
        match IdempotencyKey::extract(&request.to_http_request()).await {
            Ok(IdempotencyKey(key)) => Ok(key.map(|key| key.to_string())),
            Err(problem) => Err(String::from_utf8_lossy(&problem.document()).into_owned()),
        }
    }

    #[actix_web::test]
    async fn quoted_and_bare_forms_are_the_same_key() {
        let longest = "k".repeat(MAX_CHARS);
        for (line, expected) in [
            ("8e03978e-40d5-43dd", "8e03978e-40d5-43dd"),
            ("\"8e03978e-40d5-43dd\"", "8e03978e-40d5-43dd"),
            ("\"a\\\"b\\\\c\"", "a\"b\\c"),
            ("a\\b", "a\\b"),
            (" k ", "k"),
            (longest.as_str(), longest.as_str()),
        ] {
            assert_eq!(sent(&[line]).await, Ok(Some(expected.to_owned())), "{line}");
        }
        assert_eq!(sent(&[]).await, Ok(None));
    }

    #[actix_web::test]
    async fn what_is_no_key_is_refused_by_the_headers_name() {
        let long = "k".repeat(MAX_CHARS + 1);
        for lines in [
            &[""][..],
            &["\"\""],
            &["two words"],
            &["\"two words\""],
            &["\"open"],
            &["in\"side"],
            &["\"a\"b\""],
            &["\"a\\x\""],
            &["schlüssel"],
            &[long.as_str()],
            &["one", "two"],
        ] {
            let refusal = sent(lines).await.expect_err("a refusal");
            assert!(refusal.contains("\"pointer\":\"/idempotency-key\""), "{lines:?} {refusal}");
        }
    }
}
