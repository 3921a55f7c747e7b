//! What is known afterwards: lost connections, turns, and waits that nobody finishes.

use super::{Desk, Ground, NOW, commit, fresh, id_in, key, offer, on, on_both};
use crate::store::jobs::{NewJob, Work};
use crate::store::turn::TurnOutcome;
use crate::store::{Kind, Store, StoreOptions};
use domain::group::{Group, GroupId};
use domain::pipeline::Rejection;
use domain::pipeline::lane::Outcome;
use domain::{JobId, PropertyId};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

on_both!(
    a_turn_commits_all_of_its_groups_or_none,
    a_turn_on_no_property_is_none,
    work_whose_asker_went_away_is_done,
);

async fn a_turn_commits_all_of_its_groups_or_none(ground: Ground) {
    let property = ground.property().await;
    let used = key(ground.guest, "used elsewhere");
    let elsewhere = ground.property().await;
    let taken = ground.desk(elsewhere).await.book_with_key((0, 1), used.clone());
    commit(&mut ground.store.lane(), &[taken]).await;

    let (turn, stored) = ground.store.turn(property).await.expect("a turn").expect("a property");
    let mut desk = Desk::of(stored, ground.guest);
    let (good, guilty) = (desk.book((0, 2)), desk.book_with_key((5, 6), used));
    let failed = TurnOutcome::Failed { group: guilty.id, rejection: Rejection::KeyTaken };
    let outcome = turn.commit(vec![good, Arc::clone(&guilty)]).await;
    assert_eq!(outcome, failed);
    assert_eq!(ground.store.head(property).await.expect("a head").expect("one").seq, 1);

    let (turn, stored) = ground.store.turn(property).await.expect("a turn").expect("a property");
    let mut desk = Desk::of(stored, ground.guest);
    let held = desk.book((0, 2));
    let canceled = desk.cancel(id_in(&held)).expect("a cancellation");
    let again = desk.book((1, 3));
    let outcome = turn.commit(vec![held, canceled, Arc::clone(&again)]).await;
    assert_eq!(outcome, TurnOutcome::Committed);
    assert_eq!(ground.store.head(property).await.expect("a head"), Some(again.head));

    // Somebody else writes between the load and the commit: on PostgreSQL they wait.
    if ground.store.kind() == Kind::Sqlite {
        let (turn, stored) = ground.store.turn(property).await.expect("a turn").expect("one");
        let late = Desk::of(stored, ground.guest).book((20, 21));
        let foreign = ground.desk(property).await.book((22, 23));
        commit(&mut ground.store.lane(), &[foreign]).await;
        let fenced = TurnOutcome::Failed { group: late.id, rejection: Rejection::Fenced };
        assert_eq!(turn.commit(vec![late]).await, fenced);
    }
    ground.assert_clean().await;
}

async fn a_turn_on_no_property_is_none(ground: Ground) {
    for _ in 0..10 {
        let turn = ground.store.turn(PropertyId(fresh())).await.expect("an answer");
        assert!(turn.is_none());
    }
}

async fn work_whose_asker_went_away_is_done(ground: Ground) {
    for _ in 0..20 {
        let job = NewJob {
            id: JobId(fresh()),
            work: Work::Refund,
            subject: fresh(),
            property: None,
            amount: 1,
            payload: String::new(),
            run_at: NOW,
        };
        let mut asking = Box::pin(ground.store.enqueue(job));
        // Polled once, so that the work begins, and dropped.
        tokio::select! {
            biased;
            _ = asking.as_mut() => {}
            () = std::future::ready(()) => {}
        }
    }
    for _ in 0..200 {
        if ground.store.job_counts(NOW).await.expect("counts").waiting == 20 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not all jobs were written");
}

/// Makes every event take this long to write.
const SLOW_EVENTS: &str = "create function slow() returns trigger language plpgsql as \
     $$ begin perform pg_sleep(1.5); return new; end $$; \
     create trigger slow before insert on calendar_event for each row execute function slow()";

const END_COMMITS: &str = "select pg_terminate_backend(pid) from pg_stat_activity \
     where pid <> pg_backend_pid() and datname = current_database() and state = 'active' \
     and query like '%advanced as (%'";

#[test]
fn a_backend_that_ends_in_a_commit_leaves_nothing() {
    on(Kind::Postgres, async |ground: Ground| {
        let property = ground.property().await;
        let group = ground.desk(property).await.book((0, 2));
        ground.meddle(SLOW_EVENTS).await;
        let mut lane = ground.store.lane();
        let groups = [Arc::clone(&group)];
        let ending = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            ground.meddle(END_COMMITS).await;
        };
        let (outcome, ()) = tokio::join!(lane.commit(&groups), ending);
        let Outcome::Lost { applied } = outcome else { panic!("not lost: {outcome:?}") };
        assert_eq!(applied, HashSet::new());
        ground.meddle("drop trigger slow on calendar_event").await;
        commit(&mut lane, &groups).await;
        ground.assert_clean().await;
    });
}

/// A wire to the server that can be cut.
struct Wire {
    url: String,
    /// The next answer of the server is lost, and the connection with it.
    lose_answer: Arc<AtomicBool>,
    /// The next question reaches the server, but its asker is cut off; the server does not notice.
    cut_asker: Arc<AtomicBool>,
}

