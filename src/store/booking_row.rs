//! A booking and a property's facts as rows: the columns of both databases, and back.

use super::StoreError;
use domain::booking::Attempt;
use domain::property::Property;
use domain::zone::Zone;
use domain::{
    Awaiting, Booking, BookingId, Instant, Night, PaymentId, Price, PropertyId, QuoteId, Rules,
    Status, Stay, UserId, codec,
};
use jiff::civil::Time;
use sqlx::FromRow;
use std::sync::Arc;
use uuid::Uuid;

/// The columns of `booking`, in the order in which both commits write them.
#[derive(Clone, Debug, FromRow)]
pub(super) struct BookingRow {
    pub(super) property_id: Uuid,
    pub(super) booking_id: Uuid,
    pub(super) guest_id: Uuid,
    pub(super) check_in: i32,
    pub(super) check_out: i32,
    pub(super) guests: i32,
    pub(super) status: String,
    pub(super) awaiting: Option<String>,
    pub(super) expires_at: Option<i64>,
    pub(super) free_from: Option<i32>,
    pub(super) total: i64,
    pub(super) currency: String,
    pub(super) quote_id: Option<Uuid>,
    pub(super) payment_id: Option<Uuid>,
    pub(super) payment_live: bool,
    pub(super) paid: i64,
    pub(super) refunded: i64,
    pub(super) policy: String,
    pub(super) version: i64,
    pub(super) created_at: i64,
    pub(super) check_in_at: i64,
    pub(super) check_out_at: i64,
    pub(super) price: Option<Vec<u8>>,
    pub(super) confirmed_at: Option<i64>,
    pub(super) amendment: Option<Vec<u8>>,
    pub(super) offline: bool,
}

impl TryFrom<BookingRow> for Booking {
    type Error = StoreError;

    fn try_from(row: BookingRow) -> Result<Self, StoreError> {
        let night = |days| Night::from_days(days).ok_or(StoreError::Corrupt("booking's nights"));
        let status = row.status()?;
        let attempt = row
            .payment_id
            .map(|payment| Attempt { payment: PaymentId(payment), live: row.payment_live });
        let stay = Stay::new(night(row.check_in)?, night(row.check_out)?)
            .map_err(|_| StoreError::Corrupt("booking's stay"))?;
        let price = match &row.price {
            Some(bytes) => codec::price(bytes).map_err(|_| StoreError::Corrupt("booking.price"))?,
            None => Price::even(stay, row.total),
        };
        let mut booking = Self {
            id: BookingId(row.booking_id),
            guest: UserId(row.guest_id),
            stay,
            guests: u16::try_from(row.guests).map_err(|_| StoreError::Corrupt("booking.guests"))?,
            status,
            price,
            total: row.total,
            currency: row.currency.parse().map_err(|_| StoreError::Corrupt("booking.currency"))?,
            quote: row.quote_id.map(QuoteId),
            attempt,
            takings: Vec::new(),
            offline: row.offline,
            paid: row.paid,
            refunded: row.refunded,
            policy: row.policy.parse().map_err(|_| StoreError::Corrupt("booking.policy"))?,
            request: None,
            version: u32::try_from(row.version)
                .map_err(|_| StoreError::Corrupt("booking.version"))?,
            created_at: Instant::from_micros(row.created_at),
            confirmed_at: row.confirmed_at.map(Instant::from_micros),
            check_in_at: Instant::from_micros(row.check_in_at),
            check_out_at: Instant::from_micros(row.check_out_at),
        };
        codec::amend(&mut booking, row.amendment.as_deref())
            .map_err(|_| StoreError::Corrupt("booking.amendment"))?;
        Ok(booking)
    }
}

