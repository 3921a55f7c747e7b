//! Reviews: what guests said of their stays, and what hosts answered. A review is written, changed
//! and taken away together with its property's sum and number of ratings, in one transaction. Each
//! change is made on the version that was looked at, or not at all.

use super::booking_row::BookingRow;
use super::bookings::with_property;
use super::keys::{Created, claim_key};
use super::list::{Statement, Value, rows};
use super::{Store, StoreError, read, write};
use domain::command::Key;
use domain::review::{Direction, Rating};
use domain::{Booking, BookingId, Instant, PropertyId, ReviewId, UserId};
use sqlx::FromRow;
use uuid::Uuid;

/// What somebody said of a stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    pub id: ReviewId,
    pub property: PropertyId,
    pub booking: BookingId,
    pub author: UserId,
    pub direction: Direction,
    pub rating: Rating,
    pub comment: String,
    pub reply: Option<Reply>,
    /// Until when its author may change it or take it back.
    pub closes_at: Instant,
    pub published_at: Instant,
    pub created_at: Instant,
    /// Counts its own changes, from 1.
    pub version: i64,
}

/// What the host answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub comment: String,
    pub created_at: Instant,
}

/// A place in a list of reviews, the newest first.
pub type ReviewCursor = (Instant, ReviewId);

#[derive(FromRow)]
struct Columns {
    review_id: Uuid,
    property_id: Uuid,
    booking_id: Uuid,
    author_id: Uuid,
    direction: String,
    rating: i32,
    comment: String,
    reply: Option<String>,
    replied_at: Option<i64>,
    window_closes_at: i64,
    published_at: i64,
    created_at: i64,
    version: i64,
}

impl TryFrom<Columns> for Review {
    type Error = StoreError;

    fn try_from(row: Columns) -> Result<Self, StoreError> {
        let reply = row
            .reply
            .zip(row.replied_at)
            .map(|(comment, at)| Reply { comment, created_at: Instant::from_micros(at) });
        Ok(Self {
            id: ReviewId(row.review_id),
            property: PropertyId(row.property_id),
            booking: BookingId(row.booking_id),
            author: UserId(row.author_id),
            direction: row
                .direction
                .parse()
                .map_err(|_| StoreError::Corrupt("review.direction"))?,
            rating: Rating::of(i64::from(row.rating))
                .map_err(|_| StoreError::Corrupt("review.rating"))?,
            comment: row.comment,
            reply,
            closes_at: Instant::from_micros(row.window_closes_at),
            published_at: Instant::from_micros(row.published_at),
            created_at: Instant::from_micros(row.created_at),
            version: row.version,
        })
    }
}

const INSERT: &str = "insert into review (review_id, property_id, booking_id, author_id, \
     direction, rating, comment, window_closes_at, published_at, created_at, version) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     on conflict (booking_id, direction) do nothing";

const COUNT: &str = "update property set rating_sum = rating_sum + $2, \
     review_count = review_count + $3 where property_id = $1";

const BY_ID: &str = "select * from review where review_id = $1";

/// Stays that can be reviewed come first, then those that were, then those that are not over.
const BEST_STAY: &str = " order by case when status <> 'COMPLETED' then 2 \
     when exists (select 1 from review where review.booking_id = booking.booking_id \
     and review.direction = ?) then 1 else 0 end, check_out_at desc, booking_id desc limit 1";

const CHANGE: &str = "update review set rating = $3, comment = $4, version = $2 + 1 \
     where review_id = $1 and version = $2";

const DELETE: &str = "delete from review where review_id = $1 and version = $2";

const REPLY: &str = "update review set reply = $2, replied_at = $3, version = version + 1 \
     where review_id = $1 and reply is null";

/// Adds to the sum and the number of a property's ratings, in the transaction of the review.
macro_rules! count {
    ($on:expr, $property:expr, $stars:expr, $reviews:expr) => {
        sqlx::query(COUNT).bind($property.0).bind($stars).bind($reviews).execute(&mut *$on).await?
    };
}

fn stars(review: &Review) -> i64 {
    i64::from(review.rating.stars())
}

/// Up to `limit` reviews of a property, the newest first, from behind `after` on.
pub fn list(property: PropertyId, after: Option<ReviewCursor>, limit: u32) -> Statement {
    let after = after.map(|(at, id)| (at, id.0));
    Statement::new("select * from review").and(" where property_id = ?", property.0).page(
        ["review", "review_id"],
        after,
        limit,
    )
}

