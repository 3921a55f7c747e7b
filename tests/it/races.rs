//! Races: two want at the same moment what cannot both be. One of them comes first, the other is
//! answered as what came second, and answers, history, calendar and money tell the same story.

use crate::helpers::{
    Answer, Ask, Document, Person, Server, day, home, is_proof, now, on_both, with,
};
use domain::Night;
use futures_util::future::{BoxFuture, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use std::future::IntoFuture;
use std::time::Duration;
use vacancy::store::accounts::Role;

on_both!(
    a_request_is_accepted_or_its_time_is_over_and_never_both,
    a_payment_and_a_cancellation_leave_the_money_where_the_booking_says,
    nights_are_blocked_or_booked_and_never_both,
    a_booking_is_judged_and_priced_before_an_edit_or_after_it,
    of_two_who_accept_one_is_told_that_it_was_done,
    a_change_and_a_cancellation_leave_a_canceled_booking_and_all_money_back,
);

/// What a job may take on a busy machine.
const SETTLED_WITHIN: Duration = Duration::from_secs(20);
/// Rounds that run side by side, each on a home of its own.
const AT_ONCE: usize = 25;
/// How many head starts there are, from none to about what a payment takes.
const HEAD_STARTS: usize = 7;
const PRICE: i64 = 12_000;
/// The nights that everybody wants.
const STAY: (i32, i32) = (40, 43);

/// One race between two sides.
#[derive(Clone, Debug)]
struct Round {
    number: usize,
    host: Person,
    guest: Person,
    home: String,
}

/// Who came first: the one that is named first in the race, or the other.
#[derive(Clone, Copy, Debug)]
enum Winner {
    One,
    Other,
}

impl Round {
    /// Whether this round is one of those that vary in their `bit`th respect.
    const fn varies(&self, bit: u32) -> bool {
        self.number >> bit & 1 == 1
    }

    fn book(&self, server: &Server) -> Ask {
        server.book(&self.guest, &self.home, &day(STAY.0), &day(STAY.1))
    }

    /// An operation of the host's on the home.
    fn edit(&self, server: &Server, method: Method, what: &str, body: &Value) -> Ask {
        let path = format!("/api/v1/properties/{}{what}", self.home);
        server.ask(method, &path).by(&self.host).json(body)
    }

    /// Sends both at once. In every second round the other one is first, and which of them is done
    /// first differs with the rounds: whoever is second waits for some small answers before.
    async fn both(&self, server: &Server, one: Ask, other: Ask) -> (Answer, Answer) {
        let (first, second) = if self.varies(0) { (other, one) } else { (one, other) };
        let second = async {
            head_start(server, self.number / 4).await;
            second.await
        };
        let (first, second) = tokio::join!(first.into_future(), second);
        if self.varies(0) { (second, first) } else { (first, second) }
    }

    /// What happened at the home since it was made: the host's view of its events.
    async fn history(&self, server: &Server) -> Vec<Value> {
        let path = format!("/api/v1/properties/{}/events?after=1", self.home);
        let events = server.get(&path).by(&self.host).await.expect(200);
        events.list("data").iter().map(|event| event["audit"].clone()).collect()
    }

    /// The causes of that, in their order.
    async fn causes(&self, server: &Server) -> Vec<String> {
        self.history(server).await.iter().map(|audit| audit.text("cause")).collect()
    }

    /// The states of the nights of a booking.
    async fn states(&self, server: &Server, booking: &Value) -> Vec<String> {
        server.states(&self.home, &booking.text("check_in"), &booking.text("check_out")).await
    }

    /// What was paid for a booking and what of it went back, by the guest's list of payments.
    async fn money(&self, server: &Server, booking: &Value) -> (i64, i64) {
        // What was promised is collected, or let go, by a job.
        let mut look = tokio::time::interval(Duration::from_millis(20));
        let settled = async {
            loop {
                look.tick().await;
                let path = "/api/v1/payments?limit=100";
                let payments = server.get(path).by(&self.guest).await.expect(200);
                let is_open = |payment: &Value| payment["status"] == "authorized";
                if !payments.list("data").iter().any(is_open) {
                    break payments;
                }
            }
        };
        let payments = tokio::time::timeout(SETTLED_WITHIN, settled).await;
        let payments = payments.expect("payments that come to rest");
        let (mut paid, mut back) = (0, 0);
        for payment in payments.list("data").iter().filter(|p| p["booking_id"] == booking["id"]) {
            match payment.text("status").as_str() {
                "captured" | "partially_refunded" | "refunded" => paid += payment.number("amount"),
                "voided" => {}
                other => panic!("a payment is {other}: {payment}"),
            }
            back += payment.number("refunded_amount");
        }
        (paid, back)
    }

    async fn pay(&self, server: &Server, booking: &Value) {
        let payment = server.pay(&self.guest, &booking.text("id"), "pm_card_visa").await;
        // A request is promised its money, and gets it when its host accepts.
        let promised = booking["awaiting"] == "host";
        let wanted = if promised { "authorized" } else { "captured" };
        assert_eq!(payment.expect(201)["status"], wanted);
    }

    /// The booking as it is now.
    async fn now(&self, server: &Server, booking: &Value) -> Value {
        server.booking(&self.guest, &booking.text("id")).await.expect(200)
    }
}

/// Waits for some small answers, more of them from turn to turn.
async fn head_start(server: &Server, turn: usize) {
    for _ in 0..(turn % HEAD_STARTS).pow(2) {
        server.get("/livez").await.expect(200);
    }
}

/// All rounds in batches, on new homes like this.
struct Batches<'a> {
    server: &'a Server,
    host: Person,
    guests: Vec<Person>,
    home: Value,
    wins: [usize; 2],
}

