//! The road of a command from request to reply, as two pure state machines.
//!
//! [`property`] decides and waits for durability; [`lane`] gathers decided groups of many
//! properties into one transaction and finds out which of them failed. Both take an input and
//! return effects; actors and committers carry the messages and run the SQL. So both can be
//! simulated from a seed without actors or a database.

pub mod lane;
mod message;
pub mod property;
mod waiting;

/// Why a group was not committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The property's head was not where the group was decided: another writer was faster.
    Fenced,
    /// The head was locked by another writer for longer than strangers should wait.
    Contended,
    /// The idempotency key was used on another property.
    KeyTaken,
    /// The database's own guard found a night occupied that the calendar showed free.
    Guarded,
    /// The connection was lost and the group is known not to be committed.
    Lost,
    /// The database's disk is full.
    Full,
    /// Anything else that is wrong with this group alone.
    Failed,
}
