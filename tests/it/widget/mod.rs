//! The widget as hosts use it: pasted into a page of another origin under a strict policy. It goes
//! live there, shows what nights cost, and finds a stay by keyboard, mouse and finger.

mod elsewhere;
mod harmless;
mod light;

use crate::helpers::{
    Database, Driver, LOADED_WITHIN, Person, Server, Window, day, eventually, nights, on_both,
};
use elsewhere::Elsewhere;
use fantoccini::actions::{
    Actions, InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
    TouchActions,
};
use fantoccini::key::Key;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(a_stay_is_found_by_keyboard_alone_on_a_page_of_another_origin);

/// Tabs until the months are reached: what a page has before them.
const TABS: usize = 10;
/// A few seconds, and less than after what the calendar is painted anyway.
const TICKS_WITHIN: Duration = Duration::from_secs(10);
/// How long a mouse or a finger needs for one step.
const STEP: Option<Duration> = Some(Duration::from_millis(20));

/// What the browser says has moved since the page came. It tells that together with a mark of our
/// own, so that there is always something to tell.
const SHIFTS: &str = "new Promise((told) => {
    performance.mark('asked');
    const observer = new PerformanceObserver((list) =>
        told(list.getEntriesByType('layout-shift').map(({ value }) => value)));
    for (const type of ['layout-shift', 'mark']) observer.observe({ type, buffered: true });
})";

/// A server with a home where a stay has this many nights at least.
async fn home(server: &Server, min_nights: u16) -> (Person, String) {
    let host = server.host().await;
    let home = server.home(&host).await;
    let rules = json!({ "default": { "min_nights": min_nights } });
    server.put(&format!("/api/v1/properties/{home}/rules"), rules).by(&host).await.expect(200);
    (host, home)
}

/// The look at the calendar becomes this in time.
async fn becomes(window: &Window, expression: &str, wanted: impl Into<Value>) {
    let wanted = wanted.into();
    let mut last = Value::Null;
    let seen = eventually(LOADED_WITHIN, async || {
        last = window.look(expression).await;
        (last == wanted).then_some(())
    });
    let seen = seen.await;
    assert!(seen.is_some(), "{expression} is {last}, not {wanted}");
}

async fn press(window: &Window, keys: &[Key]) {
    let mut actions = KeyActions::new("keyboard".to_owned());
    for key in keys {
        let value = char::from(*key);
        actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
    }
    window.browser.perform_actions(actions).await.expect("keys that are pressed");
}

/// Moves the focus from today to this night.
async fn walk_to(window: &Window, date: &str) {
    let today = window.look("root.querySelector('[aria-current]').dataset.date").await;
    becomes(window, "root.activeElement.dataset.date", today.clone()).await;
    let days = nights(today.as_str().expect("a date"), date).len();
    press(window, &vec![Key::Down; days / 7]).await;
    press(window, &vec![Key::Right; days % 7]).await;
    becomes(window, "root.activeElement.dataset.date", date).await;
}

async fn a_stay_is_found_by_keyboard_alone_on_a_page_of_another_origin(server: &mut Server) {
    let (_, home) = home(server, 2).await;
    let driver = Driver::start().await;
    let page = Elsewhere::with(server, &home, "en", "guests=\"2\"").await;
    let window = page.open(&driver, "keyboard").await;
    let below = window.look("document.getElementById('below').offsetTop").await;
    becomes(&window, "root.querySelector('[aria-current] .mark').textContent", "€120").await;

    for _ in 0..TABS {
        press(&window, &[Key::Tab]).await;
        if window.look("root.activeElement?.className.startsWith('night')").await == true {
            break;
        }
    }
    walk_to(&window, &day(16)).await;
    press(&window, &[Key::Enter]).await;
    becomes(&window, "calendar.selection.check_in", day(16)).await;
    press(&window, &[Key::Right, Key::Enter]).await;
    becomes(&window, "text('status')", "at least 2 nights").await;
    becomes(&window, "calendar.selection.check_out", Value::Null).await;
    press(&window, &[Key::Right, Key::Enter]).await;
    becomes(&window, "calendar.selection.nights", 2).await;
    becomes(&window, "calendar.dataset.quote", "shown").await;
    assert_eq!(window.look("text('amount')").await, "€240.00");
    let address = format!(
        "{}/stay/{home}?check_in={}&check_out={}&guests=2",
        server.base(),
        day(16),
        day(18)
    );
    assert_eq!(window.look("root.querySelector('.book').href").await, address);
    press(&window, &[Key::Tab, Key::Tab]).await;
    assert_eq!(window.look("root.activeElement.textContent").await, "Book");

    assert_eq!(window.look(SHIFTS).await, json!([]), "nothing on the page moves");
    assert_eq!(window.look("document.getElementById('below').offsetTop").await, below);
    window.browser.close().await.expect("an end");
}

