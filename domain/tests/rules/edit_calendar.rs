//! Prices, restrictions and blocks of single nights: what is written, told and refused.

use crate::given::{
    HOUR, book, booking, booking_id, command, host, now, paid, property, state, stay, stored,
};
use domain::block::{Block, Blocks, MAX_BLOCKS, Reason, holds};
use domain::booking::{Cause, Step};
use domain::calendar::{Change, Claim, NightState};
use domain::command::{Command, Intent};
use domain::decide::Verdict;
use domain::edit::{Before, CalendarEdit, Edited, Offer, Set, TermsEdit};
use domain::event::{By, Fact};
use domain::group::{Group, Subject};
use domain::refusal::{Code, Refusal};
use domain::rules::{Overrides, Terms};
use domain::state::State;
use domain::{BlockId, Booking, Calendar, Night, Property, Status, Stay};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

const EVERY_DAY: [bool; 7] = [true; 7];

fn id(number: u128) -> BlockId {
    // The digits that tell pieces apart stay free.
    BlockId(Uuid::from_u128(number << 64))
}

fn block(number: u128, nights: Stay) -> Block {
    Block { id: id(number), nights, reason: Reason::Owner }
}

fn blocks(blocks: &[Block]) -> CalendarEdit {
    let blocks = blocks.iter().map(|block| (*block, None)).collect();
    CalendarEdit { blocks, ..CalendarEdit::default() }
}

fn unblock(ids: &[BlockId]) -> CalendarEdit {
    CalendarEdit { unblock: ids.to_vec(), ..CalendarEdit::default() }
}

fn terms(nights: Stay) -> TermsEdit {
    TermsEdit {
        nights,
        weekdays: EVERY_DAY,
        price: Set::Keep,
        min_nights: Set::Keep,
        max_nights: Set::Keep,
        closed_to_arrival: Set::Keep,
        closed_to_departure: Set::Keep,
    }
}

fn priced(nights: Stay, price: Set<i64>) -> CalendarEdit {
    let terms = vec![TermsEdit { price, ..terms(nights) }];
    CalendarEdit { terms, ..CalendarEdit::default() }
}

fn wish(edit: CalendarEdit) -> Command {
    Command { by: By::User(host()), ..command(800, Intent::EditCalendar(Arc::new(edit))) }
}

fn decided(state: &mut State, edit: CalendarEdit) -> Result<Group, Refusal> {
    match state.decide(&wish(edit), 1, now()) {
        Verdict::Write(group) => Ok(*group),
        Verdict::Refused(refusal) => Err(refusal),
        other => panic!("neither written nor refused: {other:?}"),
    }
}

/// Why an edit is refused.
fn refused(state: &mut State, edit: CalendarEdit) -> Refusal {
    decided(state, edit).expect_err("a refusal")
}

fn edited(group: &Group) -> &Edited {
    &group.calendar.as_ref().expect("nights").edited
}

fn confirmed() -> Booking {
    paid(Status::Confirmed)
}

#[test]
fn a_block_is_one_event_that_takes_its_nights_from_everybody() {
    let mut state = state(property(), Vec::new());
    let group = decided(&mut state, blocks(&[block(1, stay(10, 13))])).expect("a block");
    assert!(matches!(group.subject, Subject::Calendar));
    assert_eq!((group.base.seq, group.head.seq, group.events.len()), (0, 1, 1));
    assert_eq!(group.events[0].event.fact, Fact::CalendarEdited(edited(&group).clone()));
    let (from, to) = (stay(10, 13).check_in(), stay(10, 13).check_out());
    let blocked = Change { from, to, state: NightState::Blocked };
    assert_eq!(group.events[0].event.changes, [blocked]);
    assert_eq!(group.events[0].event.digests.len(), 1);
    let Verdict::Refused(Refusal::Unavailable { reasons, alternatives }) =
        state.decide(&book(1, stay(12, 14)), 1, now())
    else {
        panic!("a refusal")
    };
    assert_eq!((reasons[0].code, reasons[0].nights.len()), (Code::UnavailableBlocked, 1));
    assert_eq!(alternatives[0], stay(13, 15));
}

