//! The seal and the end of a step, the twin of `core::step::seal`.

use ark_r1cs_std::{alloc::AllocVar, fields::FieldVar, select::CondSelectGadget};
use ark_relations::gr1cs::ConstraintSystemRef;
use rootfold_core::{accumulator, height::H, step::Registers, F};

use super::{registers::RegistersVar, StateVar};
use crate::{rule, var, zero_if, Bit, Result, Var};

/// Ends the step: if `seal`, checks that the epoch is complete and replaces root and number of ops;
/// then closes the cursor.
pub fn seal(
    cs: &ConstraintSystemRef<F>,
    state: &StateVar,
    r: &RegistersVar,
    seal: bool,
) -> Result<StateVar> {
    let bit = Bit::new_witness(cs.clone(), || Ok(seal))?;
    let seal = var(&bit);
    let (root, ops) = {
        rule!(cs, Seal);
        zero_if(&seal, &var(&r.active))?;
        zero_if(&seal, &var(&r.wait_right))?;
        zero_if(&seal, &var(&r.inside))?;
        zero_if(&seal, &r.due)?;
        let start = accumulator::start();
        zero_if(&seal, &(&r.acc.x - start.x))?;
        zero_if(&seal, &(&r.acc.y - start.y))?;
        zero_if(&seal, &(&r.cur - F::from(H as u64)))?;
        zero_if(&seal, &(&r.old.open - &state.root))?;
        let root = Var::conditionally_select(&bit, &r.new.open, &state.root)?;
        (root, &state.ops + &seal * &r.ops)
    };
    rule!(cs, Cursor);
    let idle = Var::constant(Registers::idle_cursor());
    let cursor = Var::conditionally_select(&bit, &idle, &r.digest(cs)?)?;
    Ok(StateVar { root, ops, cursor })
}
