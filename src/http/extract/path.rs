//! The ids in paths. What is not an id names nothing, so it is 404 like an id that nobody has.

use crate::http::problem::{Code, Problem};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::{BlockId, BookingId, PaymentId, PropertyId, QuoteId, ReviewId, UserId};
use std::future::{Ready, ready};
use uuid::Uuid;

/// The one written form of ids: hyphenated.
const CHARS: usize = 36;

macro_rules! paths {
    ($($(#[$doc:meta])* $name:ident($id:ident) at $segment:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(pub $id);

        impl FromRequest for $name {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(id(request, $segment).map(|id| Self($id(id))))
            }
        }
    )*};
}

paths! {
    /// The property that `{id}` in the path names.
    PropertyPath(PropertyId) at "id";
    /// The booking that `{id}` in the path names.
    BookingPath(BookingId) at "id";
    /// The payment that `{id}` in the path names.
    PaymentPath(PaymentId) at "id";
    /// The review that `{id}` in the path names.
    ReviewPath(ReviewId) at "id";
    /// The user that `{id}` in the path names.
    UserPath(UserId) at "id";
    /// The quote that `{id}` in the path names.
    QuotePath(QuoteId) at "id";
    /// The block that `{block}` in the path names.
    BlockPath(BlockId) at "block";
}

fn id(request: &HttpRequest, segment: &str) -> Result<Uuid, Problem> {
    let text = request.match_info().get(segment).filter(|text| text.len() == CHARS);
    text.and_then(|text| Uuid::try_parse(text).ok()).ok_or_else(|| Problem::new(Code::NotFound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[actix_web::test]
    async fn an_id_is_read_in_one_form_and_anything_else_is_not_found() {
        let good = "01920000-7000-8000-0000-00000000002a";
        for (text, found) in [
            (good, true),
            (&good.to_uppercase(), true),
            (&good.replace('-', ""), false),
            (&format!("{{{good}}}"), false),
            (&good[1..], false),
            ("42", false),
            ("", false),
            ("01920000-7000-8000-0000-00000000002g", false),
        ] {
            let request = TestRequest::default().param("id", text.to_owned()).to_http_request();
            let read = BookingPath::extract(&request).await;
            match read {
                Ok(BookingPath(id)) => assert!(found && id.to_string() == good, "{text}"),
                Err(problem) => assert!(!found && problem.code() == Code::NotFound, "{text}"),
            }
        }
    }
}
