//! The prover: makes parameters, plans epochs, folds steps into a running proof, and compresses it
//! into a proof.
//!
//! [`engine`] instantiates it for Rootfold's step circuit. Everything else is generic over the
//! circuit ([`FoldableCircuit`]). `docs/design.md`, section 6, describes the proof system. Use:
//!
//! ```no_run
//! # use rootfold_prover::{compress, Parameters, RunningProof, FoldableCircuit};
//! # fn example<FC: FoldableCircuit<ExternalInputs = ()> + Clone>(
//! #     circuit: FC, idle: rootfold_verifier::F, space_id: rootfold_verifier::F,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use std::{path::Path, sync::Arc};
//!
//! let dir = Path::new("parameters");
//! let parameters = Parameters::load_or_generate(dir, "small", idle, &circuit, &mut |stage| {
//!     println!("{}", stage.describe());
//! })?;
//! let parameters = Arc::new(parameters);
//! let initial = parameters.verifying_key().initial_state(space_id);
//! let mut running = RunningProof::new(parameters.clone(), circuit, initial);
//! running.prove_step(())?;
//! running.checkpoint().save(Path::new("running.proof"))?;
//! let proof = compress(&parameters, running.checkpoint())?;
//! rootfold_verifier::verify(parameters.verifying_key(), space_id, &proof)?;
//! # Ok(())
//! # }
//! ```

pub mod atomic;
mod augmented;
pub mod bases;
mod checkpoint;
mod decider;
pub mod engine;
mod fold;
mod foldable;
mod ivc;
mod parameters;
mod params_dir;
mod phase;
pub mod planner;
pub mod qap;
pub mod rows;
pub mod setup;
pub mod shape;
mod trapdoor;

pub use checkpoint::{Checkpoint, CheckpointError, VERSION as CHECKPOINT_VERSION};
pub use decider::{compress, CompressError};
pub use foldable::FoldableCircuit;
pub use ivc::{IvcError, RunningProof};
pub use parameters::Parameters;
pub use params_dir::{
    parameters_file, IncomingParameters, NotPrivate, ParametersError, VERSION as PARAMETERS_VERSION,
};
pub use setup::{SetupError, SetupStage};
