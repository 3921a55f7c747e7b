//! One connection, as an actor of `actix-web-actors`, which is named in this file only.
//!
//! A subscription joins the property's channel first, then takes a snapshot at some seq, then sends
//! what follows it: nothing is missed and nothing is told twice. Bounds: frames of 64 KiB, 100
//! subscriptions, and the messages of [`super::budget`]. What is not sent yet waits in
//! the channel, never here: see [`super::slot`].

use super::budget::Budget;
use super::connections::{Connections, Place};
use super::protocol::{self, Position, Request};
use super::slot::{Closing, Look, Looks, Slot, Waiting};
use super::subscription::{Halt, Subscription};
use crate::auth::Caller;
use crate::engine::{Engine, Error, Followed, Missed};
use crate::feed::{Reader, Side, Subscriber};
use actix::prelude::{Actor, ActorContext, AsyncContext, StreamHandler};
use actix::{ActorFutureExt, WrapFuture};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{self, CloseCode, CloseReason, WebsocketContext};
use bytestring::ByteString;
use domain::{PropertyId, Stay};
use foldhash::{HashMap, HashMapExt as _};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

const MAX_FRAME: usize = 64 * 1024;
const MAX_SUBSCRIPTIONS: usize = 100;
/// A client that is sent away by a stopping server is asked to wait so long, from the first to the
/// second, so that not all of them come back at once.
const RETRY_AFTER: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(1_700)];

/// What a connection is opened with.
pub struct Opening {
    pub engine: Arc<Engine>,
    pub connections: Arc<Connections>,
    /// The place among the connections of its address.
    pub place: Place,
    /// Whether the page that opened it may act as somebody: every page may read what is public.
    pub may_sign_in: bool,
}

/// Opens a connection.
pub fn connect(
    request: &HttpRequest,
    stream: web::Payload,
    opening: Opening,
) -> Result<HttpResponse, actix_web::Error> {
    let session = Session {
        opening,
        slot: None,
        subscriptions: HashMap::new(),
        asked: 0,
        beginning: VecDeque::new(),
        is_reading: false,
        caller: None,
        sides: Vec::new(),
        budget: Budget::full(),
    };
    ws::WsResponseBuilder::new(session, request, stream).frame_size(MAX_FRAME).start()
}

pub(super) struct Session {
    opening: Opening,
    slot: Option<Arc<Slot>>,
    subscriptions: HashMap<PropertyId, Subscription>,
    /// Counts subscriptions, so that what was read for an earlier one is not taken for a later.
    asked: u64,
    /// The subscriptions that wait for what they begin with.
    beginning: VecDeque<PropertyId>,
    is_reading: bool,
    caller: Option<Caller>,
    /// From which sides the caller's bookings are followed.
    sides: Vec<Side>,
    budget: Budget,
}

type Context = WebsocketContext<Session>;

impl Actor for Session {
    type Context = Context;

    fn started(&mut self, ctx: &mut Context) {
        let connections = &self.opening.connections;
        let slot = Arc::new(Slot::new(connections.number()));
        connections.enter(&slot);
        ctx.add_stream(Looks(Arc::clone(&slot)));
        self.slot = Some(slot);
    }

    fn stopped(&mut self, _: &mut Context) {
        self.sign_out();
        for property in self.subscriptions.keys().copied().collect::<Vec<_>>() {
            self.unsubscribe(property);
        }
        if let Some(slot) = &self.slot {
            slot.leave();
            self.opening.connections.leave(slot);
        }
    }
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for Session {
    fn handle(&mut self, message: Result<ws::Message, ws::ProtocolError>, ctx: &mut Context) {
        if let Some(slot) = &self.slot {
            slot.hear();
        }
        if !self.budget.take() {
            close(ctx, CloseCode::Policy, "too many messages: at most 32 a second");
            return;
        }
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
            // The crate says so of text that is not UTF-8.
            Err(ws::ProtocolError::Io(error)) if error.kind() == std::io::ErrorKind::Other => {
                close(ctx, CloseCode::Invalid, "text must be UTF-8");
            }
            Err(_) => close(ctx, CloseCode::Protocol, "not a WebSocket frame"),
        }
    }
}

impl StreamHandler<Look> for Session {
    fn handle(&mut self, _: Look, ctx: &mut Context) {
        let waiting = self.slot.as_ref().and_then(|slot| slot.take());
        if waiting.as_ref().is_some_and(|waiting| waiting.ended) {
            self.session_ended(ctx);
        }
        self.tell_all(ctx);
        let Some(Waiting { notices, lost, ping, close: closing, .. }) = waiting else { return };
        for (side, notice) in notices {
            if self.sides.contains(&side) {
                ctx.text(protocol::notice(side, &notice));
            }
        }
        for side in lost {
            if self.sides.contains(&side) {
                ctx.text(protocol::bookings(side));
            }
        }
        if ping {
            ctx.ping(b"");
        }
        match closing {
            Some(Closing::Stopping) => {
                let [soonest, latest] = RETRY_AFTER;
                let wait = self.slot.as_ref().map_or(latest, |slot| slot.spread(soonest, latest));
                close(ctx, CloseCode::Restart, &format!("retry_ms={}", wait.as_millis()));
            }
            Some(Closing::Silent) => close(ctx, CloseCode::Policy, "two pings were not answered"),
            None => {}
        }
    }
}

