//! Provers that do not begin with their own running proof: one that goes on with the running proof of
//! another node, and one that begins again at genesis.

use std::{
    fs,
    panic::{catch_unwind, AssertUnwindSafe},
    path::Path,
    sync::Arc,
};

use rootfold_core::field;
use rootfold_prover::{atomic::write_atomically, engine::Engine, Checkpoint, Parameters};

use super::{covers, open_running, profile_of, remove_stale, ProveError, Prover};
use crate::{
    data_dir::DataDir,
    space::{Begun, Lacking, Pinned, Proved, Space, TakeProvedError},
};

impl Prover {
    /// Goes on with the running proof in `file`, which another node has exported. Everything about it is
    /// checked: the encoding, the space, the witnesses of both instances with their commitments, and that
    /// this node holds the state and the ops after it. Costs about as much as a step.
    ///
    /// # Errors
    /// [`ProveError`]; then the node keeps what it had.
    pub fn import(
        space: Space,
        data_dir: &DataDir,
        parameters: Arc<Parameters>,
        file: &Path,
    ) -> Result<Prover, ProveError> {
        let refused = |source| ProveError::Checkpoint { path: file.to_owned(), source };
        let checkpoint = Checkpoint::load(file, &parameters).map_err(refused)?;
        let proved = checked(&space, &parameters, &checkpoint)?;
        if !space.holds(&proved) {
            return Err(ProveError::StateNotHeld { ops: proved.ops });
        }
        adopt(&space, data_dir, &checkpoint, proved, None)?;
        Prover::open(space, data_dir, parameters)
    }

    /// Begins again at genesis, for a node that has lost its running proof.
    ///
    /// # Errors
    /// [`ProveError::HistoryMissing`] if this node does not hold all ops since genesis.
    pub fn restart(
        space: Space,
        data_dir: &DataDir,
        parameters: Arc<Parameters>,
    ) -> Result<Prover, ProveError> {
        let missing = |what: String| Err(ProveError::HistoryMissing { what });
        match space.prove_from_genesis()? {
            Begun::Yes => Prover::open(space, data_dir, parameters),
            Begun::NoHistory { writer } => missing(format!("the first ops of writer {writer}")),
            Begun::NoGenesis => missing("the genesis config".to_owned()),
        }
    }

    /// Writes the running proof to a file, for [`Prover::import`] on another node. That node needs the
    /// snapshot of the same state.
    ///
    /// # Errors
    /// [`ProveError::NothingProved`], [`ProveError::Checkpoint`].
    pub fn export(&self, file: &Path) -> Result<(), ProveError> {
        if self.proved.steps == 0 {
            return Err(ProveError::NothingProved);
        }
        let bytes = self.proof.checkpoint().to_bytes();
        write_atomically(file, &[&bytes])
            .map_err(|e| ProveError::Checkpoint { path: file.to_owned(), source: e.into() })
    }
}

/// The state that a running proof from elsewhere covers, if it is valid.
pub(super) fn checked(
    space: &Space,
    parameters: &Arc<Parameters>,
    checkpoint: &Checkpoint,
) -> Result<Proved, ProveError> {
    let profile = profile_of(parameters.verifying_key().key())?;
    let [root, ops, _] = checkpoint.state();
    let ops = field::to_u64(&ops).ok_or(ProveError::NotOfThisSpace)?;
    let proved = Proved { root, ops, steps: checkpoint.steps() };
    let initial = parameters.verifying_key().initial_state(space.id());
    if proved.steps == 0 || !covers(checkpoint, &proved, initial) {
        return Err(ProveError::NotOfThisSpace);
    }
    let engine = Engine::resume(parameters.clone(), profile, checkpoint.clone())?;
    // The lengths are those of the parameters, but the values are a stranger's.
    let verified = catch_unwind(AssertUnwindSafe(|| engine.verify_in_the_clear()));
    match verified {
        Ok(Ok(())) => Ok(proved),
        Ok(Err(e)) => Err(ProveError::FalseProof { what: e.to_string() }),
        Err(_) => Err(ProveError::FalseProof { what: "its verification panicked".to_owned() }),
    }
}

/// Makes a checked running proof the one of this node. Its state is held, or fetched below a pin.
pub(super) fn adopt(
    space: &Space,
    data_dir: &DataDir,
    checkpoint: &Checkpoint,
    proved: Proved,
    fetched: Option<&Pinned>,
) -> Result<(), ProveError> {
    let tips = space.tips_below(proved.root)?;
    if let Some(Lacking { writer, covered }) = space.lacks_after(&tips)? {
        return Err(ProveError::OpsMissing { writer, covered });
    }
    let running = open_running(data_dir)?;
    // Beside the directory, where no other prover of this process removes it.
    let waiting = data_dir.path().join(".new-running");
    let refused = |path: &Path, source| ProveError::Checkpoint { path: path.to_owned(), source };
    checkpoint.save(&waiting).map_err(|e| refused(&waiting, e))?;
    let path = running.path(&proved);
    let taken = space.take_proved(proved, fetched, || fs::rename(&waiting, &path));
    if taken.is_err() {
        // Left over otherwise; it does no harm.
        let _ = fs::remove_file(&waiting);
    }
    taken.map_err(|e| match e {
        TakeProvedError::NotHeld => ProveError::StateNotHeld { ops: proved.ops },
        TakeProvedError::File(e) => refused(&path, e.into()),
        TakeProvedError::Space(e) => e.into(),
    })?;
    remove_stale(space, &running);
    Ok(())
}
