//! Rules and their layers, each alone and at its edge.

use crate::given::{TICK, booking, now, property, stay};
use domain::property::Property;
use domain::refusal::{Code, Ground};
use domain::rules::{Notice, Overrides, Rules, Season, Terms, weekday};
use domain::zone::Zone;
use domain::{Calendar, Instant, Night, Status, Stay};
use jiff::civil::Time;
use std::sync::Arc;

fn night(text: &str) -> Night {
    text.parse().expect("a date")
}

fn with(rules: Rules) -> Property {
    Property { rules: Arc::new(rules), ..property() }
}

/// The codes of all reasons, each with its limit and the dates it names.
fn against(
    property: &Property,
    overrides: &Overrides,
    wanted: Stay,
    at: Instant,
) -> Vec<(Code, Option<u16>, Vec<i32>)> {
    let mut calendar = Calendar::default();
    // The nights of the 10th to the 12th are taken.
    calendar.replace(None, &booking(Status::Confirmed, None));
    let found = Ground::new(property, overrides, &calendar, at).reasons(wanted, 2);
    let first = night("2026-12-01").days() - 1;
    let days = |nights: &[Night]| nights.iter().map(|night| night.days() - first).collect();
    found.iter().map(|reason| (reason.code, reason.limit, days(&reason.nights))).collect()
}

fn alone(rules: Rules, wanted: Stay) -> Vec<(Code, Option<u16>, Vec<i32>)> {
    against(&with(rules), &Overrides::default(), wanted, now())
}

fn by_default(default: Terms) -> Rules {
    Rules { default, ..Rules::default() }
}

#[test]
fn a_term_is_taken_from_the_first_layer_that_says_something() {
    let price = |price| Terms { price: Some(price), ..Terms::default() };
    let min = |min| Terms { min_nights: Some(min), ..Terms::default() };
    // 2026-12-25 is a Friday.
    let mut weekdays = [Terms::default(); 7];
    weekdays[4] = Terms { price: Some(300), min_nights: Some(3), ..Terms::default() };
    let season =
        |from, to, terms| Season { name: String::new(), from: night(from), to: night(to), terms };
    let rules = Rules {
        default: Terms { price: Some(100), max_nights: Some(9), ..Terms::default() },
        weekdays,
        seasons: vec![
            season("2026-12-20", "2026-12-27", price(400)),
            season("2026-12-27", "2026-12-29", min(5)),
        ],
        ..Rules::default()
    };
    let overrides =
        Overrides::from([(night("2026-12-25"), min(1)), (night("2026-12-28"), price(500))]);
    for (date, price, min_nights) in [
        ("2026-12-17", 100, None),
        ("2026-12-18", 300, Some(3)),
        ("2026-12-19", 100, None),
        ("2026-12-20", 400, None),
        ("2026-12-25", 400, Some(1)),
        ("2026-12-26", 400, None),
        ("2026-12-27", 100, Some(5)),
        ("2026-12-28", 500, Some(5)),
        ("2026-12-29", 100, None),
    ] {
        let terms = rules.terms(&overrides, night(date));
        assert_eq!((terms.price, terms.min_nights), (Some(price), min_nights), "{date}");
        assert_eq!(terms.max_nights, Some(9), "{date}");
    }
}

#[test]
fn weekdays_are_counted_from_monday() {
    let monday = night("2026-12-07");
    for days in 0..14 {
        assert_eq!(weekday(monday.plus(days)), usize::try_from(days % 7).expect("a day"));
    }
}

#[test]
fn seasons_clash_when_they_share_a_night_or_have_none() {
    let season = |from: i32, to: i32| Season {
        name: String::new(),
        from: night("2026-12-01").plus(from),
        to: night("2026-12-01").plus(to),
        terms: Terms::default(),
    };
    for (seasons, clash) in [
        (vec![], false),
        (vec![season(0, 1)], false),
        (vec![season(0, 0)], true),
        (vec![season(0, 2), season(2, 3)], false),
        (vec![season(0, 3), season(2, 4)], true),
        (vec![season(5, 6), season(0, 1)], true),
    ] {
        assert_eq!(Rules { seasons, ..Rules::default() }.seasons_clash(), clash);
    }
}

#[test]
fn the_length_of_a_stay_is_judged_by_its_arrival() {
    let length = Terms { min_nights: Some(2), max_nights: Some(4), ..Terms::default() };
    let rules = || by_default(length);
    assert_eq!(alone(rules(), stay(2, 3)), [(Code::MinNights, Some(2), vec![2])]);
    assert_eq!(alone(rules(), stay(2, 4)), []);
    assert_eq!(alone(rules(), stay(2, 6)), []);
    assert_eq!(alone(rules(), stay(2, 7)), [(Code::MaxNights, Some(4), vec![2, 3, 4, 5, 6])]);
    let of_date = Terms { min_nights: Some(1), ..Terms::default() };
    for (date, expected) in [(2, 0), (1, 1), (3, 1)] {
        let overrides = Overrides::from([(stay(date, 9).check_in(), of_date)]);
        assert_eq!(against(&with(rules()), &overrides, stay(2, 3), now()).len(), expected);
    }
}