#[tokio::test]
async fn a_stay_is_dragged_with_the_mouse_and_with_a_finger_in_either_direction() {
    let server = Server::spawn(Database::Sqlite).await;
    let (_, home) = home(&server, 1).await;
    let driver = Driver::start().await;
    let page = Elsewhere::with(&server, &home, "en", "months=\"3\"").await;
    let window = page.open(&driver, "dragging").await;
    // A finger that moves up or down scrolls the page, so the stay lies within a week.
    let mut starts = (20..30).map(|start| (day(start), day(start + 1), day(start + 3)));
    let (first, middle, last) = loop {
        let (first, middle, last) = starts.next().expect("a week of one month");
        let row = |date: &str| format!("night('{date}').closest('tr')");
        if window.look(&format!("{} === {}", row(&first), row(&last))).await == true {
            break (first, middle, last);
        }
    };
    let drags = [[&first, &middle, &last], [&last, &middle, &first]];
    for (index, drag) in drags.into_iter().enumerate() {
        let mut mouse = MouseActions::new(format!("mouse-{index}"));
        let mut finger = TouchActions::new(format!("finger-{index}"));
        for (step, date) in drag.into_iter().enumerate() {
            let (x, y) = window.place_of(date).await;
            let to = PointerAction::MoveTo { duration: STEP, x, y };
            (mouse, finger) = (mouse.then(to.clone()), finger.then(to));
            if step == 0 {
                let down = PointerAction::Down { button: MOUSE_BUTTON_LEFT };
                (mouse, finger) = (mouse.then(down.clone()), finger.then(down));
            }
        }
        let up = PointerAction::Up { button: MOUSE_BUTTON_LEFT };
        let (mouse, finger) = (mouse.then(up.clone()), finger.then(up));
        for actions in [Actions::from(mouse), Actions::from(finger)] {
            window.look("calendar.clear()").await;
            window.browser.perform_actions(actions).await.expect("a drag");
            let chosen = json!({ "check_in": first, "check_out": last, "nights": 3 });
            becomes(&window, "calendar.selection", chosen).await;
        }
    }
    window.browser.close().await.expect("an end");
}

#[tokio::test]
async fn a_hold_counts_down_and_a_dearer_night_changes_the_total() {
    let server = Server::spawn(Database::Sqlite).await;
    let (host, home) = home(&server, 1).await;
    let guest = server.guest().await;
    let driver = Driver::start().await;
    let page = Elsewhere::with(&server, &home, "en", "months=\"2\"").await;
    let window = page.open(&driver, "watching").await;
    server.book(&guest, &home, &day(10), &day(11)).await.expect(201);
    window.choose(&day(20), &day(22)).await;
    assert_eq!(window.look("text('amount')").await, "€240.00");
    let edit = json!({ "terms": [{ "from": day(20), "to": day(21), "price": 15_000 }] });
    let path = format!("/api/v1/properties/{home}/calendar");
    server.ask(reqwest::Method::PATCH, &path).by(&host).json(&edit).await.expect(200);
    becomes(&window, "text('amount')", "€270.00").await;

    window.choose(&day(8), &day(9)).await;
    let mark = format!("night('{}').querySelector('.mark').textContent", day(10));
    let first = window.look(&mark).await.as_str().expect("a text").to_owned();
    assert!(first.starts_with("14:") || first == "15:00", "{first}");
    let later = eventually(TICKS_WITHIN, async || {
        (window.look(&mark).await != first.as_str()).then_some(())
    });
    later.await.expect("it goes on");
    let label = window.look(&format!("night('{}').ariaLabel", day(10))).await;
    let label = label.as_str().expect("a label");
    assert!(label.contains("Held, until "), "and what is read out stays: {label}");
    window.browser.close().await.expect("an end");
}

#[tokio::test]
async fn a_refusal_says_its_reasons_and_a_lost_server_is_seen() {
    let server = Server::spawn(Database::Sqlite).await;
    let (_, home) = home(&server, 1).await;
    let driver = Driver::start().await;
    let page = Elsewhere::with(&server, &home, "en", "guests=\"7\"").await;
    let window = page.open(&driver, "refused").await;
    assert_eq!(window.look(&format!("calendar.select('{}', '{}')", day(2), day(4))).await, true);
    becomes(&window, "text('status')", "at most 6 guests").await;
    assert_eq!(window.look("text('book')").await, Value::Null, "there is nothing to book");
    window.look("calendar.setAttribute('guests', 6)").await;
    becomes(&window, "text('amount')", "€240.00").await;
    server.kill9();
    becomes(
        &window,
        "[calendar.dataset.live, text('live')]",
        json!(["reconnecting", "Reconnecting"]),
    )
    .await;
    window.browser.close().await.expect("an end");
}

#[tokio::test]
async fn a_page_that_changes_its_language_is_followed_also_from_right_to_left() {
    let server = Server::spawn(Database::Sqlite).await;
    let (_, home) = home(&server, 1).await;
    let driver = Driver::start().await;
    let page = Elsewhere::with(&server, &home, "de", "").await;
    let window = page.open(&driver, "languages").await;
    becomes(&window, "text('status')", "Anreisetag wählen").await;
    window.choose(&day(3), &day(5)).await;
    window.look(&format!("night('{}').focus()", day(4))).await;
    window.look("document.documentElement.setAttribute('lang', 'ar-EG')").await;
    becomes(&window, "text('book')", "احجز").await;
    assert_eq!(window.look("getComputedStyle(root.querySelector('.grid')).direction").await, "rtl");
    assert_eq!(window.look("calendar.selection.check_in").await, day(3), "the stay is kept");
    press(&window, &[Key::Left]).await;
    becomes(&window, "root.activeElement?.dataset.date", day(5)).await;
    window.look("calendar.setAttribute('lang', 'ja')").await;
    becomes(&window, "text('book')", "予約").await;
    window.browser.close().await.expect("an end");
}
