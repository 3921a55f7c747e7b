//! Accounts, sessions, mailed tokens and leaving, on both databases.

use super::{Ground, NOW, account, commit, fresh, id_in, on_both};
use crate::store::accounts::{Account, Role};
use crate::store::audit::{Deed, NewAudit};
use crate::store::departures::{Departure, Obligation};
use crate::store::jobs::{NewJob, Work};
use crate::store::mail_tokens::Purpose;
use crate::store::sessions::{Exchange, NewSession, Refreshed, TokenHash};
use domain::payment::PaymentStatus;
use domain::{Instant, JobId, UserId};
use futures_util::future::join_all;
use std::time::Duration;
use uuid::Uuid;

on_both!(
    lists_of_accounts_begin_with_the_newest,
    an_account_changes_from_the_version_that_was_read,
    a_refresh_token_is_good_for_one_use,
    a_refresh_token_that_comes_back_ends_its_session,
    a_retry_has_the_same_successor_until_that_is_used,
    a_retry_that_comes_late_ends_its_session,
    uses_of_a_token_at_once_have_one_successor,
    a_session_begins_with_the_password_of_this_moment_only,
    sessions_that_are_over_are_told_and_forgotten,
    a_mailed_token_is_good_once_and_until_it_expires,
    a_reset_password_ends_every_session,
    a_new_accounts_mail_is_a_job_of_its_transaction,
    nobody_leaves_who_has_obligations,
    who_left_is_found_by_nobody,
);

const DAY: Duration = Duration::from_secs(86_400);
const RETRY: Duration = Duration::from_secs(10);

fn audit(deed: Deed, subject: Option<UserId>) -> NewAudit {
    let address = Some("192.0.2.7".parse().expect("an address"));
    let (before, after) = (Some("{\"first_name\": \"Ada\"}".to_owned()), None);
    NewAudit { id: fresh(), at: NOW, deed, actor: subject, subject, address, before, after }
}

fn hash(number: u8) -> TokenHash {
    [number; 32]
}

/// Begins a session of the guest with this token.
async fn session(ground: &Ground, token: u8) -> Uuid {
    let session = NewSession {
        id: fresh(),
        account: ground.guest,
        refresh: hash(token),
        created_at: NOW,
        expires_at: NOW.plus(DAY),
    };
    let id = session.id;
    let audit = audit(Deed::SignedIn, Some(ground.guest));
    let started = ground.store.start_session(session, "$argon2id$".to_owned(), audit).await;
    assert!(started.expect("an answer"));
    id
}

async fn refresh(ground: &Ground, used: u8, next: u8, now: Instant) -> Refreshed {
    let (retried_since, expires_at) = (now.minus(RETRY), now.plus(DAY));
    let exchange = Exchange { used: hash(used), next: hash(next), now, retried_since, expires_at };
    let reuse = audit(Deed::RefreshReused, None);
    ground.store.refresh_session(exchange, reuse).await.expect("an answer")
}

async fn guest(ground: &Ground) -> Account {
    ground.store.account(ground.guest).await.expect("an answer").expect("an account")
}

async fn leave(ground: &Ground) -> Departure {
    let account = guest(ground).await;
    let audit = audit(Deed::AccountDeleted, Some(account.id));
    ground.store.depart(account, NOW, audit).await.expect("an answer")
}

async fn lists_of_accounts_begin_with_the_newest(ground: Ground) {
    let mut wanted = vec![(NOW, ground.host), (NOW, ground.guest)];
    for age in [3, 1, 2] {
        let mut account = account(UserId(fresh()), Role::Guest);
        account.created_at = NOW.minus(Duration::from_secs(age));
        wanted.push((account.created_at, account.id));
        ground.store.insert_account(account, None, None).await.expect("an account");
    }
    wanted.sort_by(|a, b| b.cmp(a));
    let mut seen = Vec::new();
    loop {
        let page = ground.store.accounts(seen.last().copied(), 2).await.expect("a page");
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|account| (account.created_at, account.id)));
    }
    assert_eq!(seen, wanted);
}

async fn an_account_changes_from_the_version_that_was_read(ground: Ground) {
    let store = &ground.store;
    let read = guest(&ground).await;
    assert_eq!((read.version, read.verified_at), (1, None));
    let wished = Account { first_name: "Grace".to_owned(), role: Role::Host, ..read.clone() };
    let lines =
        vec![audit(Deed::ProfileChanged, Some(read.id)), audit(Deed::RoleChanged, Some(read.id))];
    assert!(store.change_account(wished.clone(), lines.clone()).await.expect("an answer"));
    assert!(!store.change_account(wished, lines).await.expect("an answer"), "it is old now");
    let now = guest(&ground).await;
    assert_eq!((now.first_name.as_str(), now.role, now.version), ("Grace", Role::Host, 2));
}

