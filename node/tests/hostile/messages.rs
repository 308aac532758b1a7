//! Callers and peers that send too much, or without end.
use std::{future::Future, time::Duration};

use crate::common::{
    net::{serve, serve_lies, Lies, Running},
    World,
};
use rootfold_core::field;
use rootfold_light::{invite::Invite, ResponseError};
use rootfold_node::{
    bootstrap::{self, Bootstrap, BootstrapReport},
    client::PeerCause,
    data_dir::DataDir,
};
use rootfold_proto::{
    limits::MAX_ELEMENTS,
    v1::{self, replication_service_client::ReplicationServiceClient},
};
use rootfold_verifier::ParameterId;
use tonic::Code;

fn some_world() -> World {
    let world = World::new(5, 2);
    world.write(0, &[("a", Some(b"one")), ("b", Some(b"two"))]);
    world.write(1, &[("a", Some(b"three"))]);
    world
}

/// A limit, since a successful attack would not end.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), work).await.expect("it ends")
}

async fn bootstrap_from(world: &World, servers: &[&Running]) -> BootstrapReport {
    let folder = tempfile::tempdir().unwrap();
    let bootstrap = Bootstrap {
        peers: servers.iter().map(|server| server.address.clone()).collect(),
        invite: Invite { space: world.space.id(), parameters: ParameterId([9; 32]) },
        data_dir: DataDir::new(folder.path()),
        key: None,
    };
    let report = in_time(bootstrap::run(bootstrap, &())).await.unwrap();
    assert_eq!(report.root, world.space.status().root);
    report
}

#[tokio::test]
async fn a_message_with_too_many_elements_is_refused_and_the_server_continues() {
    let world = some_world();
    let server = serve(&world.space, None).await;
    let mut client =
        ReplicationServiceClient::connect(format!("http://{}", server.address)).await.unwrap();
    let space = field::to_bytes(&world.space.id()).to_vec();
    let ops = vec![v1::Op::default(); MAX_ELEMENTS];
    let batches = vec![v1::LogBatch { writer: 0, first_seq: 0, ops }];
    let submission = Some(v1::Submission { values: Vec::new(), batches });
    let e =
        client.submit(v1::SubmitRequest { space: space.clone(), submission }).await.unwrap_err();
    assert_eq!(e.code(), Code::OutOfRange, "{e}");
    client.frontier(v1::FrontierRequest { space, ..Default::default() }).await.unwrap();
}

#[tokio::test]
async fn an_item_that_is_named_many_times_is_sent_once() {
    let world = some_world();
    let server = serve(&world.space, None).await;
    let mut client =
        ReplicationServiceClient::connect(format!("http://{}", server.address)).await.unwrap();
    let space = field::to_bytes(&world.space.id()).to_vec();
    let names = vec![field::to_bytes(&world.space.status().root).to_vec(); 64];
    let mut stream = client.pages(v1::PagesRequest { space, names }).await.unwrap().into_inner();
    let mut pages = 0;
    while let Some(message) = stream.message().await.unwrap() {
        pages += message.pages.len();
    }
    assert_eq!(pages, 1);
}

#[tokio::test]
async fn endless_empty_pages_name_the_peer() {
    let world = some_world();
    let lies = Lies {
        pages: Some(|response| response.pages.clear()),
        endless_pages: Some(v1::PagesResponse::default()),
        ..Lies::default()
    };
    let liar = serve_lies(&world.space, None, lies).await;
    let honest = serve(&world.space, None).await;
    let report = bootstrap_from(&world, &[&liar, &honest]).await;
    let fault = &report.faults[0];
    assert_eq!(fault.peer, liar.address);
    assert!(
        matches!(*fault.cause, PeerCause::Response(ResponseError::Empty { .. }))
            && fault.is_refusal(),
        "{fault}"
    );
}

#[tokio::test]
async fn an_endless_log_without_ops_names_the_peer() {
    let world = some_world();
    let nothing = v1::LogEntriesResponse {
        submission: Some(v1::Submission::default()),
        ..Default::default()
    };
    let lies = Lies { endless_log: Some(nothing), ..Lies::default() };
    let liar = serve_lies(&world.space, None, lies).await;
    let honest = serve(&world.space, None).await;
    let report = bootstrap_from(&world, &[&liar, &honest]).await;
    let fault = &report.faults[0];
    assert_eq!(fault.peer, liar.address);
    assert!(matches!(*fault.cause, PeerCause::Response(ResponseError::Empty { .. })), "{fault}");
}

/// Another peer may have sent these ops before, so this is not a fault.
#[tokio::test]
async fn an_endless_log_of_known_ops_is_cut_off() {
    let world = some_world();
    let (_, held) = world.space.log(1, 0, 1).unwrap().remove(0);
    let op = v1::Op {
        ts: held.op.ts,
        key: held.op.key.as_bytes().to_vec(),
        value: field::to_bytes(&held.op.value).to_vec(),
        signature: held.signature.unwrap().to_bytes().to_vec(),
        more: false,
    };
    let batches = vec![v1::LogBatch { writer: 1, first_seq: 0, ops: vec![op] }];
    let again = v1::LogEntriesResponse {
        submission: Some(v1::Submission { values: vec![], batches }),
        ..Default::default()
    };
    let lies = Lies { endless_log: Some(again), ..Lies::default() };
    let liar = serve_lies(&world.space, None, lies).await;
    let report = bootstrap_from(&world, &[&liar]).await;
    assert!(report.faults.is_empty(), "{:?}", report.faults);
}
