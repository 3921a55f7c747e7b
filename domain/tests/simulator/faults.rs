//! What goes wrong besides lost connections: deaths, jumps of the clock, and people who come at the
//! very moment at which a hold ends.

use crate::coverage::Reached;
use crate::ledger::Checked;
use crate::queue::Event;
use crate::request::Request;
use crate::world::World;
use domain::pipeline::property::Input;
use domain::{Booking, BookingId, Instant, Status};
use std::time::Duration;

#[derive(Clone, Copy)]
enum Fault {
    Crash,
    Panic,
    Sleep,
    /// The clock goes to a hold's end, and everybody comes at once.
    Deadline,
    /// The clock jumps by minutes.
    Jump,
    /// The clock jumps past the life of a key.
    Night,
    /// The store is away for a while.
    Outage,
    /// The store's disk is full for a while.
    Full,
}

/// One wish at the moment at which a hold ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Move {
    Tick,
    Pay,
    Rebook,
}

const SWEEP_PAUSE: i64 = 1_000_000;
/// Longer than most callers are willing to wait.
const LONGEST_OUTAGE: i64 = 6_000_000;
const LONGEST_FULL: i64 = 200_000;
const TICK: Duration = Duration::from_micros(1);

impl World {
    /// Something goes wrong, and something else will as long as there are clients.
    pub(crate) fn fault(&mut self) -> Checked {
        if self.acts_left == 0 {
            return Ok(());
        }
        let pause = self.random.between(1_000, self.plan.fault_pause);
        self.queue.after(pause, Event::Fault);
        let node = self.random.below(self.nodes.len());
        let property = self.random.below(self.plan.properties);
        let fault = self.random.weighted(&[
            (6, Fault::Crash),
            (16, Fault::Panic),
            (10, Fault::Sleep),
            (60, Fault::Deadline),
            (8, Fault::Jump),
            (2, Fault::Night),
            (1, Fault::Outage),
            (2, Fault::Full),
        ]);
        match fault {
            Fault::Crash => self.crash(node),
            Fault::Panic => self.panic(node, property),
            Fault::Sleep => self.sleep(node, property),
            Fault::Deadline => return self.end_a_hold(),
            Fault::Jump => self.jump(1_200),
            Fault::Night => self.jump(25 * 60 * 60),
            Fault::Full => {
                let length = self.random.between(5_000, LONGEST_FULL);
                self.queue.fill_disk(length);
            }
            Fault::Outage => {
                let length = self.random.between(100_000, LONGEST_OUTAGE);
                self.queue.close_store(length);
                self.reach(Reached::StoreAway);
            }
        }
        Ok(())
    }

    fn jump(&mut self, longest_seconds: i64) {
        let seconds = self.random.between(1, longest_seconds).unsigned_abs();
        let to = self.queue.now().plus(Duration::from_secs(seconds));
        self.queue.step_clock(to);
    }

    /// Overdue properties are woken, on any node, and so are actors for whom somebody waits.
    pub(crate) fn sweep(&mut self) -> Checked {
        let now = self.queue.now();
        for property in 0..self.plan.properties {
            let due = self.store.tables[property].next_deadline.is_some_and(|at| at <= now);
            let chosen = self.random.below(self.nodes.len());
            for node in 0..self.nodes.len() {
                let actor = self.nodes[node].desks[property].actor.as_ref();
                let waits = actor.is_some_and(|actor| !actor.machine.is_idle());
                if self.nodes[node].is_up && (waits || due && node == chosen) {
                    self.tick(node, property)?;
                }
            }
        }
        if !self.is_quiet && self.acts_left > 0 {
            self.queue.after(SWEEP_PAUSE, Event::Sweep);
        }
        Ok(())
    }

    fn tick(&mut self, node: usize, property: usize) -> Checked {
        let address = self.find_actor(node, property)?;
        let head = self.store.tables[property].head;
        self.step(address, Input::HeadSeen { head })?;
        self.step(address, Input::Tick)
    }

    /// A process dies with all it knew; the store notices that its connections are gone.
    fn crash(&mut self, node: usize) {
        if !self.nodes[node].is_up {
            return;
        }
        for property in 0..self.plan.properties {
            if self.abandon(node, property) {
                self.reach(Reached::CrashInTurn);
            }
        }
        self.nodes[node].die(&self.plan);
        let pause = self.random.between(1_000, 300_000);
        self.queue.after(pause, Event::Start(node));
    }

