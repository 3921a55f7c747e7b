//! One of the two servers with its people, and its own names for what both have.

use crate::helpers::{Ask, Database, Person, Server, now};
use reqwest::Method;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::{self, Display};
use vacancy::store::accounts::Role;

/// 2040-01-02T08:10:00Z, a Monday, in seconds: far from every full and half hour.
const START: u64 = 2_209_104_600;
const YEAR: u64 = 365 * 24 * 60 * 60;
pub(super) const HOSTS: usize = 2;
pub(super) const GUESTS: usize = 4;
/// The number of the one admin, behind hosts and guests.
pub(super) const ADMIN: usize = HOSTS + GUESTS;

/// Something to be done on both.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Ask(Request),
    /// Both clocks move by so many seconds.
    Clock(u64),
}

/// A request in the names that both worlds share.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The number of a person; none for who is not signed in.
    pub(super) by: Option<usize>,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Value,
    pub(super) key: Option<String>,
    /// Whether the newest tag that was seen at this address is sent as `If-Match`.
    pub(super) matching: bool,
}

/// An answer in those names.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    /// 0 where nothing was waited for.
    pub(super) status: u16,
    pub(super) body: Value,
    location: String,
    is_replayed: bool,
}

/// A server and what it calls the things that have appeared.
pub(super) struct World {
    server: Server,
    people: Vec<Person>,
    names: Vec<String>,
    numbers: HashMap<String, usize>,
    tags: HashMap<String, String>,
}

impl World {
    /// One on each database, both at the same instant.
    pub(super) async fn pair() -> (Self, Self) {
        tokio::join!(Self::new(Database::Sqlite), Self::new(Database::Postgres))
    }

    async fn new(database: Database) -> Self {
        let server = Server::spawn(database).await;
        let mut people = server.people(Role::Host, HOSTS).await;
        people.extend(server.people(Role::Guest, GUESTS).await);
        people.push(server.admin().await);
        let wall = now().as_micros().unsigned_abs() / 1_000_000;
        let mut ahead = START.checked_sub(wall).expect("a start that lies ahead");
        while ahead > 0 {
            let step = ahead.min(YEAR);
            server.advance(step).await;
            ahead -= step;
        }
        let mut world = Self {
            server,
            people,
            names: Vec::new(),
            numbers: HashMap::new(),
            tags: HashMap::new(),
        };
        for number in 0..world.people.len() {
            let id = world.people[number].id.to_string();
            world.name(&id);
        }
        world
    }

    pub(super) async fn verify(&self) {
        self.server.verify().await;
    }

    /// Does it, and waits until all that it caused has been done.
    pub(super) async fn carry_out(&mut self, command: &Command) -> Seen {
        let seen = match command {
            Command::Clock(seconds) => {
                self.server.advance(*seconds).await;
                return Seen::nothing();
            }
            Command::Ask(request) => {
                let answer = self.ask(request).await;
                if !answer.header("etag").is_empty() {
                    self.tags.insert(request.path.clone(), answer.header("etag").to_owned());
                }
                self.seen(&answer)
            }
        };
        self.server.advance(0).await;
        seen
    }

    fn ask(&self, request: &Request) -> Ask {
        let mut ask = self.server.ask(request.method.clone(), &self.real(&request.path));
        if let Some(by) = request.by {
            ask = ask.by(&self.people[by]);
        }
        if !request.body.is_null() {
            ask = ask.raw("application/json", self.real(&request.body.to_string()));
        }
        if let Some(key) = &request.key {
            ask = ask.key(key);
        }
        if request.matching {
            let tag = self.tags.get(&request.path).map_or("\"never-seen\"", String::as_str);
            ask = ask.header("If-Match", tag);
        }
        ask
    }

    fn seen(&mut self, answer: &crate::helpers::Answer) -> Seen {
        let mut body = answer.body.clone();
        if let Some(fields) = body.as_object_mut() {
            // The one is random, the other names the database.
            fields.remove("request_id");
            fields.remove("epoch");
        }
        if let Some(cursor) = answer.body["next_cursor"].as_str() {
            body["next_cursor"] = self.name(cursor).into();
        }
        let body = serde_json::from_str(&self.shared(&body.to_string())).expect("JSON still");
        Seen {
            status: answer.status,
            body,
            location: self.shared(answer.header("location")),
            is_replayed: answer.is_replayed(),
        }
    }

    /// The shared name of something that has another in each world.
    fn name(&mut self, own: &str) -> String {
        let next = self.names.len();
        let number = *self.numbers.entry(own.to_owned()).or_insert(next);
        if number == next {
            self.names.push(own.to_owned());
        }
        format!("#{number}#")
    }

    /// A text with the shared names in it.
    fn shared(&mut self, text: &str) -> String {
        let mut shared = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(length) = own_length(rest) {
                shared += &self.name(&rest[..length]);
                rest = &rest[length..];
            } else {
                shared.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        shared
    }

    /// A text with this world's own names in it.
    fn real(&self, text: &str) -> String {
        let mut real = String::with_capacity(text.len());
        for (place, part) in text.split('#').enumerate() {
            if place % 2 == 0 {
                real += part;
            } else {
                real += &self.names[part.parse::<usize>().expect("a number")];
            }
        }
        real
    }
}

/// How much of what begins here is an id, an instant or a time in microseconds.
fn own_length(text: &str) -> Option<usize> {
    let begins = |shape: &str| {
        text.len() >= shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
                b'x' => byte.is_ascii_hexdigit(),
                b'd' => byte.is_ascii_digit(),
                wanted => byte == wanted,
            })
    };
    if begins("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
        return Some(36);
    }
    if begins("dddd-dd-ddTdd:dd:dd") {
        return text.find('Z').map(|end| end + 1);
    }
    if let Some(order) = text.strip_prefix("pi_") {
        // What the provider calls an order.
        return Some(3 + order.bytes().take_while(u8::is_ascii_alphanumeric).count());
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (digits >= 16).then_some(digits)
}

impl Seen {
    fn nothing() -> Self {
        Self { status: 0, body: Value::Null, location: String::new(), is_replayed: false }
    }

    /// The status, with the code where there is one.
    pub(super) fn outcome(&self) -> String {
        let code = self.body["code"].as_str().unwrap_or_default();
        let replayed = if self.is_replayed { "replayed" } else { "" };
        format!("{} {code}{replayed}", self.status).trim_end().to_owned()
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Ask(request) = self else {
            return write!(f, "{self:?}");
        };
        let Request { by, method, path, body, key, matching } = request;
        write!(f, "{method} {path} {body} by {by:?} key {key:?} matching {matching}")
    }
}

impl Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, body, location, is_replayed } = self;
        write!(f, "{status} {location} replayed {is_replayed} {body}")
    }
}
