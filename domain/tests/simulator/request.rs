//! What a client asked, of whom, and what was heard of it.

use domain::Instant;
use domain::command::Command;
use domain::pipeline::property::{Answer, Ticket};

/// One request and its one answer, if it ever got one.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) ticket: Ticket,
    pub(crate) node: usize,
    pub(crate) property: usize,
    pub(crate) command: Command,
    /// When it was in the actor's mailbox.
    pub(crate) asked_at: Instant,
    pub(crate) deadline: Instant,
    /// The actor that was to answer.
    pub(crate) actor: Option<u64>,
    pub(crate) answer: Option<Answer>,
    /// Whoever was to answer is dead.
    pub(crate) lost: bool,
    /// The second guard refused its group at least once.
    pub(crate) guarded: bool,
    /// The event that its key stood for when it was asked, in this body.
    pub(crate) known: Option<i64>,
}

impl Request {
    /// A request that has not arrived yet.
    pub(crate) fn new(ticket: Ticket, node: usize, property: usize, command: Command) -> Self {
        Self {
            ticket,
            node,
            property,
            command,
            asked_at: Instant::default(),
            deadline: Instant::default(),
            actor: None,
            answer: None,
            lost: false,
            guarded: false,
            known: None,
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.answer.is_none() && !self.lost
    }

    /// Whether the caller was told that nothing was done.
    pub(crate) fn was_turned_away(&self) -> bool {
        let no = |answer: &Answer| {
            matches!(
                answer,
                Answer::Refused(_)
                    | Answer::Failed
                    | Answer::TooLate
                    | Answer::Missing
                    | Answer::Unchanged(_)
                    | Answer::Replay { .. }
            )
        };
        self.answer.as_ref().is_some_and(no)
    }
}
