//! The calendar against a plain map from nights to claims.

use crate::given::{HOLD, booking, booking_id, night, now, property};
use domain::calendar::{Change, Claim, Digest};
use domain::event::{EventHash, Head};
use domain::property::Property;
use domain::rules::{Rules, Terms, weekday};
use domain::snapshot::Snapshot;
use domain::{Awaiting, Booking, Calendar, Instant, Month, Night, NightState, Status, Stay};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the nights begin: a few days before a new year, so that stays cross months and years.
const FIRST: &str = "2027-12-20";
/// How far they go: past the end of February in a leap year.
const DAYS: i32 = 75;
const BOOKINGS: usize = 6;

/// What becomes of one of a few bookings.
#[derive(Clone, Debug)]
struct Move {
    booking: usize,
    status: Status,
    from: i32,
    nights: i32,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let status = prop_oneof![
        3 => (1..4_u32).prop_map(|times| Status::Pending {
            awaiting: Awaiting::Payment,
            expires_at: now().plus(times * HOLD),
        }),
        3 => Just(Status::Confirmed),
        1 => Just(Status::Completed),
        1 => Just(Status::Canceled),
        1 => Just(Status::Declined),
        1 => Just(Status::Expired),
        1 => (0..DAYS).prop_map(|day| Status::NoShow { free_from: night(FIRST).plus(day) }),
    ];
    let nights = prop_oneof![9 => 1..6_i32, 1 => 20..60_i32];
    let one = (0..BOOKINGS, status, 0..DAYS, nights);
    let one = one.prop_map(|(booking, status, from, nights)| Move {
        booking,
        status,
        from,
        nights: nights.min(DAYS - from).max(1),
    });
    prop::collection::vec(one, 0..40)
}

/// The nights a booking holds, written down one by one.
fn held(booking: &Booking) -> Vec<(Night, Claim)> {
    let claim = match booking.status {
        Status::Pending { expires_at, .. } => {
            Claim::Held { booking: booking.id, until: expires_at }
        }
        Status::Confirmed | Status::Completed | Status::NoShow { .. } => {
            Claim::Booked { booking: booking.id }
        }
        Status::Canceled | Status::Declined | Status::Expired => return Vec::new(),
    };
    let kept = |night: &Night| match booking.status {
        Status::NoShow { free_from } => *night < free_from,
        _ => true,
    };
    booking.stay.each_night().filter(kept).map(|night| (night, claim)).collect()
}

fn shown(home: &Property, calendar: &Calendar) -> Snapshot {
    Snapshot {
        property: Arc::new(home.clone()),
        head: Head { seq: 1, hash: EventHash::default() },
        overrides: Arc::default(),
        blocks: Arc::default(),
        calendar: calendar.clone(),
    }
}

type Naive = BTreeMap<Night, Claim>;
type Seen = Result<(), TestCaseError>;

/// Takes the moves that leave no night to two bookings, on both, and calls `look` after each.
fn play(
    moves: &[Move],
    mut look: impl FnMut(&Calendar, &Naive, &[Change], &[(Month, Digest)]) -> Seen,
) -> Seen {
    let (mut calendar, mut naive) = (Calendar::default(), Naive::new());
    let mut bookings: Vec<Option<Booking>> = vec![None; BOOKINGS];
    for Move { booking: number, status, from, nights } in moves {
        let check_in = night(FIRST).plus(*from);
        let stay = Stay::new(check_in, check_in.plus(*nights)).expect("a stay");
        let id = booking_id(u128::try_from(*number).expect("small"));
        let after = Booking { id, stay, ..booking(*status, None) };
        let others = |claim: &Claim| claim.booking() != Some(id);
        if held(&after).iter().any(|(night, _)| naive.get(night).is_some_and(others)) {
            continue;
        }
        let before = bookings[*number].replace(after.clone());
        naive.retain(|_, claim| claim.booking() != Some(id));
        naive.extend(held(&after));
        let (changes, digests) = calendar.replace(before.as_ref(), &after);
        look(&calendar, &naive, &changes, &digests)?;
    }
    Ok(())
}

fn window() -> Stay {
    Stay::new(night(FIRST), night(FIRST).plus(DAYS + 60)).expect("a stay")
}

fn claim(naive: &Naive, night: Night) -> Claim {
    naive.get(&night).copied().unwrap_or(Claim::Open)
}

