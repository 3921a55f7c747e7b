//! Bookings for reading. Their rows are written by the commit and by nothing else.

use super::booking_row::BookingRow;
use super::{Store, StoreError, read};
use domain::{Booking, BookingId, Instant, PropertyId, UserId};
use uuid::Uuid;

/// A place in a list that is sorted by age, the newest first.
pub type BookingCursor = (Instant, BookingId);

const BY_ID: &str = "select * from booking where booking_id = $1";

const OF_GUEST: &str = "select * from booking where guest_id = $1 \
     and (created_at < $2 or (created_at = $2 and booking_id < $3)) \
     order by created_at desc, booking_id desc limit $4";

const OF_HOST: &str = "select booking.* from property join booking using (property_id) \
     where property.host_id = $1 and (booking.created_at < $2 \
     or (booking.created_at = $2 and booking.booking_id < $3)) \
     order by booking.created_at desc, booking.booking_id desc limit $4";

impl Store {
    /// The booking of this id, with its property.
    pub async fn booking(
        &self,
        id: BookingId,
    ) -> Result<Option<(PropertyId, Booking)>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let row: Option<BookingRow> =
                read!(store, |on| sqlx::query_as(BY_ID).bind(id.0).fetch_optional(on).await?);
            row.map(with_property).transpose()
        })
        .await
    }

    /// Up to `limit` bookings that this guest made, the newest first, from behind `after` on.
    pub async fn bookings_of_guest(
        &self,
        guest: UserId,
        after: Option<BookingCursor>,
        limit: u32,
    ) -> Result<Vec<(PropertyId, Booking)>, StoreError> {
        self.bookings_of(OF_GUEST, guest, after, limit).await
    }

    /// Up to `limit` bookings of all properties of this host, the newest first, from behind
    /// `after` on.
    pub async fn bookings_of_host(
        &self,
        host: UserId,
        after: Option<BookingCursor>,
        limit: u32,
    ) -> Result<Vec<(PropertyId, Booking)>, StoreError> {
        self.bookings_of(OF_HOST, host, after, limit).await
    }

    async fn bookings_of(
        &self,
        statement: &'static str,
        user: UserId,
        after: Option<BookingCursor>,
        limit: u32,
    ) -> Result<Vec<(PropertyId, Booking)>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let (at, id) = after.map_or((i64::MAX, Uuid::max()), |(at, id)| (at.as_micros(), id.0));
            let rows: Vec<BookingRow> = read!(store, |on| {
                sqlx::query_as(statement)
                    .bind(user.0)
                    .bind(at)
                    .bind(id)
                    .bind(i64::from(limit))
                    .fetch_all(on)
                    .await?
            });
            rows.into_iter().map(with_property).collect()
        })
        .await
    }
}

fn with_property(row: BookingRow) -> Result<(PropertyId, Booking), StoreError> {
    Ok((PropertyId(row.property_id), row.try_into()?))
}
