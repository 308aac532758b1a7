//! The targets of snapshots: the header and the file.

use rootfold_light::{
    snapshot::{Snapshot, SnapshotHeader},
    verify::{verify, VerifyError},
};

use crate::{
    honest::{self, invite, resolve, verifying_key},
    Verdict,
};

/// [`SnapshotHeader::from_bytes`].
///
/// Every decoded header has one encoding. Only the honest header is accepted.
pub fn header(bytes: &[u8]) -> Verdict {
    let Ok(header) = SnapshotHeader::from_bytes(bytes) else { return Verdict::Refused };
    assert_eq!(header.to_bytes(), bytes, "a header has one encoding");
    Verdict::of(header == honest::header())
}

/// [`Snapshot::from_bytes`] and [`verify`] with the honest invite. The proof `honest` is replaced
/// by the honest proof.
///
/// Every decoded snapshot has one encoding. An accepted snapshot has the honest header, or it is
/// genesis, which has no proof.
pub fn file(bytes: &[u8]) -> Verdict {
    let Ok(snapshot) = Snapshot::from_bytes(bytes) else { return Verdict::Refused };
    assert_eq!(snapshot.to_bytes(), bytes, "a snapshot has one encoding");
    accepted(resolve(snapshot))
}

/// Verifies a snapshot, and asserts that an accepted one is honest or genesis.
pub(crate) fn accepted(snapshot: Snapshot) -> Verdict {
    match verify(&snapshot, &invite(), Some(verifying_key())) {
        Ok(_) => {
            let genesis = snapshot.header.is_genesis() && snapshot.proof.is_empty();
            assert!(genesis || snapshot.header == honest::header(), "a false snapshot is accepted");
            Verdict::Accepted
        }
        Err(VerifyError::Proof(rootfold_verifier::VerifyError::Panicked)) => {
            panic!("the verifier panicked")
        }
        Err(_) => Verdict::Refused,
    }
}
