//! The lane alone: what goes into a batch, and who hears of a failure.

use crate::edit::edit;
use crate::given::{
    HOUR, book, booking, booking_id, command, now, payment, property, state, stay, under_key,
};
use domain::command::{Command, Intent};
use domain::decide::Verdict;
use domain::edit::{CalendarEdit, Set, TermsEdit};
use domain::group::{Group, Incarnation};
use domain::pipeline::Rejection;
use domain::pipeline::lane::{Effect, Input, Lane, MAX_GROUPS, Outcome};
use domain::switches::Switches;
use domain::{Property, PropertyId, Status, Stay};
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// The groups of one life of a property that books these stays, one after the other.
fn groups(number: u128, life: Incarnation, stays: &[Stay]) -> Vec<Arc<Group>> {
    let id = PropertyId(Uuid::from_u128(0xca1e + number));
    let mut state = state(Property { id, ..property() }, Vec::new());
    let mut made = 0;
    let mut write = |stay: &Stay| {
        made += 1;
        // Another life decides at another time, so its events are others.
        let at = now().plus(u32::try_from(life).expect("small") * HOUR);
        written(state.decide(&book(1_000 * number + made, *stay), life, at))
    };
    stays.iter().map(&mut write).collect()
}

fn written(verdict: Verdict) -> Arc<Group> {
    match verdict {
        Verdict::Write(group) => Arc::new(*group),
        other => panic!("{other:?}"),
    }
}

fn offer(lane: &mut Lane, groups: &[Arc<Group>]) {
    for group in groups {
        lane.step(Input::Offer(Arc::clone(group)), &mut Vec::new());
    }
}

/// The numbers of the groups in the next batch.
fn next_batch(lane: &mut Lane) -> Vec<(PropertyId, u64)> {
    let mut effects = Vec::new();
    lane.flush(&mut effects);
    match effects.pop() {
        Some(Effect::Commit(batch)) => batch.iter().map(|g| (g.property, g.id.number)).collect(),
        _ => Vec::new(),
    }
}

/// What the properties are told: which group, and what became of it.
fn done(lane: &mut Lane, outcome: Outcome) -> Vec<(u64, Result<(), Rejection>)> {
    let mut effects = Vec::new();
    lane.step(Input::Done(outcome), &mut effects);
    let told = effects.into_iter().map(|effect| match effect {
        Effect::Tell { group, result } => (group.id.number, result),
        Effect::Commit(batch) => panic!("a batch before its time: {batch:?}"),
    });
    told.collect()
}

fn committed(groups: &[&Arc<Group>]) -> Outcome {
    Outcome::Committed { advanced: groups.iter().map(|group| group.property).collect() }
}

fn lane() -> Lane {
    Lane::new(Switches::default())
}

#[test]
fn a_batch_takes_all_that_is_ready_up_to_its_bound() {
    let mut lane = lane();
    for number in 0..300 {
        offer(&mut lane, &groups(number, 1, &[stay(10, 12)]));
    }
    assert_eq!(next_batch(&mut lane).len(), MAX_GROUPS);
    assert_eq!(next_batch(&mut lane), [], "one transaction at a time");
    assert!(!lane.is_idle());
}

#[test]
fn rows_are_bounded_too_but_a_single_group_always_goes() {
    // Each group has three rows besides its nights.
    for (last, taken) in [(730, 5), (429, 5), (428, 6)] {
        let mut lane = lane();
        for number in 0..10 {
            let nights = if number < 5 { 730 } else { last };
            offer(&mut lane, &groups(number, 1, &[stay(10, 10 + nights)]));
        }
        assert_eq!(next_batch(&mut lane).len(), taken, "five times 733 rows and {last} nights");
    }
}

