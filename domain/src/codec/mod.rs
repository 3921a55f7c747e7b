//! The canonical bytes of an event: a version byte, the length of the rest, then every field in a
//! fixed order, integers in big-endian, texts and lists with their length in front. Each event has
//! one form: bytes that say the same in another way are refused. Bytes are hashed and stored as
//! they are written here; a change of layout is a new version beside the old.

mod booking;
mod edit;
mod property;

use crate::booking::{Booking, Cause};
use crate::calendar::{Change, Digest, NightState};
use crate::event::{By, Event, Fact};
use crate::stay::{Month, Night};
use crate::{Instant, Price, Rules, UserId};
use uuid::Uuid;

/// The layout that is written. Version 1 knew no rules and no lines of prices: every night cost the
/// same. Version 2 knew one payment of a booking at most, no changes that wait for theirs, and no
/// bookings that are settled outside.
const VERSION: u8 = 3;
const FIRST_VERSION: u8 = 1;
const ONE_PAYMENT: u8 = 2;
/// The layout of values by themselves.
const ALONE_VERSION: u8 = 2;
const HEADER: usize = 5;

/// The bytes are not an event of a version that this build knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("event bytes end too early")]
    Short,
    #[error("event bytes go on after their end")]
    Long,
    #[error("event bytes have the unknown version {0}")]
    Version(u8),
    #[error("event bytes hold a value that is none: {0}")]
    Value(&'static str),
}

type Read<T> = Result<T, CodecError>;

/// The canonical bytes of an event.
pub fn encode(event: &Event) -> Vec<u8> {
    let mut w = Writer { bytes: Vec::with_capacity(256) };
    w.bytes.extend([VERSION, 0, 0, 0, 0]);
    w.i64(event.seq);
    w.instant(event.at);
    match event.by {
        By::User(user) => {
            w.u8(0);
            w.uuid(user.0);
        }
        By::Clock => w.u8(1),
        By::Provider => w.u8(2),
    }
    w.uuid(event.command);
    match &event.fact {
        Fact::PropertyCreated(property) => {
            w.u8(0);
            w.property(property);
        }
        Fact::Booking(cause, booking) => {
            w.u8(1);
            w.u8(*cause as u8);
            w.booking(booking);
        }
        Fact::PropertyChanged(property) => {
            w.u8(2);
            w.property(property);
        }
        Fact::CalendarEdited(edited) => {
            w.u8(3);
            w.edited(edited);
        }
    }
    w.length(event.changes.len());
    for change in &event.changes {
        w.change(change);
    }
    w.length(event.offers.len());
    for offer in &event.offers {
        w.offer(offer);
    }
    w.length(event.digests.len());
    for (month, digest) in &event.digests {
        w.i32(month.index());
        w.u32(digest.0);
    }
    let rest = u32::try_from(w.bytes.len() - HEADER).unwrap_or(u32::MAX);
    w.bytes[1..HEADER].copy_from_slice(&rest.to_be_bytes());
    w.bytes
}

/// The event that these bytes say.
pub fn decode(bytes: &[u8]) -> Read<Event> {
    let mut r = Reader { bytes, version: VERSION };
    r.version = r.u8()?;
    if !(FIRST_VERSION..=VERSION).contains(&r.version) {
        return Err(CodecError::Version(r.version));
    }
    let rest = usize::try_from(r.u32()?).map_err(|_| CodecError::Short)?;
    if r.bytes.len() != rest {
        return Err(if r.bytes.len() < rest { CodecError::Short } else { CodecError::Long });
    }
    let seq = r.i64()?;
    let at = r.instant()?;
    let by = match r.u8()? {
        0 => By::User(UserId(r.uuid()?)),
        1 => By::Clock,
        2 => By::Provider,
        _ => return Err(CodecError::Value("by")),
    };
    let command = r.uuid()?;
    let fact = match r.u8()? {
        0 => Fact::PropertyCreated(r.property()?),
        1 => {
            let cause = usize::from(r.u8()?);
            let cause = *Cause::ALL.get(cause).ok_or(CodecError::Value("cause"))?;
            Fact::Booking(cause, r.booking()?)
        }
        2 => Fact::PropertyChanged(r.property()?),
        3 => Fact::CalendarEdited(r.edited()?),
        _ => return Err(CodecError::Value("fact")),
    };
    let changes = r.list(Reader::change)?;
    let offers = if r.version == FIRST_VERSION { Vec::new() } else { r.list(Reader::offer)? };
    let digests = r.list(|r| Ok((r.month()?, Digest(r.u32()?))))?;
    if r.bytes.is_empty() {
        Ok(Event { seq, at, by, command, fact, changes, offers, digests })
    } else {
        Err(CodecError::Long)
    }
}

/// A price by itself in bytes, behind a version byte.
pub fn price_bytes(price: &Price) -> Vec<u8> {
    let mut w = Writer { bytes: Vec::with_capacity(32) };
    w.u8(ALONE_VERSION);
    w.price(price);
    w.bytes
}

