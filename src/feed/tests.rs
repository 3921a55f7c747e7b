//! Channels by themselves: what a reader gets, wherever it stands.

use super::*;
use domain::calendar::Change;
use domain::event::{By, Fact};
use domain::{BlockId, Instant, Night, NightState, edit::Edited};
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

const HOME: PropertyId = PropertyId(Uuid::from_u128(42));
const HOST: UserId = UserId(Uuid::from_u128(7));

#[derive(Default)]
struct Counting(AtomicUsize);

impl Subscriber for Counting {
    fn wake(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        true
    }
}

fn night(day: i32) -> Night {
    Night::MIN.plus(day)
}

/// The event that blocks one night, or frees it.
fn event(seq: Seq, day: i32, state: NightState) -> Event {
    let unblocked = vec![BlockId(Uuid::from_u128(1))];
    Event {
        seq,
        at: Instant::from_micros(seq),
        by: By::Clock,
        command: Uuid::nil(),
        fact: Fact::CalendarEdited(Edited { unblocked, ..Edited::default() }),
        changes: vec![Change { from: night(day), to: night(day + 1), state }],
        offers: Vec::new(),
        digests: Vec::new(),
    }
}

fn blocked(seq: Seq) -> Event {
    event(seq, i32::try_from(seq).expect("a small seq"), NightState::Blocked)
}

/// A channel at event 1 that somebody follows.
fn followed() -> (Arc<Channel>, Arc<Counting>) {
    let channel = Feed::default().channel(HOME);
    channel.go_on_after(1);
    let follower = Arc::new(Counting::default());
    channel.subscribe(Arc::<Counting>::clone(&follower));
    (channel, follower)
}

#[test]
fn a_reader_near_the_end_gets_each_delta_and_one_far_behind_gets_one() {
    let (channel, follower) = followed();
    assert!(channel.next(1).expect("nothing missed").is_none());
    for seq in 2..=20 {
        channel.publish(HOST, &blocked(seq));
    }
    assert_eq!(follower.0.load(Ordering::Relaxed), 19);
    let mut seq = 12;
    while let Some(delta) = channel.next(seq).expect("remembered") {
        assert_eq!((delta.prev_seq, delta.seq), (seq, seq + 1));
        seq = delta.seq;
    }
    assert_eq!(seq, 20);
    let joined = channel.next(1).expect("remembered").expect("something");
    assert_eq!((joined.prev_seq, joined.seq, joined.at), (1, 20, Instant::from_micros(20)));
    let (from, to) = (night(2), night(21));
    assert_eq!(joined.changes, [Change { from, to, state: NightState::Blocked }]);
    let again = channel.next(1).expect("remembered").expect("something");
    assert!(Arc::ptr_eq(&joined, &again), "it is made once for all who stand there");
    channel.publish(HOST, &blocked(21));
    assert_eq!(channel.next(1).expect("remembered").expect("something").seq, 21);
}

#[test]
fn what_is_said_last_of_a_night_is_what_a_joined_delta_says() {
    let (channel, _follower) = followed();
    for seq in 2..=11 {
        let state = if seq % 2 == 0 { NightState::Blocked } else { NightState::Available };
        channel.publish(HOST, &event(seq, 5 + i32::from(seq > 9), state));
    }
    let joined = channel.next(1).expect("remembered").expect("something");
    let (from, to) = (night(5), night(7));
    assert_eq!(joined.changes, [Change { from, to, state: NightState::Available }]);
}

#[test]
fn whoever_is_further_back_than_is_remembered_takes_a_snapshot() {
    let (channel, _follower) = followed();
    let last = Seq::try_from(REMEMBERED).expect("small") + 2;
    for seq in 2..=last {
        channel.publish(HOST, &blocked(seq));
    }
    assert_eq!(channel.next(1).err(), Some(TooFarBehind));
    assert!(channel.after(1).is_none());
    assert_eq!(channel.next(2).expect("remembered").expect("something").seq, last);
    assert_eq!(channel.after(2).expect("remembered").len(), REMEMBERED);
    assert_eq!(channel.after(last).expect("nothing missed").len(), 0);
    assert_eq!(channel.after(last + 1).expect("nothing missed").len(), 0);
}

#[test]
fn nothing_is_remembered_where_nobody_follows() {
    let channel = Feed::default().channel(HOME);
    channel.go_on_after(1);
    channel.publish(HOST, &blocked(2));
    let follower: Arc<dyn Subscriber> = Arc::new(Counting::default());
    channel.subscribe(Arc::clone(&follower));
    assert!(channel.after(1).is_none());
    channel.publish(HOST, &blocked(3));
    assert_eq!(channel.after(2).expect("remembered").len(), 1);
    channel.unsubscribe(&follower);
    channel.publish(HOST, &blocked(4));
    assert!(channel.after(2).is_none(), "a hole is never bridged");
}

#[test]
fn events_from_the_store_are_put_before_what_is_remembered() {
    let (channel, _follower) = followed();
    let events: Vec<Event> = (2..=9).map(blocked).collect();
    // The channel has come to 5 only: what is newer will be published.
    for event in &events[..4] {
        channel.publish(HOST, event);
    }
    let other = Feed::default().channel(HOME);
    other.go_on_after(5);
    other.remember(&events);
    assert!(other.after(4).is_none(), "nobody follows");
    other.subscribe(Arc::new(Counting::default()));
    other.remember(&events);
    let missed = other.after(1).expect("remembered");
    assert_eq!(missed.iter().map(|delta| delta.seq).collect::<Vec<_>>(), [2, 3, 4, 5]);
    other.remember(&events);
    assert_eq!(other.after(1).expect("remembered").len(), 4, "nothing is remembered twice");
    other.publish(HOST, &events[4]);
    assert_eq!(other.after(1).expect("remembered").len(), 5);
    let live = channel.next(4).expect("remembered").expect("something");
    assert_eq!(missed[3].changes, live.changes);
}

#[test]
fn whoever_stands_before_what_could_not_be_read_takes_a_snapshot() {
    let (channel, follower) = followed();
    channel.publish(HOST, &blocked(2));
    assert!(channel.reaches(1) && channel.reaches(2));
    channel.go_on_after(4);
    assert_eq!((channel.last(), follower.0.load(Ordering::Relaxed)), (Some(4), 2));
    assert_eq!(channel.next(2).err(), Some(TooFarBehind));
    assert!(!channel.reaches(2) && channel.reaches(4));
    channel.publish(HOST, &blocked(5));
    assert_eq!(channel.next(4).expect("remembered").expect("something").seq, 5);
    channel.go_on_after(3);
    assert_eq!(channel.last(), Some(5), "it never goes back");
}

#[test]
fn an_event_that_is_not_the_next_is_nobodys() {
    let (channel, follower) = followed();
    channel.publish(HOST, &blocked(3));
    channel.publish(HOST, &blocked(1));
    assert_eq!((channel.last(), follower.0.load(Ordering::Relaxed)), (Some(1), 0));
}