async fn a_refresh_token_is_good_for_one_use(ground: Ground) {
    let session = session(&ground, 1).await;
    let account = ground.guest;
    let rotated = Refreshed::Rotated { session, account, role: Role::Guest };
    assert_eq!(refresh(&ground, 1, 2, NOW).await, rotated);
    assert_eq!(refresh(&ground, 2, 3, NOW.plus(DAY / 2)).await, rotated);
    assert_eq!(refresh(&ground, 9, 10, NOW).await, Refreshed::Unknown);
    // It was prolonged with each use, and ends a day after the last.
    let last = NOW.plus(DAY / 2).plus(DAY);
    assert_eq!(refresh(&ground, 3, 4, last).await, Refreshed::Unknown);
    assert_eq!(refresh(&ground, 3, 4, last.minus(Duration::from_secs(1))).await, rotated);
    ground.store.end_session(session, last).await.expect("an end");
    assert_eq!(refresh(&ground, 4, 5, last).await, Refreshed::Unknown);
}

async fn a_refresh_token_that_comes_back_ends_its_session(ground: Ground) {
    let (stolen, other) = (session(&ground, 1).await, session(&ground, 11).await);
    assert!(matches!(refresh(&ground, 1, 2, NOW).await, Refreshed::Rotated { .. }));
    assert_eq!(refresh(&ground, 1, 3, NOW).await, Refreshed::Reused(stolen));
    for token in [1, 2, 3] {
        assert_eq!(refresh(&ground, token, 4, NOW).await, Refreshed::Unknown, "{token}");
    }
    let ended = ground.store.ended_sessions(NOW.minus(DAY)).await.expect("sessions");
    assert_eq!(ended, [(stolen, NOW)]);
    assert!(matches!(refresh(&ground, 11, 12, NOW).await, Refreshed::Rotated { .. }), "{other}");
}

async fn a_retry_has_the_same_successor_until_that_is_used(ground: Ground) {
    let session = session(&ground, 1).await;
    let rotated = Refreshed::Rotated { session, account: ground.guest, role: Role::Guest };
    let last = NOW.plus(RETRY).minus(Duration::from_micros(1));
    for now in [NOW, NOW, last] {
        assert_eq!(refresh(&ground, 1, 2, now).await, rotated);
    }
    assert_eq!(refresh(&ground, 2, 3, last).await, rotated);
    assert_eq!(refresh(&ground, 2, 3, last).await, rotated);
    assert_eq!(refresh(&ground, 1, 2, last).await, Refreshed::Reused(session));
    assert_eq!(refresh(&ground, 3, 4, last).await, Refreshed::Unknown);
}

async fn a_retry_that_comes_late_ends_its_session(ground: Ground) {
    let session = session(&ground, 1).await;
    assert!(matches!(refresh(&ground, 1, 2, NOW).await, Refreshed::Rotated { .. }));
    let late = NOW.plus(RETRY);
    assert_eq!(refresh(&ground, 1, 2, late).await, Refreshed::Reused(session));
    assert_eq!(refresh(&ground, 2, 3, late).await, Refreshed::Unknown);
}

async fn uses_of_a_token_at_once_have_one_successor(ground: Ground) {
    for round in 0..10 {
        let session = session(&ground, 100 + round).await;
        let rotated = Refreshed::Rotated { session, account: ground.guest, role: Role::Guest };
        let refreshing = (0..4).map(|_| refresh(&ground, 100 + round, 120 + round, NOW));
        assert_eq!(join_all(refreshing).await, vec![rotated; 4]);
        assert_eq!(refresh(&ground, 120 + round, 140 + round, NOW).await, rotated);
    }
}

async fn a_session_begins_with_the_password_of_this_moment_only(ground: Ground) {
    let session = |account| NewSession {
        id: fresh(),
        account,
        refresh: hash(1),
        created_at: NOW,
        expires_at: NOW.plus(DAY),
    };
    for (account, password) in [(ground.guest, "$argon2id$old"), (UserId(fresh()), "$argon2id$")] {
        let audit = audit(Deed::SignedIn, Some(account));
        let started = ground.store.start_session(session(account), password.to_owned(), audit);
        assert!(!started.await.expect("an answer"), "{password}");
    }
    assert_eq!(refresh(&ground, 1, 2, NOW).await, Refreshed::Unknown);
}

