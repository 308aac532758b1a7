//! Every element of a proof is bound: if it is replaced, the check to which it belongs fails.

use std::collections::BTreeSet;

use ark_ff::AdditiveGroup;
use rand_chacha::ChaCha20Rng;
use rootfold_verifier::{
    folding::{CycleFoldInstance, Fq, IncomingInstance, RunningInstance},
    Groth16Proof, Proof, ShapeError, VerifyError, F,
};

use crate::{
    common::{parameters, proof, rng, space},
    values::{Kind, Value, KINDS},
    weakened::{verify_by_name, verify_without, Defence, Refusal, WeakKey},
};

/// An element of a proof and the same one of another proof.
trait Place {
    /// Replaces the element. Returns `false` if the kind does not apply.
    fn replace(&mut self, kind: Kind, rng: &mut ChaCha20Rng) -> bool;
}

impl<T: Value> Place for (&mut T, &T) {
    fn replace(&mut self, kind: Kind, rng: &mut ChaCha20Rng) -> bool {
        let other = T::other(kind, self.1, rng);
        other.map(|other| *self.0 = other).is_some()
    }
}

/// A row of the table: name of the element, its place, the check to which it belongs.
type Row<'a> = (&'static str, Box<dyn Place + 'a>, VerifyError);

/// The table. A new field of a proof does not compile until it is listed here.
fn table<'a>(proof: &'a mut Proof, other: &'a Proof) -> Vec<Row<'a>> {
    use VerifyError::{CycleFold, Groth16, KnowledgeOfError, KnowledgeOfWitness, StateHash};
    let Proof {
        steps,
        root,
        ops,
        running: RunningInstance { cm_e: running_e, u: running_u, cm_w: running_w, x: running_x },
        incoming: IncomingInstance { cm_w: incoming_w, x: incoming_x },
        cross_term,
        groth16: Groth16Proof { a, b, c },
        knowledge_w,
        knowledge_e,
        cyclefold: CycleFoldInstance { cm_e: cf_e, u: cf_u, cm_w: cf_w, x: cf_x },
        cyclefold_witness,
    } = proof;
    fn at<'a, T: Value>(here: &'a mut T, there: &'a T) -> Box<dyn Place + 'a> {
        Box::new((here, there))
    }
    let mut rows: Vec<Row<'a>> = vec![
        ("steps", at(steps, &other.steps), StateHash),
        ("root", at(root, &other.root), StateHash),
        ("ops", at(ops, &other.ops), StateHash),
        ("U.cm_E", at(running_e, &other.running.cm_e), StateHash),
        ("U.u", at(running_u, &other.running.u), StateHash),
        ("U.cm_W", at(running_w, &other.running.cm_w), StateHash),
        ("u.cm_W", at(incoming_w, &other.incoming.cm_w), Groth16),
        ("cm_T", at(cross_term, &other.cross_term), Groth16),
        ("A", at(a, &other.groth16.a), Groth16),
        ("B", at(b, &other.groth16.b), Groth16),
        ("C", at(c, &other.groth16.c), Groth16),
        ("cm_W'", at(knowledge_w, &other.knowledge_w), KnowledgeOfWitness),
        ("cm_E'", at(knowledge_e, &other.knowledge_e), KnowledgeOfError),
        ("cfU.cm_E", at(cf_e, &other.cyclefold.cm_e), StateHash),
        ("cfU.u", at(cf_u, &other.cyclefold.u), StateHash),
        ("cfU.cm_W", at(cf_w, &other.cyclefold.cm_w), StateHash),
    ];
    for (here, there) in running_x.iter_mut().zip(&other.running.x) {
        rows.push(("U.x", at(here, there), StateHash));
    }
    for (here, there) in incoming_x.iter_mut().zip(&other.incoming.x) {
        rows.push(("u.x", at(here, there), StateHash));
    }
    for (here, there) in cf_x.iter_mut().zip(&other.cyclefold.x) {
        rows.push(("cfU.x", at(here, there), StateHash));
    }
    for (here, there) in cyclefold_witness.iter_mut().zip(&other.cyclefold_witness) {
        rows.push(("cfW", at(here, there), CycleFold));
    }
    rows
}

/// The rows that the tests use: all, except most elements of the CycleFold witness.
fn rows(proof: &Proof) -> impl Iterator<Item = usize> {
    let mut copy = proof.clone();
    let count = table(&mut copy, proof).len();
    let witness = count - proof.cyclefold_witness.len();
    (0..witness).chain((witness..count).step_by(300))
}

/// The proof with one element replaced, the name of the element, and the check to which it belongs.
/// `None` if the kind does not apply or the element has the new value already.
fn replaced(
    honest: &Proof,
    other: &Proof,
    index: usize,
    kind: Kind,
    rng: &mut ChaCha20Rng,
) -> Option<(Proof, &'static str, VerifyError)> {
    let mut changed = honest.clone();
    let (name, mut place, check) = table(&mut changed, other).swap_remove(index);
    let applies = place.replace(kind, rng);
    drop(place);
    (applies && changed != *honest).then_some((changed, name, check))
}