#[test]
fn a_closed_date_is_one_on_which_no_stay_begins_or_ends() {
    let arrival = Terms { closed_to_arrival: Some(true), ..Terms::default() };
    let departure = Terms { closed_to_departure: Some(true), ..Terms::default() };
    let fifth = stay(5, 6).check_in();
    let on =
        |terms, wanted| against(&property(), &Overrides::from([(fifth, terms)]), wanted, now());
    assert_eq!(on(arrival, stay(5, 7)), [(Code::ClosedToArrival, None, vec![5])]);
    assert_eq!(on(arrival, stay(4, 7)), []);
    assert_eq!(on(arrival, stay(3, 5)), []);
    assert_eq!(on(departure, stay(3, 5)), [(Code::ClosedToDeparture, None, vec![5])]);
    assert_eq!(on(departure, stay(5, 7)), []);
    let open = Terms { closed_to_arrival: Some(false), ..Terms::default() };
    assert_eq!(on(open, stay(5, 7)), []);
}

#[test]
fn notice_counts_local_days_and_a_late_booking_is_tomorrows() {
    let notice = |days, hour: Option<i8>| Rules {
        notice: Notice { days, cut_off: hour.map(|hour| Time::constant(hour, 0, 0, 0)) },
        ..Rules::default()
    };
    assert_eq!(alone(notice(0, None), stay(1, 2)), []);
    assert_eq!(alone(notice(2, None), stay(3, 4)), []);
    assert_eq!(alone(notice(2, None), stay(2, 4)), [(Code::AdvanceNotice, Some(2), vec![2])]);
    // It is noon.
    assert_eq!(alone(notice(0, Some(12)), stay(1, 2)), [(Code::AdvanceNotice, Some(0), vec![1])]);
    assert_eq!(alone(notice(0, Some(12)), stay(2, 3)), []);
    let just_before = now().minus(TICK);
    let on =
        |zone| Property { zone: Zone::named(zone).expect("a zone"), ..with(notice(1, Some(12))) };
    let none = Overrides::default();
    assert_eq!(against(&on("UTC"), &none, stay(2, 3), just_before), []);
    // In Nairobi it is 15:00, in Apia it is the second of December, 01:00.
    for (zone, first) in [("Africa/Nairobi", 3), ("Pacific/Apia", 3), ("America/Los_Angeles", 2)] {
        assert_eq!(against(&on(zone), &none, stay(first, 6), just_before), [], "{zone}");
        let early = against(&on(zone), &none, stay(first - 1, 6), just_before);
        assert_eq!(early, [(Code::AdvanceNotice, Some(1), vec![first - 1])], "{zone}");
    }
}

#[test]
fn only_nights_inside_the_window_can_be_booked() {
    let rules = || Rules { window_days: Some(5), ..Rules::default() };
    assert_eq!(alone(rules(), stay(1, 6)), []);
    assert_eq!(alone(rules(), stay(4, 8)), [(Code::BeyondWindow, Some(5), vec![6, 7])]);
}

#[test]
fn between_two_stays_there_are_at_least_so_many_nights() {
    let rules = |preparation_nights| Rules { preparation_nights, ..Rules::default() };
    // The nights of the 10th to the 12th are taken.
    assert_eq!(alone(rules(0), stay(8, 10)), []);
    assert_eq!(alone(rules(1), stay(8, 10)), [(Code::Preparation, Some(1), vec![10])]);
    assert_eq!(alone(rules(1), stay(7, 9)), []);
    assert_eq!(alone(rules(2), stay(14, 15)), [(Code::Preparation, Some(2), vec![12])]);
    assert_eq!(alone(rules(2), stay(15, 16)), []);
    assert_eq!(
        alone(rules(2), stay(12, 14)),
        [(Code::UnavailableBooked, None, vec![12]), (Code::Preparation, Some(2), vec![10, 11])]
    );
}

#[test]
fn all_rules_that_fail_are_told_at_once() {
    let terms = Terms {
        min_nights: Some(5),
        closed_to_arrival: Some(true),
        closed_to_departure: Some(true),
        ..Terms::default()
    };
    let rules = Rules {
        notice: Notice { days: 20, cut_off: None },
        window_days: Some(9),
        preparation_nights: 1,
        ..by_default(terms)
    };
    let codes: Vec<Code> = alone(rules, stay(9, 11)).into_iter().map(|(code, ..)| code).collect();
    assert_eq!(
        codes,
        [
            Code::AdvanceNotice,
            Code::ClosedToArrival,
            Code::BeyondWindow,
            Code::MinNights,
            Code::ClosedToDeparture,
            Code::UnavailableBooked,
            Code::Preparation,
        ]
    );
}

#[test]
fn alternatives_keep_every_rule() {
    let length = Terms { min_nights: Some(2), ..Terms::default() };
    let rules = Rules { preparation_nights: 1, ..by_default(length) };
    let property = with(rules);
    let (overrides, mut calendar) = (Overrides::default(), Calendar::default());
    calendar.replace(None, &booking(Status::Confirmed, None));
    let ground = Ground::new(&property, &overrides, &calendar, now());
    // One night earlier and later is still too near.
    assert_eq!(ground.alternatives(stay(8, 10), 2), [stay(7, 9), stay(6, 8), stay(5, 7)]);
}
