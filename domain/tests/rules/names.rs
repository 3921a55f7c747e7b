//! Names that clients and databases know by heart, and small things that everything stands on.

use crate::edit::page;
use crate::given::{booking, command, night, now, property, state, stay, user};
use domain::block::{Block, Reason as BlockReason};
use domain::booking::Cause;
use domain::command::Intent;
use domain::decide::Verdict;
use domain::edit::Edited;
use domain::event::{EventHash, Head};
use domain::group::{CalendarRows, Group, Job, Subject};
use domain::policy::Policy;
use domain::property::{Edit, Listing};
use domain::refusal::Code;
use domain::review::Direction;
use domain::rules::Terms;
use domain::zone::Zone;
use domain::{BlockId, BookingId, Currency, Instant, Month, Night, NightState, Status};
use std::sync::Arc;
use uuid::Uuid;

#[test]
fn every_name_is_the_one_that_clients_know() {
    let until = now();
    let states = [NightState::Available, NightState::Held { until }, NightState::Booked];
    let states = states.into_iter().chain([NightState::Blocked]);
    let states: Vec<(&str, u8)> = states.map(|state| (state.name(), state.letter())).collect();
    let expected = [("available", b'a'), ("held", b'h'), ("booked", b'b'), ("blocked", b'k')];
    assert_eq!(states, expected);
    let codes = [
        (Code::PropertyUnlisted, "property_unlisted"),
        (Code::InPast, "in_past"),
        (Code::TooManyGuests, "too_many_guests"),
        (Code::MinNights, "min_nights"),
        (Code::MaxNights, "max_nights"),
        (Code::AdvanceNotice, "advance_notice"),
        (Code::BeyondWindow, "beyond_window"),
        (Code::ClosedToArrival, "closed_to_arrival"),
        (Code::ClosedToDeparture, "closed_to_departure"),
        (Code::UnavailableBooked, "unavailable_booked"),
        (Code::UnavailableHeld, "unavailable_held"),
        (Code::UnavailableBlocked, "unavailable_blocked"),
        (Code::Preparation, "preparation"),
    ];
    for (code, name) in codes {
        assert_eq!(code.name(), name);
    }
    let causes = "held attempt_started attempt_ended confirmed reclaimed accepted declined canceled \
         releasing expired completed no_show changed change_requested change_dropped refunded \
         payment_lost";
    let found: Vec<&str> = Cause::ALL.into_iter().map(Cause::name).collect();
    assert_eq!(found.join(" "), causes);
}

#[test]
fn what_has_a_name_is_found_by_it_and_by_no_other() {
    macro_rules! found {
        ($type:ty, $names:literal, $name:expr) => {
            for name in $names.split(' ') {
                let read: $type = name.parse().expect("a known name");
                assert_eq!($name(&read), name);
                for wrong in ["", &name.to_uppercase(), &format!("{name} ")] {
                    assert!(wrong.parse::<$type>().is_err(), "{wrong}");
                }
            }
        };
    }
    found!(Direction, "guest_to_host host_to_guest", |d: &Direction| d.name());
    found!(Listing, "draft listed unlisted archived", |l: &Listing| l.name());
    found!(Policy, "flexible moderate strict non_refundable", |p: &Policy| p.name());
    found!(BlockReason, "owner maintenance preparation external other", |r: &BlockReason| r.name());
    let read: Currency = "KES".parse().expect("a currency");
    assert_eq!((read.to_string().as_str(), read.code()), ("KES", "KES"));
}

#[test]
fn a_group_counts_every_row_that_it_writes() {
    let mut state = state(property(), Vec::new());
    let (id, guest) = (BookingId(Uuid::from_u128(1)), user(1));
    let intent = Intent::Book {
        booking: id,
        guest,
        stay: stay(10, 13),
        guests: 2,
        quote: None,
        no_room: None,
        offline: false,
    };
    let keyed = crate::given::under_key(command(1, intent), "k", 1);
    let Verdict::Write(group) = state.decide(&keyed, 1, now()) else { panic!("a booking") };
    // The head, the booking, the event, three nights and the key.
    assert_eq!(group.rows(), 1 + 1 + 1 + 3 + 1);
    let (payment, provider) = (crate::given::payment(1), std::sync::Arc::from("sandbox"));
    let method = std::sync::Arc::from("");
    let return_url = std::sync::Arc::from("");
    let intent = Intent::StartAttempt { booking: id, payment, provider, method, return_url };
    let Verdict::Write(group) = state.decide(&command(2, intent), 1, now()) else {
        panic!("an attempt")
    };
    // The head, the booking, the event, the payment and its job.
    assert_eq!(group.rows(), 5);
    let canceled = domain::booking::Step::Cancel { by_guest: true };
    let intent = Intent::Step { booking: id, step: canceled };
    let Verdict::Write(group) = state.decide(&command(3, intent), 1, now()) else {
        panic!("a cancellation")
    };
    // The head, the booking, the event, three nights and the job that calls the payment off.
    assert_eq!(group.rows(), 1 + 1 + 1 + 3 + 1);
}

