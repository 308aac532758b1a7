//! Limits of what strangers may submit and ask for.

use rootfold_light::{signing::compose, signing::Change, submission::Submission};
use rootfold_node::{
    client::{Peer, PeerCause},
    server::{Limits, Server},
};
use rootfold_proto::{
    reason::Reason,
    v1::{self, verification_service_client::VerificationServiceClient},
};
use tokio::net::TcpListener;
use tonic::Code;

use crate::common::{key, World};

async fn serve(world: &World, limits: Limits) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = Server::new(world.space.clone(), None).with_limits(limits);
    tokio::spawn(server.run(listener, std::future::pending()));
    address
}

fn ops(world: &World, count: u64) -> Submission {
    let change = |at| Change::new(key("k"), None, at);
    let changes = (1..=count).map(change).collect();
    compose(&world.tip(1), 1, &world.secrets[1], changes).unwrap().0
}

#[tokio::test]
async fn an_address_submits_only_so_many_ops() {
    let world = World::new(2, 2);
    let address = serve(&world, Limits { ops_per_second: 2, ..Limits::default() }).await;
    let peer = Peer::connect(&address).await.unwrap();
    peer.submit(world.space.id(), &ops(&world, 18)).await.unwrap();
    let e = peer.submit(world.space.id(), &ops(&world, 10)).await.unwrap_err();
    let PeerCause::Refused { reason: Some(Reason::TooManyOps), what, .. } = &*e.cause else {
        panic!("{e}")
    };
    assert!(what.contains("2 in a second"), "{what}");
    assert!(!e.is_refusal(), "it is not bad data");
    // Reads go on.
    peer.frontier(world.space.id(), None, 0).await.unwrap();
}

#[tokio::test]
async fn the_check_of_proofs_can_be_switched_off() {
    let world = World::new(2, 2);
    let address = serve(&world, Limits { check: false, ..Limits::default() }).await;
    let mut client = VerificationServiceClient::connect(format!("http://{address}")).await.unwrap();
    let e = client.check(v1::CheckRequest::default()).await.unwrap_err();
    assert_eq!(e.code(), Code::Unimplemented);
}

/// Who knows the id of a space may read it.
#[tokio::test]
async fn the_id_of_the_space_is_not_told() {
    let world = World::new(2, 2);
    let address = serve(&world, Limits::default()).await;
    let peer = Peer::connect(&address).await.unwrap();
    let e = peer.latest_snapshot(rootfold_core::F::from(1u64)).await.unwrap_err();
    assert!(matches!(*e.cause, PeerCause::Refused { code: Code::NotFound, .. }), "{e}");
    let id = rootfold_core::field::to_hex(&world.space.id());
    assert!(!e.to_string().contains(&id), "{e}");
}
