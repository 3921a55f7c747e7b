//! The simulator of the property pipeline: many clients, two writers and one store, on a clock and
//! with a weather that follow from a seed.
//!
//! Each seed is one [`world`]: nodes with their machines and lanes ([`node`], [`actors`],
//! [`lanes`], [`turns`]), clients ([`client`]), a store that fails, fences, dies and forgets
//! ([`store`], [`faults`]), and an oracle that looks on after every step ([`oracle`], [`answers`],
//! [`ledger`]). A run counts the interesting states that it reached ([`coverage`]) and fails if one
//! was not. `SIMULATOR_SEED=n` replays one seed and tells what happens (with `--nocapture`),
//! `PROVE=1` runs ten thousand.

mod actors;
mod answers;
mod client;
mod coverage;
mod faults;
mod lanes;
mod ledger;
mod node;
mod oracle;
mod plan;
#[cfg(feature = "test_switches")]
mod planted;
mod queue;
mod random;
mod request;
mod store;
mod turns;
mod world;

use coverage::Coverage;
use domain::switches::Switches;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use world::World;

const SEEDS: u64 = 1_000;
const SEEDS_TO_PROVE: u64 = 10_000;

/// The first seed that broke a rule, with the rule, or what all of them reached.
fn run_seeds(seeds: u64, switches: Switches) -> Result<Coverage, (u64, String)> {
    let next = AtomicU64::new(0);
    let total = Mutex::new(Coverage::default());
    let broken: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds {
            return;
        }
        match World::new(seed, switches).run() {
            Ok(coverage) => total.lock().expect("no panic").add(&coverage),
            Err(rule) => {
                next.store(seeds, Ordering::Relaxed);
                let mut broken = broken.lock().expect("no panic");
                if broken.as_ref().is_none_or(|(first, _)| seed < *first) {
                    *broken = Some((seed, rule));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    match broken.into_inner().expect("no panic") {
        Some(broken) => Err(broken),
        None => Ok(total.into_inner().expect("no panic")),
    }
}

#[test]
fn every_seed_keeps_every_rule_and_reaches_every_state() {
    if let Some(seed) = std::env::var("SIMULATOR_SEED").ok().and_then(|seed| seed.parse().ok()) {
        let mut world = World::new(seed, Switches::default());
        world.is_told = true;
        if let Err(rule) = world.run() {
            panic!("seed {seed}: {rule}");
        }
        return;
    }
    let seeds = if std::env::var_os("PROVE").is_some() { SEEDS_TO_PROVE } else { SEEDS };
    let coverage = run_seeds(seeds, Switches::default()).unwrap_or_else(|(seed, rule)| {
        let replay = format!("SIMULATOR_SEED={seed} cargo test -p domain --test simulator");
        panic!("seed {seed}: {rule}\nreplay: {replay}")
    });
    for (state, count) in coverage.lines() {
        println!("{count:>10} {state}");
    }
    assert_eq!(coverage.missing(), Vec::<&str>::new(), "never reached in {seeds} seeds");
}
