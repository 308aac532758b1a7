//! Range checks.

use std::ops::RangeInclusive;

use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use ark_r1cs_std::{
    alloc::AllocVar,
    fields::fp::{AllocatedFp, FpVar},
    fields::FieldVar,
    prelude::Boolean,
    GR1CSVar,
};
use ark_relations::gr1cs::{ConstraintSystemRef, LinearCombination, SynthesisError, Variable};
use rootfold_core::F;

use crate::{var, Bit, Result, Var};

/// Enforces `x < 2^n` and returns the bits of `x`, lowest first. Costs `n + 1` constraints.
///
/// # Panics
/// If `n` exceeds 253, since some elements have two decompositions into 254 bits.
pub fn range_bits(cs: &ConstraintSystemRef<F>, x: &Var, n: usize) -> Result<Vec<Bit>> {
    assert!(n <= 253, "{n} bits do not determine a number below the modulus");
    let value = x.value().ok().map(|x| x.into_bigint().to_bits_le());
    let bits = (0..n)
        .map(|i| {
            let bit = || value.as_ref().map(|bits| bits[i]);
            Boolean::new_witness(cs.clone(), || bit().ok_or(SynthesisError::AssignmentMissing))
        })
        .collect::<Result<Vec<_>>>()?;
    let sum = pack(cs, &bits)?;
    enforce_equal(cs, &sum, x)?;
    Ok(bits)
}

/// `n` bits of which exactly one is set: that with the index `chosen`.
pub(crate) fn selectors(cs: &ConstraintSystemRef<F>, n: usize, chosen: usize) -> Result<Vec<Bit>> {
    let bit = |index| Bit::new_witness(cs.clone(), || Ok(index == chosen));
    let bits = (0..n).map(bit).collect::<Result<Vec<Bit>>>()?;
    let sum = bits.iter().map(var).fold(Var::zero(), |a, b| a + b);
    enforce_equal(cs, &sum, &Var::one())?;
    Ok(bits)
}

/// One bit for each number of the range, of which that of `x` is set. Enforces that `ones` of them
/// are set, which is 0 or 1, and that the numbers of the set bits add up to `x`.
pub(crate) fn one_hot(
    cs: &ConstraintSystemRef<F>,
    range: RangeInclusive<usize>,
    x: &Var,
    ones: &Var,
) -> Result<Vec<Var>> {
    let value = x.value().ok();
    let (mut sum, mut weighted) = (Var::zero(), Var::zero());
    let mut bits = Vec::with_capacity(range.end() + 1 - range.start());
    for number in range.map(|number| F::from(number as u64)) {
        let is = || value.map(|x| x == number).ok_or(SynthesisError::AssignmentMissing);
        let bit = var(&Boolean::new_witness(cs.clone(), is)?);
        sum += &bit;
        weighted += &bit * number;
        bits.push(bit);
    }
    enforce_equal(cs, &sum, ones)?;
    enforce_equal(cs, &weighted, x)?;
    Ok(bits)
}

/// `sum of 2^i * bit_i` as one linear combination, with the bits lowest first.
pub fn pack(cs: &ConstraintSystemRef<F>, bits: &[Bit]) -> Result<Var> {
    let mut power = F::ONE;
    let mut value = bits.first().and_then(|b| b.value().ok()).map(|_| F::from(0u64));
    let mut terms = Vec::with_capacity(bits.len());
    for bit in bits {
        terms.push((power, bit.variable()));
        value = value.zip(bit.value().ok()).map(|(sum, bit)| if bit { sum + power } else { sum });
        power.double_in_place();
    }
    let variable = cs.new_lc(|| LinearCombination::from_sum_coeff_vars(&terms))?;
    Ok(FpVar::Var(AllocatedFp::new(value, variable, cs.clone())))
}

/// Enforces `a = b` with one constraint, also if both are constants.
pub fn enforce_equal(cs: &ConstraintSystemRef<F>, a: &Var, b: &Var) -> Result<()> {
    let difference = a - b;
    cs.enforce_r1cs_constraint(
        || linear_combination(&difference),
        || Variable::One.into(),
        LinearCombination::new,
    )
}

/// The variable, or the constant, as a linear combination.
pub(crate) fn linear_combination(x: &Var) -> LinearCombination<F> {
    match x {
        FpVar::Constant(c) => (*c, Variable::One).into(),
        FpVar::Var(x) => x.variable.into(),
    }
}
