//! Payments: what is known of each attempt to pay, and what moves it.
//!
//! A payment's row is made by the commit that starts the attempt; here it moves forward only. One
//! worker at a time has a payment for itself, by a lease that ends by itself; where money came,
//! the books say so in the same transaction (see [`super::refunds`] for money that goes back).

use super::booking_row::BookingRow;
use super::list::{Statement, Value, rows};
use super::refunds::{self, Refund};
use super::{Database, Kind, Store, StoreError, read, write};
use domain::payment::{NextAction, PaymentStatus};
use domain::settlement::Record;
use domain::{Booking, BookingId, Currency, Instant, JobId, PaymentId, PropertyId, UserId};
use sqlx::FromRow;
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
    /// Where the provider's page leads back to; empty if nowhere.
    pub return_url: String,
    /// In minor units of `currency`, as is `refunded`.
    pub amount: i64,
    pub currency: Currency,
    pub status: PaymentStatus,
    /// What has gone back.
    pub refunded: i64,
    pub created_at: Instant,
    /// When the provider was asked last; nothing while it cannot have heard of it.
    pub asked_at: Option<Instant>,
    /// Whether its booking did not take it: all of it goes back.
    pub disowned: bool,
    /// What proves at the provider that it was paid, where that is not its name for the order.
    pub receipt: Option<String>,
    /// What the guest has to do next.
    pub action: Option<NextAction>,
}

impl Payment {
    /// What moves depend on.
    pub fn record(&self, refunds: &[Refund]) -> Record {
        Record {
            payment: self.id,
            booking: self.booking,
            amount: self.amount,
            currency: self.currency,
            status: self.status,
            asked: self.asked_at.is_some(),
            disowned: self.disowned,
            refunds: refunds.iter().map(Refund::facts).collect(),
        }
    }
}

#[derive(FromRow)]
pub(super) struct Columns {
    payment_id: Uuid,
    property_id: Uuid,
    booking_id: Uuid,
    provider: String,
    provider_ref: Option<String>,
    method: String,
    return_url: String,
    amount: i64,
    currency: String,
    status: String,
    refunded: i64,
    created_at: i64,
    asked_at: Option<i64>,
    disowned: bool,
    receipt: Option<String>,
    action: Option<String>,
    action_value: Option<String>,
}

impl TryFrom<Columns> for Payment {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let value = row.action_value.unwrap_or_default();
        let action = match row.action.as_deref() {
            None => None,
            Some(CLIENT) => Some(NextAction::Client { secret: value }),
            Some(REDIRECT) => Some(NextAction::Redirect { url: value }),
            Some(PHONE) => Some(NextAction::Phone),
            Some(_) => return Err(StoreError::Corrupt("payment.action")),
        };
        Ok(Self {
            id: PaymentId(row.payment_id),
            property: PropertyId(row.property_id),
            booking: BookingId(row.booking_id),
            provider: row.provider,
            provider_ref: row.provider_ref,
            method: row.method,
            return_url: row.return_url,
            amount: row.amount,
            currency: row.currency.parse().map_err(|_| StoreError::Corrupt("payment.currency"))?,
            status: row.status.parse().map_err(|_| StoreError::Corrupt("payment.status"))?,
            refunded: row.refunded,
            created_at: Instant::from_micros(row.created_at),
            asked_at: row.asked_at.map(Instant::from_micros),
            disowned: row.disowned,
            receipt: row.receipt,
            action,
        })
    }
}

const CLIENT: &str = "client";
const REDIRECT: &str = "redirect";
const PHONE: &str = "phone";

/// A payment with everything that decides what is done about it, read in one snapshot.
#[derive(Clone, Debug)]
pub struct Case {
    pub payment: Payment,
    pub refunds: Vec<Refund>,
    pub booking: Booking,
    /// The jobs about it: whoever brings it to rest after this has done them all.
    pub jobs: Vec<JobId>,
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

/// What a provider said of an order beside where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    pub reference: Option<String>,
    pub receipt: Option<String>,
    pub action: Option<NextAction>,
}

const BY_ID: &str = "select * from payment where payment_id = $1";

const BY_REFERENCE: &str = "select * from payment where provider = $1 and provider_ref = $2";

const BOOKING: &str = "select booking.* from booking join payment \
     on payment.property_id = booking.property_id and payment.booking_id = booking.booking_id \
     where payment.payment_id = $1";

const JOBS: &str = "select job_id from job where subject_id = $1";

const LEASE: &str = "update payment set settling_until = $3 where payment_id = $1 \
     and (settling_until is null or settling_until <= $2)";

const RELEASE: &str =
    "update payment set settling_until = null where payment_id = $1 and settling_until = $2";

const RELEASE_ALL: &str =
    "update payment set settling_until = null where settling_until is not null";

const END_JOB: &str = "delete from job where job_id = $1";

const ASKED: &str = "update payment set asked_at = $2 where payment_id = $1";

const DISOWN: &str = "update payment set disowned = true where payment_id = $1";

const STATUS: &str = "select status from payment where payment_id = $1";

const MOVE: &str = "update payment set status = $3 where payment_id = $1 and status = $2";

const HEARD: &str = "update payment set provider_ref = coalesce($2, provider_ref), \
     receipt = coalesce($3, receipt), action = $4, action_value = $5 where payment_id = $1";

