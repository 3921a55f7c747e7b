//! The commit: the only writer of bookings, events, nights and their keys.
//!
//! A [`LaneConnection`] writes a batch of groups in one transaction. Every property's head is
//! locked in the order of ids and advanced where its number *and* hash are those that the group
//! was decided on; the rest of a group is written only where its head advanced. Order: heads, then
//! keys, then everything else, each sorted. It never fails from outside: it waits for the database
//! with bounded pauses for as long as it takes, and finds out what became of a transaction whose
//! connection was lost.
//!
//! Bounds are the lane machine's: 256 groups or 4,096 rows. "One row, once" is the lane machine's
//! too: no two groups of a batch touch the same booking, night or key.

use super::commit_postgres::PostgresLane;
use super::commit_sqlite::commit_batch;
use super::error::POSTGRES_FULL;
use super::sqlite::Sqlite;
use super::{Database, Store};
use domain::command::KeyUse;
use domain::event::{Head, Sealed, Seq};
use domain::group::{CalendarRows, Group, Job, PaymentRow, Subject};
use domain::pipeline::Rejection;
use domain::pipeline::lane::Outcome;
use domain::property::Edit;
use domain::{Booking, BookingId, Instant, Night, PropertyId};
use foldhash::{HashMap, HashMapExt as _};
use std::sync::Arc;

/// One lane's own connection. On SQLite every lane shares the one that writes.
#[derive(Debug)]
pub struct LaneConnection(Side);

#[derive(Debug)]
enum Side {
    Postgres(PostgresLane),
    Sqlite(Arc<Sqlite>),
}

impl Store {
    /// The connection of a lane. It connects when it is first used.
    pub fn lane(&self) -> LaneConnection {
        LaneConnection(match &self.database {
            Database::Postgres(postgres) => Side::Postgres(PostgresLane::new(Arc::clone(postgres))),
            Database::Sqlite(sqlite) => Side::Sqlite(Arc::clone(sqlite)),
        })
    }
}

impl LaneConnection {
    /// Writes these groups in one transaction; groups of one property stand in their order. Comes
    /// back when it is known what became of each. It runs on the store's threads, in a task that
    /// nobody drops.
    pub async fn commit(&mut self, groups: &[Arc<Group>]) -> Outcome {
        match &mut self.0 {
            Side::Postgres(lane) => lane.commit(groups).await,
            Side::Sqlite(sqlite) => commit_batch(sqlite, groups).await,
        }
    }
}

/// The consecutive groups of one property: checked against the first, set to the last.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) property: PropertyId,
    pub(super) base: Head,
    pub(super) head: Head,
    pub(super) next_deadline: Option<Instant>,
    pub(super) changed_at: Instant,
}

/// The rows of a batch by table, each sorted; `usize` is the place of the row's run.
#[derive(Debug, Default)]
pub(super) struct Rows<'a> {
    pub(super) runs: Vec<Run>,
    pub(super) keys: Vec<(usize, &'a KeyUse)>,
    pub(super) bookings: Vec<(usize, &'a Booking)>,
    pub(super) edits: Vec<(usize, Seq, &'a Edit)>,
    pub(super) nights: Vec<(usize, &'a CalendarRows)>,
    pub(super) events: Vec<(usize, &'a Sealed)>,
    pub(super) released: Vec<(usize, Night, BookingId)>,
    pub(super) claimed: Vec<(usize, Night, BookingId)>,
    pub(super) payments: Vec<(usize, &'a PaymentRow)>,
    pub(super) jobs: Vec<(usize, &'a Job)>,
}

impl<'a> Rows<'a> {
    /// Sorts the rows of these groups by table.
    pub(super) fn of(groups: impl Iterator<Item = &'a Group> + Clone) -> Self {
        let mut rows = Self { runs: runs(groups.clone()), ..Self::default() };
        let places: HashMap<PropertyId, usize> =
            rows.runs.iter().enumerate().map(|(place, run)| (run.property, place)).collect();
        for group in groups {
            let Some(&run) = places.get(&group.property) else { continue };
            rows.keys.extend(group.key.iter().map(|key| (run, key)));
            rows.events.extend(group.events.iter().map(|event| (run, event)));
            match &group.subject {
                Subject::Booking(booking) => {
                    let night = |night: &Night| (run, *night, booking.id);
                    rows.bookings.push((run, booking));
                    rows.released.extend(group.released.iter().map(night));
                    rows.claimed.extend(group.claimed.iter().map(night));
                }
                Subject::Property(edit) => rows.edits.push((run, group.head.seq, edit)),
                Subject::Calendar => {}
            }
            rows.nights.extend(group.calendar.iter().map(|nights| (run, &**nights)));
            rows.payments.extend(group.payment.iter().map(|payment| (run, payment)));
            rows.jobs.extend(group.jobs.iter().map(|job| (run, job)));
        }
        rows.keys.sort_unstable_by_key(|(_, used)| (used.key.caller, Arc::clone(&used.key.text)));
        rows.bookings.sort_unstable_by_key(|(run, booking)| (*run, booking.id));
        rows.edits.sort_unstable_by_key(|(run, ..)| *run);
        rows.events.sort_unstable_by_key(|(run, sealed)| (*run, sealed.event.seq));
        rows.released.sort_unstable();
        rows.claimed.sort_unstable();
        rows.payments.sort_unstable_by_key(|(_, payment)| payment.payment);
        rows.jobs.sort_unstable_by_key(|(_, job)| job.id);
        rows
    }
}

/// One run for each property, in the order of ids.
fn runs<'a>(groups: impl Iterator<Item = &'a Group>) -> Vec<Run> {
    let mut runs: HashMap<PropertyId, Run> = HashMap::new();
    for group in groups {
        let run = runs.entry(group.property).or_insert_with(|| Run {
            property: group.property,
            base: group.base,
            head: group.head,
            next_deadline: None,
            changed_at: Instant::default(),
        });
        run.head = group.head;
        run.next_deadline = group.next_deadline;
        if let Some(last) = group.events.last() {
            run.changed_at = last.event.at;
        }
    }
    let mut runs: Vec<Run> = runs.into_values().collect();
    runs.sort_unstable_by_key(|run| run.property);
    runs
}

/// What the database's refusal of a transaction means for the groups in it.
pub(super) fn rejection(error: &sqlx::Error) -> Rejection {
    let Some(database) = error.as_database_error() else { return Rejection::Failed };
    let code = database.code().unwrap_or_default();
    let rejection = match (database.constraint(), &*code) {
        (Some("idempotency_key_pkey"), "23505") => Rejection::KeyTaken,
        (Some("occupied_night_pkey"), "23505") => Rejection::Guarded,
        // A lock or a statement that took too long, a deadlock, a serialisation failure: strangers
        // in the way, and no fault of the group.
        (_, "55P03" | "57014" | "40P01" | "40001") => Rejection::Contended,
        (_, POSTGRES_FULL) => Rejection::Full,
        _ => Rejection::Failed,
    };
    match rejection {
        Rejection::Guarded => tracing::error!(%error, "the database's own guard fired"),
        Rejection::Full => tracing::error!("the database's disk is full"),
        Rejection::Failed => tracing::error!(%error, "the database refused a commit"),
        _ => tracing::debug!(%error, "a commit was not made"),
    }
    rejection
}
