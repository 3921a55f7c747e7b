//! The database as the machines know it: tables, transactions that are all or nothing, heads that
//! fence and heads that are locked for a turn.
//!
//! A batch commits the runs of those properties whose heads are where the first group of the run
//! was decided, and leaves the others alone; any other error rolls everything back. Nothing here
//! looks at calendars or statuses: a wrong group that passes the fence and the unique rows is
//! stored, and it is for the oracle to see.

use crate::plan::{self, Plan, index_of};
use crate::queue::Address;
use crate::random::Random;
use domain::block::Blocks;
use domain::booking::Booking;
use domain::command::KeyUse;
use domain::event::{By, Event, EventHash, Fact, Head, Sealed, Seq};
use domain::group::{Group, Incarnation, Job, NO_COMMAND, Subject};
use domain::keys::KEY_TTL;
use domain::pipeline::Rejection;
use domain::rules::Overrides;
use domain::state::{Stored, matters};
use domain::switches::{Bug, Switches};
use domain::{BookingId, Instant, Night, Property, PropertyId, UserId, codec};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use uuid::Uuid;

/// A turn that holds a property's head or waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) owner: Address,
    pub(crate) incarnation: Incarnation,
}

/// The rows of one property.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) property: Property,
    pub(crate) property_seq: Seq,
    pub(crate) head: Head,
    pub(crate) events: Vec<Sealed>,
    pub(crate) bookings: BTreeMap<BookingId, Booking>,
    pub(crate) occupied: HashMap<Night, BookingId>,
    pub(crate) blocks: Blocks,
    pub(crate) jobs: Vec<(BookingId, Job)>,
    pub(crate) next_deadline: Option<Instant>,
    pub(crate) locked: Option<Turn>,
    pub(crate) queued: VecDeque<Turn>,
}

/// An idempotency key's row.
#[derive(Clone, Debug)]
pub(crate) struct KeyRow {
    pub(crate) property: PropertyId,
    pub(crate) used: KeyUse,
}

/// Everything that is durable.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) tables: Vec<Table>,
    pub(crate) keys: HashMap<(UserId, Arc<str>), KeyRow>,
    /// The commands whose rows the database refuses.
    pub(crate) poisoned: HashSet<Uuid>,
    /// When a write was last refused because there was no room.
    pub(crate) was_full_at: Option<Instant>,
    pub(crate) switches: Switches,
    pub(crate) one_pending_each: bool,
}

/// The nights and keys that a transaction has written so far.
#[derive(Default)]
struct Written {
    claimed: HashSet<(PropertyId, Night)>,
    released: HashSet<(PropertyId, Night)>,
    keys: HashSet<(UserId, Arc<str>)>,
}

impl Store {
    pub(crate) fn new(plan: &Plan, random: &mut Random) -> Self {
        let tables = (0..plan.properties).map(|i| Table::new(plan::property(i, random))).collect();
        let mut store = Self {
            tables,
            keys: HashMap::new(),
            poisoned: HashSet::new(),
            was_full_at: None,
            switches: plan.settings.switches,
            one_pending_each: plan.settings.one_pending_each,
        };
        if plan.tampered {
            let night = plan::first_night().plus(plan.window / 2);
            store.tables[0].occupied.insert(night, tamperer());
        }
        store
    }

    pub(crate) fn table(&self, property: PropertyId) -> &Table {
        &self.tables[index_of(property)]
    }

    /// What a load reads at this moment.
    pub(crate) fn load(&self, property: usize, now: Instant) -> Stored {
        let table = &self.tables[property];
        let fresh =
            |row: &&KeyRow| row.property == table.property.id && now.since(row.used.at) <= KEY_TTL;
        let mut keys: Vec<KeyUse> =
            self.keys.values().filter(fresh).map(|row| row.used.clone()).collect();
        keys.sort_by_key(|used| (used.at, used.seq));
        Stored {
            property: table.property.clone(),
            property_seq: table.property_seq,
            head: table.head,
            overrides: Overrides::default(),
            blocks: table.blocks.clone(),
            bookings: table.bookings.values().filter(|b| matters(b)).cloned().collect(),
            keys,
        }
    }

    /// Whether a turn of somebody else's holds one of the heads that these groups need.
    pub(crate) fn is_locked(&self, groups: &[Arc<Group>]) -> bool {
        groups.iter().any(|group| self.table(group.property).locked.is_some())
    }

    /// One statement for the groups of many properties. Every part of it sees the rows as they
    /// were before it.
    pub(crate) fn commit(
        &mut self,
        groups: &[Arc<Group>],
    ) -> Result<HashSet<PropertyId>, Rejection> {
        self.write_keys_apart(groups);
        let mut advanced: HashMap<PropertyId, bool> = HashMap::new();
        for group in groups {
            let head = self.table(group.property).head;
            advanced.entry(group.property).or_insert_with(|| self.is_at(head, group.base));
        }
        let mut written = Written::default();
        for group in groups.iter().filter(|group| advanced[&group.property]) {
            self.check(group, &mut written)?;
            let seqs = groups.iter().filter(|g| g.property == group.property).map(|g| g.head.seq);
            let table = self.table(group.property);
            let exists = usize::try_from(group.head.seq).is_ok_and(|s| s <= table.events.len());
            if exists || seqs.filter(|seq| *seq == group.head.seq).count() > 1 {
                return Err(Rejection::Failed);
            }
        }
        for group in groups.iter().filter(|group| advanced[&group.property]) {
            self.write(group);
        }
        Ok(advanced.into_iter().filter(|(_, yes)| *yes).map(|(property, _)| property).collect())
    }

