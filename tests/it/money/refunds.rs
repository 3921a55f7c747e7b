//! Money that goes back: by policy, by the host's good will, never above the charge, and what is
//! done where the provider will not.

use super::{becomes, held, moved, settles};
use crate::helpers::{Document, Server, day, on_both};
use serde_json::json;
use vacancy::clock::Clock;

on_both!(
    a_host_gives_money_back_and_the_price_says_so,
    nobody_gives_back_more_than_there_is,
    parts_go_back_sixteen_times_and_then_the_rest,
    a_refund_under_one_key_is_made_once,
    what_a_stay_costs_less_after_a_refund_is_not_asked_for_again,
    nothing_goes_back_where_nothing_is_due,
    a_host_who_accepts_while_the_guest_cancels_collects_nothing_for_it,
    a_refund_that_the_provider_takes_back_is_owed_and_told,
    a_refund_is_the_hosts_word,
);

async fn a_host_gives_money_back_and_the_price_says_so(server: &mut Server) {
    let (host, guest, booking) = held(server).await;
    let id = booking.text("id");
    let payment = server.pay(&guest, &id, "pm_card_visa").await.expect(201).text("id");
    let path = format!("/payments/{payment}/refunds");
    let part = server.post(&path, json!({ "amount": 5_001 })).by(&host).await.expect(201);
    assert_eq!(part["refunded_amount"], 5_001);
    assert_eq!(part["status"], "partially_refunded");
    let refund = &part["refunds"][0];
    assert_eq!((refund.number("amount"), refund.text("status")), (5_001, "succeeded".into()));
    let shown = server.booking(&guest, &id).await.expect(200);
    assert_eq!(shown.number("total_amount"), 24_000 - 5_001);
    let lines = shown.list("lines");
    let last = lines.last().expect("a line");
    assert_eq!((last.text("kind"), last.number("amount")), ("goodwill".into(), -5_001));
    // Whatever is left goes back where no amount is named.
    let all = server.post(&path, json!({})).by(&host).await.expect(201);
    assert_eq!((all.text("status"), all.number("refunded_amount")), ("refunded".into(), 24_000));
    assert_eq!(server.booking(&guest, &id).await.expect(200)["status"], "CONFIRMED");
    assert_eq!(moved(server).await, (24_000, 24_000));
    server.verify().await;
}

async fn nobody_gives_back_more_than_there_is(server: &mut Server) {
    let (host, guest, booking) = held(server).await;
    let payment = server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    let path = format!("/payments/{}/refunds", payment.text("id"));
    let ask = async |amount: i64| server.post(&path, json!({ "amount": amount })).by(&host).await;
    ask(24_001).await.is_problem(409, "refund_above_charge");
    ask(i64::MAX).await.is_problem(409, "refund_above_charge");
    for amount in [0, -1, i64::MIN] {
        ask(amount).await.is_problem(422, "invalid_field");
    }
    ask(23_999).await.expect(201);
    ask(2).await.is_problem(409, "refund_above_charge");
    ask(1).await.expect(201);
    server.post(&path, json!({})).by(&host).await.is_problem(409, "refund_above_charge");
    assert_eq!(moved(server).await, (24_000, 24_000));
    server.verify().await;
}

async fn parts_go_back_sixteen_times_and_then_the_rest(server: &mut Server) {
    let (host, guest, booking) = held(server).await;
    let payment = server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    let path = format!("/payments/{}/refunds", payment.text("id"));
    for _ in 0..16 {
        server.post(&path, json!({ "amount": 1 })).by(&host).await.expect(201);
    }
    let more = server.post(&path, json!({ "amount": 1 })).by(&host).await;
    more.is_problem(409, "too_many_refunds");
    let all = server.post(&path, json!({})).by(&host).await.expect(201);
    assert_eq!(all.number("refunded_amount"), 24_000);
    assert_eq!(moved(server).await, (24_000, 24_000));
    server.verify().await;
}

async fn a_refund_under_one_key_is_made_once(server: &mut Server) {
    let (host, guest, booking) = held(server).await;
    let payment = server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    let path = format!("/payments/{}/refunds", payment.text("id"));
    let ask = async |amount: i64| {
        server.post(&path, json!({ "amount": amount })).by(&host).key("sorry").await
    };
    ask(1_000).await.expect(201);
    let again = ask(1_000).await;
    assert!(again.is_replayed());
    again.expect(201);
    ask(1_001).await.is_problem(422, "idempotency_key_reused");
    assert_eq!(moved(server).await, (24_000, 1_000));
}

