//! The files of the running proof.
//!
//! One file for each sealed epoch, named by its steps and root. The record of the proved state in
//! the store says which one counts; it is written after the file and before the file of the epoch
//! before is removed. So whenever the process dies, the file that counts is there, and whatever
//! else is there is stale.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rootfold_core::field;

use crate::space::Proved;

/// The folder of the running proof.
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

    /// Where the running proof of a state is.
    pub(super) fn path(&self, proved: &Proved) -> PathBuf {
        self.folder.join(file_name(proved))
    }

    /// Removes everything but the file of `proved`.
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
