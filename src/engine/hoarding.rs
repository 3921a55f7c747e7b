//! How many bookings a guest may have pending at a time, over all properties.
//!
//! A property's actor knows what a guest holds there and nothing of other properties, so this is
//! counted before a wish is sent to its property: the pending bookings that are stored, and the
//! wishes that are on their way on this node. A wish is on its way from before the store is read
//! until its command is answered, whoever still waits for the answer. Of two wishes of a guest the
//! later one therefore finds the other on its way, or what became of it in the store. Wishes under
//! one key share a place, because one of them at most is granted.
//!
//! On one node nobody passes the limit. On several it may be passed by what is on its way on the
//! others at that moment, and by a booking that is committed after its answer took too long. No
//! lock is held while anything is awaited, and where there is no limit nothing is read.

use super::{Engine, Error};
use crate::actors::Busy;
use domain::refusal::Hold;
use domain::{BookingId, UserId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The limit, and who has wishes on their way on this node.
#[derive(Debug)]
pub struct Hoarding {
    most: Option<usize>,
    on_their_way: Table,
}

type Table = Arc<Mutex<HashMap<UserId, Vec<Wish>>>>;

/// What is on its way for a guest, in the order in which it came.
#[derive(Debug)]
struct Wish {
    booking: BookingId,
    key: Option<Arc<str>>,
    /// How many requests wait for it: those under its key.
    requests: usize,
}

/// How many guests may have wishes on their way at a time: as many as commands may be on theirs.
const MAX_GUESTS: usize = 8_192;
/// How long before now a booking that is still pending may have been made: its host has a day, its
/// guest then has a day to pay at most, and an open attempt some minutes.
const OLDEST: Duration = Duration::from_secs(72 * 60 * 60);

/// Whether a guest may have one more.
pub(super) enum Room {
    /// Nobody counts.
    Unlimited,
    /// There is room, and this place in it is the wish's own.
    Taken(Place),
    /// There is none: these are pending.
    Full(Vec<Hold>),
}

/// A wish on its way, until this is dropped.
pub(super) struct Place {
    table: Table,
    guest: UserId,
    /// Of the first request under its key.
    booking: BookingId,
}

impl Hoarding {
    /// At most so many pending bookings of a guest; none for no limit.
    pub fn new(most: Option<usize>) -> Self {
        Self { most, on_their_way: Table::default() }
    }

    /// Sends a wish on its way if there can be room for it, and says which are there before it.
    fn enter(
        &self,
        most: usize,
        guest: UserId,
        booking: BookingId,
        key: Option<&Arc<str>>,
    ) -> Result<(Option<Place>, Vec<BookingId>), Busy> {
        let mut table = self.on_their_way.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= MAX_GUESTS && !table.contains_key(&guest) {
            return Err(Busy::Full);
        }
        let wishes = table.entry(guest).or_default();
        let has_room = wishes.len() < most;
        let is_same = |wish: &&mut Wish| key.is_some() && wish.key.as_ref() == key;
        let booking = match wishes.iter_mut().find(is_same) {
            Some(same) => {
                same.requests += 1;
                Some(same.booking)
            }
            None if has_room => {
                wishes.push(Wish { booking, key: key.cloned(), requests: 1 });
                Some(booking)
            }
            None => None,
        };
        let ids = wishes.iter().map(|wish| wish.booking);
        let before = ids.take_while(|id| Some(*id) != booking).collect();
        let place =
            booking.map(|booking| Place { table: Arc::clone(&self.on_their_way), guest, booking });
        Ok((place, before))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wishes) = table.get_mut(&self.guest) {
            if let Some(wish) = wishes.iter_mut().find(|wish| wish.booking == self.booking) {
                wish.requests -= 1;
            }
            wishes.retain(|wish| wish.requests > 0);
            if wishes.is_empty() {
                table.remove(&self.guest);
            }
        }
    }
}

impl Engine {
    /// Whether the guest may have this booking pending beside the others.
    pub(super) async fn room(
        &self,
        guest: UserId,
        booking: BookingId,
        key: Option<&Arc<str>>,
    ) -> Result<Room, Error> {
        let Some(most) = self.hoarding.most else { return Ok(Room::Unlimited) };
        let (place, before) = self.hoarding.enter(most, guest, booking, key)?;
        let now = self.clock.now();
        let since = now.minus(OLDEST);
        let holds = self.store.pending_of_guest(guest, since, now, super::rows(most)).await?;
        let stored = |id: &BookingId| holds.iter().any(|hold| hold.booking == *id);
        let others = holds.len() + before.iter().filter(|id| !stored(id)).count();
        Ok(match place {
            Some(place) if others < most => Room::Taken(place),
            _ => Room::Full(holds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const GUEST: UserId = UserId(Uuid::from_u128(1));

    fn id(number: u128) -> BookingId {
        BookingId(Uuid::from_u128(number))
    }

    #[test]
    fn a_wish_sees_those_before_it_and_is_gone_when_it_is_answered() {
        let hoarding = Hoarding::new(Some(2));
        let enter = |number| hoarding.enter(2, GUEST, id(number), None).expect("room in the table");
        let (first, before) = enter(1);
        assert!(first.is_some() && before.is_empty());
        let (second, before) = enter(2);
        assert_eq!((second.is_some(), before), (true, vec![id(1)]));
        let (third, before) = enter(3);
        assert_eq!((third.is_some(), before), (false, vec![id(1), id(2)]));
        drop(first);
        let (fourth, before) = enter(4);
        assert_eq!((fourth.is_some(), before), (true, vec![id(2)]));
        drop((second, fourth));
        assert!(hoarding.on_their_way.lock().expect("no panic").is_empty(), "nobody is left");
    }

    #[test]
    fn wishes_under_one_key_share_a_place_until_the_last_of_them_is_answered() {
        let hoarding = Hoarding::new(Some(1));
        let (once, twice): (Arc<str>, Arc<str>) = (Arc::from("once"), Arc::from("twice"));
        let enter = |number, key| hoarding.enter(1, GUEST, id(number), key).expect("room");
        let (first, _) = enter(1, Some(&once));
        let (twin, before) = enter(2, Some(&once));
        assert!(twin.is_some() && before.is_empty(), "it is the same wish");
        assert!(enter(3, Some(&twice)).0.is_none());
        drop(first);
        assert!(enter(4, None).0.is_none(), "the twin is still on its way");
        drop(twin);
        assert!(enter(5, None).0.is_some());
    }

    #[test]
    fn a_crowd_beyond_the_table_is_told_that_there_is_no_room() {
        let hoarding = Hoarding::new(Some(1));
        let guest = |number: usize| UserId(Uuid::from_u128(10 + number as u128));
        let places: Vec<_> = (0..MAX_GUESTS)
            .map(|number| hoarding.enter(1, guest(number), id(1), None).expect("room"))
            .collect();
        assert!(matches!(hoarding.enter(1, GUEST, id(2), None), Err(Busy::Full)));
        assert!(hoarding.enter(1, guest(0), id(2), None).is_ok(), "whoever is in it is counted on");
        drop(places);
        assert!(hoarding.enter(1, GUEST, id(2), None).is_ok());
    }
}
