//! Shutdown: on SIGTERM the server finishes what is on its way and exits within five seconds, and
//! nothing that was acknowledged is lost.

use crate::helpers::{Load, Server, Socket, day, on_both};
use std::time::Duration;

on_both!(
    a_server_that_is_asked_to_stop_under_load_loses_nothing,
    a_server_that_stops_closes_its_sockets_and_says_why,
);

const WITHIN: Duration = Duration::from_secs(5);
/// "Service restart": RFC 6455's registry of close codes.
const RESTARTS: u16 = 1012;

async fn a_server_that_is_asked_to_stop_under_load_loses_nothing(server: &mut Server) {
    let load = Load::new(server, 64, 20).await;
    let stop = async {
        load.progress.reach(300, 32).await;
        let (status, took) = server.stop().await;
        assert!(status.success(), "it ended with {status}");
        assert!(took <= WITHIN, "it took {took:?}");
    };
    load.run(server, stop).await;
    server.restart().await;
    load.settle(server).await;
}

async fn a_server_that_stops_closes_its_sockets_and_says_why(server: &mut Server) {
    let home = server.home(&server.host().await).await;
    let mut socket = Socket::open(server).await;
    socket.subscribe(&home, &day(1), &day(2)).await;
    socket.expect("snapshot").await;
    let ((status, took), code) = tokio::join!(server.stop(), socket.close_code());
    assert!(status.success() && took <= WITHIN, "{status} after {took:?}");
    assert_eq!(code, Some(RESTARTS));
    server.restart().await;
}