/// The error for a proof with an element replaced by this kind.
fn refused_by(name: &'static str, kind: Kind, check: VerifyError) -> VerifyError {
    match (name, kind) {
        (_, Kind::OffCurve) => VerifyError::Shape(ShapeError::NotOnCurve(name)),
        (_, Kind::OutsideSubgroup) => VerifyError::Shape(ShapeError::NotInSubgroup(name)),
        ("steps", Kind::Zero) => VerifyError::NoSteps,
        _ => check,
    }
}

/// The verifier and its copy agree on every row of the table.
#[test]
fn each_element_belongs_to_one_check() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let weak = WeakKey::from(key);
    let other = proof(2);
    let rng = &mut rng(21);
    // After one step `U` and many elements are zero. After three steps none is.
    for steps in [1, 3] {
        let honest = proof(steps);
        assert_eq!(verify_without(&[], &weak, &honest, F::ZERO), Ok(()));
        let mut seen = BTreeSet::new();
        for (index, kind) in rows(&honest).flat_map(|index| KINDS.map(|kind| (index, kind))) {
            let Some((changed, name, check)) = replaced(&honest, &other, index, kind, rng) else {
                continue;
            };
            seen.insert((name, kind));
            let expected = refused_by(name, kind, check);
            assert_eq!(
                verify_by_name(key, space(), &changed),
                Err(expected.clone()),
                "{name}, {kind:?}, {steps} steps"
            );
            assert_eq!(
                verify_without(&[], &weak, &changed, F::ZERO),
                Err(Refusal::Proof(expected)),
                "{name}, {kind:?}, {steps} steps"
            );
        }
        // 9 kinds of scalars with four replacements, 10 points with five and B with six.
        assert!(steps == 1 || seen.len() == 9 * 4 + 10 * 5 + 6, "{}: {seen:?}", seen.len());
    }
}

/// An element that the hash covers is replaced together with the hash.
#[test]
fn an_element_with_the_hash_made_to_fit() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let (honest, other) = (proof(3), proof(2));
    let rng = &mut rng(22);
    let mut seen = BTreeSet::new();
    for (index, kind) in rows(&honest).flat_map(|index| KINDS.map(|kind| (index, kind))) {
        let Some((mut changed, name, check)) = replaced(&honest, &other, index, kind, rng) else {
            continue;
        };
        if refused_by(name, kind, check) != VerifyError::StateHash || name == "u.x" {
            continue;
        }
        seen.insert(name);
        changed.incoming.x = vec![WeakKey::from(key).state_hash(&changed)];
        assert_eq!(
            verify_by_name(key, space(), &changed),
            Err(VerifyError::Groth16),
            "{name}, {kind:?}"
        );
    }
    assert_eq!(seen.len(), 11, "{seen:?}");
}

/// Without its check, such an element could be replaced.
#[test]
fn an_element_whose_check_is_off() {
    let parameters = parameters();
    let weak = WeakKey::from(parameters.verifying_key());
    let (honest, other) = (proof(3), proof(2));
    let mut seen = BTreeSet::new();
    for index in rows(&honest) {
        let (changed, name, check) =
            replaced(&honest, &other, index, Kind::Random, &mut rng(23)).unwrap();
        let defence = match check {
            VerifyError::KnowledgeOfWitness => Defence::KnowledgeOfWitness,
            VerifyError::KnowledgeOfError => Defence::KnowledgeOfError,
            VerifyError::CycleFold => Defence::CycleFold,
            _ => continue,
        };
        seen.insert(name);
        assert_eq!(verify_without(&[defence], &weak, &changed, F::ZERO), Ok(()), "{name}");
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn a_changed_cyclefold_witness_is_refused() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let honest = proof(3);
    let others = [proof(2).cyclefold_witness, vec![Fq::ZERO; honest.cyclefold_witness.len()]];
    for cyclefold_witness in others {
        let changed = Proof { cyclefold_witness, ..honest.clone() };
        assert_eq!(verify_by_name(key, space(), &changed), Err(VerifyError::CycleFold));
    }
    // One in nine, since each takes a sum over all bases.
    for index in (0..honest.cyclefold_witness.len()).step_by(9) {
        let mut witness = honest.cyclefold_witness.clone();
        witness[index] += Fq::from(1);
        let weight = Fq::from(index as u64 + 1);
        assert!(!key.cyclefold().is_satisfied(&honest.cyclefold, &witness, weight), "{index}");
    }
}

#[test]
fn a_vector_of_another_length_is_refused() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let honest = proof(1);
    let cyclefold = key.cyclefold();
    type Resize = fn(&mut Proof, usize);
    let vectors: [(&str, usize, Resize); 4] = [
        ("U.x", 1, |p, len| p.running.x.resize(len, F::ZERO)),
        ("u.x", 1, |p, len| p.incoming.x.resize(len, F::ZERO)),
        ("cfU.x", cyclefold.public_len(), |p, len| p.cyclefold.x.resize(len, Fq::ZERO)),
        ("cfW", cyclefold.witness_len(), |p, len| p.cyclefold_witness.resize(len, Fq::ZERO)),
    ];
    for (what, expected, resize) in vectors {
        for got in BTreeSet::from([0, expected - 1, expected + 1, 2 * expected]) {
            let mut changed = honest.clone();
            resize(&mut changed, got);
            assert_eq!(
                verify_by_name(key, space(), &changed),
                Err(VerifyError::Shape(ShapeError::Length { what, expected, got }))
            );
        }
    }
}
