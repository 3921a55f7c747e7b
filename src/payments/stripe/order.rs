//! Orders as payment intents: asking for one, moving it on, and what it says.
//! Source: <https://docs.stripe.com/payments/paymentintents/lifecycle>.

use super::call::{Call, Trouble};
use super::find::{self, BOOKING, PAYMENT};
use super::money;
use super::wish::{Wish, fulfil};
use crate::payments::{Intent, NextAction, Order, ProviderError};
use ::stripe::StripeRequest;
use domain::payment::PaymentStatus;
use domain::settlement::{Fact, Standing};
use domain::{BookingId, Currency};
use std::collections::HashMap;
use stripe_core::payment_intent::{
    CancelPaymentIntent, CapturePaymentIntent, CreatePaymentIntent, RetrievePaymentIntent,
};
use stripe_core::{
    PaymentIntent, PaymentIntentAllowedPaymentMethodTypes, PaymentIntentCancellationReason,
    PaymentIntentCaptureMethod, PaymentIntentStatus,
};
use uuid::Uuid;

/// An order that is made at Stripe.
#[derive(Debug)]
pub(super) struct Creation<'a> {
    order: &'a Order,
    request: CreatePaymentIntent,
}

impl<'a> Creation<'a> {
    /// # Errors
    /// When Stripe has no words for the amount.
    pub(super) fn of(order: &'a Order) -> Result<Self, ProviderError> {
        let amount = money::told(order.amount, order.currency).ok_or_else(no_such_amount)?;
        let metadata = HashMap::from([
            (BOOKING.to_owned(), order.booking.to_string()),
            (PAYMENT.to_owned(), order.payment.to_string()),
        ]);
        let mut request = CreatePaymentIntent::new(amount, currency_told(order.currency))
            .allowed_payment_method_types([PaymentIntentAllowedPaymentMethodTypes::Card])
            .capture_method(PaymentIntentCaptureMethod::Manual)
            .description(format!("Booking {}", order.booking))
            .metadata(metadata);
        if !order.method.is_empty() {
            request = request.payment_method(order.method.as_str()).confirm(true);
            if !order.return_url.is_empty() {
                request = request.return_url(order.return_url.as_str());
            }
        }
        Ok(Self { order, request })
    }
}

impl Wish for Creation<'_> {
    type Made = PaymentIntent;

    fn key(&self) -> String {
        format!("pi:{}:1", self.order.payment)
    }

    async fn ask(&self, call: &Call<'_>, key: &str) -> Result<PaymentIntent, Trouble> {
        let made = call
            .post(key, |how| self.request.customize().request_strategy(how).send(call.client))
            .await;
        match made {
            // The bank said no. The intent exists, and shows it.
            Err(Trouble::Refused { status: 402, mut error }) => match error.payment_intent.take() {
                Some(intent) => Ok(intent),
                None => {
                    self.look(call).await?.ok_or_else(|| Trouble::Refused { status: 402, error })
                }
            },
            made => made,
        }
    }

    async fn look(&self, call: &Call<'_>) -> Result<Option<PaymentIntent>, Trouble> {
        find::intent_by_metadata(call, self.order).await
    }
}

/// What can be done with an order that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Capture,
    Cancel,
}

/// A step that an order takes away from a status: whether it happened shows in that alone.
struct Step<'a> {
    order: &'a Order,
    act: Act,
    name: &'a str,
    from: &'a PaymentIntentStatus,
}

impl Step<'_> {
    async fn now(&self, call: &Call<'_>) -> Result<PaymentIntent, Trouble> {
        let ask = RetrievePaymentIntent::new(self.name);
        call.get(|how| ask.customize().request_strategy(how).send(call.client)).await
    }
}

impl Wish for Step<'_> {
    type Made = PaymentIntent;

    fn key(&self) -> String {
        let payment = self.order.payment;
        match self.act {
            Act::Capture => format!("cap:{payment}"),
            // What cannot be canceled in one status can be in the next one, and Stripe would tell
            // the old refusal again to the old key.
            Act::Cancel => format!("void:{payment}:{}", self.from),
        }
    }

    async fn ask(&self, call: &Call<'_>, key: &str) -> Result<PaymentIntent, Trouble> {
        match self.act {
            Act::Capture => {
                let ask = CapturePaymentIntent::new(self.name);
                call.post(key, |how| ask.customize().request_strategy(how).send(call.client)).await
            }
            Act::Cancel => {
                let ask = CancelPaymentIntent::new(self.name);
                call.post(key, |how| ask.customize().request_strategy(how).send(call.client)).await
            }
        }
    }

    async fn look(&self, call: &Call<'_>) -> Result<Option<PaymentIntent>, Trouble> {
        let intent = self.now(call).await?;
        Ok((intent.status != *self.from).then_some(intent))
    }
}

/// Collects what is authorized; where nothing is, says how the order stands.
pub(super) async fn capture(
    call: &Call<'_>,
    order: &Order,
) -> Result<PaymentIntent, ProviderError> {
    let intent = known(call, order).await?;
    match intent.status {
        PaymentIntentStatus::RequiresCapture => take(call, order, Act::Capture, &intent).await,
        _ => Ok(intent),
    }
}

