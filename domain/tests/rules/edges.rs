//! Local time at its edges: where a day begins, is longer or shorter than others, or is left out.
//!
//! In Los Angeles the clock skips 02:00 to 03:00 on 2027-03-14 and repeats 01:00 to 02:00 on
//! 2027-11-07. Samoa left out 2011-12-30, and has been a day ahead since.

use crate::given::{HOUR, TICK, TOTAL, booking, night, property};
use domain::booking::{Illegal, Step, Stepped};
use domain::policy::Policy;
use domain::refusal::{Code, Ground};
use domain::rules::{Notice, Overrides, Rules};
use domain::zone::Zone;
use domain::{Booking, Calendar, Instant, Property, Status, Stay};
use jiff::civil::{Time, time};
use std::sync::Arc;

const LOS_ANGELES: &str = "America/Los_Angeles";
const KOLKATA: &str = "Asia/Kolkata";
const NAIROBI: &str = "Africa/Nairobi";
const APIA: &str = "Pacific/Apia";

fn at(text: &str) -> Instant {
    let at: jiff::Timestamp = text.parse().expect("an instant");
    at.into()
}

fn within(zone: &str) -> Property {
    Property { zone: Zone::named(zone).expect("a zone"), ..property() }
}

fn from(date: &str, nights: i32) -> Stay {
    Stay::new(night(date), night(date).plus(nights)).expect("a stay")
}

/// Why one night cannot be had by somebody who asks at this moment.
fn against(property: &Property, date: &str, now: Instant) -> Vec<Code> {
    let (overrides, calendar) = (Overrides::default(), Calendar::default());
    let ground = Ground::new(property, &overrides, &calendar, now);
    ground.reasons(from(date, 1), 2).iter().map(|reason| reason.code).collect()
}

#[test]
fn a_day_begins_for_every_rule_at_its_own_midnight() {
    for (zone, midnight, before, after) in [
        (LOS_ANGELES, "2027-03-14T08:00:00Z", "2027-03-13", "2027-03-14"),
        (LOS_ANGELES, "2027-03-15T07:00:00Z", "2027-03-14", "2027-03-15"),
        (LOS_ANGELES, "2027-11-07T07:00:00Z", "2027-11-06", "2027-11-07"),
        (LOS_ANGELES, "2027-11-08T08:00:00Z", "2027-11-07", "2027-11-08"),
        (KOLKATA, "2027-03-13T18:30:00Z", "2027-03-13", "2027-03-14"),
        (NAIROBI, "2027-03-13T21:00:00Z", "2027-03-13", "2027-03-14"),
        (APIA, "2027-03-13T11:00:00Z", "2027-03-13", "2027-03-14"),
        (APIA, "2011-12-30T10:00:00Z", "2011-12-29", "2011-12-31"),
    ] {
        let (late, midnight) = (at(midnight).minus(TICK), at(midnight));
        let home = within(zone);
        assert_eq!((home.today(late), home.today(midnight)), (night(before), night(after)));
        assert_eq!(against(&home, before, late), [], "{zone} {late}");
        assert_eq!(against(&home, before, midnight), [Code::InPast], "{zone} {midnight}");

        let with = |rules| Property { rules: Arc::new(rules), ..within(zone) };
        let notice = Notice { days: 1, cut_off: None };
        let home = with(Rules { notice, ..Rules::default() });
        assert_eq!(against(&home, after, late), [], "{zone} {late}");
        assert_eq!(against(&home, after, midnight), [Code::AdvanceNotice], "{zone} {midnight}");

        let home = with(Rules { window_days: Some(1), ..Rules::default() });
        assert_eq!(against(&home, after, late), [Code::BeyondWindow], "{zone} {late}");
        assert_eq!(against(&home, after, midnight), [], "{zone} {midnight}");
    }
}

