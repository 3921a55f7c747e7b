//! Payments, refunds and the books, on both databases.

use super::nouns::attempted;
use super::{Ground, NOW, fresh, on_both};
use crate::store::cases::Lease;
use crate::store::payments::{Heard, Payment};
use crate::store::refunds::RefundWord;
use crate::store::{Database, Store};
use domain::payment::{NextAction, PaymentStatus, RefundState};
use domain::{Instant, PaymentId, RefundId};
use std::time::Duration;

on_both!(
    a_payment_moves_forward_only,
    a_payment_keeps_what_its_provider_said,
    one_worker_at_a_time_has_a_payment,
    jobs_about_a_payment_are_left_to_who_has_it,
    money_that_comes_and_goes_is_in_the_books_once,
    a_refund_that_fails_after_all_is_taken_out_of_the_books,
    refunds_never_come_above_the_charge,
    what_is_not_finished_is_found,
);

fn later(seconds: u64) -> Instant {
    NOW.plus(Duration::from_secs(seconds))
}

async fn read(store: &Store, id: PaymentId) -> Payment {
    store.payment(id).await.expect("an answer").expect("a payment")
}

/// The entries of a payment: account and amount, in the order of their accounts and amounts.
async fn entries(store: &Store, id: PaymentId) -> Vec<(String, i64)> {
    let select = "select account, amount from ledger_entry where payment_id = $1 \
         order by account, amount";
    let query = sqlx::query_as(select);
    match &store.database {
        Database::Postgres(postgres) => query.bind(id.0).fetch_all(&postgres.pool).await,
        Database::Sqlite(sqlite) => {
            sqlx::query_as(select).bind(id.0).fetch_all(&sqlite.readers).await
        }
    }
    .expect("entries")
}

fn booked(entries: &[(&str, i64)]) -> Vec<(String, i64)> {
    entries.iter().map(|(account, amount)| ((*account).to_owned(), *amount)).collect()
}

async fn a_payment_moves_forward_only(ground: Ground) {
    use PaymentStatus::{Authorized, Captured, Created, Failed, Processing};
    let store = &ground.store;
    let id = attempted(&ground).await;
    let payment = read(store, id).await;
    assert_eq!((payment.status, payment.amount, payment.refunded), (Created, 24_700, 0));
    assert_eq!((payment.provider.as_str(), payment.method.as_str()), ("sandbox", "card"));
    assert_eq!(payment.return_url, "https://here.example/");
    let go = async |next| store.set_payment_status(id, next).await.expect("an answer");
    for (next, stands) in [
        (Authorized, true),
        (Authorized, true),
        (Processing, false),
        (Captured, true),
        (Failed, false),
    ] {
        assert_eq!(go(next).await, stands, "{next:?}");
    }
    let missing = store.set_payment_status(PaymentId(fresh()), Captured).await;
    assert!(!missing.expect("an answer"));
}

async fn a_payment_keeps_what_its_provider_said(ground: Ground) {
    let store = &ground.store;
    let id = attempted(&ground).await;
    assert_eq!(read(store, id).await.asked_at, None);
    store.note_asked(id, Some(later(3))).await.expect("a note");
    let url = "https://pay.example/1".to_owned();
    let action = Some(NextAction::Redirect { url });
    let reference = Some(format!("pi_{id}"));
    let heard = Heard { reference: reference.clone(), action: action.clone(), ..Heard::default() };
    store.note_heard(id, heard).await.expect("a note");
    let payment = read(store, id).await;
    assert_eq!((payment.asked_at, payment.action), (Some(later(3)), action));
    let secret = "a_secret".to_owned();
    for action in [Some(NextAction::Client { secret }), Some(NextAction::Phone), None] {
        store.note_heard(id, Heard { action: action.clone(), ..Heard::default() }).await.expect("");
        assert_eq!(read(store, id).await.action, action);
    }
    let found = store.payment_by_reference("sandbox", reference.as_deref().unwrap_or_default());
    assert_eq!(found.await.expect("an answer").map(|payment| payment.id), Some(id));
    let other = store.payment_by_reference("stripe", reference.as_deref().unwrap_or_default());
    assert!(other.await.expect("an answer").is_none());
    let receipt = format!("R{id}");
    store.note_name(id, "another".to_owned(), Some(receipt.clone())).await.expect("a note");
    let payment = read(store, id).await;
    assert_eq!((payment.provider_ref, payment.receipt), (reference, Some(receipt.clone())));
    let twice = store.note_name(attempted(&ground).await, "ws".to_owned(), Some(receipt)).await;
    assert!(twice.is_err(), "a receipt is one payment's");
    assert!(!payment.disowned);
    store.disown_payment(id).await.expect("a note");
    assert!(read(store, id).await.disowned);
}

