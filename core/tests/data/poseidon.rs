//! Tagged hashes against circomlibjs and `light-poseidon`.

use std::collections::BTreeSet;

use light_poseidon::{Poseidon, PoseidonHasher};
use rootfold_arith::poseidon::MAX_INPUTS;
use rootfold_core::{
    hash::{hash, hash_slice, Tag},
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
        // The vectors cover circomlib's 15 inputs; light-poseidon and this crate have 12.
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
