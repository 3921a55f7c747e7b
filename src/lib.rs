//! Vacancy: a booking engine for short stays.
//!
//! One actor per property decides every booking in memory, a database makes it durable, and every
//! calendar on every screen follows. The map of the house, in the order in which a booking walks
//! through it (imports run the other way, which a test checks):
//!
//! * [`http`] and [`ws`] translate between the wire and domain values; they hold no rules.
//! * [`engine`] is what the product can do, as functions; it checks rights.
//! * [`actors`] has one actor per property, and the lanes that commit what actors decide.
//! * [`feed`] carries durable events to live calendars; [`auth`] and [`payments`] do what they say.
//! * [`store`] is SQLite or PostgreSQL; the rules themselves are the crate `domain`.
//! * [`jobs`] works off what commits left to do; [`demo`] fills an empty evening.
//! * [`app`] puts it all together; [`config`], [`clock`] and [`ids`] are handed to everybody.

pub mod actors;
pub mod app;
pub mod auth;
pub mod clock;
pub mod config;
pub mod demo;
pub mod engine;
pub mod feed;
pub mod http;
pub mod ids;
pub mod jobs;
pub mod payments;
pub mod store;
pub mod ws;
