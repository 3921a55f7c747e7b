//! The commit on SQLite: `BEGIN IMMEDIATE`, one statement for each table over `json_each`,
//! `COMMIT`. Statements run one after another here, so which heads advanced is known before
//! anything else is written, and the rows of the others are never sent. Any error rolls back at
//! once. After a failed write or flush nothing is answered any more: what the file holds is not
//! known, and the process has to end.
//!
//! Each row of a list is materialised once: `json_each` would write it out again for every column
//! that is taken from it, which takes 15 instead of 7 microseconds for a booking.

use super::StoreError;
use super::booking_row::free_from;
use super::commit::Rows;
use super::edits;
use super::jobs::Work;
use super::night_rows;
use super::sqlite::Sqlite;
use super::turn::TurnOutcome;
use domain::group::Group;
use domain::pipeline::Rejection;
use domain::pipeline::lane::Outcome;
use domain::{Booking, BookingId, Instant, Night, PropertyId, codec};
use serde::Serialize;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

const HEADS: &str = "with row as materialized (select value from json_each($1)) \
     update calendar_head set seq = run.seq, event_hash = run.event_hash, \
     next_deadline = run.next_deadline, changed_at = run.changed_at \
     from (select unhex(value ->> 0) as property_id, value ->> 1 as base_seq, \
         unhex(value ->> 2) as base_hash, value ->> 3 as seq, unhex(value ->> 4) as event_hash, \
         value ->> 5 as next_deadline, value ->> 6 as changed_at from row) as run \
     where calendar_head.property_id = run.property_id and calendar_head.seq = run.base_seq \
     and calendar_head.event_hash = run.base_hash returning property_id";

const KEYS: &str = "with row as materialized (select value from json_each($1)) \
     insert into idempotency_key (caller_id, key, request_hash, property_id, \
     booking_id, seq, created_at) \
     select unhex(value ->> 0), value ->> 1, unhex(value ->> 2), unhex(value ->> 3), \
     unhex(value ->> 4), value ->> 5, value ->> 6 from row";

const MADE: &str = "with row as materialized (select value from json_each($1)) \
     insert into booking (property_id, booking_id, guest_id, check_in, check_out, \
     guests, status, awaiting, expires_at, free_from, total, currency, quote_id, payment_id, \
     payment_live, paid, refunded, policy, version, created_at, check_in_at, check_out_at, price, \
     confirmed_at, offline) \
     select unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), value ->> 3, value ->> 4, \
     value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, \
     unhex(value ->> 12), unhex(value ->> 13), value ->> 14, value ->> 15, value ->> 16, \
     value ->> 17, value ->> 18, value ->> 19, value ->> 20, value ->> 21, \
     unhex(value ->> 22), value ->> 23, value ->> 24 from row";

const CHANGED: &str = "with row as materialized (select value from json_each($1)) \
     update booking set check_in = now.check_in, check_out = now.check_out, \
     guests = now.guests, status = now.status, awaiting = now.awaiting, \
     expires_at = now.expires_at, free_from = now.free_from, total = now.total, \
     quote_id = now.quote_id, payment_id = now.payment_id, payment_live = now.payment_live, \
     paid = now.paid, refunded = now.refunded, policy = now.policy, version = now.version, \
     check_in_at = now.check_in_at, check_out_at = now.check_out_at, price = now.price, \
     confirmed_at = now.confirmed_at, amendment = now.amendment \
     from (select unhex(value ->> 0) as property_id, unhex(value ->> 1) as booking_id, \
         value ->> 3 as check_in, value ->> 4 as check_out, value ->> 5 as guests, \
         value ->> 6 as status, value ->> 7 as awaiting, value ->> 8 as expires_at, \
         value ->> 9 as free_from, value ->> 10 as total, unhex(value ->> 12) as quote_id, \
         unhex(value ->> 13) as payment_id, value ->> 14 as payment_live, value ->> 15 as paid, \
         value ->> 16 as refunded, value ->> 17 as policy, value ->> 18 as version, \
         value ->> 20 as check_in_at, value ->> 21 as check_out_at, \
         unhex(value ->> 22) as price, value ->> 23 as confirmed_at, \
         unhex(value ->> 25) as amendment from row) as now \
     where booking.property_id = now.property_id and booking.booking_id = now.booking_id";

