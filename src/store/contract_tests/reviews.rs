//! Reviews, and what lists with filters read, on both databases.

use super::{Ground, NOW, commit, fresh, id_in, key, on_both};
use crate::store::bookings::BookingFilter;
use crate::store::keys::Created;
use crate::store::reviews::{Reply, Review, ReviewsOf};
use crate::store::{Store, StoreError};
use domain::review::{Direction, Publication, Rating, Ratings};
use domain::{Booking, BookingId, PaymentId, PropertyId, ReviewId};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

on_both!(
    a_review_is_written_once_for_each_booking_and_for_each_key,
    ratings_add_up_through_every_change,
    a_change_is_made_on_the_version_that_was_looked_at,
    reviews_and_changes_that_come_at_once_all_count_once,
    what_has_not_appeared_does_not_count,
    both_reviews_of_a_stay_appear_with_the_second_also_when_they_come_at_once,
    a_window_closes_for_each_review_once_whoever_looks_or_changes_it,
    a_review_has_one_reply,
    lists_of_reviews_begin_with_the_newest,
    the_stay_to_review_is_the_latest_that_is_completed_and_has_no_review,
    bookings_are_filtered_by_property_status_and_dates,
    payments_are_listed_for_the_guest_of_their_bookings,
    verify_finds_reviews_that_fit_nothing,
);

fn rating(stars: i64) -> Rating {
    Rating::of(stars).expect("stars")
}

/// A review of this booking, so many seconds after the time of all tests.
fn review(ground: &Ground, property: PropertyId, booking: BookingId, age: u64) -> Review {
    let at = NOW.plus(Duration::from_secs(age));
    Review {
        id: ReviewId(property.bind(fresh())),
        property,
        booking,
        author: ground.guest,
        direction: Direction::GuestToHost,
        rating: rating(4),
        comment: "Quiet.\nÜber 🏡".to_owned(),
        reply: None,
        closes_at: at.plus(Duration::from_secs(86_400)),
        publication: Publication { blind: false, appeared: true, at },
        created_at: at,
        version: 1,
    }
}

/// One that waits for the other side's or for the end of its window.
fn blind(review: Review) -> Review {
    let publication = Publication::first(true, review.closes_at, review.created_at);
    Review { publication, ..review }
}

/// What the host says of the stay that another review is about.
fn of_guest(ground: &Ground, review: &Review) -> Review {
    Review {
        id: ReviewId(review.property.bind(fresh())),
        author: ground.host,
        direction: Direction::HostToGuest,
        ..review.clone()
    }
}

async fn found(store: &Store, id: ReviewId) -> Review {
    store.review(id).await.expect("an answer").expect("a review")
}

/// A property with bookings of one night each, the last of them paid and completed if so wished.
async fn booked(ground: &Ground, count: i32, completed: bool) -> (PropertyId, Vec<Booking>) {
    let property = ground.property().await;
    let mut desk = ground.desk(property).await;
    let mut groups: Vec<_> = (0..count).map(|night| desk.book((night, night + 1))).collect();
    let mut bookings: Vec<Booking> =
        groups.iter().filter_map(|group| group.booking().cloned()).collect();
    if completed && let Some(last) = bookings.last_mut() {
        groups.push(desk.start_attempt(last.id));
        groups.push(desk.pay(last.id).expect("a payment"));
        let after = last.check_out_at;
        while let Some(group) = desk.state.enforce_deadline(desk.life, after) {
            groups.push(Arc::new(group));
        }
        let newest = groups.iter().rev().filter_map(|group| group.booking());
        *last = newest.clone().find(|booking| booking.id == last.id).expect("it").clone();
    }
    commit(&mut ground.store.lane(), &groups).await;
    (property, bookings)
}

async fn ratings(store: &Store, property: PropertyId) -> Ratings {
    store.property(property).await.expect("an answer").expect("a property").ratings
}

