//! Every noun's statements, on both databases.

use super::{Ground, NOW, account, commit, fresh, id_in, key, on_both, property};
use crate::store::accounts::Role;
use crate::store::bookings::BookingFilter;
use crate::store::inbox::InboxEvent;
use crate::store::jobs::{ClaimedJob, JobCounts, NewJob, Work};
use crate::store::keys::Created;
use crate::store::properties::Filters;
use crate::store::{Kind, Store, StoreError, StoreOptions};
use domain::property::Listing;
use domain::{BookingId, Instant, JobId, PaymentId, PropertyId, UserId, codec};
use std::time::Duration;
use uuid::Uuid;

on_both!(
    accounts_are_found_by_id_and_by_address_in_any_case,
    a_property_is_created_once_for_each_key,
    lists_of_properties_begin_with_the_newest,
    bookings_are_listed_for_guests_and_hosts,
    events_are_read_as_they_were_written,
    an_event_of_a_provider_enters_the_inbox_once,
    jobs_are_claimed_by_lease,
    the_database_says_what_it_is,
);

async fn accounts_are_found_by_id_and_by_address_in_any_case(ground: Ground) {
    let store = &ground.store;
    let wanted = account(UserId(fresh()), Role::Host);
    let used = key(UserId(Uuid::nil()), "sign-up");
    let insert = async |key| store.insert_account(wanted.clone(), Some(key), None).await;
    assert_eq!(insert(used.clone()).await.expect("an account"), Created::New);
    assert_eq!(insert(used.clone()).await.expect("an answer"), Created::Known(wanted.id));
    let other = domain::command::Key { request: [8; 32], ..used };
    assert_eq!(insert(other).await.expect("an answer"), Created::KeyReused);

    let twin = super::Account { id: UserId(fresh()), ..wanted.clone() };
    let free = key(UserId(Uuid::nil()), "another");
    let taken = store.insert_account(twin, Some(free.clone()), None).await;
    assert!(matches!(taken, Err(StoreError::EmailTaken)), "{taken:?}");
    // The key was not used up by that.
    let third = account(UserId(fresh()), Role::Admin);
    let made = store.insert_account(third, Some(free), None).await.expect("an account");
    assert_eq!(made, Created::New);

    let by_id = store.account(wanted.id).await.expect("an answer").expect("an account");
    assert_eq!((by_id.role, by_id.created_at), (Role::Host, NOW));
    assert_eq!(by_id.email, wanted.email.to_lowercase());
    assert_eq!((by_id.first_name.as_str(), by_id.last_name.as_str()), ("Ada", "O'Neill"));
    let by_email = store.account_by_email(&wanted.email.to_uppercase()).await.expect("an answer");
    assert_eq!(by_email.map(|found| found.id), Some(wanted.id));
    assert!(store.account(UserId(fresh())).await.expect("an answer").is_none());
}

async fn a_property_is_created_once_for_each_key(ground: Ground) {
    let store = &ground.store;
    let id = PropertyId(fresh());
    let (row, first) = property(id, ground.host);
    let used = key(ground.host, "my place");
    let create = async |key| store.create_property(row.clone(), first.clone(), Some(key)).await;
    assert_eq!(create(used.clone()).await.expect("a property"), Created::New);
    assert_eq!(create(used.clone()).await.expect("an answer"), Created::Known(id));
    let other = domain::command::Key { request: [8; 32], ..used };
    assert_eq!(create(other).await.expect("an answer"), Created::KeyReused);
    assert_eq!(store.property(id).await.expect("an answer"), Some(row));
    let stored = store.load(id).await.expect("a load").expect("a property");
    assert_eq!((stored.head.seq, stored.head.hash), (1, first.hash));
    assert!(stored.keys.is_empty(), "the key of its creation is no key of a booking");
    assert!(store.load(PropertyId(fresh())).await.expect("a load").is_none());
    ground.assert_clean().await;
}

async fn lists_of_properties_begin_with_the_newest(ground: Ground) {
    let mut wanted = Vec::new();
    for age in [3, 1, 2, 2, 5] {
        let (mut row, first) = property(PropertyId(fresh()), ground.host);
        row.created_at = NOW.minus(Duration::from_secs(age));
        if age == 5 {
            row.property.listing = Listing::Unlisted;
        } else {
            wanted.push((row.created_at.as_micros(), row.property.id));
        }
        ground.store.create_property(row, first, None).await.expect("a property");
    }
    wanted.sort_by(|a, b| b.cmp(a));
    let (mut seen, store) = (Vec::new(), &ground.store);
    let listed = Filters { listing: Some(Listing::Listed), ..Filters::default() };
    loop {
        let page = store.properties(listed.clone(), seen.last().copied(), 3).await.expect("a page");
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|row| (row.created_at.as_micros(), row.property.id)));
    }
    assert_eq!(seen, wanted);
}

