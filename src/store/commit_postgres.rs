//! The commit on PostgreSQL: one autocommit statement, so one round trip and one flush.
//!
//! All parts of a statement see one snapshot and run in no fixed order, so the order is made of
//! data: `advanced` locks and moves the heads in the order of ids (see [`settings`]), `opened` says
//! for each run whether it moved, `keyed` inserts the keys of open runs, and `gate` hands `opened`
//! on only after `keyed` has been counted. Every other part asks `gate` for its rows' run.

use super::booking_row::free_from;
use super::commit::{Rows, rejection};
use super::edits::{self, edited};
use super::error::is_lost;
use super::jobs::Work;
use super::night_rows::{self, nights_edited};
use super::outcome_unknown::{Backend, connect, find_applied, in_time};
use super::postgres::Postgres;
use domain::group::Group;
use domain::pipeline::Rejection;
use domain::pipeline::lane::Outcome;
use domain::{Booking, Instant, PropertyId, codec};
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;
use std::collections::HashSet;
use std::sync::Arc;

/// The settings of a connection that runs the commit, with its own patience for a lock and for
/// idleness inside a transaction. The plan is made once, for tables that grow from nothing: index
/// lookups are right from the first row on. They are the order of locks as well: whichever of the
/// sorted runs and the heads' index a nested loop goes through, it goes in the order of ids.
pub(super) const fn settings(
    lock_timeout: &'static str,
    idle_timeout: &'static str,
) -> [(&'static str, &'static str); 9] {
    [
        ("lock_timeout", lock_timeout),
        ("statement_timeout", "10s"),
        ("idle_in_transaction_session_timeout", idle_timeout),
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_bitmapscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("jit", "off"),
    ]
}

/// A lane does not wait for strangers.
const SETTINGS: [(&str, &str); 9] = settings("100ms", "5s");

/// What every commit may hold: heads, keys, bookings that are made, their events and nights.
macro_rules! made {
    () => {
        "with run as materialized (
    select * from unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bigint[], $5::bytea[],
        $6::bigint[], $7::bigint[])
    with ordinality as run (property_id, base_seq, base_hash, seq, event_hash, next_deadline,
        changed_at, place)
), advanced as (
    update calendar_head as head
    set seq = run.seq, event_hash = run.event_hash, next_deadline = run.next_deadline,
        changed_at = run.changed_at
    from run
    where head.property_id = run.property_id
        and head.seq = run.base_seq and head.event_hash = run.base_hash
    returning head.property_id, run.place
), moved as (
    select place, bool_or(moved) as moved from (
        select place, false as moved from run
        union all select place, true from advanced
    ) as each group by place
), opened as materialized (
    select array_agg(moved order by place) as runs from moved
), keyed as (
    insert into idempotency_key (caller_id, key, request_hash, property_id, booking_id, seq,
        created_at)
    select row.caller_id, row.key, row.request_hash, ($1::uuid[])[row.run], row.booking_id,
        row.seq, row.created_at
    from unnest($8::int[], $9::uuid[], $10::text[], $11::bytea[], $12::uuid[], $13::bigint[],
        $14::bigint[])
        as row (run, caller_id, key, request_hash, booking_id, seq, created_at)
    where (select runs from opened)[row.run]
    returning 1
), gate as materialized (
    select runs from opened where (select count(*) from keyed) >= 0
), made as (
    insert into booking (property_id, booking_id, guest_id, check_in, check_out, guests, status,
        awaiting, expires_at, free_from, total, currency, quote_id, payment_id, payment_live, paid,
        refunded, policy, version, created_at, check_in_at, check_out_at, price, confirmed_at,
        offline)
    select ($1::uuid[])[row.run], row.booking_id, row.guest_id, row.check_in, row.check_out,
        row.guests, row.status, row.awaiting, row.expires_at, row.free_from, row.total,
        row.currency, row.quote_id, row.payment_id, row.payment_live, row.paid, row.refunded,
        row.policy, row.version, row.created_at, row.check_in_at, row.check_out_at, row.price,
        row.confirmed_at, row.offline
    from unnest($15::int[], $16::uuid[], $17::int[], $18::int[], $19::int[], $20::text[],
        $21::text[], $22::bigint[], $23::int[], $24::bigint[], $25::uuid[], $26::uuid[],
        $27::boolean[], $28::bigint[], $29::bigint[], $30::bigint[], $31::bigint[], $32::bigint[],
        $33::bytea[], $34::bigint[], $35::uuid[], $36::text[], $37::text[], $38::bigint[],
        $39::boolean[])
        as row (run, booking_id, check_in, check_out, guests, status, awaiting, expires_at,
            free_from, total, quote_id, payment_id, payment_live, paid, refunded, version,
            check_in_at, check_out_at, price, confirmed_at, guest_id, currency, policy,
            created_at, offline)
    where (select runs from gate)[row.run]
), happened as (
    insert into calendar_event (property_id, seq, event_hash, bytes)
    select ($1::uuid[])[row.run], row.seq, row.event_hash, row.bytes
    from unnest($40::int[], $41::bigint[], $42::bytea[], $43::bytea[])
        as row (run, seq, event_hash, bytes)
    where (select runs from gate)[row.run]
), taken as (
    insert into occupied_night (property_id, night, booking_id)
    select ($1::uuid[])[row.run], row.night, row.booking_id
    from unnest($44::int[], $45::int[], $46::uuid[]) as row (run, night, booking_id)
    where (select runs from gate)[row.run]
)"
    };
}

