//! Payment providers: what the product needs of them, whoever they are.
//!
//! A provider is asked by jobs only, never by an actor, and every question may come twice: each
//! carries our own key or is harmless when repeated. What a provider says later arrives as an event
//! in the inbox; events are hints, so the worker asks again before it believes one. Answers come in
//! the words of [`domain::settlement`]; no type of a provider's library leaves its own file.
//!
//! Every call ends within [`CALL_WITHIN`], whatever the other side does. A call whose outcome is
//! not known is an error that says so, and whoever asked looks again before anything is repeated.

pub mod breaker;
pub mod mpesa;
pub mod stripe;

pub use domain::payment::NextAction;

use domain::payment::RefundState;
use domain::settlement::Fact;
use domain::{BookingId, Currency, Instant, PaymentId, RefundId};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// The longest that one call to a provider takes, with all that is tried in it.
pub const CALL_WITHIN: Duration = Duration::from_secs(15);

/// What the provider is asked to collect, as far as it is known.
#[derive(Clone, Debug)]
pub struct Order {
    pub payment: PaymentId,
    pub booking: BookingId,
    /// In minor units of `currency`.
    pub amount: i64,
    pub currency: Currency,
    /// What the client named as its means of payment: a card's token, or a phone's number. Empty if
    /// the guest chooses at the provider.
    pub method: String,
    /// Where the provider's page leads back to; empty if nowhere.
    pub return_url: String,
    /// The provider's own name for it, once it has said one.
    pub reference: Option<String>,
    /// What proves at the provider that it was paid, where that is something else.
    pub receipt: Option<String>,
    /// When the provider was first asked, or a little earlier.
    pub asked_at: Instant,
}

/// An order as its provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The provider's own name for it.
    pub reference: String,
    pub fact: Fact,
    /// What the guest has to do next, if anything.
    pub next_action: Option<NextAction>,
}

/// Money that the provider is asked to give back.
#[derive(Clone, Debug)]
pub struct RefundOrder {
    pub refund: RefundId,
    /// In minor units of the order's currency.
    pub amount: i64,
    /// The order that the money came by.
    pub order: Order,
    /// The provider's own name for the refund, once it has said one.
    pub reference: Option<String>,
    /// When it was written down.
    pub requested_at: Instant,
    /// Where it stands in our record.
    pub state: RefundState,
    /// When the provider was asked for it before, if it was.
    pub asked_at: Option<Instant>,
}

/// A refund as its provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAnswer {
    /// The provider's own name for it.
    pub reference: Option<String>,
    /// Never [`RefundState::Requested`].
    pub state: RefundState,
    /// Why it failed, in the provider's words.
    pub reason: Option<String>,
}

/// Why a provider did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It will not, however often it is asked, and nothing has happened.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// It could not be asked, or was too busy to listen: nothing has happened.
    #[error("the provider cannot be asked now: {0}")]
    Busy(String),
    /// Something else has to happen before it can be asked.
    #[error("the provider is asked later: {0}")]
    Early(String),
    /// It gave no answer that can be read: it may have happened, or may still.
    #[error("the provider's answer is not known: {0}")]
    Unclear(String),
}

/// The providers that are on, in the operator's order. A clone has the same.
#[derive(Clone, Default)]
pub struct Providers(Arc<[Arc<dyn Provider>]>);

/// Why no provider is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchosen {
    /// There is none.
    NoneIsOn,
    /// One of these has to be named.
    OneOf(Vec<&'static str>),
}

impl Providers {
    /// These, each under a name of its own.
    pub fn new(providers: Vec<Arc<dyn Provider>>) -> Self {
        Self(providers.into())
    }

    /// The provider of this name.
    pub fn named(&self, name: &str) -> Option<Arc<dyn Provider>> {
        self.0.iter().find(|provider| provider.name() == name).map(Arc::clone)
    }

    /// The provider that a client names, or the only one that there is.
    pub fn choose(&self, name: Option<&str>) -> Result<Arc<dyn Provider>, Unchosen> {
        let chosen = match (name, &*self.0) {
            (_, []) => return Err(Unchosen::NoneIsOn),
            (Some(name), _) => self.named(name),
            (None, [only]) => Some(Arc::clone(only)),
            (None, _) => None,
        };
        chosen.ok_or_else(|| Unchosen::OneOf(self.0.iter().map(|it| it.name()).collect()))
    }
}

/// A payment provider.
pub trait Provider: Send + Sync {
    /// The name that stands in payments and that clients choose it by.
    fn name(&self) -> &'static str;

    /// Whether it can give back less than all of a payment.
    fn refunds_parts(&self) -> bool;

    /// Whether it can collect this at all, by this means of payment: says why not, with the name of
    /// the request's field that is wrong.
    fn accepts(
        &self,
        amount: i64,
        currency: Currency,
        method: &str,
    ) -> Result<(), (&'static str, String)>;

    /// Asks for the money. Asked twice for the same payment it says what became of the first time.
    /// A means of payment that is declined is an order in that state, and no error.
    fn order<'a>(
        &'a self,
        order: &'a Order,
        now: Instant,
    ) -> BoxFuture<'a, Result<Intent, ProviderError>>;

    /// What became of an order, also of one whose reference was never heard; nothing where the
    /// provider has no such order.
    fn fetch<'a>(
        &'a self,
        order: &'a Order,
        now: Instant,
    ) -> BoxFuture<'a, Result<Option<Intent>, ProviderError>>;

    /// Collects all of what is authorized.
    fn capture<'a>(
        &'a self,
        order: &'a Order,
        now: Instant,
    ) -> BoxFuture<'a, Result<Intent, ProviderError>>;

    /// Asks to give an order up; says where it stands afterwards, which may be as before.
    fn cancel<'a>(
        &'a self,
        order: &'a Order,
        now: Instant,
    ) -> BoxFuture<'a, Result<Intent, ProviderError>>;

    /// Gives money back. Asked twice for the same refund it gives it back once.
    fn refund<'a>(
        &'a self,
        refund: &'a RefundOrder,
        now: Instant,
    ) -> BoxFuture<'a, Result<RefundAnswer, ProviderError>>;

    /// What became of a refund that was submitted.
    fn fetch_refund<'a>(
        &'a self,
        refund: &'a RefundOrder,
        now: Instant,
    ) -> BoxFuture<'a, Result<RefundAnswer, ProviderError>>;
}
