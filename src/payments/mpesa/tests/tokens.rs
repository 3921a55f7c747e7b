//! The access token that all nodes share.

use super::*;
use crate::payments::mpesa::NAME;
use futures_util::future::join_all;
use secrecy::ExposeSecret;

const OAUTH: &str = "GET /oauth/v1/generate";
const PUSH: &str = "POST /mpesa/stkpush/v1/processrequest";
const MINUTE: Duration = Duration::from_secs(60);

impl Shop {
    /// The token in the store.
    async fn stored(&self) -> String {
        let stored = self.store.provider_token(NAME).await.expect("an answer").expect("a token");
        stored.token.expose_secret().to_owned()
    }

    /// A token that somebody fetches without the store, which ends the one before.
    async fn token_of_another(&self) -> String {
        let url = self.fakepay.url();
        let url = format!("{url}/oauth/v1/generate?grant_type=client_credentials");
        let request = self.client.get(url);
        let request = request.basic_auth("fake_consumer_key", Some("fake_consumer_secret"));
        let told: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        word(&told["access_token"]).to_owned()
    }

    async fn keep(&self, token: &str, expires_at: Instant) {
        let token = token.to_owned().into();
        self.store.set_provider_token(NAME, token, expires_at).await.expect("it is kept");
    }
}

#[tokio::test]
async fn the_first_token_serves_all_nodes() {
    let shop = Shop::open().await;
    let order = shop.pushed(LATE, 100).await;
    let token = shop.stored().await;
    let other = shop.node();
    other.fetch(&order, shop.now).await.expect("an answer");
    other.order(&shop.order(PAYS, 100), shop.now).await.expect("it is taken");
    assert_eq!(shop.stored().await, token);
}

#[tokio::test]
async fn many_calls_of_two_nodes_at_once_fetch_one_token() {
    let shop = Shop::open().await;
    // Every token that is fetched uses one of these up.
    let wish = json!({ "route": OAUTH, "fault": "slow", "seconds": 0, "times": 100 });
    shop.control("faults", wish).await;
    let nodes = [shop.node(), shop.node()];
    let orders: Vec<Order> = (1..=20).map(|amount| shop.order(PAYS, amount)).collect();
    let calls = orders.iter().zip(nodes.iter().cycle());
    let answers = join_all(calls.map(|(order, node)| node.order(order, shop.now))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(shop.faults_left().await, 99);
    assert_eq!(shop.books().await, (100 * (1..=20).sum::<i64>(), 0));
}

#[tokio::test]
async fn a_token_that_somebody_else_ended_is_replaced_and_the_push_is_sent_once() {
    let shop = Shop::open().await;
    shop.pushed(LATE, 100).await;
    let first = shop.stored().await;
    shop.token_of_another().await;
    let order = shop.paid(PAYS, 100).await;
    assert_ne!(shop.stored().await, first);
    assert_eq!(shop.standing(&order).await, Standing::Captured);
    assert_eq!(shop.books().await, (10_000, 0));
}

#[tokio::test]
async fn a_token_that_another_node_has_replaced_meanwhile_is_taken_from_the_store() {
    let shop = Shop::open().await;
    shop.pushed(LATE, 100).await;
    // The push is on its way with the first token when the second one is fetched.
    let wish = json!({ "route": PUSH, "fault": "slow", "seconds": 60 });
    shop.control("faults", wish).await;
    let order = shop.order(PAYS, 100);
    let pushing = shop.mpesa.order(&order, shop.now);
    let meanwhile = async {
        while shop.look("faults").await != json!([]) {}
        let second = shop.token_of_another().await;
        shop.keep(&second, shop.now.plus(10 * MINUTE)).await;
        assert!(shop.fakepay.advance(MINUTE));
        second
    };
    let (pushed, second) = tokio::join!(pushing, meanwhile);
    pushed.expect("it is taken");
    assert_eq!(shop.stored().await, second);
    assert_eq!(shop.books().await, (10_000, 0));
}

#[tokio::test]
async fn a_token_is_replaced_a_minute_before_its_end() {
    let shop = Shop::open().await;
    let good = shop.token_of_another().await;
    let order = shop.order(LATE, 100);
    shop.keep(&good, shop.now.plus(2 * MINUTE)).await;
    shop.mpesa.order(&order, shop.now).await.expect("it is taken");
    assert_eq!(shop.stored().await, good);
    shop.keep(&good, shop.now.plus(MINUTE)).await;
    shop.mpesa.order(&order, shop.now).await.expect("it is taken");
    assert_ne!(shop.stored().await, good);
    let kept = shop.store.provider_token(NAME).await.expect("an answer").expect("a token");
    let life = kept.expires_at.since(shop.now);
    let hour = 60 * MINUTE;
    assert!(life > hour - MINUTE && life < hour + PATIENCE, "{life:?}");
}

#[tokio::test]
async fn who_comes_while_another_node_fetches_a_token_waits_for_it() {
    let shop = Shop::open().await;
    let claim = shop.store.begin_token_refresh(NAME, None, shop.now, shop.now.plus(MINUTE));
    assert!(claim.await.expect("an answer"));
    let order = shop.order(PAYS, 100);
    let pushing = shop.mpesa.order(&order, shop.now);
    let other = async {
        let token = shop.token_of_another().await;
        shop.keep(&token, shop.now.plus(10 * MINUTE)).await;
        token
    };
    let (pushed, token) = tokio::join!(pushing, other);
    pushed.expect("it is taken");
    assert_eq!(shop.stored().await, token);
}

#[tokio::test]
async fn a_node_that_died_with_the_claim_holds_nobody_up_for_longer() {
    let mut shop = Shop::open().await;
    shop.mpesa.call_within = SHORT;
    let claim = shop.store.begin_token_refresh(NAME, None, shop.now, shop.now.plus(MINUTE));
    assert!(claim.await.expect("an answer"));
    let order = shop.order(LATE, 100);
    let busy = shop.mpesa.order(&order, shop.now).await;
    assert!(matches!(busy, Err(ProviderError::Busy(_))), "{busy:?}");
    shop.mpesa.call_within = PATIENCE;
    shop.advance(MINUTE);
    let order = shop.order(LATE, 100);
    shop.mpesa.order(&order, shop.now).await.expect("it is taken");
}

#[tokio::test]
async fn where_no_token_is_to_be_had_nothing_was_asked() {
    let mut shop = Shop::open().await;
    let settings = settings_of(shop.fakepay.url(), &shop.receiver.url);
    let settings = Settings { consumer_secret: "wrong".into(), ..settings };
    let stranger = Mpesa::new(settings, shop.store.clone()).expect("good settings");
    let busy = stranger.order(&shop.order(PAYS, 100), shop.now).await;
    let why = "no token: Invalid Authentication passed (400.008.01)".to_owned();
    assert_eq!(busy, Err(ProviderError::Busy(why)));
    shop.mpesa.line.exchange_within = SHORT;
    for fault in ["too_many_requests", "timeout_before_commit", "timeout_after_commit"] {
        // The claim of the fetch that failed ends by itself.
        shop.advance(MINUTE);
        shop.fault(OAUTH, fault, 1).await;
        let busy = shop.mpesa.order(&shop.order(PAYS, 100), shop.now).await;
        assert!(matches!(busy, Err(ProviderError::Busy(_))), "{fault}: {busy:?}");
    }
    assert_eq!(shop.books().await, (0, 0));
    shop.advance(MINUTE);
    shop.paid(PAYS, 100).await;
}
