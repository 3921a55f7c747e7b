//! One connection, as an actor of `actix-web-actors`, which is named in this file only.
//!
//! A subscription joins the property's channel first, then takes a snapshot at some seq, then lets
//! only deltas above it through: nothing is missed and nothing is told twice. Bounds: frames of
//! 64 KiB, 100 subscriptions, and a mailbox; a client that falls behind further than that is
//! closed with code 1013 and comes back for a snapshot. Pings go out every 20 seconds, and two that
//! are not answered end the connection.

use super::protocol::{self, Request};
use crate::engine::{Engine, Error};
use crate::feed::{Channel, Delta, Subscriber};
use actix::prelude::{Actor, ActorContext, AsyncContext, Handler, Message, StreamHandler};
use actix::{ActorFutureExt, Addr, WrapFuture};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{self, CloseCode, CloseReason, WebsocketContext};
use bytestring::ByteString;
use domain::event::Seq;
use domain::{PropertyId, Stay};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const MAX_FRAME: usize = 64 * 1024;
const MAX_SUBSCRIPTIONS: usize = 100;
/// Deltas that may wait for a client before it is sent away.
const MAILBOX: usize = 512;
const PING_EVERY: Duration = Duration::from_secs(20);
const MAX_MISSES: u32 = 2;
/// What a client that is sent away by a stopping server should wait at most before it returns.
const RETRY_HINT: &str = "retry_ms=2000";
/// How often a client that fell behind is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Opens a connection, from a page of whatever origin: every topic is public, and nothing that a
/// browser sends by itself makes the sender anybody here.
pub fn connect(
    request: &HttpRequest,
    stream: web::Payload,
    engine: Arc<Engine>,
) -> Result<HttpResponse, actix_web::Error> {
    let session = Session { engine, subscriptions: HashMap::new(), misses: 0, sink: None };
    ws::WsResponseBuilder::new(session, request, stream).frame_size(MAX_FRAME).start()
}

struct Session {
    engine: Arc<Engine>,
    subscriptions: HashMap<PropertyId, Subscription>,
    misses: u32,
    sink: Option<Arc<Sink>>,
}

struct Subscription {
    channel: Arc<Channel>,
    subscriber: Arc<dyn Subscriber>,
    /// What the client has; nothing before the snapshot was sent, when deltas are kept back.
    sent: Option<Seq>,
    kept_back: Vec<Arc<Delta>>,
}

/// Where channels put a connection's deltas.
struct Sink {
    session: Addr<Session>,
    fell_behind: AtomicBool,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Deliver(Arc<Delta>);

impl Subscriber for Sink {
    fn deliver(&self, delta: &Arc<Delta>) -> bool {
        let taken = self.session.try_send(Deliver(Arc::clone(delta))).is_ok();
        if !taken {
            self.fell_behind.store(true, Ordering::Relaxed);
        }
        taken
    }
}

type Context = WebsocketContext<Session>;

impl Actor for Session {
    type Context = Context;

    fn started(&mut self, ctx: &mut Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        let fell_behind = AtomicBool::new(false);
        self.sink = Some(Arc::new(Sink { session: ctx.address(), fell_behind }));
        ctx.run_interval(PING_EVERY, |session, ctx| {
            session.misses += 1;
            if session.misses > MAX_MISSES {
                ctx.stop();
            } else {
                ctx.ping(b"");
            }
        });
        let mut stopping = self.engine.stopping.clone();
        let stopped = async move { stopping.wait_for(|stop| *stop).await.is_ok() };
        ctx.spawn(stopped.into_actor(self).map(|stops, _, ctx| {
            if stops {
                // Clients spread their return by what the reason says, so that they do not all
                // come at once.
                close(ctx, CloseCode::Restart, RETRY_HINT);
            }
        }));
        ctx.run_interval(LOOK_EVERY, |session, ctx| {
            if session.sink.as_ref().is_some_and(|sink| sink.fell_behind.load(Ordering::Relaxed)) {
                close(ctx, CloseCode::Again, "too slow: take a new snapshot");
            }
        });
    }

