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

use super::{covers, open_running, profile_of, ProveError, Prover};
use crate::{
    data_dir::DataDir,
    space::{Begun, Proved, Space},
};

impl Prover {
    /// Goes on with the running proof in `file`, which another node has exported. Everything about it is
    /// checked: the encoding, the space, the witnesses of both instances with their commitments, and that
    /// this node holds the state. Costs about as much as a step.
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
        let running = open_running(data_dir)?;
        // The file first: the record decides which one is current.
        let path = running.path(&proved);
        checkpoint
            .save(&path)
            .map_err(|source| ProveError::Checkpoint { path: path.clone(), source })?;
        if !space.take_proved(proved)? {
            // Otherwise the next prover removes it.
            let _ = fs::remove_file(&path);
            return Err(ProveError::StateNotHeld { ops: proved.ops });
        }
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
fn checked(
    space: &Space,
    parameters: &Arc<Parameters>,
    checkpoint: &Checkpoint,
) -> Result<Proved, ProveError> {
    let profile = profile_of(parameters)?;
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