const HAPPENED: &str = "with row as materialized (select value from json_each($1)) \
     insert into calendar_event (property_id, seq, event_hash, bytes) \
     select unhex(value ->> 0), value ->> 1, unhex(value ->> 2), unhex(value ->> 3) \
     from row";

/// The join finds the rows one by one; a condition on three columns over a key of two would try
/// every property with every night.
const FREED: &str = "with row as materialized (select value from json_each($1)), \
     gone as (select unhex(value ->> 0) as property_id, value ->> 1 as night, \
         unhex(value ->> 2) as booking_id from row) \
     delete from occupied_night where (property_id, night) in \
     (select night.property_id, night.night from gone join occupied_night as night \
         on night.property_id = gone.property_id and night.night = gone.night \
         where night.booking_id = gone.booking_id)";

const TAKEN: &str = "with row as materialized (select value from json_each($1)) \
     insert into occupied_night (property_id, night, booking_id) \
     select unhex(value ->> 0), value ->> 1, unhex(value ->> 2) from row";

const ATTEMPTED: &str = "with row as materialized (select value from json_each($1)) \
     insert into payment (payment_id, property_id, booking_id, provider, \
     method, amount, currency, status, refunded, created_at, return_url) \
     select unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), value ->> 3, value ->> 4, \
     value ->> 5, value ->> 6, 'created', 0, value ->> 7, value ->> 8 from row";

const CAUSED: &str = "with row as materialized (select value from json_each($1)) \
     insert into job (job_id, kind, subject_id, property_id, amount, payload, \
     run_at, attempts) \
     select unhex(value ->> 0), value ->> 1, unhex(value ->> 2), unhex(value ->> 3), value ->> 4, \
     '', value ->> 5, 0 from row";

/// Writes these groups as one batch.
pub(super) async fn commit_batch(sqlite: &Sqlite, groups: &[Arc<Group>]) -> Outcome {
    let written = transact(sqlite, async |on| write_groups(on, groups).await);
    match written.await {
        Ok(advanced) => Outcome::Committed { advanced },
        Err(rejection) => Outcome::Failed(rejection),
    }
}

/// Writes these groups of one property one after the other, all of them or none. Each is a batch
/// of its own, so a later one may touch the rows of an earlier one.
pub(super) async fn commit_in_turn(sqlite: &Sqlite, groups: &[Arc<Group>]) -> TurnOutcome {
    let mut at = None;
    let written = transact(sqlite, async |on| {
        for group in groups {
            at = Some(group.id);
            let advanced = write_groups(on, std::slice::from_ref(group)).await?;
            if !advanced.contains(&group.property) {
                return Err(Failure::Rejected(Rejection::Fenced));
            }
        }
        Ok(())
    })
    .await;
    match (written, at) {
        (Err(rejection), Some(group)) => TurnOutcome::Failed { group, rejection },
        _ => TurnOutcome::Committed,
    }
}

/// Does this in one transaction on the connection that writes everything.
async fn transact<T>(
    sqlite: &Sqlite,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, Failure>,
) -> Result<T, Rejection> {
    let mut writer = sqlite.writer.lock().await;
    if sqlite.broken.is_set() {
        return std::future::pending().await;
    }
    let result = async {
        let mut transaction = writer.begin_with("begin immediate").await?;
        match work(&mut transaction).await {
            Ok(value) => {
                let carried = sqlite.riders.carry(&mut transaction).await;
                transaction.commit().await?;
                carried.arrive();
                Ok(value)
            }
            Err(failure) => {
                // What went wrong is known; a rollback that fails ends with the next begin.
                let _ = transaction.rollback().await;
                Err(failure)
            }
        }
    };
    match result.await {
        Ok(value) => Ok(value),
        Err(Failure::Rejected(rejection)) => Err(rejection),
        Err(Failure::Disk(error)) => {
            sqlite.broken.set(&error);
            std::future::pending().await
        }
    }
}

