//! Bad submissions get an error that names the writer and the op, and leave the store unchanged.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{batch_after, genesis, key, put, rng, secret, submission, World, NOW};
use proptest::prelude::*;
use rand::{seq::SliceRandom, Rng};
use rootfold_core::{
    head::Head,
    key::{Key, KEY_BYTES},
    log::{LogBatch, LogError, Op, SignedOp},
    value::{tombstone, MAX_VALUE},
    F,
};
use rootfold_light::{
    query::At,
    signing::{compose, Change},
    submission::Submission,
    values::{Value, ValueError},
};
use rootfold_node::{
    space::{IngestError, Space},
    store::MemoryStore,
};
use rootfold_proto::limits::{MAX_BATCH_OPS, MAX_GROUP_BYTES, MAX_GROUP_OPS};

/// Ingests a bad submission, and compares the store before and after.
fn refused(world: &World, submission: &Submission) -> IngestError {
    let (before, status) = (world.dump(), world.space.status());
    let e = world.space.ingest(submission).expect_err("a refusal");
    assert_eq!(world.dump(), before, "the store changed on: {e}");
    assert_eq!(world.space.status(), status);
    assert!(e.is_refusal(), "{e}");
    println!("{e}");
    e
}

fn started() -> World {
    let world = World::new(7, 3);
    world.write(1, &[("x", Some(b"0")), ("y", Some(b"1"))]);
    world
}

#[test]
fn wrong_signature() {
    let world = started();
    let mut bad = world.compose(1, &[("a", Some(b"1")), ("b", Some(b"2"))]);
    // A signature over the first op does not cover the second.
    let first = world.compose(1, &[("a", Some(b"1"))]);
    bad.batches[0].ops[1].signature = first.batches[0].ops[0].signature;
    let e = refused(&world, &bad);
    assert!(matches!(e, IngestError::Log(LogError::Signature { writer: 1, seq: 4, .. })), "{e}");
}

#[test]
fn signed_by_another() {
    let world = started();
    let (op, value) = put(u64::MAX / 2, "a", b"1");
    let mut tip = world.tip(1);
    tip.head.public_key = secret(9).public_key();
    let bad = submission(batch_after(&tip, 1, &secret(9), &[op]), vec![value]);
    let e = refused(&world, &bad);
    assert!(matches!(e, IngestError::Log(LogError::Signature { writer: 1, seq: 3, .. })), "{e}");
}

#[test]
fn wrong_previous_head() {
    let world = started();
    let mut tip = world.tip(1);
    tip.head.head += F::from(1u64);
    let (op, value) = put(u64::MAX / 2, "a", b"1");
    let bad = submission(batch_after(&tip, 1, &world.secrets[1], &[op]), vec![value]);
    let e = refused(&world, &bad);
    assert!(matches!(e, IngestError::Log(LogError::Signature { writer: 1, seq: 3, .. })), "{e}");
}

#[test]
fn clock_that_does_not_ascend() {
    let world = started();
    let tip = world.tip(1);
    for ts in [0, tip.stamp.ts - 1, tip.stamp.ts] {
        let (op, value) = put(ts, "a", b"1");
        // SignedOp::sign refuses such an op.
        let signature = world.secrets[1].sign(F::from(1u64));
        let ops = vec![SignedOp { op, signature: Some(signature) }];
        let batch = LogBatch { writer: 1, first_seq: 2, ops };
        let e = refused(&world, &submission(batch, vec![value]));
        let IngestError::Log(LogError::ClockNotGrowing { writer: 1, seq: 3, ts: said, .. }) = e
        else {
            panic!("{e}")
        };
        assert_eq!(said, ts);
    }
}

#[test]
fn key_that_nobody_may_write() {
    let world = started();
    let mut foreign = *key("a").as_bytes();
    foreign[0] = 0x04;
    let mut odd_system_key = [0; KEY_BYTES];
    odd_system_key[KEY_BYTES - 1] = 1;
    let keys = [Key::START, Key::END, Key::from_bytes(foreign), Key::from_bytes(odd_system_key)];
    for (key, writer) in keys.into_iter().flat_map(|key| [(key, 0), (key, 1)]) {
        let value = Value::user(b"1".to_vec());
        let op = Op { more: false, ts: u64::MAX / 2, key, value: value.name.digest };
        let batch = world.signed_at_end(writer, &[op]);
        let e = refused(&world, &submission(batch, vec![value]));
        let IngestError::Log(LogError::KeyRefused { writer: who, key: what, .. }) = e else {
            panic!("{e}")
        };
        assert_eq!((who, what), (writer, key));
    }
}

