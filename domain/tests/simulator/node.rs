//! One process: its actors, its lane and what it has told. All of it is lost when it dies.

use crate::oracle::Told;
use crate::plan::Plan;
use crate::queue::{Line, Process};
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
}

/// What a node has for one property.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) actor: Option<Actor>,
    pub(crate) told: Told,
    /// The next life of the property's actor begins here; it outlives the process.
    next_life: Incarnation,
    /// Whether an actor died here and none has answered since.
    pub(crate) mourns: bool,
    pub(crate) to_lane: Line,
    pub(crate) from_lane: Line,
    /// The groups that are in the lane, in its queue or in its batch.
    pub(crate) in_lane: Vec<Arc<Group>>,
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

    /// Takes this group out of the lane's list, with all later ones of its life if it failed:
    /// those are returned.
    pub(crate) fn leave_lane(&mut self, id: GroupId, failed: bool) -> Vec<Arc<Group>> {
        self.in_lane.retain(|group| group.id != id);
        let mut dropped = Vec::new();
        if failed {
            let life = id.incarnation;
            dropped = self.in_lane.extract_if(.., |g| g.id.incarnation <= life).collect();
        }
        dropped
    }
}
