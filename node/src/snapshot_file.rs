//! Snapshots as files.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use rootfold_light::snapshot::{Snapshot, SnapshotError, MAX_SNAPSHOT_BYTES};
use rootfold_prover::atomic::publish_atomically;
use thiserror::Error;

/// Why a snapshot cannot be read from a file.
#[derive(Debug, Error)]
pub enum SnapshotFileError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// The file does not hold a snapshot.
    #[error("{}: {source}", path.display())]
    Snapshot {
        /// The path of the file.
        path: PathBuf,
        /// What is wrong.
        source: SnapshotError,
    },
}

/// Writes a snapshot file atomically.
///
/// # Errors
/// Any I/O error; then `path` is unchanged.
pub fn write(path: &Path, snapshot: &Snapshot) -> io::Result<()> {
    publish_atomically(path, &[&snapshot.to_bytes()])
}

/// Reads a snapshot file. Reads at most one byte more than the longest snapshot has.
///
/// # Errors
/// [`SnapshotFileError`].
pub fn read(path: &Path) -> Result<Snapshot, SnapshotFileError> {
    let mut bytes = Vec::new();
    let file = File::open(path);
    file.and_then(|file| file.take(MAX_SNAPSHOT_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|source| SnapshotFileError::File { path: path.to_path_buf(), source })?;
    Snapshot::from_bytes(&bytes)
        .map_err(|source| SnapshotFileError::Snapshot { path: path.to_path_buf(), source })
}
