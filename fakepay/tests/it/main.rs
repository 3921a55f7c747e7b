//! The stand-in over real HTTP: what it answers, tells and remembers.

mod daraja;
mod faults;
mod helpers;
mod idempotency;
mod intents;
mod official;
mod page;
mod refunds;
mod webhooks;
