//! The rules can be broken: every bug that can be planted in the worker is seen.

use crate::world::World;

/// What is wrong with the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    Nothing,
    /// A refund is sent under another key each time.
    FreshRefundKey,
    /// An order is made anew where its answer was lost, instead of looking for it.
    OrdersAnew,
    /// That the booking did not take the money is not written down, so it is offered again.
    OffersAgain,
    /// The booking never hears that an attempt failed.
    KeepsFailuresQuiet,
    /// What goes back is reckoned without what went back before.
    ForgetsRefunds,
    /// What an event says is believed.
    BelievesEvents,
    /// That the provider has no such order is believed at once, while it may still be on its way.
    TrustsSilence,
    /// Two workers are at one payment.
    TwoWorkers,
}

/// How many seeds each bug is given.
const SEEDS: u64 = 2_000;
/// In how many of them it must be seen, so that no change of the world lets it slip through.
const MARGIN: usize = 5;

/// The seeds in which a planted bug breaks a rule, with the rule.
fn caught(bug: Planted) -> Vec<(u64, String)> {
    let mut seeds = Vec::new();
    for seed in 0..SEEDS {
        if let Err(rule) = World::new(seed, bug).run() {
            seeds.push((seed, rule));
        }
        if seeds.len() == MARGIN {
            break;
        }
    }
    seeds
}

#[test]
fn every_planted_bug_is_caught() {
    let bugs = [
        Planted::FreshRefundKey,
        Planted::OrdersAnew,
        Planted::OffersAgain,
        Planted::KeepsFailuresQuiet,
        Planted::ForgetsRefunds,
        Planted::BelievesEvents,
        Planted::TrustsSilence,
        Planted::TwoWorkers,
    ];
    let missed: Vec<String> = bugs.into_iter().filter_map(|bug| told(bug, &caught(bug))).collect();
    assert_eq!(missed, Vec::<String>::new());
}

/// Prints how a bug was seen, and says so if that was not often enough.
fn told(bug: Planted, seeds: &[(u64, String)]) -> Option<String> {
    let numbers: Vec<u64> = seeds.iter().map(|(seed, _)| *seed).collect();
    if let Some((_, rule)) = seeds.first() {
        let rule: String = rule.chars().take(160).collect();
        println!("{bug:?}: in seeds {numbers:?}, first: {rule}");
    }
    (seeds.len() < MARGIN).then(|| format!("{bug:?} was seen in {numbers:?} only"))
}
