//! Bringing one payment to rest: the hands of [`domain::settlement`].
//!
//! Whatever the reason (a step of its booking, something its provider said, the reconciliation), a
//! job has one worker take the payment for itself, look at what is recorded, at its booking and at
//! its provider, and make one move after the other until there is none. Every job about the payment
//! that was there at the last look is done with it. A worker that stops anywhere leaves nothing
//! behind but a lease that ends, and the next one goes on from what it finds.

use super::{Engine, Error};
use crate::actors::Urgency;
use crate::feed::PaymentNotice;
use crate::payments::{CALL_WITHIN, Intent, Order, Provider, ProviderError, RefundOrder};
use crate::store::cases::{Case, Lease};
use crate::store::jobs::{NewJob, Work};
use crate::store::payments::{Heard, Payment};
use crate::store::refunds::{Refund, RefundWord};
use domain::booking::Step;
use domain::command::{Command, Intent as Wish};
use domain::event::By;
use domain::payment::{PaymentStatus, RefundState};
use domain::settlement::{Fact, Move, Seen, Standing, Wish as Wanted, next};
use domain::{Instant, JobId, PaymentId, PropertyId, RefundId};
use std::sync::Arc;
use std::time::Duration;

/// How long a worker has a payment for itself: a few calls to its provider, however slow.
const LEASE: Duration = Duration::from_secs(120);
/// The most moves in one go. The longest way there is has about ten.
const MOST_MOVES: usize = 24;
/// For how long an order may be on its way to its provider after nobody waits for an answer.
const ON_ITS_WAY: Duration = Duration::from_secs(2 * 60);
/// For how long after a refund its provider may still say that it failed.
const REFUNDS_MAY_FAIL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a worker holds while it settles one payment.
struct Go<'a> {
    engine: &'a Engine,
    provider: Arc<dyn Provider>,
    id: PaymentId,
    until: Instant,
    seen: Seen,
}

impl Engine {
    /// A job about a payment: brings it to rest.
    pub async fn settle(&self, job: &NewJob) -> Result<(), Error> {
        let id = PaymentId(job.subject);
        let now = self.clock.now();
        let until = now.plus(LEASE);
        match self.store.lease_payment(id, now, until).await? {
            Lease::Had => {}
            Lease::Taken => return Err(Error::PaymentTaken),
            Lease::Missing => return Ok(self.store.complete(job.id).await?),
        }
        let settled = self.settle_leased(job, id, until).await;
        // The lease is given back whatever happened, so that the next try finds it free.
        let done = settled.as_ref().map_or(Vec::new(), Clone::clone);
        let released = self.store.release_payment(id, until, done).await;
        self.settlements.settled(id);
        settled?;
        Ok(released?)
    }

    /// The jobs that are done with this go.
    async fn settle_leased(
        &self,
        job: &NewJob,
        id: PaymentId,
        until: Instant,
    ) -> Result<Vec<JobId>, Error> {
        let case = self.store.case(id).await?.ok_or(Error::Fault("a payment has no booking"))?;
        let provider = self
            .providers
            .named(&case.payment.provider)
            .ok_or(Error::Fault("the payment's provider is not set up on this server"))?;
        let mut go = Go { engine: self, provider, id, until, seen: Seen::default() };
        if matches!(job.work, Work::ProviderEvent | Work::Reconcile) {
            go.look_at_refunds(&case).await?;
        }
        let is_asked = matches!(job.work, Work::ProviderEvent | Work::Reconcile);
        let given_up = if is_asked { case.given_up.clone() } else { Vec::new() };
        if is_asked && case.payment.status.is_void() {
            // Money may have come after all.
            go.look(&case).await?;
        }
        let going = self.goes.begin(id);
        let mut done = go.run(case).await?;
        // Only an order whose end is open can have news in what was said of it meanwhile.
        while going.has_heard() {
            let case = self.store.case(id).await?.ok_or(Error::NotFound)?;
            if !case.payment.status.is_captured() {
                go.seen = Seen::default();
                done = go.run(case).await?;
            }
        }
        done.extend(given_up);
        if job.work == Work::ProviderEvent {
            let payment = self.store.payment(id).await?.ok_or(Error::NotFound)?;
            let now = self.clock.now();
            self.store.inbox_processed(&payment.provider, &job.payload, now).await?;
        }
        done.push(job.id);
        Ok(done)
    }

