//! Reviews: what guests said of their stays and hosts of their guests, and what hosts answered. A
//! review appears, changes and goes together with its property's sum and number of ratings, in one
//! transaction: what nobody reads yet does not count. Each change is made on the version that was
//! looked at, or not at all.
//!
//! What changes reviews of one property holds its row first, so that neither of two reviews of a
//! stay that come at once misses the other, and nobody waits for each other in a circle.

use super::booking_row::BookingRow;
use super::bookings::with_property;
use super::keys::{Created, claim_key};
use super::list::{Statement, Value, rows};
use super::{Store, StoreError, read, write};
use domain::command::Key;
use domain::review::{Direction, Publication, Rating};
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
    pub publication: Publication,
    pub created_at: Instant,
    /// Counts its own changes, from 1.
    pub version: i64,
}

impl Review {
    /// Whether it is one of those that everybody reads and that make a property's ratings.
    fn counts(&self) -> bool {
        self.direction == Direction::GuestToHost && self.publication.appeared
    }

    fn stars(&self) -> i64 {
        i64::from(self.rating.stars())
    }
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
    blind: bool,
    appeared: bool,
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
            publication: Publication {
                blind: row.blind,
                appeared: row.appeared,
                at: Instant::from_micros(row.published_at),
            },
            created_at: Instant::from_micros(row.created_at),
            version: row.version,
        })
    }
}

const INSERT: &str = "insert into review (review_id, property_id, booking_id, author_id, \
     direction, rating, comment, window_closes_at, blind, appeared, published_at, created_at, \
     version) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
     on conflict (booking_id, direction) do nothing";

/// Changes nothing: it waits for whoever changes reviews of the property, and keeps others waiting.
const HOLD: &str = "update property set review_count = review_count where property_id = $1";

const COUNT: &str = "update property set rating_sum = rating_sum + $2, \
     review_count = review_count + $3 where property_id = $1";

const BY_ID: &str = "select * from review where review_id = $1";

const OF_BOOKING: &str =
    "select * from review where booking_id = $1 order by created_at desc, review_id desc";

const OTHER: &str = "select * from review where booking_id = $1 and direction <> $2";

const DUE: &str = "select * from review where not appeared and published_at <= $1 \
     order by published_at limit $2";

const APPEAR: &str = "update review set appeared = true, published_at = $3, version = $2 + 1 \
     where review_id = $1 and version = $2 and not appeared";

/// Stays that can be reviewed come first, then those that were, then those that are not over.
const BEST_STAY: &str = " order by case when offline then 3 when status <> 'COMPLETED' then 2 \
     when exists (select 1 from review where review.booking_id = booking.booking_id \
     and review.direction = ?) then 1 else 0 end, check_out_at desc, booking_id desc limit 1";

const CHANGE: &str = "update review set rating = $3, comment = $4, version = $2 + 1 \
     where review_id = $1 and version = $2";

const DELETE: &str = "delete from review where review_id = $1 and version = $2";

const REPLY: &str = "update review set reply = $2, replied_at = $3, version = version + 1 \
     where review_id = $1 and reply is null";

/// Begins a change of reviews of a property: see the top of this file.
macro_rules! hold {
    ($on:expr, $property:expr) => {
        sqlx::query(HOLD).bind($property.0).execute(&mut *$on).await?
    };
}

/// Adds to the sum and the number of a property's ratings, in the transaction of the review.
macro_rules! count {
    ($on:expr, $property:expr, $stars:expr, $reviews:expr) => {
        sqlx::query(COUNT).bind($property.0).bind($stars).bind($reviews).execute(&mut *$on).await?
    };
}

/// Lets a review appear as it was looked at; says whether it still stood so.
macro_rules! appear {
    ($on:expr, $review:expr, $at:expr) => {{
        let review: &Review = &$review;
        let appeared = sqlx::query(APPEAR)
            .bind(review.id.0)
            .bind(review.version)
            .bind($at.as_micros())
            .execute(&mut *$on)
            .await?;
        let stood = appeared.rows_affected() == 1;
        if stood && review.direction == Direction::GuestToHost {
            count!($on, review.property, review.stars(), 1_i64);
        }
        stood
    }};
}

