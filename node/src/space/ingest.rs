//! Ingest: the only way of ops into a space, from local writers, callers of `Submit` and peers.
//!
//! A submission is checked, folded and written in one batch. If it is refused, the store does not
//! change.

use std::collections::{btree_map::Entry, BTreeMap, BTreeSet};

use rootfold_core::{
    field,
    fold::{fold, Epoch, FoldError},
    head::Head,
    key::KeyKind,
    log::{LogBatch, LogError, SignedOp, Tip},
    run::{extend, CheckedRun},
    tree::{self, Overlay, Page, TreeError, Update},
    F,
};
use rootfold_light::{
    submission::{Ingested, Submission},
    values::{open_head, Value, ValueError, ValueKind, ValueName},
};
use rootfold_proto::limits::{MAX_BATCH_OPS, MAX_UNSIGNED_OPS};
use thiserror::Error;

use crate::{
    space::{self, Latest, Space, State},
    store::{
        records::{encode_op, op_key},
        Batch, Column, StoreError,
    },
};

/// Why a submission is refused. `seq` is the number of the op in its log, from 1, as in [`LogError`].
#[derive(Debug, Error)]
pub enum IngestError {
    /// An op does not continue its writer's log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The space holds another op with this number: the writer has signed two continuations, or the
    /// submitted op is forged.
    #[error("writer {writer}, op {seq}: the node holds another op with this number (forked log)")]
    Fork {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
    },
    /// A batch has more than [`MAX_BATCH_OPS`] ops.
    #[error("writer {writer}: batch of {ops} ops, the limit is {MAX_BATCH_OPS}")]
    BatchTooLong {
        /// The writer.
        writer: u32,
        /// The number of ops.
        ops: usize,
    },
    /// Too many consecutive ops without a signature: the log could not be cut into messages.
    #[error(
        "writer {writer}, op {seq}: at least one of {MAX_UNSIGNED_OPS} consecutive ops must be signed"
    )]
    UnsignedTooLong {
        /// The writer.
        writer: u32,
        /// The number of the op at the limit.
        seq: u64,
    },
    /// The value of an op is neither in the submission nor in the store.
    #[error("writer {writer}, op {seq}: value {digest} is missing")]
    ValueMissing {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// The digest of the value, in hexadecimal.
        digest: String,
    },
    /// A value is too long or does not match the digest of its op.
    #[error("writer {writer}, op {seq}: {source}")]
    Value {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// What is wrong.
        source: ValueError,
    },
    /// The fold refuses the ops.
    #[error("fold: {0}")]
    Fold(#[from] FoldError<TreeError>),
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IngestError {
    /// Whether the submission is bad, rather than that this node failed.
    pub fn is_refusal(&self) -> bool {
        !matches!(
            self,
            IngestError::Store(_) | IngestError::Tree(_) | IngestError::Fold(FoldError::Old(_))
        )
    }
}

impl Space {
    /// Checks a submission and ingests it as a whole. Ops that the space holds already are skipped.
    ///
    /// # Errors
    /// [`IngestError`]; then the space has not changed.
    pub fn ingest(&self, submission: &Submission) -> Result<Ingested, IngestError> {
        let change = self.begin_change();
        let state = self.state();
        let mut intake = Intake::new(self, &state, &submission.values);
        for batch in &submission.batches {
            intake.take(batch)?;
        }
        let ops = intake.new_ops();
        if ops == 0 {
            return Ok(Ingested { ops: 0, root: state.latest.root });
        }
        let folded = intake.fold(&state)?;
        let mut batch = Batch::new();
        intake.stage(&mut batch);
        space::stage_update(&mut batch, &folded.update, intake.heads());
        let root = folded.update.root;
        let latest = Latest { root, ops: state.latest.ops + ops, entries: folded.entries };
        let state = State { latest, tips: intake.tips, ..State::clone(&state) };
        self.commit(&change, batch, state)?;
        tracing::debug!(ops, root = %field::to_hex(&root), "ingested ops");
        Ok(Ingested { ops, root })
    }
}

/// A submission during its checks.
struct Intake<'a> {
    space: &'a Space,
    /// The tips after the batches so far.
    tips: BTreeMap<u32, Tip>,
    /// The new ops by writer, with the number of ops before them.
    fresh: BTreeMap<u32, (u64, Vec<SignedOp>)>,
    /// The new ops as checked runs.
    runs: BTreeMap<u32, CheckedRun>,
    /// The submitted values, unchecked.
    offered: BTreeMap<ValueName, &'a Value>,
    /// The checked values of new ops.
    needed: BTreeMap<ValueName, &'a Value>,
}

