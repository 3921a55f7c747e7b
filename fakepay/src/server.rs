//! Starting and stopping a stand-in.

use crate::keeper::Keeper;
use crate::settings::{Settings, Webhook};
use crate::world::World;
use crate::{outbox, routes};
use actix_web::dev::{Server, ServerHandle};
use actix_web::rt::System;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

/// The largest body of a request, in bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// A running stand-in on a thread of its own, so that it serves callers with and without a
/// runtime. Dropping it stops it: connections end, and what was not delivered is forgotten, unless
/// the books are kept.
#[derive(Debug)]
pub struct Fakepay {
    url: String,
    world: Data<World>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Fakepay {
    /// Listens at this address, where port 0 is any that is free.
    ///
    /// # Errors
    /// When the address cannot be had, when the public address is none of the web, and when there
    /// are books that cannot be read or written; the error names their file.
    pub fn start(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let url = format!("http://{}", listener.local_addr()?);
        let public_url = public_url(&settings, &url)?;
        let keeper = settings.books.clone().map(Keeper::new);
        let kept = keeper.as_ref().map(Keeper::read).transpose()?.flatten();
        let world = Data::new(World::new(public_url, settings, kept));
        keeper.as_ref().map(|keeper| keeper.write(&world)).transpose()?;
        let shared = world.clone();
        let (started, starts) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("fakepay".into()).spawn(move || {
            System::new().block_on(async move {
                // The caller waits below for one of the two.
                match serve(listener, &world) {
                    Ok(server) => {
                        started.send(Ok(server.handle())).expect("the caller waits");
                        run(server, world, keeper).await;
                    }
                    Err(error) => started.send(Err(error)).expect("the caller waits"),
                }
            });
        })?;
        let handle = starts.recv().expect("the thread says how it started")?;
        Ok(Self { url, world: shared, handle, thread: Some(thread) })
    }

    /// Where it listens, such as `http://127.0.0.1:12111`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Moves its clock, as `POST /control/clock` does: what falls due by that has happened when
    /// this returns. False, and nothing happens, when the clock would be more than ten years ahead
    /// in all.
    pub fn advance(&self, by: Duration) -> bool {
        self.world.advance(by).is_some()
    }

    /// Whether something is on its way to somebody, or due to be and not sent yet.
    pub fn is_telling(&self) -> bool {
        let state = self.world.lock();
        state.outbox.is_telling(state.clock.now())
    }

    /// How many deliveries there have been since it started, whatever became of them.
    pub fn deliveries(&self) -> u64 {
        self.world.lock().outbox.numbered()
    }

    /// Sends events there from now on, as `PUT /control/webhook` does: both sides may listen at
    /// ports that are known late.
    pub fn set_webhook(&self, webhook: Webhook) {
        self.world.lock().outbox.set_webhook(webhook);
    }
}

/// Where customers' browsers reach the hosted page: as the settings say, or where it listens.
fn public_url(settings: &Settings, own: &str) -> io::Result<String> {
    let Some(url) = &settings.public_url else { return Ok(own.to_owned()) };
    if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
        let message = format!("{url}: the public address has to begin with http:// or https://");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

impl Drop for Fakepay {
    fn drop(&mut self) {
        // The command is sent by the call; its future only waits, as the join below does.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: TcpListener, world: &Data<World>) -> io::Result<Server> {
    let world = world.clone();
    let app = move || {
        App::new()
            .app_data(world.clone())
            .app_data(actix_web::web::PayloadConfig::new(LARGEST_BODY))
            .configure(routes::all)
    };
    Ok(HttpServer::new(app).workers(1).disable_signals().listen(listener)?.run())
}

/// Serves, delivers and keeps the books until the server is told to stop.
async fn run(server: Server, world: Data<World>, keeper: Option<Keeper>) {
    let deliveries = actix_web::rt::spawn(outbox::sender::run(world.clone()));
    let keeping = async {
        match &keeper {
            Some(keeper) => keeper.run(&world).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        // Whoever stopped it has no use for the reason of a failure on the way down.
        _ = server => {}
        () = keeping => {}
    }
    deliveries.abort();
    if let Some(keeper) = &keeper {
        keeper.try_to_write(&world);
    }
}
