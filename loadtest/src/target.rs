//! A server under load: where to connect, and what stands in front of every path. Only plain HTTP
//! is spoken: the load of encryption would be measured with the server's.

use std::str::FromStr;

use uuid::Uuid;

use crate::failure::Failure;

/// The address of one server, such as `http://localhost:8000`.
#[derive(Debug, Clone)]
pub struct Target {
    address: String,
    host: String,
    /// What connects: host name or address, and port.
    socket: (String, u16),
    /// The base path of the REST surface, without a slash at its end.
    base: String,
}

impl Target {
    /// The address as it was given.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The value of the `Host` header.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Host and port to connect to.
    pub(crate) fn socket(&self) -> (&str, u16) {
        (&self.socket.0, self.socket.1)
    }

    /// The path of `resource` (which begins with a slash) below the REST surface.
    pub(crate) fn path(&self, resource: &str) -> String {
        format!("{}{resource}", self.base)
    }

    /// The path of one thing by its id.
    pub(crate) fn item(&self, collection: &str, id: Uuid) -> String {
        self.path(&format!("{collection}/{id}"))
    }
}

impl FromStr for Target {
    type Err = Failure;

    fn from_str(address: &str) -> Result<Self, Failure> {
        let wrong = |reason| Failure::Address { address: address.to_owned(), reason };
        let rest =
            address.strip_prefix("http://").ok_or_else(|| wrong("it has to begin with http://"))?;
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) || rest.contains(['?', '#', '@']) {
            return Err(wrong("it has to be a plain host, port and path"));
        }
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // The colons of an IPv6 address stand in brackets.
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => {
                (name, port.parse().map_err(|_| wrong("its port is no number up to 65535"))?)
            }
            _ => (host, 80),
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        if name.is_empty() {
            return Err(wrong("it names no host"));
        }
        Ok(Self {
            address: address.trim_end_matches('/').to_owned(),
            host: host.to_owned(),
            socket: (name.to_owned(), port),
            base: format!("{}/api/v1", path.trim_end_matches('/')),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn an_address_with_and_without_a_final_slash_gives_the_same_paths() {
        for address in ["http://localhost:8000", "http://localhost:8000/"] {
            let target: Target = address.parse().expect("a good address");
            assert_eq!(target.socket(), ("localhost", 8000));
            assert_eq!(target.path("/users").to_string(), "/api/v1/users");
        }
    }

    #[test]
    fn a_literal_ipv6_host_connects_without_its_brackets() {
        let target: Target = "http://[::1]:8000/stays/".parse().expect("a good address");
        assert_eq!(target.socket(), ("::1", 8000));
        assert_eq!(target.path("/users").to_string(), "/stays/api/v1/users");
    }

    #[test]
    fn what_is_not_plain_http_is_refused_with_the_reason() {
        for address in [
            "https://localhost",
            "localhost:8000",
            "",
            "http://",
            "http://:80",
            "http://x:eighty",
            "http://x/?a=b",
            "http://a b",
            "http://a\r\nb",
        ] {
            assert!(address.parse::<Target>().is_err(), "{address} was taken");
        }
    }
}
