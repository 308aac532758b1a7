//! The files of the running proof.
//!
//! A sealed epoch has a file whose name contains its steps and root. The record of the proved state in
//! the store decides which file is current. A seal writes the new file, then the record, then removes
//! the old file. So the current file exists whenever the process dies, and all others are stale.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rootfold_core::field;

use crate::space::Proved;

/// The directory of the running proof.
#[derive(Debug)]
pub(super) struct Running {
    folder: PathBuf,
}

impl Running {
    pub(super) fn new(folder: PathBuf) -> io::Result<Running> {
        fs::create_dir_all(&folder)?;
        Ok(Running { folder })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of the running proof of a state.
    pub(super) fn path(&self, proved: &Proved) -> PathBuf {
        self.folder.join(file_name(proved))
    }

    /// Removes all files but that of `proved`.
    pub(super) fn remove_stale(&self, proved: &Proved) -> io::Result<()> {
        let current = file_name(proved);
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name() != current.as_str() && entry.file_type()?.is_file() {
                tracing::debug!(file = %entry.path().display(), "removing a stale running proof");
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn file_name(proved: &Proved) -> String {
    format!("{:012}-{}.running", proved.steps, field::to_hex(&proved.root))
}