/// What an error means for the groups.
enum Failure {
    Rejected(Rejection),
    /// What the file holds is not known.
    Disk(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match StoreError::from(error) {
            StoreError::Disk(error) => Self::Disk(error),
            StoreError::Unavailable(_) => Self::Rejected(Rejection::Contended),
            StoreError::Full => {
                tracing::error!("the database's disk is full");
                Self::Rejected(Rejection::Full)
            }
            error => {
                tracing::error!(%error, "the database refused a commit");
                Self::Rejected(Rejection::Failed)
            }
        }
    }
}

/// A second row where there may be one means this; anything else means what it means.
fn unique(means: Rejection) -> impl FnOnce(sqlx::Error) -> Failure {
    move |error| {
        if !error.as_database_error().is_some_and(|e| e.is_unique_violation()) {
            return error.into();
        }
        if means == Rejection::Guarded {
            tracing::error!(%error, "the database's own guard fired");
        }
        Failure::Rejected(means)
    }
}

async fn write_groups(
    on: &mut SqliteConnection,
    groups: &[Arc<Group>],
) -> Result<HashSet<PropertyId>, Failure> {
    let advanced = advance(on, groups).await?;
    let open = groups.iter().filter(|group| advanced.contains(&group.property));
    let rows = Rows::of(open.map(|group| &**group));
    let run = |place: usize| hex(rows.runs[place].property.0);
    send(on, KEYS, &key_rows(&rows)).await.map_err(unique(Rejection::KeyTaken))?;
    let (made, changed): (Vec<_>, Vec<_>) =
        booking_rows(&rows).into_iter().partition(|row| row.18 == 1);
    send(on, MADE, &made).await?;
    send(on, CHANGED, &changed).await?;
    send(on, HAPPENED, &event_rows(&rows)).await?;
    let night = |(place, night, booking): &(usize, Night, BookingId)| {
        (run(*place), night.days(), hex(booking.0))
    };
    let freed: Vec<_> = rows.released.iter().map(night).collect();
    send(on, FREED, &freed).await?;
    let taken: Vec<_> = rows.claimed.iter().map(night).collect();
    send(on, TAKEN, &taken).await.map_err(unique(Rejection::Guarded))?;
    send(on, ATTEMPTED, &payment_rows(&rows)).await?;
    send(on, CAUSED, &job_rows(&rows)).await?;
    if !rows.edits.is_empty() {
        edits::write_sqlite(on, &rows).await?;
    }
    if !rows.nights.is_empty() {
        night_rows::write_sqlite(on, &rows).await?;
    }
    Ok(advanced)
}

/// Moves the heads that stand where their groups were decided; gives their properties.
async fn advance(
    on: &mut SqliteConnection,
    groups: &[Arc<Group>],
) -> Result<HashSet<PropertyId>, sqlx::Error> {
    let rows = Rows::of(groups.iter().map(|group| &**group));
    let runs: Vec<_> = rows
        .runs
        .iter()
        .map(|run| {
            (
                hex(run.property.0),
                run.base.seq,
                run.base.hash.to_string(),
                run.head.seq,
                run.head.hash.to_string(),
                micros(run.next_deadline),
                run.changed_at.as_micros(),
            )
        })
        .collect();
    let advanced = sqlx::query(HEADS).bind(json(&runs)?).fetch_all(on).await?;
    advanced.iter().map(|row| row.try_get(0).map(PropertyId)).collect()
}

/// Runs a statement over a list of rows, unless the list is empty.
pub(super) async fn send<T: Serialize>(
    on: &mut SqliteConnection,
    statement: &'static str,
    rows: &[T],
) -> Result<(), sqlx::Error> {
    if !rows.is_empty() {
        sqlx::query(statement).bind(json(rows)?).execute(on).await?;
    }
    Ok(())
}

pub(super) fn json<T: Serialize>(rows: &[T]) -> Result<String, sqlx::Error> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))
}

pub(super) fn hex(id: Uuid) -> String {
    id.simple().to_string()
}

