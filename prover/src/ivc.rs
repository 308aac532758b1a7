//! The running proof, to which steps are added.

use std::{fmt, sync::Arc};

use rootfold_arith::msm::msm;
use rootfold_verifier::{
    folding::{IncomingInstance, IncomingWitness, Ivc, IvcProofParts, IvcState},
    ParameterId, F,
};
use sonobe_ivc::IVC;
use sonobe_primitives::{circuits::FCircuit, utils::null::Null};
use thiserror::Error;

use crate::{
    augmented::{assignment, StepPart},
    checkpoint::Checkpoint,
    fold::{fold_step, Carried, PrimaryFold},
    foldable::FoldableCircuit,
    parameters::Parameters,
    phase::phase,
};

/// Why a step could not be proved or a running proof could not be used.
#[derive(Debug, Error)]
pub enum IvcError {
    /// The step circuit or the folding failed.
    #[error("step {step} could not be proved: {source}")]
    Step {
        /// Number of the step, from 1.
        step: u64,
        /// The error of the circuit or of sonobe.
        source: sonobe_ivc::Error,
    },
    /// The witness does not satisfy the step circuit. The running proof is unchanged.
    #[error("step {step} does not satisfy the circuit")]
    Unsatisfied {
        /// Number of the step, from 1.
        step: u64,
    },
    /// The number of steps exceeds `usize`.
    #[error("too many steps: {0}")]
    TooManySteps(u64),
    /// The checkpoint belongs to other parameters.
    #[error("checkpoint: expected parameters {wanted}, got {found}")]
    OtherParameters {
        /// The parameters in use.
        wanted: ParameterId,
        /// The parameters of the checkpoint.
        found: ParameterId,
    },
    /// The running proof does not prove its state.
    #[error("the running proof does not verify: {0}")]
    Invalid(sonobe_ivc::Error),
}

/// A proof to which steps are added one at a time. Its size does not depend on their number.
pub struct RunningProof<FC> {
    parameters: Arc<Parameters>,
    circuit: FC,
    checkpoint: Checkpoint,
    /// The values of the rows at the checkpoint's witnesses; computed at the first step.
    carried: Option<Carried>,
}

impl<FC> fmt::Debug for RunningProof<FC> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningProof")
            .field("parameters", &self.parameters)
            .field("steps", &self.checkpoint.steps)
            .field("state", &self.checkpoint.current)
            .finish_non_exhaustive()
    }
}

impl<FC: FoldableCircuit> RunningProof<FC> {
    /// A running proof without steps. `circuit` must be the one the parameters were made for.
    ///
    /// A verifier expects the initial state `[space id, 0, idle]`; see
    /// [`PreparedVerifyingKey::initial_state`](rootfold_verifier::PreparedVerifyingKey::initial_state).
    pub fn new(parameters: Arc<Parameters>, circuit: FC, initial: IvcState) -> Self {
        let checkpoint = Checkpoint::start(&parameters, initial);
        Self { parameters, circuit, checkpoint, carried: None }
    }

    /// Continues from a checkpoint.
    ///
    /// # Errors
    /// [`IvcError::OtherParameters`].
    pub fn resume(
        parameters: Arc<Parameters>,
        circuit: FC,
        checkpoint: Checkpoint,
    ) -> Result<Self, IvcError> {
        if checkpoint.parameters != parameters.id() {
            return Err(IvcError::OtherParameters {
                wanted: parameters.id(),
                found: checkpoint.parameters,
            });
        }
        Ok(Self { parameters, circuit, checkpoint, carried: None })
    }

    /// The parameters in use.
    pub fn parameters(&self) -> &Arc<Parameters> {
        &self.parameters
    }

    /// The step circuit.
    pub fn circuit(&self) -> &FC {
        &self.circuit
    }

    /// Number of steps proved.
    pub fn steps(&self) -> u64 {
        self.checkpoint.steps
    }

    /// The state after the last step.
    pub fn state(&self) -> IvcState {
        self.checkpoint.current
    }

    /// The current running proof. Later steps do not change it, and cloning it shares the witness.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Folds the previous step into the running instance and executes the step circuit on `inputs`.
    /// The two are computed in parallel.
    ///
    /// # Errors
    /// [`IvcError`]; the running proof is unchanged.
    pub fn prove_step(
        &mut self,
        inputs: FC::ExternalInputs,
    ) -> Result<<FC as FCircuit>::ExternalOutputs, IvcError> {
        let parameters = &*self.parameters;
        let before = &self.checkpoint;
        let step = before.steps + 1;
        let index = step_index(before.steps)?;
        let failed = |source| IvcError::Step { step, source };
        let carried =
            self.carried.get_or_insert_with(|| phase!("products", Carried::of(parameters, before)));
        let (fold, part) = rayon::join(
            || fold_step(parameters, before, carried),
            || phase!("witness", StepPart::synthesize(&self.circuit, before, inputs)),
        );
        let (fold, part) = (fold.map_err(failed)?, part.map_err(|e| failed(e.into()))?);
        let assignment =
            phase!("augmented_witness", assignment(parameters, before, index, &part, &fold))
                .map_err(|e| failed(e.into()))?;
        let (x, w) = (assignment.public, assignment.private);
        // sonobe does not check this, and one false step would invalidate every later proof.
        let incoming = phase!("check", parameters.rows.products(F::from(1), &x, &w));
        if !parameters.rows.is_satisfied(&incoming) {
            return Err(IvcError::Unsatisfied { step });
        }
        let cm_w = phase!("commit_w", msm(parameters.bases.commitment.witness(), &w));
        let PrimaryFold { witness, instance, products, .. } = fold.primary;
        self.checkpoint = Checkpoint {
            steps: step,
            current: part.next,
            proof: Arc::new(IvcProofParts(
                witness,
                instance,
                IncomingWitness { w, r_w: Null },
                IncomingInstance { cm_w, x },
                fold.cyclefold_witness,
                fold.cyclefold,
            )),
            ..self.checkpoint.clone()
        };
        self.carried = Some(Carried { running: products, incoming });
        Ok(part.outputs)
    }

    /// Checks the running proof with its witnesses by sonobe's IVC verifier, in about the time of a
    /// step.
    ///
    /// # Errors
    /// [`IvcError::Invalid`].
    pub fn verify_in_the_clear(&self) -> Result<(), IvcError> {
        let checkpoint = &self.checkpoint;
        Ivc::verify::<FC>(
            &self.parameters.ivc,
            step_index(checkpoint.steps)?,
            &checkpoint.initial,
            &checkpoint.current,
            &checkpoint.proof,
        )
        .map_err(IvcError::Invalid)
    }
}

fn step_index(steps: u64) -> Result<usize, IvcError> {
    usize::try_from(steps).map_err(|_| IvcError::TooManySteps(steps))
}
