//! Refusals: answers that say why not, with the nights they concern and what would work instead.

use crate::booking::Illegal;
use crate::calendar::{Calendar, Claim};
use crate::property::Listing;
use crate::rules::{Notice, Overrides};
use crate::{BlockId, BookingId, Instant, Night, Property, Stay};

/// Why a command was refused. A refusal changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The stay cannot be had: every reason, and up to three stays near it that can.
    Unavailable {
        reasons: Vec<Reason>,
        alternatives: Vec<Stay>,
    },
    /// A host cannot be the guest of their own property.
    OwnProperty,
    /// The quote's time is over, or it is for another stay.
    QuoteExpired,
    /// The idempotency key stands for another request.
    KeyReused,
    /// The property has no such booking that could still change.
    UnknownBooking,
    /// The booking's status does not allow the step.
    Illegal(Illegal),
    /// What is to be changed has changed since the caller looked at it.
    Stale,
    /// A property does not go from here to there.
    Listing {
        from: Listing,
        to: Listing,
    },
    /// These bookings must end before the property, or its calendar, may be so.
    LiveBookings(Vec<BookingId>),
    /// The property has no such block, or has it already.
    UnknownBlock(BlockId),
    KnownBlock(BlockId),
    /// The property has as many blocks as it may have.
    TooManyBlocks,
    /// The guest has a booking of this property that is pending.
    PendingHere(Hold),
    /// The guest has as many pending bookings, or wishes for some on their way, as a guest may:
    /// these are pending, none where all are on their way.
    TooManyPending(Vec<Hold>),
}

/// A booking that waits for its payment or for its host, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub booking: BookingId,
    pub until: Instant,
}

/// One failing reason with the nights it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub code: Code,
    pub nights: Vec<Night>,
    /// When the hold on these nights ends by itself.
    pub held_until: Option<Instant>,
    /// The number that the rule sets, for reasons that are about one.
    pub limit: Option<u16>,
}

/// The stable names of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    PropertyUnlisted,
    InPast,
    TooManyGuests,
    MinNights,
    MaxNights,
    AdvanceNotice,
    BeyondWindow,
    ClosedToArrival,
    ClosedToDeparture,
    UnavailableBooked,
    UnavailableHeld,
    UnavailableBlocked,
    Preparation,
}

impl Code {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PropertyUnlisted => "property_unlisted",
            Self::InPast => "in_past",
            Self::TooManyGuests => "too_many_guests",
            Self::MinNights => "min_nights",
            Self::MaxNights => "max_nights",
            Self::AdvanceNotice => "advance_notice",
            Self::BeyondWindow => "beyond_window",
            Self::ClosedToArrival => "closed_to_arrival",
            Self::ClosedToDeparture => "closed_to_departure",
            Self::UnavailableBooked => "unavailable_booked",
            Self::UnavailableHeld => "unavailable_held",
            Self::UnavailableBlocked => "unavailable_blocked",
            Self::Preparation => "preparation",
        }
    }
}

/// The most alternatives in an answer.
const MAX_ALTERNATIVES: usize = 3;
/// How many days an alternative may be moved.
const MAX_SHIFT: i32 = 14;

/// What wishes for stays are judged on: one state of a property at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    property: &'a Property,
    overrides: &'a Overrides,
    calendar: &'a Calendar,
    now: Instant,
    /// The property's local date.
    today: Night,
    /// A booking that is to be changed, with its present nights: they are its own already, and
    /// rules that it was made under are not judged again where it keeps to them.
    kept: Option<(BookingId, Stay)>,
}

impl<'a> Ground<'a> {
    /// The ground for new bookings.
    pub fn new(
        property: &'a Property,
        overrides: &'a Overrides,
        calendar: &'a Calendar,
        now: Instant,
    ) -> Self {
        Self { property, overrides, calendar, now, today: property.today(now), kept: None }
    }

    /// The ground for other dates or guests of this booking.
    #[must_use]
    pub const fn keeping(mut self, booking: BookingId, stay: Stay) -> Self {
        self.kept = Some((booking, stay));
        self
    }

    /// All reasons why this stay cannot be had now: empty if it can.
    pub fn reasons(&self, stay: Stay, guests: u16) -> Vec<Reason> {
        let mut reasons = self.against_rules(stay, guests);
        let taken = self.taken(stay).map(|(night, claim)| match claim {
            Claim::Held { until, .. } => (night, Code::UnavailableHeld, Some(until)),
            Claim::Blocked => (night, Code::UnavailableBlocked, None),
            _ => (night, Code::UnavailableBooked, None),
        });
        let unprepared = self.unprepared(stay).map(|night| (night, Code::Preparation, None));
        for (night, code, held_until) in taken.chain(unprepared) {
            match reasons.iter_mut().find(|r| r.code == code && r.held_until == held_until) {
                Some(reason) => reason.nights.push(night),
                None => {
                    let limit = (code == Code::Preparation)
                        .then_some(self.property.rules.preparation_nights);
                    reasons.push(Reason { code, nights: vec![night], held_until, limit });
                }
            }
        }
        reasons
    }

