//! A request, and how it is written to a connection.

use std::sync::Arc;

/// A request that can be sent any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: &'static str,
    path: Arc<str>,
    /// JSON; empty for requests without a body.
    body: String,
    /// The value of `Idempotency-Key`.
    key: Option<String>,
}

impl Call {
    pub(crate) fn get(path: impl Into<Arc<str>>) -> Self {
        Self { method: "GET", path: path.into(), body: String::new(), key: None }
    }

    pub(crate) fn delete(path: impl Into<Arc<str>>) -> Self {
        Self { method: "DELETE", ..Self::get(path) }
    }

    pub(crate) fn post(path: impl Into<Arc<str>>, body: String) -> Self {
        Self { method: "POST", body, ..Self::get(path) }
    }

    pub(crate) fn patch(path: impl Into<Arc<str>>, body: String) -> Self {
        Self { method: "PATCH", ..Self::post(path, body) }
    }

    /// The same request under an idempotency key.
    pub(crate) fn with_key(self, key: String) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Appends the request as HTTP/1.1. `token` authenticates the caller.
    pub(crate) fn write(&self, host: &str, token: Option<&str>, out: &mut Vec<u8>) {
        // Pieces are appended rather than formatted: this runs for every request.
        let mut add = |pieces: &[&str]| {
            pieces.iter().for_each(|piece| out.extend_from_slice(piece.as_bytes()));
        };
        add(&[self.method, " ", &self.path, " HTTP/1.1\r\nhost: ", host]);
        if let Some(token) = token {
            add(&["\r\nauthorization: Bearer ", token]);
        }
        if let Some(key) = &self.key {
            add(&["\r\nidempotency-key: ", key]);
        }
        if matches!(self.method, "POST" | "PATCH") {
            let length = self.body.len().to_string();
            add(&["\r\ncontent-type: application/json\r\ncontent-length: ", &length]);
        }
        add(&["\r\n\r\n", &self.body]);
    }
}

#[cfg(test)]
mod tests {
    use super::Call;

    fn written(call: &Call, token: Option<&str>) -> String {
        let mut out = Vec::new();
        call.write("localhost:8000", token, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_request_without_body_token_and_key_is_two_lines() {
        let text = written(&Call::get("/a?b=c"), None);
        assert_eq!(text, "GET /a?b=c HTTP/1.1\r\nhost: localhost:8000\r\n\r\n");
    }

    #[test]
    fn a_posted_body_comes_with_its_length_in_bytes() {
        let call = Call::post("/a", "{\"é\":1}".to_owned()).with_key("k-1".to_owned());
        let head = "POST /a HTTP/1.1\r\nhost: localhost:8000\r\nauthorization: Bearer t\r\n\
                    idempotency-key: k-1\r\ncontent-type: application/json\r\n\
                    content-length: 8\r\n\r\n";
        assert_eq!(written(&call, Some("t")), format!("{head}{{\"é\":1}}"));
    }
}