const RECEIPT: &str = "update payment set provider_ref = coalesce(provider_ref, $2), \
     receipt = coalesce(receipt, $3) where payment_id = $1";

const UNFINISHED: &str = "select payment_id, property_id from payment \
     where status in ('created', 'requires_action', 'processing', 'authorized') \
     union select payment_id, property_id from refund where state in ('requested', 'submitted')";

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

/// Reads a case. The caller has begun a snapshot.
macro_rules! case {
    ($on:expr, $id:expr) => {{
        let payment: Option<Columns> =
            sqlx::query_as(BY_ID).bind($id.0).fetch_optional(&mut *$on).await?;
        let booking: Option<BookingRow> =
            sqlx::query_as(BOOKING).bind($id.0).fetch_optional(&mut *$on).await?;
        let refunds = refunds::of_payment!($on, $id);
        let jobs: Vec<Uuid> = sqlx::query_scalar(JOBS).bind($id.0).fetch_all(&mut *$on).await?;
        match (payment, booking) {
            (Some(payment), Some(booking)) => Some(Case {
                payment: payment.try_into()?,
                booking: booking.try_into()?,
                refunds,
                jobs: jobs.into_iter().map(JobId).collect(),
            }),
            _ => None,
        }
    }};
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

    /// The payment that a provider knows by this name.
    pub async fn payment_by_reference(
        &self,
        provider: &str,
        reference: &str,
    ) -> Result<Option<Payment>, StoreError> {
        let store = self.clone();
        let (provider, reference) = (provider.to_owned(), reference.to_owned());
        self.spawn(async move {
            let row: Option<Columns> = read!(store, |on| {
                sqlx::query_as(BY_REFERENCE)
                    .bind(&provider)
                    .bind(&reference)
                    .fetch_optional(on)
                    .await?
            });
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

    /// Writes down that the provider is about to be asked for the money.
    pub async fn note_asked(&self, id: PaymentId, now: Instant) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(ASKED).bind(id.0).bind(now.as_micros()).execute(on).await?;
            })
        })
        .await
    }

    /// Writes down that the booking did not take the money.
    pub async fn disown_payment(&self, id: PaymentId) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(DISOWN).bind(id.0).execute(on).await?;
            })
        })
        .await
    }

    /// Keeps what the provider calls the order and what the guest has to do next; what it said
    /// before stays where it says nothing.
    pub async fn note_heard(&self, id: PaymentId, heard: Heard) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let (action, value) = match heard.action {
                None => (None, None),
                Some(NextAction::Client { secret }) => (Some(CLIENT), Some(secret)),
                Some(NextAction::Redirect { url }) => (Some(REDIRECT), Some(url)),
                Some(NextAction::Phone) => (Some(PHONE), None),
            };
            write!(store, |on| {
                sqlx::query(HEARD)
                    .bind(id.0)
                    .bind(&heard.reference)
                    .bind(&heard.receipt)
                    .bind(action)
                    .bind(&value)
                    .execute(on)
                    .await?;
            })
        })
        .await
    }

    /// Keeps the proof of a payment, and the order's name if none was known.
    pub async fn note_receipt(
        &self,
        id: PaymentId,
        reference: String,
        receipt: String,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(RECEIPT).bind(id.0).bind(&reference).bind(&receipt).execute(on).await?;
            })
        })
        .await
    }

    /// Moves a payment forward; says whether it stands there now.
    pub async fn set_payment_status(
        &self,
        id: PaymentId,
        next: PaymentStatus,
    ) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            loop {
                let moved = write!(store, |on| {
                    let now: Option<String> =
                        sqlx::query_scalar(STATUS).bind(id.0).fetch_optional(&mut *on).await?;
                    let Some(now) = now else { return Ok(Some(false)) };
                    let now: PaymentStatus =
                        now.parse().map_err(|_| StoreError::Corrupt("payment.status"))?;
                    if now == next || !now.may_become(next) {
                        return Ok(Some(now == next));
                    }
                    let updated = sqlx::query(MOVE)
                        .bind(id.0)
                        .bind(now.name())
                        .bind(next.name())
                        .execute(&mut *on)
                        .await?;
                    (updated.rows_affected() == 1).then_some(true)
                })?;
                // Nothing: somebody else moved it between the two statements, so look again.
                if let Some(moved) = moved {
                    return Ok(moved);
                }
            }
        })
        .await
    }

    /// Writes down that all of a payment was taken: its status, and the books. Says whether this
    /// was new.
    pub async fn book_capture(&self, payment: &Payment, now: Instant) -> Result<bool, StoreError> {
        let store = self.clone();
        let (id, amount, currency) = (payment.id, payment.amount, payment.currency);
        self.spawn(async move {
            write!(store, |on| {
                let status: String =
                    sqlx::query_scalar(STATUS).bind(id.0).fetch_one(&mut *on).await?;
                let status: PaymentStatus =
                    status.parse().map_err(|_| StoreError::Corrupt("payment.status"))?;
                let is_new = status.may_become(PaymentStatus::Captured) && !status.is_captured();
                if is_new {
                    let captured = PaymentStatus::Captured.name();
                    sqlx::query(MOVE)
                        .bind(id.0)
                        .bind(status.name())
                        .bind(captured)
                        .execute(&mut *on)
                        .await?;
                    refunds::enter!(on, id.0, id, amount, currency, now);
                }
                is_new
            })
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
