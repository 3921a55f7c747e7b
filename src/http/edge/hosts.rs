//! The names of this server. A request that names another was meant for somebody else, or was
//! made up to be answered with links to somebody else.

use crate::http::problem::{Code, Problem};
use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap};
use std::net::SocketAddr;

/// The names that the Host header may have.
#[derive(Debug, PartialEq, Eq)]
pub enum Hosts {
    Any,
    /// In lower case, without ports, IPv6 addresses in brackets.
    Only(Vec<String>),
}

/// What this machine calls itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

impl Hosts {
    /// From the operator's list. Without one, a server that listens on a loopback address answers
    /// to the names of that, and any other one to every name.
    pub fn new(listed: &[String], bind: SocketAddr) -> Self {
        if listed.iter().any(|name| name == "*") {
            return Self::Any;
        }
        if !listed.is_empty() {
            return Self::Only(listed.to_vec());
        }
        if !bind.ip().is_loopback() {
            return Self::Any;
        }
        let mut names: Vec<String> = LOOPBACK.iter().map(|name| (*name).to_owned()).collect();
        let own = match bind.ip() {
            std::net::IpAddr::V4(address) => address.to_string(),
            std::net::IpAddr::V6(address) => format!("[{address}]"),
        };
        if !names.contains(&own) {
            names.push(own);
        }
        Self::Only(names)
    }

    /// Refuses a request that names another server, none, or more than one.
    pub fn judge(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let Self::Only(names) = self else { return Ok(()) };
        let mut lines = headers.get_all(header::HOST);
        let line = lines.next().and_then(|line| line.to_str().ok());
        let is_single = lines.next().is_none();
        // RFC 9112, section 3.2.2: what an absolute address names wins over the header.
        let named = uri.authority().map(|authority| authority.as_str()).or(line);
        let host = named.map(without_port).unwrap_or_default();
        if is_single && names.iter().any(|name| name.eq_ignore_ascii_case(host)) {
            Ok(())
        } else {
            Err(Problem::new(Code::InvalidHost))
        }
    }
}

/// The host of `host:port`; an IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn bind(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn accepts(hosts: &Hosts, lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::HOST, HeaderValue::from_str(line).expect("a header"));
        }
        hosts.judge(&Uri::from_static("/"), &headers).is_ok()
    }

    #[test]
    fn a_server_on_loopback_answers_to_its_own_names_only() {
        let hosts = Hosts::new(&[], bind("127.0.0.2:8000"));
        let own = ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "[::1]"];
        for name in own.into_iter().chain(["127.0.0.2"]) {
            assert!(accepts(&hosts, &[name]), "{name}");
        }
        for name in ["evil.example", "localhost.evil.example", "", "127.0.0.3", "localhost:x"] {
            assert!(!accepts(&hosts, &[name]), "{name}");
        }
        assert!(!accepts(&hosts, &[]), "a request must name its host");
        assert!(!accepts(&hosts, &["localhost", "localhost"]), "and name it once");
    }

    #[test]
    fn a_public_server_without_a_list_answers_to_every_name() {
        assert_eq!(Hosts::new(&[], bind("0.0.0.0:80")), Hosts::Any);
        let any = ["*".to_owned(), "x.example".to_owned()];
        assert!(accepts(&Hosts::new(&any, bind("127.0.0.1:80")), &["evil.example"]));
    }

    #[test]
    fn a_list_replaces_the_names_of_loopback() {
        let hosts = Hosts::new(&["stay.example".to_owned()], bind("127.0.0.1:80"));
        assert!(accepts(&hosts, &["stay.example:443"]));
        assert!(!accepts(&hosts, &["localhost"]));
    }

    #[test]
    fn an_absolute_address_wins_over_the_header() {
        let hosts = Hosts::new(&["stay.example".to_owned()], bind("127.0.0.1:80"));
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, HeaderValue::from_static("stay.example"));
        let foreign = Uri::from_static("http://evil.example/livez");
        assert!(hosts.judge(&foreign, &headers).is_err());
        let own = Uri::from_static("http://stay.example:80/livez");
        assert!(hosts.judge(&own, &headers).is_ok());
    }
}
