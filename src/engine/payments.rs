//! Paying for a booking, and giving money back: an attempt begins in the actor, and so does a
//! refund; what follows is brought about by jobs (see [`super::settling`]), for which answers wait a
//! while.

use super::{Engine, Error};
use crate::actors::Urgency;
use crate::auth::Caller;
use crate::auth::policy::{Action, Ownership, allow};
use crate::store::cases::Case;
use crate::store::payments::Payment;
use crate::store::refunds::Refund;
use domain::booking::{Illegal, Step};
use domain::command::Intent;
use domain::payment::PaymentStatus;
use domain::refusal::Refusal;
use domain::settlement::Wish;
use domain::{BookingId, Instant, PaymentId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// What a guest asks for.
#[derive(Clone, Debug)]
pub struct PaymentRequest {
    pub booking: BookingId,
    /// Nothing for the only provider that there is.
    pub provider: Option<String>,
    /// The client's means of payment; empty to choose at the provider.
    pub method: Arc<str>,
    /// Where the provider's page leads back to; empty for nowhere.
    pub return_url: Arc<str>,
}

/// A payment with what went back of it, for somebody who may see it.
#[derive(Clone, Debug)]
pub struct PaymentView {
    pub payment: Payment,
    pub refunds: Vec<Refund>,
    /// Whether what is to be done next is theirs: nobody else may see what the guest pays with.
    pub is_payer: bool,
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
    ) -> Result<(PaymentView, bool), Error> {
        let PaymentRequest { booking: id, provider, method, return_url } = request;
        let (property, booking) = self.store.booking(id).await?.ok_or(Error::NotFound)?;
        // A booking that is somebody else's is not there for who wants to pay it.
        let is_own = booking.guest == caller.id;
        let ownership = if is_own { Ownership::Guest } else { Ownership::Foreign };
        allow(Action::StartPayment, Some(caller), ownership)?;
        let provider = self.providers.choose(provider.as_deref())?;
        if booking.due() > 0 {
            let accepted = provider.accepts(booking.due(), booking.currency, &method);
            accepted.map_err(|(pointer, detail)| Error::field(pointer, &detail))?;
        }
        let payment = self.ids.payment(property);
        let words = format!("pay {id} {} {method} {return_url}", provider.name());
        let provider = Arc::from(provider.name());
        let intent = Intent::StartAttempt { booking: id, payment, provider, method, return_url };
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
        let case = self.wait_for(payment, is_answered).await?;
        Ok((view(case, true), made.replayed))
    }

    /// Gives money of a payment back, all that is left of it where no amount is named, and waits for
    /// the provider for at most ten seconds. What the booking keeps is less by that from then on.
    pub async fn refund(
        &self,
        caller: &Caller,
        id: PaymentId,
        amount: Option<i64>,
        key: Option<Arc<str>>,
    ) -> Result<(PaymentView, bool), Error> {
        let case = self.store.case(id).await?.ok_or(Error::NotFound)?;
        let property = case.payment.property;
        let ownership = self.booking_ownership(caller, property, &case.booking).await?;
        allow(Action::RefundPayment, Some(caller), ownership)?;
        let held = match case.booking.wish(id) {
            Wish::Keep(held) | Wish::Promise(held) => held,
            Wish::Open | Wish::Leave | Wish::Nothing => 0,
        };
        // What was asked for, and not what it comes to now: a key that is repeated is the same.
        let words = format!("refund {id} {amount:?}");
        let provider = self.providers.named(&case.payment.provider);
        let is_part = amount.unwrap_or(held) < case.payment.amount;
        let is_judged = amount.is_some() || held > 0;
        let amount = amount.unwrap_or(held);
        if is_part && is_judged && provider.is_some_and(|it| !it.refunds_parts()) {
            let name = &case.payment.provider;
            let detail = format!("must be all of the payment: {name} gives back no parts");
            return Err(Error::field("/amount", &detail));
        }
        let step = Step::Refund { payment: id, amount };
        let intent = Intent::Step { booking: case.booking.id, step };
        let command = self.command(caller, intent, key, &words);
        let made = match self.carry_out(property, command, Urgency::Ordinary).await {
            Err(Error::Refused(refusal)) => self.ended(case.booking.id, refusal, None).await?,
            answer => answer?,
        };
        let case = self.wait_for(id, |case| case.jobs.is_empty()).await?;
        Ok((view(case, false), made.replayed))
    }

    /// A payment that the caller may see.
    pub async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<PaymentView, Error> {
        let case = self.store.case(id).await?.ok_or(Error::NotFound)?;
        let property = case.payment.property;
        let ownership = self.booking_ownership(caller, property, &case.booking).await?;
        allow(Action::ReadPayment, Some(caller), ownership)?;
        Ok(view(case, ownership == Ownership::Guest))
    }

    /// The payments for the caller's bookings, newest first, after a place in the list.
    pub async fn payments(
        &self,
        caller: &Caller,
        after: Option<(Instant, Uuid)>,
        limit: usize,
    ) -> Result<Vec<PaymentView>, Error> {
        allow(Action::ListPayments, Some(caller), Ownership::Unowned)?;
        let after = after.map(|(at, id)| (at, PaymentId(id)));
        let payments = self.store.payments_of_guest(caller.id, after, super::rows(limit)).await?;
        let ids = payments.iter().map(|payment| payment.id).collect();
        let mut refunds = self.store.refunds_of(ids).await?;
        let view = |payment: Payment| PaymentView {
            refunds: refunds.remove(&payment.id).unwrap_or_default(),
            payment,
            is_payer: true,
        };
        Ok(payments.into_iter().map(view).collect())
    }

    /// Waits until a payment is as wanted, or for as long as an answer may wait.
    async fn wait_for(
        &self,
        id: PaymentId,
        is_wanted: impl Fn(&Case) -> bool,
    ) -> Result<Case, Error> {
        let give_up = tokio::time::Instant::now() + PATIENCE;
        let settled = self.settlements.watch(id);
        loop {
            let heard = settled.notified();
            let case = self.store.case(id).await?.ok_or(Error::NotFound)?;
            if is_wanted(&case) || tokio::time::Instant::now() >= give_up {
                return Ok(case);
            }
            let look = (tokio::time::Instant::now() + LOOK).min(give_up);
            let _ = tokio::time::timeout_at(look, heard).await;
        }
    }
}

/// Whether the provider has said all that is to be expected of it for now.
fn is_answered(case: &Case) -> bool {
    match (case.payment.status, case.booking.wish(case.payment.id)) {
        (PaymentStatus::Created, _) => false,
        (PaymentStatus::RequiresAction | PaymentStatus::Processing, _) => true,
        // It is on its way into the booking and to be collected, unless a host has the word.
        (PaymentStatus::Authorized, wish) => matches!(wish, Wish::Promise(_)),
        // The booking is about to hear of it.
        (_, wish) => !matches!(wish, Wish::Open | Wish::Leave),
    }
}

fn view(case: Case, is_payer: bool) -> PaymentView {
    PaymentView { payment: case.payment, refunds: case.refunds, is_payer }
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

    pub(super) fn settled(&self, payment: PaymentId) {
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
