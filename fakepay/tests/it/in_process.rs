//! What a program may ask of the stand-in that it has in process, without HTTP.

use crate::helpers::{Receiver, SECRET, Shop};
use fakepay::{Fakepay, Webhook};
use std::thread;
use std::time::Duration;

/// Ten years of 365 days, which is as far as the clock goes.
const TEN_YEARS: Duration = Duration::from_secs(315_360_000);

#[tokio::test]
async fn what_falls_due_by_moving_the_clock_has_happened_when_the_move_returns() {
    let shop = Shop::open().await;
    let intent = shop.intent("pm_card_visa", "capture_method=manual").await;
    let week = Duration::from_secs(7 * 86_400);
    assert!(shop.fakepay.advance(week - Duration::from_secs(60)));
    assert_eq!(shop.look(&intent).await["status"], "requires_capture");
    assert!(shop.fakepay.advance(Duration::from_secs(60)));
    assert_eq!(shop.look(&intent).await["status"], "canceled");
    shop.types(3).await;
    assert_eq!(shop.types(2).await, ["charge.expired", "payment_intent.canceled"]);
}

#[tokio::test]
async fn the_clock_is_not_moved_further_than_it_goes() {
    let shop = Shop::open().await;
    assert!(!shop.fakepay.advance(TEN_YEARS + Duration::from_secs(1)));
    assert!(!shop.fakepay.advance(Duration::MAX));
    let intent = shop.intent("pm_card_visa", "capture_method=manual").await;
    assert_eq!(shop.look(&intent).await["status"], "requires_capture");
    assert!(shop.fakepay.advance(TEN_YEARS));
    assert_eq!(shop.look(&intent).await["status"], "canceled");
}

#[tokio::test]
async fn the_clock_is_moved_and_the_webhook_set_from_any_thread() {
    fn is_shared_by_threads<T: Send + Sync>(_: &T) {}
    let shop = Shop::open().await;
    is_shared_by_threads::<Fakepay>(&shop.fakepay);
    let other = Receiver::start().await;
    let webhook = Webhook::new(other.url(), SECRET).expect("a good webhook");
    let moved = thread::scope(|scope| {
        scope.spawn(|| shop.fakepay.set_webhook(webhook));
        let movers = [1, 2].map(|by| {
            let fakepay = &shop.fakepay;
            scope.spawn(move || fakepay.advance(Duration::from_secs(by)))
        });
        movers.map(|mover| mover.join().expect("it does not panic"))
    });
    assert_eq!(moved, [true, true]);
    shop.post("/v1/payment_intents", "amount=5000&currency=usd").await.with(200);
    assert_eq!(other.next().await.json()["type"], "payment_intent.created");
    assert!(shop.receiver.is_empty().await);
}
