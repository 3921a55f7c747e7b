//! What is asked next: chance, and what the answers so far have shown.

use super::world::{ADMIN, Command, GUESTS, HOSTS, Request, Seen};
use crate::helpers::{Chance, Document, home, with};
use domain::Night;
use reqwest::Method;
use serde_json::{Value, json};

const HALF_HOUR: u64 = 30 * 60;
const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
/// When the first day has begun for the clocks.
const FIRST_SECONDS: u64 = 8 * HOUR;
/// How far back things are that somebody still cares about.
const NEAR: usize = 10;

/// Where homes are, what they cost in, and what comes back of a canceled booking there.
const PLACES: [(&str, &str, &str); 6] = [
    ("UTC", "EUR", "flexible"),
    ("Asia/Tokyo", "JPY", "moderate"),
    ("America/Los_Angeles", "USD", "strict"),
    ("Africa/Nairobi", "KES", "non_refundable"),
    ("Asia/Kolkata", "USD", "flexible"),
    ("Asia/Bahrain", "BHD", "moderate"),
];

/// A booking or a block, and whose it is.
#[derive(Clone, Debug)]
struct Thing {
    id: String,
    home: usize,
    guest: usize,
}

/// The trace so far, as far as it matters to what comes.
pub(super) struct Script {
    chance: Chance,
    /// How far the clocks have moved since the start, in seconds.
    moved: u64,
    homes: Vec<String>,
    bookings: Vec<Thing>,
    blocks: Vec<Thing>,
    quotes: Vec<Value>,
    payments: Vec<String>,
    /// The bookings that were paid for.
    paid: Vec<Thing>,
    /// The reviews; the guest is the author.
    reviews: Vec<Thing>,
    /// What somebody does at once after an answer.
    following: Option<Command>,
    /// The last command that was sent under a key.
    keyed: Option<Command>,
    /// The next page of the list that was read last, and who read it.
    next_page: Option<(String, Option<usize>)>,
}

/// The host of a home.
const fn host_of(home: usize) -> usize {
    home % HOSTS
}