async fn a_review_is_written_once_for_each_booking_and_for_each_key(ground: Ground) {
    let store = &ground.store;
    let (property, bookings) = booked(&ground, 2, false).await;
    assert_eq!(ratings(store, property).await, Ratings::default());
    let wanted = review(&ground, property, bookings[0].id, 0);
    let used = key(ground.guest, "mine");
    assert_eq!(store.made_under(&used).await.expect("an answer"), Created::New);
    let write = async |review: &Review, key| store.create_review(review.clone(), key).await;
    assert_eq!(write(&wanted, Some(used.clone())).await.expect("a review"), Created::New);
    assert_eq!(store.review(wanted.id).await.expect("an answer").as_ref(), Some(&wanted));
    let again = write(&wanted, Some(used.clone())).await.expect("an answer");
    assert_eq!(again, Created::Known(wanted.id));
    assert_eq!(store.made_under(&used).await.expect("an answer"), Created::Known(wanted.id.0));
    let other = domain::command::Key { request: [8; 32], ..used };
    assert_eq!(store.made_under(&other).await.expect("an answer"), Created::KeyReused);
    let second = review(&ground, property, bookings[1].id, 1);
    assert_eq!(write(&second, Some(other)).await.expect("an answer"), Created::KeyReused);

    let twin = review(&ground, property, bookings[0].id, 2);
    let free = key(ground.guest, "another");
    let refused = write(&twin, Some(free.clone())).await;
    assert!(matches!(refused, Err(StoreError::AlreadyReviewed)), "{refused:?}");
    assert_eq!(ratings(store, property).await, Ratings { sum: 4, count: 1 });
    // The key was not used up by that.
    assert_eq!(write(&second, Some(free)).await.expect("a review"), Created::New);
    assert_eq!(ratings(store, property).await, Ratings { sum: 8, count: 2 });
    assert!(store.review(ReviewId(fresh())).await.expect("an answer").is_none());
    ground.assert_clean().await;
}

async fn ratings_add_up_through_every_change(ground: Ground) {
    let store = &ground.store;
    let (property, bookings) = booked(&ground, 2, false).await;
    let (other, _) = booked(&ground, 1, false).await;
    let one = review(&ground, property, bookings[0].id, 0);
    let two = Review { rating: rating(1), ..review(&ground, property, bookings[1].id, 1) };
    for wanted in [&one, &two] {
        store.create_review(wanted.clone(), None).await.expect("a review");
    }
    assert_eq!(ratings(store, property).await, Ratings { sum: 5, count: 2 });
    let changed = store.change_review(one.clone(), rating(2), "Loud.".to_owned()).await;
    assert!(changed.expect("an answer"));
    assert_eq!(ratings(store, property).await, Ratings { sum: 3, count: 2 });
    assert!(store.delete_review(two.clone()).await.expect("an answer"));
    assert_eq!(ratings(store, property).await, Ratings { sum: 2, count: 1 });
    assert!(!store.delete_review(two).await.expect("an answer"), "it is gone");
    let one = store.review(one.id).await.expect("an answer").expect("a review");
    assert_eq!((one.rating, one.comment.as_str(), one.version), (rating(2), "Loud.", 2));
    assert!(store.delete_review(one).await.expect("an answer"));
    assert_eq!(ratings(store, property).await, Ratings::default());
    assert_eq!(ratings(store, other).await, Ratings::default());
    ground.assert_clean().await;
}

async fn a_change_is_made_on_the_version_that_was_looked_at(ground: Ground) {
    let store = &ground.store;
    let (property, bookings) = booked(&ground, 1, false).await;
    let first = review(&ground, property, bookings[0].id, 0);
    store.create_review(first.clone(), None).await.expect("a review");
    let change = async |before: &Review, stars| {
        let changing = store.change_review(before.clone(), rating(stars), "So.".to_owned());
        changing.await.expect("an answer")
    };
    assert!(change(&first, 5).await);
    assert!(!change(&first, 1).await, "it stands otherwise now");
    assert!(!store.delete_review(first.clone()).await.expect("an answer"));
    assert_eq!(ratings(store, property).await, Ratings { sum: 5, count: 1 });
    let reply = Reply { comment: "Thank you.".to_owned(), created_at: NOW };
    store.reply_to_review(first.id, reply, None).await.expect("a reply");
    let second = Review { version: 2, ..first };
    assert!(!change(&second, 3).await, "a reply is a change, too");
    assert_eq!(ratings(store, property).await, Ratings { sum: 5, count: 1 });
}

