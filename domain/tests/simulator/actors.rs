//! The shell around the property machines: it brings them what they are told and does what they
//! want, and shows all of it to the oracle.

use crate::answers::Hearing;
use crate::coverage::Reached;
use crate::ledger::Checked;
use crate::node::Actor;
use crate::oracle::Oracle;
use crate::queue::{Address, Event, Fate};
use crate::request::Request;
use crate::store::Turn;
use crate::world::World;
use domain::booking::{Cause, Step};
use domain::command::Command;
use domain::command::Intent;
use domain::event::{By, Seq};
use domain::group::Group;
use domain::keys::KEY_TTL;
use domain::pipeline::property::{Answer, Effect, Input, Machine, Ticket};
use domain::refusal::Refusal;
use domain::{Fact, Instant};
use std::sync::Arc;

impl World {
    /// A request reaches its node, and there its actor.
    pub(crate) fn arrive(&mut self, ticket: Ticket) -> Checked {
        let Some(request) = self.requests.get(&ticket) else { return Ok(()) };
        let (node, property, command) = (request.node, request.property, request.command.clone());
        if !self.nodes[node].is_up {
            self.lose(ticket);
            return Ok(());
        }
        let address = self.find_actor(node, property)?;
        let (now, patience) = (self.queue.now(), self.patience());
        let known = self.known(property, &command);
        if self.has_twin(ticket, address.actor) {
            self.reach(Reached::DuplicateKeyInFlight);
        }
        let Some(request) = self.requests.get_mut(&ticket) else { return Ok(()) };
        if !request.resent {
            request.asked_at = now;
            request.deadline = now.plus(patience);
            request.known = known;
        }
        request.actor = Some(address.actor);
        let deadline = request.deadline;
        self.step(address, Input::Submit { ticket, command, deadline })
    }

    /// Whether a request with the same key waits for the same actor.
    fn has_twin(&self, ticket: Ticket, actor: u64) -> bool {
        let key = |request: &Request| request.command.key.as_ref().map(|key| key.text.clone());
        let mine = self.requests.get(&ticket).and_then(key);
        let twin = |other: &Request| {
            other.actor == Some(actor) && other.ticket != ticket && key(other) == mine
        };
        mine.is_some() && self.requests.values().filter(|r| r.is_waiting()).any(twin)
    }

    /// The event that a key stands for already, in this body and on this property, and for how
    /// long.
    fn known(&self, property: usize, command: &Command) -> Option<(Seq, Instant)> {
        let key = command.key.as_ref()?;
        let row = self.store.keys.get(&(key.caller, Arc::clone(&key.text)))?;
        let same = row.property == self.store.tables[property].property.id
            && row.used.key.request == key.request;
        same.then(|| (row.used.seq, row.used.at.plus(KEY_TTL)))
    }

    /// The property's actor on this node; it comes to life when somebody needs it.
    pub(crate) fn find_actor(&mut self, node: usize, property: usize) -> Checked<Address> {
        let desk = &mut self.nodes[node].desks[property];
        if let Some(actor) = &desk.actor {
            return Ok(Address { node, property, actor: actor.number });
        }
        self.actors += 1;
        let number = self.actors;
        let mut effects = Vec::new();
        let machine = Machine::new(self.plan.settings, desk.begin_life(), &mut effects);
        desk.actor = Some(Actor { number, machine, turn: None });
        let address = Address { node, property, actor: number };
        for effect in effects {
            self.perform(address, effect)?;
        }
        Ok(address)
    }

    pub(crate) fn actor(&mut self, address: Address) -> Option<&mut Actor> {
        let actor = self.nodes[address.node].desks[address.property].actor.as_mut()?;
        (actor.number == address.actor).then_some(actor)
    }

    /// A message reaches an actor, if it still lives.
    pub(crate) fn deliver(&mut self, address: Address, input: Input) -> Checked {
        if self.actor(address).is_none() {
            return Ok(());
        }
        if let Input::Loaded { stored, incarnation, turn } = &input {
            let desk = &mut self.nodes[address.node].desks[address.property];
            Oracle::see_load(&mut desk.told, stored.head.seq)?;
            if let Some(actor) = desk.actor.as_mut().filter(|_| *turn) {
                actor.turn = Some(Turn { owner: address, incarnation: *incarnation });
            }
        }
        self.step(address, input)
    }

    /// Tells the machine and does what it wants.
    pub(crate) fn step(&mut self, address: Address, input: Input) -> Checked {
        let now = self.queue.now();
        let mut effects = std::mem::take(&mut self.effects);
        let (reads, ticks) =
            (matches!(input, Input::HeadRead { .. }), matches!(input, Input::Tick));
        if let Some(actor) = self.actor(address) {
            actor.machine.step(now, input, &mut effects);
        }
        if reads && effects.iter().any(|effect| matches!(effect, Effect::Load { .. })) {
            self.reach(Reached::StaleRefusal);
        }
        let gives_up = |effect: &Effect| matches!(effect, Effect::Reply(_, Answer::TooLate));
        if ticks && effects.iter().any(gives_up) {
            self.reach(Reached::GivenUp);
        }
        let mut result = Ok(());
        for effect in effects.drain(..) {
            if result.is_ok() {
                self.note(&(address, &effect));
                result = self.perform(address, effect);
            }
        }
        self.effects = effects;
        result
    }