/// The tree after a submission.
struct Folded {
    update: Update,
    entries: u64,
}

impl<'a> Intake<'a> {
    fn new(space: &'a Space, state: &State, values: &'a [Value]) -> Intake<'a> {
        let offered = values.iter().map(|value| (value.name, value)).collect();
        let (fresh, runs, needed) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Intake { space, tips: state.tips.clone(), fresh, runs, offered, needed }
    }

    fn new_ops(&self) -> u64 {
        self.fresh.values().map(|(_, ops)| ops.len() as u64).sum()
    }

    /// Checks a batch and adds its new ops.
    fn take(&mut self, batch: &LogBatch) -> Result<(), IngestError> {
        let writer = batch.writer;
        if batch.ops.len() > MAX_BATCH_OPS {
            return Err(IngestError::BatchTooLong { writer, ops: batch.ops.len() });
        }
        let tip = *self.tips.get(&writer).ok_or(LogError::UnknownWriter { writer })?;
        let expected = tip.seq(writer)?;
        let held = expected.checked_sub(batch.first_seq).ok_or(LogError::Gap {
            writer,
            expected,
            first_seq: batch.first_seq,
        })?;
        let held = usize::try_from(held).unwrap_or(usize::MAX).min(batch.ops.len());
        self.compare(batch, held)?;
        if held == batch.ops.len() && held > 0 {
            return Ok(());
        }
        let rest = LogBatch {
            writer,
            first_seq: batch.first_seq + held as u64,
            ops: batch.ops[held..].to_vec(),
        };
        check_signed_often(&rest)?;
        let run = extend(&tip, &|writer| self.tips.contains_key(&writer), &rest)?;
        for (index, signed) in rest.ops.iter().enumerate() {
            self.take_op(writer, number(&rest, index), signed)?;
        }
        self.tips.insert(writer, run.after());
        match self.runs.entry(writer) {
            Entry::Vacant(none) => {
                none.insert(run);
            }
            Entry::Occupied(mut held) => held.get_mut().append(run)?,
        }
        let fresh = self.fresh.entry(writer).or_insert((rest.first_seq, Vec::new()));
        fresh.1.extend(rest.ops);
        Ok(())
    }

    /// Compares the first `held` ops of a batch with those in the space. A bootstrapped replica does not
    /// hold the ops of its snapshot and skips them: the signature of a later op covers them.
    fn compare(&self, batch: &LogBatch, held: usize) -> Result<(), IngestError> {
        let writer = batch.writer;
        let known = self.ops(writer, batch.first_seq, held)?;
        for (index, theirs) in batch.ops[..held].iter().enumerate() {
            let before = batch.first_seq + index as u64;
            if known.get(&before).is_some_and(|ours| ours.op != theirs.op) {
                return Err(IngestError::Fork { writer, seq: number(batch, index) });
            }
        }
        Ok(())
    }

    /// At most `count` ops of a log in the store, and as many of this submission, by the number of ops
    /// before them.
    fn ops(
        &self,
        writer: u32,
        from: u64,
        count: usize,
    ) -> Result<BTreeMap<u64, SignedOp>, StoreError> {
        let mut ops: BTreeMap<u64, SignedOp> =
            self.space.log(writer, from, count)?.into_iter().collect();
        if let Some((first, fresh)) = self.fresh.get(&writer) {
            // A submission can repeat its own ops many times, so their number is limited too.
            let before = usize::try_from(from.saturating_sub(*first)).unwrap_or(usize::MAX);
            let fresh = fresh.iter().enumerate().skip(before).take(count);
            ops.extend(fresh.map(|(i, op)| (first + i as u64, *op)));
        }
        Ok(ops)
    }

    /// Checks the value of a new op; if the op is a grant, admits the writer.
    fn take_op(&mut self, writer: u32, seq: u64, signed: &SignedOp) -> Result<(), IngestError> {
        let op = &signed.op;
        let missing =
            |digest: &F| IngestError::ValueMissing { writer, seq, digest: field::to_hex(digest) };
        let Some(name) = ValueName::of(&op.key, op.value) else {
            // A grant must have a head.
            return match op.key.kind() {
                KeyKind::Head(_) => Err(missing(&op.value)),
                _ => Ok(()),
            };
        };
        if let Some(value) = self.offered.get(&name) {
            value.check().map_err(|source| IngestError::Value { writer, seq, source })?;
            self.needed.insert(name, value);
        } else if !self.space.has_value(&name)? {
            return Err(missing(&op.value));
        }
        if let KeyKind::Head(granted) = op.key.kind() {
            let head = self.open(op.value)?;
            self.tips.insert(granted, Tip { head, stamp: op.stamp(writer) });
        }
        Ok(())
    }

    /// The head with this digest, from the submission or the store.
    fn open(&self, digest: F) -> Result<Head, StoreError> {
        let name = ValueName { kind: ValueKind::Head, digest };
        let offered = self.needed.get(&name).and_then(|value| open_head(&value.content).ok());
        offered.map_or_else(|| self.space.head(digest), Ok)
    }

    /// Folds all new runs into the latest tree: first those of the writers in the tree, then those of
    /// the writers whom these runs admit, and so on.
    fn fold(&mut self, state: &State) -> Result<Folded, IngestError> {
        let mut overlay = Overlay::new(self.space.pages());
        let mut admitted: BTreeSet<u32> = state.tips.keys().copied().collect();
        let mut pages: BTreeMap<F, Page> = BTreeMap::new();
        let Latest { mut root, mut entries, .. } = state.latest;
        let mut pending = std::mem::take(&mut self.runs);
        while !pending.is_empty() {
            let (now, later) =
                pending.into_iter().partition(|(writer, _)| admitted.contains(writer));
            let epoch = Epoch { runs: BTreeMap::into_values(now).collect() };
            pending = later;
            if let (true, Some(&writer)) = (epoch.runs.is_empty(), pending.keys().next()) {
                return Err(LogError::UnknownWriter { writer }.into());
            }
            let old = |key: &_| tree::lookup(&overlay, root, key);
            let upserts = fold(&old, &epoch)?;
            for upsert in &upserts {
                entries += u64::from(old(&upsert.key)?.is_none());
            }
            let update = tree::update(&overlay, root, &upserts)?;
            overlay.above.apply(&update);
            root = update.root;
            pages.extend(update.pages);
            admitted.extend(epoch.runs.iter().flat_map(|run| run.granted().keys()));
        }
        let update = Update { root, pages: pages.into_iter().collect(), replaced: Vec::new() };
        Ok(Folded { update, entries })
    }

    /// The new heads of all writers with new ops.
    fn heads(&self) -> impl Iterator<Item = &Head> {
        self.fresh.keys().filter_map(|writer| self.tips.get(writer)).map(|tip| &tip.head)
    }

    /// Adds the new ops, their values and the changed tips.
    fn stage(&self, batch: &mut Batch) {
        for (writer, (first, ops)) in &self.fresh {
            for (index, signed) in ops.iter().enumerate() {
                batch.put(Column::Ops, op_key(*writer, first + index as u64), encode_op(signed));
            }
        }
        self.needed.values().for_each(|value| space::stage_value(batch, value));
        let old = self.space.state();
        let moved = self.tips.iter().filter(|(writer, tip)| old.tips.get(writer) != Some(tip));
        space::stage_tips(batch, moved);
    }
}

/// The number of an op of a batch in its log, from 1. Saturates at 2^64 - 1, a number that no op can
/// have.
fn number(batch: &LogBatch, index: usize) -> u64 {
    batch.first_seq.saturating_add(index as u64 + 1)
}

fn check_signed_often(batch: &LogBatch) -> Result<(), IngestError> {
    let mut unsigned = 0;
    for (index, signed) in batch.ops.iter().enumerate() {
        let seq = number(batch, index);
        unsigned = if signed.signature.is_some() { 0 } else { unsigned + 1 };
        if unsigned >= MAX_UNSIGNED_OPS {
            return Err(IngestError::UnsignedTooLong { writer: batch.writer, seq });
        }
    }
    Ok(())
}
