//! Poseidon against circomlibjs, `poseidon-rs` and `light-poseidon`.

use std::collections::BTreeSet;

use ff_ce::PrimeField;
use light_poseidon::{Poseidon, PoseidonHasher};
use rand::Rng;
use rootfold_core::{
    hash::{hash, hash_each, hash_slice, parameters, permute, Permutation, Tag, MAX_INPUTS},
    F,
};

use crate::{
    common::{element, rng},
    vectors::{self, vectors},
};

const TAGS: [Tag; 10] = [
    Tag::Circomlib,
    Tag::Key,
    Tag::Item,
    Tag::Log,
    Tag::Link,
    Tag::Sig,
    Tag::Head,
    Tag::Node,
    Tag::Iv,
    Tag::Cursor,
];

#[test]
fn equals_circomlibjs() {
    let mut widths = BTreeSet::new();
    for v in vectors().hashes {
        let inputs: Vec<F> = v.inputs.iter().map(|x| vectors::element(x)).collect();
        // The file goes up to circomlib's 15, light-poseidon and we to 12.
        if inputs.len() > MAX_INPUTS {
            continue;
        }
        let ours = hash_slice(Tag::Circomlib, &inputs);
        assert_eq!(ours.to_string(), v.hash, "{:?}", v.inputs);
        widths.insert(inputs.len());
    }
    assert_eq!(widths, (1..=MAX_INPUTS).collect());
}

#[test]
fn equals_poseidon_rs() {
    let mut rng = rng(1);
    let oracle = poseidon_rs::Poseidon::new();
    for n in 1..=MAX_INPUTS {
        let inputs: Vec<F> = (0..n).map(|_| element(&mut rng)).collect();
        let theirs =
            inputs.iter().map(|x| poseidon_rs::Fr::from_str(&x.to_string()).unwrap()).collect();
        let theirs = oracle.hash(theirs).unwrap();
        let ours = hash_slice(Tag::Circomlib, &inputs);
        let ours = poseidon_rs::Fr::from_str(&ours.to_string()).unwrap();
        assert_eq!(ours, theirs, "{n} inputs");
    }
}

#[test]
fn equals_light_poseidon_under_every_tag() {
    let mut rng = rng(2);
    for tag in TAGS {
        for n in 1..=MAX_INPUTS {
            let mut oracle = Poseidon::<F>::with_domain_tag_circom(n, tag.to_field()).unwrap();
            let inputs: Vec<F> = (0..n).map(|_| element(&mut rng)).collect();
            assert_eq!(hash_slice(tag, &inputs), oracle.hash(&inputs).unwrap(), "{tag:?} {n}");
        }
    }
}

/// Inputs from zero to the largest number, alone and among random ones.
fn extremes<const N: usize>(rng: &mut impl Rng) -> Vec<[F; N]> {
    let ends = [F::from(0u64), F::from(1u64), -F::from(1u64), -F::from(2u64)];
    let mut all: Vec<[F; N]> = ends.iter().map(|x| [*x; N]).collect();
    for end in ends {
        let mut inputs = [end; N].map(|_| element(rng));
        inputs[rng.gen_range(0..N)] = end;
        all.push(inputs);
    }
    all
}

#[test]
fn equals_the_permutation_as_the_paper_has_it() {
    let mut rng = rng(3);
    for inputs in extremes::<MAX_INPUTS>(&mut rng) {
        for n in 1..=MAX_INPUTS {
            for tag in [Tag::Circomlib, Tag::Cursor] {
                let mut state = vec![tag.to_field()];
                state.extend_from_slice(&inputs[..n]);
                permute(parameters(n), &mut state, |_| {});
                assert_eq!(hash_slice(tag, &inputs[..n]), state[0], "{tag:?} {:?}", &inputs[..n]);
            }
        }
    }
}

#[test]
fn a_sponge_permutation_equals_the_papers() {
    let mut rng = rng(5);
    let permutation = Permutation::new(parameters(8));
    for mut rest in extremes::<8>(&mut rng) {
        let mut first = element(&mut rng);
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
        let one_by_one: Vec<F> = all.iter().map(|inputs| hash(Tag::Node, *inputs)).collect();
        assert_eq!(hash_each(Tag::Node, &all), one_by_one, "{all:?}");
    }
}

#[test]
fn many_hashes_equal_one_by_one() {
    each_equals_one_by_one::<1>();
    each_equals_one_by_one::<2>();
    each_equals_one_by_one::<3>();
}

#[test]
fn tags_are_distinct_and_matter() {
    let numbers: BTreeSet<u64> = TAGS.iter().map(|tag| *tag as u64).collect();
    assert_eq!(numbers.len(), TAGS.len());
    let hashes: BTreeSet<F> = TAGS.iter().map(|tag| hash(*tag, [F::from(5u64)])).collect();
    assert_eq!(hashes.len(), TAGS.len());
}

#[test]
#[should_panic(expected = "Poseidon takes 1 to")]
fn no_inputs_are_no_hash() {
    hash_slice(Tag::Circomlib, &[]);
}

#[test]
#[should_panic(expected = "Poseidon takes 1 to")]
fn too_many_inputs_are_no_hash() {
    hash_slice(Tag::Circomlib, &[F::from(1u64); MAX_INPUTS + 1]);
}
