//! Messages into what they mean and back. Whatever a peer sends has its exact length and its one
//! encoding, or is refused here.

use rootfold_core::{
    eddsa::{Signature, SIGNATURE_BYTES},
    field::{self, FieldError, FIELD_BYTES},
    item::Entry,
    key::{Key, KEY_BYTES},
    log::{LogBatch, Op, SignedOp},
    stamp::Stamp,
    F,
};
use rootfold_proto::{
    limits::{MAX_BATCH_OPS, MAX_FRONTIER},
    v1,
};
use thiserror::Error;

use crate::{
    snapshot::{Snapshot, SnapshotHeader, MAX_PROOF_BYTES},
    space::{At, Submission},
    values::{Value, ValueKind, ValueName},
};

/// Why a message is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WireError {
    /// A part that every such message has is not there.
    #[error("{what} is missing")]
    Missing {
        /// The part.
        what: &'static str,
    },
    /// Bytes of another length than the one there is.
    #[error("{what} of {actual} bytes, it has {expected}")]
    Length {
        /// What they should be.
        what: &'static str,
        /// The length that it has.
        expected: usize,
        /// The length that came.
        actual: usize,
    },
    /// No field element.
    #[error("{what}: {source}")]
    Field {
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        source: FieldError,
    },
    /// A signature that is not encoded as one.
    #[error("writer {writer}: the signature of op {seq} is not encoded as one")]
    Signature {
        /// The writer.
        writer: u32,
        /// The op's number, from 1.
        seq: u64,
    },
    /// More than one message may have.
    #[error("{count} {what}, the limit is {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many came.
        count: usize,
        /// How many are legal.
        limit: usize,
    },
    /// An enum without meaning.
    #[error("{what} {number} means nothing")]
    Unknown {
        /// What it should be.
        what: &'static str,
        /// The number that came.
        number: i32,
    },
    /// Something twice, or in another order than the one there is.
    #[error("{what} are in disorder")]
    Disorder {
        /// What.
        what: &'static str,
    },
}

/// A field element.
pub(crate) fn field(what: &'static str, bytes: &[u8]) -> Result<F, WireError> {
    let bytes: &[u8; FIELD_BYTES] = exact(what, bytes)?;
    field::from_bytes(bytes).map_err(|source| WireError::Field { what, source })
}

pub(crate) fn exact<'a, const N: usize>(
    what: &'static str,
    bytes: &'a [u8],
) -> Result<&'a [u8; N], WireError> {
    bytes.try_into().map_err(|_| WireError::Length { what, expected: N, actual: bytes.len() })
}

pub(crate) fn bytes(x: &F) -> Vec<u8> {
    field::to_bytes(x).to_vec()
}

pub(crate) fn key(what: &'static str, bytes: &[u8]) -> Result<Key, WireError> {
    Ok(Key::from_bytes(*exact::<KEY_BYTES>(what, bytes)?))
}

pub(crate) fn present<T>(what: &'static str, part: Option<T>) -> Result<T, WireError> {
    part.ok_or(WireError::Missing { what })
}

pub(crate) fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), WireError> {
    if count > limit {
        return Err(WireError::TooMany { what, count, limit });
    }
    Ok(())
}

/// A name of a value.
///
/// # Errors
/// [`WireError`].
pub fn name_in(message: &v1::ValueName) -> Result<ValueName, WireError> {
    let kind = match v1::ValueKind::try_from(message.kind) {
        Ok(v1::ValueKind::User) => ValueKind::User,
        Ok(v1::ValueKind::Head) => ValueKind::Head,
        _ => return Err(WireError::Unknown { what: "value kind", number: message.kind }),
    };
    Ok(ValueName { kind, digest: field("value digest", &message.digest)? })
}

/// The message of a name.
pub fn name_out(name: &ValueName) -> v1::ValueName {
    let kind = match name.kind {
        ValueKind::User => v1::ValueKind::User,
        ValueKind::Head => v1::ValueKind::Head,
    };
    v1::ValueName { kind: kind.into(), digest: bytes(&name.digest) }
}

/// A value; whether it matches its name is for [`Value::check`].
///
/// # Errors
/// [`WireError`].
pub fn value_in(message: v1::Value) -> Result<Value, WireError> {
    let name = name_in(&present("value name", message.name)?)?;
    Ok(Value { name, content: message.content })
}

/// The message of a value.
pub fn value_out(value: Value) -> v1::Value {
    v1::Value { name: Some(name_out(&value.name)), content: value.content }
}

fn op_in(writer: u32, seq: u64, message: &v1::Op) -> Result<SignedOp, WireError> {
    let op = Op {
        ts: message.ts,
        key: key("key of an op", &message.key)?,
        value: field("value digest of an op", &message.value)?,
    };
    let signature = match message.signature.as_slice() {
        [] => None,
        bytes => {
            let bytes = exact::<SIGNATURE_BYTES>("signature", bytes)?;
            let refused = |_| WireError::Signature { writer, seq };
            Some(Signature::from_bytes(bytes).map_err(refused)?)
        }
    };
    Ok(SignedOp { op, signature })
}