impl BookingRow {
    fn status(&self) -> Result<Status, StoreError> {
        Ok(match (self.status.as_str(), self.awaiting.as_deref(), self.expires_at) {
            ("PENDING", Some(awaiting), Some(expires_at)) => Status::Pending {
                awaiting: [Awaiting::Payment, Awaiting::Host, Awaiting::Release]
                    .into_iter()
                    .find(|known| known.name() == awaiting)
                    .ok_or(StoreError::Corrupt("booking.awaiting"))?,
                expires_at: Instant::from_micros(expires_at),
            },
            ("CONFIRMED", ..) => Status::Confirmed,
            ("COMPLETED", ..) => Status::Completed,
            ("CANCELED", ..) => Status::Canceled,
            ("DECLINED", ..) => Status::Declined,
            ("EXPIRED", ..) => Status::Expired,
            ("NO_SHOW", ..) => Status::NoShow {
                free_from: self
                    .free_from
                    .and_then(Night::from_days)
                    .ok_or(StoreError::Corrupt("booking.free_from"))?,
            },
            _ => return Err(StoreError::Corrupt("booking.status")),
        })
    }
}

/// When the nights of a booking that did not come are free again; nothing in any other status.
pub(super) const fn free_from(status: Status) -> Option<Night> {
    match status {
        Status::NoShow { free_from } => Some(free_from),
        _ => None,
    }
}

/// The columns of `property` that decisions read.
#[derive(Clone, Debug, FromRow)]
pub(super) struct FactsRow {
    pub(super) property_id: Uuid,
    pub(super) host_id: Uuid,
    pub(super) listing: String,
    pub(super) zone: String,
    pub(super) price_per_night: i64,
    pub(super) currency: String,
    pub(super) max_guests: i32,
    pub(super) instant_book: bool,
    pub(super) check_in_from_minute: i32,
    pub(super) check_out_by_minute: i32,
    pub(super) policy: String,
    pub(super) rules: Option<Vec<u8>>,
    pub(super) changed_seq: i64,
}

const MINUTES_AN_HOUR: i32 = 60;

/// A local time as minutes of its day.
pub(super) fn minute_of_day(time: Time) -> i32 {
    i32::from(time.hour()) * MINUTES_AN_HOUR + i32::from(time.minute())
}

fn time_of_day(minute: i32) -> Result<Time, StoreError> {
    let number = |n: i32| i8::try_from(n).map_err(|_| StoreError::Corrupt("property's hours"));
    Time::new(number(minute / MINUTES_AN_HOUR)?, number(minute % MINUTES_AN_HOUR)?, 0, 0)
        .map_err(|_| StoreError::Corrupt("property's hours"))
}

impl TryFrom<FactsRow> for Property {
    type Error = StoreError;

    fn try_from(row: FactsRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: PropertyId(row.property_id),
            host: UserId(row.host_id),
            listing: row.listing.parse().map_err(|_| StoreError::Corrupt("property.listing"))?,
            zone: Zone::named(&row.zone).map_err(|_| StoreError::Corrupt("property.zone"))?,
            price_per_night: row.price_per_night,
            currency: row.currency.parse().map_err(|_| StoreError::Corrupt("property.currency"))?,
            max_guests: u16::try_from(row.max_guests)
                .map_err(|_| StoreError::Corrupt("property.max_guests"))?,
            instant_book: row.instant_book,
            check_in_from: time_of_day(row.check_in_from_minute)?,
            check_out_by: time_of_day(row.check_out_by_minute)?,
            policy: row.policy.parse().map_err(|_| StoreError::Corrupt("property.policy"))?,
            rules: Arc::new(match &row.rules {
                Some(bytes) => {
                    codec::rules(bytes).map_err(|_| StoreError::Corrupt("property.rules"))?
                }
                None => Rules::default(),
            }),
        })
    }
}

/// The column `rules`.
pub(super) fn rules_bytes(rules: &Rules) -> Option<Vec<u8>> {
    (*rules != Rules::default()).then(|| codec::rules_bytes(rules))
}

/// A 32-byte hash from its column.
pub(super) fn hash(bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("hash"))
}