async fn one_worker_at_a_time_has_a_payment(ground: Ground) {
    let store = &ground.store;
    let id = attempted(&ground).await;
    let lease = async |now, until| store.lease_payment(id, now, until).await.expect("an answer");
    assert_eq!(lease(NOW, later(60)).await, Lease::Had);
    assert_eq!(lease(later(59), later(119)).await, Lease::Taken);
    assert_eq!(lease(later(60), later(120)).await, Lease::Had, "the first one is over");
    store.release_payment(id, later(60), vec![]).await.expect("nothing of its own");
    assert_eq!(lease(later(61), later(121)).await, Lease::Taken, "it is the second one's");
    store.release_payment(id, later(120), vec![]).await.expect("an end");
    assert_eq!(lease(later(61), later(121)).await, Lease::Had);
    let missing = store.lease_payment(PaymentId(fresh()), NOW, later(1)).await;
    assert_eq!(missing.expect("an answer"), Lease::Missing);
}

async fn jobs_about_a_payment_are_left_to_who_has_it(ground: Ground) {
    let store = &ground.store;
    let id = attempted(&ground).await;
    let claim = async |now| store.claim(now, Duration::from_secs(1), 9).await.expect("jobs");
    store.lease_payment(id, NOW, later(60)).await.expect("a lease");
    let about = |jobs: Vec<crate::store::jobs::ClaimedJob>| {
        jobs.iter().filter(|claimed| claimed.job.subject == id.0).count()
    };
    assert_eq!(about(claim(later(1)).await), 0);
    let case = store.case(id).await.expect("an answer").expect("a case");
    assert_eq!((case.payment.id, case.booking.payment()), (id, Some(id)));
    assert_eq!((case.refunds.len(), case.jobs.len()), (0, 1));
    store.release_payment(id, later(60), case.jobs).await.expect("an end");
    assert_eq!(about(claim(later(100)).await), 0, "they were done with it");
    assert!(store.case(PaymentId(fresh())).await.expect("an answer").is_none());
}

/// A payment whose money has come.
async fn captured(ground: &Ground) -> Payment {
    let id = attempted(ground).await;
    let payment = read(&ground.store, id).await;
    assert!(ground.store.book_capture(&payment, NOW).await.expect("an entry"));
    payment
}

/// Has the payment for a minute that nobody had before.
async fn lease(store: &Store, id: PaymentId) -> Instant {
    for minute in 1..100 {
        let (now, until) = (later(60 * minute), later(60 * minute + 60));
        if store.lease_payment(id, now, until).await.expect("an answer") == Lease::Had {
            return until;
        }
    }
    panic!("somebody has it for ever");
}

async fn owe(store: &Store, id: PaymentId, amount: i64) -> RefundId {
    let (refund, until) = (RefundId(fresh()), lease(store, id).await);
    assert!(store.owe(refund, id, amount, (later(1), until)).await.expect("a refund"));
    refund
}

fn word(state: RefundState) -> RefundWord {
    RefundWord { state, provider_ref: Some("re_1".to_owned()), reason: None }
}

