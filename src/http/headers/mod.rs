//! What answers carry besides their bodies: the request's id, security headers, entity tags.

pub mod envelope;
pub mod etag;

pub use envelope::{envelope, request_id};
pub use etag::ETag;
