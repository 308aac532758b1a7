//! The witness of an augmented step: the step circuit's part and the part that verifies the fold.
//!
//! The step circuit does not depend on the fold. Its part is synthesized while the fold is
//! computed, and then inserted into the augmented circuit's witness.

use ark_r1cs_std::{
    alloc::AllocVar,
    fields::fp::{AllocatedFp, FpVar},
    GR1CSVar,
};
use ark_relations::gr1cs::{SynthesisError, Variable};
use rootfold_verifier::{
    folding::{IvcKeyParts, IvcState, StepWithFolding},
    F,
};
use sonobe_fs::DeciderKey as _;
use sonobe_primitives::circuits::{AssignmentsExtractor, AssignmentsOwned, FCircuit};

use crate::{
    checkpoint::Checkpoint, fold::Fold, foldable::FoldableCircuit, parameters::Parameters,
};

/// The step circuit's part of the witness of a step.
pub struct StepPart<Outputs> {
    /// Values of the variables that the circuit allocates, in order.
    witness: Vec<F>,
    /// The state after the step.
    pub next: IvcState,
    /// The circuit's external outputs.
    pub outputs: Outputs,
}

impl<Outputs> StepPart<Outputs> {
    /// Synthesizes the step circuit for the step after `before`.
    ///
    /// # Errors
    /// The errors of the circuit.
    pub fn synthesize<FC: FoldableCircuit<ExternalOutputs = Outputs>>(
        circuit: &FC,
        before: &Checkpoint,
        inputs: FC::ExternalInputs,
    ) -> Result<Self, SynthesisError> {
        let cs = AssignmentsExtractor::new();
        let (own, next, outputs) = cs.execute_fn(|cs| {
            let index = FpVar::new_witness(cs.clone(), || Ok(F::from(before.steps)))?;
            let state = <FC::StateVar as AllocVar<IvcState, F>>::new_witness(cs.clone(), || {
                Ok(before.current)
            })?;
            let own = cs.num_witness_variables();
            let (next, outputs) = circuit.generate_step_constraints(index, state, inputs)?;
            Ok((own, next.value()?, outputs))
        })?;
        let witness = cs.assignments()?.private.split_off(own);
        Ok(Self { witness, next, outputs })
    }
}

/// A step circuit whose witness is known: it allocates the variables and adds no constraints. Only
/// for synthesis without matrices.
struct Replay<'a> {
    witness: &'a [F],
    next: IvcState,
}

impl FCircuit for Replay<'_> {
    type Field = F;
    type State = IvcState;
    type StateVar = [FpVar<F>; 3];
    type ExternalInputs = ();
    type ExternalOutputs = ();

    fn same_state_shape(_: &IvcState, _: &IvcState) -> bool {
        true
    }

    fn dummy_state(&self) -> IvcState {
        self.next
    }

    fn dummy_external_inputs(&self) {}

    fn generate_step_constraints(
        &self,
        index: FpVar<F>,
        _: [FpVar<F>; 3],
        (): (),
    ) -> Result<([FpVar<F>; 3], ()), SynthesisError> {
        let cs = index.cs();
        for value in self.witness {
            let _ = cs.new_witness_variable(|| Ok(*value))?;
        }
        // Without matrices only the value of a variable is used, not its index.
        let variable = |value| FpVar::Var(AllocatedFp::new(Some(value), Variable::One, cs.clone()));
        Ok((self.next.map(variable), ()))
    }
}

/// The assignment of the augmented step after `before`, which verifies `fold`.
///
/// # Errors
/// The errors of sonobe's circuit.
pub fn assignment<Outputs>(
    parameters: &Parameters,
    before: &Checkpoint,
    index: usize,
    part: &StepPart<Outputs>,
    fold: &Fold,
) -> Result<AssignmentsOwned<F>, SynthesisError> {
    let IvcKeyParts(step, cyclefold, (sponge, pp_hash, _)) = &parameters.ivc;
    let (step, cyclefold) = (step.to_arith_config(), cyclefold.to_arith_config());
    let replay = Replay { witness: &part.witness, next: part.next };
    let circuit = StepWithFolding::new(sponge, &step, &cyclefold, &replay);
    let cs = AssignmentsExtractor::new();
    cs.execute_fn(|cs| {
        circuit.compute_next_state(
            cs,
            *pp_hash,
            index,
            &before.initial,
            &before.current,
            (),
            &before.proof.1,
            &before.proof.3,
            fold.primary.cross_term,
            &before.proof.5,
            fold.cyclefold_incoming.clone(),
            fold.cyclefold_cross_terms.clone(),
        )
    })?;
    cs.assignments()
}
