//! Who is asking: the access token in `Authorization: Bearer` (RFC 6750, section 2.1). A token
//! is read from nowhere else, least of all from the address, which ends up in logs.

use crate::auth::{Caller, TokenError};
use crate::http::problem::{Code, Problem};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use std::future::{Ready, ready};

/// Verifies access tokens by the house's clock. The app holds one as `web::Data<dyn Verify>`.
pub trait Verify: Send + Sync {
    /// The caller whose token this is.
    fn verify(&self, token: &str) -> Result<Caller, TokenError>;
}

/// A caller who showed a valid token; others get 401.
#[derive(Clone, Copy, Debug)]
pub struct Signed(pub Caller);

/// A caller who may be anonymous. A token that is sent must still be valid: silently treating
/// its holder as nobody would hide from them that it has expired.
#[derive(Clone, Copy, Debug)]
pub struct MaybeSigned(pub Option<Caller>);

impl FromRequest for Signed {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = caller(request);
        ready(caller.and_then(|c| c.map(Self).ok_or_else(|| Problem::new(Code::Unauthenticated))))
    }
}

impl FromRequest for MaybeSigned {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).map(Self))
    }
}

/// Whoever signed the request; nobody where it brings no token.
pub(in crate::http) fn caller(request: &HttpRequest) -> Result<Option<Caller>, Problem> {
    // Where limits are on, the door has looked already and left the caller with the request.
    if let Some(caller) = request.extensions().get::<Caller>() {
        return Ok(Some(*caller));
    }
    let mut lines = request.headers().get_all(header::AUTHORIZATION);
    let Some(line) = lines.next() else { return Ok(None) };
    let token = line.to_str().ok().and_then(bearer).filter(|_| lines.next().is_none());
    let token = token.ok_or(TokenError::Invalid)?;
    let verify = request
        .app_data::<web::Data<dyn Verify>>()
        .ok_or_else(|| Problem::internal("the app has no data of type dyn Verify"))?;
    Ok(Some(verify.verify(token)?))
}

/// The token after the scheme, whose case does not matter.
fn bearer(line: &str) -> Option<&str> {
    let (scheme, token) = line.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::accounts::Role;
    use actix_web::test::TestRequest;
    use domain::UserId;
    use std::sync::Arc;
    use uuid::Uuid;

    struct OneToken;

    impl Verify for OneToken {
        fn verify(&self, token: &str) -> Result<Caller, TokenError> {
            let id = UserId(Uuid::from_u128(1));
            match token {
                "good" => Ok(Caller { id, role: Role::Guest, session: Uuid::nil() }),
                "old" => Err(TokenError::Expired),
                _ => Err(TokenError::Invalid),
            }
        }
    }

    async fn asked<T: FromRequest<Error = Problem>>(lines: &[&str]) -> Result<T, Code> {
        let verify: Arc<dyn Verify> = Arc::new(OneToken);
        let mut request = TestRequest::default().app_data(web::Data::from(verify));
        for line in lines {
            request = request.append_header((header::AUTHORIZATION, *line));
        }
        T::extract(&request.to_http_request()).await.map_err(|problem| problem.code())
    }

    #[actix_web::test]
    async fn a_bearer_token_tells_who_is_asking() {
        for line in ["Bearer good", "bearer good", "BEARER  good"] {
            let Signed(caller) = asked(&[line]).await.expect("a caller");
            assert_eq!(caller.id, UserId(Uuid::from_u128(1)), "{line}");
        }
    }

    #[actix_web::test]
    async fn bad_tokens_are_401_even_where_none_is_needed() {
        for (lines, code) in [
            (&["Bearer old"][..], Code::TokenExpired),
            (&["Bearer forged"], Code::Unauthenticated),
            (&["Bearer"], Code::Unauthenticated),
            (&["Basic good"], Code::Unauthenticated),
            (&["good"], Code::Unauthenticated),
            (&[""], Code::Unauthenticated),
            (&["Bearer good", "Bearer good"], Code::Unauthenticated),
        ] {
            assert_eq!(asked::<Signed>(lines).await.map(|_| ()), Err(code), "{lines:?}");
            assert_eq!(asked::<MaybeSigned>(lines).await.map(|_| ()), Err(code), "{lines:?}");
        }
    }

    #[actix_web::test]
    async fn without_a_token_the_caller_is_nobody_or_refused() {
        let MaybeSigned(caller) = asked(&[]).await.expect("an anonymous caller");
        assert_eq!(caller, None);
        assert_eq!(asked::<Signed>(&[]).await.map(|_| ()), Err(Code::Unauthenticated));
    }
}
