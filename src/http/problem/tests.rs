//! What clients see of refusals, of the framework's own errors and of panics.

use super::*;
use crate::auth::{Denied, TokenError};
use crate::http::headers::envelope;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, web};
use domain::booking::Illegal;
use domain::refusal::{Code as ReasonCode, Refusal};
use domain::review;
use domain::{Instant, Night, Status};
use serde_json::{Value, json};

/// Statuses, headers and body of an answer, also of one that came as an error.
struct Seen {
    status: u16,
    headers: actix_web::http::header::HeaderMap,
    body: Value,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ascii"))
    }

    /// Asserts that it is a whole problem document with this code.
    fn is_problem(&self, code: &str) {
        let entry = CODES.iter().find(|entry| entry.name == code).expect("a code of the table");
        assert_eq!(self.body["code"], code, "{}", self.body);
        assert_eq!(self.status, entry.status.as_u16());
        assert_eq!(self.body["status"], self.status);
        assert_eq!(self.body["type"], entry.kind);
        assert_eq!(self.body["title"], entry.title);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        assert!(self.header("x-request-id").parse::<Uuid>().is_ok());
    }
}

async fn ask(request: TestRequest) -> Seen {
    async fn panics() -> HttpResponse {
        panic!("the roof is on fire")
    }
    async fn fails() -> Result<HttpResponse, actix_web::Error> {
        Err(actix_web::error::ErrorInternalServerError("password=hunter2"))
    }
    async fn own() -> HttpResponse {
        HttpResponse::ServiceUnavailable().json(json!({ "ready": false }))
    }
    let refused = web::resource("/refused").get(async || Problem::from(unavailable()));
    let app = App::new()
        .configure(configure)
        .default_service(web::to(not_found))
        .service(refused)
        .service(web::resource("/ok").get(async || "fine"))
        .service(web::resource("/panics").get(panics))
        .service(web::resource("/fails").get(fails))
        .service(web::resource("/own").get(own))
        .service(web::resource("/outer").wrap(from_fn(refuse)).get(async || "never"))
        .service(web::resource("/n/{n}").get(async |_: web::Path<u8>| "a number"))
        .wrap(from_fn(envelope));
    let app = init_service(app).await;
    let response = match actix_web::dev::Service::call(&app, request.to_request()).await {
        Ok(answer) => answer.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = actix_web::body::to_bytes(response.into_body()).await.expect("a body");
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes)));
    Seen { status, headers, body }
}

/// A middleware that refuses before any handler runs.
async fn refuse(
    _: actix_web::dev::ServiceRequest,
    _: actix_web::middleware::Next<BoxBody>,
) -> Result<actix_web::dev::ServiceResponse<BoxBody>, actix_web::Error> {
    Err(Problem::new(Code::InvalidHost).into())
}

fn night(text: &str) -> Night {
    text.parse().expect("a date in a test")
}

fn unavailable() -> Refusal {
    let until = Instant::from_micros(1_800_000_000_000_000);
    let (a, b) = (night("2026-12-01"), night("2026-12-02"));
    Refusal::Unavailable {
        reasons: vec![
            Reason {
                code: ReasonCode::UnavailableHeld,
                nights: vec![a, b],
                held_until: Some(until),
                limit: None,
            },
            Reason {
                code: ReasonCode::TooManyGuests,
                nights: vec![a],
                held_until: None,
                limit: Some(4),
            },
        ],
        alternatives: vec![Stay::new(b, b.plus(2)).expect("a stay")],
    }
}

#[actix_web::test]
async fn a_refused_booking_carries_every_reason_and_the_alternatives() {
    let seen = ask(TestRequest::get().uri("/refused")).await;
    seen.is_problem("unavailable_held");
    assert_eq!(
        seen.body["reasons"],
        json!([
            {
                "code": "unavailable_held",
                "nights": ["2026-12-01", "2026-12-02"],
                "held_until": "2027-01-15T08:00:00Z",
            },
            { "code": "too_many_guests", "nights": ["2026-12-01"], "limit": 4 },
        ])
    );
    let alternatives = json!([{ "check_in": "2026-12-02", "check_out": "2026-12-04" }]);
    assert_eq!(seen.body["alternatives"], alternatives);
    assert_eq!(seen.body.get("errors"), None);
}

