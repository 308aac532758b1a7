//! Replacing the state of a space by a newer snapshot.

use std::sync::Arc;

use rootfold_core::{
    field,
    log::{LogBatch, SignedOp},
};
use rootfold_light::{snapshot::SnapshotHeader, submission::Submission};
use rootfold_proto::limits::MAX_BATCH_OPS;

use super::{
    holes, index,
    ingest::{Intake, Take},
    stage_tips, stage_update, state, Adoption, Latest, Pages, Space, SpaceError, State, Tips,
};
use crate::store::{records::op_key, Batch, Column, Store, StoreError};

impl Space {
    /// Makes the state of a verified snapshot the latest, with the ops of this node on top that it does
    /// not cover: those that continue the heads in it. Its pages and values are in the store. Ops that it
    /// covers are removed, as in a replica that begins with it. A running proof of this node ends: the
    /// ops that it would need next are not held.
    ///
    /// Returns `false` and changes nothing if the snapshot is behind in a log whose next ops this node
    /// does not hold: it is not newer than the state here.
    ///
    /// # Errors
    /// [`SpaceError`]; then the space has not changed.
    pub(crate) fn take_over(&self, adoption: Adoption<'_>) -> Result<bool, SpaceError> {
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
            replaced: before.replaced.clone(),
        });
        let Some(own) = self.ops_beyond(&before, &base.tips)? else { return Ok(false) };
        let mut batch = Batch::new();
        self.stage_no_ops(&mut batch, &before)?;
        let mut intake = Intake::of(self, base.clone(), &own, Take::Again).map_err(Box::new)?;
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
            tracing::warn!(event = "own-op-dropped", error = %e, "an op of this node does not continue the newer snapshot");
        }
        for writer in before.tips.keys().filter(|writer| !state.tips.contains_key(*writer)) {
            batch.delete(Column::Heads, writer.to_be_bytes());
        }
        stage_tips(&mut batch, &state.tips);
        adoption.holes.iter().for_each(|name| holes::stage(&mut batch, name));
        adoption.key.iter().for_each(|key| state::stage_verifying_key(&mut batch, key));
        before.kept.iter().for_each(|header| state::stage_dropped_snapshot(&mut batch, header));
        state::stage_snapshot(&mut batch, adoption.snapshot);
        state::stage_no_proved(&mut batch);
        index::stage_incomplete(&mut batch);
        let gone = [Some(before.latest.root), before.proved.map(|proved| proved.root)];
        for root in gone.into_iter().flatten() {
            self.stage_tree_as_garbage(&mut batch, root)?;
        }
        self.commit(&change, batch, state)?;
        self.forget_awaited(before.tips.keys().copied());
        self.forget_history();
        Ok(true)
    }

    /// Removes all ops. Those that stay are added again afterwards.
    fn stage_no_ops(&self, batch: &mut Batch, before: &State) -> Result<(), SpaceError> {
        for writer in before.tips.keys() {
            let mut next = 0;
            loop {
                let held = self.log(*writer, next, MAX_BATCH_OPS)?;
                let Some((last, _)) = held.last() else { break };
                next = last + 1;
                for (seq, _) in &held {
                    batch.delete(Column::Ops, op_key(*writer, *seq));
                }
            }
        }
        Ok(())
    }

    /// The ops of this node that come after the tips of a newer state, if they continue its heads, the
    /// owner's first: a writer whose grant is among them follows. `None` if this node does not hold the
    /// next ops of a log that is longer here.
    fn ops_beyond(&self, before: &State, tips: &Tips) -> Result<Option<Submission>, SpaceError> {
        let mut batches = Vec::new();
        for (writer, ours) in &before.tips {
            let (ours, theirs) = (field::to_u64(&ours.head.seq), tips.get(writer));
            let held_from = self.log(*writer, 0, 1)?.first().map(|(first, _)| *first);
            // A writer whose grant the snapshot does not cover begins with the first op here.
            let next = match theirs {
                Some(theirs) => field::to_u64(&theirs.head.seq),
                None => held_from,
            };
            let (Some(ours), Some(mut next)) = (ours, next) else { continue };
            // Of a log that the owner has cut off here, the snapshot knows more.
            if ours <= next || self.awaited(*writer).is_some() {
                continue;
            }
            if held_from.is_none_or(|first| first > next) {
                return Ok(None);
            }
            let branch = self.head_at(*writer, next)?;
            if theirs.is_some_and(|theirs| branch.is_some_and(|held| held != theirs.head)) {
                tracing::warn!(
                    event = "branch-differs",
                    writer,
                    "the newer snapshot has another branch of this log"
                );
                continue;
            }
            while let Some(batch) = self.next_batch(*writer, next)? {
                next += batch.ops.len() as u64;
                batches.push(batch);
            }
        }
        Ok(Some(Submission { batches, values: Vec::new() }))
    }

    /// The ops of a log after the first `first_seq`, as many as a message takes, up to a signature; `None` if this
    /// node does not hold the next ones.
    pub(super) fn next_batch(
        &self,
        writer: u32,
        first_seq: u64,
    ) -> Result<Option<LogBatch>, StoreError> {
        let held = self.log(writer, first_seq, MAX_BATCH_OPS)?;
        let consecutive = (first_seq..).zip(&held).take_while(|(seq, (of, _))| seq == of);
        let mut ops: Vec<SignedOp> = consecutive.map(|(_, (_, op))| *op).collect();
        let Some(last) = ops.iter().rposition(|op| op.signature.is_some()) else { return Ok(None) };
        ops.truncate(last + 1);
        Ok(Some(LogBatch { writer, first_seq, ops }))
    }

    /// The store of the space.
    pub(crate) fn store_handle(&self) -> Arc<dyn Store> {
        self.inner.store.clone()
    }
}
