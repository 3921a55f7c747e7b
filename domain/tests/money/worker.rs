//! The worker: takes work, a hint or the reconciliation's word, and goes from move to move until
//! there is nothing more to do. It may die between any two steps; its work waits until then.

use crate::coverage::Reached;
use crate::oracle::{Checked, ensure};
use crate::plan::MINUTE;
use crate::planted::Planted;
use crate::provider::Refused;
use crate::store::{Row, Why, Work};
use crate::world::World;
use domain::payment::{PaymentStatus, RefundState};
use domain::settlement::{Fact, Move, Record, Seen, Standing, next};
use domain::{Booking, PaymentId, RefundId};

/// The most moves without rest that anything may need.
const MOST_MOVES: u32 = 30;

/// One go at a payment.
#[derive(Clone, Debug)]
pub(crate) struct Go {
    pub(crate) payment: PaymentId,
    /// The work that it does; nothing for the reconciliation.
    work: Option<u64>,
    /// Whether a forged event began it, and whether it has changed anything.
    forged: bool,
    pub(crate) changed: bool,
    pub(crate) seen: Seen,
    moves: u32,
    pub(crate) stage: Stage,
    /// What only a planted bug keeps here: that the booking did not take the money.
    pub(crate) disowned: bool,
}

/// Where a worker is in its move.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    Think,
    Act(Move),
    /// An answer has come and is not written yet.
    Hear(Heard),
}

/// What the provider answered.
#[derive(Clone, Debug)]
pub(crate) enum Heard {
    Fact(Fact),
    Ordered(Result<Fact, Refused>),
    Captured(Result<Fact, Refused>),
    Canceled(Result<Fact, Refused>),
    Sent(RefundId, RefundState),
    Looked(RefundId, RefundState),
}

/// What becomes of a go after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    GoesOn,
    /// It came to rest.
    Rests,
    /// The provider could not be asked, or its answer is not known: later.
    PutOff,
    /// The process died.
    Died,
}

impl Heard {
    /// Whether the money has just moved to us.
    pub(crate) fn is_charge(&self) -> bool {
        matches!(self, Self::Captured(Ok(fact)) if fact.standing == Standing::Captured)
    }

    /// Whether money has just moved back.
    pub(crate) const fn is_refund(&self) -> bool {
        matches!(self, Self::Sent(_, RefundState::Submitted | RefundState::Succeeded))
    }
}

impl World {
    /// A worker takes something on, or those that are at something go a few steps on.
    pub(crate) fn work(&mut self) -> Checked {
        self.begin_due();
        let steps = self.random.below(8);
        for _ in 0..=steps {
            let at = self.random.below(self.goes.len());
            self.go_on(at)?;
        }
        Ok(())
    }

    /// Takes some of the work that is due, each payment's once at a time.
    fn begin_due(&mut self) {
        let now = self.now;
        let due: Vec<Work> = self.store.work.iter().filter(|w| w.run_at <= now).copied().collect();
        for work in due {
            if self.random.chance(700) {
                self.begin(work.payment, Some(work));
            }
        }
    }

    /// A worker begins at a payment, unless one is at it.
    pub(crate) fn begin(&mut self, payment: PaymentId, work: Option<Work>) {
        let is_mine = |go: &Go| go.work.is_some() && go.work == work.map(|work| work.number);
        let is_busy = |go: &Go| go.payment == payment && self.planted != Planted::TwoWorkers;
        if self.goes.iter().any(|go| is_mine(go) || is_busy(go)) {
            return;
        }
        let Some(row) = self.store.rows.get_mut(&payment) else { return };
        row.rests = false;
        let mut seen = Seen::default();
        let mut forged = false;
        if let Some(Work { why: Why::Event { said, forged: is_forged }, .. }) = work {
            forged = is_forged;
            if self.planted == Planted::BelievesEvents {
                let (amount, currency) = (row.record.amount, row.record.currency);
                let standing = said.standing;
                seen.fact = Some(Fact { booking: None, amount, currency, standing });
            }
        }
        self.goes.push(Go {
            payment,
            work: work.map(|work| work.number),
            forged,
            changed: false,
            seen,
            moves: 0,
            stage: Stage::Think,
            disowned: false,
        });
        self.note(|_| format!("a worker begins at {payment} for {work:?}"));
    }

