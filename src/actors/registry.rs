//! The registry: finds a property's actor or starts it, exactly once, and carries commands to it.
//!
//! Lookup takes no lock: residents stand in a table by the last four hex digits of their id, each
//! cell a small list that is replaced as a whole. Only starting and ending an actor locks. An actor
//! that went to sleep or panicked is found dead by its address and started anew; commands it had
//! not answered are sent again under the same ids, which the machine recognises.

use super::admission::{Count, Permit, Urgency};
use super::committer::Lanes;
use super::property::{PropertyActor, Settle, Submit};
use crate::clock::Clock;
use crate::feed::Feed;
use crate::store::{Store, StoreError};
use actix::prelude::SendError;
use actix::{Actor, Addr, Arbiter, ArbiterHandle};
use arc_swap::ArcSwapOption;
use domain::PropertyId;
use domain::command::Command;
use domain::pipeline::property::Answer;
use domain::snapshot::Snapshot;
use domain::state::Settings;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

/// What actors are started with.
#[derive(Clone)]
pub struct RegistryOptions {
    pub settings: Settings,
    /// How long an actor stays without command or follower.
    pub idle_after: Duration,
    /// How long a command may wait for its answer.
    pub command_deadline: Duration,
    /// Where the committers run: the store's own threads.
    pub runtime: Handle,
    /// Wakes the job workers when a commit wrote a job.
    pub jobs: Arc<Notify>,
}

/// Why a command has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// There is no room: nothing was decided.
    #[error("too many commands are on their way")]
    Full,
    /// The deadline passed. The command may still take effect: its id or key tells.
    #[error("the answer took too long")]
    TooLate,
}

/// Why a property could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum Unsettled {
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All property actors of this node. Clones share them.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

pub(super) struct Inner {
    cells: Box<[ArcSwapOption<Vec<Arc<Resident>>>]>,
    /// Held while an actor is started or forgotten, never while one is found.
    starting: Mutex<()>,
    homes: Mutex<Homes>,
    node: Arc<Count>,
    lives: AtomicU64,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) feed: Feed,
    pub(super) lanes: Lanes,
    pub(super) options: RegistryOptions,
}

/// The threads that actors live on: those that serve requests, so that a command often needs no
/// other thread to be decided; while there are none, the one that made the registry. Deadlines are
/// looked for before anybody is served, so there is a home from the beginning.
struct Homes {
    offered: Vec<ArbiterHandle>,
    first: ArbiterHandle,
}

impl Homes {
    fn of(&mut self, property: PropertyId) -> ArbiterHandle {
        // A thread that has ended takes no task.
        self.offered.retain(|arbiter| arbiter.spawn(std::future::ready(())));
        if self.offered.is_empty() {
            return self.first.clone();
        }
        self.offered[usize::from(property.shard()) % self.offered.len()].clone()
    }
}

/// What the outside knows of an actor.
pub(super) struct Resident {
    property: PropertyId,
    in_flight: Arc<Count>,
    snapshot: Arc<ArcSwapOption<Snapshot>>,
    addr: Addr<PropertyActor>,
}

/// Heads that are asked for in one statement.
const HEADS_AT_ONCE: usize = 1_000;
/// One cell for each value of the last four hex digits.
const CELLS: usize = 1 << 16;
/// Each life of a property's actor has room for so many reloads before the next begins.
const LIFE: u64 = 1 << 24;

impl Registry {
    /// A registry without residents, made on a thread that runs an actix system.
    pub fn new(store: Store, clock: Clock, feed: Feed, options: RegistryOptions) -> Self {
        let lanes = Lanes::start(&store, &options.runtime, options.settings.switches);
        Self(Arc::new(Inner {
            cells: (0..CELLS).map(|_| ArcSwapOption::empty()).collect(),
            starting: Mutex::new(()),
            homes: Mutex::new(Homes { offered: Vec::new(), first: Arbiter::current() }),
            node: Arc::new(Count::default()),
            lives: AtomicU64::new(1),
            store,
            clock,
            feed,
            lanes,
            options,
        }))
    }

    /// Offers this thread, which runs an actix system, to actors that start from now on.
    pub fn live_here(&self) {
        let mut homes = self.0.homes.lock().unwrap_or_else(PoisonError::into_inner);
        homes.offered.push(Arbiter::current());
    }

