//! How the worker carries a move out: each is a write, a call or a word to the booking, and what a
//! call answered is written in a step of its own.

use crate::coverage::Reached;
use crate::oracle::{Checked, ensure};
use crate::planted::Planted;
use crate::provider::{Kind, Provider};
use crate::store::Row;
use crate::worker::{Fate, Go, Heard, Stage};
use crate::world::{Told, World};
use domain::booking::Step;
use domain::command::Intent;
use domain::event::By;
use domain::payment::{PaymentStatus, Refund, RefundState};
use domain::settlement::{Fact, Move, Standing, Wish};
use domain::{BookingId, Instant, PaymentId, RefundId, Status};
use std::time::Duration;

/// The longest that a request is on its way after it was given up.
const MOST_LATE_MICROS: i64 = 90_000_000;
/// How long after a request it means nothing that the provider does not know of it.
const SILENCE: Duration = Duration::from_secs(120);

/// What a call brought.
enum Answer<T> {
    Said(T),
    /// It did not arrive, or nobody listened.
    Never,
    /// It was done, and nobody heard of it.
    Lost,
}

impl<T> Answer<T> {
    /// The next stage, where there was an answer.
    fn heard(self, go: &mut Go, heard: impl FnOnce(T) -> Heard) -> Fate {
        match self {
            Self::Said(answer) => {
                go.stage = Stage::Hear(heard(answer));
                Fate::GoesOn
            }
            Self::Never | Self::Lost => Fate::PutOff,
        }
    }
}

impl World {
    /// Asks a provider something, if the request arrives, and hears the answer if that does. A
    /// request that is given up may still arrive, a little later.
    fn call<T>(
        &mut self,
        late: Option<Reached>,
        ask: impl FnOnce(&mut Provider) -> T + 'static,
    ) -> Answer<T> {
        let weather = self.plan.weather;
        if self.random.chance(weather.request_lost) || self.random.chance(weather.busy) {
            self.note(|_| "    the request never arrived".to_owned());
            return Answer::Never;
        }
        if self.random.chance(weather.late) {
            self.note(|_| "    the request takes long".to_owned());
            let micros = self.random.between(1, MOST_LATE_MICROS).unsigned_abs();
            let at = self.now.plus(Duration::from_micros(micros));
            let request = move |provider: &mut Provider| drop(ask(provider));
            self.provider.late.push((at, late, Box::new(request)));
            return Answer::Never;
        }
        let answer = ask(&mut self.provider);
        if self.random.chance(weather.answer_lost) {
            self.note(|_| "    the answer was lost".to_owned());
            return Answer::Lost;
        }
        Answer::Said(answer)
    }

    /// Carries out one move.
    pub(crate) fn carry_out(&mut self, go: &mut Go, what: Move) -> Checked<Fate> {
        let payment = go.payment;
        go.changed |= !matches!(what, Move::Look | Move::LookAt(_));
        match what {
            Move::Rest => return Ok(Fate::Rests),
            Move::Look => {
                let row = self.row(payment)?;
                let answer = self.call(None, move |provider| provider.fetch(payment));
                if matches!(answer, Answer::Said(None)) && self.may_be_on_its_way(row.asked_at) {
                    self.reach(Reached::Silence);
                    return Ok(Fate::PutOff);
                }
                return Ok(answer.heard(go, |fact| Heard::Fact(fact.unwrap_or(unknown(&row)))));
            }
            Move::Order => return self.order(go),
            Move::Capture => {
                let late = Some(Reached::LateCapture);
                let answer = self.call(late, move |provider| provider.capture(payment));
                return Ok(answer.heard(go, Heard::Captured));
            }
            Move::Cancel => {
                let late = Some(Reached::LateCancel);
                let answer = self.call(late, move |provider| provider.cancel(payment));
                return Ok(answer.heard(go, Heard::Canceled));
            }
            Move::Tell(step) => return self.tell(go, step),
            Move::Send(refund) => return self.send(go, refund),
            Move::LookAt(refund) => {
                let answer = self.call(None, move |provider| provider.refund_state(refund));
                let asked = |state: Option<RefundState>| {
                    Heard::Looked(refund, state.unwrap_or(RefundState::Submitted))
                };
                return Ok(answer.heard(go, asked));
            }
            Move::Write(status) => self.write_status(payment, status)?,
            Move::Book => {
                self.write_status(payment, PaymentStatus::Captured)?;
                self.store.book(payment);
                if self.oracle.refused_captures.contains(&payment) {
                    self.reach(Reached::NotCaptured);
                }
            }
            Move::Disown => self.disown(go)?,
            Move::Owe(amount) => {
                let id = RefundId(self.id());
                let refund = Refund { id, amount, state: RefundState::Requested };
                self.row_mut(payment)?.record.refunds.push(refund);
            }
        }
        Ok(Fate::GoesOn)
    }

