//! What goes wrong on the way: whatever it is, a thing happens once, and the answer is right.

use super::gateway::{self, BAD_GATEWAY, FAILURE, Fate, ODD};
use super::*;
use domain::payment::{PaymentStatus, RefundState};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
enum Act {
    Order,
    Capture,
    Cancel,
    Refund,
}

const ACTS: [Act; 4] = [Act::Order, Act::Capture, Act::Cancel, Act::Refund];

/// An order or a refund, ready for the act.
enum Matter {
    Order(Order),
    Refund(RefundOrder),
}

impl Act {
    fn route(self) -> &'static str {
        match self {
            Self::Order => CREATE,
            Self::Capture => CAPTURE,
            Self::Cancel => CANCEL,
            Self::Refund => REFUND,
        }
    }

    async fn prepare(self, shop: &Shop) -> Matter {
        match self {
            Self::Order => Matter::Order(shop.order(VISA)),
            Self::Capture | Self::Cancel => Matter::Order(shop.made(VISA).await.0),
            Self::Refund => Matter::Refund(shop.refund(5_000).await),
        }
    }

    /// Asks, and says whether that was done, or why not.
    async fn ask(
        self,
        stripe: &Stripe,
        matter: &Matter,
        now: Instant,
    ) -> Result<bool, &'static str> {
        let (answer, wanted) = match (self, matter) {
            (Self::Order, Matter::Order(order)) => {
                (stripe.order(order, now).await, Standing::Authorized)
            }
            (Self::Capture, Matter::Order(order)) => {
                (stripe.capture(order, now).await, Standing::Captured)
            }
            (_, Matter::Order(order)) => {
                (stripe.cancel(order, now).await, Standing::Ended(PaymentStatus::Voided))
            }
            (_, Matter::Refund(refund)) => {
                let answer = stripe.refund(refund, now).await.map_err(|error| word(&error))?;
                return Ok(answer.state == RefundState::Succeeded);
            }
        };
        Ok(standing(answer)? == wanted)
    }

    /// The books before it is done, and after that.
    fn books(self) -> [Vec<[i64; 4]>; 2] {
        match self {
            Self::Order => [vec![], vec![[AMOUNT, 0, 0, 0]]],
            Self::Capture => [vec![[AMOUNT, 0, 0, 0]], vec![[0, AMOUNT, 0, 0]]],
            Self::Cancel => [vec![[AMOUNT, 0, 0, 0]], vec![[0, 0, AMOUNT, 0]]],
            Self::Refund => [vec![[0, AMOUNT, 0, 0]], vec![[0, AMOUNT, 0, 5_000]]],
        }
    }

    /// Asks once more, and sees that it was done once.
    async fn is_done_once(self, shop: &Shop, matter: &Matter, why: &str) {
        let later = shop.now.plus(Duration::from_secs(10));
        assert_eq!(self.ask(&shop.stripe, matter, later).await, Ok(true), "{self:?} {why}");
        assert_eq!(shop.books().await, self.books()[1], "{self:?} {why}");
        assert_eq!(shop.count("/v1/payment_intents").await, 1, "{self:?} {why}");
        let refunds = usize::from(matches!(self, Self::Refund));
        assert_eq!(shop.count("/v1/refunds").await, refunds, "{self:?} {why}");
    }
}

#[tokio::test]
async fn what_goes_wrong_once_is_not_noticed() {
    for fault in
        ["too_many_requests", "timeout_before_commit", "timeout_after_commit", "error_after_commit"]
    {
        for act in ACTS {
            let shop = Shop::open(HASTY).await;
            let matter = act.prepare(&shop).await;
            shop.fault(act.route(), fault, 1).await;
            assert_eq!(act.ask(&shop.stripe, &matter, shop.now).await, Ok(true), "{act:?} {fault}");
            assert_eq!(shop.books().await, act.books()[1], "{act:?} {fault}");
            act.is_done_once(&shop, &matter, fault).await;
        }
    }
}

