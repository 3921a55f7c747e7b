//! The property actors and what they need: one actor per property decides every booking.
//!
//! From outside there is only the [`Registry`]: it finds or starts a property's actor, admits a
//! command or says that there is no room, and waits for the answer. Inside, `property` carries
//! messages for the pure machine in [`domain::pipeline::property`], and `committer` runs the SQL
//! for [`domain::pipeline::lane`]. Together with `src/ws` this is the only place that names actix
//! actors. It knows no HTTP and no wire format.

mod admission;
mod committer;
mod property;
mod registry;
#[cfg(test)]
mod tests;

pub use admission::Urgency;
pub use registry::{Busy, Registry, RegistryOptions, Unsettled};
