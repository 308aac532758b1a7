//! Logs: batches that continue a log, and batches that do not.

use ark_ff::AdditiveGroup;
use rootfold_core::{
    eddsa::{KeyRefused, PublicKey, SignatureRefused},
    head::Head,
    key::Key,
    log::{LogBatch, LogError, Op, SignedOp, Tip},
    run::extend,
    stamp::Stamp,
    F,
};

use crate::common::{put, secret_of, Writer};

/// Writers 0 and 1 are admitted.
fn known(writer: u32) -> bool {
    writer < 2
}

/// Writer 1's log of four ops, its tip before them, and the tip after.
fn four() -> (Tip, LogBatch, Tip) {
    let mut writer = Writer::genesis(1);
    let before = writer.tip;
    let ops = [put(10, "a", "1"), put(11, "b", "2"), put(12, "a", "3"), put(20, "c", "4")];
    let batch = writer.batch(&ops);
    (before, batch, writer.tip)
}

/// The error with which `batch` is refused after `change`.
fn refused(change: impl FnOnce(&mut LogBatch)) -> LogError {
    let (before, mut batch, _) = four();
    change(&mut batch);
    extend(&before, &known, &batch).unwrap_err()
}

fn is_wrong_signature(error: &LogError, at: u64) -> bool {
    *error == LogError::Signature { writer: 1, seq: at, source: SignatureRefused::WrongSignature }
}

#[test]
fn continues() {
    let (before, batch, after) = four();
    assert_eq!(extend(&before, &known, &batch).unwrap().after(), after);
    assert_eq!(after.stamp, Stamp { ts: 20, writer: 1 });
    assert_eq!(after.head.seq, F::from(4u64));
}

#[test]
fn continues_in_pieces() {
    let (before, batch, after) = four();
    for cut in 1..4 {
        let mut front = batch.clone();
        let ops = front.ops.split_off(cut);
        let middle = extend(&before, &known, &front).unwrap().after();
        let back = LogBatch { writer: 1, first_seq: cut as u64, ops };
        assert_eq!(extend(&middle, &known, &back).unwrap().after(), after);
    }
}

#[test]
fn a_checked_run_takes_only_the_one_that_follows() {
    let (before, batch, _) = four();
    let whole = extend(&before, &known, &batch).unwrap();
    let mut front = batch.clone();
    let back = LogBatch { writer: 1, first_seq: 2, ops: front.ops.split_off(2) };
    let mut run = extend(&before, &known, &front).unwrap();
    let back = extend(&run.after(), &known, &back).unwrap();
    run.append(back.clone()).unwrap();
    assert_eq!(run, whole);
    let mut other = Writer::genesis(0);
    let other_before = other.tip;
    let other = extend(&other_before, &known, &other.batch(&[put(30, "a", "5")])).unwrap();
    for (next, first_seq) in [(back, 2), (other, 0)] {
        let refused = run.append(next).unwrap_err();
        assert_eq!(refused, LogError::Gap { writer: 1, expected: 4, first_seq });
        assert_eq!(run, whole);
    }
}

#[test]
fn one_signature_covers_all_before_it() {
    let (before, mut batch, after) = four();
    batch.ops[..3].iter_mut().for_each(|signed| signed.signature = None);
    assert_eq!(extend(&before, &known, &batch).unwrap().after(), after);
}

#[test]
fn tombstones_and_any_value_are_ops() {
    let mut writer = Writer::genesis(1);
    let before = writer.tip;
    let tombstone = Op { value: F::ZERO, ..put(1, "a", "") };
    let largest = Op { value: -F::from(1u64), ..put(u64::MAX, "a", "") };
    let batch = writer.batch(&[tombstone, largest]);
    assert_eq!(extend(&before, &known, &batch).unwrap().after(), writer.tip);
}

#[test]
fn every_93_bytes_that_begin_with_1_are_a_key() {
    let mut writer = Writer::genesis(1);
    let before = writer.tip;
    let mut bytes = [0xff; 93];
    bytes[0] = 1;
    let high = Op { key: Key::from_bytes(bytes), ..put(1, "a", "") };
    bytes[1..].fill(0);
    let low = Op { key: Key::from_bytes(bytes), ..put(2, "a", "") };
    let batch = writer.batch(&[high, low]);
    assert_eq!(extend(&before, &known, &batch).unwrap().after(), writer.tip);
}

