//! What the knowledge checks are for: forgeries without any witness that pass everything else.
//!
//! Each forgery is shown to pass [`bare_verify`], a copy of the verifier that lacks the two
//! knowledge pairings, so that these tests would notice if the attack itself were wrong.

use crate::common::{parameters, proof, rng, space};
use ark_bn254::{Bn254, G1Affine, G1Projective};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use rootfold_verifier::{
    sonobe::{
        fold, sponge_config, state_hash, CycleFoldInstance, Fq, IncomingInstance, RunningInstance,
    },
    verify, Groth16Proof, PreparedVerifyingKey, Proof, VerifyError, F,
};

/// The instance that the verifier derives from `U`, `u` and `cm_T`.
fn folded(key: &PreparedVerifyingKey, proof: &Proof) -> RunningInstance {
    fold(
        &sponge_config(),
        key.id().pp_hash(),
        &proof.running,
        &proof.incoming,
        &proof.cross_term.into(),
    )
}

fn hash(key: &PreparedVerifyingKey, proof: &Proof) -> F {
    state_hash(
        &sponge_config(),
        key.id().pp_hash(),
        proof.steps,
        &key.initial_state(space()),
        &[proof.root, F::from(proof.ops), key.key().idle],
        &proof.running,
        &proof.cyclefold,
    )
}

/// The verifier without its knowledge checks.
fn bare_verify(key: &PreparedVerifyingKey, proof: &Proof) -> bool {
    let folded = folded(key, proof);
    let inverse = folded.u.inverse().unwrap();
    let vk = key.key();
    let input = vk.base_one_g1
        + vk.base_x_g1 * (folded.x[0] * inverse)
        + folded.cm_w * inverse
        + folded.cm_e * inverse.square();
    let product = Bn254::multi_pairing(
        [proof.groth16.a, -vk.alpha_g1, -input.into_affine(), -proof.groth16.c],
        [proof.groth16.b, vk.beta_g2, vk.gamma_g2, vk.delta_g2],
    );
    proof.check_shape(key.cyclefold()).is_ok()
        && proof.steps > 0
        && proof.incoming.x == [hash(key, proof)]
        && product.0 == <Bn254 as Pairing>::TargetField::ONE
        && key.cyclefold().is_satisfied(&proof.cyclefold, &proof.cyclefold_witness, Fq::from(3))
}

/// A proof of any root, made from the verifying key alone.
///
/// With `A = [alpha]`, `B = [beta]`, `C = 0` the equation says that the public input is zero, and
/// times `u'^2` that is a polynomial of degree 2 in the challenge. Its three coefficients are
/// zeroed by `u.cm_W`, `cm_T` and `U.cm_E`, all of which the prover picks before the challenge.
fn forge(key: &PreparedVerifyingKey, root: F, running_u: F, running_x: F) -> Proof {
    let vk = key.key();
    let (one, x) = (vk.base_one_g1, vk.base_x_g1);
    let cm_w = G1Projective::rand(&mut rng(9)) * running_u;
    let running = RunningInstance {
        cm_e: -(one * running_u.square() + x * (running_u * running_x) + cm_w * running_u),
        u: running_u,
        cm_w,
        x: vec![running_x],
    };
    let mut proof = Proof {
        steps: 1_000_000,
        root,
        ops: 42,
        running,
        incoming: IncomingInstance { cm_w: G1Projective::ZERO, x: vec![F::ZERO] },
        cross_term: G1Affine::identity(),
        groth16: Groth16Proof { a: vk.alpha_g1, b: vk.beta_g2, c: G1Affine::identity() },
        knowledge_w: G1Affine::identity(),
        knowledge_e: G1Affine::identity(),
        cyclefold: CycleFoldInstance {
            cm_e: Default::default(),
            u: Fq::ZERO,
            cm_w: Default::default(),
            x: vec![Fq::ZERO; key.cyclefold().public_len()],
        },
        cyclefold_witness: vec![Fq::ZERO; key.cyclefold().witness_len()],
    };
    let claim = hash(key, &proof);
    proof.incoming = IncomingInstance { cm_w: -(one + x * claim), x: vec![claim] };
    let linear = one * running_u.double()
        + x * (running_x + running_u * claim)
        + cm_w
        + proof.incoming.cm_w * running_u;
    proof.cross_term = (-linear).into_affine();
    proof
}

#[test]
fn the_bare_equation_can_be_forged_and_the_knowledge_checks_stop_it() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    for (u, x) in [(F::ZERO, F::ZERO), (F::from(5), F::from(11))] {
        let forged = forge(key, F::from(0xbad), u, x);
        assert!(bare_verify(key, &forged));
        assert_eq!(verify(key, space(), &forged), Err(VerifyError::KnowledgeOfWitness));
    }
}

#[test]
fn points_that_anyone_can_compute_show_no_knowledge() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let mut forged = forge(key, F::from(0xbad), F::from(5), F::from(11));
    let honest = proof(1);
    let folded = folded(key, &forged);
    let known = [
        folded.cm_w.into_affine(),
        folded.cm_e.into_affine(),
        honest.knowledge_w,
        honest.knowledge_e,
        G1Affine::generator(),
    ];
    for knowledge_w in known {
        for knowledge_e in known {
            (forged.knowledge_w, forged.knowledge_e) = (knowledge_w, knowledge_e);
            assert_eq!(verify(key, space(), &forged), Err(VerifyError::KnowledgeOfWitness));
        }
    }
}

/// An honest proof whose witness commitment is shifted by `k A`, with `B` shifted by `k gamma`:
/// the equation still holds for a commitment that nobody can open.
#[test]
fn a_shifted_witness_commitment_is_refused() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let honest = proof(1);
    let k = F::from(7);
    let mut shifted = honest.clone();
    shifted.incoming.cm_w += honest.groth16.a * k;
    shifted.groth16.b = (honest.groth16.b + key.key().gamma_g2 * k).into_affine();
    // After one step `U` is zero, so that the folded witness is the last one times the challenge,
    // and the knowledge point can be moved along with it.
    let moved = folded(key, &shifted).u * folded(key, &honest).u.inverse().unwrap();
    shifted.knowledge_w = (honest.knowledge_w * moved).into_affine();
    assert!(bare_verify(key, &shifted));
    assert_eq!(verify(key, space(), &shifted), Err(VerifyError::KnowledgeOfWitness));
}

/// The same on the side of the error, through `cm_T`: knowledge of the witness is even shown.
#[test]
fn a_shifted_error_commitment_is_refused() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let honest = proof(1);
    let k = F::from(7);
    let mut shifted = honest.clone();
    shifted.cross_term = (honest.cross_term + honest.groth16.a * k).into_affine();
    let challenge = folded(key, &shifted).u;
    let moved = challenge * folded(key, &honest).u.inverse().unwrap();
    shifted.knowledge_w = (honest.knowledge_w * moved).into_affine();
    let factor = k * challenge.inverse().unwrap();
    shifted.groth16.b = (honest.groth16.b + key.key().gamma_g2 * factor).into_affine();
    assert!(bare_verify(key, &shifted));
    assert_eq!(verify(key, space(), &shifted), Err(VerifyError::KnowledgeOfError));
}
