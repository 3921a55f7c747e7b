//! Operations: is it alive, is it ready, and the clock of tests.

use super::extract::Body;
use super::problem::{Code, Problem};
use crate::engine::Engine;
use actix_web::{HttpResponse, web};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Handles everything that is due at this moment, which the clock has been moved to.
pub trait CatchUp: Send + Sync {
    fn run(&self, advanced: Duration) -> BoxFuture<'_, ()>;
}

/// How long the database may take to say that it is there.
const READY_WITHIN: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// The furthest that one request moves a test clock: two years.
const MAX_ADVANCE: u64 = 2 * 366 * 24 * 60 * 60;

/// How far time moves.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    advance_seconds: u64,
}

#[derive(Serialize)]
struct Now {
    now: String,
}

pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "alive" })
}

pub(super) async fn ready(engine: web::Data<Engine>) -> Result<HttpResponse, Problem> {
    // The question goes on in its own task when nobody waits for the answer any more.
    match tokio::time::timeout(READY_WITHIN, engine.store.ping()).await {
        Ok(Ok(())) => Ok(HttpResponse::Ok().json(Health { status: "ready" })),
        _ => unready().await,
    }
}

pub(super) async fn unready() -> Result<HttpResponse, Problem> {
    let detail = "The database does not answer, or its tables are not up to date.";
    Err(Problem::new(Code::Unavailable).with_detail(detail).retry_after(1))
}

pub(super) async fn move_clock(
    engine: web::Data<Engine>,
    catch_up: web::Data<dyn CatchUp>,
    Body(advance): Body<Advance>,
) -> Result<HttpResponse, Problem> {
    if advance.advance_seconds > MAX_ADVANCE {
        let detail = format!("must be at most {MAX_ADVANCE}");
        return Err(Problem::field("/advance_seconds", detail));
    }
    let by = Duration::from_secs(advance.advance_seconds);
    let now = engine.clock.advance(by);
    catch_up.run(by).await;
    Ok(HttpResponse::Ok().json(Now { now: now.to_string() }))
}
