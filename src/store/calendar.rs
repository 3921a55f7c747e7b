//! A property's calendar as it is stored: everything that its actor decides on, in one snapshot,
//! and its list of events.

use super::booking_row::{BookingRow, FactsRow, hash};
use super::night_rows::{self, BlockRow, TermsRow};
use super::{Database, Store, StoreError, read};
use domain::command::{Key, KeyUse};
use domain::event::{EventHash, Head, Seq};
use domain::keys::KEY_TTL;
use domain::state::Stored;
use domain::{Booking, BookingId, Instant, PropertyId, UserId};
use sqlx::{Connection, FromRow};
use uuid::Uuid;

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    pub seq: Seq,
    /// The canonical bytes; `domain::codec::decode` reads them.
    pub bytes: Vec<u8>,
    pub hash: EventHash,
}

#[derive(FromRow)]
pub(super) struct EventRow {
    seq: i64,
    event_hash: Vec<u8>,
    bytes: Vec<u8>,
}

impl TryFrom<EventRow> for StoredEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        Ok(Self { seq: row.seq, bytes: row.bytes, hash: EventHash(hash(&row.event_hash)?) })
    }
}

#[derive(FromRow)]
pub(super) struct HeadRow {
    pub(super) property_id: Uuid,
    seq: i64,
    event_hash: Vec<u8>,
}

impl HeadRow {
    pub(super) fn head(&self) -> Result<Head, StoreError> {
        Ok(Head { seq: self.seq, hash: EventHash(hash(&self.event_hash)?) })
    }
}

#[derive(FromRow)]
pub(super) struct KeyRow {
    caller_id: Uuid,
    key: String,
    request_hash: Vec<u8>,
    booking_id: Uuid,
    seq: i64,
    created_at: i64,
}

impl TryFrom<KeyRow> for KeyUse {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: Key {
                caller: UserId(row.caller_id),
                text: row.key.into(),
                request: hash(&row.request_hash)?,
            },
            booking: BookingId(row.booking_id),
            seq: row.seq,
            at: Instant::from_micros(row.created_at),
        })
    }
}

pub(super) const FACTS: &str = "select property_id, host_id, listing, zone, price_per_night, \
     currency, max_guests, instant_book, check_in_from_minute, check_out_by_minute, policy, \
     rules, changed_seq from property where property_id = $1";

pub(super) const HEAD: &str =
    "select property_id, seq, event_hash from calendar_head where property_id = $1";

/// What occupies nights or has money, and what a late payment may still bring back.
pub(super) const BOOKINGS: &str = "select * from booking where property_id = $1 \
     and (status in ('PENDING', 'CONFIRMED', 'COMPLETED', 'NO_SHOW') or paid > refunded \
     or (status = 'EXPIRED' and payment_id is not null))";

/// The keys of the day before the newest key: the order is that of their use.
pub(super) const KEYS: &str = "select caller_id, key, request_hash, booking_id, seq, created_at \
     from idempotency_key where property_id = $1 and booking_id is not null \
     and created_at > (select max(created_at) from idempotency_key where property_id = $1) - $2 \
     order by created_at, seq";

const EVENTS: &str = "select seq, event_hash, bytes from calendar_event \
     where property_id = $1 and seq > $2 order by seq limit $3";

const EVENT: &str =
    "select seq, event_hash, bytes from calendar_event where property_id = $1 and seq = $2";

const DUE: &str = "select property_id from calendar_head where next_deadline <= $1 \
     order by next_deadline limit $2";

/// Reads everything that decisions on a property need. All statements have to see one snapshot:
/// the caller has begun a transaction that makes it so, or holds the head's lock.
macro_rules! load {
    ($on:expr, $property:expr) => {{
        use $crate::store::calendar::{BOOKINGS, FACTS, HEAD, KEYS, assemble, key_ttl};
        use $crate::store::night_rows::{BLOCKS, TERMS};
        let id = $property.0;
        let facts = sqlx::query_as(FACTS).bind(id).fetch_optional(&mut *$on).await?;
        let head = sqlx::query_as(HEAD).bind(id).fetch_optional(&mut *$on).await?;
        let bookings = sqlx::query_as(BOOKINGS).bind(id).fetch_all(&mut *$on).await?;
        let keys = sqlx::query_as(KEYS).bind(id).bind(key_ttl()).fetch_all(&mut *$on).await?;
        let terms = sqlx::query_as(TERMS).bind(id).fetch_all(&mut *$on).await?;
        let blocks = sqlx::query_as(BLOCKS).bind(id).fetch_all(&mut *$on).await?;
        assemble(facts, head, (bookings, keys), (terms, blocks))?
    }};
}

pub(super) use load;

pub(super) fn key_ttl() -> i64 {
    i64::try_from(KEY_TTL.as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn assemble(
    facts: Option<FactsRow>,
    head: Option<HeadRow>,
    (bookings, keys): (Vec<BookingRow>, Vec<KeyRow>),
    (terms, blocks): (Vec<TermsRow>, Vec<BlockRow>),
) -> Result<Option<Stored>, StoreError> {
    let (Some(facts), Some(head)) = (facts, head) else { return Ok(None) };
    Ok(Some(Stored {
        property_seq: facts.changed_seq,
        property: facts.try_into()?,
        head: head.head()?,
        overrides: night_rows::overrides(terms)?,
        blocks: night_rows::blocks(&blocks)?,
        bookings: bookings.into_iter().map(Booking::try_from).collect::<Result<_, _>>()?,
        keys: keys.into_iter().map(KeyUse::try_from).collect::<Result<_, _>>()?,
    }))
}

impl Store {
    /// Everything that decisions on a property read, in one snapshot.
    pub async fn load(&self, property: PropertyId) -> Result<Option<Stored>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            match &store.database {
                Database::Postgres(postgres) => {
                    let begin = "begin isolation level repeatable read, read only";
                    let mut transaction = postgres.pool.begin_with(begin).await?;
                    let stored = load!(transaction, property);
                    transaction.commit().await?;
                    Ok(stored)
                }
                Database::Sqlite(sqlite) => {
                    let mut reader = sqlite.readers.acquire().await?;
                    let mut transaction = reader.begin().await?;
                    let stored = load!(transaction, property);
                    transaction.commit().await?;
                    Ok(stored)
                }
            }
        })
        .await
    }

    /// Up to `limit` properties whose nearest deadline has come at `now`, the longest overdue
    /// first.
    pub async fn due(&self, now: Instant, limit: u32) -> Result<Vec<PropertyId>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let ids: Vec<Uuid> = read!(store, |on| {
                sqlx::query_scalar(DUE)
                    .bind(now.as_micros())
                    .bind(i64::from(limit))
                    .fetch_all(on)
                    .await?
            });
            Ok(ids.into_iter().map(PropertyId).collect())
        })
        .await
    }

    /// Up to `limit` events that follow `after`, in order.
    pub async fn events(
        &self,
        property: PropertyId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let rows: Vec<EventRow> = read!(store, |on| {
                sqlx::query_as(EVENTS)
                    .bind(property.0)
                    .bind(after)
                    .bind(i64::from(limit))
                    .fetch_all(on)
                    .await?
            });
            rows.into_iter().map(StoredEvent::try_from).collect()
        })
        .await
    }

    /// The event of this number.
    pub async fn event(
        &self,
        property: PropertyId,
        seq: Seq,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let row: Option<EventRow> = read!(store, |on| {
                sqlx::query_as(EVENT).bind(property.0).bind(seq).fetch_optional(on).await?
            });
            row.map(StoredEvent::try_from).transpose()
        })
        .await
    }
}
