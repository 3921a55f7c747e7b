//! The stand-in over real HTTP: what it answers, tells and remembers.

mod books;
mod daraja;
mod faults;
mod helpers;
mod idempotency;
mod in_process;
mod intents;
mod official;
mod page;
mod refunds;
mod webhooks;
