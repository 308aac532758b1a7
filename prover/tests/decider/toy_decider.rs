//! Elements that a setup must not publish, shown with a decider whose trapdoor the test chooses.

use ark_bn254::{G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use rootfold_verifier::{
    folding::RunningInstance, KeyError, PreparedVerifyingKey, Proof, VerifyError, F,
};

use crate::{
    common::{parameters, rng, space},
    forger::{blank, Forger, Opening},
    toy_setup::{chain, chain_r1cs, toy_setup, ToySetup, Weaknesses, ROWS},
    weakened::{verify_by_name, verify_without, Defence, Refusal, WeakKey},
};

const NONE: Weaknesses =
    Weaknesses { no_padding_row: false, gamma_is_one: false, sigma_in_g1: false };

/// The public input whose chain has the right end. A forger claims a different one.
fn honest_x() -> F {
    F::from(3)
}

/// The last value of the chain.
fn end(x: F, error: F) -> F {
    chain(x, error)[ROWS - 1]
}

/// A forger with some satisfied relaxed instance as `U` and the honest last step as `u`.
fn forger<'a>(setup: &'a ToySetup, real: &WeakKey<'a>) -> Forger<'a> {
    let rng = &mut rng(52);
    let key = WeakKey {
        key: setup.key.clone(),
        pp_hash: setup.key.id().pp_hash(),
        cyclefold: real.cyclefold,
    };
    let witness: Vec<F> = (0..ROWS - 1).map(|_| F::rand(rng)).collect();
    let (u, x) = (F::rand(rng), F::rand(rng));
    let mut forger = Forger {
        draft: blank(key.cyclefold),
        key,
        bases: &setup.bases,
        r1cs: chain_r1cs(end(honest_x(), F::ZERO)),
        running: Opening { witness: witness.clone(), error: Vec::new() },
        incoming: chain(honest_x(), F::ZERO)[..ROWS - 1].to_vec(),
    };
    forger.running.error = forger.evaluate(u, x, witness);
    let Opening { witness, error } = &forger.running;
    let (cm_w, cm_e) = (forger.commit(witness), forger.commit(error));
    forger.draft.running = RunningInstance { cm_e, u, cm_w, x: vec![x] };
    forger.draft.incoming.cm_w = forger.commit(&forger.incoming);
    forger.draft.incoming.x = vec![honest_x()];
    forger
}

/// The verdict of the real verifier. It may already refuse the key.
fn verify_really(
    key: &Result<PreparedVerifyingKey, KeyError>,
    proof: &Proof,
) -> Result<(), Refusal> {
    let key = key.as_ref().map_err(|error| Refusal::Key(error.clone()))?;
    Ok(verify_by_name(key, space(), proof).map(|_| ())?)
}

fn all_weaknesses() -> impl Iterator<Item = Weaknesses> {
    (0..8).map(|bits| Weaknesses {
        no_padding_row: bits & 1 != 0,
        gamma_is_one: bits & 2 != 0,
        sigma_in_g1: bits & 4 != 0,
    })
}

/// Without the attack, the weak decider accepts the honest step and refuses a false one.
fn assert_tells_true_from_false(forger: &Forger<'_>) {
    let false_x = honest_x() + F::ONE;
    let refused = Err(Refusal::Proof(VerifyError::Groth16));
    for (x, expected) in [(honest_x(), Ok(())), (false_x, refused)] {
        let mut proof = forger.draft.clone();
        proof.incoming.x = vec![x];
        forger.fold(&mut proof, x, &forger.cross_term(x), None);
        // `x` is not a hash here.
        let off = [Defence::KeyCheck, Defence::StateHash];
        assert_eq!(verify_without(&off, &forger.key, &proof, F::ZERO), expected);
    }
}

/// Any public input, with all knowledge shown. A chain with the same error in every row has the
/// right end. Without a padding row, the error bases add up to `[1/gamma]_1`. With `gamma = 1` that
/// is the generator, and `[sigma_W]_1` shows knowledge of multiples of it.
#[test]
fn a_generator_whose_sigma_is_known() {
    let parameters = parameters();
    let real = WeakKey::from(parameters.verifying_key());
    for weaknesses in all_weaknesses() {
        let r1cs = chain_r1cs(end(honest_x(), F::ZERO));
        let setup = toy_setup(&r1cs, weaknesses, &real.key);
        let mut forger = forger(&setup, &real);
        assert_tells_true_from_false(&forger);
        let key = PreparedVerifyingKey::new(setup.key.clone());
        let mut claim = forger.claim(F::from(0xbad));
        let x = claim.incoming.x[0];
        // The end is an affine function of the error.
        let (without, with_one) = (end(x, F::ZERO), end(x, F::ONE));
        let error = (without - end(honest_x(), F::ZERO)) / (without - with_one);
        forger.incoming = chain(x, error)[..ROWS - 1].to_vec();
        assert_eq!(forger.error(x), [error; ROWS]);
        claim.incoming.cm_w = forger.commit(&forger.incoming);

        // The forger can use either the commitment to the errors or the point that they can open.
        let generator: G1Projective = G1Affine::generator() * error;
        let sum = forger.commit(&[error; ROWS]);
        let Weaknesses { no_padding_row, gamma_is_one, sigma_in_g1 } = weaknesses;
        assert_eq!(generator == sum, no_padding_row && gamma_is_one);
        for mass in [generator, sum] {
            let mut forged = claim.clone();
            let (challenge, _) = forger.hide_error(&mut forged, mass);
            if let Some(sigma_w_g1) = setup.sigma_w_g1 {
                let shown = sigma_w_g1 * (challenge * error);
                forged.knowledge_w = (forged.knowledge_w + shown).into_affine();
            }
            let expected = match (mass == sum, mass == generator && sigma_in_g1) {
                (true, true) => Ok(()),
                (true, false) => Err(VerifyError::KnowledgeOfWitness.into()),
                (false, _) => Err(VerifyError::Groth16.into()),
            };
            let off = [Defence::KeyCheck];
            let outcome = verify_without(&off, &forger.key, &forged, F::ZERO);
            assert_eq!(outcome, expected, "{weaknesses:?}");
            let related = KeyError::Related("the generator of G2", "gamma_g2");
            let expected = if gamma_is_one { Err(Refusal::Key(related)) } else { expected };
            assert_eq!(verify_really(&key, &forged), expected, "{weaknesses:?}");
        }
    }
}

/// Any public input: if its base over `delta` is published, `C` can cancel the difference.
#[test]
fn an_input_base_over_delta() {
    let parameters = parameters();
    let real = WeakKey::from(parameters.verifying_key());
    let r1cs = chain_r1cs(end(honest_x(), F::ZERO));
    let setup = toy_setup(&r1cs, NONE, &real.key);
    let forger = forger(&setup, &real);
    assert_tells_true_from_false(&forger);
    let mut forged = forger.claim(F::from(0xbad));
    let (challenge, _) = forger.fold(&mut forged, honest_x(), &forger.cross_term(honest_x()), None);
    let key = PreparedVerifyingKey::new(setup.key.clone());
    assert_eq!(verify_really(&key, &forged), Err(VerifyError::Groth16.into()));
    let folded_u = forged.running.u + challenge;
    let difference = (honest_x() - forged.incoming.x[0]) * challenge / folded_u;
    forged.groth16.c = (forged.groth16.c + setup.base_x_over_delta * difference).into_affine();
    // The key does not show that.
    assert_eq!(verify_really(&key, &forged), Ok(()));
}
