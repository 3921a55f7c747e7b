//! The property machine alone: what waits for what, and what the simulator cannot ask for.

use crate::given::{
    HOLD, HOUR, TICK, TOTAL, book, booking, booking_id, command, now, payment, property, stay,
    stored, under_key,
};
use domain::booking::Step;
use domain::command::{Command, Intent};
use domain::event::{EventHash, Head};
use domain::group::Group;
use domain::pipeline::Rejection;
use domain::pipeline::property::{Answer, Effect, Input, Machine, Ticket};
use domain::refusal::{Code, Refusal};
use domain::state::{Settings, Stored};
use domain::{Booking, Instant, Status, Stay};
use std::sync::Arc;
use std::time::Duration;

/// The groups that were offered, the answers that were given, and how many loads and reads of the
/// head were asked for.
type Wanted = (Vec<Arc<Group>>, Vec<(Ticket, Answer)>, usize, usize);

/// A machine with what it wanted since it was last asked.
struct Desk {
    machine: Machine,
    effects: Vec<Effect>,
    tickets: Ticket,
}

impl Desk {
    /// A machine that waits for its first load.
    fn opening(shared: bool) -> Self {
        Self::under(Settings { shared, ..crate::given::settings() })
    }

    fn under(settings: Settings) -> Self {
        let mut effects = Vec::new();
        Self { machine: Machine::new(settings, 1, &mut effects), effects, tickets: 0 }
    }

    /// A machine that has loaded these bookings.
    fn open(shared: bool, bookings: Vec<Booking>) -> Self {
        let mut desk = Self::opening(shared);
        desk.load(1, bookings, Head::default());
        desk.effects.clear();
        desk
    }

    fn load(&mut self, incarnation: u64, bookings: Vec<Booking>, head: Head) {
        let stored = Box::new(Stored { head, ..stored(property(), bookings) });
        self.tell(now(), Input::Loaded { incarnation, stored, turn: false });
    }

    /// Loads under the head's lock: the groups that are to be written under it.
    fn load_in_turn(&mut self) -> Vec<Arc<Group>> {
        let stored = Box::new(stored(property(), Vec::new()));
        self.tell(now(), Input::Loaded { incarnation: 1, stored, turn: true });
        match self.effects.pop() {
            Some(Effect::Turn(groups)) => groups,
            other => panic!("no turn: {other:?}"),
        }
    }

    fn tell(&mut self, at: Instant, input: Input) {
        self.machine.step(at, input, &mut self.effects);
    }

    fn ask(&mut self, at: Instant, command: Command) -> Ticket {
        self.tickets += 1;
        let (ticket, deadline) = (self.tickets, at.plus(Duration::from_secs(5)));
        self.tell(at, Input::Submit { ticket, command, deadline });
        ticket
    }

    fn outcome(&mut self, group: &Group, result: Result<(), Rejection>) {
        self.tell(now(), Input::Outcome { group: group.id, result });
    }

    /// What was wanted since the last time.
    fn take(&mut self) -> Wanted {
        let (mut groups, mut answers, mut loads, mut reads) = (Vec::new(), Vec::new(), 0, 0);
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Offer(group) => groups.push(group),
                Effect::Reply(ticket, answer) => answers.push((ticket, answer)),
                Effect::Load { .. } => loads += 1,
                Effect::ReadHead => reads += 1,
                _ => {}
            }
        }
        (groups, answers, loads, reads)
    }
}

fn step(number: u128, step: Step) -> Command {
    command(100 + number, Intent::Step { booking: booking_id(number), step })
}

fn change(number: u128, seen: u32, stay: Stay) -> Command {
    let booking = booking_id(number);
    command(200 + number, Intent::Change { booking, seen, stay, guests: 2 })
}

fn is_refused(answers: &[(Ticket, Answer)], ticket: Ticket) -> bool {
    matches!(answers, [(found, Answer::Refused(_))] if *found == ticket)
}