#[test]
fn a_block_over_bookings_is_refused_with_all_of_them_or_goes_around() {
    let later = Booking { id: booking_id(2), stay: stay(15, 16), ..confirmed() };
    let mut state = state(property(), vec![confirmed(), later]);
    let whole = blocks(&[block(1, stay(8, 20))]);
    let refusal = refused(&mut state, whole.clone());
    assert_eq!(refusal, Refusal::LiveBookings(vec![booking_id(1), booking_id(2)]));
    let around = CalendarEdit { around: true, ..whole };
    let group = decided(&mut state, around).expect("blocks");
    let nights: Vec<Stay> = edited(&group).blocked.iter().map(|block| block.nights).collect();
    assert_eq!(nights, [stay(8, 10), stay(13, 15), stay(16, 20)]);
    let mut ids: Vec<BlockId> = edited(&group).blocked.iter().map(|block| block.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3, "each piece has its own id");
    assert_eq!(edited(&group).blocked[0].id, id(1), "the first keeps the name");
    for day in 8..20 {
        let claim = state.calendar.claim(stay(day, 21).check_in());
        let booked = (10..13).contains(&day) || day == 15;
        assert_eq!(claim == Claim::Blocked, !booked, "{day}");
    }
}

#[test]
fn around_nothing_is_nothing_to_edit() {
    let mut state = state(property(), vec![confirmed()]);
    let around = CalendarEdit { around: true, ..blocks(&[block(1, stay(10, 13))]) };
    let verdict = state.decide(&wish(around), 1, now());
    assert!(matches!(verdict, Verdict::NothingToEdit), "{verdict:?}");
}

#[test]
fn a_night_is_open_again_when_the_last_block_over_it_is_gone() {
    let mut state = state(property(), Vec::new());
    let two = [block(1, stay(10, 14)), block(2, stay(12, 16))];
    decided(&mut state, blocks(&two)).expect("blocks");
    let group = decided(&mut state, unblock(&[id(1)])).expect("an edit");
    let open = Change {
        from: stay(10, 12).check_in(),
        to: stay(10, 12).check_out(),
        state: NightState::Available,
    };
    assert_eq!(group.events[0].event.changes, [open]);
    assert_eq!(refused(&mut state, unblock(&[id(1)])), Refusal::UnknownBlock(id(1)));
    decided(&mut state, unblock(&[id(2)])).expect("an edit");
    assert_eq!(state.calendar.claimed().count(), 0);
    assert!(state.blocks.is_empty());
}

#[test]
fn a_block_that_is_there_is_not_made_again_and_there_are_not_too_many() {
    let mut state = state(property(), Vec::new());
    decided(&mut state, blocks(&[block(1, stay(10, 14))])).expect("a block");
    let again = refused(&mut state, blocks(&[block(1, stay(20, 21))]));
    assert_eq!(again, Refusal::KnownBlock(id(1)));
    let many: Vec<Block> =
        (0..MAX_BLOCKS).map(|number| block(2 + number as u128, stay(1, 2))).collect();
    assert_eq!(refused(&mut state, blocks(&many)), Refusal::TooManyBlocks);
    let instead = CalendarEdit { unblock: vec![id(1)], ..blocks(&many) };
    decided(&mut state, instead).expect("as many as there may be");
}