    /// One actor dies; its lane lives on, and what it says reaches nobody.
    fn panic(&mut self, node: usize, property: usize) {
        let desk = &mut self.nodes[node].desks[property];
        let Some(actor) = &desk.actor else { return };
        if actor.machine.is_idle() {
            return;
        }
        let number = actor.number;
        desk.mourns = true;
        if self.plan.heirs_wait {
            self.send_again(number);
        }
        self.abandon(node, property);
        self.nodes[node].desks[property].end_life();
        self.reach(Reached::Panicked);
    }

    /// Callers of a dead actor try its successor, where that can tell what was done.
    fn send_again(&mut self, actor: u64) {
        let waits =
            |r: &&mut Request| r.actor == Some(actor) && r.is_waiting() && r.can_be_resent();
        for request in self.requests.values_mut().filter(waits) {
            request.resent = true;
            request.actor = None;
            let delay = self.random.between(0, 2_000);
            self.queue.after(delay, Event::Arrive(request.ticket));
        }
    }

    /// Nobody answers for this actor any more; says whether it held a lock.
    fn abandon(&mut self, node: usize, property: usize) -> bool {
        let Some(actor) = &self.nodes[node].desks[property].actor else { return false };
        let number = actor.number;
        for request in self.requests.values_mut() {
            if request.actor == Some(number) && request.is_waiting() {
                request.lost = true;
            }
        }
        let table = &self.store.tables[property];
        let held = table.locked.is_some_and(|turn| turn.owner.actor == number);
        let turns = table.locked.iter().chain(&table.queued);
        let turns: Vec<_> = turns.filter(|turn| turn.owner.actor == number).copied().collect();
        for turn in turns {
            let delay = self.random.between(0, 50_000);
            self.queue.after(delay, Event::Unlock(turn));
        }
        held
    }

    fn sleep(&mut self, node: usize, property: usize) {
        let desk = &mut self.nodes[node].desks[property];
        if desk.actor.as_ref().is_some_and(|actor| actor.machine.is_idle()) {
            desk.actor = None;
            self.reach(Reached::Slept);
        }
    }

    /// The clock goes to the end of a hold, or one microsecond before it, and at this very moment
    /// the sweep, the payment and somebody who wants the nights arrive, in any order.
    fn end_a_hold(&mut self) -> Checked {
        let property = self.random.below(self.plan.properties);
        let node = self.random.below(self.nodes.len());
        let Some((booking, until)) = self.next_hold(property) else { return Ok(()) };
        if until <= self.queue.now() || !self.nodes[node].is_up {
            return Ok(());
        }
        let early = self.random.chance(200);
        self.queue.step_clock(if early { until.minus(TICK) } else { until });
        let moves: &[Move] = match self.random.below(6) {
            0 => &[Move::Tick, Move::Pay],
            1 => &[Move::Pay, Move::Tick],
            2 => &[Move::Rebook, Move::Pay],
            3 => &[Move::Rebook],
            4 => &[Move::Pay, Move::Rebook],
            _ => &[Move::Tick, Move::Rebook],
        };
        let order = match (early, moves) {
            (true, [Move::Pay, ..]) => Some(Reached::PaidInLastMicrosecond),
            (false, [Move::Tick, Move::Pay]) => Some(Reached::TickThenPay),
            (false, [Move::Pay, Move::Tick]) => Some(Reached::PayThenTick),
            _ => None,
        };
        if let Some(state) = order {
            self.reach(state);
        }
        for wish in moves {
            self.make_move(*wish, node, property, &booking)?;
        }
        Ok(())
    }

    fn make_move(
        &mut self,
        wish: Move,
        node: usize,
        property: usize,
        booking: &Booking,
    ) -> Checked {
        let wish = match wish {
            Move::Tick => return self.tick(node, property),
            Move::Pay => self.clients.pay_booking(property, booking),
            Move::Rebook => {
                let guest = crate::client::user(0);
                self.clients.book_stay(property, guest, booking.stay, 2)
            }
        };
        let ticket = self.request(wish, node);
        self.arrive(ticket)
    }

    /// The hold that ends next.
    fn next_hold(&self, property: usize) -> Option<(Booking, Instant)> {
        let until = |booking: &Booking| match booking.status {
            Status::Pending { expires_at, .. } => Some(expires_at),
            _ => None,
        };
        let holds = self.store.tables[property].bookings.values();
        let held = holds.filter_map(|booking| Some((booking, until(booking)?)));
        let next: Option<(&Booking, Instant)> =
            held.min_by_key(|(booking, until)| -> (Instant, BookingId) { (*until, booking.id) });
        next.map(|(booking, until)| (booking.clone(), until))
    }
}
