//! Stores: columns of key-value pairs, changed in atomic batches.
//!
//! Every ingest and every seal is one [`Batch`], so the store holds all of it or nothing.

mod checksummed;
mod contract;
mod failing;
mod healing;
mod memory;
pub mod records;
mod redb;
#[cfg(feature = "rocksdb")]
mod rocks;

use std::{path::PathBuf, sync::Arc};

use thiserror::Error;

pub use self::redb::RedbStore;
pub use checksummed::ChecksummedStore;
pub use contract::{check_contract, ContractBroken};
pub use failing::{FailingStore, Fault};
pub use healing::HealingStore;
pub use memory::MemoryStore;
#[cfg(feature = "rocksdb")]
pub use rocks::RocksStore;

/// A part of the store with its own keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// Writer and number -> op with its signature.
    Ops,
    /// Writer -> tip of the log in the latest state.
    Heads,
    /// Name -> page without inline values.
    Pages,
    /// Kind and digest -> value that is short enough to be inline in a page.
    Values,
    /// Kind and digest -> longer value.
    LargeValues,
    /// Kind and digest of a value, and a key that had it -> the last op that gave it to the key.
    References,
    /// Digest of a primary key -> the key; digest and index key -> nothing.
    Index,
    /// Steps of a snapshot or 0, and a page or value that nothing else may need -> nothing.
    Garbage,
    /// Number of steps -> snapshot.
    Snapshots,
    /// Name of a single record -> record: identity, state, verifying key; evidence of forks, names of
    /// missing values, bytes per writer.
    Meta,
}

impl Column {
    /// All columns.
    pub const ALL: [Column; 10] = [
        Column::Ops,
        Column::Heads,
        Column::Pages,
        Column::Values,
        Column::LargeValues,
        Column::References,
        Column::Index,
        Column::Garbage,
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
            Column::LargeValues => "large-values",
            Column::References => "references",
            Column::Index => "index",
            Column::Garbage => "garbage",
            Column::Snapshots => "snapshots",
            Column::Meta => "meta",
        }
    }
}

/// Errors of a store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process has the database open.
    #[error(
        "another process uses the database in {}: wait until it ends, or stop it; beside a node that \
         `serve`s, commands run by themselves",
        path.display()
    )]
    InUse {
        /// Its path.
        path: PathBuf,
    },
    /// The database cannot be opened.
    #[error("cannot open the database in {}: {cause}", path.display())]
    Open {
        /// Its path.
        path: PathBuf,
        /// What the database reported.
        cause: String,
    },
    /// The program was built without the backend of this database.
    #[error(
        "the database in {} needs RocksDB: build rootfold with `--features rocksdb`",
        path.display()
    )]
    NotBuilt {
        /// Its path.
        path: PathBuf,
    },
    /// Reading failed.
    #[error("cannot read column {column}: {cause}", column = column.name())]
    Read {
        /// The column.
        column: Column,
        /// What the database reported.
        cause: String,
    },
    /// A batch cannot be written. None of its changes was made.
    #[error("cannot write a batch of {changes} changes: {cause}")]
    Write {
        /// The number of changes.
        changes: usize,
        /// What the database reported.
        cause: String,
    },
    /// A record is missing or does not decode.
    #[error("damaged record in column {column}, key {key}: {what}", column = column.name())]
    Damaged {
        /// The column.
        column: Column,
        /// The record's key in hexadecimal.
        key: String,
        /// What is wrong.
        what: String,
    },
}

/// Whether a write survives a power failure. Every write survives the death of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Only after a later synced write.
    Buffered,
    /// When the write returns.
    Synced,
}

/// A change of one key: its new value, or `None` to delete it.
pub type Change = (Column, Vec<u8>, Option<Vec<u8>>);

/// Changes that are made atomically.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    changes: Vec<Change>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Adds a change that sets `key` to `value`.
    pub fn put(&mut self, column: Column, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.changes.push((column, key.into(), Some(value.into())));
    }

    /// Adds a change that deletes `key`.
    pub fn delete(&mut self, column: Column, key: impl Into<Vec<u8>>) {
        self.changes.push((column, key.into(), None));
    }

    /// The changes in order. Of several changes of one key the last one wins.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether the batch is empty.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The number of changes.
    pub fn len(&self) -> usize {
        self.changes.len()
    }
}

/// Receives a key and its value; returns whether to continue.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> bool;

/// A store of columns. [`check_contract`] tests the contract of an implementation.
pub trait Store: Send + Sync + 'static {
    /// The value of `key`.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Visits the keys of a column that are not less than `from`, in the order of their bytes.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    fn scan(&self, column: Column, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError>;

    /// Makes all changes of `batch` atomically.
    ///
    /// # Errors
    /// [`StoreError::Write`]; then no change was made.
    fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError>;
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(column, key)
    }

    fn scan(&self, column: Column, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        (**self).scan(column, from, visit)
    }

    fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        (**self).write(batch, durability)
    }
}

/// All records of a store in order.
pub type Dump = Vec<(Column, Vec<u8>, Vec<u8>)>;

/// All records of `store`, for tests that compare two states.
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
