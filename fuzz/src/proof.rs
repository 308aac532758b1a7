//! The target of proofs.

use rootfold_verifier::{verify, Proof, Verified, VerifyError};

use crate::{
    honest::{header, verifying_key, PROOF},
    Verdict,
};

/// [`Proof::decode`] and [`verify`].
///
/// Every decoded proof has one encoding. An accepted proof is the honest proof, up to the
/// malleability of Groth16, and proves the honest statement.
pub fn target(bytes: &[u8]) -> Verdict {
    let key = verifying_key();
    let Ok(proof) = Proof::decode(bytes, key.cyclefold()) else { return Verdict::Refused };
    assert_eq!(proof.encode(), bytes, "a proof has one encoding");
    let Some(verified) = verified(&proof) else { return Verdict::Refused };
    assert_statement(&verified);
    assert_proof(&proof);
    Verdict::Accepted
}

/// The statement that the verifier accepts, or `None` if it refuses the proof.
///
/// # Panics
/// If the verifier panicked. It catches the panic and returns an error.
pub(crate) fn verified(proof: &Proof) -> Option<Verified> {
    let verified = verify(verifying_key(), header().space, proof);
    assert_ne!(verified, Err(VerifyError::Panicked), "the verifier panicked");
    verified.ok()
}

/// Asserts that a verified statement is the honest statement.
pub(crate) fn assert_statement(verified: &Verified) {
    let header = header();
    let honest = Verified { root: header.root, ops: header.ops, steps: header.steps };
    assert_eq!(*verified, honest, "the verifier accepts a false statement");
}

/// Asserts that an accepted proof is the honest proof, up to the malleability of Groth16: for any
/// nonzero r, `(r A, B / r, C)` proves the same statement as `(A, B, C)`.
pub(crate) fn assert_proof(proof: &Proof) {
    let mut honest = Proof::decode(PROOF, verifying_key().cyclefold()).expect("it decodes");
    (honest.groth16.a, honest.groth16.b) = (proof.groth16.a, proof.groth16.b);
    assert_eq!(*proof, honest, "the verifier accepts a proof that is not the honest one");
}