/// Writes a review; where the other side's is there, both have appeared then.
macro_rules! insert {
    ($on:expr, $review:expr) => {{
        let mut review: Review = $review;
        let other: Option<Columns> = sqlx::query_as(OTHER)
            .bind(review.booking.0)
            .bind(review.direction.name())
            .fetch_optional(&mut *$on)
            .await?;
        if let Some(first) = other {
            let first = Review::try_from(first)?;
            if !first.publication.appeared {
                appear!($on, first, review.created_at);
            }
            review.publication = Publication::second(first.publication, review.created_at);
        }
        let inserted = sqlx::query(INSERT)
            .bind(review.id.0)
            .bind(review.property.0)
            .bind(review.booking.0)
            .bind(review.author.0)
            .bind(review.direction.name())
            .bind(i32::from(review.rating.stars()))
            .bind(&review.comment)
            .bind(review.closes_at.as_micros())
            .bind(review.publication.blind)
            .bind(review.publication.appeared)
            .bind(review.publication.at.as_micros())
            .bind(review.created_at.as_micros())
            .bind(review.version)
            .execute(&mut *$on)
            .await?;
        if inserted.rows_affected() != 1 {
            return Err(StoreError::AlreadyReviewed);
        }
        if review.counts() {
            count!($on, review.property, review.stars(), 1_i64);
        }
    }};
}

/// Whose reviews a list holds.
#[derive(Clone, Copy, Debug)]
pub enum ReviewsOf {
    /// Those of a property that everybody reads.
    Property(PropertyId),
    /// All that somebody wrote, appeared or not.
    Author(UserId),
}

/// Up to `limit` of these reviews, the newest first, from behind `after` on.
pub fn list(of: ReviewsOf, after: Option<ReviewCursor>, limit: u32) -> Statement {
    let after = after.map(|(at, id)| (at, id.0));
    let all = Statement::new("select * from review");
    let chosen = match of {
        ReviewsOf::Property(property) => all
            .and(" where property_id = ?", property.0)
            .and(" and direction = ? and appeared", Direction::GuestToHost.name()),
        ReviewsOf::Author(author) => all.and(" where author_id = ?", author.0),
    };
    chosen.page(["review", "review_id"], after, limit)
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
    /// Writes a review with the caller's key, as the first of its stay or as the second, which
    /// makes both appear. A booking that has one in this direction is
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
                    hold!(on, review.property);
                    insert!(on, review);
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

    /// The reviews of a booking, appeared or not, the newest first: two at most.
    pub async fn reviews_of_booking(&self, id: BookingId) -> Result<Vec<Review>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let rows: Vec<Columns> =
                read!(store, |on| sqlx::query_as(OF_BOOKING).bind(id.0).fetch_all(on).await?);
            rows.into_iter().map(Review::try_from).collect()
        })
        .await
    }

    /// Lets up to `limit` reviews appear whose window has closed; says how many there were.
    pub async fn publish_due_reviews(&self, now: Instant, limit: u32) -> Result<usize, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let rows: Vec<Columns> = read!(store, |on| {
                sqlx::query_as(DUE)
                    .bind(now.as_micros())
                    .bind(i64::from(limit))
                    .fetch_all(on)
                    .await?
            });
            let due = rows.into_iter().map(Review::try_from).collect::<Result<Vec<_>, _>>()?;
            for review in &due {
                write!(store, |on| {
                    hold!(on, review.property);
                    // One that changed or appeared meanwhile is seen, if need be, by the next look.
                    appear!(on, review, review.publication.at);
                })?;
            }
            Ok(due.len())
        })
        .await
    }

    /// The reviews of [`list`].
    pub async fn reviews(
        &self,
        of: ReviewsOf,
        after: Option<ReviewCursor>,
        limit: u32,
    ) -> Result<Vec<Review>, StoreError> {
        let store = self.clone();
        self.spawn(async move {
            let statement = list(of, after, limit);
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
            let more = i64::from(rating.stars()) - before.stars();
            write!(store, |on| {
                hold!(on, before.property);
                let changed = sqlx::query(CHANGE)
                    .bind(before.id.0)
                    .bind(before.version)
                    .bind(i32::from(rating.stars()))
                    .bind(&comment)
                    .execute(&mut *on)
                    .await?;
                let stood = changed.rows_affected() == 1;
                if stood && before.counts() {
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
                hold!(on, review.property);
                let deleted = sqlx::query(DELETE)
                    .bind(review.id.0)
                    .bind(review.version)
                    .execute(&mut *on)
                    .await?;
                let stood = deleted.rows_affected() == 1;
                if stood && review.counts() {
                    count!(on, review.property, -review.stars(), -1_i64);
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
