//! Sums over bases that never change and are few: with multiples of them at hand, all windows share
//! one set of buckets.

use std::{fmt, sync::Arc};

use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::{AdditiveGroup, PrimeField};
use ark_std::cfg_chunks;
#[cfg(feature = "parallel")]
use rayon::prelude::*;

use super::{
    additions::{Curve, Multiples, Ready},
    digits::{Digits, MAX_BITS},
    threads, Signed, ADDITION, BUCKET,
};

/// Bases with their multiples by `2^bits`, `2^(2 bits)` and so on: 64 bytes for each base and
/// window. Cloning shares them.
pub struct PreparedBases<C: Curve> {
    bits: usize,
    bases: Arc<[Affine<C>]>,
    /// All bases, then all of them times `2^bits`, and so on.
    multiples: Arc<dyn Ready<C>>,
}

// Derived, these would ask the same of the curve's configuration.
impl<C: Curve> Clone for PreparedBases<C> {
    fn clone(&self) -> Self {
        Self { bits: self.bits, bases: self.bases.clone(), multiples: self.multiples.clone() }
    }
}

impl<C: Curve> fmt::Debug for PreparedBases<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedBases")
            .field("bits", &self.bits)
            .field("len", &self.bases.len())
            .finish_non_exhaustive()
    }
}

impl<C: Curve> PreparedBases<C> {
    /// Computes the multiples: some 250 doublings for each base.
    pub fn new(bases: &[Affine<C>]) -> Self {
        let bits = window_bits::<C>(bases.len());
        let multiples = C::ready(bases, Multiples { bits, count: windows::<C>(bits) });
        Self { bits, bases: bases.into(), multiples: multiples.into() }
    }

    /// The bases themselves.
    pub fn bases(&self) -> &[Affine<C>] {
        &self.bases
    }

    /// `sum of scalars[i] * bases[i]`. Missing scalars count as zero.
    ///
    /// # Panics
    /// If there are more scalars than bases.
    pub fn msm(&self, scalars: &[C::ScalarField]) -> Projective<C> {
        assert!(scalars.len() <= self.bases.len(), "more scalars than bases");
        let mut signed: Vec<Signed<_>> = scalars.iter().map(|s| Signed::of(*s)).collect();
        signed.resize(self.bases.len(), Signed::of(C::ScalarField::ZERO));
        let digits = Digits::new::<C::ScalarField>(&signed, self.bits);
        let digits: Vec<i32> =
            (0..digits.windows()).flat_map(|window| digits.of_window(window)).copied().collect();
        let part = digits.len().div_ceil(threads()).max(1);
        cfg_chunks!(digits, part)
            .enumerate()
            .map(|(i, digits)| {
                let start = i * part;
                self.multiples.window_sum(start..start + digits.len(), digits)
            })
            .sum()
    }
}

/// Windows of this width that hold half the modulus, and the carry out of the last one.
fn windows<C: Curve>(bits: usize) -> usize {
    (C::ScalarField::MODULUS_BIT_SIZE as usize).div_ceil(bits)
}

/// The window width that takes the fewest multiplications.
fn window_bits<C: Curve>(bases: usize) -> usize {
    let cost =
        |bits: usize| bases * windows::<C>(bits) * ADDITION / threads() + (BUCKET << (bits - 1));
    (2..=MAX_BITS).min_by_key(|bits| cost(*bits)).unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::points, *};
    use ark_bn254::{Fr, G1Projective};
    use ark_ec::VariableBaseMSM;
    use ark_ff::{Field, UniformRand};
    use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

    #[test]
    fn agrees_with_arkworks() {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        for len in [0, 1, 2, 100, 700] {
            let bases = points(rng, len);
            let prepared = PreparedBases::new(&bases);
            assert_eq!(prepared.bases(), bases);
            let random: Vec<Fr> = (0..len).map(|_| Fr::rand(rng)).collect();
            let half = Fr::from_bigint(Fr::MODULUS_MINUS_ONE_DIV_TWO).expect("below the modulus");
            for scalars in [random, vec![half; len], vec![half + Fr::ONE; len], vec![-Fr::ONE; len]]
            {
                assert_eq!(prepared.msm(&scalars), G1Projective::msm_unchecked(&bases, &scalars));
                let fewer = &scalars[..len / 2];
                assert_eq!(prepared.msm(fewer), G1Projective::msm_unchecked(&bases, fewer));
            }
        }
    }
}
