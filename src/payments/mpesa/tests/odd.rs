//! Answers that Daraja does not give, and those of whoever stands before it.

use super::*;
use crate::payments::mpesa::NAME;

/// A node whose Daraja answers everything in this manner; it has a token already.
async fn asking(manner: Manner) -> (tempfile::TempDir, Receiver, Mpesa, Order) {
    let daraja = Receiver::start(manner).await;
    let (folder, store) = store().await;
    let now = Instant::from_micros(1_796_083_200_000_000);
    let hour = now.plus(Duration::from_secs(3_600));
    store.set_provider_token(NAME, "token".into(), hour).await.expect("a token");
    let settings = settings_of(&daraja.url, "https://stay.example.com");
    let mpesa = Mpesa::new(settings, store).expect("good settings");
    let order = Order {
        payment: PaymentId(fresh()),
        booking: BookingId(fresh()),
        amount: 100,
        currency: "KES".parse().expect("a currency"),
        method: PAYS.to_owned(),
        return_url: String::new(),
        reference: None,
        receipt: None,
        asked_at: now,
    };
    (folder, daraja, mpesa, order)
}

fn answer(status: &str, body: &str) -> String {
    format!("{status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_leaves_open_what_happened_and_nothing_is_sent_twice() {
    let manners: [Manner; 10] = [
        |_| answer("200 OK", "<html>Welcome</html>"),
        |_| answer("200 OK", ""),
        |_| answer("200 OK", "[]"),
        |_| answer("200 OK", r#"{"ResponseCode":"0"}"#),
        |_| answer("200 OK", r#"{"ResponseCode":0.0,"CheckoutRequestID":"ws_CO_1"}"#),
        |_| answer("403 Forbidden", "<html>Blocked</html>"),
        |_| answer("503 Service Unavailable", ""),
        |_| "302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n".to_owned(),
        |_| "200 OK\r\nContent-Length: 100\r\n\r\n{\"ResponseCode\":\"0\"".to_owned(),
        |_| answer("200 OK", &format!("{{\"x\":\"{}\"}}", "x".repeat(64 * 1024))),
    ];
    for (number, manner) in manners.into_iter().enumerate() {
        let (_folder, daraja, mpesa, order) = asking(manner).await;
        let told = mpesa.order(&order, order.asked_at).await;
        assert!(matches!(told, Err(ProviderError::Unclear(_))), "{number}: {told:?}");
        assert_eq!(daraja.methods().await, ["POST"], "{number}");
        let named = Order { reference: Some("ws_CO_1".to_owned()), ..order };
        let told = mpesa.fetch(&named, named.asked_at).await;
        assert!(matches!(told, Err(ProviderError::Unclear(_))), "{number}: {told:?}");
    }
}

#[tokio::test]
async fn spikes_and_quotas_are_known_by_their_codes_too() {
    let manners: [Manner; 3] = [
        |_| answer("429 Too Many Requests", ""),
        |_| answer("500 Error", r#"{"errorCode":"500.003.02","errorMessage":"Spike arrest"}"#),
        |_| answer("500 Error", r#"{"errorCode":"500.003.03","errorMessage":"Quota"}"#),
    ];
    for manner in manners {
        let (_folder, daraja, mpesa, order) = asking(manner).await;
        let told = mpesa.order(&order, order.asked_at).await;
        assert!(matches!(told, Err(ProviderError::Busy(_))), "{told:?}");
        assert_eq!(daraja.methods().await, ["POST"]);
    }
}

#[tokio::test]
async fn no_more_than_two_tokens_are_fetched_where_none_is_taken() {
    let manner: Manner = |letter| match letter.method.as_str() {
        "GET" => answer("200 OK", r#"{"access_token":"another","expires_in":3599}"#),
        _ => answer("404 Not Found", r#"{"errorCode":"404.001.03","errorMessage":"Invalid"}"#),
    };
    let (_folder, daraja, mpesa, order) = asking(manner).await;
    let told = mpesa.order(&order, order.asked_at).await;
    assert!(matches!(told, Err(ProviderError::Busy(_))), "{told:?}");
    assert_eq!(daraja.methods().await, ["POST", "GET", "POST", "GET", "POST"]);
}

#[tokio::test]
async fn tokens_that_cannot_be_ones_are_not_kept() {
    let manners: [Manner; 6] = [
        |_| answer("200 OK", r#"{"access_token":"","expires_in":"3599"}"#),
        |_| answer("200 OK", r#"{"access_token":"a b","expires_in":"3599"}"#),
        |_| answer("200 OK", r#"{"access_token":"token"}"#),
        |_| answer("200 OK", r#"{"access_token":"token","expires_in":"soon"}"#),
        |_| answer("500 Error", r#"{"access_token":"token","expires_in":"3599"}"#),
        |_| answer("200 OK", "<html>"),
    ];
    for (number, manner) in manners.into_iter().enumerate() {
        let (_folder, daraja, mpesa, order) = asking(manner).await;
        let later = order.asked_at.plus(Duration::from_secs(3_600));
        let order = Order { asked_at: later, ..order };
        let told = mpesa.order(&order, later).await;
        assert!(matches!(told, Err(ProviderError::Busy(_))), "{number}: {told:?}");
        assert_eq!(daraja.methods().await, ["GET"], "{number}");
    }
}

#[tokio::test]
async fn tls_is_spoken_where_the_address_says_so_and_a_stranger_is_told_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (_folder, _daraja, mpesa, order) = asking(|_| answer("200 OK", "{}")).await;
    let line = super::super::line::Line::new(format!("https://{address}")).expect("a line");
    let mpesa = Mpesa { line, ..mpesa };
    let listening = async {
        let (mut stream, _) = listener.accept().await.expect("a caller");
        let mut hello = [0; 3];
        stream.read_exact(&mut hello).await.expect("a few bytes");
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("they are taken");
        hello
    };
    let (told, hello) = tokio::join!(mpesa.order(&order, order.asked_at), listening);
    // A handshake begins so: RFC 8446, section 5.1.
    assert_eq!(hello, [0x16, 0x03, 0x01]);
    assert!(matches!(told, Err(ProviderError::Busy(_))), "{told:?}");
}
