//! Payments: what is known of each attempt to pay, and what moves it.
//!
//! A payment's row is made by the commit that starts the attempt; here it moves forward only. Where
//! money came, the books say so in the same transaction (see [`super::refunds`] for money that goes
//! back, and [`super::cases`] for who may move a payment).

use super::list::{Statement, Value, rows};
use super::refunds::{self, Refund};
use super::{Kind, Store, StoreError, read, write};
use domain::payment::{NextAction, PaymentStatus};
use domain::settlement::Record;
use domain::{BookingId, Currency, Instant, PaymentId, PropertyId, UserId};
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

/// What a provider said of an order beside where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    pub reference: Option<String>,
    pub receipt: Option<String>,
    pub action: Option<NextAction>,
    /// Where the payment stands by that, if it moves.
    pub status: Option<PaymentStatus>,
}

pub(super) const BY_ID: &str = "select * from payment where payment_id = $1";

const BY_REFERENCE: &str = "select * from payment where provider = $1 and provider_ref = $2";

const ASKED: &str = "update payment set asked_at = $2 where payment_id = $1";

const DISOWN: &str = "update payment set disowned = true where payment_id = $1";

pub(super) const STATUS: &str = "select status from payment where payment_id = $1";

const MOVE: &str = "update payment set status = $3 where payment_id = $1 and status = $2";

const HEARD: &str = "update payment set provider_ref = coalesce($2, provider_ref), \
     receipt = coalesce($3, receipt), action = $4, action_value = $5 where payment_id = $1";

const NAMED: &str = "update payment set provider_ref = coalesce(provider_ref, $2), \
     receipt = coalesce(receipt, $3) where payment_id = $1";

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

    /// Writes down when the provider was asked for the money last: before that, or that it was not.
    pub async fn note_asked(
        &self,
        id: PaymentId,
        asked_at: Option<Instant>,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                let asked_at = asked_at.map(Instant::as_micros);
                sqlx::query(ASKED).bind(id.0).bind(asked_at).execute(on).await?;
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
                    .execute(&mut *on)
                    .await?;
                if let Some(next) = heard.status {
                    let now: String =
                        sqlx::query_scalar(STATUS).bind(id.0).fetch_one(&mut *on).await?;
                    let now: PaymentStatus =
                        now.parse().map_err(|_| StoreError::Corrupt("payment.status"))?;
                    if now.may_become(next) {
                        let moving = sqlx::query(MOVE).bind(id.0).bind(now.name());
                        moving.bind(next.name()).execute(&mut *on).await?;
                    }
                }
            })
        })
        .await
    }

    /// Keeps the order's name if none was known, and what proves that it was paid.
    pub async fn note_name(
        &self,
        id: PaymentId,
        reference: String,
        receipt: Option<String>,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(NAMED).bind(id.0).bind(&reference).bind(&receipt).execute(on).await?;
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
                let moved = if is_new {
                    let captured = PaymentStatus::Captured.name();
                    let moving = sqlx::query(MOVE).bind(id.0).bind(status.name()).bind(captured);
                    moving.execute(&mut *on).await?.rows_affected() == 1
                } else {
                    false
                };
                if moved {
                    refunds::enter!(on, id.0, id, amount, currency, now);
                }
                moved
            })
        })
        .await
    }
}