/// CRC-32 of a month's letters, bit by bit.
fn digest(naive: &Naive, month: Month) -> Digest {
    let nights = (month.first().days()..month.next().first().days()).map(Night::from_days);
    let letters = nights.flatten().map(|night| claim(naive, night).state().letter());
    Digest(!letters.fold(u32::MAX, |crc, letter| {
        (0..8).fold(crc ^ u32::from(letter), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    }))
}

proptest! {
    #[test]
    fn every_night_is_claimed_as_written_down(moves in moves()) {
        play(&moves, |calendar, naive, _, _| {
            for (night, found) in calendar.claims(window()) {
                prop_assert_eq!(found, claim(naive, night));
                prop_assert_eq!(calendar.claim(night), found);
            }
            let all: Naive = calendar.claimed().collect();
            prop_assert_eq!(&all, naive);
            Ok(())
        })?;
    }

    #[test]
    fn a_stay_is_free_when_none_of_its_nights_is_held_any_more(
        moves in moves(), from in 0..DAYS, nights in 1..8, holds in 0..5_u32,
    ) {
        let at: Instant = now().plus(holds * HOLD);
        let check_in = night(FIRST).plus(from);
        let stay = Stay::new(check_in, check_in.plus(nights)).expect("a stay");
        play(&moves, |calendar, naive, _, _| {
            let taken = |night: Night| match claim(naive, night) {
                Claim::Open => false,
                Claim::Held { until, .. } => at < until,
                Claim::Booked { .. } | Claim::Blocked => true,
            };
            prop_assert_eq!(calendar.is_free(stay, at), !stay.each_night().any(taken));
            Ok(())
        })?;
    }

    #[test]
    fn whoever_applies_the_changes_sees_the_calendar(moves in moves()) {
        let mut seen: BTreeMap<Night, NightState> = BTreeMap::new();
        play(&moves, |_, naive, changes, digests| {
            for change in changes {
                prop_assert!(change.from < change.to);
                for night in (change.from.days()..change.to.days()).filter_map(Night::from_days) {
                    seen.insert(night, change.state);
                }
            }
            for night in window().each_night() {
                let state = seen.get(&night).copied().unwrap_or(NightState::Available);
                prop_assert_eq!(state, claim(naive, night).state(), "{}", night);
            }
            let mut months: Vec<Month> = changes
                .iter()
                .flat_map(|change| change.from.days()..change.to.days())
                .filter_map(Night::from_days)
                .map(|night| night.in_month().0)
                .collect();
            months.sort_unstable();
            months.dedup();
            let expected: Vec<_> = months.into_iter().map(|m| (m, digest(naive, m))).collect();
            prop_assert_eq!(digests, &expected[..]);
            Ok(())
        })?;
    }

    #[test]
    fn the_public_sees_every_night_in_the_fewest_runs(moves in moves()) {
        let mut home = property();
        let dearer = Terms { price: Some(777), ..Terms::default() };
        let mut weekdays = [Terms::default(); 7];
        weekdays[5] = dearer;
        home.rules = Arc::new(Rules { weekdays, ..Rules::default() });
        play(&moves, |calendar, naive, _, _| {
            let runs = shown(&home, calendar).nights(window());
            let (mut next, mut last) = (window().check_in(), None);
            for (run, terms) in runs {
                prop_assert_eq!(run.from, next);
                prop_assert!(last != Some((run.state, terms)), "two runs that are one");
                for days in run.from.days()..run.to.days() {
                    let night = Night::from_days(days).expect("a night");
                    prop_assert_eq!(claim(naive, night).state(), run.state);
                    let price = if weekday(night) == 5 { 777 } else { home.price_per_night };
                    prop_assert_eq!(terms.price, Some(price));
                }
                (next, last) = (run.to, Some((run.state, terms)));
            }
            prop_assert_eq!(next, window().check_out());
            Ok(())
        })?;
    }

    #[test]
    fn a_digest_is_the_checksum_of_the_months_letters(moves in moves()) {
        play(&moves, |calendar, naive, _, _| {
            let mut month = night(FIRST).in_month().0;
            for _ in 0..5 {
                prop_assert_eq!(calendar.digest(month), digest(naive, month));
                month = month.next();
            }
            Ok(())
        })?;
    }
}

#[test]
fn a_copy_does_not_see_what_comes_after_it() {
    let mut calendar = Calendar::default();
    let held = booking(Status::Confirmed, None);
    calendar.replace(None, &held);
    let copy = calendar.clone();
    let canceled = Booking { status: Status::Canceled, ..held.clone() };
    calendar.replace(Some(&held), &canceled);
    assert_eq!(copy.claimed().count(), 3);
    assert_eq!(calendar.claimed().count(), 0);
}

#[test]
fn an_open_months_digest_is_known_without_a_calendar() {
    // The sums were made with zlib.
    for (date, sum) in [
        ("2027-02-01", "ed9a0c60"),
        ("2028-02-01", "a5e84517"),
        ("2027-04-01", "6bc1d3c1"),
        ("2027-12-01", "04bf8db6"),
    ] {
        let month = night(date).in_month().0;
        assert_eq!(Digest::of_open(month).to_string(), sum);
        assert_eq!(Calendar::default().digest(month), Digest::of_open(month));
        assert_eq!(digest(&Naive::new(), month), Digest::of_open(month));
    }
}
