//! What a batch does: one at a time or all at once is the same, and nobody pays for a stranger.

use super::{Desk, Ground, commit, fresh, id_in, key, offer, on_both, stay};
use crate::store::bookings::BookingFilter;
use domain::group::Group;
use domain::pipeline::Rejection;
use domain::state::Settings;
use domain::{Booking, BookingId, Night, PropertyId};
use std::collections::HashSet;
use std::sync::Arc;

on_both!(
    all_pairs_of_commands_on_one_night_end_as_if_one_came_after_the_other,
    a_group_that_was_decided_on_foreign_history_changes_nothing,
    one_poisoned_group_of_256_harms_nobody_else,
    a_key_that_was_used_on_another_property_fails_its_group_alone,
    a_night_that_is_taken_behind_the_calendars_back_is_guarded,
    a_long_batch_of_few_properties_is_committed_in_runs,
);

const NIGHT: (i32, i32) = (3, 4);

/// How the night's first booking stands when the commands come.
#[derive(Clone, Copy, Debug)]
enum Before {
    Held,
    Attempted,
    Confirmed,
}

#[derive(Clone, Copy, Debug)]
enum Do {
    Book,
    Pay,
    Cancel,
    Expire,
    Rebook,
}

const ALL: [Do; 5] = [Do::Book, Do::Pay, Do::Cancel, Do::Expire, Do::Rebook];

/// Brings a property to the state before; gives the night's booking.
async fn prepare(ground: &Ground, property: PropertyId, before: Before) -> BookingId {
    let mut lane = ground.store.lane();
    let mut desk = ground.desk(property).await;
    let held = desk.book(NIGHT);
    let booking = id_in(&held);
    commit(&mut lane, &[held]).await;
    if !matches!(before, Before::Held) {
        let attempt = desk.start_attempt(booking);
        commit(&mut lane, &[attempt]).await;
    }
    if matches!(before, Before::Confirmed) {
        let paid = desk.pay(booking).expect("a payment");
        commit(&mut lane, &[paid]).await;
    }
    booking
}

/// Decides one command; nothing if it is refused.
fn decide(desk: &mut Desk, first: BookingId, command: Do) -> Vec<Arc<Group>> {
    match command {
        Do::Book | Do::Rebook => desk.try_book(NIGHT).into_iter().collect(),
        // A payment without an attempt is none that the product could be told of.
        Do::Pay if desk.state.booking(first).is_none_or(|b| b.attempt.is_none()) => Vec::new(),
        Do::Pay => desk.pay(first).into_iter().collect(),
        Do::Cancel if desk.state.booking(first).is_none() => Vec::new(),
        Do::Cancel => desk.cancel(first).into_iter().collect(),
        Do::Expire => {
            let Some(at) = desk.state.booking(first).and_then(Booking::deadline) else {
                return Vec::new();
            };
            desk.state.enforce_deadline(desk.life, at).map(Arc::new).into_iter().collect()
        }
    }
}

/// A property as it ends, without ids.
async fn picture(ground: &Ground, property: PropertyId) -> (Vec<String>, usize, i64) {
    let stored = ground.store.load(property).await.expect("a load").expect("a property");
    let mut bookings: Vec<String> = stored
        .bookings
        .iter()
        .map(|b| format!("{:?} {} {} {} {:?}", b.status, b.version, b.paid, b.refunded, b.stay))
        .collect();
    bookings.sort();
    let all = ground
        .store
        .bookings_of_guest(ground.guest, BookingFilter::default(), None, 10_000)
        .await
        .expect("bookings");
    let here = all.iter().filter(|(of, _)| *of == property).count();
    (bookings, here, stored.head.seq)
}

