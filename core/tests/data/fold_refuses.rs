//! Epochs that must be refused.

use std::{collections::BTreeMap, convert::Infallible};

use rootfold_core::{
    eddsa::{Signature, SignatureRefused},
    fold::{fold, Epoch, FoldError},
    head::Head,
    item::Entry,
    key::Key,
    log::{LogError, Op, Tip},
    run::Run,
    space::{Genesis, Sharing},
    stamp::Stamp,
    F,
};

use crate::common::{put, salt, secret_of, Writer};

type State = BTreeMap<Key, Entry>;

fn genesis() -> State {
    let keys = (0..3).map(|w| secret_of(w).public_key()).collect();
    let genesis = Genesis::new(salt(), Sharing::Everyone, keys).unwrap();
    genesis.entries().iter().map(|entry| (entry.key, *entry)).collect()
}

fn try_fold(state: &State, runs: &[Run]) -> Result<Vec<Entry>, FoldError<Infallible>> {
    let runs = runs.iter().cloned().map(Run::check).collect::<Result<_, _>>()?;
    fold(&|key: &Key| Ok(state.get(key).copied()), &Epoch { runs })
}

fn apply(state: &mut State, runs: &[Run]) {
    let upserts = try_fold(state, runs).unwrap();
    state.extend(upserts.into_iter().map(|entry| (entry.key, entry)));
}

fn run(writer: &mut Writer, ops: &[Op]) -> Run {
    let before = writer.tip;
    let batch = writer.batch(ops);
    let signature = batch.ops.last().unwrap().signature.unwrap();
    Run { writer: writer.id, before, ops: ops.to_vec(), signature }
}

fn grant(ts: u64, writer: u32) -> Op {
    let head = Head::first(salt(), secret_of(writer).public_key(), true);
    Op { more: false, ts, key: Key::head(writer), value: head.digest() }
}

fn wrong_signature(writer: u32, seq: u64) -> FoldError<Infallible> {
    let source = SignatureRefused::WrongSignature;
    FoldError::Log(LogError::Signature { writer, seq, source })
}

#[test]
fn writers_out_of_order() {
    let state = genesis();
    let (one, two) = (
        run(&mut Writer::genesis(1), &[put(1, "a", "x")]),
        run(&mut Writer::genesis(2), &[put(1, "a", "y")]),
    );
    assert!(try_fold(&state, &[one.clone(), two.clone()]).is_ok());
    let error = try_fold(&state, &[two, one.clone()]).unwrap_err();
    assert_eq!(error, FoldError::Order { writer: 1, previous: 2 });
    let error = try_fold(&state, &[one.clone(), one]).unwrap_err();
    assert_eq!(error, FoldError::Order { writer: 1, previous: 1 });
}

#[test]
fn a_start_that_the_tree_does_not_hold() {
    let mut state = genesis();
    let mut writer = Writer::genesis(1);
    let first = run(&mut writer, &[put(1, "a", "x"), put(2, "b", "y")]);
    let second = run(&mut writer, &[put(3, "a", "z")]);
    // A gap, a run that does not start from the tree's head, and the same run again.
    let other = Err(FoldError::OtherHead { writer: 1 });
    assert_eq!(try_fold(&state, std::slice::from_ref(&second)), other);
    let stamp = Stamp { ts: 0, writer: 0 };
    let restamped = Run { before: Tip { stamp, ..first.before }, ..first.clone() };
    assert_eq!(try_fold(&state, &[restamped]), other);
    apply(&mut state, std::slice::from_ref(&first));
    assert_eq!(try_fold(&state, &[first]), other);
    assert!(try_fold(&state, &[second]).is_ok());
}

#[test]
fn unknown_writer() {
    let stranger = run(&mut Writer::genesis(3), &[put(1, "a", "x")]);
    let error = try_fold(&genesis(), &[stranger]).unwrap_err();
    assert_eq!(error, FoldError::Log(LogError::UnknownWriter { writer: 3 }));
}

#[test]
fn no_ops() {
    let before = Writer::genesis(1).tip;
    let message = rootfold_core::head::signed_message(before.head.head, before.head.seq);
    let signature = secret_of(1).sign(message);
    let empty = Run { writer: 1, before, ops: vec![], signature };
    assert_eq!(empty.check(), Err(LogError::Empty { writer: 1 }));
}

