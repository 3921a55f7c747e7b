//! Orders where nothing goes wrong on the way: each means of payment, each step, each end.

use super::*;
use crate::payments::NextAction;
use crate::payments::breaker::Breaker;
use crate::payments::stripe::SettingsError;
use domain::payment::PaymentStatus;
use std::sync::Arc;

#[tokio::test]
async fn each_means_of_payment_leads_where_its_name_says() {
    let shop = Shop::open(PATIENT).await;
    for (method, stands) in [
        (VISA, Standing::Authorized),
        ("pm_card_mastercard", Standing::Authorized),
        ("pm_card_chargeDeclined", Standing::Declined),
        ("pm_card_chargeDeclinedInsufficientFunds", Standing::Declined),
        ("pm_card_authenticationRequired", Standing::Waiting),
        ("pm_card_threeDSecure2Required", Standing::Waiting),
        ("pm_late", Standing::Processing),
        ("pm_silent", Standing::Processing),
        ("", Standing::Waiting),
    ] {
        let (order, intent) = shop.made(method).await;
        assert_eq!(intent.fact.standing, stands, "{method}");
        assert_eq!(intent.fact.booking, Some(order.booking), "{method}");
        assert_eq!((intent.fact.amount, intent.fact.currency), (AMOUNT, order.currency));
        assert_eq!(intent.next_action.is_some(), stands == Standing::Waiting, "{method}");
        assert_eq!(shop.fetch(&order).await, intent, "{method}");
        let without_its_name = Order { reference: None, ..order.clone() };
        assert_eq!(shop.fetch(&without_its_name).await, intent, "{method}");
        for order in [order, without_its_name] {
            assert_eq!(shop.stripe.order(&order, shop.now).await, Ok(intent.clone()), "{method}");
        }
    }
    assert_eq!(shop.books().await, [[AMOUNT, 0, 0, 0]; 2]);
    assert_eq!(shop.count("/v1/payment_intents?limit=100").await, 9);
}

#[tokio::test]
async fn a_means_of_payment_or_an_amount_that_stripe_does_not_take_is_refused() {
    let shop = Shop::open(PATIENT).await;
    let unknown = shop.order("pm_unknown");
    let tiny = Order { amount: 1, ..shop.order(VISA) };
    let unsaid = Order { currency: "KWD".parse().expect("a currency"), ..shop.order(VISA) };
    for order in [unknown, tiny, unsaid] {
        let refused = shop.stripe.order(&order, shop.now).await;
        assert_eq!(standing(refused), Err("refused"), "{order:?}");
        assert_eq!(shop.stripe.fetch(&order, shop.now).await, Ok(None));
    }
    assert_eq!(shop.count("/v1/payment_intents").await, 0);
}

#[tokio::test]
async fn amounts_are_in_our_minor_units_whatever_stripe_counts_in() {
    let shop = Shop::open(PATIENT).await;
    let order = Order { currency: "ISK".parse().expect("a currency"), ..shop.order(VISA) };
    let intent = shop.stripe.order(&order, shop.now).await.expect("it is made");
    assert_eq!((intent.fact.amount, intent.fact.currency), (AMOUNT, order.currency));
    assert_eq!(shop.books().await, [[100 * AMOUNT, 0, 0, 0]]);
}

#[tokio::test]
async fn a_guest_who_authenticates_at_the_bank_is_led_there_and_the_money_is_authorized() {
    let shop = Shop::open(PATIENT).await;
    for (how, stands) in [("settle", Standing::Authorized), ("fail", Standing::Declined)] {
        let (order, intent) = shop.made("pm_card_authenticationRequired").await;
        let page = format!("{}/pay/{}?", shop.fakepay.url(), intent.reference);
        match &intent.next_action {
            Some(NextAction::Redirect { url }) => assert!(url.starts_with(&page), "{url}"),
            other => panic!("{other:?}"),
        }
        shop.end(&intent, how).await;
        let now = shop.fetch(&order).await;
        assert_eq!((now.fact.standing, now.next_action), (stands, None));
    }
}

#[tokio::test]
async fn a_guest_who_named_no_card_is_led_to_the_hosted_page_and_may_try_another_one_there() {
    let mut shop = Shop::open(PATIENT).await;
    let (_, intent) = shop.made("").await;
    let Some(NextAction::Client { secret }) = &intent.next_action else { panic!("{intent:?}") };
    assert!(secret.starts_with(&intent.reference));
    let page = format!("{}/pay/{{intent}}?return_url={{return_url}}", shop.fakepay.url());
    shop.stripe.hosted_page = Some(page);
    let (order, intent) = shop.made("").await;
    let Some(NextAction::Redirect { url }) = &intent.next_action else { panic!("{intent:?}") };
    let back = "https%3A%2F%2Fstay.example%2Fback%3Fa%3D1%26b%3D2";
    let page = format!("{}/pay/{}", shop.fakepay.url(), intent.reference);
    assert_eq!(*url, format!("{page}?return_url={back}"));
    for (decision, stands) in [("refuse", Standing::Waiting), ("accept", Standing::Authorized)] {
        let form = format!("decision={decision}");
        let kind = "application/x-www-form-urlencoded";
        let posted = shop.http.post(&page).header("Content-Type", kind).body(form);
        posted.send().await.ok();
        assert_eq!(shop.fetch(&order).await.fact.standing, stands, "{decision}");
    }
}

