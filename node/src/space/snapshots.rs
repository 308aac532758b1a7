//! The snapshots that a node keeps and serves, and the ops that it need not keep because of them.

use std::collections::BTreeMap;

use rootfold_core::{log::Tip, F};
use rootfold_light::{
    snapshot::{Snapshot, SnapshotHeader},
    values::ValueName,
};

use super::{seq_of, state, Garbage, History, Space, SpaceError, State};
use crate::store::{records::op_key, Batch, Column, Durability, StoreError};

/// The number of ops that are removed in one batch.
const REMOVED_AT_ONCE: usize = 4_096;

/// What was fetched for a snapshot. The collection of garbage looks at it when the snapshot is dropped.
#[derive(Debug, Default)]
pub(crate) struct FetchedNames {
    pub(crate) pages: Vec<F>,
    pub(crate) values: Vec<ValueName>,
}

impl Space {
    /// Stores a snapshot as the newest, and drops the oldest beyond
    /// [`Policy::kept_snapshots`](super::Policy). The node holds its pages; those that it has `fetched`
    /// belong to no other state. Returns `false` and changes nothing if it covers fewer ops than the
    /// newest: a prover that began again is still behind.
    pub(crate) fn keep_snapshot(
        &self,
        snapshot: &Snapshot,
        fetched: &FetchedNames,
    ) -> Result<bool, SpaceError> {
        let change = self.begin_change();
        if self.state().snapshot.is_some_and(|newest| newest.ops > snapshot.header.ops) {
            return Ok(false);
        }
        let (mut batch, mut garbage) = (Batch::new(), Garbage::new(self));
        fetched.pages.iter().for_each(|name| garbage.page(*name));
        fetched.values.iter().for_each(|name| garbage.value(Some(*name)));
        garbage.stage(&mut batch);
        state::stage_snapshot(&mut batch, snapshot);
        let mut state = State { snapshot: Some(snapshot.header), ..State::clone(&self.state()) };
        let mut kept: Vec<SnapshotHeader> = state.kept.iter().copied().collect();
        // The records are named by their steps.
        kept.retain(|header| header.steps != snapshot.header.steps);
        kept.push(snapshot.header);
        kept.sort_by_key(|header| (header.ops, header.steps));
        let dropped = kept.len().saturating_sub(self.policy().kept_snapshots.max(1));
        for header in kept.drain(..dropped) {
            state::stage_dropped_snapshot(&mut batch, &header);
        }
        state.kept = kept.into();
        self.commit(&change, batch, state)?;
        drop(change);
        if self.policy().history == History::Snapshot {
            self.drop_covered_ops()?;
        }
        Ok(true)
    }

    /// Removes the ops that all kept snapshots and the proved state cover. The last of them stays in each
    /// log: it tells the head with which the log goes on.
    fn drop_covered_ops(&self) -> Result<(), SpaceError> {
        let state = self.state();
        let Some(oldest) = state.kept.first() else { return Ok(()) };
        let roots = [Some(oldest.root), state.proved.map(|proved| proved.root)];
        let covering: Result<Vec<BTreeMap<u32, Tip>>, SpaceError> =
            roots.into_iter().flatten().map(|root| self.tips_below(root)).collect();
        let covering = covering?;
        let mut removed = 0;
        for writer in state.tips.keys() {
            let covered = covering.iter().map(|tips| seq_of(tips.get(writer))).min().unwrap_or(0);
            removed += self.drop_ops_before(*writer, covered.saturating_sub(1))?;
        }
        if removed > 0 {
            tracing::info!(
                event = "history-dropped",
                ops = removed,
                "removed ops that the kept snapshots cover"
            );
        }
        Ok(())
    }

    fn drop_ops_before(&self, writer: u32, end: u64) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let _change = self.begin_change();
            let held = self.log(writer, 0, REMOVED_AT_ONCE)?;
            let gone = held.iter().map(|(seq, _)| *seq).take_while(|seq| *seq < end);
            let gone: Vec<u64> = gone.collect();
            if gone.is_empty() {
                return Ok(removed);
            }
            let mut batch = Batch::new();
            gone.iter().for_each(|seq| batch.delete(Column::Ops, op_key(writer, *seq)));
            // After a power failure they are removed again.
            self.store().write(batch, Durability::Buffered)?;
            self.forget_history();
            removed += gone.len() as u64;
        }
    }
}
