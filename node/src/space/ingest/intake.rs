//! A submission during its checks.

use std::{
    collections::{btree_map::Entry, BTreeMap, BTreeSet},
    sync::Arc,
};

use rootfold_core::{
    field::{self, to_u64},
    fold::{fold, Epoch, FoldError},
    head::Head,
    item,
    key::KeyKind,
    log::{LogBatch, LogError, SignedOp, Tip, OWNER},
    run::CheckedRun,
    tree::{self, Overlay, Page, Update},
    value::MAX_VALUE,
    F,
};
use rootfold_light::{
    submission::Submission,
    values::{open_head, Value, ValueName},
};
use rootfold_proto::limits::{MAX_BATCH_OPS, MAX_GROUP_BYTES, MAX_GROUP_OPS};

use super::IngestError;
use crate::{
    space::{self, garbage::Garbage, holes, index, usage, Latest, Policy, Space, State, Tips},
    store::{
        records::{encode_op, op_key},
        Batch, Column, StoreError,
    },
};

/// The largest number of ops whose values fit into a group whatever they are.
const ALWAYS_FIT: usize = MAX_GROUP_BYTES / MAX_VALUE;

/// How a submission is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::space) enum Take {
    /// As a whole or not at all, with all values.
    Whole,
    /// Each log for itself.
    Each,
    /// Each log for itself, of ops that this node has taken before: without its policy.
    Again,
}

/// A submission during its checks.
pub(in crate::space) struct Intake<'a> {
    pub(super) space: &'a Space,
    policy: Arc<Policy>,
    take: Take,
    /// The state that the logs continue.
    pub(super) state: Arc<State>,
    /// The tips of the writers with new ops, and of those whom these ops admit or whose heads they replace.
    pub(super) moved: BTreeMap<u32, Tip>,
    /// The new ops by writer, with the number of ops before them.
    pub(super) fresh: BTreeMap<u32, (u64, Vec<SignedOp>)>,
    /// The new ops as checked runs.
    pub(super) runs: BTreeMap<u32, CheckedRun>,
    /// The submitted values, unchecked.
    pub(super) offered: BTreeMap<ValueName, &'a Value>,
    values: NewValues<'a>,
    /// The writers whose heads are replaced.
    pub(super) replaced: BTreeSet<u32>,
    /// Ops that can be taken only when the others are folded: a replacement of a head separates them.
    pub(in crate::space) postponed: Vec<LogBatch>,
    /// A head that the owner replaces, and whose log has passed it here or left it.
    pub(in crate::space) passed: Option<(u32, Tip)>,
    /// Why logs were not taken, or not to their end.
    pub(in crate::space) refused: Vec<IngestError>,
}

/// The values of new ops.
#[derive(Debug, Default)]
struct NewValues<'a> {
    /// Checked values of the submission.
    needed: BTreeMap<ValueName, &'a Value>,
    /// Values that are in the store.
    held: BTreeSet<ValueName>,
    /// Values that nobody has sent.
    missing: BTreeSet<ValueName>,
}

/// The tree after a submission.
pub(in crate::space) struct Folded {
    pub(in crate::space) update: Update,
    pub(in crate::space) entries: u64,
    /// The entries that were replaced.
    replaced: Vec<item::Entry>,
}

