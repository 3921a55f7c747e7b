//! The routes, and the servers that answer on them.

use super::edge::Edge;
use super::operations::CatchUp;
use super::{
    accounts, bookings, calendar_edits, calendars, headers, live, openapi, operations, pages,
    payments,
};
use super::{
    export, extract, problem, properties, quotes, reviews, rules, search, sessions, webhooks,
};
use crate::auth::{Caller, TokenError};
use crate::engine::Engine;
use crate::ws::Connections;
use actix_web::dev::Server;
use actix_web::{App, HttpServer, middleware, web};
use std::net::TcpListener;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

/// What the routes need.
#[derive(Clone)]
pub struct Surface {
    pub engine: Arc<Engine>,
    pub edge: Arc<Edge>,
    pub connections: Arc<Connections>,
    /// Handles what is due: the moved test clock waits for it.
    pub catch_up: Arc<dyn CatchUp>,
    pub demo: bool,
}

impl extract::Verify for Engine {
    fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        Ok(self.claims(token)?.caller())
    }
}

/// How long a client may take to send its request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long open requests may take when the server stops, in seconds.
const STOP_SECONDS: u64 = 2;
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const MAX_CONNECTIONS: usize = 50_000;

/// The bounds that every server has.
macro_rules! bounded {
    ($server:expr) => {
        $server
            .client_request_timeout(HEAD_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(STOP_SECONDS)
            .max_connections(MAX_CONNECTIONS)
    };
}

/// The server of everything.
pub fn serve(surface: Surface, listener: TcpListener) -> std::io::Result<Server> {
    let app = move || {
        let surface = surface.clone();
        // This runs once on each thread that serves requests.
        surface.engine.registry.live_here();
        let verify: Arc<dyn extract::Verify> = Arc::<Engine>::clone(&surface.engine);
        App::new()
            .app_data(web::Data::from(Arc::clone(&surface.engine)))
            .app_data(web::Data::from(Arc::clone(&surface.edge)))
            .app_data(web::Data::from(Arc::clone(&surface.connections)))
            .app_data(web::Data::from(Arc::clone(&surface.catch_up)))
            .app_data(web::Data::from(verify))
            .configure(problem::framework::configure)
            .configure(|config| routes(config, &surface))
            .wrap(middleware::NormalizePath::trim())
            .wrap(middleware::from_fn(headers::envelope))
    };
    // The app hears the signals and stops this server in its turn.
    let server = HttpServer::new(app).workers(workers());
    Ok(bounded!(server).disable_signals().listen(listener)?.run())
}

/// One more than there are cores. A connection stays with its thread: where there are as many threads
/// as cores, and something else runs on one of them, the others end sooner and cannot help.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get) + 1
}

/// A server that only says that it is alive and not ready.
pub fn serve_unready(listener: TcpListener) -> std::io::Result<Server> {
    let app = || {
        App::new()
            .configure(problem::framework::configure)
            .route("/livez", web::get().to(operations::alive))
            .default_service(web::to(operations::unready))
            .wrap(middleware::from_fn(headers::envelope))
    };
    Ok(bounded!(HttpServer::new(app).workers(1)).listen(listener)?.run())
}

/// A resource for every path, also where it has one method only: a route by itself is passed over
/// by other methods, which are then told 404 instead of 405.
fn routes(config: &mut web::ServiceConfig, surface: &Surface) {
    config
        .service(web::resource("/livez").route(web::get().to(operations::alive)))
        .service(web::resource("/readyz").route(web::get().to(operations::ready)))
        .service(web::resource("/asyncapi.json").route(web::get().to(live::document)))
        .service(web::resource("/ws").route(web::get().to(live::socket)))
        .service(
            web::resource(["/", "/stay/{id}", "/trips", "/host"]).route(web::get().to(pages::site)),
        )
        .service(web::resource("/docs/errors").route(web::get().to(pages::errors)))
        .service(web::resource("/api/docs").route(web::get().to(openapi::page)))
        .service(web::resource("/api/docs/{path:.*}").route(web::get().to(openapi::file)))
        .service(web::resource("/api/openapi.json").route(web::get().to(openapi::document)))
        .service(web::resource("/widget/{path:.*}").route(web::get().to(pages::widget)));
    if surface.engine.clock.is_test() {
        config.service(web::resource("/test/clock").route(web::post().to(operations::move_clock)));
    }
    if surface.demo {
        config.service(web::resource("/demo/accounts").route(web::get().to(pages::demo_accounts)));
    }
    // Both bases: the versioned one, and the bare paths of the first design.
    config.service(web::scope("/api/v1").configure(resources));
    resources(config);
}

