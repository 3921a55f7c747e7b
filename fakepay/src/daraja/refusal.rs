//! Daraja's errors.

use serde_json::{Value, json};

/// Why a request has no result.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    /// A field is missing or bad.
    pub(super) fn field(name: &str) -> Self {
        let message = format!("Bad Request - Invalid {name}");
        Self { status: 400, code: "400.002.02", message }
    }

    pub(super) fn grant() -> Self {
        let message = "Invalid grant type passed".into();
        Self { status: 400, code: "400.008.02", message }
    }

    pub(super) fn authentication() -> Self {
        let message = "Invalid Authentication passed".into();
        Self { status: 400, code: "400.008.01", message }
    }

    pub(super) fn token() -> Self {
        Self { status: 404, code: "404.001.03", message: "Invalid Access Token".into() }
    }

    /// A wrong password, which has the same code as [`Refusal::pending`].
    pub(super) fn credentials() -> Self {
        Self { status: 500, code: "500.001.1001", message: "Wrong credentials".into() }
    }

    /// The customer has not answered yet.
    pub(super) fn pending() -> Self {
        let message = "The transaction is being processed".into();
        Self { status: 500, code: "500.001.1001", message }
    }

    pub(super) fn broken() -> Self {
        Self { status: 500, code: "500.003.1001", message: "Internal Server Error".into() }
    }

    pub(super) fn too_many() -> Self {
        let message = "Spike arrest violation".into();
        Self { status: 429, code: "500.003.02", message }
    }

    pub(super) fn body(&self, request: &str) -> Value {
        json!({ "requestId": request, "errorCode": self.code, "errorMessage": self.message })
    }
}
