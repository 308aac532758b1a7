//! Requirements on the two sigmas, without which the knowledge checks show less.

use ark_bn254::{G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use rootfold_verifier::{KeyError, PreparedVerifyingKey, VerifyError, VerifyingKey, F};

use crate::{
    committed_inputs::forge,
    common::{parameters, proof, rng, running, space},
    forger::Forger,
    weakened::{verify_by_name, verify_without, Defence, Refusal, WeakKey},
};

const NOT_KNOWN: Refusal = Refusal::Proof(VerifyError::KnowledgeOfWitness);

/// The published key with other sigmas.
fn with_sigmas<'a>(key: &'a PreparedVerifyingKey, sigma_w: F, sigma_e: F) -> WeakKey<'a> {
    let times_g2 = |sigma: F| (G2Affine::generator() * sigma).into_affine();
    let (sigma_w_g2, sigma_e_g2) = (times_g2(sigma_w), times_g2(sigma_e));
    let key = WeakKey::from(key);
    WeakKey { key: VerifyingKey { sigma_w_g2, sigma_e_g2, ..key.key.clone() }, ..key }
}

/// The forgery of `error_mass_in_the_witness_commitment` with all knowledge shown: a sum over the
/// bases of errors is accepted in place of one over those of witnesses.
///
/// A setup with this sigma would publish the bases times sigma. A sum over these is sigma times the
/// sum over the bases, and the forger knows all vectors in it.
#[test]
fn one_sigma_for_both_lists() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let running = running(&parameters, 2);
    let forger = Forger::new(&parameters, running.checkpoint());
    let mut forged = forger.claim(F::from(0xbad));
    let error = forger.error(forged.incoming.x[0]);
    let (challenge, folded) = forger.hide_error(&mut forged, forger.commit(&error));

    // With the published bases.
    let mass = G1Projective::msm_unchecked(&forger.bases.knowledge_e, &error) * challenge;
    let mut published = forged.clone();
    published.knowledge_w = (forged.knowledge_w + mass).into_affine();
    assert_eq!(verify_by_name(key, space(), &published), Err(VerifyError::KnowledgeOfWitness));

    // With bases for sigmas drawn here.
    let mut show = |sigma_w: F, sigma_e: F| {
        let (witness, mass) = (forger.commit(&folded.witness), forger.commit(&error) * challenge);
        forged.knowledge_w = (witness * sigma_w + mass * sigma_e).into_affine();
        forged.knowledge_e = (forger.commit(&folded.error) * sigma_e).into_affine();
        forged.clone()
    };
    let rng = &mut rng(41);
    let (sigma, other) = (F::rand(rng), F::rand(rng));
    let one_sigma = with_sigmas(key, sigma, sigma);
    let shown = show(sigma, sigma);
    assert_eq!(verify_without(&[Defence::KeyCheck], &one_sigma, &shown, F::ZERO), Ok(()));
    let two_sigmas = with_sigmas(key, sigma, other);
    let shown = show(sigma, other);
    assert_eq!(verify_without(&[], &two_sigmas, &shown, F::ZERO), Err(NOT_KNOWN));

    let related = KeyError::Related("sigma_w_g2", "sigma_e_g2");
    assert_eq!(PreparedVerifyingKey::new(one_sigma.key).map(|_| ()), Err(related));
}

/// The forgery of `a_public_input_in_the_witness_commitment`, under a setup that also publishes
/// `sigma_W` times the base of the public input.
#[test]
fn a_sigma_times_the_base_of_the_public_input() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let running = running(&parameters, 2);
    let forger = Forger::new(&parameters, running.checkpoint());
    let mut forged = forger.claim(F::from(0xbad));
    let honest_x = forger.draft.incoming.x[0];
    let moved = forger.key.key.base_x_g1 * (honest_x - forged.incoming.x[0]);
    forged.incoming.cm_w += moved;
    let cross_term = forger.cross_term(honest_x);
    let (challenge, folded) = forger.fold(&mut forged, honest_x, &cross_term, None);
    assert_eq!(verify_by_name(key, space(), &forged), Err(VerifyError::KnowledgeOfWitness));

    let rng = &mut rng(42);
    let (sigma_w, sigma_e) = (F::rand(rng), F::rand(rng));
    let drawn = with_sigmas(key, sigma_w, sigma_e);
    forged.knowledge_e = (forger.commit(&folded.error) * sigma_e).into_affine();
    forged.knowledge_w = (forger.commit(&folded.witness) * sigma_w).into_affine();
    assert_eq!(verify_without(&[], &drawn, &forged, F::ZERO), Err(NOT_KNOWN));
    let published = moved * sigma_w;
    forged.knowledge_w = (forged.knowledge_w + published * challenge).into_affine();
    assert_eq!(verify_without(&[], &drawn, &forged, F::ZERO), Ok(()));
}

#[test]
fn points_that_anyone_can_compute() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let mut forged = forge(key, F::from(0xbad), F::from(5), F::from(11));
    let honest = proof(1);
    let folded = WeakKey::from(key).fold(&forged);
    let known = [
        folded.cm_w.into_affine(),
        folded.cm_e.into_affine(),
        honest.knowledge_w,
        honest.knowledge_e,
        G1Affine::generator(),
        key.key().alpha_g1,
    ];
    for knowledge_w in known {
        for knowledge_e in known {
            (forged.knowledge_w, forged.knowledge_e) = (knowledge_w, knowledge_e);
            assert_eq!(verify_by_name(key, space(), &forged), Err(VerifyError::KnowledgeOfWitness));
        }
    }
}

#[test]
fn swapped_knowledge_points() {
    let parameters = parameters();
    let mut swapped = proof(3);
    std::mem::swap(&mut swapped.knowledge_w, &mut swapped.knowledge_e);
    assert_eq!(
        verify_by_name(parameters.verifying_key(), space(), &swapped),
        Err(VerifyError::KnowledgeOfWitness)
    );
}

/// With a sigma of 0, 1 or -1, anyone can compute the knowledge points.
#[test]
fn a_sigma_that_everyone_knows() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let mut forged = forge(key, F::from(0xbad), F::ZERO, F::ZERO);
    let folded = WeakKey::from(key).fold(&forged);
    let related = KeyError::Related("the generator of G2", "sigma_w_g2");
    let sigmas = [
        (F::ZERO, KeyError::Identity("sigma_w_g2")),
        (F::ONE, related.clone()),
        (-F::ONE, related),
    ];
    for (sigma_w, refused) in sigmas {
        let known = with_sigmas(key, sigma_w, F::from(17));
        forged.knowledge_w = (folded.cm_w * sigma_w).into_affine();
        assert_eq!(verify_without(&[Defence::KeyCheck], &known, &forged, F::ZERO), Ok(()));
        assert_eq!(PreparedVerifyingKey::new(known.key).map(|_| ()), Err(refused));
    }
}
