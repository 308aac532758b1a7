//! Forked logs among nodes that sync.

use std::sync::Arc;

use rootfold_core::{eddsa::SecretKey, log::Tip};
use rootfold_light::{
    fork::{CheckedFork, Fork},
    query::At,
    signing::{compose, Change},
    submission::Submission,
};
use rootfold_node::{
    bootstrap::{sync_tail, Tail},
    client::{Peer, PeerCause},
    space::{ForkRefused, IngestError, Space, Write, WriteError},
    store::MemoryStore,
};

use crate::common::{
    key,
    net::{serve, serve_lies, Lies, Running},
    World,
};

/// A node with the same space and the same ops.
pub fn replica(world: &World) -> Space {
    let space = Space::create(Arc::new(MemoryStore::new()), &world.genesis).unwrap();
    for (writer, _) in world.space.writers() {
        let ops = world.space.log(writer, 0, 10_000).unwrap();
        let ops: Vec<_> = ops.into_iter().map(|(_, op)| op).collect();
        let batches = ops.chunks(512).enumerate().map(|(index, ops)| {
            let first_seq = 512 * index as u64;
            rootfold_core::log::LogBatch { writer, first_seq, ops: ops.to_vec() }
        });
        let submission = Submission { batches: batches.collect(), values: Vec::new() };
        space.ingest_each(&submission).unwrap();
    }
    space
}

pub fn write(space: &Space, writer: u32, secret: &SecretKey, k: &str) {
    let change = Change::new(key(k), Some(k.as_bytes().to_vec()), 5_000);
    let tip: Tip = space.tip(writer).unwrap();
    space.ingest(&compose(&tip, writer, secret, vec![change]).unwrap().0).unwrap();
}

pub async fn sync(space: &Space, from: &Running) -> Tail {
    let peer = Peer::connect(&from.address).await.unwrap();
    sync_tail(space, &[peer], &()).await.unwrap()
}

/// Two nodes that share `shared` ops of writer 1, and differ in the next ones: `here` ops and `there`
/// ops. Writer 2 has one op on each of two other keys, here one and there two.
pub fn forked(shared: usize, here: usize, there: usize) -> (World, Space) {
    let world = World::new(8, 3);
    for index in 0..shared {
        write(&world.space, 1, &world.secrets[1], &format!("shared {index}"));
    }
    let other = replica(&world);
    for index in 0..here {
        write(&world.space, 1, &world.secrets[1], &format!("here {index}"));
    }
    for index in 0..there {
        write(&other, 1, &world.secrets[1], &format!("there {index}"));
    }
    write(&other, 2, &world.secrets[2], "honest");
    write(&world.space, 0, &world.secrets[0], "owner");
    (world, other)
}

fn assert_reported(tail: &Tail, space: &Space, shared: u64) -> CheckedFork {
    assert!(tail.faults.is_empty(), "an honest peer is blamed: {:?}", tail.faults);
    assert_eq!(tail.forks.keys().copied().collect::<Vec<_>>(), [1]);
    let fork = tail.forks[&1].clone();
    assert_eq!(fork.shared(), shared);
    // Anyone can check it.
    let again = Fork::from_bytes(&fork.fork().to_bytes()).unwrap().check().unwrap();
    assert_eq!(again, fork);
    assert_eq!(space.forks()[&1].shared, shared);
    fork
}

async fn both_sides_report(shared: usize, here: usize, there: usize) {
    let (world, other) = forked(shared, here, there);
    let server = serve(&world.space, None).await;
    let tail = sync(&other, &server).await;
    assert_reported(&tail, &other, shared as u64);
    assert!(other.get(At::Latest, &key("owner")).unwrap().is_some(), "the others go on");

    let server = serve(&other, None).await;
    let tail = sync(&world.space, &server).await;
    assert_reported(&tail, &world.space, shared as u64);
    assert!(world.space.get(At::Latest, &key("honest")).unwrap().is_some(), "the others go on");
}

#[tokio::test]
async fn a_fork_of_equal_length() {
    both_sides_report(3, 2, 2).await;
}

#[tokio::test]
async fn a_fork_at_the_first_op() {
    both_sides_report(0, 1, 1).await;
}

#[tokio::test]
async fn a_longer_and_a_shorter_branch() {
    both_sides_report(2, 1, 5).await;
    both_sides_report(2, 5, 1).await;
}

/// The search goes back in steps and forward again.
#[tokio::test]
async fn a_fork_far_back() {
    both_sides_report(40, 700, 900).await;
}