async fn sessions_that_are_over_are_told_and_forgotten(ground: Ground) {
    let store = &ground.store;
    let (early, late, kept) =
        (session(&ground, 1).await, session(&ground, 2).await, session(&ground, 3).await);
    store.end_session(early, NOW).await.expect("an end");
    store.end_session(early, NOW.plus(DAY)).await.expect("nothing more");
    store.end_session(late, NOW.plus(DAY / 2)).await.expect("an end");
    store.end_session(fresh(), NOW).await.expect("nothing");
    assert_eq!(store.ended_sessions(NOW).await.expect("sessions"), [(late, NOW.plus(DAY / 2))]);
    assert_eq!(store.purge_sessions(NOW.plus(DAY / 3)).await.expect("a purge"), 1);
    let told = store.ended_sessions(NOW.minus(DAY)).await.expect("sessions");
    assert_eq!(told, [(late, NOW.plus(DAY / 2))]);
    let refreshed = refresh(&ground, 3, 4, NOW).await;
    assert!(matches!(refreshed, Refreshed::Rotated { session, .. } if session == kept));
    assert_eq!(store.purge_sessions(NOW.plus(DAY * 2)).await.expect("a purge"), 2);
}

async fn a_mailed_token_is_good_once_and_until_it_expires(ground: Ground) {
    let store = &ground.store;
    let add = async |token, purpose| {
        let added = store.add_mail_token(hash(token), ground.guest, purpose, NOW.plus(DAY)).await;
        added.expect("a token");
    };
    let verify = async |token, now| {
        let line = audit(Deed::AddressVerified, None);
        store.verify_address(hash(token), now, line).await.expect("an answer")
    };
    add(1, Purpose::Verify).await;
    add(2, Purpose::Verify).await;
    add(3, Purpose::Reset).await;
    assert!(store.is_mail_token(hash(3), Purpose::Reset, NOW).await.expect("an answer"));
    for (token, purpose, now) in
        [(3, Purpose::Verify, NOW), (4, Purpose::Reset, NOW), (3, Purpose::Reset, NOW.plus(DAY))]
    {
        let is_good = store.is_mail_token(hash(token), purpose, now).await.expect("an answer");
        assert!(!is_good, "{token} {purpose:?}");
    }
    assert!(!verify(1, NOW.plus(DAY)).await, "it has expired");
    assert!(!verify(3, NOW).await, "it is for something else");
    assert!(verify(1, NOW).await);
    assert!(!verify(1, NOW).await, "it was used");
    assert!(!verify(2, NOW).await, "its like was used");
    assert_eq!(guest(&ground).await.verified_at, Some(NOW));
    assert_eq!(store.purge_mail_tokens(NOW.plus(DAY * 2)).await.expect("a purge"), 1);
}

async fn a_reset_password_ends_every_session(ground: Ground) {
    let store = &ground.store;
    let (one, other) = (session(&ground, 1).await, session(&ground, 2).await);
    let token = hash(7);
    let added = store.add_mail_token(token, ground.guest, Purpose::Reset, NOW.plus(DAY)).await;
    added.expect("a token");
    let reset = async || {
        let line = audit(Deed::PasswordReset, None);
        let reset = store.reset_password(token, "$argon2id$new".to_owned(), NOW, line).await;
        reset.expect("an answer")
    };
    let mut done = reset().await.expect("a good token");
    done.ended.sort();
    assert_eq!((done.account, done.ended), (ground.guest, vec![one, other]));
    assert_eq!(reset().await, None, "it was used");
    let now = guest(&ground).await;
    assert_eq!((now.password_hash.as_str(), now.verified_at), ("$argon2id$new", Some(NOW)));
    for token in [1, 2] {
        assert_eq!(refresh(&ground, token, 3, NOW).await, Refreshed::Unknown);
    }
}

fn mail(account: UserId) -> NewJob {
    NewJob {
        id: JobId(fresh()),
        work: Work::VerifyMail,
        subject: account.0,
        property: None,
        amount: 0,
        payload: String::new(),
        run_at: NOW,
    }
}

