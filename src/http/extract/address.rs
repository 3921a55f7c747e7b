//! From where a request came: the other end of its connection, or what a trusted proxy there says.

use crate::http::edge::Edge;
use crate::http::problem::Problem;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use std::future::{Ready, ready};
use std::net::IpAddr;

/// The client's address; nothing where nobody judges addresses, as in tests.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub Option<IpAddr>);

impl FromRequest for ClientAddress {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let edge = request.app_data::<web::Data<Edge>>();
        let client = edge.map(|edge| edge.proxies.client(request.peer_addr(), request.headers()));
        ready(Ok(Self(client)))
    }
}