async fn all_pairs_of_commands_on_one_night_end_as_if_one_came_after_the_other(ground: Ground) {
    let mut lane = ground.store.lane();
    for before in [Before::Held, Before::Attempted, Before::Confirmed] {
        for (one, other) in ALL.iter().flat_map(|one| ALL.map(|other| (*one, other))) {
            let mut pictures = Vec::new();
            for at_once in [true, false] {
                let property = ground.property().await;
                let first = prepare(&ground, property, before).await;
                let mut desk = ground.desk(property).await;
                let mut groups = decide(&mut desk, first, one);
                groups.extend(decide(&mut desk, first, other));
                if at_once {
                    commit(&mut lane, &groups).await;
                } else {
                    for group in groups {
                        commit(&mut lane, &[group]).await;
                    }
                }
                assert_eq!(
                    ground.desk(property).await.state.snapshot().head,
                    desk.state.head,
                    "{before:?} {one:?} {other:?}"
                );
                pictures.push(picture(&ground, property).await);
            }
            assert_eq!(pictures[0], pictures[1], "{before:?} {one:?} {other:?}");
        }
    }
    ground.assert_clean().await;
}

async fn a_group_that_was_decided_on_foreign_history_changes_nothing(ground: Ground) {
    let mut lane = ground.store.lane();
    let property = ground.property().await;
    let (mut ours, mut theirs) = (ground.desk(property).await, ground.desk(property).await);
    let (first, second) = (ours.book((0, 2)), ours.book((5, 6)));
    let foreign = theirs.book((10, 12));
    commit(&mut lane, std::slice::from_ref(&foreign)).await;

    // Fewer foreign events than ours: the first of ours is fenced off, and the rest with it.
    let results = offer(&mut lane, &[Arc::clone(&first), Arc::clone(&second)]).await;
    assert_eq!(results.get(&first.id), Some(&Err(Rejection::Fenced)));
    assert_eq!(results.get(&second.id), None);
    // Exactly as many: the number fits and only the hash tells.
    assert_eq!(foreign.head.seq, second.base.seq);
    let results = offer(&mut lane, std::slice::from_ref(&second)).await;
    assert_eq!(results.get(&second.id), Some(&Err(Rejection::Fenced)));

    let head = ground.store.head(property).await.expect("an answer");
    assert_eq!(head, Some(foreign.head));
    assert_eq!(ground.store.booking(id_in(&second)).await.expect("an answer"), None);
    // Strangers in the same batch are not fenced off.
    let stranger = ground.property().await;
    let good = ground.desk(stranger).await.book((0, 3));
    let results = offer(&mut lane, &[first, Arc::clone(&good)]).await;
    assert_eq!(results.get(&good.id), Some(&Ok(())));
    ground.assert_clean().await;
}

async fn one_poisoned_group_of_256_harms_nobody_else(ground: Ground) {
    let mut groups = Vec::new();
    let mut lane = ground.store.lane();
    for _ in 0..256 {
        let property = ground.property().await;
        groups.push(ground.desk(property).await.book((1, 3)));
    }
    // The poisoned one writes a row that is there already, which no fence can know.
    let poisoned = Arc::clone(&groups[100]);
    let row = Arc::new(Group { head: poisoned.base, ..(*poisoned).clone() });
    let alone = Arc::new(Group { events: Vec::new(), claimed: Vec::new(), ..(*row).clone() });
    commit(&mut lane, &[alone]).await;

    let results = offer(&mut lane, &groups).await;
    let good = groups.iter().filter(|group| results.get(&group.id) == Some(&Ok(()))).count();
    assert_eq!(good, 255);
    assert_eq!(results.get(&poisoned.id), Some(&Err(Rejection::Failed)));
    let heads: Vec<_> = groups.iter().map(|group| group.property).collect();
    let moved = ground.store.heads(&heads).await.expect("heads");
    assert_eq!(moved.iter().filter(|(_, head)| head.seq == 2).count(), 255);
}

