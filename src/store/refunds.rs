//! Refunds: money of one payment that goes back, and what the books say of it.
//!
//! A refund is written down before the provider hears of it, under the id that goes with every
//! question about it. What succeeded is counted in the payment and entered in the books in one
//! transaction.

use super::{Store, StoreError, read, write};
use domain::payment::{self, RefundState};
use domain::{Instant, PaymentId, RefundId};
use sqlx::FromRow;
use std::collections::HashMap;
use uuid::Uuid;

/// Money of a payment that goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub id: RefundId,
    pub payment: PaymentId,
    /// In minor units, above 0.
    pub amount: i64,
    pub state: RefundState,
    /// The provider's own name for it, once there is one.
    pub provider_ref: Option<String>,
    /// Why it failed, in the provider's words.
    pub reason: Option<String>,
    pub requested_at: Instant,
    /// How often the provider was asked for it, and when last.
    pub asks: i32,
    pub asked_at: Option<Instant>,
}

impl Refund {
    /// What moves depend on.
    pub(super) const fn facts(&self) -> payment::Refund {
        payment::Refund { id: self.id, amount: self.amount, state: self.state }
    }
}

#[derive(FromRow)]
pub(super) struct Columns {
    refund_id: Uuid,
    payment_id: Uuid,
    amount: i64,
    state: String,
    provider_ref: Option<String>,
    reason: Option<String>,
    requested_at: i64,
    asks: i32,
    asked_at: Option<i64>,
}

impl TryFrom<Columns> for Refund {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        Ok(Self {
            id: RefundId(row.refund_id),
            payment: PaymentId(row.payment_id),
            amount: row.amount,
            state: row.state.parse().map_err(|_| StoreError::Corrupt("refund.state"))?,
            provider_ref: row.provider_ref,
            reason: row.reason,
            requested_at: Instant::from_micros(row.requested_at),
            asks: row.asks,
            asked_at: row.asked_at.map(Instant::from_micros),
        })
    }
}

/// How a refund stands, as its provider says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundWord {
    pub state: RefundState,
    pub provider_ref: Option<String>,
    pub reason: Option<String>,
}

pub(super) const OF_PAYMENT: &str =
    "select * from refund where payment_id = $1 order by requested_at, refund_id";

/// The refunds of a payment, in their order.
macro_rules! of_payment {
    ($on:expr, $id:expr) => {{
        let rows: Vec<$crate::store::refunds::Columns> =
            sqlx::query_as($crate::store::refunds::OF_PAYMENT)
                .bind($id.0)
                .fetch_all(&mut *$on)
                .await?;
        rows.into_iter()
            .map($crate::store::refunds::Refund::try_from)
            .collect::<Result<Vec<_>, _>>()?
    }};
}

const INSERT: &str = "insert into refund (refund_id, payment_id, property_id, booking_id, amount, \
     state, requested_at) select $1, payment_id, property_id, booking_id, $3, 'requested', $4 \
     from payment where payment_id = $2 and settling_until = $5 and $3 <= amount - \
     (select coalesce(sum(earlier.amount), 0) from refund as earlier where payment_id = $2)";

const ASKED: &str = "update refund set asks = asks + 1, asked_at = $2 where refund_id = $1";

const UNASKED: &str = "update refund set asks = asks - 1, asked_at = $2 where refund_id = $1";

const STATE: &str = "select payment_id, state, amount from refund where refund_id = $1";

const SET: &str = "update refund set state = $2, provider_ref = coalesce($3, provider_ref), \
     reason = $4, settled_at = $5 where refund_id = $1 and state = $6";

const COUNT: &str = "update payment set refunded = refunded + $2, status = case \
     when refunded + $2 = amount then 'refunded' \
     when refunded + $2 = 0 then 'captured' else 'partially_refunded' end \
     where payment_id = $1 and refunded + $2 between 0 and amount \
     and status in ('captured', 'partially_refunded', 'refunded')";

const CURRENCY: &str = "select currency from payment where payment_id = $1";

pub(super) const ENTER: &str = "insert into ledger_entry (transaction_id, account, payment_id, \
     amount, currency, created_at) values ($1, 'provider', $2, $3, $5, $6), \
     ($1, 'bookings', $2, $4, $5, $6)";

/// Enters a transaction in the books: so much more is with the provider, and that much more is
/// owed to bookings. Below zero it is less of both.
macro_rules! enter {
    ($on:expr, $transaction:expr, $payment:expr, $amount:expr, $currency:expr, $at:expr) => {
        sqlx::query($crate::store::refunds::ENTER)
            .bind($transaction)
            .bind($payment.0)
            .bind($amount)
            .bind(-$amount)
            .bind($currency.code())
            .bind($at.as_micros())
            .execute(&mut *$on)
            .await?
    };
}

