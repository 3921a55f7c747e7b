//! The simulator of money: guests and hosts, two providers, and the workers between them, on a
//! clock and with a weather that follow from a seed.
//!
//! Each seed is one [`world`]: a property whose commands are decided by the real state, a store
//! that holds what was committed ([`store`]), people ([`people`]), providers that keep their own
//! books ([`provider`]), and the worker that carries out what the settlement says of a payment
//! ([`worker`], [`moves`]). An oracle looks on after every step ([`oracle`]). When the weather is
//! over everything must come to rest, and all money must be where it belongs ([`quiet`]). A run
//! counts the interesting states that it reached ([`coverage`]) and fails if one was not.
//! `SIMULATOR_SEED=n` replays one seed and tells what happens (with `--nocapture`), `PROVE=1` runs
//! twenty thousand.

mod coverage;
mod moves;
mod oracle;
mod people;
mod plan;
mod planted;
mod provider;
mod quiet;
#[path = "../simulator/random.rs"]
mod random;
mod store;
mod worker;
mod world;

use coverage::Coverage;
use planted::Planted;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use world::World;

const SEEDS: u64 = 2_000;
const SEEDS_TO_PROVE: u64 = 20_000;

/// The first seed that broke a rule, with the rule, or what all of them reached.
fn run_seeds(seeds: u64) -> Result<Coverage, (u64, String)> {
    let next = AtomicU64::new(0);
    let total = Mutex::new(Coverage::default());
    let broken: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds {
            return;
        }
        match World::new(seed, Planted::Nothing).run() {
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

/// Runs one seed again and prints all that happens in it.
fn tell(seed: u64) -> Result<(), String> {
    let mut world = World::new(seed, Planted::Nothing);
    world.is_told = true;
    world.run().map(|_| ())
}

#[test]
fn every_seed_settles_to_the_minor_unit_and_reaches_every_state() {
    if let Some(seed) = std::env::var("SIMULATOR_SEED").ok().and_then(|seed| seed.parse().ok()) {
        if let Err(rule) = tell(seed) {
            panic!("seed {seed}: {rule}");
        }
        return;
    }
    let seeds = if std::env::var_os("PROVE").is_some() { SEEDS_TO_PROVE } else { SEEDS };
    let coverage = run_seeds(seeds).unwrap_or_else(|(seed, rule)| {
        let again = tell(seed);
        let replay = format!("SIMULATOR_SEED={seed} cargo test -p domain --test money");
        panic!("seed {seed}: {rule}\nas told above: {}\nreplay: {replay}", again.is_err())
    });
    for (state, count) in coverage.lines() {
        println!("{count:>10} {state}");
    }
    assert_eq!(coverage.missing(), Vec::<&str>::new(), "never reached in {seeds} seeds");
}
