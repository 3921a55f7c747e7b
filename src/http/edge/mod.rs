//! The door: what is judged before a request is routed, and what its answer owes to how it came.
//!
//! In this order: its size, its Host, whether it is a preflight, and whether its sender has asked
//! too often. Nothing here reads a body, waits or knows a rule of the product. The envelope calls
//! it, so that refusals are problem documents with an id like every other answer.

mod chunked;
mod client;
mod hosts;
pub mod limits;
mod origins;
mod path;

pub use chunked::{gather, hold};
pub use client::Proxies;
pub use hosts::Hosts;
pub use origins::Origins;

use super::extract;
use super::problem::{Code, Problem};
use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpMessage, HttpResponse, ResponseError};
use limits::{Key, Limit, RateLimiter, Refused, Standings};
use origins::Grant;
use std::net::IpAddr;
use std::sync::Arc;

/// The longest address of a request, in bytes.
const MAX_URI_BYTES: usize = 8 * 1024;
/// The most header lines of a request; the framework itself gives up at 96.
const MAX_HEADER_LINES: usize = 64;
/// All names and values of a request's headers together, in bytes.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// A year: browsers that came over TLS once do not come without it.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// What the operator said about who may come in, and how often.
pub struct Edge {
    pub proxies: Proxies,
    pub hosts: Hosts,
    pub origins: Origins,
    /// Nothing where limits are off.
    pub limiter: Option<Arc<dyn RateLimiter>>,
}

/// What the answer carries because of how the request came.
#[derive(Default)]
pub struct Extras {
    is_judged: bool,
    grant: Option<Grant>,
    came_over_tls: bool,
    standings: Standings,
}

/// A request that was judged: what its answer carries, and the answer itself if it ends here.
#[derive(Default)]
pub struct Judged {
    pub extras: Extras,
    pub answer: Option<HttpResponse<BoxBody>>,
}

impl Edge {
    /// Judges a request by its head.
    pub fn judge(&self, request: &ServiceRequest) -> Judged {
        let segments = path::segments(request.match_info().as_str());
        let headers = request.headers();
        let mut extras = Extras {
            is_judged: true,
            grant: self.origins.grant(request.method(), &segments, headers),
            came_over_tls: self.proxies.came_over_tls(request.peer_addr(), headers),
            standings: Standings::default(),
        };
        let judged = within_bounds(request)
            .and_then(|()| self.hosts.judge(request.uri(), headers))
            .and_then(|()| {
                let grant = extras.grant.as_ref();
                if let Some(answer) = origins::preflight(request.method(), headers, grant) {
                    return Ok(Some(answer));
                }
                self.count(request, &segments, &mut extras.standings).map(|()| None)
            });
        let answer = judged.unwrap_or_else(|problem| Some(problem.error_response()));
        Judged { extras, answer }
    }

    /// Whose live connections are counted together; nobody's where limits are off.
    pub fn network(&self, client: IpAddr) -> Option<IpAddr> {
        self.limiter.is_some().then(|| limits::network(client))
    }

    /// Whether the page that sent these headers may act as somebody who signed in.
    pub fn trusts_page(&self, headers: &HeaderMap) -> bool {
        self.origins.trust(headers)
    }

    /// Counts the request against everything that limits it.
    fn count(
        &self,
        request: &ServiceRequest,
        segments: &path::Segments<'_>,
        standings: &mut Standings,
    ) -> Result<(), Problem> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if path::is_free(segments) {
            return Ok(());
        }
        let address = Key::of(self.proxies.client(request.peer_addr(), request.headers()));
        // A token that is no good is nobody's: its sender is counted by address, and refused by
        // the route in its own words.
        let caller = extract::caller(request.request()).ok().flatten();
        if let Some(caller) = caller {
            // The route asks again: the signature is checked once.
            request.extensions_mut().insert(caller);
        }
        let signed = caller.map(|caller| Key::Caller(caller.id.0));
        let general = match signed {
            Some(key) => (Limit::Caller, key),
            None => (Limit::Address, address),
        };
        let tight = match path::tight_limit(request.method(), segments) {
            // Whoever signs in is nobody yet, whatever token is sent along.
            Some(Limit::SignIn) => Some((Limit::SignIn, address)),
            limit => limit.zip(signed),
        };
        for (limit, key) in [Some(general), tight].into_iter().flatten() {
            let taken = limiter.take(limit, key);
            standings.push(limit, &taken);
            taken.map_err(Refused::told)?;
        }
        Ok(())
    }
}

impl Extras {
    /// Writes everything into the headers of an answer.
    pub fn write(&self, headers: &mut HeaderMap) {
        if !self.is_judged {
            return;
        }
        // A cache may keep no answer to one origin for another.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(grant) = &self.grant {
            grant.write(headers);
        }
        if self.came_over_tls {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
        }
        self.standings.write(headers);
    }
}

/// The server reads more than it should have to: what is larger than this is refused in our words.
fn within_bounds(request: &ServiceRequest) -> Result<(), Problem> {
    let uri = request.uri();
    let length = uri.path().len() + uri.query().map_or(0, str::len);
    if length > MAX_URI_BYTES {
        return Err(Problem::new(Code::UriTooLong));
    }
    let headers = request.headers();
    let bytes: usize =
        headers.iter().map(|(name, value)| name.as_str().len() + value.as_bytes().len()).sum();
    if headers.len() > MAX_HEADER_LINES || bytes > MAX_HEADER_BYTES {
        return Err(Problem::new(Code::HeadersTooLarge));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
