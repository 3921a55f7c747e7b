//! Which bookings were there when, night by night: a sorted list that answers in logarithmic time
//! whether anything held a night during a span, and finds two lives that meet.

use jiff::civil::Date;

use crate::clock::Nanos;
use crate::stay::Stay;

/// One booking on one night.
#[derive(Debug, Clone, Copy)]
struct Life {
    property: u32,
    night: Date,
    from: Nanos,
    to: Nanos,
    /// The attempt that made the booking.
    attempt: usize,
    /// The latest end among this life and the earlier ones on its night.
    reach: Nanos,
}

/// Lives of bookings on the nights of all properties, in the order property, night, start.
#[derive(Debug, Default)]
pub(crate) struct Lives(Vec<Life>);

/// Two lives that meet on a night.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meeting {
    pub(crate) night: Date,
    pub(crate) attempts: [usize; 2],
}

impl Lives {
    /// Sorts the lives of bookings given as attempt, property, stay and span.
    pub(crate) fn new(bookings: impl Iterator<Item = (usize, u32, Stay, (Nanos, Nanos))>) -> Self {
        let mut lives: Vec<Life> = bookings
            .flat_map(|(attempt, property, stay, (from, to))| {
                let life = move |night| Life { property, night, from, to, attempt, reach: to };
                stay.nights().map(life)
            })
            .collect();
        lives.sort_unstable_by_key(|life| (life.property, life.night, life.from));
        for next in 1..lives.len() {
            let before = lives[next - 1];
            if (before.property, before.night) == (lives[next].property, lives[next].night) {
                lives[next].reach = before.reach.max(lives[next].to);
            }
        }
        Self(lives)
    }

    /// Whether some life on the night meets the span, its ends included.
    pub(crate) fn meets(&self, property: u32, night: Date, from: Nanos, to: Nanos) -> bool {
        let key = (property, night, to);
        let after = self.0.partition_point(|life| (life.property, life.night, life.from) <= key);
        self.0[..after]
            .last()
            .is_some_and(|l| (l.property, l.night) == (property, night) && l.reach >= from)
    }

    /// Every life that begins while an earlier one on its night lasts, with that earlier one.
    pub(crate) fn meetings(&self) -> impl Iterator<Item = Meeting> {
        let mut longest: Option<Life> = None;
        self.0.iter().filter_map(move |&life| {
            let same = |l: &Life| (l.property, l.night) == (life.property, life.night);
            let before = longest.filter(same);
            if before.is_none_or(|before| before.to < life.to) {
                longest = Some(life);
            }
            let before = before.filter(|before| life.from < before.to)?;
            Some(Meeting { night: life.night, attempts: [before.attempt, life.attempt] })
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::Lives;
    use crate::stay::Stay;

    const FIRST: Date = date(2026, 12, 1);

    fn lives(spans: &[(u64, u64)]) -> Lives {
        let stay = Stay::new(FIRST, 1).expect("one night");
        Lives::new(spans.iter().enumerate().map(|(attempt, &span)| (attempt, 0, stay, span)))
    }

    #[test]
    fn a_span_meets_a_long_life_that_began_before_shorter_ones() {
        let lives = lives(&[(10, 100), (20, 30), (40, 50)]);
        for (from, to, met) in
            [(0, 9, false), (0, 10, true), (60, 70, true), (100, 200, true), (101, 200, false)]
        {
            assert_eq!(lives.meets(0, FIRST, from, to), met, "{from}..{to}");
        }
        assert!(!lives.meets(1, FIRST, 10, 100), "another property");
        assert!(!lives.meets(0, date(2026, 12, 2), 10, 100), "another night");
    }

    #[test]
    fn lives_that_follow_each_other_do_not_meet_and_those_that_overlap_do() {
        assert_eq!(lives(&[(10, 20), (20, 30), (30, u64::MAX)]).meetings().count(), 0);
        let meetings: Vec<_> =
            lives(&[(10, 100), (20, 30), (40, 50)]).meetings().map(|m| m.attempts).collect();
        assert_eq!(meetings, [[0, 1], [0, 2]]);
    }
}
