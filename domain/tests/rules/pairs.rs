//! Every reason against a stay, alone and with every other one, at both ends of days that a clock
//! change makes longer or shorter or that stand beside one that was left out.

use crate::given::{HOLD, TICK, book, booking, booking_id, night, property, stored};
use domain::block::{Block, Reason as Why};
use domain::decide::Verdict;
use domain::property::{Listing, Property};
use domain::refusal::{Code, Reason, Refusal};
use domain::rules::{Rules, Terms};
use domain::state::{State, Stored};
use domain::zone::Zone;
use domain::{Awaiting, BlockId, Booking, Instant, Night, Status, Stay};
use jiff::civil::Time;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// All reasons. `InPast` stands first because it moves the stay that the others are about.
const ALL: [Code; 13] = [
    Code::InPast,
    Code::PropertyUnlisted,
    Code::TooManyGuests,
    Code::MinNights,
    Code::MaxNights,
    Code::AdvanceNotice,
    Code::BeyondWindow,
    Code::ClosedToArrival,
    Code::ClosedToDeparture,
    Code::UnavailableBooked,
    Code::UnavailableHeld,
    Code::UnavailableBlocked,
    Code::Preparation,
];

/// Pairs that no stay fails for at once, and why.
const NEVER: [(Code, Code, &str); 1] =
    [(Code::InPast, Code::AdvanceNotice, "an arrival that is past needs no notice any more")];

/// What is today, and where.
const TODAYS: [(&str, &str); 8] = [
    // The days on which the clock goes forward and back.
    ("America/Los_Angeles", "2027-03-14"),
    ("America/Los_Angeles", "2027-11-07"),
    // Half an hour beside everybody else.
    ("Asia/Kolkata", "2027-03-14"),
    ("Africa/Nairobi", "2027-03-14"),
    // The days around 2011-12-30, which Samoa left out.
    ("Pacific/Apia", "2011-12-29"),
    ("Pacific/Apia", "2011-12-31"),
    // A day ahead of those who look from America, in another year.
    ("Pacific/Apia", "2027-01-01"),
    ("UTC", "2028-02-29"),
];

/// How long the stay is, and how many guests come.
const NIGHTS: u16 = 4;
const GUESTS: u16 = 2;
/// How far ahead it begins, unless it is in the past.
const AHEAD_DAYS: u16 = 9;

/// A property, a wish for some of its nights, and the moment at which it is made.
struct World {
    stored: Stored,
    today: Night,
    arrival: Night,
    now: Instant,
}

/// What a reason says: its code, its limit, the end of its hold, and its days from the arrival on.
type Said = (Code, Option<u16>, Option<Instant>, Vec<i32>);

/// One world for each end of each day.
fn worlds() -> impl Iterator<Item = World> {
    TODAYS.into_iter().flat_map(|(zone, today)| {
        let (zone, today) = (Zone::named(zone).expect("a zone"), night(today));
        let midnight = |night| zone.at(night, Time::midnight());
        [midnight(today), midnight(today.plus(1)).minus(TICK)].map(|now| {
            let property = Property { zone: zone.clone(), ..property() };
            let arrival = today.plus(AHEAD_DAYS.into());
            World { stored: stored(property, Vec::new()), today, arrival, now }
        })
    })
}

impl World {
    /// Makes the wish fail for this reason, and tells what that reason must say.
    fn spoil(&mut self, code: Code) -> Said {
        let all: Vec<i32> = (0..NIGHTS.into()).collect();
        let (limit, days) = match code {
            Code::InPast => {
                self.arrival = self.today.plus(-2);
                (None, vec![0, 1])
            }
            Code::PropertyUnlisted => {
                self.stored.property.listing = Listing::Unlisted;
                (None, all)
            }
            Code::TooManyGuests => {
                self.stored.property.max_guests = GUESTS - 1;
                (Some(GUESTS - 1), all)
            }
            Code::MinNights => {
                self.terms(0).min_nights = Some(NIGHTS + 1);
                (Some(NIGHTS + 1), all)
            }
            Code::MaxNights => {
                self.terms(0).max_nights = Some(NIGHTS - 1);
                (Some(NIGHTS - 1), all)
            }
            Code::AdvanceNotice => {
                self.rules().notice.days = AHEAD_DAYS + 1;
                (Some(AHEAD_DAYS + 1), vec![0])
            }
            Code::BeyondWindow => {
                let days = u16::try_from(self.arrival.days() + 3 - self.today.days()).ok();
                self.rules().window_days = days;
                (days, vec![3])
            }
            Code::ClosedToArrival => {
                self.terms(0).closed_to_arrival = Some(true);
                (None, vec![0])
            }
            Code::ClosedToDeparture => {
                self.terms(4).closed_to_departure = Some(true);
                (None, vec![4])
            }
            Code::UnavailableBooked => {
                self.take(1, Status::Confirmed);
                (None, vec![1])
            }
            Code::UnavailableHeld => {
                let (awaiting, expires_at) = (Awaiting::Payment, self.now.plus(HOLD));
                self.take(2, Status::Pending { awaiting, expires_at });
                (None, vec![2])
            }
            Code::UnavailableBlocked => {
                let id = BlockId(Uuid::from_u128(1 << 64));
                let block = Block { id, nights: self.stay(3, 4), reason: Why::Owner };
                self.stored.blocks.insert(id, block);
                (None, vec![3])
            }
            Code::Preparation => {
                self.rules().preparation_nights = 1;
                self.take(-1, Status::Confirmed);
                (Some(1), vec![-1])
            }
        };
        let held_until = (code == Code::UnavailableHeld).then(|| self.now.plus(HOLD));
        (code, limit, held_until, days)
    }

