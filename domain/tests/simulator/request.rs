//! What a client asked, of whom, and what was heard of it.

use domain::Instant;
use domain::command::Command;
use domain::event::Seq;
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
    /// It was sent again, to the successor of an actor that died.
    pub(crate) resent: bool,
    /// The second guard refused its group at least once.
    pub(crate) guarded: bool,
    /// The event that its key stood for when it was asked, in this body, and for how long.
    pub(crate) known: Option<(Seq, Instant)>,
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
            resent: false,
            guarded: false,
            known: None,
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.answer.is_none() && !self.lost
    }

    /// Whether the command may have been done, going by this answer. Who was sent again hears of
    /// what was done the first time, or nothing certain.
    pub(crate) fn may_be_done(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Done { .. } | Answer::Edited { .. } => true,
            Answer::Replay { .. } | Answer::Unchanged(_) | Answer::AsItIs | Answer::TooLate => {
                self.resent
            }
            Answer::Refused(_) | Answer::Missing | Answer::Failed | Answer::Full => false,
        }
    }

    /// Whether the caller was told that nothing was done.
    pub(crate) fn was_turned_away(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| !self.may_be_done(answer))
    }

    /// Whether the same command may be sent again: only a key tells for certain whether it was
    /// done, since what a booking's id stands for is forgotten when the booking ends.
    pub(crate) fn can_be_resent(&self) -> bool {
        self.command.key.is_some()
    }
}
