//! Seeds of messages with ops and snapshots, and functions for the seeds of all messages.

use prost::Message;
use rootfold_core::{field, key::Key, F};
use rootfold_light::{messages, snapshot::Snapshot};
use rootfold_proto::v1;

use super::{honest_seed, hostile_seed, Seeds};
use crate::honest::{header, honest, PROOF_ALIAS};

pub(super) fn bytes(x: &F) -> Vec<u8> {
    field::to_bytes(x).to_vec()
}

pub(super) fn space() -> Vec<u8> {
    bytes(&honest().space.id())
}

pub(super) fn key(text: &str) -> Vec<u8> {
    Key::shared(text.as_bytes()).expect("the key is short").as_bytes().to_vec()
}

/// The name of an alteration, and the function that alters a message.
pub(super) type Lie<M> = (&'static str, fn(&mut M));

/// Adds a message as an honest seed, and each alteration of it as a hostile seed.
pub(super) fn altered<M: Message + Clone>(
    seeds: &mut Seeds,
    target: &'static str,
    honest: &M,
    lies: &[Lie<M>],
) {
    honest_seed(seeds, target, "", honest.encode_to_vec());
    for (what, lie) in lies {
        let mut message = honest.clone();
        lie(&mut message);
        hostile_seed(seeds, target, what, message.encode_to_vec());
    }
}

pub(super) fn add(seeds: &mut Seeds) {
    log_batches(seeds);
    submissions(seeds);
    snapshots(seeds);
    forks(seeds);
}

fn forks(seeds: &mut Seeds) {
    let fork = honest().fork();
    let message = fork.to_message();
    honest_seed(seeds, "fork_file", "", fork.to_bytes());
    hostile_seed(seeds, "fork_file", "cut", &fork.to_bytes()[..200]);
    altered(
        seeds,
        "fork_request",
        &v1::ForkRequest { space: space(), writer: 1 },
        &[("of-nobody", |r| r.writer = 9), ("other-space", |r| r.space[31] ^= 1)],
    );
    let lies: &[Lie<v1::Fork>] = &[
        ("one-branch", |f| drop(f.branches.pop())),
        ("the-same-branch-twice", |f| f.branches[1] = f.branches[0].clone()),
        ("another-base", |f| f.base[127] ^= 1),
        ("another-value", |f| f.branches[0].ops[0].value[31] ^= 1),
        ("of-another-writer", |f| f.writer = 2),
    ];
    let response = |fork| v1::ForkResponse { fork: Some(fork) }.encode_to_vec();
    honest_seed(seeds, "fork_response", "", response(message.clone()));
    for (what, lie) in lies {
        let mut message = message.clone();
        lie(&mut message);
        hostile_seed(seeds, "fork_response", what, response(message));
    }
}

fn log_batches(seeds: &mut Seeds) {
    let submission = messages::submission_out(&honest().next);
    let [owner, _, unsigned] = &submission.batches[..] else { unreachable!("three batches") };
    altered(
        seeds,
        "log_batch",
        owner,
        &[
            ("first-op-left-out", |b| drop(b.ops.remove(0))),
            ("ops-swapped", |b| b.ops.swap(0, 1)),
            ("op-twice", |b| b.ops.insert(1, b.ops[0].clone())),
            ("of-another-writer", |b| b.writer = 1),
            ("of-nobody", |b| b.writer = u32::MAX),
            ("at-the-end-of-numbers", |b| b.first_seq = u64::MAX),
            ("another-value", |b| b.ops[1].value[31] ^= 1),
            ("dated-back", |b| b.ops[0].ts = 1),
            ("end-of-time", |b| b.ops[1].ts = u64::MAX),
            ("unsigned", |b| b.ops[1].signature.clear()),
            ("half-a-signature", |b| b.ops[1].signature.truncate(48)),
            ("no-ops", |b| b.ops.clear()),
        ],
    );
    honest_seed(seeds, "log_batch", "signed-at-the-end", unsigned.encode_to_vec());
}

fn submissions(seeds: &mut Seeds) {
    let submission = messages::submission_out(&honest().next);
    let lies: &[Lie<v1::Submission>] = &[
        ("another-value", |s| s.values[0].content.push(0)),
        ("no-values", |s| s.values.clear()),
        ("value-without-name", |s| s.values[0].name = None),
        ("a-key-changed", |s| s.batches[0].ops[0].key[1] ^= 1),
        ("gap", |s| s.batches[0].first_seq += 1),
        ("head-as-value", |s| s.values[0].name.as_mut().expect("it has a name").kind = 2),
    ];
    let request = |submission| v1::SubmitRequest { space: space(), submission };
    honest_seed(seeds, "submit_request", "", request(Some(submission.clone())).encode_to_vec());
    hostile_seed(seeds, "submit_request", "nothing", request(None).encode_to_vec());
    let held = honest().space.log(1, 0, 9).expect("reading from memory succeeds");
    let ops = held.into_iter().map(|(_, op)| op).collect();
    let held = rootfold_core::log::LogBatch { writer: 1, first_seq: 0, ops };
    let held = rootfold_light::submission::Submission { batches: vec![held], values: Vec::new() };
    let held = messages::submission_out(&held);
    honest_seed(seeds, "submit_request", "held-already", request(Some(held)).encode_to_vec());

    let response = |submission| v1::LogEntriesResponse {
        submission,
        not_held: Vec::new(),
        holders: Vec::new(),
    };
    honest_seed(
        seeds,
        "log_entries_response",
        "",
        response(Some(submission.clone())).encode_to_vec(),
    );
    hostile_seed(seeds, "log_entries_response", "nothing", response(None).encode_to_vec());
    let gap = v1::WriterTip { writer: 1, seq: 5, head: Vec::new() };
    let not_held = v1::LogEntriesResponse {
        submission: None,
        not_held: vec![gap],
        holders: vec!["a.example.org:7340".to_owned()],
    };
    hostile_seed(seeds, "log_entries_response", "not-held", not_held.encode_to_vec());
    for (what, lie) in lies {
        let mut message = submission.clone();
        lie(&mut message);
        hostile_seed(seeds, "submit_request", what, request(Some(message.clone())).encode_to_vec());
        hostile_seed(seeds, "log_entries_response", what, response(Some(message)).encode_to_vec());
    }
}

fn header_of(snapshot: &mut Option<v1::Snapshot>, lie: fn(&mut v1::SnapshotHeader)) {
    lie(snapshot.as_mut().and_then(|snapshot| snapshot.header.as_mut()).expect("it has a header"));
}

fn snapshots(seeds: &mut Seeds) {
    let snapshot = Snapshot { header: header(), proof: PROOF_ALIAS.to_vec() };
    let snapshot = Some(messages::snapshot_out(&snapshot));
    let response = v1::LatestSnapshotResponse { snapshot: snapshot.clone() };
    altered(
        seeds,
        "latest_snapshot_response",
        &response,
        &[
            ("no-snapshot", |r| r.snapshot = None),
            ("no-header", |r| r.snapshot.as_mut().expect("it has a snapshot").header = None),
            ("another-root", |r| header_of(&mut r.snapshot, |h| h.root[31] ^= 1)),
            ("more-ops", |r| header_of(&mut r.snapshot, |h| h.ops += 1)),
            ("no-steps", |r| header_of(&mut r.snapshot, |h| h.steps = 0)),
            ("other-space", |r| header_of(&mut r.snapshot, |h| h.space[31] ^= 1)),
            ("other-parameters", |r| header_of(&mut r.snapshot, |h| h.parameters[0] ^= 1)),
        ],
    );
    let parameters = header().parameters.0.to_vec();
    let request = v1::CheckRequest { space: space(), parameters, snapshot };
    altered(
        seeds,
        "check_request",
        &request,
        &[
            ("no-snapshot", |r| r.snapshot = None),
            ("other-space", |r| r.space[31] ^= 1),
            ("both-of-another-space", |r| {
                r.space[31] ^= 1;
                header_of(&mut r.snapshot, |h| h.space[31] ^= 1);
            }),
            ("more-steps", |r| header_of(&mut r.snapshot, |h| h.steps += 1)),
            ("a-proof-cut", |r| r.snapshot.as_mut().expect("it has a snapshot").proof.truncate(3)),
        ],
    );
}
