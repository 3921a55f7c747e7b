//! The shell around the lanes: it carries groups to the store and the store's word back, on
//! connections that break.

use crate::actors::is_by_clock;
use crate::coverage::Reached;
use crate::ledger::Checked;
use crate::plan::index_of;
use crate::queue::{Address, Event, Fate, Process, Transaction};
use crate::world::World;
use domain::PropertyId;
use domain::group::Group;
use domain::pipeline::lane::{Effect, Input, MAX_GROUPS, Outcome};
use domain::pipeline::{Rejection, property};
use std::collections::HashSet;
use std::sync::Arc;

/// How long a statement waits for a locked head, and how often it looks.
const LOCK_TIMEOUT: i64 = 100_000;
const LOCK_POLL: i64 = 10_000;
/// How long it takes at most to learn what became of a transaction whose connection was lost.
const READ_BACK: i64 = 400_000;

impl World {
    /// A group reaches the lane.
    pub(crate) fn offer(&mut self, process: Process, group: Arc<Group>) {
        let node = &mut self.nodes[process.node];
        if node.process != process {
            return;
        }
        node.lane.step(Input::Offer(group), &mut Vec::new());
        if !std::mem::replace(&mut node.flushes, true) {
            self.queue.after(0, Event::Flush(process));
        }
    }

    /// The lane has taken all that was ready and goes on.
    pub(crate) fn flush(&mut self, process: Process) -> Checked {
        let node = &mut self.nodes[process.node];
        if node.process != process {
            return Ok(());
        }
        node.flushes = false;
        let mut effects = Vec::new();
        node.lane.flush(&mut effects);
        for effect in effects {
            if let Effect::Commit(groups) = effect {
                self.oracle.see_batch(&groups)?;
                self.watch_batch(process, &groups);
                // The more properties, the more there is to be confused.
                let several = groups.iter().any(|group| group.property != groups[0].property);
                let fates = [self.draw_fate(), self.draw_fate()];
                let lost = several && fates[1] == Fate::LostAfter;
                let fate = if lost { Fate::LostAfter } else { fates[0] };
                let outlives = self.random.chance(500);
                let delay = self.delay(6_000);
                let transaction = Transaction { process, groups, fate, outlives, waited: 0 };
                self.queue.after(delay, Event::Commit(transaction));
            }
        }
        Ok(())
    }

    /// The interesting states that a batch shows.
    fn watch_batch(&mut self, process: Process, groups: &[Arc<Group>]) {
        if groups.len() == MAX_GROUPS {
            self.reach(Reached::FullBatch);
        }
        for group in groups {
            let desk = &self.nodes[process.node].desks[index_of(group.property)];
            let waiting = |other: &&Arc<Group>| groups.iter().all(|inside| inside.id != other.id);
            let later = desk.in_lane.iter().filter(waiting);
            let stay = |group: &Group| group.booking().map(|booking| booking.stay);
            let mut conflicts = later.filter(|other| {
                stay(other).zip(stay(group)).is_some_and(|(one, two)| one.conflicts(two))
            });
            let Some(other) = conflicts.next() else { continue };
            let expiry = is_by_clock(group) && !group.released.is_empty();
            let rebooks = expiry && other.base == group.head && !other.claimed.is_empty();
            self.reach(Reached::ConflictInBatch);
            if rebooks {
                self.reach(Reached::ExpiryThenRebook);
            }
        }
    }

    /// A batch reaches the store.
    pub(crate) fn commit(&mut self, mut transaction: Transaction) -> Checked {
        if let Some(pause) = self.queue.store_pause() {
            self.queue.after(pause, Event::Commit(transaction));
            return Ok(());
        }
        let Transaction { process, fate, .. } = transaction;
        let is_dead = self.nodes[process.node].process != process;
        if is_dead {
            let state = match transaction.outlives {
                true => Reached::CrashApplied,
                false => Reached::CrashNotApplied,
            };
            self.reach(state);
            if !transaction.outlives {
                return Ok(());
            }
        }
        if fate == Fate::LostBefore && !is_dead {
            self.reach(Reached::UnknownNotApplied);
            self.store.write_keys_apart(&transaction.groups);
            self.oracle.see_commit(&self.store, &self.requests, self.queue.now())?;
            let delay = self.random.between(0, READ_BACK);
            let outcome = Outcome::Lost { applied: HashSet::new() };
            self.queue.after(delay, Event::Answer(process, outcome));
            return Ok(());
        }
        if self.store.is_locked(&transaction.groups) && transaction.waited < LOCK_TIMEOUT {
            transaction.waited += LOCK_POLL;
            self.queue.after(LOCK_POLL, Event::Commit(transaction));
            return Ok(());
        }
        let groups = &transaction.groups;
        let result = self.write(groups, fate);
        self.oracle.see_commit(&self.store, &self.requests, self.queue.now())?;
        self.watch_commit(process, groups, &result);
        let outcome = match result {
            Err(rejection) => Outcome::Failed(rejection),
            Ok(advanced) if fate == Fate::LostAfter => {
                let fenced = groups.iter().any(|group| !advanced.contains(&group.property));
                if fenced && !advanced.is_empty() {
                    self.coverage.reach(Reached::UnknownMixed);
                }
                let found = groups.iter().filter(|group| advanced.contains(&group.property));
                Outcome::Lost { applied: found.map(|group| group.id).collect() }
            }
            Ok(advanced) => Outcome::Committed { advanced },
        };
        let delay = match outcome {
            Outcome::Lost { .. } => self.random.between(0, READ_BACK),
            _ => self.delay(6_000),
        };
        self.queue.after(delay, Event::Answer(process, outcome));
        Ok(())
    }

