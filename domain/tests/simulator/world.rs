//! The world of one seed: nodes, clients and one store, and what happens between them.
//!
//! A run has two phases. In the first one, everything goes wrong that can. Then it is quiet: all
//! nodes are up, nothing fails any more, the clock goes on past every deadline, and everything that
//! waits must come to its end. The oracle looks on after every step of both.

use crate::client::{Clients, Wish};
use crate::coverage::{Coverage, Reached};
use crate::ledger::{Checked, ensure};
use crate::node::Node;
use crate::oracle::Oracle;
use crate::plan::Plan;
use crate::queue::{Event, Queue};
use crate::random::Random;
use crate::request::Request;
use crate::store::Store;
use domain::Instant;
use domain::pipeline::property::{self, Ticket};
use domain::switches::Switches;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Nothing takes this many steps; a run that does would never end.
const MAX_STEPS: usize = 300_000;
/// How long a caller is willing to wait.
const PATIENCE: Duration = Duration::from_secs(5);
const HURRY: Duration = Duration::from_millis(20);
/// How far the clock goes in the quiet phase: past every hold and every day that was booked.
const QUIET: Duration = Duration::from_secs(40 * 24 * 60 * 60);
const FLOOD: usize = 700;
/// How many letters of an event are printed.
const LONGEST_NOTE: usize = 320;

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) random: Random,
    pub(crate) queue: Queue,
    pub(crate) store: Store,
    pub(crate) nodes: Vec<Node>,
    pub(crate) clients: Clients,
    pub(crate) oracle: Oracle,
    pub(crate) coverage: Coverage,
    pub(crate) requests: BTreeMap<Ticket, Request>,
    pub(crate) is_quiet: bool,
    /// Whether everything that happens is printed.
    pub(crate) is_told: bool,
    pub(crate) acts_left: usize,
    pub(crate) actors: u64,
    pub(crate) effects: Vec<property::Effect>,
    tickets: Ticket,
    steps: usize,
}