#[test]
fn prices_of_dates_are_told_as_guests_see_them_and_are_what_a_stay_costs() {
    let mut state = state(property(), Vec::new());
    let group = decided(&mut state, priced(stay(10, 12), Set::To(50_000))).expect("an edit");
    let terms = Terms { price: Some(50_000), ..Terms::default() };
    let (from, to) = (stay(10, 12).check_in(), stay(10, 12).check_out());
    assert_eq!(group.events[0].event.offers, [Offer { from, to, terms }]);
    assert_eq!(group.events[0].event.changes, []);
    let Verdict::Write(made) = state.decide(&book(1, stay(9, 12)), 1, now()) else {
        panic!("a booking")
    };
    assert_eq!(made.booking().map(|booking| booking.total), Some(110_000));
    let cleared = decided(&mut state, priced(stay(11, 15), Set::Clear)).expect("an edit");
    assert_eq!(edited(&cleared).terms, [(stay(11, 12).check_in(), Terms::default())]);
    assert_eq!(state.overrides.len(), 1);
    let verdict = state.decide(&wish(priced(stay(10, 11), Set::To(50_000))), 1, now());
    assert!(matches!(verdict, Verdict::NothingToEdit), "{verdict:?}");
}

#[test]
fn an_edit_touches_the_weekdays_and_the_terms_that_it_names() {
    let mut weekend = [false; 7];
    weekend[4] = true;
    let first = TermsEdit {
        weekdays: weekend,
        min_nights: Set::To(2),
        max_nights: Set::To(9),
        closed_to_arrival: Set::To(true),
        closed_to_departure: Set::To(false),
        ..terms(stay(1, 20))
    };
    // 2026-12-04, 11 and 18 are Fridays; the later edit lies over the earlier one.
    let second = TermsEdit { min_nights: Set::To(3), ..terms(stay(11, 12)) };
    let edit = CalendarEdit { terms: vec![first, second], ..CalendarEdit::default() };
    let mut state = state(property(), Vec::new());
    let group = decided(&mut state, edit).expect("an edit");
    let friday = |min| Terms {
        min_nights: Some(min),
        max_nights: Some(9),
        closed_to_arrival: Some(true),
        closed_to_departure: Some(false),
        ..Terms::default()
    };
    let day = |day: i32| stay(day, 30).check_in();
    let expected = [(day(4), friday(2)), (day(11), friday(3)), (day(18), friday(2))];
    assert_eq!(edited(&group).terms, expected);
    assert_eq!(group.events[0].event.offers.len(), 3);
}

#[test]
fn an_edit_of_what_its_host_saw_is_not_made_on_what_came_after() {
    let mut state = state(property(), Vec::new());
    let edit = |seen, price| CalendarEdit { seen, ..priced(stay(1, 3), Set::To(price)) };
    decided(&mut state, edit(Some(0), 1)).expect("as it was seen");
    assert_eq!(refused(&mut state, edit(Some(0), 2)), Refusal::Stale);
    decided(&mut state, edit(None, 2)).expect("whatever it is");
    decided(&mut state, edit(Some(2), 3)).expect("as it was seen");
}

#[test]
fn it_is_all_or_nothing() {
    let mut state = state(property(), vec![confirmed()]);
    let edit = CalendarEdit {
        blocks: vec![(block(1, stay(12, 14)), None)],
        ..priced(stay(20, 22), Set::To(1))
    };
    refused(&mut state, edit);
    assert_eq!((state.overrides.len(), state.blocks.len(), state.head.seq), (0, 0, 0));
}

#[test]
fn notes_are_stored_with_their_pieces_and_not_told() {
    let mut state = state(property(), vec![confirmed()]);
    let note = Some("the roof".to_owned());
    let edit = CalendarEdit {
        blocks: vec![(block(1, stay(9, 15)), note), (block(2, stay(20, 21)), None)],
        around: true,
        ..CalendarEdit::default()
    };
    let group = decided(&mut state, edit).expect("blocks");
    let rows = group.calendar.as_ref().expect("nights");
    let pieces: Vec<BlockId> = rows.edited.blocked.iter().map(|block| block.id).collect();
    let noted: Vec<BlockId> = rows.notes.iter().map(|(id, _)| *id).collect();
    assert_eq!(noted, pieces[..2]);
    let told = String::from_utf8_lossy(&group.events[0].bytes).into_owned();
    assert!(!told.contains("roof"), "{told}");
    assert_eq!(group.rows(), 2 + 1 + 3);
}