#[test]
fn cut() {
    let unsigned = refused(|b| b.ops[3].signature = None);
    assert_eq!(unsigned, LogError::Unsigned { writer: 1, seq: 4 });
    let empty = refused(|b| b.ops.clear());
    assert_eq!(empty, LogError::Empty { writer: 1 });
    // The first op is missing, with and without a matching `first_seq`.
    let front = refused(|b| {
        b.ops.remove(0);
        b.first_seq = 1;
    });
    assert_eq!(front, LogError::Gap { writer: 1, expected: 0, first_seq: 1 });
    let front = refused(|b| {
        b.ops.remove(0);
    });
    assert!(is_wrong_signature(&front, 1));
    let middle = refused(|b| {
        b.ops.remove(1);
    });
    assert!(is_wrong_signature(&middle, 2));
}

#[test]
fn reordered() {
    assert_eq!(
        refused(|b| b.ops.swap(1, 2)),
        // Op 2 is now b.ops[2], whose signature is over another head.
        LogError::Signature { writer: 1, seq: 2, source: SignatureRefused::WrongSignature }
    );
    // With swapped clocks, and only the last signature.
    let error = refused(|b| {
        b.ops.swap(1, 2);
        (b.ops[1].op.ts, b.ops[2].op.ts) = (11, 12);
        b.ops[..3].iter_mut().for_each(|signed| signed.signature = None);
    });
    assert!(is_wrong_signature(&error, 4));
    let error = refused(|b| {
        b.ops.swap(1, 2);
        b.ops[..3].iter_mut().for_each(|signed| signed.signature = None);
    });
    assert_eq!(error, LogError::ClockNotGrowing { writer: 1, seq: 3, ts: 11, previous: 12 });
}

#[test]
fn changed() {
    for change in [
        (|op| op.value += F::from(1u64)) as fn(&mut Op),
        |op| op.key = Key::shared(b"elsewhere").unwrap(),
        |op| op.ts += 1,
    ] {
        let error = refused(|b| change(&mut b.ops[3].op));
        assert!(is_wrong_signature(&error, 4));
        // An early op is changed, and all signatures but the last are removed.
        let error = refused(|b| {
            b.ops[..3].iter_mut().for_each(|signed| signed.signature = None);
            change(&mut b.ops[2].op);
        });
        assert!(is_wrong_signature(&error, 4));
    }
}

#[test]
fn a_wrong_signature_in_the_middle() {
    let error = refused(|b| b.ops[1].signature = b.ops[0].signature);
    assert!(is_wrong_signature(&error, 2));
}

#[test]
fn signed_by_another() {
    let (before, batch, _) = four();
    let mut thief = Writer::genesis(1);
    thief.secret = secret_of(2);
    let stolen = SignedOp::sign(&before, 1, batch.ops[0].op, &thief.secret);
    assert_eq!(stolen, Err(LogError::NotYourLog { writer: 1 }));
    let error = refused(|b| {
        let tip = before.apply(1, &b.ops[0].op).unwrap();
        let message = rootfold_core::head::signed_message(tip.head.head, tip.head.seq);
        b.ops[0].signature = Some(secret_of(2).sign(message));
    });
    assert!(is_wrong_signature(&error, 1));
}

/// The writer's ops under another writer's id: the item binds the id.
#[test]
fn under_another_name() {
    let (before, batch, _) = four();
    let twin = Tip { stamp: Stamp { ts: 0, writer: 0 }, ..before };
    let error = extend(&twin, &known, &LogBatch { writer: 0, ..batch }).unwrap_err();
    let source = SignatureRefused::WrongSignature;
    assert_eq!(error, LogError::Signature { writer: 0, seq: 1, source });
}

/// The same ops in a space with another salt.
#[test]
fn in_another_space() {
    let (before, batch, _) = four();
    let other = Tip::genesis(F::from(1u64), 1, before.head.public_key, true);
    let error = extend(&other, &known, &batch).unwrap_err();
    assert!(is_wrong_signature(&error, 1));
}

#[test]
fn gap_and_repetition() {
    let (_, batch, after) = four();
    let again = extend(&after, &known, &batch).unwrap_err();
    assert_eq!(again, LogError::Gap { writer: 1, expected: 4, first_seq: 0 });
    let later = refused(|b| b.first_seq = u64::MAX);
    assert_eq!(later, LogError::Gap { writer: 1, expected: 0, first_seq: u64::MAX });
}

