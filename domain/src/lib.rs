//! The rules of renting as plain values.
//!
//! Nothing here is async, does IO, reads a clock or draws a random number: instants and ids are
//! arguments, so that every decision can be repeated, simulated from a seed and tested as a table.
//!
//! In reading order: what things are ([`id`], [`instant`], [`stay`], [`money`], [`zone`],
//! [`policy`], [`rules`], [`price`], [`property`], [`place`], [`quote`], [`status`],
//! [`booking`], [`payment`], [`block`], [`review`]), what a property's calendar looks like
//! ([`calendar`]), what happened ([`event`], [`codec`]), what is decided ([`command`],
//! [`refusal`], [`edit`], [`keys`], [`snapshot`], [`state`], [`decide`]), what a property was before
//! ([`past`]), what goes to the database ([`group`]), the two machines that carry a command from
//! request to reply ([`pipeline`]), and what is done about a payment ([`settlement`]).

pub mod block;
pub mod booking;
pub mod calendar;
pub mod codec;
pub mod command;
pub mod decide;
pub mod edit;
pub mod event;
pub mod group;
pub mod id;
pub mod instant;
pub mod keys;
pub mod money;
pub mod past;
pub mod payment;
pub mod pipeline;
pub mod place;
pub mod policy;
pub mod price;
pub mod property;
pub mod quote;
pub mod refusal;
pub mod review;
pub mod rules;
pub mod settlement;
pub mod snapshot;
pub mod state;
pub mod status;
pub mod stay;
pub mod switches;
pub mod zone;

pub use booking::Booking;
pub use calendar::{Calendar, NightState};
pub use event::{Event, Fact};
pub use id::{
    BlockId, BookingId, JobId, PaymentId, PropertyId, QuoteId, RefundId, ReviewId, UserId,
};
pub use instant::Instant;
pub use money::{Currency, Money};
pub use price::Price;
pub use property::Property;
pub use rules::Rules;
pub use status::{Awaiting, Status};
pub use stay::{Month, Night, Stay};
