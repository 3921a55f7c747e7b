//! The real binary as a child process: started on a free port, stopped by its id, its log kept.

use super::{Database, Pay, SECRET, Storage, eventually};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const BINARY: &str = env!("CARGO_BIN_EXE_vacancy");
/// A cold start on a busy machine, with its migrations.
const START_WITHIN: Duration = Duration::from_secs(60);
/// What any other command of the product may take.
const RUN_WITHIN: Duration = Duration::from_secs(60);
/// A stopped server may take five seconds by contract; a test that does not look is told later.
const STOP_WITHIN: Duration = Duration::from_secs(30);
const REQUEST_WITHIN: Duration = Duration::from_secs(30);
/// Lines of the log that are shown when a test fails.
const SHOWN: usize = 40;
/// How often the provider may answer what the server says because of what the provider said.
const MOST_ECHOES: usize = 10;

/// Defaults of every server under test: time stands in the test's hands, and nobody is limited.
const SETTINGS: [(&str, &str); 7] = [
    ("SECRET_KEY", SECRET),
    ("AUTO_MIGRATE", "true"),
    ("DEBUG", "true"),
    ("CLOCK", "test"),
    ("RATE_LIMITS", "off"),
    ("PENDING_LIMITS", "off"),
    ("LOG", "warn,sqlx=error"),
];

/// A server that is running, or has been.
pub(crate) struct Server {
    storage: Arc<Storage>,
    pay: Arc<Pay>,
    url: String,
    settings: Vec<(String, String)>,
    address: SocketAddr,
    child: Mutex<Option<Child>>,
    log: Log,
    http: reqwest::Client,
    /// How far the test has moved the clock, in seconds.
    moved: AtomicU64,
}

type Log = Arc<Mutex<Vec<String>>>;

impl Server {
    /// A server on an empty database.
    pub(crate) async fn spawn(database: Database) -> Self {
        Self::spawn_with(database, &[]).await
    }

    /// The same with other settings on top of the usual ones.
    pub(crate) async fn spawn_with(database: Database, settings: &[(&str, &str)]) -> Self {
        let storage = Arc::new(Storage::new(database).await);
        let url = storage.url();
        Self::spawn_on(storage, url, settings).await
    }

    /// A server on a database that is there already, reached at this address.
    pub(crate) async fn spawn_on(
        storage: Arc<Storage>,
        url: String,
        settings: &[(&str, &str)],
    ) -> Self {
        Self::spawn_with_pay(storage, Arc::new(Pay::start()), url, settings).await
    }

    /// The same with a provider that is there already.
    pub(crate) async fn spawn_with_pay(
        storage: Arc<Storage>,
        pay: Arc<Pay>,
        url: String,
        settings: &[(&str, &str)],
    ) -> Self {
        let mut server = Self {
            storage,
            pay,
            url,
            settings: Vec::new(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            child: Mutex::default(),
            log: Log::default(),
            http: client(),
            moved: AtomicU64::new(0),
        };
        for (name, value) in server.pay.settings() {
            server.set(name, &value);
        }
        for (name, value) in SETTINGS.iter().chain(settings) {
            server.set(name, value);
        }
        server.start().await;
        server
    }

    /// A second server on the same database, with the same settings.
    pub(crate) async fn sibling(&self) -> Self {
        let settings: Vec<(&str, &str)> =
            self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let (storage, pay) = (Arc::clone(&self.storage), Arc::clone(&self.pay));
        Self::spawn_with_pay(storage, pay, self.url.clone(), &settings).await
    }

    /// Changes a setting from the next start on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    async fn start(&mut self) {
        let mut command = command(&self.storage, &["serve"]);
        command.env("DATABASE_URL", &self.url).env("BIND_ADDR", "127.0.0.1:0");
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        let mut child = command.spawn().expect("the binary starts");
        keep(child.stderr.take().expect("a piped log"), Arc::clone(&self.log));
        let listening = listening(child.stdout.take().expect("a piped output"));
        // Kept before the wait, so that a server that never listens is ended with the test.
        *self.child() = Some(child);
        match tokio::time::timeout(START_WITHIN, listening).await {
            Ok(Ok(address)) => {
                self.address = address;
                self.pay.tell(address);
            }
            Ok(Err(_)) => panic!("the server ended before it listened"),
            Err(_) => panic!("the server did not listen within {START_WITHIN:?}"),
        }
        // Connections to the server that was there before are of no use.
        self.http = client();
    }

    /// Stops the server if it runs, and starts it again on the same database.
    pub(crate) async fn restart(&mut self) {
        let runs = !self.has_ended();
        if runs {
            self.stop().await;
        }
        self.start().await;
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        let mut child = self.child();
        child.as_mut().is_none_or(|child| matches!(child.try_wait(), Ok(Some(_))))
    }