    /// Writes down that the provider is asked, and in a step of its own asks it.
    fn order(&mut self, go: &mut Go) -> Checked<Fate> {
        let now = self.now;
        let row = self.row_mut(go.payment)?;
        row.asked_at = Some(now);
        if !row.record.asked {
            row.record.asked = true;
            go.stage = Stage::Act(Move::Order);
            return Ok(Fate::GoesOn);
        }
        let (record, kind) = (row.record.clone(), row.kind);
        let anew = self.planted == Planted::OrdersAnew;
        let key = if anew { self.id() } else { record.payment.0 }.as_u128();
        if go.seen.fact.is_some_and(|fact| fact.standing == Standing::Unknown) {
            self.reach(Reached::OrderedAgain);
        }
        let wish = self.store.read(go.payment).map(|(booking, _)| booking.wish(go.payment));
        if wish != Some(Wish::Open) {
            self.reach(Reached::StaleOrder);
        }
        let late = Some(Reached::LateOrder);
        let answer = self.call(late, move |provider| provider.order(&record, kind, key, now));
        if matches!(answer, Answer::Lost) {
            self.reach(Reached::OrderAnswerLost);
        }
        Ok(answer.heard(go, Heard::Ordered))
    }

    /// Has the provider give money back. Where the provider knows no keys, whoever asks looks
    /// first whether it has the refund already.
    fn send(&mut self, go: &mut Go, refund: RefundId) -> Checked<Fate> {
        let Row { record, kind, .. } = self.row(go.payment)?;
        let row = record.refunds.iter().find(|mine| mine.id == refund);
        let amount = row.ok_or("a refund without a row")?.amount;
        let fresh = self.planted == Planted::FreshRefundKey;
        let key = if fresh { self.id() } else { refund.0 }.as_u128();
        let (now, payment) = (self.now, go.payment);
        if self.provider.refund_state(refund).is_some() {
            self.reach(Reached::RefundAnswerLost);
        }
        let sent_at = self.store.sent.get(&refund).copied();
        if kind == Kind::Phone
            && self.provider.refund_state(refund).is_none()
            && self.may_be_on_its_way(sent_at)
        {
            return Ok(Fate::PutOff);
        }
        self.store.sent.insert(refund, now);
        let whole = record.amount;
        let answer = self.call(Some(Reached::LateRefund), move |provider| {
            let known = provider.refund_state(refund).filter(|_| kind == Kind::Phone);
            if let Some(state) = known {
                return state;
            }
            let sent = provider.refund(payment, (refund, key), amount, now);
            sent.unwrap_or(RefundState::Failed)
        });
        if kind == Kind::Phone && amount != whole && matches!(answer, Answer::Said(_)) {
            self.reach(Reached::PartRefused);
        }
        Ok(answer.heard(go, |state| Heard::Sent(refund, state)))
    }

    /// Whether a request of that moment may still arrive, so that nothing follows from what the
    /// provider does not know.
    fn may_be_on_its_way(&self, sent_at: Option<Instant>) -> bool {
        self.planted != Planted::TrustsSilence
            && sent_at.is_some_and(|at| self.now.since(at) < SILENCE)
    }

    /// Takes in what the provider answered, and writes it where it is to be written.
    pub(crate) fn take_in(&mut self, go: &mut Go, heard: Heard) -> Checked<Fate> {
        self.note(|_| format!("    heard {heard:?}"));
        let payment = go.payment;
        match heard {
            Heard::Fact(fact) => go.seen.fact = Some(fact),
            Heard::Ordered(Ok(fact)) => go.seen.fact = Some(fact),
            Heard::Ordered(Err(_)) => {
                let ended = Standing::Ended(PaymentStatus::Failed);
                go.seen.fact = Some(Fact { standing: ended, ..unknown(&self.row(payment)?) });
            }
            Heard::Captured(answer) => {
                // After a refusal it is not known where the order stands.
                go.seen.fact = answer.ok();
                let is_captured = |fact: &Fact| fact.standing == Standing::Captured;
                if !go.seen.fact.as_ref().is_some_and(is_captured) {
                    go.seen.not_captured = true;
                    self.oracle.refused_captures.insert(payment);
                }
            }
            Heard::Canceled(answer) => {
                go.seen.fact = answer.ok();
                let standing = go.seen.fact.map(|fact| fact.standing);
                if !matches!(standing, Some(Standing::Ended(_))) {
                    go.seen.not_canceled = true;
                }
                match standing {
                    Some(Standing::Processing) => self.reach(Reached::CancelRefused),
                    Some(Standing::Ended(_)) if self.row(payment)?.record.disowned => {
                        self.reach(Reached::AuthorizationLetGo);
                    }
                    _ => {}
                }
            }
            Heard::Sent(refund, state) => self.write_refund(payment, refund, state)?,
            Heard::Looked(refund, state) => {
                go.seen.looked.push(refund);
                if state == RefundState::Failed {
                    self.reach(Reached::RefundFailedLate);
                }
                self.write_refund(payment, refund, state)?;
            }
        }
        Ok(Fate::GoesOn)
    }

