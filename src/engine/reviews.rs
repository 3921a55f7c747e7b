//! Reviews: written by both sides of a completed stay. What guests say everybody reads, and the
//! host answers once; what hosts say is for the guest whom it concerns. What is blind appears when
//! both have spoken, or the window has closed.

use super::error::Fields;
use super::{Engine, Error};
use crate::auth::Caller;
use crate::auth::policy::{Action, Denied, Ownership, allow};
use crate::store::StoreError;
use crate::store::accounts::Role;
use crate::store::keys::Created;
use crate::store::reviews::{Reply, Review, ReviewsOf};
use domain::command::Key;
use domain::property::Listing;
use domain::refusal::Refusal;
use domain::review::{self, Direction, Publication, Rating};
use domain::{BookingId, Instant, PropertyId, ReviewId};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

/// What somebody says of a stay.
#[derive(Debug)]
pub struct NewReview {
    pub subject: Subject,
    pub rating: i64,
    pub comment: String,
}

/// What a review is about, or those of a list.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    Booking(BookingId),
    /// To write of it: the caller's latest completed stay there that has no review.
    Property(PropertyId),
}

/// What an author says instead.
#[derive(Debug)]
pub struct ReviewChange {
    pub rating: i64,
    pub comment: String,
}

/// The longest comment and the longest reply, in characters.
const MAX_COMMENT: usize = 5_000;

