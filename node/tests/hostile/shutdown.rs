//! The end of a server that has open connections and calls: case C9.

use std::time::{Duration, Instant};

use rootfold_core::field;
use rootfold_proto::v1;
use tonic_health::pb::HealthCheckRequest;

use super::attack::{self, call, connect, frame, rich_node};
use crate::{cli_support::Served, common::figure};

/// Opens an idle connection, a call that is not sent, a watch of the health and a stalled download.
async fn hold_open(server: &Served, space: rootfold_core::F) -> Vec<Box<dyn std::any::Any>> {
    let idle = std::net::TcpStream::connect(&server.address).unwrap();
    let mut stalled = connect(&server.address, 0).await;
    let (unsent, upload) = call(&mut stalled, "/rootfold.v1.ReplicationService/Frontier");
    let log = v1::WriterTip { writer: 1, seq: 0, head: Vec::new() };
    let request =
        v1::LogEntriesRequest { space: field::to_bytes(&space).to_vec(), logs: vec![log] };
    let (download, mut body) = call(&mut stalled, "/rootfold.v1.ReplicationService/LogEntries");
    body.send_data(frame(&request), true).unwrap();
    vec![
        Box::new(idle),
        Box::new(stalled),
        Box::new(unsent),
        Box::new(upload),
        Box::new(download),
        Box::new(body),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_whatever_is_open() {
    let (node, space) = rich_node(20);
    let mut server = node.serve();
    let held = hold_open(&server, space).await;
    let mut health = attack::health(&server.address).await;
    let service = "rootfold.v1.ReplicationService".to_owned();
    let watch = health.watch(HealthCheckRequest { service }).await.unwrap();
    let mut watch = watch.into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1, "serving");

    let began = Instant::now();
    server.terminate();
    let said = tokio::time::timeout(Duration::from_secs(1), watch.message()).await;
    assert_eq!(said.expect("at once").unwrap().unwrap().status, 2, "not serving");
    assert_eq!(server.wait(), 0);
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap();
    figure("ms of a shutdown with stalled calls", millis, 12_000);
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let (node, space) = rich_node(20);
    let mut server = node.serve();
    let held = hold_open(&server, space).await;
    let began = Instant::now();
    server.terminate();
    tokio::time::sleep(Duration::from_millis(500)).await;
    server.terminate();
    server.wait();
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap();
    figure("ms of a shutdown with two signals", millis, 2_000);
    drop(held);
}
