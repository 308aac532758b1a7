//! Replacements for elements of a proof.

use ark_ec::{
    short_weierstrass::{Affine, Projective, SWCurveConfig},
    AffineRepr, CurveGroup,
};
use ark_ff::{One, PrimeField, UniformRand};
use rand_chacha::{rand_core::RngCore, ChaCha20Rng};
use rootfold_verifier::{folding::Fq, F};

/// Kinds of replacements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A random element.
    Random,
    /// Zero, or the point at infinity.
    Zero,
    /// One, or the group's generator.
    One,
    /// The same element of another valid proof.
    OfAnotherProof,
    /// A point that is not on its curve.
    OffCurve,
    /// A point on the curve of G2 outside the subgroup.
    OutsideSubgroup,
}

/// All kinds.
pub const KINDS: [Kind; 6] = [
    Kind::Random,
    Kind::Zero,
    Kind::One,
    Kind::OfAnotherProof,
    Kind::OffCurve,
    Kind::OutsideSubgroup,
];

/// A type of which a proof has elements.
pub trait Value: Sized + Clone {
    /// The replacement; `None` if the kind does not apply.
    fn other(kind: Kind, of_another_proof: &Self, rng: &mut ChaCha20Rng) -> Option<Self>;
}

impl Value for u64 {
    fn other(kind: Kind, of_another_proof: &Self, rng: &mut ChaCha20Rng) -> Option<Self> {
        match kind {
            Kind::Random => Some(rng.next_u64()),
            Kind::Zero => Some(0),
            Kind::One => Some(1),
            Kind::OfAnotherProof => Some(*of_another_proof),
            Kind::OffCurve | Kind::OutsideSubgroup => None,
        }
    }
}

/// Implementations for `F` and `Fq`. One for all fields would overlap with those for points.
fn other_field<P: PrimeField>(
    kind: Kind,
    of_another_proof: &P,
    rng: &mut ChaCha20Rng,
) -> Option<P> {
    match kind {
        Kind::Random => Some(P::rand(rng)),
        Kind::Zero => Some(P::ZERO),
        Kind::One => Some(P::ONE),
        Kind::OfAnotherProof => Some(*of_another_proof),
        Kind::OffCurve | Kind::OutsideSubgroup => None,
    }
}

impl Value for F {
    fn other(kind: Kind, of_another_proof: &Self, rng: &mut ChaCha20Rng) -> Option<Self> {
        other_field(kind, of_another_proof, rng)
    }
}

impl Value for Fq {
    fn other(kind: Kind, of_another_proof: &Self, rng: &mut ChaCha20Rng) -> Option<Self> {
        other_field(kind, of_another_proof, rng)
    }
}

impl<C: SWCurveConfig> Value for Affine<C> {
    fn other(kind: Kind, of_another_proof: &Self, rng: &mut ChaCha20Rng) -> Option<Self> {
        match kind {
            Kind::Random => Some(Self::rand(rng)),
            Kind::Zero => Some(Self::identity()),
            Kind::One => Some(Self::generator()),
            Kind::OfAnotherProof => Some(*of_another_proof),
            // All curves here are `y^2 = x^3 + b` with `b` not zero.
            Kind::OffCurve => Some(Self::new_unchecked(One::one(), One::one())),
            Kind::OutsideSubgroup => (!C::cofactor_is_one()).then(|| outside_subgroup(rng)),
        }
    }
}

impl<C: SWCurveConfig> Value for Projective<C> {
    fn other(kind: Kind, of_another_proof: &Self, rng: &mut ChaCha20Rng) -> Option<Self> {
        Affine::<C>::other(kind, &of_another_proof.into_affine(), rng).map(Into::into)
    }
}

fn outside_subgroup<C: SWCurveConfig>(rng: &mut ChaCha20Rng) -> Affine<C> {
    loop {
        let point = Affine::get_point_from_x_unchecked(C::BaseField::rand(rng), false);
        if let Some(point) = point.filter(|p| !p.is_in_correct_subgroup_assuming_on_curve()) {
            return point;
        }
    }
}