#[test]
fn a_cut_off_falls_once_a_day_though_the_clock_skips_or_repeats_it() {
    let evening = time(18, 0, 0, 0);
    for (zone, today, cut_off, late_from, tomorrow) in [
        (LOS_ANGELES, "2027-03-14", time(2, 30, 0, 0), "2027-03-14T10:30:00Z", "2027-03-15"),
        (LOS_ANGELES, "2027-03-14", evening, "2027-03-15T01:00:00Z", "2027-03-15"),
        // Three quarters of an hour later the clock shows 01:15 for the second time.
        (LOS_ANGELES, "2027-11-07", time(1, 30, 0, 0), "2027-11-07T08:30:00Z", "2027-11-08"),
        (LOS_ANGELES, "2027-11-07", evening, "2027-11-08T02:00:00Z", "2027-11-08"),
        (KOLKATA, "2027-03-14", evening, "2027-03-14T12:30:00Z", "2027-03-15"),
        (NAIROBI, "2027-03-14", evening, "2027-03-14T15:00:00Z", "2027-03-15"),
        (APIA, "2027-03-14", evening, "2027-03-14T05:00:00Z", "2027-03-15"),
        (APIA, "2011-12-29", evening, "2011-12-30T04:00:00Z", "2011-12-31"),
        (APIA, "2011-12-31", evening, "2011-12-31T04:00:00Z", "2012-01-01"),
    ] {
        let notice = Notice { days: 0, cut_off: Some(cut_off) };
        let rules = Arc::new(Rules { notice, ..Rules::default() });
        let home = Property { rules, ..within(zone) };
        let late_from = at(late_from);
        let midnight = home.zone.at(night(tomorrow), Time::midnight());
        assert_eq!(against(&home, today, late_from.minus(TICK)), [], "{zone} {cut_off}");
        for late in [late_from, late_from.plus(HOUR * 3 / 4), midnight.minus(TICK)] {
            assert_eq!(against(&home, today, late), [Code::AdvanceNotice], "{zone} {late}");
            assert_eq!(against(&home, tomorrow, late), [], "{zone} {late}");
        }
    }
}

#[test]
fn a_stay_begins_and_ends_at_instants_of_its_own_place() {
    let (afternoon, morning) = (time(15, 0, 0, 0), time(11, 0, 0, 0));
    for (zone, hours, stay, begins, ends) in [
        (LOS_ANGELES, (afternoon, morning), from("2027-03-13", 1), "13T23:00", "14T18:00"),
        // What the clock skips comes as much later; of what it repeats, the first is meant.
        (LOS_ANGELES, (time(2, 30, 0, 0), morning), from("2027-03-14", 1), "14T10:30", "15T18:00"),
        (
            LOS_ANGELES,
            (afternoon, time(2, 30, 0, 0)),
            from("2027-03-13", 1),
            "13T23:00",
            "14T10:30",
        ),
        (LOS_ANGELES, (time(1, 30, 0, 0), morning), from("2027-11-07", 1), "07T08:30", "08T19:00"),
        (
            LOS_ANGELES,
            (afternoon, time(1, 30, 0, 0)),
            from("2027-11-06", 1),
            "06T22:00",
            "07T08:30",
        ),
        (KOLKATA, (afternoon, morning), from("2027-03-13", 1), "13T09:30", "14T05:30"),
        (NAIROBI, (afternoon, morning), from("2027-03-13", 1), "13T12:00", "14T08:00"),
        (APIA, (afternoon, morning), from("2027-03-13", 1), "13T02:00", "13T22:00"),
        // Two nights in the calendar, one of which never was: twenty hours.
        (APIA, (afternoon, morning), from("2011-12-29", 2), "30T01:00", "30T21:00"),
        (APIA, (afternoon, morning), from("2011-12-30", 2), "31T01:00", "31T21:00"),
    ] {
        let (check_in_from, check_out_by) = hours;
        let home = Property { check_in_from, check_out_by, ..within(zone) };
        let (check_in_at, check_out_at) = home.hours(stay);
        let month = &stay.check_in().to_string()[..8];
        let expected = [begins, ends].map(|hour| at(&format!("{month}{hour}:00Z")));
        assert_eq!([check_in_at, check_out_at], expected, "{zone} {stay}");
    }
}

#[test]
fn a_request_can_be_made_until_a_check_in_that_the_clock_skips_or_repeats() {
    for (today, check_in_from, check_in_at) in [
        ("2027-03-14", time(2, 30, 0, 0), "2027-03-14T10:30:00Z"),
        ("2027-11-07", time(1, 30, 0, 0), "2027-11-07T08:30:00Z"),
    ] {
        let home = Property { check_in_from, instant_book: false, ..within(LOS_ANGELES) };
        let check_in_at = at(check_in_at);
        assert_eq!(against(&home, today, check_in_at.minus(TICK)), [], "{today}");
        for late in [check_in_at, check_in_at.plus(HOUR * 3 / 4)] {
            assert_eq!(against(&home, today, late), [Code::InPast], "{today}");
        }
    }
}

