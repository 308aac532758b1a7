//! The data folder of a node: its database and its running proof.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rootfold_core::space::Genesis;
use thiserror::Error;

use crate::{
    space::{Space, SpaceError},
    store::{RedbStore, Store, StoreError},
};

/// Why a data folder cannot be used.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// The folder cannot be made or read.
    #[error("the data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no database in it.
    #[error("there is no space in {}", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// Its space cannot be made or opened.
    #[error("the data folder {}: {source}", path.display())]
    Space {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: Box<SpaceError>,
    },
}

/// A data folder. It holds one space; other files in it are left alone.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
}

impl DataDir {
    /// The data folder at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> DataDir {
        DataDir { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its running proofs are.
    pub fn running(&self) -> PathBuf {
        self.path.join("running")
    }

    fn rocksdb(&self) -> PathBuf {
        self.path.join("db")
    }

    fn redb(&self) -> PathBuf {
        self.path.join("db.redb")
    }

    /// Whether it has a database. It may still be one in which a bootstrap did not finish.
    pub fn exists(&self) -> bool {
        self.rocksdb().is_dir() || self.redb().is_file()
    }

    /// Opens the database and makes it if there is none: RocksDB's where this program was built
    /// with the feature `rocksdb`, redb's otherwise.
    ///
    /// # Errors
    /// [`DataDirError`].
    pub fn store(&self) -> Result<Arc<dyn Store>, DataDirError> {
        fs::create_dir_all(&self.path).map_err(|source| self.refused(source))?;
        self.open_store().map_err(|e| self.space_refused(e.into()))
    }

    fn open_store(&self) -> Result<Arc<dyn Store>, StoreError> {
        let has_redb = self.redb().is_file();
        #[cfg(feature = "rocksdb")]
        if !has_redb {
            return Ok(Arc::new(crate::store::RocksStore::open(&self.rocksdb())?));
        }
        if !has_redb && self.rocksdb().is_dir() {
            return Err(StoreError::NotBuilt { path: self.rocksdb() });
        }
        Ok(Arc::new(RedbStore::open(&self.redb())?))
    }

    /// Makes a space in this folder.
    ///
    /// # Errors
    /// [`DataDirError`]; with [`SpaceError::Exists`] if it has one.
    pub fn create(&self, genesis: &Genesis) -> Result<Space, DataDirError> {
        Space::create(self.store()?, genesis).map_err(|e| self.space_refused(e))
    }

    /// Opens the space in this folder.
    ///
    /// # Errors
    /// [`DataDirError`]; with [`SpaceError::NoSpace`] if a bootstrap did not finish.
    pub fn open(&self) -> Result<Space, DataDirError> {
        if !self.exists() {
            return Err(DataDirError::Empty { path: self.path.clone() });
        }
        Space::open(self.store()?).map_err(|e| self.space_refused(e))
    }

    fn refused(&self, source: io::Error) -> DataDirError {
        DataDirError::Folder { path: self.path.clone(), source }
    }

    fn space_refused(&self, source: SpaceError) -> DataDirError {
        DataDirError::Space { path: self.path.clone(), source: Box::new(source) }
    }
}
