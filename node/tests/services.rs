//! The services over gRPC on loopback: all that needs no proof.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{
    key,
    net::{connect, serve, serve_lies, Lie, Lies, Running},
    secret, World, NOW,
};
use rootfold_core::{field, value::MAX_VALUE, F};
use rootfold_light::{invite::Invite, signing, ResponseError};
use rootfold_node::{
    bootstrap::{self, Bootstrap, BootstrapError},
    client::{Peer, PeerCause, PeerError},
    data_dir::{DataDir, DataDirError},
    replay::{self, Replay},
    space::SpaceError,
};
use rootfold_proto::{
    limits::{MAX_MESSAGE_BYTES, MAX_NAMES},
    v1::{self, replication_service_client::ReplicationServiceClient},
};
use rootfold_verifier::ParameterId;
use tonic::Code;

/// A client without limits.
async fn raw(server: &Running) -> ReplicationServiceClient<tonic::transport::Channel> {
    ReplicationServiceClient::connect(format!("http://{}", server.address))
        .await
        .unwrap()
        .max_encoding_message_size(usize::MAX)
}

#[tokio::test]
async fn a_request_over_the_limit_is_refused_and_the_server_continues() {
    let world = World::with_some_keys();
    let server = serve(&world.space, None).await;
    let before = world.dump();
    let mut client = raw(&server).await;
    let value = v1::Value {
        name: Some(v1::ValueName { kind: 1, digest: vec![0; 32] }),
        content: vec![0; MAX_MESSAGE_BYTES + 1],
    };
    let submission = v1::Submission { values: vec![value], batches: Vec::new() };
    let request = v1::SubmitRequest { space: world.id(), submission: Some(submission) };
    let refused = client.submit(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
    assert!(refused.message().contains("too large"), "{refused}");
    assert_eq!(world.dump(), before);
    connect(&server).await.frontier(world.space.id(), None, 0).await.unwrap();
}

#[tokio::test]
async fn a_response_over_the_limit_is_refused() {
    let world = World::with_some_keys();
    let lies = Lies {
        pages: Some(|response| response.pages[0].content = vec![0; MAX_MESSAGE_BYTES + 1]),
        genesis: Some(|response| response.genesis = vec![0; MAX_MESSAGE_BYTES + 1]),
        ..Lies::default()
    };
    let server = serve_lies(&world.space, None, lies).await;
    let peer = connect(&server).await;
    let refused = peer.genesis(world.space.id()).await.unwrap_err();
    assert_eq!(refused.peer, server.address);
    assert!(
        matches!(*refused.cause, PeerCause::Refused { code: Code::OutOfRange, .. }),
        "{refused}"
    );
    let e = bootstrap_from(&world, &[&server]).await.err().unwrap();
    assert!(e.to_string().contains("too large"), "{e}");
}

#[tokio::test]
async fn malformed_requests_are_refused_by_name() {
    let world = World::with_some_keys();
    let server = serve(&world.space, None).await;
    let mut client = raw(&server).await;
    let space = world.id();

    let short = v1::GenesisRequest { space: vec![1; 31] };
    let e = client.genesis(short).await.unwrap_err();
    assert_eq!(
        (e.code(), e.message()),
        (Code::InvalidArgument, "space id: expected 32 bytes, got 31")
    );

    let too_large = v1::GenesisRequest { space: vec![0xff; 32] };
    let e = client.genesis(too_large).await.unwrap_err();
    assert_eq!(e.code(), Code::InvalidArgument);
    assert!(e.message().contains("not below the modulus"), "{e}");

    let other = v1::GenesisRequest { space: vec![1; 32] };
    let e = client.genesis(other).await.unwrap_err();
    assert_eq!(e.code(), Code::NotFound, "{e}");

    let names = vec![vec![1; 32]; MAX_NAMES + 1];
    let e = client.pages(v1::PagesRequest { space: space.clone(), names }).await.unwrap_err();
    assert_eq!((e.code(), e.message()), (Code::InvalidArgument, "65 page names, the limit is 64"));

    let name = v1::ValueName { kind: 0, digest: vec![1; 32] };
    let names = v1::ValuesRequest { space: space.clone(), names: vec![name] };
    let e = client.values(names).await.unwrap_err();
    assert_eq!((e.code(), e.message()), (Code::InvalidArgument, "value kind: undefined number 0"));

    let tip = |writer| v1::WriterTip { writer, seq: 0, head: Vec::new() };
    let logs = vec![tip(2), tip(1)];
    let e =
        client.log_entries(v1::LogEntriesRequest { space: space.clone(), logs }).await.unwrap_err();
    assert_eq!(e.message(), "the writers of a frontier are not in ascending order");

    let e = client.submit(v1::SubmitRequest { space, submission: None }).await.unwrap_err();
    assert_eq!((e.code(), e.message()), (Code::InvalidArgument, "submission is missing"));
}

#[tokio::test]
async fn submitting() {
    let world = World::with_some_keys();
    let server = serve(&world.space, None).await;
    let peer = connect(&server).await;
    let space = world.space.id();

    let good = world.compose(2, &[("new", Some(b"value"))]);
    let done = peer.submit(space, &good).await.unwrap();
    assert_eq!((done.ops, done.root), (1, world.space.status().root));

    let before = world.dump();
    let mut bad = world.compose(2, &[("a", Some(b"1"))]);
    bad.batches[0].ops[0].op.ts += 1;
    let e = peer.submit(space, &bad).await.unwrap_err();
    assert!(e.is_refusal(), "{e}");
    assert!(e.to_string().contains(&format!("peer {}", server.address)), "{e}");
    assert!(e.to_string().contains("writer 2, op 2"), "{e}");
    assert_eq!(world.dump(), before);

    let mut gap = world.compose(2, &[("a", Some(b"1"))]);
    gap.batches[0].first_seq += 5;
    let e = peer.submit(space, &gap).await.unwrap_err();
    assert!(matches!(*e.cause, PeerCause::Refused { code: Code::FailedPrecondition, .. }), "{e}");
    assert_eq!(world.dump(), before);
}

#[tokio::test]
async fn health_and_reflection_answer() {
    use tonic_health::pb::{health_check_response::ServingStatus, health_client::HealthClient};
    use tonic_reflection::pb::v1::{
        server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
        ServerReflectionRequest,
    };
    let world = World::with_some_keys();
    let server = serve(&world.space, None).await;
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut health = HealthClient::new(channel.clone());
    for service in [
        "",
        "rootfold.v1.ReplicationService",
        "rootfold.v1.QueryService",
        "rootfold.v1.VerificationService",
    ] {
        let request = tonic_health::pb::HealthCheckRequest { service: service.into() };
        let status = health.check(request).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
    let mut reflection = ServerReflectionClient::new(channel.clone());
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut responses =
        reflection.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let response = responses.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = response else { panic!("{response:?}") };
    let names: Vec<String> = list.service.into_iter().map(|s| s.name).collect();
    for name in [
        "rootfold.v1.ReplicationService",
        "rootfold.v1.QueryService",
        "rootfold.v1.VerificationService",
    ] {
        assert!(names.iter().any(|n| n == name), "{names:?}");
    }

    // Case C20: clients that know only the older version.
    use tonic_reflection::pb::v1alpha;
    let mut older = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
    };
    let mut responses =
        older.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let response = responses.message().await.unwrap().unwrap().message_response.unwrap();
    use v1alpha::server_reflection_response::MessageResponse as Older;
    let Older::ListServicesResponse(list) = response else { panic!("{response:?}") };
    assert!(list.service.iter().any(|service| service.name == "rootfold.v1.ReplicationService"));
}

async fn bootstrap_from(
    world: &World,
    servers: &[&Running],
) -> Result<bootstrap::BootstrapReport, BootstrapError> {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::new(folder.path());
    bootstrap_into(world, servers, &data).await
}

async fn bootstrap_into(
    world: &World,
    servers: &[&Running],
    data: &DataDir,
) -> Result<bootstrap::BootstrapReport, BootstrapError> {
    let bootstrap = Bootstrap {
        peers: servers.iter().map(|server| server.address.clone()).collect(),
        invite: Invite { space: world.space.id(), parameters: ParameterId([9; 32]) },
        data_dir: data.clone(),
        key: None,
    };
    bootstrap::run(bootstrap, &()).await
}

#[tokio::test]
async fn a_space_without_steps_is_bootstrapped_from_its_genesis() {
    let world = World::with_some_keys();
    // A writer whom the owner admits later, with ops of their own.
    let newcomer = secret(80);
    let grant = world.grant(9, newcomer.public_key());
    world.space.ingest(&grant).unwrap();
    let change = signing::Change::new(key("n"), Some(b"hi".to_vec()), NOW);
    let (ops, _) = signing::compose(&world.tip(9), 9, &newcomer, vec![change]).unwrap();
    world.space.ingest(&ops).unwrap();

    let server = serve(&world.space, None).await;
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::new(folder.path());
    let report = bootstrap_into(&world, &[&server], &data).await.unwrap();
    let status = world.space.status();
    assert_eq!(report.root, status.root);
    assert_eq!(report.source_root, Some(status.root));
    assert!(report.header.is_genesis() && report.faults.is_empty());
    assert_eq!(report.tail_ops, status.ops);
    assert!(report.bytes > 5_000, "{}", report.bytes);

    // A second bootstrap only asks for the tail.
    let again = bootstrap_into(&world, &[&server], &data).await.unwrap();
    assert_eq!((again.root, again.tail_ops, again.pages), (status.root, 0, 0));

    let replica = data.open().unwrap();
    assert_eq!(replica.genesis().unwrap().unwrap(), world.genesis);
    assert_eq!(replica.status(), status);
    assert_eq!(replica.writers(), world.space.writers());
    // It holds all ops, so others can replay from it.
    let from = serve(&replica, None).await;
    let replayed = replay(&world, &from).await.unwrap();
    assert_eq!((replayed.root, replayed.ops), (status.root, status.ops));
}

async fn replay(
    world: &World,
    server: &Running,
) -> Result<replay::ReplayReport, replay::ReplayError> {
    let job = Replay { peer: server.address.clone(), space: world.space.id(), data_dir: None };
    replay::run(job, &()).await
}

#[tokio::test]
async fn logs_larger_than_a_message_are_cut() {
    let world = World::new(4, 2);
    let values: Vec<Vec<u8>> = (0..90u8).map(|i| vec![i; MAX_VALUE]).collect();
    let keys: Vec<String> = (0..90).map(|i| format!("k{i}")).collect();
    for (value, k) in values.iter().zip(&keys) {
        world.write(1, &[(k.as_str(), Some(value.as_slice()))]);
    }
    let server = serve(&world.space, None).await;
    let peer = connect(&server).await;
    let mut entries = peer.log_entries(world.space.id(), &[(1, 0)]).await.unwrap();
    let mut messages = 0;
    while let Some(message) = entries.next().await.unwrap() {
        messages += 1;
        assert!(message.submission.values.len() <= 48);
    }
    assert!(messages >= 2, "{messages}");
    let replayed = replay(&world, &server).await.unwrap();
    assert_eq!(replayed.root, world.space.status().root);
    assert!(replayed.bytes > 90 * MAX_VALUE as u64, "{}", replayed.bytes);
}

#[tokio::test]
async fn pages_in_parts_are_joined() {
    let world = World::with_some_keys();
    let lies = Lies {
        pages: Some(|response| {
            let whole = std::mem::take(&mut response.pages);
            for page in whole {
                let middle = page.content.len() / 2;
                let (head, tail) = page.content.split_at(middle);
                let part = |content: &[u8], more| v1::Page {
                    name: page.name.clone(),
                    content: content.to_vec(),
                    more,
                };
                response.pages.extend([part(head, true), part(tail, false)]);
            }
        }),
        ..Lies::default()
    };
    let server = serve_lies(&world.space, None, lies).await;
    let report = bootstrap_from(&world, &[&server]).await.unwrap();
    assert_eq!(report.root, world.space.status().root);
}

#[tokio::test]
async fn an_unreachable_peer_does_not_matter_if_another_is_reachable() {
    let world = World::with_some_keys();
    let server = serve(&world.space, None).await;
    let nobody = {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        taken.local_addr().unwrap().to_string()
    };
    let e = Peer::connect(&nobody).await.err().unwrap();
    assert!(matches!(*e.cause, PeerCause::Unreachable { .. }) && !e.is_refusal(), "{e}");
    let folder = tempfile::tempdir().unwrap();
    let job = |peers| Bootstrap {
        peers,
        invite: Invite { space: world.space.id(), parameters: ParameterId([9; 32]) },
        data_dir: DataDir::new(folder.path()),
        key: None,
    };
    let report =
        bootstrap::run(job(vec![nobody.clone(), server.address.clone()]), &()).await.unwrap();
    assert_eq!(report.root, world.space.status().root);
    let at: Vec<&str> = report.faults.iter().map(|fault| fault.peer.as_str()).collect();
    assert_eq!(at, [nobody.as_str()]);

    let e = bootstrap::run(job(vec![nobody]), &()).await.err().unwrap();
    assert!(!e.is_refusal(), "{e}");
    let e = bootstrap::run(job(Vec::new()), &()).await.err().unwrap();
    assert!(matches!(e, BootstrapError::NoPeers), "{e}");
}

/// Bootstraps a space at genesis from a lying peer; returns the fault.
async fn caught(lies: Lies) -> PeerError {
    let world = World::with_some_keys();
    let liar = serve_lies(&world.space, None, lies).await;
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::new(folder.path());

    // With this peer alone the bootstrap fails and leaves no space.
    let e = bootstrap_into(&world, &[&liar], &data).await.err().unwrap();
    assert!(e.is_refusal(), "{e}");
    assert!(e.to_string().contains(&liar.address), "{e}");
    let e = data.open().err().unwrap();
    let DataDirError::Space { source, .. } = e else { panic!("{e}") };
    assert!(matches!(*source, SpaceError::NoSpace | SpaceError::CutOff { .. }));

    // With an honest peer beside it the bootstrap succeeds.
    let honest = serve(&world.space, None).await;
    let mut report = bootstrap_into(&world, &[&liar, &honest], &data).await.unwrap();
    assert_eq!(report.root, world.space.status().root);
    assert_eq!(data.open().unwrap().status(), world.space.status());
    let fault = report.faults.remove(0);
    assert_eq!(fault.peer, liar.address);
    println!("{fault}");
    fault
}

#[tokio::test]
async fn wrong_pages_name_the_peer() {
    let fault = caught(Lies {
        pages: Some(|response| {
            // A byte of the first child's digest.
            response.pages[0].content[10] ^= 1;
        }),
        ..Lies::default()
    })
    .await;
    assert!(matches!(*fault.cause, PeerCause::Response(ResponseError::Page { .. })), "{fault}");

    let fault = caught(Lies {
        pages: Some(|response| response.pages[0].content.truncate(20)),
        ..Lies::default()
    })
    .await;
    assert!(matches!(*fault.cause, PeerCause::Response(ResponseError::Page { .. })), "{fault}");

    let fault = caught(Lies {
        pages: Some(|response| response.pages[0].name = vec![1; 32]),
        ..Lies::default()
    })
    .await;
    assert!(
        matches!(*fault.cause, PeerCause::Response(ResponseError::NotRequested { what: "page" })),
        "{fault}"
    );
}

#[tokio::test]
async fn withheld_pages_name_the_peer() {
    let world = World::with_some_keys();
    let lies = Lies { pages: Some(|response| response.pages.clear()), ..Lies::default() };
    let silent = serve_lies(&world.space, None, lies).await;
    let e = bootstrap_from(&world, &[&silent]).await.err().unwrap();
    // The peer may not have them, so this is not a refusal.
    assert!(!e.is_refusal(), "{e}");
    let honest = serve(&world.space, None).await;
    let report = bootstrap_from(&world, &[&silent, &honest]).await.unwrap();
    let fault = &report.faults[0];
    assert_eq!(fault.peer, silent.address);
    assert!(matches!(*fault.cause, PeerCause::Withheld { what: "pages", .. }), "{fault}");
}

#[tokio::test]
async fn forged_headers_name_the_peer() {
    let world = World::with_some_keys();
    let forge = |change: fn(&mut v1::SnapshotHeader)| {
        let zero = field::to_bytes(&world.space.id()).to_vec();
        let mut header = v1::SnapshotHeader {
            space: zero.clone(),
            parameters: vec![0; 32],
            root: zero,
            ops: 0,
            steps: 0,
        };
        change(&mut header);
        Lies {
            snapshot: Some(v1::Snapshot { header: Some(header), proof: Vec::new() }),
            ..Lies::default()
        }
    };
    let changes: [fn(&mut v1::SnapshotHeader); 5] = [
        |h| h.space[31] ^= 1,
        |h| h.parameters[31] ^= 1,
        |h| h.root[31] ^= 1,
        |h| h.ops = 5,
        |h| h.steps = 5,
    ];
    for change in changes {
        let fault = caught(forge(change)).await;
        // For a header with steps the peer is first asked for the verifying key, which it does not have.
        let expected = matches!(*fault.cause, PeerCause::Snapshot(_) | PeerCause::Refused { .. });
        assert!(expected, "{fault}");
    }
}

#[tokio::test]
async fn bad_ops_in_the_tail_name_the_peer() {
    let world = World::with_some_keys();
    let lies: [Lie<v1::LogEntriesResponse>; 4] = [
        ("clock", |r| r.submission.as_mut().unwrap().batches[0].ops[0].ts += 1),
        ("value", |r| r.submission.as_mut().unwrap().values[0].content.push(0)),
        ("gap", |r| drop(r.submission.as_mut().unwrap().batches.remove(0))),
        ("key", |r| r.submission.as_mut().unwrap().batches[0].ops[0].key[0] = 7),
    ];
    for (what, lie) in lies {
        let liar = serve_lies(&world.space, None, Lies { log: Some(lie), ..Lies::default() }).await;
        let honest = serve(&world.space, None).await;
        let report = bootstrap_from(&world, &[&liar, &honest]).await.unwrap();
        assert_eq!(report.root, world.space.status().root, "{what}");
        let report = bootstrap_from(&world, &[&liar]).await.unwrap();
        let fault = &report.faults[0];
        assert_eq!(fault.peer, liar.address, "{what}");
        let named = match what {
            "clock" => matches!(*fault.cause, PeerCause::Forged { writer: 0 }),
            "gap" => matches!(*fault.cause, PeerCause::Withheld { what: "logs", .. }),
            _ => matches!(*fault.cause, PeerCause::Ops(_)),
        };
        assert!(named && fault.is_refusal() == (what != "gap"), "{what}: {fault}");
    }
}

#[tokio::test]
async fn a_peer_of_another_space_is_named() {
    let (world, other) = (World::with_some_keys(), World::new(99, 1));
    let server = serve(&other.space, None).await;
    let e = bootstrap_from(&world, &[&server]).await.err().unwrap();
    let BootstrapError::AllFailed { faults, .. } = &e else { panic!("{e}") };
    assert!(matches!(*faults[0].cause, PeerCause::Refused { code: Code::NotFound, .. }), "{e}");

    let wrong: F = other.space.id();
    let lies = Lies { genesis: Some(|r| r.genesis[31] ^= 1), ..Lies::default() };
    let liar = serve_lies(&other.space, None, lies).await;
    let e = connect(&liar).await.genesis(wrong).await.unwrap_err();
    assert!(matches!(*e.cause, PeerCause::Response(ResponseError::OtherGenesis { .. })), "{e}");
}
