//! Bystanders: one bad command harms nobody else, and one key has one effect.

use crate::helpers::{Database, Document, Person, Server, day, property_id};
use futures_util::future::join_all;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_on_two_homes_through_two_servers_at_once_has_one_effect() {
    const ROUNDS: i32 = 40;
    let one = Server::spawn(Database::Postgres).await;
    let two = one.sibling().await;
    let (host, guest) = (one.host().await, one.guest().await);
    let (here, there) = (one.home(&host).await, one.home(&host).await);
    for round in 0..ROUNDS {
        let (check_in, check_out, key) = (day(10 + round), day(11 + round), format!("key-{round}"));
        let (first, second) = tokio::join!(
            one.book(&guest, &here, &check_in, &check_out).key(&key).into_future(),
            two.book(&guest, &there, &check_in, &check_out).key(&key).into_future(),
        );
        let mut answers = [first, second];
        answers.sort_by_key(|answer| answer.status);
        answers[0].expect(201);
        answers[1].is_problem(422, "idempotency_key_reused");
    }
    assert_eq!(one.bookings(&guest).await.len(), ROUNDS as usize);
    one.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_through_two_servers_at_once_has_one_effect() {
    const ROUNDS: i32 = 40;
    let one = Server::spawn(Database::Postgres).await;
    let two = one.sibling().await;
    let (host, guest) = (one.host().await, one.guest().await);
    let home = one.home(&host).await;
    for round in 0..ROUNDS {
        let (check_in, check_out, key) = (day(10 + round), day(11 + round), format!("key-{round}"));
        let (first, second) = tokio::join!(
            one.book(&guest, &home, &check_in, &check_out).key(&key).into_future(),
            two.book(&guest, &home, &check_in, &check_out).key(&key).into_future(),
        );
        assert_eq!(first.expect(201), second.expect(201));
        assert_ne!(first.is_replayed(), second.is_replayed(), "one of them did it");
    }
    assert_eq!(one.bookings(&guest).await.len(), ROUNDS as usize);
    one.verify().await;
}

#[cfg(feature = "test_switches")]
mod one_poisoned_among_255_good_harms_nobody {
    //! A lane is offered 256 groups as one batch, on 256 homes, and one of them is bad: its night is
    //! occupied, its key stands for another home, or its booking's id is taken.

    use super::*;
    use crate::helpers::now;
    use domain::command::{Command, Intent, Key};
    use domain::decide::Verdict;
    use domain::event::By;
    use domain::group::Group;
    use domain::pipeline::Rejection;
    use domain::pipeline::lane::{Effect, Input, Lane, MAX_GROUPS};
    use domain::state::{Settings, State};
    use domain::switches::{Bug, Switches};
    use domain::{BookingId, PropertyId, Stay};
    use std::sync::Arc;
    use uuid::Uuid;
    use vacancy::clock::Clock;
    use vacancy::ids::Ids;
    use vacancy::store::commit::LaneConnection;
    use vacancy::store::{Store, StoreOptions};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        harms_nobody(Database::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        harms_nobody(Database::Postgres).await;
    }

    /// The store with everything that groups are decided from.
    struct Desk {
        store: Store,
        connection: LaneConnection,
        ids: Ids,
        guest: Person,
    }

    /// One wish, put together by hand.
    struct Wish {
        home: PropertyId,
        booking: BookingId,
        nights: (i32, i32),
        key: Option<&'static str>,
    }

    async fn harms_nobody(database: Database) {
        let mut server = Server::spawn(database).await;
        let (host, guest) = (server.host().await, server.guest().await);
        let homes = join_all((0..MAX_GROUPS).map(|_| server.home(&host))).await;
        let homes: Vec<PropertyId> = homes.iter().map(|home| property_id(home)).collect();
        // A booking on the last home that was given up: its id is used, and no longer in memory.
        let last = homes[MAX_GROUPS - 1];
        let booked = server.book(&guest, &last.to_string(), &day(5), &day(6)).await.expect(201);
        server.cancel(&guest, &booked.text("id")).await.expect(200);
        server.stop().await;

        let runtime = tokio::runtime::Handle::current();
        let options = StoreOptions::default();
        let store = Store::connect(&server.storage().url(), runtime, options).await.expect("it");
        let connection = store.lane();
        let mut desk = Desk { store, connection, ids: Ids::new(Clock::new(now(), false)), guest };
        desk.prepare(&homes).await;

        let poisoned = homes[100];
        desk.judge(&homes, 20, desk.wish(poisoned, (10, 11)), Rejection::Guarded).await;
        let key = Some("taken");
        let wish = Wish { key, ..desk.wish(poisoned, (30, 31)) };
        desk.judge(&homes, 30, wish, Rejection::KeyTaken).await;
        let booking = BookingId(booked.text("id").parse::<Uuid>().expect("an id"));
        let wish = Wish { booking, ..desk.wish(last, (40, 41)) };
        desk.judge(&homes, 40, wish, Rejection::Failed).await;
        drop(desk);
        server.restart().await;
        let good = 2 + 3 * (MAX_GROUPS - 1);
        let pending = "select count(*) from booking where status = 'PENDING'";
        assert_eq!(server.storage().number(pending).await, good as i64);
        server.verify().await;
    }

    impl Desk {
        /// Takes a night on one home and uses a key on another.
        async fn prepare(&mut self, homes: &[PropertyId]) {
            let night = self.wish(homes[100], (10, 11));
            let key = Wish { key: Some("taken"), ..self.wish(homes[7], (10, 11)) };
            let groups = vec![self.group(night).await, self.group(key).await];
            let told = self.commit(groups).await;
            assert!(told.iter().all(|(_, result)| result.is_ok()), "{told:?}");
        }

        fn wish(&self, home: PropertyId, nights: (i32, i32)) -> Wish {
            Wish { home, booking: self.ids.booking(home), nights, key: None }
        }

        /// Commits the poisoned wish among good ones for a night on all other homes.
        async fn judge(
            &mut self,
            homes: &[PropertyId],
            night: i32,
            poisoned: Wish,
            expected: Rejection,
        ) {
            let guilty = poisoned.home;
            let mut groups = Vec::with_capacity(homes.len());
            for home in homes.iter().filter(|home| **home != guilty) {
                groups.push(self.group(self.wish(*home, (night, night + 1))).await);
            }
            groups.insert(groups.len() / 2, self.group(poisoned).await);
            assert_eq!(groups.len(), MAX_GROUPS);
            let told = self.commit(groups).await;
            assert_eq!(told.len(), MAX_GROUPS);
            for (property, result) in told {
                let due = if property == guilty { Err(expected.clone()) } else { Ok(()) };
                assert_eq!(result, due, "{property}");
            }
        }

        /// Decides a wish as an actor that does not look at its calendar would.
        async fn group(&self, wish: Wish) -> Arc<Group> {
            let stored = self.store.load(wish.home).await.expect("a load").expect("a home");
            let settings = Settings {
                one_pending_each: false,
                switches: Switches::planted(Bug::NoOverlapCheck),
                ..Settings::default()
            };
            let mut state = State::load(stored, settings);
            let date = |from_now| day(from_now).parse().expect("a date");
            let stay = Stay::new(date(wish.nights.0), date(wish.nights.1)).expect("a stay");
            let guest = self.guest.id;
            let key =
                wish.key.map(|text| Key { caller: guest, text: text.into(), request: [0; 32] });
            let intent = Intent::Book {
                booking: wish.booking,
                guest,
                stay,
                guests: 2,
                quote: None,
                no_room: None,
                offline: false,
            };
            let command = Command { id: self.ids.fresh(), by: By::User(guest), key, intent };
            match state.decide(&command, 1, now()) {
                Verdict::Write(group) => Arc::from(group),
                other => panic!("not a booking: {other:?}"),
            }
        }

        /// Offers all groups at once and runs the lane until it is idle.
        async fn commit(
            &mut self,
            groups: Vec<Arc<Group>>,
        ) -> Vec<(PropertyId, Result<(), Rejection>)> {
            let mut lane = Lane::new(Switches::default());
            let (mut effects, mut told) = (Vec::new(), Vec::new());
            let offered = groups.len();
            for group in groups {
                lane.step(Input::Offer(group), &mut effects);
            }
            let mut batches = Vec::new();
            loop {
                lane.flush(&mut effects);
                let mut batch = None;
                for effect in effects.drain(..) {
                    match effect {
                        Effect::Commit(groups) => batch = Some(groups),
                        Effect::Tell { group, result } => told.push((group.property, result)),
                    }
                }
                let Some(batch) = batch else { break };
                batches.push(batch.len());
                let outcome = self.connection.commit(&batch).await;
                lane.step(Input::Done(outcome), &mut effects);
            }
            assert_eq!(batches[0], offered, "they went as one batch");
            told
        }
    }
}

#[cfg(not(feature = "test_switches"))]
#[test]
fn the_tests_are_built_with_their_switches() {
    panic!("these tests need the feature test_switches: run cargo xtask test");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_command_among_good_ones_through_the_front_door_is_refused_alone() {
    for database in [Database::Sqlite, Database::Postgres] {
        let server = Server::spawn(database).await;
        let (host, guest) = (server.host().await, server.guest().await);
        let home = server.home(&host).await;
        let asking = (0..60).map(|number| {
            let guests = if number == 30 { 7 } else { 2 };
            let body = json!({
                "check_in": day(10 + number), "check_out": day(11 + number), "guests": guests,
            });
            let path = format!("/api/v1/properties/{home}/bookings");
            server.post(&path, body).by(&guest).into_future()
        });
        let answers = join_all(asking).await;
        for (number, answer) in answers.iter().enumerate() {
            answer.expect(if number == 30 { 409 } else { 201 });
        }
        server.verify().await;
    }
}
