//! Making ops: the only module that needs a secret key.

use std::collections::BTreeSet;

use rootfold_core::{
    eddsa::{PublicKey, SecretKey},
    head::Head,
    key::Key,
    log::{LogBatch, LogError, Op, SignedOp, Tip},
    mark::Mark,
    replacement::Replacement,
    value::tombstone,
    F,
};

use crate::{submission::Submission, values::Value};

pub use rootfold_core::{log::OWNER, stamp::COUNTER_BITS};

/// A change of one key.
#[derive(Debug, Clone)]
pub struct Change {
    /// The key.
    pub key: Key,
    /// The new value; `None` deletes.
    pub value: Option<Vec<u8>>,
    /// Marks that the entry gets, under which an index finds it.
    pub marks: Vec<Mark>,
    /// The index keys of marks that are withdrawn: those of the entry before. Marks that the entry gets again
    /// are not withdrawn.
    pub withdrawn: Vec<Key>,
    /// The time in milliseconds since 1970. The clock of a log always grows, so this is a lower
    /// bound: 0 gives the op the clock that follows the op before.
    pub at: u64,
}

impl Change {
    /// A change without marks. `at` is as in [`Change::at`].
    pub fn new(key: Key, value: Option<Vec<u8>>, at: u64) -> Change {
        Change { key, value, marks: Vec::new(), withdrawn: Vec::new(), at }
    }
}

/// Makes ops that continue the log of `writer` at `tip`: one group, which is ingested and folded as a whole
/// or not at all. Returns them with their values, and the new tip. Costs one signature.
///
/// # Errors
/// [`LogError`] if `secret` is not the key of the log, or the log can take no more ops;
/// [`LogError::Empty`] without changes. The keys of the changes are not checked, nor is the size of the
/// group; an ingest does that.
pub fn compose(
    tip: &Tip,
    writer: u32,
    secret: &SecretKey,
    changes: Vec<Change>,
) -> Result<(Submission, Tip), LogError> {
    let first_seq = tip.seq(writer)?;
    let (mut drafts, mut values) = (Vec::with_capacity(changes.len()), Vec::new());
    let mut ts = tip.stamp.ts;
    for change in changes {
        let value = change.value.map(Value::user);
        let digest = value.as_ref().map_or_else(tombstone, |value| value.name.digest);
        ts = clock(ts, change.at);
        let op = |key: Key, value: F| Op { ts, key, value, more: true };
        drafts.push(op(change.key, digest));
        let marks: BTreeSet<Key> = change.marks.iter().map(|mark| mark.key(&change.key)).collect();
        let withdrawn: BTreeSet<Key> =
            change.withdrawn.into_iter().filter(|key| !marks.contains(key)).collect();
        drafts.extend(marks.into_iter().map(|key| op(key, digest)));
        drafts.extend(withdrawn.into_iter().map(|key| op(key, tombstone())));
        values.extend(value);
    }
    drafts.last_mut().ok_or(LogError::Empty { writer })?.more = false;
    let mut tip = *tip;
    let mut ops = Vec::with_capacity(drafts.len());
    for op in drafts {
        let (signed, next) = SignedOp::sign(&tip, writer, op, secret)?;
        tip = next;
        ops.push(signed);
    }
    let batches = vec![LogBatch { writer, first_seq, ops }];
    Ok((Submission { batches, values }, tip))
}

/// A writer who is to be admitted.
#[derive(Debug, Clone, Copy)]
pub struct Admission {
    /// The writer's id.
    pub writer: u32,
    /// Their public key.
    pub public_key: PublicKey,
    /// Whether they may write shared keys.
    pub shared: bool,
}

/// Makes the op with which the owner admits a writer. `tip` is the end of the
/// owner's log, `salt` is that of the space's genesis config, and `at` is as in [`Change::at`].
///
/// # Errors
/// [`LogError`] if `secret` is not the owner's key, or the owner's log can take no more ops.
pub fn grant(
    tip: &Tip,
    secret: &SecretKey,
    salt: F,
    admission: &Admission,
    at: u64,
) -> Result<(Submission, Tip), LogError> {
    let Admission { writer, public_key, shared } = *admission;
    let head = Value::head(&Head::first(salt, public_key, shared));
    by_owner(tip, secret, clock(tip.stamp.ts, at), Key::head(writer), head)
}

/// Makes the op with which the owner replaces the head of a writer, or the owner's key. `tip` is the end of the
/// owner's log, and `at` is as in [`Change::at`].
///
/// # Errors
/// [`LogError`] if `secret` is not the owner's key, or the owner's log can take no more ops.
pub fn replace(
    tip: &Tip,
    secret: &SecretKey,
    replacement: &Replacement,
    at: u64,
) -> Result<(Submission, Tip), LogError> {
    let mut ts = clock(tip.stamp.ts, at);
    if let Replacement::Head { before, .. } = replacement {
        ts = ts.max(before.stamp.ts.saturating_add(1));
    }
    let value = Value::replacement(replacement);
    let (submission, mut tip) = by_owner(tip, secret, ts, replacement.key(), value)?;
    if let Replacement::OwnerKey(public_key) = replacement {
        tip.head.public_key = *public_key;
    }
    Ok((submission, tip))
}

/// An op of the owner that is a group by itself.
fn by_owner(
    tip: &Tip,
    secret: &SecretKey,
    ts: u64,
    key: Key,
    value: Value,
) -> Result<(Submission, Tip), LogError> {
    let first_seq = tip.seq(OWNER)?;
    let op = Op { ts, key, value: value.name.digest, more: false };
    let (signed, tip) = SignedOp::sign(tip, OWNER, op, secret)?;
    let batches = vec![LogBatch { writer: OWNER, first_seq, ops: vec![signed] }];
    Ok((Submission { batches, values: vec![value] }, tip))
}

/// The clock of an op after one with the clock `last`: `at`, or the successor of `last` if that is later. A
/// clock of 2^64 - 1 has no successor; the log then refuses the op.
fn clock(last: u64, at: u64) -> u64 {
    let wanted = at.min(u64::MAX >> COUNTER_BITS) << COUNTER_BITS;
    wanted.max(last.saturating_add(1))
}