impl<'a> Batches<'a> {
    async fn of(server: &'a Server, home: Value) -> Self {
        let host = server.host().await;
        let guests = server.people(Role::Guest, AT_ONCE).await;
        Self { server, host, guests, home, wins: [0, 0] }
    }

    /// The number of batches that a race takes.
    fn count() -> usize {
        (if is_proof() { 2_000 } else { 200 }) / AT_ONCE
    }

    async fn batch(&self, batch: usize) -> Vec<Round> {
        let rounds = self.guests.iter().enumerate().map(async |(slot, guest)| {
            let home = self.server.post("/api/v1/properties", self.home.clone()).by(&self.host);
            Round {
                number: batch * AT_ONCE + slot,
                host: self.host.clone(),
                guest: guest.clone(),
                home: home.await.expect(201).text("id"),
            }
        });
        join_all(rounds).await
    }

    /// Runs all rounds: first `run`, and when nothing is under way any more `check`.
    async fn race<T, R, C>(mut self, run: impl Fn(Round) -> R, check: impl Fn(T) -> C)
    where
        R: Future<Output = T>,
        C: Future<Output = Winner>,
    {
        for batch in 0..Self::count() {
            let ran = join_all(self.batch(batch).await.into_iter().map(&run)).await;
            self.server.advance(0).await;
            let winners = join_all(ran.into_iter().map(&check)).await;
            self.count_wins(&winners);
        }
        self.end();
    }

    fn count_wins(&mut self, winners: &[Winner]) {
        for winner in winners {
            self.wins[*winner as usize] += 1;
        }
    }

    /// A race that always ends alike is none.
    fn end(self) {
        println!("{:?} came first", self.wins);
        assert!(self.wins.iter().all(|wins| *wins > 0), "{:?} came first", self.wins);
    }
}

/// A home whose host accepts each request.
fn on_request() -> Value {
    with(&home(), "instant_book", json!(false))
}

/// The host's word, or an admin's, on a request.
fn accept(server: &Server, person: &Person, booking: &Value) -> Ask {
    let path = format!("/api/v1/bookings/{}/accept", booking.text("id"));
    server.ask(Method::POST, &path).by(person)
}

/// The nights that everybody wants.
fn stay() -> (String, String) {
    (day(STAY.0), day(STAY.1))
}

/// A request to book that may have been paid for already.
async fn requested(
    server: &Server,
    round: &Round,
    stay: &(String, String),
    is_paid: bool,
) -> Value {
    let booking = server.book(&round.guest, &round.home, &stay.0, &stay.1).await.expect(201);
    if is_paid {
        round.pay(server, &booking).await;
    }
    booking
}

