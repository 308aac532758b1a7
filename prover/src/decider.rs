//! Compresses a running proof into the proof file that verifiers check.

use ark_bn254::{Bn254, G1Affine, G1Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, Field, One, PrimeField};
use ark_groth16::Groth16;
use ark_relations::gr1cs::SynthesisError;
use rayon::prelude::*;
use rootfold_verifier::{
    sonobe::{fold_transcript, IvcProofParts, PrimaryFolding, RunningInstance, RunningWitness},
    verify, Groth16Proof, ParameterId, Proof, VerifyError, F,
};
use sonobe_fs::FoldingSchemeProver;
use thiserror::Error;

use crate::{checkpoint::Checkpoint, ivc::no_randomness, parameters::Parameters, qap::SlackQap};

/// Why a running proof could not be compressed.
#[derive(Debug, Error)]
pub enum CompressError {
    /// There is nothing to prove: a space without steps is its genesis root.
    #[error("a running proof without steps has nothing to compress")]
    NoSteps,
    /// An epoch is under way, and no verifier accepts a snapshot inside one.
    #[error("the running proof is inside an epoch")]
    InsideEpoch,
    /// The state's number of ops does not fit 64 bits, which no honest step circuit reaches.
    #[error("the state's number of ops exceeds 64 bits")]
    OpsOutOfRange,
    /// The running proof belongs to other parameters.
    #[error("the running proof belongs to parameters {found}, not {wanted}")]
    OtherParameters {
        /// The parameters given.
        wanted: ParameterId,
        /// Those of the running proof.
        found: ParameterId,
    },
    /// Folding the last step in failed.
    #[error("the last fold failed: {0}")]
    Fold(#[from] sonobe_fs::Error),
    /// The Groth16 prover failed.
    #[error("the Groth16 prover failed: {0}")]
    Groth16(#[from] SynthesisError),
    /// The proof that came out does not verify, so the running proof is false.
    #[error("the running proof is false: {0}")]
    False(#[from] VerifyError),
}

/// Makes the proof file for the state of `checkpoint`, and verifies it before handing it out.
///
/// The last step is folded in for this proof only; the checkpoint stays as it is. The result is
/// deterministic: the Groth16 proof is not blinded, since nothing here is meant to hide.
///
/// # Errors
/// [`CompressError`].
pub fn compress(parameters: &Parameters, checkpoint: &Checkpoint) -> Result<Proof, CompressError> {
    let ops = check_state(parameters, checkpoint)?;
    let IvcProofParts(running_w, running, incoming_w, incoming, cyclefold_w, cyclefold) =
        &*checkpoint.proof;
    let (witness, instance, cross_term) = <PrimaryFolding as FoldingSchemeProver<1, 1>>::prove(
        &parameters.ivc.0,
        &mut fold_transcript(&parameters.ivc.2 .0, parameters.id().pp_hash()),
        &[running_w],
        &[running],
        &[incoming_w],
        &[incoming],
        no_randomness(),
    )?;
    let proof = Proof {
        steps: checkpoint.steps,
        root: checkpoint.current[0],
        ops,
        running: running.clone(),
        incoming: incoming.clone(),
        cross_term: cross_term.into_affine(),
        groth16: prove_folded(parameters, &witness, &instance)?,
        knowledge_w: msm(&parameters.bases.knowledge_w, &witness.w),
        knowledge_e: msm(&parameters.bases.knowledge_e, &witness.e),
        cyclefold: cyclefold.clone(),
        cyclefold_witness: cyclefold_w.w.clone(),
    };
    verify(&parameters.verifying, checkpoint.initial[0], &proof)?;
    Ok(proof)
}

fn check_state(parameters: &Parameters, checkpoint: &Checkpoint) -> Result<u64, CompressError> {
    if checkpoint.parameters != parameters.id() {
        return Err(CompressError::OtherParameters {
            wanted: parameters.id(),
            found: checkpoint.parameters,
        });
    }
    if checkpoint.steps == 0 {
        return Err(CompressError::NoSteps);
    }
    let [_, ops, cursor] = checkpoint.current;
    if cursor != parameters.verifying.key().idle {
        return Err(CompressError::InsideEpoch);
    }
    match ops.into_bigint().0 {
        [ops, 0, 0, 0] => Ok(ops),
        _ => Err(CompressError::OpsOutOfRange),
    }
}

/// Groth16 over `z = (1, x/u, W/u)`. The slack `E/u^2` enters the proof only through the product
/// `Az * Bz`; see [`SlackQap`].
fn prove_folded(
    parameters: &Parameters,
    witness: &RunningWitness,
    instance: &RunningInstance,
) -> Result<Groth16Proof, SynthesisError> {
    let inverse = instance.u.inverse().ok_or(SynthesisError::DivisionByZero)?;
    let assignment: Vec<F> = [F::one()]
        .into_par_iter()
        .chain(instance.x.par_iter().chain(&witness.w).map(|value| *value * inverse))
        .collect();
    let proof = Groth16::<Bn254, SlackQap>::create_proof_with_reduction_and_matrices(
        &parameters.bases.groth16,
        F::ZERO,
        F::ZERO,
        &parameters.matrices,
        assignment.len(),
        parameters.sizes.n_constraints,
        &assignment,
    )?;
    Ok(Groth16Proof { a: proof.a, b: proof.b, c: proof.c })
}

fn msm(bases: &[G1Affine], scalars: &[F]) -> G1Affine {
    G1Projective::msm_unchecked(bases, scalars).into_affine()
}
