//! Verification of a snapshot against an invite.

use rootfold_core::{field, F};
use rootfold_verifier::{verify_bytes, ParameterId, PreparedVerifyingKey, Verified};
use thiserror::Error;

use crate::{
    invite::Invite,
    snapshot::{Snapshot, SnapshotHeader},
};

/// Why a snapshot is refused.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The snapshot is of another space.
    #[error("snapshot of space {actual}, expected {expected}")]
    OtherSpace {
        /// The space of the invite, in hexadecimal.
        expected: String,
        /// The space of the snapshot, in hexadecimal.
        actual: String,
    },
    /// The proof belongs to other parameters.
    #[error("snapshot proved with parameters {actual}, expected {expected}")]
    OtherParameters {
        /// The parameters of the invite.
        expected: ParameterId,
        /// The parameters of the snapshot.
        actual: ParameterId,
    },
    /// The verifying key belongs to other parameters.
    #[error("verifying key of parameters {actual}, expected {expected}")]
    OtherKey {
        /// The parameters of the invite.
        expected: ParameterId,
        /// The parameters of the key.
        actual: ParameterId,
    },
    /// A header without steps that is not [`SnapshotHeader::genesis`], or genesis with a proof.
    #[error("a snapshot without steps must be genesis without a proof (it claims {ops} ops)")]
    NothingProved {
        /// The number of ops that it claims.
        ops: u64,
    },
    /// No verifying key was given, and the snapshot is not genesis.
    #[error("no verifying key for parameters {parameters}")]
    NoKey {
        /// The parameters of the invite.
        parameters: ParameterId,
    },
    /// The proof is not valid.
    #[error("proof refused: {0}")]
    Proof(#[from] rootfold_verifier::VerifyError),
    /// The proof is valid, but for another statement than the header.
    #[error("the header claims {claimed}, the proof shows {proved}")]
    OtherStatement {
        /// The claim of the header.
        claimed: String,
        /// The statement of the proof.
        proved: String,
    },
}

/// Checks that `snapshot` is of the space and parameters of `invite` and that its proof is valid
/// for its header. Genesis without a proof is accepted: the invite names the root.
///
/// Takes milliseconds to tens of milliseconds, for any number of ops.
///
/// # Errors
/// [`VerifyError`] with the first check that fails.
pub fn verify(
    snapshot: &Snapshot,
    invite: &Invite,
    key: Option<&PreparedVerifyingKey>,
) -> Result<(), VerifyError> {
    let header = &snapshot.header;
    if header.space != invite.space {
        let hex = |x: &F| field::to_hex(x);
        let (expected, actual) = (hex(&invite.space), hex(&header.space));
        return Err(VerifyError::OtherSpace { expected, actual });
    }
    if header.is_genesis() && snapshot.proof.is_empty() {
        return Ok(());
    }
    if header.steps == 0 {
        return Err(VerifyError::NothingProved { ops: header.ops });
    }
    let expected = invite.parameters;
    if header.parameters != expected {
        return Err(VerifyError::OtherParameters { expected, actual: header.parameters });
    }
    let key = key.ok_or(VerifyError::NoKey { parameters: expected })?;
    if key.id() != expected {
        return Err(VerifyError::OtherKey { expected, actual: key.id() });
    }
    let verified = verify_bytes(key, invite.space, &snapshot.proof)?;
    compare(header, &verified)
}

fn compare(header: &SnapshotHeader, verified: &Verified) -> Result<(), VerifyError> {
    let Verified { root, ops, steps } = *verified;
    let proved = SnapshotHeader { root, ops, steps, ..*header };
    if proved == *header {
        return Ok(());
    }
    Err(VerifyError::OtherStatement { claimed: header.to_string(), proved: proved.to_string() })
}