/// A booking of this stay that was paid.
fn confirmed(zone: &str, stay: Stay, policy: Policy) -> Booking {
    let (check_in_at, check_out_at) = within(zone).hours(stay);
    let paid = Booking { paid: TOTAL, ..booking(Status::Confirmed, Some((1, false))) };
    Booking { stay, policy, check_in_at, check_out_at, ..paid }
}

#[test]
fn nobody_came_is_said_for_48_hours_whatever_the_clock_shows() {
    for (zone, stay, first, over) in [
        (LOS_ANGELES, from("2027-03-13", 5), "2027-03-13T23:00:00Z", "2027-03-15T23:00:00Z"),
        (LOS_ANGELES, from("2027-11-06", 5), "2027-11-06T22:00:00Z", "2027-11-08T22:00:00Z"),
        // A night that is an hour shorter or longer than others.
        (LOS_ANGELES, from("2027-03-13", 1), "2027-03-13T23:00:00Z", "2027-03-14T18:00:00Z"),
        (LOS_ANGELES, from("2027-11-06", 1), "2027-11-06T22:00:00Z", "2027-11-07T19:00:00Z"),
        (KOLKATA, from("2027-03-13", 5), "2027-03-13T09:30:00Z", "2027-03-15T09:30:00Z"),
        (NAIROBI, from("2027-03-13", 5), "2027-03-13T12:00:00Z", "2027-03-15T12:00:00Z"),
        (APIA, from("2011-12-29", 5), "2011-12-30T01:00:00Z", "2012-01-01T01:00:00Z"),
    ] {
        let booking = confirmed(zone, stay, Policy::Flexible);
        let (first, over) = (at(first), at(over));
        for (now, expected) in [
            (first.minus(TICK), Err(Illegal::Time)),
            (first, Ok(within(zone).today(first).plus(1))),
            (over.minus(TICK), Ok(within(zone).today(over.minus(TICK)).plus(1))),
            (over, Err(Illegal::Time)),
        ] {
            let step = Step::NoShow { today: within(zone).today(now), waive: false };
            let found = match booking.clone().step(step, now) {
                Ok(Stepped::To(_, Booking { status: Status::NoShow { free_from }, .. })) => {
                    Ok(free_from)
                }
                Err(illegal) => Err(illegal),
                other => panic!("{other:?}"),
            };
            assert_eq!(found, expected, "{zone} {stay} {now}");
        }
    }
}

#[test]
fn tiers_are_hours_before_check_in_whatever_the_clock_shows() {
    const HALF: i64 = TOTAL / 2;
    let (flexible, moderate, strict) = (Policy::Flexible, Policy::Moderate, Policy::Strict);
    for (zone, policy, check_in, until, before, after) in [
        // Check-in is at 15:00; the tier ends at 14:00, and at 16:00, on the dates before.
        (LOS_ANGELES, flexible, "2027-03-14", "2027-03-13T22:00:00Z", TOTAL, 0),
        (LOS_ANGELES, flexible, "2027-11-07", "2027-11-06T23:00:00Z", TOTAL, 0),
        (LOS_ANGELES, moderate, "2027-03-14", "2027-03-09T22:00:00Z", TOTAL, HALF),
        (LOS_ANGELES, moderate, "2027-11-07", "2027-11-02T23:00:00Z", TOTAL, HALF),
        (LOS_ANGELES, moderate, "2027-11-07", "2027-11-07T23:00:00Z", HALF, 0),
        (LOS_ANGELES, strict, "2027-03-14", "2027-03-07T22:00:00Z", HALF, 0),
        (LOS_ANGELES, strict, "2027-11-07", "2027-10-31T23:00:00Z", HALF, 0),
        (KOLKATA, flexible, "2027-03-14", "2027-03-13T09:30:00Z", TOTAL, 0),
        (NAIROBI, flexible, "2027-03-14", "2027-03-13T12:00:00Z", TOTAL, 0),
        (APIA, flexible, "2027-03-14", "2027-03-13T02:00:00Z", TOTAL, 0),
        // A day before is two dates before.
        (APIA, flexible, "2011-12-31", "2011-12-30T01:00:00Z", TOTAL, 0),
    ] {
        let booking = confirmed(zone, from(check_in, 3), policy);
        for (now, expected) in [(at(until).minus(TICK), before), (at(until), after)] {
            let canceled = booking.if_canceled(true, now).expect("a cancellation");
            assert_eq!(canceled.refunded, expected, "{zone} {} {now}", policy.name());
        }
    }
}
