//! The door with the envelope around it: who comes in, who is told what, and what answers carry.

use super::limits::InProcess;
use super::*;
use crate::auth::{Caller, TokenError};
use crate::clock::Clock;
use crate::http::extract::{MaybeSigned, Verify};
use crate::http::headers::envelope;
use crate::store::accounts::Role;
use actix_web::dev::Service;
use actix_web::http::Method;
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, web};
use domain::{Instant, UserId};
use serde_json::Value;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use uuid::Uuid;

/// Every number is a token, of the caller with this id.
struct Numbers;

impl Verify for Numbers {
    fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        let number = token.parse().map_err(|_| TokenError::Invalid)?;
        let id = UserId(Uuid::from_u128(number));
        Ok(Caller { id, role: Role::Guest, session: Uuid::nil() })
    }
}

struct Seen {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ascii"))
    }
}

fn edge(is_limited: bool) -> Arc<Edge> {
    let clock = Clock::new(Instant::from_micros(1_800_000_000_000_000), true);
    let networks = vec!["10.0.0.0/8".parse().expect("a network")];
    Arc::new(Edge {
        proxies: Proxies::new(networks),
        hosts: Hosts::new(&["stay.example".to_owned()], SocketAddr::from(([127, 0, 0, 1], 80))),
        origins: Origins::new(vec!["https://app.example".to_owned()]),
        limiter: is_limited.then(|| Arc::new(InProcess::new(clock)) as Arc<dyn RateLimiter>),
    })
}

/// A request to the right host from a stranger's address.
fn get(uri: &str) -> TestRequest {
    let peer = SocketAddr::from(([192, 0, 2, 1], 4_000));
    TestRequest::get().uri(uri).peer_addr(peer).insert_header(("host", "stay.example"))
}

fn post(uri: &str) -> TestRequest {
    get(uri).method(Method::POST)
}

async fn ask(edge: &Arc<Edge>, request: TestRequest) -> Seen {
    let verify: Arc<dyn Verify> = Arc::new(Numbers);
    let app = App::new()
        .app_data(web::Data::from(Arc::clone(edge)))
        .app_data(web::Data::from(verify))
        .default_service(web::to(async |_: MaybeSigned| "in"))
        .wrap(NormalizePath::trim())
        .wrap(from_fn(envelope));
    let app = init_service(app).await;
    let answer = app.call(request.to_request()).await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.map_into_boxed_body().into_body();
    let bytes = actix_web::body::to_bytes(body).await.expect("a body");
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    Seen { status, headers, body }
}

