//! Reading a property's calendar and its list of events. Listed properties are public.

use super::error::Fields;
use super::{Engine, Error};
use crate::actors::{Busy, Urgency};
use crate::auth::Caller;
use crate::auth::policy::{Action, Ownership, allow};
use crate::store::StoreError;
use crate::store::calendar::StoredEvent;
use domain::block::Block;
use domain::command::Intent;
use domain::edit::{CalendarEdit, Edited, Set};
use domain::event::{Event, Fact, Seq};
use domain::pipeline::property::Answer;
use domain::property::Listing;
use domain::rules::Terms;
use domain::snapshot::{Public, Snapshot};
use domain::{BlockId, Night, Property, PropertyId, Stay, codec};
use std::sync::Arc;

/// A durable calendar with the name of the history that its seq belongs to.
#[derive(Clone, Debug)]
pub struct CalendarView {
    pub epoch: String,
    pub snapshot: Arc<Snapshot>,
}

/// What an edit of a calendar did, or would do.
#[derive(Clone, Debug)]
pub struct EditedCalendar {
    pub epoch: String,
    /// The event that did it; the last one where nothing was done.
    pub seq: Seq,
    pub edited: Edited,
    /// The notes of the new blocks.
    pub notes: Vec<(BlockId, String)>,
    pub public: Public,
}

/// The most events in one answer.
const MAX_EVENTS: u32 = 100;

impl Engine {
    /// The newest durable calendar that this node knows; the actor is started if need be.
    pub async fn calendar(
        &self,
        caller: Option<&Caller>,
        property: PropertyId,
    ) -> Result<CalendarView, Error> {
        let snapshot = match self.registry.snapshot(property) {
            Some(snapshot) => snapshot,
            None => self.registry.settled(property).await?.ok_or(Error::NotFound)?,
        };
        self.view(caller, snapshot)
    }

    /// A calendar as this caller may see it.
    pub(super) fn view(
        &self,
        caller: Option<&Caller>,
        snapshot: Arc<Snapshot>,
    ) -> Result<CalendarView, Error> {
        allow(Action::ReadCalendar, caller, ownership(caller, &snapshot.property))?;
        Ok(CalendarView { epoch: self.epoch.clone(), snapshot })
    }

    /// Edits prices, restrictions and blocks of single nights: all of it or nothing, as one event.
    /// With `dry_run` it only says what would change.
    pub async fn edit_calendar(
        &self,
        caller: &Caller,
        property: PropertyId,
        edit: CalendarEdit,
        dry_run: bool,
    ) -> Result<EditedCalendar, Error> {
        check(&edit)?;
        let snapshot = self.calendar(Some(caller), property).await?.snapshot;
        let ownership = ownership(Some(caller), &snapshot.property);
        allow(Action::EditCalendar, Some(caller), ownership)?;
        let edit = Arc::new(edit);
        let done = |seq, edited: Edited, public| EditedCalendar {
            epoch: self.epoch.clone(),
            seq,
            notes: edit.notes(&edited),
            edited,
            public,
        };
        let last = snapshot.head.seq;
        if dry_run {
            let edited = edit.lay_over(&snapshot.before(self.clock.now()))?;
            let public = snapshot.preview(&edited);
            return Ok(done(last, edited, public));
        }
        let command = self.command(caller, Intent::EditCalendar(Arc::clone(&edit)), None, "");
        let seq = match self.registry.submit(property, command, Urgency::Ordinary).await? {
            Answer::Edited { seq } => seq,
            Answer::AsItIs => return Ok(done(last, Edited::default(), Public::default())),
            other => return Err(not_edited(other)),
        };
        const MISSING: Error = Error::Fault("an edit's event is not there");
        let stored = self.store.event(property, seq).await?.ok_or(MISSING)?;
        let event = decoded(&stored)?;
        let Fact::CalendarEdited(edited) = event.fact else { return Err(MISSING) };
        let Event { changes, offers, digests, .. } = event;
        Ok(done(seq, edited, Public { changes, offers, digests }))
    }