/// The stay of this guest at a property that a review would be about: the latest completed one
/// without a review, else the latest that says why there is none.
pub fn stay(guest: UserId, property: PropertyId) -> Statement {
    Statement::new("select * from booking")
        .and(" where guest_id = ?", guest.0)
        .and(" and property_id = ?", property.0)
        .and(BEST_STAY, Direction::GuestToHost.name())
}

impl Store {
    /// Writes a review with the caller's key. A booking that has one in this direction is
    /// [`StoreError::AlreadyReviewed`], and then the key is free.
    pub async fn create_review(
        &self,
        review: Review,
        key: Option<Key>,
    ) -> Result<Created<ReviewId>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let id = review.id.0;
            let known = write!(store, |on| {
                let known = claim_key!(on, key, None::<Uuid>, id, None::<i64>, review.created_at);
                if known.is_none() {
                    let inserted = sqlx::query(INSERT)
                        .bind(id)
                        .bind(review.property.0)
                        .bind(review.booking.0)
                        .bind(review.author.0)
                        .bind(review.direction.name())
                        .bind(i32::from(review.rating.stars()))
                        .bind(&review.comment)
                        .bind(review.closes_at.as_micros())
                        .bind(review.published_at.as_micros())
                        .bind(review.created_at.as_micros())
                        .bind(review.version)
                        .execute(&mut *on)
                        .await?;
                    if inserted.rows_affected() != 1 {
                        return Err(StoreError::AlreadyReviewed);
                    }
                    count!(on, review.property, stars(&review), 1_i64);
                }
                known
            })?;
            Ok(Created::of(known, ReviewId))
        })
        .await
    }

    /// The review of this id.
    pub async fn review(&self, id: ReviewId) -> Result<Option<Review>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let row: Option<Columns> =
                read!(store, |on| sqlx::query_as(BY_ID).bind(id.0).fetch_optional(on).await?);
            row.map(Review::try_from).transpose()
        })
        .await
    }

    /// The reviews of [`list`].
    pub async fn reviews(
        &self,
        property: PropertyId,
        after: Option<ReviewCursor>,
        limit: u32,
    ) -> Result<Vec<Review>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let statement = list(property, after, limit);
            let rows: Vec<Columns> = rows!(store, statement);
            rows.into_iter().map(Review::try_from).collect()
        })
        .await
    }

    /// The booking of [`stay`].
    pub async fn stay_to_review(
        &self,
        guest: UserId,
        property: PropertyId,
    ) -> Result<Option<(PropertyId, Booking)>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let statement = stay(guest, property);
            let rows: Vec<BookingRow> = rows!(store, statement);
            rows.into_iter().next().map(with_property).transpose()
        })
        .await
    }

    /// Changes rating and comment of the review as it was looked at; says whether it still stood
    /// so. Its version is one higher then.
    pub async fn change_review(
        &self,
        before: Review,
        rating: Rating,
        comment: String,
    ) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let more = i64::from(rating.stars()) - stars(&before);
            write!(store, |on| {
                let changed = sqlx::query(CHANGE)
                    .bind(before.id.0)
                    .bind(before.version)
                    .bind(i32::from(rating.stars()))
                    .bind(&comment)
                    .execute(&mut *on)
                    .await?;
                let stood = changed.rows_affected() == 1;
                if stood {
                    count!(on, before.property, more, 0_i64);
                }
                stood
            })
        })
        .await
    }

    /// Takes the review away as it was looked at; says whether it still stood so.
    pub async fn delete_review(&self, review: Review) -> Result<bool, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            write!(store, |on| {
                let deleted = sqlx::query(DELETE)
                    .bind(review.id.0)
                    .bind(review.version)
                    .execute(&mut *on)
                    .await?;
                let stood = deleted.rows_affected() == 1;
                if stood {
                    count!(on, review.property, -stars(&review), -1_i64);
                }
                stood
            })
        })
        .await
    }

    /// Writes the one reply to a review, with the caller's key. Where there is one already, or no
    /// review any more, it is [`StoreError::AlreadyReplied`], and then the key is free.
    pub async fn reply_to_review(
        &self,
        id: ReviewId,
        reply: Reply,
        key: Option<Key>,
    ) -> Result<Created<ReviewId>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let known = write!(store, |on| {
                let at = reply.created_at;
                let known = claim_key!(on, key, None::<Uuid>, id.0, None::<i64>, at);
                if known.is_none() {
                    let replied = sqlx::query(REPLY)
                        .bind(id.0)
                        .bind(&reply.comment)
                        .bind(at.as_micros())
                        .execute(&mut *on)
                        .await?;
                    if replied.rows_affected() != 1 {
                        return Err(StoreError::AlreadyReplied);
                    }
                }
                known
            })?;
            Ok(Created::of(known, ReviewId))
        })
        .await
    }
}
