//! Snapshots: what is claimed about a space, and the proof of it. One file, or one message.

use std::{
    io,
    path::{Path, PathBuf},
};

use rootfold_core::{field, F};
use thiserror::Error;

use crate::{
    atomic_file::{self, Access},
    store::records::Reader,
};

/// The largest proof that is read or sent, in bytes. A real one has about 50,000.
pub const MAX_PROOF_BYTES: usize = 256 * 1024;

/// First bytes of a snapshot's file.
const MAGIC: &[u8; 8] = b"RFSNAP\0\x01";
const HEADER_BYTES: usize = 32 + 32 + 32 + 8 + 8;

/// What a snapshot claims: `root` is the fold of `ops` ops of `space`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// The space: its genesis root.
    pub space: F,
    /// The id of the parameters that the proof belongs to.
    pub parameters: [u8; 32],
    /// The root of the tree.
    pub root: F,
    /// The number of ops folded into it, since genesis.
    pub ops: u64,
    /// The number of steps that the proof covers.
    pub steps: u64,
}

/// A claim and its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The claim.
    pub header: SnapshotHeader,
    /// The proof file.
    pub proof: Vec<u8>,
}

/// Why bytes are not a snapshot.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// They do not begin as one.
    #[error("not a snapshot file")]
    NotASnapshot,
    /// Cut, or something follows.
    #[error("a snapshot that announces a proof of {announced} bytes and holds {held}")]
    Length {
        /// The length that the file announces.
        announced: u64,
        /// The bytes that are there.
        held: u64,
    },
    /// Cut inside the header, or a number that is no field element.
    #[error("the header of the snapshot is damaged")]
    Header,
    /// The proof is longer than any.
    #[error("a proof of {length} bytes, the limit is {MAX_PROOF_BYTES}")]
    ProofTooLong {
        /// Its length.
        length: u64,
    },
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl SnapshotHeader {
    /// Encodes as space, parameters, root, ops, steps.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = field::to_bytes(&self.space).to_vec();
        out.extend_from_slice(&self.parameters);
        out.extend_from_slice(&field::to_bytes(&self.root));
        out.extend_from_slice(&self.ops.to_be_bytes());
        out.extend_from_slice(&self.steps.to_be_bytes());
        out
    }

    /// Decodes what [`SnapshotHeader::to_bytes`] made.
    ///
    /// # Errors
    /// [`SnapshotError::Header`].
    pub fn from_bytes(bytes: &[u8]) -> Result<SnapshotHeader, SnapshotError> {
        let mut reader = Reader(bytes);
        let mut parse = || {
            Some(SnapshotHeader {
                space: reader.field()?,
                parameters: reader.array()?,
                root: reader.field()?,
                ops: reader.u64()?,
                steps: reader.u64()?,
            })
        };
        let header = parse();
        header.filter(|_| reader.end().is_some()).ok_or(SnapshotError::Header)
    }
}

impl Snapshot {
    /// Encodes as the file that [`Snapshot::from_bytes`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.header.to_bytes());
        out.extend_from_slice(&(self.proof.len() as u32).to_be_bytes());
        out.extend_from_slice(&self.proof);
        out
    }

    /// Decodes a snapshot. Nothing in it is checked but its form.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
        let rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(SnapshotError::NotASnapshot)?;
        let (header, rest) =
            rest.split_first_chunk::<HEADER_BYTES>().ok_or(SnapshotError::Header)?;
        let header = SnapshotHeader::from_bytes(header)?;
        let mut reader = Reader(rest);
        let announced = u64::from(reader.u32().ok_or(SnapshotError::Header)?);
        let held = reader.0.len() as u64;
        if announced > MAX_PROOF_BYTES as u64 {
            return Err(SnapshotError::ProofTooLong { length: announced });
        }
        if announced != held {
            return Err(SnapshotError::Length { announced, held });
        }
        Ok(Snapshot { header, proof: reader.0.to_vec() })
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// [`SnapshotError::File`].
    pub fn write_file(&self, path: &Path) -> Result<(), SnapshotError> {
        atomic_file::write(path, &self.to_bytes(), Access::Everybody)
            .map_err(|source| SnapshotError::File { path: path.to_path_buf(), source })
    }

    /// Reads a file of bounded length.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn read_file(path: &Path) -> Result<Snapshot, SnapshotError> {
        let limit = (MAGIC.len() + HEADER_BYTES + 4 + MAX_PROOF_BYTES) as u64;
        let bytes = atomic_file::read_bounded(path, limit)
            .map_err(|source| SnapshotError::File { path: path.to_path_buf(), source })?;
        Snapshot::from_bytes(&bytes)
    }
}
