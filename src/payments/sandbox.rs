//! The sandbox: a provider without money, in process, for the demo and for tests.
//!
//! The client's means of payment says what happens: `pm_card_visa` (or nothing) is paid at once,
//! `pm_card_chargeDeclined` is declined at once, `pm_late` is paid [`LATE`] after it was asked for
//! and cannot be canceled, `pm_silent` never answers until it is canceled. It keeps no memory: all
//! that it knows of an order stands in the order's reference, so a restart forgets nothing.

use super::{Created, Intent, IntentStatus, Notice, Order, Provider, ProviderError};
use domain::{BookingId, Instant};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// How late `pm_late` pays: after the hold and its grace time are over.
pub const LATE: Duration = Duration::from_secs(20 * 60);

/// The provider's name in payments.
pub const NAME: &str = "sandbox";

/// The sandbox; it has no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sandbox;

#[derive(Clone, Copy)]
enum Manner {
    AtOnce,
    Declines,
    Late,
    Silent,
}

const MANNERS: [(&str, Manner); 4] = [
    ("visa", Manner::AtOnce),
    ("declined", Manner::Declines),
    ("late", Manner::Late),
    ("silent", Manner::Silent),
];

/// The means of payment that the sandbox knows.
pub const METHODS: [&str; 4] = ["pm_card_visa", "pm_card_chargeDeclined", "pm_late", "pm_silent"];

fn manner_of(method: &str) -> &'static str {
    METHODS.iter().position(|known| *known == method).map_or("visa", |at| MANNERS[at].0)
}

impl Sandbox {
    fn read(reference: &str, now: Instant) -> Option<(Intent, Manner)> {
        let mut parts = reference.strip_prefix("sandbox_")?.split('_');
        let name = parts.next()?;
        let manner = MANNERS.iter().find(|(known, _)| *known == name)?.1;
        let created = Instant::from_micros(parts.next()?.parse().ok()?);
        let amount = parts.next()?.parse().ok()?;
        let currency = parts.next()?.parse().ok()?;
        let booking = BookingId(parts.next()?.parse().ok()?);
        let status = match manner {
            Manner::AtOnce => IntentStatus::Succeeded,
            Manner::Declines => IntentStatus::Failed,
            Manner::Late if now >= created.plus(LATE) => IntentStatus::Succeeded,
            Manner::Late | Manner::Silent => IntentStatus::Processing,
        };
        let reference = reference.to_owned();
        Some((Intent { reference, booking, amount, currency, status }, manner))
    }
}

impl Provider for Sandbox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn create<'a>(
        &'a self,
        order: &'a Order,
        now: Instant,
    ) -> BoxFuture<'a, Result<Created, ProviderError>> {
        let reference = format!(
            "sandbox_{}_{}_{}_{}_{}_{}",
            manner_of(&order.method),
            now.as_micros(),
            order.amount,
            order.currency,
            order.booking,
            order.payment,
        );
        let at = match Self::read(&reference, now) {
            Some((_, Manner::AtOnce | Manner::Declines)) => Some(now),
            Some((_, Manner::Late)) => Some(now.plus(LATE)),
            _ => None,
        };
        let notice = at.map(|at| Notice { event: format!("evt_{}", order.payment), at });
        Box::pin(async move { Ok(Created { reference, notice }) })
    }

    fn fetch<'a>(
        &'a self,
        reference: &'a str,
        now: Instant,
    ) -> BoxFuture<'a, Result<Intent, ProviderError>> {
        let known = Self::read(reference, now).map(|(intent, _)| intent);
        Box::pin(async move { known.ok_or(ProviderError::Unknown) })
    }

    fn cancel<'a>(
        &'a self,
        reference: &'a str,
        now: Instant,
    ) -> BoxFuture<'a, Result<Intent, ProviderError>> {
        let canceled = Self::read(reference, now).map(|(mut intent, manner)| {
            if matches!(manner, Manner::Silent) {
                intent.status = IntentStatus::Canceled;
            }
            intent
        });
        Box::pin(async move { canceled.ok_or(ProviderError::Unknown) })
    }

    fn refund<'a>(
        &'a self,
        reference: &'a str,
        _amount: i64,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        let known = Self::read(reference, Instant::default()).is_some();
        Box::pin(async move { if known { Ok(()) } else { Err(ProviderError::Unknown) } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PaymentId;
    use uuid::Uuid;

    fn order(method: &str) -> Order {
        Order {
            payment: PaymentId(Uuid::from_u128(1)),
            booking: BookingId(Uuid::from_u128(2)),
            amount: 12_345,
            currency: "USD".parse().expect("a currency"),
            method: method.to_owned(),
        }
    }

    #[tokio::test]
    async fn each_means_of_payment_behaves_as_its_name_says() {
        let now = Instant::from_micros(1_000_000);
        for (method, first, later, canceled) in [
            (
                "pm_card_visa",
                IntentStatus::Succeeded,
                IntentStatus::Succeeded,
                IntentStatus::Succeeded,
            ),
            ("", IntentStatus::Succeeded, IntentStatus::Succeeded, IntentStatus::Succeeded),
            (
                "pm_card_chargeDeclined",
                IntentStatus::Failed,
                IntentStatus::Failed,
                IntentStatus::Failed,
            ),
            (
                "pm_late",
                IntentStatus::Processing,
                IntentStatus::Succeeded,
                IntentStatus::Processing,
            ),
            (
                "pm_silent",
                IntentStatus::Processing,
                IntentStatus::Processing,
                IntentStatus::Canceled,
            ),
        ] {
            let order = order(method);
            let created = Sandbox.create(&order, now).await.expect("taken");
            let intent = Sandbox.fetch(&created.reference, now).await.expect("known");
            assert_eq!(
                (intent.status, intent.amount, intent.booking),
                (first, 12_345, order.booking)
            );
            let intent = Sandbox.fetch(&created.reference, now.plus(LATE)).await.expect("known");
            assert_eq!(intent.status, later, "{method}");
            let intent = Sandbox.cancel(&created.reference, now).await.expect("known");
            assert_eq!(intent.status, canceled, "{method}");
        }
        assert_eq!(Sandbox.fetch("pi_123", now).await, Err(ProviderError::Unknown));
    }
}
