//! Addresses of this machine.

use std::net::{SocketAddr, TcpListener};

/// An address that nobody listens on at this moment, for a server that says its own too late.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound address")
}
