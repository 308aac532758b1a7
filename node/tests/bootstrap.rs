//! Bootstraps with real proofs over gRPC, from honest and from lying peers.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{
    key,
    net::{serve, Lies},
    proved::{
        bootstrap_into as run, folder, honest, invite, liar, parameters, proved, verifying_key,
    },
};
use rootfold_core::field;
use rootfold_light::{
    query::At,
    snapshot::Snapshot,
    verify::{verify, VerifyError},
    ResponseError,
};
use rootfold_node::{
    bootstrap::{BootstrapError, BootstrapReport},
    client::{Peer, PeerCause},
    data_dir::{DataDir, DataDirError},
    prove::{ProveError, Prover},
    replay::{self, Replay, ReplayError},
    space::SpaceError,
};
use rootfold_proto::v1;

/// Asserts that the data directory has no space.
fn nothing_adopted(data: &DataDir) {
    let e = data.open().err().unwrap();
    let DataDirError::Space { source, .. } = e else { panic!("{e}") };
    let nothing = matches!(*source, SpaceError::NoSpace | SpaceError::CutOff { .. });
    assert!(nothing, "{source}");
}

/// Asserts that the replica in the data directory has the state of node A.
fn same_as_a(data: &DataDir, report: &BootstrapReport) {
    let a = &proved().world.space;
    assert_eq!(report.root, a.status().root);
    assert_eq!(report.source_root, Some(a.status().root));
    let replica = data.open().unwrap();
    let (ours, theirs) = (replica.status(), a.status());
    assert_eq!(
        (ours.root, ours.ops, ours.entries, ours.writers),
        (theirs.root, theirs.ops, theirs.entries, theirs.writers)
    );
    assert_eq!(replica.writers(), a.writers());
    for k in ["a", "b", "c", "d", "e", "tail", "key 3", "not there"] {
        let found = replica.get(At::Latest, &key(k)).unwrap();
        assert_eq!(found, a.get(At::Latest, &key(k)).unwrap(), "{k}");
    }
    let all = |space: &rootfold_node::space::Space| {
        space.scan_prefix(At::Latest, None).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(all(&replica), all(a));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_peer_is_enough() {
    let server = honest().await;
    let (_kept, data) = folder();
    let report = run(&data, &[&server]).await.unwrap();
    println!("{report:?}");
    assert!(report.faults.is_empty());
    assert_eq!(report.header, proved().newest.header);
    assert_eq!(report.tail_ops, 3);
    assert!(report.pages >= 5 && report.values >= 1);
    assert!(report.bytes > report.proof_bytes && report.proof_bytes > 10_000);
    same_as_a(&data, &report);

    // The replica serves snapshot, pages, values, tail and verifying key to others.
    let replica = data.open().unwrap();
    assert_eq!(replica.latest_snapshot().unwrap().unwrap(), proved().newest);
    assert_eq!(replica.genesis().unwrap().unwrap(), proved().world.genesis);
    let held = replica.verifying_key().unwrap().unwrap();
    assert_eq!(held.id(), parameters().id());
    let second = serve(&replica, Some(verifying_key())).await;
    let (_kept, next) = folder();
    let report = run(&next, &[&second]).await.unwrap();
    same_as_a(&next, &report);

    // It does not have the ops of its snapshot, and says so.
    let job = Replay { peer: second.address.clone(), space: replica.id(), data_dir: None };
    let e = replay::run(job, &()).await.err().unwrap();
    assert!(e.to_string().contains("began with a snapshot"), "{e}");
    assert!(matches!(e, ReplayError::NotHeld { .. }));
    // It has no running proof to continue.
    let e = Prover::open(replica, &data, parameters()).err().unwrap();
    assert!(matches!(e, ProveError::NotAProver), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_results_in_the_same_root() {
    let server = honest().await;
    let job =
        Replay { peer: server.address.clone(), space: proved().world.space.id(), data_dir: None };
    let report = replay::run(job, &()).await.unwrap();
    let status = proved().world.space.status();
    assert_eq!((report.root, report.ops), (status.root, status.ops));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_peers_share_the_work() {
    let servers = [honest().await, honest().await, honest().await];
    let (_kept, data) = folder();
    let report = run(&data, &[&servers[0], &servers[1], &servers[2]]).await.unwrap();
    same_as_a(&data, &report);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_page_costs_one_request() {
    let wrong = || Lies {
        pages: Some(|response| {
            for page in &mut response.pages {
                // Only leaves are wrong.
                if page.content[1] == 0 {
                    *page.content.last_mut().unwrap() ^= 1;
                }
            }
        }),
        ..Lies::default()
    };
    let bad = liar(wrong()).await;
    let (_kept, data) = folder();
    let e = run(&data, &[&bad]).await.err().unwrap();
    assert!(e.is_refusal() && e.to_string().contains(&bad.address), "{e}");
    nothing_adopted(&data);

    // The good pages are stored; a resumed bootstrap fetches only the leaves.
    let good = honest().await;
    let report = run(&data, &[&bad, &good]).await.unwrap();
    same_as_a(&data, &report);
    let (_kept, fresh) = folder();
    let whole = run(&fresh, &[&good]).await.unwrap();
    assert!(report.pages < whole.pages, "{} of {}", report.pages, whole.pages);
    for fault in &report.faults {
        assert_eq!(fault.peer, bad.address);
        assert!(matches!(*fault.cause, PeerCause::Response(ResponseError::Page { .. })), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_costs_one_request() {
    let bad = liar(Lies {
        values: Some(|response| response.values[0].content[0] ^= 1),
        ..Lies::default()
    })
    .await;
    let (_kept, data) = folder();
    let report = run(&data, &[&bad]).await.unwrap();
    assert!(report.holes >= 1, "the replica has the state without these values");
    let fault = &report.faults[0];
    assert!(fault.is_refusal() && fault.peer == bad.address, "{fault}");

    let good = honest().await;
    let report = run(&data, &[&bad, &good]).await.unwrap();
    assert_eq!((report.pages, report.holes), (0, 0), "every page was there already");
    same_as_a(&data, &report);
}

#[tokio::test(flavor = "multi_thread")]
async fn withheld_values_are_fetched_elsewhere() {
    let bad =
        liar(Lies { values: Some(|response| response.values.clear()), ..Lies::default() }).await;
    let (_kept, data) = folder();
    let report = run(&data, &[&bad]).await.unwrap();
    assert!(report.holes >= 1 && !report.faults[0].is_refusal(), "{:?}", report.faults);
    let good = honest().await;
    let report = run(&data, &[&bad, &good]).await.unwrap();
    same_as_a(&data, &report);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_separator_keys_are_corrected() {
    // The name of a page does not bind its separator keys, so the page passes its check.
    let bad = liar(Lies {
        pages: Some(|response| {
            for page in &mut response.pages {
                if page.content[1] != 0 {
                    page.content = with_lower_hints(&page.content);
                }
            }
        }),
        ..Lies::default()
    })
    .await;
    let (_kept, data) = folder();
    let report = run(&data, &[&bad]).await.unwrap();
    same_as_a(&data, &report);
    assert!(!report.faults.is_empty());
    for fault in &report.faults {
        assert!(matches!(*fault.cause, PeerCause::Hints { .. }), "{fault}");
    }
}

/// The internal page with smaller separator keys.
fn with_lower_hints(content: &[u8]) -> Vec<u8> {
    use rootfold_core::{key::Key, tree::Page};
    let (mut page, _) = Page::decode(content).unwrap();
    if let Page::Internal { children, .. } = &mut page {
        for child in children {
            let mut bytes = *child.last_key.as_bytes();
            bytes[92] = bytes[92].saturating_sub(1);
            child.last_key = Key::from_bytes(bytes);
        }
    }
    page.encode(&|_| None)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tail_makes_up_for_a_stale_snapshot() {
    let proved = tokio::task::spawn_blocking(proved).await.unwrap();
    let message = wire_snapshot(&proved.stale);
    let stale = liar(Lies { snapshot: Some(message), ..Lies::default() }).await;
    let (_kept, data) = folder();
    let report = run(&data, &[&stale]).await.unwrap();
    assert_eq!(report.header, proved.stale.header);
    assert!(report.tail_ops > 3);
    same_as_a(&data, &report);

    // If another peer has a newer snapshot, that one is used.
    let good = honest().await;
    let (_kept, data) = folder();
    let report = run(&data, &[&stale, &good]).await.unwrap();
    assert_eq!(report.header, proved.newest.header);
    same_as_a(&data, &report);
}

fn wire_snapshot(snapshot: &Snapshot) -> v1::Snapshot {
    let header = &snapshot.header;
    v1::Snapshot {
        header: Some(v1::SnapshotHeader {
            space: field::to_bytes(&header.space).to_vec(),
            parameters: header.parameters.0.to_vec(),
            root: field::to_bytes(&header.root).to_vec(),
            ops: header.ops,
            steps: header.steps,
        }),
        proof: snapshot.proof.clone(),
    }
}

/// What is bad, the snapshot, and whether an error is that of the right check.
type BadSnapshot = (&'static str, Snapshot, fn(&VerifyError) -> bool);

/// Every way in which a snapshot can be bad, with the check that must find it.
fn bad_snapshots() -> Vec<BadSnapshot> {
    let p = proved();
    let changed = |change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = p.newest.clone();
        change(&mut snapshot);
        snapshot
    };
    let under_our_name = Snapshot {
        header: rootfold_light::snapshot::SnapshotHeader {
            space: p.newest.header.space,
            ..p.foreign.header
        },
        proof: p.foreign.proof.clone(),
    };
    let flip = |at: usize| {
        changed(&move |s| {
            let at = at % s.proof.len();
            s.proof[at] ^= 1;
        })
    };
    vec![
        ("of another space", p.foreign.clone(), |e| matches!(e, VerifyError::OtherSpace { .. })),
        ("of another space under our name", under_our_name, |e| {
            matches!(e, VerifyError::Proof(rootfold_verifier::VerifyError::StateHash))
        }),
        ("of other parameters", changed(&|s| s.header.parameters.0[0] ^= 1), |e| {
            matches!(e, VerifyError::OtherParameters { .. })
        }),
        ("with another root", changed(&|s| s.header.root = p.stale.header.root), |e| {
            matches!(e, VerifyError::OtherStatement { .. })
        }),
        ("with more ops", changed(&|s| s.header.ops += 1), |e| {
            matches!(e, VerifyError::OtherStatement { .. })
        }),
        ("with more steps", changed(&|s| s.header.steps += 1), |e| {
            matches!(e, VerifyError::OtherStatement { .. })
        }),
        ("with the proof of an older one", changed(&|s| s.proof = p.stale.proof.clone()), |e| {
            matches!(e, VerifyError::OtherStatement { .. })
        }),
        ("truncated", changed(&|s| s.proof.truncate(s.proof.len() - 1)), |e| {
            matches!(e, VerifyError::Proof(_))
        }),
        ("empty", changed(&|s| s.proof.clear()), |e| matches!(e, VerifyError::Proof(_))),
        ("lengthened", changed(&|s| s.proof.push(0)), |e| matches!(e, VerifyError::Proof(_))),
        ("flipped at its start", flip(0), |e| matches!(e, VerifyError::Proof(_))),
        ("flipped at 40", flip(40), |e| matches!(e, VerifyError::Proof(_))),
        ("flipped at 200", flip(200), |e| matches!(e, VerifyError::Proof(_))),
        ("flipped at 1001", flip(1_001), |e| matches!(e, VerifyError::Proof(_))),
        ("flipped in the middle", flip(20_000), |e| matches!(e, VerifyError::Proof(_))),
        ("flipped at its end", flip(usize::MAX / 2 * 2 + 1), |e| {
            matches!(e, VerifyError::Proof(_))
        }),
        ("without steps", changed(&|s| s.header.steps = 0), |e| {
            matches!(e, VerifyError::NothingProved { .. })
        }),
    ]
}

#[test]
fn each_bad_snapshot_is_refused_by_its_check() {
    let (p, key) = (proved(), verifying_key());
    let invite = invite(&p.world);
    verify(&p.newest, &invite, Some(&key)).unwrap();
    verify(&p.stale, &invite, Some(&key)).unwrap();
    for (what, snapshot, expected) in bad_snapshots() {
        let e = verify(&snapshot, &invite, Some(&key)).expect_err(what);
        println!("{what}: {e}");
        assert!(expected(&e), "{what}: {e}");
    }
    let e = verify(&p.newest, &invite, None).unwrap_err();
    assert!(matches!(e, VerifyError::NoKey { .. }), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_snapshots_name_the_peer_and_leave_no_space() {
    let bad = tokio::task::spawn_blocking(bad_snapshots).await.unwrap();
    let good = honest().await;
    for (what, snapshot, _) in bad {
        let message = wire_snapshot(&snapshot);
        let liar = liar(Lies { snapshot: Some(message), ..Lies::default() }).await;
        let (_kept, data) = folder();
        let e = run(&data, &[&liar]).await.expect_err(what);
        assert!(e.is_refusal(), "{what}: {e}");
        assert!(e.to_string().contains(&liar.address), "{what}: {e}");
        nothing_adopted(&data);
        let report = run(&data, &[&liar, &good]).await.unwrap();
        assert_eq!(report.faults.len(), 1, "{what}");
        assert!(matches!(*report.faults[0].cause, PeerCause::Snapshot(_)), "{what}");
        same_as_a(&data, &report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_verifying_key_names_the_peer() {
    let bad =
        liar(Lies { key: Some(|response| response.verifying_key[40] ^= 1), ..Lies::default() })
            .await;
    let (_kept, data) = folder();
    let e = run(&data, &[&bad]).await.err().unwrap();
    assert!(e.is_refusal() && e.to_string().contains("verifying key"), "{e}");
    nothing_adopted(&data);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verification_service_verifies_for_clients() {
    let server = honest().await;
    let peer = Peer::connect(&server.address).await.unwrap();
    let p = proved();
    let invite = invite(&p.world);
    let checked = peer.check(&invite, &p.newest).await.unwrap();
    assert_eq!(checked.refusal, None);
    assert!(checked.micros > 0);
    let checked = peer.check(&invite, &p.foreign).await.unwrap();
    assert!(checked.refusal.unwrap().contains("space"));
    let mut other = invite;
    other.parameters.0[0] ^= 1;
    let e = peer.check(&other, &p.newest).await.unwrap_err();
    assert!(e.to_string().contains("does not have the verifying key"), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_with_another_space_is_not_changed() {
    let server = honest().await;
    let (_kept, data) = folder();
    let (genesis, _) = common::genesis(77, 1);
    let held = data.create(&genesis).unwrap().id();
    let e = run(&data, &[&server]).await.err().unwrap();
    assert!(matches!(e, BootstrapError::OtherSpace { .. }), "{e}");
    assert_eq!(data.open().unwrap().id(), held);
}