#[test]
fn wrong_signatures() {
    let mut writer = Writer::genesis(1);
    let good = run(&mut writer, &[put(1, "a", "x"), put(2, "b", "y")]);
    let bad = Run { signature: Signature::placeholder(), ..good.clone() };
    assert_eq!(try_fold(&genesis(), &[bad]), Err(wrong_signature(1, 2)));
    let mut cut = good.clone();
    cut.ops.pop();
    assert_eq!(try_fold(&genesis(), &[cut]), Err(wrong_signature(1, 1)));
    let mut dropped = good.clone();
    dropped.ops.remove(0);
    assert_eq!(try_fold(&genesis(), &[dropped]), Err(wrong_signature(1, 1)));
    let mut changed = good;
    changed.ops[0].value += F::from(1u64);
    assert_eq!(try_fold(&genesis(), &[changed]), Err(wrong_signature(1, 2)));
}

#[test]
fn clocks_and_keys() {
    let mut good = run(&mut Writer::genesis(1), &[put(1, "a", "x"), put(2, "b", "y")]);
    good.ops[1].ts = 1;
    let error = try_fold(&genesis(), &[good]).unwrap_err();
    let clock = LogError::ClockNotGrowing { writer: 1, seq: 2, ts: 1, previous: 1 };
    assert_eq!(error, FoldError::Log(clock));
    for key in [Key::START, Key::END, Key::from_bytes([4; 93])] {
        let bad = run(&mut Writer::genesis(1), &[Op { key, ..put(1, "a", "x") }]);
        let error = try_fold(&genesis(), &[bad]).unwrap_err();
        assert_eq!(error, FoldError::Log(LogError::KeyRefused { writer: 1, seq: 1, key }));
    }
}

#[test]
fn grants() {
    let granted_already =
        |seq, granted| FoldError::Log(LogError::GrantedAlready { writer: 0, seq, granted });
    for existing in [0, 2] {
        let over = run(&mut Writer::genesis(0), &[put(1, "a", "x"), grant(2, existing)]);
        assert_eq!(try_fold(&genesis(), &[over]), Err(granted_already(2, existing)));
    }
    let twice = run(&mut Writer::genesis(0), &[grant(1, 7), grant(2, 7)]);
    assert_eq!(try_fold(&genesis(), &[twice]), Err(granted_already(2, 7)));
    let usurper = run(&mut Writer::genesis(1), &[grant(1, 7)]);
    let not_owner = LogError::NotOwner { writer: 1, seq: 1, of: 7 };
    assert_eq!(try_fold(&genesis(), &[usurper]), Err(FoldError::Log(not_owner)));

    // A second grant in a later epoch.
    let mut state = genesis();
    let mut owner = Writer::genesis(0);
    apply(&mut state, &[run(&mut owner, &[grant(1, 7)])]);
    let again = run(&mut owner, &[grant(2, 7)]);
    assert_eq!(try_fold(&state, &[again]), Err(granted_already(2, 7)));
}

#[test]
fn an_admitted_writer_waits_for_the_next_epoch() {
    let mut state = genesis();
    let admission = run(&mut Writer::genesis(0), &[grant(1, 7)]);
    let head = Head::first(salt(), secret_of(7).public_key(), true);
    let tip = Tip { head, stamp: Stamp { ts: 1, writer: 0 } };
    let mut writer = Writer { id: 7, secret: secret_of(7), tip };
    let ops = run(&mut writer, &[put(2, "a", "x")]);
    let error = try_fold(&state, &[admission.clone(), ops.clone()]).unwrap_err();
    assert_eq!(error, FoldError::Log(LogError::UnknownWriter { writer: 7 }));
    apply(&mut state, &[admission]);
    assert_eq!(state[&Key::head(7)], tip.entry(7));
    apply(&mut state, &[ops]);
    assert_eq!(state[&Key::head(7)], writer.tip.entry(7));
}

/// Only a tree that is not the fold of the logs has such an entry. The circuit refuses it.
#[test]
fn a_stamp_that_the_tree_holds_already() {
    let mut state = genesis();
    let op = put(5, "a", "x");
    state.insert(op.key, op.entry(1));
    let good = run(&mut Writer::genesis(1), &[op]);
    let error = try_fold(&state, &[good]).unwrap_err();
    assert_eq!(error, FoldError::StampTaken { writer: 1, ts: 5, key: op.key });
}

#[test]
fn a_tree_that_cannot_be_read() {
    let one = run(&mut Writer::genesis(1), &[put(1, "a", "x")]);
    let broken = |_: &Key| Err::<Option<Entry>, _>("disk on fire");
    let error = fold(&broken, &Epoch { runs: vec![one.check().unwrap()] }).unwrap_err();
    assert_eq!(error, FoldError::Old("disk on fire"));
    assert_eq!(error.to_string(), "reading the old tree: disk on fire");
}
