//! The scenarios against a stand-in for the server, and the checker against planted lies.

mod checker;
mod fake;
mod scenarios;