async fn what_a_stay_costs_less_after_a_refund_is_not_asked_for_again(server: &mut Server) {
    let (host, guest, booking) = held(server).await;
    let id = booking.text("id");
    let payment = server.pay(&guest, &id, "pm_card_visa").await.expect(201);
    let path = format!("/payments/{}/refunds", payment.text("id"));
    server.post(&path, json!({ "amount": 4_000 })).by(&host).await.expect(201);
    let other = json!({ "check_in": day(41), "check_out": day(43) });
    let moved_on = server.put(&format!("/bookings/{id}"), other).by(&guest).await.expect(200);
    assert!(moved_on["change_request"].is_null(), "nothing more is due: {moved_on}");
    assert_eq!((moved_on.text("check_in"), moved_on.number("total_amount")), (day(41), 20_000));
    let canceled = server.cancel(&host, &id).await.expect(200);
    assert_eq!(canceled["status"], "CANCELED");
    settles(server, &guest, &payment.text("id"), "refunded").await;
    assert_eq!(moved(server).await, (24_000, 24_000));
    server.verify().await;
}

async fn nothing_goes_back_where_nothing_is_due(server: &mut Server) {
    let (_, guest, booking) = held(server).await;
    let id = booking.text("id");
    let payment = server.pay(&guest, &id, "pm_card_visa").await.expect(201).text("id");
    // In the last day before check-in, which is at 15:00, the flexible policy returns none of the
    // nights. Counted from the moment itself, so that it is the same whenever this runs.
    let late: jiff::Timestamp = format!("{}T14:00:00Z", day(40)).parse().expect("an instant");
    let micros = late.as_microsecond() - Clock::wall().as_micros();
    server.advance(u64::try_from(micros / 1_000_000).expect("a moment to come")).await;
    let canceled = server.cancel(&guest, &id).await.expect(200);
    assert_eq!(canceled["refund"]["amount"], 0);
    server.advance(10 * 60).await;
    let left = server.payment(&guest, &payment).await.expect(200);
    assert_eq!(left["status"], "captured");
    assert_eq!(left.list("refunds").len(), 0, "no provider was asked");
    assert_eq!(moved(server).await, (24_000, 0));
    server.verify().await;
}

async fn a_host_who_accepts_while_the_guest_cancels_collects_nothing_for_it(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let asked = crate::helpers::with(&crate::helpers::home(), "instant_book", json!(false));
    let home = server.post("/properties", asked).by(&host).await.expect(201).text("id");
    for round in 0..8 {
        let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
        let payment = server.pay(&guest, &booking, "pm_card_visa").await.expect(201).text("id");
        let accept = server.post(&format!("/bookings/{booking}/accept"), json!({})).by(&host);
        let cancel = server.cancel(&guest, &booking);
        let (accepted, canceled) = tokio::join!(accept.attempt(), cancel.attempt());
        let (accepted, canceled) = (accepted.expect("an answer"), canceled.expect("an answer"));
        becomes(server, &guest, &booking, "CANCELED").await;
        let ended = crate::helpers::eventually(super::WITHIN, async || {
            let record = server.payment(&guest, &payment).await.expect(200);
            let status = record.text("status");
            matches!(&*status, "voided" | "refunded").then_some(status)
        });
        let ended = ended.await.expect("an end");
        let took = accepted.status == 200;
        assert!(canceled.status == 200 && (took || ended == "voided"), "{round}: {ended}");
    }
    let (captured, refunded) = moved(server).await;
    assert_eq!(captured, refunded);
    server.verify().await;
}

async fn a_refund_that_the_provider_takes_back_is_owed_and_told(server: &mut Server) {
    let (_, guest, booking) = held(server).await;
    let id = booking.text("id");
    let payment = server.pay(&guest, &id, "pm_card_refundFail").await.expect(201).text("id");
    server.cancel(&guest, &id).await.expect(200);
    settles(server, &guest, &payment, "refunded").await;
    server.verify().await;
    // A minute later the guest's bank does not take it.
    server.advance(120).await;
    let owed = settles(server, &guest, &payment, "captured").await;
    let refund = &owed["refunds"][0];
    assert_eq!((refund.text("status"), owed.number("refunded_amount")), ("failed".into(), 0));
    assert!(refund["reason"].is_string(), "{refund}");
    assert_eq!(owed.list("refunds").len(), 1, "people see to it: it is not sent again");
    server.verify().await;
}

async fn a_refund_is_the_hosts_word(server: &mut Server) {
    let (host, guest, booking) = held(server).await;
    let payment = server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    let path = format!("/payments/{}/refunds", payment.text("id"));
    let (other, admin) = (server.host().await, server.admin().await);
    let ask = || server.post(&path, json!({ "amount": 1 }));
    ask().await.is_problem(401, "unauthenticated");
    ask().by(&guest).await.is_problem(403, "forbidden");
    ask().by(&other).await.is_problem(404, "not_found");
    ask().by(&host).await.expect(201);
    ask().by(&admin).await.expect(201);
    assert_eq!(moved(server).await, (24_000, 2));
}
