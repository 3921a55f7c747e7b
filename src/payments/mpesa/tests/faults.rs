//! What goes wrong on the way to Daraja and back: money moves once or not at all, and is found.

use super::*;
use crate::payments::mpesa::ASKED_NOW;
use domain::payment::PaymentStatus;

const PUSH: &str = "POST /mpesa/stkpush/v1/processrequest";
const QUERY: &str = "POST /mpesa/stkpushquery/v1/query";

fn is_busy<T>(answer: &Result<T, ProviderError>) -> bool {
    matches!(answer, Err(ProviderError::Busy(_)))
}

fn is_unclear<T>(answer: &Result<T, ProviderError>) -> bool {
    matches!(answer, Err(ProviderError::Unclear(_)))
}

#[tokio::test]
async fn a_push_that_was_one_too_many_was_not_sent_and_may_be_sent_again() {
    let shop = Shop::open().await;
    shop.fault(PUSH, "too_many_requests", 1).await;
    let order = shop.order(PAYS, 100);
    assert!(is_busy(&shop.mpesa.order(&order, shop.now).await));
    let intent = shop.mpesa.order(&order, shop.now).await.expect("it is taken");
    assert_eq!(shop.told_of(&order).await.checkout_request_id, intent.reference);
    assert_eq!(shop.books().await, (10_000, 0));
}

#[tokio::test]
async fn a_push_that_was_lost_is_awaited_for_two_minutes_and_never_sent_again() {
    let mut shop = Shop::open().await;
    shop.mpesa.line.exchange_within = SHORT;
    shop.fault(PUSH, "timeout_before_commit", 1).await;
    let order = shop.order(PAYS, 100);
    assert!(is_unclear(&shop.mpesa.order(&order, shop.now).await));
    let almost = SETTLED - Duration::from_micros(1);
    for passed in [Duration::ZERO, ASKED_NOW, almost] {
        let now = shop.now.plus(passed);
        let intent = shop.mpesa.fetch(&order, now).await.expect("an answer").expect("an order");
        assert_eq!((intent.fact.standing, intent.reference.as_str()), (Standing::Processing, ""));
        let canceled = shop.mpesa.cancel(&order, now).await;
        assert_eq!(canceled, Ok(intent.clone()));
        if passed >= ASKED_NOW {
            // Who wrote an empty name down is asked the same.
            let order = Order { reference: Some(String::new()), ..order.clone() };
            assert_eq!(shop.mpesa.order(&order, now).await, Ok(intent));
        }
    }
    let late = shop.now.plus(SETTLED);
    let over = shop.mpesa.fetch(&order, late).await.expect("an answer").expect("an order");
    let failed = Standing::Ended(PaymentStatus::Failed);
    assert_eq!((over.fact.standing, over.reference.as_str()), (failed, ""));
    assert_eq!(shop.mpesa.cancel(&order, late).await, Ok(over));
    let again = shop.mpesa.order(&order, late).await;
    assert!(matches!(again, Err(ProviderError::Refused(_))), "{again:?}");
    assert_eq!(shop.books().await, (0, 0));

    // Whoever writes down that it asks anew does so two minutes after the first time.
    shop.advance(SETTLED);
    let anew = Order { asked_at: shop.now, ..order };
    shop.mpesa.order(&anew, shop.now).await.expect("it is taken");
    assert_eq!(shop.told_of(&anew).await.code, 0);
    assert_eq!(shop.books().await, (10_000, 0));
}

#[tokio::test]
async fn a_push_whose_answer_was_lost_is_named_by_its_callback() {
    for fault in ["timeout_after_commit", "error_after_commit"] {
        let mut shop = Shop::open().await;
        shop.mpesa.line.exchange_within = SHORT;
        shop.fault(PUSH, fault, 1).await;
        let order = shop.order(PAYS, 100);
        assert!(is_unclear(&shop.mpesa.order(&order, shop.now).await), "{fault}");
        let told = shop.told_of(&order).await;
        let order = Order { reference: Some(told.checkout_request_id), ..order };
        assert_eq!(shop.standing(&order).await, Standing::Captured);
        assert_eq!(shop.books().await, (10_000, 0));
    }
}

#[tokio::test]
async fn a_query_that_fails_says_nothing_and_the_next_one_says_it() {
    let mut shop = Shop::open().await;
    let order = shop.paid(PAYS, 100).await;
    shop.mpesa.line.exchange_within = SHORT;
    for fault in ["timeout_before_commit", "timeout_after_commit", "error_after_commit"] {
        shop.fault(QUERY, fault, 1).await;
        assert!(is_unclear(&shop.fetch(&order).await), "{fault}");
    }
    shop.fault(QUERY, "too_many_requests", 1).await;
    assert!(is_busy(&shop.fetch(&order).await));
    assert_eq!(shop.standing(&order).await, Standing::Captured);
}

#[tokio::test]
async fn callbacks_that_get_lost_are_not_needed_to_know_what_was_paid() {
    let shop = Shop::open().await;
    shop.control("faults", json!({ "event": "mpesa.push", "fault": "drop" })).await;
    let order = shop.pushed(PAYS, 100).await;
    assert_eq!(shop.standing(&order).await, Standing::Captured);
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_asked() {
    let shop = Shop::open().await;
    let order = shop.pushed(LATE, 100).await;
    let Shop { fakepay, mpesa, now, .. } = shop;
    drop(fakepay);
    assert!(is_busy(&mpesa.fetch(&order, now).await));
    assert!(is_busy(&mpesa.order(&Order { reference: None, ..order }, now).await));
}

#[tokio::test]
async fn a_call_whose_time_is_over_has_asked_for_nothing() {
    let mut shop = Shop::open().await;
    shop.mpesa.call_within = Duration::ZERO;
    let order = shop.order(PAYS, 100);
    assert!(is_busy(&shop.mpesa.order(&order, shop.now).await));
    assert_eq!(shop.books().await, (0, 0));
}
