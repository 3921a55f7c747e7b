//! A calendar that one client follows, and where the client stands in it.

use super::protocol::{self, Position};
use crate::auth::Caller;
use crate::engine::Engine;
use crate::feed::{Channel, TooFarBehind};
use bytestring::ByteString;
use domain::Stay;
use domain::event::Seq;
use std::sync::Arc;

pub(super) struct Subscription {
    pub(super) channel: Arc<Channel>,
    pub(super) window: Stay,
    /// Where the client says that it stands, until that was looked up.
    pub(super) after: Option<Position>,
    pub(super) asked: u64,
    /// Where the client stands; nowhere before its snapshot was sent.
    pub(super) sent: Option<Seq>,
}

/// Why a subscription cannot go on as it did.
pub(super) enum Halt {
    /// The client may not see the calendar any more.
    Hidden,
    TooFarBehind,
}

impl Subscription {
    /// Sends what has happened since the event where the client stands.
    pub(super) fn tell(
        &mut self,
        engine: &Engine,
        caller: Option<&Caller>,
        mut send: impl FnMut(ByteString),
    ) -> Result<(), Halt> {
        let Some(mut sent) = self.sent else { return Ok(()) };
        while let Some(delta) =
            self.channel.next(sent).map_err(|TooFarBehind| Halt::TooFarBehind)?
        {
            sent = delta.seq;
            self.sent = Some(sent);
            send(protocol::delta(&engine.epoch, &delta));
            if delta.changed.as_ref().is_some_and(|now| !engine.may_follow(caller, now)) {
                return Err(Halt::Hidden);
            }
        }
        Ok(())
    }
}
