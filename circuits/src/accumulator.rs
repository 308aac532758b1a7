//! The accumulator, the twin of `core::accumulator`.

use ark_ff::{AdditiveGroup, Field, PrimeField};
use ark_grumpkin::Affine;
use ark_r1cs_std::{alloc::AllocVar, fields::FieldVar, select::CondSelectGadget, GR1CSVar};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};
use rootfold_core::{
    accumulator::{phi, Class, Lane, CLASSES, TRIES},
    F,
};

use crate::{bits::range_bits, rule, var, Bit, Result, Var};

/// A Grumpkin point in affine coordinates, which are native to this circuit. Never the point at
/// infinity.
#[derive(Clone)]
pub struct PointVar {
    /// x.
    pub x: Var,
    /// y.
    pub y: Var,
}

impl PointVar {
    /// Allocates a point as witness, without checking that it is on the curve.
    pub fn new_witness(cs: &ConstraintSystemRef<F>, point: &Affine) -> Result<PointVar> {
        Ok(PointVar {
            x: Var::new_witness(cs.clone(), || Ok(point.x))?,
            y: Var::new_witness(cs.clone(), || Ok(point.y))?,
        })
    }
}

/// An item that is accumulated if a condition holds.
pub struct Addend<'a> {
    /// The condition.
    pub active: &'a Bit,
    /// `class + 4 * height`, from [`number`].
    pub number: &'a Var,
    /// The item.
    pub item: &'a Var,
    /// The lane. It decides the sign of y that an honest prover uses.
    pub lane: Lane,
}

impl Addend<'_> {
    /// The native addend. `None` if the circuit has no values.
    fn value(&self) -> Option<rootfold_core::accumulator::Addend> {
        let number = self.number.value().ok()?.into_bigint().0[0];
        let class = match number % CLASSES {
            0 => Class::Read,
            1 => Class::Write,
            2 => Class::User,
            _ => Class::Grant,
        };
        let height = (number / CLASSES) as u8;
        Some(rootfold_core::accumulator::Addend { class, height, item: self.item.value().ok()? })
    }
}

/// `acc + phi` if active, else `acc`, with `phi` the point of the addend. Accepts any j below 256
/// and either sign of y. Enforces that the x coordinates of `acc` and `phi` differ if active.
pub fn accumulate(
    cs: &ConstraintSystemRef<F>,
    acc: &PointVar,
    addend: &Addend<'_>,
) -> Result<PointVar> {
    rule!(cs, Accumulator);
    let missing = SynthesisError::AssignmentMissing;
    let hint = addend.value().map(|value| phi(&value, addend.lane));
    let witness = |x: Option<F>| Var::new_witness(cs.clone(), || x.ok_or(missing));

    let j = witness(hint.map(|phi| F::from(phi.j)))?;
    range_bits(cs, &j, TRIES.ilog2() as usize)?;
    let x = addend.item + addend.number * F::from(TRIES) + &j;
    let y = witness(hint.map(|phi| phi.y))?;
    let cube = &x.square()? * &x;
    y.square_equals(&(cube - F::from(17u64)))?;

    let active = var(addend.active);
    let dx = &x - &acc.x;
    let inverse = witness(dx.value().ok().map(|dx| match addend.active.value() {
        Ok(true) => dx.inverse().unwrap_or(F::ZERO),
        _ => F::ZERO,
    }))?;
    dx.mul_equals(&inverse, &active)?;
    let slope = (&y - &acc.y) * &inverse;
    let sum_x = slope.square()? - &acc.x - &x;
    let sum_y = &slope * (&acc.x - &sum_x) - &acc.y;
    Ok(PointVar {
        x: Var::conditionally_select(addend.active, &sum_x, &acc.x)?,
        y: Var::conditionally_select(addend.active, &sum_y, &acc.y)?,
    })
}

/// The number of the class as a constant.
pub fn class(class: Class) -> Var {
    Var::constant(F::from(class as u64))
}

/// `class + 4 * height`.
pub fn number(class: &Var, height: &Var) -> Var {
    class + height * F::from(CLASSES)
}