impl Session {
    fn request(&mut self, text: &ByteString, ctx: &mut Context) {
        match serde_json::from_str(text) {
            Ok(Request::Subscribe { property, from, to, after }) => {
                match protocol::window(&from, &to) {
                    Ok(window) => self.subscribe(PropertyId(property), window, after, ctx),
                    Err(detail) => {
                        ctx.text(protocol::error("invalid_field", detail, Some(property)));
                    }
                }
            }
            Ok(Request::Unsubscribe { property }) => self.unsubscribe(PropertyId(property)),
            Ok(Request::Authenticate { token }) => self.authenticate(&token, ctx),
            Ok(Request::SubscribeBookings { side }) => self.subscribe_bookings(side.into(), ctx),
            Ok(Request::UnsubscribeBookings { side }) => self.unsubscribe_bookings(side.into()),
            Ok(Request::Ping {}) => ctx.text(protocol::pong()),
            Err(error) => ctx.text(protocol::error("invalid_json", error, None)),
        }
    }

    fn subscribe(
        &mut self,
        property: PropertyId,
        window: Stay,
        after: Option<Position>,
        ctx: &mut Context,
    ) {
        self.unsubscribe(property);
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            let detail = format!("a connection has at most {MAX_SUBSCRIPTIONS} subscriptions");
            ctx.text(protocol::error("too_many_subscriptions", detail, Some(property.0)));
            return;
        }
        let Some(subscriber) = self.subscriber() else { return };
        let channel = self.opening.engine.feed.channel(property);
        channel.subscribe(subscriber);
        let subscription = Subscription { channel, window, after: None, asked: 0, sent: None };
        self.subscriptions.insert(property, subscription);
        self.begin(property, after, ctx);
    }

    /// Lets a subscription begin, or begin anew.
    fn begin(&mut self, property: PropertyId, after: Option<Position>, ctx: &mut Context) {
        let Some(subscription) = self.subscriptions.get_mut(&property) else { return };
        self.asked += 1;
        (subscription.asked, subscription.sent) = (self.asked, None);
        subscription.after = after;
        if !self.beginning.contains(&property) {
            self.beginning.push_back(property);
        }
        self.read_next(ctx);
    }

    /// Reads what the next subscription begins with. It is one at a time, and each in a turn of its
    /// own, so that a client who asks for much and reads nothing has one answer waiting.
    fn read_next(&mut self, ctx: &mut Context) {
        if self.is_reading {
            return;
        }
        let next = std::iter::from_fn(|| self.beginning.pop_front());
        let mut open = next.filter(|property| self.subscriptions.contains_key(property));
        let Some(property) = open.next() else { return };
        let Some(subscription) = self.subscriptions.get_mut(&property) else { return };
        self.is_reading = true;
        let (asked, after) = (subscription.asked, subscription.after.take());
        let (engine, channel) =
            (Arc::clone(&self.opening.engine), Arc::clone(&subscription.channel));
        let caller = self.caller;
        let reading = async move {
            tokio::task::yield_now().await;
            let after = after.as_ref().map(|position| (position.epoch.as_str(), position.seq));
            engine.follow(caller.as_ref(), (property, &channel), after).await
        };
        ctx.spawn(reading.into_actor(self).map(move |read, session, ctx| {
            session.is_reading = false;
            let current = session.subscriptions.get(&property).map(|known| known.asked);
            if current == Some(asked) {
                session.answer(property, read, ctx);
            }
            session.read_next(ctx);
        }));
    }

    fn answer(&mut self, property: PropertyId, read: Result<Followed, Error>, ctx: &mut Context) {
        let caller = self.caller.as_ref();
        match read {
            // Whoever asked may have become somebody else meanwhile.
            Ok(Followed { view, .. })
                if !self.opening.engine.may_follow(caller, &view.snapshot.property) =>
            {
                self.refuse(property, ctx);
            }
            Ok(followed) => self.join(property, &followed, ctx),
            Err(Error::NotFound | Error::Denied(_)) => self.refuse(property, ctx),
            Err(_) => {
                self.unsubscribe(property);
                let detail = "the calendar cannot be read now: subscribe again";
                ctx.text(protocol::error("unavailable", detail, Some(property.0)));
            }
        }
    }

    /// Sends the snapshot, or what was missed, and then what has happened since.
    fn join(&mut self, property: PropertyId, followed: &Followed, ctx: &mut Context) {
        let Some(subscription) = self.subscriptions.get_mut(&property) else { return };
        let Followed { view, missed } = followed;
        let sent = match missed {
            None => {
                ctx.text(protocol::snapshot(&view.epoch, &view.snapshot, subscription.window));
                view.snapshot.head.seq
            }
            Some(Missed { to, deltas }) => {
                ctx.text(protocol::resumed(&view.epoch, property, *to));
                for delta in deltas {
                    ctx.text(protocol::delta(&view.epoch, delta));
                }
                *to
            }
        };
        subscription.sent = Some(sent);
        let (engine, caller) = (&self.opening.engine, self.caller.as_ref());
        if let Err(halt) = subscription.tell(engine, caller, |text| ctx.text(text)) {
            self.halt(property, halt, ctx);
        }
    }

    /// Sends what has happened in every calendar.
    fn tell_all(&mut self, ctx: &mut Context) {
        let (engine, caller) = (&self.opening.engine, self.caller.as_ref());
        let mut halted = Vec::new();
        for (property, subscription) in &mut self.subscriptions {
            if let Err(halt) = subscription.tell(engine, caller, |text| ctx.text(text)) {
                halted.push((*property, halt));
            }
        }
        for (property, halt) in halted {
            self.halt(property, halt, ctx);
        }
    }

    fn halt(&mut self, property: PropertyId, halt: Halt, ctx: &mut Context) {
        match halt {
            Halt::Hidden => self.refuse(property, ctx),
            Halt::TooFarBehind => self.begin(property, None, ctx),
        }
    }

    /// Ends a subscription to a calendar that the client may not see.
    fn refuse(&mut self, property: PropertyId, ctx: &mut Context) {
        self.unsubscribe(property);
        ctx.text(protocol::error("not_found", "there is no such calendar", Some(property.0)));
    }

    fn unsubscribe(&mut self, property: PropertyId) {
        if let (Some(known), Some(me)) = (self.subscriptions.remove(&property), self.subscriber()) {
            known.channel.unsubscribe(&me);
        }
    }

    fn authenticate(&mut self, token: &str, ctx: &mut Context) {
        if !self.opening.may_sign_in {
            let detail = "pages of this origin may read public calendars only";
            return ctx.text(protocol::error("origin_not_allowed", detail, None));
        }
        let claims = match self.opening.engine.claims(token) {
            Ok(claims) => claims,
            Err(error) => return ctx.text(protocol::error("unauthenticated", error, None)),
        };
        let caller = claims.caller();
        let is_another =
            self.caller.is_some_and(|known| (known.id, known.role) != (caller.id, caller.role));
        if is_another {
            self.sign_out();
        }
        self.caller = Some(caller);
        if let Some(slot) = &self.slot {
            slot.sign(Some(claims));
        }
        ctx.text(protocol::authenticated(&claims));
        if is_another {
            self.look_again(ctx);
        }
    }

    fn subscribe_bookings(&mut self, side: Side, ctx: &mut Context) {
        let Some(caller) = self.caller else {
            let detail = "send {\"type\":\"authenticate\",\"token\":\"…\"} first";
            return ctx.text(protocol::error("unauthenticated", detail, None));
        };
        if !self.opening.engine.may_follow_bookings(&caller, side) {
            let detail = "this account has no properties: become a host first";
            return ctx.text(protocol::error("forbidden", detail, None));
        }
        if !self.sides.contains(&side)
            && let Some(reader) = self.reader()
        {
            self.sides.push(side);
            self.opening.engine.feed.people().join(caller.id, side, reader);
        }
        ctx.text(protocol::bookings(side));
    }

    fn unsubscribe_bookings(&mut self, side: Side) {
        self.sides.retain(|known| *known != side);
        if let (Some(caller), Some(reader)) = (self.caller, self.reader()) {
            self.opening.engine.feed.people().leave(caller.id, side, &reader);
        }
    }

    /// The private topics end, unless the client has signed in again; public calendars go on.
    fn session_ended(&mut self, ctx: &mut Context) {
        if self.slot.as_ref().is_some_and(|slot| slot.signed().is_some()) {
            return;
        }
        self.sign_out();
        let detail = "the session has ended or its token has expired: authenticate again";
        ctx.text(protocol::error("session_ended", detail, None));
        self.look_again(ctx);
    }

    /// Ends the subscriptions that whoever the client is now may not have.
    fn look_again(&mut self, ctx: &mut Context) {
        let engine = Arc::clone(&self.opening.engine);
        for property in self.subscriptions.keys().copied().collect::<Vec<_>>() {
            match engine.registry.snapshot(property) {
                Some(known) if engine.may_follow(self.caller.as_ref(), &known.property) => {}
                Some(_) => self.refuse(property, ctx),
                // Its actor is just being started: what it is will be known when it has been read.
                None => self.begin(property, None, ctx),
            }
        }
    }

    fn sign_out(&mut self) {
        for side in [Side::Guest, Side::Host] {
            self.unsubscribe_bookings(side);
        }
        self.caller = None;
        if let Some(slot) = &self.slot {
            slot.sign(None);
            slot.forget_notices();
        }
    }

    fn subscriber(&self) -> Option<Arc<dyn Subscriber>> {
        Some(Arc::<Slot>::clone(self.slot.as_ref()?))
    }

    fn reader(&self) -> Option<Arc<dyn Reader>> {
        Some(Arc::<Slot>::clone(self.slot.as_ref()?))
    }
}

fn close(ctx: &mut Context, code: CloseCode, reason: &str) {
    ctx.close(Some(CloseReason { code, description: Some(reason.to_owned()) }));
    ctx.stop();
}
