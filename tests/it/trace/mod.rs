//! One trace on two databases: the same commands, one after the other, to a server on SQLite and to
//! one on PostgreSQL. Every answer is the same on both: status, code, totals, the order of lists.
//!
//! The trace follows from a seed, and both clocks begin at one instant that is written here, so it
//! is the same in every run. What differs by its nature (ids, instants, cursors) is replaced by its
//! place in the order of appearance.

mod script;
mod world;

use crate::helpers::is_proof;
use script::Script;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use world::World;

const SEED: u64 = 38;
/// Deadlines are fifteen minutes away at the least, and clocks move in half hours: a run that takes
/// less real time has both servers on the same side of each.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// What must have been answered at least once, also in the short form.
const REACHED: &[&str] = &[
    "200",
    "200 replayed",
    "201",
    "201 replayed",
    "204",
    "401 unauthenticated",
    "403 forbidden",
    "404 not_found",
    "409 beyond_window",
    "409 booking_ended",
    "409 in_past",
    "409 live_bookings",
    "409 min_nights",
    "409 own_property",
    "409 preparation",
    "409 property_unlisted",
    "409 quote_expired",
    "409 stay_not_completed",
    "409 unavailable_blocked",
    "409 unavailable_booked",
    "409 unavailable_held",
    "409 wrong_moment",
    "409 wrong_status",
    "412 precondition_failed",
    "422 invalid_field",
];

/// What the whole trace reaches besides.
const REACHED_IN_PROOF: &[&str] = &[
    "409 advance_notice",
    "409 closed_to_arrival",
    "409 closed_to_departure",
    "409 max_nights",
    "409 payment_under_way",
    "409 review_window_closed",
    "409 too_many_guests",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_and_postgresql_give_the_same_answers() {
    let began = Instant::now();
    let (mut one, mut other) = World::pair().await;
    let mut script = Script::new(SEED);
    let mut reached: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..if is_proof() { 5_000 } else { 800 } {
        let command = script.next();
        let (left, right) = tokio::join!(one.carry_out(&command), other.carry_out(&command));
        assert!(
            left == right,
            "command {number} of seed {SEED} differs: {command}\nSQLite:     {left}\n\
             PostgreSQL: {right}"
        );
        *reached.entry(left.outcome()).or_default() += 1;
        script.learn(&command, &left);
    }
    println!("{reached:#?}");
    let more = if is_proof() { REACHED_IN_PROOF } else { &[] };
    let listed = REACHED.iter().chain(more);
    let missing: Vec<_> = listed.filter(|name| !reached.contains_key(**name)).collect();
    assert!(missing.is_empty(), "never answered: {missing:?}");
    assert!(reached.keys().all(|name| !name.starts_with('5')), "{reached:?}");
    assert!(began.elapsed() < LONGEST, "the run took {:?}: it does not count", began.elapsed());
    one.verify().await;
    other.verify().await;
}