    /// A job about a payment, to be done now.
    pub(super) fn payment_job(
        &self,
        id: JobId,
        work: Work,
        payment: PaymentId,
        property: PropertyId,
        payload: String,
    ) -> NewJob {
        let (subject, property, run_at) = (payment.0, Some(property), self.clock.now());
        NewJob { id, work, subject, property, amount: 0, payload, run_at }
    }
}

impl Go<'_> {
    /// Moves until there is nothing more to do; the jobs that this has done.
    async fn run(&mut self, mut case: Case) -> Result<Vec<JobId>, Error> {
        for _ in 0..MOST_MOVES {
            let record = case.payment.record(&case.refunds);
            match next(&case.booking, &record, &self.seen) {
                Move::Rest => return Ok(case.jobs),
                step => self.make(&case, step).await?,
            }
            let after = self.engine.store.case(self.id).await?;
            let after = after.ok_or(Error::Fault("a payment has no booking"))?;
            self.tell_guest(&case.payment, &after);
            case = after;
        }
        Err(Error::Fault("a payment does not come to rest"))
    }

    async fn make(&mut self, case: &Case, step: Move) -> Result<(), Error> {
        self.engine.failpoint.pass();
        let (store, now) = (&self.engine.store, self.engine.clock.now());
        let payment = &case.payment;
        match step {
            Move::Look => self.look(case).await?,
            Move::Order => self.order(payment).await?,
            Move::Write(status) => {
                if status == PaymentStatus::Conflicted {
                    tracing::error!(payment = %payment.id, "the provider has another order for it");
                }
                store.set_payment_status(payment.id, status).await?;
            }
            Move::Book => {
                store.book_capture(payment, now).await?;
            }
            Move::Tell(step) => self.tell(case, step).await?,
            Move::Disown => {
                tracing::info!(payment = %payment.id, booking = %payment.booking,
                    "money came that its booking does not take: it goes back");
                store.disown_payment(payment.id).await?;
            }
            Move::Capture => self.capture(case).await?,
            Move::Cancel => self.cancel(case).await?,
            Move::Owe(amount) => {
                let id = RefundId(payment.property.bind(self.engine.ids.fresh()));
                if !store.owe(id, payment.id, amount, (now, self.until)).await? {
                    return Err(Error::PaymentTaken);
                }
            }
            Move::Send(refund) => self.send(case, refund).await?,
            Move::LookAt(refund) => self.look_at(case, refund).await?,
            Move::Rest => {}
        }
        Ok(())
    }

    /// There has to be time for a whole call before the lease ends: two never ask about one payment.
    fn check_time(&self) -> Result<Instant, Error> {
        let now = self.engine.clock.now();
        let ends = now.plus(CALL_WITHIN);
        if ends < self.until { Ok(now) } else { Err(Error::Fault("a payment took too long")) }
    }

    async fn look(&mut self, case: &Case) -> Result<(), Error> {
        let (payment, now) = (&case.payment, self.check_time()?);
        let is_wanted = case.booking.wish(payment.id) == Wanted::Open;
        match self.provider.fetch(&order(payment, now), now).await? {
            Some(intent) => self.hear(payment, intent).await?,
            // What was asked a moment ago may still be on its way there.
            None if !is_wanted && payment.asked_at.is_some_and(|at| now < at.plus(ON_ITS_WAY)) => {
                return Err(Error::Fault("the provider does not know an order yet"));
            }
            None => self.seen.fact = Some(fact(payment, Standing::Unknown)),
        }
        Ok(())
    }

    async fn order(&mut self, payment: &Payment) -> Result<(), Error> {
        let now = self.check_time()?;
        self.engine.store.note_asked(payment.id, Some(now)).await?;
        let order = Order { asked_at: now, ..order(payment, now) };
        match self.provider.order(&order, now).await {
            Ok(intent) => self.hear(payment, intent).await?,
            Err(ProviderError::Refused(why)) => {
                tracing::warn!(payment = %payment.id, why, "the provider refused an order");
                self.seen.fact = Some(fact(payment, Standing::Ended(PaymentStatus::Failed)));
            }
            Err(error) => {
                if matches!(error, ProviderError::Busy(_)) {
                    // It has not heard of the order.
                    self.engine.store.note_asked(payment.id, payment.asked_at).await?;
                }
                return Err(error.into());
            }
        }
        Ok(())
    }

    async fn capture(&mut self, case: &Case) -> Result<(), Error> {
        let (payment, now) = (&case.payment, self.check_time()?);
        match self.provider.capture(&order(payment, now), now).await {
            Ok(intent) => self.hear(payment, intent).await?,
            Err(ProviderError::Refused(why)) => {
                tracing::error!(payment = %payment.id, why, "the provider refused to collect");
                self.look(case).await?;
            }
            Err(error) => return Err(error.into()),
        }
        self.seen.not_captured = self.standing() == Some(Standing::Authorized);
        Ok(())
    }

    async fn cancel(&mut self, case: &Case) -> Result<(), Error> {
        let (payment, now) = (&case.payment, self.check_time()?);
        match self.provider.cancel(&order(payment, now), now).await {
            Ok(intent) => self.hear(payment, intent).await?,
            Err(ProviderError::Refused(why)) => {
                tracing::warn!(payment = %payment.id, why, "the provider keeps an order");
                self.look(case).await?;
            }
            Err(error) => return Err(error.into()),
        }
        let ended = matches!(self.standing(), Some(Standing::Ended(_) | Standing::Unknown));
        self.seen.not_canceled = !ended;
        Ok(())
    }

    fn standing(&self) -> Option<Standing> {
        self.seen.fact.map(|fact| fact.standing)
    }

    /// Takes in what the provider says, and keeps what is new of it.
    async fn hear(&mut self, payment: &Payment, intent: Intent) -> Result<(), Error> {
        self.engine.failpoint.pass();
        // No answer takes back what is proved: it is only a question of when the provider knows it.
        if payment.receipt.is_some() && intent.fact.standing != Standing::Captured {
            return Err(Error::Fault("the provider does not know yet that it was paid"));
        }
        self.seen.fact = Some(intent.fact);
        // A phone's push has a name only once its provider has answered.
        let reference = Some(intent.reference).filter(|name| !name.is_empty());
        let is_named = reference.is_some() && reference != payment.provider_ref;
        if is_named || intent.next_action != payment.action {
            let status = fact_status(payment, &intent.fact);
            let heard = Heard { reference, receipt: None, action: intent.next_action, status };
            self.engine.store.note_heard(payment.id, heard).await?;
        }
        Ok(())
    }

    async fn tell(&mut self, case: &Case, step: Step) -> Result<(), Error> {
        let is_offer = matches!(step, Step::Pay { .. });
        let intent = Wish::Step { booking: case.booking.id, step };
        let id = self.engine.ids.fresh();
        let command = Command { id, by: By::Provider, key: None, intent };
        let property = case.payment.property;
        match self.engine.carry_out(property, command, Urgency::Urgent).await {
            Ok(_) => {}
            Err(Error::Refused(_)) if is_offer => self.seen.not_taken = true,
            Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
        self.seen.told |= !is_offer;
        Ok(())
    }

    async fn send(&mut self, case: &Case, id: RefundId) -> Result<(), Error> {
        let now = self.check_time()?;
        let (refund, order) = refund_order(case, id, now)?;
        self.engine.store.note_refund_asked(id, now).await?;
        let answer = self.provider.refund(&order, now).await;
        self.note_unasked(refund, &answer).await?;
        let word = match answer {
            Ok(answer) => RefundWord {
                state: answer.state,
                provider_ref: answer.reference,
                reason: answer.reason,
            },
            Err(ProviderError::Refused(why)) => {
                tracing::error!(refund = %id, payment = %self.id, why, "a refund is owed by hand");
                RefundWord { state: RefundState::Failed, provider_ref: None, reason: Some(why) }
            }
            Err(error) => return Err(error.into()),
        };
        self.engine.failpoint.pass();
        self.seen.looked.push(id);
        self.write_refund(refund, word).await
    }

    async fn look_at(&mut self, case: &Case, id: RefundId) -> Result<(), Error> {
        let now = self.check_time()?;
        let (refund, order) = refund_order(case, id, now)?;
        let asks_again = refund.asked_at.is_none_or(|at| now >= at.plus(ON_ITS_WAY));
        let answer = if refund.state.is_open() && asks_again {
            // Some providers tell what became of it only to who asks for it again.
            self.engine.store.note_refund_asked(id, now).await?;
            let answer = self.provider.fetch_refund(&order, now).await;
            self.note_unasked(refund, &answer).await?;
            answer?
        } else {
            self.provider.fetch_refund(&order, now).await?
        };
        self.seen.looked.push(id);
        let (state, provider_ref, reason) = (answer.state, answer.reference, answer.reason);
        self.write_refund(refund, RefundWord { state, provider_ref, reason }).await
    }

    /// A provider that was not asked after all has not heard of the refund.
    async fn note_unasked<T: Sync>(
        &self,
        refund: &Refund,
        answer: &Result<T, ProviderError>,
    ) -> Result<(), Error> {
        if matches!(answer, Err(ProviderError::Busy(_) | ProviderError::Early(_))) {
            self.engine.store.note_refund_unasked(refund.id, refund.asked_at).await?;
        }
        Ok(())
    }

    async fn write_refund(&self, refund: &Refund, word: RefundWord) -> Result<(), Error> {
        if word.state != refund.state || word.provider_ref != refund.provider_ref {
            if word.state == RefundState::Failed && refund.state != RefundState::Failed {
                tracing::error!(refund = %refund.id, payment = %self.id, "a refund failed");
            }
            self.engine.store.set_refund(refund.id, word, self.engine.clock.now()).await?;
        }
        Ok(())
    }

    /// Refunds that went well may still fail; who hears something of a payment asks about those too.
    async fn look_at_refunds(&mut self, case: &Case) -> Result<(), Error> {
        let since = self.engine.clock.now().minus(REFUNDS_MAY_FAIL);
        let told = case.refunds.iter().filter(|refund| {
            refund.state == RefundState::Succeeded
                && refund.provider_ref.is_some()
                && refund.requested_at > since
        });
        for refund in told {
            self.look_at(case, refund.id).await?;
        }
        Ok(())
    }

    /// Tells the guest, and whoever waits for an answer, where the payment has come.
    fn tell_guest(&self, before: &Payment, case: &Case) {
        let now = &case.payment;
        let shown = |payment: &Payment| (payment.status, payment.refunded, payment.action.clone());
        if shown(before) == shown(now) {
            return;
        }
        self.engine.settlements.settled(now.id);
        self.engine.feed.people().tell_payment(PaymentNotice {
            guest: case.booking.guest,
            property: now.property,
            payment: now.id,
            booking: now.booking,
            status: now.status,
            amount: now.amount,
            currency: now.currency,
            refunded: now.refunded,
            at: self.engine.clock.now(),
        });
    }
}