    /// Looks at every payment whose row says that its end is still to come, as the real one does.
    pub(crate) fn reconcile(&mut self) {
        let is_open = |record: &Record| {
            record.status.is_open()
                || record.status == PaymentStatus::Authorized
                || record.refunds.iter().any(|refund| refund.state.is_open())
        };
        let rows = self.store.rows.iter().filter(|(_, row)| is_open(&row.record));
        let unfinished: Vec<PaymentId> = rows.map(|(payment, _)| *payment).collect();
        for payment in unfinished {
            self.begin(payment, None);
        }
    }

    /// The payments with which there is something to do before anything more is known.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = PaymentId> {
        self.store.rows.keys().copied().filter(|payment| {
            self.store.read(*payment).is_some_and(|(booking, row)| {
                next(booking, &row.record, &Seen::default()) != Move::Rest
            })
        })
    }

    /// One worker takes one step.
    pub(crate) fn go_on(&mut self, at: usize) -> Checked {
        if at >= self.goes.len() {
            return Ok(());
        }
        let mut go = self.goes.remove(at);
        let fate = match std::mem::replace(&mut go.stage, Stage::Think) {
            Stage::Think => self.think(&mut go)?,
            Stage::Act(what) => self.carry_out(&mut go, what)?,
            Stage::Hear(heard) => self.take_in(&mut go, heard)?,
        };
        match fate {
            Fate::GoesOn => self.goes.push(go),
            Fate::Rests => self.finish(&go),
            Fate::PutOff => {
                let later = self.now.plus(MINUTE);
                let mine = self.store.work.iter_mut().find(|work| go.work == Some(work.number));
                if let Some(work) = mine {
                    work.run_at = later;
                }
            }
            Fate::Died => {}
        }
        Ok(())
    }

    /// Reads what is stored and decides on the next move.
    fn think(&mut self, go: &mut Go) -> Checked<Fate> {
        let (booking, row) = self.store.read(go.payment).ok_or("a payment without a booking")?;
        let what = self.next_move(booking, row, go);
        go.moves += 1;
        self.note(|_| {
            let Row { record, kind, .. } = row;
            let wish = booking.wish(go.payment);
            format!("  {} {kind:?} {:?} {wish:?} -> {what:?}", go.payment, record.status)
        });
        ensure!(go.moves <= MOST_MOVES, "{go:?} does not come to rest");
        if what == Move::Rest {
            return Ok(Fate::Rests);
        }
        go.stage = Stage::Act(what);
        Ok(Fate::GoesOn)
    }

    /// What the settlement says, or what a planted bug makes of it.
    fn next_move(&self, booking: &Booking, row: &Row, go: &Go) -> Move {
        let mut record = row.record.clone();
        let mut seen = go.seen.clone();
        record.disowned |= go.disowned;
        match self.planted {
            Planted::ForgetsRefunds => record.refunds.retain(|refund| refund.state.is_open()),
            Planted::KeepsFailuresQuiet => {
                seen.told = true;
            }
            _ => {}
        }
        // Nothing that the provider may have answered was written down.
        let is_new = record.status == PaymentStatus::Created;
        match next(booking, &record, &seen) {
            Move::Look if self.planted == Planted::OrdersAnew && is_new => Move::Order,
            what => what,
        }
    }

    /// The work is done.
    fn finish(&mut self, go: &Go) {
        self.store.work.retain(|work| go.work != Some(work.number));
        if let Some(row) = self.store.rows.get_mut(&go.payment) {
            row.rests = true;
        }
        if go.forged && !go.changed {
            self.reach(Reached::ForgedNothing);
        }
    }
}
