//! The messages of the live calendar, one JSON object per frame, exactly as they go over the wire.
//!
//! It only translates: what is said is decided in [`super::session`]. Dates are `YYYY-MM-DD`,
//! instants RFC 3339 with `Z`, ranges half-open.

use crate::auth::tokens::Claims;
use crate::feed::{BookingNotice, Delta, Notice, PaymentNotice, Side};
use bytestring::ByteString;
use domain::calendar::{Change, Digest, NightState};
use domain::event::Seq;
use domain::rules::{MIN_NIGHTS, Terms};
use domain::snapshot::Snapshot;
use domain::stay::MAX_NIGHTS;
use domain::{Instant, Month, Night, Property, PropertyId, Status, Stay};
use jiff::civil::Time;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
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
    Authenticate {
        token: String,
    },
    SubscribeBookings {
        #[serde(rename = "as")]
        side: As,
    },
    UnsubscribeBookings {
        #[serde(rename = "as")]
        side: As,
    },
    Ping {},
}

/// From which side bookings are followed.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum As {
    Guest,
    Host,
}

impl From<As> for Side {
    fn from(side: As) -> Self {
        match side {
            As::Guest => Self::Guest,
            As::Host => Self::Host,
        }
    }
}

impl From<Side> for As {
    fn from(side: Side) -> Self {
        match side {
            Side::Guest => Self::Guest,
            Side::Host => Self::Host,
        }
    }
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
        #[serde(skip_serializing_if = "Option::is_none")]
        rules: Option<Rules<'a>>,
        /// Take a new snapshot: what changed has no last night.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        reset: bool,
    },
    Authenticated {
        user: Uuid,
        expires_at: Text<Instant>,
    },
    Bookings {
        #[serde(rename = "as")]
        side: As,
    },
    Booking {
        #[serde(rename = "as")]
        side: As,
        id: Uuid,
        property: Uuid,
        seq: Seq,
        at: Text<Instant>,
        cause: &'static str,
        status: &'static str,
        check_in: Text<Night>,
        check_out: Text<Night>,
        guests: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<Text<Instant>>,
    },
    Payment {
        id: Uuid,
        booking: Uuid,
        property: Uuid,
        status: &'static str,
        amount: i64,
        currency: &'a str,
        refunded_amount: i64,
        at: Text<Instant>,
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
    #[serde(flatten)]
    terms: Said,
}

/// What nights cost and demand. In a delta it is said as a whole, with null for what is not
/// demanded any more; in a snapshot such things are left out.
#[derive(Default, Serialize)]
struct Said {
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Option<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_nights: Option<Option<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_nights: Option<Option<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_to_arrival: Option<Option<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_to_departure: Option<Option<bool>>,
}

impl Said {
    fn in_snapshot(terms: Terms) -> Self {
        Self {
            price: terms.price.map(Some),
            min_nights: Some(terms.min_nights.or(Some(MIN_NIGHTS))),
            max_nights: terms.max_nights.map(Some),
            closed_to_arrival: terms.closed_to_arrival.map(Some),
            closed_to_departure: terms.closed_to_departure.map(Some),
        }
    }

    fn in_delta(terms: Terms) -> Self {
        Self {
            price: Some(terms.price),
            min_nights: Some(terms.min_nights.or(Some(MIN_NIGHTS))),
            max_nights: Some(terms.max_nights),
            closed_to_arrival: Some(terms.closed_to_arrival),
            closed_to_departure: Some(terms.closed_to_departure),
        }
    }
}

/// What depends on today or on the whole stay is said once and applied by the reader.
#[derive(Serialize)]
struct Rules<'a> {
    timezone: &'a str,
    currency: &'a str,
    max_guests: u16,
    price_per_night: i64,
    min_nights: u16,
    max_nights: i32,
    advance_notice: Ahead,
    #[serde(skip_serializing_if = "Option::is_none")]
    booking_window_days: Option<u16>,
    preparation_nights: u16,
    check_in_from: Text<Hours>,
    check_out_by: Text<Hours>,
    instant_book: bool,
}

/// How long before a stay it must be booked.
#[derive(Serialize)]
struct Ahead {
    days: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_off: Option<Text<Hours>>,
}

