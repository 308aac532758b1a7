//! Making ops: the only module that needs a secret key.

use rootfold_core::{
    eddsa::{PublicKey, SecretKey},
    head::Head,
    key::Key,
    log::{LogBatch, LogError, Op, SignedOp, Tip},
    value::tombstone,
    F,
};

use crate::{submission::Submission, values::Value};

pub use rootfold_core::stamp::COUNTER_BITS;

/// The writer id of the owner.
pub const OWNER: u32 = 0;

/// A change of one key.
#[derive(Debug, Clone)]
pub struct Change {
    /// The key.
    pub key: Key,
    /// The new value; `None` deletes.
    pub value: Option<Vec<u8>>,
    /// The time in milliseconds since 1970. The clock of a log always grows, so this is a lower
    /// bound: 0 gives the op the clock that follows the op before.
    pub at: u64,
}

/// Makes signed ops that continue the log of `writer` at `tip`. Returns them with their values,
/// and the new tip. Costs one signature per change.
///
/// # Errors
/// [`LogError`] if `secret` is not the key of the log, or the log can take no more ops. The keys of
/// the changes are not checked; an ingest does that.
pub fn compose(
    tip: &Tip,
    writer: u32,
    secret: &SecretKey,
    changes: Vec<Change>,
) -> Result<(Submission, Tip), LogError> {
    let first_seq = tip.seq(writer)?;
    let mut tip = *tip;
    let (mut ops, mut values) = (Vec::with_capacity(changes.len()), Vec::new());
    for change in changes {
        let value = change.value.map(Value::user);
        let digest = value.as_ref().map_or_else(tombstone, |value| value.name.digest);
        let op = Op { ts: clock(&tip, change.at), key: change.key, value: digest };
        let (signed, next) = SignedOp::sign(&tip, writer, op, secret)?;
        tip = next;
        ops.push(signed);
        values.extend(value);
    }
    let batches = vec![LogBatch { writer, first_seq, ops }];
    Ok((Submission { batches, values }, tip))
}

/// Makes the op with which the owner admits `writer` with this public key. `tip` is the end of the
/// owner's log, `salt` is that of the space's genesis config, and `at` is as in [`Change::at`].
///
/// # Errors
/// [`LogError`] if `secret` is not the owner's key, or the owner's log can take no more ops.
pub fn grant(
    tip: &Tip,
    secret: &SecretKey,
    salt: F,
    writer: u32,
    public_key: PublicKey,
    at: u64,
) -> Result<(Submission, Tip), LogError> {
    let first_seq = tip.seq(OWNER)?;
    let head = Value::head(&Head::first(salt, public_key));
    let op = Op { ts: clock(tip, at), key: Key::head(writer), value: head.name.digest };
    let (signed, tip) = SignedOp::sign(tip, OWNER, op, secret)?;
    let batches = vec![LogBatch { writer: OWNER, first_seq, ops: vec![signed] }];
    Ok((Submission { batches, values: vec![head] }, tip))
}

/// The clock of the op after `tip`: `at`, or the successor of the last clock if that is later. A
/// clock of 2^64 - 1 has no successor; the log then refuses the op.
fn clock(tip: &Tip, at: u64) -> u64 {
    let wanted = at.min(u64::MAX >> COUNTER_BITS) << COUNTER_BITS;
    wanted.max(tip.stamp.ts.saturating_add(1))
}
