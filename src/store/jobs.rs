//! Jobs: work that follows from what was committed.
//!
//! A worker claims jobs by lease: `claimed_until` is committed at once and no lock is held while
//! it works, so every job may run twice. Jobs about a payment that somebody is at are left to them. A job that ended is deleted; one that is given up is
//! buried and stays for people to see.

use super::{Database, Store, StoreError, read, write};
use domain::group::JobKind;
use domain::{Instant, JobId, PropertyId};
use sqlx::FromRow;
use std::str::FromStr;
use std::time::Duration;
use uuid::Uuid;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Ask the provider for the money of a payment.
    CreateIntent,
    /// Tell the provider that the money is not wanted any more.
    CancelIntent,
    /// Have the provider collect what is promised.
    Capture,
    /// Give money back.
    Refund,
    /// Look at what the provider said; the payload is the event's id in the inbox.
    ProviderEvent,
    /// Look whether a payment that is not finished stands where it should.
    Reconcile,
    /// Send an account the mail that proves its address.
    VerifyMail,
    /// Send the mail that lets somebody set a new password; the payload is the address that was
    /// typed, which may be nobody's.
    ResetMail,
}

impl Work {
    const ALL: [Self; 8] = [
        Self::CreateIntent,
        Self::CancelIntent,
        Self::Capture,
        Self::Refund,
        Self::ProviderEvent,
        Self::Reconcile,
        Self::VerifyMail,
        Self::ResetMail,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreateIntent => "create_intent",
            Self::CancelIntent => "cancel_intent",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::ProviderEvent => "provider_event",
            Self::Reconcile => "reconcile",
            Self::VerifyMail => "verify_mail",
            Self::ResetMail => "reset_mail",
        }
    }

    /// The work of a calendar's job, and its amount.
    pub(super) const fn of(kind: JobKind) -> (Self, i64) {
        match kind {
            JobKind::CreateIntent => (Self::CreateIntent, 0),
            JobKind::CancelIntent => (Self::CancelIntent, 0),
            JobKind::Capture => (Self::Capture, 0),
            JobKind::Refund { amount } => (Self::Refund, amount),
        }
    }
}

/// The text names no work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a kind of job, like refund")]
pub struct UnknownWork;

impl FromStr for Work {
    type Err = UnknownWork;

    fn from_str(text: &str) -> Result<Self, UnknownWork> {
        Self::ALL.into_iter().find(|work| work.name() == text).ok_or(UnknownWork)
    }
}

/// A job as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    pub id: JobId,
    pub work: Work,
    /// What the work is about: a payment, or the account that a mail is for.
    pub subject: Uuid,
    pub property: Option<PropertyId>,
    /// In minor units; 0 where the work needs none.
    pub amount: i64,
    /// Whatever else the work needs; may be empty.
    pub payload: String,
    pub run_at: Instant,
}

/// A job that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedJob {
    pub job: NewJob,
    /// How often it was claimed, this time included.
    pub attempts: u32,
}

/// How many jobs there are, by where they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    pub waiting: u64,
    pub claimed: u64,
    pub buried: u64,
}

#[derive(FromRow)]
struct Columns {
    job_id: Uuid,
    kind: String,
    subject_id: Uuid,
    property_id: Option<Uuid>,
    amount: i64,
    payload: String,
    run_at: i64,
    attempts: i32,
}

impl TryFrom<Columns> for ClaimedJob {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let job = NewJob {
            id: JobId(row.job_id),
            work: row.kind.parse().map_err(|_| StoreError::Corrupt("job.kind"))?,
            subject: row.subject_id,
            property: row.property_id.map(PropertyId),
            amount: row.amount,
            payload: row.payload,
            run_at: Instant::from_micros(row.run_at),
        };
        Ok(Self { job, attempts: row.attempts.unsigned_abs() })
    }
}

pub(super) const INSERT: &str = "insert into job (job_id, kind, subject_id, property_id, amount, \
     payload, run_at, attempts) values ($1, $2, $3, $4, $5, $6, $7, 0) \
     on conflict (job_id) do nothing";

/// Writes a job in the transaction that causes it; one that waits already is not written again.
macro_rules! insert_job {
    ($on:expr, $job:expr) => {
        sqlx::query($crate::store::jobs::INSERT)
            .bind($job.id.0)
            .bind($job.work.name())
            .bind($job.subject)
            .bind($job.property.map(|property| property.0))
            .bind($job.amount)
            .bind(&$job.payload)
            .bind($job.run_at.as_micros())
            .execute(&mut *$on)
            .await?
    };
}