/// The next date whose check-in, 15:00, is ahead for the server, and the seconds until then.
fn next_check_in(server: &Server) -> (Night, u64) {
    const DAY: u64 = 24 * 60 * 60;
    const CHECK_IN: u64 = 15 * 60 * 60;
    let now = now().plus(server.moved()).as_micros().unsigned_abs() / 1_000_000;
    let days = (now + DAY - CHECK_IN) / DAY;
    let epoch: Night = "1970-01-01".parse().expect("a date");
    (epoch.plus(i32::try_from(days).expect("a day")), days * DAY + CHECK_IN - now)
}

async fn a_request_is_accepted_or_its_time_is_over_and_never_both(server: &mut Server) {
    let server = &*server;
    let mut batches = Batches::of(server, on_request()).await;
    for batch in 0..Batches::count() {
        let rounds = batches.batch(batch).await;
        if next_check_in(server).1 < 60 {
            // There is hardly time to ask before it.
            server.advance(60).await;
        }
        // A request ends at its check-in: all of a batch at the same moment.
        let (date, _) = next_check_in(server);
        let stay = (date.to_string(), date.plus(3).to_string());
        let asking = rounds.iter().map(|round| requested(server, round, &stay, round.varies(0)));
        let bookings = join_all(asking).await;
        server.advance(next_check_in(server).1 - 2).await;
        let mut moves: Vec<BoxFuture<'_, Option<Answer>>> = Vec::new();
        for (round, booking) in rounds.iter().zip(&bookings) {
            let accept = accept(server, &round.host, booking).into_future();
            moves.push(Box::pin(async { Some(accept.await) }));
        }
        // It moves by less than what a command may wait for its answer.
        let clock = async {
            head_start(server, batch).await;
            server.advance(3).await;
            None
        };
        moves.insert(0, Box::pin(clock));
        let answers = join_all(moves).await.into_iter().flatten();
        server.advance(0).await;
        let checking = rounds.iter().zip(&bookings).zip(answers);
        let checking = checking.map(|((round, booking), answer)| async move {
            accepted_or_expired(server, round, booking, &answer).await
        });
        batches.count_wins(&join_all(checking).await);
    }
    batches.end();
}

async fn accepted_or_expired(
    server: &Server,
    round: &Round,
    booking: &Value,
    answer: &Answer,
) -> Winner {
    let is_paid = round.varies(0);
    let (cause, status, night) = match (answer.status, is_paid) {
        (200, true) => ("accepted", "CONFIRMED", "booked"),
        (200, false) => ("accepted", "PENDING", "held"),
        _ => ("expired", "EXPIRED", "available"),
    };
    let now = round.now(server, booking).await;
    assert_eq!(now.text("status"), status, "{} {now}", answer.body);
    let before: &[&str] =
        if is_paid { &["held", "attempt_started", "confirmed"] } else { &["held"] };
    assert_eq!(round.causes(server).await, [before, &[cause]].concat());
    assert_eq!(round.states(server, booking).await, [night; 3]);
    // What pays for a request is only promised until the host accepts it.
    let is_accepted = cause == "accepted";
    let collected = if is_paid && is_accepted { 3 * PRICE } else { 0 };
    assert_eq!(round.money(server, booking).await, (collected, 0), "{now}");
    if is_accepted {
        assert_eq!(answer.body, now);
        return Winner::One;
    }
    answer.is_problem(409, "booking_ended");
    Winner::Other
}

async fn a_payment_and_a_cancellation_leave_the_money_where_the_booking_says(server: &mut Server) {
    // Nothing goes back to who cancels what was confirmed, so it shows in the money who was first.
    let home = with(&home(), "cancellation_policy", json!("non_refundable"));
    let server = &*server;
    let run = async |round: Round| {
        let booking = round.book(server).await.expect(201);
        let id = booking.text("id");
        let pay = server.pay(&round.guest, &id, "pm_card_visa");
        let answers = round.both(server, pay, server.cancel(&round.guest, &id)).await;
        (round, booking, answers)
    };
    let check = async |(round, booking, (pay, cancel)): (Round, Value, (Answer, Answer))| {
        let canceled = cancel.expect(200);
        let total = booking.number("total_amount");
        let money = round.money(server, &booking).await;
        assert_eq!(round.now(server, &booking).await["status"], "CANCELED");
        assert_eq!(round.states(server, &booking).await, ["available"; 3]);
        assert_eq!(canceled["refund"]["amount"], 0, "{canceled}");
        let causes = round.causes(server).await;
        let causes: Vec<&str> = causes.iter().map(String::as_str).collect();
        match &causes[..] {
            ["held", "canceled"] => {
                pay.is_problem(409, "booking_ended");
                assert_eq!(money, (0, 0));
                Winner::Other
            }
            ["held", "attempt_started", "canceled"] => {
                pay.expect(201);
                assert_eq!(money.0, money.1, "all that was paid went back");
                Winner::Other
            }
            ["held", "attempt_started", "confirmed", "canceled"] => {
                pay.expect(201);
                assert_eq!(money, (total, 0));
                Winner::One
            }
            _ => panic!("{causes:?}"),
        }
    };
    Batches::of(server, home).await.race(run, check).await;
    // What failed is tried again seconds later: nothing may be left to do then.
    server.advance(60).await;
    assert_eq!(server.storage().number("select count(*) from job").await, 0);
}