#[test]
fn an_archived_property_has_no_calendar_to_edit() {
    let archived = domain::property::Listing::Archived;
    let mut state = state(Property { listing: archived, ..property() }, Vec::new());
    let refusal = refused(&mut state, blocks(&[block(1, stay(10, 14))]));
    assert_eq!(refusal, Refusal::Listing { from: archived, to: archived });
}

#[test]
fn what_is_stored_is_what_was_decided() {
    let mut fresh = state(property(), Vec::new());
    let edit = CalendarEdit {
        blocks: vec![(block(1, stay(10, 14)), None), (block(2, stay(12, 16)), None)],
        ..priced(stay(9, 12), Set::To(7))
    };
    decided(&mut fresh, edit).expect("an edit");
    let blocks = Blocks::clone(&fresh.blocks);
    let overrides = Overrides::clone(&fresh.overrides);
    let again = domain::state::Stored { blocks, overrides, ..stored(property(), Vec::new()) };
    let loaded = State::load(again, crate::given::settings());
    let claimed = |state: &State| state.calendar.claimed().collect::<Vec<_>>();
    assert_eq!(claimed(&loaded), claimed(&fresh));
    assert_eq!((&loaded.overrides, &loaded.blocks), (&fresh.overrides, &fresh.blocks));
}

#[test]
fn the_nights_of_a_booking_that_its_host_gives_up_stay_blocked_unless_they_are_opened() {
    for (reopen, now, blocked) in [
        (false, now(), Some(stay(10, 13))),
        (true, now(), None),
        // On the second day of the stay the first night is over.
        (false, confirmed().check_in_at.plus(20 * HOUR), Some(stay(11, 13))),
    ] {
        let mut state = state(property(), vec![confirmed()]);
        let intent = Intent::CancelAsHost { booking: booking_id(1), reopen };
        let cancel = Command { by: By::User(host()), ..command(1, intent) };
        let Verdict::Write(group) = state.decide(&cancel, 1, now) else { panic!("written") };
        let after = group.booking().expect("a booking");
        assert_eq!((after.status, after.refunded), (Status::Canceled, 30_000));
        assert_eq!(group.released.len(), 3);
        let Fact::Booking(cause, _) = group.events[0].event.fact else { panic!("a step") };
        assert_eq!(cause, Cause::Canceled);
        let found = group.calendar.as_ref().map(|rows| rows.edited.blocked[0].nights);
        assert_eq!(found, blocked);
        let count = 1 + i64::from(blocked.is_some());
        assert_eq!((group.events.len() as i64, group.head.seq), (count, count));
        let claims = state.calendar.claims(stay(10, 13)).map(|(_, claim)| claim);
        let held = claims.filter(|claim| *claim == Claim::Blocked).count();
        assert_eq!(held, blocked.map_or(0, |nights| nights.nights() as usize));
    }
}

#[test]
fn a_pending_booking_that_its_host_gives_up_leaves_its_nights_open() {
    let held = booking(
        Status::Pending { awaiting: domain::Awaiting::Payment, expires_at: now().plus(HOUR) },
        None,
    );
    let mut state = state(property(), vec![held]);
    let intent = Intent::CancelAsHost { booking: booking_id(1), reopen: false };
    let Verdict::Write(group) = state.decide(&command(1, intent), 1, now()) else {
        panic!("written")
    };
    assert!(group.calendar.is_none());
    assert_eq!(state.calendar.claimed().count(), 0);
}

