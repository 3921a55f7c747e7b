//! Verification: what is stored, held against itself.
//!
//! Each property is read in one snapshot, so it works beside a running server; events are streamed
//! and one property is in memory at a time. The rules are in [`super::ledger`]; here are the
//! statements. Ids that lead nowhere are looked for by one statement per table.

use super::booking_row::{BookingRow, FactsRow};
use super::calendar::{EventRow, FACTS, HeadRow};
use super::ledger::{KeyFact, Ledger, NightFact};
use super::night_rows::{self, BLOCKS, BlockRow, TERMS, TermsRow};
use super::payments::{Columns as PaymentColumns, Payment};
use super::{Database, Store, StoreError, read};
use domain::{Booking, BookingId, Property, PropertyId};
use futures_util::TryStreamExt;
use sqlx::{ConnectOptions, Connection};
use std::collections::HashSet;
use uuid::Uuid;

/// Nobody reads more than these.
const MAX_FINDINGS: usize = 1_000;
const PAGE: i64 = 500;

const PROPERTIES: &str =
    "select property_id from calendar_head where property_id > $1 order by property_id limit $2";

const HEAD: &str = "select property_id, seq, event_hash from calendar_head where property_id = $1";

const DEADLINE: &str = "select next_deadline from calendar_head where property_id = $1";

const EVENTS: &str =
    "select seq, event_hash, bytes from calendar_event where property_id = $1 order by seq";

const BOOKINGS: &str = "select * from booking where property_id = $1";

const NIGHTS: &str = "select night, booking_id from occupied_night where property_id = $1";

const KEYS: &str = "select key, booking_id, seq from idempotency_key where property_id = $1";

const STRANGERS: &str = "select booking_id from booking where property_id = $1 \
     and not exists (select 1 from account where account_id = booking.guest_id)";

const PAYMENTS: &str = "select * from payment where property_id = $1";

/// What is on its way back, or owed by hand.
const OWED: &str = "select payment_id, amount from refund where property_id = $1 \
     and state <> 'succeeded'";

const BUSY_PAYMENTS: &str = "select distinct payment_id from payment \
     join job on job.subject_id = payment.payment_id \
     where payment.property_id = $1 and job.buried_at is null";

/// Statements that give the ids that lead nowhere, with what to say of them.
const LOST: [(&str, &str); 16] = [
    (
        "has no calendar",
        "select property_id from property where not exists \
         (select 1 from calendar_head as head where head.property_id = property.property_id)",
    ),
    (
        "has events, but no calendar",
        "select distinct property_id from calendar_event as event where not exists \
         (select 1 from calendar_head as head where head.property_id = event.property_id)",
    ),
    (
        "has bookings, but no calendar",
        "select distinct property_id from booking where not exists \
         (select 1 from calendar_head as head where head.property_id = booking.property_id)",
    ),
    (
        "has occupied nights, but no calendar",
        "select distinct property_id from occupied_night as night where not exists \
         (select 1 from calendar_head as head where head.property_id = night.property_id)",
    ),
    (
        "has dates that say something, but no calendar",
        "select distinct property_id from night_terms as terms where not exists \
         (select 1 from calendar_head as head where head.property_id = terms.property_id)",
    ),
    (
        "has blocks, but no calendar",
        "select distinct property_id from block where not exists \
         (select 1 from calendar_head as head where head.property_id = block.property_id)",
    ),
    (
        "has payments, but no calendar",
        "select distinct property_id from payment where not exists \
         (select 1 from calendar_head as head where head.property_id = payment.property_id)",
    ),
    (
        "has idempotency keys, but no calendar",
        "select distinct property_id from idempotency_key as used where property_id is not null \
         and not exists \
         (select 1 from calendar_head as head where head.property_id = used.property_id)",
    ),
    (
        "is what a job is about, but no payment",
        "select subject_id from job where kind not in ('verify_mail', 'reset_mail') \
         and not exists (select 1 from payment where payment_id = job.subject_id)",
    ),
    (
        "is what a refund is of, but no payment",
        "select payment_id from refund where not exists \
         (select 1 from payment where payment.payment_id = refund.payment_id)",
    ),
    (
        "has gone back in part, but its refunds say otherwise",
        "select payment_id from payment where refunded <> (select coalesce(sum(amount), 0) \
         from refund where refund.payment_id = payment.payment_id and state = 'succeeded')",
    ),
    (
        "is a transaction in the books that does not come to zero",
        "select transaction_id from ledger_entry group by transaction_id having sum(amount) <> 0",
    ),
    (
        "is a payment that the books tell otherwise",
        "select payment_id from payment where (select coalesce(sum(amount), 0) from ledger_entry \
         where ledger_entry.payment_id = payment.payment_id and account = 'provider') \
         <> case when status in ('captured', 'partially_refunded', 'refunded') \
         then amount - refunded else 0 end",
    ),
    (
        "is what a review is about, but no booking",
        "select booking_id from review where not exists (select 1 from booking \
         where booking.property_id = review.property_id \
         and booking.booking_id = review.booking_id)",
    ),
    (
        "has ratings that are not those of its reviews",
        "select property_id from property where rating_sum <> (select coalesce(sum(rating), 0) \
         from review where review.property_id = property.property_id \
         and direction = 'guest_to_host' and appeared) or review_count <> \
         (select count(*) from review where review.property_id = property.property_id \
         and direction = 'guest_to_host' and appeared)",
    ),
    (
        "has reviews by both sides that have not both appeared",
        "select booking_id from review where not appeared and exists \
         (select 1 from review as other where other.booking_id = review.booking_id \
         and other.direction <> review.direction)",
    ),
];