#[test]
fn value_over_the_limit() {
    let world = started();
    let (op, value) = put(u64::MAX / 2, "a", &vec![7; MAX_VALUE + 1]);
    let e = refused(&world, &submission(world.signed_at_end(1, &[op]), vec![value]));
    let IngestError::Value { writer: 1, seq: 3, source } = e else { panic!("{e}") };
    assert_eq!(source, ValueError::TooLarge { length: MAX_VALUE + 1 });

    let (op, value) = put(u64::MAX / 2, "a", &vec![7; MAX_VALUE]);
    world.space.ingest(&submission(world.signed_at_end(1, &[op]), vec![value])).unwrap();
}

#[test]
fn value_that_does_not_match_its_digest() {
    let world = started();
    let (op, mut value) = put(u64::MAX / 2, "a", b"1");
    value.content = b"2".to_vec();
    let e = refused(&world, &submission(world.signed_at_end(1, &[op]), vec![value]));
    assert!(
        matches!(e, IngestError::Value { writer: 1, seq: 3, source: ValueError::Mismatch { .. } }),
        "{e}"
    );
}

#[test]
fn value_that_nobody_has() {
    let world = started();
    let (op, _) = put(u64::MAX / 2, "a", b"1234");
    let e = refused(&world, &submission(world.signed_at_end(1, &[op]), Vec::new()));
    assert!(matches!(e, IngestError::ValueMissing { writer: 1, seq: 3, .. }), "{e}");
}

#[test]
fn digest_of_a_head_as_a_users_value() {
    // No node could serve such a value: no known bytes have that BLAKE3 digest.
    let world = started();
    let head = Value::head(&world.tip(1).head);
    let op = Op { more: false, ts: u64::MAX / 2, key: key("a"), value: head.name.digest };
    let e = refused(&world, &submission(world.signed_at_end(1, &[op]), vec![head]));
    assert!(matches!(e, IngestError::ValueMissing { writer: 1, seq: 3, .. }), "{e}");
}

#[test]
fn unknown_writer() {
    let world = started();
    let mut bad = world.compose(1, &[("a", Some(b"1"))]);
    bad.batches[0].writer = 77;
    let e = refused(&world, &bad);
    assert!(matches!(e, IngestError::Log(LogError::UnknownWriter { writer: 77 })), "{e}");
}

#[test]
fn cut_log() {
    let world = started();
    let mut bad = world.compose(1, &[("a", Some(b"1")), ("b", Some(b"2"))]);
    // The first op is missing, and the batch states it.
    bad.batches[0].ops.remove(0);
    bad.batches[0].first_seq += 1;
    let e = refused(&world, &bad);
    assert!(
        matches!(e, IngestError::Log(LogError::Gap { writer: 1, expected: 2, first_seq: 3 })),
        "{e}"
    );
    // The first op is missing, and the batch hides it.
    bad.batches[0].first_seq -= 1;
    let e = refused(&world, &bad);
    assert!(matches!(e, IngestError::Log(LogError::Signature { writer: 1, seq: 3, .. })), "{e}");
}

#[test]
fn far_gap_does_not_overflow() {
    let world = started();
    let mut bad = world.compose(1, &[("a", Some(b"1"))]);
    bad.batches[0].first_seq = u64::MAX;
    let e = refused(&world, &bad);
    assert!(matches!(e, IngestError::Log(LogError::Gap { writer: 1, .. })), "{e}");
}

#[test]
fn forked_log() {
    let world = started();
    let fork = world.compose(1, &[("a", Some(b"ours"))]);
    let other = world.compose(1, &[("a", Some(b"theirs")), ("b", Some(b"2"))]);
    world.space.ingest(&fork).unwrap();
    let e = refused(&world, &other);
    assert!(matches!(e, IngestError::Fork { writer: 1, seq: 3 }), "{e}");
    // A fork within one submission.
    let (mut first, second) =
        (world.compose(2, &[("c", Some(b"1"))]), world.compose(2, &[("c", Some(b"2"))]));
    first.batches.extend(second.batches);
    first.values.extend(second.values);
    let e = refused(&world, &first);
    assert!(matches!(e, IngestError::Fork { writer: 2, seq: 1 }), "{e}");
}

#[test]
fn reordered_log() {
    let world = started();
    let mut bad = world.compose(1, &[("a", Some(b"1")), ("b", Some(b"2")), ("c", Some(b"3"))]);
    bad.batches[0].ops.swap(0, 1);
    let e = refused(&world, &bad);
    // The ops before the last one are unsigned; their clocks show the order.
    assert!(
        matches!(e, IngestError::Log(LogError::ClockNotGrowing { writer: 1, seq: 4, .. })),
        "{e}"
    );
}