impl<'a> Rules<'a> {
    fn of(property: &'a Property) -> Self {
        let rules = &property.rules;
        Self {
            timezone: property.zone.name(),
            currency: property.currency.code(),
            max_guests: property.max_guests,
            price_per_night: property.price_per_night,
            min_nights: rules.default.min_nights.unwrap_or(MIN_NIGHTS),
            max_nights: rules.default.max_nights.map_or(MAX_NIGHTS, i32::from),
            advance_notice: Ahead {
                days: rules.notice.days,
                cut_off: rules.notice.cut_off.map(|time| Text(Hours(time))),
            },
            booking_window_days: rules.window_days,
            preparation_nights: rules.preparation_nights,
            check_in_from: Text(Hours(property.check_in_from)),
            check_out_by: Text(Hours(property.check_out_by)),
            instant_book: property.instant_book,
        }
    }
}

/// A local time as HH:MM.
struct Hours(Time);

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

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
    let ranges = runs
        .iter()
        .map(|(change, terms)| Range { terms: Said::in_snapshot(*terms), ..range(change) });
    encode(&Reply::Snapshot {
        property: property.id.0,
        epoch,
        seq: snapshot.head.seq,
        from: Text(window.check_in()),
        to: Text(window.check_out()),
        ranges: ranges.collect(),
        digests: digests(months.map(|month| (month, snapshot.calendar.digest(month)))),
        rules: Rules::of(property),
    })
}

/// The client has everything up to `seq`.
pub(super) fn resumed(epoch: &str, property: PropertyId, seq: Seq) -> ByteString {
    encode(&Reply::Resumed { property: property.0, epoch, seq })
}

/// One step of a calendar; the same bytes for everybody.
pub(super) fn delta(epoch: &str, delta: &Delta) -> ByteString {
    delta.encoded(|delta| {
        let offers = delta.offers.iter().map(|offer| Range {
            from: Text(offer.from),
            to: Text(offer.to),
            state: None,
            until: None,
            terms: Said::in_delta(offer.terms),
        });
        encode(&Reply::Delta {
            property: delta.property.0,
            epoch,
            prev_seq: delta.prev_seq,
            seq: delta.seq,
            at: Text(delta.at),
            changes: delta.changes.iter().map(range).chain(offers).collect(),
            digests: digests(delta.digests.iter().copied()),
            rules: delta.changed.as_deref().map(Rules::of),
            reset: delta.changed.is_some(),
        })
    })
}

/// The client acts as somebody from now on.
pub(super) fn authenticated(claims: &Claims) -> ByteString {
    let expires_at = Text(claims.expires_at);
    encode(&Reply::Authenticated { user: claims.user.0, expires_at })
}

/// Bookings are followed from here on: the list is to be read now.
pub(super) fn bookings(side: Side) -> ByteString {
    encode(&Reply::Bookings { side: side.into() })
}

/// Something that happened to a booking or a payment.
pub(super) fn notice(side: Side, notice: &Notice) -> ByteString {
    match notice {
        Notice::Booking(notice) => booking(side, notice),
        Notice::Payment(notice) => payment(notice),
    }
}

fn payment(notice: &PaymentNotice) -> ByteString {
    encode(&Reply::Payment {
        id: notice.payment.0,
        booking: notice.booking.0,
        property: notice.property.0,
        status: notice.status.name(),
        amount: notice.amount,
        currency: notice.currency.code(),
        refunded_amount: notice.refunded,
        at: Text(notice.at),
    })
}

fn booking(side: Side, notice: &BookingNotice) -> ByteString {
    let BookingNotice { property, seq, at, cause, booking } = notice;
    let expires_at = match booking.status {
        Status::Pending { expires_at, .. } => Some(Text(expires_at)),
        _ => None,
    };
    encode(&Reply::Booking {
        side: side.into(),
        id: booking.id.0,
        property: property.0,
        seq: *seq,
        at: Text(*at),
        cause: cause.name(),
        status: booking.status.name(),
        check_in: Text(booking.stay.check_in()),
        check_out: Text(booking.stay.check_out()),
        guests: booking.guests,
        expires_at,
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
    Ok(asked.in_whole_months())
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
    Range {
        from: Text(change.from),
        to: Text(change.to),
        state: Some(change.state.name()),
        until,
        terms: Said::default(),
    }
}

fn digests(digests: impl Iterator<Item = (Month, Digest)>) -> BTreeMap<String, Text<Digest>> {
    digests.map(|(month, digest)| (month.to_string(), Text(digest))).collect()
}

fn encode(reply: &Reply<'_>) -> ByteString {
    // Nothing in a reply can fail to be written: keys are texts and numbers are whole.
    serde_json::to_string(reply).unwrap_or_default().into()
}
