//! Reversals: all of a payment, once.

use super::*;
use domain::payment::RefundState;

const REVERSAL: &str = "POST /mpesa/reversal/v1/request";

fn refund(shop: &Shop, order: &Order) -> RefundOrder {
    RefundOrder {
        refund: RefundId(fresh()),
        amount: order.amount,
        order: order.clone(),
        reference: None,
        requested_at: shop.now,
        state: RefundState::Requested,
        asked_at: None,
    }
}

fn submitted(reference: &str) -> RefundAnswer {
    let reference = Some(reference.to_owned());
    RefundAnswer { reference, state: RefundState::Submitted, reason: None }
}

#[tokio::test]
async fn all_of_a_payment_goes_back_and_the_callback_says_so() {
    let shop = Shop::open().await;
    let refund = refund(&shop, &shop.paid(PAYS, 2_500).await);
    let answer = shop.mpesa.refund(&refund, shop.now).await.expect("it is taken");
    let told = shop.told_of_refund(&refund).await;
    assert!(told.is_done && !told.was_done_before, "{told:?}");
    assert_eq!(answer, submitted(&told.conversation_id));
    assert_eq!(shop.books().await, (250_000, 250_000));
    assert!(!shop.mpesa.refunds_parts());
}

#[tokio::test]
async fn a_payment_that_is_given_back_twice_goes_back_once() {
    let shop = Shop::open().await;
    let refund = refund(&shop, &shop.paid(PAYS, 100).await);
    shop.mpesa.refund(&refund, shop.now).await.expect("it is taken");
    assert!(shop.told_of_refund(&refund).await.is_done);
    let again = shop.mpesa.refund(&refund, shop.now).await.expect("it is taken");
    let told = shop.told_of_refund(&refund).await;
    assert!(told.was_done_before && !told.is_done, "{told:?}");
    assert_eq!((again, told.code.as_str()), (submitted(&told.conversation_id), "R000001"));
    assert_eq!(shop.books().await, (10_000, 10_000));
}

#[tokio::test]
async fn a_part_is_given_back_by_people_and_nothing_without_a_receipt() {
    let shop = Shop::open().await;
    let whole = refund(&shop, &shop.paid(PAYS, 100).await);
    let part = RefundOrder { amount: 4_050, ..whole.clone() };
    let why =
        "M-Pesa gives back whole payments only: send KES 40.50 to the payment's number by hand";
    let refused = shop.mpesa.refund(&part, shop.now).await;
    assert_eq!(refused, Err(ProviderError::Refused(why.to_owned())));
    for receipt in [None, Some(String::new())] {
        let order = Order { receipt, ..whole.order.clone() };
        let early = RefundOrder { order, ..whole.clone() };
        let busy = shop.mpesa.refund(&early, shop.now).await;
        assert!(matches!(busy, Err(ProviderError::Early(_))), "{busy:?}");
    }
    assert_eq!(shop.books().await, (10_000, 0));
}

#[tokio::test]
async fn a_receipt_that_daraja_does_not_know_is_refused_in_the_callback() {
    let shop = Shop::open().await;
    let mut refund = refund(&shop, &shop.paid(PAYS, 100).await);
    refund.order.receipt = Some("NOTHING123".to_owned());
    shop.mpesa.refund(&refund, shop.now).await.expect("it is taken");
    let told = shop.told_of_refund(&refund).await;
    assert!(!told.is_done && !told.was_done_before, "{told:?}");
    assert_eq!(told.code, "R000002");
}

#[tokio::test]
async fn a_reversal_of_which_nothing_is_heard_is_asked_for_again_after_two_minutes() {
    let mut shop = Shop::open().await;
    let mut refund = refund(&shop, &shop.paid(PAYS, 100).await);
    shop.control("faults", json!({ "event": "mpesa.reversal", "fault": "drop" })).await;
    let answer = shop.mpesa.refund(&refund, shop.now).await.expect("it is taken");
    refund.reference = answer.reference.clone();
    refund.asked_at = Some(shop.now);
    let almost = shop.now.plus(SETTLED - Duration::from_micros(1));
    assert_eq!(shop.mpesa.fetch_refund(&refund, almost).await, Ok(answer.clone()));
    shop.advance(SETTLED);
    let again = shop.mpesa.fetch_refund(&refund, shop.now).await.expect("it is taken");
    let told = shop.told_of_refund(&refund).await;
    assert!(told.was_done_before, "{told:?}");
    assert_eq!(again, submitted(&told.conversation_id));
    assert_ne!(again, answer);
    assert_eq!(shop.books().await, (10_000, 10_000));
}

#[tokio::test]
async fn that_asking_again_is_refused_says_nothing_about_the_first_time() {
    let mut shop = Shop::open().await;
    let refund = refund(&shop, &shop.paid(PAYS, 100).await);
    shop.advance(SETTLED);
    let settings = settings_of(shop.fakepay.url(), &shop.receiver.url);
    let settings = Settings { short_code: "600000".to_owned(), ..settings };
    let strange = Mpesa::new(settings, shop.store.clone()).expect("good settings");
    let why = "Bad Request - Invalid ReceiverParty (400.002.02)".to_owned();
    let first = strange.refund(&refund, shop.now).await;
    assert_eq!(first, Err(ProviderError::Refused(why.clone())));
    let again = strange.fetch_refund(&refund, shop.now).await;
    assert_eq!(again, Err(ProviderError::Unclear(why)));
    assert_eq!(shop.books().await, (10_000, 0));
}

#[tokio::test]
async fn reversals_that_get_lost_move_money_once_or_not_at_all() {
    for (fault, is_busy, back) in [
        ("too_many_requests", true, 0),
        ("timeout_before_commit", false, 0),
        ("timeout_after_commit", false, 10_000),
        ("error_after_commit", false, 10_000),
    ] {
        let mut shop = Shop::open().await;
        let refund = refund(&shop, &shop.paid(PAYS, 100).await);
        shop.mpesa.line.exchange_within = SHORT;
        shop.fault(REVERSAL, fault, 1).await;
        match shop.mpesa.refund(&refund, shop.now).await {
            Err(ProviderError::Busy(_)) => assert!(is_busy, "{fault}"),
            // It may have been taken: its callback tells.
            Ok(answer) => assert!(!is_busy && answer.reference.is_none(), "{fault}"),
            other => panic!("{fault}: {other:?}"),
        }
        assert_eq!(shop.books().await, (10_000, back), "{fault}");
        if back > 0 {
            assert!(shop.told_of_refund(&refund).await.is_done, "{fault}");
        }
        shop.mpesa.refund(&refund, shop.now).await.expect("it is taken");
        assert_eq!(shop.told_of_refund(&refund).await.was_done_before, back > 0, "{fault}");
        assert_eq!(shop.books().await, (10_000, 10_000), "{fault}");
    }
}