#[test]
fn a_row_is_written_once_in_a_batch_and_what_follows_waits_with_it() {
    let mut lane = lane();
    let mut state = state(property(), Vec::new());
    let first = written(state.decide(&book(1, stay(10, 12)), 1, now()));
    let later = now().plus(HOUR);
    let ended = Arc::new(state.enforce_deadline(1, later).expect("the hold is over"));
    let again = written(state.decide(&book(2, stay(11, 13)), 1, later));
    let apart = written(state.decide(&book(3, stay(20, 22)), 1, later));
    let stranger = groups(7, 1, &[stay(10, 12)]);
    offer(&mut lane, &[first.clone(), ended, again, apart]);
    offer(&mut lane, &stranger);
    let other = stranger[0].property;
    assert_eq!(next_batch(&mut lane), [(property().id, 1), (other, 1)]);
    done(&mut lane, committed(&[&first, &stranger[0]]));
    assert_eq!(next_batch(&mut lane), [(property().id, 2)]);
    done(&mut lane, committed(&[&first]));
    assert_eq!(next_batch(&mut lane), [(property().id, 3), (property().id, 4)]);
}

#[test]
fn an_edit_or_a_booking_goes_into_a_batch_once_whatever_else_of_its_property_does() {
    let nights = stay(20, 22);
    let priced = |price| {
        let terms = TermsEdit {
            nights,
            weekdays: [true; 7],
            price: Set::To(price),
            min_nights: Set::Keep,
            max_nights: Set::Keep,
            closed_to_arrival: Set::Keep,
            closed_to_departure: Set::Keep,
        };
        let edit = CalendarEdit { terms: vec![terms], ..CalendarEdit::default() };
        command(800, Intent::EditCalendar(Arc::new(edit)))
    };
    let page = || edit(property(), 1);
    // Its nights are blocked instead.
    let give_up = || command(801, Intent::CancelAsHost { booking: booking_id(1), reopen: false });
    let pay = |number| {
        let (booking, payment) = (booking_id(number), payment(number));
        let (provider, method) = (Arc::from("sandbox"), Arc::from(""));
        let return_url = Arc::clone(&method);
        command(802, Intent::StartAttempt { booking, payment, provider, method, return_url })
    };
    let wanted = book(2, stay(15, 17));
    let pairs: [(Command, Command, usize); 8] = [
        (priced(1), priced(2), 1),
        (page(), priced(1), 1),
        (priced(1), page(), 1),
        (give_up(), priced(1), 1),
        (priced(1), wanted.clone(), 2),
        (wanted.clone(), page(), 2),
        (wanted.clone(), book(3, stay(17, 18)), 2),
        // It claims no night.
        (wanted, pay(2), 1),
    ];
    for (first, second, taken) in pairs {
        let mut state = state(property(), vec![booking(Status::Confirmed, None)]);
        let mut lane = lane();
        let both = [&first, &second].map(|command| written(state.decide(command, 1, now())));
        offer(&mut lane, &both);
        assert_eq!(next_batch(&mut lane).len(), taken, "{:?}, {:?}", first.intent, second.intent);
        done(&mut lane, committed(&[&both[0]]));
        assert_eq!(next_batch(&mut lane).len(), 2 - taken);
    }
}

#[test]
fn a_key_goes_into_a_batch_once_whichever_property_it_is_used_on() {
    let mut lane = lane();
    for number in [1, 2] {
        let id = PropertyId(Uuid::from_u128(0xca1e + number));
        let mut state = state(Property { id, ..property() }, Vec::new());
        let command = under_key(book(number, stay(10, 12)), "key", 1);
        offer(&mut lane, &[written(state.decide(&command, 1, now()))]);
    }
    assert_eq!(next_batch(&mut lane).len(), 1);
}

