//! A host's own page: another origin than the server's, under a policy that allows the widget's
//! server and nothing else.

use crate::helpers::{Driver, LOADED_WITHIN, Server, Window};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the README tells hosts to put into their page; the rest is ours to fill in.
const PAGE: &str = "<!doctype html><html lang=\"LANG\"><head><meta charset=\"utf-8\">\
     <title>Our house</title><meta name=\"viewport\" content=\"width=device-width\">\
     <script type=\"module\" blocking=\"render\" src=\"SERVER/widget/vacancy-calendar.js\"></script>\
     </head><body><main><h1>Our house</h1><h2>When?</h2>\
     <vacancy-calendar property=\"HOME\" ATTRIBUTES></vacancy-calendar>\
     <p id=\"below\">Below</p></main></body></html>";

/// The longest request of a browser that we read.
const REQUEST: usize = 16 * 1_024;

pub(super) struct Elsewhere {
    address: String,
    serving: JoinHandle<()>,
}

impl Elsewhere {
    /// A page in this language with the calendar of a home, with these attributes besides.
    pub(super) async fn with(server: &Server, home: &str, lang: &str, attributes: &str) -> Self {
        let base = server.base();
        let policy = format!(
            "default-src 'none'; script-src {base}; connect-src {base} {}; style-src 'none'",
            base.replace("http", "ws")
        );
        Self::serve(server, home, lang, attributes, &policy).await
    }

    /// The same in English, where the policy allows everything.
    pub(super) async fn without_policy(server: &Server, home: &str) -> Self {
        Self::serve(server, home, "en", "", "").await
    }

    async fn serve(
        server: &Server,
        home: &str,
        lang: &str,
        attributes: &str,
        policy: &str,
    ) -> Self {
        let page = PAGE.replace("LANG", lang).replace("SERVER", &server.base());
        let page = page.replace("HOME", home).replace("ATTRIBUTES", attributes);
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\
             Content-Security-Policy: {policy}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n\
             {page}",
            page.len()
        );
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("a bound address"));
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                // A browser may go away in the middle of it.
                let _ = say(stream, &answer).await;
            }
        });
        Self { address, serving }
    }

    /// Opens it in a window of its own, and waits until the calendar is live.
    pub(super) async fn open(&self, driver: &Driver, name: &str) -> Window {
        let browser = driver.browser(name).await;
        browser.goto(&self.address).await.expect("a page");
        let window = Window { browser };
        window.wait(LOADED_WITHIN, "vacancy-calendar[data-live=live]").await;
        window
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn say(mut stream: TcpStream, answer: &str) -> std::io::Result<()> {
    let mut request = vec![0; REQUEST];
    let mut had = 0;
    while !request[..had].windows(4).any(|end| end == b"\r\n\r\n") {
        let more = stream.read(&mut request[had..]).await?;
        if more == 0 {
            return Ok(());
        }
        had += more;
    }
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// What the tests look at, as functions of the page.
const LOOK: &str = "const calendar = document.querySelector('vacancy-calendar');\
     const root = calendar.shadowRoot;\
     const night = (date) => root.querySelector(`button[data-date='${date}']`);\
     const text = (part) => root.querySelector(`.${part}:not(.absent)`)?.textContent;";

impl Window {
    /// What an expression about the calendar is: `calendar`, its shadow `root`, `night(date)`,
    /// the `text(part)` of a part that is there.
    pub(super) async fn look(&self, expression: &str) -> Value {
        self.script(&format!("{LOOK} return {expression}"), Vec::new()).await
    }

    /// Where the middle of a night is in the window.
    pub(super) async fn place_of(&self, date: &str) -> (f64, f64) {
        let script = format!(
            "{LOOK} const {{ left, top, width, height }} = night(arguments[0])\
             .getBoundingClientRect(); return [left + width / 2, top + height / 2]"
        );
        let place = self.script(&script, vec![json!(date)]).await;
        let at = |index: usize| place[index].as_f64().expect("a number");
        (at(0), at(1))
    }
}