#[tokio::test]
async fn what_is_authorized_is_captured_once_and_what_is_not_is_told_as_it_stands() {
    let shop = Shop::open(PATIENT).await;
    for (method, stands) in [
        (VISA, Standing::Captured),
        ("pm_card_chargeDeclined", Standing::Declined),
        ("pm_late", Standing::Processing),
        ("", Standing::Waiting),
    ] {
        let (order, _) = shop.made(method).await;
        for _ in 0..2 {
            let captured = shop.stripe.capture(&order, shop.now).await;
            assert_eq!(standing(captured), Ok(stands), "{method}");
        }
    }
    assert_eq!(shop.books().await, [[0, AMOUNT, 0, 0]]);
    let nowhere = Order { reference: Some("pi_nowhere".into()), ..shop.order(VISA) };
    assert_eq!(standing(shop.stripe.capture(&nowhere, shop.now).await), Err("refused"));
    assert_eq!(standing(shop.stripe.cancel(&nowhere, shop.now).await), Err("refused"));
}

#[tokio::test]
async fn an_order_is_given_up_where_it_can_be_and_told_as_it_stands_where_it_cannot() {
    let shop = Shop::open(PATIENT).await;
    for (method, stands) in [
        (VISA, Standing::Ended(PaymentStatus::Voided)),
        ("pm_card_chargeDeclined", Standing::Ended(PaymentStatus::Failed)),
        ("pm_card_authenticationRequired", Standing::Ended(PaymentStatus::Voided)),
        ("pm_silent", Standing::Ended(PaymentStatus::Voided)),
        ("pm_late", Standing::Processing),
        ("", Standing::Ended(PaymentStatus::Voided)),
    ] {
        let (order, _) = shop.made(method).await;
        for _ in 0..2 {
            let canceled = shop.stripe.cancel(&order, shop.now).await;
            assert_eq!(standing(canceled), Ok(stands), "{method}");
        }
    }
    assert_eq!(shop.books().await, [[0, 0, AMOUNT, 0]]);
}

#[tokio::test]
async fn what_could_not_be_given_up_can_be_once_it_has_moved_on() {
    let shop = Shop::open(PATIENT).await;
    let (order, intent) = shop.made("pm_late").await;
    let canceled = shop.stripe.cancel(&order, shop.now).await;
    assert_eq!(standing(canceled), Ok(Standing::Processing));
    shop.end(&intent, "settle").await;
    let canceled = shop.stripe.cancel(&order, shop.now).await;
    assert_eq!(standing(canceled), Ok(Standing::Ended(PaymentStatus::Voided)));
    let (order, _) = shop.made(VISA).await;
    shop.stripe.capture(&order, shop.now).await.expect("it is captured");
    assert_eq!(standing(shop.stripe.cancel(&order, shop.now).await), Ok(Standing::Captured));
    assert_eq!(shop.books().await, [[0, 0, AMOUNT, 0], [0, AMOUNT, 0, 0]]);
}

#[tokio::test]
async fn an_authorization_that_nobody_captured_has_expired() {
    let shop = Shop::open(PATIENT).await;
    let (order, _) = shop.made(VISA).await;
    let now = shop.advance(8 * 86_400).await;
    let expired = Ok(Standing::Ended(PaymentStatus::Expired));
    assert_eq!(shop.fetch(&order).await.fact.standing, Standing::Ended(PaymentStatus::Expired));
    assert_eq!(standing(shop.stripe.capture(&order, now).await), expired);
    assert_eq!(standing(shop.stripe.cancel(&order, now).await), expired);
}

#[tokio::test]
async fn an_order_whose_key_is_forgotten_is_looked_for_before_it_is_made() {
    let shop = Shop::open(PATIENT).await;
    let order = shop.order(VISA);
    let first = shop.stripe.order(&order, shop.now).await;
    let now = shop.advance(2 * 86_400).await;
    assert_eq!(shop.stripe.order(&order, now).await, first);
    assert_eq!(shop.books().await, [[AMOUNT, 0, 0, 0]]);
}

