//! The page in two browsers: what one guest does is seen by the other within a second, over the
//! other's WebSocket alone.

use crate::helpers::{Database, Driver, LOADED_WITHIN, Server, Window, day, on_both};

on_both!(a_booking_in_one_window_shows_in_the_other_within_a_second_and_so_does_its_end);

#[tokio::test]
async fn the_description_of_the_interface_shows_its_operations() {
    let server = Server::spawn(Database::Sqlite).await;
    let driver = Driver::start().await;
    let browser = driver.browser("reading").await;
    browser.goto(&format!("{}/api/docs", server.base())).await.expect("a page");
    let window = Window { browser };
    for operation in ["#operations-bookings-book", "#operations-properties-update_property"] {
        window.wait(LOADED_WITHIN, operation).await;
    }
    window.browser.close().await.expect("an end");
}

async fn a_booking_in_one_window_shows_in_the_other_within_a_second_and_so_does_its_end(
    server: &mut Server,
) {
    let (host, guest) = (server.host().await, server.guest().await);
    server.home(&host).await;
    let (check_in, check_out) = (day(10), day(12));
    let driver = Driver::start().await;
    let acting = Window::open(&driver, server, "acting").await;
    let watching = Window::open(&driver, server, "watching").await;
    watching.choose(&check_in, &check_out).await;
    watching.sees(&check_in, "available").await;
    let requests = watching.requests().await;

    acting.sign_in(&guest.email).await;
    acting.choose(&check_in, &check_out).await;
    acting.click("[data-test=book]").await;
    acting.wait(LOADED_WITHIN, "[data-test=current-booking][data-status=PENDING]").await;
    watching.sees(&check_in, "held").await;
    acting.click("[data-test=current-booking] [data-test=pay]").await;
    acting.wait(LOADED_WITHIN, "[data-test=current-booking][data-status=CONFIRMED]").await;
    watching.sees(&check_in, "booked").await;
    acting.click("[data-test=current-booking] [data-test=cancel]").await;
    acting.click("[data-test=cancel-sure]").await;
    acting.wait(LOADED_WITHIN, "[data-test=current-booking][data-status=CANCELED]").await;
    watching.sees(&check_in, "available").await;

    assert_eq!(watching.requests().await, requests, "it asked for nothing: its socket told it");
    for window in [acting, watching] {
        window.browser.close().await.expect("an orderly end");
    }
}