#[test]
fn a_key_of_a_host_who_gives_up_names_the_booking_and_not_the_block() {
    let mut state = state(property(), vec![confirmed()]);
    let intent = Intent::CancelAsHost { booking: booking_id(1), reopen: false };
    let cancel = crate::given::under_key(command(1, intent), "k", 1);
    let Verdict::Write(group) = state.decide(&cancel, 1, now()) else { panic!("written") };
    assert_eq!(group.key.as_ref().map(|used| used.seq), Some(1));
    let step = Intent::Step { booking: booking_id(1), step: Step::Cancel { by_guest: false } };
    assert!(matches!(
        state.decide(&crate::given::under_key(command(2, step), "k", 1), 1, now()),
        Verdict::Replay { seq: 1, .. }
    ));
}

/// One naive edit: a block over some days, or an end of one.
fn edits() -> impl Strategy<Value = Vec<(bool, u128, i32, i32)>> {
    prop::collection::vec((any::<bool>(), 0..6_u128, 1..20_i32, 1..6_i32), 1..20)
}

proptest! {
    #[test]
    fn blocked_nights_are_those_that_some_block_holds(edits in edits()) {
        let mut state = state(property(), Vec::new());
        let mut model: BTreeMap<u128, Stay> = BTreeMap::new();
        let mut public: BTreeMap<Night, NightState> = BTreeMap::new();
        for (adds, number, from, nights) in edits {
            let nights = stay(from, from + nights);
            let known = model.contains_key(&number);
            let edit = if adds { blocks(&[block(number + 1, nights)]) } else { unblock(&[id(number + 1)]) };
            let Ok(group) = decided(&mut state, edit) else {
                prop_assert_eq!(adds, known);
                continue;
            };
            prop_assert_ne!(adds, known);
            if adds { model.insert(number, nights); } else { model.remove(&number); }
            for change in &group.events[0].event.changes {
                for days in change.from.days()..change.to.days() {
                    public.insert(Night::from_days(days).expect("a night"), change.state);
                }
            }
            for day in 1..30 {
                let night = stay(day, 31).check_in();
                let held = model.values().any(|stay| stay.has(night));
                prop_assert_eq!(state.calendar.claim(night) == Claim::Blocked, held);
                prop_assert_eq!(holds(&state.blocks, night), held);
                let seen = public.get(&night).copied().unwrap_or(NightState::Available);
                prop_assert_eq!(seen == NightState::Blocked, held);
            }
            for (month, digest) in &group.events[0].event.digests {
                prop_assert_eq!(*digest, state.calendar.digest(*month));
            }
        }
    }
}

#[test]
fn what_would_change_can_be_asked_without_changing_it() {
    let (overrides, blocks, calendar) = (Overrides::new(), Blocks::new(), Calendar::default());
    let before = Before { overrides: &overrides, blocks: &blocks, calendar: &calendar, now: now() };
    let edit = priced(stay(1, 3), Set::To(9));
    assert_eq!(edit.lay_over(&before).expect("an edit").terms.len(), 2);
    assert!(CalendarEdit::default().lay_over(&before).expect("nothing").is_empty());
}

#[test]
fn what_would_change_is_what_changes() {
    let mut state = state(property(), vec![confirmed()]);
    let snapshot = state.snapshot();
    let edit = CalendarEdit {
        blocks: vec![(block(1, stay(20, 23)), None)],
        ..priced(stay(1, 3), Set::To(9))
    };
    let foreseen = snapshot.preview(&edit.lay_over(&snapshot.before(now())).expect("an edit"));
    let group = decided(&mut state, edit).expect("an edit");
    let told = &group.events[0].event;
    assert_eq!((foreseen.changes.len(), foreseen.offers.len()), (1, 1));
    assert_eq!(foreseen.changes, told.changes);
    assert_eq!(foreseen.offers, told.offers);
    assert_eq!(foreseen.digests, told.digests);
    assert_eq!(snapshot.ground(now()).reasons(stay(20, 23), 2), [], "nothing has changed there");
    assert!(!state.snapshot().ground(now()).reasons(stay(20, 23), 2).is_empty());
}

fn any_set<T>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Set<T>>
where
    T: Copy + std::fmt::Debug + 'static,
{
    prop_oneof![2 => Just(Set::Keep), 1 => Just(Set::Clear), 2 => value.prop_map(Set::To)]
}

