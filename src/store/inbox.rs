//! What providers send, kept as they sent it, together with the job that will look at it.

use super::jobs::{NewJob, insert_job};
use super::{Store, StoreError, read, write};
use domain::{Instant, PaymentId};
use sqlx::FromRow;
use std::time::Duration;
use uuid::Uuid;

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
struct Columns {
    provider: String,
    event_id: String,
    payment_id: Uuid,
    body: String,
    received_at: i64,
    processed_at: Option<i64>,
}

const INSERT: &str = "insert into inbox (provider, event_id, payment_id, body, received_at, \
     processed_at) values ($1, $2, $3, $4, $5, null) on conflict (provider, event_id) do nothing";

const GET: &str = "select * from inbox where provider = $1 and event_id = $2";

const DONE: &str = "update inbox set processed_at = $3 \
     where provider = $1 and event_id = $2 and processed_at is null";

const PURGE: &str = "delete from inbox where received_at < $1";
/// How long what came is kept, for people who look into something. Nobody tries for so long to deal
/// with it.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Store {
    /// Removes what came long ago; gives how much that was.
    pub async fn purge_inbox(&self, now: Instant) -> Result<u64, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let before = now.minus(KEPT).as_micros();
            write!(store, |on| {
                sqlx::query(PURGE).bind(before).execute(on).await?.rows_affected()
            })
        })
        .await
    }

    /// Keeps what a provider sent, with the job that will look at it; says whether it was new.
    pub async fn inbox_insert(&self, event: InboxEvent, job: NewJob) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                let inserted = sqlx::query(INSERT)
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
            let row: Option<Columns> = read!(store, |on| {
                sqlx::query_as(GET).bind(&provider).bind(&event_id).fetch_optional(on).await?
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
                sqlx::query(DONE)
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
