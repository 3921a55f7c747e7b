//! A provider that is down is left alone for a while.
//!
//! After [`FAILURES`] calls in a row without an answer, calls are turned away at once for
//! [`REST`]; then one is let through, and what comes of it decides for all. A refusal is an answer.
//! Time is the callers' `now`. Nothing waits in here, and no lock is held while somebody is asked.

use super::{Intent, Order, Provider, ProviderError, RefundAnswer, RefundOrder};
use domain::{Currency, Instant};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Calls in a row without an answer, after which the provider is left alone.
const FAILURES: u32 = 5;
/// How long it is left alone.
const REST: Duration = Duration::from_secs(30);

type Answer<'a, T> = BoxFuture<'a, Result<T, ProviderError>>;

/// A provider with a breaker before it.
pub struct Breaker {
    provider: Arc<dyn Provider>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Calls in a row that had no answer.
    failures: u32,
    /// Until then the provider is left alone.
    rests_until: Option<Instant>,
}

impl State {
    /// Lets a call through, or says how long none is.
    fn admit(&mut self, now: Instant) -> Result<(), ProviderError> {
        let Some(until) = self.rests_until else { return Ok(()) };
        let left = until.since(now);
        if left.is_zero() {
            // Whoever comes while this one is on its way waits for what becomes of it; should
            // nothing become of it, another is let through as long after it.
            self.rests_until = Some(now.plus(REST));
            return Ok(());
        }
        let seconds = left.as_millis().div_ceil(1_000);
        Err(ProviderError::Busy(format!("it did not answer, and is asked again in {seconds} s")))
    }

    fn note(&mut self, is_answer: bool, now: Instant) {
        if is_answer {
            *self = Self::default();
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.rests_until = Some(now.plus(REST));
        }
    }
}

impl Breaker {
    /// Nothing is known against the provider yet.
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        Self { provider, state: Mutex::default() }
    }

    fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn pass<'a, T: 'a>(
        &'a self,
        now: Instant,
        call: impl FnOnce(&'a dyn Provider) -> Answer<'a, T> + Send + 'a,
    ) -> Answer<'a, T> {
        Box::pin(async move {
            self.with_state(|state| state.admit(now))?;
            let answer = call(&*self.provider).await;
            let failed = matches!(answer, Err(ProviderError::Busy(_) | ProviderError::Unclear(_)));
            // What comes too soon was not asked for, and says nothing of the provider.
            if !matches!(answer, Err(ProviderError::Early(_))) {
                self.with_state(|state| state.note(!failed, now));
            }
            answer
        })
    }
}

impl Provider for Breaker {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn refunds_parts(&self) -> bool {
        self.provider.refunds_parts()
    }

    fn accepts(
        &self,
        amount: i64,
        currency: Currency,
        method: &str,
    ) -> Result<(), (&'static str, String)> {
        self.provider.accepts(amount, currency, method)
    }

    fn order<'a>(&'a self, order: &'a Order, now: Instant) -> Answer<'a, Intent> {
        self.pass(now, move |provider| provider.order(order, now))
    }

    fn fetch<'a>(&'a self, order: &'a Order, now: Instant) -> Answer<'a, Option<Intent>> {
        self.pass(now, move |provider| provider.fetch(order, now))
    }

    fn capture<'a>(&'a self, order: &'a Order, now: Instant) -> Answer<'a, Intent> {
        self.pass(now, move |provider| provider.capture(order, now))
    }

    fn cancel<'a>(&'a self, order: &'a Order, now: Instant) -> Answer<'a, Intent> {
        self.pass(now, move |provider| provider.cancel(order, now))
    }

    fn refund<'a>(&'a self, refund: &'a RefundOrder, now: Instant) -> Answer<'a, RefundAnswer> {
        self.pass(now, move |provider| provider.refund(refund, now))
    }

    fn fetch_refund<'a>(
        &'a self,
        refund: &'a RefundOrder,
        now: Instant,
    ) -> Answer<'a, RefundAnswer> {
        self.pass(now, move |provider| provider.fetch_refund(refund, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_micros(1_700_000_000_000_000);

    fn after(seconds: u64) -> Instant {
        START.plus(Duration::from_secs(seconds))
    }

    /// What is known after these calls, each with an answer or without one.
    fn state_after(calls: &[bool]) -> State {
        let mut state = State::default();
        for is_answer in calls {
            state.note(*is_answer, START);
        }
        state
    }

    #[test]
    fn five_calls_in_a_row_without_an_answer_are_followed_by_a_rest_of_thirty_seconds() {
        let mut few = state_after(&[false, false, false, false, true, false, false, false, false]);
        assert_eq!(few.admit(START), Ok(()));
        let mut enough = state_after(&[false; 5]);
        let turned_away =
            Err(ProviderError::Busy("it did not answer, and is asked again in 30 s".into()));
        assert_eq!(enough.admit(START), turned_away);
        assert!(enough.admit(after(29)).is_err());
    }

    #[test]
    fn after_the_rest_one_call_is_let_through_and_decides_for_all() {
        for (is_answer, opens) in [(true, true), (false, false)] {
            let mut state = state_after(&[false; 5]);
            assert_eq!(state.admit(after(30)), Ok(()));
            assert!(state.admit(after(30)).is_err(), "a second one");
            state.note(is_answer, after(31));
            assert_eq!(state.admit(after(60)).is_ok(), opens);
        }
    }

    #[test]
    fn a_call_that_is_let_through_and_given_up_does_not_close_the_way_for_ever() {
        let mut state = state_after(&[false; 5]);
        assert_eq!([30, 59, 60].map(|at| state.admit(after(at)).is_ok()), [true, false, true]);
    }
}
