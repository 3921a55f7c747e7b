//! Loads, turns and reads of a head: what an actor asks the store for by itself.
//!
//! A turn locks the property's head before it reads, queues behind other turns, and keeps the lock
//! until its groups are written; one that takes too long loses it.

use crate::coverage::Reached;
use crate::ledger::Checked;
use crate::queue::{Address, Event, Fate};
use crate::store::Turn;
use crate::world::World;
use domain::group::{Group, Incarnation};
use domain::pipeline::Rejection;
use domain::pipeline::property::Input;
use std::sync::Arc;

/// How long a turn may do nothing before the store ends it.
const IDLE_TIMEOUT: i64 = 1_000_000;
/// How often a successor looks whether the lane is done with the groups of the actor before it.
const BARRIER_POLL: i64 = 500;

impl World {
    /// A property is read, at one moment between question and answer.
    pub(crate) fn load(&mut self, address: Address, incarnation: Incarnation) {
        let desk = &self.nodes[address.node].desks[address.property];
        let waits = self.plan.heirs_wait && desk.has_orphans();
        if let Some(pause) = self.queue.store_pause().or(waits.then_some(BARRIER_POLL)) {
            self.queue.after(pause, Event::Load(address, incarnation));
            return;
        }
        self.read(address, incarnation, false);
    }

    fn read(&mut self, address: Address, incarnation: Incarnation, turn: bool) {
        let stored = Box::new(self.store.load(address.property, self.queue.now()));
        let delay = self.delay(2_000);
        let loaded = Input::Loaded { incarnation, stored, turn };
        self.queue.after(delay, Event::Deliver(address, loaded));
    }

    /// A turn asks for the lock.
    pub(crate) fn lock(&mut self, address: Address, incarnation: Incarnation) {
        if self.actor(address).is_none() {
            return;
        }
        if let Some(pause) = self.queue.store_pause() {
            self.queue.after(pause, Event::Lock(address, incarnation));
            return;
        }
        let turn = Turn { owner: address, incarnation };
        if self.store.tables[address.property].lock(turn) {
            self.begin_turn(turn);
        } else {
            self.reach(Reached::TurnQueued);
        }
    }

    fn begin_turn(&mut self, turn: Turn) {
        self.read(turn.owner, turn.incarnation, true);
        self.queue.after(IDLE_TIMEOUT, Event::Unlock(turn));
    }

    /// The lock falls, because its turn was idle for too long or its actor is dead, and the next
    /// turn begins.
    pub(crate) fn unlock(&mut self, turn: Turn) {
        if let Some(next) = self.store.tables[turn.owner.property].unlock(turn) {
            self.begin_turn(next);
        }
    }

    /// A turn's groups reach the store, if the lock is still theirs.
    pub(crate) fn turn(&mut self, turn: Turn, groups: &[Arc<Group>], fate: Fate) -> Checked {
        if let Some(pause) = self.queue.store_pause() {
            self.queue.after(pause, Event::Turn(turn, groups.to_vec(), fate));
            return Ok(());
        }
        let owns = self.store.tables[turn.owner.property].locked == Some(turn);
        let Some(first) = groups.first() else {
            self.reach(Reached::TurnEmpty);
            self.unlock(turn);
            return Ok(());
        };
        let result = if !owns || matches!(fate, Fate::LostBefore | Fate::Fails) {
            self.reach(Reached::TurnLost);
            Err((Arc::clone(first), Rejection::Lost))
        } else if self.queue.is_disk_full() {
            self.store.was_full_at = Some(self.queue.now());
            Err((Arc::clone(first), Rejection::Full))
        } else {
            self.store.commit_turn(groups)
        };
        self.oracle.see_commit(&self.store, &self.requests, self.queue.now())?;
        self.unlock(turn);
        match result {
            Ok(()) => {
                self.reach(Reached::TurnTaken);
                for group in groups {
                    self.tell_turn(turn.owner, group, Ok(()));
                }
            }
            Err((guilty, rejection)) => {
                self.note_guard(&guilty, &Err(rejection.clone()));
                self.tell_turn(turn.owner, &guilty, Err(rejection));
            }
        }
        Ok(())
    }

    fn tell_turn(&mut self, address: Address, group: &Group, result: Result<(), Rejection>) {
        let delay = self.delay(2_000);
        let told = Input::Outcome { group: group.id, result };
        let line = &mut self.nodes[address.node].desks[address.property].from_lane;
        self.queue.after_on(line, delay, Event::Deliver(address, told));
    }

    /// A head is read, at one moment between question and answer.
    pub(crate) fn read_head(&mut self, address: Address) {
        if let Some(pause) = self.queue.store_pause() {
            self.queue.after(pause, Event::ReadHead(address));
            return;
        }
        let head = self.store.tables[address.property].head;
        let delay = self.delay(2_000);
        self.queue.after(delay, Event::Deliver(address, Input::HeadRead { head }));
    }
}
