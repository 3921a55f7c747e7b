//! Stripe's errors: their types, codes and statuses.
//! Source: <https://docs.stripe.com/api/errors>.

use serde_json::{Map, Value, json};

/// Why a request has no result.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// Whether the same idempotency key gets the same refusal again: it does once the request was
    /// being carried out, and not where its parameters were bad.
    pub(super) is_kept: bool,
    error: Map<String, Value>,
}

impl Refusal {
    fn new(status: u16, kind: &str, message: &str) -> Self {
        let mut error = Map::new();
        error.insert("message".into(), message.into());
        error.insert("type".into(), kind.into());
        Self { status, is_kept: false, error }
    }

    /// Adds a word to the error; an empty one is left out.
    fn with(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.error.insert(name.into(), value.into());
        }
        self
    }

    fn code(self, code: &str) -> Self {
        let page = code.replace('_', "-");
        let is_coded = !code.is_empty();
        let coded = self.with("code", code);
        if !is_coded {
            return coded;
        }
        coded.with("doc_url", &format!("https://stripe.com/docs/error-codes/{page}"))
    }

    /// A parameter is missing or bad; an empty code or name is left out.
    pub(super) fn parameter(code: &str, name: &str, message: &str) -> Self {
        Self::new(400, "invalid_request_error", message).code(code).with("param", name)
    }

    /// There is no such thing.
    pub(super) fn missing(what: &str, id: &str, name: &str) -> Self {
        let message = format!("No such {what}: '{id}'");
        let refusal = Self::new(404, "invalid_request_error", &message);
        refusal.code("resource_missing").with("param", name)
    }

    /// The parameters are good, but things are not as they would have to be.
    pub(super) fn unfit(code: &str, name: &str, message: &str) -> Self {
        Self { is_kept: true, ..Self::parameter(code, name, message) }
    }

    /// The bank said no.
    pub(super) fn declined(last_payment_error: &Map<String, Value>) -> Self {
        Self { status: 402, is_kept: true, error: last_payment_error.clone() }
    }

    /// Shows the intent as it is now.
    pub(super) fn about(mut self, intent: Value) -> Self {
        self.error.insert("payment_intent".into(), intent);
        self
    }

    pub(super) fn no_key() -> Self {
        let message = "You did not provide an API key. Send it as a bearer token, or as the user \
                       of basic authentication; one for tests begins with sk_test_.";
        Self::new(401, "invalid_request_error", message)
    }

    pub(super) fn too_many() -> Self {
        Self::new(429, "rate_limit_error", "Too many requests. Wait, then try again.")
            .code("rate_limit")
    }

    /// The stand-in keeps no more of these.
    pub(super) fn full() -> Self {
        Self::new(429, "rate_limit_error", "The stand-in is full. Start another.")
    }

    /// Whatever was asked for may have happened.
    pub(super) fn broken() -> Self {
        let message = "An unexpected error occurred. What was asked for may have happened.";
        Self { is_kept: true, ..Self::new(500, "api_error", message) }
    }

    pub(super) fn other_request(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were \
             first used with. Try using a key other than '{key}' if you meant to execute a \
             different request."
        );
        Self::new(400, "idempotency_error", &message)
    }

    pub(super) fn in_flight(key: &str) -> Self {
        let message = format!("Another request with the idempotency key '{key}' is in progress.");
        Self::new(409, "invalid_request_error", &message).code("idempotency_key_in_use")
    }

    pub(super) fn body(self) -> Value {
        json!({ "error": self.error })
    }
}
