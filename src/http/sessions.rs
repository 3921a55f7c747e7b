//! `/auth`: signing in and out, and what is proved by mail.

use super::extract::{Body, ClientAddress, Signed};
use super::problem::Problem;
use crate::engine::{Engine, Session};
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    refresh_token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verification {
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forgotten {
    email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    token: String,
    password: String,
}

#[derive(Serialize)]
struct Tokens<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    token_type: &'static str,
    /// Of the access token, in seconds.
    expires_in: u64,
}

pub(super) async fn login(
    engine: web::Data<Engine>,
    ClientAddress(address): ClientAddress,
    Body(credentials): Body<Credentials>,
) -> Result<HttpResponse, Problem> {
    let password = SecretString::from(credentials.password);
    let session = engine.login(&credentials.email, password, address).await?;
    Ok(tokens(&session))
}

pub(super) async fn refresh(
    engine: web::Data<Engine>,
    ClientAddress(address): ClientAddress,
    Body(input): Body<Refresh>,
) -> Result<HttpResponse, Problem> {
    let session = engine.refresh(&input.refresh_token, address).await?;
    Ok(tokens(&session))
}

pub(super) async fn logout(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
) -> Result<HttpResponse, Problem> {
    engine.logout(&caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn verify(
    engine: web::Data<Engine>,
    ClientAddress(address): ClientAddress,
    Body(input): Body<Verification>,
) -> Result<HttpResponse, Problem> {
    engine.verify_address(&input.token, address).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn forgot(
    engine: web::Data<Engine>,
    ClientAddress(address): ClientAddress,
    Body(input): Body<Forgotten>,
) -> Result<HttpResponse, Problem> {
    engine.forgot_password(&input.email, address).await?;
    Ok(HttpResponse::Accepted().finish())
}

pub(super) async fn reset(
    engine: web::Data<Engine>,
    ClientAddress(address): ClientAddress,
    Body(input): Body<Reset>,
) -> Result<HttpResponse, Problem> {
    engine.reset_password(&input.token, &input.password, address).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The answer that nobody on the way may keep.
fn tokens(session: &Session) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(Tokens {
        access_token: &session.access_token,
        refresh_token: session.refresh_token.expose_secret(),
        token_type: "Bearer",
        expires_in: session.expires_in.as_secs(),
    })
}