#[test]
fn a_fenced_property_hears_once_and_its_later_groups_are_dropped() {
    let mut lane = lane();
    let ours = groups(1, 1, &[stay(10, 12), stay(12, 14), stay(14, 16)]);
    offer(&mut lane, &ours[..1]);
    assert_eq!(next_batch(&mut lane).len(), 1);
    offer(&mut lane, &ours[1..2]);
    assert_eq!(done(&mut lane, committed(&[])), [(1, Err(Rejection::Fenced))]);
    offer(&mut lane, &ours[2..]);
    assert_eq!(next_batch(&mut lane), []);
    assert!(lane.is_idle());
    let anew = groups(1, 2, &[stay(12, 14)]);
    offer(&mut lane, &anew);
    assert_eq!(next_batch(&mut lane).len(), 1, "the next life is heard");
}

#[test]
fn what_was_dropped_stays_dropped_when_the_next_life_has_begun() {
    let mut lane = lane();
    let ours = groups(1, 1, &[stay(10, 12), stay(12, 14)]);
    let stranger = groups(2, 1, &[stay(10, 12)]);
    offer(&mut lane, &ours[..1]);
    offer(&mut lane, &stranger);
    next_batch(&mut lane);
    offer(&mut lane, &ours[1..]);
    assert_eq!(done(&mut lane, Outcome::Failed(Rejection::Failed)), []);
    next_batch(&mut lane);
    let told = done(&mut lane, Outcome::Failed(Rejection::Failed));
    assert_eq!(told, [(1, Err(Rejection::Failed))]);
    // The rest of the batch is still tried one by one when the property is back.
    let anew = groups(1, 2, &[stay(12, 14)]);
    offer(&mut lane, &anew);
    assert_eq!(next_batch(&mut lane), [(stranger[0].property, 1)]);
    done(&mut lane, committed(&[&stranger[0]]));
    let mut effects = Vec::new();
    lane.flush(&mut effects);
    let Some(Effect::Commit(batch)) = effects.pop() else { panic!("a batch") };
    let lives: Vec<Incarnation> = batch.iter().map(|group| group.id.incarnation).collect();
    assert_eq!(lives, [2]);
}

#[test]
fn two_lives_of_one_property_never_share_a_batch() {
    let mut lane = lane();
    let (dead, heir) = (groups(1, 1, &[stay(10, 12)]), groups(1, 2, &[stay(20, 22), stay(24, 26)]));
    offer(&mut lane, &dead);
    // What the heir decides next is about another booking and other nights, but not on these.
    offer(&mut lane, &heir[1..]);
    assert_eq!(next_batch(&mut lane).len(), 1);
    done(&mut lane, committed(&[&dead[0]]));
    assert_eq!(next_batch(&mut lane).len(), 1);
}

#[test]
fn only_the_guilty_group_of_a_batch_fails() {
    let mut lane = lane();
    let all: Vec<_> = (0..5).map(|number| groups(number, 1, &[stay(10, 12)]).remove(0)).collect();
    offer(&mut lane, &all);
    next_batch(&mut lane);
    assert_eq!(done(&mut lane, Outcome::Failed(Rejection::Failed)), [], "nobody hears of it");
    for (at, group) in all.iter().enumerate() {
        assert_eq!(next_batch(&mut lane), [(group.property, 1)]);
        let guilty = at == 3;
        let outcome = if guilty { Outcome::Failed(Rejection::Failed) } else { committed(&[group]) };
        let result = if guilty { Err(Rejection::Failed) } else { Ok(()) };
        assert_eq!(done(&mut lane, outcome), [(1, result)]);
    }
    assert!(lane.is_idle());
}

#[test]
fn a_group_that_fails_by_itself_is_told_so_at_once() {
    let mut lane = lane();
    offer(&mut lane, &groups(1, 1, &[stay(10, 12)]));
    next_batch(&mut lane);
    let told = done(&mut lane, Outcome::Failed(Rejection::Guarded));
    assert_eq!(told, [(1, Err(Rejection::Guarded))]);
    assert!(lane.is_idle());
}