impl World {
    pub(crate) fn new(seed: u64, switches: Switches) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::draw(&mut random, switches);
        Self {
            store: Store::new(&plan, &mut random),
            nodes: (0..plan.nodes).map(|node| Node::new(node, &plan)).collect(),
            clients: Clients::new(&plan),
            oracle: Oracle::new(&plan),
            coverage: Coverage::default(),
            requests: BTreeMap::new(),
            queue: Queue::default(),
            is_quiet: false,
            is_told: false,
            acts_left: plan.acts,
            actors: 0,
            effects: Vec::new(),
            tickets: 0,
            steps: 0,
            random,
            plan,
        }
    }

    /// Both phases, and what they reached; or the first rule that was broken.
    pub(crate) fn run(mut self) -> Checked<Coverage> {
        self.oracle.see_commit(&self.store, &self.requests, self.queue.now())?;
        if self.plan.flood {
            for number in 0..FLOOD {
                let wish = self.clients.flood(number);
                self.send(wish, 0, 0);
            }
        }
        self.queue.after(0, Event::Act);
        let pause = self.random.between(0, self.plan.fault_pause);
        self.queue.after(pause, Event::Fault);
        self.queue.after(1_000_000, Event::Sweep);
        self.drain()?;
        self.rest()?;
        Ok(self.coverage)
    }

    fn drain(&mut self) -> Checked {
        while let Some(event) = self.queue.pop() {
            self.steps += 1;
            ensure!(self.steps < MAX_STEPS, "it does not come to an end");
            self.note(&event);
            self.happen(event)?;
        }
        Ok(())
    }

    /// Prints what happens, when a single seed is replayed.
    pub(crate) fn note(&self, what: &impl fmt::Debug) {
        if self.is_told {
            let text: String = format!("{what:?}").chars().take(LONGEST_NOTE).collect();
            println!("{} {text}", self.queue.now());
        }
    }

    fn happen(&mut self, event: Event) -> Checked {
        match event {
            Event::Act => self.act(),
            Event::Arrive(ticket) => return self.arrive(ticket),
            Event::Deliver(address, input) => return self.deliver(address, input),
            Event::Offer(process, group) => self.offer(process, group),
            Event::Flush(process) => return self.flush(process),
            Event::Commit(transaction) => return self.commit(transaction),
            Event::Answer(process, outcome) => self.answer(process, outcome),
            Event::Tell(process, group, result) => return self.tell(process, &group, result),
            Event::Load(address, incarnation) => self.load(address, incarnation),
            Event::Lock(address, incarnation) => self.lock(address, incarnation),
            Event::Turn(turn, groups, fate) => return self.turn(turn, &groups, fate),
            Event::Unlock(turn) => self.unlock(turn),
            Event::ReadHead(address) => self.read_head(address),
            Event::Straggle(group) => return self.straggle(&group),
            Event::Fault => return self.fault(),
            Event::Start(node) => self.nodes[node].is_up = true,
            Event::Sweep => return self.sweep(),
        }
        Ok(())
    }

    /// Heals everything, lets time pass and looks whether everything came to its end.
    fn rest(&mut self) -> Checked {
        self.is_quiet = true;
        self.queue.close_store(0);
        self.queue.fill_disk(0);
        self.store.poisoned.clear();
        for node in &mut self.nodes {
            node.is_up = true;
        }
        self.ask_again();
        self.drain()?;
        let end = self.queue.now().plus(QUIET);
        while let Some(due) = self.next_due().filter(|due| *due <= end) {
            self.queue.step_clock(due);
            self.sweep()?;
            self.drain()?;
            ensure!(self.next_due().is_none_or(|at| due < at), "nothing ends what ended at {due}");
        }
        self.oracle.see_end(&self.store, self.queue.now())?;
        for request in self.requests.values() {
            ensure!(!request.is_waiting(), "nobody answers {request:?}");
        }
        for node in &self.nodes {
            ensure!(node.lane.is_idle(), "the lane of {:?} is not idle", node.process);
            for desk in &node.desks {
                let idle = desk.actor.as_ref().is_none_or(|actor| actor.machine.is_idle());
                ensure!(idle, "an actor of {:?} is not idle: {:?}", node.process, desk.actor);
                ensure!(desk.in_lane.is_empty(), "{:?} was forgotten in a lane", desk.in_lane);
            }
        }
        Ok(())
    }

    fn next_due(&self) -> Option<Instant> {
        self.store.tables.iter().filter_map(|table| table.next_deadline).min()
    }

    /// What got no answer because its node died is asked again under its key: it is wholly there
    /// or wholly absent.
    fn ask_again(&mut self) {
        let lost: Vec<Wish> = self
            .requests
            .values()
            .filter(|request| request.lost && request.command.key.is_some())
            .map(|request| Wish { property: request.property, command: request.command.clone() })
            .collect();
        for wish in lost {
            let wish = self.clients.again(&wish);
            self.send_somewhere(wish);
        }
    }

    /// One client does something, and another will soon: mostly at once, at times later.
    fn act(&mut self) {
        let wish = self.clients.act(&self.store, self.queue.now(), &mut self.random);
        if self.random.chance(self.plan.weather.poison) {
            self.store.poisoned.insert(wish.command.id);
        }
        let twice = wish.command.key.is_some() && self.random.chance(100);
        if twice {
            // Somebody clicks twice.
            let again = self.clients.again(&wish);
            self.send_somewhere(again);
        }
        self.send_somewhere(wish);
        self.acts_left -= 1;
        if self.acts_left > 0 {
            let longest = if self.random.chance(700) { 4_000 } else { 200_000 };
            let pause = self.random.between(0, longest);
            self.queue.after(pause, Event::Act);
        }
    }

    fn send_somewhere(&mut self, wish: Wish) {
        let node = self.random.below(self.nodes.len());
        let delay = self.random.between(0, 3_000);
        self.send(wish, node, delay);
    }

    /// Sends a wish to a node.
    fn send(&mut self, wish: Wish, node: usize, delay: i64) {
        let ticket = self.request(wish, node);
        self.queue.after(delay, Event::Arrive(ticket));
    }

    /// A wish becomes a request to a node.
    pub(crate) fn request(&mut self, wish: Wish, node: usize) -> Ticket {
        self.tickets += 1;
        let ticket = self.tickets;
        let request = Request::new(ticket, node, wish.property, wish.command);
        self.requests.insert(ticket, request);
        ticket
    }

    /// How long a caller who asks now is willing to wait; few are in a hurry.
    pub(crate) fn patience(&mut self) -> Duration {
        let hurried = !self.is_quiet && self.random.chance(30);
        if hurried { HURRY } else { PATIENCE }
    }

    /// A delay of the network or of a disk, in microseconds: mostly short.
    pub(crate) fn delay(&mut self, usual: i64) -> i64 {
        let slow = !self.is_quiet && self.random.chance(self.plan.weather.slow);
        if slow { self.random.between(usual, 40 * usual) } else { self.random.between(0, usual) }
    }

    pub(crate) fn reach(&mut self, state: Reached) {
        self.coverage.reach(state);
    }
}