/// The statement of a batch that only makes bookings. What a statement could do costs time even
/// where it has nothing to do, and most batches under load are these.
const MAKE: &str = concat!(made!(), " select property_id from advanced");

/// What a batch may hold besides: steps of bookings that are there, and what follows from them.
macro_rules! stepped {
    () => {
        ", changed as (
    update booking
    set check_in = row.check_in, check_out = row.check_out, guests = row.guests,
        status = row.status, awaiting = row.awaiting, expires_at = row.expires_at,
        free_from = row.free_from, total = row.total, quote_id = row.quote_id,
        payment_id = row.payment_id, payment_live = row.payment_live, paid = row.paid,
        refunded = row.refunded, version = row.version, check_in_at = row.check_in_at,
        check_out_at = row.check_out_at, price = row.price, confirmed_at = row.confirmed_at,
        amendment = row.amendment
    from unnest($47::int[], $48::uuid[], $49::int[], $50::int[], $51::int[], $52::text[],
        $53::text[], $54::bigint[], $55::int[], $56::bigint[], $57::uuid[], $58::uuid[],
        $59::boolean[], $60::bigint[], $61::bigint[], $62::bigint[], $63::bigint[], $64::bigint[],
        $65::bytea[], $66::bigint[], $67::bytea[])
        as row (run, booking_id, check_in, check_out, guests, status, awaiting, expires_at,
            free_from, total, quote_id, payment_id, payment_live, paid, refunded, version,
            check_in_at, check_out_at, price, confirmed_at, amendment)
    where (select runs from gate)[row.run] and booking.property_id = ($1::uuid[])[row.run]
        and booking.booking_id = row.booking_id
), freed as (
    delete from occupied_night as night
    using unnest($68::int[], $69::int[], $70::uuid[]) as row (run, night, booking_id)
    where (select runs from gate)[row.run] and night.property_id = ($1::uuid[])[row.run]
        and night.night = row.night and night.booking_id = row.booking_id
), attempted as (
    insert into payment (payment_id, property_id, booking_id, provider, method, amount, currency,
        status, refunded, created_at, return_url)
    select row.payment_id, ($1::uuid[])[row.run], row.booking_id, row.provider, row.method,
        row.amount, row.currency, 'created', 0, row.created_at, row.return_url
    from unnest($71::int[], $72::uuid[], $73::uuid[], $74::text[], $75::text[], $76::bigint[],
        $77::text[], $78::bigint[], $79::text[])
        as row (run, payment_id, booking_id, provider, method, amount, currency, created_at,
            return_url)
    where (select runs from gate)[row.run]
), caused as (
    insert into job (job_id, kind, subject_id, property_id, amount, payload, run_at, attempts)
    select row.job_id, row.kind, row.subject_id, ($1::uuid[])[row.run], row.amount, '',
        row.run_at, 0
    from unnest($80::int[], $81::uuid[], $82::text[], $83::uuid[], $84::bigint[], $85::bigint[])
        as row (run, job_id, kind, subject_id, amount, run_at)
    where (select runs from gate)[row.run]
)"
    };
}

/// The statement of a batch that edits no property.
const STEP: &str = concat!(made!(), stepped!(), " select property_id from advanced");

/// The statement of a batch that edits properties or calendars too, which is rare.
const EDIT: &str =
    concat!(made!(), stepped!(), edited!(), nights_edited!(), " select property_id from advanced");

pub(super) type Statement<'q> = Query<'q, sqlx::Postgres, PgArguments>;

