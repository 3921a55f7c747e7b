//! One step of a property's public calendar, as it is told to everybody who follows.

use bytestring::ByteString;
use domain::calendar::{Change, Digest, NightState};
use domain::edit::Offer;
use domain::event::{Event, Fact, Seq};
use domain::rules::Terms;
use domain::{Instant, Month, Night, Property, PropertyId};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// What the public sees of one event, or of several that a slow reader hears as one. The encoded
/// form is made once and shared by all who send it.
#[derive(Debug)]
pub struct Delta {
    pub property: PropertyId,
    /// The event that this follows on.
    pub prev_seq: Seq,
    pub seq: Seq,
    pub at: Instant,
    pub changes: Vec<Change>,
    pub offers: Vec<Offer>,
    pub digests: Vec<(Month, Digest)>,
    /// The property as it stands afterwards, where its host changed it. What such a change does to
    /// prices and rules has no end date, so readers take a new snapshot.
    pub changed: Option<Box<Property>>,
    encoded: OnceLock<ByteString>,
}

impl Delta {
    /// The public part of an event.
    pub fn of(property: PropertyId, event: &Event) -> Self {
        let changed = match &event.fact {
            Fact::PropertyChanged(facts) => Some(Box::new(facts.clone())),
            _ => None,
        };
        Self {
            property,
            prev_seq: event.seq - 1,
            seq: event.seq,
            at: event.at,
            changes: event.changes.clone(),
            offers: event.offers.clone(),
            digests: event.digests.clone(),
            changed,
            encoded: OnceLock::new(),
        }
    }

    /// Consecutive deltas as one: whoever takes it in stands where the last of them leads. There is
    /// at least one.
    pub(super) fn joined<'a>(all: impl Iterator<Item = &'a Arc<Self>> + Clone) -> Option<Self> {
        let (first, last) = (all.clone().next()?, all.clone().last()?);
        let mut states: BTreeMap<Night, NightState> = BTreeMap::new();
        let mut terms: BTreeMap<Night, Terms> = BTreeMap::new();
        let mut digests: BTreeMap<Month, Digest> = BTreeMap::new();
        for delta in all.clone() {
            for Change { from, to, state } in &delta.changes {
                states.extend(nights(*from, *to).map(|night| (night, *state)));
            }
            for Offer { from, to, terms: of_night } in &delta.offers {
                terms.extend(nights(*from, *to).map(|night| (night, *of_night)));
            }
            digests.extend(delta.digests.iter().copied());
        }
        let changed = all.filter_map(|delta| delta.changed.as_ref()).last().cloned();
        Some(Self {
            property: first.property,
            prev_seq: first.prev_seq,
            seq: last.seq,
            at: last.at,
            changes: runs(states, |from, to, state| Change { from, to, state }),
            offers: runs(terms, |from, to, terms| Offer { from, to, terms }),
            digests: digests.into_iter().collect(),
            changed,
            encoded: OnceLock::new(),
        })
    }

    /// The delta on the wire: made by the first who asks, the same bytes for everybody after.
    pub fn encoded(&self, encode: impl FnOnce(&Self) -> ByteString) -> ByteString {
        self.encoded.get_or_init(|| encode(self)).clone()
    }
}

fn nights(from: Night, to: Night) -> impl Iterator<Item = Night> {
    std::iter::successors(Some(from), |night| Some(night.plus(1)))
        .take_while(move |night| *night < to)
}

/// Runs of neighbouring nights of which the same is said.
fn runs<T: Copy + PartialEq, R>(
    nights: BTreeMap<Night, T>,
    run: impl Fn(Night, Night, T) -> R,
) -> Vec<R> {
    let mut found: Vec<(Night, Night, T)> = Vec::new();
    for (night, said) in nights {
        match found.last_mut() {
            Some((_, to, of_run)) if *to == night && *of_run == said => *to = night.plus(1),
            _ => found.push((night, night.plus(1), said)),
        }
    }
    found.into_iter().map(|(from, to, said)| run(from, to, said)).collect()
}
