//! Checking a snapshot against an invite.

use std::{
    panic::{catch_unwind, AssertUnwindSafe},
    time::{Duration, Instant},
};

use rootfold_core::{field, space::Invite, F};
use rootfold_verifier::{verify_bytes, PreparedVerifyingKey, Verified};
use thiserror::Error;

use crate::snapshot::{Snapshot, SnapshotHeader};

/// Why a snapshot is refused.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// It is about another space.
    #[error("the snapshot is of space {actual}, not {expected}")]
    OtherSpace {
        /// The space of the invite.
        expected: String,
        /// The space of the snapshot.
        actual: String,
    },
    /// Its proof belongs to other parameters.
    #[error("the snapshot was proved with parameters {actual}, not {expected}")]
    OtherParameters {
        /// The parameters of the invite.
        expected: String,
        /// The parameters of the snapshot.
        actual: String,
    },
    /// The verifying key at hand belongs to other parameters.
    #[error("the verifying key belongs to parameters {actual}, not {expected}")]
    OtherKey {
        /// The parameters of the invite.
        expected: String,
        /// The parameters of the key.
        actual: String,
    },
    /// A header without steps that claims something nevertheless.
    #[error("the snapshot claims {ops} ops without a step to prove them")]
    NothingProved {
        /// The ops that it claims.
        ops: u64,
    },
    /// There is no verifying key to check it with.
    #[error("there is no verifying key for parameters {parameters}")]
    NoKey {
        /// The parameters of the invite.
        parameters: String,
    },
    /// The proof does not hold.
    #[error("the proof is refused: {0}")]
    Proof(#[from] rootfold_verifier::VerifyError),
    /// The proof made the verifier panic, which no honest proof does.
    #[error("the proof is refused: checking it panicked")]
    Panicked,
    /// The proof is about something else than the header.
    #[error("the header claims {claimed}, the proof shows {proved}")]
    OtherStatement {
        /// What the header claims.
        claimed: String,
        /// What the proof is about.
        proved: String,
    },
}

/// Checks that `snapshot` is what the invite is about and that its proof holds; says how long the
/// proof took.
///
/// # Errors
/// [`VerifyError`] with the first check that fails.
pub fn verify(
    snapshot: &Snapshot,
    invite: &Invite,
    key: Option<&PreparedVerifyingKey>,
) -> Result<Duration, VerifyError> {
    let began = Instant::now();
    let header = &snapshot.header;
    if header.space != invite.space {
        let hex = |x: &F| field::to_hex(x);
        let (expected, actual) = (hex(&invite.space), hex(&header.space));
        return Err(VerifyError::OtherSpace { expected, actual });
    }
    if header.is_genesis() && snapshot.proof.is_empty() {
        // The invite itself says that this is the space's first root.
        return Ok(began.elapsed());
    }
    if header.steps == 0 {
        return Err(VerifyError::NothingProved { ops: header.ops });
    }
    let expected = hex::encode(invite.parameters);
    if header.parameters != invite.parameters {
        let actual = hex::encode(header.parameters);
        return Err(VerifyError::OtherParameters { expected, actual });
    }
    let key = key.ok_or(VerifyError::NoKey { parameters: expected.clone() })?;
    if key.id().0 != invite.parameters {
        return Err(VerifyError::OtherKey { expected, actual: key.id().to_string() });
    }
    // Nothing below is meant to panic on any bytes; should it, that is a refusal too.
    let checked =
        catch_unwind(AssertUnwindSafe(|| verify_bytes(key, invite.space, &snapshot.proof)));
    let verified = checked.map_err(|_| VerifyError::Panicked)??;
    compare(header, &verified)?;
    Ok(began.elapsed())
}

fn compare(header: &SnapshotHeader, verified: &Verified) -> Result<(), VerifyError> {
    let Verified { root, ops, steps } = *verified;
    let proved = SnapshotHeader { root, ops, steps, ..*header };
    if proved == *header {
        return Ok(());
    }
    Err(VerifyError::OtherStatement { claimed: header.to_string(), proved: proved.to_string() })
}
