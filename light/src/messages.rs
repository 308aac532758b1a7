//! Conversion between the messages of `rootfold.v1` and types. Functions that end in `_in` take a
//! message from a peer and refuse all but the one accepted form of each part; functions that end in
//! `_out` make a message.

use rootfold_core::{
    eddsa::{Signature, SIGNATURE_BYTES},
    field::{self, FieldError, FIELD_BYTES},
    item::Entry,
    key::{Key, KEY_BYTES},
    log::{LogBatch, Op, SignedOp},
    stamp::Stamp,
    tree::{Inclusion, Siblings},
    F,
};
use rootfold_proto::{
    limits::{MAX_BATCH_OPS, MAX_FRONTIER, MAX_KEYS},
    v1,
};
use rootfold_verifier::ParameterId;
use thiserror::Error;

use crate::{
    query::{At, FindQuery, PageToken, RangeQuery, Voucher},
    snapshot::{Snapshot, SnapshotHeader, MAX_PROOF_BYTES},
    submission::Submission,
    values::{Value, ValueKind, ValueName},
};

/// Why a message is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MessageError {
    /// A required part is missing.
    #[error("{what} is missing")]
    Missing {
        /// The part.
        what: &'static str,
    },
    /// A part that must be empty in this message.
    #[error("{what} must be empty here")]
    Unexpected {
        /// The part.
        what: &'static str,
    },
    /// Bytes of the wrong length.
    #[error("{what}: expected {expected} bytes, got {actual}")]
    Length {
        /// The part.
        what: &'static str,
        /// The required length in bytes.
        expected: usize,
        /// The received length in bytes.
        actual: usize,
    },
    /// Not the canonical encoding of a field element.
    #[error("{what}: {source}")]
    Field {
        /// The part.
        what: &'static str,
        /// What is wrong.
        source: FieldError,
    },
    /// Not the encoding of a signature.
    #[error("writer {writer}, op {seq}: not the encoding of a signature")]
    Signature {
        /// The writer.
        writer: u32,
        /// The number of the op in the log, from 1.
        seq: u64,
    },
    /// Too many elements or bytes.
    #[error("{count} {what}, the limit is {limit}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// The received number.
        count: usize,
        /// The largest accepted number.
        limit: usize,
    },
    /// An undefined number of an enum, or 0, which means that it is not set.
    #[error("{what}: undefined number {number}")]
    Unknown {
        /// The enum.
        what: &'static str,
        /// The received number.
        number: i32,
    },
    /// A query that has no answer.
    #[error("{what}")]
    Query {
        /// What is wrong with it.
        what: &'static str,
    },
    /// Elements that do not ascend strictly.
    #[error("{what} are not in ascending order")]
    Disorder {
        /// The elements.
        what: &'static str,
    },
}

/// A field element: 32 bytes, big-endian, below the modulus.
///
/// # Errors
/// [`MessageError::Length`], [`MessageError::Field`].
pub fn field(what: &'static str, bytes: &[u8]) -> Result<F, MessageError> {
    let bytes: &[u8; FIELD_BYTES] = exact(what, bytes)?;
    field::from_bytes(bytes).map_err(|source| MessageError::Field { what, source })
}

/// Bytes of an exact length.
///
/// # Errors
/// [`MessageError::Length`].
pub fn exact<'a, const N: usize>(
    what: &'static str,
    bytes: &'a [u8],
) -> Result<&'a [u8; N], MessageError> {
    bytes.try_into().map_err(|_| MessageError::Length { what, expected: N, actual: bytes.len() })
}

/// The 32 bytes of a field element in a message.
pub fn bytes(x: &F) -> Vec<u8> {
    field::to_bytes(x).to_vec()
}

/// A key: 93 bytes.
///
/// # Errors
/// [`MessageError::Length`].
pub fn key(what: &'static str, bytes: &[u8]) -> Result<Key, MessageError> {
    Ok(Key::from_bytes(*exact::<KEY_BYTES>(what, bytes)?))
}

