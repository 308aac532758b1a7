//! Where a node keeps its data: six columns of key-value pairs and atomic batches.
//!
//! Everything of one ingest or one seal is one [`Batch`], so whatever happens the store holds all
//! of it or nothing.

mod contract;
mod failing;
mod memory;
pub mod records;
mod redb;
#[cfg(feature = "rocksdb")]
mod rocks;

use std::path::PathBuf;

use thiserror::Error;

pub use self::redb::RedbStore;
pub use contract::{check_contract, ContractBroken};
pub use failing::{FailingStore, Fault};
pub use memory::MemoryStore;
#[cfg(feature = "rocksdb")]
pub use rocks::RocksStore;

/// A part of the store with keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// Writer and number -> op with its signature.
    Ops,
    /// Writer -> tip of everything held of his log.
    Heads,
    /// Name -> page without inline values.
    Pages,
    /// Kind and digest -> value.
    Values,
    /// Number of steps -> snapshot.
    Snapshots,
    /// What there is one of.
    Meta,
}

impl Column {
    /// All columns.
    pub const ALL: [Column; 6] = [
        Column::Ops,
        Column::Heads,
        Column::Pages,
        Column::Values,
        Column::Snapshots,
        Column::Meta,
    ];

    /// The name of the column on disk and in errors.
    pub fn name(self) -> &'static str {
        match self {
            Column::Ops => "ops",
            Column::Heads => "heads",
            Column::Pages => "pages",
            Column::Values => "values",
            Column::Snapshots => "snapshots",
            Column::Meta => "meta",
        }
    }
}

/// What went wrong below the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database cannot be opened; another process may hold it.
    #[error("cannot open the database in {}: {cause}", path.display())]
    Open {
        /// Its folder.
        path: PathBuf,
        /// What the database said.
        cause: String,
    },
    /// The database is one that this program was built without.
    #[error(
        "the database in {} is RocksDB's, and this program was built without it: \
         build it with `--features rocksdb`", path.display()
    )]
    NotBuilt {
        /// Its folder.
        path: PathBuf,
    },
    /// Reading failed.
    #[error("cannot read column {column}: {cause}", column = column.name())]
    Read {
        /// From where.
        column: Column,
        /// What the database said.
        cause: String,
    },
    /// A batch was not written, no part of it.
    #[error("cannot write a batch of {changes} changes: {cause}")]
    Write {
        /// The size of the batch.
        changes: usize,
        /// What the database said.
        cause: String,
    },
    /// A record that this program wrote is not what it should be.
    #[error("damaged record in column {column}, key {key}: {what}", column = column.name())]
    Damaged {
        /// Where.
        column: Column,
        /// The record's key in hexadecimal.
        key: String,
        /// What is wrong.
        what: String,
    },
}

/// Whether a write must survive a power cut when it returns. Every write survives a killed process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Not before a later synced write.
    Buffered,
    /// It must.
    Synced,
}

/// One change: what a key shall hold from now on, `None` for nothing.
pub type Change = (Column, Vec<u8>, Option<Vec<u8>>);

/// Changes that are made together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    changes: Vec<Change>,
}

impl Batch {
    /// A batch without changes.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Adds: `key` shall hold `value`.
    pub fn put(&mut self, column: Column, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.changes.push((column, key.into(), Some(value.into())));
    }

    /// Adds: `key` shall hold nothing.
    pub fn delete(&mut self, column: Column, key: impl Into<Vec<u8>>) {
        self.changes.push((column, key.into(), None));
    }

    /// The changes in their order; a later one on the same key wins.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The number of changes.
    pub fn len(&self) -> usize {
        self.changes.len()
    }
}

/// Called with a key and its value; returns whether to go on.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> bool;

/// A store of six columns. [`check_contract`] says what every implementation must do.
pub trait Store: Send + Sync + 'static {
    /// What `key` holds.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Visits the keys of a column from `from` on in the order of their bytes.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    fn scan(&self, column: Column, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError>;

    /// Makes all changes of `batch` or none.
    ///
    /// # Errors
    /// [`StoreError::Write`]; then none was made.
    fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError>;
}

/// Everything that a store holds, in order.
pub type Dump = Vec<(Column, Vec<u8>, Vec<u8>)>;

/// Everything that `store` holds: what a test compares before and after.
///
/// # Errors
/// [`StoreError::Read`].
pub fn dump(store: &dyn Store) -> Result<Dump, StoreError> {
    let mut all = Vec::new();
    for column in Column::ALL {
        store.scan(column, &[], &mut |key, value| {
            all.push((column, key.to_vec(), value.to_vec()));
            true
        })?;
    }
    Ok(all)
}