#[test]
fn unsigned_batches() {
    let world = started();
    let mut bad = world.compose(1, &[("a", Some(b"1"))]);
    bad.batches[0].ops[0].signature = None;
    let e = refused(&world, &bad);
    assert!(matches!(e, IngestError::Log(LogError::Unsigned { writer: 1, seq: 3 })), "{e}");

    let many: Vec<Op> = (0..MAX_GROUP_OPS as u64)
        .map(|i| Op { more: false, ts: u64::MAX / 2 + i, key: key("a"), value: tombstone() })
        .collect();
    let good = world.signed_at_end(1, &many);
    world.space.ingest(&submission(good, Vec::new())).unwrap();
}

/// The largest group is taken in as a whole, and sent on. Values that no message could carry are refused.
#[test]
fn groups_of_many_ops() {
    let world = started();
    let text = |i: usize| format!("k{i:05}");
    let names: Vec<String> = (0..MAX_GROUP_OPS).map(text).collect();
    let changes: Vec<(&str, Option<&[u8]>)> =
        names.iter().map(|name| (name.as_str(), Some(name.as_bytes()))).collect();
    let whole = world.compose(1, &changes);
    assert_eq!(world.space.ingest(&whole).unwrap().ops, MAX_GROUP_OPS as u64);
    // The same ops without the last one are a group that is cut.
    let mut cut = world.compose(2, &changes);
    cut.batches[0].ops.pop();
    let e = refused(&world, &cut);
    assert!(matches!(e, IngestError::Log(LogError::Unsigned { writer: 2, .. })), "{e}");

    let large: Vec<Vec<u8>> = (0..=MAX_GROUP_BYTES / MAX_VALUE)
        .map(|i| [&i.to_be_bytes()[..], &vec![0; MAX_VALUE - 8]].concat())
        .collect();
    let changes: Vec<(&str, Option<&[u8]>)> =
        names.iter().zip(&large).map(|(name, value)| (name.as_str(), Some(&value[..]))).collect();
    let e = refused(&world, &world.compose(2, &changes));
    assert!(matches!(e, IngestError::GroupTooLarge { writer: 2, .. }), "{e}");
    let fits = &changes[..MAX_GROUP_BYTES / MAX_VALUE];
    world.space.ingest(&world.compose(2, fits)).unwrap();
}

#[test]
fn empty_and_endless_batches() {
    let world = started();
    let empty = LogBatch { writer: 1, first_seq: 2, ops: Vec::new() };
    let e = refused(&world, &submission(empty, Vec::new()));
    assert!(matches!(e, IngestError::Log(LogError::Empty { writer: 1 })), "{e}");

    let op = SignedOp { op: put(5, "a", b"1").0, signature: None };
    let endless = LogBatch { writer: 1, first_seq: 2, ops: vec![op; MAX_BATCH_OPS + 1] };
    let e = refused(&world, &submission(endless, Vec::new()));
    assert!(matches!(e, IngestError::BatchTooLong { writer: 1, .. }), "{e}");
}

#[test]
fn grants_that_are_refused() {
    let world = started();
    let newcomer = secret(50).public_key();
    let good = world.grant(9, newcomer);

    // A grant of another writer than the owner.
    let mut op = good.batches[0].ops[0].op;
    op.ts = u64::MAX / 2;
    let e = refused(&world, &submission(world.signed_at_end(1, &[op]), good.values.clone()));
    assert!(matches!(e, IngestError::Log(LogError::NotOwner { writer: 1, seq: 3, of: 9 })), "{e}");
    // A grant of an existing writer.
    let twice = world.grant(1, newcomer);
    let e = refused(&world, &twice);
    assert!(
        matches!(e, IngestError::Log(LogError::GrantedAlready { writer: 0, granted: 1, .. })),
        "{e}"
    );
    // Grants without a head, with a wrong head, and with a tombstone.
    let without = submission(good.batches[0].clone(), Vec::new());
    let e = refused(&world, &without);
    assert!(matches!(e, IngestError::ValueMissing { writer: 0, seq: 1, .. }), "{e}");
    let mut wrong = good.clone();
    wrong.values[0].content[127] ^= 1;
    let e = refused(&world, &wrong);
    assert!(matches!(e, IngestError::Value { writer: 0, seq: 1, .. }), "{e}");
    let nothing = Op { more: false, ts: u64::MAX / 2, key: Key::head(9), value: tombstone() };
    let e = refused(&world, &submission(world.signed_at_end(0, &[nothing]), Vec::new()));
    assert!(matches!(e, IngestError::ValueMissing { writer: 0, seq: 1, .. }), "{e}");

    // The good grant.
    world.space.ingest(&good).unwrap();
    assert_eq!(world.tip(9).head.public_key, newcomer);
}

