//! One process: its actors, its lane and what it has told. All of it is lost when it dies.

use crate::oracle::Told;
use crate::plan::Plan;
use crate::queue::{Line, Process};
use crate::store::Turn;
use domain::group::{Group, GroupId, Incarnation};
use domain::pipeline::lane::Lane;
use domain::pipeline::property::Machine;
use std::sync::Arc;

/// How far apart the lives of one property's actors begin: room for the reloads of each.
const LIVES: Incarnation = 1_000;

/// A property's machine with the number of its life.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) number: u64,
    pub(crate) machine: Machine,
    /// The turn that it took last.
    pub(crate) turn: Option<Turn>,
}

/// What a node has for one property.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) actor: Option<Actor>,
    pub(crate) told: Told,
    /// The next life of the property's actor begins here; it outlives the process.
    next_life: Incarnation,
    /// The last incarnation that a dead actor can have had.
    orphaned: Incarnation,
    /// Whether an actor died here and none has answered since.
    pub(crate) mourns: bool,
    pub(crate) to_lane: Line,
    pub(crate) from_lane: Line,
    /// The groups that are in the lane: on their way to it, in its queue or in its batch.
    pub(crate) in_lane: Vec<Arc<Group>>,
    /// The newest life of which a group failed: what still comes of it is dropped by the lane.
    failed_life: Incarnation,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) process: Process,
    pub(crate) is_up: bool,
    pub(crate) lane: Lane,
    pub(crate) flushes: bool,
    pub(crate) desks: Vec<Desk>,
}

impl Node {
    pub(crate) fn new(node: usize, plan: &Plan) -> Self {
        Self {
            process: Process { node, boot: 0 },
            is_up: true,
            lane: Lane::new(plan.settings.switches),
            flushes: false,
            desks: (0..plan.properties).map(|_| Desk::default()).collect(),
        }
    }

    /// The process ends: only what counts its lives is left.
    pub(crate) fn die(&mut self, plan: &Plan) {
        self.process.boot += 1;
        self.is_up = false;
        self.lane = Lane::new(plan.settings.switches);
        self.flushes = false;
        for desk in &mut self.desks {
            *desk = Desk { next_life: desk.next_life, ..Desk::default() };
        }
    }
}

impl Desk {
    /// The incarnation with which the next actor begins.
    pub(crate) fn begin_life(&mut self) -> Incarnation {
        self.next_life += LIVES;
        self.next_life
    }

    /// The actor is gone; what it has in the lane belongs to nobody.
    pub(crate) fn end_life(&mut self) {
        self.actor = None;
        self.orphaned = self.next_life + LIVES - 1;
    }

    /// Puts a group into the lane's list, unless the lane drops it at once. Says whether groups of
    /// a dead actor are there too.
    pub(crate) fn enter_lane(&mut self, group: &Arc<Group>) -> bool {
        if group.id.incarnation > self.failed_life {
            self.in_lane.push(Arc::clone(group));
        }
        self.has_orphans()
    }

    /// Whether groups of an actor that is dead are in the lane.
    pub(crate) fn has_orphans(&self) -> bool {
        self.in_lane.iter().any(|group| group.id.incarnation <= self.orphaned)
    }

    /// Takes this group out of the lane's list, with all later ones of its life if it failed:
    /// those are returned.
    pub(crate) fn leave_lane(&mut self, id: GroupId, failed: bool) -> Vec<Arc<Group>> {
        self.in_lane.retain(|group| group.id != id);
        if !failed {
            return Vec::new();
        }
        self.failed_life = self.failed_life.max(id.incarnation);
        self.in_lane.extract_if(.., |group| group.id.incarnation <= id.incarnation).collect()
    }
}
