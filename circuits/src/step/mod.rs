//! The step circuit, the twin of `core::step`.

mod log_lane;
mod merge_lane;
mod registers;
mod seal;
mod tree_row;

pub use log_lane::{op_slot, segment};
pub use merge_lane::{merge_row, Leaf};
pub use registers::{RegistersVar, ZipperVar};
pub use seal::seal;
pub use tree_row::{absorb, tree_row};

use ark_r1cs_std::{fields::fp::FpVar, GR1CSVar};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};
use rootfold_core::{
    step::{Profile, Registers, State, StepWitness},
    F,
};
use sonobe_primitives::circuits::FCircuit;

use crate::{bits::enforce_equal, rule, Result, Var};

/// The state `z = (root, ops, cursor)`.
#[derive(Clone)]
#[allow(missing_docs)]
pub struct StateVar {
    pub root: Var,
    pub ops: Var,
    pub cursor: Var,
}

/// One step: opens the cursor, processes the segments and the rows, seals if the witness says so,
/// and closes the cursor. Returns the state after the step.
///
/// # Panics
/// If the witness does not have the numbers of slots of the profile.
pub fn step(
    cs: &ConstraintSystemRef<F>,
    profile: &Profile,
    state: &StateVar,
    witness: &StepWitness,
) -> Result<StateVar> {
    assert!(witness.has_shape(profile), "the planner fills every slot of the profile");
    let mut registers = RegistersVar::new_witness(cs, &witness.registers)?;
    {
        rule!(cs, Cursor);
        enforce_equal(cs, &registers.digest(cs)?, &state.cursor)?;
    }
    for s in &witness.segments {
        segment(cs, &mut registers, s)?;
    }
    for row in &witness.rows {
        let mut leaf = Some(merge_row(cs, &mut registers, &row.merge)?);
        for tree in &row.tree {
            tree_row(cs, &mut registers, tree, leaf.take().as_ref())?;
        }
    }
    seal(cs, state, &registers, witness.seal)
}

/// The step circuit of a profile, in the form that sonobe requires.
#[derive(Debug, Clone, Copy)]
pub struct StepCircuit {
    /// The profile: numbers of slots of a step.
    pub profile: Profile,
}

impl FCircuit for StepCircuit {
    type Field = F;
    type State = [F; 3];
    type StateVar = [FpVar<F>; 3];
    type ExternalInputs = StepWitness;
    type ExternalOutputs = ();

    fn same_state_shape(_: &Self::State, _: &Self::State) -> bool {
        true
    }

    fn dummy_state(&self) -> Self::State {
        State::genesis(F::from(0u64)).to_fields()
    }

    fn dummy_external_inputs(&self) -> StepWitness {
        StepWitness::idle(&self.profile, Registers::idle())
    }

    fn generate_step_constraints(
        &self,
        i: FpVar<F>,
        state: Self::StateVar,
        witness: StepWitness,
    ) -> std::result::Result<(Self::StateVar, ()), SynthesisError> {
        let cs = i.cs();
        let [root, ops, cursor] = state;
        let next = step(&cs, &self.profile, &StateVar { root, ops, cursor }, &witness)?;
        Ok(([next.root, next.ops, next.cursor], ()))
    }
}
