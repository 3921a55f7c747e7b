//! Clients that book until the server goes away, and remember what they were told: afterwards
//! everything that was acknowledged has to be there, and every key has to tell the rest.

use super::{Answer, Chance, Document, Person, Server, day, eventually};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use vacancy::store::accounts::Role;

/// How far ahead stays are drawn, in days.
const HORIZON: u32 = 700;
const LONGEST: u32 = 3;

/// Guests, homes, and what happened between them.
pub(crate) struct Load {
    clients: Vec<Client>,
    homes: Vec<String>,
    pub(crate) progress: Progress,
}

/// What the clients have come to so far.
#[derive(Default)]
pub(crate) struct Progress {
    in_flight: AtomicUsize,
    acknowledged: AtomicU64,
    failed: AtomicU64,
    stop: AtomicBool,
}

/// One guest with their memory.
struct Client {
    guest: Person,
    chance: Mutex<Chance>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// How many requests were made: the next one's key.
    requests: u64,
    /// The ids of all bookings that this guest knows of.
    known: HashSet<String>,
    /// Requests whose outcome is not known.
    open: Vec<Wish>,
}

/// A stay that was asked for under a key.
#[derive(Clone, Debug)]
struct Wish {
    home: String,
    check_in: String,
    check_out: String,
    key: String,
}

impl Load {
    /// So many guests and homes.
    pub(crate) async fn new(server: &Server, guests: usize, homes: usize) -> Self {
        let host = server.host().await;
        let people = server.people(Role::Guest, guests).await;
        let clients = people.into_iter().zip(1..).map(|(guest, seed)| Client {
            guest,
            chance: Mutex::new(Chance::new(seed)),
            memory: Mutex::default(),
        });
        let homes = join_all((0..homes).map(|_| server.home(&host))).await;
        Self { clients: clients.collect(), homes, progress: Progress::default() }
    }

    /// Books until `meanwhile` has ended and each client has heard the end of its last request, or
    /// that there is none to be heard.
    pub(crate) async fn run(&self, server: &Server, meanwhile: impl Future<Output = ()>) {
        self.progress.stop.store(false, Ordering::Relaxed);
        let stopping = async {
            meanwhile.await;
            self.progress.stop.store(true, Ordering::Relaxed);
        };
        let booking = join_all(self.clients.iter().map(|client| self.serve(client, server)));
        tokio::join!(stopping, booking);
    }

    async fn serve(&self, client: &Client, server: &Server) {
        while !self.progress.stop.load(Ordering::Relaxed) {
            let wish = self.wish(client);
            self.progress.in_flight.fetch_add(1, Ordering::Relaxed);
            let answer = wish.ask(server, &client.guest).attempt().await;
            self.progress.in_flight.fetch_sub(1, Ordering::Relaxed);
            let mut memory = client.memory.lock().expect("nobody panicked");
            match answer {
                Ok(answer) if answer.status < 500 => {
                    if let Some(id) = judge(&wish, &answer) {
                        memory.known.insert(id);
                        self.progress.acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Ok(answer) => {
                    assert_eq!(answer.status, 503, "{}", answer.body);
                    self.progress.failed.fetch_add(1, Ordering::Relaxed);
                    memory.open.push(wish);
                }
                Err(_) => {
                    memory.open.push(wish);
                    return;
                }
            }
        }
    }

    fn wish(&self, client: &Client) -> Wish {
        let mut chance = client.chance.lock().expect("nobody panicked");
        let mut memory = client.memory.lock().expect("nobody panicked");
        memory.requests += 1;
        let homes = u32::try_from(self.homes.len()).expect("homes are few");
        let check_in = 10 + chance.days(HORIZON);
        Wish {
            home: self.homes[chance.below(homes) as usize].clone(),
            check_in: day(check_in),
            check_out: day(check_in + 1 + chance.days(LONGEST)),
            key: format!("request-{}", memory.requests),
        }
    }

    /// Asserts that all acknowledged bookings are there, that nothing else is but what may be, and
    /// that each open request is told of by its key. Says how many of those had taken effect.
    pub(crate) async fn settle(&self, server: &Server) -> usize {
        join_all(self.clients.iter().map(|client| client.settle(server))).await.iter().sum()
    }

    /// How many requests' outcomes are not known.
    pub(crate) fn open(&self) -> usize {
        let open = |client: &Client| client.memory.lock().expect("nobody panicked").open.len();
        self.clients.iter().map(open).sum()
    }
}

impl Client {
    async fn settle(&self, server: &Server) -> usize {
        let listed = server.bookings(&self.guest).await;
        let (known, open) = {
            let mut memory = self.memory.lock().expect("nobody panicked");
            (memory.known.clone(), std::mem::take(&mut memory.open))
        };
        let there: HashSet<String> = listed.iter().map(|booking| booking.text("id")).collect();
        let lost: Vec<&String> = known.difference(&there).collect();
        assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
        let mut unknown: Vec<&Value> =
            listed.iter().filter(|booking| !known.contains(&booking.text("id"))).collect();
        let mut found = 0;
        for wish in &open {
            let place = unknown.iter().position(|booking| wish.is(booking));
            let taken = place.map(|place| unknown.swap_remove(place).text("id"));
            let answer = wish.ask(server, &self.guest).await;
            let id = judge(wish, &answer);
            match &taken {
                Some(_) => {
                    assert!(answer.is_replayed(), "{wish:?} had an effect: {}", answer.body);
                    assert_eq!(id, taken, "{wish:?}");
                    found += 1;
                }
                None => assert!(!answer.is_replayed(), "{wish:?} had none: {}", answer.body),
            }
            self.memory.lock().expect("nobody panicked").known.extend(id);
        }
        assert!(unknown.is_empty(), "nobody asked for {unknown:?}");
        found
    }
}

impl Wish {
    fn ask(&self, server: &Server, guest: &Person) -> super::Ask {
        server.book(guest, &self.home, &self.check_in, &self.check_out).key(&self.key)
    }

    fn is(&self, booking: &Value) -> bool {
        booking["property_id"] == self.home.as_str()
            && booking["check_in"] == self.check_in.as_str()
            && booking["check_out"] == self.check_out.as_str()
    }
}

/// The booking that an answer acknowledges; a refusal has to be one for taken nights.
fn judge(wish: &Wish, answer: &Answer) -> Option<String> {
    if answer.status == 201 {
        assert!(wish.is(&answer.body), "{wish:?} became {}", answer.body);
        return Some(answer.body.text("id"));
    }
    answer.is_problem(409, "unavailable_held");
    None
}

impl Progress {
    /// Waits until so many more bookings were acknowledged and so many requests are under way.
    pub(crate) async fn reach(&self, acknowledged: u64, in_flight: usize) {
        let goal = self.acknowledged.load(Ordering::Relaxed) + acknowledged;
        let reached = eventually(Duration::from_secs(120), async || {
            let enough = self.acknowledged.load(Ordering::Relaxed) >= goal
                && self.in_flight.load(Ordering::Relaxed) >= in_flight;
            enough.then_some(())
        });
        reached.await.expect("clients that make progress");
    }

    /// How many answers were 503.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}
