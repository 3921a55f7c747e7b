//! Every page of the site for everybody: on a phone, in the dark, and with other senses.

use crate::helpers::{
    Database, Document, Driver, LOADED_WITHIN, PHONE_PX, Server, Window, day, home, with,
};
use serde_json::json;

#[tokio::test]
async fn no_page_is_wider_than_a_phone() {
    let server = Server::spawn(Database::Sqlite).await;
    let (host, guest) = (server.host().await, server.guest().await);
    let long =
        with(&home(), "title", json!("Donaudampfschifffahrtsgesellschaftskapitän".repeat(2)));
    let home = server.post("/api/v1/properties", long).by(&host).await.expect(201).text("id");
    server.book(&guest, &home, &day(4), &day(7)).await.expect(201);
    let driver = Driver::start().await;
    let window = Window { browser: driver.phone("walking").await };
    window.go(&server, "/").await;
    window.wait(LOADED_WITHIN, "[data-test=home]").await;
    window.fits("the list").await;
    window.click("[data-test=sign-in-open]").await;
    window.fits("the way in").await;
    let chosen = format!("/stay/{home}?check_in={}&check_out={}", day(20), day(24));
    window.go(&server, &chosen).await;
    window.wait(LOADED_WITHIN, "[data-test=estimate]").await;
    window.fits("a home").await;
    window.go(&server, "/trips").await;
    window.fits("the way into the trips").await;
    window.sign_in(&guest.email).await;
    window.wait(LOADED_WITHIN, "[data-test=booking]").await;
    window.fits("the trips").await;
    window.go(&server, "/host").await;
    window.sign_in(&host.email).await;
    window.wait(LOADED_WITHIN, "[data-test=bar]").await;
    window.fits("the board").await;
    window.click("[data-test=embed]").await;
    window.wait(LOADED_WITHIN, "[data-test=embed-dialog]").await;
    window.fits("the snippet").await;
    window.browser.close().await.expect("an end");
}

#[tokio::test]
async fn axe_finds_nothing_serious_on_any_page_in_light_and_dark() {
    let axe = std::env::var("AXE").expect("there is no AXE to test with: run cargo xtask test");
    let axe = std::fs::read_to_string(axe).expect("a script");
    let server = Server::spawn(Database::Sqlite).await;
    let (host, guest) = (server.host().await, server.guest().await);
    let home = server.home(&host).await;
    server.book(&guest, &home, &day(4), &day(7)).await.expect(201);
    let driver = Driver::start().await;
    for (look, browser) in
        [("light", driver.browser("light").await), ("dark", driver.dark("dark").await)]
    {
        let window = Window { browser };
        let dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
        window.go(&server, "/").await;
        assert_eq!(window.script(dark, Vec::new()).await, look == "dark");
        window.wait(LOADED_WITHIN, "[data-test=home]").await;
        window.is_clean(&axe, "the list", look).await;
        let taken = format!("/stay/{home}?check_in={}&check_out={}", day(5), day(8));
        window.go(&server, &taken).await;
        window.wait(LOADED_WITHIN, "[data-test=alternative]").await;
        window.is_clean(&axe, "a refusal", look).await;
        window.click("[data-test=alternative]").await;
        window.wait(LOADED_WITHIN, "[data-test=estimate]").await;
        window.is_clean(&axe, "a home", look).await;
        window.go(&server, "/trips").await;
        window.sign_in(&guest.email).await;
        window.wait(LOADED_WITHIN, "[data-test=booking]").await;
        window.is_clean(&axe, "the trips", look).await;
        window.click("[data-test=pay]").await;
        window.wait(LOADED_WITHIN, "[data-test=payment]").await;
        window.is_clean(&axe, "a payment", look).await;
        window.go(&server, "/host").await;
        window.sign_in(&host.email).await;
        window.wait(LOADED_WITHIN, "[data-test=bar]").await;
        window.is_clean(&axe, "the board", look).await;
        window.click("[data-test=embed]").await;
        window.wait(LOADED_WITHIN, "[data-test=embed-dialog] vacancy-calendar").await;
        window.is_clean(&axe, "the snippet", look).await;
        window.browser.close().await.expect("an end");
    }
}

impl Window {
    /// Neither a serious nor a critical fault, in the words of axe.
    async fn is_clean(&self, axe: &str, place: &str, look: &str) {
        self.script(axe, Vec::new()).await;
        let faults = "return axe.run(document).then(({ violations }) => violations\
            .filter(({ impact }) => ['serious', 'critical'].includes(impact))\
            .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)))";
        assert_eq!(self.script(faults, Vec::new()).await, json!([]), "{place}, {look}");
    }

    async fn fits(&self, place: &str) {
        let width = "return document.documentElement.scrollWidth";
        let width = self.script(width, Vec::new()).await;
        assert!(width.as_u64().expect("a width") <= PHONE_PX, "{place} is {width} px wide");
    }
}