#[test]
fn nobody_is_turned_away_by_a_booking_that_is_not_durable() {
    let mut desk = Desk::open(false, Vec::new());
    desk.ask(now(), book(1, stay(10, 13)));
    let second = desk.ask(now(), book(2, stay(12, 14)));
    let (groups, answers, ..) = desk.take();
    assert_eq!((groups.len(), answers.len()), (1, 0));
    desk.outcome(&groups[0], Ok(()));
    let (_, answers, ..) = desk.take();
    assert!(matches!(answers[0], (1, Answer::Done { seq: 1, .. })), "{answers:?}");
    assert!(is_refused(&answers[1..], second), "{answers:?}");
    assert!(desk.machine.is_idle());
}

#[test]
fn nobody_is_turned_away_by_a_hold_of_their_own_that_is_not_durable() {
    let limited = Settings { one_pending_each: true, ..crate::given::settings() };
    for (result, is_done) in [(Ok(()), false), (Err(Rejection::Failed), true)] {
        let mut desk = Desk::under(limited);
        desk.load(1, Vec::new(), Head::default());
        desk.effects.clear();
        desk.ask(now(), book(1, stay(10, 13)));
        let second = desk.ask(now(), book(2, stay(20, 22)));
        let (groups, answers, ..) = desk.take();
        assert_eq!((groups.len(), answers.len()), (1, 0), "the second waits");
        desk.outcome(&groups[0], result);
        if is_done {
            desk.load(2, Vec::new(), Head::default());
            let (groups, ..) = desk.take();
            desk.outcome(&groups[0], Ok(()));
        }
        let (_, answers, ..) = desk.take();
        let last = answers.last().filter(|(ticket, _)| *ticket == second).map(|(_, last)| last);
        assert_eq!(matches!(last, Some(Answer::Done { .. })), is_done, "{answers:?}");
        let here = matches!(last, Some(Answer::Refused(Refusal::PendingHere(_))));
        assert_eq!(here, !is_done, "{answers:?}");
    }
}

#[test]
fn when_the_first_fails_the_second_gets_its_nights() {
    let mut desk = Desk::open(false, Vec::new());
    let first = desk.ask(now(), book(1, stay(10, 13)));
    let second = desk.ask(now(), book(2, stay(12, 14)));
    let (groups, ..) = desk.take();
    desk.outcome(&groups[0], Err(Rejection::Failed));
    desk.load(2, Vec::new(), Head::default());
    let (groups, answers, ..) = desk.take();
    assert_eq!(answers, [(first, Answer::Failed)]);
    assert_eq!(groups[0].booking().map(|booking| booking.id), Some(booking_id(2)));
    desk.outcome(&groups[0], Ok(()));
    let (_, answers, ..) = desk.take();
    assert!(matches!(answers[..], [(ticket, Answer::Done { .. })] if ticket == second));
}

#[test]
fn where_others_write_too_a_refusal_waits_for_a_look_at_the_head() {
    let taken = vec![booking(Status::Confirmed, None)];
    let mut desk = Desk::open(true, taken.clone());
    let first = desk.ask(now(), book(2, stay(10, 13)));
    let second = desk.ask(now(), book(3, stay(10, 13)));
    let (_, answers, _, reads) = desk.take();
    assert_eq!((answers.len(), reads), (0, 1), "one look at a time");
    desk.tell(now(), Input::HeadRead { head: Head::default() });
    let (_, answers, loads, reads) = desk.take();
    assert!(is_refused(&answers, first), "{answers:?}");
    assert_eq!((loads, reads), (0, 1), "the second came after the first look began");

    let elsewhere = Head { seq: 1, hash: EventHash([1; 32]) };
    desk.tell(now(), Input::HeadRead { head: elsewhere });
    let (_, answers, loads, _) = desk.take();
    assert_eq!((answers.len(), loads), (0, 1), "somebody has written");
    desk.load(2, Vec::new(), elsewhere);
    let (groups, answers, ..) = desk.take();
    assert_eq!((groups.len(), answers.len()), (1, 0), "the nights are free by now");
    desk.outcome(&groups[0], Ok(()));
    assert!(matches!(desk.take().1[..], [(ticket, Answer::Done { .. })] if ticket == second));
}

