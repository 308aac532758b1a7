//! Connections that nobody uses.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use rootfold_node::client::Peer;

use super::attack::rich_node;
use crate::common::figure;

#[tokio::test(flavor = "multi_thread")]
async fn more_idle_connections_than_open_files() {
    let (node, space) = rich_node(1);
    let log = tempfile::NamedTempFile::new().unwrap();
    let before = format!("ulimit -n 128; exec 2>{}", log.path().display());
    let server = node.serve_with(&before, &[]);
    let idle: Vec<TcpStream> =
        (0..160).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;

    let (cpu, began) = (server.cpu(), Instant::now());
    for _ in 0..5 {
        let peer = Peer::connect(&server.address).await.unwrap();
        peer.frontier(space, None, 0).await.unwrap();
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    let spent = (server.cpu() - cpu).as_millis() * 1000 / began.elapsed().as_millis();
    figure(
        "per mille of a processor with 160 idle connections and 128 files",
        u64::try_from(spent).unwrap(),
        50,
    );
    let said = std::fs::read_to_string(log.path()).unwrap();
    assert_eq!(said.matches("too many connections").count(), 1, "{said}");
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_does_not_take_all_connections() {
    let (node, space) = rich_node(1);
    let server = node.serve_with("", &["--max-connections-per-address", "4"]);
    let mut busy = Vec::new();
    for _ in 0..6 {
        let peer = Peer::connect(&server.address).await.unwrap();
        peer.frontier(space, None, 0).await.unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
        busy.push(peer);
    }
    // The oldest idle ones were closed for the newer ones. A client connects again by itself.
    for peer in busy {
        peer.frontier(space, None, 0).await.unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}