impl<'a> Intake<'a> {
    /// Checks the batches of a submission against the logs of `state`.
    pub(in crate::space) fn of(
        space: &'a Space,
        state: Arc<State>,
        submission: &'a Submission,
        take: Take,
    ) -> Result<Intake<'a>, IngestError> {
        let offered = submission.values.iter().map(|value| (value.name, value)).collect();
        let mut intake = Intake {
            space,
            policy: space.policy(),
            take,
            state,
            moved: BTreeMap::new(),
            fresh: BTreeMap::new(),
            runs: BTreeMap::new(),
            offered,
            values: NewValues::default(),
            replaced: BTreeSet::new(),
            postponed: Vec::new(),
            passed: None,
            refused: Vec::new(),
        };
        for batch in &submission.batches {
            match intake.take(batch) {
                Ok(()) => {}
                Err(e) if take != Take::Whole && !e.is_local() => intake.refused.push(e),
                Err(e) => return Err(e),
            }
        }
        Ok(intake)
    }

    /// Whether there are no new ops.
    pub(in crate::space) fn is_empty(&self) -> bool {
        self.fresh.is_empty()
    }

    pub(in crate::space) fn new_ops(&self) -> u64 {
        self.fresh.values().map(|(_, ops)| ops.len() as u64).sum()
    }

    /// Continues from `now` instead, if none of the logs has moved. Returns whether that is so.
    pub(in crate::space) fn rebase(&mut self, now: &Arc<State>) -> Result<bool, IngestError> {
        let moved = |writer: &u32| self.state.tips.get(writer) != now.tips.get(writer);
        if self.moved.keys().any(moved) || !Arc::ptr_eq(&self.state.forks, &now.forks) {
            return Ok(false);
        }
        for name in &self.values.held {
            // It may have been collected since.
            if !self.space.has_value(name)? {
                return Ok(false);
            }
        }
        self.state = now.clone();
        Ok(true)
    }

    /// The tips of all writers after the submission.
    pub(in crate::space) fn tips(&self) -> Tips {
        let mut tips = self.state.tips.clone();
        tips.extend(self.moved.iter().map(|(writer, tip)| (*writer, *tip)));
        tips
    }

    pub(super) fn tip(&self, writer: u32) -> Option<Tip> {
        self.moved.get(&writer).or_else(|| self.state.tips.get(&writer)).copied()
    }

    /// Checks a batch and adds its new ops. After an error nothing is added.
    fn take(&mut self, batch: &LogBatch) -> Result<(), IngestError> {
        let writer = batch.writer;
        if batch.ops.len() > MAX_BATCH_OPS {
            return Err(IngestError::BatchTooLong { writer, ops: batch.ops.len() });
        }
        let tip = self.tip(writer).ok_or(LogError::UnknownWriter { writer })?;
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
        let first_seq = batch.first_seq + held as u64;
        let mut rest = LogBatch { writer, first_seq, ops: batch.ops[held..].to_vec() };
        if tip.head.public_key.is_closed() {
            return Err(IngestError::Closed { writer });
        }
        if let Some((before, stop)) = self.stop(&tip, &rest)? {
            let taken = signed_prefix(&rest, before);
            let later = rest.ops.split_off(taken);
            match stop {
                Stop::Refused(why) if self.take == Take::Whole || taken == 0 => return Err(why),
                Stop::Refused(why) => self.refused.push(why),
                Stop::Later if self.take == Take::Whole => {
                    return Err(IngestError::Apart { writer });
                }
                Stop::Later => {
                    let first_seq = rest.first_seq + taken as u64;
                    self.postponed.push(LogBatch { writer, first_seq, ops: later });
                }
            }
            if taken == 0 {
                return Ok(());
            }
        }
        check_signed_often(&rest)?;
        let run = self.extended(&tip, &rest)?;
        let mut values = NewValues::default();
        let mut granted = Vec::new();
        for (index, signed) in rest.ops.iter().enumerate() {
            granted.extend(self.check_op(writer, number(&rest, index), signed, &mut values)?);
        }
        self.check_group_bytes(&rest)?;
        self.check_quota(writer, &rest, &values)?;
        match self.runs.entry(writer) {
            Entry::Vacant(none) => {
                none.insert(run.clone());
            }
            Entry::Occupied(mut held) => held.get_mut().append(run.clone())?,
        }
        self.moved.extend(granted);
        self.moved.insert(writer, run.after());
        self.note_replaced(&run);
        self.values.extend(values);
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

    /// Where a batch of new ops is cut: the number of ops before, and why.
    fn stop(&mut self, tip: &Tip, rest: &LogBatch) -> Result<Option<(usize, Stop)>, IngestError> {
        let refused = self.refuse(rest);
        let Some((before, cut)) = self.cut(rest)? else { return Ok(refused) };
        if refused.as_ref().is_some_and(|(refused, _)| *refused <= before) {
            return Ok(refused);
        }
        let stop = match cut {
            Cut::Later => Stop::Later,
            Cut::OfOldKey(why) => Stop::Refused(why),
            Cut::OtherHead { of, named, passed } => {
                // Only what the owner has signed makes this node wait, or go back.
                self.signed_up_to(tip, rest, before)?;
                self.space.await_head(of, named);
                if passed {
                    self.passed = Some((of, named));
                }
                let seq = |tip: Option<&Tip>| tip.and_then(|tip| to_u64(&tip.head.seq));
                Stop::Refused(IngestError::OtherHead {
                    writer: rest.writer,
                    seq: number(rest, before),
                    of,
                    at: seq(Some(&named)).unwrap_or(u64::MAX),
                    held: seq(self.state.tips.get(&of)).unwrap_or(0),
                })
            }
        };
        Ok(Some((before, stop)))
    }

    /// The first new op that this node does not take now, if there is one.
    fn refuse(&self, rest: &LogBatch) -> Option<(usize, Stop)> {
        if self.take == Take::Again {
            return None;
        }
        let writer = rest.writer;
        if self.policy.denied.contains(&writer) {
            return Some((0, Stop::Refused(IngestError::Denied { writer })));
        }
        let latest = self.policy.latest_ts();
        let ahead = rest.ops.iter().position(|signed| signed.op.ts > latest).map(|before| {
            let (seq, ahead) = (number(rest, before), self.policy.ahead(rest.ops[before].op.ts));
            (before, IngestError::Ahead { writer, seq, ahead })
        });
        let resting = self.state.forks.get(&writer).and_then(|fork| fork.rests_after());
        // A fork is resolved where the owner names a head beyond it.
        let resting = resting.filter(|_| self.space.awaited(writer).is_none());
        let rests = resting.map(|shared| {
            let before = usize::try_from(shared.saturating_sub(rest.first_seq));
            let before = before.unwrap_or(usize::MAX);
            (before, IngestError::Rests { writer, seq: number(rest, before), shared })
        });
        let rests = rests.filter(|(before, _)| *before < rest.ops.len());
        let first = [ahead, rests].into_iter().flatten().min_by_key(|(before, _)| *before);
        first.map(|(before, why)| (before, Stop::Refused(why)))
    }

    /// Checks the value of a new op; if the op is a grant, returns the writer's tip.
    fn check_op(
        &self,
        writer: u32,
        seq: u64,
        signed: &SignedOp,
        values: &mut NewValues<'a>,
    ) -> Result<Option<(u32, Tip)>, IngestError> {
        let op = &signed.op;
        let missing =
            |digest: &F| IngestError::ValueMissing { writer, seq, digest: field::to_hex(digest) };
        let granted = match op.key.kind() {
            KeyKind::Head(granted) => Some(granted),
            _ => None,
        };
        // The owner's ops cannot be folded without what they put in place.
        let needed = matches!(op.key.kind(), KeyKind::Head(_) | KeyKind::Replacement(_));
        let Some(name) = ValueName::of(&op.key, op.value) else {
            return if needed { Err(missing(&op.value)) } else { Ok(None) };
        };
        if let Some(value) = self.offered.get(&name) {
            value.check().map_err(|source| IngestError::Value { writer, seq, source })?;
            values.needed.insert(name, value);
        } else if self.space.has_value(&name)? {
            values.held.insert(name);
        } else if self.take != Take::Whole && !needed {
            values.missing.insert(name);
        } else {
            return Err(missing(&op.value));
        }
        let Some(granted) = granted else { return Ok(None) };
        let offered = values.needed.get(&name).and_then(|value| open_head(&value.content).ok());
        let head = offered.map_or_else(|| self.space.head(op.value), Ok)?;
        Ok(Some((granted, Tip { head, stamp: op.stamp(writer) })))
    }

    /// The values of ops that one signature covers fit into a message.
    fn check_group_bytes(&self, rest: &LogBatch) -> Result<(), IngestError> {
        for (stretch, seq) in stretches(rest).filter(|(ops, _)| ops.len() > ALWAYS_FIT) {
            let name = |signed: &SignedOp| ValueName::of(&signed.op.key, signed.op.value);
            let names: BTreeSet<ValueName> = stretch.iter().filter_map(name).collect();
            let mut bytes = 0;
            for name in names {
                bytes += match self.offered.get(&name) {
                    Some(value) => value.content.len(),
                    None => self.space.value(&name)?.map_or(0, |content| content.len()),
                };
                if bytes > MAX_GROUP_BYTES {
                    return Err(IngestError::GroupTooLarge { writer: rest.writer, seq });
                }
            }
        }
        Ok(())
    }

    fn check_quota(
        &self,
        writer: u32,
        rest: &LogBatch,
        values: &NewValues<'_>,
    ) -> Result<(), IngestError> {
        let limit = self.policy.max_writer_bytes.filter(|_| self.take != Take::Again);
        let Some(limit) = limit else { return Ok(()) };
        let before = self.fresh.get(&writer).map_or(0, |(_, ops)| usage::ops_bytes(ops));
        let new = usage::ops_bytes(&rest.ops) + values.bytes();
        let bytes = usage::read(self.space.store(), writer)?.saturating_add(before + new);
        if bytes > limit {
            return Err(IngestError::Quota { writer, bytes, limit });
        }
        Ok(())
    }

    /// Folds all new runs into the latest tree. If each log is taken for itself, leaves out those that
    /// the fold refuses.
    pub(in crate::space) fn fold(&mut self) -> Result<Folded, IngestError> {
        loop {
            match self.fold_runs() {
                Err(e) if self.take != Take::Whole && self.leave_out(&e) => self.refused.push(e),
                done => return done,
            }
        }
    }

    /// Removes the log that the fold refuses. Returns whether there is one.
    fn leave_out(&mut self, e: &IngestError) -> bool {
        let writer = match e {
            IngestError::Fold(
                FoldError::OtherHead { writer } | FoldError::StampTaken { writer, .. },
            )
            | IngestError::Log(LogError::UnknownWriter { writer })
            | IngestError::Fold(FoldError::Log(
                LogError::UnknownWriter { writer } | LogError::GrantedAlready { writer, .. },
            )) => *writer,
            IngestError::Fold(
                FoldError::OtherHeadReplaced { .. } | FoldError::ReplacedInRun { .. },
            ) => OWNER,
            _ => return false,
        };
        let Some(run) = self.runs.remove(&writer) else { return false };
        for moved in run.granted().keys().chain([&writer]) {
            self.moved.remove(moved);
        }
        for replacement in run.replacements().values() {
            self.moved.remove(&replacement.writer());
            self.replaced.remove(&replacement.writer());
        }
        self.fresh.remove(&writer).is_some()
    }

    /// Folds all new runs: first those of the writers in the tree, then those of the writers whom these
    /// runs admit, and so on.
    fn fold_runs(&self) -> Result<Folded, IngestError> {
        let mut overlay = Overlay::new(self.space.pages());
        let mut pages: BTreeMap<F, Page> = BTreeMap::new();
        let Latest { mut root, mut entries, .. } = self.state.latest;
        let (mut gone, mut replaced) = (Vec::new(), Vec::new());
        let mut admitted: BTreeSet<u32> = BTreeSet::new();
        let mut pending = self.runs.clone();
        while !pending.is_empty() {
            let (now, later): (BTreeMap<_, _>, _) = pending.into_iter().partition(|(writer, _)| {
                self.state.tips.contains_key(writer) || admitted.contains(writer)
            });
            let epoch = Epoch { runs: now.into_values().collect() };
            pending = later;
            if let (true, Some(&writer)) = (epoch.runs.is_empty(), pending.keys().next()) {
                return Err(LogError::UnknownWriter { writer }.into());
            }
            let old = |key: &_| tree::lookup(&overlay, root, key);
            let upserts = fold(&old, &epoch)?;
            for upsert in &upserts {
                match old(&upsert.key)? {
                    Some(entry) => replaced.push(entry),
                    None => entries += 1,
                }
            }
            let update = tree::update(&overlay, root, &upserts)?;
            overlay.above.apply(&update);
            root = update.root;
            pages.extend(update.pages);
            gone.extend(update.replaced);
            admitted.extend(epoch.runs.iter().flat_map(|run| run.granted().keys()));
        }
        let update = Update { root, pages: pages.into_iter().collect(), replaced: gone };
        Ok(Folded { update, entries, replaced })
    }

    /// The new heads of all writers with new ops, or whose heads are replaced.
    pub(in crate::space) fn heads(&self) -> impl Iterator<Item = (u32, &Head)> {
        let writers: BTreeSet<u32> = self.runs.keys().chain(&self.replaced).copied().collect();
        writers.into_iter().filter_map(|writer| Some((writer, &self.moved.get(&writer)?.head)))
    }

    /// Adds the new ops, their values, the changed tips, and what may be garbage now.
    pub(in crate::space) fn stage(
        &self,
        batch: &mut Batch,
        folded: &Folded,
    ) -> Result<(), StoreError> {
        let mut garbage = Garbage::new(self.space);
        for (writer, (first, ops)) in &self.fresh {
            let heads = self.runs.get(writer).map_or(&[][..], CheckedRun::heads);
            for ((seq, signed), head) in (*first..).zip(ops).zip(heads) {
                batch.put(Column::Ops, op_key(*writer, seq), encode_op(signed, head));
                space::garbage::stage_reference(batch, *writer, seq, &signed.op);
                garbage.value(ValueName::of(&signed.op.key, signed.op.value));
            }
            index::stage_ops(batch, ops);
            if self.take != Take::Again {
                usage::stage(batch, self.space.store(), *writer, self.bytes_of(ops))?;
            }
        }
        for value in self.values.needed.values() {
            space::stage_value(batch, value);
        }
        for name in &self.values.missing {
            holes::stage(batch, name);
        }
        folded.update.replaced.iter().for_each(|name| garbage.page(*name));
        folded.replaced.iter().for_each(|entry| garbage.value(ValueName::of_entry(entry)));
        garbage.stage(batch);
        space::stage_tips(batch, &self.moved);
        Ok(())
    }

    /// The number of bytes that ops and their new values take.
    fn bytes_of(&self, ops: &[SignedOp]) -> u64 {
        let name = |signed: &SignedOp| ValueName::of(&signed.op.key, signed.op.value);
        let names: BTreeSet<ValueName> = ops.iter().filter_map(name).collect();
        let values = names.iter().filter_map(|name| self.values.needed.get(name));
        usage::ops_bytes(ops) + values.map(|value| value.content.len() as u64).sum::<u64>()
    }
}

