//! What the tests are written with: a server that is started as in production and stopped with its
//! database, people who cost nothing, a small HTTP client, a live socket, and bounded waits.
//!
//! Contract: a test sees the product from outside only (a process, its sockets, its log, its
//! database), never sleeps and never tries again. It waits for events, each with a bound.

mod address;
mod browser;
mod chance;
mod client;
mod database;
mod days;
mod event_stream;
mod interface;
mod load;
mod messages;
mod pay;
mod people;
mod proxy;
mod scene;
mod server;
mod socket;
mod storage;
mod stories;
mod wire;

pub(crate) use address::free_address;
pub(crate) use browser::{Driver, LOADED_WITHIN, PHONE_PX, Window};
pub(crate) use chance::Chance;
pub(crate) use client::{Answer, Ask, Document, home, property_id, with};
pub(crate) use database::{Database, is_proof};
pub(crate) use days::{day, nights};
pub(crate) use event_stream::EventStream;
pub(crate) use interface::{Operation, operations};
pub(crate) use load::Load;
pub(crate) use messages::is_described;
pub(crate) use pay::{Pay, SIGNING_SECRET};
pub(crate) use people::{PASSWORD, Person, SECRET, mint, now};
pub(crate) use proxy::Proxy;
pub(crate) use scene::Scene;
pub(crate) use server::{Server, run};
pub(crate) use socket::{Folded, Heard, Socket};
pub(crate) use storage::Storage;
pub(crate) use stories::{eventually, on_both, story};
pub(crate) use wire::{Wire, request};
