//! Forked logs: the evidence that this node has, and where the logs rest.

use std::collections::BTreeMap;

use rootfold_core::{
    head::Head,
    key::Key,
    log::{LogBatch, SignedOp, Tip},
    stamp::Stamp,
    tree, F,
};
use rootfold_light::fork::{CheckedFork, Fork, ForkError};
use rootfold_proto::limits::MAX_GROUP_OPS;
use thiserror::Error;

use super::{
    fork_records::{read, stage, ForkMark},
    read_head, Space, SpaceError, State,
};
use crate::store::{
    records::{damaged, decode_op, op_key},
    Batch, Column, StoreError,
};

/// Why evidence is not kept.
#[derive(Debug, Error)]
pub enum ForkRefused {
    /// The evidence does not show a fork.
    #[error(transparent)]
    Evidence(#[from] ForkError),
    /// The space has no such writer.
    #[error("evidence of a fork of writer {writer}, who is not known in this space")]
    UnknownWriter {
        /// The writer.
        writer: u32,
    },
    /// The evidence is of the log of another key, or of another space.
    #[error("evidence of a fork: it does not belong to the log of writer {writer} in this space")]
    OtherLog {
        /// The writer.
        writer: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The space cannot be read.
    #[error(transparent)]
    Space(#[from] SpaceError),
}

impl ForkRefused {
    /// Whether the evidence is bad, rather than that this node failed.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, ForkRefused::Store(_) | ForkRefused::Space(_))
    }
}

impl Space {
    /// The forked logs of which this node has evidence, by writer.
    pub fn forks(&self) -> BTreeMap<u32, ForkMark> {
        BTreeMap::clone(&self.state().forks)
    }

    /// The evidence that the log of `writer` is forked; `None` if this node has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn fork(&self, writer: u32) -> Result<Option<CheckedFork>, StoreError> {
        Ok(read(self.store(), writer)?.map(|(_, fork)| fork))
    }

    /// Keeps evidence of a fork; from then on the log rests at the fork. Returns whether it is new: of
    /// two forks of one log the earlier one counts.
    ///
    /// # Errors
    /// [`ForkRefused`] if the evidence is not of a log of this space.
    pub fn keep_fork(&self, fork: &CheckedFork) -> Result<bool, ForkRefused> {
        let writer = fork.writer();
        let change = self.begin_change();
        let state = self.state();
        let tip = state.tips.get(&writer).ok_or(ForkRefused::UnknownWriter { writer })?;
        let base = fork.fork().base;
        // A replica that was bootstrapped later than the fork cannot compare the heads. The key is
        // the writer's in any case.
        let held = self.head_at(writer, fork.shared())?;
        if tip.head.public_key != fork.public_key() || held.is_some_and(|held| held != base) {
            return Err(ForkRefused::OtherLog { writer });
        }
        let mark = ForkMark { shared: fork.shared(), accepted: false };
        if state.forks.get(&writer).is_some_and(|known| known.shared <= mark.shared) {
            return Ok(false);
        }
        let mut batch = Batch::new();
        stage(&mut batch, &mark, fork);
        let mut forks = BTreeMap::clone(&state.forks);
        forks.insert(writer, mark);
        self.commit(&change, batch, State { forks: forks.into(), ..State::clone(&state) })?;
        tracing::warn!(event = "fork-found", writer, shared = mark.shared, "a log is forked");
        Ok(true)
    }

    /// Accepts the branch that this node holds: the log goes on from there. The evidence is kept.
    /// Returns `false` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn accept_fork(&self, writer: u32) -> Result<bool, StoreError> {
        let change = self.begin_change();
        let mut state = State::clone(&self.state());
        let mut batch = Batch::new();
        if !self.stage_accepted(&mut batch, &mut state, writer)? {
            return Ok(false);
        }
        self.commit(&change, batch, state)?;
        Ok(true)
    }

    /// Adds that the branch of a log that this node holds is accepted. Returns `false` without evidence of
    /// a fork.
    pub(super) fn stage_accepted(
        &self,
        batch: &mut Batch,
        state: &mut State,
        writer: u32,
    ) -> Result<bool, StoreError> {
        let Some((mark, fork)) = read(self.store(), writer)? else { return Ok(false) };
        let mark = ForkMark { accepted: true, ..mark };
        stage(batch, &mark, &fork);
        let mut forks = BTreeMap::clone(&state.forks);
        forks.insert(writer, mark);
        state.forks = forks.into();
        Ok(true)
    }