async fn reviews_and_changes_that_come_at_once_all_count_once(ground: Ground) {
    let store = &ground.store;
    let (property, bookings) = booked(&ground, 6, false).await;
    // Two for each booking: one of them is too many.
    let wanted: Vec<Review> = bookings
        .iter()
        .flat_map(|booking| (0..2).map(|age| review(&ground, property, booking.id, age)))
        .collect();
    let writing = wanted.iter().map(|review| store.create_review(review.clone(), None));
    let written: Vec<_> = join_all(writing).await;
    for pair in written.chunks(2) {
        let news = pair.iter().filter(|made| matches!(made, Ok(Created::New))).count();
        let late = pair.iter().filter(|made| matches!(made, Err(StoreError::AlreadyReviewed)));
        assert_eq!((news, late.count()), (1, 1), "{pair:?}");
    }
    assert_eq!(ratings(store, property).await, Ratings { sum: 24, count: 6 });
    let made = written.iter().position(Result::is_ok).expect("a review");
    let changing = [1, 2, 3, 5].map(|stars| {
        store.change_review(wanted[made].clone(), rating(stars), format!("{stars} stars"))
    });
    let changed = join_all(changing).await;
    assert_eq!(changed.iter().filter(|changed| matches!(changed, Ok(true))).count(), 1);
    let stands = store.review(wanted[made].id).await.expect("an answer").expect("a review");
    assert_eq!(stands.version, 2);
    let deleting = (0..4).map(|_| store.delete_review(stands.clone()));
    let deleted = join_all(deleting).await;
    assert_eq!(deleted.iter().filter(|deleted| matches!(deleted, Ok(true))).count(), 1);
    assert_eq!(ratings(store, property).await, Ratings { sum: 20, count: 5 });
    ground.assert_clean().await;
}

async fn what_has_not_appeared_does_not_count(ground: Ground) {
    let store = &ground.store;
    let (property, bookings) = booked(&ground, 2, false).await;
    let wanted = blind(review(&ground, property, bookings[0].id, 0));
    store.create_review(wanted.clone(), None).await.expect("a review");
    assert_eq!(found(store, wanted.id).await, wanted);
    assert_eq!(ratings(store, property).await, Ratings::default());
    assert_eq!(
        store.reviews(ReviewsOf::Property(property), None, 9).await.expect("a page"),
        vec![]
    );
    assert!(store.change_review(wanted.clone(), rating(5), "So.".into()).await.expect("an answer"));
    assert_eq!(ratings(store, property).await, Ratings::default());
    let changed = found(store, wanted.id).await;
    assert!(store.delete_review(changed).await.expect("an answer"));
    assert_eq!(ratings(store, property).await, Ratings::default());
    // Nor does what a host says of a guest, though it has appeared.
    let of_guest = of_guest(&ground, &review(&ground, property, bookings[1].id, 1));
    store.create_review(of_guest.clone(), None).await.expect("a review");
    assert!(
        store.change_review(of_guest.clone(), rating(1), "So.".into()).await.expect("an answer")
    );
    assert_eq!(ratings(store, property).await, Ratings::default());
    assert_eq!(
        store.reviews(ReviewsOf::Property(property), None, 9).await.expect("a page"),
        vec![]
    );
    let of_booking = store.reviews_of_booking(bookings[1].id).await.expect("reviews");
    assert_eq!(of_booking, vec![found(store, of_guest.id).await]);
    ground.assert_clean().await;
}

async fn both_reviews_of_a_stay_appear_with_the_second_also_when_they_come_at_once(ground: Ground) {
    let store = &ground.store;
    let (property, bookings) = booked(&ground, 8, false).await;
    let pairs: Vec<[Review; 2]> = bookings
        .iter()
        .map(|booking| {
            let by_guest = blind(review(&ground, property, booking.id, 0));
            [of_guest(&ground, &by_guest), by_guest]
        })
        .collect();
    let writing = pairs.iter().flatten().map(|review| store.create_review(review.clone(), None));
    for made in join_all(writing).await {
        assert_eq!(made.expect("a review"), Created::New);
    }
    assert_eq!(ratings(store, property).await, Ratings { sum: 32, count: 8 });
    for [of_guest, by_guest] in &pairs {
        for id in [of_guest.id, by_guest.id] {
            let wanted = Publication { blind: true, appeared: true, at: NOW };
            assert_eq!(found(store, id).await.publication, wanted);
        }
    }
    ground.assert_clean().await;
}

async fn a_window_closes_for_each_review_once_whoever_looks_or_changes_it(ground: Ground) {
    let store = &ground.store;
    let (property, bookings) = booked(&ground, 6, false).await;
    let wanted: Vec<Review> =
        bookings.iter().map(|booking| blind(review(&ground, property, booking.id, 0))).collect();
    for review in &wanted {
        store.create_review(review.clone(), None).await.expect("a review");
    }
    let closes_at = wanted[0].closes_at;
    let before = closes_at.minus(Duration::from_micros(1));
    assert_eq!(store.publish_due_reviews(before, 9).await.expect("an answer"), 0);
    assert_eq!(ratings(store, property).await, Ratings::default());
    assert_eq!(store.publish_due_reviews(closes_at, 2).await.expect("an answer"), 2);
    assert_eq!(ratings(store, property).await, Ratings { sum: 8, count: 2 });
    // Several servers look at once, and admins change what they read at this very moment.
    let looking = join_all((0..4).map(|_| store.publish_due_reviews(closes_at, 9)));
    let changing =
        wanted.iter().map(|review| store.change_review(review.clone(), rating(1), "So.".into()));
    let (looked, changed) = tokio::join!(looking, join_all(changing));
    assert!(looked.iter().all(Result::is_ok), "{looked:?}");
    let changed = changed.into_iter().filter(|changed| matches!(changed, Ok(true))).count();
    // What was changed under its eyes a look leaves to the next one.
    store.publish_due_reviews(closes_at, 9).await.expect("an answer");
    assert_eq!(store.publish_due_reviews(closes_at, 9).await.expect("an answer"), 0);
    let lost = 3 * i64::try_from(changed).expect("a few");
    assert_eq!(ratings(store, property).await, Ratings { sum: 24 - lost, count: 6 });
    for review in &wanted {
        let publication = Publication { appeared: true, ..review.publication };
        assert_eq!(found(store, review.id).await.publication, publication);
    }
    ground.assert_clean().await;
}

