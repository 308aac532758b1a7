//! Honest proofs are accepted, and running proofs can be saved and continued.

use crate::common::{input, other_parameters, parameters, running, space, Input, TOY};
use ark_ff::Field;
use rootfold_prover::{
    compress, Checkpoint, CheckpointError, CompressError, IvcError, RunningProof,
};
use rootfold_verifier::{verify, verify_bytes, DecodeError, Proof, Verified, F};

#[test]
fn proofs_of_one_two_and_three_steps_verify() {
    let parameters = parameters();
    let key = parameters.verifying_key();
    let mut running = running(&parameters, 0);
    for step in 0..3 {
        running.prove_step(input(step)).unwrap();
        running.verify_in_the_clear().unwrap();
        let proof = compress(&parameters, running.checkpoint()).unwrap();
        let expected = Verified {
            root: running.state()[0],
            ops: (0..=step).map(|step| step + 5).sum(),
            steps: step + 1,
        };
        assert_eq!(verify(key, space(), &proof), Ok(expected));
        let bytes = proof.encode();
        assert!(bytes.len() <= 48 * 1024);
        assert_eq!(bytes.len(), key.proof_len());
        assert_eq!(verify_bytes(key, space(), &bytes), Ok(expected));
        assert_eq!(Proof::decode(&bytes, key.cyclefold()).as_ref(), Ok(&proof));
    }
}

#[test]
fn compressing_changes_nothing_and_is_deterministic() {
    let parameters = parameters();
    let mut running = running(&parameters, 2);
    let before = running.checkpoint().to_bytes();
    let proof = compress(&parameters, running.checkpoint()).unwrap();
    assert_eq!(compress(&parameters, running.checkpoint()).unwrap(), proof);
    assert_eq!(running.checkpoint().to_bytes(), before);
    running.prove_step(input(2)).unwrap();
    running.verify_in_the_clear().unwrap();
}

#[test]
fn a_checkpoint_continues_where_it_was_taken() {
    let parameters = parameters();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("running.proof");
    for steps in [0, 1, 2] {
        running(&parameters, steps).checkpoint().save(&path).unwrap();
        let loaded = Checkpoint::load(&path, &parameters).unwrap();
        let mut resumed = RunningProof::resume(parameters.clone(), TOY, loaded).unwrap();
        assert_eq!(resumed.steps(), steps);
        resumed.prove_step(input(steps)).unwrap();
        let uninterrupted = running(&parameters, steps + 1);
        assert_eq!(resumed.state(), uninterrupted.state());
        assert_eq!(resumed.checkpoint().to_bytes(), uninterrupted.checkpoint().to_bytes());
        resumed.verify_in_the_clear().unwrap();
    }
}

#[test]
fn damaged_and_foreign_checkpoints_are_refused() {
    let parameters = parameters();
    let bytes = running(&parameters, 1).checkpoint().to_bytes();
    let load = |bytes: &[u8]| Checkpoint::from_bytes(bytes, &parameters).map(|_| ());
    load(&bytes).unwrap();
    for cut in [0, 31, 32, 100, bytes.len() - 1] {
        assert!(matches!(load(&bytes[..cut]), Err(CheckpointError::Damaged)));
    }
    for at in [0, 40, 1000, bytes.len() - 1] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        assert!(matches!(load(&flipped), Err(CheckpointError::Damaged)));
    }
    // With a right digest, but not made by `to_bytes`.
    let sealed = |body: &[u8]| [body, blake3::hash(body).as_bytes()].concat();
    let body = &bytes[..bytes.len() - 32];
    assert!(matches!(
        load(&sealed(&[body, &[0]].concat())),
        Err(CheckpointError::Decode(DecodeError::Trailing(1)))
    ));
    assert!(matches!(
        load(&sealed(&body[..200])),
        Err(CheckpointError::Decode(DecodeError::Truncated { .. }))
    ));
    let mut foreign = body.to_vec();
    foreign[9] ^= 1;
    assert!(matches!(load(&sealed(&foreign)), Err(CheckpointError::OtherParameters { .. })));
}

#[test]
fn a_step_that_breaks_the_circuit_leaves_the_running_proof_alone() {
    let parameters = parameters();
    let mut running = running(&parameters, 1);
    let before = running.checkpoint().to_bytes();
    let lie = Input { claim: Some(F::from(666)), ..input(1) };
    assert!(matches!(running.prove_step(lie), Err(IvcError::Unsatisfied { step: 2 })));
    assert_eq!(running.checkpoint().to_bytes(), before);
    running.prove_step(input(1)).unwrap();
    running.verify_in_the_clear().unwrap();
}

#[test]
fn only_finished_epochs_of_the_same_parameters_are_compressed() {
    let parameters = parameters();
    let fresh = running(&parameters, 0);
    assert!(matches!(compress(&parameters, fresh.checkpoint()), Err(CompressError::NoSteps)));

    let mut inside = running(&parameters, 1);
    let opens = Input { cursor: 1, ..input(1) };
    inside.prove_step(opens).unwrap();
    assert!(matches!(compress(&parameters, inside.checkpoint()), Err(CompressError::InsideEpoch)));

    let other = other_parameters();
    assert_ne!(other.id(), parameters.id());
    assert!(matches!(
        compress(&other, inside.checkpoint()),
        Err(CompressError::OtherParameters { .. })
    ));
    let resumed = RunningProof::resume(other, TOY, inside.checkpoint().clone());
    assert!(matches!(resumed, Err(IvcError::OtherParameters { .. })));
}

#[test]
fn ops_beyond_64_bits_are_not_compressed() {
    let parameters = parameters();
    let mut initial = parameters.verifying_key().initial_state(space());
    initial[1] = F::from(2).pow([64]);
    let mut running = RunningProof::new(parameters.clone(), TOY, initial);
    running.prove_step(input(0)).unwrap();
    assert!(matches!(
        compress(&parameters, running.checkpoint()),
        Err(CompressError::OpsOutOfRange)
    ));
}