#[tokio::test]
async fn what_goes_wrong_again_and_again_is_said_as_it_is_and_done_when_it_is_over() {
    for (fault, times, outcome, is_done) in
        [("too_many_requests", 4, "busy", false), ("timeout_before_commit", 4, "unclear", false)]
    {
        for act in ACTS {
            let shop = Shop::open(HASTY).await;
            let matter = act.prepare(&shop).await;
            shop.fault(act.route(), fault, times).await;
            let answer = act.ask(&shop.stripe, &matter, shop.now).await;
            assert_eq!(answer, Err(outcome), "{act:?} {fault}");
            assert_eq!(shop.books().await, act.books()[usize::from(is_done)], "{act:?} {fault}");
            shop.faults_are_over().await;
            act.is_done_once(&shop, &matter, fault).await;
        }
    }
}

#[tokio::test]
async fn while_a_request_is_on_its_way_nothing_is_known_and_then_it_is() {
    for act in ACTS {
        let shop = Shop::open(HASTY).await;
        let matter = act.prepare(&shop).await;
        shop.fault(act.route(), "slow", 1).await;
        let patient = client(shop.fakepay.url(), PATIENT);
        let slow = act.ask(&patient, &matter, shop.now);
        let meanwhile = async {
            shop.faults_are_over().await;
            let answer = act.ask(&shop.stripe, &matter, shop.now).await;
            assert_eq!(answer, Err("unclear"), "{act:?}");
            assert_eq!(shop.books().await, act.books()[0], "{act:?}");
            shop.advance(60).await;
        };
        let (slow, ()) = tokio::join!(slow, meanwhile);
        assert_eq!(slow, Ok(true), "{act:?}");
        act.is_done_once(&shop, &matter, "slow").await;
    }
}

#[tokio::test]
async fn two_who_ask_for_the_same_at_the_same_time_get_the_same() {
    for act in ACTS {
        let shop = Shop::open(PATIENT).await;
        let matter = act.prepare(&shop).await;
        let ask = || act.ask(&shop.stripe, &matter, shop.now);
        let (one, other) = tokio::join!(ask(), ask());
        assert_eq!((one, other), (Ok(true), Ok(true)), "{act:?}");
        act.is_done_once(&shop, &matter, "twice").await;
    }
}

/// The exchanges of an act before the one that changes something.
fn looks(act: Act) -> usize {
    match act {
        Act::Order => 0,
        Act::Capture | Act::Cancel | Act::Refund => 1,
    }
}

#[tokio::test]
async fn what_gateways_do_to_requests_and_answers_does_not_make_a_thing_happen_twice() {
    for (fate, times, outcome) in [
        // Stripe failed and did nothing: the second key is told the truth.
        (Fate::Stopped(FAILURE), 1, Ok(true)),
        // It failed and did it all the same.
        (Fate::Falsified(FAILURE), 1, Ok(true)),
        // Somebody before it failed: the first key still gets the true answer.
        (Fate::Stopped(BAD_GATEWAY), 1, Ok(true)),
        (Fate::Falsified(BAD_GATEWAY), 1, Ok(true)),
        (Fate::Stopped(BAD_GATEWAY), 4, Err("unclear")),
        (Fate::Falsified(BAD_GATEWAY), 4, Ok(true)),
        // The connection breaks.
        (Fate::Stopped(""), 1, Ok(true)),
        (Fate::Falsified(""), 1, Ok(true)),
        (Fate::Stopped(""), 4, Err("unclear")),
        // The answer cannot be read, however often it is given.
        (Fate::Falsified(ODD), 4, Ok(true)),
        (Fate::Stopped(ODD), 4, Err("unclear")),
    ] {
        for act in ACTS {
            let shop = Shop::open(PATIENT).await;
            let matter = act.prepare(&shop).await;
            let fates = [vec![Fate::Passes; looks(act)], vec![fate; times]].concat();
            let url = gateway::before(shop.fakepay.url(), &fates).await;
            let answer = act.ask(&client(&url, PATIENT), &matter, shop.now).await;
            assert_eq!(answer, outcome, "{act:?} {fate:?} {times}");
            let is_done = usize::from(outcome.is_ok());
            assert_eq!(shop.books().await, act.books()[is_done], "{act:?} {fate:?} {times}");
            act.is_done_once(&shop, &matter, &format!("{fate:?} {times}")).await;
        }
    }
}