#[test]
fn a_look_at_the_head_forgets_no_group_that_is_on_its_way() {
    let taken = vec![booking(Status::Confirmed, None)];
    let mut desk = Desk::open(true, taken);
    desk.ask(now(), book(2, stay(10, 13)));
    let writes = desk.ask(now(), book(3, stay(20, 21)));
    let (groups, _, _, reads) = desk.take();
    assert_eq!((groups.len(), reads), (1, 1));
    // Ours was written, and somebody else's after it, before we hear of either.
    let elsewhere = Head { seq: 2, hash: EventHash([1; 32]) };
    desk.tell(now(), Input::HeadRead { head: elsewhere });
    let (_, answers, loads, _) = desk.take();
    assert_eq!((answers.len(), loads), (0, 0));
    desk.outcome(&groups[0], Ok(()));
    let (_, answers, _, reads) = desk.take();
    assert!(matches!(answers[..], [(ticket, Answer::Done { .. })] if ticket == writes));
    assert_eq!(reads, 1);
    desk.tell(now(), Input::HeadRead { head: elsewhere });
    assert_eq!(desk.take().2, 1, "now everything is loaded again");
}

#[test]
fn a_head_that_somebody_came_across_is_news_only_if_it_is() {
    let mut desk = Desk::open(true, Vec::new());
    desk.tell(now(), Input::HeadSeen { head: Head::default() });
    assert_eq!(desk.take().2, 0);
    let elsewhere = Head { seq: 1, hash: EventHash([1; 32]) };
    desk.tell(now(), Input::HeadSeen { head: elsewhere });
    assert_eq!(desk.take().2, 1);
}

#[test]
fn a_night_that_the_guard_refuses_twice_is_booked_whatever_the_calendar_says() {
    let mut desk = Desk::open(false, Vec::new());
    let ticket = desk.ask(now(), book(1, stay(10, 13)));
    let (groups, ..) = desk.take();
    desk.outcome(&groups[0], Err(Rejection::Guarded));
    desk.load(2, Vec::new(), Head::default());
    let (groups, answers, ..) = desk.take();
    assert_eq!((groups.len(), answers.len()), (1, 0), "it is decided again");
    desk.outcome(&groups[0], Err(Rejection::Guarded));
    let (_, answers, ..) = desk.take();
    let [(found, Answer::Refused(Refusal::Unavailable { reasons, .. }))] = &answers[..] else {
        panic!("{answers:?}")
    };
    assert_eq!((*found, reasons[0].code), (ticket, Code::UnavailableBooked));
    assert_eq!(reasons[0].nights, stay(10, 13).each_night().collect::<Vec<_>>());
}

#[test]
fn what_an_earlier_life_hears_is_not_heard_any_more() {
    let mut desk = Desk::open(false, Vec::new());
    desk.ask(now(), book(1, stay(10, 13)));
    let (groups, ..) = desk.take();
    desk.outcome(&groups[0], Err(Rejection::Lost));
    desk.load(1, Vec::new(), Head::default());
    assert_eq!(desk.take().0.len(), 0, "this was the load before");
    desk.load(2, Vec::new(), Head::default());
    assert_eq!(desk.take().0.len(), 1);
    desk.outcome(&groups[0], Ok(()));
    assert_eq!(desk.take().1, []);
}

#[test]
fn a_property_that_is_not_there_answers_so_at_once_and_always() {
    let mut desk = Desk::opening(false);
    let early = desk.ask(now(), book(1, stay(10, 13)));
    desk.tell(now(), Input::Missing);
    let late = desk.ask(now(), book(2, stay(10, 13)));
    assert_eq!(desk.take().1, [(early, Answer::Missing), (late, Answer::Missing)]);
    assert!(desk.machine.is_idle());
}

