//! Payment providers: what the product needs of them, whoever they are.
//!
//! A provider is asked by jobs only, never by an actor, and every question may come twice: each
//! carries our own key. What a provider says later arrives as an event in the inbox; events are
//! hints, so the worker asks again before it believes one.

pub mod sandbox;

use domain::{BookingId, Currency, Instant, PaymentId};
use futures_util::future::BoxFuture;

/// What the provider is asked to collect.
#[derive(Clone, Debug)]
pub struct Order {
    pub payment: PaymentId,
    pub booking: BookingId,
    pub amount: i64,
    pub currency: Currency,
    /// What the client named as its means of payment; empty if nothing.
    pub method: String,
}

/// What the provider says about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    pub reference: String,
    pub booking: BookingId,
    pub amount: i64,
    pub currency: Currency,
    pub status: IntentStatus,
}

/// Where an order stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentStatus {
    Processing,
    Succeeded,
    Failed,
    Canceled,
}

/// An event that the provider will send: the in-process form of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub event: String,
    pub at: Instant,
}

/// An order that the provider has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub reference: String,
    pub notice: Option<Notice>,
}

/// Why the provider gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The reference is not one of this provider's.
    #[error("the provider knows no such payment")]
    Unknown,
}

/// A payment provider.
pub trait Provider: Send + Sync {
    /// The name that stands in payments.
    fn name(&self) -> &'static str;

    /// Takes an order; the same payment gives the same reference.
    fn create<'a>(
        &'a self,
        order: &'a Order,
        now: Instant,
    ) -> BoxFuture<'a, Result<Created, ProviderError>>;

    /// What became of an order.
    fn fetch<'a>(
        &'a self,
        reference: &'a str,
        now: Instant,
    ) -> BoxFuture<'a, Result<Intent, ProviderError>>;

    /// Asks to give an order up; says where it stands afterwards.
    fn cancel<'a>(
        &'a self,
        reference: &'a str,
        now: Instant,
    ) -> BoxFuture<'a, Result<Intent, ProviderError>>;

    /// Gives money back; the same key gives it back once.
    fn refund<'a>(
        &'a self,
        reference: &'a str,
        amount: i64,
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), ProviderError>>;
}