    /// Up to three stays nearest to this one that can be had: the same length moved by a few days,
    /// then shorter ones with the same arrival.
    pub fn alternatives(&self, stay: Stay, guests: u16) -> Vec<Stay> {
        let moved =
            (1..=MAX_SHIFT).flat_map(|days| [stay.moved(days), stay.moved(-days)]).flatten();
        let shorter = (1..stay.nights()).filter_map(|nights| stay.shortened(nights));
        moved
            .chain(shorter)
            .filter(|other| self.is_possible(*other, guests))
            .take(MAX_ALTERNATIVES)
            .collect()
    }

    /// Whether the stay can be had now: there is no reason against it.
    pub fn is_possible(&self, stay: Stay, guests: u16) -> bool {
        self.taken(stay).next().is_none()
            && self.against_rules(stay, guests).is_empty()
            && self.unprepared(stay).next().is_none()
    }

    /// The nights of the stay that others hold.
    fn taken(&self, stay: Stay) -> impl Iterator<Item = (Night, Claim)> {
        let (now, own) = (self.now, self.kept.map(|(booking, _)| booking));
        self.calendar.claims(stay).filter(move |(_, claim)| {
            claim.is_live(now) && (own.is_none() || claim.booking() != own)
        })
    }

    /// The nights around the stay that are taken and must lie free between two stays.
    fn unprepared(&self, stay: Stay) -> impl Iterator<Item = Night> {
        let nights = self.property.rules.preparation_nights;
        let around = (nights > 0).then(|| stay.widened(nights));
        let taken = around.into_iter().flat_map(|around| self.taken(around));
        let by_guests = taken.filter(|(_, claim)| claim.booking().is_some());
        by_guests.map(|(night, _)| night).filter(move |night| !stay.has(*night))
    }

    /// The reasons that do not depend on other bookings.
    fn against_rules(&self, stay: Stay, guests: u16) -> Vec<Reason> {
        let Self { property, overrides, today, .. } = *self;
        let rules = &*property.rules;
        let kept = self.kept.map(|(_, stay)| stay);
        let is_new = |night: &Night| kept.is_none_or(|kept| !kept.has(*night));
        let mut reasons = Vec::new();
        let mut fails = |code, limit, nights: Vec<Night>| {
            if !nights.is_empty() {
                reasons.push(Reason { code, nights, held_until: None, limit });
            }
        };
        if property.listing != Listing::Listed {
            fails(Code::PropertyUnlisted, None, stay.each_night().filter(is_new).collect());
        }
        let arrival = stay.check_in();
        let terms = rules.terms(overrides, arrival);
        if kept.is_none_or(|kept| kept.check_in() != arrival) {
            if arrival < today {
                let past = stay.each_night().take_while(|night| *night < today);
                fails(Code::InPast, None, past.collect());
            } else if arrival == today && !property.instant_book && self.is_check_in_over(stay) {
                // The host may answer until check-in: a request made later would be over at once.
                fails(Code::InPast, None, vec![today]);
            } else if arrival < self.first_arrival() {
                fails(Code::AdvanceNotice, Some(rules.notice.days), vec![arrival]);
            }
            if terms.closed_to_arrival == Some(true) {
                fails(Code::ClosedToArrival, None, vec![arrival]);
            }
        }
        if let Some(days) = rules.window_days {
            let end = today.plus(i32::from(days));
            let beyond = stay.each_night().filter(|night| *night >= end && is_new(night));
            fails(Code::BeyondWindow, Some(days), beyond.collect());
        }
        if guests > property.max_guests {
            let limit = Some(property.max_guests);
            fails(Code::TooManyGuests, limit, stay.each_night().collect());
        }
        if kept != Some(stay) {
            let limits = (terms.min_nights.map(i32::from), terms.max_nights.map(i32::from));
            if limits.0.is_some_and(|min| stay.nights() < min) {
                fails(Code::MinNights, terms.min_nights, stay.each_night().collect());
            }
            if limits.1.is_some_and(|max| stay.nights() > max) {
                fails(Code::MaxNights, terms.max_nights, stay.each_night().collect());
            }
        }
        let departure = stay.check_out();
        if kept.is_none_or(|kept| kept.check_out() != departure)
            && rules.terms(overrides, departure).closed_to_departure == Some(true)
        {
            fails(Code::ClosedToDeparture, None, vec![departure]);
        }
        reasons
    }

    fn is_check_in_over(&self, stay: Stay) -> bool {
        self.now >= self.property.hours(stay).0
    }

    /// The first date on which somebody who books now may arrive.
    fn first_arrival(&self) -> Night {
        let Notice { days, cut_off } = self.property.rules.notice;
        let is_late =
            cut_off.is_some_and(|time| self.now >= self.property.zone.at(self.today, time));
        self.today.plus(i32::from(days) + i32::from(is_late))
    }
}
