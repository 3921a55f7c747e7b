//! What searches read, on both databases.

use super::{Ground, NOW, commit, on_both, property, stay};
use crate::store::properties::{Filters, Order};
use domain::review::Ratings;
use domain::state::{Settings, State};
use domain::{Instant, PropertyId};
use std::time::Duration;

on_both!(
    a_hold_that_is_over_hides_nothing_though_its_row_is_there,
    what_is_read_around_a_stay_decides_it,
    the_column_of_ratings_is_what_the_domain_reckons,
);

/// The properties that are free for these nights at this time.
async fn free(ground: &Ground, nights: (i32, i32), now: Instant) -> Vec<PropertyId> {
    let filters = Filters { free: Some((stay(nights), now)), ..Filters::default() };
    let rows = ground.store.properties(filters, None, 10).await.expect("properties");
    rows.iter().map(|row| row.property.id).collect()
}

async fn a_hold_that_is_over_hides_nothing_though_its_row_is_there(ground: Ground) {
    let mut lane = ground.store.lane();
    let home = ground.property().await;
    let mut desk = ground.desk(home).await;
    let held = desk.book((10, 13));
    commit(&mut lane, &[held]).await;
    let over = NOW.plus(Settings::default().hold_ttl);
    for (nights, now, is_free) in [
        ((12, 14), NOW, false),
        ((12, 14), over.minus(Duration::from_micros(1)), false),
        ((12, 14), over, true),
        ((13, 14), NOW, true),
        ((9, 10), NOW, true),
        ((9, 14), NOW, false),
    ] {
        let found = free(&ground, nights, now).await;
        assert_eq!(found == [home], is_free, "{nights:?} at {now}");
    }
}

async fn what_is_read_around_a_stay_decides_it(ground: Ground) {
    let mut lane = ground.store.lane();
    let (taken, held) = (ground.property().await, ground.property().await);
    let (mut one, mut other) = (ground.desk(taken).await, ground.desk(held).await);
    let booked = one.book((10, 13));
    let booking = super::id_in(&booked);
    commit(&mut lane, &[booked]).await;
    let paying = one.start_attempt(booking);
    commit(&mut lane, &[paying]).await;
    let second = other.book((10, 13));
    commit(&mut lane, &[second]).await;
    let rows = ground.store.properties(Filters::default(), None, 10).await.expect("properties");
    let offers = async |nights, now| {
        let read = ground.store.near_stay(rows.iter(), stay(nights)).await.expect("an answer");
        let offered = read.into_iter().filter_map(|stored| {
            let mut state = State::load(stored, Settings::default());
            state.offer(stay(nights), 2, now).map(|_| state.property.id)
        });
        offered.collect::<Vec<_>>()
    };
    assert!(offers((12, 14), NOW).await.is_empty());
    assert_eq!(offers((13, 14), NOW).await.len(), 2);
    // A hold that somebody is paying for is let go of before its nights are free.
    let over = NOW.plus(Settings::default().hold_ttl);
    assert_eq!(offers((12, 14), over).await, [held]);
    assert_eq!(free(&ground, (12, 14), over).await.len(), 2, "the database cannot tell");
    let canceled = one.cancel(booking).expect("a cancellation");
    commit(&mut lane, &[canceled]).await;
    assert_eq!(offers((12, 14), NOW).await, [taken]);
    assert_eq!(rows.len(), 2);
    assert!(ground.store.near_stay([].iter(), stay((1, 2))).await.expect("an answer").is_empty());
}

async fn the_column_of_ratings_is_what_the_domain_reckons(ground: Ground) {
    let ratings = [(0, 0), (1, 1), (14, 3), (9, 2), (1_000, 201), (13, 3), (4_999, 1_000)];
    let mut ids = Vec::new();
    for number in 0..ratings.len() {
        let id = PropertyId(super::fresh());
        let (mut row, first) = property(id, ground.host);
        row.created_at = NOW.plus(Duration::from_secs(number as u64));
        ground.store.create_property(row, first, None).await.expect("a property");
        ids.push(id);
    }
    ground
        .meddle(
            "update property set review_count = case (created_at - 1796083200000000) / 1000000 \
             when 0 then 0 when 1 then 1 when 2 then 3 when 3 then 2 when 4 then 201 \
             when 5 then 3 else 1000 end, rating_sum = \
             case (created_at - 1796083200000000) / 1000000 when 0 then 0 when 1 then 1 \
             when 2 then 14 when 3 then 9 when 4 then 1000 when 5 then 13 else 4999 end",
        )
        .await;
    for hundredths in [100, 101, 433, 434, 450, 451, 466, 467, 468, 497, 498, 499, 500] {
        let filters =
            Filters { min_rating: Some(hundredths), order: Order::Rating, ..Filters::default() };
        let rows = ground.store.properties(filters, None, 10).await.expect("properties");
        let mut found: Vec<PropertyId> = rows.iter().map(|row| row.property.id).collect();
        let keys: Vec<i64> = rows.iter().map(|row| Order::Rating.key(row)).collect();
        assert!(keys.is_sorted_by(|a, b| a >= b), "{keys:?}");
        found.sort_unstable();
        let wanted = ids.iter().zip(ratings).filter(|(_, (sum, count))| {
            let average = Ratings { sum: *sum, count: *count }.average();
            average.is_some_and(|average| average.hundredths() >= hundredths)
        });
        assert_eq!(found, wanted.map(|(id, _)| *id).collect::<Vec<_>>(), "{hundredths}");
    }
}