pub(super) use insert_job;

const CLAIM_POSTGRES: &str = "update job set claimed_until = $2, attempts = attempts + 1 \
     where job_id in (select job_id from job where buried_at is null and run_at <= $1 \
     and (claimed_until is null or claimed_until <= $1) and not exists (select 1 from payment \
     where payment_id = job.subject_id and settling_until > $1) \
     order by kind = 'reconcile', run_at limit $3 for update skip locked) returning *";

const CLAIM_SQLITE: &str = "update job set claimed_until = $2, attempts = attempts + 1 \
     where job_id in (select job_id from job where buried_at is null and run_at <= $1 \
     and (claimed_until is null or claimed_until <= $1) and not exists (select 1 from payment \
     where payment_id = job.subject_id and settling_until > $1) \
     order by kind = 'reconcile', run_at limit $3) returning *";

const COMPLETE: &str = "delete from job where job_id = $1";

const RETRY: &str =
    "update job set run_at = $2, error = $3, claimed_until = null where job_id = $1";

const BURY: &str =
    "update job set buried_at = $2, error = $3, claimed_until = null where job_id = $1";

const COUNT: &str = "select count(*) filter (where buried_at is null and (claimed_until is null \
     or claimed_until <= $1)), count(*) filter (where buried_at is null and claimed_until > $1), \
     count(*) filter (where buried_at is not null) from job";

impl Store {
    /// Writes a job in a transaction of its own; one that waits already is not written again.
    pub async fn enqueue(&self, job: NewJob) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                insert_job!(on, job);
            })
        })
        .await
    }

    /// Writes jobs in one transaction; those that wait already are not written again.
    pub async fn enqueue_all(&self, jobs: Vec<NewJob>) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                for job in &jobs {
                    insert_job!(on, job);
                }
            })
        })
        .await
    }

    /// Claims up to `limit` jobs that are due, the oldest first and those of the reconciliation last,
    /// until `now` plus `lease`: what is not ended by then may be claimed again.
    pub async fn claim(
        &self,
        now: Instant,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<ClaimedJob>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let claim = match store.database {
                Database::Postgres(_) => CLAIM_POSTGRES,
                Database::Sqlite(_) => CLAIM_SQLITE,
            };
            let rows: Vec<Columns> = write!(store, |on| {
                sqlx::query_as(claim)
                    .bind(now.as_micros())
                    .bind(now.plus(lease).as_micros())
                    .bind(i64::from(limit))
                    .fetch_all(on)
                    .await?
            })?;
            let mut jobs: Vec<ClaimedJob> =
                rows.into_iter().map(ClaimedJob::try_from).collect::<Result<_, _>>()?;
            jobs.sort_by_key(|claimed| claimed.job.run_at);
            Ok(jobs)
        })
        .await
    }

    /// Ends a job that is done.
    pub async fn complete(&self, id: JobId) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(COMPLETE).bind(id.0).execute(on).await?;
            })
        })
        .await
    }

    /// Lets go of a job, to be tried again at `run_at`.
    pub async fn retry(&self, id: JobId, run_at: Instant, error: String) -> Result<(), StoreError> {
        self.set_job(RETRY, id, run_at, error).await
    }

    /// Gives a job up: nobody claims it any more.
    pub async fn bury(&self, id: JobId, now: Instant, error: String) -> Result<(), StoreError> {
        self.set_job(BURY, id, now, error).await
    }

    async fn set_job(
        &self,
        statement: &'static str,
        id: JobId,
        at: Instant,
        error: String,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(statement)
                    .bind(id.0)
                    .bind(at.as_micros())
                    .bind(&error)
                    .execute(on)
                    .await?;
            })
        })
        .await
    }

    /// How many jobs wait, are claimed and were given up.
    pub async fn job_counts(&self, now: Instant) -> Result<JobCounts, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let (waiting, claimed, buried): (i64, i64, i64) = read!(store, |on| {
                sqlx::query_as(COUNT).bind(now.as_micros()).fetch_one(on).await?
            });
            Ok(JobCounts {
                waiting: waiting.unsigned_abs(),
                claimed: claimed.unsigned_abs(),
                buried: buried.unsigned_abs(),
            })
        })
        .await
    }
}
