//! Quotes: written once, read by whoever they are for, and gone some time after their end.

use super::keys::{Created, claim_key};
use super::{Store, StoreError, read, write};
use domain::command::Key;
use domain::quote::Quote;
use domain::{Instant, Night, PropertyId, QuoteId, Stay, UserId, codec};
use sqlx::FromRow;
use uuid::Uuid;

/// A quote with what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteRow {
    pub quote: Quote,
    pub property: PropertyId,
    /// Nobody in particular, where nobody was signed in.
    pub account: Option<UserId>,
    pub created_at: Instant,
}

#[derive(FromRow)]
struct Columns {
    quote_id: Uuid,
    property_id: Uuid,
    account_id: Option<Uuid>,
    check_in: i32,
    check_out: i32,
    guests: i32,
    price: Vec<u8>,
    currency: String,
    policy: String,
    expires_at: i64,
    created_at: i64,
}

impl TryFrom<Columns> for QuoteRow {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        const CORRUPT: StoreError = StoreError::Corrupt("quote");
        let night = |days| Night::from_days(days).ok_or(CORRUPT);
        let quote = Quote {
            id: QuoteId(row.quote_id),
            stay: Stay::new(night(row.check_in)?, night(row.check_out)?).map_err(|_| CORRUPT)?,
            guests: u16::try_from(row.guests).map_err(|_| CORRUPT)?,
            price: codec::price(&row.price).map_err(|_| CORRUPT)?,
            currency: row.currency.parse().map_err(|_| CORRUPT)?,
            policy: row.policy.parse().map_err(|_| CORRUPT)?,
            expires_at: Instant::from_micros(row.expires_at),
        };
        Ok(Self {
            quote,
            property: PropertyId(row.property_id),
            account: row.account_id.map(UserId),
            created_at: Instant::from_micros(row.created_at),
        })
    }
}

const INSERT: &str = "insert into quote (quote_id, property_id, account_id, check_in, check_out, \
     guests, price, currency, policy, expires_at, created_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

const BY_ID: &str = "select * from quote where quote_id = $1";

const PURGE: &str = "delete from quote where expires_at < $1";

impl Store {
    /// Writes a quote with the caller's key.
    pub async fn create_quote(
        &self,
        row: QuoteRow,
        key: Option<Key>,
    ) -> Result<Created<QuoteId>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let quote = row.quote;
            let id = quote.id.0;
            let known = write!(store, |on| {
                let known = claim_key!(on, key, None::<Uuid>, id, None::<i64>, row.created_at);
                if known.is_none() {
                    sqlx::query(INSERT)
                        .bind(id)
                        .bind(row.property.0)
                        .bind(row.account.map(|account| account.0))
                        .bind(quote.stay.check_in().days())
                        .bind(quote.stay.check_out().days())
                        .bind(i32::from(quote.guests))
                        .bind(codec::price_bytes(&quote.price))
                        .bind(quote.currency.code())
                        .bind(quote.policy.name())
                        .bind(quote.expires_at.as_micros())
                        .bind(row.created_at.as_micros())
                        .execute(&mut *on)
                        .await?;
                }
                known
            })?;
            Ok(Created::of(known, QuoteId))
        })
        .await
    }

    /// The quote of this id, also one whose time is over but not long ago.
    pub async fn quote(&self, id: QuoteId) -> Result<Option<QuoteRow>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let row: Option<Columns> =
                read!(store, |on| sqlx::query_as(BY_ID).bind(id.0).fetch_optional(on).await?);
            row.map(QuoteRow::try_from).transpose()
        })
        .await
    }

    /// Forgets the quotes that ended before this moment; says how many there were.
    pub async fn purge_quotes(&self, before: Instant) -> Result<u64, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                let gone = sqlx::query(PURGE).bind(before.as_micros()).execute(&mut *on).await?;
                gone.rows_affected()
            })
        })
        .await
    }
}