impl Engine {
    /// Writes a review: of the property by the stay's guest, of the guest by the host. The flag
    /// says whether a key's earlier answer is repeated.
    pub async fn write_review(
        &self,
        caller: &Caller,
        new: NewReview,
        key: Option<Arc<str>>,
    ) -> Result<(Review, bool), Error> {
        let key = key_of(caller, key, &format!("write_review {new:?}"));
        let (rating, comment) = said(new.rating, &new.comment)?;
        // A key is looked at first: what it made stands in the way of making it again.
        if let Some(key) = &key
            && let Some(known) = self.reviewed_under(key).await?
        {
            return Ok((known, true));
        }
        let (property, booking) = match new.subject {
            Subject::Booking(id) => self.store.booking(id).await?,
            Subject::Property(id) => self.store.stay_to_review(caller.id, id).await?,
        }
        .ok_or(Error::NotFound)?;
        let ownership = self.booking_ownership(caller, property, &booking).await?;
        allow(Action::WriteReview, Some(caller), ownership)?;
        let now = self.clock.now();
        let closes_at = review::window(&booking, now)?;
        let blind = self.store.property(property).await?.ok_or(Error::NotFound)?.page.blind_reviews;
        let review = Review {
            id: self.ids.review(property),
            property,
            booking: booking.id,
            author: caller.id,
            direction: match ownership {
                Ownership::Host => Direction::HostToGuest,
                _ => Direction::GuestToHost,
            },
            rating,
            comment,
            reply: None,
            closes_at,
            publication: Publication::first(blind, closes_at, now),
            created_at: now,
            version: 1,
        };
        let id = review.id;
        match self.store.create_review(review, key).await {
            // Whether it was the first of its stay, the store knows.
            Ok(Created::New) => Ok((self.known_review(id).await?, false)),
            Ok(Created::Known(id)) => Ok((self.known_review(id).await?, true)),
            Ok(Created::KeyReused) => Err(Refusal::KeyReused.into()),
            Err(StoreError::AlreadyReviewed) => Err(review::Refusal::AlreadyReviewed.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// A review that the caller may read.
    pub async fn review(&self, caller: Option<&Caller>, id: ReviewId) -> Result<Review, Error> {
        let review = self.known_review(id).await?;
        allow(Action::ReadReview, caller, self.review_ownership(caller, &review).await?)?;
        Ok(review)
    }

    /// What guests say of a property that the caller may see, as everybody reads it; or what the
    /// caller may read of both sides of a booking. Newest first, after a place in the list.
    pub async fn reviews(
        &self,
        caller: Option<&Caller>,
        subject: Subject,
        direction: Option<Direction>,
        after: Option<(Instant, Uuid)>,
        limit: usize,
    ) -> Result<Vec<Review>, Error> {
        let after = after.map(|(at, id)| (at, ReviewId(id)));
        match subject {
            Subject::Booking(id) => {
                let mut reviews = self.reviews_of_booking(caller, id).await?;
                reviews.retain(|review| {
                    direction.is_none_or(|direction| review.direction == direction)
                        && after.is_none_or(|after| (review.created_at, review.id) < after)
                });
                reviews.truncate(limit);
                Ok(reviews)
            }
            Subject::Property(id) => {
                self.may_list_reviews(caller, id).await?;
                if direction == Some(Direction::HostToGuest) {
                    return Ok(Vec::new());
                }
                Ok(self.store.reviews(ReviewsOf::Property(id), after, super::rows(limit)).await?)
            }
        }
    }

    async fn reviews_of_booking(
        &self,
        caller: Option<&Caller>,
        id: BookingId,
    ) -> Result<Vec<Review>, Error> {
        let caller = caller.ok_or(Denied::Unauthenticated)?;
        self.booking(caller, id).await?;
        let mut readable = Vec::new();
        for review in self.store.reviews_of_booking(id).await? {
            let ownership = self.review_ownership(Some(caller), &review).await?;
            if allow(Action::ReadReview, Some(caller), ownership).is_ok() {
                readable.push(review);
            }
        }
        Ok(readable)
    }

    async fn may_list_reviews(
        &self,
        caller: Option<&Caller>,
        property: PropertyId,
    ) -> Result<(), Error> {
        let row = self.store.property(property).await?.ok_or(Error::NotFound)?.property;
        let listed = row.listing == Listing::Listed;
        let ownership = Ownership::of_property(caller, row.host, listed);
        Ok(allow(Action::ListReviews, caller, ownership)?)
    }

    /// Lets up to `limit` reviews appear whose window has closed; says how many there were.
    pub async fn publish_due_reviews(&self, limit: u32) -> Result<usize, Error> {
        Ok(self.store.publish_due_reviews(self.clock.now(), limit).await?)
    }

    /// Changes what a review says. `change` makes the wished words of the review as it is, or
    /// refuses; it is asked again when somebody else was faster.
    pub async fn change_review<E: From<Error>>(
        &self,
        caller: &Caller,
        id: ReviewId,
        change: impl Fn(&Review) -> Result<ReviewChange, E>,
    ) -> Result<Review, E> {
        loop {
            let before = self.changeable(caller, Action::ChangeReview, id).await?;
            let wished = change(&before)?;
            let (rating, comment) = said(wished.rating, &wished.comment)?;
            if (rating, &comment) == (before.rating, &before.comment) {
                return Ok(before);
            }
            let version = before.version + 1;
            let after = Review { rating, comment: comment.clone(), version, ..before.clone() };
            let changed = self.store.change_review(before, rating, comment);
            if changed.await.map_err(Error::from)? {
                return Ok(after);
            }
        }
    }

    /// Takes a review back. `accepts` sees the review, and may refuse; it is asked again when
    /// somebody else was faster.
    pub async fn delete_review<E: From<Error>>(
        &self,
        caller: &Caller,
        id: ReviewId,
        accepts: impl Fn(&Review) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            let review = self.changeable(caller, Action::DeleteReview, id).await?;
            accepts(&review)?;
            if self.store.delete_review(review).await.map_err(Error::from)? {
                return Ok(());
            }
        }
    }

    /// Writes the host's one reply to a review. The flag says whether a key's earlier answer is
    /// repeated.
    pub async fn reply_to_review(
        &self,
        caller: &Caller,
        id: ReviewId,
        comment: &str,
        key: Option<Arc<str>>,
    ) -> Result<(Review, bool), Error> {
        let review = self.known_review(id).await?;
        let ownership = self.review_ownership(Some(caller), &review).await?;
        allow(Action::ReplyToReview, Some(caller), ownership)?;
        let key = key_of(caller, key, &format!("reply_to_review {id} {comment:?}"));
        let mut fields = Fields::default();
        let comment = fields.text(comment, "/comment", 1, MAX_COMMENT);
        fields.done()?;
        let reply = Reply { comment, created_at: self.clock.now() };
        let replayed = match self.store.reply_to_review(id, reply, key).await {
            Ok(Created::New) => false,
            Ok(Created::Known(_)) => true,
            Ok(Created::KeyReused) => return Err(Refusal::KeyReused.into()),
            Err(StoreError::AlreadyReplied) => {
                return Err(review::Refusal::AlreadyReplied.into());
            }
            Err(error) => return Err(error.into()),
        };
        Ok((self.known_review(id).await?, replayed))
    }

    async fn known_review(&self, id: ReviewId) -> Result<Review, Error> {
        self.store.review(id).await?.ok_or(Error::NotFound)
    }

    /// The review that the same request made under this key, if the key was used.
    async fn reviewed_under(&self, key: &Key) -> Result<Option<Review>, Error> {
        match self.store.made_under(key).await? {
            Created::New => Ok(None),
            Created::Known(id) => Ok(Some(self.known_review(ReviewId(id)).await?)),
            Created::KeyReused => Err(Refusal::KeyReused.into()),
        }
    }

    /// A review that the caller may change or take back now: its author in time, an admin always.
    async fn changeable(
        &self,
        caller: &Caller,
        action: Action,
        id: ReviewId,
    ) -> Result<Review, Error> {
        let review = self.known_review(id).await?;
        allow(action, Some(caller), self.review_ownership(Some(caller), &review).await?)?;
        if caller.role != Role::Admin {
            review.publication.may_change(review.closes_at, self.clock.now())?;
        }
        Ok(review)
    }

    /// What the caller is to a review; the host or the guest whom it concerns is asked for only
    /// where the caller could be it.
    async fn review_ownership(
        &self,
        caller: Option<&Caller>,
        review: &Review,
    ) -> Result<Ownership, Error> {
        let ownership = |shown, host| Ownership::of_review(caller, review.author, shown, host);
        let appeared = review.publication.appeared;
        let Some(caller) = caller.filter(|caller| appeared && caller.id != review.author) else {
            return Ok(ownership(appeared && review.direction == Direction::GuestToHost, None));
        };
        Ok(match review.direction {
            Direction::GuestToHost if caller.role == Role::Guest => ownership(true, None),
            Direction::GuestToHost => {
                let row = self.store.property(review.property).await?.ok_or(Error::NotFound)?;
                ownership(true, Some(row.property.host))
            }
            Direction::HostToGuest => {
                let stay = self.store.booking(review.booking).await?.ok_or(Error::NotFound)?;
                ownership(stay.1.guest == caller.id, None)
            }
        })
    }
}

/// The caller's key; `words` is what was asked, for the key to remember.
fn key_of(caller: &Caller, key: Option<Arc<str>>, words: &str) -> Option<Key> {
    let request = Sha256::digest(words.as_bytes()).into();
    key.map(|text| Key { caller: caller.id, text, request })
}

/// Reads a rating and a comment; names each that is wrong.
fn said(stars: i64, comment: &str) -> Result<(Rating, String), Error> {
    let mut fields = Fields::default();
    let rating = fields.parse(Rating::of(stars), "/rating");
    let comment = fields.text(comment, "/comment", 1, MAX_COMMENT);
    fields.done()?;
    let rating = rating.ok_or(Error::Fault("a rating was neither right nor wrong"))?;
    Ok((rating, comment))
}
