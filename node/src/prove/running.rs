//! The files of the running proof.
//!
//! A sealed epoch has a file whose name contains its steps and root. The record of the proved state in
//! the store decides which file is current. A seal writes the new file, then the record, then removes
//! the old file. So the current file exists whenever the process dies, and all others are stale.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{data_dir::DataDir, space::Proved};

/// The directory of the running proof.
#[derive(Debug)]
pub(super) struct Running {
    data_dir: DataDir,
    folder: PathBuf,
}

impl Running {
    /// The directory, which is created if it is missing.
    pub(super) fn new(data_dir: &DataDir) -> io::Result<Running> {
        let folder = data_dir.running();
        fs::create_dir_all(&folder)?;
        Ok(Running { data_dir: data_dir.clone(), folder })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of the running proof of a state.
    pub(super) fn path(&self, proved: &Proved) -> PathBuf {
        self.data_dir.running_proof(proved)
    }

    /// Removes all files but that of `proved`.
    pub(super) fn remove_stale(&self, proved: &Proved) -> io::Result<()> {
        let current = self.path(proved);
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.path() != current && entry.file_type()?.is_file() {
                tracing::debug!(file = %entry.path().display(), "removing a stale running proof");
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}
