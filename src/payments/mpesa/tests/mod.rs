//! M-Pesa against the stand-in over real HTTP, with tokens in a real store.
//!
//! Time is the stand-in's: a test reads it once, moves it, and says what it is in each call.

mod faults;
mod odd;
mod orders;
mod refunds;
mod tokens;

use super::callback::{PushResult, ReversalResult, push_result, reversal_result, token_is_right};
use super::{Mpesa, Settings};
use crate::payments::{Intent, Order, Provider, ProviderError, RefundAnswer, RefundOrder};
use crate::store::{Store, StoreOptions};
use domain::settlement::Standing;
use domain::{BookingId, Instant, PaymentId, RefundId};
use fakepay::{Fakepay, Merchant};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

/// The longest that anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long an exchange takes at most where a test waits for its end.
const SHORT: Duration = Duration::from_millis(300);
const SETTLED: Duration = Duration::from_secs(120);
const PAYS: &str = "0712345678";
const LATE: &str = "+254700002020";
const SILENT: &str = "254700004040";

/// Ids that no other payment of this process has.
fn fresh() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u64_pair(0x0192_0000_0000_7000, 1 << 63 | number)
}

fn token_secret() -> SecretString {
    "a secret that only the tests of M-Pesa know".into()
}

/// A stand-in, a node that asks it, and somebody who takes its callbacks.
struct Shop {
    fakepay: Fakepay,
    store: Store,
    receiver: Receiver,
    mpesa: Mpesa,
    client: reqwest::Client,
    /// The stand-in's time when the shop opened.
    now: Instant,
    _folder: tempfile::TempDir,
}

impl Shop {
    async fn open() -> Self {
        Self::with(Merchant::default()).await
    }

