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
    store::{RocksStore, Store},
};

/// Why a data folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
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
pub struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// The data folder at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> DataFolder {
        DataFolder { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its running proofs are.
    pub fn running(&self) -> PathBuf {
        self.path.join("running")
    }

    fn db(&self) -> PathBuf {
        self.path.join("db")
    }

    /// Whether it has a database. It may still be one in which a bootstrap did not finish.
    pub fn exists(&self) -> bool {
        self.db().is_dir()
    }

    /// Opens the database and makes it if there is none.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn store(&self) -> Result<Arc<dyn Store>, FolderError> {
        fs::create_dir_all(&self.path).map_err(|source| self.refused(source))?;
        let store = RocksStore::open(&self.db()).map_err(|e| self.space_refused(e.into()))?;
        Ok(Arc::new(store))
    }

    /// Makes a space in this folder.
    ///
    /// # Errors
    /// [`FolderError`]; with [`SpaceError::Exists`] if it has one.
    pub fn create(&self, genesis: &Genesis) -> Result<Space, FolderError> {
        Space::create(self.store()?, genesis).map_err(|e| self.space_refused(e))
    }

    /// Opens the space in this folder.
    ///
    /// # Errors
    /// [`FolderError`]; with [`SpaceError::NoSpace`] if a bootstrap did not finish.
    pub fn open(&self) -> Result<Space, FolderError> {
        if !self.exists() {
            return Err(FolderError::Empty { path: self.path.clone() });
        }
        Space::open(self.store()?).map_err(|e| self.space_refused(e))
    }

    fn refused(&self, source: io::Error) -> FolderError {
        FolderError::Folder { path: self.path.clone(), source }
    }

    fn space_refused(&self, source: SpaceError) -> FolderError {
        FolderError::Space { path: self.path.clone(), source: Box::new(source) }
    }
}
