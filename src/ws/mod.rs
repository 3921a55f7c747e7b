//! Live calendars over WebSocket: `protocol` has the messages, `session` one connection.
//!
//! Public calendars only; nothing here changes anything. It imports the engine for reading and the
//! feed for following, and knows nothing of HTTP routes.

mod protocol;
mod session;

pub use session::connect;