fn resources(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/properties")
                .route(web::get().to(search::list))
                .route(web::post().to(properties::create)),
        )
        .service(web::resource("/amenities").route(web::get().to(properties::amenities)))
        // One look at the id serves all that is under it, the busiest route among them.
        .service(
            web::scope("/properties/{id}")
                .service(web::resource("/bookings").route(web::post().to(bookings::create)))
                .service(
                    web::resource("/calendar")
                        .route(web::get().to(calendars::read))
                        .route(web::patch().to(calendar_edits::edit)),
                )
                .service(web::resource("/calendar/stream").route(web::get().to(live::stream)))
                .service(
                    web::resource("/blocks")
                        .route(web::get().to(calendar_edits::list))
                        .route(web::post().to(calendar_edits::create)),
                )
                .service(
                    web::resource("/blocks/{block}")
                        .route(web::delete().to(calendar_edits::delete)),
                )
                .service(
                    web::resource("/rules")
                        .route(web::get().to(rules::read))
                        .route(web::put().to(rules::update)),
                )
                .service(web::resource("/events").route(web::get().to(calendars::events)))
                .service(
                    web::resource("")
                        .route(web::get().to(properties::read))
                        .route(web::put().to(properties::update))
                        .route(web::delete().to(properties::archive)),
                ),
        )
        .service(web::resource("/quotes").route(web::post().to(quotes::create)))
        .service(web::resource("/quotes/{id}").route(web::get().to(quotes::read)))
        .service(
            web::resource("/bookings")
                .route(web::get().to(bookings::list))
                .route(web::post().to(bookings::create_anywhere)),
        )
        .service(
            web::resource("/bookings/{id}")
                .route(web::get().to(bookings::read))
                .route(web::put().to(bookings::update))
                .route(web::delete().to(bookings::cancel)),
        )
        .service(
            web::resource("/bookings/{id}/cancellation")
                .route(web::get().to(bookings::cancellation)),
        )
        .service(web::resource("/bookings/{id}/accept").route(web::post().to(bookings::accept)))
        .service(web::resource("/bookings/{id}/decline").route(web::post().to(bookings::decline)))
        .service(web::resource("/bookings/{id}/no_show").route(web::post().to(bookings::no_show)))
        .service(
            web::resource("/payments")
                .route(web::get().to(payments::list))
                .route(web::post().to(payments::create)),
        )
        .service(web::resource("/payments/{id}").route(web::get().to(payments::read)))
        .service(web::resource("/payments/{id}/refunds").route(web::post().to(payments::refund)))
        .service(web::resource("/webhooks/stripe").route(web::post().to(webhooks::stripe)))
        .service(web::resource("/callbacks/{id}/{token}").route(web::post().to(webhooks::push)))
        .service(
            web::resource("/callbacks/{id}/{refund}/{token}")
                .route(web::post().to(webhooks::reversal)),
        )
        .service(
            web::resource("/reviews")
                .route(web::get().to(reviews::list))
                .route(web::post().to(reviews::create)),
        )
        .service(
            web::resource("/reviews/{id}")
                .route(web::get().to(reviews::read))
                .route(web::put().to(reviews::change))
                .route(web::delete().to(reviews::delete)),
        )
        .service(web::resource("/reviews/{id}/reply").route(web::post().to(reviews::reply)));
    people(config);
}

/// Accounts and sessions, behind what is asked for more often.
fn people(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/users")
                .route(web::get().to(accounts::list))
                .route(web::post().to(accounts::register)),
        )
        .service(
            web::resource("/users/me")
                .route(web::get().to(accounts::read_own))
                .route(web::put().to(accounts::change_own))
                .route(web::delete().to(accounts::delete_own)),
        )
        .service(web::resource("/users/me/export").route(web::get().to(export::read)))
        .service(
            web::resource("/users/{id}")
                .route(web::get().to(accounts::read))
                .route(web::put().to(accounts::change))
                .route(web::delete().to(accounts::delete)),
        )
        .service(web::resource("/auth/login").route(web::post().to(sessions::login)))
        .service(web::resource("/auth/refresh").route(web::post().to(sessions::refresh)))
        .service(web::resource("/auth/logout").route(web::post().to(sessions::logout)))
        .service(web::resource("/auth/verify").route(web::post().to(sessions::verify)))
        .service(web::resource("/auth/password/forgot").route(web::post().to(sessions::forgot)))
        .service(web::resource("/auth/password/reset").route(web::post().to(sessions::reset)));
}