async fn bookings_are_listed_for_guests_and_hosts(ground: Ground) {
    let mut lane = ground.store.lane();
    let mut groups = Vec::new();
    for _ in 0..2 {
        let property = ground.property().await;
        let mut desk = ground.desk(property).await;
        groups.extend((0..3).map(|night| desk.book((night, night + 1))));
    }
    commit(&mut lane, &groups).await;
    let mut ids: Vec<BookingId> = groups.iter().map(|group| id_in(group)).collect();
    ids.sort_by(|a, b| b.cmp(a));
    let (store, all) = (&ground.store, BookingFilter::default());
    let first = store.bookings_of_guest(ground.guest, all, None, 4).await.expect("a page");
    let (_, last) = first.last().expect("a booking");
    let cursor = Some((last.created_at, last.id));
    let rest = store.bookings_of_guest(ground.guest, all, cursor, 4).await.expect("a page");
    let listed: Vec<_> = first.iter().chain(&rest).map(|(_, booking)| booking.id).collect();
    assert_eq!(listed, ids);
    let of_host = store.bookings_of_host(ground.host, all, None, 10).await.expect("a page");
    assert_eq!(of_host.iter().map(|(_, booking)| booking.id).collect::<Vec<_>>(), ids);
    assert!(store.bookings_of_host(ground.guest, all, None, 10).await.expect("a page").is_empty());
    let found = store.booking(ids[0]).await.expect("an answer").expect("a booking");
    assert_eq!(Some(&found.1), groups.iter().filter_map(|g| g.booking()).find(|b| b.id == ids[0]));
}

async fn events_are_read_as_they_were_written(ground: Ground) {
    let store = &ground.store;
    let property = ground.property().await;
    let mut desk = ground.desk(property).await;
    let groups = [desk.book((0, 2)), desk.book((3, 4)), desk.book((5, 9))];
    commit(&mut store.lane(), &groups).await;
    let events = store.events(property, 1, 2).await.expect("events");
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [2, 3]);
    for (event, group) in events.iter().zip(&groups) {
        assert_eq!((&event.bytes, event.hash), (&group.events[0].bytes, group.head.hash));
        assert_eq!(codec::decode(&event.bytes).as_ref(), Ok(&group.events[0].event));
    }
    let third = store.event(property, 4).await.expect("an answer").expect("an event");
    assert_eq!(third.hash, groups[2].head.hash);
    assert!(store.event(property, 5).await.expect("an answer").is_none());
    let ids = [property, PropertyId(fresh()), property];
    let heads = store.heads(&ids).await.expect("heads");
    assert!(heads.iter().all(|(id, head)| *id == property && *head == groups[2].head));
    assert_eq!(store.head(PropertyId(fresh())).await.expect("an answer"), None);
    assert_eq!(store.newest_event_at().await.expect("an answer"), Some(NOW));
}

/// A booking with an attempt to pay for it, as the commit writes both.
pub(super) async fn attempted(ground: &Ground) -> PaymentId {
    let property = ground.property().await;
    let mut desk = ground.desk(property).await;
    let held = desk.book((0, 2));
    let attempt = desk.start_attempt(id_in(&held));
    let payment = attempt.payment.as_ref().expect("a payment").payment;
    commit(&mut ground.store.lane(), &[held, attempt]).await;
    payment
}

