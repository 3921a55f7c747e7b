//! The process dies between any two steps of settling a payment, and comes back: money and calendar
//! agree within one reconciliation, and nothing has happened twice.

use super::{WITHIN, held, moved};
use crate::helpers::{Document, Person, Server, eventually, on_both};
use serde_json::Value;

on_both!(
    who_dies_while_a_card_is_charged_has_charged_it_once,
    who_dies_while_money_goes_back_has_given_it_back_once,
    who_dies_while_an_attempt_is_called_off_calls_it_off,
);

/// More than the steps of any of these ways: the last ones die at nothing.
const STEPS: i64 = 14;

/// Has the server die at each step in turn while `act` is under way; `check` says whether all is as
/// it should be, once the server is back and has looked at what it left.
async fn die_at_each_step(
    server: &mut Server,
    prepare: impl AsyncFn(&Server) -> (Person, Value),
    act: impl AsyncFn(&Server, &Person, &Value),
    check: impl AsyncFn(&Server, &Person, &Value) -> bool,
) {
    let mut deaths = 0;
    for step in 1..=STEPS {
        let (guest, booking) = prepare(server).await;
        server.set("DIE_AT_STEP", &step.to_string());
        server.restart().await;
        act(server, &guest, &booking).await;
        let died = eventually(WITHIN, async || {
            let done = server.has_ended() || check(server, &guest, &booking).await;
            done.then(|| server.has_ended())
        });
        let died = died.await.expect("an end, of the process or of the payment");
        deaths += i32::from(died);
        server.set("DIE_AT_STEP", "0");
        server.restart().await;
        // Whoever got no answer asks again.
        act(server, &guest, &booking).await;
        server.advance(5 * 60).await;
        let agreed =
            eventually(WITHIN, async || check(server, &guest, &booking).await.then_some(()));
        agreed.await.unwrap_or_else(|| panic!("money and calendar do not agree, step {step}"));
        server.verify().await;
    }
    assert!(deaths >= 3, "it died at {deaths} steps only");
}

/// What the provider has of the payments of this booking.
async fn of_booking(server: &Server, booking: &Value) -> (i64, i64, i64) {
    let ledger = server.pay_through().ledger().await;
    let payments = ledger["payments"].as_array().expect("payments");
    let own = payments.iter().filter(|it| it["metadata"]["booking"] == booking["id"]);
    own.fold((0, 0, 0), |(authorized, captured, refunded), it| {
        let amount = |name: &str| it[name].as_i64().expect("an amount");
        (
            authorized + amount("authorized"),
            captured + amount("captured"),
            refunded + amount("refunded"),
        )
    })
}

async fn status(server: &Server, guest: &Person, booking: &Value) -> String {
    match server.booking(guest, &booking.text("id")).attempt().await {
        Ok(answer) if answer.status == 200 => answer.expect(200).text("status"),
        _ => String::new(),
    }
}

async fn who_dies_while_a_card_is_charged_has_charged_it_once(server: &mut Server) {
    let prepare = async |server: &Server| {
        let (_, guest, booking) = held(server).await;
        (guest, booking)
    };
    let act = async |server: &Server, guest: &Person, booking: &Value| {
        let _ = server.pay(guest, &booking.text("id"), "pm_card_visa").attempt().await;
    };
    let check = async |server: &Server, guest: &Person, booking: &Value| {
        status(server, guest, booking).await == "CONFIRMED"
            && of_booking(server, booking).await == (0, 24_000, 0)
    };
    die_at_each_step(server, prepare, act, check).await;
}

/// What the server says has gone back to a guest who has paid once, if it answers.
async fn refunded(server: &Server, guest: &Person) -> Option<i64> {
    let answer = server.get("/payments").by(guest).attempt().await.ok()?;
    answer.body["data"][0]["refunded_amount"].as_i64()
}

async fn who_dies_while_money_goes_back_has_given_it_back_once(server: &mut Server) {
    let prepare = async |server: &Server| {
        let (_, guest, booking) = held(server).await;
        let paid = server.pay(&guest, &booking.text("id"), "pm_card_visa").await.expect(201);
        assert_eq!(paid["status"], "captured");
        (guest, booking)
    };
    let act = async |server: &Server, guest: &Person, booking: &Value| {
        let _ = server.cancel(guest, &booking.text("id")).attempt().await;
    };
    let check = async |server: &Server, guest: &Person, booking: &Value| {
        // The provider knows it a step earlier than the server has written it down.
        status(server, guest, booking).await == "CANCELED"
            && of_booking(server, booking).await == (0, 24_000, 24_000)
            && refunded(server, guest).await == Some(24_000)
    };
    die_at_each_step(server, prepare, act, check).await;
    let (captured, refunded) = moved(server).await;
    assert_eq!(captured, refunded);
}

async fn who_dies_while_an_attempt_is_called_off_calls_it_off(server: &mut Server) {
    let prepare = async |server: &Server| {
        let (_, guest, booking) = held(server).await;
        let body = serde_json::json!({ "booking_id": booking["id"] });
        server.post("/payments", body).by(&guest).await.expect(202);
        (guest, booking)
    };
    let act = async |server: &Server, guest: &Person, booking: &Value| {
        let _ = server.cancel(guest, &booking.text("id")).attempt().await;
    };
    let check = async |server: &Server, guest: &Person, booking: &Value| {
        let id = booking["payment_id"].as_str().map(str::to_owned);
        let payment = match id {
            Some(id) => id,
            None => match server.booking(guest, &booking.text("id")).attempt().await {
                Ok(answer) if answer.status == 200 => answer.expect(200).text("payment_id"),
                _ => return false,
            },
        };
        match server.payment(guest, &payment).attempt().await {
            Ok(answer) if answer.status == 200 => {
                answer.expect(200)["status"] == "voided"
                    && status(server, guest, booking).await == "CANCELED"
            }
            _ => false,
        }
    };
    die_at_each_step(server, prepare, act, check).await;
    assert_eq!(moved(server).await, (0, 0));
}
