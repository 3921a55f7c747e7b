//! Random choices that can be repeated from a seed (SplitMix64, Steele, Lea and Flood 2014). It is
//! not for secrets: it draws stays and the jitter of waits.

/// A stream of pseudo-random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    /// The stream number `stream` of a seed; streams of one seed are unrelated.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self { state: seed };
        dice.state = dice.next() ^ stream.wrapping_mul(0xd134_2543_de82_ef95);
        dice
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound - 1`; 0 when `bound` is 0. The bias of the multiplication is below
    /// one in four thousand million.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let upper = self.next() >> 32;
        u32::try_from((upper * u64::from(bound)) >> 32).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u16, high: u16) -> u16 {
        let span = u32::from(high.saturating_sub(low)) + 1;
        low + u16::try_from(self.below(span)).unwrap_or(0)
    }

    /// Puts a list into random order (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let bound = u32::try_from(last + 1).unwrap_or(u32::MAX);
            list.swap(last, self.below(bound) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn the_same_seed_gives_the_same_choices_and_another_stream_gives_others() {
        let draw = |seed, stream| {
            let mut dice = Dice::new(seed, stream);
            (0..32).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn every_value_of_a_range_is_drawn_and_none_outside() {
        let mut dice = Dice::new(1, 0);
        let mut seen = [0u32; 5];
        for _ in 0..1000 {
            seen[usize::from(dice.between(1, 4))] += 1;
        }
        assert_eq!(seen[0], 0);
        assert!(seen[1..].iter().all(|&count| count > 200), "{seen:?}");
    }
}
