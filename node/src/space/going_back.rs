//! Going back before a replaced head: ops that do not belong to a log any more leave the latest state.
//!
//! A fold cannot be undone, since an op hides the entry before it. So the state goes back to one that
//! this node keeps and that has none of these ops, and all other ops after it are folded again. They stay
//! in the store meanwhile, and a record says that they are not folded, so that a crash loses nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, MutexGuard},
};

use rootfold_core::{
    field::to_u64,
    log::{Tip, OWNER},
    tree::{self, Update},
    F,
};
use rootfold_light::{snapshot::SnapshotHeader, submission::Submission};

use super::{
    counts, genesis_tree, index, replaced, seq_of, stage_tips, stage_update, state, Latest, Proved,
    Space, SpaceError, State,
};
use crate::store::{
    records::{op_key, parse_op_key},
    Batch, Column,
};

/// A state from which ops can be folded again.
struct Base {
    latest: Latest,
    tips: BTreeMap<u32, Tip>,
    /// The pages, if this node may not have them.
    pages: Option<Update>,
}

impl Space {
    /// Removes the ops of writer `of` that do not lead to the head `named`, and folds the others again.
    /// Returns `false` and changes nothing if this node keeps no state before them, or not the ops since.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub(super) fn go_back(
        &self,
        writing: &MutexGuard<'_, ()>,
        of: u32,
        named: &Tip,
    ) -> Result<bool, SpaceError> {
        let change = self.begin_change();
        let before = self.state();
        let Some(tip) = before.tips.get(&of) else { return Ok(false) };
        let (Some(held), Some(at)) = (to_u64(&tip.head.seq), to_u64(&named.head.seq)) else {
            return Ok(false);
        };
        let same = self.head_at(of, at)?.is_some_and(|head| head.head == named.head.head);
        if same && held == at {
            // The number and the head of the log are those of its tip, the rest is not: no such head was.
            return Ok(false);
        }
        let fork = before.forks.get(&of).map_or(0, |fork| fork.shared.min(at));
        let keep = if same { at } else { fork };
        let Some(base) = self.base_before(&before, of, keep)? else { return Ok(false) };
        let mut batch = Batch::new();
        for seq in keep..held {
            batch.delete(Column::Ops, op_key(of, seq));
        }
        let mut state = State {
            latest: base.latest,
            tips: base.tips.iter().map(|(writer, tip)| (*writer, *tip)).collect(),
            ..State::clone(&before)
        };
        self.stage_going_back(&mut batch, &mut state, &before, &base, (of, keep))?;
        self.commit(&change, batch, state)?;
        drop(change);
        tracing::warn!(
            event = "going-back",
            writer = of,
            kept = keep,
            "the owner replaced an earlier head: going back"
        );
        self.fold_again(writing)?;
        Ok(true)
    }

    /// The newest kept state with at most `keep` ops of writer `of`, after which this node holds all ops.
    fn base_before(&self, state: &State, of: u32, keep: u64) -> Result<Option<Base>, SpaceError> {
        let proved = state.proved.iter().map(|proved| (proved.root, proved.ops));
        let kept = state.kept.iter().map(|header| (header.root, header.ops));
        let mut states: Vec<(F, u64)> = proved.chain(kept).collect();
        states.sort_by_key(|(_, ops)| std::cmp::Reverse(*ops));
        for (root, ops) in states {
            let tips = self.tips_below(root)?;
            if seq_of(tips.get(&of)) > keep || self.lacks_after(&tips)?.is_some() {
                continue;
            }
            let mut entries = 0;
            for entry in tree::scan(self.pages(), root, ..)? {
                entries += u64::from(counts(&entry?));
            }
            let latest = Latest { root, ops, entries };
            return Ok(Some(Base { latest, tips, pages: None }));
        }
        let Some(genesis) = self.genesis()? else { return Ok(None) };
        if self.lacks_first_op()?.is_some() {
            return Ok(None);
        }
        let (pages, latest) = genesis_tree(&genesis);
        let tips = genesis.heads().into_iter().collect();
        Ok(Some(Base { latest, tips, pages: Some(pages) }))
    }

    /// Adds the records of a state that goes back to `base`, since of `(writer, keep)` only `keep` ops stay.
    fn stage_going_back(
        &self,
        batch: &mut Batch,
        state: &mut State,
        before: &State,
        base: &Base,
        (of, keep): (u32, u64),
    ) -> Result<(), SpaceError> {
        if let Some(pages) = &base.pages {
            let heads = base.tips.iter().map(|(writer, tip)| (*writer, &tip.head));
            stage_update(batch, pages, heads);
        }
        for writer in before.tips.keys().filter(|writer| !base.tips.contains_key(*writer)) {
            batch.delete(Column::Heads, writer.to_be_bytes());
        }
        stage_tips(batch, &base.tips);
        let mut kept: Vec<SnapshotHeader> = Vec::new();
        for header in before.kept.iter() {
            if seq_of(self.tips_below(header.root)?.get(&of)) > keep {
                state::stage_dropped_snapshot(batch, header);
                self.stage_tree_as_garbage(batch, header.root)?;
            } else {
                kept.push(*header);
            }
        }
        state.snapshot = kept.last().copied();
        if state.snapshot.is_none() {
            state::stage_no_snapshot(batch);
        }
        state.kept = kept.into();
        if let Some(proved) = before.proved {
            if seq_of(self.tips_below(proved.root)?.get(&of)) > keep {
                self.stage_tree_as_garbage(batch, proved.root)?;
                // A prover folds again from genesis, if it has all ops.
                let genesis = base.pages.as_ref().map(|pages| pages.root);
                state.proved = genesis.map(|root| Proved { root, ops: 0, steps: 0 });
            }
        }
        if state.proved.is_none() {
            state::stage_no_proved(batch);
        }
        // Replacements by ops of the owner that are folded again are recorded again.
        let folded = seq_of(base.tips.get(&OWNER));
        let mut heads = replaced::ReplacedHeads::clone(&before.replaced);
        for (writer, replaced) in &mut heads {
            let later = replaced.iter().filter(|head| head.by >= folded);
            later.for_each(|head| replaced::stage_removed(batch, *writer, head));
            replaced.retain(|head| head.by < folded);
        }
        heads.retain(|_, replaced| !replaced.is_empty());
        state.replaced = heads.into();
        self.stage_tree_as_garbage(batch, before.latest.root)?;
        index::stage_incomplete(batch);
        state::stage_going_back(batch, true);
        Ok(())
    }

    /// Folds the ops in the store that come after the tips, and removes those that do not continue them.
    pub(super) fn fold_again(&self, _writing: &MutexGuard<'_, ()>) -> Result<(), SpaceError> {
        loop {
            let submission = self.unfolded()?;
            if submission.batches.is_empty() {
                break;
            }
            let done = self.ingest_again(&submission).map_err(Box::new)?;
            if done.ingested.ops == 0 {
                for e in done.refused {
                    tracing::warn!(event = "own-op-dropped", error = %e, "an op of this node does not continue its log any more");
                }
                break;
            }
        }
        let _change = self.begin_change();
        let mut batch = Batch::new();
        self.stage_no_unfolded(&mut batch)?;
        state::stage_going_back(&mut batch, false);
        Ok(self.write_batch(batch)?)
    }

    /// Ops in the store after the tips, a message of each log, the owner's first.
    fn unfolded(&self) -> Result<Submission, SpaceError> {
        let mut batches = Vec::new();
        for (writer, tip) in &self.state().tips {
            let Some(first_seq) = to_u64(&tip.head.seq) else { continue };
            batches.extend(self.next_batch(*writer, first_seq)?);
        }
        Ok(Submission { batches, values: Vec::new() })
    }

    /// Removes the ops after the tips.
    fn stage_no_unfolded(&self, batch: &mut Batch) -> Result<(), SpaceError> {
        let tips = self.state().tips.clone();
        self.store().scan(Column::Ops, &[], &mut |key, _| {
            let op = parse_op_key(key);
            let folded = op.is_some_and(|(writer, seq)| {
                tips.get(&writer).and_then(|tip| to_u64(&tip.head.seq)).is_some_and(|end| seq < end)
            });
            if !folded {
                batch.delete(Column::Ops, key.to_vec());
            }
            true
        })?;
        Ok(())
    }

    /// Whether the state with these tips holds ops that the owner has cut off, as far as this node knows.
    pub(crate) fn contradicts(&self, tips: &BTreeMap<u32, Tip>) -> Result<bool, SpaceError> {
        let owner = seq_of(tips.get(&OWNER));
        let replaced: Arc<replaced::ReplacedHeads> = self.state().replaced.clone();
        for (writer, heads) in replaced.iter() {
            let first_unknown = heads.iter().find(|head| head.by >= owner);
            if first_unknown.is_some_and(|head| seq_of(tips.get(writer)) > head.at) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
