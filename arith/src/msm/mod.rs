//! Multi-scalar multiplication for commitments: many bases, and scalars most of which are small.
//!
//! Pippenger's bucket method with signed digits. In contrast to `ark-ec`, points are added to buckets
//! in affine coordinates, with one field inversion for hundreds of additions: an addition costs 6
//! multiplications, not the 10 of extended Jacobian coordinates. Where the processor has AVX2, four
//! additions are computed at a time.

mod additions;
mod buckets;
#[cfg(any(test, target_arch = "x86_64"))]
mod coordinates;
mod cost;
mod curve;
mod digits;
#[cfg(any(test, target_arch = "x86_64"))]
mod packed;
mod points;
mod portable;
mod prepared;
#[cfg(test)]
mod tests;

use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::{AdditiveGroup, BigInteger};
use ark_std::{cfg_into_iter, cfg_iter};
#[cfg(feature = "parallel")]
use rayon::prelude::*;

pub use curve::Curve;
pub use prepared::PreparedBases;

use cost::separate_window_bits;
use digits::{Digits, Signed};
use points::Multiples;

/// Scalars below 2 to this power have digits in the first windows only.
const SMALL_BITS: u32 = 64;

/// `sum of scalars[i] * bases[i]`. The longer list is cut to the length of the shorter.
pub fn msm<C: Curve>(bases: &[Affine<C>], scalars: &[C::ScalarField]) -> Projective<C> {
    let len = bases.len().min(scalars.len());
    let (bases, scalars) = (&bases[..len], &scalars[..len]);
    let signed: Vec<Signed<_>> = cfg_iter!(scalars).map(|s| Signed::of(*s)).collect();
    let full_size = signed.iter().filter(|s| s.magnitude.num_bits() > SMALL_BITS).count();
    let bits = separate_window_bits::<C::ScalarField>(full_size);
    let digits = Digits::new::<C::ScalarField>(&signed, bits);
    let points = C::prepare(bases, Multiples::NONE);
    let sums: Vec<Projective<C>> = cfg_into_iter!(0..digits.windows())
        .map(|window| points.window_sum(0..len, digits.of_window(window)))
        .collect();
    sums.into_iter().rev().fold(Projective::ZERO, |mut sum, window| {
        for _ in 0..digits.bits() {
            sum.double_in_place();
        }
        sum + window
    })
}