#[tokio::test]
async fn an_order_is_found_among_hundreds_and_its_money_is_nobody_elses() {
    let shop = Shop::open(PATIENT).await;
    let order = shop.order(VISA);
    let intent = shop.stripe.order(&order, shop.now).await.expect("it is made");
    for _ in 0..105 {
        let request = shop.http.post(format!("{}/v1/payment_intents", shop.fakepay.url()));
        let kind = "application/x-www-form-urlencoded";
        let request = request.bearer_auth("sk_test_1").header("Content-Type", kind);
        let made = request.body("amount=12345&currency=usd").send().await.expect("an answer");
        assert!(made.status().is_success());
    }
    assert_eq!(shop.fetch(&order).await, intent);
    // The same intent, looked at for other orders.
    let name = Some(intent.reference.clone());
    let other_payment = Order { payment: PaymentId(shop.id()), ..order.clone() };
    for order in [other_payment, shop.order(VISA)] {
        let fact = shop.fetch(&Order { reference: name.clone(), ..order }).await.fact;
        assert_eq!(fact.booking, Some(BookingId(Uuid::nil())));
    }
    for odd in ["pi_1/../..", "", "pi_1?limit=1"] {
        let order = Order { reference: Some(odd.into()), ..order.clone() };
        assert_eq!(shop.stripe.fetch(&order, shop.now).await, Ok(None), "{odd}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_accepted_is_no_refusal() {
    let shop = Shop::open(PATIENT).await;
    let mut stripe = client(shop.fakepay.url(), PATIENT);
    let settings = Settings {
        name: "stripe",
        secret_key: "wrong".into(),
        api_base: Some(shop.fakepay.url().to_owned()),
        hosted_page: None,
    };
    stripe.client = Stripe::new(settings).expect("good settings").client;
    let answer = stripe.order(&shop.order(VISA), shop.now).await;
    let why = ProviderError::Busy("the secret key is not accepted".into());
    assert_eq!(answer, Err(why));
}

#[tokio::test]
async fn a_stripe_that_is_not_there_is_left_alone_after_five_calls() {
    let shop = Shop::open(PATIENT).await;
    let breaker = Breaker::new(Arc::new(client("http://127.0.0.1:1", PATIENT)));
    let order = shop.order(VISA);
    let after = |seconds| shop.now.plus(Duration::from_secs(seconds));
    for _ in 0..5 {
        assert_eq!(standing(breaker.order(&order, after(0)).await), Err("unclear"));
    }
    assert_eq!(standing(breaker.capture(&order, after(29)).await), Err("busy"));
    assert_eq!(standing(breaker.cancel(&order, after(30)).await), Err("unclear"));
    assert_eq!(standing(breaker.order(&order, after(31)).await), Err("busy"));
}

#[test]
fn settings_that_lead_nowhere_are_refused() {
    let made = |key: &str, base: &str, page: Option<&str>| {
        let settings = Settings {
            name: "stripe",
            secret_key: key.into(),
            api_base: Some(base.to_owned()),
            hosted_page: page.map(str::to_owned),
        };
        Stripe::new(settings).map(|stripe| stripe.name().to_owned())
    };
    let good = "http://127.0.0.1:12111";
    assert_eq!(made("sk_test_1", good, Some("/pay/{intent}")), Ok("stripe".into()));
    assert_eq!(made("sk_test_1", "https://pay.example/", None), Ok("stripe".into()));
    for key in ["", "sk test", "sk\n", "ské"] {
        assert_eq!(made(key, good, None), Err(SettingsError::Key), "{key}");
    }
    for base in ["", "pay.example", "http://", "http://a/b", "ftp://a", "http://a b"] {
        assert_eq!(made("sk_test_1", base, None), Err(SettingsError::Address), "{base}");
    }
    assert_eq!(made("sk_test_1", good, Some("/pay")), Err(SettingsError::HostedPage));
}

#[test]
fn the_token_of_a_card_is_accepted_or_none_and_nothing_else() {
    let stripe = client("http://127.0.0.1:1", PATIENT);
    let usd = "USD".parse().expect("a currency");
    let longest = format!("pm_{}", "x".repeat(252));
    for (amount, method, is_good) in [
        (AMOUNT, VISA, true),
        (AMOUNT, "", true),
        (AMOUNT, &*longest, true),
        (AMOUNT, &*format!("{longest}x"), false),
        (AMOUNT, "tok_visa", false),
        (AMOUNT, "pm_a b", false),
        (AMOUNT, "pm_é", false),
        (AMOUNT, "254700000000", false),
        (0, VISA, false),
        (-1, "", false),
    ] {
        let verdict = stripe.accepts(amount, usd, method).map_err(|(field, _)| field);
        let wanted = if is_good { Ok(()) } else { Err("/payment_method") };
        assert_eq!(verdict, wanted, "{amount} {method}");
    }
    let kwd = "KWD".parse().expect("a currency");
    assert_eq!(stripe.accepts(1_230, kwd, VISA), Ok(()));
    assert!(stripe.accepts(1_234, kwd, VISA).is_err());
}
