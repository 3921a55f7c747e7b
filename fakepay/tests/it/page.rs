//! The hosted page: what a customer sees, chooses and comes back with.

use crate::helpers::{Reply, Shop, id, word};
use fakepay::{Fakepay, Settings};
use reqwest::Method;

const BACK: &str = "http://shop.example/stay?step=2#pay";

async fn choose(shop: &Shop, intent: &str, decision: &str, back: &str) -> Reply {
    let body = format!(
        "decision={decision}&return_url={}",
        back.replace('?', "%3F").replace('=', "%3D").replace('#', "%23")
    );
    shop.send(shop.posting(&format!("/pay/{intent}"), &body, "")).await
}

fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", reply.text);
    reply.headers["location"].to_str().expect("ASCII").to_owned()
}

#[tokio::test]
async fn the_page_offers_what_fits_the_state_of_the_payment() {
    let shop = Shop::open().await;
    for (method, title, buttons) in [
        ("pm_late", "Pay for your stay", ["Pay", "Decline"]),
        ("pm_card_threeDSecure2Required", "Your bank asks: is this you?", ["Authenticate", "Fail"]),
    ] {
        let intent = shop.intent(method, "description=Three <nights> %26 more {choice}").await;
        let reply = shop.send(shop.request(Method::GET, &format!("/pay/{}", id(&intent)))).await;
        assert_eq!(reply.status, 200);
        for wanted in [title, "USD 50.00", "Three &lt;nights&gt; &amp; more &#123;choice}"] {
            assert!(reply.text.contains(wanted), "{wanted}: {}", reply.text);
        }
        for button in buttons {
            assert!(reply.text.contains(&format!(">{button}</button>")), "{button}");
        }
        assert!(!reply.text.contains("<script"));
        let policy = reply.headers["content-security-policy"].to_str().expect("ASCII");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
    }
    let paid = shop.intent("pm_card_visa", "").await;
    let reply = shop.send(shop.request(Method::GET, &format!("/pay/{}", id(&paid)))).await;
    assert!(reply.text.contains("This is paid") && !reply.text.contains("<button"));
    assert_eq!(shop.send(shop.request(Method::GET, "/pay/pi_none")).await.status, 404);
}

#[tokio::test]
async fn each_choice_ends_the_payment_and_leads_back_with_how_it_went() {
    let shop = Shop::open().await;
    for (method, decision, status, went) in [
        ("pm_late", "accept", "succeeded", "succeeded"),
        ("pm_late", "refuse", "requires_payment_method", "failed"),
        ("pm_card_threeDSecure2Required", "accept", "succeeded", "succeeded"),
        ("pm_card_threeDSecure2Required", "refuse", "requires_payment_method", "failed"),
    ] {
        let intent = shop.intent(method, "").await;
        let to = location(&choose(&shop, &id(&intent), decision, BACK).await);
        let secret = word(&intent["client_secret"]);
        assert_eq!(
            to,
            format!(
                "http://shop.example/stay?step=2&payment_intent={}&payment_intent_client_secret=\
                 {secret}&redirect_status={went}#pay",
                id(&intent)
            )
        );
        assert_eq!(shop.look(&intent).await["status"], status, "{method} {decision}");
    }
}

#[tokio::test]
async fn an_intent_that_was_not_confirmed_is_by_the_page_and_a_second_choice_changes_nothing() {
    let shop = Shop::open().await;
    let form = "amount=5000&currency=usd&capture_method=manual";
    let intent = shop.post("/v1/payment_intents", form).await.with(200);
    location(&choose(&shop, &id(&intent), "refuse", BACK).await);
    assert_eq!(shop.look(&intent).await["last_payment_error"]["code"], "card_declined");
    location(&choose(&shop, &id(&intent), "accept", BACK).await);
    assert_eq!(shop.look(&intent).await["status"], "requires_capture");
    let to = location(&choose(&shop, &id(&intent), "refuse", BACK).await);
    assert!(to.contains("redirect_status=succeeded"), "{to}");
    assert_eq!(shop.look(&intent).await["status"], "requires_capture");
}

#[tokio::test]
async fn nobody_is_led_to_an_address_that_is_not_of_the_web() {
    let shop = Shop::open().await;
    let intent = shop.intent("pm_late", "").await;
    let to = location(&choose(&shop, &id(&intent), "accept", "javascript:alert(1)").await);
    assert_eq!(to, id(&intent));
}

#[tokio::test]
async fn the_address_in_next_action_is_this_page() {
    let shop = Shop::open().await;
    let more = "return_url=http%3A%2F%2Fshop.example%2Fback";
    let intent = shop.intent("pm_card_authenticationRequired", more).await;
    let url = word(&intent["next_action"]["redirect_to_url"]["url"]);
    let path = url.strip_prefix(shop.url()).expect("an address of the stand-in");
    let reply = shop.send(shop.request(Method::GET, path)).await;
    assert!(reply.text.contains("value=\"http://shop.example/back\""), "{}", reply.text);
}

#[tokio::test]
async fn customers_are_led_to_the_public_address_where_there_is_one() {
    let public = |url: &str| Settings { public_url: Some(url.to_owned()), ..Settings::default() };
    let shop = Shop::set_up(public("https://stays.example/sandbox/")).await;
    let more = "return_url=http%3A%2F%2Fshop.example%2Fback";
    let intent = shop.intent("pm_card_authenticationRequired", more).await;
    let url = word(&intent["next_action"]["redirect_to_url"]["url"]);
    let page = format!("https://stays.example/sandbox/pay/{}?return_url=", id(&intent));
    assert!(url.starts_with(&page), "{url}");
    // Events say the same as answers do, and the page names no path that such an address lacks.
    shop.types(1).await;
    let told = shop.receiver.next().await.json();
    assert_eq!(told["data"]["object"]["next_action"], intent["next_action"]);
    let reply = shop.send(shop.request(Method::GET, &format!("/pay/{}", id(&intent)))).await;
    for path in ["action=", "href=\"/", "src="] {
        assert!(!reply.text.contains(path), "{}", reply.text);
    }
    let address = "127.0.0.1:0".parse().expect("an address");
    let refused = Fakepay::start(address, public("stays.example")).expect_err("no address");
    assert!(refused.to_string().contains("stays.example"), "{refused}");
}
