//! Attacks on the commitments that replace a part of Groth16's public input.
//!
//! The Groth16 equation contains one sum of input bases and commitments. Only the proofs of
//! knowledge, of each commitment over its own list of bases, separate the parts of the sum and
//! exclude commitments without an opening.

use ark_bn254::{G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use rootfold_verifier::{
    folding::RunningInstance, Groth16Proof, PreparedVerifyingKey, Proof, VerifyError, F,
};

use crate::{
    common::{parameters, proof, rng, running},
    forger::{blank, Forger},
    weakened::{assert_stopped_by, verify_without, Defence, Refusal, WeakKey},
};

const WITNESS: (Defence, VerifyError) =
    (Defence::KnowledgeOfWitness, VerifyError::KnowledgeOfWitness);
const ERROR: (Defence, VerifyError) = (Defence::KnowledgeOfError, VerifyError::KnowledgeOfError);

/// Which of the three commitments a forgery computes. The others are zero.
#[derive(Clone, Copy, PartialEq)]
struct Chosen {
    running_e: bool,
    cross_term: bool,
    incoming_w: bool,
}

const ALL: Chosen = Chosen { running_e: true, cross_term: true, incoming_w: true };

/// A proof of any root, made from the verifying key alone.
///
/// With `A = [alpha]`, `B = [beta]`, `C = 0` the equation states that the public input is zero.
/// Times `u'^2`, the public input is a polynomial of degree 2 in the challenge. `u.cm_W`, `cm_T`
/// and `U.cm_E`, which the prover chooses before the challenge, make its three coefficients zero.
pub fn forge(key: &PreparedVerifyingKey, root: F, running_u: F, running_x: F) -> Proof {
    forge_with(ALL, key, root, running_u, running_x)
}

fn forge_with(
    chosen: Chosen,
    key: &PreparedVerifyingKey,
    root: F,
    running_u: F,
    running_x: F,
) -> Proof {
    let vk = key.key();
    let (one, x) = (vk.base_one_g1, vk.base_x_g1);
    let only = |chosen: bool, point: G1Projective| if chosen { point } else { G1Projective::ZERO };
    let cm_w = G1Projective::rand(&mut rng(9)) * running_u;
    let constant = one * running_u.square() + x * (running_u * running_x) + cm_w * running_u;
    let running = RunningInstance {
        cm_e: only(chosen.running_e, -constant),
        u: running_u,
        cm_w,
        x: vec![running_x],
    };
    let groth16 = Groth16Proof { a: vk.alpha_g1, b: vk.beta_g2, c: G1Affine::identity() };
    let mut proof = Proof { root, running, groth16, ..blank(key.cyclefold()) };
    let claim = WeakKey::from(key).state_hash(&proof);
    proof.incoming.x = vec![claim];
    proof.incoming.cm_w = only(chosen.incoming_w, -(one + x * claim));
    let linear = one * running_u.double()
        + x * (running_x + running_u * claim)
        + cm_w
        + proof.incoming.cm_w * running_u;
    proof.cross_term = only(chosen.cross_term, -linear).into_affine();
    proof
}

#[test]
fn the_three_coefficients_of_the_challenge_zeroed() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let forged = forge(key, F::from(0xbad), F::from(5), F::from(11));
    let challenge = WeakKey::from(key).challenge(&forged);
    assert_stopped_by(key, &forged, challenge, &[WITNESS, ERROR]);
    // Without a history, `u.cm_W` alone suffices, and knowledge of the error, zero, is shown.
    let forged = forge(key, F::from(0xbad), F::ZERO, F::ZERO);
    assert_eq!(forged.running.cm_e, G1Projective::ZERO);
    assert!(forged.cross_term.is_zero());
    assert_stopped_by(key, &forged, WeakKey::from(key).challenge(&forged), &[WITNESS]);
}

/// The attack fails if one of the coefficients is not zero.
#[test]
fn two_of_the_three_coefficients_are_not_enough() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let without = [
        Chosen { running_e: false, ..ALL },
        Chosen { cross_term: false, ..ALL },
        Chosen { incoming_w: false, ..ALL },
    ];
    for chosen in without {
        let forged = forge_with(chosen, key, F::from(0xbad), F::from(5), F::from(11));
        let off = [Defence::KnowledgeOfWitness, Defence::KnowledgeOfError];
        assert_eq!(
            verify_without(&off, &WeakKey::from(key), &forged, F::ZERO),
            Err(Refusal::Proof(VerifyError::Groth16))
        );
    }
}

/// An honest proof whose witness commitment is shifted by `k A`, and `B` by `k gamma`: the equation
/// holds for a commitment that nobody can open.
#[test]
fn a_shifted_witness_commitment() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let honest = proof(1);
    let k = F::from(7);
    let mut shifted = honest.clone();
    shifted.incoming.cm_w += honest.groth16.a * k;
    shifted.groth16.b = (honest.groth16.b + key.key().gamma_g2 * k).into_affine();
    // After one step `U` is zero. The folded witness is the last one times the challenge, and the
    // knowledge point can be adapted.
    let challenge = WeakKey::from(key).challenge(&shifted);
    let moved = challenge / WeakKey::from(key).challenge(&honest);
    shifted.knowledge_w = (honest.knowledge_w * moved).into_affine();
    assert_stopped_by(key, &shifted, challenge, &[WITNESS]);
}

/// The same for the error, through `cm_T`, with knowledge of the witness shown.
#[test]
fn a_shifted_error_commitment() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let honest = proof(1);
    let k = F::from(7);
    let mut shifted = honest.clone();
    shifted.cross_term = (honest.cross_term + honest.groth16.a * k).into_affine();
    let challenge = WeakKey::from(key).challenge(&shifted);
    let moved = challenge / WeakKey::from(key).challenge(&honest);
    shifted.knowledge_w = (honest.knowledge_w * moved).into_affine();
    let factor = k / challenge;
    shifted.groth16.b = (honest.groth16.b + key.key().gamma_g2 * factor).into_affine();
    assert_stopped_by(key, &shifted, challenge, &[ERROR]);
}

/// Any root, from any running proof: `u.cm_W` cancels the false public input, so that Groth16
/// proves the honest last step.
#[test]
fn a_public_input_in_the_witness_commitment() {
    let parameters = parameters();
    let running = running(&parameters, 2);
    let forger = Forger::new(&parameters, running.checkpoint());
    let mut forged = forger.claim(F::from(0xbad));
    let honest_x = forger.draft.incoming.x[0];
    let taken_back = honest_x - forged.incoming.x[0];
    forged.incoming.cm_w += forger.key.key.base_x_g1 * taken_back;
    let cross_term = forger.cross_term(honest_x);
    let (challenge, _) = forger.fold(&mut forged, honest_x, &cross_term, None);
    assert_stopped_by(parameters.verifying_key(), &forged, challenge, &[WITNESS]);
}

/// Any root, from any running proof: `u.cm_W` contains the error that the false public input
/// causes, over the bases of errors, since a strict instance has no error commitment.
#[test]
fn error_mass_in_the_witness_commitment() {
    let parameters = parameters();
    let running = running(&parameters, 2);
    let forger = Forger::new(&parameters, running.checkpoint());
    let mut forged = forger.claim(F::from(0xbad));
    let error = forger.error(forged.incoming.x[0]);
    let (challenge, _) = forger.hide_error(&mut forged, forger.commit(&error));
    assert_stopped_by(parameters.verifying_key(), &forged, challenge, &[WITNESS]);
}
