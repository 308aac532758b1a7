//! Poseidon against circomlibjs, `poseidon-rs` and `light-poseidon`.

use std::collections::BTreeSet;

use ff_ce::PrimeField;
use light_poseidon::{Poseidon, PoseidonHasher};
use rootfold_core::{
    hash::{hash, hash_slice, Tag, MAX_INPUTS},
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
