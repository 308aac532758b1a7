//! Multi-scalar multiplication for commitments: many bases, and scalars of which most are small.
//!
//! Pippenger's bucket method with signed digits. What differs from `ark-ec`'s is how points are
//! added to buckets: in affine coordinates, with one field inversion for hundreds of additions
//! (`buckets.rs`), so that an addition takes 6 multiplications instead of the 10 of extended Jacobian
//! coordinates; and, where the processor has AVX2, four additions at a time (`packed.rs`).

mod additions;
mod buckets;
mod digits;
#[cfg(target_arch = "x86_64")]
mod packed;
mod prepared;

use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::{AdditiveGroup, BigInteger, PrimeField};
use ark_std::{cfg_into_iter, cfg_iter};
#[cfg(feature = "parallel")]
use rayon::prelude::*;

pub use additions::Curve;
pub use prepared::PreparedBases;

use additions::Multiples;
use digits::Digits;

/// `sum of scalars[i] * bases[i]`. Lists of different lengths are cut to the shorter one.
pub fn msm<C: Curve>(bases: &[Affine<C>], scalars: &[C::ScalarField]) -> Projective<C> {
    let len = bases.len().min(scalars.len());
    let (bases, scalars) = (&bases[..len], &scalars[..len]);
    let signed: Vec<Signed<_>> = cfg_iter!(scalars).map(|s| Signed::of(*s)).collect();
    let full_size = signed.iter().filter(|s| s.magnitude.num_bits() > SMALL_BITS).count();
    let digits = Digits::new::<C::ScalarField>(&signed, window_bits(full_size));
    let points = C::ready(bases, Multiples::NONE);
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

#[cfg(not(target_arch = "x86_64"))]
mod without_lanes {
    use super::Curve;

    impl Curve for ark_bn254::g1::Config {}
    impl Curve for ark_bn254::g2::Config {}
    impl Curve for ark_grumpkin::GrumpkinConfig {}
}

/// Scalars up to this size have digits in the first windows only.
const SMALL_BITS: u32 = 64;

/// Multiplications of one addition to a bucket, with what surrounds it.
const ADDITION: usize = 7;
/// Multiplications that a bucket takes when the buckets of a window are summed.
const BUCKET: usize = 17;

/// How many threads share the work.
fn threads() -> usize {
    #[cfg(feature = "parallel")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "parallel"))]
    return 1;
}

/// The window width that takes the fewest multiplications for this many full-size scalars.
fn window_bits(scalars: usize) -> usize {
    let cost = |bits: usize| {
        let windows = (<ark_bn254::Fr as PrimeField>::MODULUS_BIT_SIZE as usize).div_ceil(bits);
        // The windows are shared out to the threads.
        windows.div_ceil(threads()) * (scalars * ADDITION + (BUCKET << (bits - 1)))
    };
    (2..=digits::MAX_BITS).min_by_key(|bits| cost(*bits)).unwrap_or(2)
}

/// A scalar as sign and magnitude, the magnitude at most half the modulus.
#[derive(Clone, Copy)]
struct Signed<B> {
    negative: bool,
    magnitude: B,
}

impl<B: BigInteger> Signed<B> {
    fn of<P: PrimeField<BigInt = B>>(scalar: P) -> Self {
        let magnitude = scalar.into_bigint();
        if magnitude <= P::MODULUS_MINUS_ONE_DIV_TWO {
            return Self { negative: false, magnitude };
        }
        let mut negated = P::MODULUS;
        negated.sub_with_borrow(&magnitude);
        Self { negative: true, magnitude: negated }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{
        additions::{ready, OneByOne},
        *,
    };
    use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
    use ark_ec::{CurveGroup, VariableBaseMSM};
    use ark_ff::{Field, UniformRand};
    use ark_std::rand::Rng;
    use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

    pub(super) fn points(rng: &mut impl Rng, len: usize) -> Vec<G1Affine> {
        (0..len).map(|_| G1Affine::rand(rng)).collect()
    }

    fn check(bases: &[G1Affine], scalars: &[Fr]) {
        assert_eq!(msm(bases, scalars), G1Projective::msm_unchecked(bases, scalars));
    }

    #[test]
    fn agrees_with_arkworks_on_scalars_of_every_size() {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        for len in [0, 1, 2, 3, 31, 300, 5000] {
            let bases = points(rng, len);
            check(&bases, &(0..len).map(|_| Fr::rand(rng)).collect::<Vec<_>>());
            check(&bases, &(0..len).map(|_| Fr::from(rng.gen::<bool>())).collect::<Vec<_>>());
            let mixed = |rng: &mut ChaCha20Rng| {
                let small = Fr::from(rng.gen::<u64>() >> rng.gen_range(0..64));
                match rng.gen_range(0..4) {
                    0 => Fr::rand(rng),
                    1 => Fr::ZERO,
                    2 => -small,
                    _ => small,
                }
            };
            check(&bases, &(0..len).map(|_| mixed(rng)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn agrees_with_arkworks_at_the_ends_of_the_field() {
        let rng = &mut ChaCha20Rng::seed_from_u64(2);
        let half: Fr = Fr::from_bigint(Fr::MODULUS_MINUS_ONE_DIV_TWO).expect("below the modulus");
        let mut scalars = vec![Fr::ZERO, Fr::ONE, -Fr::ONE, half, half + Fr::ONE, half - Fr::ONE];
        scalars.extend((1..254).map(|i| Fr::from(2).pow([i])));
        scalars.extend((1..254).map(|i| Fr::from(2).pow([i]) - Fr::ONE));
        check(&points(rng, scalars.len()), &scalars);
    }

    /// Equal and opposite points meet in one bucket, and so does infinity.
    #[test]
    fn agrees_with_arkworks_where_the_addition_has_exceptions() {
        let rng = &mut ChaCha20Rng::seed_from_u64(3);
        let (p, q) = (G1Affine::rand(rng), G1Affine::rand(rng));
        let infinity = G1Affine::identity();
        let double = (p + p).into_affine();
        let pool = [p, -p, q, -q, infinity, double, -double];
        for len in 1..200 {
            let bases: Vec<_> = (0..len).map(|_| pool[rng.gen_range(0..pool.len())]).collect();
            let scalars: Vec<_> = (0..len).map(|_| Fr::from(rng.gen_range(0..3u64))).collect();
            check(&bases, &scalars);
        }
    }

    /// A processor with AVX2 would not try the other additions otherwise.
    #[test]
    fn all_additions_agree() {
        let rng = &mut ChaCha20Rng::seed_from_u64(6);
        for len in [0, 1, 3, 4, 5, 700] {
            let bases = points(rng, len);
            let digits: Vec<i32> = (0..len).map(|_| rng.gen_range(-40..=40)).collect();
            let fastest = Curve::ready(&bases, Multiples::NONE).window_sum(0..len, &digits);
            assert_eq!(
                ready(OneByOne, &bases, Multiples::NONE).window_sum(0..len, &digits),
                fastest
            );
            let scalars: Vec<Fr> = digits.iter().map(|digit| Fr::from(*digit)).collect();
            assert_eq!(G1Projective::msm_unchecked(&bases, &scalars), fastest);
        }
    }

    #[test]
    fn works_on_grumpkin() {
        let rng = &mut ChaCha20Rng::seed_from_u64(4);
        let bases: Vec<_> = (0..40).map(|_| ark_grumpkin::Affine::rand(rng)).collect();
        let scalars: Vec<_> = (0..40).map(|_| ark_bn254::Fq::rand(rng)).collect();
        assert_eq!(
            msm(&bases, &scalars),
            ark_grumpkin::Projective::msm_unchecked(&bases, &scalars)
        );
    }

    #[test]
    fn works_on_the_second_group() {
        let rng = &mut ChaCha20Rng::seed_from_u64(5);
        let bases: Vec<_> = (0..3000).map(|_| G2Affine::rand(rng)).collect();
        let scalars: Vec<_> = (0..3000).map(|_| Fr::rand(rng)).collect();
        assert_eq!(msm(&bases, &scalars), G2Projective::msm_unchecked(&bases, &scalars));
    }
}