async fn an_event_of_a_provider_enters_the_inbox_once(ground: Ground) {
    let store = &ground.store;
    let payment = attempted(&ground).await;
    store.claim(NOW, Duration::from_secs(9), 9).await.expect("jobs");
    let event = InboxEvent {
        provider: "sandbox".to_owned(),
        event_id: "evt_1".to_owned(),
        payment,
        body: "{\"raw\": \"ü\"}".to_owned(),
        received_at: NOW,
        processed_at: None,
    };
    let job = |id| NewJob {
        id: JobId(id),
        work: Work::ProviderEvent,
        subject: payment.0,
        property: None,
        amount: 0,
        payload: "evt_1".to_owned(),
        run_at: NOW,
    };
    assert!(store.inbox_insert(event.clone(), job(fresh())).await.expect("an answer"));
    assert!(!store.inbox_insert(event.clone(), job(fresh())).await.expect("an answer"));
    assert_eq!(store.inbox_get("sandbox", "evt_1").await.expect("an answer"), Some(event));
    assert_eq!(store.inbox_get("stripe", "evt_1").await.expect("an answer"), None);
    let claimed = store.claim(NOW, Duration::from_secs(1), 9).await.expect("jobs");
    assert_eq!(claimed.len(), 1, "one event, one job");
    assert_eq!(
        (claimed[0].job.work, claimed[0].job.payload.as_str()),
        (Work::ProviderEvent, "evt_1")
    );
    store.inbox_processed("sandbox", "evt_1", NOW).await.expect("an answer");
    let done = store.inbox_get("sandbox", "evt_1").await.expect("an answer").expect("an event");
    assert_eq!(done.processed_at, Some(NOW));
}

async fn jobs_are_claimed_by_lease(ground: Ground) {
    let store = &ground.store;
    let payment = attempted(&ground).await;
    let lease = Duration::from_secs(30);
    let later = |seconds| NOW.plus(Duration::from_secs(seconds));
    let claim = async |now: Instant| -> Vec<ClaimedJob> {
        store.claim(now, lease, 10).await.expect("jobs")
    };
    assert!(claim(NOW.minus(lease)).await.is_empty(), "nothing is due yet");
    let first = claim(NOW).await;
    assert_eq!(first.len(), 1);
    let job = &first[0].job;
    assert_eq!((job.work, job.subject, first[0].attempts), (Work::CreateIntent, payment.0, 1));
    assert!(claim(later(29)).await.is_empty(), "it is claimed");
    assert_eq!(claim(later(30)).await[0].attempts, 2, "the lease is over");
    let counts = JobCounts { claimed: 1, ..JobCounts::default() };
    assert_eq!(store.job_counts(later(31)).await.expect("counts"), counts);

    store.retry(job.id, later(100), "no answer".to_owned()).await.expect("a retry");
    assert!(claim(later(99)).await.is_empty());
    assert_eq!(claim(later(100)).await[0].attempts, 3);
    store.bury(job.id, later(101), "never".to_owned()).await.expect("a burial");
    assert!(claim(later(10_000)).await.is_empty());
    let counts = JobCounts { buried: 1, ..JobCounts::default() };
    assert_eq!(store.job_counts(later(102)).await.expect("counts"), counts);

    let job = NewJob { id: JobId(fresh()), run_at: later(5), ..job.clone() };
    store.enqueue(job.clone()).await.expect("a job");
    store.enqueue(job.clone()).await.expect("it waits already");
    let counts = JobCounts { waiting: 1, buried: 1, ..JobCounts::default() };
    assert_eq!(store.job_counts(NOW).await.expect("counts"), counts);
    assert_eq!(claim(later(5)).await[0].job, job);
    store.complete(job.id).await.expect("an end");
    assert_eq!(store.job_counts(NOW).await.expect("counts").claimed, 0);
}

async fn the_database_says_what_it_is(ground: Ground) {
    let store = &ground.store;
    store.ping().await.expect("an answer");
    store.migrate().await.expect("nothing to do");
    let epoch = store.epoch().await.expect("an epoch");
    assert_eq!(store.epoch().await.expect("an epoch"), epoch);
    let (id, timeline) = epoch.split_once('-').unwrap_or((&epoch, ""));
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{epoch}");
    let now = store.server_now().await.expect("an answer");
    assert_eq!(store.newest_event_at().await.expect("an answer"), None);
    let handle = tokio::runtime::Handle::current();
    let options = |exclusive| StoreOptions { exclusive, ..StoreOptions::default() };
    let second = Store::connect(&ground.url, handle.clone(), options(true)).await;
    match store.kind() {
        Kind::Postgres => {
            assert!(now.is_some());
            assert_eq!(timeline, "1");
            second.expect("a second server is welcome");
        }
        Kind::Sqlite => {
            assert_eq!((now, timeline), (None, ""));
            let refused = second.expect_err("a second server");
            assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
            Store::connect(&ground.url, handle.clone(), options(false)).await.expect("a command");
        }
    }
    let strange = Store::connect("mysql://x", handle, options(false)).await;
    assert!(matches!(strange, Err(StoreError::Unsuitable(_))));
}
