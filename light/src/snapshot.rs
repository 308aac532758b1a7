//! Snapshots: a claim about a space, and the proof of the claim.

use std::fmt;

use rootfold_core::{
    field::{self, FIELD_BYTES},
    F,
};
use rootfold_verifier::ParameterId;
use thiserror::Error;

/// The limit of a proof, in bytes. Proofs of all existing profiles have 44,281.
pub const MAX_PROOF_BYTES: usize = 256 * 1024;
/// The length of an encoded header, in bytes.
pub const HEADER_BYTES: usize = FIELD_BYTES + 32 + FIELD_BYTES + 8 + 8;
/// The length of the longest encoded snapshot, in bytes.
pub const MAX_SNAPSHOT_BYTES: usize = MAGIC.len() + HEADER_BYTES + 4 + MAX_PROOF_BYTES;

/// The first bytes of an encoded snapshot; the last of them is the version.
const MAGIC: &[u8; 8] = b"RFSNAP\0\x01";
/// The version of an encoded snapshot.
pub const SNAPSHOT_VERSION: u8 = MAGIC[7];
/// In a genesis header, which no proof belongs to.
const NO_PARAMETERS: ParameterId = ParameterId([0; 32]);

/// The claim of a snapshot: `root` is the fold of `ops` ops of `space`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// The space's id: its genesis root.
    pub space: F,
    /// The parameters of the proof.
    pub parameters: ParameterId,
    /// The root of the tree.
    pub root: F,
    /// The number of ops folded since genesis.
    pub ops: u64,
    /// The number of steps that the proof covers.
    pub steps: u64,
}

/// A claim and its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The claim.
    pub header: SnapshotHeader,
    /// The encoded proof; empty for genesis.
    pub proof: Vec<u8>,
}

/// Why bytes are not a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// The first bytes are not those of a snapshot of this version.
    #[error("not a snapshot file of version 1")]
    NotASnapshot,
    /// Truncated, or followed by other bytes.
    #[error("snapshot file: expected a proof of {announced} bytes, got {held}")]
    Length {
        /// The length that the file states.
        announced: u64,
        /// The number of bytes after the header.
        held: u64,
    },
    /// The header is truncated or too long, or a number in it is not a field element.
    #[error("damaged snapshot header")]
    Header,
    /// The proof exceeds [`MAX_PROOF_BYTES`].
    #[error("proof of {length} bytes, the limit is {MAX_PROOF_BYTES}")]
    ProofTooLong {
        /// The length in bytes.
        length: u64,
    },
}

impl SnapshotHeader {
    /// The claim that needs no proof: the root of a space without ops is its id. The parameter id
    /// is zero.
    pub fn genesis(space: F) -> SnapshotHeader {
        SnapshotHeader { space, parameters: NO_PARAMETERS, root: space, ops: 0, steps: 0 }
    }

    /// Whether this is [`SnapshotHeader::genesis`] of its space.
    pub fn is_genesis(&self) -> bool {
        *self == SnapshotHeader::genesis(self.space)
    }

    /// Encodes space, parameters, root, ops and steps: [`HEADER_BYTES`] bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = field::to_bytes(&self.space).to_vec();
        out.extend_from_slice(&self.parameters.0);
        out.extend_from_slice(&field::to_bytes(&self.root));
        out.extend_from_slice(&self.ops.to_be_bytes());
        out.extend_from_slice(&self.steps.to_be_bytes());
        out
    }

    /// Decodes the output of [`SnapshotHeader::to_bytes`].
    ///
    /// # Errors
    /// [`SnapshotError::Header`].
    pub fn from_bytes(bytes: &[u8]) -> Result<SnapshotHeader, SnapshotError> {
        let rest = &mut &*bytes;
        let header = SnapshotHeader {
            space: take_field(rest)?,
            parameters: ParameterId(take(rest)?),
            root: take_field(rest)?,
            ops: u64::from_be_bytes(take(rest)?),
            steps: u64::from_be_bytes(take(rest)?),
        };
        if rest.is_empty() {
            Ok(header)
        } else {
            Err(SnapshotError::Header)
        }
    }
}

impl fmt::Display for SnapshotHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = field::to_hex(&self.root);
        write!(f, "root {root} after {} ops and {} steps", self.ops, self.steps)
    }
}

impl Snapshot {
    /// Encodes the snapshot: magic bytes, header, length of the proof (32 bits), proof.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.header.to_bytes());
        out.extend_from_slice(&(self.proof.len() as u32).to_be_bytes());
        out.extend_from_slice(&self.proof);
        out
    }

    /// Decodes the output of [`Snapshot::to_bytes`]. The claim is not verified.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
        let rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(SnapshotError::NotASnapshot)?;
        let (header, mut rest) =
            rest.split_first_chunk::<HEADER_BYTES>().ok_or(SnapshotError::Header)?;
        let header = SnapshotHeader::from_bytes(header)?;
        let announced = u64::from(u32::from_be_bytes(take(&mut rest)?));
        let held = rest.len() as u64;
        if announced > MAX_PROOF_BYTES as u64 {
            return Err(SnapshotError::ProofTooLong { length: announced });
        }
        if announced != held {
            return Err(SnapshotError::Length { announced, held });
        }
        Ok(Snapshot { header, proof: rest.to_vec() })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], SnapshotError> {
    let (first, rest) = bytes.split_first_chunk::<N>().ok_or(SnapshotError::Header)?;
    *bytes = rest;
    Ok(*first)
}

fn take_field(bytes: &mut &[u8]) -> Result<F, SnapshotError> {
    field::from_bytes(&take(bytes)?).map_err(|_| SnapshotError::Header)
}