async fn a_key_that_was_used_on_another_property_fails_its_group_alone(ground: Ground) {
    let mut lane = ground.store.lane();
    let (one, other) = (ground.property().await, ground.property().await);
    let used = key(ground.guest, "same \"key\" \u{1F511}");
    let first = ground.desk(one).await.book_with_key((0, 2), used.clone());
    let again = ground.desk(other).await.book_with_key((0, 2), used.clone());
    let stranger = ground.property().await;
    let good = ground.desk(stranger).await.book((0, 2));

    let all = [Arc::clone(&first), Arc::clone(&good), Arc::clone(&again)];
    let results = offer(&mut lane, &all).await;
    assert_eq!(results.get(&first.id), Some(&Ok(())));
    assert_eq!(results.get(&good.id), Some(&Ok(())));
    assert_eq!(results.get(&again.id), Some(&Err(Rejection::KeyTaken)));
    // The key is loaded with the property that it belongs to.
    let desk = ground.desk(one).await;
    let known = desk.state.key(ground.guest, &used.text).expect("the key");
    assert_eq!((known.booking, known.seq), (id_in(&first), 2));
    assert_eq!(known.key, used);
    assert!(ground.desk(other).await.state.key(ground.guest, &used.text).is_none());
    assert_eq!(ground.store.purge_keys(super::NOW).await.expect("a purge"), 0);
    let tomorrow = super::NOW.plus(domain::keys::KEY_TTL * 2);
    assert_eq!(ground.store.purge_keys(tomorrow).await.expect("a purge"), 1);
    ground.assert_clean().await;
}

#[cfg(feature = "test_switches")]
async fn a_night_that_is_taken_behind_the_calendars_back_is_guarded(ground: Ground) {
    use domain::switches::{Bug, Switches};
    let mut lane = ground.store.lane();
    let property = ground.property().await;
    let mut desk = ground.desk_with(property, Switches::planted(Bug::NoOverlapCheck)).await;
    let (first, second) = (desk.book((0, 4)), desk.book((2, 6)));
    let stranger = ground.property().await;
    let good = ground.desk(stranger).await.book((0, 2));

    let all = [Arc::clone(&first), Arc::clone(&second), Arc::clone(&good)];
    let results = offer(&mut lane, &all).await;
    assert_eq!(results.get(&first.id), Some(&Ok(())));
    assert_eq!(results.get(&second.id), Some(&Err(Rejection::Guarded)));
    assert_eq!(results.get(&good.id), Some(&Ok(())));
    ground.assert_clean().await;
}

#[cfg(not(feature = "test_switches"))]
async fn a_night_that_is_taken_behind_the_calendars_back_is_guarded(_: Ground) {
    panic!("this test needs the feature test_switches");
}

async fn a_long_batch_of_few_properties_is_committed_in_runs(ground: Ground) {
    let mut lane = ground.store.lane();
    let mut groups = Vec::new();
    let mut properties = Vec::new();
    for _ in 0..3 {
        let property = ground.property().await;
        let mut desk = ground.desk(property).await;
        properties.push(property);
        for night in 0..60 {
            let name = fresh().to_string();
            groups.push(desk.book_with_key((night * 2, night * 2 + 2), key(desk.guest, &name)));
        }
    }
    // Interleaved, as they come from actors.
    groups.sort_by_key(|group| group.head.seq);
    let batch: HashSet<_> = match lane.commit(&groups).await {
        domain::pipeline::lane::Outcome::Committed { advanced } => advanced,
        other => panic!("not committed: {other:?}"),
    };
    assert_eq!(batch, properties.iter().copied().collect());
    for property in properties {
        let stored = ground.store.load(property).await.expect("a load").expect("a property");
        assert_eq!((stored.head.seq, stored.bookings.len(), stored.keys.len()), (61, 60, 60));
        let nights: HashSet<Night> =
            stored.bookings.iter().flat_map(|booking| booking.stay.each_night()).collect();
        assert_eq!(nights, stay((0, 120)).each_night().collect());
        let made = super::property(property, ground.host).0.property;
        assert_eq!(stored.property, made);
        let seqs: Vec<_> = stored.keys.iter().map(|used| used.seq).collect();
        assert!(seqs.is_sorted());
        let state = domain::state::State::load(stored, Settings::default());
        let due = state.next_deadline().expect("a deadline");
        assert!(ground.store.due(due, 10).await.expect("due").contains(&property));
        let before = domain::Instant::from_micros(due.as_micros() - 1);
        assert!(ground.store.due(before, 10).await.expect("due").is_empty());
    }
    ground.assert_clean().await;
}