/// Reads one property and judges it. The caller has begun a snapshot.
macro_rules! examine {
    ($on:expr, $id:expr) => {{
        let id: Uuid = $id;
        let facts: Option<FactsRow> =
            sqlx::query_as(FACTS).bind(id).fetch_optional(&mut *$on).await?;
        let head: HeadRow = sqlx::query_as(HEAD).bind(id).fetch_one(&mut *$on).await?;
        let mut ledger = Ledger::new(PropertyId(id));
        {
            let mut events = sqlx::query_as::<_, EventRow>(EVENTS).bind(id).fetch(&mut *$on);
            while let Some(row) = events.try_next().await? {
                ledger.event(&row.try_into()?);
            }
        }
        let facts = facts.map(|row| {
            let seq = row.changed_seq;
            Property::try_from(row).map(|property| (property, seq))
        });
        ledger.facts(facts.transpose()?, head.head()?);
        let rows: Vec<BookingRow> = sqlx::query_as(BOOKINGS).bind(id).fetch_all(&mut *$on).await?;
        ledger.bookings(rows.into_iter().map(Booking::try_from).collect::<Result<_, _>>()?);
        let nights: Vec<NightFact> = sqlx::query_as(NIGHTS).bind(id).fetch_all(&mut *$on).await?;
        ledger.nights(&nights);
        let terms: Vec<TermsRow> = sqlx::query_as(TERMS).bind(id).fetch_all(&mut *$on).await?;
        let blocks: Vec<BlockRow> = sqlx::query_as(BLOCKS).bind(id).fetch_all(&mut *$on).await?;
        ledger.dates(&night_rows::overrides(terms)?, &night_rows::blocks(&blocks)?);
        let deadline = sqlx::query_scalar(DEADLINE).bind(id).fetch_one(&mut *$on).await?;
        ledger.deadline(deadline);
        let keys: Vec<KeyFact> = sqlx::query_as(KEYS).bind(id).fetch_all(&mut *$on).await?;
        ledger.keys(&keys);
        let strangers: Vec<Uuid> =
            sqlx::query_scalar(STRANGERS).bind(id).fetch_all(&mut *$on).await?;
        ledger.strangers(strangers.into_iter().map(BookingId));
        let payments: Vec<PaymentColumns> =
            sqlx::query_as(PAYMENTS).bind(id).fetch_all(&mut *$on).await?;
        let payments: Vec<Payment> =
            payments.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        let busy: Vec<Uuid> =
            sqlx::query_scalar(BUSY_PAYMENTS).bind(id).fetch_all(&mut *$on).await?;
        let owed: Vec<(Uuid, i64)> = sqlx::query_as(OWED).bind(id).fetch_all(&mut *$on).await?;
        ledger.payments(&payments, &busy.into_iter().collect::<HashSet<_>>(), &owed);
        ledger.findings()
    }};
}

impl Store {
    /// Checks everything against everything; gives each finding as a sentence, none if all is
    /// well. After 1,000 findings it stops.
    ///
    /// A payment is compared with its booking when no job is about it any more: whoever moves a
    /// payment does so, and lets the booking know, before the job is ended.
    pub async fn verify(&self) -> Result<Vec<String>, StoreError> {
        let mut findings = self.lost_ids().await?;
        let mut last = Uuid::nil();
        loop {
            let page = self.page_of_properties(last).await?;
            let Some(end) = page.last() else { return Ok(findings) };
            last = *end;
            for id in page {
                findings.extend(self.examine(id).await?);
                if findings.len() >= MAX_FINDINGS {
                    findings.truncate(MAX_FINDINGS);
                    return Ok(findings);
                }
            }
        }
    }

    async fn page_of_properties(&self, after: Uuid) -> Result<Vec<Uuid>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            Ok(read!(store, |on| {
                sqlx::query_scalar(PROPERTIES).bind(after).bind(PAGE).fetch_all(on).await?
            }))
        })
        .await
    }

    /// What goes wrong with a row's values is a finding too; what goes wrong with the database is
    /// an error.
    async fn examine(&self, id: Uuid) -> Result<Vec<String>, StoreError> {
        let store = self.clone();
        let examined = self.spawn(async move {
            match &store.database {
                Database::Postgres(postgres) => {
                    let begin = "begin isolation level repeatable read, read only";
                    let mut transaction = postgres.pool.begin_with(begin).await?;
                    let findings = examine!(transaction, id);
                    transaction.commit().await?;
                    Ok(findings)
                }
                Database::Sqlite(sqlite) => {
                    let mut reader = sqlite.readers.acquire().await?;
                    let mut transaction = reader.begin().await?;
                    let findings = examine!(transaction, id);
                    transaction.commit().await?;
                    Ok(findings)
                }
            }
        });
        match examined.await {
            Err(StoreError::Corrupt(what)) => {
                Ok(vec![format!("property {id}: a stored value is none: {what}")])
            }
            findings => findings,
        }
    }

    async fn lost_ids(&self) -> Result<Vec<String>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let mut findings = Vec::new();
            for (what, statement) in LOST {
                let ids: Vec<Uuid> = match &store.database {
                    Database::Postgres(postgres) => {
                        // Outside the pool, whose statements may not take as long as these.
                        let mut connection = postgres.options.connect().await?;
                        let ids = sqlx::query_scalar(statement).fetch_all(&mut connection).await?;
                        connection.close().await?;
                        ids
                    }
                    Database::Sqlite(sqlite) => {
                        sqlx::query_scalar(statement).fetch_all(&sqlite.readers).await?
                    }
                };
                findings.extend(ids.into_iter().map(|id| format!("{id} {what}")));
            }
            Ok(findings)
        })
        .await
    }
}
