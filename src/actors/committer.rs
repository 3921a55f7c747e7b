//! The committers: one task per lane, with a connection of its own, that runs the SQL for the pure
//! lane machine.
//!
//! A committer takes everything that is ready from all its properties, without a timer, and writes
//! it as one transaction; while that is on its way the next batch gathers. Its queue is bounded by
//! admission: whatever was decided holds a permit, so it always has room. Outcomes go to the actor
//! that offered the group, one message per property and batch, in the order of its groups.

use super::admission::PER_NODE;
use super::property::PropertyActor;
use crate::store::commit::LaneConnection;
use crate::store::{Kind, Store};
use actix::Addr;
use actix::prelude::Message;
use domain::PropertyId;
use domain::group::{Group, GroupId};
use domain::pipeline::Rejection;
use domain::pipeline::lane::{Effect, Input, Lane, Outcome};
use domain::switches::Switches;
use foldhash::{HashMap, HashMapExt as _};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

/// What became of a property's groups.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Outcomes(pub Vec<(GroupId, Result<(), Rejection>)>);

enum Request {
    Offer(Arc<Group>, Arc<Addr<PropertyActor>>),
    /// Wants to know when nothing of this property is on its way any more.
    Barrier(PropertyId, oneshot::Sender<()>),
    Drain(oneshot::Sender<()>),
}

/// The senders of all lanes; a property always uses the same one.
pub(super) struct Lanes {
    lanes: Vec<mpsc::Sender<Request>>,
}

/// Deadline events need no permit, so the queue is wider than admission.
const QUEUE: usize = 4 * PER_NODE;

impl Lanes {
    /// Starts the committers on the store's threads.
    pub(super) fn start(store: &Store, runtime: &Handle, switches: Switches) -> Self {
        let lanes = (0..lane_count(store))
            .map(|_| {
                let (sender, requests) = mpsc::channel(QUEUE);
                let connection = store.lane();
                let committer = Committer {
                    lane: Lane::new(switches),
                    connection,
                    store: store.clone(),
                    requests,
                    barriers: Vec::new(),
                    routes: HashMap::new(),
                    draining: Vec::new(),
                };
                runtime.spawn(committer.run());
                sender
            })
            .collect();
        Self { lanes }
    }

    /// Offers a group; its outcome goes to `from`.
    pub(super) fn offer(&self, group: Arc<Group>, from: &Arc<Addr<PropertyActor>>) {
        let lane = usize::from(group.property.shard()) % self.lanes.len();
        if self.lanes[lane].try_send(Request::Offer(group, Arc::clone(from))).is_err() {
            // Nothing is lost: the group was promised to nobody and its callers time out.
            tracing::error!(lane, "a lane has no room or has ended");
        }
    }

    /// Waits until nothing of a property is on its way: what an earlier life of its actor offered
    /// has been committed or not, and a load shows which.
    pub(super) async fn barrier(&self, property: PropertyId) {
        let lane = &self.lanes[usize::from(property.shard()) % self.lanes.len()];
        let (done, passed) = oneshot::channel();
        if lane.send(Request::Barrier(property, done)).await.is_ok() {
            let _ = passed.await;
        }
    }

    /// Waits until every lane has committed what it was offered before.
    pub(super) async fn drain(&self) {
        for lane in &self.lanes {
            let (done, drained) = oneshot::channel();
            if lane.send(Request::Drain(done)).await.is_ok() {
                let _ = drained.await;
            }
        }
    }
}

/// SQLite has one writer; two connections keep PostgreSQL busy while one waits for its flush.
fn lane_count(store: &Store) -> usize {
    match store.kind() {
        Kind::Sqlite => 1,
        Kind::Postgres => 2,
    }
}

struct Committer {
    lane: Lane,
    connection: LaneConnection,
    store: Store,
    requests: mpsc::Receiver<Request>,
    barriers: Vec<(PropertyId, oneshot::Sender<()>)>,
    /// Where the outcomes of each property's groups go.
    routes: HashMap<PropertyId, Arc<Addr<PropertyActor>>>,
    draining: Vec<oneshot::Sender<()>>,
}

impl Committer {
    async fn run(mut self) {
        let mut effects = Vec::new();
        while let Some(first) = self.requests.recv().await {
            self.take(first, &mut effects);
            loop {
                while let Ok(request) = self.requests.try_recv() {
                    self.take(request, &mut effects);
                }
                self.lane.flush(&mut effects);
                let Some(batch) = self.deliver(&mut effects) else { break };
                let outcome = self.commit(&batch).await;
                self.lane.step(Input::Done(outcome), &mut effects);
                // Whoever waited hears before the next batch is gathered.
                self.deliver(&mut effects);
                self.pass_barriers();
            }
            self.pass_barriers();
            self.routes.clear();
            for done in self.draining.drain(..) {
                let _ = done.send(());
            }
        }
    }

    /// Writes a batch. A key that was used more than a day ago stands for nothing any more, even
    /// where its row has not been cleared away yet.
    async fn commit(&mut self, batch: &[Arc<Group>]) -> Outcome {
        let outcome = self.connection.commit(batch).await;
        if matches!(outcome, Outcome::Failed(Rejection::KeyTaken))
            && let [group] = batch
            && let Some(used) = &group.key
            && self.store.forget_old_key(used).await.unwrap_or(false)
        {
            return self.connection.commit(batch).await;
        }
        outcome
    }

    fn pass_barriers(&mut self) {
        let lane = &self.lane;
        for (_, done) in self.barriers.extract_if(.., |(property, _)| !lane.holds(*property)) {
            let _ = done.send(());
        }
    }

    fn take(&mut self, request: Request, effects: &mut Vec<Effect>) {
        match request {
            Request::Offer(group, from) => {
                self.routes.insert(group.property, from);
                self.lane.step(Input::Offer(group), effects);
            }
            Request::Barrier(property, done) => self.barriers.push((property, done)),
            Request::Drain(done) => self.draining.push(done),
        }
    }

    /// Tells properties what became of their groups, and returns the batch to commit, if any.
    fn deliver(&self, effects: &mut Vec<Effect>) -> Option<Vec<Arc<Group>>> {
        let mut batch = None;
        let mut told: Vec<(PropertyId, Outcomes)> = Vec::new();
        let mut places: HashMap<PropertyId, usize> = HashMap::new();
        for effect in effects.drain(..) {
            match effect {
                Effect::Commit(groups) => batch = Some(groups),
                Effect::Tell { group, result } => {
                    if result == Err(Rejection::Fenced) {
                        tracing::debug!(property = %group.property, "a commit was fenced off");
                    }
                    let place = *places.entry(group.property).or_insert_with(|| {
                        told.push((group.property, Outcomes(Vec::new())));
                        told.len() - 1
                    });
                    told[place].1.0.push((group.id, result));
                }
            }
        }
        for (property, outcomes) in told {
            if let Some(actor) = self.routes.get(&property) {
                // An actor that ended loads what is stored when it is started again.
                let _ = actor.try_send(outcomes);
            }
        }
        batch
    }
}