/// The order as it is recorded.
fn order(payment: &Payment, now: Instant) -> Order {
    Order {
        payment: payment.id,
        booking: payment.booking,
        amount: payment.amount,
        currency: payment.currency,
        method: payment.method.clone(),
        return_url: payment.return_url.clone(),
        reference: payment.provider_ref.clone(),
        receipt: payment.receipt.clone(),
        asked_at: payment.asked_at.unwrap_or(now),
    }
}

fn refund_order(case: &Case, id: RefundId, now: Instant) -> Result<(&Refund, RefundOrder), Error> {
    let refund = case.refunds.iter().find(|refund| refund.id == id);
    let refund = refund.ok_or(Error::Fault("a refund is not there any more"))?;
    let order = RefundOrder {
        refund: id,
        amount: refund.amount,
        order: order(&case.payment, now),
        reference: refund.provider_ref.clone(),
        requested_at: refund.requested_at,
        state: refund.state,
        asked_at: refund.asked_at,
    };
    Ok((refund, order))
}

/// Where a payment stands by what was heard of its own order, so that both are one write.
fn fact_status(payment: &Payment, said: &Fact) -> Option<PaymentStatus> {
    let own = fact(payment, said.standing);
    (*said == own && said.standing == Standing::Authorized).then_some(PaymentStatus::Authorized)
}

/// What is known of an order where its provider says nothing of it.
const fn fact(payment: &Payment, standing: Standing) -> Fact {
    Fact {
        booking: Some(payment.booking),
        amount: payment.amount,
        currency: payment.currency,
        standing,
    }
}