impl<'a> NewValues<'a> {
    fn extend(&mut self, other: NewValues<'a>) {
        self.needed.extend(other.needed);
        self.held.extend(other.held);
        self.missing.extend(other.missing);
    }

    fn bytes(&self) -> u64 {
        self.needed.values().map(|value| value.content.len() as u64).sum()
    }
}

/// Why a batch is cut at a replacement of a head.
pub(super) enum Cut {
    /// The ops of this submission before the cut must be folded first.
    Later,
    /// The owner has replaced the head of this log: the ops after it are of the old key.
    OfOldKey(IngestError),
    /// The log of writer `of` is not at the head that the owner names. `passed` says whether this node
    /// holds as many ops of it, or more.
    OtherHead { of: u32, named: Tip, passed: bool },
}

/// Why a batch is cut.
enum Stop {
    /// The ops behind the cut are not taken.
    Refused(IngestError),
    /// They are taken when the ops before it are folded.
    Later,
}

/// The length of the longest prefix of at most `limit` ops whose last op is signed.
fn signed_prefix(batch: &LogBatch, limit: usize) -> usize {
    let within = &batch.ops[..limit.min(batch.ops.len())];
    within.iter().rposition(|signed| signed.signature.is_some()).map_or(0, |last| last + 1)
}

/// The number of an op of a batch in its log, from 1. Saturates at 2^64 - 1, a number that no op can
/// have.
pub(super) fn number(batch: &LogBatch, index: usize) -> u64 {
    batch.first_seq.saturating_add(index as u64).saturating_add(1)
}

/// The ops up to each signature, with the number of the last one.
fn stretches(batch: &LogBatch) -> impl Iterator<Item = (&[SignedOp], u64)> {
    let mut ops = 0;
    batch.ops.split_inclusive(|signed| signed.signature.is_some()).map(move |stretch| {
        ops += stretch.len();
        (stretch, number(batch, ops - 1))
    })
}

fn check_signed_often(batch: &LogBatch) -> Result<(), IngestError> {
    let mut stretches = stretches(batch);
    match stretches.find(|(stretch, _)| stretch.len() > MAX_GROUP_OPS) {
        Some((_, seq)) => Err(IngestError::UnsignedTooLong { writer: batch.writer, seq }),
        None => Ok(()),
    }
}
