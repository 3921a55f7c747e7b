//! The property machine: decides commands in memory, answers them when they are durable.
//!
//! It holds the newest state (with what is decided but not durable), the durable snapshot, the
//! groups on their way to the database in order, and every caller that waits. Ordering: replies,
//! snapshots and deltas follow commits only, in the order of seq. Bounds: every waiting command
//! was admitted by the handle, so all lists here are bounded by its limit. It knows no clock, no
//! database and no actor.

use super::Rejection;
pub use super::message::{Answer, Effect, Input, Ticket};
use super::waiting::{self, Pending, Unread, Waiting};
use crate::command::{Command, Intent};
use crate::decide::Verdict;
use crate::event::{Head, Seq};
use crate::group::{Group, GroupId, Incarnation};
use crate::refusal::{Code, Reason, Refusal};
use crate::snapshot::Snapshot;
use crate::state::{NO_SEQ, Settings, State, Stored};
use crate::switches::Bug;
use crate::{BookingId, Instant, Stay};
use std::collections::VecDeque;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There is no state to decide on.
    Loading,
    Ready,
    /// Groups are being written under the head's lock; nothing is decided on top of them.
    Turn,
    /// There is no such property.
    Missing,
}

/// One property's decisions, pending and durable. See the module's page.
#[derive(Debug)]
pub struct Machine {
    settings: Settings,
    incarnation: Incarnation,
    phase: Phase,
    state: Option<State>,
    durable: Option<Arc<Snapshot>>,
    pending: VecDeque<Pending>,
    /// Waits for the event of this seq before it is decided again.
    parked: Vec<(Seq, Waiting)>,
    /// Waits until there is a state to decide on.
    backlog: VecDeque<Waiting>,
    /// Those that wait for a read of the head to begin, and those that wait for its end.
    unread: Vec<Unread>,
    reading: Vec<Unread>,
    is_reading: bool,
}

type Effects = Vec<Effect>;

impl Machine {
    /// A machine that asks for its first load at once. `incarnation` is larger than any that this
    /// property had in this process before, by a margin that leaves room for its reloads.
    pub fn new(settings: Settings, incarnation: Incarnation, out: &mut Effects) -> Self {
        out.push(Effect::Load { incarnation, turn: false });
        Self {
            settings,
            incarnation,
            phase: Phase::Loading,
            state: None,
            durable: None,
            pending: VecDeque::new(),
            parked: Vec::new(),
            backlog: VecDeque::new(),
            unread: Vec::new(),
            reading: Vec::new(),
            is_reading: false,
        }
    }

