//! Bookings for reading. Their rows are written by the commit and by nothing else.

use super::booking_row::BookingRow;
use super::list::{Statement, Value, rows};
use super::{Kind, Store, StoreError, read};
use domain::refusal::Hold;
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

/// By the index of bookings of a guest, which no step of a booking changes.
const PENDING_OF_GUEST: &str = "select booking_id, expires_at from booking \
     where guest_id = $1 and created_at > $2 and status = 'PENDING' and expires_at > $3 \
     order by expires_at limit $4";

const BY_ID: &str = "select * from booking where booking_id = $1";

/// Up to `limit` bookings that this guest made, the newest first, from behind `after` on.
pub fn list_of_guest(
    guest: UserId,
    filter: BookingFilter,
    after: Option<BookingCursor>,
    limit: u32,
) -> Statement {
    let made = Statement::new("select * from booking").and(" where guest_id = ?", guest.0);
    filter.narrow(made, after, limit)
}

/// Up to `limit` bookings of all properties of this host, the newest first, from behind `after` on.
pub fn list_of_host(
    kind: Kind,
    host: UserId,
    filter: BookingFilter,
    after: Option<BookingCursor>,
    limit: u32,
) -> Statement {
    let all = Statement::new("select * from booking where ");
    let had = if filter.property.is_some() {
        // One home is looked at by its key; among all of a host's it would have to be found.
        let has = "exists (select 1 from property where property_id = booking.property_id";
        all.and(&format!("{has} and host_id = ?)"), host.0)
    } else {
        let homes = "select property_id from property where host_id = ?";
        all.and_among(kind, "property_id", homes, host.0)
    };
    filter.narrow(had, after, limit)
}

impl BookingFilter {
    fn narrow(self, all: Statement, after: Option<BookingCursor>, limit: u32) -> Statement {
        let days = |night: Night| i64::from(night.days());
        all.and_if(" and booking.property_id = ?", self.property.map(|property| property.0))
            .and_if(" and booking.status = ?", self.status.map(StatusName::name))
            .and_if(" and booking.check_out > ?", self.from.map(days))
            .and_if(" and booking.check_in < ?", self.to.map(days))
            .page(["booking", "booking_id"], after.map(|(at, id)| (at, id.0)), limit)
    }
}

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

    /// Up to `limit` bookings that this guest made after `since` and that are pending beyond `now`,
    /// in the order in which their time is over.
    pub async fn pending_of_guest(
        &self,
        guest: UserId,
        since: Instant,
        now: Instant,
        limit: u32,
    ) -> Result<Vec<Hold>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let rows: Vec<(Uuid, i64)> = read!(store, |on| {
                sqlx::query_as(PENDING_OF_GUEST)
                    .bind(guest.0)
                    .bind(since.as_micros())
                    .bind(now.as_micros())
                    .bind(i64::from(limit))
                    .fetch_all(on)
                    .await?
            });
            let hold = |(booking, until)| Hold {
                booking: BookingId(booking),
                until: Instant::from_micros(until),
            };
            Ok(rows.into_iter().map(hold).collect())
        })
        .await
    }

    /// The bookings of [`list_of_guest`].
    pub async fn bookings_of_guest(
        &self,
        guest: UserId,
        filter: BookingFilter,
        after: Option<BookingCursor>,
        limit: u32,
    ) -> Result<Vec<(PropertyId, Booking)>, StoreError> {
        self.bookings_of(list_of_guest(guest, filter, after, limit)).await
    }

    /// The bookings of [`list_of_host`].
    pub async fn bookings_of_host(
        &self,
        host: UserId,
        filter: BookingFilter,
        after: Option<BookingCursor>,
        limit: u32,
    ) -> Result<Vec<(PropertyId, Booking)>, StoreError> {
        self.bookings_of(list_of_host(self.kind(), host, filter, after, limit)).await
    }

    async fn bookings_of(
        &self,
        statement: Statement,
    ) -> Result<Vec<(PropertyId, Booking)>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let rows: Vec<BookingRow> = rows!(store, statement);
            rows.into_iter().map(with_property).collect()
        })
        .await
    }
}

pub(super) fn with_property(row: BookingRow) -> Result<(PropertyId, Booking), StoreError> {
    Ok((PropertyId(row.property_id), row.try_into()?))
}