async fn nights_are_blocked_or_booked_and_never_both(server: &mut Server) {
    let server = &*server;
    let run = async |round: Round| {
        // They share one night.
        let (from, to) = if round.varies(1) { (38, 41) } else { (42, 45) };
        let body = json!({ "from": day(from), "to": day(to), "reason": "owner" });
        let block = round.edit(server, Method::POST, "/blocks", &body);
        let answers = round.both(server, block, round.book(server)).await;
        (round, answers)
    };
    let check = async |(round, (block, book)): (Round, (Answer, Answer))| {
        let states = server.states(&round.home, &day(38), &day(45)).await;
        let count = |state: &str| states.iter().filter(|night| *night == state).count();
        let shown = (count("blocked"), count("held"));
        let causes = round.causes(server).await;
        if block.status == 201 {
            book.is_problem(409, "unavailable_blocked");
            assert_eq!((shown, &causes[..]), ((3, 0), &["calendar_edited".to_owned()][..]));
            return Winner::One;
        }
        block.is_problem(409, "live_bookings");
        let booking = book.expect(201);
        assert!(block.body.text("detail").contains(&booking.text("id")), "{}", block.body);
        assert_eq!((shown, &causes[..]), ((0, 3), &["held".to_owned()][..]));
        assert_eq!(round.now(server, &booking).await["status"], "PENDING");
        Winner::Other
    };
    Batches::of(server, home()).await.race(run, check).await;
}

/// What a host may change while somebody books: the request, and what a booking after it hears.
fn edits(round: &Round) -> (Method, &'static str, Value, Option<&'static str>) {
    const HIGHER: i64 = 2 * PRICE;
    let terms = |field: &str, value: i64| {
        let mut terms = json!({ "from": day(STAY.0), "to": day(STAY.1) });
        terms[field] = json!(value);
        json!({ "terms": [terms] })
    };
    // The order of the two sides turns with even and odd rounds, so a step of five meets both.
    match round.number % 5 {
        0 => (Method::PATCH, "/calendar", terms("price", HIGHER), None),
        1 => (Method::PATCH, "/calendar", terms("min_nights", 5), Some("min_nights")),
        2 => (Method::PUT, "", json!({ "price_per_night": HIGHER }), None),
        3 => (Method::PUT, "", json!({ "status": "unlisted" }), Some("property_unlisted")),
        _ => {
            let default = json!({ "min_nights": null, "max_nights": 2,
                                  "closed_to_arrival": null, "closed_to_departure": null });
            (Method::PUT, "/rules", json!({ "default": default }), Some("max_nights"))
        }
    }
}

async fn a_booking_is_judged_and_priced_before_an_edit_or_after_it(server: &mut Server) {
    let server = &*server;
    let run = async |round: Round| {
        let (method, what, body, _) = edits(&round);
        let edit = round.edit(server, method, what, &body);
        let answers = round.both(server, edit, round.book(server)).await;
        (round, answers)
    };
    let check = async |(round, (edit, book)): (Round, (Answer, Answer))| {
        edit.expect(200);
        let causes = round.causes(server).await;
        let at = causes.iter().position(|cause| cause == "held");
        let total = match (at, edits(&round).3) {
            (None, Some(code)) => {
                book.is_problem(409, code);
                assert_eq!(causes.len(), 1, "{causes:?}");
                return Winner::One;
            }
            (Some(0), _) => 3 * PRICE,
            (Some(1), None) => 6 * PRICE,
            _ => panic!("{causes:?}: {}", book.body),
        };
        let booking = book.expect(201);
        assert_eq!((causes.len(), booking.number("total_amount")), (2, total), "{causes:?}");
        assert_eq!(round.now(server, &booking).await, booking);
        if at == Some(0) { Winner::Other } else { Winner::One }
    };
    Batches::of(server, home()).await.race(run, check).await;
}

