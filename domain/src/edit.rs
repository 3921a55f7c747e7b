//! An edit of a calendar: prices, restrictions and blocks of any nights, all of it or nothing, as
//! one event.

use crate::block::{Block, Blocks, MAX_BLOCKS, holds};
use crate::booking::Booking;
use crate::calendar::{Calendar, Change, Claim};
use crate::event::Seq;
use crate::refusal::Refusal;
use crate::rules::{Overrides, Terms, weekday};
use crate::{BlockId, Instant, Night, Property, Stay};
use std::collections::BTreeSet;

/// What becomes of one term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Set<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// The date says nothing about it any more.
    Clear,
    To(T),
}

impl<T: Copy> Set<T> {
    fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *to = None,
            Self::To(value) => *to = Some(value),
        }
    }
}

/// Terms for some nights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermsEdit {
    pub nights: Stay,
    /// Which weekdays of them, from Monday to Sunday.
    pub weekdays: [bool; 7],
    pub price: Set<i64>,
    pub min_nights: Set<u16>,
    pub max_nights: Set<u16>,
    pub closed_to_arrival: Set<bool>,
    pub closed_to_departure: Set<bool>,
}

/// What a host wants of a calendar: later edits of terms lie over earlier ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CalendarEdit {
    pub terms: Vec<TermsEdit>,
    /// With a note that only the host sees.
    pub blocks: Vec<(Block, Option<String>)>,
    pub unblock: Vec<BlockId>,
    /// The event that the calendar was as of when its host looked; nothing where any will do.
    pub seen: Option<Seq>,
    /// Whether blocks leave out the nights of bookings, instead of being refused.
    pub around: bool,
}

/// What an edit changes: what is stored and told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// What each of these dates says now; nothing for one that says nothing any more.
    pub terms: Vec<(Night, Terms)>,
    pub blocked: Vec<Block>,
    pub unblocked: Vec<BlockId>,
}

impl Edited {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.blocked.is_empty() && self.unblocked.is_empty()
    }
}

/// The state that an edit is laid over.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    pub overrides: &'a Overrides,
    pub blocks: &'a Blocks,
    pub calendar: &'a Calendar,
    pub now: Instant,
}

impl CalendarEdit {
    /// What the edit would change.
    pub fn lay_over(&self, before: &Before<'_>) -> Result<Edited, Refusal> {
        let unblocked: BTreeSet<BlockId> = self.unblock.iter().copied().collect();
        if let Some(unknown) = unblocked.iter().find(|id| !before.blocks.contains_key(id)) {
            return Err(Refusal::UnknownBlock(*unknown));
        }
        let mut blocked = Vec::new();
        let mut in_the_way = BTreeSet::new();
        for (block, _) in &self.blocks {
            let taken = before.calendar.claims(block.nights).filter_map(|(night, claim)| {
                claim.booking().filter(|_| claim.is_live(before.now)).map(|id| (night, id))
            });
            let mut free_from = block.nights.check_in();
            for (night, booking) in taken {
                in_the_way.insert(booking);
                blocked.extend(piece(block, free_from, night));
                free_from = night.plus(1);
            }
            blocked.extend(piece(block, free_from, block.nights.check_out()));
        }
        if !self.around && !in_the_way.is_empty() {
            return Err(Refusal::LiveBookings(in_the_way.into_iter().collect()));
        }
        let known = blocked.iter().find(|block| before.blocks.contains_key(&block.id));
        if let Some(known) = known {
            return Err(Refusal::KnownBlock(known.id));
        }
        if before.blocks.len() + blocked.len() > MAX_BLOCKS + unblocked.len() {
            return Err(Refusal::TooManyBlocks);
        }
        let unblocked = unblocked.into_iter().collect();
        Ok(Edited { terms: self.terms_over(before.overrides), blocked, unblocked })
    }

    /// The notes of the blocks that came of it, each with its piece.
    pub fn notes(&self, edited: &Edited) -> Vec<(BlockId, String)> {
        let note_of = |piece: &Block| {
            let of = |(block, _): &&(Block, Option<String>)| {
                let apart = piece.nights.check_in().days() - block.nights.check_in().days();
                u16::try_from(apart).is_ok_and(|apart| block.id.piece(apart) == piece.id)
            };
            let (_, note) = self.blocks.iter().find(of)?;
            Some((piece.id, note.clone()?))
        };
        edited.blocked.iter().filter_map(note_of).collect()
    }

