//! What the prover asks of a step circuit.

use ark_r1cs_std::fields::fp::FpVar;
use rootfold_verifier::{sonobe::State, F};
use sonobe_primitives::circuits::FCircuit;

/// A step circuit over the state `(root, ops, cursor)`. Implemented by every [`FCircuit`] with
/// that state that can be synthesized beside the thread that folds.
pub trait StepCircuit:
    FCircuit<
        Field = F,
        State = State,
        StateVar = [FpVar<F>; 3],
        ExternalInputs: Send,
        ExternalOutputs: Send,
    > + Sync
{
}

impl<FC> StepCircuit for FC where
    FC: FCircuit<
            Field = F,
            State = State,
            StateVar = [FpVar<F>; 3],
            ExternalInputs: Send,
            ExternalOutputs: Send,
        > + Sync
{
}