/// Counts what went back in its payment, and enters it in the books.
macro_rules! count {
    ($on:expr, $payment:expr, $more:expr, $transaction:expr, $at:expr) => {{
        let payment = $payment;
        let counting = sqlx::query(COUNT).bind(payment.0).bind($more).execute(&mut *$on).await?;
        if counting.rows_affected() != 1 {
            return Err(StoreError::Corrupt("refund above what was captured"));
        }
        let currency: String =
            sqlx::query_scalar(CURRENCY).bind(payment.0).fetch_one(&mut *$on).await?;
        let currency: domain::Currency =
            currency.parse().map_err(|_| StoreError::Corrupt("payment.currency"))?;
        enter!($on, $transaction, payment, -$more, currency, $at);
    }};
}

pub(super) use {enter, of_payment};

/// A refund that succeeded and failed later is taken out of the books by a transaction whose id
/// follows from its own.
fn reversed(refund: RefundId) -> Uuid {
    Uuid::from_u128(!refund.0.as_u128())
}

impl Store {
    /// The refunds of a payment, in their order.
    pub async fn refunds(&self, payment: PaymentId) -> Result<Vec<Refund>, StoreError> {
        let store = self.clone();
        self.spawn(async move { Ok(read!(store, |on| of_payment!(on, payment))) }).await
    }

    /// The refunds of each of these payments that has any.
    pub async fn refunds_of(
        &self,
        payments: Vec<PaymentId>,
    ) -> Result<HashMap<PaymentId, Vec<Refund>>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let mut all = HashMap::new();
            read!(store, |on| {
                for payment in payments {
                    let refunds = of_payment!(on, payment);
                    if !refunds.is_empty() {
                        all.insert(payment, refunds);
                    }
                }
            });
            Ok(all)
        })
        .await
    }

    /// Writes a refund down, for the worker whose lease of the payment ends then; says whether it is
    /// still theirs, and so much of the payment can go back.
    pub async fn owe(
        &self,
        refund: RefundId,
        payment: PaymentId,
        amount: i64,
        (now, until): (Instant, Instant),
    ) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                let written = sqlx::query(INSERT)
                    .bind(refund.0)
                    .bind(payment.0)
                    .bind(amount)
                    .bind(now.as_micros())
                    .bind(until.as_micros())
                    .execute(on)
                    .await?;
                written.rows_affected() == 1
            })
        })
        .await
    }

    /// Writes down that the provider is about to be asked for a refund.
    pub async fn note_refund_asked(&self, id: RefundId, now: Instant) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                sqlx::query(ASKED).bind(id.0).bind(now.as_micros()).execute(on).await?;
            })
        })
        .await
    }

    /// Takes back that the provider was asked: it was asked last at `before`, if ever.
    pub async fn note_refund_unasked(
        &self,
        id: RefundId,
        before: Option<Instant>,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                let before = before.map(Instant::as_micros);
                sqlx::query(UNASKED).bind(id.0).bind(before).execute(on).await?;
            })
        })
        .await
    }

    /// Writes down how a refund stands, and says whether that was news. What succeeds is counted
    /// once, and what fails after it had succeeded is counted back; more than was captured is
    /// [`StoreError::Corrupt`].
    pub async fn set_refund(
        &self,
        id: RefundId,
        word: RefundWord,
        now: Instant,
    ) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            loop {
                let set = write!(store, |on| {
                    let (payment, was, amount): (Uuid, String, i64) =
                        sqlx::query_as(STATE).bind(id.0).fetch_one(&mut *on).await?;
                    let was: RefundState =
                        was.parse().map_err(|_| StoreError::Corrupt("refund.state"))?;
                    if !was.may_become(word.state) {
                        return Ok(Some(false));
                    }
                    let set = sqlx::query(SET)
                        .bind(id.0)
                        .bind(word.state.name())
                        .bind(&word.provider_ref)
                        .bind(&word.reason)
                        .bind((!word.state.is_open()).then_some(now.as_micros()))
                        .bind(was.name())
                        .execute(&mut *on)
                        .await?;
                    let is_set = set.rows_affected() == 1;
                    if is_set {
                        let counted = was == RefundState::Succeeded;
                        let counts = word.state == RefundState::Succeeded;
                        if counted != counts {
                            let more = if counts { amount } else { -amount };
                            let transaction = if counts { id.0 } else { reversed(id) };
                            count!(on, PaymentId(payment), more, transaction, now);
                        }
                    }
                    is_set.then_some(was != word.state)
                })?;
                // Nothing: somebody else wrote between the two statements, so look again.
                if let Some(news) = set {
                    return Ok(news);
                }
            }
        })
        .await
    }
}
