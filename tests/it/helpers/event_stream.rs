//! A calendar as Server-Sent Events, read as the standard says (WHATWG HTML, 9.2.6).

use super::{Server, day, is_described};
use serde_json::Value;
use std::time::Duration;

const HEARD_WITHIN: Duration = Duration::from_secs(10);

/// One stream that is being read.
pub(crate) struct EventStream {
    response: reqwest::Response,
    read: String,
}

impl EventStream {
    /// Follows a home, as a client that was cut off after this event.
    pub(crate) async fn open(server: &Server, home: &str, last: Option<&str>) -> Self {
        Self::open_as(server, home, last, None).await
    }

    /// The same with an access token.
    pub(crate) async fn open_as(
        server: &Server,
        home: &str,
        last: Option<&str>,
        token: Option<&str>,
    ) -> Self {
        let window = format!("from={}&to={}", day(30), day(60));
        let path = format!("/api/v1/properties/{home}/calendar/stream?{window}");
        let mut request = server.http().get(format!("{}{path}", server.base()));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { response, read: String::new() }
    }

    /// The next event, which must be of this kind: its id and what it says.
    pub(crate) async fn expect(&mut self, kind: &str) -> (String, Value) {
        let block = self.block().await.expect("an event before the end");
        let field = |name: &str| {
            let value = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.unwrap_or_default().to_owned()
        };
        assert_eq!(field("event"), kind, "{block}");
        let message = serde_json::from_str(&field("data")).expect("a message");
        is_described(&message);
        assert_eq!(message["type"], kind);
        (field("id"), message)
    }

    /// Waits for the end, whatever is still said before it.
    pub(crate) async fn is_over(&mut self) {
        while self.block().await.is_some() {}
    }

    /// The next block that says something; nothing at the end.
    async fn block(&mut self) -> Option<String> {
        let reading = async {
            loop {
                if let Some((block, rest)) = self.read.split_once("\n\n") {
                    let (block, rest) = (block.to_owned(), rest.to_owned());
                    self.read = rest;
                    if block.lines().any(|line| line.starts_with("data: ")) {
                        return Some(block);
                    }
                } else {
                    let chunk = self.response.chunk().await.ok().flatten()?;
                    self.read.push_str(std::str::from_utf8(&chunk).expect("whole characters"));
                }
            }
        };
        tokio::time::timeout(HEARD_WITHIN, reading).await.expect("something in time")
    }
}
