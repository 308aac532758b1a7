//! Changes of the proved state other than a seal: a running proof from elsewhere, and a new beginning.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use rootfold_core::{log::Tip, tree};
use thiserror::Error;

use super::{seq_of, stage_update, Pinned, Proved, Space, SpaceError, State};
use crate::store::Batch;

/// Whether a proof can begin at genesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// The proved state is changed.
    Yes,
    /// This node lacks the genesis config.
    NoGenesis,
    /// This node lacks the first ops of this writer.
    NoHistory { writer: u32 },
}

/// The ops of a writer that a prover needs and a node does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lacking {
    pub(crate) writer: u32,
    /// The number of their ops that the proof covers.
    pub(crate) covered: u64,
}

/// Why a running proof was not taken over.
#[derive(Debug, Error)]
pub(crate) enum TakeProvedError {
    /// This node does not hold the state.
    #[error("the state is not held")]
    NotHeld,
    /// The file of the running proof did not get its name.
    #[error(transparent)]
    File(#[from] io::Error),
    /// The record was not written.
    #[error(transparent)]
    Space(#[from] SpaceError),
}

impl Space {
    /// Whether this node holds the pages of a state that a running proof covers: it is that of a kept
    /// snapshot, or the latest one, or the proved one.
    pub(crate) fn holds(&self, proved: &Proved) -> bool {
        let state = self.state();
        let held = (proved.root, proved.ops);
        state.kept.iter().any(|header| (header.root, header.ops) == held)
            || (state.latest.root, state.latest.ops) == held
            || state.proved.as_ref() == Some(proved)
    }

    /// Makes a state that a running proof covers the proved state, if this node holds its pages, or has
    /// fetched all of them below a pin. `file` gives the running proof its name before the record says
    /// that it is current.
    pub(crate) fn take_proved(
        &self,
        proved: Proved,
        fetched: Option<&Pinned>,
        file: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), TakeProvedError> {
        let change = self.begin_change();
        let state = self.state();
        if !self.holds(&proved) && fetched.is_none_or(|pinned| pinned.root() != proved.root) {
            return Err(TakeProvedError::NotHeld);
        }
        file()?;
        let mut batch = Batch::new();
        self.stage_old_proved(&mut batch, &state, &proved)?;
        let state = State { proved: Some(proved), ..State::clone(&state) };
        self.commit(&change, batch, state).map_err(SpaceError::from)?;
        Ok(())
    }

    /// Runs `work` with the proved state, which does not change meanwhile.
    pub(crate) fn with_proved<T>(&self, work: impl FnOnce(Option<Proved>) -> T) -> T {
        let _change = self.begin_change();
        work(self.state().proved)
    }

    /// Which ops this node lacks to go on with a proof whose tree has the tips `covered`; `None` if it
    /// lacks none.
    pub(crate) fn lacks_after(
        &self,
        covered: &BTreeMap<u32, Tip>,
    ) -> Result<Option<Lacking>, SpaceError> {
        let ours = self.writers();
        let writers: BTreeSet<u32> = ours.keys().chain(covered.keys()).copied().collect();
        for writer in writers {
            let (covered, held) = (seq_of(covered.get(&writer)), seq_of(ours.get(&writer)));
            let next = || self.log(writer, covered, 1).map(|ops| ops.first().map(|(seq, _)| *seq));
            if held < covered || (held > covered && next()? != Some(covered)) {
                return Ok(Some(Lacking { writer, covered }));
            }
        }
        Ok(None)
    }

    /// Makes genesis the proved state, if this node holds all ops since then.
    pub(crate) fn prove_from_genesis(&self) -> Result<Begun, SpaceError> {
        let Some(genesis) = self.genesis()? else { return Ok(Begun::NoGenesis) };
        let change = self.begin_change();
        let state = self.state();
        if let Some(writer) = self.lacks_first_op()? {
            return Ok(Begun::NoHistory { writer });
        }
        let update = tree::build(&genesis.entries());
        let heads = genesis.heads();
        let proved = Proved { root: update.root, ops: 0, steps: 0 };
        let mut batch = Batch::new();
        self.stage_old_proved(&mut batch, &state, &proved)?;
        stage_update(&mut batch, &update, heads.iter().map(|(writer, tip)| (*writer, &tip.head)));
        self.commit(&change, batch, State { proved: Some(proved), ..State::clone(&state) })?;
        Ok(Begun::Yes)
    }

    /// Files the pages and values of the proved state until now as garbage.
    fn stage_old_proved(
        &self,
        batch: &mut Batch,
        state: &State,
        new: &Proved,
    ) -> Result<(), SpaceError> {
        match state.proved.filter(|old| old.root != new.root) {
            Some(old) => Ok(self.stage_tree_as_garbage(batch, old.root)?),
            None => Ok(()),
        }
    }
}
