//! Blocks: nights that a host keeps for something else than bookings.

use crate::{BlockId, Night, Stay};
use std::collections::BTreeMap;
use std::str::FromStr;

/// Why nights are blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Owner,
    Maintenance,
    Preparation,
    External,
    Other,
}

impl Reason {
    /// All reasons, in the order of their stored numbers.
    pub const ALL: [Self; 5] =
        [Self::Owner, Self::Maintenance, Self::Preparation, Self::External, Self::Other];

    /// The stored and shown name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Maintenance => "maintenance",
            Self::Preparation => "preparation",
            Self::External => "external",
            Self::Other => "other",
        }
    }
}

/// The text names no reason of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be owner, maintenance, preparation, external or other")]
pub struct UnknownReason;

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        Self::ALL.into_iter().find(|reason| reason.name() == text).ok_or(UnknownReason)
    }
}

/// Nights that nobody can book. Blocks may overlap each other; a night is open again when the last
/// one over it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub id: BlockId,
    pub nights: Stay,
    pub reason: Reason,
}

/// A property's blocks.
pub type Blocks = BTreeMap<BlockId, Block>;

/// The most blocks that a property may have.
pub const MAX_BLOCKS: usize = 1_000;

/// Whether any block holds this night.
pub fn holds(blocks: &Blocks, night: Night) -> bool {
    blocks.values().any(|block| block.nights.has(night))
}
