//! Runs: consecutive ops of one log with one signature, unchecked and checked.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    eddsa::Signature,
    field::to_u64,
    head::Head,
    key::{Key, KeyKind},
    log::{LogBatch, LogError, MarkRefusal, Op, ReplacementRefusal, Tip},
    mark::belongs_to,
    replacement::Replacement,
    value::tombstone,
    F,
};

/// Consecutive ops of one log and the writer's signature after the last op. Unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The log's writer.
    pub writer: u32,
    /// The tip that the first op follows.
    pub before: Tip,
    /// The ops in the order of the log, at least one in a run that can be checked.
    pub ops: Vec<Op>,
    /// The signature over head and seq after the last op.
    pub signature: Signature,
}

/// A run that continues its log by L3 to L5, L7 and L9 to L13: every op is linked and allowed, the last one
/// is signed, and no group is cut.
///
/// Only [`Run::check`] and [`extend`] return one, so it need not be checked again. The check is
/// relative to [`CheckedRun::before`]: [`fold`](crate::fold::fold) checks that the tree has that tip
/// (L2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRun {
    run: Run,
    after: Tip,
    /// The head of the log after each op.
    heads: Vec<F>,
    /// The writers that the run grants, with the seq of the op that grants each.
    granted: BTreeMap<u32, u64>,
    /// The replacements of heads by the index of their op.
    replacements: BTreeMap<usize, Replacement>,
}

/// Returns the replacement of a head with this digest; `None` if it is not known.
pub type OpenReplacement<'a> = &'a dyn Fn(F) -> Option<Replacement>;

impl Run {
    /// Checks the ops and the signature. Costs one signature verification, and three permutations
    /// of Poseidon for each op.
    ///
    /// # Errors
    /// The first [`LogError`] in the order of the ops: [`LogError::Empty`],
    /// [`LogError::ClockNotGrowing`] (L3), [`LogError::SeqExhausted`] (L6),
    /// [`LogError::KeyRefused`], [`LogError::OtherOwner`] or [`LogError::NotShared`] (L9),
    /// [`LogError::NotOwner`] (L7), [`LogError::MarkRefused`] (L10), [`LogError::GroupCut`] (L11),
    /// [`LogError::GrantedAlready`] if the run grants a writer twice,
    /// [`LogError::ReplacementRefused`] if it replaces a head, [`LogError::Signature`] (L5).
    pub fn check(self) -> Result<CheckedRun, LogError> {
        self.check_with(&|_| None)
    }

    /// [`Run::check`] of a run that may replace heads (L12, L13).
    ///
    /// # Errors
    /// As [`Run::check`].
    pub fn check_with(self, open: OpenReplacement<'_>) -> Result<CheckedRun, LogError> {
        let last = self.ops.len().saturating_sub(1);
        let ops = self.ops.iter().enumerate();
        let ops = ops.map(|(index, op)| (op, (index == last).then_some(&self.signature)));
        let followed = follow(self.before, self.writer, &|_| false, open, ops)?;
        Ok(followed.into_checked(self))
    }
}

impl CheckedRun {
    /// The log's writer.
    pub fn writer(&self) -> u32 {
        self.run.writer
    }

    /// The tip that the first op follows.
    pub fn before(&self) -> Tip {
        self.run.before
    }

    /// The tip after the last op.
    pub fn after(&self) -> Tip {
        self.after
    }

    /// The ops in the order of the log, at least one.
    pub fn ops(&self) -> &[Op] {
        &self.run.ops
    }

    /// The head of the log after each op.
    pub fn heads(&self) -> &[F] {
        &self.heads
    }

    /// The writer's signature over head and seq of [`CheckedRun::after`].
    pub fn signature(&self) -> &Signature {
        &self.run.signature
    }

    /// The writers that the run grants, with the seq of the op that grants each.
    pub fn granted(&self) -> &BTreeMap<u32, u64> {
        &self.granted
    }

    /// The replacements of heads by the index of their op.
    pub fn replacements(&self) -> &BTreeMap<usize, Replacement> {
        &self.replacements
    }

