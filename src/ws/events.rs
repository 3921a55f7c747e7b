//! One calendar as Server-Sent Events (WHATWG HTML, 9.2), for clients that cannot open a WebSocket.
//!
//! The data of each event is the same message that a WebSocket carries, and its id is
//! `{epoch}-{seq}`, which browsers send back as `Last-Event-ID`. What the client has not read yet
//! waits in the channel: this stream is asked for more only when there is room.

use super::connections::Place;
use super::protocol;
use crate::auth::Caller;
use crate::engine::{Engine, Error, Missed};
use crate::feed::{Channel, Subscriber, TooFarBehind};
use actix_web::web::Bytes;
use bytestring::ByteString;
use domain::event::Seq;
use domain::{PropertyId, Stay};
use futures_util::Stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How long nothing may be said: proxies end what looks dead, many after 15 seconds.
const SILENCE: Duration = Duration::from_secs(10);
/// The same for somebody who signed in: this often it is asked whether their session goes on.
const SILENCE_OF_SIGNED: Duration = Duration::from_secs(4);
/// What browsers wait before they come back, in milliseconds.
const RETRY_MS: u32 = 1_000;

/// What a stream is opened with.
pub struct Following {
    pub engine: Arc<Engine>,
    pub place: Place,
    pub caller: Option<Caller>,
    pub property: PropertyId,
    pub window: Stay,
    /// The id of the last event that the client has.
    pub last_event: Option<String>,
}

/// Follows a property's calendar until the client goes, the server stops, or the calendar is no
/// longer the client's to see.
pub async fn events(
    following: Following,
) -> Result<impl Stream<Item = Result<Bytes, Infallible>>, Error> {
    let Following { engine, place, caller, property, window, last_event } = following;
    let channel = engine.feed.channel(property);
    let bell = Arc::new(Bell(Notify::new()));
    channel.subscribe(Arc::<Bell>::clone(&bell));
    let stopping = engine.stopping.clone();
    let mut reader = Reader {
        engine,
        channel,
        bell,
        caller,
        property,
        window,
        sent: 0,
        is_over: false,
        stopping,
        _place: place,
    };
    let after = last_event.as_deref().and_then(|id| {
        let (epoch, seq) = id.rsplit_once('-')?;
        Some((epoch, seq.parse().ok()?))
    });
    let mut first = format!("retry: {RETRY_MS}\n\n");
    reader.begin(after, &mut first).await?;
    let first = Bytes::from(first);
    Ok(futures_util::stream::unfold((Some(first), reader), async |(first, mut reader)| {
        let said = match first {
            Some(first) => first,
            None => reader.next().await?,
        };
        Some((Ok(said), (None, reader)))
    }))
}

struct Bell(Notify);

impl Subscriber for Bell {
    fn wake(&self) -> bool {
        self.0.notify_one();
        true
    }
}

struct Reader {
    engine: Arc<Engine>,
    channel: Arc<Channel>,
    bell: Arc<Bell>,
    caller: Option<Caller>,
    property: PropertyId,
    window: Stay,
    /// Where the client stands.
    sent: Seq,
    is_over: bool,
    stopping: watch::Receiver<bool>,
    _place: Place,
}

impl Reader {
    /// Says the calendar, or what was missed of it.
    async fn begin(&mut self, after: Option<(&str, Seq)>, said: &mut String) -> Result<(), Error> {
        let at = (self.property, &*self.channel);
        let followed = self.engine.follow(self.caller.as_ref(), at, after).await?;
        let view = followed.view;
        let Some(Missed { to, deltas }) = followed.missed else {
            self.sent = view.snapshot.head.seq;
            let snapshot = protocol::snapshot(&view.epoch, &view.snapshot, self.window);
            said.push_str(&self.event("snapshot", &snapshot));
            return Ok(());
        };
        let resumed = protocol::resumed(&view.epoch, self.property, to);
        // A client that is cut off right here still stands where it stood.
        *said += &format!("event: resumed\ndata: {resumed}\n\n");
        for delta in &deltas {
            self.sent = delta.seq;
            said.push_str(&self.event("delta", &protocol::delta(&view.epoch, delta)));
        }
        self.sent = to;
        Ok(())
    }

    /// What is to be said next; nothing at the end.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.is_over {
            match self.channel.next(self.sent) {
                Ok(Some(delta)) => {
                    self.sent = delta.seq;
                    let changed = delta.changed.as_deref();
                    self.is_over = changed
                        .is_some_and(|now| !self.engine.may_follow(self.caller.as_ref(), now));
                    let said = protocol::delta(&self.engine.epoch, &delta);
                    return Some(self.event("delta", &said).into());
                }
                Ok(None) => {}
                Err(TooFarBehind) => {
                    let mut said = String::new();
                    self.begin(None, &mut said).await.ok()?;
                    return Some(said.into());
                }
            }
            let silence = if self.caller.is_some() { SILENCE_OF_SIGNED } else { SILENCE };
            let is_silent = tokio::select! {
                () = self.bell.0.notified() => false,
                () = tokio::time::sleep(silence) => true,
                _ = self.stopping.wait_for(|stop| *stop) => return None,
            };
            // Whoever signed in is somebody as long as their session lasts.
            if self.caller.is_some_and(|caller| self.engine.ended.contains(caller.session)) {
                return None;
            }
            if is_silent {
                return Some(Bytes::from_static(b":\n\n"));
            }
        }
        None
    }

    fn event(&self, kind: &str, data: &ByteString) -> String {
        format!("id: {}-{}\nevent: {kind}\ndata: {data}\n\n", self.engine.epoch, self.sent)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let bell: Arc<dyn Subscriber> = Arc::<Bell>::clone(&self.bell);
        self.channel.unsubscribe(&bell);
    }
}
