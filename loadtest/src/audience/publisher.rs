//! Who changes what the audience follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::tape::Tape;
use crate::call::Call;
use crate::client::Client;
use crate::clock::{Nanos, SECOND, today};
use crate::crew::share;
use crate::failure::Failure;
use crate::stage::{Stage, create_property};

/// Connections that changes are sent over, so that one that waits for its answer delays no other.
const HANDS: u32 = 64;
/// The night whose price changes is so far ahead.
const DAYS_AHEAD: i32 = 30;
/// The nights that are followed.
const FOLLOWED_DAYS: i32 = 90;

/// A host who changes prices, or a publisher of nchan.
pub(super) struct Publisher {
    host: Client,
    stage: Arc<Stage>,
    /// The property, unless it is nchan.
    property: Option<Uuid>,
    night: Date,
    /// The calendar's number before the first change.
    pub(super) base: u64,
}

#[derive(Deserialize)]
struct Calendar {
    seq: u64,
}

impl Publisher {
    pub(super) async fn new(stage: Arc<Stage>, nchan: bool) -> Result<Self, Failure> {
        const STEP: &str = "GET /properties/{id}/calendar";
        let night = today().saturating_add(DAYS_AHEAD.days());
        if nchan {
            return Ok(Self { host: stage.visitor(), stage, property: None, night, base: 0 });
        }
        let mut host = stage.host().await?;
        let property = create_property(&mut host, stage.run, 0).await?.id;
        host.expect(STEP, &Call::get(calendar(&host, property)), &[200]).await?;
        let Calendar { seq } = serde_json::from_slice(host.body())
            .map_err(|source| Failure::Unreadable { step: STEP, source })?;
        Ok(Self { host, stage, property: Some(property), night, base: seq })
    }

    /// Where sockets listen, and what they say first.
    pub(super) fn topic(&self) -> (&'static str, Option<String>) {
        let Some(property) = self.property else { return ("/sub", None) };
        let from = today();
        let to = from.saturating_add(FOLLOWED_DAYS.days());
        let subscription = format!(
            r#"{{"type":"subscribe","property":"{property}","from":"{from}","to":"{to}"}}"#
        );
        ("/ws", Some(subscription))
    }

    /// Makes the changes of a part at this rate, and says when the last one was acknowledged.
    pub(super) async fn publish(
        &self,
        tape: &Arc<Tape>,
        part: usize,
        rate: u32,
    ) -> Result<Nanos, Failure> {
        let changes = tape.part(part);
        let begin = tape.clock.now();
        let next = Arc::new(AtomicUsize::new(0));
        let hands = (0..HANDS).map(|hand| self.host.twin(hand + HANDS * part as u32)).collect();
        let (property, night, tape) = (self.property, self.night, Arc::clone(tape));
        let work = move |mut host: Client| {
            let (next, tape, changes) = (Arc::clone(&next), Arc::clone(&tape), changes.clone());
            async move {
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    let Some(change) = changes.clone().nth(turn) else { return Ok(()) };
                    let due = begin + (turn as u64 + 1) * SECOND / u64::from(rate);
                    tape.clock.wait_until(due).await;
                    tape.send(change, due);
                    change_once(&mut host, property, night, tape.number(change)).await?;
                }
            }
        };
        share(hands, HANDS as usize, work).await?;
        Ok(self.stage.clock.now())
    }
}

async fn change_once(
    host: &mut Client,
    property: Option<Uuid>,
    night: Date,
    number: u64,
) -> Result<(), Failure> {
    let price = 10_000 + number;
    let Some(property) = property else {
        let call = Call::post("/pub", message(night, price, number));
        return host.expect("POST /pub", &call, &[200, 201, 202]).await.map(drop);
    };
    let to = night.saturating_add(1.day());
    let body = format!(r#"{{"terms":[{{"from":"{night}","to":"{to}","price":{price}}}]}}"#);
    let call = Call::patch(calendar(host, property), body);
    let call = host.keyed(call);
    host.expect("PATCH /properties/{id}/calendar", &call, &[200]).await.map(drop)
}

fn calendar(host: &Client, property: Uuid) -> String {
    host.target().path(&format!("/properties/{property}/calendar"))
}

/// What the server would say of the change, for a publisher who only passes it on.
fn message(night: Date, price: u64, number: u64) -> String {
    let to = night.saturating_add(1.day());
    let [prev_seq, month] = [(number - 1).to_string(), night.strftime("%Y-%m").to_string()];
    format!(
        concat!(
            r#"{{"type":"delta","property":"019aaf2c-5e11-7d44-b0a1-6f1d2c3b4a59","#,
            r#""epoch":"4f1c09d2a7e85b36","prev_seq":{prev_seq},"seq":{number},"#,
            r#""at":"2027-03-14T18:05:12.904317Z","changes":[{{"from":"{night}","to":"{to}","#,
            r#""price":{price},"min_nights":1,"max_nights":null,"closed_to_arrival":null,"#,
            r#""closed_to_departure":null}}],"digests":{{"{month}":"9d2e41c7"}}}}"#
        ),
        prev_seq = prev_seq,
        number = number,
        night = night,
        to = to,
        price = price,
        month = month,
    )
}