/// A parameter id: 32 bytes.
///
/// # Errors
/// [`MessageError::Length`].
pub fn parameter_id(bytes: &[u8]) -> Result<ParameterId, MessageError> {
    exact("parameter id", bytes).copied().map(ParameterId)
}

fn present<T>(what: &'static str, part: Option<T>) -> Result<T, MessageError> {
    part.ok_or(MessageError::Missing { what })
}

/// Checks a number of elements or bytes.
///
/// # Errors
/// [`MessageError::TooMany`].
pub fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), MessageError> {
    if count > limit {
        return Err(MessageError::TooMany { what, count, limit });
    }
    Ok(())
}

/// The name of a value.
///
/// # Errors
/// [`MessageError`].
pub fn name_in(message: &v1::ValueName) -> Result<ValueName, MessageError> {
    let kind = match v1::ValueKind::try_from(message.kind) {
        Ok(v1::ValueKind::User) => ValueKind::User,
        Ok(v1::ValueKind::Head) => ValueKind::Head,
        Ok(v1::ValueKind::Replacement) => ValueKind::Replacement,
        _ => return Err(MessageError::Unknown { what: "value kind", number: message.kind }),
    };
    Ok(ValueName { kind, digest: field("value digest", &message.digest)? })
}

/// The message of a value's name.
pub fn name_out(name: &ValueName) -> v1::ValueName {
    let kind = match name.kind {
        ValueKind::User => v1::ValueKind::User,
        ValueKind::Head => v1::ValueKind::Head,
        ValueKind::Replacement => v1::ValueKind::Replacement,
    };
    v1::ValueName { kind: kind.into(), digest: bytes(&name.digest) }
}

/// A value. Its name is not checked: see [`Value::check`].
///
/// # Errors
/// [`MessageError`].
pub fn value_in(message: v1::Value) -> Result<Value, MessageError> {
    let name = name_in(&present("value name", message.name)?)?;
    Ok(Value { name, content: message.content })
}

/// The message of a value.
pub fn value_out(value: Value) -> v1::Value {
    v1::Value { name: Some(name_out(&value.name)), content: value.content }
}

fn op_in(writer: u32, seq: u64, message: &v1::Op) -> Result<SignedOp, MessageError> {
    let op = Op {
        ts: message.ts,
        key: key("key of an op", &message.key)?,
        value: field("value digest of an op", &message.value)?,
        more: message.more,
    };
    let signature = match message.signature.as_slice() {
        [] => None,
        bytes => {
            let bytes = exact::<SIGNATURE_BYTES>("signature", bytes)?;
            let refused = |_| MessageError::Signature { writer, seq };
            Some(Signature::from_bytes(bytes).map_err(refused)?)
        }
    };
    Ok(SignedOp { op, signature })
}

fn op_out(signed: &SignedOp) -> v1::Op {
    let Op { ts, key, value, more } = &signed.op;
    v1::Op {
        ts: *ts,
        key: key.as_bytes().to_vec(),
        value: bytes(value),
        signature: signed.signature.map(|s| s.to_bytes().to_vec()).unwrap_or_default(),
        more: *more,
    }
}

/// Consecutive ops of one writer. Only their form is checked.
///
/// # Errors
/// [`MessageError`].
pub fn batch_in(message: &v1::LogBatch) -> Result<LogBatch, MessageError> {
    at_most("ops in a batch", message.ops.len(), MAX_BATCH_OPS)?;
    let v1::LogBatch { writer, first_seq, .. } = *message;
    let op = |(index, op): (usize, &v1::Op)| {
        op_in(writer, first_seq.saturating_add(index as u64 + 1), op)
    };
    let ops = message.ops.iter().enumerate().map(op).collect::<Result<_, _>>()?;
    Ok(LogBatch { writer, first_seq, ops })
}

/// The message of consecutive ops.
pub fn batch_out(batch: &LogBatch) -> v1::LogBatch {
    let LogBatch { writer, first_seq, ops } = batch;
    v1::LogBatch { writer: *writer, first_seq: *first_seq, ops: ops.iter().map(op_out).collect() }
}