    /// What the store makes of a batch that it has received.
    fn write(
        &mut self,
        groups: &[Arc<Group>],
        fate: Fate,
    ) -> Result<HashSet<PropertyId>, Rejection> {
        if self.store.is_locked(groups) {
            Err(Rejection::Contended)
        } else if self.queue.is_disk_full() {
            self.store.was_full_at = Some(self.queue.now());
            Err(Rejection::Full)
        } else if fate == Fate::Fails && groups.len() > 1 {
            Err(Rejection::Failed)
        } else {
            self.store.commit(groups)
        }
    }

    /// The interesting states that a commit shows.
    fn watch_commit(
        &mut self,
        process: Process,
        groups: &[Arc<Group>],
        result: &Result<HashSet<PropertyId>, Rejection>,
    ) {
        if let Err(rejection) = result
            && groups.len() == 1
        {
            match rejection {
                Rejection::Contended => self.reach(Reached::Contended),
                Rejection::Guarded => self.reach(Reached::GuardFired),
                Rejection::KeyTaken => self.reach(Reached::KeyOnTwoProperties),
                _ => {}
            }
        }
        let Ok(advanced) = result else { return };
        for (at, first) in groups.iter().enumerate() {
            let of_run = |group: &&Arc<Group>| group.property == first.property;
            if advanced.contains(&first.property) || groups[..at].iter().any(|g| of_run(&g)) {
                continue;
            }
            let ours = groups.iter().filter(of_run).count();
            let desk = &self.nodes[process.node].desks[index_of(first.property)];
            let life = first.id.incarnation;
            let queued = desk.in_lane.iter().filter(|g| g.id.incarnation == life).count();
            let foreign = self.store.table(first.property).head.seq - first.base.seq;
            if queued > ours {
                self.reach(match usize::try_from(foreign).unwrap_or(0).cmp(&ours) {
                    std::cmp::Ordering::Less => Reached::FencedFewer,
                    std::cmp::Ordering::Equal => Reached::FencedAsMany,
                    std::cmp::Ordering::Greater => Reached::FencedMore,
                });
            }
        }
    }

    /// The store's word reaches the lane.
    pub(crate) fn answer(&mut self, process: Process, outcome: Outcome) {
        if self.nodes[process.node].process != process {
            return;
        }
        if let Outcome::Lost { applied } = &outcome
            && !applied.is_empty()
        {
            self.reach(Reached::UnknownApplied);
        }
        let mut effects = Vec::new();
        self.nodes[process.node].lane.step(Input::Done(outcome), &mut effects);
        for effect in effects {
            let Effect::Tell { group, result } = effect else { continue };
            let delay = self.delay(200);
            self.leave_lane(process, &group, &result);
            let line = &mut self.nodes[process.node].desks[index_of(group.property)].from_lane;
            self.queue.after_on(line, delay, Event::Tell(process, group, result));
        }
        if !std::mem::replace(&mut self.nodes[process.node].flushes, true) {
            self.queue.after(0, Event::Flush(process));
        }
    }

    /// A group leaves the lane. Those that the lane drops with it were decided on it; at times one
    /// of them reaches the store all the same, as from a node that was paused, and must not pass.
    fn leave_lane(&mut self, process: Process, group: &Arc<Group>, result: &Result<(), Rejection>) {
        let desk = &mut self.nodes[process.node].desks[index_of(group.property)];
        let dropped = desk.leave_lane(group.id, result.is_err());
        for straggler in dropped {
            if *result == Err(Rejection::Fenced) && self.random.chance(700) {
                let delay = self.random.between(0, 4_000);
                self.queue.after(delay, Event::Straggle(straggler));
            }
        }
    }

    /// A group that was dropped by its lane reaches the store: the fence alone must hold it off.
    pub(crate) fn straggle(&mut self, group: &Arc<Group>) -> Checked {
        let groups = std::slice::from_ref(group);
        if self.store.is_locked(groups) {
            return Ok(());
        }
        let result = self.store.commit(groups);
        if result.is_ok_and(|advanced| advanced.is_empty()) {
            self.reach(Reached::StragglerRefused);
        }
        self.oracle.see_commit(&self.store, &self.requests, self.queue.now())
    }

    /// The lane's word reaches the actor of the property, whichever lives by now.
    pub(crate) fn tell(
        &mut self,
        process: Process,
        group: &Arc<Group>,
        result: Result<(), Rejection>,
    ) -> Checked {
        if self.nodes[process.node].process != process {
            return Ok(());
        }
        let property = index_of(group.property);
        let Some(actor) = &self.nodes[process.node].desks[property].actor else { return Ok(()) };
        let address = Address { node: process.node, property, actor: actor.number };
        self.note_guard(group, &result);
        self.step(address, property::Input::Outcome { group: group.id, result })
    }

    /// Remembers that the second guard refused this command's group.
    pub(crate) fn note_guard(&mut self, group: &Group, result: &Result<(), Rejection>) {
        let command = group.events.first().map(|sealed| sealed.event.command);
        if *result == Err(Rejection::Guarded)
            && let Some(request) =
                self.requests.values_mut().find(|request| Some(request.command.id) == command)
        {
            request.guarded = true;
        }
    }
}
