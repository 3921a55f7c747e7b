//! Money that goes back where nothing goes wrong on the way.

use super::gateway::{self, Fate};
use super::*;
use crate::payments::RefundAnswer;
use domain::payment::RefundState;

#[tokio::test]
async fn a_refund_gives_back_a_part_once_however_often_it_is_asked_for() {
    let shop = Shop::open(PATIENT).await;
    let mut refund = shop.refund(5_000).await;
    let first = shop.stripe.refund(&refund, shop.now).await.expect("it is given");
    assert_eq!((first.state, &first.reason), (RefundState::Succeeded, &None));
    assert_eq!(shop.stripe.refund(&refund, shop.now).await, Ok(first.clone()));
    assert_eq!(shop.stripe.fetch_refund(&refund, shop.now).await, Ok(first.clone()));
    let now = shop.advance(2 * 86_400).await;
    assert_eq!(shop.stripe.refund(&refund, now).await, Ok(first.clone()));
    refund.reference = first.reference.clone();
    assert_eq!(shop.stripe.refund(&refund, now).await, Ok(first.clone()));
    assert_eq!(shop.stripe.fetch_refund(&refund, now).await, Ok(first));
    assert_eq!(shop.books().await, [[0, AMOUNT, 0, 5_000]]);
    let rest = shop.refund_of(refund.order.clone(), AMOUNT - 5_000);
    let given = shop.stripe.refund(&rest, now).await.expect("it is given");
    assert_ne!(given.reference, refund.reference);
    assert_eq!(shop.stripe.refund(&rest, now).await, Ok(given));
    assert_eq!(shop.books().await, [[0, AMOUNT, 0, AMOUNT]]);
}

#[tokio::test]
async fn an_order_whose_name_was_never_heard_is_found_to_give_its_money_back() {
    let shop = Shop::open(PATIENT).await;
    let mut refund = shop.refund(5_000).await;
    refund.order.reference = None;
    let given = shop.stripe.refund(&refund, shop.now).await.expect("it is given");
    assert_eq!(shop.stripe.fetch_refund(&refund, shop.now).await, Ok(given));
    assert_eq!(shop.books().await, [[0, AMOUNT, 0, 5_000]]);
}

#[tokio::test]
async fn a_refund_that_takes_its_time_or_fails_afterwards_is_told_as_it_stands() {
    let shop = Shop::open(PATIENT).await;
    for (method, first, after) in [
        ("pm_card_pendingRefund", RefundState::Submitted, RefundState::Succeeded),
        ("pm_card_refundFail", RefundState::Succeeded, RefundState::Failed),
    ] {
        let (order, _) = shop.made(method).await;
        shop.stripe.capture(&order, shop.now).await.expect("it is captured");
        let mut refund = shop.refund_of(order, 5_000);
        let given = shop.stripe.refund(&refund, shop.now).await.expect("it is given");
        assert_eq!((given.state, &given.reason), (first, &None), "{method}");
        refund.reference = given.reference;
        shop.advance(60).await;
        let told = shop.stripe.fetch_refund(&refund, shop.now).await.expect("it is there");
        assert_eq!((told.state, &told.reference), (after, &refund.reference), "{method}");
        assert_eq!(told.reason.is_some(), after == RefundState::Failed, "{method}");
        // It is the same one that is asked for again, and not another one.
        assert_eq!(shop.stripe.refund(&refund, shop.now).await, Ok(told), "{method}");
    }
    assert_eq!(shop.count("/v1/refunds").await, 2);
}

fn refused(answer: Result<RefundAnswer, ProviderError>) -> bool {
    matches!(answer, Err(ProviderError::Refused(_)))
}

#[tokio::test]
async fn more_than_there_is_and_what_was_never_taken_do_not_go_back() {
    let shop = Shop::open(PATIENT).await;
    let most = shop.refund(AMOUNT + 1).await;
    assert!(refused(shop.stripe.refund(&most, shop.now).await));
    assert!(refused(shop.stripe.fetch_refund(&most, shop.now).await));
    let (held, _) = shop.made(VISA).await;
    assert!(refused(shop.stripe.refund(&shop.refund_of(held, 1_000), shop.now).await));
    let nowhere = shop.refund_of(shop.order(VISA), 1_000);
    assert!(refused(shop.stripe.refund(&nowhere, shop.now).await));
    assert!(refused(shop.stripe.fetch_refund(&nowhere, shop.now).await));
    assert_eq!(shop.books().await, [[0, AMOUNT, 0, 0], [AMOUNT, 0, 0, 0]]);
}

const PENDING: &str = "200 OK\r\n\
    {\"id\":\"re_1\",\"amount\":1,\"created\":1,\"currency\":\"usd\",\"status\":\"pending\"}";
const WAITING: &str = "200 OK\r\n\
    {\"id\":\"re_1\",\"amount\":1,\"created\":1,\"currency\":\"usd\",\
    \"status\":\"requires_action\"}";
const UNSAID: &str = "200 OK\r\n\
    {\"id\":\"re_1\",\"amount\":1,\"created\":1,\"currency\":\"usd\",\"status\":null}";
const CANCELED: &str = "200 OK\r\n\
    {\"id\":\"re_1\",\"amount\":1,\"created\":1,\"currency\":\"usd\",\"status\":\"canceled\"}";
const FAILED: &str = "200 OK\r\n\
    {\"id\":\"re_1\",\"amount\":1,\"created\":1,\"currency\":\"usd\",\"status\":\"failed\",\
    \"failure_reason\":\"declined\"}";

#[tokio::test]
async fn a_refund_that_is_not_through_is_told_by_stripes_word_for_it() {
    let shop = Shop::open(PATIENT).await;
    let order = shop.order(VISA);
    let refund = RefundOrder { reference: Some("re_1".into()), ..shop.refund_of(order, 1) };
    for (told, state, reason) in [
        (PENDING, RefundState::Submitted, None),
        (WAITING, RefundState::Submitted, None),
        (UNSAID, RefundState::Submitted, None),
        (CANCELED, RefundState::Failed, Some("canceled")),
        (FAILED, RefundState::Failed, Some("declined")),
    ] {
        let url = gateway::before(shop.fakepay.url(), &[Fate::Stopped(told)]).await;
        let answer = client(&url, PATIENT).fetch_refund(&refund, shop.now).await;
        let (reference, reason) = (refund.reference.clone(), reason.map(str::to_owned));
        assert_eq!(answer, Ok(RefundAnswer { reference, state, reason }), "{told}");
    }
}
