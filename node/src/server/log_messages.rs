//! The ops after a frontier, cut into messages.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rootfold_core::log::{LogBatch, SignedOp};
use rootfold_light::{
    submission::Submission,
    values::{Value, ValueName},
};
use rootfold_proto::limits::{MAX_BATCH_OPS, TARGET_MESSAGE_BYTES};
use tonic::Status;

use crate::{
    space::Space,
    store::{
        records::{damaged, op_key, value_key},
        Column, StoreError,
    },
};

/// The number of ops read at a time, and the largest number in a batch.
const CHUNK: usize = 256;
const _: () = assert!(CHUNK <= MAX_BATCH_OPS);
/// An upper bound of the bytes of an op in a message.
const OP_COST: usize = 300;
/// An upper bound of the framing of a value in a message, in bytes.
const VALUE_COST: usize = 64;

/// The part of a log that is not sent yet.
struct Part {
    writer: u32,
    next: u64,
    end: u64,
}

/// The ops after a frontier, cut into submissions that fit into messages.
pub(super) struct LogMessages {
    space: Space,
    parts: VecDeque<Part>,
}

/// A message under construction.
#[derive(Default)]
struct Growing {
    submission: Submission,
    sent: BTreeSet<ValueName>,
    size: usize,
}

/// Ops up to a signature, with their values that the message does not have yet.
struct Stretch {
    ops: Vec<SignedOp>,
    values: Vec<Value>,
    size: usize,
}

impl LogMessages {
    /// All ops that `space` holds after `frontier`. The owner's ops come first, and grants with them.
    pub(super) fn new(space: Space, frontier: Vec<(u32, u64)>) -> Result<LogMessages, StoreError> {
        let frontier: BTreeMap<u32, u64> = frontier.into_iter().collect();
        let mut parts = VecDeque::new();
        for (writer, tip) in space.writers() {
            // The head of a grant can have any number of ops; beyond 2^64 the log can have none.
            let Ok(end) = tip.seq(writer) else { continue };
            let next = match frontier.get(&writer) {
                Some(next) => *next,
                // The caller learns of this writer from the grant, whose head can have any number
                // of ops before it.
                None => space.log(writer, 0, 1)?.first().map_or(end, |(first, _)| *first),
            };
            if next < end {
                parts.push_back(Part { writer, next, end });
            }
        }
        Ok(LogMessages { space, parts })
    }

    /// The next message; `None` at the end.
    pub(super) fn next_submission(&mut self) -> Result<Option<Submission>, Status> {
        let mut message = Growing::default();
        while let Some(mut part) = self.parts.pop_front() {
            let full = self.fill(&mut message, &mut part)?;
            if part.next < part.end {
                self.parts.push_front(part);
            }
            if full {
                break;
            }
        }
        Ok((!message.submission.batches.is_empty()).then_some(message.submission))
    }

    /// Adds ops of one log; returns whether the message is full.
    fn fill(&self, message: &mut Growing, part: &mut Part) -> Result<bool, Status> {
        let Part { writer, next, end } = *part;
        let left = usize::try_from(end - next).unwrap_or(usize::MAX);
        let held = self.space.log(writer, next, left.min(CHUNK))?;
        let mut batch = LogBatch { writer, first_seq: next, ops: Vec::new() };
        let mut full = false;
        let mut rest = held.as_slice();
        if let Some((first, _)) = rest.first().filter(|(first, _)| *first != next) {
            return Err(not_held(writer, next, *first));
        }
        while let Some(length) = rest.iter().position(|(_, op)| op.signature.is_some()) {
            let (head, tail) = rest.split_at(length + 1);
            let ops = head.iter().map(|(_, op)| *op).collect();
            let stretch = self.stretch(message, writer, batch.first_seq, ops)?;
            let empty = message.submission.batches.is_empty() && batch.ops.is_empty();
            if !empty && message.size + stretch.size > TARGET_MESSAGE_BYTES {
                full = true;
                break;
            }
            message.size += stretch.size;
            message.sent.extend(stretch.values.iter().map(|value| value.name));
            message.submission.values.extend(stretch.values);
            batch.ops.extend(stretch.ops);
            rest = tail;
        }
        if batch.ops.is_empty() && !full {
            let key = op_key(writer, next);
            return Err(damaged(Column::Ops, &key, "no signed op follows").into());
        }
        part.next += batch.ops.len() as u64;
        if !batch.ops.is_empty() {
            message.submission.batches.push(batch);
        }
        Ok(full)
    }

    fn stretch(
        &self,
        message: &Growing,
        writer: u32,
        seq: u64,
        ops: Vec<SignedOp>,
    ) -> Result<Stretch, StoreError> {
        let mut values: BTreeMap<ValueName, Value> = BTreeMap::new();
        let mut size = ops.len() * OP_COST;
        for signed in &ops {
            let Some(name) = ValueName::of(&signed.op.key, signed.op.value) else { continue };
            if message.sent.contains(&name) || values.contains_key(&name) {
                continue;
            }
            let content = self.space.value(&name)?.ok_or_else(|| {
                let what =
                    format!("missing, but an op of writer {writer} after op {seq} refers to it");
                damaged(Column::Values, &value_key(&name), what)
            })?;
            size += content.len() + VALUE_COST;
            values.insert(name, Value { name, content });
        }
        Ok(Stretch { ops, values: values.into_values().collect(), size })
    }
}

fn not_held(writer: u32, next: u64, first: u64) -> Status {
    Status::not_found(format!(
        "this node was bootstrapped from a snapshot: of writer {writer} it holds the ops after op \
         {first}, but not those after op {next}; ask another node"
    ))
}
