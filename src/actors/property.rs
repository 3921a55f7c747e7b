//! The property actor: carries messages between callers, lanes, the store and the pure machine.
//!
//! Everything that is decided is decided in [`Machine::step`], synchronously. This shell runs the
//! machine's effects in their order and awaits only in tasks of their own. Bounds: commands are
//! admitted before they come; loads and reads of the head are one at a time. An actor that nobody
//! needs goes to sleep; one that panics takes only its own callers with it, and they try again.

use super::admission::{PER_NODE, Permit};
use super::committer::Outcomes;
use super::registry::{Inner, Registry};
use crate::feed::Channel;
use crate::store::turn::{Turn, TurnOutcome};
use actix::prelude::{Actor, ActorContext, AsyncContext, Context, Handler, Message};
use actix::{ActorFutureExt, Addr, WrapFuture};
use arc_swap::ArcSwapOption;
use domain::command::Command;
use domain::event::{Head, Seq};
use domain::group::{Group, Incarnation};
use domain::pipeline::Rejection;
use domain::pipeline::property::{Answer, Effect, Input, Machine, Ticket};
use domain::snapshot::Snapshot;
use domain::state::Stored;
use domain::{Instant, PropertyId};
use foldhash::{HashMap, HashMapExt as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

/// A command with the caller who waits for its answer.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Submit {
    pub command: Command,
    /// Set when the actor has taken the command up.
    pub taken: Arc<AtomicBool>,
    pub deadline: Instant,
    pub reply: oneshot::Sender<Answer>,
    pub permit: Permit,
}

/// Handle what is due, and answer when it is durable.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Settle {
    /// The property's head as it is stored, where another process may have moved it.
    pub head: Option<Head>,
    pub reply: oneshot::Sender<Option<Arc<Snapshot>>>,
}

type Settling = (Option<Seq>, oneshot::Sender<Option<Arc<Snapshot>>>);

struct Waiter {
    reply: oneshot::Sender<Answer>,
    _permit: Permit,
}

/// One property's actor. See the module's page.
pub(super) struct PropertyActor {
    property: PropertyId,
    node: Arc<Inner>,
    snapshot: Arc<ArcSwapOption<Snapshot>>,
    channel: Arc<Channel>,
    machine: Option<Machine>,
    life: Incarnation,
    turn: Option<Turn>,
    me: Arc<Addr<PropertyActor>>,
    waiting: HashMap<Ticket, Waiter>,
    tickets: Ticket,
    /// Who waits for the event of which seq to be durable; none before the first load.
    settling: Vec<Settling>,
    used_at: std::time::Instant,
}

/// How long the store is left alone after it failed to answer, doubled each time up to the most.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Events of a long absence that are read at a time.
const EVENTS_AT_ONCE: u32 = 1_000;
/// How often an actor asks itself whether anybody needs it, as a part of the idle time.
const IDLE_CHECKS: u32 = 4;

impl PropertyActor {
    pub(super) fn new(
        property: PropertyId,
        life: Incarnation,
        node: Arc<Inner>,
        snapshot: Arc<ArcSwapOption<Snapshot>>,
        ctx: &mut Context<Self>,
    ) -> Self {
        // Admission is the bound; the mailbox only has to be no tighter.
        ctx.set_mailbox_capacity(2 * PER_NODE);
        let channel = node.feed.channel(property);
        Self {
            property,
            node,
            snapshot,
            channel,
            machine: None,
            life,
            turn: None,
            me: Arc::new(ctx.address()),
            waiting: HashMap::new(),
            tickets: 0,
            settling: Vec::new(),
            used_at: std::time::Instant::now(),
        }
    }

    fn step(&mut self, input: Input, ctx: &mut Context<Self>) {
        let Some(machine) = self.machine.as_mut() else { return };
        let mut effects = Vec::new();
        machine.step(self.node.clock.now(), input, &mut effects);
        self.run(effects, ctx);
        self.settle();
    }

