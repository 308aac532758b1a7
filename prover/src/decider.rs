//! Compression of a running proof into a proof for verifiers.

use ark_ec::CurveGroup;
use ark_ff::{Field, One, PrimeField};
use ark_relations::gr1cs::SynthesisError;
use rayon::prelude::*;
use rootfold_arith::msm::msm;
use rootfold_verifier::{
    diagnose, folding::IvcProofParts, Groth16Proof, ParameterId, Proof, VerifyError, F,
};
use thiserror::Error;

use crate::{
    checkpoint::Checkpoint,
    fold::{fold_primary, Carried, PrimaryFold},
    parameters::Parameters,
    qap::quotient,
};

/// Why a running proof could not be compressed.
#[derive(Debug, Error)]
pub enum CompressError {
    /// There are no steps. The root is the genesis root and needs no proof.
    #[error("the running proof has no steps")]
    NoSteps,
    /// The last step did not seal an epoch. Verifiers accept only sealed states.
    #[error("the running proof is inside an epoch")]
    InsideEpoch,
    /// The number of ops exceeds 64 bits.
    #[error("the state's number of ops exceeds 64 bits")]
    OpsOutOfRange,
    /// The running proof belongs to other parameters.
    #[error("running proof: expected parameters {wanted}, got {found}")]
    OtherParameters {
        /// The parameters given.
        wanted: ParameterId,
        /// The parameters of the running proof.
        found: ParameterId,
    },
    /// The Groth16 prover failed.
    #[error("the Groth16 prover failed: {0}")]
    Groth16(#[from] SynthesisError),
    /// The resulting proof does not verify, so the running proof is false.
    #[error("the running proof is false: {0}")]
    False(#[from] VerifyError),
}

/// Makes the proof for the state of `checkpoint`, and verifies it before returning it.
///
/// The last step is folded into a copy of the running instance; the checkpoint is unchanged. The
/// result is deterministic: the Groth16 proof is not blinded, since proofs need not hide anything.
///
/// # Errors
/// [`CompressError`].
pub fn compress(parameters: &Parameters, checkpoint: &Checkpoint) -> Result<Proof, CompressError> {
    let ops = check_state(parameters, checkpoint)?;
    let IvcProofParts(_, running, _, incoming, cyclefold_w, cyclefold) = &*checkpoint.proof;
    let carried = Carried::of(parameters, checkpoint);
    let folded = fold_primary(parameters, checkpoint, &carried);
    let proof = Proof {
        steps: checkpoint.steps,
        root: checkpoint.current[0],
        ops,
        running: running.clone(),
        incoming: incoming.clone(),
        cross_term: folded.cross_term.into_affine(),
        groth16: prove_folded(parameters, &folded)?,
        knowledge_w: msm(&parameters.bases.knowledge_w, &folded.witness.w).into_affine(),
        knowledge_e: msm(&parameters.bases.knowledge_e, &folded.witness.e).into_affine(),
        cyclefold: cyclefold.clone(),
        cyclefold_witness: cyclefold_w.w.clone(),
    };
    diagnose(&parameters.verifying, checkpoint.initial[0], &proof)?;
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

/// The Groth16 proof for `z = (1, x/u, W/u)`, without blinding: three multi-scalar multiplications.
/// The slack `E/u^2` is part of it only through the product `Az * Bz`; see [`crate::qap`].
fn prove_folded(
    parameters: &Parameters,
    folded: &PrimaryFold,
) -> Result<Groth16Proof, SynthesisError> {
    let PrimaryFold { witness, instance, products, .. } = folded;
    let inverse = instance.u.inverse().ok_or(SynthesisError::DivisionByZero)?;
    let assignment: Vec<F> = [F::one()]
        .into_par_iter()
        .chain(instance.x.par_iter().chain(&witness.w).map(|value| *value * inverse))
        .collect();
    let scaled = |matrix| parameters.rows.matrix(matrix, products).map(|value| value * inverse);
    let quotient = quotient(scaled(0).collect(), scaled(1).collect())?;
    let key = &parameters.bases.groth16;
    Ok(Groth16Proof {
        a: (msm(&key.a_query, &assignment) + key.vk.alpha_g1).into_affine(),
        b: (msm(&key.b_g2_query, &assignment) + key.vk.beta_g2).into_affine(),
        c: msm(&key.h_query, &quotient).into_affine(),
    })
}
