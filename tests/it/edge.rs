//! The door: who may come in, from which pages, how often and how slowly.

use crate::helpers::{
    Answer, Ask, Database, Person, SECRET, Server, Socket, Storage, Wire, day, home, run,
};
use reqwest::Method;
use serde_json::json;

/// More requests than any limit lets through while they are made.
const MANY: u32 = 2_000;

async fn server(settings: &[(&str, &str)]) -> Server {
    Server::spawn_with(Database::Sqlite, settings).await
}

/// Asks until a request is one too many: how many came in before, and the refusal.
async fn until_refused(mut ask: impl FnMut(u32) -> Ask) -> (u32, Answer) {
    for number in 0..MANY {
        let answer = ask(number).await;
        if answer.status == 429 {
            answer.is_problem(429, "rate_limited");
            assert!(answer.header("retry-after").parse::<u32>().expect("seconds") > 0);
            return (number, answer);
        }
    }
    panic!("nobody was refused");
}

fn login(server: &Server, email: &str) -> Ask {
    let body = json!({ "email": email, "password": "not the right words" });
    server.post("/api/v1/auth/login", body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_one_limit_whatever_it_says_of_itself_and_gets_it_back() {
    let server = server(&[("RATE_LIMITS", "on")]).await;
    let rotating = |number: u32| {
        let forwarded = format!("203.0.113.{}", number % 256);
        server.get("/api/v1/properties").header("x-forwarded-for", &forwarded)
    };
    let first = rotating(0).await;
    first.expect(200);
    assert_eq!(first.header("ratelimit-policy"), "\"address\";q=300;w=60");
    assert!(first.header("ratelimit").starts_with("\"address\";r=299;t="));
    let (count, refused) = until_refused(rotating).await;
    assert!((299..600).contains(&count), "{count} came in");
    assert!(refused.header("ratelimit").starts_with("\"address\";r=0;t="));
    assert_eq!(server.get("/livez").await.status, 200, "health checks are not counted");
    server.advance(60).await;
    assert!(rotating(0).await.header("ratelimit").starts_with("\"address\";r=299;t="));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_is_limited_for_each_address() {
    let server = server(&[("RATE_LIMITS", "on"), ("TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    let from =
        |address: &str, email: &str| login(&server, email).header("x-forwarded-for", address);
    let emails = |number: u32| from("203.0.113.1", &format!("guest{number}@example.com"));
    let (count, refused) = until_refused(emails).await;
    assert!((20..30).contains(&count), "{count} came in");
    assert!(refused.header("ratelimit-policy").contains("\"sign-in\";q=20;w=60"));
    from("203.0.113.2", "ada@example.com").await.is_problem(401, "invalid_credentials");
    // Somebody who asks too often is not kept out for good.
    server.advance(60).await;
    from("203.0.113.1", "ada@example.com").await.is_problem(401, "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bookings_are_limited_for_each_caller_and_reading_goes_on() {
    let server = server(&[("RATE_LIMITS", "on")]).await;
    let (host, guest, other) = (server.host().await, server.guest().await, server.guest().await);
    let home = server.home(&host).await;
    let book = |person: &Person| server.book(person, &home, &day(40), &day(41));
    let (count, refused) = until_refused(|_| book(&guest)).await;
    assert!((30..45).contains(&count), "{count} came in");
    let policy = "\"caller\";q=600;w=60, \"booking\";q=30;w=60";
    assert_eq!(refused.header("ratelimit-policy"), policy);
    server.get("/api/v1/bookings").by(&guest).await.expect(200);
    book(&other).await.is_problem(409, "unavailable_held");
    server.verify().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_name_this_server_or_are_refused() {
    let usual = server(&[]).await;
    for (host, status) in
        [("localhost", 200), ("127.0.0.1:1", 200), ("[::1]:80", 200), ("evil.example", 400)]
    {
        let answer = usual.get("/api/v1/properties").header("host", host).await;
        assert_eq!(answer.status, status, "{host}");
    }
    let named = server(&[("ALLOWED_HOSTS", "Stay.example.com, www.example.com")]).await;
    let wrong = named.get("/livez").await;
    wrong.is_problem(400, "invalid_host");
    named.get("/livez").header("host", "stay.example.com:443").await.expect(200);
    let any = server(&[("ALLOWED_HOSTS", "*")]).await;
    any.get("/livez").header("host", "evil.example").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listed_pages_use_the_api_and_others_read_what_is_public() {
    let (app, blog) = ("https://app.example.com", "https://blog.example.com");
    let server = server(&[("CORS_ALLOW_ORIGINS", app)]).await;
    let host = server.host().await;
    let home = server.post("/api/v1/properties", home()).by(&host).header("origin", app).await;
    assert_eq!(home.header("access-control-allow-origin"), app);
    assert_eq!(home.header("access-control-allow-credentials"), "true");
    assert!(home.header("access-control-expose-headers").contains("Location"));
    let calendar = format!("{}/calendar", home.header("location"));
    let public = server.get(&calendar).header("origin", blog).await;
    public.expect(200);
    assert_eq!(public.header("access-control-allow-origin"), "*");
    assert_eq!(public.header("access-control-allow-credentials"), "");
    assert_eq!(public.header("vary"), "Origin");
    let private = server.get("/api/v1/bookings").by(&host).header("origin", blog).await;
    assert_eq!(private.header("access-control-allow-origin"), "");
    // A page must be able to read why it was refused.
    let refused = server.get("/api/v1/bookings").header("origin", app).await;
    refused.is_problem(401, "unauthenticated");
    assert_eq!(refused.header("access-control-allow-origin"), app);
    for (origin, allowed) in [(app, app), (blog, "")] {
        let preflight = server
            .ask(Method::OPTIONS, "/api/v1/bookings")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,idempotency-key")
            .await;
        assert_eq!(preflight.status, 204);
        assert_eq!(preflight.header("access-control-allow-origin"), allowed);
        let names = preflight.header("access-control-allow-headers");
        assert_eq!(names.contains("Authorization, "), !allowed.is_empty(), "{names}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_any_origin_follow_public_calendars_live() {
    let server = server(&[("CORS_ALLOW_ORIGINS", "https://app.example.com")]).await;
    let home = server.home(&server.host().await).await;
    let mut socket = Socket::open_from(&server, "https://blog.example.com").await;
    socket.subscribe(&home, &day(40), &day(41)).await;
    socket.expect("snapshot").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_came_over_tls_is_told_to_stay_there() {
    let trusting = server(&[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let told = trusting.get("/livez").header("x-forwarded-proto", "https").await;
    assert_eq!(told.header("strict-transport-security"), "max-age=31536000");
    let plain = trusting.get("/livez").header("x-forwarded-proto", "http").await;
    assert_eq!(plain.header("strict-transport-security"), "");
    let usual = server(&[]).await;
    let liar = usual.get("/livez").header("x-forwarded-proto", "https").await;
    assert_eq!(liar.header("strict-transport-security"), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_long_or_too_much_is_refused() {
    let server = server(&[]).await;
    let long = format!("/api/v1/properties?cursor={}", "a".repeat(9_000));
    server.get(&long).await.is_problem(414, "uri_too_long");
    let with_headers = |count: u32| {
        let ask = server.get("/livez");
        (0..count).fold(ask, |ask, number| ask.header(&format!("x-{number}"), "1"))
    };
    with_headers(40).await.expect(200);
    with_headers(70).await.is_problem(431, "headers_too_large");
    // Beyond what the framework reads it answers by itself, in fewer words.
    assert_eq!(with_headers(200).await.status, 431);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_a_head_or_a_body_drop_by_drop_is_sent_away() {
    let server = server(&[]).await;
    let host = server.address();
    let announced = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n{{"
    );
    // Nobody reads this one's body, and nobody knows how long it is.
    let endless = format!(
        "POST /livez HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{{\r\n"
    );
    let slow = async |bytes: String| {
        let mut wire = Wire::connect(host).await;
        wire.write(bytes.as_bytes()).await;
        wire.answer().await.is_problem(408, "request_timeout");
        wire.closed().await;
    };
    let unfinished = async {
        let mut wire = Wire::connect(host).await;
        wire.write(b"GET /livez HTTP/1.1\r\nhost:").await;
        assert_eq!(wire.answer().await.status, 408);
        wire.closed().await;
    };
    tokio::join!(slow(announced), slow(endless), unfinished);
    let mut unread = Wire::connect(host).await;
    let head = format!("POST /nowhere HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100\r\n\r\n{{");
    unread.write(head.as_bytes()).await;
    unread.answer().await.is_problem(404, "not_found");
    unread.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_in_chunks_is_read_like_any_other() {
    let server = server(&[]).await;
    let host = server.address();
    let request = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    let body = json!({ "email": "ada@example.com", "password": "not the right words" }).to_string();
    let (first, rest) = body.split_at(10);
    let chunks = format!("{:x}\r\n{first}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n", 10, rest.len());
    let mut wire = Wire::connect(host).await;
    for _ in 0..2 {
        // The connection is good for the next request.
        wire.write(request.as_bytes()).await;
        wire.write(chunks.as_bytes()).await;
        wire.answer().await.is_problem(401, "invalid_credentials");
    }
    let large = "x".repeat(70_000);
    let large = format!("{request}{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    wire.write(large.as_bytes()).await;
    wire.answer().await.is_problem(413, "payload_too_large");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_server_without_limits_does_not_start() {
    let storage = Storage::new(Database::Sqlite).await;
    for name in ["RATE_LIMITS", "PENDING_LIMITS"] {
        let settings = [("SECRET_KEY", SECRET), ("BIND_ADDR", "0.0.0.0:0"), (name, "off")];
        let ended = run(&storage, &["serve"], &settings).await;
        let why = format!("{name}=off: only on a loopback BIND_ADDR");
        assert!(!ended.is_success() && ended.log.contains(&why), "{ended:?}");
    }
}