    fn stopped(&mut self, _: &mut Context) {
        for (_, subscription) in self.subscriptions.drain() {
            subscription.channel.unsubscribe(&subscription.subscriber);
        }
    }
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for Session {
    fn handle(&mut self, message: Result<ws::Message, ws::ProtocolError>, ctx: &mut Context) {
        self.misses = 0;
        match message {
            Ok(ws::Message::Text(text)) => self.request(&text, ctx),
            Ok(ws::Message::Ping(payload)) => ctx.pong(&payload),
            Ok(ws::Message::Pong(_) | ws::Message::Nop) => {}
            Ok(ws::Message::Close(reason)) => {
                ctx.close(reason);
                ctx.stop();
            }
            Ok(ws::Message::Binary(_) | ws::Message::Continuation(_)) => {
                close(ctx, CloseCode::Unsupported, "messages are single text frames");
            }
            Err(ws::ProtocolError::Overflow) => close(ctx, CloseCode::Size, "at most 64 KiB"),
            Err(_) => close(ctx, CloseCode::Protocol, "not a WebSocket frame"),
        }
    }
}

impl Handler<Deliver> for Session {
    type Result = ();

    fn handle(&mut self, Deliver(delta): Deliver, ctx: &mut Context) {
        let Some(subscription) = self.subscriptions.get_mut(&delta.property) else { return };
        match subscription.sent {
            None => subscription.kept_back.push(delta),
            Some(sent) if delta.seq > sent => {
                subscription.sent = Some(delta.seq);
                ctx.text(protocol::delta(&self.engine.epoch, &delta));
            }
            Some(_) => {}
        }
    }
}

impl Session {
    fn request(&mut self, text: &ByteString, ctx: &mut Context) {
        match serde_json::from_str(text) {
            Ok(Request::Subscribe { property, from, to, after }) => {
                let after = after.filter(|position| position.epoch == self.engine.epoch);
                match protocol::window(&from, &to) {
                    Ok(window) => {
                        self.subscribe(PropertyId(property), window, after.map(|p| p.seq), ctx);
                    }
                    Err(detail) => {
                        ctx.text(protocol::error("invalid_field", detail, Some(property)))
                    }
                }
            }
            Ok(Request::Unsubscribe { property }) => self.unsubscribe(PropertyId(property)),
            Ok(Request::Ping {}) => ctx.text(protocol::pong()),
            Err(error) => ctx.text(protocol::error("invalid_json", error, None)),
        }
    }

    fn subscribe(
        &mut self,
        property: PropertyId,
        window: Stay,
        after: Option<Seq>,
        ctx: &mut Context,
    ) {
        self.unsubscribe(property);
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            let detail = format!("a connection has at most {MAX_SUBSCRIPTIONS} subscriptions");
            ctx.text(protocol::error("too_many_subscriptions", detail, Some(property.0)));
            return;
        }
        let Some(sink) = self.sink.clone() else { return };
        let channel = self.engine.feed.channel(property);
        let subscriber: Arc<dyn Subscriber> = sink;
        channel.subscribe(Arc::clone(&subscriber));
        let subscription = Subscription { channel, subscriber, sent: None, kept_back: Vec::new() };
        self.subscriptions.insert(property, subscription);
        let engine = Arc::clone(&self.engine);
        let reading = async move { engine.calendar(None, property).await };
        ctx.spawn(reading.into_actor(self).map(move |read, session, ctx| match read {
            Ok(view) => session.join(property, window, after, &view, ctx),
            Err(error) => {
                session.unsubscribe(property);
                let (code, detail) = match error {
                    Error::NotFound | Error::Denied(_) => {
                        ("not_found", "there is no such calendar")
                    }
                    _ => ("unavailable", "the calendar cannot be read now: subscribe again"),
                };
                ctx.text(protocol::error(code, detail, Some(property.0)));
            }
        }));
    }

    /// Sends the snapshot, or says that there is nothing new, and then what was kept back.
    fn join(
        &mut self,
        property: PropertyId,
        window: Stay,
        after: Option<Seq>,
        view: &crate::engine::CalendarView,
        ctx: &mut Context,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(&property) else { return };
        let mut sent = view.snapshot.head.seq;
        ctx.text(if after == Some(sent) {
            protocol::resumed(&view.epoch, property, sent)
        } else {
            protocol::snapshot(&view.epoch, &view.snapshot, window)
        });
        for delta in subscription.kept_back.drain(..) {
            if delta.seq > sent {
                sent = delta.seq;
                ctx.text(protocol::delta(&view.epoch, &delta));
            }
        }
        subscription.sent = Some(sent);
    }

    fn unsubscribe(&mut self, property: PropertyId) {
        if let Some(subscription) = self.subscriptions.remove(&property) {
            subscription.channel.unsubscribe(&subscription.subscriber);
        }
    }
}

fn close(ctx: &mut Context, code: CloseCode, reason: &str) {
    ctx.close(Some(CloseReason { code, description: Some(reason.to_owned()) }));
    ctx.stop();
}