    fn rules(&mut self) -> &mut Rules {
        Arc::make_mut(&mut self.stored.property.rules)
    }

    fn terms(&mut self, day: i32) -> &mut Terms {
        self.stored.overrides.entry(self.arrival.plus(day)).or_default()
    }

    /// The nights between two days, counted from the arrival.
    fn stay(&self, from: i32, to: i32) -> Stay {
        Stay::new(self.arrival.plus(from), self.arrival.plus(to)).expect("a stay")
    }

    /// Gives a night to somebody else.
    fn take(&mut self, day: i32, status: Status) {
        let id = booking_id(10 + self.stored.bookings.len() as u128);
        let stay = self.stay(day, day + 1);
        self.stored.bookings.push(Booking { id, stay, ..booking(status, None) });
    }

    /// What the property says to the wish: nothing where the stay can be had. Whatever it proposes
    /// instead can be had.
    fn answer(&self) -> Vec<Said> {
        let state = State::load(self.stored.clone(), crate::given::settings());
        let ask = |stay| state.clone().decide(&book(1, stay), 1, self.now);
        let (reasons, alternatives) = match ask(self.stay(0, NIGHTS.into())) {
            Verdict::Write(_) => return Vec::new(),
            Verdict::Refused(Refusal::Unavailable { reasons, alternatives }) => {
                (reasons, alternatives)
            }
            other => panic!("{other:?}"),
        };
        for other in alternatives {
            assert!(matches!(ask(other), Verdict::Write(_)), "{other} at {}", self.now);
        }
        let days = |nights: &[Night]| -> Vec<i32> {
            nights.iter().map(|night| night.days() - self.arrival.days()).collect()
        };
        let said =
            |reason: &Reason| (reason.code, reason.limit, reason.held_until, days(&reason.nights));
        reasons.iter().map(said).collect()
    }
}

#[test]
fn each_reason_is_told_with_the_nights_that_it_concerns_and_no_other() {
    for world in worlds() {
        assert_eq!(world.answer(), [], "{:?} {}", world.stored.property.zone, world.now);
    }
    for code in ALL {
        for mut world in worlds() {
            let expected = world.spoil(code);
            let zone = &world.stored.property.zone;
            assert_eq!(world.answer(), [expected], "{zone:?} {}", world.now);
        }
    }
}

#[test]
fn two_reasons_are_told_together_just_as_each_is_told_alone() {
    let mut covered = BTreeSet::new();
    for (place, first) in ALL.into_iter().enumerate() {
        for second in ALL.into_iter().skip(place + 1) {
            for mut world in worlds() {
                let expected = [world.spoil(first), world.spoil(second)];
                let answer = world.answer();
                let zone = &world.stored.property.zone;
                let context = format!("{zone:?} {}: {answer:?}", world.now);
                if NEVER.iter().any(|(a, b, _)| (*a, *b) == (first, second)) {
                    assert_eq!(answer, expected[..1], "{context}");
                    continue;
                }
                assert_eq!(answer.len(), 2, "{context}");
                assert!(expected.iter().all(|said| answer.contains(said)), "{context}");
                covered.insert((first.name(), second.name()));
            }
        }
    }
    let pairs = ALL.len() * (ALL.len() - 1) / 2;
    assert_eq!(covered.len() + NEVER.len(), pairs, "a pair of reasons that nobody tries");
}
