//! Books that outlive their stand-in: what the next one goes on with, also when the last one was
//! killed, and which files are refused.

use crate::helpers::{PATIENCE, SECRET, Shop, id, word};
use fakepay::{Fakepay, Settings, Webhook};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Settings with books in this folder. All have the same seed, which may lead to no id twice.
pub(crate) fn kept_in(folder: &TempDir) -> Settings {
    let books = Some(folder.path().join("books.json"));
    Settings { books, seed: Some(7), ..Settings::default() }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Waits until the books in this folder say this.
async fn written(folder: &TempDir, text: &str) {
    let path = folder.path().join("books.json");
    let written = async {
        while !fs::read_to_string(&path).expect("books").contains(text) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, written).await.expect("it is written");
}

async fn now(shop: &Shop) -> String {
    word(&shop.control("clock", json!({ "advance_seconds": 0 })).await.with(200)["now"])
}

#[tokio::test]
async fn payments_of_yesterday_are_refunded_captured_and_asked_for_by_another_stand_in() {
    let folder = folder();
    let shop = Shop::set_up(kept_in(&folder)).await;
    let paid = shop.intent("pm_card_visa", "description=Night&metadata[booking]=7").await;
    let form = format!("payment_intent={}&amount=2000&metadata[refund]=r-1", id(&paid));
    let refund = shop.keyed("/v1/refunds", &form, "ref:1").await.with(200);
    let held = shop.intent("pm_card_mastercard", "capture_method=manual").await;
    let declined = shop.post("/v1/payment_intents", "amount=5000&currency=usd").await.with(200);
    let form = "payment_method=pm_card_chargeDeclined";
    shop.step(&declined, "confirm", form).await.error(402);
    let declined = shop.look(&declined).await;
    let back = "return_url=http%3A%2F%2Fshop.example%2Fback";
    let asking = shop.intent("pm_card_authenticationRequired", back).await;
    let events = shop.get("/v1/events?limit=100").await.with(200);
    let ledger = shop.ledger().await;

    let shop = shop.again(kept_in(&folder));
    for before in [&held, &declined] {
        assert_eq!(&shop.look(before).await, before);
    }
    assert_eq!(shop.get("/v1/events?limit=100").await.with(200), events);
    assert_eq!(shop.ledger().await, ledger);
    // The page is where the stand-in of now listens.
    let page = word(&shop.look(&asking).await["next_action"]["redirect_to_url"]["url"]);
    assert!(page.starts_with(shop.url()), "{page}");
    let listed = shop.get(&format!("/v1/refunds?payment_intent={}", id(&paid))).await.with(200);
    assert_eq!(listed["data"], json!([refund]));
    let form = format!("payment_intent={}&amount=2000&metadata[refund]=r-1", id(&paid));
    let again = shop.keyed("/v1/refunds", &form, "ref:1").await;
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.with(200), refund);
    let rest = |amount: i64| format!("payment_intent={}&amount={amount}", id(&paid));
    shop.post("/v1/refunds", &rest(3_001)).await.error(400);
    shop.post("/v1/refunds", &rest(3_000)).await.with(200);
    shop.step(&held, "capture", "").await.with(200);
}

#[tokio::test]
async fn no_id_is_given_twice_though_the_seed_is_the_same() {
    let folder = folder();
    let shop = Shop::set_up(kept_in(&folder)).await;
    let first = shop.intent("pm_card_visa", "").await;
    let shop = shop.again(kept_in(&folder));
    let second = shop.intent("pm_card_visa", "").await;
    for name in ["id", "client_secret", "latest_charge"] {
        assert_ne!(first[name], second[name], "{name}");
    }
    assert_eq!(shop.look(&first).await, first);
}

