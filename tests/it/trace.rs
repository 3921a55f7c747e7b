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

const SEED: u64 = 7;
/// Deadlines are fifteen minutes away at the least, and clocks move in half hours: a run that takes
/// less real time has both servers on the same side of each.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// What must have been answered at least once.
const REACHED: [&str; 0] = [];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_and_postgresql_give_the_same_answers() {
    let began = Instant::now();
    let (mut one, mut other) = World::pair().await;
    let mut script = Script::new(SEED);
    let mut reached: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..if is_proof() { 5_000 } else { 500 } {
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
    let missing: Vec<_> = REACHED.iter().filter(|name| !reached.contains_key(**name)).collect();
    assert!(missing.is_empty(), "never answered: {missing:?}");
    assert!(reached.keys().all(|name| !name.starts_with('5')), "{reached:?}");
    assert!(began.elapsed() < LONGEST, "the run took {:?}: it does not count", began.elapsed());
    one.verify().await;
    other.verify().await;
}
