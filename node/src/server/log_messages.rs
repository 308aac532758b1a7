//! The ops of some logs, cut into messages.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rootfold_core::log::{LogBatch, SignedOp};
use rootfold_light::{
    messages,
    submission::Submission,
    values::{Value, ValueName},
};
use rootfold_proto::{
    limits::{MAX_GROUP_OPS, USUAL_MESSAGE_BYTES},
    v1,
};
use tonic::Status;

use crate::{
    space::Space,
    store::{
        records::{damaged, op_key},
        Column, StoreError,
    },
};

/// The number of ops read at a time, and the largest number in a batch unless one group is longer.
const CHUNK: usize = 256;
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

/// The ops of some logs, cut into submissions that fit into messages.
pub(crate) struct LogMessages {
    space: Space,
    parts: VecDeque<Part>,
    /// Logs of which this node does not hold the next op, with the number of ops before the first that
    /// it holds. Named in the first message.
    not_held: Vec<(u32, u64)>,
    /// Addresses of nodes that hold them.
    holders: Vec<String>,
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
    /// The ops that `space` holds of some logs, each after a number of ops. The owner's ops come first,
    /// and grants with them.
    pub(crate) fn new(space: Space, logs: Vec<(u32, u64)>) -> Result<LogMessages, StoreError> {
        let tips = space.writers();
        let (mut parts, mut not_held) = (VecDeque::new(), Vec::new());
        for (writer, next) in logs {
            // A log with 2^64 ops or more can have no next one.
            let Some(Ok(end)) = tips.get(&writer).map(|tip| tip.seq(writer)) else { continue };
            if next >= end {
                continue;
            }
            // A bootstrapped replica does not hold the ops of its snapshot.
            match space.log(writer, next, 1)?.first() {
                Some((first, _)) if *first == next => parts.push_back(Part { writer, next, end }),
                Some((first, _)) => not_held.push((writer, *first)),
                None => not_held.push((writer, end)),
            }
        }
        Ok(LogMessages { space, parts, not_held, holders: Vec::new() })
    }

    /// The same messages; the first one names nodes that hold what this one does not.
    pub(super) fn naming(self, holders: Vec<String>) -> LogMessages {
        LogMessages { holders, ..self }
    }

    /// The next message; `None` at the end.
    pub(crate) fn next_message(&mut self) -> Result<Option<v1::LogEntriesResponse>, Status> {
        let not_held = messages::logs_out(&std::mem::take(&mut self.not_held));
        let mut holders = std::mem::take(&mut self.holders);
        if not_held.is_empty() {
            holders.clear();
        }
        let submission = self.next_submission()?;
        let submission = submission.as_ref().map(messages::submission_out);
        let empty = submission.is_none() && not_held.is_empty();
        Ok((!empty).then_some(v1::LogEntriesResponse { submission, not_held, holders }))
    }

    /// The next ops; `None` at the end.
    pub(crate) fn next_submission(&mut self) -> Result<Option<Submission>, Status> {
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
        let mut held = self.space.log(writer, next, left.min(CHUNK))?;
        if held.iter().all(|(_, op)| op.signature.is_none()) {
            // A long group.
            held = self.space.log(writer, next, left.min(MAX_GROUP_OPS))?;
        }
        // A log has no gaps; if the disk has lost an op, what follows is not sent as if it came next.
        let held: Vec<(u64, SignedOp)> = (next..)
            .zip(held)
            .take_while(|(expected, (seq, _))| expected == seq)
            .map(|(_, op)| op)
            .collect();
        let mut batch = LogBatch { writer, first_seq: next, ops: Vec::new() };
        let mut full = false;
        let mut rest = held.as_slice();
        while let Some(length) = rest.iter().position(|(_, op)| op.signature.is_some()) {
            let (head, tail) = rest.split_at(length + 1);
            let ops = head.iter().map(|(_, op)| *op).collect();
            let stretch = self.stretch(message, ops)?;
            let empty = message.submission.batches.is_empty() && batch.ops.is_empty();
            if !empty && message.size + stretch.size > USUAL_MESSAGE_BYTES {
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

    fn stretch(&self, message: &Growing, ops: Vec<SignedOp>) -> Result<Stretch, StoreError> {
        let mut values: BTreeMap<ValueName, Value> = BTreeMap::new();
        let mut size = ops.len() * OP_COST;
        for signed in &ops {
            let Some(name) = ValueName::of(&signed.op.key, signed.op.value) else { continue };
            if message.sent.contains(&name) || values.contains_key(&name) {
                continue;
            }
            // No entry refers to a missing value any more, or no peer has sent it yet.
            let Some(content) = self.space.value(&name)? else { continue };
            size += content.len() + VALUE_COST;
            values.insert(name, Value { name, content });
        }
        Ok(Stretch { ops, values: values.into_values().collect(), size })
    }
}
