//! A property as it was: the same as it was decided, and which event closed each night.

use crate::given::{HOLD, HOUR, book, booking_id, command, host, now, property, state, stay, user};
use domain::block::{Block, Reason as BlockReason};
use domain::booking::{Cause, Step};
use domain::calendar::NightState;
use domain::command::{Command, Intent};
use domain::decide::Verdict;
use domain::edit::CalendarEdit;
use domain::event::{By, Event, EventHash, Head, Sealed};
use domain::past::{Gap, Holder, Past};
use domain::state::State;
use domain::{BlockId, Instant, Stay};
use std::sync::Arc;
use uuid::Uuid;

/// A property whose events are remembered.
struct Story {
    state: State,
    events: Vec<(Event, EventHash)>,
}

impl Story {
    fn begin() -> Self {
        let Sealed { event, hash, .. } = Sealed::first(&property(), Uuid::nil(), now());
        let mut state = state(property(), Vec::new());
        state.head = Head { seq: event.seq, hash };
        Self { state, events: vec![(event, hash)] }
    }

    fn on(&mut self, command: &Command, at: Instant) {
        match self.state.decide(command, 1, at) {
            Verdict::Write(group) => {
                let events = group.events.iter();
                self.events.extend(events.map(|sealed| (sealed.event.clone(), sealed.hash)));
            }
            other => panic!("nothing was written: {other:?}"),
        }
    }

    /// The property after the first so many events.
    fn past(&self, events: usize) -> Past {
        let ((first, hash), rest) = self.events[..events].split_first().expect("a first event");
        let mut past = Past::begin(first, *hash).expect("a property");
        for (event, hash) in rest {
            past.then(event, *hash).expect("no gap");
        }
        past
    }
}

fn step(number: u128, step: Step) -> Command {
    let intent = Intent::Step { booking: booking_id(number), step };
    Command { by: By::User(host()), ..command(100 + number, intent) }
}

fn edit(number: u128, edit: CalendarEdit) -> Command {
    Command { by: By::User(host()), ..command(number, Intent::EditCalendar(Arc::new(edit))) }
}

fn block(number: u128, nights: Stay) -> CalendarEdit {
    // The digits that tell pieces apart stay free.
    let id = BlockId(Uuid::from_u128(number << 64));
    let block = Block { id, nights, reason: BlockReason::Owner };
    CalendarEdit { blocks: vec![(block, None)], ..CalendarEdit::default() }
}

/// The first and last day in December, the seq that closed the nights, and what for: the number
/// and the cause of a booking, or a block's number.
type Told = (i32, i32, i64, Result<(u128, Cause), u128>);

fn told(past: &Past, nights: Stay) -> Vec<Told> {
    let reasons = past.reasons(nights).into_iter().map(|reason| {
        let day = |night: domain::Night| night.days() - stay(1, 2).check_in().days() + 1;
        let holder = match reason.holder {
            Holder::Booking(cause, booking) => Ok((booking.id.0.as_u128() - 0x2000, cause)),
            Holder::Block(block) => Err(block.id.0.as_u128() >> 64),
        };
        (day(reason.from), day(reason.to), reason.closing.seq, holder)
    });
    reasons.collect()
}

#[test]
fn nights_are_closed_by_the_event_that_came_to_them_first() {
    let mut story = Story::begin();
    story.on(&book(1, stay(10, 13)), now());
    story.on(&book(2, stay(13, 15)), now());
    story.on(&step(2, Step::Cancel { by_guest: true }), now());
    story.on(&edit(3, block(7, stay(14, 18))), now().plus(HOUR));
    story.on(&edit(4, block(8, stay(17, 20))), now().plus(HOUR));
    let open = CalendarEdit {
        unblock: vec![BlockId(Uuid::from_u128(7 << 64))],
        ..CalendarEdit::default()
    };
    story.on(&edit(5, open), now().plus(HOUR));
    let (first, second) = (Ok((1, Cause::Held)), Ok((2, Cause::Held)));
    let december = stay(1, 31);
    let expected: [&[Told]; 7] = [
        &[],
        &[(10, 13, 2, first)],
        &[(10, 13, 2, first), (13, 15, 3, second)],
        &[(10, 13, 2, first)],
        &[(10, 13, 2, first), (14, 18, 5, Err(7))],
        &[(10, 13, 2, first), (14, 18, 5, Err(7)), (17, 20, 6, Err(8))],
        &[(10, 13, 2, first), (17, 20, 6, Err(8))],
    ];
    for (events, expected) in (1..).zip(expected) {
        assert_eq!(told(&story.past(events), december), expected, "after {events} events");
    }
    let past = story.past(7);
    assert_eq!(told(&past, stay(11, 12)), [(11, 12, 2, first)], "only what is asked for");
    assert_eq!(told(&past, stay(19, 25)), [(19, 20, 6, Err(8))]);
    let by: Vec<By> = past.reasons(december).iter().map(|reason| reason.closing.by).collect();
    assert_eq!(by, [By::User(user(1)), By::User(host())]);
    assert_eq!((past.seq(), past.at()), (7, now().plus(HOUR)));
    let (snapshot, december) = (past.snapshot(), december);
    assert_eq!(snapshot.nights(december), story.state.snapshot().nights(december));
    assert_eq!(snapshot.head, story.state.head);
    assert_eq!(snapshot.blocks, story.state.blocks);
}

#[test]
fn a_hold_stands_until_an_event_ends_it() {
    let mut story = Story::begin();
    story.on(&book(1, stay(10, 13)), now());
    let late = now().plus(HOUR);
    let group = story.state.enforce_deadline(1, late).expect("an end");
    story.events.extend(group.events.iter().map(|sealed| (sealed.event.clone(), sealed.hash)));
    let nights = stay(10, 13);
    let states = |past: &Past| -> Vec<NightState> {
        past.snapshot().nights(nights).iter().map(|(change, _)| change.state).collect()
    };
    assert_eq!(states(&story.past(2)), [NightState::Held { until: now().plus(HOLD) }]);
    assert_eq!(states(&story.past(3)), [NightState::Available]);
    assert_eq!(story.past(3).reasons(nights), []);
}

#[test]
fn a_past_with_a_gap_is_none() {
    let mut story = Story::begin();
    story.on(&book(1, stay(10, 13)), now());
    story.on(&book(2, stay(13, 15)), now());
    let [(first, hash), (second, _), (third, _)] = &story.events[..] else {
        panic!("other events: {:?}", story.events)
    };
    assert_eq!(Past::begin(second, *hash).map(drop), Err(Gap));
    let mut past = Past::begin(first, *hash).expect("a property");
    assert_eq!(past.then(third, *hash), Err(Gap));
    assert_eq!(past.then(first, *hash), Err(Gap));
    assert_eq!(past.seq(), 1);
}
