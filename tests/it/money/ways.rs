//! The ways in which money comes: at once, after a bank asked, in advance, late, or not at all.

use super::{becomes, held, moved, settles};
use crate::helpers::{Document, Server, Socket, day, home, on_both, with};
use serde_json::json;

on_both!(
    a_card_that_has_to_be_proved_leads_to_the_bank_and_back,
    without_a_card_the_browser_goes_on_with_a_secret_that_the_host_never_sees,
    a_request_is_paid_in_advance_and_collected_when_its_host_accepts,
    what_was_paid_in_advance_is_let_go_when_its_host_declines,
    money_that_is_never_collected_ends_the_booking,
    paying_again_after_an_attempt_that_was_left_alone_pays_once,
    a_provider_that_fails_after_the_fact_has_been_paid_once,
    a_guest_hears_of_payments_where_they_hear_of_bookings,
    what_a_payment_may_not_be_asked_with_is_named,
);

const DAY: u64 = 24 * 60 * 60;

async fn a_card_that_has_to_be_proved_leads_to_the_bank_and_back(server: &mut Server) {
    let (_, guest, booking) = held(server).await;
    let id = booking.text("id");
    let back = "https://here.example/trips?booking=1";
    let body = json!({
        "booking_id": id, "payment_method": "pm_card_authenticationRequired", "return_url": back,
    });
    let payment = server.post("/payments", body.clone()).by(&guest).await.expect(202);
    assert_eq!(payment["status"], "requires_action");
    assert_eq!(payment["next_action"]["type"], "redirect");
    assert!(payment["next_action"]["url"].as_str().is_some_and(|url| url.contains("/pay/pi_")));
    let same = server.post("/payments", body).by(&guest).await.expect(202);
    assert_eq!(same["id"], payment["id"], "one attempt at a time");
    server.pay_through().settle(&payment.text("provider_ref")).await;
    becomes(server, &guest, &id, "CONFIRMED").await;
    let paid = settles(server, &guest, &payment.text("id"), "captured").await;
    assert!(paid["next_action"].is_null());
    assert_eq!(moved(server).await, (24_000, 0));
    // The bank may say no: then another card is tried.
    let (_, guest, booking) = held(server).await;
    let asked = server.pay(&guest, &booking.text("id"), "pm_card_threeDSecure2Required").await;
    let asked = asked.expect(202);
    server.pay_through().fail(&asked.text("provider_ref")).await;
    settles(server, &guest, &asked.text("id"), "failed").await;
    let paid = server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    assert_eq!(paid["status"], "captured");
    server.verify().await;
}

async fn without_a_card_the_browser_goes_on_with_a_secret_that_the_host_never_sees(
    server: &mut Server,
) {
    let (host, guest, booking) = held(server).await;
    let body = json!({ "booking_id": booking["id"] });
    let payment = server.post("/payments", body).by(&guest).await.expect(202);
    assert_eq!(payment["next_action"]["type"], "use_client_secret");
    let secret = payment["next_action"].text("client_secret");
    assert!(secret.starts_with(&payment.text("provider_ref")), "{secret}");
    let seen = server.payment(&host, &payment.text("id")).await.expect(200);
    assert!(seen["next_action"].is_null() && !seen.to_string().contains("secret"), "{seen}");
    server.payment(&server.host().await, &payment.text("id")).await.is_problem(404, "not_found");
}

async fn a_request_is_paid_in_advance_and_collected_when_its_host_accepts(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let asked = with(&home(), "instant_book", json!(false));
    let home = server.post("/properties", asked).by(&host).await.expect(201).text("id");
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    let payment = server.pay(&guest, &booking, "pm_card_visa").await.expect(201);
    assert_eq!(payment["status"], "authorized", "nothing is collected before the host's word");
    assert_eq!(moved(server).await, (0, 0));
    assert_eq!(server.booking(&guest, &booking).await.expect(200)["awaiting"], "host");
    server.post(&format!("/bookings/{booking}/accept"), json!({})).by(&host).await.expect(200);
    becomes(server, &guest, &booking, "CONFIRMED").await;
    settles(server, &guest, &payment.text("id"), "captured").await;
    assert_eq!(moved(server).await, (24_000, 0));
    server.verify().await;
}

async fn what_was_paid_in_advance_is_let_go_when_its_host_declines(server: &mut Server) {
    let (host, guest) = (server.host().await, server.guest().await);
    let asked = with(&home(), "instant_book", json!(false));
    let home = server.post("/properties", asked).by(&host).await.expect(201).text("id");
    let booking = server.book(&guest, &home, &day(40), &day(42)).await.expect(201).text("id");
    let payment = server.pay(&guest, &booking, "pm_card_visa").await.expect(201).text("id");
    server.post(&format!("/bookings/{booking}/decline"), json!({})).by(&host).await.expect(200);
    settles(server, &guest, &payment, "voided").await;
    assert_eq!(moved(server).await, (0, 0), "it was never collected");
    server.verify().await;
}

