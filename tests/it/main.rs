//! The product from outside: the real binary over HTTP and WebSocket, on SQLite and PostgreSQL.
//!
//! One file per subject. `cargo xtask test` runs everything in its short form with the servers and
//! programs that are needed; `cargo xtask prove` takes the full figures.

mod helpers;

mod accounts;
mod as_of;
mod audience;
mod bad_input;
mod blind_reviews;
mod board;
mod bystanders;
mod calendar_edits;
mod changes;
mod contention;
mod converge;
mod crash;
mod described;
mod edge;
mod hoarding;
mod http;
mod keys;
mod large;
mod lists;
mod live;
mod logins;
mod looks;
mod money;
mod odd_data;
mod offline;
mod openapi;
mod ownership;
mod page;
mod payments;
mod properties;
mod put;
mod quotes;
mod races;
mod readiness;
mod replay;
mod resets;
mod reviews;
mod search;
mod secrets;
mod seed;
mod shutdown;
mod stampede;
mod story;
mod texts;
mod tidy;
mod trace;
mod two_servers;
mod widget;
mod ws;