    /// The heads that the run puts in place of those of other writers, with the stamps of their ops.
    pub fn replaced_tips(&self) -> impl Iterator<Item = (u32, Tip)> + '_ {
        self.replacements.iter().filter_map(|(index, replacement)| {
            let stamp = self.run.ops.get(*index)?.stamp(self.run.writer);
            Some((replacement.writer(), Tip { head: replacement.after()?, stamp }))
        })
    }

    /// Appends the run that follows this one in the same log.
    ///
    /// # Errors
    /// [`LogError::Gap`] if `next` does not begin at this run's end, [`LogError::GrantedAlready`]
    /// if both grant one writer, [`LogError::ReplacementRefused`] if both replace one head or this run
    /// ends with the owner's old key.
    pub fn append(&mut self, next: CheckedRun) -> Result<(), LogError> {
        let writer = self.writer();
        if next.writer() != writer || next.before() != self.after {
            let (expected, first_seq) = (self.after.seq(writer)?, next.before().seq(writer)?);
            return Err(LogError::Gap { writer, expected, first_seq });
        }
        let twice = next.granted.iter().find(|(granted, _)| self.granted.contains_key(granted));
        if let Some((&granted, &seq)) = twice {
            return Err(LogError::GrantedAlready { writer, seq, granted });
        }
        for (index, replacement) in &self.replacements {
            let seq = self.run.before.seq(writer)? + *index as u64 + 1;
            let of = replacement.writer();
            let twice = next.replacements.values().any(|later| later.writer() == of);
            let reason = match replacement {
                Replacement::OwnerKey(_) => ReplacementRefusal::NotLast,
                Replacement::Head { .. } if twice => ReplacementRefusal::Twice,
                Replacement::Head { .. } => continue,
            };
            return Err(LogError::ReplacementRefused { writer, seq, of, reason });
        }
        let held = self.run.ops.len();
        let later = next.replacements.into_iter();
        self.replacements.extend(later.map(|(index, replacement)| (held + index, replacement)));
        self.granted.extend(next.granted);
        self.heads.extend(next.heads);
        self.run.ops.extend(next.run.ops);
        (self.run.signature, self.after) = (next.run.signature, next.after);
        Ok(())
    }
}

/// Checks that `batch` continues the log that ends at `tip`: every op and every signature in it,
/// all or nothing.
///
/// `known_writers` tells whether a writer is admitted, by the tree or by an op of the owner's log
/// before this batch.
///
/// # Errors
/// The first [`LogError`], in the order of the ops.
pub fn extend(
    tip: &Tip,
    known_writers: &dyn Fn(u32) -> bool,
    batch: &LogBatch,
) -> Result<CheckedRun, LogError> {
    extend_with(tip, known_writers, &|_| None, batch)
}

/// [`extend`] by a batch that may replace heads (L12, L13).
///
/// # Errors
/// As [`extend`].
pub fn extend_with(
    tip: &Tip,
    known_writers: &dyn Fn(u32) -> bool,
    open: OpenReplacement<'_>,
    batch: &LogBatch,
) -> Result<CheckedRun, LogError> {
    let writer = batch.writer;
    if !known_writers(writer) {
        return Err(LogError::UnknownWriter { writer });
    }
    let expected = tip.seq(writer)?;
    if batch.first_seq != expected {
        return Err(LogError::Gap { writer, expected, first_seq: batch.first_seq });
    }
    let ops = batch.ops.iter().map(|signed| (&signed.op, signed.signature.as_ref()));
    let followed = follow(*tip, writer, known_writers, open, ops)?;
    let last = batch.ops.last().and_then(|signed| signed.signature);
    let signature = last.ok_or(LogError::Unsigned { writer, seq: followed.after.seq(writer)? })?;
    let ops = batch.ops.iter().map(|signed| signed.op).collect();
    Ok(followed.into_checked(Run { writer, before: *tip, ops, signature }))
}

/// The end of a log that was followed, and what came before it.
struct Followed {
    after: Tip,
    heads: Vec<F>,
    granted: BTreeMap<u32, u64>,
    replacements: BTreeMap<usize, Replacement>,
}

impl Followed {
    fn into_checked(self, run: Run) -> CheckedRun {
        let Followed { after, heads, granted, replacements } = self;
        CheckedRun { run, after, heads, granted, replacements }
    }
}

/// The last op that is not a mark, and its marks so far.
struct Marked {
    kappa: F,
    value: F,
    marks: BTreeSet<Key>,
}

