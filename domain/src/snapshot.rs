//! The committed calendar of a property as everybody reads it, and what an edit of single nights
//! makes of one.

use crate::block::Blocks;
use crate::calendar::{Calendar, Change, Digest};
use crate::edit::{Before, Edited, Offer};
use crate::event::Head;
use crate::refusal::Ground;
use crate::rules::{Overrides, Terms};
use crate::{Instant, Month, Property, Stay};
use std::sync::Arc;

/// The committed calendar of a property at one seq, for everybody who reads.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub property: Arc<Property>,
    pub head: Head,
    /// What single dates say.
    pub overrides: Arc<Overrides>,
    pub blocks: Arc<Blocks>,
    pub calendar: Calendar,
}

impl Snapshot {
    /// What an edit of the calendar is laid over at this moment.
    pub fn before(&self, now: Instant) -> Before<'_> {
        let Self { overrides, blocks, calendar, .. } = self;
        Before { overrides, blocks, calendar, now }
    }

    /// These nights as the public sees them: runs of equal state and terms. A night without a
    /// price of its own has the property's.
    pub fn nights(&self, window: Stay) -> Vec<(Change, Terms)> {
        let mut runs: Vec<(Change, Terms)> = Vec::new();
        for (night, claim) in self.calendar.claims(window) {
            let mut terms = self.property.rules.terms(&self.overrides, night);
            terms.price.get_or_insert(self.property.price_per_night);
            let state = claim.state();
            match runs.last_mut() {
                Some((last, of_last)) if (last.state, *of_last) == (state, terms) => {
                    last.to = night.plus(1);
                }
                _ => runs.push((Change { from: night, to: night.plus(1), state }, terms)),
            }
        }
        runs
    }

    /// What the public would see of an edit that is laid over this calendar.
    pub fn preview(&self, edited: &Edited) -> Public {
        let Self { property, mut overrides, mut blocks, mut calendar, .. } = self.clone();
        let layers =
            Layers { overrides: &mut overrides, blocks: &mut blocks, calendar: &mut calendar };
        layers.apply(edited, &property)
    }

    /// What wishes for stays are judged on at this moment.
    pub fn ground(&self, now: Instant) -> Ground<'_> {
        Ground::new(&self.property, &self.overrides, &self.calendar, now)
    }
}

/// What an event tells the public.
#[derive(Clone, Debug, Default)]
pub struct Public {
    pub changes: Vec<Change>,
    pub offers: Vec<Offer>,
    pub digests: Vec<(Month, Digest)>,
}

/// What an edit of single nights is laid over.
pub(crate) struct Layers<'a> {
    pub(crate) overrides: &'a mut Arc<Overrides>,
    pub(crate) blocks: &'a mut Arc<Blocks>,
    pub(crate) calendar: &'a mut Calendar,
}

impl Layers<'_> {
    /// Lays the edit over dates, blocks and nights; what the public sees of it.
    pub(crate) fn apply(self, edited: &Edited, property: &Property) -> Public {
        let before = Arc::clone(self.blocks);
        edited.set_terms(Arc::make_mut(self.overrides));
        edited.set_blocks(Arc::make_mut(self.blocks));
        let changes = edited.set_nights(&before, self.blocks, self.calendar);
        let offers = edited.offers(property, self.overrides);
        let digests = self.calendar.digests_of(&changes);
        Public { changes, offers, digests }
    }
}

impl Public {
    pub(crate) fn of((changes, digests): (Vec<Change>, Vec<(Month, Digest)>)) -> Self {
        Self { changes, offers: Vec::new(), digests }
    }
}
