//! What is going to happen, in order of time, and the clock that everybody reads.
//!
//! Two clocks run here. One orders what happens and never jumps; the other is what machines and
//! stores are shown, and can be set forward at any moment. Things that are due at the same time
//! happen in the order in which they were planned, so a run follows from its seed.

use crate::plan;
use crate::store::Turn;
use domain::Instant;
use domain::group::{Group, Incarnation};
use domain::pipeline::property::{Input, Ticket};
use domain::pipeline::{Rejection, lane};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// One actor in its only life: what is sent to it reaches nobody after its death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) node: usize,
    pub(crate) property: usize,
    pub(crate) actor: u64,
}

/// One process from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) node: usize,
    pub(crate) boot: u64,
}

/// What becomes of a transaction besides what the data says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    Fails,
    LostBefore,
    LostAfter,
}

/// A transaction on its way to the store.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) process: Process,
    pub(crate) groups: Vec<Arc<Group>>,
    pub(crate) fate: Fate,
    /// Whether it reaches the store although its process is dead.
    pub(crate) outlives: bool,
    /// How long it has waited for a locked head.
    pub(crate) waited: i64,
}

/// Something that happens at one moment.
#[derive(Debug)]
pub(crate) enum Event {
    /// A client does something.
    Act,
    /// A request reaches its node.
    Arrive(Ticket),
    /// A message reaches an actor.
    Deliver(Address, Input),
    /// A group reaches the lane.
    Offer(Process, Arc<Group>),
    /// The lane has taken all that was ready.
    Flush(Process),
    /// A batch reaches the store.
    Commit(Transaction),
    /// The store's answer reaches the lane.
    Answer(Process, lane::Outcome),
    /// The lane's word reaches the property's actor.
    Tell(Process, Arc<Group>, Result<(), Rejection>),
    /// The moment at which a property is read.
    Load(Address, Incarnation),
    /// The moment at which a property's lock is asked for.
    Lock(Address, Incarnation),
    /// A turn's groups reach the store.
    Turn(Turn, Vec<Arc<Group>>, Fate),
    /// A turn has had its time, or its actor is dead: the lock falls.
    Unlock(Turn),
    /// The moment at which a head is read.
    ReadHead(Address),
    /// A group that its lane has dropped reaches the store all the same.
    Straggle(Arc<Group>),
    /// Something goes wrong.
    Fault,
    /// A dead node starts again.
    Start(usize),
    /// Overdue properties are woken.
    Sweep,
}

#[derive(Debug)]
struct Entry {
    due: Reverse<(i64, u64)>,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

/// The future and the present.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    time: i64,
    stepped: i64,
    planned: u64,
    /// Until when the store answers nobody.
    store_closed: i64,
    /// Until when the store has no room for anything new.
    disk_full: i64,
    heap: BinaryHeap<Entry>,
}

/// Messages on one line arrive in the order in which they were sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line(i64);

impl Queue {
    /// What every clock shows.
    pub(crate) fn now(&self) -> Instant {
        Instant::from_micros(plan::start().as_micros() + self.time + self.stepped)
    }

    /// Sets every clock forward, so that it shows `to` at this very moment.
    pub(crate) fn step_clock(&mut self, to: Instant) {
        self.stepped += (to.as_micros() - self.now().as_micros()).max(0);
    }

    /// The store answers nobody for so long.
    pub(crate) fn close_store(&mut self, length: i64) {
        self.store_closed = self.time + length;
    }

    /// The store has no room for so long.
    pub(crate) fn fill_disk(&mut self, length: i64) {
        self.disk_full = self.time + length;
    }

    pub(crate) fn is_disk_full(&self) -> bool {
        self.time < self.disk_full
    }

    /// How long the store will not answer yet.
    pub(crate) fn store_pause(&self) -> Option<i64> {
        Some(self.store_closed - self.time).filter(|pause| *pause > 0)
    }

    /// Plans something this many microseconds from now.
    pub(crate) fn after(&mut self, delay: i64, event: Event) {
        self.at(self.time + delay, event);
    }

    /// Plans a message on a line: it arrives after those that were sent before it.
    pub(crate) fn after_on(&mut self, line: &mut Line, delay: i64, event: Event) {
        line.0 = line.0.max(self.time + delay);
        self.at(line.0, event);
    }

    fn at(&mut self, time: i64, event: Event) {
        self.planned += 1;
        self.heap.push(Entry { due: Reverse((time, self.planned)), event });
    }

    /// What happens next.
    pub(crate) fn pop(&mut self) -> Option<Event> {
        let Entry { due: Reverse((time, _)), event } = self.heap.pop()?;
        self.time = time;
        Some(event)
    }
}
