//! Pushes and what became of them, for every customer that the stand-in knows.

use super::*;
use crate::payments::NextAction;
use domain::payment::PaymentStatus;

const FAILED: Standing = Standing::Ended(PaymentStatus::Failed);

#[tokio::test]
async fn a_push_is_paid_and_its_callback_and_the_query_say_so() {
    let shop = Shop::open().await;
    let order = shop.order(PAYS, 2_500);
    let intent = shop.mpesa.order(&order, shop.now).await.expect("it is taken");
    assert_eq!(intent.fact.standing, Standing::Processing);
    assert_eq!((intent.fact.amount, intent.fact.currency), (250_000, order.currency));
    assert_eq!(intent.next_action, Some(NextAction::Phone));
    let told = shop.told_of(&order).await;
    assert_eq!((told.code, told.amount_cents), (0, Some(250_000)));
    assert_eq!(told.checkout_request_id, intent.reference);
    let order = Order { reference: Some(intent.reference), receipt: told.receipt, ..order };
    let fetched = shop.fetch(&order).await.expect("an answer").expect("an order");
    assert_eq!((fetched.fact.standing, &fetched.next_action), (Standing::Captured, &None));
    // Nothing is promised here that could be captured or given up: both only look.
    for looked in [
        shop.mpesa.capture(&order, shop.now).await,
        shop.mpesa.cancel(&order, shop.now).await,
        shop.mpesa.order(&order, shop.now).await,
    ] {
        assert_eq!(looked.as_ref(), Ok(&fetched));
    }
    assert_eq!(shop.books().await, (250_000, 0));
    let booked = shop.look("ledger").await["payments"][0]["metadata"]["reference"].take();
    let id = order.booking.0.simple().to_string();
    assert!(word(&booked).len() == 12 && id.ends_with(word(&booked)), "{booked}");
}

#[tokio::test]
async fn customers_who_do_not_pay_end_the_order() {
    let shop = Shop::open().await;
    for (digits, code) in [("0001", 1), ("1032", 1032), ("1037", 1037), ("2001", 2001)] {
        let order = shop.pushed(&format!("070000{digits}"), 100).await;
        let told = shop.told_of(&order).await;
        assert_eq!((told.code, told.receipt), (code, None));
        assert_eq!(shop.standing(&order).await, FAILED, "{digits}");
    }
    assert_eq!(shop.books().await, (0, 0));
}

#[tokio::test]
async fn customers_who_think_are_waited_for() {
    let mut shop = Shop::open().await;
    let pays = shop.pushed(LATE, 100).await;
    let declines = shop.pushed(LATE, 200).await;
    let silent = shop.pushed(SILENT, 100).await;
    for order in [&pays, &declines, &silent] {
        assert_eq!(shop.standing(order).await, Standing::Processing);
        let canceled = shop.mpesa.cancel(order, shop.now).await.expect("an answer");
        assert_eq!(canceled.fact.standing, Standing::Processing, "it cannot be called back");
    }
    shop.settle(pays.reference.as_deref().expect("a name"), "settle").await;
    shop.settle(declines.reference.as_deref().expect("a name"), "fail").await;
    assert_eq!(shop.standing(&pays).await, Standing::Captured);
    assert_eq!(shop.standing(&declines).await, FAILED);
    shop.advance(SETTLED);
    assert_eq!(shop.standing(&silent).await, Standing::Processing);
}

#[tokio::test]
async fn customers_who_answer_later_are_processed_until_then() {
    let callback_delay = Duration::from_secs(30);
    let merchant = Merchant { callback_delay, result_codes_as_text: true, ..Merchant::default() };
    let mut shop = Shop::with(merchant).await;
    let order = shop.pushed("0112 345 678", 1).await;
    assert_eq!(shop.standing(&order).await, Standing::Processing);
    shop.advance(callback_delay);
    assert_eq!(shop.told_of(&order).await.code, 0);
    assert_eq!(shop.standing(&order).await, Standing::Captured);
}

