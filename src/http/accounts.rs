//! `/users`.

use super::cursor::{self, Cursor};
use super::extract::{Body, ClientAddress, IdempotencyKey, Page, Signed, UserPath};
use super::headers::ETag;
use super::openapi::PageParams;
use super::problem::Problem;
use super::{mark_replayed, put, tagged};
use crate::auth::Caller;
use crate::engine::{Engine, Profile, Registration};
use crate::store::accounts::{Account, Role};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::UserId;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
#[schema(as = NewUser)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    email: String,
    password: String,
    first_name: String,
    last_name: String,
    role: String,
}

/// What may be changed of an account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    first_name: String,
    last_name: String,
    role: String,
}

/// What nobody can change by `PUT`: the address is what the account's mail was proved with.
const READ_ONLY: [&str; 3] = ["id", "email", "created_at"];

#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct View<'a> {
    id: Uuid,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    role: &'static str,
    created_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Users)]
struct List<'a> {
    data: Vec<View<'a>>,
    next_cursor: Option<String>,
}

impl<'a> View<'a> {
    pub(super) fn of(account: &'a Account) -> Self {
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

/// Makes an account for a guest or a host.
#[utoipa::path(
    post, path = "/users", operation_id = "register", tag = "users",
    request_body = NewUser, responses((status = 201, description = "The account.", body = View)),
)]
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
        .insert_header((header::LOCATION, format!("/api/v1/users/{}", account.id)))
        .insert_header((header::ETAG, etag(&account).header()?))
        .json(View::of(&account));
    mark_replayed(&mut response, replayed);
    Ok(response)
}

/// All accounts, newest first, for admins.
#[utoipa::path(
    get, path = "/users", operation_id = "list_users", tag = "users",
    security(("bearer" = [])), params(PageParams), responses((status = 200, description = "A page of accounts.", body = List)),
)]
pub(super) async fn list(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    page: Page,
) -> Result<HttpResponse, Problem> {
    let after = page.cursor.map(Cursor::by_age);
    let mut rows = engine.users(&caller, after, page.limit + 1).await?;
    let place = |account: &Account| (account.created_at.as_micros(), account.id.0);
    let (mut response, next_cursor) = cursor::page_of(&request, &mut rows, page.limit, place)?;
    let data = rows.iter().map(View::of).collect();
    Ok(response.json(List { data, next_cursor }))
}

/// An account: one's own, or any for an admin.
#[utoipa::path(
    get, path = "/users/{id}", operation_id = "read_user", tag = "users",
    security(("bearer" = [])), params(("id" = Uuid, Path)), responses((status = 200, description = "The account.", body = View), (status = 304, description = "It is as If-None-Match says.")),
)]
pub(super) async fn read(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    UserPath(id): UserPath,
) -> Result<HttpResponse, Problem> {
    let account = engine.user(&caller, id).await?;
    tagged(&request, &etag(&account), &View::of(&account))
}

/// One's own account.
#[utoipa::path(
    get, path = "/users/me", operation_id = "read_own_user", tag = "users",
    security(("bearer" = [])), responses((status = 200, description = "The account.", body = View), (status = 304, description = "It is as If-None-Match says.")),
)]
pub(super) async fn read_own(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
) -> Result<HttpResponse, Problem> {
    let account = engine.user(&caller, caller.id).await?;
    tagged(&request, &etag(&account), &View::of(&account))
}

/// Changes an account: one's own, or any for an admin.
#[utoipa::path(
    put, path = "/users/{id}", operation_id = "update_user", tag = "users",
    security(("bearer" = [])), params(("id" = Uuid, Path)), request_body = View, responses((status = 200, description = "The account as it is now.", body = View)),
)]
pub(super) async fn change(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    UserPath(id): UserPath,
    ClientAddress(address): ClientAddress,
    Body(body): Body<put::Sent>,
) -> Result<HttpResponse, Problem> {
    change_to(&request, &engine, &caller, (id, address), &body).await
}

/// Changes one's own account; a guest becomes a host by saying so.
#[utoipa::path(
    put, path = "/users/me", operation_id = "update_own_user", tag = "users",
    security(("bearer" = [])), request_body = View, responses((status = 200, description = "The account as it is now.", body = View)),
)]
pub(super) async fn change_own(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    ClientAddress(address): ClientAddress,
    Body(body): Body<put::Sent>,
) -> Result<HttpResponse, Problem> {
    change_to(&request, &engine, &caller, (caller.id, address), &body).await
}

/// Ends an account that has no obligations; personal data is forgotten.
#[utoipa::path(
    delete, path = "/users/{id}", operation_id = "delete_user", tag = "users",
    security(("bearer" = [])), params(("id" = Uuid, Path)), responses((status = 204, description = "It is ended.")),
)]
pub(super) async fn delete(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    UserPath(id): UserPath,
    ClientAddress(address): ClientAddress,
) -> Result<HttpResponse, Problem> {
    end(&request, &engine, &caller, (id, address)).await
}

/// Ends one's own account, if it has no obligations; personal data is forgotten.
#[utoipa::path(
    delete, path = "/users/me", operation_id = "delete_own_user", tag = "users",
    security(("bearer" = [])), responses((status = 204, description = "It is ended.")),
)]
pub(super) async fn delete_own(
    request: HttpRequest,
    engine: web::Data<Engine>,
    Signed(caller): Signed,
    ClientAddress(address): ClientAddress,
) -> Result<HttpResponse, Problem> {
    end(&request, &engine, &caller, (caller.id, address)).await
}

async fn change_to(
    request: &HttpRequest,
    engine: &Engine,
    caller: &Caller,
    (id, address): (UserId, Option<IpAddr>),
    body: &put::Sent,
) -> Result<HttpResponse, Problem> {
    let change = |account: &Account| {
        etag(account).require_match(request.headers())?;
        let Input { first_name, last_name, role } =
            put::merged(&View::of(account), body, &READ_ONLY)?;
        let role = role.parse::<Role>();
        let role = role.map_err(|unknown| Problem::field("/role", unknown.to_string()))?;
        Ok::<_, Problem>(Profile { first_name, last_name, role })
    };
    let account = engine.change_user(caller, id, change, address).await?;
    let tag = (header::ETAG, etag(&account).header()?);
    Ok(HttpResponse::Ok().insert_header(tag).json(View::of(&account)))
}

async fn end(
    request: &HttpRequest,
    engine: &Engine,
    caller: &Caller,
    (id, address): (UserId, Option<IpAddr>),
) -> Result<HttpResponse, Problem> {
    let accepts = |account: &Account| etag(account).require_match(request.headers());
    engine.delete_user(caller, id, accepts, address).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn etag(account: &Account) -> ETag {
    ETag::of(account.id, account.version)
}
