//! Bookings for reading. Their rows are written by the commit and by nothing else.

use super::booking_row::BookingRow;
use super::{Store, StoreError, read};
use domain::status::StatusName;
use domain::{Booking, BookingId, Instant, Night, PropertyId, UserId};
use uuid::Uuid;

/// A place in a list that is sorted by age, the newest first.
pub type BookingCursor = (Instant, BookingId);

/// Which bookings a list shows; what is not named does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct BookingFilter {
    pub property: Option<PropertyId>,
    pub status: Option<StatusName>,
    /// The stay has a night on this date or later.
    pub from: Option<Night>,
    /// The stay has a night before this date.
    pub to: Option<Night>,
}

const BY_ID: &str = "select * from booking where booking_id = $1";

pub(super) const OF_GUEST: &str = "select * from booking where guest_id = $1 \
     and (created_at < $2 or (created_at = $2 and booking_id < $3)) \
     and property_id = coalesce($5, property_id) and status = coalesce($6, status) \
     and check_out > $7 and check_in < $8 \
     order by created_at desc, booking_id desc limit $4";

pub(super) const OF_HOST: &str = "select booking.* from property join booking using (property_id) \
     where property.host_id = $1 and (booking.created_at < $2 \
     or (booking.created_at = $2 and booking.booking_id < $3)) \
     and property.property_id = coalesce($5, property.property_id) \
     and booking.status = coalesce($6, booking.status) \
     and booking.check_out > $7 and booking.check_in < $8 \
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
        filter: BookingFilter,
        after: Option<BookingCursor>,
        limit: u32,
    ) -> Result<Vec<(PropertyId, Booking)>, StoreError> {
        self.bookings_of(OF_GUEST, guest, filter, after, limit).await
    }

    /// Up to `limit` bookings of all properties of this host, the newest first, from behind
    /// `after` on.
    pub async fn bookings_of_host(
        &self,
        host: UserId,
        filter: BookingFilter,
        after: Option<BookingCursor>,
        limit: u32,
    ) -> Result<Vec<(PropertyId, Booking)>, StoreError> {
        self.bookings_of(OF_HOST, host, filter, after, limit).await
    }

    async fn bookings_of(
        &self,
        statement: &'static str,
        user: UserId,
        filter: BookingFilter,
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
                    .bind(filter.property.map(|property| property.0))
                    .bind(filter.status.map(StatusName::name))
                    .bind(filter.from.map_or(i32::MIN, Night::days))
                    .bind(filter.to.map_or(i32::MAX, Night::days))
                    .fetch_all(on)
                    .await?
            });
            rows.into_iter().map(with_property).collect()
        })
        .await
    }
}

pub(super) fn with_property(row: BookingRow) -> Result<(PropertyId, Booking), StoreError> {
    Ok((PropertyId(row.property_id), row.try_into()?))
}
