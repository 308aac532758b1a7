//! Backups of a data directory, while its node runs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rootfold_prover::atomic::folder_of;
use thiserror::Error;

use crate::{
    data_dir::DataDir,
    restored::Mark,
    space::Space,
    store::{Batch, ChecksummedStore, Column, Durability, RedbStore, Store, StoreError},
};

/// The bytes of records that are copied at a time.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What the data directory has besides database, running proof and mark.
const COPIED: [&str; 2] = ["keys", "peers"];

/// Why a backup was not made. Nothing is left where it was to be.
#[derive(Debug, Error)]
pub enum BackupError {
    /// Something is there already.
    #[error("{} exists: a backup needs a new directory", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("backup to {}: {source}", path.display())]
    File {
        /// The directory of the backup.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// A record cannot be read or written.
    #[error("backup: {0}")]
    Store(#[from] StoreError),
}

/// What a backup has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// The number of records of the database.
    pub records: u64,
    /// The bytes of all files.
    pub bytes: u64,
}

/// Copies a space with all that its data directory holds, keys included, into a new directory, in the store
/// redb. Every record is checked as it is read. Changes of the space wait until the database is copied;
/// reads do not.
///
/// # Errors
/// [`BackupError`].
pub fn backup(space: &Space, data_dir: &DataDir, to: &Path) -> Result<Backup, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists { path: to.to_owned() });
    }
    let refused = |source| BackupError::File { path: to.to_owned(), source };
    let above = folder_of(to);
    // Readable by its owner only. The name is given at the end, so a backup is whole.
    let aside = tempfile::Builder::new().prefix(".tmp").tempdir_in(above).map_err(refused)?;
    let made = DataDir::new(aside.path());
    let records = {
        // The running proof belongs to the state of the same moment.
        let _change = space.begin_change();
        let records = copy_records(space.store(), &made)?;
        copy(&data_dir.running(), &made.running()).map_err(refused)?;
        records
    };
    for name in COPIED {
        copy(&data_dir.path().join(name), &aside.path().join(name)).map_err(refused)?;
    }
    // A mark of another file: whoever restores the backup is warned before they sign.
    Mark::of(data_dir).copy_to(&made).map_err(refused)?;
    let bytes = made.bytes().map_err(refused)?;
    let aside = aside.keep();
    fs::rename(&aside, to).map_err(|source| {
        let _ = fs::remove_dir_all(&aside);
        refused(source)
    })?;
    fs::File::open(above).and_then(|above| above.sync_all()).map_err(refused)?;
    Ok(Backup { records, bytes })
}

fn copy_records(from: &dyn Store, to: &DataDir) -> Result<u64, StoreError> {
    let to = ChecksummedStore::new(RedbStore::open(&to.redb())?);
    let (mut batch, mut size, mut records) = (Batch::new(), 0, 0);
    for column in Column::ALL {
        let mut failed = Ok(());
        from.scan(column, &[], &mut |key, value| {
            batch.put(column, key, value);
            (size, records) = (size + key.len() + value.len(), records + 1);
            if size >= BATCH_BYTES {
                size = 0;
                failed = to.write(std::mem::take(&mut batch), Durability::Synced);
            }
            failed.is_ok()
        })?;
        failed?;
    }
    to.write(batch, Durability::Synced)?;
    Ok(records)
}

/// Copies a file, or a folder with all that it has, and the modes. `from` need not exist.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let held = match fs::metadata(from) {
        Ok(held) => held,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    if !held.is_dir() {
        fs::copy(from, to)?;
        return fs::File::open(to)?.sync_all();
    }
    fs::create_dir(to)?;
    fs::set_permissions(to, held.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
