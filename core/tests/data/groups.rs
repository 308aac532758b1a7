//! Owned keys, marks and groups in logs (L9 to L11).

use rootfold_core::{
    head::Head,
    key::Key,
    log::{LogBatch, LogError, MarkRefusal, Op, Tip},
    mark::Mark,
    run::{extend, CheckedRun, Run},
    stamp::Stamp,
    value::tombstone,
    F,
};

use crate::common::{put, salt, secret_of, Writer};

fn known(writer: u32) -> bool {
    writer < 3
}

fn own(writer: u32) -> Key {
    Key::owned(writer, b"post").unwrap()
}

fn tagged(primary: &Op, term: &str) -> Op {
    let key = Mark::new(term.as_bytes(), b"1").unwrap().key(&primary.key);
    Op { key, ..*primary }
}

/// A put, two marks and the withdrawal of a third, and another put: one group of writer 1.
fn group() -> Vec<Op> {
    let post = Op { key: own(1), more: true, ..put(10, "", "hello") };
    let withdrawn = Op { value: tombstone(), ..tagged(&post, "old") };
    let last = put(11, "shared", "too");
    vec![post, tagged(&post, "cats"), tagged(&post, "dogs"), withdrawn, last]
}

fn writer(id: u32, shared: bool) -> Writer {
    let secret = secret_of(id);
    let tip = Tip::genesis(salt(), id, secret.public_key(), shared);
    Writer { id, secret, tip }
}

/// What a node says to these ops of writer 1.
fn says(shared: bool, ops: &[Op]) -> Result<CheckedRun, LogError> {
    let mut writer = writer(1, shared);
    let before = writer.tip;
    // Also ops that the log refuses are signed.
    let first_seq = 0;
    let mut signed = Vec::new();
    for op in ops {
        let head = writer.tip.head.after(op.item(1), op.more);
        writer.tip = Tip { head, stamp: op.stamp(1) };
        let message = rootfold_core::head::signed_message(head.head, head.seq);
        let signature = (!op.more).then(|| writer.secret.sign(message));
        signed.push(rootfold_core::log::SignedOp { op: *op, signature });
    }
    let batch = LogBatch { writer: 1, first_seq, ops: signed };
    let run = extend(&before, &known, &batch);
    // A run of the same ops, as a prover takes them, has the same verdict.
    if let Some(signature) = batch.ops.last().and_then(|last| last.signature) {
        let ops = ops.to_vec();
        let checked = Run { writer: 1, before, ops, signature }.check();
        assert_eq!(checked.as_ref().map(CheckedRun::after), run.as_ref().map(CheckedRun::after));
    }
    run
}

fn refused(ops: &[Op]) -> LogError {
    says(true, ops).unwrap_err()
}

fn mark_refused(seq: u64, reason: MarkRefusal) -> LogError {
    LogError::MarkRefused { writer: 1, seq, reason }
}

#[test]
fn a_group_is_one_run() {
    let run = says(true, &group()).unwrap();
    assert_eq!(run.after().head.seq, F::from(5u64));
    assert_eq!(run.after().stamp, Stamp { ts: 11, writer: 1 });
}

#[test]
fn a_group_is_signed_at_its_end_alone() {
    for cut in 1..5 {
        let mut ops = group();
        ops.truncate(cut);
        assert_eq!(refused(&ops), LogError::Unsigned { writer: 1, seq: cut as u64 });
        let mut whole = writer(1, true);
        let before = whole.tip;
        let mut batch = whole.batch(&group());
        assert!(batch.ops[..4].iter().all(|signed| signed.signature.is_none()));
        batch.ops[cut - 1].signature = batch.ops[4].signature;
        let cut_there = extend(&before, &known, &batch).unwrap_err();
        assert_eq!(cut_there, LogError::GroupCut { writer: 1, seq: cut as u64 });
    }
}

/// A signature over a group does not cover the same ops apart.
#[test]
fn a_signature_covers_the_grouping() {
    let mut whole = writer(1, true);
    let before = whole.tip;
    let batch = whole.batch(&group());
    let mut apart = batch.clone();
    apart.ops[3].op.more = false;
    assert!(matches!(extend(&before, &known, &apart), Err(LogError::Signature { seq: 5, .. })));
    assert!(extend(&before, &known, &batch).is_ok());
}

#[test]
fn a_mark_belongs_to_the_op_before_it() {
    let change = |at: usize, change: &dyn Fn(&mut Op)| {
        let mut ops = group();
        change(&mut ops[at]);
        refused(&ops)
    };
    assert_eq!(change(1, &|op| op.ts = 11), mark_refused(2, MarkRefusal::Clock));
    assert_eq!(change(2, &|op| op.value += F::from(1u64)), mark_refused(3, MarkRefusal::Value));
    let other = tagged(&Op { key: own(2), ..group()[0] }, "cats").key;
    assert_eq!(change(1, &|op| op.key = other), mark_refused(2, MarkRefusal::Key));
    let twice = group()[1].key;
    assert_eq!(change(3, &|op| op.key = twice), mark_refused(4, MarkRefusal::Twice));
    assert_eq!(change(0, &|op| op.more = false), mark_refused(2, MarkRefusal::Alone));
    let alone = Op { more: false, ts: 0, ..group()[1] };
    assert_eq!(refused(&[alone]), mark_refused(1, MarkRefusal::Alone));
    // After another op of the group, a mark belongs to that one.
    let mut late = group();
    late[4].more = true;
    late.push(Op { more: false, ts: 11, ..late[1] });
    late[5].value = late[4].value;
    assert_eq!(refused(&late), mark_refused(6, MarkRefusal::Key));
}

#[test]
fn an_owned_key_is_written_by_its_owner_alone() {
    assert!(says(false, &[Op { key: own(1), ..put(1, "", "mine") }]).is_ok());
    let key = own(2);
    let theirs = refused(&[Op { key, ..put(1, "", "theirs") }]);
    assert_eq!(theirs, LogError::OtherOwner { writer: 1, seq: 1, key, owner: 2 });
    assert!(theirs.to_string().contains("belongs to writer 2"), "{theirs}");
}

#[test]
fn shared_keys_need_the_right_to_them() {
    let shared = put(1, "a", "b");
    assert!(says(true, &[shared]).is_ok());
    let refused = says(false, &[shared]).unwrap_err();
    assert_eq!(refused, LogError::NotShared { writer: 1, seq: 1, key: shared.key });
    let mut odd = writer(1, true);
    odd.tip.head = Head { shared: F::from(2u64), ..odd.tip.head };
    assert_eq!(odd.tip.apply(1, &shared), Err(LogError::RightRefused { writer: 1 }));
}