    /// Sends a command to its property and waits for the answer until the command's deadline.
    pub async fn submit(
        &self,
        property: PropertyId,
        command: Command,
        urgency: Urgency,
    ) -> Result<Answer, Busy> {
        let limit = self.0.options.command_deadline;
        let deadline = self.0.clock.now().plus(limit);
        let give_up = tokio::time::Instant::now() + limit;
        loop {
            let resident = self.resident(property);
            let permit =
                Permit::take(&resident.in_flight, &self.0.node, urgency).ok_or(Busy::Full)?;
            let (reply, answer) = oneshot::channel();
            let taken = Arc::new(AtomicBool::new(false));
            let submit = Submit {
                command: command.clone(),
                taken: Arc::clone(&taken),
                deadline,
                reply,
                permit,
            };
            match resident.addr.try_send(submit) {
                Ok(()) => {}
                // An actor that is just being started has not widened its mailbox yet: admission
                // is the bound, so this passes in a moment.
                Err(SendError::Full(_)) if tokio::time::Instant::now() < give_up => {
                    tokio::task::yield_now().await;
                    continue;
                }
                Err(SendError::Full(_)) => return Err(Busy::TooLate),
                Err(SendError::Closed(_)) => {
                    self.forget(&resident);
                    continue;
                }
            }
            match tokio::time::timeout_at(give_up, answer).await {
                Ok(Ok(Answer::TooLate)) | Err(_) => return Err(Busy::TooLate),
                Ok(Ok(answer)) => return Ok(answer),
                // The actor ended before it answered. What it had taken up may have been done: a
                // key tells when it is sent again, without one nobody can.
                Ok(Err(_)) => {
                    self.forget(&resident);
                    if command.key.is_none() && taken.load(Ordering::Relaxed) {
                        return Err(Busy::TooLate);
                    }
                }
            }
        }
    }

    /// How long a booking that waits for payment keeps its nights.
    pub fn hold_ttl(&self) -> Duration {
        self.0.options.settings.hold_ttl
    }

    /// The durable calendar of a property, if its actor is resident and has loaded it.
    pub fn snapshot(&self, property: PropertyId) -> Option<Arc<Snapshot>> {
        let residents = self.cell(property).load();
        let resident = residents.as_ref()?.iter().find(|r| r.property == property)?;
        resident.snapshot.load_full()
    }

    /// Starts the actor if need be and waits until its calendar is there and nothing is on its way:
    /// whatever was due at this moment has been handled. `None` when there is no such property.
    pub async fn settled(&self, property: PropertyId) -> Result<Option<Arc<Snapshot>>, Unsettled> {
        let give_up = tokio::time::Instant::now() + self.0.options.command_deadline;
        let head = match self.snapshot(property) {
            Some(_) if self.0.options.settings.shared => self.0.store.head(property).await?,
            _ => None,
        };
        loop {
            let resident = self.resident(property);
            let (reply, answer) = oneshot::channel();
            match resident.addr.try_send(Settle { head, reply }) {
                Ok(()) => match tokio::time::timeout_at(give_up, answer).await {
                    Ok(Ok(snapshot)) => return Ok(snapshot),
                    Ok(Err(_)) => self.forget(&resident),
                    Err(_) => return Err(Busy::TooLate.into()),
                },
                Err(_) if tokio::time::Instant::now() >= give_up => {
                    return Err(Busy::TooLate.into());
                }
                Err(SendError::Full(_)) => tokio::task::yield_now().await,
                Err(SendError::Closed(_)) => self.forget(&resident),
            }
        }
    }