pub(super) fn hex_bytes(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

fn micros(instant: Option<Instant>) -> Option<i64> {
    instant.map(Instant::as_micros)
}

type KeyRow<'a> = (String, &'a str, String, String, String, i64, i64);

fn key_rows<'a>(rows: &Rows<'a>) -> Vec<KeyRow<'a>> {
    let row = |(run, used): &(usize, &'a domain::command::KeyUse)| {
        (
            hex(used.key.caller.0),
            &*used.key.text,
            hex_bytes(&used.key.request),
            hex(rows.runs[*run].property.0),
            hex(used.booking.0),
            used.seq,
            used.at.as_micros(),
        )
    };
    rows.keys.iter().map(row).collect()
}

/// The columns of `booking` in the order of the statements.
#[derive(Serialize)]
struct BookingJson<'a>(
    String,
    String,
    String,
    i32,
    i32,
    u16,
    &'static str,
    Option<&'static str>,
    Option<i64>,
    Option<i32>,
    i64,
    &'a str,
    Option<String>,
    Option<String>,
    u8,
    i64,
    i64,
    &'static str,
    u32,
    i64,
    i64,
    i64,
    String,
    Option<i64>,
    u8,
    Option<String>,
);

fn booking_rows<'a>(rows: &Rows<'a>) -> Vec<BookingJson<'a>> {
    let row = |(run, booking): &(usize, &'a Booking)| {
        BookingJson(
            hex(rows.runs[*run].property.0),
            hex(booking.id.0),
            hex(booking.guest.0),
            booking.stay.check_in().days(),
            booking.stay.check_out().days(),
            booking.guests,
            booking.status.name(),
            booking.status.awaiting().map(|awaiting| awaiting.name()),
            micros(booking.status.expires_at()),
            free_from(booking.status).map(Night::days),
            booking.total,
            booking.currency.code(),
            booking.quote.map(|quote| hex(quote.0)),
            booking.attempt.map(|attempt| hex(attempt.payment.0)),
            u8::from(booking.has_live_attempt()),
            booking.paid,
            booking.refunded,
            booking.policy.name(),
            booking.version,
            booking.created_at.as_micros(),
            booking.check_in_at.as_micros(),
            booking.check_out_at.as_micros(),
            hex_bytes(&codec::price_bytes(&booking.price)),
            micros(booking.confirmed_at),
            u8::from(booking.offline),
            codec::amendment_bytes(booking).map(|bytes| hex_bytes(&bytes)),
        )
    };
    rows.bookings.iter().map(row).collect()
}

fn event_rows(rows: &Rows<'_>) -> Vec<(String, i64, String, String)> {
    let row = |(run, sealed): &(usize, &domain::event::Sealed)| {
        let property = hex(rows.runs[*run].property.0);
        (property, sealed.event.seq, sealed.hash.to_string(), hex_bytes(&sealed.bytes))
    };
    rows.events.iter().map(row).collect()
}

type PaymentJson<'a> = (String, String, String, &'a str, &'a str, i64, &'a str, i64, &'a str);

fn payment_rows<'a>(rows: &Rows<'a>) -> Vec<PaymentJson<'a>> {
    let row = |(run, payment): &(usize, &'a domain::group::PaymentRow)| {
        (
            hex(payment.payment.0),
            hex(rows.runs[*run].property.0),
            hex(payment.booking.0),
            &*payment.provider,
            &*payment.method,
            payment.amount,
            payment.currency.code(),
            payment.created_at.as_micros(),
            &*payment.return_url,
        )
    };
    rows.payments.iter().map(row).collect()
}

fn job_rows(rows: &Rows<'_>) -> Vec<(String, &'static str, String, String, i64, i64)> {
    let row = |(run, job): &(usize, &domain::group::Job)| {
        let (work, amount) = Work::of(job.kind);
        (
            hex(job.id.0),
            work.name(),
            hex(job.payment.0),
            hex(rows.runs[*run].property.0),
            amount,
            job.run_at.as_micros(),
        )
    };
    rows.jobs.iter().map(row).collect()
}
