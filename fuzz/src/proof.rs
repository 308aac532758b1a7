//! Proofs.

use rootfold_verifier::{verify, Proof, Verified, VerifyError};

use crate::{
    honest::{header, verifying_key, PROOF},
    Verdict,
};

/// [`Proof::decode`] and [`verify`].
///
/// One encoding; what is accepted is the honest proof of the honest statement.
pub fn target(bytes: &[u8]) -> Verdict {
    let key = verifying_key();
    let Ok(proof) = Proof::decode(bytes, key.cyclefold()) else { return Verdict::Refused };
    assert_eq!(proof.encode(), bytes, "a proof has one encoding");
    let Some(verified) = verified(&proof) else { return Verdict::Refused };
    assert_statement(&verified);
    assert_proof(&proof);
    Verdict::Accepted
}

/// The verifier's answer, `None` for a refusal.
///
/// # Panics
/// If the verifier panicked, which it reports as a refusal.
pub(crate) fn verified(proof: &Proof) -> Option<Verified> {
    let verified = verify(verifying_key(), header().space, proof);
    assert_ne!(verified, Err(VerifyError::Panicked), "the verifier panicked");
    verified.ok()
}

/// Asserts that a verified statement is the honest one.
pub(crate) fn assert_statement(verified: &Verified) {
    let header = header();
    let honest = Verified { root: header.root, ops: header.ops, steps: header.steps };
    assert_eq!(*verified, honest, "a false statement is proved");
}

/// Asserts that an accepted proof is the honest one, up to what anybody can do to a Groth16 proof:
/// `(r A, B / r, C)` proves what `(A, B, C)` proves.
pub(crate) fn assert_proof(proof: &Proof) {
    let mut honest = Proof::decode(PROOF, verifying_key().cyclefold()).expect("it decodes");
    (honest.groth16.a, honest.groth16.b) = (proof.groth16.a, proof.groth16.b);
    assert_eq!(*proof, honest, "another proof of the statement");
}
