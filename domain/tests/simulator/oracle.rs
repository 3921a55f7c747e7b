//! The oracle: looks on after every step and says what must not be.
//!
//! It believes the committed store and nobody else. The invariants are those of the engine: one
//! booking for a night (I1), nothing told before it is durable (I2), events without gaps, each
//! decided on the one before it, and a feed that is exactly that list (I3), one answer for one key
//! (I6), no refusal without a cause (I9), money conserved (I10), nobody harmed by another's bad
//! command (I11).

use crate::ledger::{Checked, Ledger, deadline, ensure};
use crate::plan::{Plan, index_of};
use crate::request::Request;
use crate::store::{Store, Table, tamperer};
use domain::event::Seq;
use domain::group::{Group, JobKind};
use domain::pipeline::lane::{MAX_GROUPS, MAX_ROWS};
use domain::pipeline::property::Ticket;
use domain::snapshot::Snapshot;
use domain::{Booking, Fact, Instant, Status};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What one node has told of one property.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(crate) published: Seq,
    pub(crate) fed: Seq,
}

/// All that is known for certain.
#[derive(Debug)]
pub(crate) struct Oracle {
    pub(crate) ledgers: Vec<Ledger>,
}

impl Oracle {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self { ledgers: (0..plan.properties).map(|_| Ledger::default()).collect() }
    }

    /// Takes what a transaction has just made durable, and looks at the rows that it wrote.
    pub(crate) fn see_commit(
        &mut self,
        store: &Store,
        requests: &BTreeMap<Ticket, Request>,
        now: Instant,
    ) -> Checked {
        for (ledger, table) in self.ledgers.iter_mut().zip(&store.tables) {
            let seen = usize::try_from(ledger.head.seq).map_err(|error| error.to_string())?;
            for sealed in &table.events[seen..] {
                ledger.absorb(sealed, now)?;
            }
            if table.events.len() > seen {
                check_table(ledger, table)?;
            }
        }
        for request in requests.values().filter(|request| request.was_turned_away()) {
            let Some(ledger) = self.ledgers.get(request.property) else { continue };
            let seq = ledger.commands.get(&request.command.id);
            ensure!(seq.is_none(), "{request:?} was turned away and done all the same in {seq:?}");
        }
        for row in store.keys.values() {
            let table = store.table(row.property);
            let at = usize::try_from(row.used.seq - 1).map_err(|error| error.to_string())?;
            let fact = table.events.get(at).map(|sealed| &sealed.event.fact);
            let made = |fact: &Fact| match fact {
                Fact::Booking(_, booking) => booking.id == row.used.booking,
                _ => false,
            };
            let resolves = fact.is_some_and(made);
            ensure!(resolves, "{row:?} stands for nothing that was done");
        }
        Ok(())
    }

    /// What goes to the store as one statement: bounded, every row once, every run in one piece and
    /// decided on something that is durable.
    pub(crate) fn see_batch(&self, groups: &[Arc<Group>]) -> Checked {
        let rows: usize = groups.iter().map(|group| group.rows()).sum();
        ensure!(groups.len() <= MAX_GROUPS, "{} groups in a batch", groups.len());
        ensure!(groups.len() == 1 || rows <= MAX_ROWS, "{rows} rows in a batch");
        let mut touched = HashSet::new();
        let mut touched_blocks = HashSet::new();
        let mut keys = HashSet::new();
        let mut heads = HashMap::new();
        for group in groups {
            let nights = group.claimed.iter().chain(&group.released).map(|n| Some(*n));
            for night in nights {
                let once = touched.insert((group.property, night, None));
                ensure!(once, "{night:?} is written twice in one batch");
            }
            for edited in group.calendar.iter().map(|rows| &rows.edited) {
                for id in
                    edited.blocked.iter().map(|block| block.id).chain(edited.unblocked.clone())
                {
                    let once = touched_blocks.insert((group.property, id));
                    ensure!(once, "{id} is written twice in one batch");
                }
            }
            let subject = group.booking().map(|booking| booking.id);
            let once = touched.insert((group.property, None, subject));
            ensure!(once, "{subject:?} is written twice in one batch");
            if let Some(used) = &group.key {
                let once = keys.insert((used.key.caller, Arc::clone(&used.key.text)));
                ensure!(once, "{:?} is written twice in one batch", used.key);
            }
            match heads.insert(group.property, group.head) {
                Some(before) => {
                    ensure!(before == group.base, "{:?} does not follow {before:?}", group.id);
                }
                None => {
                    let real = self.ledgers[index_of(group.property)].had(group.base);
                    ensure!(real, "{:?} follows {:?}, which never was", group.id, group.base);
                }
            }
        }
        Ok(())
    }

    /// A snapshot for everybody to read.
    pub(crate) fn see_snapshot(
        &mut self,
        property: usize,
        told: &mut Told,
        snapshot: &Snapshot,
        now: Instant,
    ) -> Checked {
        self.ledgers[property].check_snapshot(snapshot, now)?;
        let seq = snapshot.head.seq;
        ensure!(told.published <= seq, "{seq} is published after {}", told.published);
        told.published = seq;
        Ok(())
    }

    /// A delta for everybody who follows.
    pub(crate) fn see_delta(&self, property: usize, told: &mut Told, group: &Group) -> Checked {
        for sealed in &group.events {
            let (seq, last) = (sealed.event.seq, told.fed);
            ensure!(seq == last + 1, "the feed jumps from {last} to {seq}");
            let head = domain::event::Head { seq, hash: sealed.hash };
            ensure!(self.ledgers[property].had(head), "the feed tells of {seq}, which is not so");
            told.fed = seq;
        }
        Ok(())
    }

    /// The feed is handed what it missed before a loaded state is used.
    pub(crate) fn see_load(told: &mut Told, seq: Seq) -> Checked {
        ensure!(told.fed <= seq, "{seq} was loaded, the feed knows {}", told.fed);
        told.fed = seq;
        Ok(())
    }

    /// The end, when everything has had its time.
    pub(crate) fn see_end(&self, store: &Store, now: Instant) -> Checked {
        for (ledger, table) in self.ledgers.iter().zip(&store.tables) {
            for booking in table.bookings.values() {
                let overdue = deadline(booking).is_some_and(|at| at <= now);
                ensure!(!overdue, "{booking:?} is overdue and nothing ends it");
            }
            check_table(ledger, table)?;
        }
        Ok(())
    }
}