#[test]
fn one_bad_op_refuses_the_whole_submission() {
    let world = started();
    let mut bad = world.compose(1, &[("a", Some(b"1"))]);
    let mut other = world.compose(2, &[("b", Some(b"2"))]);
    other.batches[0].ops[0].op.ts += 1;
    bad.batches.extend(other.batches);
    bad.values.extend(other.values);
    let e = refused(&world, &bad);
    assert!(matches!(e, IngestError::Log(LogError::Signature { writer: 2, seq: 1, .. })), "{e}");
}

#[test]
fn ops_that_are_held_are_skipped() {
    let world = started();
    let first = world.compose(1, &[("a", Some(b"1")), ("b", Some(b"2"))]);
    assert_eq!(world.space.ingest(&first).unwrap().ops, 2);
    let before = world.dump();
    assert_eq!(world.space.ingest(&first).unwrap().ops, 0);
    assert_eq!(world.dump(), before);

    // Half of the ops are new.
    let more = world.compose(1, &[("c", Some(b"3"))]);
    let mut overlapping = first.clone();
    overlapping.batches[0].ops.extend(more.batches[0].ops.clone());
    overlapping.values.extend(more.values);
    assert_eq!(world.space.ingest(&overlapping).unwrap().ops, 1);
    assert_eq!(world.tip(1).seq(1).unwrap(), 5);
}

#[test]
fn values_that_no_op_needs_are_not_kept() {
    let world = started();
    let mut extra = world.compose(1, &[("a", Some(b"1"))]);
    let stray = Value::user(b"stray".to_vec());
    extra.values.push(stray.clone());
    world.space.ingest(&extra).unwrap();
    assert_eq!(world.space.value(&stray.name).unwrap(), None);
}

#[test]
fn a_grant_and_the_granted_writers_ops_in_one_submission() {
    let world = started();
    let newcomer = secret(50);
    let salt = world.genesis.salt;
    let mut both = world.grant(9, newcomer.public_key());
    let granted = both.batches[0].ops[0].op.stamp(0);
    let tip = rootfold_core::log::Tip {
        head: Head::first(salt, newcomer.public_key(), true),
        stamp: granted,
    };
    let change = Change::new(key("n"), Some(b"hello".to_vec()), NOW);
    let (ops, _) = compose(&tip, 9, &newcomer, vec![change]).unwrap();
    both.batches.extend(ops.batches);
    both.values.extend(ops.values);
    assert_eq!(world.space.ingest(&both).unwrap().ops, 2);
    let found = world.space.get(At::Latest, &key("n")).unwrap().unwrap();
    assert_eq!((found.value, found.entry.stamp.writer), (Some(b"hello".to_vec()), 9));
    assert_eq!(world.rebuilt(), world.space.status().root);

    let reopened = Space::open(world.store.clone()).unwrap();
    assert_eq!(reopened.status(), world.space.status());
    assert_eq!(reopened.writers(), world.space.writers());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// The root does not depend on the order of submissions or on their cuts.
    #[test]
    fn any_order_and_any_cut_give_one_root(seed in any::<u64>()) {
        let mut rng = rng(seed);
        let (genesis, secrets) = genesis(seed, 4);
        // Four logs in submissions of one op each.
        let mut logs: Vec<Vec<Submission>> = Vec::new();
        for (writer, (_, mut tip)) in genesis.heads().into_iter().enumerate() {
            let mut log = Vec::new();
            for _ in 0..rng.gen_range(1..12) {
                let k = format!("k{}", rng.gen_range(0..9));
                let value = rng.gen_bool(0.8).then(|| vec![rng.gen::<u8>(); 3]);
                let at = rng.gen_range(0..50);
                let change = Change::new(key(&k), value, at);
                let (one, next) =
                    compose(&tip, writer as u32, &secrets[writer], vec![change]).unwrap();
                tip = next;
                log.push(one);
            }
            logs.push(log);
        }
        let mut roots = Vec::new();
        for _ in 0..3 {
            let space =
                Space::create(std::sync::Arc::new(MemoryStore::new()), &genesis).unwrap();
            let mut rest: Vec<_> = logs.iter().map(|log| log.iter()).collect();
            let mut order: Vec<usize> =
                logs.iter().enumerate().flat_map(|(w, log)| vec![w; log.len()]).collect();
            order.shuffle(&mut rng);
            let mut cut = Submission::default();
            for writer in order {
                let one = rest[writer].next().unwrap().clone();
                cut.batches.extend(one.batches);
                cut.values.extend(one.values);
                if rng.gen_bool(0.4) {
                    space.ingest(&std::mem::take(&mut cut)).unwrap();
                }
            }
            space.ingest(&cut).unwrap();
            let status = space.status();
            roots.push((status.root, status.ops, status.entries));
        }
        prop_assert!(roots.windows(2).all(|pair| pair[0] == pair[1]), "{roots:?}");
    }
}
