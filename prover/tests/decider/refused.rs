//! Every element of a proof is bound: change one, and the check it belongs to fails.

use crate::common::{fresh_parameters, parameters, proof, space, TOY};
use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, One};
use rootfold_verifier::{verify, PreparedVerifyingKey, Proof, ShapeError, VerifyError, F};

fn outcome(
    key: &PreparedVerifyingKey,
    honest: &Proof,
    change: impl FnOnce(&mut Proof),
) -> VerifyError {
    let mut changed = honest.clone();
    change(&mut changed);
    assert_ne!(changed, *honest);
    verify(key, space(), &changed).unwrap_err()
}

fn plus_one(point: &mut G1Affine) {
    *point = (*point + G1Affine::generator()).into_affine();
}

#[test]
fn each_element_belongs_to_one_check() {
    use VerifyError::*;
    let parameters = parameters();
    let key = parameters.verifying_key();
    for steps in [1, 3] {
        let honest = proof(steps);
        let is = |expected: VerifyError, change: fn(&mut Proof)| {
            assert_eq!(outcome(key, &honest, change), expected);
        };
        is(NoSteps, |p| p.steps = 0);
        is(StateHash, |p| p.steps += 1);
        is(StateHash, |p| p.steps += 1 << 32);
        is(StateHash, |p| p.root += F::one());
        is(StateHash, |p| p.ops += 1);
        is(StateHash, |p| p.running.u += F::one());
        is(StateHash, |p| p.running.x[0] += F::one());
        is(StateHash, |p| p.running.cm_e += G1Affine::generator());
        is(StateHash, |p| p.running.cm_w += G1Affine::generator());
        is(StateHash, |p| p.incoming.x[0] += F::one());
        is(Groth16, |p| p.incoming.cm_w += G1Affine::generator());
        is(Groth16, |p| p.incoming.cm_w = -p.incoming.cm_w);
        is(Groth16, |p| plus_one(&mut p.cross_term));
        is(Groth16, |p| plus_one(&mut p.groth16.a));
        is(Groth16, |p| plus_one(&mut p.groth16.c));
        is(Groth16, |p| p.groth16.b = -p.groth16.b);
        is(Groth16, |p| p.groth16.a = G1Affine::identity());
        is(Groth16, |p| p.groth16.b = G2Affine::identity());
        is(KnowledgeOfWitness, |p| plus_one(&mut p.knowledge_w));
        is(KnowledgeOfWitness, |p| p.knowledge_w = G1Affine::identity());
        is(KnowledgeOfError, |p| plus_one(&mut p.knowledge_e));
        is(StateHash, |p| p.cyclefold.u += Fq::one());
        is(StateHash, |p| p.cyclefold.cm_e += ark_grumpkin::Affine::generator());
        is(StateHash, |p| p.cyclefold.cm_w += ark_grumpkin::Affine::generator());
        for index in 0..honest.cyclefold.x.len() {
            let change = |p: &mut Proof| p.cyclefold.x[index] += Fq::one();
            assert_eq!(outcome(key, &honest, change), StateHash);
        }
        for index in (0..honest.cyclefold_witness.len()).step_by(97) {
            let change = |p: &mut Proof| p.cyclefold_witness[index] += Fq::one();
            assert_eq!(outcome(key, &honest, change), CycleFold);
        }
    }
}

#[test]
fn swapped_knowledge_points_are_refused() {
    let parameters = parameters();
    let honest = proof(2);
    let swap = |p: &mut Proof| std::mem::swap(&mut p.knowledge_w, &mut p.knowledge_e);
    assert_eq!(outcome(parameters.verifying_key(), &honest, swap), VerifyError::KnowledgeOfWitness);
}

#[test]
fn a_proof_is_about_one_space_and_one_set_of_parameters() {
    let parameters = parameters();
    let honest = proof(1);
    assert_eq!(
        verify(parameters.verifying_key(), space() + F::one(), &honest),
        Err(VerifyError::StateHash)
    );
    let other = fresh_parameters(&TOY, 3);
    assert_eq!(verify(other.verifying_key(), space(), &honest), Err(VerifyError::StateHash));
}

#[test]
fn parts_of_two_proofs_do_not_mix() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let (one, two) = (proof(1), proof(2));
    let groth16 = |p: &mut Proof| p.groth16 = one.groth16;
    assert_eq!(outcome(key, &two, groth16), VerifyError::Groth16);
    let cyclefold = |p: &mut Proof| p.cyclefold = one.cyclefold.clone();
    assert_eq!(outcome(key, &two, cyclefold), VerifyError::StateHash);
    let witness = |p: &mut Proof| p.cyclefold_witness = one.cyclefold_witness.clone();
    assert_eq!(outcome(key, &two, witness), VerifyError::CycleFold);
}

#[test]
fn malformed_proofs_are_refused_before_anything_is_computed() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let honest = proof(1);
    let length = |what: &'static str, change: fn(&mut Proof)| match outcome(key, &honest, change) {
        VerifyError::Shape(ShapeError::Length { what: named, .. }) => assert_eq!(named, what),
        other => panic!("{what}: {other}"),
    };
    length("U.x", |p| p.running.x.clear());
    length("U.x", |p| p.running.x.push(F::ZERO));
    length("u.x", |p| p.incoming.x.push(F::ZERO));
    length("cfU.x", |p| p.cyclefold.x.truncate(6));
    length("cfW", |p| p.cyclefold_witness.push(Fq::ZERO));
    length("cfW", |p| p.cyclefold_witness.clear());

    let off_curve = G1Affine::new_unchecked(Fq::one(), Fq::one());
    let is = |what: &'static str, change: &dyn Fn(&mut Proof)| {
        assert_eq!(
            outcome(key, &honest, |p| change(p)),
            VerifyError::Shape(ShapeError::NotOnCurve(what))
        );
    };
    is("U.cm_E", &|p| p.running.cm_e = off_curve.into());
    is("U.cm_W", &|p| p.running.cm_w = off_curve.into());
    is("u.cm_W", &|p| p.incoming.cm_w = off_curve.into());
    is("cm_T", &|p| p.cross_term = off_curve);
    is("A", &|p| p.groth16.a = off_curve);
    is("C", &|p| p.groth16.c = off_curve);
    is("cm_W'", &|p| p.knowledge_w = off_curve);
    is("cm_E'", &|p| p.knowledge_e = off_curve);
    let off_grumpkin = ark_grumpkin::Affine::new_unchecked(F::one(), F::one());
    is("cfU.cm_E", &|p| p.cyclefold.cm_e = off_grumpkin.into());
    is("cfU.cm_W", &|p| p.cyclefold.cm_w = off_grumpkin.into());

    let outside = (1u64..)
        .find_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::ZERO), false))
        .unwrap();
    assert_eq!(
        outcome(key, &honest, |p| p.groth16.b = outside),
        VerifyError::Shape(ShapeError::NotInSubgroup("B"))
    );
}
