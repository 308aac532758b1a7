//! A disk that fills up, and has space again.

use std::{process::Command, sync::Arc, time::Duration};

use rootfold_light::signing::{compose, Change};
use rootfold_node::{
    client::Peer,
    data_dir::DataDir,
    server::Server,
    store::{FailingStore, MemoryStore},
};
use tokio::net::TcpListener;
use tonic_health::pb::{health_client::HealthClient, HealthCheckRequest};

use super::attack;
use crate::{
    cli_support::Node,
    common::{genesis, key, World},
};

async fn status(health: &mut HealthClient<tonic::transport::Channel>) -> i32 {
    let service = "rootfold.v1.ReplicationService".to_owned();
    health.check(HealthCheckRequest { service }).await.unwrap().into_inner().status
}

async fn becomes(health: &mut HealthClient<tonic::transport::Channel>, wanted: i32) {
    for _ in 0..60 {
        if status(health).await == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the health does not become {wanted}");
}

#[tokio::test]
async fn health_tells_whether_the_node_can_write() {
    let (store, fault) = FailingStore::new(MemoryStore::new());
    let world = World::on(Arc::new(store), 2, 2);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(Server::new(world.space.clone(), None).run(listener, std::future::pending()));
    let mut health = attack::health(&address).await;
    becomes(&mut health, 1).await;
    let ops = world.compose(1, &[("a", Some(b"1"))]);
    fault.writes_after(0);
    let peer = Peer::connect(&address).await.unwrap();
    peer.submit(world.space.id(), &ops).await.unwrap_err();
    becomes(&mut health, 2).await;
    fault.heal();
    becomes(&mut health, 1).await;
    peer.submit(world.space.id(), &ops).await.unwrap();
}

/// Case C21, with the limit of the size of a file for the end of the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_when_there_is_space_again() {
    let node = Node::new();
    let (genesis, secrets) = genesis(3, 2);
    let space = DataDir::new(&node.data).create(&genesis).unwrap();
    let (id, mut tip) = (space.id(), space.tip(1).unwrap());
    drop(space);
    // In blocks of 512 bytes; the signal that the system sends is ignored, so the write fails.
    let server = node.serve_with("trap '' XFSZ; ulimit -S -f 9000", &[]);
    let peer = Peer::connect(&server.address).await.unwrap();
    let mut health = attack::health(&server.address).await;
    let mut accepted = 0;
    let refused = loop {
        let value = Some(vec![accepted as u8; 60_000]);
        let change = Change::new(key(&format!("k{accepted}")), value, 0);
        let (ops, next) = compose(&tip, 1, &secrets[1], vec![change]).unwrap();
        match peer.submit(id, &ops).await {
            Ok(_) => (tip, accepted) = (next, accepted + 1),
            Err(e) => break (ops, e),
        }
        assert!(accepted < 1_000, "the disk does not fill up");
    };
    becomes(&mut health, 2).await;
    assert!(peer.submit(id, &refused.0).await.is_err(), "still full");
    let pid = server.id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(raised.unwrap().success());
    becomes(&mut health, 1).await;
    peer.submit(id, &refused.0).await.unwrap();
    assert_eq!(server.stop(), 0);
    let reopened = DataDir::new(&node.data).open().unwrap();
    assert_eq!(reopened.tip(1).unwrap().seq(1).unwrap(), accepted + 1);
}
