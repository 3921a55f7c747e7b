//! One seed's world: who acts next, how time passes, and what becomes of events and commits.

use crate::coverage::{Coverage, Reached};
use crate::oracle::{Checked, Oracle};
use crate::plan::{self, DAY, HOUR, MINUTE, Plan};
use crate::planted::Planted;
use crate::provider::{Provider, Said};
use crate::random::Random;
use crate::store::{Store, Why};
use crate::worker::{Go, Stage};
use domain::command::{Command, Intent};
use domain::decide::Verdict;
use domain::event::By;
use domain::group::{Group, Incarnation};
use domain::settlement::Standing;
use domain::state::{Settings, State};
use domain::{Instant, PaymentId};
use std::time::Duration;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) planted: Planted,
    pub(crate) random: Random,
    pub(crate) now: Instant,
    pub(crate) state: State,
    pub(crate) store: Store,
    pub(crate) provider: Provider,
    /// The workers that are at something.
    pub(crate) goes: Vec<Go>,
    /// Events on their way to us: when they come, and whether somebody made them up.
    pub(crate) mail: Vec<(Instant, Said, bool)>,
    pub(crate) oracle: Oracle,
    pub(crate) coverage: Coverage,
    /// Whether everything that happens is printed.
    pub(crate) is_told: bool,
    incarnation: Incarnation,
    ids: u128,
}

/// What became of a command.
#[derive(Debug)]
pub(crate) enum Told {
    Done,
    Same,
    Refused,
    /// The process died before it could say.
    Died,
}

/// What happens in a step.
#[derive(Clone, Copy, Debug)]
enum Act {
    Person,
    Visit,
    Worker,
    Reconcile,
    Forge,
    Clock,
    Time,
    Deadline,
}

const ACTS: [(usize, Act); 8] = [
    (25, Act::Person),
    (12, Act::Visit),
    (50, Act::Worker),
    (6, Act::Reconcile),
    (4, Act::Forge),
    (4, Act::Clock),
    (7, Act::Time),
    (2, Act::Deadline),
];

