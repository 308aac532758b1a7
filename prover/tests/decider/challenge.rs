//! Attacks by a prover who chooses the challenge of the last fold.

use ark_bn254::G1Affine;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, UniformRand};
use rootfold_verifier::{Groth16Proof, VerifyError, F};

use crate::{
    common::{parameters, proof, rng, running, space},
    forger::{blank, combined, Forger},
    weakened::{
        assert_stopped_by, verify_by_name, verify_without, Defence, Refusal, WeakKey, KNOWN_WEIGHT,
    },
};

/// Any root: `cm_T` takes the error of the last step, divided by the challenge. All openings are
/// known, each over its own list.
#[test]
fn a_challenge_of_the_provers_choice() {
    let parameters = parameters();
    let running = running(&parameters, 2);
    let forger = Forger::new(&parameters, running.checkpoint());
    let mut forged = forger.claim(F::from(0xbad));
    let x = forged.incoming.x[0];
    let challenge = F::rand(&mut rng(31));
    let cross_term = combined(&forger.cross_term(x), challenge, &forger.error(x));
    forger.fold(&mut forged, x, &cross_term, Some(challenge));
    let defence = (Defence::DerivedChallenge, VerifyError::Groth16);
    assert_stopped_by(parameters.verifying_key(), &forged, challenge, &[defence]);
}

/// Any root, from the verifying key alone: `A = [alpha]`, `B = [beta]`, `C = 0`, and `u.cm_W` makes
/// the public input zero. The error is zero, so knowledge of it can be shown.
#[test]
fn the_rest_of_the_equation_in_a_commitment() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let vk = key.key();
    let (running_u, running_x, challenge) = (F::from(5), F::from(11), F::from(1234567));
    let mut forged = blank(key.cyclefold());
    forged.root = F::from(0xbad);
    (forged.running.u, forged.running.x[0]) = (running_u, running_x);
    let x = WeakKey::from(key).state_hash(&forged);
    forged.incoming.x = vec![x];
    let rest =
        vk.base_one_g1 * (running_u + challenge) + vk.base_x_g1 * (running_x + challenge * x);
    forged.incoming.cm_w = -rest * challenge.inverse().unwrap();
    forged.groth16 = Groth16Proof { a: vk.alpha_g1, b: vk.beta_g2, c: G1Affine::identity() };
    let defences = [
        (Defence::DerivedChallenge, VerifyError::Groth16),
        (Defence::KnowledgeOfWitness, VerifyError::KnowledgeOfWitness),
    ];
    assert_stopped_by(key, &forged, challenge, &defences);
}

/// A step whose commitment does not open to the proved witness: a part of the witness is moved into
/// `cm_T`.
#[test]
fn witness_mass_in_the_error_commitment() {
    let parameters = parameters();
    let running = running(&parameters, 2);
    let forger = Forger::new(&parameters, running.checkpoint());
    let mut forged = forger.draft.clone();
    let x = forged.incoming.x[0];
    let challenge = F::rand(&mut rng(32));
    forger.fold(&mut forged, x, &forger.cross_term(x), Some(challenge));
    let moved = F::from(7);
    let (base, knowledge) = (forger.bases.commitment.witness()[0], forger.bases.knowledge_w[0]);
    forged.incoming.cm_w -= base * moved;
    forged.knowledge_w = (forged.knowledge_w - knowledge * (challenge * moved)).into_affine();
    let folded_u = forged.running.u + challenge;
    forged.cross_term = (forged.cross_term + base * (folded_u * moved)).into_affine();
    let defences = [
        (Defence::DerivedChallenge, VerifyError::Groth16),
        (Defence::KnowledgeOfError, VerifyError::KnowledgeOfError),
    ];
    assert_stopped_by(parameters.verifying_key(), &forged, challenge, &defences);
}

/// With `u' = 0` any witness would satisfy the folded instance.
#[test]
fn a_challenge_that_leaves_no_scalar() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let weak = WeakKey::from(key);
    let mut forged = blank(key.cyclefold());
    let challenge = F::from(5);
    forged.running.u = -challenge;
    forged.incoming.x = vec![weak.state_hash(&forged)];
    assert_eq!(
        verify_without(&[Defence::DerivedChallenge], &weak, &forged, challenge),
        Err(Refusal::Proof(VerifyError::ZeroScalar))
    );
    assert_eq!(verify_by_name(key, space(), &forged), Err(VerifyError::Groth16));
}

/// `cfU` is shifted by `(-w D, D)` in `(cm_W, cm_E)`, which passes if the weight `w` is known.
#[test]
fn a_cyclefold_weight_known_in_advance() {
    let parameters = parameters();
    let mut forged = proof(3);
    let moved = ark_grumpkin::Affine::generator();
    forged.cyclefold.cm_w -= moved * KNOWN_WEIGHT;
    forged.cyclefold.cm_e += moved;
    let key = parameters.verifying_key();
    let challenge = WeakKey::from(key).challenge(&forged);
    let defences = [
        (Defence::StateHash, VerifyError::StateHash),
        (Defence::DrawnWeight, VerifyError::CycleFold),
    ];
    assert_stopped_by(key, &forged, challenge, &defences);
}
