//! The composition root: the only place that knows every concrete type, and the commands of the
//! command line in terms of it. `providers.rs` puts together what payments go through, `threads.rs`
//! what runs beside the server.

mod catch_up;
mod providers;
mod threads;

use crate::actors::{Registry, RegistryOptions};
use crate::auth::ended::EndedSessions;
use crate::auth::passwords::Passwords;
use crate::auth::tokens::Tokens;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, DEMO_DATABASE};
use crate::demo;
use crate::engine::{
    AnonymousQuotes, Engine, Failpoint, Goes, Hoarding, Pasts, Registration, Settlements, Throttles,
};
use crate::feed::Feed;
use crate::http::edge::limits::{InProcess, RateLimiter};
use crate::http::edge::{Edge, Hosts, Origins, Proxies};
use crate::http::{self, Surface};
use crate::ids::Ids;
use crate::jobs::{self, sweep};
use crate::store::accounts::Role;
use crate::store::{Kind, Store, StoreError, StoreOptions};
use crate::ws::{self, Connections};
use catch_up::CatchUp;
use domain::state::Settings;
use providers::{DEMO_BOOKS, Paying};
use secrecy::{ExposeSecret, SecretString};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;
use threads::{Threads, runtime};
use tokio::runtime::Runtime;
use tokio::signal::unix::SignalKind;
use tokio::sync::{Mutex, Notify, watch};

/// How the server is started.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    pub demo: bool,
    pub reset: bool,
}

/// Why a command ended early; the text tells the operator what to do.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Engine(#[from] crate::engine::Error),
    #[error("{what}: {error}")]
    Io { what: String, error: std::io::Error },
    #[error("{0}")]
    Told(String),
}

type Done = Result<(), AppError>;

/// How long a command may wait for its answer.
const COMMAND_DEADLINE: Duration = Duration::from_secs(5);
/// How long jobs that are worked on may take when the server stops.
const LAST_JOBS: Duration = Duration::from_millis(700);
/// How long commits that are on their way may take when the server stops.
const LAST_COMMITS: Duration = Duration::from_secs(2);
/// For how long a peer may take no bytes that are meant for it, in milliseconds.
#[cfg(target_os = "linux")]
const TAKES_NOTHING_MS: u32 = 20_000;
/// Connections that wait to be accepted; the kernel may bound it further (`net.core.somaxconn`).
#[cfg(target_os = "linux")]
const BACKLOG: i32 = 4_096;
/// What the kernel keeps for a peer at most, in bytes; without a bound it was 2.8 MB.
#[cfg(target_os = "linux")]
const SEND_BUFFER: usize = 256 * 1024;
const UNMIGRATED_LOOK: Duration = Duration::from_secs(1);

/// Runs the server until it is told to stop.
pub fn serve(options: ServeOptions) -> Done {
    let config = read_config(options.demo, true)?;
    tell(&config);
    if options.reset {
        remove_demo()?;
    }
    let threads = Threads::start()?;
    let served = actix::System::new().block_on(run(config, &threads));
    threads.stop();
    served
}

/// Checks the configuration and that the database can be used.
pub fn check() -> Done {
    let config = read_config(false, true)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let store = open(&config, &runtime, false).await?;
        if !store.is_migrated().await? {
            return Err(AppError::Told(
                "the database's tables are not up to date: run `vacancy migrate`".to_owned(),
            ));
        }
        println!("The configuration and the database are fine.");
        Ok(())
    })
}

/// Prints the OpenAPI document.
pub fn openapi() -> Done {
    println!("{}", http::openapi_document());
    Ok(())
}

/// Brings the database's tables up to date.
pub fn migrate() -> Done {
    let config = read_config(false, false)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        open(&config, &runtime, false).await?.migrate().await?;
        println!("The database's tables are up to date.");
        Ok(())
    })
}

