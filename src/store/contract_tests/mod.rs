//! One contract, two databases: every test here runs on SQLite and on PostgreSQL.
//!
//! PostgreSQL is at `TEST_DATABASE_URL`; each test makes a database of its own there. Groups are
//! decided by `domain` itself and go through its lane machine, as they do in the product.

mod accounts;
mod batches;
mod money;
mod nouns;
mod outcomes;
mod provider_tokens;
mod reviews;
mod search;
mod verification;

use super::accounts::{Account, Role};
use super::commit::LaneConnection;
use super::properties::PropertyRow;
use super::{Kind, Store, StoreOptions};
use domain::booking::Step;
use domain::command::{Command, Intent, Key};
use domain::decide::Verdict;
use domain::event::{By, Sealed};
use domain::group::{Group, GroupId, Incarnation};
use domain::pipeline::Rejection;
use domain::pipeline::lane::{Effect, Input, Lane};
use domain::policy::Policy;
use domain::property::{CHECK_IN_FROM, CHECK_OUT_BY, Listing, Page, Property};
use domain::review::Ratings;
use domain::state::{Settings, State, Stored};
use domain::switches::Switches;
use domain::zone::Zone;
use domain::{BookingId, Instant, Night, PaymentId, PropertyId, Rules, Stay, UserId};
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// 2026-12-01T00:00Z: the time of all tests.
const NOW: Instant = Instant::from_micros(1_796_083_200_000_000);

/// A migrated store on a fresh database.
struct Ground {
    store: Store,
    url: String,
    /// The database's name on PostgreSQL.
    name: String,
    host: UserId,
    guest: UserId,
    _folder: tempfile::TempDir,
}

/// Ids that nobody else in this process has.
fn fresh() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u64_pair(0x0192_0000_0000_7000 + (number << 16), 1 << 63 | number)
}

fn admin_url() -> String {
    std::env::var("TEST_DATABASE_URL").expect(
        "TEST_DATABASE_URL must name a PostgreSQL server where databases can be made: \
         `cargo xtask test` starts one and sets it",
    )
}

async fn admin() -> PgConnection {
    let options: sqlx::postgres::PgConnectOptions = admin_url().parse().expect("an address");
    options.connect().await.expect("the test server")
}

/// Runs a test on a fresh database of this kind.
fn on<F: Future<Output = ()>>(kind: Kind, test: impl FnOnce(Ground) -> F) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let ground = Ground::open(kind).await;
        let (store, name) = (ground.store.clone(), ground.name.clone());
        test(ground).await;
        close(&store, &name).await;
    });
}

/// Ends a ground; what a failed test leaves behind goes with its server.
async fn close(store: &Store, name: &str) {
    if let super::Database::Postgres(postgres) = &store.database {
        postgres.pool.close().await;
        let drop = sqlx::AssertSqlSafe(format!("drop database {name} with (force)"));
        sqlx::raw_sql(drop).execute(&mut admin().await).await.expect("an end");
    }
}

/// Makes a test of each function on each database.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $name() { super::super::on(crate::store::Kind::Sqlite, super::$name) })*
        }
        mod on_postgres {
            $(#[test] fn $name() { super::super::on(crate::store::Kind::Postgres, super::$name) })*
        }
    };
}
use on_both;

fn account(id: UserId, role: Role) -> Account {
    Account {
        id,
        email: format!("{id}@Example.org"),
        password_hash: "$argon2id$".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "O'Neill".to_owned(),
        role,
        verified_at: None,
        version: 1,
        created_at: NOW,
    }
}

