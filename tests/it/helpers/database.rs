//! Which database a test runs on, and how long it may take.

/// The database behind a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// Whether the full figures are asked for instead of the short forms.
pub(crate) fn is_proof() -> bool {
    std::env::var("PROVE").is_ok_and(|value| value == "1")
}