/// Runs the commit's statement; gives the properties whose heads advanced.
pub(super) async fn write_groups(
    connection: &mut PgConnection,
    groups: &[Arc<Group>],
) -> Result<HashSet<PropertyId>, sqlx::Error> {
    use sqlx::Row;
    let rows = Rows::of(groups.iter().map(|group| &**group));
    let (made, changed): (Vec<_>, Vec<_>) =
        rows.bookings.iter().partition(|(_, booking)| booking.version == 1);
    let only_made = changed.is_empty()
        && rows.released.is_empty()
        && rows.payments.is_empty()
        && rows.jobs.is_empty();
    let has_edits = !(rows.edits.is_empty() && rows.nights.is_empty());
    let statement = sqlx::query(match (has_edits, only_made) {
        (true, _) => EDIT,
        (false, true) => MAKE,
        (false, false) => STEP,
    });
    let statement = bind_heads_and_keys(statement, &rows);
    let statement = bind_made(bind_state(statement, &made), &made);
    let mut statement = bind_events_and_nights(statement, &rows);
    if has_edits || !only_made {
        let amendments = column(&changed, |(_, booking)| codec::amendment_bytes(booking));
        statement = bind_rest(bind_state(statement, &changed).bind(amendments), &rows);
    }
    if has_edits {
        statement = night_rows::bind(edits::bind(statement, &rows)?, &rows);
    }
    let advanced = statement.fetch_all(connection).await?;
    advanced.iter().map(|row| row.try_get(0).map(PropertyId)).collect()
}

/// One column of a list of rows.
pub(super) fn column<T, C>(rows: &[T], value: impl FnMut(&T) -> C) -> Vec<C> {
    rows.iter().map(value).collect()
}

/// The place of a row's run, as PostgreSQL counts.
pub(super) fn place(run: usize) -> i32 {
    i32::try_from(run + 1).unwrap_or(i32::MAX)
}

fn micros(instant: Option<Instant>) -> Option<i64> {
    instant.map(Instant::as_micros)
}

fn bind_heads_and_keys<'q>(statement: Statement<'q>, rows: &Rows<'_>) -> Statement<'q> {
    let (runs, keys) = (&rows.runs, &rows.keys);
    statement
        .bind(column(runs, |run| run.property.0))
        .bind(column(runs, |run| run.base.seq))
        .bind(column(runs, |run| run.base.hash.0))
        .bind(column(runs, |run| run.head.seq))
        .bind(column(runs, |run| run.head.hash.0))
        .bind(column(runs, |run| micros(run.next_deadline)))
        .bind(column(runs, |run| run.changed_at.as_micros()))
        .bind(column(keys, |(run, _)| place(*run)))
        .bind(column(keys, |(_, used)| used.key.caller.0))
        .bind(column(keys, |(_, used)| &*used.key.text))
        .bind(column(keys, |(_, used)| used.key.request))
        .bind(column(keys, |(_, used)| used.booking.0))
        .bind(column(keys, |(_, used)| used.seq))
        .bind(column(keys, |(_, used)| used.at.as_micros()))
}

/// What a step may change in a booking.
fn bind_state<'q>(statement: Statement<'q>, bookings: &[(usize, &Booking)]) -> Statement<'q> {
    let places = column(bookings, |(run, _)| place(*run));
    let bookings = column(bookings, |(_, booking)| *booking);
    statement
        .bind(places)
        .bind(column(&bookings, |b| b.id.0))
        .bind(column(&bookings, |b| b.stay.check_in().days()))
        .bind(column(&bookings, |b| b.stay.check_out().days()))
        .bind(column(&bookings, |b| i32::from(b.guests)))
        .bind(column(&bookings, |b| b.status.name()))
        .bind(column(&bookings, |b| b.status.awaiting().map(|awaiting| awaiting.name())))
        .bind(column(&bookings, |b| micros(b.status.expires_at())))
        .bind(column(&bookings, |b| free_from(b.status).map(|night| night.days())))
        .bind(column(&bookings, |b| b.total))
        .bind(column(&bookings, |b| b.quote.map(|quote| quote.0)))
        .bind(column(&bookings, |b| b.attempt.map(|attempt| attempt.payment.0)))
        .bind(column(&bookings, |b| b.has_live_attempt()))
        .bind(column(&bookings, |b| b.paid))
        .bind(column(&bookings, |b| b.refunded))
        .bind(column(&bookings, |b| i64::from(b.version)))
        .bind(column(&bookings, |b| b.check_in_at.as_micros()))
        .bind(column(&bookings, |b| b.check_out_at.as_micros()))
        .bind(column(&bookings, |b| codec::price_bytes(&b.price)))
        .bind(column(&bookings, |b| micros(b.confirmed_at)))
}

