//! The quiet phase: nothing fails any more, nobody wants anything, and time goes on until nothing
//! changes. Then all money must be where it belongs.

use crate::oracle::{Checked, ensure, kept, owed};
use crate::plan::{MINUTE, Weather};
use crate::provider::Order;
use crate::store::Work;
use crate::world::World;
use domain::payment::PaymentStatus;
use domain::settlement::Standing;
use domain::{Instant, Status};

/// How many turns everything has at most: far more than bookings, payments and deadlines need.
const MOST_ROUNDS: usize = 1_000;
/// How many steps the workers have at most in one turn.
const MOST_STEPS: usize = 5_000;

impl World {
    /// Waits until nothing changes, and looks at what is left.
    pub(crate) fn come_to_rest(&mut self) -> Checked {
        self.plan.weather = Weather::default();
        self.provider.weather = Weather::default();
        self.note(|_| "the weather is over".to_owned());
        for _ in 0..MOST_ROUNDS {
            self.settle()?;
            if let Some(at) = self.next_at() {
                self.pass(at.since(self.now));
                continue;
            }
            // Whoever was at work may have asked before the last thing happened.
            self.settle()?;
            if self.next_at().is_none() {
                return self.check_end();
            }
        }
        Err(format!("after {MOST_ROUNDS} turns things still change"))
    }

    /// When something happens by itself next.
    fn next_at(&self) -> Option<Instant> {
        let mail = self.mail.iter().map(|(at, ..)| *at);
        let work = self.store.work.iter().map(|work| work.run_at);
        let by_itself = [self.state.next_deadline(), self.provider.next_at()];
        mail.chain(work).chain(by_itself.into_iter().flatten()).min()
    }

    /// Deadlines, work and reconciliation, as long as any of it does something now.
    fn settle(&mut self) -> Checked {
        self.pass(MINUTE);
        self.enforce_deadlines()?;
        self.reconcile();
        for _ in 0..MOST_STEPS {
            let now = self.now;
            let due: Vec<Work> =
                self.store.work.iter().filter(|w| w.run_at <= now).copied().collect();
            for work in &due {
                self.begin(work.payment, Some(*work));
            }
            if self.goes.is_empty() {
                return Ok(());
            }
            let at = self.random.below(self.goes.len());
            self.go_on(at)?;
            self.check_rest()?;
        }
        Err("the workers do not come to rest".to_owned())
    }

    /// Nothing is left to do, and the books agree.
    fn check_end(&self) -> Checked {
        ensure!(self.store.work.is_empty(), "work is left: {:?}", self.store.work);
        let unfinished: Vec<_> = self.unfinished().collect();
        ensure!(unfinished.is_empty(), "payments are not done with: {unfinished:?}");
        for booking in self.store.bookings.values() {
            let (status, retained) = (booking.status, booking.retained());
            ensure!(!status.is_live(), "{booking:?} is still live");
            ensure!(!booking.has_live_attempt(), "{booking:?} still waits for a payment");
            let is_void = matches!(status, Status::Declined | Status::Expired);
            ensure!(!is_void || retained == 0, "{booking:?} keeps {retained}");
        }
        for order in &self.provider.orders {
            let is_over = matches!(order.standing, Standing::Captured | Standing::Ended(_));
            ensure!(is_over, "nobody let {order:?} go");
        }
        self.check_money()
    }

    /// What the providers have is what the bookings keep and what people have to see to.
    fn check_money(&self) -> Checked {
        let mut all = 0;
        for row in self.store.rows.values() {
            self.check_kept(row)?;
            let payment = row.record.payment;
            let orders = self.provider.orders.iter().filter(|order| order.payment == payment);
            let has: i64 = orders.map(Order::balance).sum();
            if row.record.status == PaymentStatus::Conflicted {
                // People have to see to it: nothing of it is booked.
                continue;
            }
            let booking = self.store.bookings.get(&row.record.booking).ok_or("no booking")?;
            let (kept, owed) = (kept(booking, payment), owed(row));
            ensure!(has == kept + owed, "{has} is there, {kept} + {owed} should be: {row:?}");
            let booked = self.store.ledger.get(&payment).copied().unwrap_or_default();
            ensure!(booked == has, "{has} is there, {booked} is booked: {row:?}");
            all += has - owed;
        }
        let retained: i64 = self.store.bookings.values().map(|booking| booking.retained()).sum();
        ensure!(all == retained, "{all} is there, the bookings retain {retained}");
        Ok(())
    }
}
