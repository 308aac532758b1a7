//! The store in RocksDB, with one column family per column.

use std::path::{Path, PathBuf};

use rocksdb::{
    BlockBasedOptions, ColumnFamily, ColumnFamilyDescriptor, DBCompressionType, Direction,
    IteratorMode, Options, WriteBatch, WriteOptions, DB,
};

use super::{Batch, Column, Durability, Store, StoreError, Visit};

/// A RocksDB database. One process can open it at a time.
pub struct RocksStore {
    db: DB,
    /// Its directory, for errors.
    path: PathBuf,
}

const MIB: usize = 1024 * 1024;

impl RocksStore {
    /// Opens the database in the directory `path`; creates it if there is none.
    ///
    /// # Errors
    /// [`StoreError::InUse`], or [`StoreError::Open`] if it cannot be read.
    pub fn open(path: &Path) -> Result<RocksStore, StoreError> {
        refuse_without_current(path)?;
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_keep_log_file_num(2);
        options.set_max_total_wal_size(64 * MIB as u64);
        let families =
            Column::ALL.map(|column| ColumnFamilyDescriptor::new(column.name(), family(column)));
        let db = DB::open_cf_descriptors(&options, path, families).map_err(|cause| {
            let (path, cause) = (path.to_path_buf(), cause.to_string());
            // RocksDB has no kind of error of its own for this.
            if cause.contains("lock file") || cause.contains("lock hold by current process") {
                return StoreError::InUse { path };
            }
            StoreError::Open { path, cause }
        })?;
        Ok(RocksStore { db, path: path.to_path_buf() })
    }

    fn family(&self, column: Column) -> &ColumnFamily {
        self.db.cf_handle(column.name()).expect("open made every column family")
    }
}

/// RocksDB takes a directory without its file CURRENT for a new database and writes into it.
fn refuse_without_current(path: &Path) -> Result<(), StoreError> {
    let has_files = std::fs::read_dir(path).is_ok_and(|mut files| files.next().is_some());
    if !has_files || path.join("CURRENT").is_file() {
        return Ok(());
    }
    let cause = "damaged: the file CURRENT is missing; put it back from a backup".to_owned();
    Err(StoreError::Open { path: path.to_path_buf(), cause })
}

fn family(column: Column) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_bloom_filter(10.0, false);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size(8 * MIB);
    // Pages, heads and snapshots consist of digests and points, which do not compress.
    options.set_compression_type(match column {
        Column::Values | Column::LargeValues | Column::Ops => DBCompressionType::Lz4,
        _ => DBCompressionType::None,
    });
    options
}

impl Store for RocksStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db
            .get_cf(self.family(column), key)
            .map_err(|cause| StoreError::Read { column, cause: cause.to_string() })
    }

    fn scan(&self, column: Column, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        let mode = IteratorMode::From(from, Direction::Forward);
        for pair in self.db.iterator_cf(self.family(column), mode) {
            let (key, value) =
                pair.map_err(|cause| StoreError::Read { column, cause: cause.to_string() })?;
            if !visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }

    fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        let changes = batch.len();
        let mut out = WriteBatch::default();
        for (column, key, value) in batch.changes {
            match value {
                Some(value) => out.put_cf(self.family(column), key, value),
                None => out.delete_cf(self.family(column), key),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(durability == Durability::Synced);
        self.db.write_opt(out, &options).map_err(|cause| StoreError::Write {
            changes,
            cause: format!("{}: {cause}", self.path.display()),
        })
    }
}