#[test]
fn a_group_counts_the_rows_of_amenities_and_of_single_nights() {
    let Verdict::Write(booked) =
        state(property(), Vec::new()).decide(&crate::given::book(1, stay(10, 13)), 1, now())
    else {
        panic!("a booking")
    };
    let rows = booked.rows();
    let terms = [10, 11, 12].map(|day| (night("2026-12-01").plus(day), Terms::default()));
    let id = |number| BlockId(Uuid::from_u128(number));
    let block = |number| Block { id: id(number), nights: stay(20, 21), reason: BlockReason::Other };
    let edited = Edited {
        terms: terms.to_vec(),
        blocked: vec![block(1), block(2)],
        unblocked: vec![id(3), id(4), id(5), id(6)],
    };
    let calendar = Some(Arc::new(CalendarRows { edited, notes: Vec::new() }));
    assert_eq!(Group { calendar, ..(*booked).clone() }.rows(), rows + 3 + 2 + 4);
    let (added, removed) = (["wifi", "pool", "sauna"], ["lift", "desk"]);
    let edit = Edit {
        facts: property(),
        page: page(),
        amenities_added: added.map(String::from).to_vec(),
        amenities_removed: removed.map(String::from).to_vec(),
        seen: 1,
    };
    let subject = Subject::Property(Arc::new(edit));
    assert_eq!(Group { subject, ..*booked }.rows(), rows + 3 + 2);
}

#[test]
fn the_parts_of_a_block_have_names_of_their_own() {
    for bits in [0, u128::MAX, 0x0192_0000_7000_8000_a5a5_5a5a_0000_ca1e] {
        let block = BlockId(Uuid::from_u128(bits));
        let parts: std::collections::BTreeSet<_> =
            (0..=600).map(|number| block.piece(number).0).collect();
        assert_eq!((block.piece(0), parts.len()), (block, 601));
    }
}

#[test]
fn the_jobs_of_one_event_have_names_of_their_own_that_follow_from_it() {
    let hash = EventHash([0xa5; 32]);
    let head = Head { seq: 7, hash };
    let id = |number| Job::id_of(head, number).0;
    assert_eq!(id(0), Job::id_of(head, 0).0, "deciding again names the same work");
    let last = |number: u8| id(number).as_bytes()[15];
    assert_eq!((last(0), last(1), last(2)), (0xa5, 0xa4, 0xa7));
    assert_eq!(id(0).as_bytes()[..6], [0xa5; 6]);
}

#[test]
fn instants_beyond_the_calendar_are_shown_at_its_edge() {
    for (micros, expected) in [
        (i64::MIN, "-009999-01-02T01:59:59Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (0, "1970-01-01T00:00:00Z"),
        (i64::MAX, "9999-12-30T22:00:00.999999Z"),
    ] {
        let shown = Instant::from_micros(micros).to_string();
        assert_eq!(shown[..10], expected[..10], "{micros}");
    }
}

#[test]
fn nobody_came_until_two_days_after_check_in() {
    let confirmed = booking(Status::Confirmed, None);
    let longer = domain::Booking {
        check_out_at: confirmed.check_in_at.plus(std::time::Duration::from_secs(72 * 3_600)),
        ..confirmed.clone()
    };
    let step = domain::booking::Step::NoShow { today: stay(12, 13).check_in(), waive: false };
    let at = |hours: u64| longer.check_in_at.plus(std::time::Duration::from_secs(hours * 3_600));
    assert!(longer.clone().step(step, at(47)).is_ok());
    assert!(longer.clone().step(step, at(48)).is_err());
}

#[test]
fn dates_and_months_stop_at_the_edges_of_the_calendar() {
    assert_eq!(Month::from_index(1970 * 12 - 1), None);
    assert_eq!(Month::from_index(2200 * 12), None);
    let index = 2026 * 12 + 11;
    assert_eq!(night("2026-12-01").in_month().0.index(), index);
    assert_eq!(Month::from_index(index).map(Month::index), Some(index));
    let shown = |index| Month::from_index(index).map(|month| month.to_string());
    assert_eq!(shown(1970 * 12).as_deref(), Some("1970-01"));
    assert_eq!(shown(2200 * 12 - 1).as_deref(), Some("2199-12"));
    assert_eq!(stay(1, 3).to_string(), "2026-12-01/2026-12-03");
    let zone = Zone::named("UTC").expect("a zone");
    assert_eq!(zone.today(Instant::from_micros(-86_400_000_000)), Night::MIN);
    assert_eq!(zone.today(Instant::default()), Night::MIN);
    assert_eq!(zone.today(Instant::from_micros(i64::MAX)), Night::MAX);
    let west = Zone::named("america/los_angeles").expect("a zone");
    assert_eq!(west.name(), "America/Los_Angeles", "as the database spells it");
    assert_eq!(west.today(Instant::default()), Night::MIN, "there it is still 1969");
}
