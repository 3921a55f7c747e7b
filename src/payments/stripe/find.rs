//! Finding what there is at Stripe: by its own name, or by what we wrote on it.
//!
//! Lists are read the newest first, at most [`MOST_PAGES`] pages of [`ON_A_PAGE`]; where that is
//! not the whole list and ours was not on it, nothing is known.

use super::call::{Call, Trouble};
use crate::payments::{CALL_WITHIN, Order, RefundOrder};
use ::stripe::StripeRequest;
use domain::Instant;
use std::collections::HashMap;
use std::time::Duration;
use stripe_core::payment_intent::{ListPaymentIntent, RetrievePaymentIntent};
use stripe_core::refund::{ListRefund, RetrieveRefund};
use stripe_core::{PaymentIntent, Refund};
use stripe_types::{RangeBoundsTs, RangeQueryTs};

/// What metadata calls our ids.
pub(super) const BOOKING: &str = "booking";
pub(super) const PAYMENT: &str = "payment";
pub(super) const REFUND: &str = "refund";

const MOST_PAGES: u32 = 10;
const ON_A_PAGE: i64 = 100;
/// How far Stripe's clock may be from ours.
const CLOCKS_APART: Duration = Duration::from_secs(5 * 60);
const LONGEST_NAME: usize = 255;

/// An order at Stripe, as its name or its metadata finds it.
pub(super) async fn intent(
    call: &Call<'_>,
    order: &Order,
) -> Result<Option<PaymentIntent>, Trouble> {
    let Some(name) = &order.reference else { return intent_by_metadata(call, order).await };
    if !is_name(name) {
        return Ok(None);
    }
    let ask = RetrievePaymentIntent::new(name.as_str());
    let found = call.get(|how| ask.customize().request_strategy(how).send(call.client)).await;
    missing_is_none(found)
}

pub(super) async fn intent_by_metadata(
    call: &Call<'_>,
    order: &Order,
) -> Result<Option<PaymentIntent>, Trouble> {
    let seconds = |at: Instant| Some(at.as_micros().div_euclid(1_000_000));
    // It was made while it was asked for. All that was made since would soon be more than is read.
    let created = RangeBoundsTs {
        gte: seconds(order.asked_at.minus(CLOCKS_APART)),
        lte: seconds(order.asked_at.plus(CALL_WITHIN + CLOCKS_APART)),
        ..RangeBoundsTs::default()
    };
    let created = RangeQueryTs::Bounds(created);
    let mut ask = ListPaymentIntent::new().created(created).limit(ON_A_PAGE);
    for _ in 0..MOST_PAGES {
        let page = call.get(|how| ask.customize().request_strategy(how).send(call.client)).await?;
        let last = page.data.last().map(|intent| intent.id.as_str().to_owned());
        if let Some(ours) = page.data.into_iter().find(|intent| is_of(&intent.metadata, order)) {
            return Ok(Some(ours));
        }
        match last {
            Some(last) if page.has_more => ask = ask.starting_after(last),
            _ => return Ok(None),
        }
    }
    Err(too_many())
}

/// Whether we made it for this payment.
pub(super) fn is_of(metadata: &HashMap<String, String>, order: &Order) -> bool {
    metadata.get(PAYMENT).is_some_and(|payment| *payment == order.payment.to_string())
}

/// A refund at Stripe, as its name finds it, or its metadata among those of this intent.
pub(super) async fn refund(
    call: &Call<'_>,
    refund: &RefundOrder,
    intent: &str,
) -> Result<Option<Refund>, Trouble> {
    let Some(name) = &refund.reference else {
        return refund_by_metadata(call, refund, intent).await;
    };
    if !is_name(name) {
        return Ok(None);
    }
    let ask = RetrieveRefund::new(name.as_str());
    let found = call.get(|how| ask.customize().request_strategy(how).send(call.client)).await;
    missing_is_none(found)
}

pub(super) async fn refund_by_metadata(
    call: &Call<'_>,
    refund: &RefundOrder,
    intent: &str,
) -> Result<Option<Refund>, Trouble> {
    let wanted = refund.refund.to_string();
    let is_ours = |refund: &Refund| {
        let metadata = refund.metadata.as_ref();
        metadata.and_then(|metadata| metadata.get(REFUND)).is_some_and(|id| *id == wanted)
    };
    let mut ask = ListRefund::new().payment_intent(intent).limit(ON_A_PAGE);
    for _ in 0..MOST_PAGES {
        let page = call.get(|how| ask.customize().request_strategy(how).send(call.client)).await?;
        let last = page.data.last().map(|refund| refund.id.as_str().to_owned());
        if let Some(ours) = page.data.into_iter().find(is_ours) {
            return Ok(Some(ours));
        }
        match last {
            Some(last) if page.has_more => ask = ask.starting_after(last),
            _ => return Ok(None),
        }
    }
    Err(too_many())
}

/// Whether it may be a name of Stripe's: what goes into a path has to stay one part of it.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fits)
}

fn missing_is_none<T>(found: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match found {
        Err(trouble) if trouble.is_missing() => Ok(None),
        found => found.map(Some),
    }
}

fn too_many() -> Trouble {
    Trouble::Lost("there are more than are looked through".into())
}