    fn perform(&mut self, address: Address, effect: Effect) -> Checked {
        let Address { node, property, .. } = address;
        match effect {
            Effect::Load { incarnation, turn } => {
                let delay = self.delay(4_000);
                let load = if turn { Event::Lock } else { Event::Load };
                self.queue.after(delay, load(address, incarnation));
            }
            Effect::Offer(group) => {
                let delay = self.delay(200);
                let process = self.nodes[node].process;
                let desk = &mut self.nodes[node].desks[property];
                let mixed = desk.enter_lane(&group);
                self.queue.after_on(&mut desk.to_lane, delay, Event::Offer(process, group));
                if mixed {
                    self.reach(Reached::TwoLives);
                }
            }
            Effect::Turn(groups) => {
                let (delay, fate) = (self.delay(30_000), self.draw_fate());
                let turn = self.actor(address).and_then(|actor| actor.turn.take());
                let turn = turn.ok_or("groups are written in a turn that was not taken")?;
                self.queue.after(delay, Event::Turn(turn, groups, fate));
            }
            Effect::ReadHead => {
                let delay = self.delay(3_000);
                self.queue.after(delay, Event::ReadHead(address));
            }
            Effect::Publish(snapshot) => {
                let told = &mut self.nodes[node].desks[property].told;
                self.oracle.see_snapshot(property, told, &snapshot, self.queue.now())?;
            }
            Effect::Reply(ticket, answer) => self.hear(address, ticket, answer)?,
            Effect::Committed(group) => {
                if group.events.iter().any(|sealed| is_reclaim(&sealed.event.fact)) {
                    self.reach(Reached::LateReclaimed);
                }
                let told = &mut self.nodes[node].desks[property].told;
                self.oracle.see_delta(property, told, &group)?;
            }
        }
        Ok(())
    }

    /// What becomes of the next transaction.
    pub(crate) fn draw_fate(&mut self) -> Fate {
        let weather = self.plan.weather;
        if self.is_quiet {
            return Fate::Answered;
        }
        let bad = weather.lost_before + weather.lost_after + weather.batch_fails;
        self.random.weighted(&[
            (1_000 - bad, Fate::Answered),
            (weather.lost_before, Fate::LostBefore),
            (weather.lost_after, Fate::LostAfter),
            (weather.batch_fails, Fate::Fails),
        ])
    }

    /// A caller hears an answer.
    fn hear(&mut self, address: Address, ticket: Ticket, answer: Answer) -> Checked {
        let desk = &mut self.nodes[address.node].desks[address.property];
        let revived = std::mem::take(&mut desk.mourns);
        let told = desk.told;
        let request = self.requests.get(&ticket).ok_or("a ticket that nobody holds")?;
        let hearing = Hearing {
            request,
            store: &self.store,
            ledger: &self.oracle.ledgers[address.property],
            told,
            now: self.queue.now(),
        };
        hearing.check(&answer)?;
        let is_done = matches!(answer, Answer::Done { .. } | Answer::Edited { .. });
        let was_done = request.resent && hearing.is_done() && !is_done;
        let reached = reached_by(&answer, &request.command.intent, request.guarded);
        if let Some(state) = reached {
            self.reach(state);
        }
        if revived {
            self.reach(Reached::RevivedAfterPanic);
        }
        if was_done {
            self.reach(Reached::ResentAndDone);
        }
        if let Some(request) = self.requests.get_mut(&ticket) {
            request.answer = Some(answer);
        }
        Ok(())
    }

    /// Nobody is left to answer.
    pub(crate) fn lose(&mut self, ticket: Ticket) {
        if let Some(request) = self.requests.get_mut(&ticket) {
            request.lost = true;
        }
    }
}

/// The interesting state that an answer shows.
fn reached_by(answer: &Answer, intent: &Intent, guarded: bool) -> Option<Reached> {
    match answer {
        Answer::Replay { .. } => Some(Reached::Replayed),
        Answer::Edited { .. } if matches!(intent, Intent::EditCalendar(_)) => {
            Some(Reached::Blocked)
        }
        Answer::Edited { .. } => Some(Reached::Edited),
        Answer::Done { .. } if matches!(intent, Intent::Book { offline: true, .. }) => {
            Some(Reached::Offline)
        }
        Answer::Done { booking, .. } if matches!(intent, Intent::Change { .. }) => {
            let waits = booking.request.is_some();
            Some(if waits { Reached::Requested } else { Reached::Changed })
        }
        Answer::Done { booking, .. } if booking.takings.len() > 1 => Some(Reached::RequestPaid),
        Answer::Refused(Refusal::PendingHere(_)) => Some(Reached::Hoarded),
        Answer::Refused(Refusal::Stale) => Some(Reached::EditStale),
        Answer::TooLate => Some(Reached::TooLate),
        Answer::Failed => Some(Reached::Blamed),
        Answer::Full => Some(Reached::DiskFull),
        Answer::Refused(Refusal::KeyReused) => Some(Reached::KeyReused),
        Answer::Refused(Refusal::Unavailable { .. }) if guarded => Some(Reached::GuardRefused),
        Answer::Refused(Refusal::Illegal(domain::booking::Illegal::Status(
            domain::Status::Expired,
        ))) if matches!(intent, Intent::Step { step: Step::Pay { .. }, .. }) => {
            Some(Reached::LateRefused)
        }
        _ => None,
    }
}

/// Whether the clock decided this group.
pub(crate) fn is_by_clock(group: &Group) -> bool {
    group.events.iter().all(|sealed| sealed.event.by == By::Clock)
}

fn is_reclaim(fact: &Fact) -> bool {
    matches!(fact, Fact::Booking(Cause::Reclaimed, _))
}