#[test]
fn callers_do_not_wait_longer_than_they_want_for_a_database_that_is_silent() {
    let mut desk = Desk::opening(false);
    let ticket = desk.ask(now(), book(1, stay(10, 13)));
    desk.tell(now(), Input::Tick);
    assert_eq!(desk.take().1, []);
    desk.tell(now().plus(HOUR), Input::Tick);
    assert_eq!(desk.take().1, [(ticket, Answer::TooLate)]);
    desk.load(1, Vec::new(), Head::default());
    assert_eq!(desk.take().0.len(), 0, "and nothing is done for them later");
}

#[test]
fn a_tick_ends_what_is_due_and_nothing_else() {
    let mut desk = Desk::open(false, Vec::new());
    desk.ask(now(), book(1, stay(10, 13)));
    let (groups, ..) = desk.take();
    desk.outcome(&groups[0], Ok(()));
    desk.take();
    assert_eq!(desk.machine.next_deadline(), Some(now().plus(HOLD)));
    desk.tell(now().plus(HOLD).minus(TICK), Input::Tick);
    assert_eq!(desk.take().0.len(), 0);
    desk.tell(now().plus(HOLD), Input::Tick);
    assert_eq!(desk.take().0.len(), 1);
}

#[test]
fn a_machine_is_idle_when_nobody_waits_and_nothing_is_on_its_way() {
    let mut desk = Desk::opening(true);
    assert!(!desk.machine.is_idle(), "it waits for its first load");
    desk.load(1, vec![booking(Status::Confirmed, None)], Head::default());
    assert!(desk.machine.is_idle());
    desk.ask(now(), book(2, stay(20, 22)));
    assert!(!desk.machine.is_idle(), "a group is on its way");
    let (groups, ..) = desk.take();
    desk.outcome(&groups[0], Ok(()));
    assert!(desk.machine.is_idle());
    desk.ask(now(), book(3, stay(10, 13)));
    assert!(!desk.machine.is_idle(), "an answer waits for a look at the head");
    desk.tell(now(), Input::HeadRead { head: groups[0].head });
    assert!(desk.machine.is_idle());
}

#[test]
fn what_is_decided_is_newer_than_what_is_durable_until_its_outcome_is_known() {
    let mut desk = Desk::opening(false);
    let seqs = |desk: &Desk| (desk.machine.newest_seq(), desk.machine.durable_seq());
    assert_eq!(seqs(&desk), (None, None));
    desk.load(1, Vec::new(), Head { seq: 7, ..Head::default() });
    assert_eq!(seqs(&desk), (Some(7), Some(7)));
    desk.ask(now(), book(1, stay(10, 13)));
    assert_eq!(seqs(&desk), (Some(8), Some(7)));
    let (groups, ..) = desk.take();
    desk.outcome(&groups[0], Ok(()));
    assert_eq!(seqs(&desk), (Some(8), Some(8)));
    desk.ask(now(), book(2, stay(20, 22)));
    let (groups, ..) = desk.take();
    desk.outcome(&groups[0], Err(Rejection::Lost));
    assert_eq!(seqs(&desk), (None, Some(8)), "what was decided is thrown away");
}