async fn a_review_has_one_reply(ground: Ground) {
    let store = &ground.store;
    let (property, bookings) = booked(&ground, 1, false).await;
    let wanted = review(&ground, property, bookings[0].id, 0);
    store.create_review(wanted.clone(), None).await.expect("a review");
    let used = key(ground.host, "answer");
    let reply = Reply { comment: "Thank you — always.".to_owned(), created_at: NOW };
    let answer = async |id, key| store.reply_to_review(id, reply.clone(), key).await;
    assert_eq!(answer(wanted.id, Some(used.clone())).await.expect("a reply"), Created::New);
    let again = answer(wanted.id, Some(used)).await.expect("an answer");
    assert_eq!(again, Created::Known(wanted.id));
    let free = key(ground.host, "once more");
    for (id, key) in [(wanted.id, Some(free.clone())), (ReviewId(fresh()), None)] {
        let refused = answer(id, key).await;
        assert!(matches!(refused, Err(StoreError::AlreadyReplied)), "{refused:?}");
    }
    assert_eq!(store.made_under(&free).await.expect("an answer"), Created::New);
    let found = store.review(wanted.id).await.expect("an answer").expect("a review");
    assert_eq!((found.reply, found.version), (Some(reply), 2));
}

async fn lists_of_reviews_begin_with_the_newest(ground: Ground) {
    let (property, bookings) = booked(&ground, 5, false).await;
    let mut wanted = Vec::new();
    for (booking, age) in bookings.iter().zip([3, 1, 2, 2, 5]) {
        let review = review(&ground, property, booking.id, age);
        wanted.push((review.created_at, review.id));
        ground.store.create_review(review, None).await.expect("a review");
    }
    let (other, theirs) = booked(&ground, 1, false).await;
    let elsewhere = review(&ground, other, theirs[0].id, 9);
    ground.store.create_review(elsewhere, None).await.expect("a review");
    wanted.sort_by(|a, b| b.cmp(a));
    let mut seen = Vec::new();
    loop {
        let page = ground
            .store
            .reviews(ReviewsOf::Property(property), seen.last().copied(), 2)
            .await
            .expect("a page");
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|review| (review.created_at, review.id)));
    }
    assert_eq!(seen, wanted);
}

async fn the_stay_to_review_is_the_latest_that_is_completed_and_has_no_review(ground: Ground) {
    let store = &ground.store;
    let find = async |property| {
        let found = store.stay_to_review(ground.guest, property).await.expect("an answer");
        found.map(|(_, booking)| booking)
    };
    let (property, bookings) = booked(&ground, 3, true).await;
    assert_eq!(find(property).await.as_ref(), bookings.last());
    let written = review(&ground, property, bookings[2].id, 0);
    store.create_review(written, None).await.expect("a review");
    // It says now that there is nothing left to say.
    assert_eq!(find(property).await.as_ref(), bookings.last());
    let (early, held) = booked(&ground, 2, false).await;
    assert_eq!(find(early).await.as_ref(), held.last());
    assert_eq!(find(PropertyId(fresh())).await, None);
    let strangers = store.stay_to_review(ground.host, property).await.expect("an answer");
    assert_eq!(strangers, None);
}