#[actix_web::test]
async fn the_frameworks_own_errors_are_problems() {
    for (request, code) in [
        (TestRequest::get().uri("/nowhere"), "not_found"),
        (TestRequest::post().uri("/ok"), "method_not_allowed"),
        (TestRequest::get().uri("/n/300"), "not_found"),
        (TestRequest::get().uri("/fails"), "internal"),
        (TestRequest::get().uri("/outer"), "invalid_host"),
    ] {
        let seen = ask(request).await;
        seen.is_problem(code);
        assert!(!seen.body.to_string().contains("hunter2"));
    }
}

#[actix_web::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let seen = ask(TestRequest::delete().uri("/ok")).await;
    assert_eq!(seen.header("allow"), "GET, HEAD");
}

#[actix_web::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    let seen = ask(TestRequest::get().uri("/panics")).await;
    seen.is_problem("internal");
    assert!(!seen.body.to_string().contains("fire"));
    assert_eq!(seen.header("x-content-type-options"), "nosniff");
}

#[actix_web::test]
async fn successes_and_a_handlers_own_documents_are_left_alone() {
    let seen = ask(TestRequest::get().uri("/ok")).await;
    assert_eq!((seen.status, seen.body), (200, json!("fine")));
    let seen = ask(TestRequest::get().uri("/own")).await;
    assert_eq!((seen.status, &seen.body), (503, &json!({ "ready": false })));
    assert!(!seen.header("x-request-id").is_empty());
}

#[actix_web::test]
async fn two_requests_have_two_ids() {
    let (one, two) = (ask(TestRequest::get().uri("/ok")).await, ask(TestRequest::default()).await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[test]
fn each_refusal_has_its_code() {
    let confirmed = Illegal::Status(Status::Confirmed);
    for (problem, code) in [
        (Problem::from(Refusal::OwnProperty), Code::OwnProperty),
        (Problem::from(Refusal::KeyReused), Code::IdempotencyKeyReused),
        (Problem::from(Refusal::UnknownBooking), Code::BookingEnded),
        (Problem::from(Refusal::Illegal(confirmed)), Code::WrongStatus),
        (Problem::from(Illegal::Status(Status::Canceled)), Code::BookingEnded),
        (Problem::from(Illegal::AmountMismatch), Code::AmountMismatch),
        (Problem::from(Illegal::Time), Code::WrongMoment),
        (Problem::from(review::Refusal::NotCompleted), Code::StayNotCompleted),
        (Problem::from(review::Refusal::WindowClosed), Code::ReviewWindowClosed),
        (Problem::from(review::Refusal::Appeared), Code::ReviewAppeared),
        (Problem::from(review::Refusal::AlreadyReviewed), Code::AlreadyReviewed),
        (Problem::from(review::Refusal::AlreadyReplied), Code::AlreadyReplied),
        (Problem::from(Denied::Unauthenticated), Code::Unauthenticated),
        (Problem::from(Denied::Forbidden), Code::Forbidden),
        (Problem::from(Denied::NotFound), Code::NotFound),
        (Problem::from(TokenError::Invalid), Code::Unauthenticated),
        (Problem::from(TokenError::Expired), Code::TokenExpired),
        (Problem::from(TokenError::Ended), Code::SessionEnded),
    ] {
        assert_eq!(problem.code(), code, "{problem}");
    }
}

#[test]
fn every_401_says_how_to_sign_in_and_every_503_when_to_come_back() {
    for (problem, name, value) in [
        (Problem::new(Code::Unauthenticated), "www-authenticate", "Bearer"),
        (Problem::new(Code::InvalidCredentials), "www-authenticate", "Bearer"),
        (Problem::new(Code::SessionEnded), "www-authenticate", "Bearer"),
        (TokenError::Expired.into(), "www-authenticate", "Bearer error=\"invalid_token\""),
        (Problem::new(Code::Overloaded), "retry-after", "1"),
        (Problem::new(Code::Unavailable).retry_after(5), "retry-after", "5"),
    ] {
        let response = problem.error_response();
        let values: Vec<_> = response.headers().get_all(name).collect();
        assert_eq!(values, [value], "{problem}");
    }
}

#[test]
fn fields_are_named_in_the_detail_and_by_pointer() {
    let problem = Problem::field("/check_in", "must be a date in the form YYYY-MM-DD");
    let document: Value = serde_json::from_slice(&problem.document()).expect("a document");
    assert_eq!(document["detail"], "check_in must be a date in the form YYYY-MM-DD");
    assert_eq!(document["errors"][0]["pointer"], "/check_in");
    assert_eq!(document["status"], 422);
}
