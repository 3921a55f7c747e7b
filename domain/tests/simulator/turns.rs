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

impl World {
    /// A property is read, at one moment between question and answer.
    pub(crate) fn load(&mut self, address: Address, incarnation: Incarnation) {
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
        let turn = Turn { owner: address, incarnation };
        if self.store.tables[address.property].lock(turn) {
            self.begin_turn(turn);
        } else {
            self.reach(Reached::TurnQueued);
        }
    }

    fn begin_turn(&mut self, turn: Turn) {
        self.read(turn.owner, turn.incarnation, true);
        self.queue.after(IDLE_TIMEOUT, Event::Expire(turn));
    }

    /// A turn that was idle for too long loses its lock.
    pub(crate) fn expire(&mut self, turn: Turn) {
        if self.store.tables[turn.owner.property].locked == Some(turn) {
            self.unlock(turn.owner);
        }
    }

    /// The lock falls, and the next turn begins.
    pub(crate) fn unlock(&mut self, address: Address) {
        if let Some(next) = self.store.tables[address.property].unlock(address) {
            self.begin_turn(next);
        }
    }

    /// A turn's groups reach the store, if the lock is still theirs.
    pub(crate) fn turn(&mut self, address: Address, groups: &[Arc<Group>], fate: Fate) -> Checked {
        let locked = self.store.tables[address.property].locked;
        let owns = locked.is_some_and(|turn| turn.owner == address);
        let Some(first) = groups.first() else {
            self.reach(Reached::TurnEmpty);
            self.unlock(address);
            return Ok(());
        };
        let result = if !owns || matches!(fate, Fate::LostBefore | Fate::Fails) {
            self.reach(Reached::TurnLost);
            Err((Arc::clone(first), Rejection::Lost))
        } else {
            self.store.commit_turn(groups)
        };
        self.oracle.see_commit(&self.store, &self.requests, self.queue.now())?;
        self.unlock(address);
        match result {
            Ok(()) => {
                self.reach(Reached::TurnTaken);
                for group in groups {
                    self.tell_turn(address, group, Ok(()));
                }
            }
            Err((guilty, rejection)) => {
                self.note_guard(&guilty, &Err(rejection.clone()));
                self.tell_turn(address, &guilty, Err(rejection));
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
        let head = self.store.tables[address.property].head;
        let delay = self.delay(2_000);
        self.queue.after(delay, Event::Deliver(address, Input::HeadRead { head }));
    }
}
