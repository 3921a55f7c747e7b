//! The host board in browsers: what a host does there, guests see where they are.

use crate::helpers::{Database, Document, Driver, LOADED_WITHIN, Server, Window, day, on_both};
use fantoccini::Locator;
use fantoccini::actions::{InputSource, MouseActions, PointerAction};
use fantoccini::key::Key;
use serde_json::json;

on_both!(
    a_host_blocks_nights_by_dragging_and_a_guest_sees_it,
    a_request_that_the_host_accepts_moves_on_the_guests_trips,
);

async fn a_host_blocks_nights_by_dragging_and_a_guest_sees_it(server: &mut Server) {
    let host = server.host().await;
    let home = server.home(&host).await;
    let driver = Driver::start().await;
    let watching = Window::open(&driver, server, "watching", &format!("/stay/{home}")).await;
    watching.live().await;
    let hosting = Window::open(&driver, server, "hosting", "/host").await;
    hosting.sign_in(&host.email).await;
    hosting.live().await;

    hosting.drag(&night(&home, 5), &night(&home, 7)).await;
    hosting.click("[data-test=tools] [data-test=block]").await;
    hosting.click("[data-test=block] [data-test=sure]").await;
    watching.sees(&day(5), "blocked").await;
    watching.sees(&day(7), "blocked").await;
    watching.sees(&day(8), "available").await;
    hosting.wait(LOADED_WITHIN, &format!("{}[data-state=blocked]", night(&home, 7))).await;

    // The middle night opens again, by the keyboard; the others stay blocked.
    hosting.wait(LOADED_WITHIN, &format!("{}:focus", night(&home, 5))).await;
    hosting.press(Key::Right).await;
    hosting.press('u').await;
    watching.sees(&day(6), "available").await;
    watching.sees(&day(5), "blocked").await;
    watching.sees(&day(7), "blocked").await;
}

#[tokio::test]
async fn a_block_over_a_booking_says_so_and_goes_around_it() {
    let server = Server::spawn(Database::Sqlite).await;
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    server.book(&guest, &home, &day(6), &day(8)).await.expect(201);
    let driver = Driver::start().await;
    let hosting = Window::open(&driver, &server, "hosting", "/host").await;
    hosting.sign_in(&host.email).await;
    hosting.wait(LOADED_WITHIN, "[data-test=bar]").await;
    hosting.drag(&night(&home, 5), &night(&home, 9)).await;
    hosting.press('b').await;
    hosting.wait(LOADED_WITHIN, "[data-test=conflict] li").await;
    hosting.click("[data-test=block] [data-test=sure]").await;
    hosting.wait(LOADED_WITHIN, &format!("{}[data-state=blocked]", night(&home, 9))).await;
    let states = server.states(&home, &day(5), &day(10)).await;
    assert_eq!(states, ["blocked", "held", "held", "blocked", "blocked"]);
    server.verify().await;
}

#[tokio::test]
async fn a_home_that_is_not_listed_has_its_nights_on_the_board_and_they_can_be_blocked() {
    let server = Server::spawn(Database::Sqlite).await;
    let host = server.host().await;
    let home = server.home(&host).await;
    let path = format!("/api/v1/properties/{home}");
    server.put(&path, json!({ "status": "unlisted" })).by(&host).await.expect(200);
    let driver = Driver::start().await;
    let hosting = Window::open(&driver, &server, "hosting", "/host").await;
    hosting.sign_in(&host.email).await;
    let row = format!("[data-test=row][data-property='{home}'][data-live=read]");
    let mark = format!("{row} [data-test=unlisted]:not([hidden])");
    hosting.wait(LOADED_WITHIN, &mark).await;
    hosting.drag(&night(&home, 5), &night(&home, 7)).await;
    hosting.click("[data-test=tools] [data-test=block]").await;
    hosting.click("[data-test=block] [data-test=sure]").await;
    hosting.wait(LOADED_WITHIN, &format!("{}[data-state=blocked]", night(&home, 6))).await;

    server.put(&path, json!({ "status": "listed" })).by(&host).await.expect(200);
    // Whoever comes back to a tab asks again at once for what was refused.
    hosting.script("dispatchEvent(new Event('online'))", Vec::new()).await;
    hosting.wait(LOADED_WITHIN, &row.replace("read", "live")).await;
}

async fn a_request_that_the_host_accepts_moves_on_the_guests_trips(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let path = format!("/api/v1/properties/{home}");
    server.put(&path, json!({ "instant_book": false })).by(&host).await.expect(200);
    let booking = server.book(&guest, &home, &day(10), &day(12)).await.expect(201).text("id");
    let driver = Driver::start().await;
    let traveling = Window::open(&driver, server, "traveling", "/trips").await;
    traveling.sign_in(&guest.email).await;
    traveling.wait(LOADED_WITHIN, &format!("[data-booking='{booking}'][data-awaiting=host]")).await;
    let hosting = Window::open(&driver, server, "hosting", "/host").await;
    hosting.sign_in(&host.email).await;
    hosting
        .click(&format!("[data-test=request][data-booking='{booking}'] [data-test=accept]"))
        .await;
    traveling
        .wait(LOADED_WITHIN, &format!("[data-booking='{booking}'][data-awaiting=payment]"))
        .await;
    traveling.click("[data-test=pay]").await;
    traveling.click("[data-test=payment] [data-test=sure]").await;
    let bar = format!("[data-test=bar][data-booking='{booking}'][data-status=CONFIRMED]");
    hosting.wait(LOADED_WITHIN, &bar).await;
}

/// A night on the board, so many days from now.
fn night(home: &str, from_now: i32) -> String {
    format!("[data-property='{home}'] [data-date='{}']", day(from_now))
}

impl Window {
    /// Drags the mouse from one element to another.
    async fn drag(&self, from: &str, to: &str) {
        self.wait(LOADED_WITHIN, &format!("{from}:not([data-state=unknown])")).await;
        let [from, to] = [from, to].map(|css| self.browser.find(Locator::Css(css)));
        let (from, to) = (from.await.expect("a night"), to.await.expect("a night"));
        let over =
            |element| PointerAction::MoveToElement { element, duration: None, x: 0.0, y: 0.0 };
        let drag = MouseActions::new("mouse".to_owned())
            .then(over(from))
            .then(PointerAction::Down { button: 0 })
            .then(over(to))
            .then(PointerAction::Up { button: 0 });
        self.browser.perform_actions(drag).await.expect("a drag");
    }
}
