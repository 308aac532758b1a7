//! EdDSA-Poseidon on Baby Jubjub, the twin of `core::eddsa`.

use ark_ed_on_bn254::{constraints::EdwardsVar, EdwardsProjective};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use ark_r1cs_std::{
    alloc::AllocVar, convert::ToBitsGadget, fields::FieldVar, groups::CurveVar,
    select::CondSelectGadget, GR1CSVar,
};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};
use rootfold_core::{
    eddsa::{to_ark, Scalar, Signature, BASE8, X_SCALE},
    hash::Tag,
    F,
};

use crate::{
    bits::{enforce_equal, range_bits},
    hash::hash,
    var, zero_if, Bit, Result, Var,
};

/// A signature.
pub struct SignatureVar {
    r8_x: Var,
    r8_y: Var,
    s: Var,
}

impl SignatureVar {
    /// Allocates a signature as witness.
    pub fn new_witness(cs: &ConstraintSystemRef<F>, signature: &Signature) -> Result<Self> {
        let witness = |x: F| Var::new_witness(cs.clone(), || Ok(x));
        Ok(SignatureVar {
            r8_x: witness(signature.r8.x)?,
            r8_y: witness(signature.r8.y)?,
            s: witness(F::from_bigint(signature.s.into_bigint()).unwrap_or(F::ZERO))?,
        })
    }
}

/// Enforces, if `condition` is 1, that `signature` is valid for `message` under `public_key`:
/// `S * B8 = R8 + 8 * h * A` with `S` below the order of the subgroup, `R8` and `A` on the curve
/// and `A` not of small order. If `condition` is 0, the base point replaces the key, and only the
/// form of the signature is enforced (`R8` on the curve, `S` in range).
pub fn verify(
    cs: &ConstraintSystemRef<F>,
    condition: &Bit,
    public_key: (&Var, &Var),
    message: &Var,
    signature: &SignatureVar,
) -> Result<()> {
    let x = Var::conditionally_select(condition, public_key.0, &Var::constant(BASE8.x))?;
    let y = Var::conditionally_select(condition, public_key.1, &Var::constant(BASE8.y))?;
    let key = on_curve(cs, &x, &y)?;
    let r8 = on_curve(cs, &signature.r8_x, &signature.r8_y)?;

    let key8 = key.double()?.double()?.double()?;
    // x is 0 only for the identity and for the point of order 2, which 8 * A is not.
    key8.x.mul_equals(&inverse_witness(cs, &key8.x)?, &Var::one())?;

    let SignatureVar { r8_x, r8_y, s } = signature;
    let h = hash(Tag::Circomlib, &[r8_x.clone(), r8_y.clone(), x, y, message.clone()])?;
    // `to_bits_le` enforces the decomposition below the modulus r. The bits of h + r would be
    // another scalar.
    let right = key8.scalar_mul_le(h.to_bits_le()?.iter())? + r8;
    let left = mul_base8(&scalar_bits(cs, s)?)?;
    let condition = var(condition);
    zero_if(&condition, &(&left.x - &right.x))?;
    zero_if(&condition, &(&left.y - &right.y))
}

/// The point in arkworks' coordinates. Enforces that it is on the curve.
fn on_curve(cs: &ConstraintSystemRef<F>, x: &Var, y: &Var) -> Result<EdwardsVar> {
    use rootfold_core::eddsa::{A, D};
    let (x2, y2) = (x.square()?, y.square()?);
    let left = &x2 * A + &y2;
    let right = (&x2 * &y2) * D + F::ONE;
    enforce_equal(cs, &left, &right)?;
    Ok(EdwardsVar::new(x * X_SCALE, y.clone()))
}

fn inverse_witness(cs: &ConstraintSystemRef<F>, x: &Var) -> Result<Var> {
    let inverse = x.value().ok().map(|x| x.inverse().unwrap_or(F::ZERO));
    Var::new_witness(cs.clone(), || inverse.ok_or(SynthesisError::AssignmentMissing))
}

/// The bits of `S`, lowest first. Enforces that `S` is below the order of the subgroup.
fn scalar_bits(cs: &ConstraintSystemRef<F>, s: &Var) -> Result<Vec<Bit>> {
    let bits = range_bits(cs, s, Scalar::MODULUS_BIT_SIZE as usize)?;
    let largest = (-Scalar::ONE).into_bigint();
    Bit::enforce_smaller_or_equal_than_le(&bits, largest)?;
    Ok(bits)
}

/// `scalar * B8`, with the bits of the scalar lowest first.
fn mul_base8(bits: &[Bit]) -> Result<EdwardsVar> {
    let base: EdwardsProjective = to_ark(BASE8.x, BASE8.y).into();
    let doubles: Vec<EdwardsProjective> =
        std::iter::successors(Some(base), |p| Some(p.double())).take(bits.len()).collect();
    let mut product = EdwardsVar::zero();
    product.precomputed_base_scalar_mul_le(bits.iter().zip(&doubles))?;
    Ok(product)
}