/// Checks that the database keeps its promises.
pub fn verify() -> Done {
    let config = read_config(false, false)?;
    let runtime = runtime()?;
    let problems =
        runtime.block_on(async { open(&config, &runtime, false).await?.verify().await })?;
    if problems.is_empty() {
        println!("Verified: no overlaps, no gaps, every row as its events say.");
        return Ok(());
    }
    for problem in &problems {
        println!("{problem}");
    }
    Err(AppError::Told(format!("{} problems found", problems.len())))
}

/// Creates an administrator.
pub fn create_admin(email: String, first_name: String, last_name: String) -> Done {
    let config = read_config(false, false)?;
    let password = admin_password()?;
    let threads = Threads::start()?;
    let created = actix::System::new().block_on(async {
        let store = open(&config, &threads.store, false).await?;
        if !store.is_migrated().await? {
            store.migrate().await?;
        }
        let (_stop, stopping) = watch::channel(false);
        let ready = prepare_clock(&config, &store).await?;
        let paying = Paying::default();
        let engine = assemble(&config, store, &threads, stopping, ready, paying).await?;
        let role = Role::Admin;
        let registration = Registration { email, password, first_name, last_name, role };
        let account = engine.create_account(registration).await.map_err(told)?;
        println!("Created the administrator {} ({}).", account.email, account.id);
        Ok(())
    });
    threads.stop();
    created
}

async fn run(config: Config, threads: &Threads) -> Done {
    let runtime = &threads.store;
    let listener = TcpListener::bind(config.bind).map_err(|error| AppError::Io {
        what: format!("cannot listen on {}", config.bind),
        error,
    })?;
    prepare(&listener).map_err(listening)?;
    let store = open(&config, runtime, true).await?;
    if store.kind() == Kind::Sqlite || config.auto_migrate {
        store.migrate().await?;
    } else {
        wait_for_migrations(&store, &listener).await?;
    }
    let (stop, stopping) = watch::channel(false);
    let address = listener.local_addr().map_err(listening)?;
    let ready = prepare_clock(&config, &store).await?;
    let paying = Paying::set_up(&config, address.port(), &ready.1, &store)?;
    let sandbox = paying.sandbox.clone();
    let engine = Arc::new(assemble(&config, store, threads, stopping, ready, paying).await?);
    engine.store.release_payments().await?;
    engine.learn_ended_sessions().await?;
    let mut workers =
        runtime.spawn(jobs::lasting("the job workers", Arc::clone(&engine), jobs::run));
    let sweeper = runtime.spawn(jobs::lasting("the sweep", Arc::clone(&engine), sweep::run));
    if config.demo {
        let property = demo::fill(&engine).await.map_err(told)?;
        crate::demo::welcome(address, property, &engine);
    }
    println!("Listening on http://{address}");
    let limiter = config.rate_limits.then(|| Arc::new(InProcess::new(engine.clock.clone())));
    let forgetting =
        limiter.clone().map(|limiter| runtime.spawn(InProcess::forget_the_quiet(limiter)));
    let connections = Arc::new(Connections::default());
    let watched = Arc::clone(&connections);
    let watch = move |engine| ws::watch(Arc::clone(&watched), engine);
    let watching = runtime.spawn(jobs::lasting("the watchdog", Arc::clone(&engine), watch));
    let surface = Surface {
        engine: Arc::clone(&engine),
        connections,
        edge: Arc::new(edge(&config, limiter.map(|limiter| limiter as Arc<dyn RateLimiter>))),
        catch_up: Arc::new(CatchUp { engine: Arc::clone(&engine), sandbox }),
        demo: config.demo,
    };
    let server = http::serve(surface, listener).map_err(listening)?;
    let handle = server.handle();
    let serving = tokio::spawn(server);
    tokio::select! {
        signal = told_to_stop() => signal?,
        () = engine.store.broken() => {
            tracing::error!("the disk under the database failed: nothing more is acknowledged");
            handle.stop(false).await;
            return Err(AppError::Told("the disk under the database failed".to_owned()));
        }
    }
    tracing::info!("stopping: finishing what is on its way");
    let _ = stop.send(true);
    handle.stop(true).await;
    let _ = serving.await;
    // A worker that is stopped half-way keeps its payment for two minutes more.
    let _ = tokio::time::timeout(LAST_JOBS, &mut workers).await;
    let _ = tokio::time::timeout(LAST_COMMITS, engine.registry.drain()).await;
    workers.abort();
    sweeper.abort();
    watching.abort();
    if let Some(forgetting) = forgetting {
        forgetting.abort();
    }
    Ok(())
}

