//! The store in redb: pure Rust, one file, one table per column.

use std::{
    fs::File,
    io::ErrorKind,
    ops::Bound,
    path::{Path, PathBuf},
};

use redb::{Database, ReadableDatabase, TableDefinition, TableError};
use rootfold_prover::atomic::folder_of;

use super::{Batch, Column, Durability, Store, StoreError, Visit};

/// A redb database. One process can open it at a time.
pub struct RedbStore {
    db: Database,
    /// Its file, for errors.
    path: PathBuf,
}

/// The cache of redb in bytes. Its default is 1 GiB, but decoded pages have their own cache.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

fn table(column: Column) -> Table {
    TableDefinition::new(column.name())
}

impl RedbStore {
    /// Opens the database in the file `path`; creates it if there is none.
    ///
    /// # Errors
    /// [`StoreError::InUse`], or [`StoreError::Open`] if it cannot be read.
    pub fn open(path: &Path) -> Result<RedbStore, StoreError> {
        let open = || -> Result<Database, redb::Error> {
            match path.metadata() {
                // redb would begin a new database in an empty file. This code never leaves one, so
                // its contents are lost.
                Ok(held) if held.len() == 0 => {
                    let empty = "the file is empty; put it back from a backup";
                    return Err(redb::Error::Corrupted(empty.to_owned()));
                }
                Ok(_) => {}
                Err(_) => create(path)?,
            }
            Ok(Database::builder().set_cache_size(CACHE_BYTES).create(path)?)
        };
        let db = open().map_err(|cause| match cause {
            redb::Error::DatabaseAlreadyOpen => StoreError::InUse { path: path.to_path_buf() },
            cause => StoreError::Open { path: path.to_path_buf(), cause: cause.to_string() },
        })?;
        Ok(RedbStore { db, path: path.to_path_buf() })
    }

    fn said(&self, cause: &redb::Error) -> String {
        format!("{}: {cause}", self.path.display())
    }

    fn read<T>(
        &self,
        column: Column,
        none: T,
        read: impl FnOnce(redb::ReadOnlyTable<&[u8], &[u8]>) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let answer = || -> Result<T, redb::Error> {
            match self.db.begin_read()?.open_table(table(column)) {
                Ok(table) => read(table),
                // The first write to a table creates it.
                Err(TableError::TableDoesNotExist(_)) => Ok(none),
                Err(cause) => Err(cause.into()),
            }
        };
        answer().map_err(|cause| StoreError::Read { column, cause: self.said(&cause) })
    }
}

/// Creates an empty database with another name, and gives it the name `path` when it is complete:
/// redb never again opens a file whose creation was cut off, by the death of the process or a power
/// failure.
fn create(path: &Path) -> Result<(), redb::Error> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".new");
    // The umask decides the mode, as for other databases. The default of `tempfile` is 0600.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let aside = builder.tempfile_in(folder)?;
    drop(Database::create(aside.path())?);
    match aside.persist_noclobber(path) {
        // Another process was faster.
        Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => {}
        named => drop(named.map_err(|refused| refused.error)?),
    }
    // The name is durable once the folder is synced.
    Ok(File::open(folder)?.sync_all()?)
}

impl Store for RedbStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(column, None, |table| Ok(table.get(key)?.map(|value| value.value().to_vec())))
    }

    fn scan(&self, column: Column, from: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        self.read(column, (), |table| {
            let bounds: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Included(from), Bound::Unbounded);
            for pair in table.range::<&[u8]>(bounds)? {
                let (key, value) = pair?;
                if !visit(key.value(), value.value()) {
                    break;
                }
            }
            Ok(())
        })
    }

    // Every commit is synced: without that, redb loses writes when the process dies.
    fn write(&self, batch: Batch, _durability: Durability) -> Result<(), StoreError> {
        let changes = batch.len();
        let write = || -> Result<(), redb::Error> {
            let transaction = self.db.begin_write()?;
            for column in Column::ALL {
                let mut ours = batch.changes.iter().filter(|change| change.0 == column).peekable();
                if ours.peek().is_none() {
                    continue;
                }
                let mut table = transaction.open_table(table(column))?;
                for (_, key, value) in ours {
                    match value {
                        Some(value) => table.insert(key.as_slice(), value.as_slice())?,
                        None => table.remove(key.as_slice())?,
                    };
                }
            }
            Ok(transaction.commit()?)
        };
        write().map_err(|cause| StoreError::Write { changes, cause: self.said(&cause) })
    }
}
