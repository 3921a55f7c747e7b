//! The stays that clients of a storm ask for.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::ToSpan;
use jiff::civil::Date;

use crate::dice::Dice;
use crate::stay::Stay;
use crate::storm::Storm;

/// One stay that a client will ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    /// The number of the property.
    pub(crate) property: u32,
    pub(crate) stay: Stay,
}

/// Where wishes come from; shared by all clients.
#[derive(Debug)]
pub(crate) enum Wishes {
    /// Any stay of any property, drawn again and again.
    Random { properties: u32, first: Date, horizon_days: u32, nights: (u16, u16) },
    /// All calendars cut into stays, in random order, each given away once: like random stays, but
    /// no two of them share a night.
    Fresh { wishes: Vec<Wish>, next: AtomicUsize },
}

impl Wishes {
    pub(crate) fn new(storm: &Storm, first: Date, seed: u64) -> Self {
        let Storm { properties, horizon_days, .. } = *storm;
        let nights = (*storm.nights.start(), *storm.nights.end());
        if !storm.fresh {
            return Self::Random { properties, first, horizon_days, nights };
        }
        let mut dice = Dice::new(seed, 0);
        let end = first.saturating_add(i64::from(horizon_days).days());
        let mut wishes = Vec::new();
        for property in 0..properties {
            let mut check_in = first;
            loop {
                let length = dice.between(nights.0, nights.1);
                let stay = Stay::new(check_in, length).filter(|stay| stay.check_out() <= end);
                let Some(stay) = stay else { break };
                wishes.push(Wish { property, stay });
                check_in = stay.check_out();
            }
        }
        dice.shuffle(&mut wishes);
        Self::Fresh { wishes, next: AtomicUsize::new(0) }
    }

    /// The next wish, `None` when all nights are given away.
    pub(crate) fn next(&self, dice: &mut Dice) -> Option<Wish> {
        match self {
            Self::Random { properties, first, horizon_days, nights } => {
                let length = dice.between(nights.0, nights.1);
                let last = horizon_days.saturating_sub(u32::from(length));
                let check_in = first.saturating_add(i64::from(dice.below(last + 1)).days());
                let property = dice.below(*properties);
                Some(Wish { property, stay: Stay::new(check_in, length)? })
            }
            Self::Fresh { wishes, next } => {
                wishes.get(next.fetch_add(1, Ordering::Relaxed)).copied()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::ToSpan;
    use jiff::civil::{Date, date};

    use super::Wishes;
    use crate::dice::Dice;
    use crate::storm::Storm;

    const FIRST: Date = date(2026, 12, 1);

    #[test]
    fn fresh_wishes_share_no_night_and_leave_few_unasked() {
        let storm = Storm { properties: 3, horizon_days: 100, ..Storm::throughput() };
        let wishes = Wishes::new(&storm, FIRST, 1);
        let (mut dice, mut seen) = (Dice::new(1, 1), HashSet::new());
        while let Some(wish) = wishes.next(&mut dice) {
            for night in wish.stay.nights() {
                assert!(seen.insert((wish.property, night)), "{night} is asked for twice");
            }
        }
        assert!((3 * 97..=300).contains(&seen.len()), "{} nights", seen.len());
    }

    #[test]
    fn random_wishes_stay_within_the_horizon_and_reach_its_ends() {
        let storm = Storm { properties: 2, horizon_days: 10, ..Storm::spread() };
        let wishes = Wishes::new(&storm, FIRST, 1);
        let mut dice = Dice::new(1, 1);
        let nights: HashSet<_> =
            (0..500).filter_map(|_| wishes.next(&mut dice)).flat_map(|w| w.stay.nights()).collect();
        let all: HashSet<_> = (0..10).map(|night| FIRST.saturating_add(night.days())).collect();
        assert_eq!(nights, all);
    }
}