/// Bounds what the kernel keeps and waits for a peer that takes no bytes, which accepted connections
/// inherit from the listener, and has it queue all who come back at once after a restart: those for
/// whom there is no room come again a second later, and then two.
fn prepare(listener: &TcpListener) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::net::sockopt;
        sockopt::set_tcp_user_timeout(listener, TAKES_NOTHING_MS)?;
        sockopt::set_socket_send_buffer_size(listener, SEND_BUFFER)?;
        rustix::net::listen(listener, BACKLOG)?;
    }
    Ok(())
}

/// The door, as the operator wants it.
fn edge(config: &Config, limiter: Option<Arc<dyn RateLimiter>>) -> Edge {
    if config.allowed_hosts.is_empty() && !config.bind.ip().is_loopback() {
        tracing::warn!(
            "ALLOWED_HOSTS is not set, so requests may name any host: list this server's names"
        );
    }
    Edge {
        proxies: Proxies::new(config.trusted_proxies.clone()),
        hosts: Hosts::new(&config.allowed_hosts, config.bind),
        origins: Origins::new(config.cors_allow_origins.clone()),
        limiter,
    }
}

/// Ends when the operator says so: by SIGTERM or Ctrl-C.
async fn told_to_stop() -> Done {
    let mut terminated = tokio::signal::unix::signal(SignalKind::terminate()).map_err(listening)?;
    tokio::select! {
        _ = terminated.recv() => Ok(()),
        pressed = tokio::signal::ctrl_c() => pressed.map_err(listening),
    }
}

/// The clock, no earlier than what the database has seen, and ids by it.
async fn prepare_clock(config: &Config, store: &Store) -> Result<(Clock, Ids), AppError> {
    let sampled = store.server_now().await?.unwrap_or_else(Clock::wall);
    let clock = Clock::new(sampled, config.test_clock);
    if let Some(newest) = store.newest_event_at().await? {
        clock.raise_to(newest);
    }
    Ok((clock.clone(), Ids::new(clock)))
}

/// Puts the engine together on a database that is up to date.
async fn assemble(
    config: &Config,
    store: Store,
    threads: &Threads,
    stopping: watch::Receiver<bool>,
    (clock, ids): (Clock, Ids),
    paying: Paying,
) -> Result<Engine, AppError> {
    let epoch = store.epoch().await?;
    let feed = Feed::default();
    let wake = Arc::new(Notify::new());
    let settings = Settings {
        hold_ttl: config.hold_ttl,
        shared: store.kind() == Kind::Postgres,
        one_pending_each: config.pending_per_guest.is_some(),
        #[cfg(feature = "test_switches")]
        switches: config.switches,
        ..Settings::default()
    };
    let options = RegistryOptions {
        settings,
        idle_after: config.actor_idle,
        command_deadline: COMMAND_DEADLINE,
        runtime: threads.store.handle().clone(),
        jobs: Arc::clone(&wake),
    };
    let secret = match config.secret_key.expose_secret() {
        "" => SecretString::from(format!("{}{}", ids.fresh().simple(), ids.fresh().simple())),
        secret => SecretString::from(secret.to_owned()),
    };
    Ok(Engine {
        registry: Registry::new(store.clone(), clock.clone(), feed.clone(), options),
        store,
        feed,
        clock,
        ids,
        tokens: Tokens::new(&secret),
        ended: EndedSessions::default(),
        passwords: Passwords::new(threads.passwords.handle().clone()),
        throttles: Throttles::default(),
        anonymous_quotes: AnonymousQuotes::default(),
        hoarding: Hoarding::new(config.pending_per_guest),
        pasts: Pasts::default(),
        providers: paying.providers,
        stripe_hooks: paying.stripe_hooks,
        callback_secret: paying.callback_secret,
        reconciled_at: AtomicI64::new(0),
        #[cfg(feature = "test_switches")]
        failpoint: Failpoint::at(config.die_at_step),
        #[cfg(not(feature = "test_switches"))]
        failpoint: Failpoint::default(),
        settlements: Settlements::default(),
        goes: Goes::default(),
        jobs: wake,
        working: Mutex::new(()),
        stopping,
        epoch,
    })
}

