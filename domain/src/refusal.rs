//! Refusals: answers that say why not, with the nights they concern and what would work instead.

use crate::booking::Illegal;
use crate::calendar::{Calendar, Claim};
use crate::property::Listing;
use crate::{BookingId, Instant, Night, Property, Stay};

/// Why a command was refused. A refusal changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The stay cannot be had: every reason, and up to three stays near it that can.
    Unavailable { reasons: Vec<Reason>, alternatives: Vec<Stay> },
    /// A host cannot be the guest of their own property.
    OwnProperty,
    /// The idempotency key stands for another request.
    KeyReused,
    /// The property has no such booking that could still change.
    UnknownBooking,
    /// The booking's status does not allow the step.
    Illegal(Illegal),
    /// The property has changed since its host looked at it.
    Stale,
    /// A property does not go from here to there.
    Listing { from: Listing, to: Listing },
    /// These bookings must end before the property may be so.
    LiveBookings(Vec<BookingId>),
}

/// One failing reason with the nights it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub code: Code,
    pub nights: Vec<Night>,
    /// When the hold on these nights ends by itself.
    pub held_until: Option<Instant>,
}

/// The stable names of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    PropertyUnlisted,
    InPast,
    TooManyGuests,
    UnavailableBooked,
    UnavailableHeld,
}

impl Code {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PropertyUnlisted => "property_unlisted",
            Self::InPast => "in_past",
            Self::TooManyGuests => "too_many_guests",
            Self::UnavailableBooked => "unavailable_booked",
            Self::UnavailableHeld => "unavailable_held",
        }
    }
}

/// The most alternatives in an answer.
const MAX_ALTERNATIVES: usize = 3;
/// How many days an alternative may be moved.
const MAX_SHIFT: i32 = 14;

/// All reasons why this stay cannot be booked now: empty if it can.
pub fn reasons(
    property: &Property,
    calendar: &Calendar,
    stay: Stay,
    guests: u16,
    now: Instant,
) -> Vec<Reason> {
    let mut reasons = rules(property, stay, guests, now);
    for (night, claim) in calendar.claims(stay).filter(|(_, claim)| claim.is_live(now)) {
        let (code, held_until) = match claim {
            Claim::Held { until, .. } => (Code::UnavailableHeld, Some(until)),
            _ => (Code::UnavailableBooked, None),
        };
        match reasons.iter_mut().find(|r| r.code == code && r.held_until == held_until) {
            Some(reason) => reason.nights.push(night),
            None => reasons.push(Reason { code, nights: vec![night], held_until }),
        }
    }
    reasons
}

/// The reasons that do not depend on other bookings.
fn rules(property: &Property, stay: Stay, guests: u16, now: Instant) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut fails = |code, nights| reasons.push(Reason { code, nights, held_until: None });
    if property.listing != Listing::Listed {
        fails(Code::PropertyUnlisted, stay.each_night().collect());
    }
    let today = property.today(now);
    if stay.check_in() < today {
        fails(Code::InPast, stay.each_night().take_while(|night| *night < today).collect());
    } else if stay.check_in() == today && !property.instant_book && now >= property.hours(stay).0 {
        // The host may answer until check-in: a request made later would be over at once.
        fails(Code::InPast, vec![today]);
    }
    if guests > property.max_guests {
        fails(Code::TooManyGuests, stay.each_night().collect());
    }
    reasons
}

/// Up to three stays nearest to this one that could be booked now: the same length moved by a few
/// days, then shorter ones with the same arrival.
pub fn alternatives(
    property: &Property,
    calendar: &Calendar,
    stay: Stay,
    guests: u16,
    now: Instant,
) -> Vec<Stay> {
    let moved = (1..=MAX_SHIFT).flat_map(|days| [stay.moved(days), stay.moved(-days)]).flatten();
    let shorter = (1..stay.nights()).filter_map(|nights| stay.shortened(nights));
    moved
        .chain(shorter)
        .filter(|other| {
            calendar.is_free(*other, now) && rules(property, *other, guests, now).is_empty()
        })
        .take(MAX_ALTERNATIVES)
        .collect()
}