/// A writer signs two continuations of op 2. Each is accepted, but not one after the other.
#[test]
fn forked() {
    let mut writer = Writer::genesis(1);
    writer.batch(&[put(10, "a", "1"), put(11, "b", "2")]);
    let common = writer.tip;
    let left = writer.batch(&[put(12, "a", "left"), put(13, "a", "left again")]);
    let left_tip = writer.tip;
    writer.tip = common;
    let mut right = writer.batch(&[put(14, "a", "right"), put(15, "b", "right again")]);
    assert_eq!(extend(&common, &known, &left).unwrap().after(), left_tip);
    assert!(extend(&common, &known, &right).is_ok());
    let error = extend(&left_tip, &known, &right).unwrap_err();
    assert_eq!(error, LogError::Gap { writer: 1, expected: 4, first_seq: 2 });
    // The second half of the right branch does not continue the first half of the left one.
    right.ops.remove(0);
    right.first_seq = 3;
    let left_first = common.apply(1, &left.ops[0].op).unwrap();
    let error = extend(&left_first, &known, &right).unwrap_err();
    assert!(is_wrong_signature(&error, 4));
}

#[test]
fn clock_does_not_grow() {
    for ts in [12, 11, 0] {
        let error = refused(|b| b.ops[3].op.ts = ts);
        assert_eq!(error, LogError::ClockNotGrowing { writer: 1, seq: 4, ts, previous: 12 });
    }
    // Genesis heads have ts 0, so the first op has at least ts 1.
    let error = refused(|b| b.ops[0].op.ts = 0);
    assert_eq!(error, LogError::ClockNotGrowing { writer: 1, seq: 1, ts: 0, previous: 0 });
    let (_, _, after) = four();
    let error = after.apply(1, &put(20, "d", "")).unwrap_err();
    assert_eq!(error, LogError::ClockNotGrowing { writer: 1, seq: 5, ts: 20, previous: 20 });
}

#[test]
fn keys_that_nobody_writes() {
    let mut four = [0u8; 93];
    four[0] = 4;
    let mut late = [0u8; 93];
    late[1] = 1;
    let mut below_heads = [0u8; 93];
    below_heads[92] = 7;
    let mut above_heads = [0u8; 93];
    above_heads[88] = 3;
    let others = [four, late, below_heads, above_heads].map(Key::from_bytes);
    for key in others.into_iter().chain([Key::START, Key::END]) {
        for id in [0, 1] {
            let mut writer = Writer::genesis(id);
            let before = writer.tip;
            let batch = writer.batch(&[put(1, "a", ""), Op { key, ..put(2, "a", "") }]);
            let error = extend(&before, &known, &batch).unwrap_err();
            assert_eq!(error, LogError::KeyRefused { writer: id, seq: 2, key });
        }
    }
}

#[test]
fn unknown_writer() {
    let mut writer = Writer::genesis(2);
    let before = writer.tip;
    let batch = writer.batch(&[put(1, "a", "")]);
    let error = extend(&before, &known, &batch).unwrap_err();
    assert_eq!(error, LogError::UnknownWriter { writer: 2 });
}

#[test]
fn a_key_that_signs_nothing() {
    let (_, batch, _) = four();
    let nobody = PublicKey { x: F::ZERO, y: F::from(1u64) };
    let tip = Tip::genesis(crate::common::salt(), 1, nobody, true);
    let source = SignatureRefused::Key(KeyRefused::SmallOrder);
    let error = extend(&tip, &known, &batch).unwrap_err();
    assert_eq!(error, LogError::Signature { writer: 1, seq: 1, source });
}

#[test]
fn op_numbers_end_below_2_64() {
    let (before, batch, _) = four();
    let with_seq = |seq: F| Tip { head: Head { seq, ..before.head }, ..before };
    let last = with_seq(F::from(u64::MAX - 1));
    let full = last.apply(1, &batch.ops[0].op).unwrap();
    assert_eq!(full.head.seq, F::from(u64::MAX));
    let exhausted = Err(LogError::SeqExhausted { writer: 1 });
    assert_eq!(full.apply(1, &batch.ops[1].op), exhausted);
    for seq in [F::from(1u128 << 64), -F::from(1u64)] {
        assert_eq!(with_seq(seq).apply(1, &batch.ops[0].op), exhausted);
        let refused = extend(&with_seq(seq), &known, &batch).unwrap_err();
        assert_eq!(refused, LogError::SeqExhausted { writer: 1 });
    }
}