#[tokio::test]
async fn evidence_is_passed_on_and_the_log_rests() {
    let (world, other) = forked(2, 1, 1);
    let third = replica(&World::new(8, 3));
    let server = serve(&world.space, None).await;
    sync(&other, &server).await;
    // The third node has neither branch. It learns of the fork before it takes one.
    let server = serve(&other, None).await;
    let tail = sync(&third, &server).await;
    assert_reported(&tail, &third, 2);
    let seq = third.tip(1).unwrap().seq(1).unwrap();
    assert_eq!(seq, 2, "the log rests at the fork");

    let branch = other.log(1, 2, 1).unwrap().remove(0).1;
    let batch = rootfold_core::log::LogBatch { writer: 1, first_seq: 2, ops: vec![branch] };
    let submission = Submission { batches: vec![batch], values: Vec::new() };
    let refused = third.ingest(&submission).unwrap_err();
    assert!(matches!(refused, IngestError::Rests { writer: 1, seq: 3, shared: 2 }), "{refused}");
    let writes = vec![Write::new(key("more"), None)];
    let refused = third.write(1, &world.secrets[1], writes.clone()).unwrap_err();
    assert!(matches!(refused, WriteError::Forked { writer: 1, shared: 2 }), "{refused}");

    // Until the operator accepts the branch that this node holds.
    assert!(third.accept_fork(1).unwrap());
    let tail = sync(&third, &server).await;
    assert_eq!((tail.ops, tail.forks.len()), (1, 0));
    third.write(1, &world.secrets[1], writes).unwrap();
    assert!(third.fork(1).unwrap().is_some(), "the evidence stays");
}

#[tokio::test]
async fn forks_survive_a_restart() {
    let (world, other) = forked(1, 1, 1);
    let server = serve(&other, None).await;
    sync(&world.space, &server).await;
    let reopened = Space::open(world.store.clone()).unwrap();
    assert_eq!(reopened.forks(), world.space.forks());
    assert_eq!(reopened.fork(1).unwrap(), world.space.fork(1).unwrap());
}

/// Ops that the writer did not sign are the fault of the peer.
#[tokio::test]
async fn forged_ops_are_no_fork() {
    let world = World::new(8, 3);
    write(&world.space, 1, &world.secrets[1], "a");
    let other = replica(&world);
    write(&world.space, 1, &world.secrets[1], "b");
    write(&world.space, 2, &world.secrets[2], "honest");
    let lies = Lies {
        log: Some(|response| {
            for batch in response.submission.iter_mut().flat_map(|s| &mut s.batches) {
                if batch.writer == 1 {
                    batch.ops.iter_mut().for_each(|op| op.ts += 1);
                }
            }
        }),
        ..Lies::default()
    };
    let liar = serve_lies(&world.space, None, lies).await;
    let tail = sync(&other, &liar).await;
    assert!(tail.forks.is_empty() && other.forks().is_empty());
    let [fault] = &tail.faults[..] else { panic!("{:?}", tail.faults) };
    assert!(
        matches!(*fault.cause, PeerCause::Forged { writer: 1 }) && fault.is_refusal(),
        "{fault}"
    );
    assert!(other.get(At::Latest, &key("honest")).unwrap().is_some(), "the others go on");
}

#[test]
fn evidence_of_another_space_is_refused() {
    let (world, other) = forked(1, 1, 1);
    let stranger = World::new(9, 3);
    write(&stranger.space, 1, &stranger.secrets[1], "a");
    let op = |space: &Space| space.log(1, 1, 1).unwrap().remove(0).1;
    let branch = |space: &Space| rootfold_core::log::LogBatch {
        writer: 1,
        first_seq: 1,
        ops: vec![op(space)],
    };
    let base = world.space.head_at(1, 1).unwrap().unwrap();
    let fork = Fork { writer: 1, base, branches: [branch(&world.space), branch(&other)] };
    let fork = fork.check().unwrap();
    let refused = stranger.space.keep_fork(&fork).unwrap_err();
    assert!(matches!(refused, ForkRefused::OtherLog { writer: 1 }), "{refused}");
    assert!(world.space.keep_fork(&fork).unwrap());
    assert!(!world.space.keep_fork(&fork).unwrap(), "it is known");
}

/// Threads of one process that write for one writer do not fork the log.
#[test]
fn writers_that_race_do_not_fork_the_log() {
    let world = World::new(8, 2);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (space, secret) = (world.space.clone(), &world.secrets[1]);
            scope.spawn(move || {
                for index in 0..5 {
                    let key = key(&format!("{thread} {index}"));
                    space.write(1, secret, vec![Write::new(key, None)]).unwrap();
                }
            });
        }
    });
    assert_eq!(world.tip(1).seq(1).unwrap(), 20);
    assert!(world.space.forks().is_empty());
}