async fn money_that_comes_and_goes_is_in_the_books_once(ground: Ground) {
    let store = &ground.store;
    let payment = captured(&ground).await;
    let id = payment.id;
    assert!(!store.book_capture(&payment, NOW).await.expect("an answer"), "once");
    assert_eq!(entries(store, id).await, booked(&[("bookings", -24_700), ("provider", 24_700)]));
    let refund = owe(store, id, 4_700).await;
    for state in [RefundState::Submitted, RefundState::Succeeded, RefundState::Succeeded] {
        store.set_refund(refund, word(state), later(2)).await.expect("a word");
    }
    let now = read(store, id).await;
    assert_eq!((now.status, now.refunded), (PaymentStatus::PartiallyRefunded, 4_700));
    let rest = owe(store, id, 20_000).await;
    store.set_refund(rest, word(RefundState::Succeeded), later(4)).await.expect("a word");
    let now = read(store, id).await;
    assert_eq!((now.status, now.refunded), (PaymentStatus::Refunded, 24_700));
    let sides = [("bookings", -24_700), ("bookings", 4_700), ("bookings", 20_000)];
    let provider = [("provider", -20_000), ("provider", -4_700), ("provider", 24_700)];
    assert_eq!(entries(store, id).await, booked(&[sides, provider].concat()));
    let refunds = store.refunds(id).await.expect("refunds");
    assert_eq!(refunds.iter().map(|refund| refund.id).collect::<Vec<_>>(), [refund, rest]);
    assert_eq!(refunds[0].provider_ref.as_deref(), Some("re_1"));
    let of = store.refunds_of(vec![id, PaymentId(fresh())]).await.expect("refunds");
    assert_eq!((of.len(), &of[&id]), (1, &refunds));
}

async fn a_refund_that_fails_after_all_is_taken_out_of_the_books(ground: Ground) {
    let store = &ground.store;
    let id = captured(&ground).await.id;
    let refund = owe(store, id, 24_700).await;
    store.set_refund(refund, word(RefundState::Succeeded), later(2)).await.expect("a word");
    assert_eq!(read(store, id).await.status, PaymentStatus::Refunded);
    let reason = Some("the account is closed".to_owned());
    let failed = RefundWord { state: RefundState::Failed, provider_ref: None, reason };
    for _ in 0..2 {
        store.set_refund(refund, failed.clone(), later(3)).await.expect("a word");
    }
    let now = read(store, id).await;
    assert_eq!((now.status, now.refunded), (PaymentStatus::Captured, 0));
    assert_eq!(entries(store, id).await.iter().map(|(_, amount)| amount).sum::<i64>(), 0);
    let refunds = store.refunds(id).await.expect("refunds");
    assert_eq!(refunds[0].reason.as_deref(), Some("the account is closed"));
    // It stays so, whatever comes late.
    let late = store.set_refund(refund, word(RefundState::Succeeded), later(4)).await;
    assert!(!late.expect("an answer"));
    assert_eq!(store.refunds(id).await.expect("refunds")[0].state, RefundState::Failed);
    assert_eq!(read(store, id).await.refunded, 0);
}

async fn refunds_never_come_above_the_charge(ground: Ground) {
    let store = &ground.store;
    let id = captured(&ground).await.id;
    let first = owe(store, id, 10_000).await;
    let until = lease(store, id).await;
    let owe_more = async |amount| store.owe(RefundId(fresh()), id, amount, (NOW, until)).await;
    assert!(!owe_more(14_701).await.expect("an answer"), "above the charge");
    store.set_refund(first, word(RefundState::Succeeded), NOW).await.expect("a word");
    assert!(!owe_more(14_701).await.expect("an answer"), "above the charge");
    let stranger = store.owe(RefundId(fresh()), id, 1, (NOW, later(99_999))).await;
    assert!(!stranger.expect("an answer"), "whose lease is over writes nothing");
    assert!(owe_more(14_700).await.expect("an answer"));
    assert_eq!(read(store, id).await.refunded, 10_000);
    let forged = store.set_refund(first, word(RefundState::Submitted), NOW).await;
    assert!(!forged.expect("an answer"), "what succeeded is not on its way");
}

async fn what_is_not_finished_is_found(ground: Ground) {
    let store = &ground.store;
    let found = async |id| {
        let unfinished = store.unfinished_payments().await.expect("payments");
        unfinished.iter().any(|(payment, _)| *payment == id)
    };
    let id = attempted(&ground).await;
    assert!(found(id).await);
    let payment = read(store, id).await;
    store.book_capture(&payment, NOW).await.expect("an entry");
    assert!(!found(id).await);
    let refund = owe(store, id, 1).await;
    assert!(found(id).await);
    store.set_refund(refund, word(RefundState::Failed), NOW).await.expect("a word");
    assert!(!found(id).await);
    // A new process finds leases of one that is gone; where others may live, theirs stay.
    lease(store, id).await;
    store.release_payments().await.expect("an end");
    let lease = store.lease_payment(id, NOW, later(60)).await.expect("an answer");
    let is_alone = store.kind() == crate::store::Kind::Sqlite;
    assert_eq!(lease, if is_alone { Lease::Had } else { Lease::Taken });
}