impl Wire {
    async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (front, database) = url.rsplit_once('/').expect("a database");
        let (front, server) = front.rsplit_once('@').expect("a user");
        let (lose_answer, cut_asker) = (Arc::default(), Arc::default());
        let wire = Self {
            url: format!("{front}@127.0.0.1:{port}/{database}"),
            lose_answer: Arc::clone(&lose_answer),
            cut_asker: Arc::clone(&cut_asker),
        };
        let server = server.to_owned();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("a connection");
                let server = TcpStream::connect(&server).await.expect("the server");
                let flags = (Arc::clone(&lose_answer), Arc::clone(&cut_asker));
                tokio::spawn(carry(client, server, flags));
            }
        });
        wire
    }
}

async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    (lose_answer, cut_asker): (Arc<AtomicBool>, Arc<AtomicBool>),
) {
    let (mut question, mut answer) = ([0; 16_384], [0; 16_384]);
    loop {
        tokio::select! {
            read = client.read(&mut question) => {
                let Ok(length @ 1..) = read else { return };
                if server.write_all(&question[..length]).await.is_err() {
                    return;
                }
                if cut_asker.swap(false, Ordering::SeqCst) {
                    drop(client);
                    // The server's end stays open for longer than the test lives.
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    return;
                }
            }
            read = server.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                if lose_answer.swap(false, Ordering::SeqCst)
                    || client.write_all(&answer[..length]).await.is_err()
                {
                    return;
                }
            }
        }
    }
}

/// A store behind a wire, with a lane that has served and a group that is to be committed.
async fn behind_wire(ground: &Ground) -> (Wire, Store, super::LaneConnection, Arc<Group>) {
    let wire = Wire::to(&ground.url).await;
    let handle = tokio::runtime::Handle::current();
    let store = Store::connect(&wire.url, handle, StoreOptions::default()).await.expect("a store");
    let mut lane = store.lane();
    let property = ground.property().await;
    let mut desk = ground.desk(property).await;
    commit(&mut lane, &[desk.book((0, 2))]).await;
    let group = desk.book((5, 6));
    (wire, store, lane, group)
}

fn lost(outcome: Outcome) -> HashSet<GroupId> {
    let Outcome::Lost { applied } = outcome else { panic!("not lost: {outcome:?}") };
    applied
}

#[test]
fn a_commit_whose_answer_is_lost_is_found() {
    on(Kind::Postgres, async |ground: Ground| {
        let (wire, _store, mut lane, group) = behind_wire(&ground).await;
        wire.lose_answer.store(true, Ordering::SeqCst);
        let applied = lost(lane.commit(&[Arc::clone(&group)]).await);
        assert_eq!(applied, HashSet::from([group.id]));
        assert_eq!(ground.store.head(group.property).await.expect("a head"), Some(group.head));
        ground.assert_clean().await;
    });
}

#[test]
fn a_commit_that_is_still_on_its_way_is_ended_before_it_is_judged() {
    on(Kind::Postgres, async |ground: Ground| {
        let (wire, _store, mut lane, group) = behind_wire(&ground).await;
        ground.meddle(SLOW_EVENTS).await;
        wire.cut_asker.store(true, Ordering::SeqCst);
        let applied = lost(lane.commit(&[Arc::clone(&group)]).await);
        assert_eq!(applied, HashSet::new());
        // The old statement would have ended by now.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(ground.store.head(group.property).await.expect("a head"), Some(group.base));
        ground.meddle("drop trigger slow on calendar_event").await;
        commit(&mut lane, &[group]).await;
        ground.assert_clean().await;
    });
}

#[test]
fn a_lane_does_not_wait_for_a_turn_and_strangers_are_not_held_up() {
    on(Kind::Postgres, async |ground: Ground| {
        let (property, stranger) = (ground.property().await, ground.property().await);
        let ours = ground.desk(property).await.book((0, 2));
        let good = ground.desk(stranger).await.book((0, 2));
        let (turn, _) = ground.store.turn(property).await.expect("a turn").expect("a property");
        let mut lane = ground.store.lane();
        let results = offer(&mut lane, &[Arc::clone(&ours), Arc::clone(&good)]).await;
        assert_eq!(results.get(&ours.id), Some(&Err(Rejection::Contended)));
        assert_eq!(results.get(&good.id), Some(&Ok(())));
        // Dropped, a turn lets the lock go.
        drop(turn);
        tokio::time::sleep(Duration::from_millis(200)).await;
        commit(&mut lane, &[ours]).await;
    });
}

#[test]
fn turns_on_one_property_are_taken_one_after_the_other() {
    on(Kind::Postgres, async |ground: Ground| {
        let property = ground.property().await;
        let other =
            Store::connect(&ground.url, tokio::runtime::Handle::current(), StoreOptions::default())
                .await
                .expect("a second node");
        let one_node = async |store: &Store, first: i32| {
            for number in 0..20 {
                let (turn, stored) = store.turn(property).await.expect("a turn").expect("one");
                let night = first + number;
                let group = Desk::of(stored, ground.guest).book((night, night + 1));
                assert_eq!(turn.commit(vec![group]).await, TurnOutcome::Committed);
            }
        };
        tokio::join!(one_node(&ground.store, 0), one_node(&other, 100));
        assert_eq!(ground.store.head(property).await.expect("a head").expect("one").seq, 41);
        ground.assert_clean().await;
    });
}

#[test]
fn a_turn_that_takes_too_long_is_ended_and_has_written_nothing() {
    on(Kind::Postgres, async |ground: Ground| {
        let property = ground.property().await;
        let (turn, stored) = ground.store.turn(property).await.expect("a turn").expect("one");
        let group = Desk::of(stored, ground.guest).book((0, 2));
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let outcome = turn.commit(vec![Arc::clone(&group)]).await;
        assert_eq!(outcome, TurnOutcome::Lost { applied: HashSet::new() });
        commit(&mut ground.store.lane(), &[group]).await;
    });
}