/// How many requests come in before one does not.
async fn until_refused(edge: &Arc<Edge>, mut request: impl FnMut(u32) -> TestRequest) -> u32 {
    for number in 0..2_000 {
        let seen = ask(edge, request(number)).await;
        if seen.status == 429 {
            assert_eq!(seen.body["code"], "rate_limited", "{}", seen.body);
            assert!(seen.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
            assert!(seen.header("ratelimit").contains(";r=0;"), "{}", seen.header("ratelimit"));
            assert_eq!(seen.body["request_id"], seen.header("x-request-id"));
            return number;
        }
    }
    panic!("nobody is refused")
}

/// The number of requests that a limit lets through, and what may be added while they are made.
fn about(limit: Limit) -> RangeInclusive<u32> {
    let requests = limit.quota().requests;
    requests..=requests + requests / 2
}

#[actix_web::test]
async fn a_wrong_host_is_refused_as_every_answer_is_given() {
    let edge = edge(false);
    assert_eq!(ask(&edge, get("/properties")).await.status, 200);
    let foreign = get("/properties").insert_header(("host", "evil.example"));
    let seen = ask(&edge, foreign.insert_header(("origin", "https://app.example"))).await;
    assert_eq!((seen.status, &seen.body["code"]), (400, &Value::from("invalid_host")));
    assert_eq!(seen.body["request_id"], seen.header("x-request-id"));
    assert_eq!(seen.header("x-content-type-options"), "nosniff");
    assert_eq!(seen.header("access-control-allow-origin"), "https://app.example");
}

#[actix_web::test]
async fn what_is_too_large_is_refused_in_our_words() {
    let edge = edge(false);
    let long = ask(&edge, get(&format!("/properties?cursor={}", "a".repeat(9_000)))).await;
    assert_eq!((long.status, &long.body["code"]), (414, &Value::from("uri_too_long")));
    let mut many = get("/properties");
    for number in 0..65 {
        many = many.insert_header((format!("x-{number}"), "1"));
    }
    let many = ask(&edge, many).await;
    assert_eq!((many.status, &many.body["code"]), (431, &Value::from("headers_too_large")));
    let large = get("/properties").insert_header(("x-large", "a".repeat(33_000)));
    assert_eq!(ask(&edge, large).await.status, 431);
}

#[actix_web::test]
async fn listed_origins_may_do_everything_and_others_read_what_is_public() {
    let edge = edge(false);
    for (request, origin, allowed, credentials) in [
        (get("/bookings"), "https://app.example", "https://app.example", "true"),
        (get("/properties"), "https://app.example", "https://app.example", "true"),
        (get("/properties/x/calendar"), "https://blog.example", "*", ""),
        (post("/quotes"), "https://blog.example", "*", ""),
        (get("/bookings"), "https://blog.example", "", ""),
        (post("/bookings"), "https://blog.example", "", ""),
        (get("/bookings"), "https://app.example.evil.example", "", ""),
        (get("/bookings"), "http://app.example", "", ""),
        (get("/bookings"), "null", "", ""),
    ] {
        let seen = ask(&edge, request.insert_header(("origin", origin))).await;
        assert_eq!(seen.header("access-control-allow-origin"), allowed, "{origin}");
        assert_eq!(seen.header("access-control-allow-credentials"), credentials, "{origin}");
        assert_eq!(seen.header("vary"), "Origin");
        let exposed = seen.header("access-control-expose-headers");
        assert_eq!(exposed.contains("ETag") && exposed.contains("RateLimit"), !allowed.is_empty());
    }
    let plain = ask(&edge, get("/properties")).await;
    assert_eq!(plain.header("access-control-allow-origin"), "");
    assert_eq!(plain.header("vary"), "Origin", "an answer without CORS is kept for no origin");
}

#[actix_web::test]
async fn preflights_are_answered_without_a_route() {
    let edge = edge(true);
    for (path, origin, method, allowed, may_sign) in [
        ("/bookings", "https://app.example", "POST", "https://app.example", true),
        ("/bookings/x", "https://app.example", "DELETE", "https://app.example", true),
        ("/quotes", "https://blog.example", "POST", "*", false),
        ("/bookings", "https://blog.example", "POST", "", false),
        ("/properties", "https://blog.example", "DELETE", "", false),
    ] {
        let request = get(path)
            .method(Method::OPTIONS)
            .insert_header(("origin", origin))
            .insert_header(("access-control-request-method", method));
        let seen = ask(&edge, request).await;
        assert_eq!(seen.status, 204, "{origin}");
        assert_eq!(seen.header("access-control-allow-origin"), allowed, "{origin} {path}");
        let names = seen.header("access-control-allow-headers");
        assert_eq!(names.contains("Authorization"), may_sign, "{origin} {path}");
        let methods = seen.header("access-control-allow-methods");
        assert_eq!(methods.contains(method), !allowed.is_empty(), "{methods}");
        assert_eq!(seen.headers.get_all("vary").count(), 2);
        assert_eq!(seen.header("ratelimit"), "", "a preflight is no request");
    }
    let plain = get("/bookings").method(Method::OPTIONS);
    let plain = ask(&edge, plain.insert_header(("origin", "https://app.example"))).await;
    assert_eq!(plain.status, 200, "an OPTIONS that asks nothing is the router's");
}

#[actix_web::test]
async fn whoever_came_over_tls_is_told_to_stay() {
    let edge = edge(false);
    let trusted = SocketAddr::from(([10, 0, 0, 1], 4_000));
    let https = || get("/properties").insert_header(("x-forwarded-proto", "https"));
    let told = ask(&edge, https().peer_addr(trusted)).await;
    assert_eq!(told.header("strict-transport-security"), "max-age=31536000");
    assert_eq!(ask(&edge, https()).await.header("strict-transport-security"), "");
    let plain = ask(&edge, get("/properties").peer_addr(trusted)).await;
    assert_eq!(plain.header("strict-transport-security"), "");
}

#[actix_web::test]
async fn an_address_has_one_limit_whatever_it_writes_into_forwarded_headers() {
    let edge = edge(true);
    let rotating = |number: u32| {
        get("/properties").insert_header(("x-forwarded-for", format!("203.0.113.{}", number % 256)))
    };
    assert!(about(Limit::Address).contains(&until_refused(&edge, rotating).await));
    let trusted = SocketAddr::from(([10, 0, 0, 1], 4_000));
    for number in 0..3 {
        let seen = ask(&edge, rotating(number).peer_addr(trusted)).await;
        assert_eq!(seen.status, 200, "clients of a trusted proxy count for themselves");
        assert_eq!(seen.header("ratelimit-policy"), "\"address\";q=300;w=60");
        assert!(seen.header("ratelimit").starts_with("\"address\";r=299;t="));
    }
}

#[actix_web::test]
async fn a_caller_is_counted_by_account_and_a_bad_token_by_address() {
    let edge = edge(true);
    let signed =
        |token: &str| get("/bookings").insert_header(("authorization", format!("Bearer {token}")));
    assert!(about(Limit::Caller).contains(&until_refused(&edge, |_| signed("7")).await));
    let other = ask(&edge, signed("8")).await;
    assert_eq!(other.header("ratelimit-policy"), "\"caller\";q=600;w=60");
    let forged = until_refused(&edge, |number| signed(&format!("forged{number}"))).await;
    assert!(about(Limit::Address).contains(&forged), "{forged}");
}

#[actix_web::test]
async fn signing_in_and_booking_are_counted_more_tightly_however_the_path_is_spelled() {
    let spellings =
        ["/auth/login", "/api/v1/auth/login/", "//auth//login", "/auth/l%6Fgin", "/users"];
    let limited = edge(true);
    let attempts = |number: u32| post(spellings[number as usize % spellings.len()]);
    assert!(about(Limit::SignIn).contains(&until_refused(&limited, attempts).await));
    let signed = |path: &str| post(path).insert_header(("authorization", "Bearer 7"));
    let paths = ["/bookings", "/api/v1/properties/x/bookings"];
    let booking = |number: u32| signed(paths[number as usize % 2]);
    assert!(about(Limit::Booking).contains(&until_refused(&limited, booking).await));
    let refused = ask(&limited, signed("/bookings")).await;
    let policy = "\"caller\";q=600;w=60, \"booking\";q=30;w=60";
    assert_eq!(refused.header("ratelimit-policy"), policy);
    let reading = get("/bookings").insert_header(("authorization", "Bearer 7"));
    assert_eq!(ask(&limited, reading).await.status, 200);
    // A token sent along does not make another somebody of who signs in.
    assert!(until_refused(&limited, |_| signed("/auth/login")).await < 5);
}

#[actix_web::test]
async fn health_checks_and_a_server_without_limits_count_nobody() {
    let limited = edge(true);
    for path in ["/livez", "/readyz", "/", "/widget/vacancy-calendar.js"] {
        assert_eq!(ask(&limited, get(path)).await.header("ratelimit"), "", "{path}");
    }
    let unlimited = edge(false);
    for _ in 0..Limit::SignIn.quota().requests + 1 {
        let seen = ask(&unlimited, post("/auth/login")).await;
        assert_eq!((seen.status, seen.header("ratelimit")), (200, ""));
    }
    assert!(unlimited.count_login("ada@example.com").is_ok());
}

#[test]
fn an_account_has_one_limit_from_all_addresses() {
    let edge = edge(true);
    for _ in 0..Limit::Account.quota().requests {
        assert!(edge.count_login("ada@example.com").is_ok());
    }
    let problem = edge.count_login(" ADA@example.com").expect_err("one too many");
    assert_eq!(problem.code(), Code::RateLimited);
    assert!(edge.count_login("bob@example.com").is_ok());
}
