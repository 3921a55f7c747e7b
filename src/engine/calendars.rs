//! Reading a property's calendar and its list of events. Listed properties are public.

use super::{Engine, Error};
use crate::auth::Caller;
use crate::auth::policy::{Action, Ownership, allow};
use domain::event::{Event, Seq};
use domain::property::Listing;
use domain::state::Snapshot;
use domain::{Property, PropertyId, codec};
use std::sync::Arc;

/// A durable calendar with the name of the history that its seq belongs to.
#[derive(Clone, Debug)]
pub struct CalendarView {
    pub epoch: String,
    pub snapshot: Arc<Snapshot>,
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
        allow(Action::ReadCalendar, caller, ownership(caller, &snapshot.property))?;
        Ok(CalendarView { epoch: self.epoch.clone(), snapshot })
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
        let events = stored
            .iter()
            .map(|stored| codec::decode(&stored.bytes))
            .collect::<Result<_, _>>()
            .map_err(|_| Error::Fault("a stored event cannot be read"))?;
        Ok((events, allow(Action::ReadAudit, caller, ownership).is_ok()))
    }
}

fn ownership(caller: Option<&Caller>, property: &Property) -> Ownership {
    Ownership::of_property(caller, property.host, property.listing == Listing::Listed)
}