async fn a_new_accounts_mail_is_a_job_of_its_transaction(ground: Ground) {
    let new = account(UserId(fresh()), Role::Guest);
    let job = mail(new.id);
    ground.store.insert_account(new.clone(), None, Some(job.clone())).await.expect("an account");
    let twin = Account { id: UserId(fresh()), ..new };
    let taken = ground.store.insert_account(twin.clone(), None, Some(mail(twin.id))).await;
    assert!(taken.is_err(), "the address is taken");
    let claimed = ground.store.claim(NOW, DAY, 9).await.expect("jobs");
    assert_eq!(claimed.iter().map(|claimed| &claimed.job).collect::<Vec<_>>(), [&job]);
    ground.assert_clean().await;
}

async fn nobody_leaves_who_has_obligations(ground: Ground) {
    let store = &ground.store;
    let property = ground.property().await;
    let mut desk = ground.desk(property).await;
    let mut lane = store.lane();
    let held = desk.book((0, 2));
    let booking = id_in(&held);
    commit(&mut lane, &[held]).await;
    let tie = |kind: &str, id| Obligation { kind: kind.to_owned(), id };
    let guests = |ties: Vec<Obligation>| Departure::Obliged(ties);
    assert_eq!(leave(&ground).await, guests(vec![tie("booking_as_guest", booking.0)]));

    // An attempt to pay, whose money nobody knows of yet.
    let attempt = desk.start_attempt(booking);
    let payment = attempt.booking().and_then(|b| b.attempt).expect("an attempt").payment;
    commit(&mut lane, &[attempt]).await;
    let both = vec![tie("booking_as_guest", booking.0), tie("payment", payment.0)];
    assert_eq!(leave(&ground).await, guests(both));
    let canceled = desk.cancel(booking).expect("a cancellation");
    commit(&mut lane, &[canceled]).await;
    assert_eq!(leave(&ground).await, guests(vec![tie("payment", payment.0)]));
    let moved = store.set_payment_status(payment, PaymentStatus::Voided).await;
    moved.expect("a move");
    assert_eq!(leave(&ground).await, guests(vec![tie("payment", payment.0)]), "a job has to do");
    for claimed in store.claim(NOW, DAY, 9).await.expect("jobs") {
        store.complete(claimed.job.id).await.expect("an end");
    }

    // The host has the property, and what happens in it.
    let again = desk.book((5, 7));
    let theirs = id_in(&again);
    commit(&mut lane, &[again]).await;
    let host = store.account(ground.host).await.expect("an answer").expect("an account");
    let line = audit(Deed::AccountDeleted, Some(host.id));
    let hosts = vec![tie("booking_as_host", theirs.0), tie("property", property.0)];
    let refused = store.depart(host, NOW, line).await.expect("an answer");
    assert_eq!(refused, Departure::Obliged(hosts));
    let canceled = desk.cancel(theirs).expect("a cancellation");
    commit(&mut lane, &[canceled]).await;
    assert_eq!(leave(&ground).await, Departure::Left(Vec::new()));
    ground.assert_clean().await;
}

async fn who_left_is_found_by_nobody(ground: Ground) {
    let store = &ground.store;
    let session = session(&ground, 1).await;
    let before = guest(&ground).await;
    let added = store.add_mail_token(hash(7), before.id, Purpose::Reset, NOW.plus(DAY)).await;
    added.expect("a token");
    let old = Account { version: 9, ..before.clone() };
    let line = audit(Deed::AccountDeleted, Some(old.id));
    assert_eq!(store.depart(old, NOW, line).await.expect("an answer"), Departure::Changed);
    assert_eq!(leave(&ground).await, Departure::Left(vec![session]));

    assert!(store.account(before.id).await.expect("an answer").is_none());
    assert!(store.account_by_email(&before.email).await.expect("an answer").is_none());
    let listed = store.accounts(None, 9).await.expect("a page");
    assert_eq!(listed.iter().map(|account| account.id).collect::<Vec<_>>(), [ground.host]);
    assert_eq!(refresh(&ground, 1, 2, NOW).await, Refreshed::Unknown);
    assert!(!store.is_mail_token(hash(7), Purpose::Reset, NOW).await.expect("an answer"));
    let line = audit(Deed::AccountDeleted, Some(before.id));
    let again = store.depart(before.clone(), NOW, line).await.expect("an answer");
    assert_eq!(again, Departure::Changed);
    // The address is free for somebody new.
    let new = Account { id: UserId(fresh()), ..before };
    store.insert_account(new, None, None).await.expect("an account");
    ground.assert_clean().await;
}
