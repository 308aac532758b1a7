//! Ops whose clocks are ahead of the node's.

use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};

use rootfold_core::log::Tip;
use rootfold_light::{
    query::At,
    signing::{compose, Change, COUNTER_BITS},
    submission::Submission,
};
use rootfold_node::{
    clock::Clock,
    space::{IngestError, Policy, Write, WriteError},
};

use crate::common::{key, World};

const MINUTE: u64 = 60_000;

/// A clock that a test sets.
#[derive(Default)]
struct Hands(AtomicU64);

impl Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A space on a node whose clock shows one hour.
fn world() -> (World, Arc<Hands>) {
    let world = World::new(3, 3);
    let hands = Arc::new(Hands(AtomicU64::new(60 * MINUTE)));
    world.space.set_policy(Policy { clock: hands.clone(), ..Policy::default() });
    (world, hands)
}

fn dated(world: &World, tip: &Tip, at: u64, k: &str) -> (Submission, Tip) {
    let change = Change::new(key(k), Some(b"v".to_vec()), at);
    compose(tip, 1, &world.secrets[1], vec![change]).unwrap()
}

fn put(k: &str) -> Vec<Write> {
    vec![Write::new(key(k), Some(b"mine".to_vec()))]
}

#[test]
fn an_op_that_is_far_ahead_is_held_back_until_its_time() {
    let (world, hands) = world();
    let (far, _) = dated(&world, &world.tip(1), 71 * MINUTE, "k");
    let before = world.dump();
    let refused = world.space.ingest(&far).unwrap_err();
    let IngestError::Ahead { writer: 1, seq: 1, ahead } = &refused else { panic!("{refused}") };
    assert_eq!(*ahead, Duration::from_secs(11 * 60));
    assert!(!refused.is_refusal(), "it is nobody's fault but the writer's");
    assert_eq!(world.dump(), before);
    let each = world.space.ingest_each(&far).unwrap();
    assert_eq!((each.ingested.ops, each.refused.len()), (0, 1));

    hands.0.store(61 * MINUTE, Ordering::Relaxed);
    assert_eq!(world.space.ingest(&far).unwrap().ops, 1);
}

#[test]
fn a_log_is_taken_up_to_the_op_that_is_ahead() {
    let (world, _) = world();
    let (mut both, tip) = dated(&world, &world.tip(1), 69 * MINUTE, "now");
    let (far, _) = dated(&world, &tip, 90 * MINUTE, "far");
    both.batches[0].ops.extend(far.batches[0].ops.clone());
    let each = world.space.ingest_each(&both).unwrap();
    assert_eq!(each.ingested.ops, 1);
    assert!(matches!(each.refused[..], [IngestError::Ahead { writer: 1, seq: 2, .. }]));
    assert!(world.space.get(At::Latest, &key("now")).unwrap().is_some());
    assert!(world.space.get(At::Latest, &key("far")).unwrap().is_none());
}

/// The log of a writer who follows such a stamp would soon be unable to grow.
#[test]
fn a_local_write_does_not_follow_a_stamp_that_is_far_ahead() {
    let (world, hands) = world();
    hands.0.store(600 * MINUTE, Ordering::Relaxed);
    let (far, _) = dated(&world, &world.tip(1), 605 * MINUTE, "k");
    world.space.ingest(&far).unwrap();
    // The clock of this machine is set back.
    hands.0.store(60 * MINUTE, Ordering::Relaxed);
    let before = world.dump();
    let refused = world.space.write(2, &world.secrets[2], put("k")).unwrap_err();
    assert!(matches!(refused, WriteError::EntryAhead { writer: 1, .. }), "{refused}");
    assert!(refused.to_string().contains("nothing was written"), "{refused}");
    let refused = world.space.write(1, &world.secrets[1], put("other")).unwrap_err();
    assert!(matches!(refused, WriteError::LogAhead { writer: 1, .. }), "{refused}");
    assert_eq!(world.dump(), before);
    // Other keys and other writers go on.
    world.space.write(2, &world.secrets[2], put("other")).unwrap();
}

#[test]
fn a_local_write_is_visible_and_keeps_to_the_clock() {
    let (world, _) = world();
    let (ahead, _) = dated(&world, &world.tip(1), 65 * MINUTE, "k");
    world.space.ingest(&ahead).unwrap();
    let written = world.space.write(2, &world.secrets[2], put("k")).unwrap();
    let found = world.space.get(At::Latest, &key("k")).unwrap().unwrap();
    assert_eq!((found.value.as_deref(), found.entry.stamp), (Some(&b"mine"[..]), written.stamp));
    assert_eq!(written.stamp.ts >> COUNTER_BITS, 65 * MINUTE + 1);
    let written = world.space.write(2, &world.secrets[2], put("another key")).unwrap();
    assert!(written.stamp.ts >> COUNTER_BITS <= 65 * MINUTE + 1);
}

#[test]
fn a_denied_writer_and_a_full_quota_are_refused() {
    let (world, hands) = world();
    let policy = Policy { clock: hands, ..Policy::default() };
    world.space.set_policy(Policy { denied: [1].into(), ..policy.clone() });
    let ops = world.compose(1, &[("a", Some(b"1"))]);
    assert!(matches!(world.space.ingest(&ops), Err(IngestError::Denied { writer: 1 })));
    world.write(2, &[("a", Some(b"1"))]);

    world.space.set_policy(Policy { max_writer_bytes: Some(2_000), ..policy });
    world.space.ingest(&ops).unwrap();
    let large = vec![1; 1_500];
    world.write(1, &[("b", Some(&large))]);
    let more = world.compose(1, &[("c", Some(b"2"))]);
    let refused = world.space.ingest(&more).unwrap_err();
    assert!(matches!(refused, IngestError::Quota { writer: 1, limit: 2_000, .. }), "{refused}");
    world.write(2, &[("c", Some(b"2"))]);
}
