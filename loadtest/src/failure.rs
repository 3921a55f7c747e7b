//! Why a scenario could not be run at all. What a running scenario finds wrong with a server is not
//! a failure but a violation, and stands in the report.

/// Everything that ends a run before it has a result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The address of the server cannot be used.
    #[error("`{address}` is not an address like http://localhost:8000: {reason}")]
    Address { address: String, reason: &'static str },
    /// An option has a value with which the scenario makes no sense.
    #[error("{0}")]
    Options(String),
    /// The server did not answer while the run was being prepared, or while its lists were read.
    #[error("no answer to {step} from {address} within {seconds} s")]
    Silent { step: &'static str, address: String, seconds: u64 },
    /// The server answered something without which the scenario cannot go on.
    #[error("{step} was answered with {status}: {body}")]
    Refused { step: &'static str, status: u16, body: String },
    /// The server answered the right status with a body that cannot be read.
    #[error("the answer to {step} cannot be read: {source}")]
    Unreadable { step: &'static str, source: serde_json::Error },
    /// A socket of an audience could not be opened.
    #[error("a socket could not be opened: {0}")]
    Socket(String),
    /// The operating system gave no threads to run on.
    #[error("no threads to run on: {0}")]
    Threads(std::io::Error),
}