async fn bookings_are_filtered_by_property_status_and_dates(ground: Ground) {
    let store = &ground.store;
    let (property, bookings) = booked(&ground, 4, true).await;
    let (other, theirs) = booked(&ground, 1, false).await;
    let night = |index: usize| bookings[index].stay.check_in();
    let all = BookingFilter::default();
    let one = BookingFilter { property: Some(property), ..all };
    let status = |name: &str| Some(name.parse().expect("a status"));
    for (filter, expected) in [
        (all, vec![theirs[0].id, bookings[3].id, bookings[2].id, bookings[1].id, bookings[0].id]),
        (one, vec![bookings[3].id, bookings[2].id, bookings[1].id, bookings[0].id]),
        (BookingFilter { property: Some(other), ..all }, vec![theirs[0].id]),
        (BookingFilter { property: Some(PropertyId(fresh())), ..all }, vec![]),
        (BookingFilter { status: status("COMPLETED"), ..all }, vec![bookings[3].id]),
        (BookingFilter { status: status("CANCELED"), ..all }, vec![]),
        (BookingFilter { from: Some(night(2)), ..one }, vec![bookings[3].id, bookings[2].id]),
        (BookingFilter { to: Some(night(2)), ..one }, vec![bookings[1].id, bookings[0].id]),
        (BookingFilter { from: Some(night(1)), to: Some(night(2)), ..one }, vec![bookings[1].id]),
    ] {
        let ids = |rows: Vec<(PropertyId, Booking)>| -> Vec<BookingId> {
            rows.into_iter().map(|(_, booking)| booking.id).collect()
        };
        let guests = store.bookings_of_guest(ground.guest, filter, None, 9).await.expect("a page");
        assert_eq!(ids(guests), expected, "{filter:?}");
        let hosts = store.bookings_of_host(ground.host, filter, None, 9).await.expect("a page");
        assert_eq!(ids(hosts), expected, "{filter:?}");
        let none = store.bookings_of_host(ground.guest, filter, None, 9).await.expect("a page");
        assert_eq!(ids(none), vec![], "{filter:?}");
    }
}

async fn payments_are_listed_for_the_guest_of_their_bookings(ground: Ground) {
    let store = &ground.store;
    let property = ground.property().await;
    let mut desk = ground.desk(property).await;
    let held: Vec<_> = (0..3).map(|night| desk.book((night, night + 1))).collect();
    let attempts: Vec<_> = held.iter().map(|group| desk.start_attempt(id_in(group))).collect();
    let paid = |group: &Arc<domain::group::Group>| group.payment.as_ref().map(|row| row.payment);
    let mut wanted: Vec<PaymentId> = attempts.iter().filter_map(paid).collect();
    commit(&mut store.lane(), &[held, attempts].concat()).await;
    wanted.sort_by(|a, b| b.cmp(a));
    let first = store.payments_of_guest(ground.guest, None, 2).await.expect("a page");
    let cursor = first.last().map(|payment| (payment.created_at, payment.id));
    let rest = store.payments_of_guest(ground.guest, cursor, 2).await.expect("a page");
    let listed: Vec<_> = first.iter().chain(&rest).map(|payment| payment.id).collect();
    assert_eq!(listed, wanted);
    assert_eq!(store.payments_of_guest(ground.host, None, 9).await.expect("a page"), vec![]);
}

async fn verify_finds_reviews_that_fit_nothing(ground: Ground) {
    let (property, bookings) = booked(&ground, 1, false).await;
    let written = review(&ground, property, bookings[0].id, 0);
    ground.store.create_review(written.clone(), None).await.expect("a review");
    ground.assert_clean().await;
    for (damage, repair, finding) in [
        (
            "update property set rating_sum = rating_sum + 1",
            "update property set rating_sum = rating_sum - 1",
            "has ratings that are not those of its reviews",
        ),
        (
            "update property set review_count = 0",
            "update property set review_count = 1",
            "has ratings that are not those of its reviews",
        ),
        (
            "update review set appeared = false",
            "update review set appeared = true",
            "has ratings that are not those of its reviews",
        ),
        (
            "update review set direction = 'host_to_guest'",
            "update review set direction = 'guest_to_host'",
            "has ratings that are not those of its reviews",
        ),
        (
            "update review set booking_id = property_id",
            "update review set booking_id = (select booking_id from booking)",
            "is what a review is about, but no booking",
        ),
    ] {
        ground.meddle(damage).await;
        let findings = ground.store.verify().await.expect("a verification");
        assert!(findings.iter().any(|found| found.contains(finding)), "{damage}: {findings:#?}");
        ground.meddle(repair).await;
        ground.assert_clean().await;
    }
    let of_guest = of_guest(&ground, &written);
    ground.store.create_review(of_guest, None).await.expect("a review");
    ground.assert_clean().await;
    ground.meddle("update review set appeared = false where direction = 'host_to_guest'").await;
    let findings = ground.store.verify().await.expect("a verification");
    let wanted =
        format!("{} has reviews by both sides that have not both appeared", bookings[0].id);
    assert_eq!(findings, [wanted]);
}
