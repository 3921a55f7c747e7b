//! Live calendars and bookings over WebSocket: `protocol` has the messages, `session` one
//! connection, `subscription` a calendar that it follows, `budget` what it may say, `slot` what waits
//! for it, `connections` all of them, and `events` the same calendars as Server-Sent Events.
//!
//! Nothing here changes anything. It imports the engine for reading and the feed for following, and
//! knows nothing of HTTP routes.

mod budget;
mod connections;
mod events;
mod protocol;
mod session;
mod slot;
mod subscription;

pub use connections::{Connections, MAX_PER_ADDRESS, Place, TooMany, watch};
pub use events::{Following, events};
pub use session::{Opening, connect};
