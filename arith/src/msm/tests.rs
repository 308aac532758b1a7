//! Sums against arkworks.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, Field, PrimeField, UniformRand};
use ark_std::rand::Rng;
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

use super::{
    coordinates::Prime,
    curve::Curve,
    msm,
    packed::Packed,
    points::{prepare, Multiples},
    portable::Portable,
    PreparedBases,
};

fn points(rng: &mut impl Rng, len: usize) -> Vec<G1Affine> {
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

/// Equal points, opposite points and infinity meet in one bucket.
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

/// On a processor with AVX2 the other tests run only the AVX2 additions.
#[test]
fn all_additions_agree() {
    let rng = &mut ChaCha20Rng::seed_from_u64(6);
    for len in [0, 1, 3, 4, 5, 700] {
        let bases = points(rng, len);
        let digits: Vec<i32> = (0..len).map(|_| rng.gen_range(-40..=40)).collect();
        let fastest = Curve::prepare(&bases, Multiples::NONE).window_sum(0..len, &digits);
        let portable = prepare(Portable, &bases, Multiples::NONE);
        assert_eq!(portable.window_sum(0..len, &digits), fastest);
        let packed = Packed::<Prime<crate::packed::Portable<ark_bn254::Fq>>, 1>::new();
        let packed = prepare(packed.expect("portable"), &bases, Multiples::NONE);
        assert_eq!(packed.window_sum(0..len, &digits), fastest);
        let scalars: Vec<Fr> = digits.iter().map(|digit| Fr::from(*digit)).collect();
        assert_eq!(G1Projective::msm_unchecked(&bases, &scalars), fastest);
    }
}

#[test]
fn works_on_grumpkin() {
    let rng = &mut ChaCha20Rng::seed_from_u64(4);
    let bases: Vec<_> = (0..40).map(|_| ark_grumpkin::Affine::rand(rng)).collect();
    let scalars: Vec<_> = (0..40).map(|_| ark_bn254::Fq::rand(rng)).collect();
    assert_eq!(msm(&bases, &scalars), ark_grumpkin::Projective::msm_unchecked(&bases, &scalars));
}

#[test]
fn works_on_the_second_group() {
    let rng = &mut ChaCha20Rng::seed_from_u64(5);
    let bases: Vec<_> = (0..3000).map(|_| G2Affine::rand(rng)).collect();
    let scalars: Vec<_> = (0..3000).map(|_| Fr::rand(rng)).collect();
    assert_eq!(msm(&bases, &scalars), G2Projective::msm_unchecked(&bases, &scalars));
}

#[test]
fn prepared_bases_agree_with_arkworks() {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    for len in [0, 1, 2, 100, 700] {
        let bases = points(rng, len);
        let prepared = PreparedBases::new(&bases);
        assert_eq!(prepared.bases(), bases);
        let random: Vec<Fr> = (0..len).map(|_| Fr::rand(rng)).collect();
        let half = Fr::from_bigint(Fr::MODULUS_MINUS_ONE_DIV_TWO).expect("below the modulus");
        for scalars in [random, vec![half; len], vec![half + Fr::ONE; len], vec![-Fr::ONE; len]] {
            assert_eq!(prepared.msm(&scalars), G1Projective::msm_unchecked(&bases, &scalars));
            let fewer = &scalars[..len / 2];
            assert_eq!(prepared.msm(fewer), G1Projective::msm_unchecked(&bases, fewer));
        }
    }
}