impl Ground {
    async fn open(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let name = format!("vacancy_{}_{:x}", std::process::id(), fresh().as_u64_pair().1);
        let url = match kind {
            Kind::Sqlite => format!("sqlite://{}/new/vacancy.db", folder.path().display()),
            Kind::Postgres => {
                let create = sqlx::AssertSqlSafe(format!("create database {name}"));
                sqlx::raw_sql(create).execute(&mut admin().await).await.expect("a database");
                let server = admin_url();
                format!("{}/{name}", server.rsplit_once('/').expect("a database's name").0)
            }
        };
        let handle = tokio::runtime::Handle::current();
        let options = StoreOptions { exclusive: true, ..StoreOptions::default() };
        let store = Store::connect(&url, handle, options).await.expect("a store");
        assert!(!store.is_migrated().await.expect("an answer"));
        store.migrate().await.expect("migrations");
        assert!(store.is_migrated().await.expect("an answer"));
        let (host, guest) = (UserId(fresh()), UserId(fresh()));
        for (id, role) in [(host, Role::Host), (guest, Role::Guest)] {
            store.insert_account(account(id, role), None, None).await.expect("an account");
        }
        Self { store, url, name, host, guest, _folder: folder }
    }

    /// Creates a property with its first event.
    async fn property(&self) -> PropertyId {
        let id = PropertyId(fresh());
        let (row, first) = property(id, self.host);
        self.store.create_property(row, first, None).await.expect("a property");
        id
    }

    /// The decisions of a property as it is stored.
    async fn desk(&self, property: PropertyId) -> Desk {
        self.desk_with(property, Switches::default()).await
    }

    async fn desk_with(&self, property: PropertyId, switches: Switches) -> Desk {
        let stored = self.store.load(property).await.expect("a load").expect("a property");
        Desk { state: State::load(stored, settings(switches)), guest: self.guest, life: life() }
    }

    /// Runs one statement as somebody who is not the product.
    async fn meddle(&self, statement: &'static str) {
        if self.url.starts_with("sqlite") {
            let options: sqlx::sqlite::SqliteConnectOptions = self.url.parse().expect("a file");
            let mut connection = options.connect().await.expect("a connection");
            sqlx::raw_sql(statement).execute(&mut connection).await.expect(statement);
            connection.close().await.expect("an end");
        } else {
            let mut connection = self.postgres().await;
            sqlx::raw_sql(statement).execute(&mut connection).await.expect(statement);
            connection.close().await.expect("an end");
        }
    }

    async fn postgres(&self) -> PgConnection {
        let options: sqlx::postgres::PgConnectOptions = self.url.parse().expect("an address");
        options.connect().await.expect("a connection")
    }

    async fn assert_clean(&self) {
        assert_eq!(self.store.verify().await.expect("a verification"), Vec::<String>::new());
    }
}

fn property(id: PropertyId, host: UserId) -> (PropertyRow, Sealed) {
    let property = Property {
        id,
        host,
        listing: Listing::Listed,
        zone: Zone::named("Africa/Nairobi").expect("a zone"),
        price_per_night: 12_345,
        currency: "KES".parse().expect("a currency"),
        max_guests: 4,
        instant_book: true,
        check_in_from: CHECK_IN_FROM,
        check_out_by: CHECK_OUT_BY,
        policy: Policy::Flexible,
        rules: Arc::new(Rules { window_days: Some(1_000), ..Rules::default() }),
    };
    let first = Sealed::first(&property, fresh(), NOW);
    let row = PropertyRow {
        property,
        page: Page {
            title: "A \"quiet\" room — ünïcode 🏡".to_owned(),
            description: "Near\nthe water".to_owned(),
            address: "1 Beach Road".to_owned(),
            city: "Mombasa".to_owned(),
            country: "KE".to_owned(),
            latitude: Some(-4.043_477),
            longitude: None,
            amenities: vec!["wifi".to_owned(), "kettle, \"loud\"".to_owned()],
            blind_reviews: false,
        },
        seq: 1,
        ratings: Ratings::default(),
        created_at: NOW,
    };
    (row, first)
}

fn life() -> Incarnation {
    fresh().as_u64_pair().1
}

/// The booking that a group is about.
fn id_in(group: &Group) -> BookingId {
    group.booking().expect("a booking's group").id
}

/// A property's decisions without its actor.
struct Desk {
    state: State,
    guest: UserId,
    life: Incarnation,
}

/// One guest makes all bookings here, as many as a test wants.
fn settings(switches: Switches) -> Settings {
    Settings { switches, one_pending_each: false, ..Settings::default() }
}