/// Wishes for other terms of days in December, with up to three edits each.
fn edits_of_terms() -> impl Strategy<Value = Vec<Vec<TermsEdit>>> {
    let nights = (1..20_i32, 1..12_i32).prop_map(|(from, nights)| stay(from, from + nights));
    let weekdays = prop::array::uniform7(any::<bool>());
    let sets = (any_set(0..3_i64), any_set(1..3_u16), any_set(1..3_u16));
    let closed = (any_set(any::<bool>()), any_set(any::<bool>()));
    let one = (nights, weekdays, sets, closed).prop_map(|(nights, weekdays, sets, closed)| {
        let (price, min_nights, max_nights) = sets;
        let (closed_to_arrival, closed_to_departure) = closed;
        let terms = TermsEdit { weekdays, price, min_nights, max_nights, ..terms(nights) };
        TermsEdit { closed_to_arrival, closed_to_departure, ..terms }
    });
    prop::collection::vec(prop::collection::vec(one, 1..4), 1..8)
}

/// What a date says after an edit that is about it.
fn naive(was: Terms, edit: &TermsEdit) -> Terms {
    fn set<T>(was: Option<T>, set: Set<T>) -> Option<T> {
        match set {
            Set::Keep => was,
            Set::Clear => None,
            Set::To(value) => Some(value),
        }
    }
    Terms {
        price: set(was.price, edit.price),
        min_nights: set(was.min_nights, edit.min_nights),
        max_nights: set(was.max_nights, edit.max_nights),
        closed_to_arrival: set(was.closed_to_arrival, edit.closed_to_arrival),
        closed_to_departure: set(was.closed_to_departure, edit.closed_to_departure),
    }
}

/// Whether an edit is about a date.
fn is_about(edit: &TermsEdit, night: Night) -> bool {
    // 1970-01-01 was a Thursday.
    let weekday = usize::try_from((night.days() + 3) % 7).expect("a weekday");
    edit.weekdays[weekday] && edit.nights.each_night().any(|of_edit| of_edit == night)
}

proptest! {
    #[test]
    fn dates_say_what_was_last_said_of_each_term(wishes in edits_of_terms()) {
        let mut state = state(property(), Vec::new());
        let december = stay(1, 32).each_night();
        let mut model: Overrides = december.map(|night| (night, Terms::default())).collect();
        for terms in wishes {
            let before = model.clone();
            for edit in &terms {
                for (_, says) in model.iter_mut().filter(|(night, _)| is_about(edit, **night)) {
                    *says = naive(*says, edit);
                }
            }
            let changed: Overrides =
                model.clone().into_iter().filter(|(night, says)| before[night] != *says).collect();
            match state.decide(&wish(CalendarEdit { terms, ..CalendarEdit::default() }), 1, now()) {
                Verdict::NothingToEdit => prop_assert!(changed.is_empty()),
                Verdict::Write(group) => {
                    let written: Overrides = edited(&group).terms.iter().copied().collect();
                    prop_assert_eq!(&written, &changed);
                    let told = group.events[0].event.offers.iter().flat_map(|offer| {
                        let nights = Stay::new(offer.from, offer.to).expect("nights");
                        nights.each_night().map(|night| (night, offer.terms))
                    });
                    let shown = |says: Terms| says.price.or(Some(property().price_per_night));
                    let public = changed.into_iter();
                    let public = public.map(|(n, says)| (n, Terms { price: shown(says), ..says }));
                    prop_assert_eq!(told.collect::<Overrides>(), public.collect::<Overrides>());
                }
                other => prop_assert!(false, "{:?}", other),
            }
            let says_something = |(_, says): &(Night, Terms)| *says != Terms::default();
            let stored: Overrides = model.clone().into_iter().filter(says_something).collect();
            prop_assert_eq!(&*state.overrides, &stored);
        }
    }
}
