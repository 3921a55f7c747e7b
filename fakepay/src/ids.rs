//! Ids that look like the real ones. The same seed gives the same ids in the same order.

use std::hash::{BuildHasher, RandomState};

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CAPITALS: usize = 36;

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough for names.
#[derive(Debug)]
pub(crate) struct Ids(u64);

impl Default for Ids {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Ids {
    /// Without a seed they differ from run to run.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(seed.unwrap_or_else(|| RandomState::new().hash_one("fakepay")))
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn letters(&mut self, length: usize, choice: usize) -> String {
        let letter = |ids: &mut Self| LETTERS[(ids.number() % choice as u64) as usize] as char;
        (0..length).map(|_| letter(self)).collect()
    }

    /// `pi_…`: the prefix and 24 letters.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}_{}", self.letters(24, LETTERS.len()))
    }

    /// So many capitals and digits, as M-Pesa's receipts are written.
    pub(crate) fn capitals(&mut self, length: usize) -> String {
        self.letters(length, CAPITALS)
    }
}