impl Desk {
    fn of(stored: Stored, guest: UserId) -> Self {
        Self { state: State::load(stored, settings(Switches::default())), guest, life: life() }
    }

    /// Nothing, where the command changes nothing.
    fn decide(&mut self, intent: Intent, key: Option<Key>) -> Option<Arc<Group>> {
        let command = Command { id: fresh(), by: By::User(self.guest), key, intent };
        match self.state.decide(&command, self.life, NOW) {
            Verdict::Write(group) => Some(Arc::from(group)),
            _ => None,
        }
    }

    fn try_book(&mut self, nights: (i32, i32)) -> Option<Arc<Group>> {
        let booking = BookingId(self.state.property.id.bind(fresh()));
        let intent = Intent::Book {
            booking,
            guest: self.guest,
            stay: stay(nights),
            guests: 2,
            quote: None,
            no_room: None,
            offline: false,
        };
        self.decide(intent, None)
    }

    fn book(&mut self, nights: (i32, i32)) -> Arc<Group> {
        self.try_book(nights).expect("free nights")
    }

    fn book_with_key(&mut self, nights: (i32, i32), key: Key) -> Arc<Group> {
        let booking = BookingId(self.state.property.id.bind(fresh()));
        let intent = Intent::Book {
            booking,
            guest: self.guest,
            stay: stay(nights),
            guests: 2,
            quote: None,
            no_room: None,
            offline: false,
        };
        self.decide(intent, Some(key)).expect("free nights")
    }

    fn start_attempt(&mut self, booking: BookingId) -> Arc<Group> {
        let payment = PaymentId(self.state.property.id.bind(fresh()));
        let (provider, method) = ("sandbox".into(), "card".into());
        let return_url = "https://here.example/".into();
        let intent = Intent::StartAttempt { booking, payment, provider, method, return_url };
        self.decide(intent, None).expect("an attempt")
    }

    fn step(&mut self, booking: BookingId, step: Step) -> Option<Arc<Group>> {
        self.decide(Intent::Step { booking, step }, None)
    }

    fn pay(&mut self, booking: BookingId) -> Option<Arc<Group>> {
        let known = self.state.booking(booking)?;
        let payment = known.attempt.map_or(PaymentId(fresh()), |attempt| attempt.payment);
        let step = Step::Pay { payment, amount: known.total, currency: known.currency };
        self.step(booking, step)
    }

    fn cancel(&mut self, booking: BookingId) -> Option<Arc<Group>> {
        self.step(booking, Step::Cancel { by_guest: true })
    }
}

/// The nights `[a, b)`, counted from a month after [`NOW`].
fn stay((a, b): (i32, i32)) -> Stay {
    let first = Night::from_days(20_819).expect("a night");
    Stay::new(first.plus(a), first.plus(b)).expect("a stay")
}

fn key(caller: UserId, text: &str) -> Key {
    Key { caller, text: text.into(), request: [7; 32] }
}

type Results = HashMap<GroupId, Result<(), Rejection>>;

/// Offers groups to a lane in one go and runs it until nothing is left to do.
async fn offer(lane: &mut LaneConnection, groups: &[Arc<Group>]) -> Results {
    let mut machine = Lane::new(Switches::default());
    let mut effects = Vec::new();
    for group in groups {
        machine.step(Input::Offer(Arc::clone(group)), &mut effects);
    }
    let mut results = Results::new();
    loop {
        machine.flush(&mut effects);
        let mut outcome = None;
        for effect in effects.drain(..) {
            match effect {
                Effect::Commit(batch) => outcome = Some(lane.commit(&batch).await),
                Effect::Tell { group, result } => {
                    results.insert(group.id, result);
                }
            }
        }
        match outcome {
            Some(outcome) => machine.step(Input::Done(outcome), &mut effects),
            None if machine.is_idle() => return results,
            None => {}
        }
    }
}

/// Offers groups that have to be committed.
async fn commit(lane: &mut LaneConnection, groups: &[Arc<Group>]) {
    let results = offer(lane, groups).await;
    for group in groups {
        assert_eq!(results.get(&group.id), Some(&Ok(())), "{group:?}");
    }
}
