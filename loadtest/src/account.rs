//! Accounts that a run registers: one host, who owns every property, and a guest for each client.

use std::fmt::Write;

use uuid::Uuid;

/// What sets one run apart from every other against the same server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunId(Uuid);

impl RunId {
    #[expect(clippy::disallowed_methods, reason = "a load generator shares no ids with a server")]
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// A seed for the run's choices, where none was given.
    pub(crate) fn seed(self) -> u64 {
        self.0.as_u64_pair().1
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

/// Name and password of one user.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) role: &'static str,
    name: String,
    run: RunId,
}

impl Account {
    pub(crate) fn host(run: RunId) -> Self {
        Self { role: "host", name: "host".to_owned(), run }
    }

    pub(crate) fn guest(run: RunId, number: u32) -> Self {
        Self { role: "guest", name: format!("guest-{number}"), run }
    }

    /// The start of the account's idempotency keys, which never repeat on one server.
    pub(crate) fn key_prefix(&self) -> String {
        format!("{}-{}-", self.run, self.name)
    }

    /// The body of `POST /users`.
    pub(crate) fn registration(&self) -> String {
        let mut body = self.credentials();
        body.pop();
        let _ = write!(body, r#","first_name":"Load","last_name":"Test","role":"{}"}}"#, self.role);
        body
    }

    /// The body of `POST /auth/login`.
    pub(crate) fn credentials(&self) -> String {
        // The password is as random as the run's id; nothing in it needs escaping.
        let Self { name, run, .. } = self;
        format!(r#"{{"email":"{name}-{run}@example.com","password":"{run}/{name}"}}"#)
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, RunId};

    #[test]
    fn a_registration_is_json_with_the_fields_of_the_contract() {
        let account = Account::guest(RunId::new(), 7);
        let body: serde_json::Value = serde_json::from_str(&account.registration()).expect("JSON");
        for field in ["email", "password", "first_name", "last_name", "role"] {
            assert!(body[field].is_string(), "{field} is missing");
        }
        assert!(body["password"].as_str().is_some_and(|password| password.len() >= 12));
    }
}
