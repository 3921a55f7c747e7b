//! Starting and stopping a stand-in.

use crate::settings::Settings;
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

/// The largest body of a request, in bytes.
const LARGEST_BODY: usize = 64 * 1024;

/// A running stand-in on a thread of its own, so that it serves callers with and without a
/// runtime. Dropping it stops it: connections end, and what was not delivered is forgotten.
#[derive(Debug)]
pub struct Fakepay {
    url: String,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Fakepay {
    /// Listens at this address, where port 0 is any that is free.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn start(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let url = format!("http://{}", listener.local_addr()?);
        let world = Data::new(World::new(url.clone(), settings));
        let (started, starts) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("fakepay".into()).spawn(move || {
            System::new().block_on(async move {
                // The caller waits below for one of the two.
                match serve(listener, &world) {
                    Ok(server) => {
                        started.send(Ok(server.handle())).expect("the caller waits");
                        run(server, world).await;
                    }
                    Err(error) => started.send(Err(error)).expect("the caller waits"),
                }
            });
        })?;
        let handle = starts.recv().expect("the thread says how it started")?;
        Ok(Self { url, handle, thread: Some(thread) })
    }

    /// Where it listens, such as `http://127.0.0.1:12111`.
    pub fn url(&self) -> &str {
        &self.url
    }
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

/// Serves and delivers until the server is told to stop.
async fn run(server: Server, world: Data<World>) {
    let deliveries = actix_web::rt::spawn(outbox::sender::run(world));
    // Whoever stopped it has no use for the reason of a failure on the way down.
    let _ = server.await;
    deliveries.abort();
}
