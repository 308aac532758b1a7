//! Counts the constraints, nonzero entries and small witness values of a step.

use anyhow::Context;
use ark_ff::{AdditiveGroup, Field, PrimeField};
use ark_r1cs_std::{alloc::AllocVar, fields::fp::FpVar};
use ark_relations::gr1cs::{ConstraintSystem, R1CS_PREDICATE_LABEL};
use rootfold_circuits::step::{step, StateVar};
use rootfold_core::{
    step::{Profile, State, StepWitness},
    F,
};

use crate::report::Mix;

/// Synthesizes the step circuit without folding, and counts.
///
/// # Errors
/// If the circuit cannot be synthesized.
pub fn of_step(profile: &Profile, state: &State, witness: &StepWitness) -> anyhow::Result<Mix> {
    let cs = ConstraintSystem::<F>::new_ref();
    let input = |x: F| FpVar::new_input(cs.clone(), || Ok(x));
    let state =
        StateVar { root: input(state.root)?, ops: input(state.ops)?, cursor: input(state.cursor)? };
    step(&cs, profile, &state, witness)?;
    cs.finalize();
    let matrices = cs.to_matrices()?;
    let rows = matrices.get(R1CS_PREDICATE_LABEL).context("a circuit without constraints")?;
    let values = cs.witness_assignment()?;
    let is_bit = |x: &&F| **x == F::ZERO || **x == F::ONE;
    let bits = values.iter().filter(is_bit).count();
    let is_small = |x: &&F| x.into_bigint().0[1..].iter().all(|limb| *limb == 0);
    let small = values.iter().filter(is_small).count() - bits;
    Ok(Mix {
        constraints: cs.num_constraints(),
        witnesses: values.len(),
        bits,
        small,
        nonzeros: rows.iter().flatten().map(Vec::len).sum(),
    })
}
