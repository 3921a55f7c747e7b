//! The lane machine: gathers groups of many properties into one transaction and tells each
//! property what became of its own.
//!
//! Bounds: a batch has at most 256 groups and 4,096 rows; the queue is bounded by admission, since
//! a command's permit is its slot here. Ordering: groups of one property are committed in the order
//! in which they were offered, or not at all. It knows no SQL.
//!
//! Three rules. *One row, once*: all parts of a statement see one snapshot, so a batch touches a
//! booking, night or key at most once; a group that would touch one again waits for the next batch
//! with all that follow it on its property. *The lane rule*: when a group is not committed, all
//! later ones of the same life of its property are dropped, because they were decided on it; the
//! actor reloads and decides them again. *Blame*: when a batch fails, its groups are tried one by
//! one, so that only the guilty one fails.

use super::Rejection;
use crate::event::Head;
use crate::group::{Group, GroupId, Incarnation};
use crate::switches::{Bug, Switches};
use crate::{BookingId, Night, PropertyId, UserId};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// The most groups in a batch.
pub const MAX_GROUPS: usize = 256;
/// The most rows in a batch, unless a single group has more.
pub const MAX_ROWS: usize = 4_096;

/// What the lane is told.
#[derive(Debug)]
pub enum Input {
    /// A group wants to be committed.
    Offer(Arc<Group>),
    /// What became of the batch that was asked for last.
    Done(Outcome),
}

/// What became of a transaction.
#[derive(Debug)]
pub enum Outcome {
    /// It was committed: the groups of these properties with it, those of others were fenced off.
    Committed { advanced: HashSet<PropertyId> },
    /// It was rolled back by an error.
    Failed(Rejection),
    /// The connection was lost; afterwards exactly these groups were found in the database.
    Lost { applied: HashSet<GroupId> },
}

/// What the lane wants done.
#[derive(Debug)]
pub enum Effect {
    /// Write these groups in one transaction; groups of one property stand in their order.
    Commit(Vec<Arc<Group>>),
    /// Tell the group's property what became of it.
    Tell { group: Arc<Group>, result: Result<(), Rejection> },
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    /// One transaction for the whole batch.
    Whole,
    /// One transaction for the first group of the batch, the others wait for theirs.
    Single,
}

/// One lane's queue and the batch on its connection. See the module's page.
#[derive(Debug)]
pub struct Lane {
    switches: Switches,
    queue: VecDeque<Arc<Group>>,
    batch: VecDeque<Arc<Group>>,
    phase: Phase,
    /// The lives of properties whose groups are not to be committed any more, and all before them.
    /// One entry for each property that ever failed here: it must outlast the life that follows,
    /// since groups of the dropped one may still be in the queue.
    dropped: HashMap<PropertyId, Incarnation>,
}

type Effects = Vec<Effect>;

impl Lane {
    /// An empty lane.
    pub fn new(switches: Switches) -> Self {
        Self {
            switches,
            queue: VecDeque::new(),
            batch: VecDeque::new(),
            phase: Phase::Idle,
            dropped: HashMap::new(),
        }
    }

    /// Takes one input. Nothing is committed before [`Lane::flush`], so that everything that is
    /// ready can be offered first.
    pub fn step(&mut self, input: Input, out: &mut Effects) {
        match input {
            Input::Offer(group) => self.offer(group),
            Input::Done(outcome) => match std::mem::replace(&mut self.phase, Phase::Idle) {
                Phase::Whole => self.whole_done(outcome, out),
                Phase::Single => self.single_done(&outcome, out),
                Phase::Idle => {}
            },
        }
    }

    /// Starts the next transaction if none is on its way and something waits.
    pub fn flush(&mut self, out: &mut Effects) {
        if self.phase != Phase::Idle {
            return;
        }
        if let Some(group) = self.next_single() {
            self.phase = Phase::Single;
            out.push(Effect::Commit(vec![group]));
            return;
        }
        self.fill_batch();
        if !self.batch.is_empty() {
            self.phase = Phase::Whole;
            out.push(Effect::Commit(self.batch.iter().cloned().collect()));
        }
    }

    /// Whether a group of this property waits or is on its way.
    pub fn holds(&self, property: PropertyId) -> bool {
        let of_it = |group: &Arc<Group>| group.property == property && !self.is_dropped(group);
        self.queue.iter().any(of_it) || self.batch.iter().any(of_it)
    }

