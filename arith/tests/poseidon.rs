//! Poseidon against `poseidon-rs`, and the fast permutations against the reference.

#![allow(clippy::unwrap_used, reason = "tests")]

use ark_ff::UniformRand;
use ff_ce::PrimeField;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rootfold_arith::{
    poseidon::{hash, hash_each, hash_slice, parameters, permute, Permutation, MAX_INPUTS},
    F,
};

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn capacities() -> [F; 3] {
    [F::from(0u64), F::from(9u64), -F::from(1u64)]
}

#[test]
fn equals_poseidon_rs() {
    let mut rng = rng(1);
    let oracle = poseidon_rs::Poseidon::new();
    for n in 1..=MAX_INPUTS {
        let inputs: Vec<F> = (0..n).map(|_| F::rand(&mut rng)).collect();
        let theirs =
            inputs.iter().map(|x| poseidon_rs::Fr::from_str(&x.to_string()).unwrap()).collect();
        let theirs = oracle.hash(theirs).unwrap();
        let ours = hash_slice(F::from(0u64), &inputs);
        let ours = poseidon_rs::Fr::from_str(&ours.to_string()).unwrap();
        assert_eq!(ours, theirs, "{n} inputs");
    }
}

/// Inputs at both ends of the field, alone and among random ones.
fn extremes<const N: usize>(rng: &mut impl Rng) -> Vec<[F; N]> {
    let ends = [F::from(0u64), F::from(1u64), -F::from(1u64), -F::from(2u64)];
    let mut all: Vec<[F; N]> = ends.iter().map(|x| [*x; N]).collect();
    for end in ends {
        let mut inputs = [end; N].map(|_| F::rand(rng));
        inputs[rng.gen_range(0..N)] = end;
        all.push(inputs);
    }
    all
}

#[test]
fn hashes_equal_the_reference() {
    let mut rng = rng(3);
    for inputs in extremes::<MAX_INPUTS>(&mut rng) {
        for n in 1..=MAX_INPUTS {
            for capacity in capacities() {
                let mut state = vec![capacity];
                state.extend_from_slice(&inputs[..n]);
                permute(parameters(n), &mut state, |_| {});
                let fast = hash_slice(capacity, &inputs[..n]);
                assert_eq!(fast, state[0], "capacity {capacity}, inputs {:?}", &inputs[..n]);
            }
        }
    }
}

#[test]
fn permutations_equal_the_reference() {
    let mut rng = rng(5);
    let permutation = Permutation::new(parameters(8));
    for mut rest in extremes::<8>(&mut rng) {
        let mut first = F::rand(&mut rng);
        let mut state = vec![first];
        state.extend_from_slice(&rest);
        permute(parameters(8), &mut state, |_| {});
        permutation.permute(&mut first, &mut rest);
        assert_eq!((first, &rest[..]), (state[0], &state[1..]));
    }
}

fn each_equals_one_by_one<const N: usize>() {
    let mut rng = rng(4);
    for _ in 0..50 {
        let mut all = extremes::<N>(&mut rng);
        all.truncate(rng.gen_range(0..=all.len()));
        for capacity in capacities() {
            let one_by_one: Vec<F> = all.iter().map(|inputs| hash(capacity, *inputs)).collect();
            assert_eq!(hash_each(capacity, &all), one_by_one, "{all:?}");
        }
    }
}

#[test]
fn hashes_of_a_list_equal_single_hashes() {
    each_equals_one_by_one::<1>();
    each_equals_one_by_one::<2>();
    each_equals_one_by_one::<3>();
}

#[test]
#[should_panic(expected = "Poseidon takes 1 to")]
fn a_hash_needs_an_input() {
    hash_slice(F::from(0u64), &[]);
}

#[test]
#[should_panic(expected = "Poseidon takes 1 to")]
fn a_hash_has_at_most_12_inputs() {
    hash_slice(F::from(0u64), &[F::from(1u64); MAX_INPUTS + 1]);
}