    /// Whether nobody waits for anything: the actor may go to sleep.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Ready | Phase::Missing)
            && self.pending.is_empty()
            && self.parked.is_empty()
            && self.backlog.is_empty()
            && self.unread.is_empty()
            && self.reading.is_empty()
    }

    /// The nearest instant at which a tick would do something.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.state.as_ref()?.next_deadline()
    }

    /// The newest decided event, durable or not; none while there is no state.
    pub fn newest_seq(&self) -> Option<Seq> {
        self.state.as_ref().map(|state| state.head.seq)
    }

    /// The newest event that is known to be durable; none before the first load.
    pub fn durable_seq(&self) -> Option<Seq> {
        self.durable.as_ref().map(|durable| durable.head.seq)
    }

    /// Takes one input and adds what is to be done to `out`.
    pub fn step(&mut self, now: Instant, input: Input, out: &mut Effects) {
        match input {
            Input::Submit { ticket, command, deadline } => {
                let waiting = Waiting { ticket, command, deadline, guarded: 0, read: None };
                self.submit(waiting, now, out);
            }
            Input::Tick => {
                self.give_up(now, out);
                if self.phase == Phase::Ready {
                    self.enforce_deadlines(now, out);
                }
            }
            Input::Loaded { incarnation, stored, turn } => {
                if incarnation == self.incarnation {
                    self.loaded(*stored, turn, now, out);
                }
            }
            Input::Missing => {
                self.phase = Phase::Missing;
                for waiting in self.backlog.drain(..) {
                    out.push(Effect::Reply(waiting.ticket, Answer::Missing));
                }
            }
            Input::Outcome { group, result } => {
                if group.incarnation == self.incarnation {
                    match result {
                        Ok(()) => self.committed(group, now, out),
                        Err(rejection) => self.rejected(group, &rejection, out),
                    }
                }
            }
            Input::HeadRead { head } => self.head_read(head, now, out),
            Input::HeadSeen { head } => {
                // With groups on their way, what becomes of them will tell.
                if self.phase == Phase::Ready && self.pending.is_empty() && self.is_news(head) {
                    self.reload(false, out);
                }
            }
        }
        self.begin_read(out);
    }

    fn submit(&mut self, waiting: Waiting, now: Instant, out: &mut Effects) {
        match self.phase {
            Phase::Loading | Phase::Turn => self.backlog.push_back(waiting),
            Phase::Missing => out.push(Effect::Reply(waiting.ticket, Answer::Missing)),
            Phase::Ready => {
                self.enforce_deadlines(now, out);
                self.decide(waiting, now, out);
            }
        }
    }

    /// Answers those whose time is over and for whom nothing is on its way, however long the
    /// database takes.
    fn give_up(&mut self, now: Instant, out: &mut Effects) {
        let mut waits = |waiting: &Waiting| {
            let late = now >= waiting.deadline;
            if late {
                out.push(Effect::Reply(waiting.ticket, Answer::TooLate));
            }
            !late
        };
        self.backlog.retain(&mut waits);
        self.parked.retain(|(_, waiting)| waits(waiting));
        self.unread.retain(|unread| waits(&unread.waiting));
        self.reading.retain(|unread| waits(&unread.waiting));
    }

    fn enforce_deadlines(&mut self, now: Instant, out: &mut Effects) {
        while let Some(state) = self.state.as_mut()
            && let Some(group) = state.enforce_deadline(self.incarnation, now)
        {
            self.offer(group, None, out);
        }
    }

    fn decide(&mut self, waiting: Waiting, now: Instant, out: &mut Effects) {
        if now >= waiting.deadline {
            out.push(Effect::Reply(waiting.ticket, Answer::TooLate));
            return;
        }
        let Some(state) = self.state.as_mut() else {
            self.backlog.push_back(waiting);
            return;
        };
        match state.decide(&waiting.command, self.incarnation, now) {
            Verdict::Write(group) => self.offer(*group, Some(waiting), out),
            Verdict::Unchanged(booking) => match self.pending_on_booking(booking.id) {
                Some(seq) => self.parked.push((seq, waiting)),
                None => self.answer(waiting, Answer::Unchanged(booking), out),
            },
            Verdict::NothingToEdit => match self.pending.back() {
                Some(pending) => self.parked.push((pending.group.head.seq, waiting)),
                None => self.answer(waiting, Answer::AsItIs, out),
            },
            Verdict::Replay { booking, seq } => {
                if self.is_durable(seq) {
                    out.push(Effect::Reply(waiting.ticket, Answer::Replay { booking, seq }));
                } else {
                    self.parked.push((seq, waiting));
                }
            }
            Verdict::Refused(refusal) => self.refuse(waiting, refusal, now, out),
        }
    }

    /// A refusal by durable facts alone is answered from them; one that an event on its way plays
    /// a part in waits for that event, so that nobody is turned away by a booking that never
    /// became real.
    fn refuse(&mut self, waiting: Waiting, refusal: Refusal, now: Instant, out: &mut Effects) {
        let (refusal, pending) = match (&waiting.command.intent, refusal) {
            (
                Intent::Book { booking, stay, guests, .. }
                | Intent::Change { booking, stay, guests, .. },
                refusal @ Refusal::Unavailable { .. },
            ) => match self.durable_refusal(*booking, *stay, *guests, now) {
                Some(durable) => (durable, None),
                None => {
                    let own = self.pending_on_booking(*booking);
                    (refusal, self.pending_on_stay(*stay).max(own))
                }
            },
            // A key is never freed, so only the key's own event can be missing.
            (_, Refusal::KeyReused) => (
                Refusal::KeyReused,
                self.key_seq(&waiting.command).filter(|s| !self.is_durable(*s)),
            ),
            (_, Refusal::PendingHere(hold)) => {
                (Refusal::PendingHere(hold), self.pending_on_booking(hold.booking))
            }
            (intent, refusal) => {
                let pending = match intent.booking() {
                    Some(booking) => self.pending_on_step(booking),
                    // Anything may stand in the way of an edit.
                    None => self.pending.back().map(|pending| pending.group.head.seq),
                };
                (refusal, pending)
            }
        };
        if let Some(seq) = pending {
            self.parked.push((seq, waiting));
            return;
        }
        if refusal == Refusal::KeyReused {
            out.push(Effect::Reply(waiting.ticket, Answer::Refused(refusal)));
        } else {
            self.answer(waiting, Answer::Refused(refusal), out);
        }
    }

    /// Answers from what is durable here. If another process may have written meanwhile, the store
    /// must have been seen to be no further than that, at a moment since the caller came.
    fn answer(&mut self, waiting: Waiting, answer: Answer, out: &mut Effects) {
        if !self.settings.shared || waiting.read.is_some_and(|seq| self.is_durable(seq)) {
            out.push(Effect::Reply(waiting.ticket, answer));
        } else {
            let decided_on = self.durable.as_ref().map_or(NO_SEQ, |durable| durable.head.seq);
            self.unread.push(Unread { waiting, answer, decided_on });
        }
    }

    fn offer(&mut self, group: Group, waiting: Option<Waiting>, out: &mut Effects) {
        let Some(after) = self.state.as_ref().map(State::snapshot) else { return };
        let group = Arc::new(group);
        if self.settings.switches.has(Bug::PublishBeforeCommit) {
            out.push(Effect::Publish(Arc::clone(&after)));
        }
        if self.settings.switches.has(Bug::ReplyBeforeCommit)
            && let Some(waiting) = &waiting
        {
            out.push(Effect::Reply(waiting.ticket, Answer::done(&group)));
        }
        if self.phase == Phase::Ready {
            out.push(Effect::Offer(Arc::clone(&group)));
        }
        self.pending.push_back(Pending { group, after, waiting });
    }

    fn committed(&mut self, id: GroupId, now: Instant, out: &mut Effects) {
        if self.pending.front().is_none_or(|pending| pending.group.id != id) {
            return;
        }
        let Some(Pending { group, after, waiting }) = self.pending.pop_front() else { return };
        self.durable = Some(Arc::clone(&after));
        out.push(Effect::Publish(after));
        if let Some(waiting) = waiting
            && !self.settings.switches.has(Bug::ReplyBeforeCommit)
        {
            out.push(Effect::Reply(waiting.ticket, Answer::done(&group)));
        }
        let seq = group.head.seq;
        out.push(Effect::Committed(group));
        if self.phase == Phase::Turn && self.pending.is_empty() {
            self.phase = Phase::Ready;
            self.drain_backlog(now, out);
        }
        self.unpark(seq, now, out);
    }

    fn unpark(&mut self, seq: Seq, now: Instant, out: &mut Effects) {
        if self.parked.is_empty() {
            return;
        }
        let (ready, parked) =
            std::mem::take(&mut self.parked).into_iter().partition(|(needs, _)| *needs <= seq);
        self.parked = parked;
        let ready: Vec<(Seq, Waiting)> = ready;
        for (_, waiting) in ready {
            self.submit(waiting, now, out);
        }
    }

    fn rejected(&mut self, id: GroupId, rejection: &Rejection, out: &mut Effects) {
        let Some(at) = self.pending.iter().position(|pending| pending.group.id == id) else {
            return;
        };
        let guilty = &mut self.pending[at];
        let verdict = match (rejection, guilty.waiting.as_mut()) {
            (Rejection::KeyTaken, Some(_)) => Some(Answer::Refused(Refusal::KeyReused)),
            (Rejection::Failed, Some(_)) => Some(Answer::Failed),
            (Rejection::Full, Some(_)) => Some(Answer::Full),
            (Rejection::Guarded, Some(waiting)) => {
                waiting.guarded += 1;
                (waiting.guarded > 1).then(|| Answer::Refused(guarded(&waiting.command)))
            }
            _ => None,
        };
        if let Some(answer) = verdict
            && let Some(waiting) = guilty.waiting.take()
        {
            out.push(Effect::Reply(waiting.ticket, answer));
        }
        let turn = matches!(rejection, Rejection::Fenced | Rejection::Contended);
        self.reload(turn, out);
    }

    /// Throws the state away and decides everything that waits again, on what is stored.
    fn reload(&mut self, turn: bool, out: &mut Effects) {
        let mut waiting: Vec<Waiting> = std::mem::take(&mut self.backlog).into();
        waiting.extend(self.pending.drain(..).filter_map(|pending| pending.waiting));
        waiting.extend(self.parked.drain(..).map(|(_, waiting)| waiting));
        waiting.extend(self.unread.drain(..).map(|unread| unread.waiting));
        waiting.extend(self.reading.drain(..).map(|unread| unread.waiting));
        waiting.sort_by_key(|waiting| waiting.ticket);
        if self.settings.switches.has(Bug::ReplyBeforeCommit) {
            // The planted bug has answered them already.
            waiting.clear();
        }
        self.backlog = waiting.into();
        self.state = None;
        self.phase = Phase::Loading;
        self.incarnation += 1;
        out.push(Effect::Load { incarnation: self.incarnation, turn });
    }

    fn loaded(&mut self, stored: Stored, turn: bool, now: Instant, out: &mut Effects) {
        let state = State::load(stored, self.settings);
        let snapshot = state.snapshot();
        self.durable = Some(Arc::clone(&snapshot));
        self.state = Some(state);
        out.push(Effect::Publish(snapshot));
        self.phase = if turn { Phase::Turn } else { Phase::Ready };
        self.enforce_deadlines(now, out);
        let backlog = std::mem::take(&mut self.backlog);
        for waiting in backlog {
            self.decide(waiting, now, out);
        }
        if turn {
            let groups: Vec<_> = self.pending.iter().map(|p| Arc::clone(&p.group)).collect();
            if groups.is_empty() {
                self.phase = Phase::Ready;
            }
            out.push(Effect::Turn(groups));
        }
    }

    fn drain_backlog(&mut self, now: Instant, out: &mut Effects) {
        self.enforce_deadlines(now, out);
        for waiting in std::mem::take(&mut self.backlog) {
            self.decide(waiting, now, out);
        }
    }

    fn begin_read(&mut self, out: &mut Effects) {
        if !self.is_reading && !self.unread.is_empty() {
            self.is_reading = true;
            self.reading = std::mem::take(&mut self.unread);
            out.push(Effect::ReadHead);
        }
    }

    /// One read of the head, begun after they were decided, serves all answers that waited for it.
    /// What was decided on exactly this head is so. What we have written ourselves since then is
    /// decided again when its outcome is known. If another process has written, everything is
    /// decided again: at once, or after the groups on their way, which may have been written just
    /// before and must not be forgotten.
    fn head_read(&mut self, head: Head, now: Instant, out: &mut Effects) {
        self.is_reading = false;
        let on_it = self.pending.iter().find(|pending| pending.group.head == head);
        let outcome = on_it.or(self.pending.back()).map(|pending| pending.group.head.seq);
        let is_news = self.is_news(head);
        if is_news && outcome.is_none() && !self.reading.is_empty() {
            self.reload(false, out);
        }
        for Unread { mut waiting, answer, decided_on } in std::mem::take(&mut self.reading) {
            waiting.read = Some(head.seq);
            match outcome {
                _ if decided_on == head.seq => out.push(Effect::Reply(waiting.ticket, answer)),
                Some(seq) if is_news => self.parked.push((seq, waiting)),
                _ => self.submit(waiting, now, out),
            }
        }
    }

    /// Why the stay cannot be had by durable facts alone, if it cannot. A booking that is to be
    /// changed counts with the nights that it is decided to have: where these are not durable
    /// either, its own event is waited for.
    fn durable_refusal(
        &self,
        booking: BookingId,
        stay: Stay,
        guests: u16,
        now: Instant,
    ) -> Option<Refusal> {
        let ground = self.durable.as_ref()?.ground(now);
        let known = self.state.as_ref().and_then(|state| state.booking(booking));
        let ground = match known {
            Some(_) if self.pending_on_booking(booking).is_some() => return None,
            Some(known) => ground.keeping(booking, known.stay),
            None => ground,
        };
        let reasons = ground.reasons(stay, guests);
        (!reasons.is_empty()).then(|| Refusal::Unavailable {
            reasons,
            alternatives: ground.alternatives(stay, guests),
        })
    }

    /// Whether another process has written what is not known here.
    fn is_news(&self, head: Head) -> bool {
        self.durable.as_ref().is_some_and(|durable| durable.head.seq < head.seq)
    }

    fn is_durable(&self, seq: Seq) -> bool {
        self.durable.as_ref().is_some_and(|durable| seq <= durable.head.seq)
    }

    fn key_seq(&self, command: &Command) -> Option<Seq> {
        let key = command.key.as_ref()?;
        Some(self.state.as_ref()?.key(key.caller, &key.text)?.seq)
    }

    fn pending_on_step(&self, id: BookingId) -> Option<Seq> {
        let stay = self.state.as_ref().and_then(|s| s.booking(id)).map(|b| b.stay);
        let on_stay = stay.and_then(|stay| self.pending_on_stay(stay));
        on_stay.or_else(|| self.pending_on_booking(id))
    }

    fn pending_on_booking(&self, id: BookingId) -> Option<Seq> {
        waiting::on_booking(&self.pending, id)
    }

    fn pending_on_stay(&self, stay: Stay) -> Option<Seq> {
        // A stay that ends shortly before this one, or begins shortly after it, counts too.
        let preparation = self.state.as_ref().map(|s| s.property.rules.preparation_nights);
        waiting::on_stay(&self.pending, stay.widened(preparation.unwrap_or_default()))
    }
}

/// The refusal of a command that the database's own guard refused twice.
fn guarded(command: &Command) -> Refusal {
    let nights = match &command.intent {
        Intent::Book { stay, .. } | Intent::Change { stay, .. } => stay.each_night().collect(),
        _ => Vec::new(),
    };
    let code = Code::UnavailableBooked;
    let reason = Reason { code, nights, held_until: None, limit: None };
    Refusal::Unavailable { reasons: vec![reason], alternatives: Vec::new() }
}
