//! The data directory of a node: its database and its running proof.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rootfold_core::{field, space::Genesis};
use thiserror::Error;

use crate::{
    private_file,
    space::{Proved, Space, SpaceError},
    store::{ChecksummedStore, HealingStore, RedbStore, Store, StoreError},
};

/// How long another process is waited for. The lock of a killed process can outlive it for a moment: a
/// child that it was about to start holds it until it runs its own program.
const WAIT_FOR_LOCK: Duration = Duration::from_secs(3);

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// The directory cannot be created.
    #[error("data directory {}: {source}", path.display())]
    Create {
        /// The directory.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// The directory has no database.
    #[error("no space in {}: create one with `space new`, `bootstrap` or `replay`", path.display())]
    Empty {
        /// The directory.
        path: PathBuf,
    },
    /// The space cannot be created or opened.
    #[error("data directory {}: {source}", path.display())]
    Space {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        source: Box<SpaceError>,
    },
}

impl DataDirError {
    /// Whether a space can be created in the directory: it has no database, or an empty one.
    pub fn is_unused(&self) -> bool {
        match self {
            DataDirError::Empty { .. } => true,
            DataDirError::Space { source, .. } => matches!(**source, SpaceError::NoSpace),
            DataDirError::Create { .. } => false,
        }
    }

    /// Whether a bootstrap into the directory was cut off.
    pub fn is_cut_off(&self) -> bool {
        matches!(self, DataDirError::Space { source, .. }
            if matches!(**source, SpaceError::CutOff { .. }))
    }
}

/// A data directory. It holds one space; other files in it are ignored.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
}

impl DataDir {
    /// The data directory at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> DataDir {
        DataDir { path: path.into() }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of the running proof.
    pub fn running(&self) -> PathBuf {
        self.path.join("running")
    }

    /// The file of the running proof of a state.
    pub(crate) fn running_proof(&self, proved: &Proved) -> PathBuf {
        let name = format!("{:012}-{}.running", proved.steps, field::to_hex(&proved.root));
        self.running().join(name)
    }

    /// The file of the remembered peers.
    pub(crate) fn peers(&self) -> PathBuf {
        self.path.join("peers")
    }

    /// The bytes of all files in the directory.
    ///
    /// # Errors
    /// Any I/O error except that a file has vanished.
    pub fn bytes(&self) -> io::Result<u64> {
        fn below(folder: &Path) -> io::Result<u64> {
            let mut bytes = 0;
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                bytes += match entry.metadata() {
                    Ok(held) if held.is_dir() => below(&entry.path())?,
                    Ok(held) => held.len(),
                    Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
                    Err(e) => return Err(e),
                };
            }
            Ok(bytes)
        }
        below(&self.path)
    }

    /// The file of the peers that were found through others.
    pub(crate) fn found_peers(&self) -> PathBuf {
        self.path.join("found-peers")
    }

    fn rocksdb(&self) -> PathBuf {
        self.path.join("db")
    }

    pub(crate) fn redb(&self) -> PathBuf {
        self.path.join("db.redb")
    }

    /// Whether it has a database, which may be that of an unfinished bootstrap.
    pub fn exists(&self) -> bool {
        self.rocksdb().is_dir() || self.redb().is_file()
    }

    /// Opens the database. If there is none, creates one: RocksDB with the feature `rocksdb`,
    /// otherwise redb. Waits up to 3 s for another process that has it open.
    ///
    /// # Errors
    /// [`DataDirError`].
    pub fn store(&self) -> Result<Arc<dyn Store>, DataDirError> {
        private_file::create_folder(&self.path).map_err(|source| self.refused(source))?;
        let began = Instant::now();
        loop {
            match self.open_store() {
                Err(StoreError::InUse { .. }) if began.elapsed() < WAIT_FOR_LOCK => {
                    thread::sleep(Duration::from_millis(50));
                }
                opened => return opened.map_err(|e| self.space_refused(e.into())),
            }
        }
    }

    fn open_store(&self) -> Result<Arc<dyn Store>, StoreError> {
        let has_redb = self.redb().is_file();
        #[cfg(feature = "rocksdb")]
        if !has_redb {
            let path = self.rocksdb();
            let open = move || Ok(ChecksummedStore::new(crate::store::RocksStore::open(&path)?));
            return Ok(Arc::new(HealingStore::new(Box::new(open))?));
        }
        if !has_redb && self.rocksdb().is_dir() {
            return Err(StoreError::NotBuilt { path: self.rocksdb() });
        }
        let path = self.redb();
        let open = move || Ok(ChecksummedStore::new(RedbStore::open(&path)?));
        Ok(Arc::new(HealingStore::new(Box::new(open))?))
    }

    /// Creates a space in this directory.
    ///
    /// # Errors
    /// [`DataDirError`], with [`SpaceError::Exists`] if it has a space.
    pub fn create(&self, genesis: &Genesis) -> Result<Space, DataDirError> {
        Space::create(self.store()?, genesis).map_err(|e| self.space_refused(e))
    }

    /// Opens the space in this directory.
    ///
    /// # Errors
    /// [`DataDirError`], with [`SpaceError::CutOff`] after an unfinished bootstrap.
    pub fn open(&self) -> Result<Space, DataDirError> {
        if !self.exists() {
            return Err(DataDirError::Empty { path: self.path.clone() });
        }
        Space::open(self.store()?).map_err(|e| self.space_refused(e))
    }

    fn refused(&self, source: io::Error) -> DataDirError {
        DataDirError::Create { path: self.path.clone(), source }
    }

    fn space_refused(&self, source: SpaceError) -> DataDirError {
        DataDirError::Space { path: self.path.clone(), source: Box::new(source) }
    }
}
