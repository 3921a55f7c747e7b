//! Payments and what providers say about them.
//!
//! A payment's row is made by the commit that starts the attempt; here it moves forward only. What
//! a provider sends is kept raw in the inbox, together with the job that will look at it.

use super::jobs::{NewJob, insert_job};
use super::list::{Statement, Value, rows};
use super::{Kind, Store, StoreError, read, write};
use domain::{BookingId, Currency, Instant, JobId, PaymentId, PropertyId, UserId};
use sqlx::FromRow;
use std::str::FromStr;
use uuid::Uuid;

/// One attempt to pay for a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub property: PropertyId,
    pub booking: BookingId,
    pub provider: String,
    /// The provider's own name for it, once there is one.
    pub provider_ref: Option<String>,
    /// What the client named as its means of payment; empty if nothing.
    pub method: String,
    /// In minor units of `currency`, as is `refunded`.
    pub amount: i64,
    pub currency: Currency,
    pub status: PaymentStatus,
    pub refunded: i64,
    pub created_at: Instant,
}

#[derive(FromRow)]
pub(super) struct Columns {
    payment_id: Uuid,
    property_id: Uuid,
    booking_id: Uuid,
    provider: String,
    provider_ref: Option<String>,
    method: String,
    amount: i64,
    currency: String,
    status: String,
    refunded: i64,
    created_at: i64,
}

impl TryFrom<Columns> for Payment {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        Ok(Self {
            id: PaymentId(row.payment_id),
            property: PropertyId(row.property_id),
            booking: BookingId(row.booking_id),
            provider: row.provider,
            provider_ref: row.provider_ref,
            method: row.method,
            amount: row.amount,
            currency: row.currency.parse().map_err(|_| StoreError::Corrupt("payment.currency"))?,
            status: row.status.parse().map_err(|_| StoreError::Corrupt("payment.status"))?,
            refunded: row.refunded,
            created_at: Instant::from_micros(row.created_at),
        })
    }
}

/// What became of a wish to move a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentMove {
    Moved,
    /// It stands there already.
    Already,
    /// It stands here, and the wish leads backward.
    Refused(PaymentStatus),
    /// There is no such payment.
    Missing,
}

const BY_ID: &str = "select * from payment where payment_id = $1";

const STATUS: &str = "select status from payment where payment_id = $1";

const MOVE: &str = "update payment set status = $3, provider_ref = coalesce($4, provider_ref) \
     where payment_id = $1 and status = $2";

const REFUND: &str = "update payment set refunded = refunded + $2, \
     status = case when refunded + $2 = amount then 'refunded' else 'partially_refunded' end \
     where payment_id = $1 and refunded + $2 <= amount \
     and status in ('captured', 'partially_refunded')";

const END_JOB: &str = "delete from job where job_id = $1";

/// What a provider sent, as it sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxEvent {
    pub provider: String,
    pub event_id: String,
    pub payment: PaymentId,
    pub body: String,
    pub received_at: Instant,
    pub processed_at: Option<Instant>,
}

#[derive(FromRow)]
struct InboxRow {
    provider: String,
    event_id: String,
    payment_id: Uuid,
    body: String,
    received_at: i64,
    processed_at: Option<i64>,
}

const INBOX_INSERT: &str = "insert into inbox (provider, event_id, payment_id, body, received_at, \
     processed_at) values ($1, $2, $3, $4, $5, null) on conflict (provider, event_id) do nothing";

const INBOX_GET: &str = "select * from inbox where provider = $1 and event_id = $2";

const INBOX_DONE: &str = "update inbox set processed_at = $3 \
     where provider = $1 and event_id = $2 and processed_at is null";

/// A place in a list of payments, the newest first.
pub type PaymentCursor = (Instant, PaymentId);

/// Up to `limit` payments for bookings of this guest, the newest first, from behind `after` on.
pub fn list(kind: Kind, guest: UserId, after: Option<PaymentCursor>, limit: u32) -> Statement {
    let made = "select booking_id from booking where guest_id = ?";
    let after = after.map(|(at, id)| (at, id.0));
    Statement::new("select * from payment where ")
        .and_among(kind, "booking_id", made, guest.0)
        .page(["payment", "payment_id"], after, limit)
}