    /// Whether nothing waits and nothing is on its way.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Idle && self.queue.is_empty() && self.batch.is_empty()
    }

    fn offer(&mut self, group: Arc<Group>) {
        if !self.is_dropped(&group) {
            self.queue.push_back(group);
        }
    }

    fn is_dropped(&self, group: &Group) -> bool {
        !self.switches.has(Bug::NoLaneRule)
            && self.dropped.get(&group.property).is_some_and(|life| group.id.incarnation <= *life)
    }

    /// What is left of a batch that is tried group by group.
    fn next_single(&mut self) -> Option<Arc<Group>> {
        while let Some(group) = self.batch.front() {
            if !self.is_dropped(group) {
                return Some(Arc::clone(group));
            }
            self.batch.pop_front();
        }
        None
    }

    fn fill_batch(&mut self) {
        let mut touched = Touched::default();
        let mut closed: HashSet<PropertyId> = HashSet::new();
        let mut later = VecDeque::new();
        let mut rows = 0;
        while let Some(group) = self.queue.pop_front() {
            if self.is_dropped(&group) {
                continue;
            }
            let full = self.batch.len() == MAX_GROUPS
                || (!self.batch.is_empty() && rows + group.rows() > MAX_ROWS);
            if full {
                later.push_back(group);
                break;
            }
            if closed.contains(&group.property) || !touched.add(&group) {
                closed.insert(group.property);
                later.push_back(group);
                continue;
            }
            rows += group.rows();
            self.batch.push_back(group);
        }
        later.append(&mut self.queue);
        self.queue = later;
    }

    fn whole_done(&mut self, outcome: Outcome, out: &mut Effects) {
        match outcome {
            Outcome::Committed { advanced } => {
                for group in std::mem::take(&mut self.batch) {
                    let advanced = advanced.contains(&group.property);
                    self.tell(group, if advanced { Ok(()) } else { Err(Rejection::Fenced) }, out);
                }
            }
            Outcome::Failed(rejection) if self.batch.len() == 1 => {
                if let Some(group) = self.batch.pop_front() {
                    self.tell(group, Err(rejection), out);
                }
            }
            // The batch stays and is tried group by group.
            Outcome::Failed(_) => {}
            Outcome::Lost { applied } => {
                for group in std::mem::take(&mut self.batch) {
                    let found = applied.contains(&group.id);
                    self.tell(group, if found { Ok(()) } else { Err(Rejection::Lost) }, out);
                }
            }
        }
    }

    fn single_done(&mut self, outcome: &Outcome, out: &mut Effects) {
        let Some(group) = self.batch.pop_front() else { return };
        let result = match outcome {
            Outcome::Committed { advanced } if advanced.contains(&group.property) => Ok(()),
            Outcome::Committed { .. } => Err(Rejection::Fenced),
            Outcome::Failed(rejection) => Err(rejection.clone()),
            Outcome::Lost { applied } if applied.contains(&group.id) => Ok(()),
            Outcome::Lost { .. } => Err(Rejection::Lost),
        };
        self.tell(group, result, out);
    }

    /// Tells the property, once for each life that ends: its other groups are dropped silently.
    fn tell(&mut self, group: Arc<Group>, result: Result<(), Rejection>, out: &mut Effects) {
        if self.is_dropped(&group) {
            return;
        }
        if result.is_err() {
            self.dropped.insert(group.property, group.id.incarnation);
        }
        out.push(Effect::Tell { group, result });
    }
}

/// The rows that a batch touches so far.
#[derive(Default)]
struct Touched {
    heads: foldhash::HashMap<PropertyId, Head>,
    bookings: foldhash::HashSet<BookingId>,
    edited: foldhash::HashSet<PropertyId>,
    nights: foldhash::HashSet<(PropertyId, Night)>,
    keys: foldhash::HashSet<(UserId, Arc<str>)>,
}

impl Touched {
    /// Adds a group's rows, or leaves everything as it is and says no if one is there already, or
    /// if the group does not follow its property's last one here: an actor that died left some.
    fn add(&mut self, group: &Group) -> bool {
        // What an edit touches of its property is not looked at row by row.
        let is_edit = group.booking().is_none() || group.calendar.is_some();
        let nights = || group.claimed.iter().chain(&group.released);
        let key = group.key.as_ref().map(|used| (used.key.caller, Arc::clone(&used.key.text)));
        if self.heads.get(&group.property).is_some_and(|head| *head != group.base)
            || group.booking().is_some_and(|booking| self.bookings.contains(&booking.id))
            || (is_edit && self.edited.contains(&group.property))
            || nights().any(|night| self.nights.contains(&(group.property, *night)))
            || key.as_ref().is_some_and(|key| self.keys.contains(key))
        {
            return false;
        }
        self.heads.insert(group.property, group.head);
        self.bookings.extend(group.booking().map(|booking| booking.id));
        if is_edit {
            self.edited.insert(group.property);
        }
        self.nights.extend(nights().map(|night| (group.property, *night)));
        self.keys.extend(key);
        true
    }
}