    fn run(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::Load { incarnation, turn } => self.load(incarnation, turn, ctx),
                Effect::Offer(group) => self.node.lanes.offer(group, &self.me),
                Effect::Turn(groups) => self.take_turn(groups, ctx),
                Effect::ReadHead => self.read_head(ctx),
                Effect::Publish(snapshot) => self.snapshot.store(Some(snapshot)),
                Effect::Reply(ticket, answer) => {
                    if let Some(waiter) = self.waiting.remove(&ticket) {
                        // A caller who went away hears nothing; what was decided stands.
                        let _ = waiter.reply.send(answer);
                    }
                }
                Effect::Committed(group) => self.tell(&group),
            }
        }
    }

    fn tell(&self, group: &Group) {
        // What was committed was published first, so there is a snapshot with a host.
        if let Some(snapshot) = self.snapshot.load().as_ref() {
            for sealed in &group.events {
                self.channel.publish(snapshot.property.host, &sealed.event);
            }
        }
        if !group.jobs.is_empty() {
            self.node.options.jobs.notify_one();
        }
    }

    fn load(&mut self, incarnation: Incarnation, turn: bool, ctx: &mut Context<Self>) {
        let (node, channel, property) =
            (Arc::clone(&self.node), Arc::clone(&self.channel), self.property);
        // What an earlier life of this actor offered may still be on its way.
        let is_first = incarnation == self.life;
        let loading = async move {
            if is_first {
                node.lanes.barrier(property).await;
            }
            load(&node, &channel, property, turn).await
        };
        ctx.spawn(loading.into_actor(self).map(move |loaded, actor, ctx| match loaded {
            Some((stored, turn)) => {
                let has_turn = turn.is_some();
                actor.turn = turn;
                let stored = Box::new(stored);
                actor.step(Input::Loaded { incarnation, stored, turn: has_turn }, ctx);
            }
            None => {
                actor.step(Input::Missing, ctx);
                for (_, reply) in actor.settling.drain(..) {
                    let _ = reply.send(None);
                }
                actor.leave(ctx);
            }
        }));
    }

    fn take_turn(&mut self, groups: Vec<Arc<Group>>, ctx: &mut Context<Self>) {
        let Some(turn) = self.turn.take() else { return };
        let offered = groups.clone();
        let writing = async move { turn.commit(groups).await };
        ctx.spawn(writing.into_actor(self).map(move |outcome, actor, ctx| match outcome {
            TurnOutcome::Committed => {
                for group in offered {
                    actor.step(Input::Outcome { group: group.id, result: Ok(()) }, ctx);
                }
            }
            TurnOutcome::Failed { group, rejection } => {
                actor.step(Input::Outcome { group, result: Err(rejection) }, ctx);
            }
            TurnOutcome::Lost { applied } => {
                for group in offered {
                    let found = applied.contains(&group.id);
                    let result = if found { Ok(()) } else { Err(Rejection::Lost) };
                    actor.step(Input::Outcome { group: group.id, result }, ctx);
                }
            }
        }));
    }

    fn read_head(&mut self, ctx: &mut Context<Self>) {
        let (node, property) = (Arc::clone(&self.node), self.property);
        let reading = async move {
            let mut pause = FIRST_PAUSE;
            loop {
                match node.store.head(property).await {
                    Ok(head) => return head,
                    Err(error) => {
                        tracing::warn!(%property, %error, "a property's head could not be read");
                    }
                }
                wait(&mut pause).await;
            }
        };
        ctx.spawn(reading.into_actor(self).map(|head, actor, ctx| {
            if let Some(head) = head {
                actor.step(Input::HeadRead { head }, ctx);
            }
        }));
    }

    /// Answers those who wait for what was decided when they came.
    fn settle(&mut self) {
        let Some(machine) = self.machine.as_ref().filter(|_| !self.settling.is_empty()) else {
            return;
        };
        let Some((durable, idle)) = machine.durable_seq().map(|seq| (seq, machine.is_idle()))
        else {
            return;
        };
        let (newest, snapshot) = (machine.newest_seq(), self.snapshot.load_full());
        // Who came before there was a state waits for what the first one decided.
        self.settling.iter_mut().for_each(|(seq, _)| *seq = seq.or(newest));
        let done = |(seq, _): &mut Settling| idle || seq.is_some_and(|seq| seq <= durable);
        for (_, reply) in self.settling.extract_if(.., done) {
            let _ = reply.send(snapshot.clone());
        }
    }

    fn sleep_if_unneeded(&mut self, ctx: &mut Context<Self>) {
        let idle = self.machine.as_ref().is_some_and(Machine::is_idle)
            && self.used_at.elapsed() >= self.node.options.idle_after
            && !self.channel.is_followed();
        if idle {
            self.leave(ctx);
            // Somebody who read the snapshot just before follows now, and has to hear what other
            // nodes write.
            if self.channel.is_followed() {
                Registry::keep(&self.node, self.property);
            }
        }
    }

    /// Ends the actor; commands that come after this start it anew.
    fn leave(&mut self, ctx: &mut Context<Self>) {
        self.node.retire(self.property, &self.me);
        ctx.stop();
    }
}