impl Store {
    /// The payment of this id.
    pub async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let row: Option<Columns> =
                read!(store, |on| sqlx::query_as(BY_ID).bind(id.0).fetch_optional(on).await?);
            row.map(Payment::try_from).transpose()
        })
        .await
    }

    /// The payments of [`list`].
    pub async fn payments_of_guest(
        &self,
        guest: UserId,
        after: Option<PaymentCursor>,
        limit: u32,
    ) -> Result<Vec<Payment>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let statement = list(store.kind(), guest, after, limit);
            let rows: Vec<Columns> = rows!(store, statement);
            rows.into_iter().map(Payment::try_from).collect()
        })
        .await
    }

    /// Moves a payment forward; `provider_ref` is kept where none is given.
    pub async fn set_payment_status(
        &self,
        id: PaymentId,
        next: PaymentStatus,
        provider_ref: Option<String>,
    ) -> Result<PaymentMove, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            loop {
                let moved = write!(store, |on| {
                    let now: Option<String> =
                        sqlx::query_scalar(STATUS).bind(id.0).fetch_optional(&mut *on).await?;
                    let Some(now) = now else { return Ok(Some(PaymentMove::Missing)) };
                    let now: PaymentStatus =
                        now.parse().map_err(|_| StoreError::Corrupt("payment.status"))?;
                    if now != next && !now.may_become(next) {
                        return Ok(Some(PaymentMove::Refused(now)));
                    }
                    let updated = sqlx::query(MOVE)
                        .bind(id.0)
                        .bind(now.name())
                        .bind(next.name())
                        .bind(&provider_ref)
                        .execute(&mut *on)
                        .await?;
                    let kind = if now == next { PaymentMove::Already } else { PaymentMove::Moved };
                    (updated.rows_affected() == 1).then_some(kind)
                })?;
                // Nothing: somebody else moved it between the two statements, so look again.
                if let Some(moved) = moved {
                    return Ok(moved);
                }
            }
        })
        .await
    }

    /// Notes money that went back and ends the job that sent it, in one transaction, so that a job
    /// that runs twice counts once. Says whether it was counted: not if the job had ended before.
    /// An amount above what was captured is [`StoreError::Corrupt`].
    pub async fn add_refund(
        &self,
        id: PaymentId,
        amount: i64,
        job: JobId,
    ) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                let ended = sqlx::query(END_JOB).bind(job.0).execute(&mut *on).await?;
                let first = ended.rows_affected() == 1;
                if first {
                    let added =
                        sqlx::query(REFUND).bind(id.0).bind(amount).execute(&mut *on).await?;
                    if added.rows_affected() != 1 {
                        return Err(StoreError::Corrupt("refund above what was captured"));
                    }
                }
                first
            })
        })
        .await
    }

    /// Keeps what a provider sent, with the job that will look at it; says whether it was new.
    pub async fn inbox_insert(&self, event: InboxEvent, job: NewJob) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                let inserted = sqlx::query(INBOX_INSERT)
                    .bind(&event.provider)
                    .bind(&event.event_id)
                    .bind(event.payment.0)
                    .bind(&event.body)
                    .bind(event.received_at.as_micros())
                    .execute(&mut *on)
                    .await?;
                let new = inserted.rows_affected() == 1;
                if new {
                    insert_job!(on, job);
                }
                new
            })
        })
        .await
    }

    /// What a provider sent under this id.
    pub async fn inbox_get(
        &self,
        provider: &str,
        event_id: &str,
    ) -> Result<Option<InboxEvent>, StoreError> {
        let store = self.clone();
        let (provider, event_id) = (provider.to_owned(), event_id.to_owned());
        self.spawn(async move {
            let row: Option<InboxRow> = read!(store, |on| {
                sqlx::query_as(INBOX_GET).bind(&provider).bind(&event_id).fetch_optional(on).await?
            });
            Ok(row.map(|row| InboxEvent {
                provider: row.provider,
                event_id: row.event_id,
                payment: PaymentId(row.payment_id),
                body: row.body,
                received_at: Instant::from_micros(row.received_at),
                processed_at: row.processed_at.map(Instant::from_micros),
            }))
        })
        .await
    }

    /// Notes that an event has been dealt with.
    pub async fn inbox_processed(
        &self,
        provider: &str,
        event_id: &str,
        now: Instant,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        let (provider, event_id) = (provider.to_owned(), event_id.to_owned());
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(INBOX_DONE)
                    .bind(&provider)
                    .bind(&event_id)
                    .bind(now.as_micros())
                    .execute(on)
                    .await?;
            })
        })
        .await
    }
}
