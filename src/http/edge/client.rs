//! Who is at the other end. What forwarded headers say counts only where the peer is a proxy that
//! the operator trusts: anybody can write them.

use actix_web::http::header::{self, HeaderMap};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The networks of trusted proxies.
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The client's address. Behind trusted proxies it is the last address of `X-Forwarded-For`
    /// that is not one of theirs: each of them appended the address that it saw, and what stands
    /// before was written by a stranger.
    pub fn client(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> IpAddr {
        // Nobody comes without an address but over a socket of this machine.
        let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let mut client = peer.map_or(unknown, |peer| peer.ip().to_canonical());
        if !self.trusts(client) {
            return client;
        }
        let lines: Vec<&str> = headers
            .get_all(header::X_FORWARDED_FOR)
            .map(|line| line.to_str().unwrap_or_default())
            .collect();
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            // What cannot be read was not written by a proxy: the last known hop is the client.
            let Some(address) = address(hop.trim()) else { break };
            client = address;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    /// Whether the client spoke TLS, as far as a trusted proxy says so.
    pub fn came_over_tls(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
        if !peer.is_some_and(|peer| self.trusts(peer.ip().to_canonical())) {
            return false;
        }
        let line = headers.get_all(header::X_FORWARDED_PROTO).last();
        let said = line.and_then(|line| line.to_str().ok()).unwrap_or_default();
        said.rsplit(',').next().is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let read = bare.parse().ok().or_else(|| text.parse().ok().map(|a: SocketAddr| a.ip()));
    read.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn proxies() -> Proxies {
        let networks = ["10.0.0.0/8", "fd00::/8", "127.0.0.1/32"];
        Proxies::new(networks.iter().map(|text| text.parse().expect("a network")).collect())
    }

    fn headers(name: HeaderName, lines: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for line in lines {
            map.append(name.clone(), HeaderValue::from_str(line).expect("a header"));
        }
        map
    }

    fn peer(address: &str) -> Option<SocketAddr> {
        Some(SocketAddr::new(address.parse().expect("an address"), 4_000))
    }

    #[test]
    fn the_client_is_the_last_hop_that_is_no_trusted_proxy() {
        for (from, lines, expected) in [
            ("10.0.0.1", &["203.0.113.9"][..], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9, 10.0.0.7"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9:5123"], "203.0.113.9"),
            ("10.0.0.1", &["[2001:db8::1]:5123"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("::ffff:10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9"),
            ("fd00::1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &["10.0.0.9"], "10.0.0.9"),
            ("10.0.0.1", &["203.0.113.9, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9, 10.0.0.7, junk"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            let headers = headers(header::X_FORWARDED_FOR, lines);
            let client = proxies().client(peer(from), &headers);
            assert_eq!(client.to_string(), expected, "{from} {lines:?}");
        }
    }

    #[test]
    fn what_a_stranger_writes_about_itself_is_not_believed() {
        let forwarded = headers(header::X_FORWARDED_FOR, &["203.0.113.9"]);
        assert_eq!(proxies().client(peer("192.0.2.1"), &forwarded).to_string(), "192.0.2.1");
        assert_eq!(Proxies::new(Vec::new()).client(None, &forwarded).to_string(), "0.0.0.0");
        let proto = headers(header::X_FORWARDED_PROTO, &["https"]);
        assert!(!proxies().came_over_tls(peer("192.0.2.1"), &proto));
        assert!(!proxies().came_over_tls(None, &proto));
    }

    #[test]
    fn a_trusted_proxy_says_whether_the_client_spoke_tls() {
        for (lines, expected) in [
            (&["https"][..], true),
            (&["HTTPS"], true),
            (&["http, https"], true),
            (&["https", "http"], false),
            (&["http"], false),
            (&[], false),
        ] {
            let headers = headers(header::X_FORWARDED_PROTO, lines);
            assert_eq!(proxies().came_over_tls(peer("10.0.0.1"), &headers), expected, "{lines:?}");
        }
    }
}
