//! A proof is valid for one space, root, number of ops and steps, cursor and set of parameters.
//!
//! Each false statement is tested twice: as it is, and with the public input of the last step made
//! to fit and everything after it recomputed, as far as possible.

use ark_ff::{AdditiveGroup, One};
use rootfold_prover::{compress, CompressError};
use rootfold_verifier::{PreparedVerifyingKey, Proof, VerifyError, VerifyingKey, F};

use crate::{
    common::{input, parameters, proof, running, space, Input, TOY},
    forger::Forger,
    weakened::{assert_stopped_by, verify_by_name, Defence, WeakKey},
};

/// The recomputed proof of a false statement: cross term for the false public input, Groth16 proof
/// and knowledge of every vector. Only the error of the last step itself is missing.
fn proved_anew(forger: &Forger<'_>, mut lie: Proof) -> Proof {
    let x = lie.incoming.x[0];
    forger.fold(&mut lie, x, &forger.cross_term(x), None);
    lie
}

#[test]
fn a_root_that_was_not_reached() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let running = running(&parameters, 2);
    let forger = Forger::new(&parameters, running.checkpoint());
    let honest = proved_anew(&forger, forger.draft.clone());
    assert_eq!(honest, proof(2));
    let plain = Proof { root: F::from(0xbad), ..honest };
    assert_eq!(verify_by_name(key, space(), &plain), Err(VerifyError::StateHash));
    let anew = proved_anew(&forger, forger.claim(F::from(0xbad)));
    assert_eq!(verify_by_name(key, space(), &anew), Err(VerifyError::Groth16));
}

#[test]
fn another_number_of_steps_or_ops() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let plain: [fn(&mut Proof); 5] = [
        |p| p.steps -= 1,
        |p| p.steps += 1,
        |p| p.steps += 1 << 32,
        |p| p.ops += 1,
        |p| p.ops = u64::MAX,
    ];
    for lie in plain {
        let mut proof = proof(2);
        lie(&mut proof);
        assert_eq!(verify_by_name(key, space(), &proof), Err(VerifyError::StateHash));
    }
    let running = running(&parameters, 2);
    let forger = Forger::new(&parameters, running.checkpoint());
    let mut lie = forger.draft.clone();
    (lie.steps, lie.ops) = (lie.steps + 1, lie.ops + 1);
    lie.incoming.x = vec![forger.key.state_hash(&lie)];
    let anew = proved_anew(&forger, lie);
    assert_eq!(verify_by_name(key, space(), &anew), Err(VerifyError::Groth16));
}

#[test]
fn a_proof_about_another_space() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    assert_eq!(verify_by_name(key, space() + F::one(), &proof(1)), Err(VerifyError::StateHash));
    // A proof with another initial state, with the hash for `space()`.
    let mut running = rootfold_prover::RunningProof::new(
        parameters.clone(),
        TOY,
        key.initial_state(space() + F::one()),
    );
    running.prove_step(input(0)).unwrap();
    let honest = compress(&parameters, running.checkpoint()).unwrap();
    assert!(verify_by_name(key, space() + F::one(), &honest).is_ok());
    assert_eq!(verify_by_name(key, space(), &honest), Err(VerifyError::StateHash));
    let forger = Forger::new(&parameters, running.checkpoint());
    let anew = proved_anew(&forger, forger.claim(honest.root));
    assert_eq!(verify_by_name(key, space(), &anew), Err(VerifyError::Groth16));
}

/// The other parameters have the same elements and another profile name, and therefore another id.
#[test]
fn a_proof_under_other_parameters() {
    let parameters = parameters();
    let running = running(&parameters, 2);
    let mut forger = Forger::new(&parameters, running.checkpoint());
    let honest = forger.key.key.clone();
    let key =
        PreparedVerifyingKey::new(VerifyingKey { profile: "other".into(), ..honest }).unwrap();
    assert_eq!(verify_by_name(&key, space(), &proof(2)), Err(VerifyError::StateHash));
    forger.key = WeakKey::from(&key);
    let anew = proved_anew(&forger, forger.claim(forger.draft.root));
    assert_eq!(verify_by_name(&key, space(), &anew), Err(VerifyError::Groth16));
}

