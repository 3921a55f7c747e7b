//! Live calendars: the door to the WebSocket, what is said there, and the stream of events beside it.

use super::calendars;
use super::edge::Edge;
use super::extract::{MaybeSigned, Params, PropertyPath};
use super::problem::{Code, Problem};
use crate::engine::Engine;
use crate::ws::{self, Connections, Following, Opening, Place};
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderName};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use std::future::{Ready, ready};
use std::sync::Arc;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Proxies that hold an answer back until it is whole would hold this one for ever.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// When somebody who has all their places may try again.
const FREE_AGAIN_SECONDS: u32 = 60;

/// Opens a WebSocket, from a page of whatever origin: what is public may be read by all of them.
pub(super) async fn socket(
    request: HttpRequest,
    stream: web::Payload,
    engine: web::Data<Engine>,
    edge: web::Data<Edge>,
    Seat { place, connections }: Seat,
) -> Result<HttpResponse, actix_web::Error> {
    let may_sign_in = edge.trusts_page(request.headers());
    let opening = Opening { engine: engine.into_inner(), connections, place, may_sign_in };
    ws::connect(&request, stream, opening)
}

/// The nights `[from, to)` of a property and everything that happens to them, as Server-Sent Events
/// with the messages of the WebSocket. Each event's id names a place in the property's history: a
/// client that comes back with it gets what it missed.
#[utoipa::path(
    get, path = "/properties/{id}/calendar/stream", operation_id = "stream_calendar",
    tag = "calendars", security((), ("bearer" = [])),
    params(
        ("id" = Uuid, Path),
        ("from" = Option<String>, Query, format = Date, description = "Today if absent."),
        ("to" = Option<String>, Query, format = Date, description = "At most 730 days on."),
        ("Last-Event-ID" = Option<String>, Header, description = "The last event that is known."),
    ),
    responses(
        (status = 200, description = "Events without end.", body = String,
         content_type = "text/event-stream"),
    ),
)]
pub(super) async fn stream(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Seat { place, .. }: Seat,
    MaybeSigned(caller): MaybeSigned,
    PropertyPath(property): PropertyPath,
    mut params: Params,
) -> Result<HttpResponse, Problem> {
    let dates = params.dates()?;
    params.end()?;
    let view = engine.calendar(caller.as_ref(), property).await?;
    let today = view.snapshot.property.today(engine.clock.now());
    let window = calendars::window(dates, today)?.in_whole_months();
    let last_event = request.headers().get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let events = ws::events(Following {
        place,
        engine: engine.into_inner(),
        caller,
        property,
        window,
        last_event: last_event.map(str::to_owned),
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((ACCEL_BUFFERING, "no"))
        .streaming(events.await?))
}

/// `GET /asyncapi.json`: what is said over the WebSocket.
pub(super) async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(DOCUMENT)
}

/// Tests hold every frame against it.
const DOCUMENT: &str = include_str!("../../docs/reference/asyncapi.json");

/// A place for one more live connection of this client.
pub(super) struct Seat {
    place: Place,
    connections: Arc<Connections>,
}

impl FromRequest for Seat {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(seat(request))
    }
}

fn seat(request: &HttpRequest) -> Result<Seat, Problem> {
    let missing = || Problem::new(Code::Internal);
    let connections = request.app_data::<web::Data<Connections>>().ok_or_else(missing)?;
    let edge = request.app_data::<web::Data<Edge>>().ok_or_else(missing)?;
    let client = edge.proxies.client(request.peer_addr(), request.headers());
    let connections = Arc::clone(connections);
    let place = connections.admit(edge.network(client)).map_err(|_| {
        let most = ws::MAX_PER_ADDRESS;
        let detail = format!("An address has at most {most} live connections: close one first.");
        Problem::new(Code::RateLimited).with_detail(detail).retry_after(FREE_AGAIN_SECONDS)
    })?;
    Ok(Seat { place, connections })
}