#[tokio::test]
async fn the_same_amount_from_the_same_phone_within_two_minutes_fails() {
    let mut shop = Shop::open().await;
    let first = shop.paid(PAYS, 250_000).await;
    let second = shop.pushed(PAYS, 250_000).await;
    assert_eq!(shop.told_of(&second).await.code, 17);
    assert_eq!(shop.standing(&second).await, FAILED);
    assert_eq!(shop.standing(&first).await, Standing::Captured);
    shop.advance(SETTLED);
    let third = shop.paid(PAYS, 250_000).await;
    assert_eq!(shop.standing(&third).await, Standing::Captured);
}

#[tokio::test]
async fn what_cannot_be_collected_is_refused_without_asking() {
    let shop = Shop::open().await;
    let good = shop.order(PAYS, 100);
    for (amount, method) in [(150, PAYS), (0, PAYS), (25_000_100, PAYS), (100, "pm_card_visa")] {
        let order = Order { amount, method: method.to_owned(), ..good.clone() };
        let refused = shop.mpesa.order(&order, shop.now).await;
        assert!(matches!(refused, Err(ProviderError::Refused(_))), "{amount} {method}");
        assert!(shop.mpesa.accepts(amount, order.currency, method).is_err());
    }
    assert_eq!(shop.mpesa.accepts(good.amount, good.currency, PAYS), Ok(()));
    assert!(shop.store.provider_token(super::super::NAME).await.expect("an answer").is_none());
}

#[tokio::test]
async fn what_daraja_refuses_is_refused_and_wrong_credentials_end_no_payment() {
    let shop = Shop::open().await;
    let order = shop.pushed(LATE, 100).await;
    let base = shop.receiver.url.as_str();
    let good = settings_of(shop.fakepay.url(), base);
    let node = |settings| Mpesa::new(settings, shop.store.clone()).expect("good settings");

    let banned = format!("{base}/safaricom");
    let strange = node(Settings { callback_base: banned, ..good.clone() });
    let refused = strange.order(&shop.order(LATE, 200), shop.now).await;
    let why = "Bad Request - Invalid CallBackURL (400.002.02)".to_owned();
    assert_eq!(refused, Err(ProviderError::Refused(why)));

    let forgetful = node(Settings { passkey: "wrong".into(), ..good });
    let unclear = Err(ProviderError::Unclear("Wrong credentials (500.001.1001)".to_owned()));
    assert_eq!(forgetful.order(&shop.order(LATE, 200), shop.now).await, unclear);
    assert_eq!(forgetful.fetch(&order, shop.now).await.map(|_| ()), unclear.map(|_| ()));
    assert_eq!(shop.standing(&order).await, Standing::Processing);

    let unknown = Order { reference: Some("ws_CO_0".to_owned()), ..order };
    let told = shop.fetch(&unknown).await;
    assert!(matches!(told, Err(ProviderError::Unclear(_))), "{told:?}");
}

#[test]
fn settings_say_what_is_wrong_and_show_no_secret() {
    use super::super::{SettingsError, base};
    for (address, wanted) in [
        ("https://stay.example.com", Some("https://stay.example.com")),
        ("https://stay.example.com//", Some("https://stay.example.com")),
        ("http://127.0.0.1:8000", Some("http://127.0.0.1:8000")),
        ("https://", None),
        ("", None),
        ("stay.example.com", None),
        ("ftp://stay.example.com", None),
        ("https://stay.example.com?a", None),
        ("https://stay example.com", None),
    ] {
        let wanted = wanted.map(str::to_owned).ok_or(SettingsError::Address);
        assert_eq!(base(address), wanted, "{address}");
    }
    let shown = format!("{:?}", settings_of("https://a", "https://b"));
    for secret in ["fake_consumer", "fake_passkey", "encrypted", "only the tests"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_secret_that_can_be_guessed_is_not_taken() {
    let (_folder, store) = store().await;
    for short in ["", "0123456789012345678901234567890"] {
        let settings = settings_of("https://a", "https://b");
        let settings = Settings { token_secret: short.into(), ..settings };
        let error = Mpesa::new(settings, store.clone()).expect_err("a short secret");
        assert_eq!(error, super::super::SettingsError::TokenSecret);
    }
}