    /// The number of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child().as_ref().expect("a running server").id()
    }

    /// Ends the process as a power cut would, but for the disk.
    pub(crate) fn kill9(&self) {
        let mut child = self.child().take().expect("a running server");
        child.kill().expect("a process that can be killed");
        child.wait().expect("its end");
    }

    /// Asks the server to stop, and says how it ended and how long that took.
    pub(crate) async fn stop(&self) -> (ExitStatus, Duration) {
        let mut child = self.child().take().expect("a running server");
        let asked = Instant::now();
        terminate(&child);
        let Some(status) = ended(&mut child, STOP_WITHIN).await else {
            child.kill().expect("a process that can be killed");
            child.wait().expect("its end");
            panic!("the server did not stop within {STOP_WITHIN:?}");
        };
        (status, asked.elapsed())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of its addresses, without a slash at the end.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address())
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn storage(&self) -> &Arc<Storage> {
        &self.storage
    }

    /// The provider that it pays through.
    pub(crate) fn pay_through(&self) -> &Pay {
        &self.pay
    }

    /// How far the test has moved the clock.
    pub(crate) fn moved(&self) -> Duration {
        Duration::from_secs(self.moved.load(Ordering::Relaxed))
    }

    /// Moves the server's clock; whatever became due has been handled afterwards.
    pub(crate) async fn advance(&self, seconds: u64) {
        let body = serde_json::json!({ "advance_seconds": seconds });
        // Tokens of this very moment would be too old afterwards, so the count moves first.
        self.moved.fetch_add(seconds, Ordering::Relaxed);
        self.pay.advance(Duration::from_secs(seconds));
        self.pay.told().await;
        let mut letters = self.pay.letters();
        self.post("/test/clock", body).await.expect(200);
        // What the provider says of what was due is looked at as well.
        for _ in 0..MOST_ECHOES {
            self.pay.told().await;
            if self.pay.letters() == letters {
                return;
            }
            letters = self.pay.letters();
            let body = serde_json::json!({ "advance_seconds": 0 });
            self.post("/test/clock", body).await.expect(200);
        }
        panic!("the provider and the server go on telling each other things");
    }

    /// How many lines of the log contain these words.
    pub(crate) fn logged(&self, words: &str) -> usize {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|line| line.contains(words)).count()
    }

    /// What follows these words in the newest line of the log that has them.
    pub(crate) fn told_after(&self, words: &str) -> Option<String> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().rev().find_map(|line| line.split_once(words).map(|(_, rest)| rest.to_owned()))
    }

    /// Asserts that `vacancy verify` finds nothing, also beside the running server.
    pub(crate) async fn verify(&self) {
        let ended = run(&self.storage, &["verify"], &[]).await;
        assert!(ended.is_success(), "verify found problems:\n{}{}", ended.output, ended.log);
        assert!(ended.output.starts_with("Verified"), "verify said {}", ended.output);
    }
}

/// Lets a server that is measured end by itself: one that is killed leaves no figures.
fn leave_figures(child: &mut Child) {
    terminate(child);
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child().take() {
            if std::env::var_os("LLVM_PROFILE_FILE").is_some() {
                leave_figures(&mut child);
            }
            // One that ended by itself cannot be killed, which is as well.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            let shown = &log[log.len().saturating_sub(SHOWN)..];
            eprintln!("the end of the server's log:\n{}", shown.join("\n"));
        }
    }
}

/// A command that came to its end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
    pub(crate) log: String,
}

impl Ended {
    pub(crate) fn is_success(&self) -> bool {
        self.status.success()
    }
}

/// Runs a command of the product on this database to its end.
pub(crate) async fn run(storage: &Storage, words: &[&str], settings: &[(&str, &str)]) -> Ended {
    let mut command = command(storage, words);
    command.env("DATABASE_URL", storage.url()).env("LOG", "warn");
    let mut child = command.envs(settings.iter().copied()).spawn().expect("the binary starts");
    let (output, log) = (Log::default(), Log::default());
    let reading = [
        keep(child.stdout.take().expect("a piped output"), Arc::clone(&output)),
        keep(child.stderr.take().expect("a piped log"), Arc::clone(&log)),
    ];
    let Some(status) = ended(&mut child, RUN_WITHIN).await else {
        child.kill().expect("a process that can be killed");
        child.wait().expect("its end");
        panic!("vacancy {words:?} did not end within {RUN_WITHIN:?}");
    };
    for reader in reading {
        reader.join().expect("a reader that does not panic");
    }
    let text = |lines: &Log| {
        let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().fold(String::new(), |text, line| text + line + "\n")
    };
    Ended { status, output: text(&output), log: text(&log) }
}

/// The binary in the storage's folder, with nothing of this process's environment that it reads.
fn command(storage: &Storage, words: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(words).current_dir(storage.folder()).env_clear();
    // Where a measurement of coverage wants its files.
    command.envs(std::env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn client() -> reqwest::Client {
    // Every connection is to this machine; a proxy in the environment is none of ours.
    let builder = reqwest::Client::builder().timeout(REQUEST_WITHIN).no_proxy();
    builder.pool_max_idle_per_host(256).build().expect("a client")
}

/// The address in the line that says where the server listens; later lines are read and forgotten.
fn listening(output: impl Read + Send + 'static) -> oneshot::Receiver<SocketAddr> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut sender = Some(sender);
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let address = line.strip_prefix("Listening on http://").map(str::parse);
            if let Some(Ok(address)) = address
                && let Some(sender) = sender.take()
            {
                let _ = sender.send(address);
            }
        }
    });
    receiver
}

/// Copies lines as they come, until the other end is closed.
fn keep(stream: impl Read + Send + 'static, log: Log) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    })
}

/// Sends SIGTERM.
fn terminate(child: &Child) {
    let status = Command::new("kill").arg(child.id().to_string()).status();
    assert!(status.expect("kill is a program").success(), "the process is gone");
}

async fn ended(child: &mut Child, within: Duration) -> Option<ExitStatus> {
    eventually(within, async || child.try_wait().expect("a child of ours")).await
}