impl Marked {
    fn new(op: &Op) -> Marked {
        Marked { kappa: op.key.digest(), value: op.value, marks: BTreeSet::new() }
    }

    /// L10, except for the clock, which [`Tip::apply`] checks.
    fn take(&mut self, mark: &Op) -> Result<(), MarkRefusal> {
        if mark.value != self.value && mark.value != tombstone() {
            return Err(MarkRefusal::Value);
        }
        if !belongs_to(&mark.key.limbs(), self.kappa) {
            return Err(MarkRefusal::Key);
        }
        // M1: the tree cannot take two ops of one stamp and key.
        if self.marks.insert(mark.key) {
            Ok(())
        } else {
            Err(MarkRefusal::Twice)
        }
    }
}

/// Follows a log over `ops`, each with a signature over the tip after it if there is one. `before` is the
/// end of a group.
fn follow<'a>(
    before: Tip,
    writer: u32,
    known_writers: &dyn Fn(u32) -> bool,
    open: OpenReplacement<'_>,
    ops: impl Iterator<Item = (&'a Op, Option<&'a Signature>)>,
) -> Result<Followed, LogError> {
    let mut granted_here = BTreeMap::new();
    let mut replacements: BTreeMap<usize, Replacement> = BTreeMap::new();
    let mut tip = before;
    let mut heads = Vec::new();
    // The op that a mark would belong to, while its group goes on.
    let mut marked: Option<Marked> = None;
    for (op, signature) in ops {
        tip = tip.apply(writer, op)?;
        heads.push(tip.head.head);
        let seq = tip.seq(writer)?;
        if let Some(granted) = op.granted(writer, &tip, seq)? {
            if known_writers(granted) || granted_here.insert(granted, seq).is_some() {
                return Err(LogError::GrantedAlready { writer, seq, granted });
            }
        }
        let refused = |of, reason| Err(LogError::ReplacementRefused { writer, seq, of, reason });
        if let Some(of) = replacements.values().find(|earlier| earlier.after().is_none()) {
            return refused(of.writer(), ReplacementRefusal::NotLast);
        }
        if let KeyKind::Replacement(of) = op.key.kind() {
            match replacement(op, open, &replacements) {
                Ok(replacement) => drop(replacements.insert(heads.len() - 1, replacement)),
                Err(reason) => return refused(of, reason),
            }
        }
        if op.is_mark() {
            let taken =
                marked.as_mut().ok_or(MarkRefusal::Alone).and_then(|marked| marked.take(op));
            taken.map_err(|reason| LogError::MarkRefused { writer, seq, reason })?;
        } else {
            marked = Some(Marked::new(op));
        }
        if !op.more {
            marked = None;
        }
        if let Some(signature) = signature {
            if op.more {
                return Err(LogError::GroupCut { writer, seq });
            }
            tip.verify(writer, signature)?;
        }
    }
    if heads.is_empty() {
        return Err(LogError::Empty { writer });
    }
    // The owner's new key signs only what follows.
    if let Some(Replacement::OwnerKey(public_key)) = replacements.values().last() {
        tip.head = Head { public_key: *public_key, ..tip.head };
    }
    Ok(Followed { after: tip, heads, granted: granted_here, replacements })
}

/// What an op that replaces a head puts in place (L12). `earlier` are the replacements before it in its run.
fn replacement(
    op: &Op,
    open: OpenReplacement<'_>,
    earlier: &BTreeMap<usize, Replacement>,
) -> Result<Replacement, ReplacementRefusal> {
    let known =
        open(op.value).filter(|opened| opened.key() == op.key && opened.digest() == op.value);
    let replacement = known.ok_or(ReplacementRefusal::Unknown)?;
    if earlier.values().any(|earlier| earlier.writer() == replacement.writer()) {
        return Err(ReplacementRefusal::Twice);
    }
    if let Replacement::Head { before, .. } = &replacement {
        if before.stamp.ts >= op.ts {
            return Err(ReplacementRefusal::Clock);
        }
        let right = to_u64(&before.head.shared).is_some_and(|right| right <= 1);
        if !right || to_u64(&before.head.seq).is_none() {
            return Err(ReplacementRefusal::Range);
        }
    }
    Ok(replacement)
}