    /// The dates that would say something else than they do.
    fn terms_over(&self, overrides: &Overrides) -> Vec<(Night, Terms)> {
        let mut after = Overrides::new();
        for edit in &self.terms {
            let nights = edit.nights.each_night().filter(|night| edit.weekdays[weekday(*night)]);
            for night in nights {
                let was = || overrides.get(&night).copied().unwrap_or_default();
                edit.apply(after.entry(night).or_insert_with(was));
            }
        }
        let same = |night: &Night, terms: &Terms| {
            overrides.get(night).copied().unwrap_or_default() == *terms
        };
        after.into_iter().filter(|(night, terms)| !same(night, terms)).collect()
    }
}

impl TermsEdit {
    fn apply(&self, terms: &mut Terms) {
        self.price.apply(&mut terms.price);
        self.min_nights.apply(&mut terms.min_nights);
        self.max_nights.apply(&mut terms.max_nights);
        self.closed_to_arrival.apply(&mut terms.closed_to_arrival);
        self.closed_to_departure.apply(&mut terms.closed_to_departure);
    }
}

/// The part of a block between two nights; its id follows from the block's and its own first night.
fn piece(block: &Block, from: Night, to: Night) -> Option<Block> {
    let nights = Stay::new(from, to).ok()?;
    let apart = nights.check_in().days() - block.nights.check_in().days();
    let id = block.id.piece(u16::try_from(apart).unwrap_or_default());
    Some(Block { id, nights, reason: block.reason })
}

/// The block over the nights of a booking that its host gave up, from today on.
pub fn block_instead(booking: &Booking, today: Night) -> Option<Block> {
    let from = booking.stay.check_in().max(today);
    let nights = Stay::new(from, booking.stay.check_out()).ok()?;
    let reason = crate::block::Reason::Other;
    Some(Block { id: BlockId(booking.id.0), nights, reason })
}

/// A run of nights with the terms that hold for them, all layers laid over each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    pub from: Night,
    pub to: Night,
    pub terms: Terms,
}

impl Edited {
    /// Lays the terms over what dates say.
    pub fn set_terms(&self, overrides: &mut Overrides) {
        for (night, terms) in &self.terms {
            if terms.is_empty() {
                overrides.remove(night);
            } else {
                overrides.insert(*night, *terms);
            }
        }
    }

    /// Adds and removes the blocks.
    pub fn set_blocks(&self, blocks: &mut Blocks) {
        for id in &self.unblocked {
            blocks.remove(id);
        }
        blocks.extend(self.blocked.iter().map(|block| (block.id, *block)));
    }

    /// Sets the nights whose blocks changed in the calendar; the public difference.
    pub(crate) fn set_nights(
        &self,
        before: &Blocks,
        after: &Blocks,
        calendar: &mut Calendar,
    ) -> Vec<Change> {
        let gone = self.unblocked.iter().filter_map(|id| before.get(id));
        let nights: BTreeSet<Night> =
            gone.chain(&self.blocked).flat_map(|block| block.nights.each_night()).collect();
        let claims = nights.into_iter().filter_map(|night| {
            let wanted = if holds(after, night) { Claim::Blocked } else { Claim::Open };
            let is = calendar.claim(night);
            (is.booking().is_none() && is != wanted).then_some((night, wanted))
        });
        let claims: Vec<(Night, Claim)> = claims.collect();
        calendar.set_nights(&claims)
    }

    /// The new terms of the dates, in runs of equal ones, as guests see them: a night without a
    /// price of its own has the property's.
    pub(crate) fn offers(&self, property: &Property, after: &Overrides) -> Vec<Offer> {
        let mut offers: Vec<Offer> = Vec::new();
        for (night, _) in &self.terms {
            let (night, mut terms) = (*night, property.rules.terms(after, *night));
            terms.price.get_or_insert(property.price_per_night);
            match offers.last_mut() {
                Some(last) if last.to == night && last.terms == terms => last.to = night.plus(1),
                _ => offers.push(Offer { from: night, to: night.plus(1), terms }),
            }
        }
        offers
    }
}
