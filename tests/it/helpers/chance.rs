//! Chance that a failed run can be repeated with: the numbers follow from a seed.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound`, which is left out.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound)).expect("smaller than the bound")
    }

    /// The same as a place among so many.
    pub(crate) fn place(&mut self, bound: usize) -> usize {
        self.below(u32::try_from(bound).expect("few")) as usize
    }

    /// The same as a number of days.
    pub(crate) fn days(&mut self, bound: u32) -> i32 {
        i32::try_from(self.below(bound)).expect("days are few")
    }
}
