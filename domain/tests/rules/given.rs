//! What the tests start from.

use domain::block::Blocks;
use domain::booking::{Attempt, Taking};
use domain::command::{Command, Intent, Key};
use domain::event::{By, Head};
use domain::policy::Policy;
use domain::property::{CHECK_IN_FROM, CHECK_OUT_BY, Listing};
use domain::rules::Overrides;
use domain::state::{Settings, State, Stored};
use domain::zone::Zone;
use domain::{Booking, BookingId, Instant, Night, PaymentId, Price, Property, PropertyId, Stay};
use domain::{Status, UserId};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const HOLD: Duration = Duration::from_secs(15 * 60);
pub(crate) const TICK: Duration = Duration::from_micros(1);
pub(crate) const TOTAL: i64 = 30_000;

pub(crate) fn night(text: &str) -> Night {
    text.parse().expect("a date")
}

/// The nights from a day of December 2026 to another.
pub(crate) fn stay(from: i32, to: i32) -> Stay {
    let december = night("2026-12-01");
    Stay::new(december.plus(from - 1), december.plus(to - 1)).expect("a stay")
}

/// Noon of 2026-12-01 in UTC: when everything is decided, unless a test says otherwise.
pub(crate) fn now() -> Instant {
    let now: jiff::Timestamp = "2026-12-01T12:00:00Z".parse().expect("an instant");
    now.into()
}

pub(crate) fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(0x1000 + number))
}

pub(crate) fn host() -> UserId {
    user(0xffff)
}

pub(crate) fn booking_id(number: u128) -> BookingId {
    BookingId(Uuid::from_u128(0x2000 + number))
}

pub(crate) fn payment(number: u128) -> PaymentId {
    PaymentId(Uuid::from_u128(0x3000 + number))
}

pub(crate) fn property() -> Property {
    Property {
        id: PropertyId(Uuid::from_u128(0xca1e)),
        host: host(),
        listing: Listing::Listed,
        zone: Zone::named("UTC").expect("a zone"),
        price_per_night: 10_000,
        currency: "USD".parse().expect("a currency"),
        max_guests: 4,
        instant_book: true,
        check_in_from: CHECK_IN_FROM,
        check_out_by: CHECK_OUT_BY,
        policy: Policy::Flexible,
        rules: Arc::default(),
    }
}

/// A booking of three nights from 2026-12-10 in this status.
pub(crate) fn booking(status: Status, attempt: Option<(u128, bool)>) -> Booking {
    let (property, stay) = (property(), stay(10, 13));
    let (check_in_at, check_out_at) = property.hours(stay);
    Booking {
        id: booking_id(1),
        guest: user(1),
        stay,
        guests: 2,
        status,
        price: Price::even(stay, TOTAL),
        total: TOTAL,
        currency: property.currency,
        quote: None,
        attempt: attempt.map(|(number, live)| Attempt { payment: payment(number), live }),
        takings: Vec::new(),
        offline: false,
        paid: 0,
        refunded: 0,
        policy: Policy::Flexible,
        request: None,
        version: 1,
        created_at: now(),
        confirmed_at: None,
        check_in_at,
        check_out_at,
    }
}

/// The same, paid by payment 1.
pub(crate) fn paid(status: Status) -> Booking {
    let takings = vec![Taking { payment: payment(1), held: TOTAL }];
    Booking { paid: TOTAL, takings, ..booking(status, Some((1, false))) }
}

/// How everything is decided, unless a test says otherwise: one guest may hold all they want.
pub(crate) fn settings() -> Settings {
    Settings { one_pending_each: false, ..Settings::default() }
}

/// The state of a property with these bookings.
pub(crate) fn state(property: Property, bookings: Vec<Booking>) -> State {
    State::load(stored(property, bookings), settings())
}

pub(crate) fn stored(property: Property, bookings: Vec<Booking>) -> Stored {
    Stored {
        property,
        property_seq: 1,
        head: Head::default(),
        overrides: Overrides::default(),
        blocks: Blocks::default(),
        bookings,
        keys: Vec::new(),
    }
}

/// A guest's command without a key.
pub(crate) fn command(number: u128, intent: Intent) -> Command {
    Command { id: Uuid::from_u128(0x4000 + number), by: By::User(user(1)), key: None, intent }
}

/// A guest's wish to book.
pub(crate) fn book(number: u128, stay: Stay) -> Command {
    let booking = booking_id(number);
    command(
        number,
        Intent::Book {
            booking,
            guest: user(1),
            stay,
            guests: 2,
            quote: None,
            no_room: None,
            offline: false,
        },
    )
}

/// The same command under a key; `body` stands for what was asked.
pub(crate) fn under_key(command: Command, text: &str, body: u8) -> Command {
    let key = Key { caller: user(1), text: Arc::from(text), request: [body; 32] };
    Command { key: Some(key), ..command }
}
