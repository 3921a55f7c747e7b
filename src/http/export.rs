//! `/users/me/export`: everything that is known of the caller, in the words of the other routes.

use super::extract::Signed;
use super::problem::Problem;
use super::{accounts, bookings, payments, properties, reviews};
use crate::engine::Engine;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[schema(as = Export)]
struct View<'a> {
    exported_at: String,
    account: Account<'a>,
    properties: Vec<properties::View<'a>>,
    bookings: Vec<bookings::View<'a>>,
    payments: Vec<payments::View<'a>>,
    reviews: Vec<reviews::View<'a>>,
}

/// An account with what only its holder needs to know of it.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedAccount)]
struct Account<'a> {
    #[serde(flatten)]
    user: accounts::View<'a>,
    email_verified_at: Option<String>,
}

/// Everything that is known of the caller.
#[utoipa::path(
    get, path = "/users/me/export", operation_id = "export_own_user", tag = "users",
    security(("bearer" = [])), responses((status = 200, description = "The export.", body = View)),
)]
pub(super) async fn read(
    engine: web::Data<Engine>,
    Signed(caller): Signed,
) -> Result<HttpResponse, Problem> {
    let export = engine.export(&caller).await?;
    let bookings = export.bookings.iter();
    let view = View {
        exported_at: engine.clock.now().to_string(),
        account: Account {
            user: accounts::View::of(&export.account),
            email_verified_at: export.account.verified_at.map(|at| at.to_string()),
        },
        properties: export.properties.iter().map(properties::View::of).collect(),
        bookings: bookings.map(|(property, made)| bookings::View::of(*property, made)).collect(),
        payments: export.payments.iter().map(payments::View::of).collect(),
        reviews: export.reviews.iter().map(reviews::View::of).collect(),
    };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(view))
}
