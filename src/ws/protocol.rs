//! The messages of the live calendar, one JSON object per frame, exactly as they go over the wire.
//!
//! It only translates: what is said is decided in [`super::session`]. Dates are `YYYY-MM-DD`,
//! instants RFC 3339 with `Z`, ranges half-open.

use crate::feed::Delta;
use bytestring::ByteString;
use domain::calendar::{Change, Digest, NightState};
use domain::event::Seq;
use domain::rules::Terms;
use domain::snapshot::Snapshot;
use domain::stay::MAX_NIGHTS;
use domain::{Instant, Month, Night, PropertyId, Stay};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a client may say.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    Subscribe {
        property: Uuid,
        from: String,
        to: String,
        #[serde(default)]
        after: Option<Position>,
    },
    Unsubscribe {
        property: Uuid,
    },
    Ping {},
}

/// A place in a property's stream.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    pub epoch: String,
    pub seq: Seq,
}

/// What a server says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Reply<'a> {
    Snapshot {
        property: Uuid,
        epoch: &'a str,
        seq: Seq,
        from: Text<Night>,
        to: Text<Night>,
        ranges: Vec<Range>,
        digests: BTreeMap<String, Text<Digest>>,
        rules: Rules<'a>,
    },
    Resumed {
        property: Uuid,
        epoch: &'a str,
        seq: Seq,
    },
    Delta {
        property: Uuid,
        epoch: &'a str,
        prev_seq: Seq,
        seq: Seq,
        at: Text<Instant>,
        changes: Vec<Range>,
        digests: BTreeMap<String, Text<Digest>>,
    },
    Error {
        code: &'static str,
        detail: String,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        about: Option<Uuid>,
    },
    Pong,
}

/// A run of nights; a snapshot's carries what a night costs besides.
#[derive(Serialize)]
struct Range {
    from: Text<Night>,
    to: Text<Night>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Text<Instant>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_nights: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_nights: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_to_arrival: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_to_departure: Option<bool>,
}

/// What depends on today or on the whole stay is said once and applied by the reader.
#[derive(Serialize)]
struct Rules<'a> {
    timezone: &'a str,
    currency: &'a str,
    max_guests: u16,
    min_nights: u16,
    max_nights: i32,
}

/// The shortest stay, in nights.
const MIN_NIGHTS: u16 = 1;

/// Something that is written as its text.
struct Text<T>(T);

impl<T: std::fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The calendar of a window as it stands.
pub(super) fn snapshot(epoch: &str, snapshot: &Snapshot, window: Stay) -> ByteString {
    let property = &snapshot.property;
    let months = months(window);
    let runs = snapshot.nights(window);
    let ranges = runs.iter().map(|(change, terms)| {
        let Range { state, until, .. } = range(change);
        let min_nights = terms.min_nights.or(Some(MIN_NIGHTS));
        let terms = Terms { min_nights, ..*terms };
        Range { state, until, ..offered(change.from, change.to, terms) }
    });
    encode(&Reply::Snapshot {
        property: property.id.0,
        epoch,
        seq: snapshot.head.seq,
        from: Text(window.check_in()),
        to: Text(window.check_out()),
        ranges: ranges.collect(),
        digests: digests(months.map(|month| (month, snapshot.calendar.digest(month)))),
        rules: Rules {
            timezone: property.zone.name(),
            currency: property.currency.code(),
            max_guests: property.max_guests,
            min_nights: property.rules.default.min_nights.unwrap_or(MIN_NIGHTS),
            max_nights: property.rules.default.max_nights.map_or(MAX_NIGHTS, i32::from),
        },
    })
}

/// The client has everything up to `seq`.
pub(super) fn resumed(epoch: &str, property: PropertyId, seq: Seq) -> ByteString {
    encode(&Reply::Resumed { property: property.0, epoch, seq })
}

/// One event; the same bytes for everybody.
pub(super) fn delta(epoch: &str, delta: &Delta) -> ByteString {
    delta.encoded(|delta| {
        encode(&Reply::Delta {
            property: delta.property.0,
            epoch,
            prev_seq: delta.seq - 1,
            seq: delta.seq,
            at: Text(delta.at),
            changes: delta
                .changes
                .iter()
                .map(range)
                .chain(delta.offers.iter().map(|o| offered(o.from, o.to, o.terms)))
                .collect(),
            digests: digests(delta.digests.iter().copied()),
        })
    })
}

/// A request that was not done, and why.
pub(super) fn error(code: &'static str, detail: impl ToString, about: Option<Uuid>) -> ByteString {
    encode(&Reply::Error { code, detail: detail.to_string(), about })
}

/// The answer to a ping of the client's own.
pub(super) fn pong() -> ByteString {
    encode(&Reply::Pong)
}

/// The window from the first of one month to the first of another that holds `[from, to)`.
pub(super) fn window(from: &str, to: &str) -> Result<Stay, String> {
    let read = |name: &str, text: &str| -> Result<Night, String> {
        text.parse().map_err(|error| format!("{name} {error}"))
    };
    let (from, to) = (read("from", from)?, read("to", to)?);
    let asked =
        Stay::new(from, to).map_err(|_| format!("to must be 1 to {MAX_NIGHTS} days after from"))?;
    let first = asked.check_in().in_month().0.first();
    let last = asked.check_out().plus(-1).in_month().0.next().first();
    // Two years that begin and end inside a month are wider than a stay may be.
    Ok(Stay::new(first, last)
        .or_else(|_| Stay::new(first, first.plus(MAX_NIGHTS)))
        .unwrap_or(asked))
}

fn months(window: Stay) -> impl Iterator<Item = Month> {
    let last = window.check_out().plus(-1).in_month().0;
    std::iter::successors(Some(window.check_in().in_month().0), |month| Some(month.next()))
        .take_while(move |month| *month <= last)
}

fn range(change: &Change) -> Range {
    let until = match change.state {
        NightState::Held { until } => Some(Text(until)),
        _ => None,
    };
    let state = Some(change.state.name());
    Range { state, until, ..offered(change.from, change.to, Terms::default()) }
}

fn offered(from: Night, to: Night, terms: Terms) -> Range {
    Range {
        from: Text(from),
        to: Text(to),
        state: None,
        until: None,
        price: terms.price,
        min_nights: terms.min_nights,
        max_nights: terms.max_nights,
        closed_to_arrival: terms.closed_to_arrival,
        closed_to_departure: terms.closed_to_departure,
    }
}

fn digests(digests: impl Iterator<Item = (Month, Digest)>) -> BTreeMap<String, Text<Digest>> {
    digests.map(|(month, digest)| (month.to_string(), Text(digest))).collect()
}

fn encode(reply: &Reply<'_>) -> ByteString {
    // Nothing in a reply can fail to be written: keys are texts and numbers are whole.
    serde_json::to_string(reply).unwrap_or_default().into()
}