/// A running proof inside an epoch, and a proof made of it by hand.
#[test]
fn a_cursor_that_is_not_idle() {
    let parameters = parameters();
    let mut running = running(&parameters, 1);
    running.prove_step(Input { cursor: 1, ..input(1) }).unwrap();
    assert!(matches!(compress(&parameters, running.checkpoint()), Err(CompressError::InsideEpoch)));
    let key = parameters.verifying_key();
    let forger = Forger::new(&parameters, running.checkpoint());
    let by_hand = proved_anew(&forger, forger.draft.clone());
    let challenge = forger.key.challenge(&by_hand);
    let defence = (Defence::StateHash, VerifyError::StateHash);
    assert_stopped_by(key, &by_hand, challenge, &[defence]);
    let anew = proved_anew(&forger, forger.claim(by_hand.root));
    assert_eq!(verify_by_name(key, space(), &anew), Err(VerifyError::Groth16));
}

#[test]
fn the_two_instances_swapped() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let mut swapped = proof(3);
    let Proof { running, incoming, .. } = &mut swapped;
    std::mem::swap(&mut running.cm_w, &mut incoming.cm_w);
    std::mem::swap(&mut running.x, &mut incoming.x);
    assert_eq!(verify_by_name(key, space(), &swapped), Err(VerifyError::StateHash));
    swapped.incoming.x = vec![WeakKey::from(key).state_hash(&swapped)];
    assert_eq!(verify_by_name(key, space(), &swapped), Err(VerifyError::Groth16));
}

/// Any witness satisfies a relaxed instance with `u = 0` and the right error. So this `U` is
/// satisfied, and the last step claims it as its history.
#[test]
fn a_running_instance_with_u_zero() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let running = running(&parameters, 2);
    let mut forger = Forger::new(&parameters, running.checkpoint());
    forger.draft.running.u = F::ZERO;
    let x = forger.draft.running.x[0];
    forger.running.error = forger.evaluate(F::ZERO, x, forger.running.witness.clone());
    forger.draft.running.cm_e = forger.commit(&forger.running.error);
    let plain = proved_anew(&forger, forger.draft.clone());
    let challenge = forger.key.challenge(&plain);
    let defence = (Defence::StateHash, VerifyError::StateHash);
    assert_stopped_by(key, &plain, challenge, &[defence]);
    let anew = proved_anew(&forger, forger.claim(plain.root));
    assert_eq!(verify_by_name(key, space(), &anew), Err(VerifyError::Groth16));
}

#[test]
fn parts_of_two_proofs() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let (one, two) = (proof(1), proof(2));
    type Mix = fn(&mut Proof, Proof);
    let mixed: [(Mix, VerifyError); 7] = [
        (|p, other| p.running = other.running, VerifyError::StateHash),
        (|p, other| p.incoming = other.incoming, VerifyError::StateHash),
        (|p, other| p.cyclefold = other.cyclefold, VerifyError::StateHash),
        (|p, other| p.incoming.cm_w = other.incoming.cm_w, VerifyError::Groth16),
        (|p, other| p.groth16 = other.groth16, VerifyError::Groth16),
        (
            |p, other| (p.knowledge_w, p.knowledge_e) = (other.knowledge_w, other.knowledge_e),
            VerifyError::KnowledgeOfWitness,
        ),
        (|p, other| p.cyclefold_witness = other.cyclefold_witness, VerifyError::CycleFold),
    ];
    for (mix, expected) in mixed {
        let mut proof = two.clone();
        mix(&mut proof, one.clone());
        assert_eq!(verify_by_name(key, space(), &proof), Err(expected));
    }
}