    fn write_refund(&mut self, payment: PaymentId, id: RefundId, state: RefundState) -> Checked {
        let row = self.row(payment)?;
        let mine = row.record.refunds.iter().find(|mine| mine.id == id);
        let mine = *mine.ok_or("a refund without a row")?;
        ensure!(mine.state.is_open(), "{mine:?} ended, and becomes {state:?}");
        if state == RefundState::Failed {
            self.reach(Reached::RefundFailed);
        }
        self.store.write_refund(payment, Refund { state, ..mine });
        Ok(())
    }

    /// Writes down where a payment stands; it moves forward only.
    fn write_status(&mut self, payment: PaymentId, status: PaymentStatus) -> Checked {
        let row = self.row_mut(payment)?;
        let was = row.record.status;
        ensure!(was.may_become(status), "{payment} is {was:?} and becomes {status:?}");
        if status != PaymentStatus::Captured {
            row.record.status = status;
        }
        if status == PaymentStatus::Conflicted {
            self.reach(Reached::MixedUp);
        }
        Ok(())
    }

    /// Tells the booking, which may take it or not.
    fn tell(&mut self, go: &mut Go, step: Step) -> Checked<Fate> {
        let booking = self.row(go.payment)?.record.booking;
        let told = self.decide(By::Provider, Intent::Step { booking, step })?;
        match (step, told) {
            (_, Told::Died) => return Ok(Fate::Died),
            (Step::Pay { .. }, Told::Refused) => {
                go.seen.not_taken = true;
                self.see_refused_payment(go.payment, booking);
            }
            (Step::Pay { .. }, Told::Done) => self.see_paid(go.payment, booking),
            (Step::Pay { .. }, Told::Same) => {}
            _ => go.seen.told = true,
        }
        Ok(Fate::GoesOn)
    }

    /// Writes down that the booking did not take the money.
    fn disown(&mut self, go: &mut Go) -> Checked {
        let (booking, _) = self.store.read(go.payment).ok_or("a payment without a booking")?;
        let is_other = |p: PaymentId, held: i64| p != go.payment && held > 0;
        if booking.takings.iter().any(|taking| is_other(taking.payment, taking.held)) {
            self.reach(Reached::TwoPaid);
        }
        if self.planted == Planted::OffersAgain {
            go.disowned = true;
        } else {
            self.row_mut(go.payment)?.record.disowned = true;
        }
        Ok(())
    }

    /// A payment that the booking did not take: why not.
    fn see_refused_payment(&mut self, payment: PaymentId, booking: BookingId) {
        let Some(booking) = self.store.bookings.get(&booking) else { return };
        match booking.status {
            Status::Canceled => self.reach(Reached::CanceledPaid),
            Status::Expired if booking.paid == 0 && self.now < booking.check_in_at => {
                let is_its_own = booking.attempt.is_some_and(|open| open.payment == payment);
                if is_its_own {
                    self.reach(Reached::LateNightsGone);
                }
            }
            _ => {}
        }
    }

    /// A payment that the booking took, after others had failed.
    fn see_paid(&mut self, payment: PaymentId, booking: BookingId) {
        let Some(kind) = self.store.rows.get(&payment).map(|row| row.kind) else { return };
        let others: Vec<(PaymentId, Kind)> = self
            .store
            .rows
            .values()
            .filter(|row| row.record.booking == booking && row.record.payment != payment)
            .filter(|row| row.record.status.is_void())
            .map(|row| (row.record.payment, row.kind))
            .collect();
        if self.oracle.unpaid.contains(&booking) {
            self.reach(Reached::PaidAgain);
        }
        for (other, other_kind) in others {
            if self.provider.newest(other).is_some_and(|order| order.was_declined) {
                self.reach(Reached::DeclinedThenPaid);
            }
            if other_kind != kind {
                self.reach(Reached::PaidByTheOther);
            }
        }
    }

    fn row(&self, payment: PaymentId) -> Checked<Row> {
        Ok(self.store.rows.get(&payment).ok_or("a payment without a row")?.clone())
    }

    fn row_mut(&mut self, payment: PaymentId) -> Checked<&mut Row> {
        Ok(self.store.rows.get_mut(&payment).ok_or("a payment without a row")?)
    }
}

/// The provider has no such order.
fn unknown(row: &Row) -> Fact {
    let (amount, currency) = (row.record.amount, row.record.currency);
    Fact { booking: None, amount, currency, standing: Standing::Unknown }
}
