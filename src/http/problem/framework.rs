//! The framework's own answers as problems: unknown paths, wrong methods, panics and whatever it
//! refuses before a handler runs.

use super::{Code, Problem};
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpResponse, ResponseError, web};

/// The default service: no route has this path.
pub async fn not_found() -> Problem {
    Problem::new(Code::NotFound).with_detail("There is nothing at this address.")
}

/// What the framework's own extractors answer, where a route uses them.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .app_data(
            web::PathConfig::default().error_handler(|_, _| Problem::new(Code::NotFound).into()),
        )
        .app_data(web::QueryConfig::default().error_handler(|error, _| {
            Problem::new(Code::MalformedRequest).with_detail(error.to_string()).into()
        }));
}

/// Whether an answer is an error in the framework's words. Handlers answer errors with a problem
/// or with a document of their own; the framework's have no type or are plain text.
fn is_bare(response: &HttpResponse<impl MessageBody>) -> bool {
    let status = response.status();
    (status.is_client_error() || status.is_server_error()) && !has_document(response.headers())
}

fn has_document(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain"))
}

/// The same answer; a bare error gets a problem document. Other headers (`Allow`) stay.
pub fn rewritten<B: MessageBody>(answer: ServiceResponse<B>) -> ServiceResponse<EitherBody<B>> {
    if !is_bare(answer.response()) {
        return answer.map_into_left_body();
    }
    let problem = Problem::new(Code::of_status(answer.status())).error_response();
    answer.map_body(|head, _| {
        head.status = problem.status();
        for (name, value) in problem.headers() {
            head.headers.insert(name.clone(), value.clone());
        }
        head.headers.remove(header::CONTENT_LENGTH);
        also_head(&mut head.headers);
        EitherBody::right(problem.into_body())
    })
}

/// The router knows no `HEAD`: the envelope has it answered wherever `GET` is.
fn also_head(headers: &mut HeaderMap) {
    let allowed = headers.get(header::ALLOW).and_then(|methods| methods.to_str().ok());
    let gets = allowed.filter(|methods| methods.split(", ").any(|method| method == "GET"));
    if let Some(Ok(methods)) = gets.map(|methods| format!("{methods}, HEAD").parse()) {
        headers.insert(header::ALLOW, methods);
    }
}

/// The answer to an error that no handler turned into one.
pub fn of_error(error: &actix_web::Error) -> HttpResponse<BoxBody> {
    let response = error.error_response();
    if is_bare(&response) {
        return Problem::new(Code::of_status(response.status())).error_response();
    }
    response
}
