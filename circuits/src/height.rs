//! Height of a key, the twin of `core::height`.

use ark_ff::{AdditiveGroup, FftField, Field, LegendreSymbol};
use ark_r1cs_std::{alloc::AllocVar, fields::FieldVar, prelude::Boolean, GR1CSVar};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};
use rootfold_core::{height::SQUARE_TESTS, F};

use crate::{var, Bit, Result, Var};

/// A non-square `g`. For every `a`, `a` or `g * a` is a square.
fn non_square() -> F {
    F::GENERATOR
}

/// Whether `a` is a square: `t = s * s`, and `t = a` or `t = g * a` with a non-square `g`.
///
/// For `a = 0` both bits are accepted. `a` is a digest plus a small number, so reaching that case
/// takes a preimage of Poseidon.
fn is_square(cs: &ConstraintSystemRef<F>, a: &Var) -> Result<Bit> {
    let value = a.value().ok();
    let missing = SynthesisError::AssignmentMissing;
    let square = value.map(|a| a.legendre() == LegendreSymbol::QuadraticResidue);
    let bit = Boolean::new_witness(cs.clone(), || square.ok_or(missing))?;
    let root = Var::new_witness(cs.clone(), || {
        let a = value.ok_or(missing)?;
        let t = if square == Some(true) { a } else { a * non_square() };
        Ok(t.sqrt().unwrap_or(F::ZERO))
    })?;
    let t = root.square()?;
    let factor = var(&bit) * (F::ONE - non_square()) + non_square();
    factor.mul_equals(a, &t)?;
    Ok(bit)
}

/// `min(H, r/2)` with `r` the number of consecutive squares `kappa, kappa + 1, ...`.
pub fn height(cs: &ConstraintSystemRef<F>, kappa: &Var) -> Result<Var> {
    let mut all_so_far = Var::one();
    let mut height = Var::zero();
    for i in 0..SQUARE_TESTS {
        let square = var(&is_square(cs, &(kappa + F::from(i as u64)))?);
        all_so_far = &all_so_far * &square;
        if i % 2 == 1 {
            height += &all_so_far;
        }
    }
    Ok(height)
}