impl World {
    pub(crate) fn new(seed: u64, planted: Planted) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::draw(&mut random);
        let store = Store::new(plan.property.clone());
        let state = State::load(store.stored(), settings());
        let provider = Provider::new(Random::new(seed ^ 0x00ff_00ff), plan.weather);
        Self {
            plan,
            planted,
            random,
            now: plan::start(),
            state,
            store,
            provider,
            goes: Vec::new(),
            mail: Vec::new(),
            oracle: Oracle::default(),
            coverage: Coverage::default(),
            is_told: false,
            incarnation: 1,
            ids: 0,
        }
    }

    /// Lets it all happen, and everything come to rest: what was reached, or the rule that broke.
    pub(crate) fn run(mut self) -> Checked<Coverage> {
        self.note(|world| format!("{:?}", world.plan));
        for _ in 0..self.plan.steps {
            self.step()?;
            self.check_rest()?;
        }
        self.come_to_rest()?;
        Ok(self.coverage)
    }

    /// Says what happens, if anybody listens.
    pub(crate) fn note(&self, text: impl FnOnce(&Self) -> String) {
        if self.is_told {
            let text = text(self).replace("00000000-0000-0000-0000-00000000", "");
            println!("{} {text}", self.now);
        }
    }

    pub(crate) fn reach(&mut self, state: Reached) {
        self.note(|_| format!("  reached: {state:?}"));
        self.coverage.reach(state);
    }

    /// A new id; the property's last digits are nothing to this world.
    pub(crate) fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn step(&mut self) -> Checked {
        let seconds = self.random.between(0, 10_000_000);
        self.pass(Duration::from_micros(seconds.unsigned_abs()));
        if self.random.chance(self.plan.weather.crash) {
            self.crash();
        }
        match self.random.weighted(&ACTS) {
            Act::Person => self.act_as_person(),
            Act::Visit => {
                self.visit();
                Ok(())
            }
            Act::Worker => self.work(),
            Act::Reconcile => {
                self.reconcile();
                Ok(())
            }
            Act::Forge => {
                self.forge();
                Ok(())
            }
            Act::Clock => self.enforce_deadlines().map(|_| ()),
            Act::Time => {
                let length = self.random.weighted(&[
                    (12, MINUTE),
                    (10, MINUTE * 5),
                    (8, MINUTE * 16),
                    (7, HOUR * 2),
                    (3, HOUR * 7),
                    (2, HOUR * 20),
                    (1, DAY * 3),
                ]);
                self.pass(length);
                Ok(())
            }
            Act::Deadline => {
                // One microsecond before, at, or after a deadline.
                if let Some(at) = self.state.next_deadline() {
                    let micros = at.as_micros() + self.random.between(-1, 1);
                    self.pass(Instant::from_micros(micros).since(self.now));
                }
                Ok(())
            }
        }
    }

    /// Time passes: providers come to an end with things, and events arrive.
    pub(crate) fn pass(&mut self, length: Duration) {
        self.now = self.now.plus(length);
        for late in self.provider.receive(self.now) {
            self.reach(late);
        }
        self.provider.pass(self.now);
        self.post();
        let now = self.now;
        let (due, rest) = std::mem::take(&mut self.mail).into_iter().partition(|m| m.0 <= now);
        self.mail = rest;
        let due: Vec<(Instant, Said, bool)> = due;
        for (_, said, forged) in due {
            if self.store.rows.contains_key(&said.payment) {
                self.note(|_| format!("event {said:?}, forged: {forged}"));
                self.store.add_work(said.payment, now, Why::Event { said, forged });
            }
        }
    }

    /// What the providers have to say goes into the mail, or is lost there.
    fn post(&mut self) {
        for said in std::mem::take(&mut self.provider.said) {
            let weather = self.plan.weather;
            let copies = 1 + usize::from(self.random.chance(weather.doubled));
            for _ in 0..copies {
                if !self.random.chance(weather.dropped) {
                    let at = self.delay();
                    self.mail.push((at, said, false));
                }
            }
        }
    }

    /// When an event arrives that is sent now: each on its own way, so that they overtake.
    fn delay(&mut self) -> Instant {
        let most = if self.random.chance(self.plan.weather.delayed) { 7_200 } else { 5 };
        let micros = self.random.between(0, most * 1_000_000).unsigned_abs();
        self.now.plus(Duration::from_micros(micros))
    }

    /// Somebody who is not the provider says something of a payment.
    fn forge(&mut self) {
        let payments: Vec<PaymentId> = self.store.rows.keys().copied().collect();
        let Some(payment) = payments.get(self.random.below(payments.len())).copied() else {
            return;
        };
        let standing = self.random.weighted(&[(2, Standing::Captured), (1, Standing::Authorized)]);
        self.mail.push((self.now, Said { payment, standing }, true));
    }

    /// Decides a command after what the clock has to do, and commits it.
    pub(crate) fn decide(&mut self, by: By, intent: Intent) -> Checked<Told> {
        if !self.enforce_deadlines()? {
            return Ok(Told::Died);
        }
        let command = Command { id: self.id(), by, key: None, intent };
        let verdict = self.state.decide(&command, self.incarnation, self.now);
        Ok(match verdict {
            Verdict::Write(group) => {
                if !self.commit(&group)? {
                    return Ok(Told::Died);
                }
                Told::Done
            }
            Verdict::Refused(refusal) => {
                self.note(|_| format!("  refused: {:?} {refusal:?}", command.intent));
                Told::Refused
            }
            Verdict::Unchanged(_) | Verdict::NothingToEdit | Verdict::Replay { .. } => Told::Same,
        })
    }

    /// What the clock has to do; false if the process died of it.
    pub(crate) fn enforce_deadlines(&mut self) -> Checked<bool> {
        while let Some(group) = self.state.enforce_deadline(self.incarnation, self.now) {
            if !self.commit(&group)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes a group, or dies before; false if it died.
    fn commit(&mut self, group: &Group) -> Checked<bool> {
        if self.random.chance(self.plan.weather.commit_lost) {
            self.reach(Reached::CrashBeforeCommit);
            self.crash();
            return Ok(false);
        }
        let before = group.booking().and_then(|b| self.store.bookings.get(&b.id)).cloned();
        self.store.write(group);
        self.check_commit(before.as_ref(), group)?;
        Ok(true)
    }

    /// The process dies, with its workers, and another begins from what is stored.
    pub(crate) fn crash(&mut self) {
        self.note(|world| format!("crash with {:?}", world.goes));
        for go in std::mem::take(&mut self.goes) {
            match go.stage {
                Stage::Hear(heard) if heard.is_charge() => self.reach(Reached::CrashAfterCharge),
                Stage::Hear(heard) if heard.is_refund() => self.reach(Reached::CrashAfterRefund),
                _ => {}
            }
        }
        self.incarnation += 1;
        self.state = State::load(self.store.stored(), settings());
        if self.random.chance(500) {
            self.reconcile();
        }
    }
}

fn settings() -> Settings {
    Settings { one_pending_each: false, ..Settings::default() }
}
