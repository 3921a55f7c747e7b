//! The oracle can fail: every bug that can be planted is seen, each time and by a wide margin.

use crate::world::World;
use domain::switches::{Bug, Switches};

/// How many seeds each bug is given.
const SEEDS: u64 = 300;
/// In how many of them it must be seen, so that no change of the world lets it slip through.
const MARGIN: usize = 5;

/// The seeds in which a planted bug breaks a rule, with the rule.
fn caught(bug: Bug) -> Vec<(u64, String)> {
    let broken = |seed| {
        let rule = World::new(seed, Switches::planted(bug)).run().err()?;
        Some((seed, rule))
    };
    (0..SEEDS).filter_map(broken).collect()
}

#[test]
fn every_planted_bug_is_caught() {
    let bugs = [
        Bug::ReplyBeforeCommit,
        Bug::PublishBeforeCommit,
        Bug::OverlapClosed,
        Bug::DeadlineClosed,
        Bug::ForgetPending,
        Bug::NoLaneRule,
        Bug::SeqWithoutHash,
        Bug::KeyOutsideTransaction,
        Bug::NoSeqOnExpiry,
    ];
    let missed: Vec<String> = std::thread::scope(|scope| {
        let runs = bugs.map(|bug| scope.spawn(move || (bug, caught(bug))));
        let seen = runs.map(|run| run.join().expect("the machines do not panic"));
        seen.into_iter().filter_map(|(bug, seeds)| told(bug, &seeds)).collect()
    });
    assert_eq!(missed, Vec::<String>::new());
}

/// Prints how a bug was seen, and says so if that was not often enough.
fn told(bug: Bug, seeds: &[(u64, String)]) -> Option<String> {
    if let Some((seed, rule)) = seeds.first() {
        let rule: String = rule.chars().take(160).collect();
        println!("{bug:?}: in {} of {SEEDS} seeds, first in seed {seed}: {rule}", seeds.len());
    }
    (seeds.len() < MARGIN).then(|| format!("{bug:?} was seen in {} seeds", seeds.len()))
}

#[test]
fn without_the_actors_check_the_store_still_lets_no_night_be_booked_twice() {
    for seed in 0..SEEDS {
        if let Err(rule) = World::new(seed, Switches::planted(Bug::NoOverlapCheck)).run() {
            panic!("seed {seed}: {rule}");
        }
    }
}