async fn of_two_who_accept_one_is_told_that_it_was_done(server: &mut Server) {
    let server = &*server;
    let admin = &server.admin().await;
    let run = async |round: Round| {
        let booking = requested(server, &round, &stay(), round.varies(1)).await;
        let accept = |person| accept(server, person, &booking);
        let answers = round.both(server, accept(&round.host), accept(admin)).await;
        (round, booking, answers)
    };
    let check = async |(round, booking, answers): (Round, Value, (Answer, Answer))| {
        let (winner, person, won, lost) = match answers {
            (host, other) if host.status == 200 => (Winner::One, &round.host, host, other),
            (other, admins) => (Winner::Other, admin, admins, other),
        };
        lost.is_problem(409, "wrong_status");
        assert_eq!(round.now(server, &booking).await, won.expect(200));
        let history = round.history(server).await;
        let accepted: Vec<_> =
            history.iter().filter(|audit| audit["cause"] == "accepted").collect();
        assert_eq!(accepted.len(), 1, "{history:?}");
        assert_eq!(accepted[0]["user_id"], person.id.to_string());
        let (status, total) =
            if round.varies(1) { ("CONFIRMED", 3 * PRICE) } else { ("PENDING", 0) };
        assert_eq!(won.body.text("status"), status);
        assert_eq!(round.money(server, &booking).await, (total, 0));
        winner
    };
    Batches::of(server, on_request()).await.race(run, check).await;
}

async fn a_change_and_a_cancellation_leave_a_canceled_booking_and_all_money_back(
    server: &mut Server,
) {
    let server = &*server;
    let run = async |round: Round| {
        let booking = requested(server, &round, &stay(), round.varies(1)).await;
        let path = format!("/api/v1/bookings/{}", booking.text("id"));
        let change = server.put(&path, json!({ "check_out": day(42) })).by(&round.guest);
        let by = if round.varies(2) { &round.host } else { &round.guest };
        let answers = round.both(server, change, server.cancel(by, &booking.text("id"))).await;
        (round, booking, answers)
    };
    let check = async |(round, booking, (change, cancel)): (Round, Value, (Answer, Answer))| {
        let is_paid = round.varies(1);
        let canceled = cancel.expect(200);
        let mut causes = round.causes(server).await;
        // The host's cancellation of what was confirmed keeps its nights blocked.
        let keeps = is_paid && round.varies(2);
        assert_eq!(causes.pop_if(|cause| cause == "calendar_edited").is_some(), keeps);
        let (winner, nights) = if change.status == 200 {
            assert_eq!(causes[causes.len() - 2..], ["changed", "canceled"]);
            assert_eq!(canceled.text("check_out"), day(42));
            (Winner::One, 2)
        } else {
            change.is_problem(409, "booking_ended");
            assert!(!causes.contains(&"changed".to_owned()), "{causes:?}");
            assert_eq!(canceled.text("check_out"), day(43));
            (Winner::Other, 3)
        };
        let now = round.now(server, &booking).await;
        assert_eq!((&now["version"], &now["status"]), (&canceled["version"], &json!("CANCELED")));
        assert_eq!(now["total_amount"], nights * PRICE);
        let states = round.states(server, &booking).await;
        let blocked = states.iter().filter(|state| *state == "blocked").count();
        let free = states.iter().filter(|state| *state == "available").count();
        let expected = if keeps { nights.unsigned_abs() as usize } else { 0 };
        assert_eq!((blocked, free), (expected, 3 - expected));
        let paid = if is_paid { 3 * PRICE } else { 0 };
        assert_eq!(round.money(server, &booking).await, (paid, paid));
        assert_eq!(canceled["refund"]["amount"], paid);
        winner
    };
    Batches::of(server, home()).await.race(run, check).await;
}