#[test]
fn a_key_answers_once_its_own_event_is_durable() {
    let replay = Answer::Replay { booking: booking_id(1), seq: 1 };
    // The same request under the same key, and another one.
    for (body, expected) in [(1, replay), (2, Answer::Refused(Refusal::KeyReused))] {
        let mut desk = Desk::open(false, Vec::new());
        desk.ask(now(), under_key(book(1, stay(10, 13)), "key", 1));
        let early = desk.ask(now(), under_key(book(2, stay(20, 22)), "key", body));
        let (groups, answers, ..) = desk.take();
        assert_eq!((groups.len(), answers.len()), (1, 0), "the key may still come free");
        desk.outcome(&groups[0], Ok(()));
        let late = desk.ask(now(), under_key(book(3, stay(20, 22)), "key", body));
        let (_, answers, ..) = desk.take();
        assert_eq!(answers[1..], [(early, expected.clone()), (late, expected)]);

        let mut desk = Desk::open(false, Vec::new());
        desk.ask(now(), under_key(book(1, stay(10, 13)), "key", 1));
        desk.ask(now(), under_key(book(2, stay(20, 22)), "key", body));
        let (groups, ..) = desk.take();
        desk.outcome(&groups[0], Err(Rejection::Failed));
        desk.load(2, Vec::new(), Head::default());
        let (groups, ..) = desk.take();
        let made = groups[0].booking().map(|booking| booking.id);
        assert_eq!(made, Some(booking_id(2)), "the key did come free");
    }
}

#[test]
fn who_is_rejected_hears_why_or_is_decided_again() {
    for (rejection, expected, in_turn) in [
        (Rejection::KeyTaken, Some(Answer::Refused(Refusal::KeyReused)), false),
        (Rejection::Failed, Some(Answer::Failed), false),
        (Rejection::Full, Some(Answer::Full), false),
        (Rejection::Guarded, None, false),
        (Rejection::Lost, None, false),
        // Another writer was faster, so the head is locked before the next decision.
        (Rejection::Fenced, None, true),
        (Rejection::Contended, None, true),
    ] {
        let mut desk = Desk::open(false, Vec::new());
        let ticket = desk.ask(now(), book(1, stay(10, 13)));
        let (groups, ..) = desk.take();
        desk.outcome(&groups[0], Err(rejection.clone()));
        let load = desk.effects.last();
        let found = matches!(load, Some(Effect::Load { incarnation: 2, turn }) if *turn == in_turn);
        assert!(found, "{rejection:?}: {load:?}");
        let again = usize::from(expected.is_none());
        let told: Vec<_> = expected.map(|answer| (ticket, answer)).into_iter().collect();
        assert_eq!(desk.take().1, told, "{rejection:?}");
        desk.load(2, Vec::new(), Head::default());
        assert_eq!(desk.take().0.len(), again, "{rejection:?}");
    }
}

#[test]
fn nothing_is_decided_on_top_of_what_is_being_written_under_the_heads_lock() {
    let mut desk = Desk::opening(false);
    desk.ask(now(), book(1, stay(10, 13)));
    desk.ask(now(), book(2, stay(13, 15)));
    let groups = desk.load_in_turn();
    assert_eq!(groups.len(), 2);
    let third = desk.ask(now(), book(3, stay(20, 22)));
    desk.outcome(&groups[0], Ok(()));
    let (offered, answers, ..) = desk.take();
    assert_eq!((offered.len(), answers.len()), (0, 1), "the turn is not over");
    desk.outcome(&groups[1], Ok(()));
    let (offered, answers, ..) = desk.take();
    assert_eq!((offered.len(), answers.len()), (1, 1), "now it is");
    desk.outcome(&offered[0], Ok(()));
    assert!(matches!(desk.take().1[..], [(ticket, Answer::Done { .. })] if ticket == third));

    let mut desk = Desk::opening(false);
    assert_eq!(desk.load_in_turn().len(), 0, "a turn that nobody waits for is over at once");
    desk.ask(now(), book(1, stay(10, 13)));
    assert_eq!(desk.take().0.len(), 1);
}

