//! `verify` is silent about what the product wrote, and speaks of every damage.

use super::{Ground, close, commit, id_in, key, on_both};

on_both!(every_damage_is_found);

/// What is done behind the product's back, and a part of what is said of it.
const DAMAGES: [(&str, &str); 25] = [
    ("delete from calendar_event where seq = 3", "event 4 follows event 2"),
    ("delete from calendar_event where seq = 5", "the head is at event 5, the last event is 4"),
    ("delete from calendar_event where seq = 1", "no event created it"),
    ("update calendar_event set bytes = substr(bytes, 2) where seq = 2", "does not cover it"),
    ("update calendar_head set seq = 7", "the head is at event 7, the last event is 5"),
    ("update calendar_head set next_deadline = 5", "not the nearest"),
    ("delete from calendar_head", "has no calendar"),
    ("update property set price_per_night = 1", "its row is not what events say"),
    ("delete from booking where status = 'CONFIRMED'", "has events, but no row"),
    ("update booking set status = 'CANCELED' where status = 'CONFIRMED'", "not what its last"),
    ("update booking set guests = 3", "not what its last event says"),
    ("update booking set refunded = paid + 1", "impossible sums"),
    ("update booking set status = 'LOST'", "a stored value is none: booking.status"),
    ("delete from occupied_night where night = 20822", "is not occupied, but"),
    ("update occupied_night set night = 30000 where night = 20822", "which has no claim"),
    ("update idempotency_key set seq = 3", "names an event that is not its own"),
    ("update idempotency_key set seq = 99", "names an event that is not its own"),
    ("delete from payment", "names a payment that is not there"),
    ("delete from payment", "is what a job is about, but no payment"),
    ("update payment set refunded = amount + 1", "gave back more than it had"),
    ("delete from job", "but its payments hold 0"),
    (
        "insert into ledger_entry select payment_id, 'provider', payment_id, 1, currency, 1 \
         from payment",
        "does not come to zero",
    ),
    (
        "insert into ledger_entry select payment_id, 'provider', payment_id, 1, currency, 1 \
         from payment",
        "the books tell otherwise",
    ),
    (
        "insert into refund (refund_id, payment_id, property_id, booking_id, amount, state, \
         requested_at) select payment_id, payment_id, property_id, booking_id, 1, 'succeeded', 1 \
         from payment",
        "its refunds say otherwise",
    ),
    ("delete from account where role = 'guest'", "has no account"),
];

async fn every_damage_is_found(ground: Ground) {
    live_a_little(&ground).await;
    ground.assert_clean().await;
    for (damage, finding) in DAMAGES {
        let broken = Ground::open(ground.store.kind()).await;
        live_a_little(&broken).await;
        broken.meddle(damage).await;
        let findings = broken.store.verify().await.expect("a verification");
        assert!(
            findings.iter().any(|found| found.contains(finding)),
            "{damage}\nwanted: {finding}\nfound: {findings:#?}"
        );
        close(&broken.store, &broken.name).await;
    }
}

/// Two bookings on one property: one is paid, with a key, the other waits.
async fn live_a_little(ground: &Ground) {
    let property = ground.property().await;
    let mut desk = ground.desk(property).await;
    let held = desk.book_with_key((2, 5), key(ground.guest, "mine"));
    let other = desk.book((10, 12));
    let attempt = desk.start_attempt(id_in(&held));
    let paid = desk.pay(id_in(&held)).expect("a payment");
    commit(&mut ground.store.lane(), &[held, other, attempt, paid]).await;
}