fn op_out(signed: &SignedOp) -> v1::Op {
    let Op { ts, key, value } = &signed.op;
    v1::Op {
        ts: *ts,
        key: key.as_bytes().to_vec(),
        value: bytes(value),
        signature: signed.signature.map(|s| s.to_bytes().to_vec()).unwrap_or_default(),
    }
}

fn batch_in(message: &v1::LogBatch) -> Result<LogBatch, WireError> {
    at_most("ops in a batch", message.ops.len(), MAX_BATCH_OPS)?;
    let v1::LogBatch { writer, first_seq, .. } = *message;
    let op = |(index, op): (usize, &v1::Op)| {
        op_in(writer, first_seq.saturating_add(index as u64 + 1), op)
    };
    let ops = message.ops.iter().enumerate().map(op).collect::<Result<_, _>>()?;
    Ok(LogBatch { writer, first_seq, ops })
}

fn batch_out(batch: &LogBatch) -> v1::LogBatch {
    let LogBatch { writer, first_seq, ops } = batch;
    v1::LogBatch { writer: *writer, first_seq: *first_seq, ops: ops.iter().map(op_out).collect() }
}

/// Ops with values. What they mean is for an ingest to say.
///
/// # Errors
/// [`WireError`].
pub fn submission_in(message: Option<v1::Submission>) -> Result<Submission, WireError> {
    let message = present("submission", message)?;
    Ok(Submission {
        batches: message.batches.iter().map(batch_in).collect::<Result<_, _>>()?,
        values: message.values.into_iter().map(value_in).collect::<Result<_, _>>()?,
    })
}

/// The message of ops with values.
pub fn submission_out(submission: &Submission) -> v1::Submission {
    v1::Submission {
        values: submission.values.iter().cloned().map(value_out).collect(),
        batches: submission.batches.iter().map(batch_out).collect(),
    }
}

/// What a snapshot claims.
///
/// # Errors
/// [`WireError`].
pub fn header_in(message: Option<v1::SnapshotHeader>) -> Result<SnapshotHeader, WireError> {
    let message = present("snapshot header", message)?;
    Ok(SnapshotHeader {
        space: field("space id", &message.space)?,
        parameters: *exact("parameter id", &message.parameters)?,
        root: field("root", &message.root)?,
        ops: message.ops,
        steps: message.steps,
    })
}

/// The message of a snapshot's claim.
pub fn header_out(header: &SnapshotHeader) -> v1::SnapshotHeader {
    v1::SnapshotHeader {
        space: bytes(&header.space),
        parameters: header.parameters.to_vec(),
        root: bytes(&header.root),
        ops: header.ops,
        steps: header.steps,
    }
}

/// A snapshot. Not verified.
///
/// # Errors
/// [`WireError`].
pub fn snapshot_in(message: Option<v1::Snapshot>) -> Result<Snapshot, WireError> {
    let message = present("snapshot", message)?;
    at_most("bytes of proof", message.proof.len(), MAX_PROOF_BYTES)?;
    Ok(Snapshot { header: header_in(message.header)?, proof: message.proof })
}

/// The message of a snapshot.
pub fn snapshot_out(snapshot: &Snapshot) -> v1::Snapshot {
    v1::Snapshot { header: Some(header_out(&snapshot.header)), proof: snapshot.proof.clone() }
}

/// An entry of the state.
///
/// # Errors
/// [`WireError`].
pub fn entry_in(message: &v1::Entry) -> Result<Entry, WireError> {
    Ok(Entry {
        key: key("key of an entry", &message.key)?,
        stamp: Stamp { ts: message.ts, writer: message.writer },
        value: field("value digest of an entry", &message.value)?,
    })
}

/// The message of an entry.
pub fn entry_out(entry: &Entry) -> v1::Entry {
    v1::Entry {
        key: entry.key.as_bytes().to_vec(),
        ts: entry.stamp.ts,
        writer: entry.stamp.writer,
        value: bytes(&entry.value),
    }
}

/// The state that a query is about; the newest if it does not say.
///
/// # Errors
/// [`WireError::Unknown`].
pub fn at_in(number: i32) -> Result<At, WireError> {
    match v1::At::try_from(number) {
        Ok(v1::At::Latest | v1::At::Unspecified) => Ok(At::Latest),
        Ok(v1::At::Snapshot) => Ok(At::Snapshot),
        Err(_) => Err(WireError::Unknown { what: "state", number }),
    }
}

/// The number of a state.
pub fn at_out(at: At) -> i32 {
    match at {
        At::Latest => v1::At::Latest.into(),
        At::Snapshot => v1::At::Snapshot.into(),
    }
}

/// Writers and the numbers of their ops, ascending.
///
/// # Errors
/// [`WireError`].
pub fn frontier_in(writers: &[v1::WriterTip]) -> Result<Vec<(u32, u64)>, WireError> {
    at_most("writers in a frontier", writers.len(), MAX_FRONTIER)?;
    if writers.windows(2).any(|pair| pair[0].writer >= pair[1].writer) {
        return Err(WireError::Disorder { what: "the writers of a frontier" });
    }
    let tip = |tip: &v1::WriterTip| {
        // The head says what a fork would be about; only its form is looked at here.
        if !tip.head.is_empty() {
            field("head of a log", &tip.head)?;
        }
        Ok((tip.writer, tip.seq))
    };
    writers.iter().map(tip).collect()
}