    /// The head of a log after `seq` ops; `None` if this node does not hold it: it was bootstrapped
    /// from a later state, or the log is shorter.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn head_at(&self, writer: u32, seq: u64) -> Result<Option<Head>, SpaceError> {
        let state = self.state();
        let Some(tip) = state.tips.get(&writer) else { return Ok(None) };
        let number = F::from(seq);
        if tip.head.seq == number {
            return Ok(Some(tip.head));
        }
        let at = |head: F| Head { seq: number, head, ..tip.head };
        let Some(before) = seq.checked_sub(1) else {
            let Some(genesis) = self.genesis()? else { return Ok(None) };
            let first = Head::first(genesis.salt, tip.head.public_key, false);
            return Ok(Some(at(first.head)));
        };
        let op = op_key(writer, before);
        if let Some(bytes) = self.store().get(Column::Ops, &op)? {
            let (_, head) =
                decode_op(&bytes).ok_or_else(|| damaged(Column::Ops, &op, "not an op"))?;
            return Ok(Some(at(head)));
        }
        let Some(snapshot) = state.snapshot else { return Ok(None) };
        let entry = tree::lookup(self.pages(), snapshot.root, &Key::head(writer))?;
        let head = entry.map(|entry| read_head(self.store(), entry.value)).transpose()?;
        Ok(head.filter(|head| head.seq == number))
    }

    /// Compares another continuation of a log with the one that this node holds. `theirs` are
    /// consecutive ops that may leave our log somewhere.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn compare_branch(&self, theirs: &LogBatch) -> Result<Branch, SpaceError> {
        let writer = theirs.writer;
        let Some(start) = self.head_at(writer, theirs.first_seq)? else {
            return Ok(Branch::Unknown);
        };
        let ours = self.log(writer, theirs.first_seq, theirs.ops.len() + MAX_GROUP_OPS)?;
        let same = |(index, theirs): &(usize, &SignedOp)| {
            ours.get(*index).is_some_and(|(_, ours)| ours.op == theirs.op)
        };
        let shared = theirs.ops.iter().enumerate().take_while(same).count();
        // A signature after a shared op shows whether the logs are the same up to there.
        let mut tip = Tip { head: start, stamp: Stamp { ts: 0, writer } };
        for signed in &theirs.ops[..shared] {
            tip.head = tip.head.after(signed.op.item(writer), signed.op.more);
            if signed.signature.is_some_and(|signature| tip.verify(writer, &signature).is_err()) {
                return Ok(Branch::Earlier);
            }
        }
        let (base, first_seq) = (tip.head, theirs.first_seq + shared as u64);
        let ours: Vec<_> = ours.into_iter().skip(shared).map(|(_, op)| op).collect();
        let (Some(ours), Some(theirs)) =
            (first_stretch(&ours), first_stretch(&theirs.ops[shared..]))
        else {
            return Ok(Branch::Same);
        };
        let batch = |ops| LogBatch { writer, first_seq, ops };
        let fork = Fork { writer, base, branches: [batch(ours), batch(theirs)] };
        match fork.check() {
            Ok(fork) => Ok(Branch::Fork(Box::new(fork))),
            // Either the ops are forged, or the logs differ before them.
            Err(_) => Ok(Branch::Earlier),
        }
    }
}

/// How another continuation of a log relates to ours.
#[derive(Debug)]
pub enum Branch {
    /// It is the same, as far as both go.
    Same,
    /// It leaves our log, and the writer has signed both.
    Fork(Box<CheckedFork>),
    /// It leaves our log before its first op, or it is forged.
    Earlier,
    /// The writer has not signed it.
    Forged,
    /// This node does not hold its beginning.
    Unknown,
}

/// The ops up to the first signature.
fn first_stretch(ops: &[SignedOp]) -> Option<Vec<SignedOp>> {
    let last = ops.iter().position(|signed| signed.signature.is_some())?;
    Some(ops[..=last].to_vec())
}
