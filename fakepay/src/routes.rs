//! Which path leads where.

use crate::world::World;
use crate::{control, daraja, pay, stripe};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

/// A route of a provider: method, path and what it does.
pub(crate) type Route<W> = (&'static str, &'static str, W);

pub(crate) fn all(config: &mut ServiceConfig) {
    stripe::routes(config);
    daraja::routes(config);
    pay::routes(config);
    control::routes(config);
}

/// Serves a provider's routes, in its own way of answering.
pub(crate) fn serve<W, F, R>(config: &mut ServiceConfig, routes: &[Route<W>], answer: F)
where
    W: Copy + 'static,
    F: Fn(Data<World>, HttpRequest, Bytes, W) -> R + Copy + 'static,
    R: Future<Output = HttpResponse> + 'static,
{
    for (method, path, work) in routes.iter().copied() {
        let route = if method == "GET" { web::get() } else { web::post() };
        let answer = move |world: Data<World>, request: HttpRequest, body: Bytes| {
            answer(world, request, body, work)
        };
        config.route(path, route.to(answer));
    }
}

/// The names of routes, such as `GET /v1/events`.
pub(crate) fn names<W>(routes: &[Route<W>]) -> Vec<String> {
    routes.iter().map(|(method, path, _)| format!("{method} {path}")).collect()
}
