//! Browsers: a chromedriver of the tests' own, windows with a profile each, and what is done in
//! them.

use super::{PASSWORD, Server, eventually};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A cold browser on a busy machine.
pub(crate) const LOADED_WITHIN: Duration = Duration::from_secs(30);
/// The width of a small phone.
pub(crate) const PHONE_PX: u64 = 360;
const SEEN_WITHIN: Duration = Duration::from_secs(1);
const PORTS_TRIED: usize = 5;

/// A chromedriver of our own.
pub(crate) struct Driver {
    child: Child,
    address: String,
    profiles: TempDir,
}

impl Driver {
    /// It chooses a free port of IPv4, and ends where the same one of IPv6 is somebody else's.
    pub(crate) async fn start() -> Self {
        for _ in 0..PORTS_TRIED {
            if let Some(driver) = Self::on_some_port().await {
                return driver;
            }
        }
        panic!("chromedriver found no port that is free in both families");
    }

    async fn on_some_port() -> Option<Self> {
        let program = from_environment("CHROMEDRIVER");
        let mut child = Command::new(program)
            .args(["--port=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver starts");
        let output = child.stdout.take().expect("a piped output");
        let (sender, receiver) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut sender = Some(sender);
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let port = line
                    .rsplit_once("started successfully on port ")
                    .map(|(_, port)| port.trim_end_matches('.'));
                if let Some(port) = port
                    && let Some(sender) = sender.take()
                {
                    let _ = sender.send(port.to_owned());
                }
            }
        });
        let profiles = TempDir::with_prefix("vacancy-it-profiles-").expect("a temporary folder");
        let mut driver = Self { child, address: String::new(), profiles };
        let port = tokio::time::timeout(LOADED_WITHIN, receiver).await.expect("a port in time");
        driver.address = format!("http://127.0.0.1:{}", port.ok()?);
        Some(driver)
    }

    /// A browser with a profile of its own.
    pub(crate) async fn browser(&self, name: &str) -> Client {
        self.launch(name, json!({}), &[]).await
    }

    /// A browser whose reader prefers dark pages.
    pub(crate) async fn dark(&self, name: &str) -> Client {
        self.launch(name, json!({}), &["--force-dark-mode"]).await
    }

    /// A browser as narrow as a small phone.
    pub(crate) async fn phone(&self, name: &str) -> Client {
        let metrics = json!({ "width": PHONE_PX, "height": 740, "pixelRatio": 1.0, "touch": true });
        self.launch(name, json!({ "mobileEmulation": { "deviceMetrics": metrics } }), &[]).await
    }

    async fn launch(&self, name: &str, mut options: Value, more: &[&str]) -> Client {
        let profile = self.profiles.path().join(name);
        options["binary"] = json!(from_environment("CHROMIUM"));
        let profile = format!("--user-data-dir={}", profile.display());
        let mut flags = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1280,1800",
            &profile,
        ];
        flags.extend(more);
        options["args"] = json!(flags);
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities).connect(&self.address).await.expect("a browser")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The browsers belong to the driver's process group, and outlive a driver that is killed.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

fn from_environment(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("there is no {name} to test pages with: run cargo xtask test"))
}

/// One window on the site.
pub(crate) struct Window {
    pub(crate) browser: Client,
}

impl Window {
    pub(crate) async fn open(driver: &Driver, server: &Server, name: &str, path: &str) -> Self {
        let window = Self { browser: driver.browser(name).await };
        window.go(server, path).await;
        window
    }

    /// Loads a page of the site.
    pub(crate) async fn go(&self, server: &Server, path: &str) {
        self.browser.goto(&format!("{}{path}", server.base())).await.expect("a page");
        self.wait(LOADED_WITHIN, "main > *").await;
    }

    /// Waits until all calendars of the page are live.
    pub(crate) async fn live(&self) {
        self.wait(LOADED_WITHIN, "#pulse[data-live=live]").await;
    }

    /// Waits until the page has an element like this.
    pub(crate) async fn wait(&self, within: Duration, selector: &str) {
        let found =
            eventually(within, async || self.browser.find(Locator::Css(selector)).await.ok());
        found.await.unwrap_or_else(|| panic!("no {selector} within {within:?}"));
    }

    /// Clicks as soon as there is something to click. Looking and clicking are one step, because the
    /// page may redraw its panels at any moment.
    pub(crate) async fn click(&self, selector: &str) {
        let click = "const [found] = document.querySelectorAll(arguments[0]);\
            if (!found || found.disabled) return false; found.click(); return true";
        let clicked = eventually(LOADED_WITHIN, async || {
            (self.script(click, vec![json!(selector)]).await == true).then_some(())
        });
        clicked.await.unwrap_or_else(|| panic!("no {selector} that can be clicked"));
    }

    /// Fills in the form and sends it, in one step as well.
    pub(crate) async fn sign_in(&self, email: &str) {
        self.click("[data-test=sign-in-open]").await;
        self.wait(LOADED_WITHIN, "[data-test=sign-in]").await;
        let send = "const form = document.querySelector('[data-test=sign-in]');\
            [form.elements.email.value, form.elements.password.value] = arguments;\
            form.requestSubmit()";
        self.script(send, vec![json!(email), json!(PASSWORD)]).await;
        self.wait(LOADED_WITHIN, "[data-test=signed-in]").await;
    }

    pub(crate) async fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.browser.execute(script, arguments).await.expect("a script that runs")
    }

    /// Chooses a stay in the only calendar, which brings its month into view, and waits until the
    /// calendar knows what it costs.
    pub(crate) async fn choose(&self, check_in: &str, check_out: &str) {
        let chosen = "return document.querySelector('vacancy-calendar').select(...arguments)";
        let chosen = self.script(chosen, vec![json!(check_in), json!(check_out)]).await;
        assert_eq!(chosen, true, "the nights are free");
        self.wait(LOADED_WITHIN, "vacancy-calendar[data-quote=shown]").await;
    }

    /// Waits until a night looks so, and says how long that took.
    pub(crate) async fn sees(&self, night: &str, state: &str) {
        let look = "return document.querySelector('vacancy-calendar').shadowRoot\
            .querySelector(`button[data-date='${arguments[0]}']`).dataset.state";
        let asked = Instant::now();
        let seen = eventually(SEEN_WITHIN, async || {
            let shown = self.script(look, vec![json!(night)]).await;
            (shown == state).then_some(())
        });
        seen.await.unwrap_or_else(|| panic!("{night} is not {state} within {SEEN_WITHIN:?}"));
        println!("seen as {state} after {:?}", asked.elapsed());
    }

    /// How many requests the page has made to the API.
    pub(crate) async fn requests(&self) -> Value {
        let count = "return performance.getEntriesByType('resource')\
            .filter(({ name }) => name.includes('/api/')).length";
        self.script(count, Vec::new()).await
    }
}
