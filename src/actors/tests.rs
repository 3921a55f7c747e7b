//! The registry with real actors on a real SQLite file: lives, panics and sleep.

use super::{Registry, RegistryOptions, Urgency};
use crate::clock::Clock;
use crate::feed::Feed;
use crate::ids::Ids;
use crate::store::accounts::{Account, Role};
use crate::store::properties::PropertyRow;
use crate::store::{Store, StoreOptions};
use domain::booking::Step;
use domain::command::{Command, Intent};
use domain::event::{By, Sealed};
use domain::pipeline::property::Answer;
use domain::policy::Policy;
use domain::property::{CHECK_IN_FROM, CHECK_OUT_BY, Listing, Page, Property};
use domain::review::Ratings;
use domain::state::Settings;
use domain::zone::Zone;
use domain::{BookingId, PropertyId, Stay, UserId};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

struct House {
    registry: Registry,
    store: Store,
    clock: Clock,
    ids: Ids,
}

/// Runs a test on a fresh database, with actors that go to sleep after `idle_after`.
fn in_house<F: Future<Output = ()>>(idle_after: Duration, test: impl FnOnce(House) -> F) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let url = format!("sqlite://{}", folder.path().join("house.db").display());
    actix::System::new().block_on(async {
        let store = Store::connect(&url, runtime.handle().clone(), StoreOptions::default())
            .await
            .expect("a database");
        store.migrate().await.expect("tables");
        let clock = Clock::new(Clock::wall(), true);
        let options = RegistryOptions {
            settings: Settings::default(),
            idle_after,
            command_deadline: Duration::from_secs(5),
            runtime: runtime.handle().clone(),
            jobs: Arc::new(Notify::new()),
        };
        let registry = Registry::new(store.clone(), clock.clone(), Feed::default(), options);
        let ids = Ids::new(clock.clone());
        test(House { registry, store, clock, ids }).await;
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

impl House {
    async fn account(&self, role: Role) -> UserId {
        let id = self.ids.user();
        let account = Account {
            id,
            email: format!("{id}@example.com"),
            password_hash: String::new(),
            first_name: "Ada".to_owned(),
            last_name: "L".to_owned(),
            role,
            verified_at: None,
            version: 1,
            created_at: self.clock.now(),
        };
        self.store.insert_account(account, None, None).await.expect("a new account");
        id
    }

    async fn property(&self) -> PropertyId {
        let property = Property {
            id: self.ids.property(),
            host: self.account(Role::Host).await,
            listing: Listing::Listed,
            zone: Zone::named("UTC").expect("a zone"),
            price_per_night: 10_000,
            currency: "USD".parse().expect("a currency"),
            max_guests: 4,
            instant_book: true,
            check_in_from: CHECK_IN_FROM,
            check_out_by: CHECK_OUT_BY,
            policy: Policy::Flexible,
            rules: Arc::default(),
        };
        let (id, now) = (property.id, self.clock.now());
        let first = Sealed::first(&property, self.ids.fresh(), now);
        let row = PropertyRow {
            property,
            page: Page {
                title: "A house".to_owned(),
                description: String::new(),
                address: String::new(),
                city: "Nairobi".to_owned(),
                country: "KE".to_owned(),
                latitude: None,
                longitude: None,
                amenities: Vec::new(),
                blind_reviews: false,
            },
            seq: 1,
            ratings: Ratings::default(),
            created_at: now,
        };
        self.store.create_property(row, first, None).await.expect("made");
        id
    }

    async fn ask(&self, property: PropertyId, intent: Intent) -> Answer {
        let by = By::User(UserId(self.ids.fresh()));
        let command = Command { id: self.ids.fresh(), by, key: None, intent };
        self.registry.submit(property, command, Urgency::Ordinary).await.expect("an answer")
    }

    async fn book(&self, property: PropertyId, days_from_now: i32) -> Answer {
        let today = Zone::named("UTC").expect("a zone").today(self.clock.now());
        let check_in = today.plus(days_from_now);
        let stay = Stay::new(check_in, check_in.plus(2)).expect("a stay");
        let guest = self.account(Role::Guest).await;
        let booking = self.ids.booking(property);
        self.ask(
            property,
            Intent::Book {
                booking,
                guest,
                stay,
                guests: 2,
                quote: None,
                no_room: None,
                offline: false,
            },
        )
        .await
    }
}

fn id_of(answer: &Answer) -> BookingId {
    match answer {
        Answer::Done { booking, .. } | Answer::Unchanged(booking) => booking.id,
        other => panic!("not a booking: {other:?}"),
    }
}

#[test]
fn a_panic_leaves_other_properties_alone_and_its_own_bookable_within_a_second() {
    in_house(Duration::from_secs(60), async |house| {
        let (one, other) = (house.property().await, house.property().await);
        let first = id_of(&house.book(one, 10).await);
        id_of(&house.book(other, 10).await);
        let started = Instant::now();
        house.registry.panic(one);
        id_of(&house.book(other, 20).await);
        id_of(&house.book(one, 20).await);
        assert!(started.elapsed() < Duration::from_secs(1), "took {:?}", started.elapsed());
        let canceled = house
            .ask(one, Intent::Step { booking: first, step: Step::Cancel { by_guest: true } })
            .await;
        assert!(matches!(canceled, Answer::Done { .. }), "what was booked before is known");
        assert!(matches!(house.book(one, 20).await, Answer::Refused(_)), "and what came after");
        assert_eq!(house.store.verify().await.expect("verified"), Vec::<String>::new());
    });
}

#[test]
fn an_actor_that_nobody_needs_goes_to_sleep_and_comes_back_with_everything() {
    in_house(Duration::from_millis(80), async |house| {
        let property = house.property().await;
        id_of(&house.book(property, 10).await);
        let give_up = Instant::now() + Duration::from_secs(5);
        while house.registry.is_resident(property) {
            assert!(Instant::now() < give_up, "the actor stayed awake");
            tokio::task::yield_now().await;
        }
        assert!(matches!(house.book(property, 10).await, Answer::Refused(_)));
    });
}

#[test]
fn a_channel_is_told_no_more_than_what_was_loaded() {
    in_house(Duration::from_secs(60), async |house| {
        let property = house.property().await;
        let loaded = house.store.load(property).await.expect("a store").expect("a property");
        id_of(&house.book(property, 10).await);
        // Elsewhere a property was loaded just before that booking.
        let channel = Feed::default().channel(property);
        channel.go_on_after(loaded.head.seq - 1);
        house.registry.catch_up(&channel, &loaded).await.expect("events");
        assert_eq!(channel.last(), Some(loaded.head.seq));
    });
}

#[test]
fn a_snapshot_is_published_before_its_answer() {
    in_house(Duration::from_millis(20), async |house| {
        let property = house.property().await;
        let snapshot = house.registry.settled(property).await.expect("loaded").expect("there");
        assert_eq!(snapshot.head.seq, 1);
        for day in 0..20 {
            id_of(&house.book(property, 10 + 2 * day).await);
        }
        let seen = house.registry.snapshot(property).expect("published");
        assert_eq!(seen.head.seq, 21, "the newest booking shows");
    });
}