async fn money_that_is_never_collected_ends_the_booking(server: &mut Server) {
    let (_, guest, booking) = held(server).await;
    let route = "POST /v1/payment_intents/{id}/capture";
    let fault = json!({ "route": route, "fault": "too_many_requests", "times": 10_000 });
    server.pay_through().plant(fault).await;
    let paying = server.pay(&guest, &booking.text("id"), "pm_card_visa");
    tokio::spawn(async move { paying.attempt().await });
    let confirmed = becomes(server, &guest, &booking.text("id"), "CONFIRMED").await;
    let payment = confirmed.text("payment_id");
    // The authorization ends after seven days, and with it the hope of being paid.
    server.advance(8 * DAY).await;
    let canceled = becomes(server, &guest, &booking.text("id"), "CANCELED").await;
    let ended = settles(server, &guest, &payment, "expired").await;
    assert_eq!(
        (canceled["payment_id"].clone(), ended["refunded_amount"].clone()),
        (json!(payment), json!(0))
    );
    let home = booking.text("property_id");
    assert_eq!(server.states(&home, &day(40), &day(42)).await, ["available"; 2]);
    server.pay_through().heal().await;
    assert_eq!(moved(server).await, (0, 0));
    server.verify().await;
}

async fn paying_again_after_an_attempt_that_was_left_alone_pays_once(server: &mut Server) {
    let (_, guest, booking) = held(server).await;
    let id = booking.text("id");
    let body = json!({ "booking_id": id });
    let left = server.post("/payments", body).by(&guest).await.expect(202);
    // It is found again as long as it is open, whatever card is named: it cannot be skipped.
    let found = server.pay(&guest, &id, "pm_card_visa").await.expect(202);
    assert_eq!(found["id"], left["id"]);
    assert_eq!(server.booking(&guest, &id).await.expect(200)["status"], "PENDING");
    server.advance(15 * 60).await;
    becomes(server, &guest, &id, "EXPIRED").await;
    settles(server, &guest, &left.text("id"), "voided").await;
    let other = server.guest().await;
    let again = server.book(&other, &booking.text("property_id"), &day(40), &day(42)).await;
    let paid = server.pay(&other, &again.expect(201).text("id"), "pm_card_visa").await.expect(201);
    assert_eq!(paid["status"], "captured");
    assert_eq!(moved(server).await, (24_000, 0));
    server.verify().await;
}

async fn a_provider_that_fails_after_the_fact_has_been_paid_once(server: &mut Server) {
    for route in ["POST /v1/payment_intents", "POST /v1/payment_intents/{id}/capture"] {
        for fault in ["error_after_commit", "too_many_requests"] {
            let (_, guest, booking) = held(server).await;
            let before = moved(server).await;
            server.pay_through().plant(json!({ "route": route, "fault": fault })).await;
            let paying = server.pay(&guest, &booking.text("id"), "pm_card_visa");
            tokio::spawn(async move { paying.attempt().await });
            let confirmed = becomes(server, &guest, &booking.text("id"), "CONFIRMED").await;
            settles(server, &guest, &confirmed.text("payment_id"), "captured").await;
            assert_eq!(moved(server).await, (before.0 + 24_000, before.1), "{route} {fault}");
        }
    }
    for fault in ["error_after_commit", "too_many_requests"] {
        let (_, guest, booking) = held(server).await;
        let payment = server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
        let before = moved(server).await;
        server.pay_through().plant(json!({ "route": "POST /v1/refunds", "fault": fault })).await;
        server.cancel(&guest, &booking.text("id")).await.expect(200);
        settles(server, &guest, &payment.text("id"), "refunded").await;
        assert_eq!(moved(server).await, (before.0, before.1 + 24_000), "once: {fault}");
    }
    server.verify().await;
}

async fn a_guest_hears_of_payments_where_they_hear_of_bookings(server: &mut Server) {
    let (host, guest, booking) = held(server).await;
    let mut sockets = Vec::new();
    for (person, side) in [(&guest, "guest"), (&host, "host")] {
        let mut socket = Socket::open(server).await;
        socket.authenticate(server, person).await;
        socket.say(&json!({ "type": "subscribe_bookings", "as": side })).await;
        socket.expect("bookings").await;
        sockets.push(socket);
    }
    let payment = server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
    let told = loop {
        let message = sockets[0].message().await;
        if message["type"] == "payment" && message["status"] == "captured" {
            break message;
        }
    };
    assert_eq!((&told["id"], &told["booking"]), (&payment["id"], &booking["id"]));
    assert_eq!((told.number("amount"), told.number("refunded_amount")), (24_000, 0));
    loop {
        let message = sockets[1].message().await;
        assert_ne!(message["type"], "payment", "payments are between guest and provider");
        if message["status"] == "CONFIRMED" {
            break;
        }
    }
}

async fn what_a_payment_may_not_be_asked_with_is_named(server: &mut Server) {
    let (_, guest, booking) = held(server).await;
    let id = &booking["id"];
    for (body, pointer) in [
        (json!({ "booking_id": id, "payment_method": "visa" }), "/payment_method"),
        (json!({ "booking_id": id, "payment_method": "pm_card visa" }), "/payment_method"),
        (json!({ "booking_id": id, "provider": "mpesa" }), "/provider"),
        (json!({ "booking_id": id, "return_url": "javascript:alert(1)" }), "/return_url"),
        (json!({ "booking_id": id, "return_url": "https://a.example/ b" }), "/return_url"),
        (json!({ "booking_id": id, "payment_method": "pm_x", "phone": "0712345678" }), "/phone"),
        (json!({ "booking_id": id, "amount": 1 }), "/amount"),
    ] {
        let answer = server.post("/payments", body).by(&guest).await;
        let problem = answer.expect(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    assert!(server.booking(&guest, &booking.text("id")).await.expect(200)["payment_id"].is_null());
}
