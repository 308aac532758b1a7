//! The bound on circuits that the prover can fold.

use ark_r1cs_std::fields::fp::FpVar;
use rootfold_verifier::{folding::IvcState, F};
use sonobe_primitives::circuits::FCircuit;

/// A circuit that the prover can fold: an [`FCircuit`] over the state `(root, ops, cursor)` that
/// can be synthesized on another thread than the fold. Implemented for every such circuit.
pub trait FoldableCircuit:
    FCircuit<
        Field = F,
        State = IvcState,
        StateVar = [FpVar<F>; 3],
        ExternalInputs: Send,
        ExternalOutputs: Send,
    > + Sync
{
}

impl<FC> FoldableCircuit for FC where
    FC: FCircuit<
            Field = F,
            State = IvcState,
            StateVar = [FpVar<F>; 3],
            ExternalInputs: Send,
            ExternalOutputs: Send,
        > + Sync
{
}