/// The price that these bytes say.
pub fn price(bytes: &[u8]) -> Read<Price> {
    alone(bytes, Reader::price)
}

/// What a booking's own columns do not say, behind a version byte: the change that waits for its
/// payment, and the payments that were taken. Most bookings have nothing of it.
pub fn amendment_bytes(booking: &Booking) -> Option<Vec<u8>> {
    if booking.request.is_none() && booking.takings == booking.only_taking() {
        return None;
    }
    let mut w = Writer { bytes: Vec::with_capacity(64) };
    w.u8(ALONE_VERSION);
    w.amendment(booking);
    Some(w.bytes)
}

/// Adds to a booking what these bytes say.
pub fn amend(booking: &mut Booking, bytes: Option<&[u8]>) -> Read<()> {
    match bytes {
        Some(bytes) => alone(bytes, |r| r.amendment(booking)),
        None => {
            booking.takings = booking.only_taking();
            Ok(())
        }
    }
}

/// Rules by themselves in bytes, behind a version byte.
pub fn rules_bytes(rules: &Rules) -> Vec<u8> {
    let mut w = Writer { bytes: Vec::with_capacity(128) };
    w.u8(ALONE_VERSION);
    w.rules(rules);
    w.bytes
}

/// The rules that these bytes say.
pub fn rules(bytes: &[u8]) -> Read<Rules> {
    alone(bytes, Reader::rules)
}

/// One value with a version byte in front and nothing behind.
fn alone<'a, T>(bytes: &'a [u8], value: impl FnOnce(&mut Reader<'a>) -> Read<T>) -> Read<T> {
    let mut r = Reader { bytes, version: ALONE_VERSION };
    match r.u8()? {
        ALONE_VERSION => {}
        other => return Err(CodecError::Version(other)),
    }
    let value = value(&mut r)?;
    if r.bytes.is_empty() { Ok(value) } else { Err(CodecError::Long) }
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    fn u16(&mut self, value: u16) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn i32(&mut self, value: i32) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn i64(&mut self, value: i64) {
        self.bytes.extend(value.to_be_bytes());
    }

    fn uuid(&mut self, value: Uuid) {
        self.bytes.extend(value.as_bytes());
    }

    fn length(&mut self, length: usize) {
        self.u32(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend(text.as_bytes());
    }

    fn instant(&mut self, instant: Instant) {
        self.i64(instant.as_micros());
    }

    fn flag(&mut self, flag: bool) {
        self.u8(u8::from(flag));
    }

    /// Whether there is a value, and the value.
    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn night(&mut self, night: Night) {
        self.i32(night.days());
    }

    fn change(&mut self, change: &Change) {
        self.night(change.from);
        self.night(change.to);
        match change.state {
            NightState::Available => self.u8(0),
            NightState::Held { until } => {
                self.u8(1);
                self.instant(until);
            }
            NightState::Booked => self.u8(2),
            NightState::Blocked => self.u8(3),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    version: u8,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(CodecError::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| CodecError::Short)
    }

    fn u8(&mut self) -> Read<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Read<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Read<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn i32(&mut self) -> Read<i32> {
        self.array().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Read<i64> {
        self.array().map(i64::from_be_bytes)
    }

    fn uuid(&mut self) -> Read<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    fn optional_uuid(&mut self) -> Read<Option<Uuid>> {
        Ok(Some(self.uuid()?).filter(|id| !id.is_nil()))
    }

    fn flag(&mut self) -> Read<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::Value("flag")),
        }
    }

    fn optional<T>(&mut self, value: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        if self.flag()? { value(self).map(Some) } else { Ok(None) }
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        // The vector grows with what is really there, so a forged length cannot ask for memory.
        let length = self.u32()?;
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn text(&mut self) -> Read<&'a str> {
        let length = usize::try_from(self.u32()?).map_err(|_| CodecError::Short)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| CodecError::Value("text"))
    }

    fn parsed<T: std::str::FromStr>(&mut self, what: &'static str) -> Read<T> {
        self.text()?.parse().map_err(|_| CodecError::Value(what))
    }

    fn instant(&mut self) -> Read<Instant> {
        self.i64().map(Instant::from_micros)
    }

    fn night(&mut self) -> Read<Night> {
        Night::from_days(self.i32()?).ok_or(CodecError::Value("night"))
    }

    fn month(&mut self) -> Read<Month> {
        Month::from_index(self.i32()?).ok_or(CodecError::Value("month"))
    }

    fn change(&mut self) -> Read<Change> {
        Ok(Change {
            from: self.night()?,
            to: self.night()?,
            state: match self.u8()? {
                0 => NightState::Available,
                1 => NightState::Held { until: self.instant()? },
                2 => NightState::Booked,
                3 => NightState::Blocked,
                _ => return Err(CodecError::Value("state")),
            },
        })
    }
}