#[tokio::test]
async fn where_stripe_failed_twice_and_nothing_came_of_it_nothing_is_known() {
    for act in ACTS {
        let shop = Shop::open(PATIENT).await;
        let matter = act.prepare(&shop).await;
        let looks = vec![Fate::Passes; looks(act)];
        let twice = [Fate::Stopped(FAILURE), Fate::Passes, Fate::Stopped(FAILURE)];
        let url = gateway::before(shop.fakepay.url(), &[looks, twice.to_vec()].concat()).await;
        let answer = act.ask(&client(&url, PATIENT), &matter, shop.now).await;
        assert_eq!(answer, Err("unclear"), "{act:?}");
        act.is_done_once(&shop, &matter, "failed twice").await;
    }
}

#[tokio::test]
async fn a_failure_that_hides_a_refusal_ends_in_the_refusal() {
    let shop = Shop::open(PATIENT).await;
    shop.fault("*", "error_after_commit", 1).await;
    let refused = shop.stripe.order(&shop.order("pm_unknown"), shop.now).await;
    assert_eq!(standing(refused), Err("refused"));
    let refund = shop.refund(AMOUNT + 1).await;
    shop.fault(REFUND, "error_after_commit", 1).await;
    let refused = shop.stripe.refund(&refund, shop.now).await.map_err(|error| word(&error));
    assert_eq!(refused, Err("refused"));
    assert_eq!(shop.books().await, [[0, AMOUNT, 0, 0]]);
}

#[tokio::test]
async fn a_decline_is_known_also_where_its_answer_is_lost() {
    for fault in ["timeout_after_commit", "error_after_commit"] {
        let shop = Shop::open(HASTY).await;
        shop.fault(CREATE, fault, 1).await;
        let order = shop.order("pm_card_chargeDeclined");
        let declined = shop.stripe.order(&order, shop.now).await;
        assert_eq!(standing(declined), Ok(Standing::Declined), "{fault}");
        assert_eq!(shop.count("/v1/payment_intents").await, 1);
    }
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_not_taken_for_missing() {
    let shop = Shop::open(PATIENT).await;
    let order = shop.order(VISA);
    shop.fault(LIST, "too_many_requests", 8).await;
    let fetched = shop.stripe.fetch(&order, shop.now).await.map_err(|error| word(&error));
    assert_eq!(fetched, Err("busy"));
    // After a failure nothing is known as long as nobody can look.
    shop.fault(CREATE, "error_after_commit", 1).await;
    assert_eq!(standing(shop.stripe.order(&order, shop.now).await), Err("unclear"));
    assert_eq!(shop.fetch(&order).await.fact.standing, Standing::Authorized);
    assert_eq!(shop.books().await, [[AMOUNT, 0, 0, 0]]);
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_found_behind_a_thousand_later_ones() {
    let shop = Shop::open(PATIENT).await;
    let order = shop.order(VISA);
    shop.stripe.order(&order, shop.now).await.expect("an order");
    let later = shop.advance(3_600).await;
    for _ in 0..1_001 {
        let other = Order { asked_at: later, ..shop.order(VISA) };
        shop.stripe.order(&other, later).await.expect("an order");
    }
    assert_eq!(order.reference, None, "its name was not heard");
    assert_eq!(shop.fetch(&order).await.fact.standing, Standing::Authorized);
}

#[tokio::test]
async fn a_call_ends_in_time_whatever_is_tried_in_it() {
    let limits = Limits { call: Duration::from_millis(600), ..HASTY };
    let shop = Shop::open(limits).await;
    shop.fault("*", "timeout_before_commit", 20).await;
    let order = shop.order(VISA);
    let begun = std::time::Instant::now();
    assert_eq!(standing(shop.stripe.order(&order, shop.now).await), Err("unclear"));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    shop.ask(Method::DELETE, "/control/faults", Value::Null).await;
    let patient = client(shop.fakepay.url(), PATIENT);
    let made = patient.order(&order, shop.now).await;
    assert_eq!(standing(made), Ok(Standing::Authorized));
    assert_eq!(shop.books().await, [[AMOUNT, 0, 0, 0]]);
}
