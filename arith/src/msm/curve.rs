//! The curves, and the fastest additions for each.

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
#[cfg(target_arch = "x86_64")]
use ark_ff::AdditiveGroup;

#[cfg(target_arch = "x86_64")]
use super::{
    coordinates::{Coordinates, Prime, Quadratic},
    packed::Packed,
};
use super::{
    points::{prepare, Multiples, Points},
    portable::Portable,
};
#[cfg(target_arch = "x86_64")]
use crate::packed::Avx2;

/// A curve whose points can be summed.
pub trait Curve: SWCurveConfig {
    /// Prepares points for the fastest additions of this processor.
    fn prepare(points: &[Affine<Self>], multiples: Multiples) -> Box<dyn Points<Self>> {
        prepare(Portable, points, multiples)
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod implementations {
    use super::Curve;

    impl Curve for ark_bn254::g1::Config {}
    impl Curve for ark_bn254::g2::Config {}
    impl Curve for ark_grumpkin::GrumpkinConfig {}
}

/// Prepares points for packed additions, or for portable ones if the processor lacks AVX2.
#[cfg(target_arch = "x86_64")]
fn prepare_packed<K: Coordinates<4>, C: SWCurveConfig<BaseField = K::Field>>(
    points: &[Affine<C>],
    multiples: Multiples,
) -> Box<dyn Points<C>> {
    // Packed doublings have no term for `a * x` of the curve's equation.
    assert!(C::COEFF_A == C::BaseField::ZERO);
    match Packed::<K, 4>::new() {
        Some(packed) => prepare(packed, points, multiples),
        None => prepare(Portable, points, multiples),
    }
}

#[cfg(target_arch = "x86_64")]
impl Curve for ark_bn254::g1::Config {
    fn prepare(points: &[Affine<Self>], multiples: Multiples) -> Box<dyn Points<Self>> {
        prepare_packed::<Prime<Avx2<ark_bn254::Fq>>, Self>(points, multiples)
    }
}

#[cfg(target_arch = "x86_64")]
impl Curve for ark_bn254::g2::Config {
    fn prepare(points: &[Affine<Self>], multiples: Multiples) -> Box<dyn Points<Self>> {
        prepare_packed::<Quadratic<Avx2<ark_bn254::Fq>>, Self>(points, multiples)
    }
}

#[cfg(target_arch = "x86_64")]
impl Curve for ark_grumpkin::GrumpkinConfig {
    fn prepare(points: &[Affine<Self>], multiples: Multiples) -> Box<dyn Points<Self>> {
        prepare_packed::<Prime<Avx2<ark_bn254::Fr>>, Self>(points, multiples)
    }
}