impl Script {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            moved: 0,
            homes: Vec::new(),
            bookings: Vec::new(),
            blocks: Vec::new(),
            quotes: Vec::new(),
            payments: Vec::new(),
            paid: Vec::new(),
            reviews: Vec::new(),
            following: None,
            keyed: None,
            next_page: None,
        }
    }

    /// The next command: homes first, and then everything.
    pub(super) fn next(&mut self) -> Command {
        if self.homes.len() < PLACES.len() {
            return self.new_home();
        }
        if let Some(following) = self.following.take() {
            return following;
        }
        match self.below(100) {
            0..24 => self.book(),
            24..32 => {
                let booking = self.booking();
                self.pay(&booking)
            }
            32..36 => self.cancel(),
            36..43 => self.word(),
            43..48 => self.block(),
            48..58 => self.calendar(),
            58..63 => self.rules(),
            63..67 => self.property(),
            67..72 => {
                let booking = self.booking();
                self.change(&booking)
            }
            72..77 => self.quote(),
            77..84 => self.review(),
            84..88 => self.clock(),
            88..91 => self.keyed.clone().unwrap_or_else(|| self.read()),
            _ => self.read(),
        }
    }

    /// Keeps what an answer shows.
    pub(super) fn learn(&mut self, command: &Command, seen: &Seen) {
        let request = match command {
            Command::Clock(seconds) => return self.moved += seconds,
            Command::Ask(request) => request,
        };
        if request.path == "/payments" && seen.status == 202 {
            let of = |booking: &&Thing| request.body["booking_id"] == booking.id.as_str();
            let booking = self.bookings.iter().find(of).cloned();
            if let Some(booking) = booking.filter(|_| self.one_in(2)) {
                self.following = Some(self.change(&booking));
            }
        }
        self.next_page = seen.body["next_cursor"].as_str().map(|cursor| {
            let glue = if request.path.contains('?') { '&' } else { '?' };
            (format!("{}{glue}cursor={cursor}", request.path), request.by)
        });
        if request.key.is_some() {
            self.keyed = Some(command.clone());
        }
        if seen.status == 201 {
            self.learn_of(request, &seen.body);
        }
    }

    /// Keeps what was made.
    fn learn_of(&mut self, request: &Request, made: &Value) {
        let id = made.text("id");
        let is_there = |home: &String| {
            made["property_id"] == home.as_str() || request.path.contains(home.as_str())
        };
        let home = self.homes.iter().position(is_there).unwrap_or(0);
        let thing = Thing { id: id.clone(), home, guest: request.by.unwrap_or(ADMIN) };
        match request.path.rsplit('/').next().unwrap_or_default() {
            "properties" => self.homes.push(id),
            "bookings" => {
                if !self.one_in(4) {
                    self.following = Some(self.pay(&thing));
                }
                self.bookings.push(thing);
            }
            "blocks" => self.blocks.push(thing),
            "quotes" => self.quotes.push(made.clone()),
            "payments" => {
                self.payments.push(id);
                let of = |booking: &&Thing| made["booking_id"] == booking.id.as_str();
                if made["status"] == "captured" {
                    self.paid.extend(self.bookings.iter().find(of).cloned());
                }
            }
            "reviews" => self.reviews.push(thing),
            _ => {}
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u32::try_from(bound).expect("a small bound");
        usize::try_from(self.chance.below(bound)).expect("a small number")
    }

    /// Whether one of so many happens.
    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn of<T: Clone>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())].clone()
    }

    /// One of the newest, or an id that nobody has.
    fn near<T: Clone>(&mut self, things: &[T]) -> Option<T> {
        let newest = &things[things.len().saturating_sub(NEAR)..];
        (!newest.is_empty() && !self.one_in(40)).then(|| self.of(newest))
    }

    /// The date so many days from today by the clocks, in UTC.
    fn date(&self, from_now: i32) -> String {
        let start: Night = "2040-01-02".parse().expect("a date");
        let today = i32::try_from((FIRST_SECONDS + self.moved) / DAY).expect("few days");
        start.plus(today + from_now).to_string()
    }

    fn guest(&mut self) -> usize {
        HOSTS + self.below(GUESTS)
    }

    fn anybody(&mut self) -> Option<usize> {
        let number = self.below(ADMIN + 2);
        (number <= ADMIN).then_some(number)
    }

    /// Mostly this person, sometimes somebody else.
    fn mostly(&mut self, person: usize) -> Option<usize> {
        if self.one_in(12) { self.anybody() } else { Some(person) }
    }

    /// Any booking that may still matter, with an id that nobody has if there is none.
    fn booking(&mut self) -> Thing {
        let bookings = self.bookings.clone();
        let nobody = || Thing { id: "no-id".to_owned(), home: 0, guest: HOSTS };
        self.near(&bookings).unwrap_or_else(nobody)
    }

    fn home(&mut self) -> usize {
        self.below(self.homes.len())
    }

    /// Arrival and departure of a stay that is mostly possible.
    fn stay(&mut self) -> (String, String) {
        let check_in = self.chance.days(10) - 1;
        let nights = if self.one_in(20) { self.chance.days(40) } else { 1 + self.chance.days(5) };
        (self.date(check_in), self.date(check_in + nights))
    }

    fn key(&mut self) -> Option<String> {
        self.one_in(8).then(|| format!("key-{}", self.below(4)))
    }

    fn new_home(&mut self) -> Command {
        let number = self.homes.len();
        let (zone, currency, policy) = PLACES[number];
        let mut body = with(&home(), "timezone", json!(zone));
        body["currency"] = json!(currency);
        body["cancellation_policy"] = json!(policy);
        body["instant_book"] = json!(number % 3 != 1);
        body["blind_reviews"] = json!(number % 2 == 1);
        ask(Some(host_of(number)), Method::POST, "/properties", body)
    }

    fn book(&mut self) -> Command {
        let (home, (check_in, check_out)) = (self.home(), self.stay());
        let guests = if self.one_in(12) { self.below(9) } else { 1 + self.below(3) };
        let mut body = json!({ "check_in": check_in, "check_out": check_out, "guests": guests });
        let mut path = format!("/properties/{}/bookings", self.homes[home]);
        let mut guest = self.guest();
        if self.one_in(6)
            && let Some(quote) = self.near(&self.quotes.clone())
        {
            for field in ["check_in", "check_out", "guests"] {
                body[field] = quote[field].clone();
            }
            body["quote_id"] = quote["id"].clone();
            path = format!("/properties/{}/bookings", quote.text("property_id"));
            guest = (HOSTS..ADMIN)
                .find(|number| quote["user_id"] == format!("#{number}#"))
                .unwrap_or(guest);
        }
        if self.one_in(40) {
            body["price"] = json!(1);
        }
        let by = if self.one_in(25) { Some(host_of(home)) } else { self.mostly(guest) };
        keyed(ask(by, Method::POST, &path, body), self.key())
    }

    fn pay(&mut self, booking: &Thing) -> Command {
        let methods = [
            "pm_card_visa",
            "pm_card_visa",
            "pm_card_visa",
            "pm_card_visa",
            "pm_card_visa",
            "pm_card_chargeDeclined",
            "pm_late",
            "pm_silent",
            "pm_gold",
        ];
        let method = self.of(&methods);
        let body = json!({ "booking_id": booking.id, "payment_method": method });
        let by = self.mostly(booking.guest);
        ask(by, Method::POST, "/payments", body)
    }

    fn cancel(&mut self) -> Command {
        let booking = self.booking();
        let person = self.of(&[booking.guest, booking.guest, host_of(booking.home), ADMIN]);
        let reopen = self.of(&["", "", "?reopen=true", "?reopen=perhaps"]);
        let path = format!("/bookings/{}{reopen}", booking.id);
        let by = self.mostly(person);
        keyed(ask(by, Method::DELETE, &path, Value::Null), self.key())
    }

    /// The host's word on a booking.
    fn word(&mut self) -> Command {
        let word = self.of(&["accept", "accept", "decline", "no_show", "no_show?waive=true"]);
        let booking = match self.near(&self.paid.clone()) {
            Some(paid) if word.starts_with("no_show") => paid,
            _ => self.booking(),
        };
        let by = self.mostly(host_of(booking.home));
        ask(by, Method::POST, &format!("/bookings/{}/{word}", booking.id), Value::Null)
    }

    fn block(&mut self) -> Command {
        if self.one_in(3)
            && let Some(block) = self.near(&self.blocks.clone())
        {
            let path = format!("/properties/{}/blocks/{}", self.homes[block.home], block.id);
            return ask(Some(host_of(block.home)), Method::DELETE, &path, Value::Null);
        }
        let (home, (from, to)) = (self.home(), self.stay());
        let reason = self.of(&["owner", "maintenance", "other", "boredom"]);
        let body = json!({ "from": from, "to": to, "reason": reason, "note": "Paint." });
        let by = self.mostly(host_of(home));
        let path = format!("/properties/{}/blocks", self.homes[home]);
        keyed(ask(by, Method::POST, &path, body), self.key())
    }

    fn calendar(&mut self) -> Command {
        let (home, (from, to)) = (self.home(), self.stay());
        let value = self.below(4);
        let (field, value) = self.of(&[
            ("price", json!(5_000 * (value + 1))),
            ("price", Value::Null),
            ("min_nights", json!(value + 1)),
            ("min_nights", Value::Null),
            ("max_nights", json!(value + 2)),
            ("closed_to_arrival", json!(value < 2)),
            ("closed_to_departure", json!(value < 2)),
        ]);
        let mut terms = json!({ "from": from, "to": to, "weekdays": ["mon", "wed", "sat"] });
        terms[field] = value;
        let mut body = json!({ "terms": [terms] });
        if self.one_in(4) {
            let (from, to) = self.stay();
            body["blocks"] = json!([{ "from": from, "to": to, "reason": "external" }]);
            body["mode"] = json!("around");
        }
        let by = self.mostly(host_of(home));
        let dry = self.of(&["", "", "?dry_run=true"]);
        let path = format!("/properties/{}/calendar{dry}", self.homes[home]);
        let matching = self.one_in(4);
        matched(ask(by, Method::PATCH, &path, body), matching)
    }

    fn rules(&mut self) -> Command {
        let home = self.home();
        let nights = self.below(3);
        let body = self.of(&[
            json!({ "preparation_nights": nights }),
            json!({ "booking_window_days": 8 + 4 * nights }),
            json!({ "advance_notice": { "days": nights, "cut_off": "06:00" } }),
            json!({ "default": { "min_nights": nights + 1, "max_nights": 9,
                    "closed_to_arrival": null, "closed_to_departure": null } }),
            json!({ "extra_guests": { "included": 1, "price_per_night": 333 },
                    "cleaning_fee": 777, "service_fee_bp": 1_250 }),
            json!({ "weekly_discount_bp": 500, "monthly_discount_bp": 3_333 }),
            json!({ "taxes": [{ "name": "VAT", "basis_points": 725, "amount": null,
                    "included": nights == 0 }, { "name": "City", "basis_points": null,
                    "amount": 100, "included": false }] }),
            json!({ "service_fee_bp": -1 }),
        ]);
        let by = self.mostly(host_of(home));
        let matching = self.one_in(4);
        let path = format!("/properties/{}/rules", self.homes[home]);
        matched(ask(by, Method::PUT, &path, body), matching)
    }

    fn property(&mut self) -> Command {
        let home = self.home();
        let price = 10_000 + 1_000 * self.below(9);
        let body = self.of(&[
            json!({ "price_per_night": price }),
            json!({ "price_per_night": "100" }),
            json!({ "status": "unlisted" }),
            json!({ "status": "listed" }),
            json!({ "status": "listed" }),
            json!({ "status": "listed" }),
            json!({ "status": "draft" }),
            json!({ "instant_book": price.is_multiple_of(2_000) }),
            json!({ "timezone": "Europe/Lisbon" }),
            json!({ "max_guests": 3 + price / 4_000 }),
        ]);
        let by = self.mostly(host_of(home));
        let matching = self.one_in(4);
        let path = format!("/properties/{}", self.homes[home]);
        if self.one_in(60) {
            return ask(by, Method::DELETE, &path, Value::Null);
        }
        matched(ask(by, Method::PUT, &path, body), matching)
    }

    fn change(&mut self, booking: &Thing) -> Command {
        let (check_in, check_out) = self.stay();
        let guests = 1 + self.below(4);
        let body = self.of(&[
            json!({ "check_in": check_in, "check_out": check_out }),
            json!({ "check_out": check_out }),
            json!({ "guests": guests }),
            json!({ "check_out": check_out }),
            json!({ "total_amount": 1 }),
        ]);
        let by = self.mostly(booking.guest);
        let matching = self.one_in(3);
        matched(ask(by, Method::PUT, &format!("/bookings/{}", booking.id), body), matching)
    }

    fn quote(&mut self) -> Command {
        if self.one_in(4)
            && let Some(quote) = self.near(&self.quotes.clone())
        {
            let by = self.anybody();
            return ask(by, Method::GET, &format!("/quotes/{}", quote.text("id")), Value::Null);
        }
        let (home, (check_in, check_out)) = (self.home(), self.stay());
        let body = json!({
            "property_id": self.homes[home], "check_in": check_in, "check_out": check_out,
            "guests": 1 + self.below(4),
        });
        let by = if self.one_in(3) { None } else { Some(self.guest()) };
        keyed(ask(by, Method::POST, "/quotes", body), self.key())
    }

    fn review(&mut self) -> Command {
        let rating = if self.one_in(8) { 6 } else { 1 + self.below(5) };
        let words = json!({ "rating": rating, "comment": "Quiet at night." });
        if self.one_in(2)
            && let Some(review) = self.near(&self.reviews.clone())
        {
            let (method, end) = self.of(&[
                (Method::GET, ""),
                (Method::PUT, ""),
                (Method::DELETE, ""),
                (Method::POST, "/reply"),
            ]);
            let body = match (&method, end) {
                (&Method::PUT, _) => words,
                (_, "/reply") => json!({ "comment": "Thank you." }),
                _ => Value::Null,
            };
            let person = if end.is_empty() { review.guest } else { host_of(review.home) };
            let by = self.mostly(person);
            return ask(by, method, &format!("/reviews/{}{end}", review.id), body);
        }
        let older = self.paid.len().saturating_sub(self.below(NEAR));
        let paid = self.paid[..older].to_vec();
        let Some(booking) = self.near(&paid) else { return self.read() };
        let person = self.of(&[booking.guest, host_of(booking.home)]);
        let by = self.mostly(person);
        ask(by, Method::POST, "/reviews", with(&words, "booking_id", json!(booking.id)))
    }

    fn clock(&mut self) -> Command {
        Command::Clock(self.of(&[HALF_HOUR, HALF_HOUR, 6 * HOUR, 6 * HOUR, DAY, DAY, 3 * DAY]))
    }

    /// Something to look at.
    fn read(&mut self) -> Command {
        if let Some((path, by)) = self.next_page.take() {
            return Command::Ask(Request { path, ..request(by, Method::GET, "", Value::Null) });
        }
        let (home, booking) = (self.home(), self.booking().id);
        let home = self.homes[home].clone();
        let payment = self.near(&self.payments.clone()).unwrap_or_default();
        let status = self.of(&["PENDING", "CONFIRMED", "CANCELED", "EXPIRED", "LOST"]);
        let (from, to, after) = (self.date(-3), self.date(20), self.below(60));
        let path = self.of(&[
            format!("/bookings/{booking}"),
            format!("/bookings/{booking}"),
            format!("/bookings/{booking}/cancellation"),
            format!("/bookings?status={status}&limit=3"),
            format!("/bookings?as=host&property={home}&from={from}&to={to}&limit=5"),
            "/bookings?as=host&limit=4".to_owned(),
            "/payments?limit=4".to_owned(),
            format!("/payments/{payment}"),
            "/properties?limit=2".to_owned(),
            "/properties?limit=3&guests=4&max_price=15000".to_owned(),
            format!("/properties/{home}"),
            format!("/properties/{home}/rules"),
            format!("/properties/{home}/blocks"),
            format!("/properties/{home}/calendar?from={from}&to={to}"),
            format!("/properties/{home}/events?after={after}"),
            format!("/reviews?property={home}&limit=3"),
            format!("/reviews?booking={booking}"),
        ]);
        ask(self.anybody(), Method::GET, &path, Value::Null)
    }
}

fn request(by: Option<usize>, method: Method, path: &str, body: Value) -> Request {
    let path = format!("/api/v1{path}");
    Request { by, method, path, body, key: None, matching: false }
}

fn ask(by: Option<usize>, method: Method, path: &str, body: Value) -> Command {
    Command::Ask(request(by, method, path, body))
}

fn keyed(command: Command, key: Option<String>) -> Command {
    match command {
        Command::Ask(request) => Command::Ask(Request { key, ..request }),
        other => other,
    }
}

fn matched(command: Command, matching: bool) -> Command {
    match command {
        Command::Ask(request) => Command::Ask(Request { matching, ..request }),
        other => other,
    }
}
