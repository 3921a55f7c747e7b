//! The site in browsers: what one guest does is seen by the other within a second, over the other's
//! WebSocket alone, and nobody needs a mouse.

use crate::helpers::{
    Database, Document, Driver, LOADED_WITHIN, PASSWORD, Server, Window, day, eventually, on_both,
};
use domain::Night;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;
use serde_json::json;

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
    let page = format!("/stay/{}", server.home(&host).await);
    let (check_in, check_out) = (day(10), day(12));
    let driver = Driver::start().await;
    let acting = Window::open(&driver, server, "acting", &page).await;
    let watching = Window::open(&driver, server, "watching", &page).await;
    acting.live().await;
    watching.live().await;
    watching.choose(&check_in, &check_out).await;
    for price in ["[data-test=estimate]", "vacancy-calendar[data-quote=shown]"] {
        watching.wait(LOADED_WITHIN, price).await;
    }
    watching.sees(&check_in, "available").await;
    let requests = watching.requests().await;

    acting.sign_in(&guest.email).await;
    acting.choose(&check_in, &check_out).await;
    acting.click("[data-test=book]").await;
    acting.wait(LOADED_WITHIN, "[data-test=current-booking][data-status=PENDING]").await;
    watching.sees(&check_in, "held").await;
    acting.click("[data-test=current-booking] [data-test=pay]").await;
    acting.click("[data-test=payment] [data-test=sure]").await;
    acting.wait(LOADED_WITHIN, "[data-test=current-booking][data-status=CONFIRMED]").await;
    watching.sees(&check_in, "booked").await;
    acting.click("[data-test=current-booking] [data-test=cancel]").await;
    acting.click("[data-test=cancellation] [data-test=sure]").await;
    acting.wait(LOADED_WITHIN, "[data-test=current-booking][data-status=CANCELED]").await;
    watching.sees(&check_in, "available").await;

    assert_eq!(watching.requests().await, requests, "it asked for nothing: its socket told it");
    for window in [acting, watching] {
        window.browser.close().await.expect("an orderly end");
    }
}

#[tokio::test]
async fn a_stay_is_found_booked_and_paid_with_the_keyboard_alone() {
    let server = Server::spawn(Database::Sqlite).await;
    let (host, guest) = (server.host().await, server.guest().await);
    server.home(&host).await;
    let driver = Driver::start().await;
    let window = Window::open(&driver, &server, "typing", "/").await;
    window.wait(LOADED_WITHIN, "[data-test=home]").await;
    window.tab_to("[data-test=home] a").await;
    window.press(Key::Enter).await;
    window.live().await;

    // Two nights from the one after tomorrow on, by the arrows of the calendar. Its first night is
    // the server's today, which midnight may have made another day than the one this run began on.
    window.tab_to(".night").await;
    let first = window.focused_night().await;
    for key in [Key::Right, Key::Right, Key::Enter, Key::Right, Key::Right, Key::Enter] {
        window.press(key).await;
    }
    window.wait(LOADED_WITHIN, "[data-test=estimate]").await;
    window.tab_to("[data-test=book]").await;
    window.press(Key::Enter).await;
    window.wait(LOADED_WITHIN, "[data-test=who]").await;
    window.tab_to("[data-test=email]").await;
    window.write(&guest.email).await;
    window.tab_to("[data-test=password]").await;
    window.write(PASSWORD).await;
    window.press(Key::Enter).await;
    window.wait(LOADED_WITHIN, "[data-test=signed-in]").await;
    window.tab_to("[data-test=book]").await;
    window.press(Key::Enter).await;
    window.wait(LOADED_WITHIN, "[data-test=current-booking][data-status=PENDING]").await;
    window.tab_to("[data-test=pay]").await;
    window.press(Key::Enter).await;
    window.wait(LOADED_WITHIN, "[data-test=payment]").await;
    window.tab_to("[data-test=sure]").await;
    window.press(Key::Enter).await;
    window.wait(LOADED_WITHIN, "[data-test=current-booking][data-status=CONFIRMED]").await;

    let booked = server.bookings(&guest).await;
    let asked = (first.plus(2).to_string(), first.plus(4).to_string());
    assert_eq!((booked[0].text("check_in"), booked[0].text("check_out")), asked);
    server.verify().await;
}

#[tokio::test]
async fn who_pays_on_another_page_comes_back_signed_in_to_what_is_true() {
    let server = Server::spawn(Database::Sqlite).await;
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    let booking = server.book(&guest, &home, &day(10), &day(12)).await.expect(201).text("id");
    let driver = Driver::start().await;
    let window = Window::open(&driver, &server, "paying", "/trips").await;
    window.sign_in(&guest.email).await;
    window.pay_at_the_bank("refuse").await;

    // What the provider says in the address is gone, and nobody is booked by it.
    window.wait(LOADED_WITHIN, "[data-test=came-back] [data-tone=bad]").await;
    let address = window.script("return location.pathname + location.search", Vec::new()).await;
    assert_eq!(address, json!(format!("/trips?booking={booking}")));
    let left = window.script("return sessionStorage.length", Vec::new()).await;
    assert_eq!(left, json!(0), "the session is taken up again, and lies nowhere");
    window.pay_at_the_bank("accept").await;
    window.wait(LOADED_WITHIN, "[data-test=came-back] [data-status=CONFIRMED]").await;
    server.verify().await;
}

/// More stops than any page of the site has.
const STOPS: usize = 80;

/// The element that has the focus, inside whatever shadow, as a script's `at`.
const FOCUSED: &str = "let at = document.activeElement;\
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;";

impl Window {
    /// Pays with a card whose bank asks on a page of its own, and answers there.
    async fn pay_at_the_bank(&self, decision: &str) {
        self.click("[data-test=pay]").await;
        self.click("[data-test=pm_card_authenticationRequired]").await;
        self.click("[data-test=payment] [data-test=sure]").await;
        self.click(&format!("button[value={decision}]")).await;
    }

    /// Presses a key, wherever the focus is.
    pub(crate) async fn press(&self, key: impl Into<char>) {
        let value = key.into();
        let press = KeyActions::new("keys".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        self.browser.perform_actions(press).await.expect("a key");
    }

    async fn write(&self, text: &str) {
        for letter in text.chars() {
            self.press(letter).await;
        }
    }

    /// Presses Tab until the focus is on something like this that can be used.
    async fn tab_to(&self, selector: &str) {
        let ready = "return [...document.querySelectorAll(arguments[0])].some((e) => !e.disabled)\
            || arguments[0] === '.night'";
        let ready = eventually(LOADED_WITHIN, async || {
            (self.script(ready, vec![json!(selector)]).await == true).then_some(())
        });
        ready.await.unwrap_or_else(|| panic!("no {selector} that can be used"));
        let reached = format!("{FOCUSED} return at !== null && at.matches(arguments[0])");
        for _ in 0..STOPS {
            if self.script(&reached, vec![json!(selector)]).await == true {
                return;
            }
            self.press(Key::Tab).await;
        }
        panic!("{selector} is not reached with Tab");
    }

    /// The date of the night that has the focus.
    async fn focused_night(&self) -> Night {
        let date = self.script(&format!("{FOCUSED} return at.dataset.date"), Vec::new()).await;
        date.as_str().and_then(|date| date.parse().ok()).expect("a night that has the focus")
    }
}