/// Gives the order up if that is possible, and says how it stands then.
pub(super) async fn cancel(call: &Call<'_>, order: &Order) -> Result<PaymentIntent, ProviderError> {
    let intent = known(call, order).await?;
    match intent.status {
        PaymentIntentStatus::Canceled | PaymentIntentStatus::Succeeded => Ok(intent),
        _ => take(call, order, Act::Cancel, &intent).await,
    }
}

pub(super) async fn known(call: &Call<'_>, order: &Order) -> Result<PaymentIntent, ProviderError> {
    let no_such_order = || ProviderError::Refused("there is no such order".into());
    find::intent(call, order).await?.ok_or_else(no_such_order)
}

async fn take(
    call: &Call<'_>,
    order: &Order,
    act: Act,
    intent: &PaymentIntent,
) -> Result<PaymentIntent, ProviderError> {
    let step = Step { order, act, name: intent.id.as_str(), from: &intent.status };
    match fulfil(&step, call).await {
        Err(refusal) if refusal.is_refusal() => {
            let now = step.now(call).await?;
            let has_moved = now.status != intent.status;
            if has_moved || act == Act::Cancel { Ok(now) } else { Err(refusal.into()) }
        }
        taken => Ok(taken?),
    }
}

/// Reads an intent as what it says of an order. `hosted_page` is as in the settings.
///
/// # Errors
/// [`ProviderError::Unclear`] when it says something that there is no word for.
pub(super) fn read(
    intent: &PaymentIntent,
    order: &Order,
    hosted_page: Option<&str>,
) -> Result<Intent, ProviderError> {
    let unclear = |what: &str| ProviderError::Unclear(format!("{what} is not known"));
    let standing = standing(intent, order).ok_or_else(|| unclear(intent.status.as_str()))?;
    let code = intent.currency.to_string().to_uppercase();
    let currency: Currency = code.parse().map_err(|_| unclear(&code))?;
    let amount = match standing {
        Standing::Authorized => intent.amount_capturable,
        Standing::Captured => intent.amount_received,
        _ => intent.amount,
    };
    let amount = money::heard(amount, currency).ok_or_else(no_such_amount)?;
    let next_action =
        (standing == Standing::Waiting).then(|| next_action(intent, order, hosted_page)).flatten();
    let fact = Fact { booking: Some(made_for(intent, order)), amount, currency, standing };
    Ok(Intent { reference: intent.id.as_str().to_owned(), fact, next_action })
}

fn standing(intent: &PaymentIntent, order: &Order) -> Option<Standing> {
    let has_failed = intent.last_payment_error.is_some();
    Some(match &intent.status {
        PaymentIntentStatus::RequiresPaymentMethod | PaymentIntentStatus::RequiresConfirmation
            // Who chooses at the provider may choose again.
            if has_failed && !order.method.is_empty() =>
        {
            Standing::Declined
        }
        PaymentIntentStatus::RequiresPaymentMethod
        | PaymentIntentStatus::RequiresConfirmation
        | PaymentIntentStatus::RequiresAction => Standing::Waiting,
        PaymentIntentStatus::Processing => Standing::Processing,
        PaymentIntentStatus::RequiresCapture => Standing::Authorized,
        PaymentIntentStatus::Succeeded => Standing::Captured,
        PaymentIntentStatus::Canceled => Standing::Ended(match intent.cancellation_reason {
            _ if has_failed => PaymentStatus::Failed,
            Some(
                PaymentIntentCancellationReason::Automatic
                | PaymentIntentCancellationReason::Expired,
            ) => PaymentStatus::Expired,
            _ => PaymentStatus::Voided,
        }),
        _ => return None,
    })
}

/// The booking that an intent was made for. We write it and the payment on each of ours, so one
/// without them was made for something else, and its money is for no booking of ours: it says so
/// by an id that no booking has, where saying nothing would let it pay for any.
fn made_for(intent: &PaymentIntent, order: &Order) -> BookingId {
    let booking = intent.metadata.get(BOOKING).filter(|_| find::is_of(&intent.metadata, order));
    BookingId(booking.and_then(|id| Uuid::try_parse(id).ok()).unwrap_or_default())
}

fn next_action(
    intent: &PaymentIntent,
    order: &Order,
    hosted_page: Option<&str>,
) -> Option<NextAction> {
    let asked = intent.next_action.as_ref().and_then(|next| next.redirect_to_url.as_ref());
    let asked = asked.and_then(|redirect| redirect.url.clone());
    let hosted = || {
        let page = hosted_page?.replace("{intent}", intent.id.as_str());
        Some(page.replace("{return_url}", &percent_encoded(&order.return_url)))
    };
    match asked.or_else(hosted) {
        Some(url) => Some(NextAction::Redirect { url }),
        None => intent.client_secret.clone().map(|secret| NextAction::Client { secret }),
    }
}

/// A text as a part of an address (RFC 3986, 2.3): what is not unreserved is escaped.
fn percent_encoded(text: &str) -> String {
    let escaped = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    escaped.collect()
}

pub(super) fn no_such_amount() -> ProviderError {
    ProviderError::Refused("Stripe has no such amount in this currency".into())
}

fn currency_told(currency: Currency) -> stripe_types::Currency {
    let code = currency.code().to_ascii_lowercase();
    // Unknown ones are told as they are.
    code.parse().unwrap_or(stripe_types::Currency::Unknown(code))
}
