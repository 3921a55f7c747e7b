//! A stand-in for Stripe and for Safaricom's Daraja (M-Pesa): the routes that the product calls,
//! over real HTTP, with state, idempotency, signed webhooks, and faults on request. Who talks to
//! it cannot tell it from the real ones by what it answers.
//!
//! | where | what |
//! |---|---|
//! | `stripe/` | payment intents, refunds, events; `intent.rs` is the machine of their states |
//! | `daraja/` | pushes to phones, queries, reversals |
//! | `pay/` | the hosted page: Pay and Decline, or Authenticate and Fail |
//! | `outbox/` | what is sent to others: webhooks and callbacks, in order, tried again |
//! | `faults.rs`, `control/` | what goes wrong on request, the clock, the books |
//! | `keeper.rs` | keeps all of it in a file, where there is one |
//! | `world.rs` | all state behind one mutex, and what falls due in it |
//!
//! Nothing is kept on disk unless the settings name a file. All state is bounded. Every decision
//! is made under the one mutex without waiting; what waits (answers that are held back,
//! deliveries, the disk) waits without it.

mod clock;
mod control;
mod daraja;
mod ending;
mod faults;
mod ids;
mod keeper;
mod outbox;
mod pay;
mod routes;
mod server;
mod settings;
mod shelf;
mod signature;
mod stripe;
mod world;

pub use server::Fakepay;
pub use settings::{Merchant, Settings, Webhook, WebhookError};