#[test]
fn a_group_that_is_tried_by_itself_hears_what_became_of_it() {
    let ours = groups(1, 1, &[stay(10, 12)]);
    let stranger = groups(2, 1, &[stay(10, 12)]);
    let lost = |applied: &[&Arc<Group>]| Outcome::Lost {
        applied: applied.iter().map(|group| group.id).collect(),
    };
    for (outcome, expected) in [
        (committed(&[&ours[0]]), Ok(())),
        (committed(&[]), Err(Rejection::Fenced)),
        (lost(&[&ours[0]]), Ok(())),
        (lost(&[]), Err(Rejection::Lost)),
        (Outcome::Failed(Rejection::KeyTaken), Err(Rejection::KeyTaken)),
    ] {
        let mut lane = lane();
        offer(&mut lane, &ours);
        offer(&mut lane, &stranger);
        next_batch(&mut lane);
        done(&mut lane, Outcome::Failed(Rejection::Failed));
        assert_eq!(next_batch(&mut lane), [(ours[0].property, 1)]);
        assert_eq!(done(&mut lane, outcome), [(1, expected)]);
    }
}

#[test]
fn after_a_lost_connection_each_group_hears_what_was_found() {
    let mut lane = lane();
    // Two properties that are as alike as two can be.
    let (found, fenced) = (groups(1, 1, &[stay(10, 12)]), groups(2, 1, &[stay(10, 12)]));
    offer(&mut lane, &found);
    offer(&mut lane, &fenced);
    next_batch(&mut lane);
    let applied = HashSet::from([found[0].id]);
    let mut effects = Vec::new();
    lane.step(Input::Done(Outcome::Lost { applied }), &mut effects);
    let told: Vec<_> = effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Tell { group, result } => Some((group.property, result)),
            Effect::Commit(_) => None,
        })
        .collect();
    assert_eq!(told, [(found[0].property, Ok(())), (fenced[0].property, Err(Rejection::Lost))]);
}

#[test]
fn a_lane_holds_a_property_while_a_group_of_it_waits_or_is_on_its_way() {
    let mut lane = lane();
    let (ours, theirs) = (groups(1, 1, &[stay(10, 12), stay(12, 14)]), groups(2, 1, &[stay(1, 2)]));
    let holds = |lane: &Lane| [&ours, &theirs].map(|groups| lane.holds(groups[0].property));
    assert_eq!((holds(&lane), lane.is_idle()), ([false, false], true));
    offer(&mut lane, &ours[..1]);
    assert_eq!((holds(&lane), lane.is_idle()), ([true, false], false), "ours waits");
    next_batch(&mut lane);
    assert_eq!((holds(&lane), lane.is_idle()), ([true, false], false), "ours is on its way");
    offer(&mut lane, &theirs);
    offer(&mut lane, &ours[1..]);
    assert_eq!(holds(&lane), [true, true]);
    done(&mut lane, committed(&[]));
    assert_eq!(holds(&lane), [false, true], "what was decided on a group that failed is dropped");
    next_batch(&mut lane);
    assert_eq!((holds(&lane), lane.is_idle()), ([false, true], false));
    done(&mut lane, committed(&[&theirs[0]]));
    assert_eq!((holds(&lane), lane.is_idle()), ([false, false], true));
}

#[test]
fn a_lane_is_not_idle_while_a_failed_batch_is_still_to_be_tried_group_by_group() {
    let mut lane = lane();
    let (ours, theirs) = (groups(1, 1, &[stay(10, 12)]), groups(2, 1, &[stay(10, 12)]));
    offer(&mut lane, &ours);
    offer(&mut lane, &theirs);
    next_batch(&mut lane);
    done(&mut lane, Outcome::Failed(Rejection::Failed));
    for group in [&ours[0], &theirs[0]] {
        assert!(lane.holds(group.property) && !lane.is_idle());
        next_batch(&mut lane);
        done(&mut lane, committed(&[group]));
    }
    assert!(lane.is_idle());
}
