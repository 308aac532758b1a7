//! The proof system for Rootfold's step circuit.
//!
//! The code that is generic over the circuit is instantiated here. A crate that instantiates
//! [`RunningProof`] itself compiles sonobe and its curves again, which takes minutes.

use std::{path::Path, sync::Arc};

use rand::{CryptoRng, RngCore};
use rand_chacha::rand_core::CryptoRngCore;
use rootfold_circuits::step::StepCircuit;
use rootfold_core::step::{Profile, Registers, StepWitness};
use rootfold_verifier::{folding::IvcState, ParameterId};

use crate::{
    Checkpoint, IvcError, Parameters, ParametersError, RunningProof, SetupError, SetupStage,
};

/// Makes the parameters of a profile. The secrets are drawn from `rng` and overwritten afterwards.
/// The state of `rng` is not: use a generator without state, such as [`OsRng`](rand::rngs::OsRng),
/// or one that wipes its state.
///
/// # Errors
/// [`SetupError`].
pub fn generate(
    profile: &Profile,
    mut rng: impl RngCore + CryptoRng,
    progress: &mut dyn FnMut(SetupStage),
) -> Result<Parameters, SetupError> {
    let circuit = StepCircuit { profile: *profile };
    // As a trait object, so that the setup is compiled once for all generators.
    let mut rng: &mut dyn CryptoRngCore = &mut rng;
    Parameters::generate(profile.name, Registers::idle_cursor(), &circuit, &mut rng, progress)
}

/// The parameters of a profile that this user made and keeps in `dir`; new ones if there are none.
/// See [`Parameters::load_or_generate`].
///
/// # Errors
/// [`ParametersError`].
pub fn load_or_generate(
    dir: &Path,
    profile: &Profile,
    progress: &mut dyn FnMut(SetupStage),
) -> Result<Parameters, ParametersError> {
    let circuit = StepCircuit { profile: *profile };
    Parameters::load_or_generate(dir, profile.name, Registers::idle_cursor(), &circuit, progress)
}

/// The parameters with this id in `dir`. See [`Parameters::load_id`].
///
/// # Errors
/// [`ParametersError`].
pub fn load_id(
    dir: &Path,
    id: ParameterId,
    profile: &Profile,
) -> Result<Parameters, ParametersError> {
    Parameters::load_id(dir, id, &StepCircuit { profile: *profile })
}

/// A running proof of Rootfold's step circuit.
#[derive(Debug)]
pub struct Engine(RunningProof<StepCircuit>);

impl Engine {
    /// A running proof without steps.
    pub fn new(parameters: Arc<Parameters>, profile: Profile, initial: IvcState) -> Engine {
        Engine(RunningProof::new(parameters, StepCircuit { profile }, initial))
    }

    /// Continues from a checkpoint.
    ///
    /// # Errors
    /// [`IvcError::OtherParameters`].
    pub fn resume(
        parameters: Arc<Parameters>,
        profile: Profile,
        checkpoint: Checkpoint,
    ) -> Result<Engine, IvcError> {
        RunningProof::resume(parameters, StepCircuit { profile }, checkpoint).map(Engine)
    }

    /// Proves one step. See [`RunningProof::prove_step`].
    ///
    /// # Errors
    /// [`IvcError`]; the running proof is unchanged.
    pub fn prove_step(&mut self, witness: StepWitness) -> Result<(), IvcError> {
        self.0.prove_step(witness)
    }

    /// The profile of the steps.
    pub fn profile(&self) -> Profile {
        self.0.circuit().profile
    }

    /// The parameters in use.
    pub fn parameters(&self) -> &Arc<Parameters> {
        self.0.parameters()
    }

    /// Number of steps proved.
    pub fn steps(&self) -> u64 {
        self.0.steps()
    }

    /// The state after the last step.
    pub fn state(&self) -> IvcState {
        self.0.state()
    }

    /// The current running proof. Cloning it shares the witness.
    pub fn checkpoint(&self) -> &Checkpoint {
        self.0.checkpoint()
    }

    /// Checks the running proof with its witnesses, in about the time of a step.
    ///
    /// # Errors
    /// [`IvcError::Invalid`].
    pub fn verify_in_the_clear(&self) -> Result<(), IvcError> {
        self.0.verify_in_the_clear()
    }
}