#[test]
fn a_refusal_waits_for_the_events_that_play_a_part_in_it_and_for_no_others() {
    let other = |number, stay, status, attempt| {
        let id = booking_id(number);
        Booking { id, stay, ..booking(status, attempt) }
    };
    let durable = || {
        let late = other(5, stay(24, 26), Status::Expired, Some((5, false)));
        let (before, behind) = (stay(7, 9), stay(16, 18));
        let taken = |number, stay| other(number, stay, Status::Confirmed, None);
        vec![booking(Status::Confirmed, None), taken(3, before), taken(4, behind), late]
    };
    let currency = property().currency;
    let pay = step(5, Step::Pay { payment: payment(5), amount: TOTAL, currency });
    let cancel = step(1, Step::Cancel { by_guest: true });
    let (decline, wanted) = (step(1, Step::Decline), book(2, stay(13, 15)));
    for (on_its_way, asked, waits) in [
        (wanted.clone(), book(9, stay(14, 16)), true),
        // One of its nights is taken whatever becomes of the event.
        (wanted.clone(), book(9, stay(12, 14)), false),
        (wanted.clone(), change(1, 1, stay(8, 14)), false),
        (change(1, 1, stay(10, 15)), change(1, 2, stay(10, 18)), true),
        (cancel, decline.clone(), true),
        (book(2, stay(20, 22)), decline, false),
        (book(2, stay(25, 27)), pay, true),
    ] {
        let mut desk = Desk::open(false, durable());
        let about = format!("{:?} on {:?}", asked.intent, on_its_way.intent);
        desk.ask(now(), on_its_way);
        let ticket = desk.ask(now(), asked);
        let (groups, answers, ..) = desk.take();
        assert_eq!(groups.len(), 1, "{about}");
        assert_eq!(is_refused(&answers, ticket), !waits, "{about}: {answers:?}");
        desk.outcome(&groups[0], Ok(()));
        let (_, answers, ..) = desk.take();
        assert_eq!(is_refused(&answers[1..], ticket), waits, "{about}: {answers:?}");
    }
}

#[test]
fn an_answer_that_the_head_confirms_stands_whatever_is_on_its_way_since() {
    let mut desk = Desk::open(true, vec![booking(Status::Confirmed, None)]);
    let refused = desk.ask(now(), book(2, stay(10, 13)));
    desk.ask(now(), step(1, Step::Cancel { by_guest: true }));
    assert_eq!(desk.take().0.len(), 1, "the nights may come free");
    desk.tell(now(), Input::HeadRead { head: Head::default() });
    let (groups, answers, ..) = desk.take();
    assert!(groups.is_empty() && is_refused(&answers, refused), "{answers:?}");
}

#[test]
fn a_head_that_is_a_group_of_ours_is_explained_by_its_outcome_alone() {
    let mut desk = Desk::open(true, vec![booking(Status::Confirmed, None)]);
    let refused = desk.ask(now(), book(2, stay(10, 13)));
    desk.ask(now(), book(3, stay(20, 21)));
    desk.ask(now(), book(4, stay(22, 23)));
    let (groups, _, _, reads) = desk.take();
    assert_eq!((groups.len(), reads), (2, 1));
    desk.tell(now(), Input::HeadRead { head: groups[0].head });
    assert_eq!(desk.take().1, []);
    desk.outcome(&groups[0], Ok(()));
    let (_, answers, ..) = desk.take();
    assert!(is_refused(&answers[1..], refused), "not after the second as well: {answers:?}");
}

#[test]
fn what_we_wrote_ourselves_since_a_look_at_the_head_began_is_no_news() {
    let mut desk = Desk::open(true, vec![booking(Status::Confirmed, None)]);
    let refused = desk.ask(now(), book(2, stay(10, 13)));
    desk.ask(now(), book(3, stay(20, 21)));
    let (groups, ..) = desk.take();
    desk.outcome(&groups[0], Ok(()));
    desk.ask(now(), book(4, stay(22, 23)));
    desk.take();
    desk.tell(now(), Input::HeadRead { head: groups[0].head });
    let (_, answers, loads, _) = desk.take();
    assert!(is_refused(&answers, refused), "{answers:?}");
    assert_eq!(loads, 0);
}
