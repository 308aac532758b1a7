//! Taking in ops: from the writers of this machine, from whoever submits, and from peers.
//!
//! A submission is checked as a whole, folded natively, and then written in one batch. Whatever is
//! wrong with it, the store is as before.

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

/// Why a submission is refused. `seq` counts from 1, as in [`LogError`].
#[derive(Debug, Error)]
pub enum IngestError {
    /// An op does not continue its writer's log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The writer signed, or somebody made up, another op where one is held already.
    #[error("writer {writer}, op {seq}: another op is held in this place, the log is forked")]
    Fork {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
    },
    /// A batch beyond [`MAX_BATCH_OPS`].
    #[error("writer {writer}: a batch of {ops} ops, the limit is {MAX_BATCH_OPS}")]
    BatchTooLong {
        /// The writer.
        writer: u32,
        /// The number of its ops.
        ops: usize,
    },
    /// A stretch beyond [`MAX_UNSIGNED_OPS`]: it could not be cut into messages.
    #[error("writer {writer}, op {seq}: {MAX_UNSIGNED_OPS} ops in a row without a signature")]
    UnsignedTooLong {
        /// The writer.
        writer: u32,
        /// The number of the op at the limit.
        seq: u64,
    },
    /// A value that an op names is neither in the submission nor held.
    #[error("writer {writer}, op {seq}: the value {digest} is missing")]
    ValueMissing {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// The digest in hexadecimal.
        digest: String,
    },
    /// A value is too large, or not the one that its op names.
    #[error("writer {writer}, op {seq}: {source}")]
    Value {
        /// The writer.
        writer: u32,
        /// The op's number.
        seq: u64,
        /// What is wrong.
        source: ValueError,
    },
    /// The fold refuses what the logs do not.
    #[error("the fold: {0}")]
    Fold(#[from] FoldError<TreeError>),
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IngestError {
    /// Whether the submission is bad, and not this machine.
    pub fn is_refusal(&self) -> bool {
        !matches!(
            self,
            IngestError::Store(_) | IngestError::Tree(_) | IngestError::Fold(FoldError::Old(_))
        )
    }
}

impl Space {
    /// Checks a submission and takes it in: all of it or nothing. Ops that are held already are
    /// skipped.
    ///
    /// # Errors
    /// [`IngestError`]; then nothing has changed.
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
        tracing::debug!(ops, root = %field::to_hex(&root), "took in ops");
        Ok(Ingested { ops, root })
    }
}

/// A submission while it is checked.
struct Intake<'a> {
    space: &'a Space,
    /// Tips after what was taken so far.
    tips: BTreeMap<u32, Tip>,
    /// New ops by writer, with the number of ops before them.
    fresh: BTreeMap<u32, (u64, Vec<SignedOp>)>,
    /// The same ops as runs, checked.
    runs: BTreeMap<u32, CheckedRun>,
    /// Values as submitted.
    offered: BTreeMap<ValueName, &'a Value>,
    /// Checked values that new ops need.
    needed: BTreeMap<ValueName, &'a Value>,
}

/// What the fold of a submission makes of the tree.
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

    /// Checks one batch and adds what is new in it.
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

    /// Compares the first ops of a batch with those that are held. What a bootstrapped replica
    /// does not hold it cannot compare; the signature over the rest covers it.
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

    /// At most `count` ops of a log that are held, and as many that were taken, by the number of ops
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
            // No more of them than asked for: a submission can come back to its own ops many times.
            let before = usize::try_from(from.saturating_sub(*first)).unwrap_or(usize::MAX);
            let fresh = fresh.iter().enumerate().skip(before).take(count);
            ops.extend(fresh.map(|(i, op)| (first + i as u64, *op)));
        }
        Ok(ops)
    }

    /// Checks the value of a new op, and admits a writer if it is a grant.
    fn take_op(&mut self, writer: u32, seq: u64, signed: &SignedOp) -> Result<(), IngestError> {
        let op = &signed.op;
        let missing =
            |digest: &F| IngestError::ValueMissing { writer, seq, digest: field::to_hex(digest) };
        let Some(name) = ValueName::of(&op.key, op.value) else {
            // A grant of nothing: nobody could ever open that head.
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

    fn open(&self, digest: F) -> Result<Head, StoreError> {
        let name = ValueName { kind: ValueKind::Head, digest };
        let offered = self.needed.get(&name).map(|value| value.content.clone());
        let content = match offered {
            Some(content) => Some(content),
            None => self.space.value(&name)?,
        };
        content
            .and_then(|content| open_head(&content).ok())
            .ok_or_else(|| space::no_opening(&digest))
    }

    /// Folds all new runs into the latest tree: first those of writers in it, then those of the
    /// writers whom these admitted, and so on.
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

    /// Heads after this submission of all writers with new ops.
    fn heads(&self) -> impl Iterator<Item = &Head> {
        self.fresh.keys().filter_map(|writer| self.tips.get(writer)).map(|tip| &tip.head)
    }

    /// Adds ops, values and the tips that moved.
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

/// The number of an op of a batch, from 1. The last log position there is, which no op can take,
/// does not overflow.
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
