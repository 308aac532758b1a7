//! Replacing the state of a space by a newer snapshot.

use std::sync::Arc;

use rootfold_core::{
    field,
    log::{LogBatch, SignedOp},
};
use rootfold_light::{snapshot::SnapshotHeader, submission::Submission};
use rootfold_proto::limits::MAX_BATCH_OPS;

use super::{
    holes,
    ingest::{Intake, Take},
    stage_tips, stage_update, state, Adoption, Latest, Pages, Space, SpaceError, State, Tips,
};
use crate::store::{Batch, Store};

impl Space {
    /// Makes the state of a verified snapshot the latest, with the ops of this node on top that it does
    /// not cover: those that continue the heads in it. Its pages and values are in the store. A running
    /// proof of this node ends: the ops that it would need next are not held.
    ///
    /// # Errors
    /// [`SpaceError`]; then the space has not changed.
    pub(crate) fn take_over(&self, adoption: Adoption<'_>) -> Result<(), SpaceError> {
        let change = self.begin_change();
        let before = self.state();
        let SnapshotHeader { root, ops, .. } = adoption.snapshot.header;
        let base = Arc::new(State {
            latest: Latest { root, ops, entries: adoption.entries },
            tips: adoption.tips.clone(),
            proved: None,
            snapshot: Some(adoption.snapshot.header),
            kept: Arc::new(vec![adoption.snapshot.header]),
            forks: before.forks.clone(),
        });
        let mut batch = Batch::new();
        let own = self.ops_beyond(&before, &base.tips)?;
        let mut intake = Intake::of(self, base.clone(), &own, Take::Each).map_err(Box::new)?;
        // The pages of the snapshot are in the store; corrected ones replace them.
        for (name, page) in adoption.repaired {
            self.pages().forget(name);
            Pages::stage(&mut batch, name, page);
        }
        let state = if intake.is_empty() {
            State::clone(&base)
        } else {
            let folded = intake.fold().map_err(Box::new)?;
            intake.stage(&mut batch, &folded)?;
            stage_update(&mut batch, &folded.update, intake.heads());
            let ops = base.latest.ops + intake.new_ops();
            let latest = Latest { root: folded.update.root, ops, entries: folded.entries };
            State { latest, tips: intake.tips(), ..State::clone(&base) }
        };
        for e in &intake.refused {
            tracing::warn!(error = %e, "an op of this node does not continue the newer snapshot");
        }
        stage_tips(&mut batch, &state.tips);
        adoption.holes.iter().for_each(|name| holes::stage(&mut batch, name));
        adoption.key.iter().for_each(|key| state::stage_verifying_key(&mut batch, key));
        before.kept.iter().for_each(|header| state::stage_dropped_snapshot(&mut batch, header));
        state::stage_snapshot(&mut batch, adoption.snapshot);
        state::stage_no_proved(&mut batch);
        let gone = [Some(before.latest.root), before.proved.map(|proved| proved.root)];
        for root in gone.into_iter().flatten() {
            self.stage_tree_as_garbage(&mut batch, root)?;
        }
        self.commit(&change, batch, state)?;
        Ok(())
    }

    /// The ops of this node that come after the tips of a newer state, if they continue its heads.
    fn ops_beyond(&self, before: &State, tips: &Tips) -> Result<Submission, SpaceError> {
        let mut batches = Vec::new();
        for (writer, tip) in tips {
            let Some(mut next) = field::to_u64(&tip.head.seq) else { continue };
            let ours = before.tips.get(writer).and_then(|tip| field::to_u64(&tip.head.seq));
            if ours.is_none_or(|ours| ours <= next) {
                continue;
            }
            if self.head_at(*writer, next)?.is_some_and(|held| held != tip.head) {
                tracing::warn!(writer, "the newer snapshot has another branch of this log");
                continue;
            }
            loop {
                let held = self.log(*writer, next, MAX_BATCH_OPS)?;
                let ops = held.into_iter().filter(|(seq, _)| *seq >= next).map(|(_, op)| op);
                let ops: Vec<SignedOp> = ops.collect();
                let Some(last) = ops.iter().rposition(|op| op.signature.is_some()) else { break };
                let ops = ops[..=last].to_vec();
                let first_seq = next;
                next += ops.len() as u64;
                batches.push(LogBatch { writer: *writer, first_seq, ops });
            }
        }
        Ok(Submission { batches, values: Vec::new() })
    }

    /// The store of the space.
    pub(crate) fn store_handle(&self) -> Arc<dyn Store> {
        self.inner.store.clone()
    }
}