#[tokio::test]
async fn what_was_planned_happens_on_a_clock_that_does_not_go_back() {
    let folder = folder();
    let shop = Shop::set_up(kept_in(&folder)).await;
    shop.advance(30 * 86_400).await;
    let held = shop.intent("pm_card_visa", "capture_method=manual").await;
    let paid = shop.intent("pm_card_pendingRefund", "").await;
    let form = format!("payment_intent={}", id(&paid));
    let refund = shop.post("/v1/refunds", &form).await.with(200);
    let before = now(&shop).await;

    let shop = shop.again(kept_in(&folder));
    assert!(now(&shop).await > before);
    let path = format!("/v1/refunds/{}", id(&refund));
    assert_eq!(shop.get(&path).await.with(200)["status"], "pending");
    shop.advance(60).await;
    assert_eq!(shop.get(&path).await.with(200)["status"], "succeeded");
    assert_eq!(shop.look(&held).await["status"], "requires_capture");
    shop.advance(7 * 86_400).await;
    assert_eq!(shop.look(&held).await["status"], "canceled");
}

#[tokio::test]
async fn an_event_that_waits_goes_to_the_webhook_of_now_and_one_that_came_does_not_come_again() {
    let folder = folder();
    let shop = Shop::set_up(kept_in(&folder)).await;
    shop.receiver.answer(&[200, 500]);
    shop.post("/v1/payment_intents", "amount=5000&currency=usd").await.with(200);
    shop.delivery(0, 1).await;
    let late = shop.post("/v1/payment_intents", "amount=6000&currency=usd").await.with(200);
    shop.delivery(1, 1).await;
    shop.types(2).await;

    let elsewhere = Shop::open().await;
    let shop = shop.again(kept_in(&folder));
    let webhook = Webhook::new(elsewhere.receiver.url(), "whsec_other").expect("a webhook");
    shop.fakepay.set_webhook(webhook);
    assert_eq!(shop.delivery(0, 1).await["fate"], "waiting");
    shop.advance(1).await;
    let came = elsewhere.receiver.next().await;
    assert_eq!(came.json()["data"]["object"]["id"], late["id"]);
    assert!(crate::webhooks::signed_with(&came, "whsec_other").0);
    assert_eq!(shop.delivery(0, 2).await["fate"], "delivered");
    assert!(shop.receiver.is_empty().await && elsewhere.receiver.is_empty().await);
}

#[tokio::test]
async fn a_key_in_flight_is_free_again_and_no_fault_waits_for_the_next_stand_in() {
    let (lost, kept) = (folder(), folder());
    let shop = Shop::set_up(kept_in(&lost)).await;
    let route = "POST /v1/payment_intents";
    shop.fault(json!({ "route": route, "fault": "slow", "seconds": 3_600 })).await;
    let form = "amount=5000&currency=usd";
    let slow = tokio::spawn(shop.posting("/v1/payment_intents", form, "pi:1").send());
    shop.faults_are_over().await;
    shop.keyed("/v1/payment_intents", form, "pi:1").await.error(409);
    let other = shop.post("/v1/payment_intents", form).await.with(200);
    shop.fault(json!({ "route": "*", "fault": "too_many_requests" })).await;
    // What a stand-in would leave that was killed now.
    written(&lost, &id(&other)).await;
    let file = |folder: &TempDir| folder.path().join("books.json");
    fs::copy(file(&lost), file(&kept)).expect("books");
    slow.abort();

    let shop = shop.again(kept_in(&kept));
    assert_eq!(shop.look(&other).await, other);
    assert_eq!(shop.get("/control/faults").await.with(200), json!([]));
    shop.keyed("/v1/payment_intents", form, "pi:1").await.with(200);
}

