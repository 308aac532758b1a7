//! Grants: only the owner admits a writer, and only once.

use ark_ff::AdditiveGroup;
use rootfold_core::{
    head::Head,
    key::Key,
    log::{LogBatch, LogError, Op, Tip},
    run::extend,
    stamp::Stamp,
    F,
};

use crate::common::{put, salt, secret_of, Writer};

fn known(writer: u32) -> bool {
    writer < 2
}

fn grant(ts: u64, writer: u32) -> Op {
    let head = Head::first(salt(), secret_of(writer).public_key(), true);
    Op { more: false, ts, key: Key::head(writer), value: head.digest() }
}

/// The result of `extend` for these ops of `writer`.
fn says(writer: u32, ops: &[Op]) -> Result<Tip, LogError> {
    let mut writer = Writer::genesis(writer);
    let before = writer.tip;
    let batch = writer.batch(ops);
    Ok(extend(&before, &known, &batch)?.after())
}

#[test]
fn the_owner_admits() {
    assert!(says(0, &[put(1, "a", ""), grant(2, 2), grant(3, u32::MAX)]).is_ok());
    // The owner may grant a value digest without a known preimage.
    assert!(says(0, &[Op { value: F::ZERO, ..grant(1, 5) }]).is_ok());
}

#[test]
fn nobody_else_admits() {
    let error = says(1, &[grant(1, 2)]).unwrap_err();
    assert_eq!(error, LogError::NotOwner { writer: 1, seq: 1, of: 2 });
    // Nor the owner again.
    let error = says(1, &[put(1, "a", ""), grant(2, 1)]).unwrap_err();
    assert_eq!(error, LogError::NotOwner { writer: 1, seq: 2, of: 1 });
}

#[test]
fn not_over_an_existing_writer() {
    for granted in [0, 1] {
        let error = says(0, &[grant(1, granted)]).unwrap_err();
        assert_eq!(error, LogError::GrantedAlready { writer: 0, seq: 1, granted });
    }
}

#[test]
fn not_twice() {
    let error = says(0, &[grant(1, 2), grant(2, 3), grant(3, 2)]).unwrap_err();
    assert_eq!(error, LogError::GrantedAlready { writer: 0, seq: 3, granted: 2 });
    // Nor in a later batch, if the caller knows the first grant.
    let mut owner = Writer::genesis(0);
    let first = owner.batch(&[grant(1, 2)]);
    let middle = extend(&Writer::genesis(0).tip, &known, &first).unwrap().after();
    let second = owner.batch(&[grant(2, 2)]);
    let error = extend(&middle, &|writer| writer < 3, &second).unwrap_err();
    assert_eq!(error, LogError::GrantedAlready { writer: 0, seq: 2, granted: 2 });
    // Nor in two runs, if the caller does not.
    let mut run = extend(&Writer::genesis(0).tip, &known, &first).unwrap();
    let error = run.append(extend(&middle, &known, &second).unwrap()).unwrap_err();
    assert_eq!(error, LogError::GrantedAlready { writer: 0, seq: 2, granted: 2 });
}

/// The log of an admitted writer starts with the stamp of the grant, so their first clock exceeds the
/// owner's.
#[test]
fn the_admitted_writer_starts_after_the_grant() {
    let head = Head::first(salt(), secret_of(2).public_key(), true);
    let tip = Tip { head, stamp: Stamp { ts: 50, writer: 0 } };
    assert_eq!(tip.entry(2).key, Key::head(2));
    let mut writer = Writer { id: 2, secret: secret_of(2), tip };
    let early = writer.tip.apply(2, &put(50, "a", "")).unwrap_err();
    assert_eq!(early, LogError::ClockNotGrowing { writer: 2, seq: 1, ts: 50, previous: 50 });
    let batch: LogBatch = writer.batch(&[put(51, "a", "")]);
    assert_eq!(extend(&tip, &|writer| writer < 3, &batch).unwrap().after(), writer.tip);
    assert_eq!(writer.tip.stamp, Stamp { ts: 51, writer: 2 });
}
