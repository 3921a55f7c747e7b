//! Which path leads where.

use crate::{control, daraja, pay, stripe};
use actix_web::web::ServiceConfig;

pub(crate) fn all(config: &mut ServiceConfig) {
    stripe::routes(config);
    daraja::routes(config);
    pay::routes(config);
    control::routes(config);
}