    async fn with(merchant: Merchant) -> Self {
        let settings = fakepay::Settings { seed: Some(7), merchant, ..Default::default() };
        let address = "127.0.0.1:0".parse().expect("an address");
        let fakepay = Fakepay::start(address, settings).expect("a free port");
        let (folder, store) = store().await;
        let receiver = Receiver::start(|_| "200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()).await;
        let settings = settings_of(fakepay.url(), &receiver.url);
        let mpesa = Mpesa::new(settings, store.clone()).expect("good settings");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let now = Instant::default();
        let mut shop = Self { fakepay, store, receiver, mpesa, client, now, _folder: folder };
        let told = shop.control("clock", json!({ "advance_seconds": 0 })).await;
        let now: jiff::Timestamp = word(&told["now"]).parse().expect("a time");
        shop.now = now.into();
        shop
    }

    /// Another node of the same fleet.
    fn node(&self) -> Mpesa {
        let settings = settings_of(self.fakepay.url(), &self.receiver.url);
        Mpesa::new(settings, self.store.clone()).expect("good settings")
    }

    /// Asks the stand-in itself for something; what it answers, if it does.
    async fn control(&self, path: &str, wish: Value) -> Value {
        let url = format!("{}/control/{path}", self.fakepay.url());
        let answer = self.client.post(url).json(&wish).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let text = answer.text().await.expect("a text");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn look(&self, path: &str) -> Value {
        let url = format!("{}/control/{path}", self.fakepay.url());
        let answer = self.client.get(url).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    async fn fault(&self, route: &str, fault: &str, times: u32) {
        let wish = json!({ "route": route, "fault": fault, "times": times });
        self.control("faults", wish).await;
    }

    /// How often the only fault that was planted may still happen.
    async fn faults_left(&self) -> u64 {
        self.look("faults").await[0]["times"].as_u64().unwrap_or_default()
    }

    async fn settle(&self, name: &str, ending: &str) {
        self.control(&format!("intents/{name}/{ending}"), json!(null)).await;
    }

    /// What was collected and what went back, in cents, by the stand-in's books.
    async fn books(&self) -> (i64, i64) {
        let kes = self.look("ledger").await["currencies"]["kes"].take();
        let of = |name: &str| kes[name].as_i64().unwrap_or_default();
        (of("captured"), of("refunded"))
    }

    /// An order over so many shillings that is asked for now.
    fn order(&self, phone: &str, shillings: i64) -> Order {
        Order {
            payment: PaymentId(fresh()),
            booking: BookingId(fresh()),
            amount: shillings * 100,
            currency: "KES".parse().expect("a currency"),
            method: phone.to_owned(),
            return_url: String::new(),
            reference: None,
            receipt: None,
            asked_at: self.now,
        }
    }

    /// An order whose push was taken.
    async fn pushed(&self, phone: &str, shillings: i64) -> Order {
        let mut order = self.order(phone, shillings);
        let intent = self.mpesa.order(&order, self.now).await.expect("it is taken");
        order.reference = Some(intent.reference);
        order
    }

    /// An order that was paid and whose callback was read.
    async fn paid(&self, phone: &str, shillings: i64) -> Order {
        let mut order = self.pushed(phone, shillings).await;
        order.receipt = self.told_of(&order).await.receipt;
        assert!(order.receipt.is_some());
        order
    }

    /// The next callback, which has to be of this order.
    async fn told_of(&self, order: &Order) -> PushResult {
        let letter = self.receiver.next().await;
        let parts: Vec<&str> = letter.path.split('/').collect();
        let payment = order.payment.to_string();
        assert_eq!(parts[..3], ["", "callbacks", payment.as_str()]);
        assert!(token_is_right(&token_secret(), order.payment, None, parts[3]));
        push_result(letter.body.as_bytes()).expect("a callback")
    }

    /// The next callback, which has to be of this refund.
    async fn told_of_refund(&self, refund: &RefundOrder) -> ReversalResult {
        let letter = self.receiver.next().await;
        let parts: Vec<&str> = letter.path.split('/').collect();
        let (payment, id) = (refund.order.payment, refund.refund);
        let ids = [payment.to_string(), id.to_string()];
        assert_eq!(parts[..4], ["", "callbacks", ids[0].as_str(), ids[1].as_str()]);
        assert!(token_is_right(&token_secret(), payment, Some(id), parts[4]));
        reversal_result(letter.body.as_bytes()).expect("a callback")
    }

    async fn fetch(&self, order: &Order) -> Result<Option<Intent>, ProviderError> {
        self.mpesa.fetch(order, self.now).await
    }

    async fn standing(&self, order: &Order) -> Standing {
        let intent = self.fetch(order).await.expect("an answer").expect("an order");
        assert_eq!(Some(&intent.reference), order.reference.as_ref());
        assert_eq!((intent.fact.amount, intent.fact.booking), (order.amount, None));
        intent.fact.standing
    }

    /// Moves the stand-in's time and the shop's.
    fn advance(&mut self, by: Duration) {
        assert!(self.fakepay.advance(by));
        self.now = self.now.plus(by);
    }
}

/// A migrated store in a folder of its own.
async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}/vacancy.db", folder.path().display());
    let handle = tokio::runtime::Handle::current();
    let store = Store::connect(&url, handle, StoreOptions::default()).await.expect("a store");
    store.migrate().await.expect("migrations");
    (folder, store)
}

fn settings_of(api_base: &str, callback_base: &str) -> Settings {
    Settings {
        api_base: api_base.to_owned(),
        consumer_key: "fake_consumer_key".into(),
        consumer_secret: "fake_consumer_secret".into(),
        short_code: "174379".to_owned(),
        passkey: "fake_passkey".into(),
        initiator: "vacancy".to_owned(),
        security_credential: "encrypted".into(),
        callback_base: callback_base.to_owned(),
        token_secret: token_secret(),
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// One request that came in.
struct Letter {
    method: String,
    path: String,
    body: String,
}

/// A server of a few lines, which notes what it is asked and answers as it is told.
struct Receiver {
    url: String,
    letters: Mutex<mpsc::Receiver<Letter>>,
}

/// What is answered to a letter, from the status on.
type Manner = fn(&Letter) -> String;

impl Receiver {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, letters) = mpsc::channel(1_000);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, sender.clone(), manner));
            }
        });
        Self { url, letters: Mutex::new(letters) }
    }

    async fn next(&self) -> Letter {
        let mut letters = self.letters.lock().await;
        let letter = tokio::time::timeout(PATIENCE, letters.recv()).await;
        letter.expect("nobody wrote").expect("the receiver runs")
    }

    /// The methods of what came and was not asked for yet.
    async fn methods(&self) -> Vec<String> {
        let mut letters = self.letters.lock().await;
        std::iter::from_fn(|| letters.try_recv().ok()).map(|letter| letter.method).collect()
    }
}

/// Takes one letter of a connection, answers it and hangs up.
async fn serve(mut stream: TcpStream, sender: mpsc::Sender<Letter>, manner: Manner) -> Option<()> {
    let mut bytes = Vec::new();
    let letter = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = lengths.next().map_or(0, |(_, length)| length.parse().expect("a length"));
        if body.len() < length {
            continue;
        }
        let mut words = head.split(' ').map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        break Letter { method, path, body: body.to_owned() };
    };
    let answer = format!("HTTP/1.1 {}", manner(&letter));
    sender.send(letter).await.ok()?;
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}
