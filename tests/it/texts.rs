//! What strangers write stays text on every page of the site.

use crate::helpers::{
    Database, Document, Driver, LOADED_WITHIN, Person, Server, Window, day, eventually, home, with,
};
use crate::reviews::{DAY, reply};
use serde_json::{Value, json};

/// What has made browsers run somebody else's words; each would leave a mark on its page.
const PAYLOADS: [&str; 30] = [
    "<script>window.mark=1</script>",
    "<ScRiPt>window.mark=1</sCrIpT>",
    "</script><script>window.mark=1</script>",
    "<img src=x onerror=window.mark=1>",
    "<img/src='x'/onerror=window.mark=1>",
    "<svg onload=window.mark=1>",
    "<svg><script>window.mark=1</script></svg>",
    "<svg><animate onbegin=window.mark=1 attributeName=x dur=1s>",
    "<body onload=window.mark=1>",
    "<iframe src=javascript:parent.mark=1></iframe>",
    "<iframe srcdoc='<script>parent.mark=1</script>'></iframe>",
    "<a href=javascript:window.mark=1>look</a>",
    "javascript:window.mark=1",
    "<details open ontoggle=window.mark=1>look</details>",
    "<input autofocus onfocus=window.mark=1>",
    "<select autofocus onfocus=window.mark=1></select>",
    "<video><source onerror=window.mark=1></video>",
    "<audio src=x onerror=window.mark=1></audio>",
    "<math><mtext><script>window.mark=1</script></mtext></math>",
    "<object data=javascript:window.mark=1></object>",
    "<embed src=javascript:window.mark=1>",
    "<form action=javascript:window.mark=1><button>look</button></form>",
    "<style>@import 'javascript:window.mark=1'</style>",
    "<link rel=stylesheet href=javascript:window.mark=1>",
    "<meta http-equiv=refresh content='0;javascript:window.mark=1'>",
    "\"><img src=x onerror=window.mark=1>",
    "' onmouseover='window.mark=1",
    "--><script>window.mark=1</script><!--",
    "${window.mark=1}{{window.mark=1}}",
    "&lt;script&gt;window.mark=1&lt;/script&gt;",
];

/// Homes whose every text is one of the payloads, each with a stay that its guest reviewed so and
/// its host answered so.
async fn hostile(server: &Server, host: &Person, guest: &Person) -> Vec<String> {
    let mut stays = Vec::new();
    let mut homes = Vec::new();
    for payload in PAYLOADS {
        let mut body = home();
        for field in ["title", "description", "address", "city"] {
            body = with(&body, field, json!(payload));
        }
        let made = server.post("/api/v1/properties", body).by(host).await.expect(201).text("id");
        let note = json!({
            "blocks": [{ "from": day(20), "to": day(22), "reason": "other", "note": payload }],
        });
        let calendar = format!("/api/v1/properties/{made}/calendar");
        server.ask(reqwest::Method::PATCH, &calendar).json(&note).by(host).await.expect(200);
        stays.push(crate::reviews::paid(server, guest, &made, 2).await);
        homes.push(made);
    }
    server.advance(5 * DAY).await;
    for (stay, payload) in stays.iter().zip(PAYLOADS) {
        let review = json!({ "booking_id": stay, "rating": 5, "comment": payload });
        let review = server.post("/api/v1/reviews", review).by(guest).await.expect(201);
        reply(server, host, &review.text("id"), payload).await.expect(201);
    }
    for person in [host, guest] {
        let name = json!({ "first_name": PAYLOADS[3], "last_name": PAYLOADS[5] });
        server.put("/api/v1/users/me", name).by(person).await.expect(200);
    }
    homes
}

#[tokio::test]
async fn what_strangers_write_stays_text_on_every_page() {
    let server = Server::spawn(Database::Sqlite).await;
    let (host, guest) = (server.host().await, server.guest().await);
    let homes = hostile(&server, &host, &guest).await;
    let driver = Driver::start().await;
    let window = Window::open(&driver, &server, "reading", "/").await;
    for page in [12, 24] {
        window.count("[data-test=home]", page).await;
        window.click("[data-test=more]").await;
    }
    window.count("[data-test=home]", PAYLOADS.len()).await;
    window.shows_all("[data-test=home] h3", "in the list").await;
    for (home, payload) in homes.iter().zip(PAYLOADS) {
        window.go(&server, &format!("/stay/{home}")).await;
        window.wait(LOADED_WITHIN, "[data-test=review-text]").await;
        for part in ["title", "description", "review-text"] {
            window.shows(&format!("[data-test={part}]"), payload).await;
        }
        window.unmarked(payload).await;
    }

    window.go(&server, "/trips").await;
    window.sign_in(&guest.email).await;
    window.count("[data-test=booking]", PAYLOADS.len()).await;
    window.shows_all("[data-test=booking] h3", "in the trips").await;
    window.shows("[data-test=signed-in]", PAYLOADS[3]).await;
    window.go(&server, "/host").await;
    window.sign_in(&host.email).await;
    window.count("[data-test=row]", PAYLOADS.len()).await;
    window.shows_all("[data-test=home-title]", "on the board").await;
    window.browser.close().await.expect("an end");
}

impl Window {
    /// Waits until there are so many elements like this.
    async fn count(&self, selector: &str, count: usize) {
        let look = "return document.querySelectorAll(arguments[0]).length";
        let seen = eventually(LOADED_WITHIN, async || {
            (self.script(look, vec![json!(selector)]).await == count).then_some(())
        });
        seen.await.unwrap_or_else(|| panic!("not {count} of {selector}"));
    }

    /// The texts of all elements like this.
    async fn texts(&self, selector: &str) -> Vec<Value> {
        let read = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)";
        self.script(read, vec![json!(selector)]).await.as_array().expect("texts").clone()
    }

    async fn shows(&self, selector: &str, text: &str) {
        assert_eq!(self.texts(selector).await, [json!(text)], "{selector}");
    }

    async fn shows_all(&self, selector: &str, place: &str) {
        let texts = self.texts(selector).await;
        for payload in PAYLOADS {
            assert!(texts.contains(&json!(payload)), "{payload} is not text {place}");
        }
        self.unmarked(place).await;
    }

    /// No payload ran, or made an element of a kind that the site has none of.
    async fn unmarked(&self, place: &str) {
        let look = "return [window.mark ?? null, document.querySelectorAll('main :is(script, iframe,\
            object, embed, video, audio, math, animate, style, link, meta, img)').length]";
        assert_eq!(self.script(look, Vec::new()).await, json!([null, 0]), "{place}");
    }
}
