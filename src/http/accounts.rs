//! `/users` and `/auth`.

use super::edge::Edge;
use super::extract::{Body, IdempotencyKey, Signed};
use super::headers::ETag;
use super::problem::Problem;
use super::{mark_replayed, tagged};
use crate::engine::{Engine, Registration};
use crate::store::accounts::{Account, Role};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    email: String,
    password: String,
    first_name: String,
    last_name: String,
    role: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    email: String,
    password: String,
}

#[derive(Serialize)]
struct User<'a> {
    id: Uuid,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    role: &'static str,
    created_at: String,
}

#[derive(Serialize)]
struct Token {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

impl<'a> User<'a> {
    fn of(account: &'a Account) -> Self {
        Self {
            id: account.id.0,
            email: &account.email,
            first_name: &account.first_name,
            last_name: &account.last_name,
            role: account.role.name(),
            created_at: account.created_at.to_string(),
        }
    }
}

pub(super) async fn register(
    engine: web::Data<Engine>,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<NewUser>,
) -> Result<HttpResponse, Problem> {
    let role: Role =
        new.role.parse().map_err(|_| Problem::field("/role", "must be guest or host"))?;
    let registration = Registration {
        email: new.email,
        password: new.password,
        first_name: new.first_name,
        last_name: new.last_name,
        role,
    };
    let (account, replayed) = engine.register(registration, key).await?;
    let mut response = HttpResponse::Created()
        .insert_header((header::LOCATION, "/api/v1/users/me"))
        .json(User::of(&account));
    mark_replayed(&mut response, replayed);
    Ok(response)
}

pub(super) async fn login(
    engine: web::Data<Engine>,
    edge: web::Data<Edge>,
    Body(credentials): Body<Credentials>,
) -> Result<HttpResponse, Problem> {
    edge.count_login(&credentials.email)?;
    let password = SecretString::from(credentials.password);
    let session = engine.login(&credentials.email, password).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(Token {
        access_token: session.access_token,
        token_type: "Bearer",
        expires_in: session.expires_in.as_secs(),
    }))
}

pub(super) async fn profile(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
) -> Result<HttpResponse, Problem> {
    let account = engine.profile(&caller).await?;
    // An account does not change yet, so its first version is its only one.
    tagged(&request, &ETag::of(account.id, 1), &User::of(&account))
}