    /// The blocks of a property from a night on, with the notes that only its host sees.
    pub async fn blocks(
        &self,
        caller: &Caller,
        property: PropertyId,
        from: Night,
    ) -> Result<Vec<(Block, Option<String>)>, Error> {
        let row = self.store.property(property).await?.ok_or(Error::NotFound)?;
        allow(Action::EditCalendar, Some(caller), ownership(Some(caller), &row.property))?;
        Ok(self.store.blocks(property, from).await?)
    }

    /// The events of a property after a seq, at most 100 at once; `true` when the caller may see
    /// who caused them.
    pub async fn events(
        &self,
        caller: Option<&Caller>,
        property: PropertyId,
        after: Seq,
    ) -> Result<(Vec<Event>, bool), Error> {
        let row = self.store.property(property).await?.ok_or(Error::NotFound)?;
        let ownership = ownership(caller, &row.property);
        allow(Action::ReadEvents, caller, ownership)?;
        let stored = self.store.events(property, after, MAX_EVENTS).await?;
        let events = stored.iter().map(decoded).collect::<Result<_, _>>()?;
        Ok((events, allow(Action::ReadAudit, caller, ownership).is_ok()))
    }
}

/// What stands in the way of an edit.
pub(super) fn not_edited(answer: Answer) -> Error {
    match answer {
        Answer::Refused(refusal) => refusal.into(),
        Answer::Missing => Error::NotFound,
        Answer::Full => Error::Store(StoreError::Full),
        Answer::TooLate => Error::Busy(Busy::TooLate),
        Answer::Failed => Error::Fault("the database refuses this command"),
        _ => Error::Fault("an edit was answered with something else"),
    }
}

/// The most entries of a kind in one edit.
const MAX_ENTRIES: usize = 100;
/// The longest note on a block, in characters.
const MAX_NOTE: usize = 1_000;

/// Names what is out of bounds.
fn check(edit: &CalendarEdit) -> Result<(), Error> {
    let mut fields = Fields::default();
    let few = [
        (edit.terms.len(), "/terms"),
        (edit.blocks.len(), "/blocks"),
        (edit.unblock.len(), "/unblock"),
    ];
    for (count, pointer) in few {
        fields.check(count <= MAX_ENTRIES, pointer, "must be 100 at most");
    }
    let nights = edit.terms.iter().map(|terms| terms.nights);
    let first = nights.clone().map(Stay::check_in).min();
    let last = nights.map(Stay::check_out).max();
    let spans = first.zip(last).is_none_or(|(first, last)| Stay::new(first, last).is_ok());
    fields.check(spans, "/terms", "must lie within 730 days of each other");
    let value = |set: Set<u16>| if let Set::To(value) = set { Some(value) } else { None };
    for terms in &edit.terms {
        let terms = Terms {
            price: if let Set::To(price) = terms.price { Some(price) } else { None },
            min_nights: value(terms.min_nights),
            max_nights: value(terms.max_nights),
            ..Terms::default()
        };
        fields.terms(&terms, "/terms");
    }
    let notes = edit.blocks.iter().filter_map(|(_, note)| note.as_ref());
    let short = notes.into_iter().all(|note| note.chars().count() <= MAX_NOTE);
    fields.check(short, "/blocks", "must have notes of at most 1000 characters");
    fields.done()
}

/// What a stored event says.
pub(super) fn decoded(stored: &StoredEvent) -> Result<Event, Error> {
    codec::decode(&stored.bytes).map_err(|_| Error::Fault("a stored event cannot be read"))
}

/// What the caller is to a property as it is now.
pub(super) fn ownership(caller: Option<&Caller>, property: &Property) -> Ownership {
    Ownership::of_property(caller, property.host, property.listing == Listing::Listed)
}