#[tokio::test]
async fn requests_do_not_wait_for_the_disk() {
    let folder = folder();
    let shop = Shop::set_up(kept_in(&folder)).await;
    // Who opens a pipe to write waits until somebody reads it, as with a disk that hangs. It can
    // be made when nothing is being written.
    let pipe = folder.path().join("books.json.next");
    let make = || Command::new("mkfifo").arg(&pipe).stderr(Stdio::null()).status();
    while !make().expect("mkfifo runs").success() {}
    let since = Instant::now();
    let answered = async {
        let intent = shop.intent("pm_card_visa", "").await;
        while since.elapsed() < Duration::from_millis(300) {
            shop.look(&intent).await;
        }
        intent
    };
    let answered = tokio::time::timeout(PATIENCE / 2, answered).await;
    let disk = OpenOptions::new().read(true).write(true).open(&pipe).expect("the pipe");
    fs::remove_file(&pipe).expect("the pipe is in nobody's place");
    let intent = answered.expect("no request waits for the disk");

    let shop = shop.again(kept_in(&folder));
    assert_eq!(shop.look(&intent).await, intent);
    drop(disk);
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_left_as_it_is() {
    let folder = folder();
    let start = |settings| Fakepay::start("127.0.0.1:0".parse().expect("an address"), settings);
    drop(start(kept_in(&folder)).expect("it starts"));
    let path = folder.path().join("books.json");
    let good = fs::read_to_string(&path).expect("books");
    let half = good[..good.len() / 2].to_owned();
    let other = good.replace("\"version\":1", "\"version\":2");
    for (text, said) in [
        (half.as_str(), "EOF"),
        ("", "EOF"),
        (other.as_str(), "version is 2"),
        ("{\"version\":1}", "missing field"),
        ("[]", "invalid"),
    ] {
        fs::write(&path, text).expect("a file");
        let error = start(kept_in(&folder)).expect_err(said).to_string();
        assert!(error.contains("books.json") && error.contains(said), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("the file"), text);
    }
    let books = Some(folder.path().join("nowhere/books.json"));
    let error = start(Settings { books, ..Settings::default() }).expect_err("no folder");
    assert!(error.to_string().contains("nowhere/books.json"), "{error}");
    fs::write(&path, good).expect("a file");
    start(kept_in(&folder)).expect("it starts again");
}

/// The binary with these books.
struct Binary {
    child: Child,
    url: String,
}

impl Binary {
    fn start(books: &Path) -> Self {
        let webhook = ["--webhook", "http://127.0.0.1:9/", "--webhook-secret", SECRET];
        let mut child = Command::new(env!("CARGO_BIN_EXE_fakepay"))
            .args(["--bind", "127.0.0.1:0", "--books"])
            .arg(books)
            .args(webhook)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let said = child.stdout.take().expect("it is piped");
        BufReader::new(said).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("fakepay listens at ").expect("an address").to_owned();
        Self { child, url }
    }

    async fn ask(&self, method: Method, path: &str, form: &str) -> Value {
        let client = Client::builder().no_proxy().build().expect("a client");
        let request = client.request(method, format!("{}{path}", self.url));
        let request = request.bearer_auth("sk_test_1").timeout(PATIENCE).body(form.to_owned());
        request.send().await.expect("an answer").json().await.expect("JSON")
    }

    async fn pay(&self) -> Value {
        let form = "amount=5000&currency=usd&confirm=true&payment_method=pm_card_visa";
        self.ask(Method::POST, "/v1/payment_intents", form).await
    }

    async fn knows(&self, intent: &Value) -> bool {
        let path = format!("/v1/payment_intents/{}", id(intent));
        self.ask(Method::GET, &path, "").await == *intent
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn who_is_killed_leaves_books_that_are_whole_and_lack_at_most_the_last_moment() {
    let folder = folder();
    let path = folder.path().join("books.json");
    let mut known = Vec::new();
    for _ in 0..3 {
        let binary = Binary::start(&path);
        for intent in &known {
            assert!(binary.knows(intent).await, "{intent}");
        }
        let intent = binary.pay().await;
        written(&folder, &id(&intent)).await;
        known.push(intent);
        // What comes in the moment of the end may be lost, but may not harm the file.
        for _ in 0..5 {
            binary.pay().await;
        }
    }
}

#[tokio::test]
async fn who_is_told_to_stop_loses_nothing() {
    let folder = folder();
    let path = folder.path().join("books.json");
    let mut binary = Binary::start(&path);
    let mut last = Value::Null;
    for _ in 0..5 {
        last = binary.pay().await;
    }
    let told = Command::new("kill").arg(binary.child.id().to_string()).status();
    assert!(told.expect("kill runs").success());
    assert!(binary.child.wait().expect("it ends").success());
    assert!(Binary::start(&path).knows(&last).await);
}