async fn open(config: &Config, runtime: &Runtime, serving: bool) -> Result<Store, StoreError> {
    let options = StoreOptions { exclusive: serving, ..StoreOptions::default() };
    Store::connect(&config.database_url, runtime.handle().clone(), options).await
}

/// On PostgreSQL tables change when the operator says so: until then nobody is served.
async fn wait_for_migrations(store: &Store, listener: &TcpListener) -> Done {
    if store.is_migrated().await? {
        return Ok(());
    }
    tracing::warn!("the database's tables are not up to date: waiting for `vacancy migrate`");
    let waiting =
        http::serve_unready(listener.try_clone().map_err(listening)?).map_err(listening)?;
    let handle = waiting.handle();
    let migrated = async {
        while !store.is_migrated().await.unwrap_or(false) {
            tokio::time::sleep(UNMIGRATED_LOOK).await;
        }
    };
    tokio::select! {
        stopped = waiting => {
            stopped.map_err(listening)?;
            return Err(AppError::Told("stopped before the tables were up to date".to_owned()));
        }
        () = migrated => handle.stop(true).await,
    }
    Ok(())
}

fn read_config(demo: bool, serving: bool) -> Result<Config, AppError> {
    // A missing `.env` is fine; what stands in the environment wins over it.
    let _ = dotenvy::dotenv();
    Ok(Config::read(|name| std::env::var(name).ok(), demo, serving)?)
}

fn tell(config: &Config) {
    let default = if config.debug {
        "debug"
    } else {
        "warn,vacancy=info,sqlx::postgres::notice=error,stripe=error"
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn remove_demo() -> Done {
    let path = DEMO_DATABASE.trim_start_matches("sqlite://");
    for suffix in ["", "-wal", "-shm"] {
        match std::fs::remove_file(format!("{path}{suffix}")) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(AppError::Io { what: format!("cannot remove {path}{suffix}"), error });
            }
        }
    }
    match std::fs::remove_file(DEMO_BOOKS) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(AppError::Io { what: format!("cannot remove {DEMO_BOOKS}"), error })
        }
        _ => Ok(()),
    }
}

fn admin_password() -> Result<String, AppError> {
    if let Ok(password) = std::env::var("ADMIN_PASSWORD") {
        return Ok(password);
    }
    eprintln!("Password (12 to 128 characters, will be shown):");
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|error| AppError::Io { what: "no password could be read".to_owned(), error })?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A refusal of the engine, in words for the command line.
fn told(error: crate::engine::Error) -> AppError {
    match error {
        crate::engine::Error::Fields(fields) => AppError::Told(
            fields
                .iter()
                .map(|field| format!("{} {}", field.pointer.trim_start_matches('/'), field.detail))
                .collect::<Vec<_>>()
                .join("; "),
        ),
        error => AppError::Engine(error),
    }
}

fn listening(error: std::io::Error) -> AppError {
    AppError::Io { what: "the server cannot listen".to_owned(), error }
}
