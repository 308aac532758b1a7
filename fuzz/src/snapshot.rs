//! Snapshots: the header, and the file that one hands to another.

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
/// One encoding.
pub fn header(bytes: &[u8]) -> Verdict {
    let Ok(header) = SnapshotHeader::from_bytes(bytes) else { return Verdict::Refused };
    assert_eq!(header.to_bytes(), bytes, "a header has one encoding");
    Verdict::of(header == honest::header())
}

/// [`Snapshot::from_bytes`] and [`verify`] against the honest invite. A proof of the word
/// `honest` stands for the honest one.
///
/// One encoding; what is accepted is the honest header, or genesis, which needs no proof.
pub fn file(bytes: &[u8]) -> Verdict {
    let Ok(snapshot) = Snapshot::from_bytes(bytes) else { return Verdict::Refused };
    assert_eq!(snapshot.to_bytes(), bytes, "a snapshot has one encoding");
    accepted(resolve(snapshot))
}

/// Whether a snapshot verifies.
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