/// The rows of a property are what its events say.
fn check_table(ledger: &Ledger, table: &Table) -> Checked {
    ensure!(ledger.head == table.head, "the head is {:?}, the events say {:?}", table.head, ledger);
    let mut occupied = table.occupied.clone();
    occupied.retain(|_, holder| *holder != tamperer());
    ensure!(occupied == ledger.held_nights(), "occupied nights are {occupied:?}, not as folded");
    ensure!(
        table.next_deadline == ledger.next_deadline(),
        "the next deadline is {:?}, the events say {:?}",
        table.next_deadline,
        ledger.next_deadline()
    );
    for booking in table.bookings.values() {
        ensure!(ledger.newest(booking.id) == Some(booking), "{booking:?} is not as folded");
        check_money(booking, table)?;
    }
    ensure!(table.bookings.len() == ledger.bookings.len(), "a booking has no row");
    Ok(())
}

/// What was paid is the price or nothing, but for a booking that became cheaper, and what goes back
/// is what the refunds' jobs say.
fn check_money(booking: &Booking, table: &Table) -> Checked {
    let whole = booking.paid == 0 || booking.paid >= booking.total;
    let is_even = booking.status != Status::Confirmed
        || booking.offline
        || booking.paid - booking.refunded == booking.total;
    let untouched = booking.paid == 0 && booking.attempt.is_none();
    ensure!(!booking.offline || untouched, "{booking:?} was paid for here");
    ensure!(is_even, "{booking:?} stands without its price");
    ensure!(booking.price.total() == booking.total, "the lines of {booking:?} do not add up");
    ensure!(whole && (0..=booking.paid).contains(&booking.refunded), "{booking:?} is miscounted");
    let held: i64 = booking.takings.iter().map(|taking| taking.held).sum();
    ensure!(held == booking.retained(), "the payments of {booking:?} hold {held}");
    let refunds = table.jobs.iter().filter(|(id, _)| *id == booking.id).map(|(_, job)| job.kind);
    let back: i64 = refunds
        .map(|kind| match kind {
            JobKind::Refund { amount } => amount,
            JobKind::CreateIntent | JobKind::CancelIntent | JobKind::Capture => 0,
        })
        .sum();
    ensure!(back == booking.refunded, "{back} goes back for {booking:?}");
    Ok(())
}
