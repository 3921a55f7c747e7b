//! Paying for a booking: an attempt begins in the actor, the provider is asked by a job, what the
//! provider says comes back as a command. Every function here that a job calls may run twice.

use super::{Engine, Error};
use crate::actors::Urgency;
use crate::auth::Caller;
use crate::auth::policy::{Action, Ownership, allow};
use crate::payments::{Intent as ProviderIntent, IntentStatus, Notice, Order, ProviderError};
use crate::store::jobs::{NewJob, Work};
use crate::store::payments::{InboxEvent, Payment, PaymentStatus};
use domain::booking::{Booking, Illegal, Step};
use domain::command::{Command, Intent};
use domain::event::By;
use domain::refusal::Refusal;
use domain::{BookingId, Instant, JobId, PaymentId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// What a guest asks for.
#[derive(Clone, Debug)]
pub struct PaymentRequest {
    pub booking: BookingId,
    /// The client's means of payment; empty for the provider's default.
    pub method: Arc<str>,
}

/// How long an answer waits for the provider.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a payment is looked at that another node may be working on.
const LOOK: Duration = Duration::from_millis(500);

impl Engine {
    /// Begins an attempt to pay, or finds the one that is open, and waits for the provider for at
    /// most ten seconds. The flag says whether a key's earlier answer is repeated.
    pub async fn pay(
        &self,
        caller: &Caller,
        request: PaymentRequest,
        key: Option<Arc<str>>,
    ) -> Result<(Payment, bool), Error> {
        let PaymentRequest { booking: id, method } = request;
        let (property, booking) = self.store.booking(id).await?.ok_or(Error::NotFound)?;
        allow(Action::StartPayment, Some(caller), ownership(caller, &booking))?;
        let payment = self.ids.payment(property);
        let words = format!("pay {id} {method}");
        let provider = Arc::from(self.provider.name());
        let intent = Intent::StartAttempt { booking: id, payment, provider, method };
        let command = self.command(caller, intent, key, &words);
        let made = match self.carry_out(property, command, Urgency::Ordinary).await {
            Err(Error::Refused(refusal)) => {
                self.ended(id, refusal, Some(domain::Status::Confirmed)).await?
            }
            answer => answer?,
        };
        let Some(payment) = made.booking.payment() else {
            // Nothing was due: the booking stands without a payment.
            return Err(Error::Refused(Refusal::Illegal(Illegal::Status(made.booking.status))));
        };
        let record = self.settled_payment(payment).await?;
        Ok((record, made.replayed))
    }

    /// A payment that the caller may see.
    pub async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<Payment, Error> {
        let record = self.store.payment(id).await?.ok_or(Error::NotFound)?;
        let booking = self.store.booking(record.booking).await?.ok_or(Error::NotFound)?.1;
        allow(Action::ReadPayment, Some(caller), ownership(caller, &booking))?;
        Ok(record)
    }

    /// The payments for the caller's bookings, newest first, after a place in the list.
    pub async fn payments(
        &self,
        caller: &Caller,
        after: Option<(Instant, Uuid)>,
        limit: usize,
    ) -> Result<Vec<Payment>, Error> {
        allow(Action::ListPayments, Some(caller), Ownership::Unowned)?;
        let after = after.map(|(at, id)| (at, PaymentId(id)));
        Ok(self.store.payments_of_guest(caller.id, after, super::rows(limit)).await?)
    }

    /// Waits until the provider's word has been acted on, or for as long as an answer may wait.
    async fn settled_payment(&self, id: PaymentId) -> Result<Payment, Error> {
        let give_up = tokio::time::Instant::now() + PATIENCE;
        let settled = self.settlements.watch(id);
        loop {
            let heard = settled.notified();
            let record = self.store.payment(id).await?.ok_or(Error::NotFound)?;
            if !record.status.is_open() || tokio::time::Instant::now() >= give_up {
                return Ok(record);
            }
            let look = (tokio::time::Instant::now() + LOOK).min(give_up);
            let _ = tokio::time::timeout_at(look, heard).await;
        }
    }

    /// Job `create_intent`: asks the provider for the money.
    pub async fn create_intent(&self, job: &NewJob) -> Result<(), Error> {
        let Some(payment) = self.open_payment(job).await? else {
            return Ok(self.store.complete(job.id).await?);
        };
        let order = Order {
            payment: payment.id,
            booking: payment.booking,
            amount: payment.amount,
            currency: payment.currency,
            method: payment.method.clone(),
        };
        let now = self.clock.now();
        let created = self.provider.create(&order, now).await.map_err(unknown)?;
        let (status, reference) = (PaymentStatus::Processing, Some(created.reference));
        self.store.set_payment_status(payment.id, status, reference).await?;
        if let Some(notice) = created.notice {
            self.hear(&payment, notice, now).await?;
        }
        Ok(self.store.complete(job.id).await?)
    }

    /// Job `provider_event`: the provider said something about a payment; it is asked what is true.
    pub async fn provider_event(&self, job: &NewJob) -> Result<(), Error> {
        let Some(payment) = self.store.payment(PaymentId(job.subject)).await? else {
            return Ok(self.store.complete(job.id).await?);
        };
        let reference = payment.provider_ref.clone().unwrap_or_default();
        let intent = self.provider.fetch(&reference, self.clock.now()).await.map_err(unknown)?;
        self.believe(job, &payment, &intent).await
    }

    /// Job `cancel_intent`: the money is not wanted any more.
    pub async fn cancel_intent(&self, job: &NewJob) -> Result<(), Error> {
        let Some(payment) = self.open_payment(job).await? else {
            return Ok(self.store.complete(job.id).await?);
        };
        let Some(reference) = &payment.provider_ref else {
            // The provider has not been asked yet: that job comes first.
            return Err(Error::Fault("the provider has not been asked for the money yet"));
        };
        let intent = self.provider.cancel(reference, self.clock.now()).await.map_err(unknown)?;
        self.believe(job, &payment, &intent).await
    }

    /// Job `refund`: gives money back.
    pub async fn refund(&self, job: &NewJob) -> Result<(), Error> {
        let payment = self.store.payment(PaymentId(job.subject)).await?.ok_or(Error::NotFound)?;
        if job.id == give_back_of(&payment) && payment.refunded == payment.amount {
            // Two jobs heard that the money is not wanted, and the other one's has gone back.
            return Ok(self.store.complete(job.id).await?);
        }
        let reference = payment.provider_ref.clone().unwrap_or_default();
        let key = format!("ref:{}", job.id);
        self.provider.refund(&reference, job.amount, &key).await.map_err(unknown)?;
        self.store.add_refund(payment.id, job.amount, job.id).await?;
        Ok(())
    }

    /// Acts on what the provider says is true, and tells whoever waits for it.
    async fn believe(
        &self,
        job: &NewJob,
        payment: &Payment,
        intent: &ProviderIntent,
    ) -> Result<(), Error> {
        let matches = intent.booking == payment.booking
            && intent.amount == payment.amount
            && intent.currency == payment.currency;
        let (status, step) = match intent.status {
            IntentStatus::Processing => return Ok(self.store.complete(job.id).await?),
            IntentStatus::Succeeded if matches => {
                let (amount, currency) = (intent.amount, intent.currency);
                let step = Step::Pay { payment: payment.id, amount, currency };
                (PaymentStatus::Captured, Some(step))
            }
            IntentStatus::Succeeded => (PaymentStatus::Conflicted, None),
            IntentStatus::Failed => {
                (PaymentStatus::Failed, Some(Step::EndAttempt { payment: payment.id }))
            }
            IntentStatus::Canceled => {
                (PaymentStatus::Voided, Some(Step::EndAttempt { payment: payment.id }))
            }
        };
        let mut money_back = None;
        if let Some(step) = step {
            let answer = self.report(payment, step).await;
            match answer {
                Ok(_) => {}
                Err(Error::Refused(Refusal::UnknownBooking | Refusal::Illegal(_)))
                    if status == PaymentStatus::Captured =>
                {
                    // The nights are somebody else's, or nobody wants them any more.
                    money_back = Some(payment.amount);
                }
                Err(Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.store.set_payment_status(payment.id, status, None).await?;
        self.settlements.settled(payment.id);
        if let Some(amount) = money_back {
            self.give_back(payment, amount).await?;
        }
        if job.work == Work::ProviderEvent {
            self.store.inbox_processed(&payment.provider, &job.payload, self.clock.now()).await?;
        }
        Ok(self.store.complete(job.id).await?)
    }

    /// Takes an event of the provider's into the inbox, once, with the job that looks at it.
    async fn hear(&self, payment: &Payment, notice: Notice, now: Instant) -> Result<(), Error> {
        let job = NewJob {
            id: JobId(payment.property.bind(self.ids.fresh())),
            work: Work::ProviderEvent,
            subject: payment.id.0,
            property: Some(payment.property),
            amount: 0,
            payload: notice.event.clone(),
            run_at: notice.at,
        };
        let event = InboxEvent {
            provider: payment.provider.clone(),
            event_id: notice.event,
            payment: payment.id,
            body: String::new(),
            received_at: now,
            processed_at: None,
        };
        self.store.inbox_insert(event, job).await?;
        self.jobs.notify_one();
        Ok(())
    }

    /// Gives a charge back that no booking stands for.
    async fn give_back(&self, payment: &Payment, amount: i64) -> Result<(), Error> {
        let job = NewJob {
            id: give_back_of(payment),
            work: Work::Refund,
            subject: payment.id.0,
            property: Some(payment.property),
            amount,
            payload: String::new(),
            run_at: self.clock.now(),
        };
        self.store.enqueue(job).await?;
        self.jobs.notify_one();
        Ok(())
    }

    async fn report(&self, payment: &Payment, step: Step) -> Result<(), Error> {
        let intent = Intent::Step { booking: payment.booking, step };
        let command = Command { id: self.ids.fresh(), by: By::Provider, key: None, intent };
        self.carry_out(payment.property, command, Urgency::Urgent).await.map(|_| ())
    }

    /// The job's payment, if the provider's last word on it is still to come.
    async fn open_payment(&self, job: &NewJob) -> Result<Option<Payment>, Error> {
        Ok(self
            .store
            .payment(PaymentId(job.subject))
            .await?
            .filter(|payment| payment.status.is_open()))
    }
}

/// The job that gives a whole charge back: one payment has one, however many jobs ask for it.
const fn give_back_of(payment: &Payment) -> JobId {
    JobId(payment.id.0)
}

/// A payment is its guest's affair.
fn ownership(caller: &Caller, booking: &Booking) -> Ownership {
    if booking.guest == caller.id { Ownership::Guest } else { Ownership::Foreign }
}

fn unknown(_: ProviderError) -> Error {
    Error::Fault("the provider knows no such payment")
}

/// Who waits for which payment, on this node.
#[derive(Clone, Default)]
pub struct Settlements(Arc<Mutex<HashMap<PaymentId, Arc<Notify>>>>);

impl Settlements {
    fn watch(&self, payment: PaymentId) -> Watch {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let notify = Arc::clone(watched.entry(payment).or_default());
        Watch { payment, notify, settlements: self.clone() }
    }

    fn settled(&self, payment: PaymentId) {
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(notify) = watched.get(&payment) {
            notify.notify_waiters();
        }
    }
}

struct Watch {
    payment: PaymentId,
    notify: Arc<Notify>,
    settlements: Settlements,
}

impl Watch {
    fn notified(&self) -> tokio::sync::futures::Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.settlements.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Two hold it now: the table and this watcher, unless others still wait.
        if Arc::strong_count(&self.notify) <= 2 {
            watched.remove(&self.payment);
        }
    }
}
