//! A payment with all that is done about it depends on, and who may do it.
//!
//! One worker at a time has a payment for itself, by a lease that is committed at once and ends by
//! itself. What it reads is one snapshot: the payment, its refunds, its booking, and the jobs that
//! are done once the payment is at rest.

use super::booking_row::BookingRow;
use super::jobs::Work;
use super::payments::{BY_ID, Columns, Payment, STATUS};
use super::refunds::{self, Refund};
use super::{Database, Kind, Store, StoreError, read, write};
use domain::{Booking, Instant, JobId, PaymentId, PropertyId};
use uuid::Uuid;

/// A payment with everything that decides what is done about it, read in one snapshot.
#[derive(Clone, Debug)]
pub struct Case {
    pub payment: Payment,
    pub refunds: Vec<Refund>,
    pub booking: Booking,
    /// The jobs that steps of the booking caused: whoever brings it to rest after this has done them.
    pub jobs: Vec<JobId>,
    /// The jobs about what its provider said that nobody tries any more.
    pub given_up: Vec<JobId>,
}

/// What came of the wish to have a payment for oneself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    Had,
    /// Somebody else is at it.
    Taken,
    /// There is no such payment.
    Missing,
}

const BOOKING: &str = "select booking.* from booking join payment \
     on payment.property_id = booking.property_id and payment.booking_id = booking.booking_id \
     where payment.payment_id = $1";

const JOBS: &str = "select job_id, kind, buried_at from job where subject_id = $1";

const LEASE: &str = "update payment set settling_until = $3 where payment_id = $1 \
     and (settling_until is null or settling_until <= $2)";

const RELEASE: &str =
    "update payment set settling_until = null where payment_id = $1 and settling_until = $2";

const RELEASE_ALL: &str =
    "update payment set settling_until = null where settling_until is not null";

const END_JOB: &str = "delete from job where job_id = $1";

const UNFINISHED: &str = "select payment_id, property_id from payment \
     where status in ('created', 'requires_action', 'processing', 'authorized') \
     union select payment_id, property_id from payment \
     where receipt is not null and status in ('failed', 'voided', 'expired') \
     union select payment_id, property_id from refund where state in ('requested', 'submitted') \
     union select payment.payment_id, payment.property_id from job \
     join payment on payment.payment_id = job.subject_id where job.buried_at is not null \
     order by 1 limit 10000";

/// Reads a case. The caller has begun a snapshot.
macro_rules! case {
    ($on:expr, $id:expr) => {{
        let payment: Option<Columns> =
            sqlx::query_as(BY_ID).bind($id.0).fetch_optional(&mut *$on).await?;
        let booking: Option<BookingRow> =
            sqlx::query_as(BOOKING).bind($id.0).fetch_optional(&mut *$on).await?;
        let refunds = refunds::of_payment!($on, $id);
        let jobs: Vec<JobRow> = sqlx::query_as(JOBS).bind($id.0).fetch_all(&mut *$on).await?;
        match (payment, booking) {
            (Some(payment), Some(booking)) => Some(Case {
                payment: payment.try_into()?,
                booking: booking.try_into()?,
                refunds,
                given_up: given_up(&jobs),
                jobs: of_steps(&jobs),
            }),
            _ => None,
        }
    }};
}

type JobRow = (Uuid, String, Option<i64>);

/// What a provider said, or was to be asked, is no part of the snapshot: it may be newer than what was
/// heard of it.
fn of_steps(jobs: &[JobRow]) -> Vec<JobId> {
    let is_of_step =
        |kind: &str| kind != Work::ProviderEvent.name() && kind != Work::Reconcile.name();
    jobs.iter().filter(|(_, kind, _)| is_of_step(kind)).map(|(id, ..)| JobId(*id)).collect()
}

fn given_up(jobs: &[JobRow]) -> Vec<JobId> {
    let is_given_up =
        |(_, kind, buried): &&JobRow| kind == Work::ProviderEvent.name() && buried.is_some();
    jobs.iter().filter(is_given_up).map(|(id, ..)| JobId(*id)).collect()
}

impl Store {
    /// Has a payment for oneself until `until`, unless somebody has it at `now`.
    pub async fn lease_payment(
        &self,
        id: PaymentId,
        now: Instant,
        until: Instant,
    ) -> Result<Lease, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                let leased = sqlx::query(LEASE)
                    .bind(id.0)
                    .bind(now.as_micros())
                    .bind(until.as_micros())
                    .execute(&mut *on)
                    .await?;
                let known: Option<String> =
                    sqlx::query_scalar(STATUS).bind(id.0).fetch_optional(&mut *on).await?;
                match (leased.rows_affected(), known) {
                    (1, _) => Lease::Had,
                    (_, Some(_)) => Lease::Taken,
                    (_, None) => Lease::Missing,
                }
            })
        })
        .await
    }

    /// Gives a lease back, and ends these jobs.
    pub async fn release_payment(
        &self,
        id: PaymentId,
        until: Instant,
        done: Vec<JobId>,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                let until = until.as_micros();
                sqlx::query(RELEASE).bind(id.0).bind(until).execute(&mut *on).await?;
                for job in done {
                    sqlx::query(END_JOB).bind(job.0).execute(&mut *on).await?;
                }
            })
        })
        .await
    }

    /// Ends the leases of a process that is not there any more: where there is only one at a time,
    /// all that a new one finds.
    pub async fn release_payments(&self) -> Result<(), StoreError> {
        if self.kind() == Kind::Postgres {
            return Ok(());
        }
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(RELEASE_ALL).execute(on).await?;
            })
        })
        .await
    }

    /// A payment with all that is done about it depends on.
    pub async fn case(&self, id: PaymentId) -> Result<Option<Case>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            match &store.database {
                Database::Postgres(postgres) => {
                    let begin = "begin isolation level repeatable read, read only";
                    let mut transaction = postgres.pool.begin_with(begin).await?;
                    let case = case!(transaction, id);
                    transaction.commit().await?;
                    Ok(case)
                }
                Database::Sqlite(sqlite) => {
                    let mut reader = sqlite.readers.acquire().await?;
                    let mut transaction = sqlx::Connection::begin(&mut *reader).await?;
                    let case = case!(transaction, id);
                    transaction.commit().await?;
                    Ok(case)
                }
            }
        })
        .await
    }

    /// The payments that may have something to be done about them, with their properties.
    pub async fn unfinished_payments(&self) -> Result<Vec<(PaymentId, PropertyId)>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let rows: Vec<(Uuid, Uuid)> =
                read!(store, |on| sqlx::query_as(UNFINISHED).fetch_all(on).await?);
            let ids = |(payment, property)| (PaymentId(payment), PropertyId(property));
            Ok(rows.into_iter().map(ids).collect())
        })
        .await
    }
}