    /// A turn's groups, statement by statement in one transaction: the first group that fails, if
    /// any, with nothing written.
    pub(crate) fn commit_turn(
        &mut self,
        groups: &[Arc<Group>],
    ) -> Result<(), (Arc<Group>, Rejection)> {
        self.write_keys_apart(groups);
        let mut written = Written::default();
        let mut head = groups.first().map(|group| self.table(group.property).head);
        for group in groups {
            if !head.is_some_and(|head| self.is_at(head, group.base)) {
                return Err((Arc::clone(group), Rejection::Fenced));
            }
            self.check(group, &mut written).map_err(|why| (Arc::clone(group), why))?;
            let released = group.released.iter().map(|night| (group.property, *night));
            written.released.extend(released);
            head = Some(group.head);
        }
        for group in groups {
            self.write(group);
        }
        Ok(())
    }

    fn is_at(&self, head: Head, base: Head) -> bool {
        head == base || (self.switches.has(Bug::SeqWithoutHash) && head.seq == base.seq)
    }

    /// The rows that must be unique, and whatever else a database may dislike.
    fn check(&self, group: &Group, written: &mut Written) -> Result<(), Rejection> {
        if group.events.iter().any(|sealed| self.poisoned.contains(&sealed.event.command)) {
            return Err(Rejection::Failed);
        }
        if let Some(used) = &group.key
            && !self.switches.has(Bug::KeyOutsideTransaction)
        {
            let key = (used.key.caller, Arc::clone(&used.key.text));
            let old = self.keys.get(&key).is_some_and(|row| used.at.since(row.used.at) <= KEY_TTL);
            if old || !written.keys.insert(key) {
                return Err(Rejection::KeyTaken);
            }
        }
        let occupied = &self.table(group.property).occupied;
        for night in &group.claimed {
            let row = (group.property, *night);
            let freed = written.released.remove(&row);
            let taken = occupied.contains_key(night) && !freed;
            if taken || !written.claimed.insert(row) && !freed {
                return Err(Rejection::Guarded);
            }
        }
        Ok(())
    }

    fn write(&mut self, group: &Group) {
        if let Some(used) = &group.key
            && !self.switches.has(Bug::KeyOutsideTransaction)
        {
            self.write_key(group.property, used);
        }
        let table = &mut self.tables[index_of(group.property)];
        for night in &group.released {
            table.occupied.remove(night);
        }
        for night in &group.claimed {
            table.occupied.extend(group.booking().map(|booking| (*night, booking.id)));
        }
        table.head = group.head;
        table.events.extend(group.events.iter().cloned());
        match &group.subject {
            Subject::Booking(booking) => {
                table.jobs.extend(group.jobs.iter().map(|job| (booking.id, job.clone())));
                table.bookings.insert(booking.id, (**booking).clone());
            }
            Subject::Property(edit) => {
                table.property = edit.facts.clone();
                table.property_seq = group.head.seq;
            }
            Subject::Calendar => {}
        }
        if let Some(rows) = &group.calendar {
            rows.edited.set_blocks(&mut table.blocks);
        }
        table.next_deadline = group.next_deadline;
    }

    fn write_key(&mut self, property: PropertyId, used: &KeyUse) {
        let row = KeyRow { property, used: used.clone() };
        self.keys.insert((used.key.caller, Arc::clone(&used.key.text)), row);
    }

    /// What the planted bug does: the keys are written whatever becomes of their effects.
    pub(crate) fn write_keys_apart(&mut self, groups: &[Arc<Group>]) {
        if self.switches.has(Bug::KeyOutsideTransaction) {
            for group in groups {
                if let Some(used) = &group.key {
                    self.write_key(group.property, used);
                }
            }
        }
    }
}

impl Table {
    /// A property as its first event makes it.
    fn new(property: Property) -> Self {
        let event = Event {
            seq: 1,
            at: plan::start(),
            by: By::User(property.host),
            command: NO_COMMAND,
            fact: Fact::PropertyCreated(property.clone()),
            changes: Vec::new(),
            offers: Vec::new(),
            digests: Vec::new(),
        };
        let bytes = codec::encode(&event);
        let hash = EventHash::default().chain(&bytes);
        Self {
            property,
            property_seq: 1,
            head: Head { seq: 1, hash },
            events: vec![Sealed { event, bytes, hash }],
            bookings: BTreeMap::new(),
            occupied: HashMap::new(),
            blocks: Blocks::new(),
            jobs: Vec::new(),
            next_deadline: None,
            locked: None,
            queued: VecDeque::new(),
        }
    }

    /// Takes the head's lock for this turn, or a place in the queue for it.
    pub(crate) fn lock(&mut self, turn: Turn) -> bool {
        let free = self.locked.is_none();
        if free {
            self.locked = Some(turn);
        } else {
            self.queued.push_back(turn);
        }
        free
    }

    /// Lets the lock of this turn fall or takes the turn out of the queue, and returns whose turn
    /// it is now, if that has changed.
    pub(crate) fn unlock(&mut self, turn: Turn) -> Option<Turn> {
        self.queued.retain(|queued| *queued != turn);
        if self.locked != Some(turn) {
            return None;
        }
        self.locked = self.queued.pop_front();
        self.locked
    }

    /// The late payments that may still come: bookings that ended with an attempt to pay.
    pub(crate) fn expired(&self) -> impl Iterator<Item = &Booking> {
        self.bookings.values().filter(|b| b.status == domain::Status::Expired && matters(b))
    }
}

/// The name that stands in a row that was written by hand.
pub(crate) fn tamperer() -> BookingId {
    BookingId(Uuid::from_u128(0xbad))
}