/// Ops with their values. Only their form is checked.
///
/// # Errors
/// [`MessageError`].
pub fn submission_in(message: Option<v1::Submission>) -> Result<Submission, MessageError> {
    let message = present("submission", message)?;
    Ok(Submission {
        batches: message.batches.iter().map(batch_in).collect::<Result<_, _>>()?,
        values: message.values.into_iter().map(value_in).collect::<Result<_, _>>()?,
    })
}

/// The message of ops with their values.
pub fn submission_out(submission: &Submission) -> v1::Submission {
    v1::Submission {
        values: submission.values.iter().cloned().map(value_out).collect(),
        batches: submission.batches.iter().map(batch_out).collect(),
    }
}

/// The claim of a snapshot.
///
/// # Errors
/// [`MessageError`].
pub fn header_in(message: Option<v1::SnapshotHeader>) -> Result<SnapshotHeader, MessageError> {
    let message = present("snapshot header", message)?;
    Ok(SnapshotHeader {
        space: field("space id", &message.space)?,
        parameters: parameter_id(&message.parameters)?,
        root: field("root", &message.root)?,
        ops: message.ops,
        steps: message.steps,
    })
}

/// The message of a snapshot's claim.
pub fn header_out(header: &SnapshotHeader) -> v1::SnapshotHeader {
    v1::SnapshotHeader {
        space: bytes(&header.space),
        parameters: header.parameters.0.to_vec(),
        root: bytes(&header.root),
        ops: header.ops,
        steps: header.steps,
    }
}

