//! `/auth`: signing in and out, and what is proved by mail.

use super::extract::{Body, ClientAddress, Signed};
use super::problem::Problem;
use crate::engine::{Engine, Session};
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[schema(as = Credentials)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = RefreshToken)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    refresh_token: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = AddressToken)]
#[serde(deny_unknown_fields)]
pub(super) struct Verification {
    token: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ForgottenPassword)]
#[serde(deny_unknown_fields)]
pub(super) struct Forgotten {
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewPassword)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    token: String,
    password: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
struct Tokens<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    token_type: &'static str,
    /// Of the access token, in seconds.
    expires_in: u64,
}

/// Signs in.
#[utoipa::path(
    post, path = "/auth/login", operation_id = "login", tag = "auth",
    request_body = Credentials, responses((status = 200, description = "Tokens.", body = Tokens)),
)]
pub(super) async fn login(
    engine: web::Data<Engine>,
    ClientAddress(address): ClientAddress,
    Body(credentials): Body<Credentials>,
) -> Result<HttpResponse, Problem> {
    let password = SecretString::from(credentials.password);
    let session = engine.login(&credentials.email, password, address).await?;
    Ok(tokens(&session))
}

/// Takes a refresh token for new tokens; each is good for once.
///
/// A retry within ten seconds gets the same next one, until that is used.
#[utoipa::path(
    post, path = "/auth/refresh", operation_id = "refresh", tag = "auth",
    request_body = Refresh, responses((status = 200, description = "New tokens.", body = Tokens)),
)]
pub(super) async fn refresh(
    engine: web::Data<Engine>,
    ClientAddress(address): ClientAddress,
    Body(input): Body<Refresh>,
) -> Result<HttpResponse, Problem> {
    let session = engine.refresh(&input.refresh_token, address).await?;
    Ok(tokens(&session))
}

/// Ends the session of the access token.
#[utoipa::path(
    post, path = "/auth/logout", operation_id = "logout", tag = "auth",
    security(("bearer" = [])), responses((status = 204, description = "It is ended.")),
)]
pub(super) async fn logout(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
) -> Result<HttpResponse, Problem> {
    engine.logout(&caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Proves an email address by the token that was sent there.
#[utoipa::path(
    post, path = "/auth/verify", operation_id = "verify_address", tag = "auth",
    request_body = Verification, responses((status = 204, description = "It is proved.")),
)]
pub(super) async fn verify(
    engine: web::Data<Engine>,
    ClientAddress(address): ClientAddress,
    Body(input): Body<Verification>,
) -> Result<HttpResponse, Problem> {
    engine.verify_address(&input.token, address).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sends a token for a new password, if there is such an account.
#[utoipa::path(
    post, path = "/auth/password/forgot", operation_id = "forgot_password", tag = "auth",
    request_body = Forgotten, responses((status = 202, description = "Whatever there is.")),
)]
pub(super) async fn forgot(
    engine: web::Data<Engine>,
    ClientAddress(address): ClientAddress,
    Body(input): Body<Forgotten>,
) -> Result<HttpResponse, Problem> {
    engine.forgot_password(&input.email, address).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Sets a new password by the token that was sent; all sessions end.
#[utoipa::path(
    post, path = "/auth/password/reset", operation_id = "reset_password", tag = "auth",
    request_body = Reset, responses((status = 204, description = "It is set.")),
)]
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