/// What stays as it was when the booking was made.
fn bind_made<'q>(statement: Statement<'q>, bookings: &[(usize, &Booking)]) -> Statement<'q> {
    let bookings = column(bookings, |(_, booking)| *booking);
    statement
        .bind(column(&bookings, |b| b.guest.0))
        .bind(column(&bookings, |b| b.currency.code()))
        .bind(column(&bookings, |b| b.policy.name()))
        .bind(column(&bookings, |b| b.created_at.as_micros()))
        .bind(column(&bookings, |b| b.offline))
}

fn bind_events_and_nights<'q>(statement: Statement<'q>, rows: &Rows<'_>) -> Statement<'q> {
    let Rows { events, claimed, .. } = rows;
    statement
        .bind(column(events, |(run, _)| place(*run)))
        .bind(column(events, |(_, sealed)| sealed.event.seq))
        .bind(column(events, |(_, sealed)| sealed.hash.0))
        .bind(column(events, |(_, sealed)| &sealed.bytes[..]))
        .bind(column(claimed, |(run, ..)| place(*run)))
        .bind(column(claimed, |(_, night, _)| night.days()))
        .bind(column(claimed, |(_, _, booking)| booking.0))
}

fn bind_rest<'q>(statement: Statement<'q>, rows: &Rows<'_>) -> Statement<'q> {
    let Rows { released, payments, jobs, .. } = rows;
    statement
        .bind(column(released, |(run, ..)| place(*run)))
        .bind(column(released, |(_, night, _)| night.days()))
        .bind(column(released, |(_, _, booking)| booking.0))
        .bind(column(payments, |(run, _)| place(*run)))
        .bind(column(payments, |(_, payment)| payment.payment.0))
        .bind(column(payments, |(_, payment)| payment.booking.0))
        .bind(column(payments, |(_, payment)| &*payment.provider))
        .bind(column(payments, |(_, payment)| &*payment.method))
        .bind(column(payments, |(_, payment)| payment.amount))
        .bind(column(payments, |(_, payment)| payment.currency.code()))
        .bind(column(payments, |(_, payment)| payment.created_at.as_micros()))
        .bind(column(payments, |(_, payment)| &*payment.return_url))
        .bind(column(jobs, |(run, _)| place(*run)))
        .bind(column(jobs, |(_, job)| job.id.0))
        .bind(column(jobs, |(_, job)| Work::of(job.kind).0.name()))
        .bind(column(jobs, |(_, job)| job.payment.0))
        .bind(column(jobs, |(_, job)| Work::of(job.kind).1))
        .bind(column(jobs, |(_, job)| job.run_at.as_micros()))
}

/// What an error in a transaction says about it: `None` if that is not known.
pub(super) fn verdict(error: &sqlx::Error) -> Option<Rejection> {
    match error {
        // Nothing was sent.
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => Some(Rejection::Failed),
        // The server said that it rolled back.
        sqlx::Error::Database(_) if !is_lost(error) => Some(rejection(error)),
        _ => None,
    }
}

/// A lane's connection and the backend at its other end.
#[derive(Debug)]
pub(super) struct PostgresLane {
    postgres: Arc<Postgres>,
    live: Option<(PgConnection, Backend)>,
}

impl PostgresLane {
    pub(super) const fn new(postgres: Arc<Postgres>) -> Self {
        Self { postgres, live: None }
    }

    pub(super) async fn commit(&mut self, groups: &[Arc<Group>]) -> Outcome {
        // Taken out, so that a connection whose state is unknown is not used again.
        let (mut connection, backend) = match self.live.take() {
            Some(live) => live,
            None => connect(&self.postgres, &SETTINGS).await,
        };
        let error = match in_time(write_groups(&mut connection, groups)).await {
            Ok(advanced) => {
                self.live = Some((connection, backend));
                return Outcome::Committed { advanced };
            }
            Err(error) => error,
        };
        match verdict(&error) {
            Some(rejection) => {
                self.live = Some((connection, backend));
                Outcome::Failed(rejection)
            }
            None => {
                tracing::warn!(%error, "the connection was lost in a commit");
                drop(connection);
                let (applied, live) =
                    find_applied(&self.postgres, &SETTINGS, backend, groups).await;
                self.live = Some(live);
                Outcome::Lost { applied }
            }
        }
    }
}