impl Actor for PropertyActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let mut effects = Vec::new();
        let settings = self.node.options.settings;
        self.machine = Some(Machine::new(settings, self.life, &mut effects));
        self.run(effects, ctx);
        ctx.run_interval(self.node.options.idle_after / IDLE_CHECKS, |actor, ctx| {
            actor.sleep_if_unneeded(ctx);
        });
    }
}

impl Handler<Submit> for PropertyActor {
    type Result = ();

    fn handle(&mut self, submit: Submit, ctx: &mut Self::Context) {
        let Submit { command, taken, deadline, reply, permit } = submit;
        taken.store(true, Ordering::Relaxed);
        self.used_at = std::time::Instant::now();
        self.tickets += 1;
        let ticket = self.tickets;
        self.waiting.insert(ticket, Waiter { reply, _permit: permit });
        self.step(Input::Submit { ticket, command, deadline }, ctx);
    }
}

impl Handler<Settle> for PropertyActor {
    type Result = ();

    fn handle(&mut self, settle: Settle, ctx: &mut Self::Context) {
        if let Some(head) = settle.head {
            self.step(Input::HeadSeen { head }, ctx);
        }
        self.step(Input::Tick, ctx);
        let newest = self.machine.as_ref().and_then(Machine::newest_seq);
        self.settling.push((newest, settle.reply));
        self.settle();
    }
}

/// Makes the actor panic, as a bug would.
#[cfg(test)]
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Panic;

#[cfg(test)]
impl Handler<Panic> for PropertyActor {
    type Result = ();

    fn handle(&mut self, _: Panic, _: &mut Self::Context) {
        panic!("a panic that a test asked for");
    }
}

impl Handler<Outcomes> for PropertyActor {
    type Result = ();

    fn handle(&mut self, outcomes: Outcomes, ctx: &mut Self::Context) {
        for (group, result) in outcomes.0 {
            self.step(Input::Outcome { group, result }, ctx);
        }
    }
}

/// Reads a property, as often as it takes, after telling its followers what they missed.
async fn load(
    node: &Inner,
    channel: &Channel,
    property: PropertyId,
    turn: bool,
) -> Option<(Stored, Option<Turn>)> {
    let mut pause = FIRST_PAUSE;
    loop {
        let loaded = if turn && node.options.settings.shared {
            let turn = node.store.turn(property).await;
            turn.map(|turn| turn.map(|(turn, stored)| (stored, Some(turn))))
        } else {
            node.store.load(property).await.map(|stored| stored.map(|stored| (stored, None)))
        };
        match loaded {
            Ok(None) => return None,
            Ok(Some((stored, turn))) => match catch_up(node, channel, &stored).await {
                Ok(()) => return Some((stored, turn)),
                Err(error) => tracing::warn!(%property, %error, "missed events were not read"),
            },
            Err(error) => tracing::warn!(%property, %error, "a property could not be loaded"),
        }
        wait(&mut pause).await;
    }
}

/// Moves the property's channel to the loaded event and not beyond, so that followers miss none and
/// find no snapshot that is older than what they were told.
pub(super) async fn catch_up(
    node: &Inner,
    channel: &Channel,
    stored: &Stored,
) -> Result<(), crate::store::StoreError> {
    let head = stored.head.seq;
    let mut last = channel.last().unwrap_or(head);
    while last < head {
        let limit = u32::try_from(head - last).unwrap_or(EVENTS_AT_ONCE).min(EVENTS_AT_ONCE);
        let events = node.store.events(stored.property.id, last, limit).await?;
        let Some(newest) = events.last() else { break };
        last = newest.seq;
        for event in &events {
            match domain::codec::decode(&event.bytes) {
                Ok(event) => channel.publish(stored.property.host, &event),
                // A newer version of this server may have written it.
                Err(error) => tracing::error!(seq = event.seq, %error, "an event is unreadable"),
            }
        }
    }
    channel.go_on_after(head);
    Ok(())
}

async fn wait(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(LONGEST_PAUSE);
}
