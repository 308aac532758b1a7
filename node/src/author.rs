//! Making ops: what a writer does with his secret key.

use std::time::{SystemTime, UNIX_EPOCH};

use rootfold_core::{
    eddsa::{PublicKey, SecretKey},
    head::Head,
    key::Key,
    log::{LogBatch, LogError, Op, SignedOp, Tip},
    value::tombstone,
    F,
};

use crate::{space::Submission, values::Value};

/// Bits of the counter in a clock.
const COUNTER_BITS: u32 = 16;

/// What a writer wants to change.
#[derive(Debug, Clone)]
pub struct Change {
    /// The key.
    pub key: Key,
    /// The new value; `None` deletes.
    pub value: Option<Vec<u8>>,
    /// When, in milliseconds since 1970; `None` is now. The clock of a log never goes back: this
    /// is its lower bound.
    pub at: Option<u64>,
}

/// Turns changes into signed ops that continue the log at `tip`, and returns the new tip.
///
/// # Errors
/// [`LogError`] if `secret` is not the log's key or the log can take no more ops. Whether the keys
/// may be written is for the ingest to say.
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

/// Makes the op with which the owner, whose log ends at `tip`, admits a writer.
///
/// # Errors
/// [`LogError`] if `secret` is not the owner's key or his log can take no more ops.
pub fn grant(
    tip: &Tip,
    secret: &SecretKey,
    salt: F,
    writer: u32,
    public_key: PublicKey,
    at: Option<u64>,
) -> Result<(Submission, Tip), LogError> {
    let owner = 0;
    let first_seq = tip.seq(owner)?;
    let opening = Value::head(&Head::first(salt, public_key));
    let op = Op { ts: clock(tip, at), key: Key::head(writer), value: opening.name.digest };
    let (signed, tip) = SignedOp::sign(tip, owner, op, secret)?;
    let batches = vec![LogBatch { writer: owner, first_seq, ops: vec![signed] }];
    Ok((Submission { batches, values: vec![opening] }, tip))
}

/// The clock of the next op: `at`, or the smallest that grows. At the end of time it stands still,
/// and the log refuses the op.
fn clock(tip: &Tip, at: Option<u64>) -> u64 {
    let milliseconds = at.unwrap_or_else(now);
    let wanted = milliseconds.min(u64::MAX >> COUNTER_BITS) << COUNTER_BITS;
    wanted.max(tip.stamp.ts.saturating_add(1))
}

fn now() -> u64 {
    // Before 1970 a clock is wrong; the log's own clock then carries on.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