/// A snapshot. It is not verified.
///
/// # Errors
/// [`MessageError`].
pub fn snapshot_in(message: Option<v1::Snapshot>) -> Result<Snapshot, MessageError> {
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
/// [`MessageError`].
pub fn entry_in(message: &v1::Entry) -> Result<Entry, MessageError> {
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

/// The state that a query reads. `root` is empty unless the state is named by it.
///
/// # Errors
/// [`MessageError`].
pub fn at_in(number: i32, root: &[u8]) -> Result<At, MessageError> {
    let named = v1::At::try_from(number).unwrap_or_default();
    if named == v1::At::Root {
        return Ok(At::Root(field("root", root)?));
    }
    if !root.is_empty() {
        return Err(MessageError::Unexpected { what: "root" });
    }
    match named {
        v1::At::Latest => Ok(At::Latest),
        v1::At::Snapshot => Ok(At::Snapshot),
        v1::At::Root | v1::At::Unspecified => Err(MessageError::Unknown { what: "state", number }),
    }
}

/// The number and the root of a state.
pub fn at_out(at: At) -> (i32, Vec<u8>) {
    match at {
        At::Latest => (v1::At::Latest.into(), Vec::new()),
        At::Snapshot => (v1::At::Snapshot.into(), Vec::new()),
        At::Root(root) => (v1::At::Root.into(), bytes(&root)),
    }
}

/// The keys of a request for several: at least one, at most [`MAX_KEYS`], ascending.
///
/// # Errors
/// [`MessageError`].
pub fn keys_in(keys: &[Vec<u8>]) -> Result<Vec<Key>, MessageError> {
    at_most("keys", keys.len(), MAX_KEYS)?;
    let keys: Result<Vec<Key>, _> = keys.iter().map(|bytes| key("key", bytes)).collect();
    let keys = keys?;
    if keys.is_empty() {
        return Err(MessageError::Missing { what: "key" });
    }
    if !keys.is_sorted_by(|a, b| a < b) {
        return Err(MessageError::Disorder { what: "the keys" });
    }
    Ok(keys)
}

/// A query of a range, and the state that it reads: with a page token the state of the token.
///
/// # Errors
/// [`MessageError`].
pub fn range_in(request: &v1::RangeRequest) -> Result<(At, RangeQuery), MessageError> {
    let refused = |what| Err(MessageError::Query { what });
    let at = at_in(request.at, &request.root)?;
    let (from, to) = (key("first key", &request.from)?, key("end key", &request.to)?);
    if from >= to {
        return refused("the range is empty: its end must be greater than its start");
    }
    if request.limit == 0 {
        return refused("limit: expected at least 1");
    }
    let page = page_in(&request.page_token)?;
    let (reverse, values) = (request.reverse, request.values);
    let query = RangeQuery { keys: from..to, limit: request.limit, reverse, values, page };
    if query.rest().is_none() {
        return refused("the page token is not one of this range");
    }
    let at = query.page.as_ref().map_or(at, |token| At::Root(token.root));
    Ok((at, query))
}

/// The request of a query.
pub fn range_out(space: F, at: At, query: &RangeQuery) -> v1::RangeRequest {
    let (at, root) = at_out(at);
    v1::RangeRequest {
        space: bytes(&space),
        at,
        from: query.keys.start.as_bytes().to_vec(),
        to: query.keys.end.as_bytes().to_vec(),
        limit: query.limit,
        root,
        reverse: query.reverse,
        page_token: query.page.as_ref().map(token_out).unwrap_or_default(),
        values: query.values,
    }
}

/// A query for the entries of a term.
///
/// # Errors
/// [`MessageError`].
pub fn find_in(request: &v1::FindRequest) -> Result<(At, FindQuery), MessageError> {
    let refused = |what| Err(MessageError::Query { what });
    let at = at_in(request.at, &request.root)?;
    if request.limit == 0 {
        return refused("limit: expected at least 1");
    }
    let Ok(query) = FindQuery::new(&request.term, request.limit) else {
        return refused("the term is longer than 1,024 bytes");
    };
    let page = page_in(&request.page_token)?;
    let (reverse, values) = (request.reverse, request.values);
    let query = query.with(|range| RangeQuery { reverse, values, page, ..range });
    if query.range().rest().is_none() {
        return refused("the page token is not one of this term");
    }
    let at = query.range().page.as_ref().map_or(at, |token| At::Root(token.root));
    Ok((at, query))
}

/// The request of a query for the entries of a term.
pub fn find_out(space: F, at: At, query: &FindQuery) -> v1::FindRequest {
    let (at, root) = at_out(at);
    let range = query.range();
    v1::FindRequest {
        space: bytes(&space),
        at,
        root,
        term: query.term().to_vec(),
        limit: range.limit,
        reverse: range.reverse,
        page_token: range.page.as_ref().map(token_out).unwrap_or_default(),
        values: range.values,
    }
}

/// An entry with the path that leads from it to a root.
///
/// # Errors
/// [`MessageError`] unless the path has a node for each level.
pub fn marked_in(message: &v1::Marked) -> Result<(Entry, Inclusion), MessageError> {
    let entry = entry_in(&present("entry", message.entry.clone())?)?;
    let what = "sibling digest";
    let siblings = |siblings: &v1::Siblings| {
        let before = match siblings.before.as_slice() {
            [] => None,
            bytes => Some(field(what, bytes)?),
        };
        let after = siblings.after.iter().map(|digest| field(what, digest));
        Ok(Siblings { before, after: after.collect::<Result<_, _>>()? })
    };
    let levels = message.path.iter().map(siblings).collect::<Result<_, MessageError>>()?;
    let refused = MessageError::Query { what: "a path from an entry to the root has 13 nodes" };
    Ok((entry, Inclusion::new(levels).ok_or(refused)?))
}

/// The message of an entry with its path.
pub fn marked_out(entry: &Entry, path: &Inclusion) -> v1::Marked {
    let siblings = |siblings: &Siblings| v1::Siblings {
        before: siblings.before.as_ref().map(bytes).unwrap_or_default(),
        after: siblings.after.iter().map(bytes).collect(),
    };
    let path = path.levels().iter().map(siblings).collect();
    v1::Marked { entry: Some(entry_out(entry)), path }
}

const TOKEN_VERSION: u8 = 1;
const TOKEN_BYTES: usize = 1 + FIELD_BYTES + KEY_BYTES;

/// The bytes of a page token: the version, the root and the key.
pub fn token_out(token: &PageToken) -> Vec<u8> {
    let root = field::to_bytes(&token.root);
    [&[TOKEN_VERSION], root.as_slice(), token.key.as_bytes()].concat()
}

/// The page token in a query or an answer; `None` where it is empty.
///
/// # Errors
/// As for [`token_in`].
pub fn page_in(token: &[u8]) -> Result<Option<PageToken>, MessageError> {
    if token.is_empty() {
        return Ok(None);
    }
    token_in(token).map(Some)
}

/// A page token.
///
/// # Errors
/// [`MessageError`] for any bytes that [`token_out`] does not produce.
pub fn token_in(token: &[u8]) -> Result<PageToken, MessageError> {
    let what = "page token";
    let (expected, actual) = (TOKEN_BYTES, token.len());
    let wrong = || MessageError::Length { what, expected, actual };
    let token: &[u8; TOKEN_BYTES] = token.try_into().map_err(|_| wrong())?;
    if token[0] != TOKEN_VERSION {
        return Err(MessageError::Unknown { what, number: i32::from(token[0]) });
    }
    let (root, of) = token[1..].split_at(FIELD_BYTES);
    Ok(PageToken { root: self::field(what, root)?, key: key(what, of)? })
}

/// What vouches for an answer by a node's account; `None` if it does not say.
///
/// # Errors
/// [`MessageError::Unknown`].
pub fn voucher_in(number: i32) -> Result<Option<Voucher>, MessageError> {
    match v1::Voucher::try_from(number) {
        Ok(v1::Voucher::Unspecified) => Ok(None),
        Ok(v1::Voucher::Proven) => Ok(Some(Voucher::Proven)),
        Ok(v1::Voucher::Signed) => Ok(Some(Voucher::Signed)),
        Err(_) => Err(MessageError::Unknown { what: "voucher", number }),
    }
}

/// The number of a voucher.
pub fn voucher_out(voucher: Voucher) -> i32 {
    let number = match voucher {
        Voucher::Proven => v1::Voucher::Proven,
        Voucher::Signed => v1::Voucher::Signed,
        Voucher::Unverified => v1::Voucher::Unspecified,
    };
    number.into()
}

/// Logs of a request: the numbers of ops by writer, ascending. Their heads are empty.
///
/// # Errors
/// [`MessageError`].
pub fn frontier_in(writers: &[v1::WriterTip]) -> Result<Vec<(u32, u64)>, MessageError> {
    let tip = |tip: &v1::WriterTip| match tip.head.as_slice() {
        [] => Ok((tip.writer, tip.seq)),
        _ => Err(MessageError::Unexpected { what: "head of a log" }),
    };
    ascending(writers)?.iter().map(tip).collect()
}

/// Logs with numbers of ops by writer, ascending, without heads.
pub fn logs_out(logs: &[(u32, u64)]) -> Vec<v1::WriterTip> {
    let tip =
        |(writer, seq): &(u32, u64)| v1::WriterTip { writer: *writer, seq: *seq, head: Vec::new() };
    logs.iter().map(tip).collect()
}

/// The frontier of a response: numbers of ops and heads by writer, ascending.
///
/// # Errors
/// [`MessageError`].
pub fn tips_in(writers: &[v1::WriterTip]) -> Result<Vec<(u32, u64, F)>, MessageError> {
    let tip = |tip: &v1::WriterTip| Ok((tip.writer, tip.seq, field("head of a log", &tip.head)?));
    ascending(writers)?.iter().map(tip).collect()
}

fn ascending(writers: &[v1::WriterTip]) -> Result<&[v1::WriterTip], MessageError> {
    at_most("writers in a frontier", writers.len(), MAX_FRONTIER)?;
    if writers.windows(2).any(|pair| pair[0].writer >= pair[1].writer) {
        return Err(MessageError::Disorder { what: "the writers of a frontier" });
    }
    Ok(writers)
}