    /// Compares what this node holds with what is stored, and lets the actors that another process
    /// has overtaken read what they missed. One with work of its own under way finds out by itself.
    pub async fn compare(&self) -> Result<(), StoreError> {
        let held: HashMap<PropertyId, Arc<Resident>> = self
            .0
            .cells
            .iter()
            .filter_map(|cell| cell.load_full())
            .flat_map(|residents| residents.to_vec())
            .map(|resident| (resident.property, resident))
            .collect();
        let properties: Vec<PropertyId> = held.keys().copied().collect();
        for some in properties.chunks(HEADS_AT_ONCE) {
            for (property, head) in self.0.store.heads(some).await? {
                let Some(resident) = held.get(&property) else { continue };
                let known = resident.snapshot.load().as_ref().map(|snapshot| snapshot.head);
                if known.is_some_and(|known| known != head) {
                    let (reply, _) = oneshot::channel();
                    let sent = resident.addr.try_send(Settle { head: Some(head), reply });
                    // One that has panicked tells its followers nothing more: another has to.
                    if let Err(SendError::Closed(_)) = sent {
                        self.forget(resident);
                        self.resident(property);
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits until the lanes have committed everything they were offered.
    pub async fn drain(&self) {
        self.0.lanes.drain().await;
    }

    /// Makes a property's actor panic, as a bug would.
    #[cfg(test)]
    pub(super) fn panic(&self, property: PropertyId) {
        self.resident(property).addr.try_send(super::property::Panic).expect("room in the mailbox");
    }

    /// Moves a channel to what was loaded, as an actor does.
    #[cfg(test)]
    pub(super) async fn catch_up(
        &self,
        channel: &crate::feed::Channel,
        stored: &domain::state::Stored,
    ) -> Result<(), StoreError> {
        super::property::catch_up(&self.0, channel, stored).await
    }

    /// Whether the property has an actor on the table.
    #[cfg(test)]
    pub(super) fn is_resident(&self, property: PropertyId) -> bool {
        let residents = self.cell(property).load();
        residents.as_ref().is_some_and(|all| all.iter().any(|r| r.property == property))
    }

    fn cell(&self, property: PropertyId) -> &ArcSwapOption<Vec<Arc<Resident>>> {
        self.0.cell(property)
    }

    fn resident(&self, property: PropertyId) -> Arc<Resident> {
        let find = || {
            let residents = self.cell(property).load();
            residents.as_ref()?.iter().find(|r| r.property == property).cloned()
        };
        if let Some(resident) = find() {
            return resident;
        }
        let _starting = self.0.starting.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have started it while we waited.
        find().unwrap_or_else(|| self.start(property))
    }

    fn start(&self, property: PropertyId) -> Arc<Resident> {
        let snapshot = Arc::new(ArcSwapOption::empty());
        let life = self.0.lives.fetch_add(1, Ordering::Relaxed) * LIFE;
        let mut homes = self.0.homes.lock().unwrap_or_else(PoisonError::into_inner);
        let arbiter = homes.of(property);
        let (inner, shared) = (Arc::clone(&self.0), Arc::clone(&snapshot));
        let addr = PropertyActor::start_in_arbiter(&arbiter, move |ctx| {
            PropertyActor::new(property, life, inner, shared, ctx)
        });
        let resident = Arc::new(Resident { property, in_flight: Arc::default(), snapshot, addr });
        let mut residents = self.cell(property).load().as_deref().cloned().unwrap_or_default();
        residents.push(Arc::clone(&resident));
        self.cell(property).store(Some(Arc::new(residents)));
        resident
    }

    /// Sees that a property has an actor.
    pub(super) fn keep(node: &Arc<Inner>, property: PropertyId) {
        Self(Arc::clone(node)).resident(property);
    }

    fn forget(&self, resident: &Arc<Resident>) {
        self.0.remove(resident.property, |known| Arc::ptr_eq(known, resident));
    }
}

impl Inner {
    fn cell(&self, property: PropertyId) -> &ArcSwapOption<Vec<Arc<Resident>>> {
        &self.cells[usize::from(property.shard())]
    }

    /// Takes an actor that goes to sleep off the table, so that the next command starts it anew.
    pub(super) fn retire(&self, property: PropertyId, addr: &Addr<PropertyActor>) {
        self.remove(property, |known| known.addr == *addr);
    }

    fn remove(&self, property: PropertyId, is_it: impl Fn(&Arc<Resident>) -> bool) {
        let _starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut residents = self.cell(property).load().as_deref().cloned().unwrap_or_default();
        residents.retain(|known| !(known.property == property && is_it(known)));
        self.cell(property).store((!residents.is_empty()).then(|| Arc::new(residents)));
    }
}
